/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Choosing guest and machine, and listing them. */
#include "vm/choose.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "host/chardev_kinds.h"
#include "util/bits.h"
#include "util/log.h"
#include "util/sorted.h"
#include "util/suggest.h"

enum { KERNEL_HEAD = 0x240 };

static void all_guests(struct sorted *list)
{
    *list = (struct sorted){.n = 0};
    REGISTRY_FOREACH (guest, struct guest, guest)
        sorted_add(list, guest, guest->name);
}

static void all_machines(struct sorted *list, const struct guest *guest)
{
    *list = (struct sorted){.n = 0};
    REGISTRY_FOREACH (machine_class, struct machine_class, class) {
        if (!guest || !strcmp(class->guest, guest->name))
            sorted_add(list, class, class->name);
    }
}

static const char *join(const struct sorted *list, char *text, size_t size)
{
    size_t used = 0;

    text[0] = 0;
    for (unsigned i = 0; i < list->n && used < size; i++)
        used += (size_t)snprintf(text + used, size - used, "%s%s", i ? ", " : "", list->names[i]);
    return list->n ? text : "none";
}

/* ---- the guest ---------------------------------------------------------------------------------
 */

/* "calque-system-arm" and "qemu-system-arm" say arm; NULL: the name says nothing. */
static const char *guest_of_program(const char *program)
{
    static const char *const prefixes[] = {"calque-system-", "qemu-system-"};

    for (unsigned i = 0; i < ARRAY_SIZE(prefixes); i++) {
        if (!strncmp(program, prefixes[i], strlen(prefixes[i])))
            return program + strlen(prefixes[i]);
    }
    return NULL;
}

bool program_names_guest(const struct options *options)
{
    return guest_of_program(options->program) != NULL;
}

/* What a kernel image is for, as far as its first bytes say. */
static const char *guest_of_elf(const uint8_t *head)
{
    bool big = head[5] == 2, wide = head[4] == 2;
    unsigned machine = big ? load_be16(head + 18) : load_le16(head + 18);

    switch (machine) {
    case 3:
        return "i386";
    case 8:
        return wide ? (big ? "mips64" : "mips64el") : (big ? "mips" : "mipsel");
    case 40:
        return "arm";
    case 62:
        return "x86_64";
    case 183:
        return "aarch64";
    default:
        return NULL;
    }
}

static const char *guest_of_kernel(const char *path)
{
    uint8_t head[KERNEL_HEAD] = {0};
    FILE *file = fopen(path, "rb");
    size_t got;

    if (!file)
        return NULL;
    got = fread(head, 1, sizeof(head), file);
    fclose(file);
    if (got < 64)
        return NULL;
    if (!memcmp(head, "\177ELF", 4))
        return guest_of_elf(head);
    if (load_le32(head + 0x24) == 0x016f2818) /* zImage: Documentation/arch/arm/booting.rst */
        return "arm";
    if (!memcmp(head + 0x38, "ARM\x64", 4)) /* Image: Documentation/arch/arm64/booting.rst */
        return "aarch64";
    if (!memcmp(head + 0x202, "HdrS", 4)) /* bzImage: Documentation/arch/x86/boot.rst */
        return "x86_64";
    return NULL;
}

const struct guest *choose_guest(const struct options *options, struct error *err)
{
    struct sorted guests;
    const char *name = guest_of_program(options->program);
    const struct guest *found = NULL;
    char text[256];

    all_guests(&guests);
    if (name) {
        found = sorted_find(&guests, name);
        if (!found)
            error_set(err, "the guest '%s' is not built in; there is: %s", name,
                      join(&guests, text, sizeof(text)));
        return found;
    }
    if (guests.n == 1)
        return guests.items[0];
    if (options->boot.kernel)
        name = guest_of_kernel(options->boot.kernel);
    else if (options->drive[DRIVE_HDA] || options->cdrom || options->drive[DRIVE_FDA] ||
             options->n_drive_specs)
        name = "x86_64"; /* a disk says nothing about itself; people mean a PC */
    if (name)
        found = sorted_find(&guests, name);
    if (!found && name && options->boot.kernel)
        error_set(err, "'%s' is a kernel for %s, which is not built in; there is: %s",
                  options->boot.kernel, name, join(&guests, text, sizeof(text)));
    else if (!found)
        error_set(err, "which guest? Call it calque-system-NAME, NAME one of: %s",
                  join(&guests, text, sizeof(text)));
    return found;
}

/* ---- the machine -------------------------------------------------------------------------------
 */

const struct machine_class *choose_machine(const struct options *options, const struct guest *guest,
                                           struct error *err)
{
    struct sorted machines;
    const struct machine_class *found;
    char text[256];

    all_machines(&machines, guest);
    if (!options->machine[0]) {
        for (unsigned i = 0; i < machines.n; i++) {
            found = machines.items[i];
            if (found->is_default)
                return found;
        }
        error_set(err, "no machine is given: -M NAME, one of: %s",
                  join(&machines, text, sizeof(text)));
        return NULL;
    }
    found = sorted_find(&machines, options->machine);
    if (!found && machines.n)
        error_set(err, "there is no machine '%s'; did you mean '%s'? (-M help lists them)",
                  options->machine, suggest_nearest(options->machine, machines.names));
    else if (!found)
        error_set(err, "no machine of the guest '%s' is built in", guest->name);
    return found;
}

/* ---- lists -------------------------------------------------------------------------------------
 */

void list_machines(const struct guest *guest, FILE *out)
{
    struct sorted machines;

    all_machines(&machines, guest);
    fprintf(out, "Machines:\n");
    for (unsigned i = 0; i < machines.n; i++) {
        const struct machine_class *class = machines.items[i];
        fprintf(out, "%-20s %s%s", class->name, class->description,
                class->is_default ? " (default)" : "");
        if (!guest)
            fprintf(out, " (%s)", class->guest);
        fprintf(out, "\n");
    }
}

void list_cpus(const struct guest *guest, FILE *out)
{
    struct sorted guests;

    all_guests(&guests);
    for (unsigned i = 0; i < guests.n; i++) {
        const struct guest *one = guests.items[i];
        if (guest && guest != one)
            continue;
        fprintf(out, "CPUs (%s):\n", one->name);
        for (const struct cpu_model *model = one->models; model && model->name; model++)
            fprintf(
                out, "  %-18s %s%s\n", model->name, model->description ? model->description : "",
                one->default_model && !strcmp(model->name, one->default_model) ? " (default)" : "");
    }
}

void list_log_items(FILE *out)
{
    fprintf(out, "Log items (-d item,item...):\n");
    for (const struct log_item_name *item = log_item_names; item->name; item++)
        fprintf(out, "%-16s %s\n", item->name, item->help);
}

void list_devices(FILE *out)
{
    struct sorted devices = {.n = 0};

    REGISTRY_FOREACH (device_class, struct device_class, class) {
        if (class->addable)
            sorted_add(&devices, class, class->name);
    }
    fprintf(out, "Devices that -device adds:\n");
    for (unsigned i = 0; i < devices.n; i++) {
        const struct device_class *class = devices.items[i];
        fprintf(out, "%-20s %s\n", class->name, class->description);
    }
}

void list_chardevs(FILE *out)
{
    struct sorted kinds = {.n = 0};

    REGISTRY_FOREACH (chardev_kind, struct chardev_kind, kind)
        sorted_add(&kinds, kind, kind->name);
    fprintf(out, "Character streams:\n");
    for (unsigned i = 0; i < kinds.n; i++) {
        const struct chardev_kind *kind = kinds.items[i];
        char left[64];
        snprintf(left, sizeof(left), "%s%s%s", kind->name, kind->argument ? ":" : "",
                 kind->argument ? kind->argument : "");
        fprintf(out, "%-24s %s%s\n", left, kind->help,
                kind->only_short  ? " (not with -chardev)"
                : kind->only_long ? " (with -chardev)"
                                  : "");
    }
}
