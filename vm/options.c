/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of options and its parser. */
#include "vm/options.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hw/props.h"
#include "util/log.h"
#include "util/suggest.h"

struct option_row {
    const char *name;
    const char *alias;
    const char *argument; /* NULL: takes none; "[=...]": may have one, behind an equals sign */
    const char *help;     /* NULL: not in -h */
    /* value is NULL for options without argument. */
    bool (*apply)(struct options *o, const struct option_row *row, const char *value,
                  struct error *err);
    size_t member;      /* for the set_* functions: what of struct options to set; enum list */
    const char *detail; /* for not_yet: what is missing; for the lists: allowed values */
};

/* ---- how options act ---------------------------------------------------------------------------
 */

static bool set_flag(struct options *o, const struct option_row *row, const char *value,
                     struct error *err)
{
    *(bool *)((char *)o + row->member) = true;
    return true;
}

static bool set_string(struct options *o, const struct option_row *row, const char *value,
                       struct error *err)
{
    *(const char **)((char *)o + row->member) = value;
    return true;
}

/* A file name: an empty one is a script's mistake, not a wish. */
static bool set_file(struct options *o, const struct option_row *row, const char *value,
                     struct error *err)
{
    if (!*value)
        return error_set(err, "-%s: the file name is empty", row->name);
    return set_string(o, row, value, err);
}

/* -perfmap, -perfmap=FILE; value is NULL for the first. A separate word would be a disk's image. */
static bool set_optional_file(struct options *o, const struct option_row *row, const char *value,
                              struct error *err)
{
    return value ? set_file(o, row, value, err) : set_string(o, row, "", err);
}

static bool set_gdb_here(struct options *o, const struct option_row *row, const char *value,
                         struct error *err)
{
    o->gdb = "tcp::1234";
    return true;
}

static bool set_action(struct options *o, const struct option_row *row, const char *value,
                       struct error *err)
{
    if (o->action == ACTION_RUN)
        o->action = (enum options_action)row->member;
    return true;
}

static bool ignore(struct options *o, const struct option_row *row, const char *value,
                   struct error *err)
{
    return true;
}

static bool not_yet(struct options *o, const struct option_row *row, const char *value,
                    struct error *err)
{
    return error_set(err, "-%s is not supported yet: %s", row->name, row->detail);
}

static void note(struct options *o, const char *text)
{
    for (unsigned i = 0; i < o->n_notes; i++) {
        if (o->notes[i] == text)
            return;
    }
    if (o->n_notes < OPTIONS_NOTES)
        o->notes[o->n_notes++] = text;
}

static bool asks_for_list(const char *value)
{
    return !strcmp(value, "help") || !strcmp(value, "?");
}

/* The word is one of a comma-separated list. */
static bool one_of(const char *list, const char *word)
{
    size_t length = strlen(word);

    for (const char *p = list; p && *p; p = strchr(p, ',') ? strchr(p, ',') + 1 : NULL) {
        if (!strncmp(p, word, length) && (p[length] == ',' || !p[length]))
            return true;
    }
    return false;
}

static bool only_values(struct options *o, const struct option_row *row, const char *value,
                        struct error *err)
{
    if (one_of(row->detail, value))
        return true;
    return error_set(err, "-%s %s is not supported; it takes: %s", row->name, value, row->detail);
}

static const char *const kvm_note =
    "there is no hardware virtualisation here: the guest is emulated";

static const char *const host_cpu_note =
    "-cpu host: the guest gets the model nearest to it that can be emulated (max)";

static bool accept_kvm(struct options *o, const struct option_row *row, const char *value,
                       struct error *err)
{
    note(o, kvm_note);
    return true;
}

static bool set_accel(struct options *o, const struct option_row *row, const char *value,
                      struct error *err)
{
    size_t length = strcspn(value, ",:");

    if (length == 3 && !strncmp(value, "tcg", 3))
        return true;
    if (length == 3 && !strncmp(value, "kvm", 3)) {
        note(o, kvm_note);
        return true;
    }
    return error_set(err, "-accel %s is not known; it takes: tcg", value);
}

/* -M NAME[,KEY=VALUE...]: what is ours is taken out, the rest is the board's. */
static bool set_machine(struct options *o, const struct option_row *row, const char *value,
                        struct error *err)
{
    if (asks_for_list(value)) {
        o->action = ACTION_LIST_MACHINES;
        return true;
    }
    for (bool first = true; *value; first = false) {
        size_t length = strcspn(value, ",");
        size_t used = strlen(o->machine_props);
        if (!strncmp(value, "type=", 5)) {
            value += 5;
            length -= 5;
            first = true;
        }
        if (first) {
            if (!length || length >= sizeof(o->machine))
                return error_set(err, "-%s: '%.*s' is no machine name", row->name, (int)length,
                                 value);
            memcpy(o->machine, value, length);
            o->machine[length] = 0;
        } else if (!strncmp(value, "accel=", 6)) {
            char accel[16];
            snprintf(accel, sizeof(accel), "%.*s", (int)length - 6, value + 6);
            if (!set_accel(o, row, accel, err))
                return false;
        } else if (!strncmp(value, "dumpdtb=", 8)) {
            if (length <= 8 || length - 8 >= sizeof(o->dumpdtb))
                return error_set(err, "-%s: dumpdtb needs a file name", row->name);
            memcpy(o->dumpdtb, value + 8, length - 8);
            o->dumpdtb[length - 8] = 0;
            o->boot.dumpdtb = o->dumpdtb;
        } else {
            if (used + length + 2 > sizeof(o->machine_props))
                return error_set(err, "-%s: too many properties", row->name);
            if (used)
                o->machine_props[used++] = ',';
            memcpy(o->machine_props + used, value, length);
            o->machine_props[used + length] = 0;
        }
        value += length;
        value += *value == ',';
    }
    return true;
}

static bool set_cpu(struct options *o, const struct option_row *row, const char *value,
                    struct error *err)
{
    if (asks_for_list(value))
        o->action = ACTION_LIST_CPUS;
    if (!strcmp(value, "host") || !strncmp(value, "host,", 5))
        note(o, host_cpu_note);
    o->cpu = value;
    return true;
}

bool options_parse_size(const char *text, uint64_t *bytes)
{
    static const char suffixes[] = "bkmgt";
    unsigned shift = 20; /* QEMU's -m counts MiB */
    char *end;
    uint64_t value;

    if (!strncmp(text, "size=", 5))
        text += 5;
    if (!isdigit((unsigned char)*text))
        return false;
    errno = 0;
    value = strtoull(text, &end, 0);
    if (errno)
        return false;
    if (*end && *end != ',') {
        const char *suffix = strchr(suffixes, tolower((unsigned char)*end));
        if (!suffix || !*suffix)
            return false;
        shift = (unsigned)(suffix - suffixes) * 10;
        end++;
        /* "MB" and "MiB" too. */
        if (shift && !strncmp(end, "iB", 2))
            end += 2;
        else if (shift && (*end == 'B' || *end == 'b'))
            end++;
    }
    if ((*end && *end != ',') || value > UINT64_MAX >> shift)
        return false;
    *bytes = value << shift;
    return true;
}

static bool set_memory(struct options *o, const struct option_row *row, const char *value,
                       struct error *err)
{
    if (!options_parse_size(value, &o->ram_bytes))
        return error_set(err, "-m %s: not a memory size; 512M and 2G are", value);
    if (!o->ram_bytes)
        return error_set(err, "-m %s: a machine without memory cannot run", value);
    return true;
}

static bool set_smp(struct options *o, const struct option_row *row, const char *value,
                    struct error *err)
{
    const char *number = !strncmp(value, "cpus=", 5) ? value + 5 : value;
    char *end;
    unsigned long cpus = strtoul(number, &end, 10);

    if (end == number || (*end && *end != ',') || !cpus)
        return error_set(err, "-smp %s: not a number of CPUs", value);
    if (cpus > 1)
        return error_set(err, "-smp %s: calque gives a guest one CPU so far", value);
    return true;
}

#define MEMBER(m) offsetof(struct options, m)

/* Options that may be given several times; `help` in place of a value lists what there is. */
enum list {
    LIST_SERIAL,
    LIST_MONITOR,
    LIST_MON,
    LIST_CHARDEV,
    LIST_DRIVE,
    LIST_PFLASH,
    LIST_DEVICE,
};
static const struct {
    size_t texts, n; /* of struct options */
    unsigned most;
    enum options_action on_help; /* ACTION_RUN: nothing is listed */
} lists[] = {
    [LIST_SERIAL] = {MEMBER(serial), MEMBER(n_serial), OPTIONS_SERIALS, ACTION_RUN},
    [LIST_MONITOR] = {MEMBER(monitor), MEMBER(n_monitor), OPTIONS_MONITORS, ACTION_RUN},
    [LIST_MON] = {MEMBER(mon), MEMBER(n_mon), OPTIONS_MONITORS, ACTION_RUN},
    [LIST_CHARDEV] = {MEMBER(chardev), MEMBER(n_chardev), OPTIONS_CHARDEVS, ACTION_LIST_CHARDEVS},
    [LIST_DRIVE] = {MEMBER(drive_specs), MEMBER(n_drive_specs), OPTIONS_DRIVES, ACTION_RUN},
    [LIST_PFLASH] = {MEMBER(pflash), MEMBER(n_pflash), OPTIONS_FLASHES, ACTION_RUN},
    [LIST_DEVICE] = {MEMBER(device), MEMBER(n_devices), OPTIONS_DEVICES, ACTION_LIST_DEVICES},
};

static bool add_text(struct options *o, const struct option_row *row, const char *value,
                     struct error *err)
{
    const char **texts = (const char **)((char *)o + lists[row->member].texts);
    unsigned *n = (unsigned *)((char *)o + lists[row->member].n);

    if (lists[row->member].on_help != ACTION_RUN && asks_for_list(value)) {
        o->action = lists[row->member].on_help;
        return true;
    }
    if (*n == lists[row->member].most)
        return error_set(err, "-%s %s: no more than %u can be given", row->name, value, *n);
    texts[(*n)++] = value;
    return true;
}

/* NAME, or guest=NAME and QEMU's others. What the host's processes and threads are called is ours.
 */
static bool set_name(struct options *o, const struct option_row *row, const char *value,
                     struct error *err)
{
    char *word = malloc(strlen(value) + 1);
    bool ok = word || error_set(err, "out of memory");

    for (const char *rest = value; ok && *rest;) {
        bool first = rest == value, has_key;
        rest = props_next(rest, word, strlen(value) + 1);
        has_key = strchr(word, '=') != NULL;
        if ((first && !has_key) || !strncmp(word, "guest=", 6)) {
            const char *name = has_key ? word + 6 : word;
            ok = strlen(name) < sizeof(o->guest_name) ||
                 error_set(err, "-name: a name has no more than %zu characters",
                           sizeof(o->guest_name) - 1);
            snprintf(o->guest_name, sizeof(o->guest_name), "%s", name);
            o->name = o->guest_name;
        } else if (strncmp(word, "process=", 8) && strncmp(word, "debug-threads=", 14)) {
            ok = error_set(
                err, "-name: '%s' is not known; it takes: guest=, process=, debug-threads=", word);
        }
    }
    free(word);
    return ok;
}

static bool set_log(struct options *o, const struct option_row *row, const char *value,
                    struct error *err)
{
    unsigned items;

    if (asks_for_list(value)) {
        o->action = ACTION_LIST_LOG_ITEMS;
        return true;
    }
    if (!log_parse(value, &items, err))
        return false;
    o->log_items |= items;
    return true;
}

/* 8-4-4-4-12 hexadecimal digits. */
static bool set_uuid(struct options *o, const struct option_row *row, const char *value,
                     struct error *err)
{
    static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    unsigned n = 0;

    memset(o->boot.uuid, 0, sizeof(o->boot.uuid));
    for (unsigned i = 0; i < sizeof(shape); i++) {
        unsigned char c = (unsigned char)value[i];
        if (shape[i] == 'x' ? !isxdigit(c) : c != shape[i])
            return error_set(err, "-uuid %s: it is like 550e8400-e29b-41d4-a716-446655440000",
                             value);
        if (shape[i] != 'x')
            continue;
        int digit = isdigit(c) ? c - '0' : tolower(c) - 'a' + 10;
        o->boot.uuid[n / 2] |= (uint8_t)(digit << (n % 2 ? 0 : 4));
        n++;
    }
    return true;
}

static bool set_display(struct options *o, const struct option_row *row, const char *value,
                        struct error *err)
{
    if (asks_for_list(value)) {
        o->action = ACTION_LIST_DISPLAYS;
        return true;
    }
    o->no_display = !strcmp(value, "none");
    if (!strncmp(value, "vnc=", 4))
        o->vnc = value + 4;
    else
        o->display = value;
    return true;
}

static bool set_sdl(struct options *o, const struct option_row *row, const char *value,
                    struct error *err)
{
    o->display = "sdl";
    o->no_display = false;
    return true;
}

static bool set_rtc(struct options *o, const struct option_row *row, const char *value,
                    struct error *err)
{
    while (*value) {
        size_t length = strcspn(value, ",");
        if (!strncmp(value, "base=", 5)) {
            if (length <= 5 || length - 5 >= sizeof(o->boot.rtc_base))
                return error_set(err, "-rtc %s: base is utc, localtime or a date", value);
            memcpy(o->boot.rtc_base, value + 5, length - 5);
            o->boot.rtc_base[length - 5] = 0;
            if (!one_of("utc,localtime", o->boot.rtc_base) &&
                !isdigit((unsigned char)o->boot.rtc_base[0]))
                return error_set(err,
                                 "-rtc base=%s: it is utc, localtime or a date like "
                                 "2006-06-17T16:01:21",
                                 o->boot.rtc_base);
        } else if (strncmp(value, "clock=", 6) && strncmp(value, "driftfix=", 9)) {
            return error_set(err, "-rtc %.*s is not known; it takes: base=, clock=, driftfix=",
                             (int)length, value);
        }
        value += length;
        value += *value == ',';
    }
    return true;
}

/* -hda FILE; a bare FILE on the command line is the first. */
static bool set_drive(struct options *o, const struct option_row *row, const char *value,
                      struct error *err)
{
    if (!*value)
        return error_set(err, "-%s: the file name is empty", row->name);
    if (o->drive[row->member])
        return error_set(err, "-%s '%s': that drive has '%s' already", row->name, value,
                         o->drive[row->member]);
    if (row->member == DRIVE_HDC && o->cdrom)
        return error_set(err, "-hdc and -cdrom are the same drive");
    o->drive[row->member] = value;
    return true;
}

static bool set_cdrom(struct options *o, const struct option_row *row, const char *value,
                      struct error *err)
{
    if (!*value)
        return error_set(err, "-cdrom: the file name is empty");
    if (o->drive[DRIVE_HDC])
        return error_set(err, "-hdc and -cdrom are the same drive");
    o->cdrom = value;
    return true;
}

static bool set_boot_order(char order[8], const char *letters, size_t length, struct error *err)
{
    enum { MOST = 7 };

    if (length > MOST)
        return error_set(err, "-boot %s: at most %d letters", letters, MOST);
    for (size_t i = 0; i < length; i++) {
        if (!strchr("abcdn", letters[i]))
            return error_set(err,
                             "-boot %s: '%c' is no drive; a and b are floppy disks, c the hard "
                             "disk, d the CD, n the network",
                             letters, letters[i]);
    }
    memcpy(order, letters, length);
    order[length] = 0;
    return true;
}

/* -boot dc, -boot order=dc,once=d,menu=on. */
static bool set_boot(struct options *o, const struct option_row *row, const char *value,
                     struct error *err)
{
    static const char *const ignored[] = {"splash=", "splash-time=", "reboot-timeout=", "strict="};

    if (!strchr(value, '='))
        return set_boot_order(o->boot.order, value, strlen(value), err);
    while (*value) {
        size_t length = strcspn(value, ",");
        bool known = false;
        if (!strncmp(value, "order=", 6) || !strncmp(value, "once=", 5)) {
            size_t key = strcspn(value, "=") + 1;
            char *order = value[1] == 'r' ? o->boot.order : o->boot.once;
            if (!set_boot_order(order, value + key, length - key, err))
                return false;
            known = true;
        } else if (!strncmp(value, "menu=", 5)) {
            o->boot.menu = length == 7 && !strncmp(value + 5, "on", 2);
            known = o->boot.menu || (length == 8 && !strncmp(value + 5, "off", 3));
        }
        for (unsigned i = 0; i < ARRAY_SIZE(ignored); i++)
            known |= !strncmp(value, ignored[i], strlen(ignored[i]));
        if (!known)
            return error_set(err, "-boot %.*s is not known; it takes: order=, once=, menu=on|off",
                             (int)length, value);
        value += length;
        value += *value == ',';
    }
    return true;
}

static const char *const vga_note = "the display adapter is the standard VGA (-vga std)";

static bool set_vga(struct options *o, const struct option_row *row, const char *value,
                    struct error *err)
{
    bool other = one_of("qxl,vmware", value);

    if (!other && !one_of("std,cirrus,virtio,none", value))
        return error_set(err, "-vga %s is not known; it takes: std, cirrus, virtio, none", value);
    if (other)
        note(o, vga_note);
    o->boot.no_vga = !strcmp(value, "none");
    snprintf(o->boot.vga, sizeof(o->boot.vga), "%s", other ? "std" : o->boot.no_vga ? "" : value);
    return true;
}

static bool no_semihosting(struct options *o, const struct option_row *row, const char *value,
                           struct error *err)
{
    return error_set(err, "-%s is not supported: a guest gets no way to the host's files",
                     row->name);
}

/* ---- the table ---------------------------------------------------------------------------------
 */

static const struct option_row rows[] = {
    {"machine", "M", "NAME[,KEY=VALUE]", "the board; -M help lists them", set_machine, 0, NULL},
    {"cpu", NULL, "NAME", "the CPU; -cpu help lists them", set_cpu, 0, NULL},
    {"m", NULL, "SIZE", "memory: 256M, 1G; without a suffix MiB", set_memory, 0, NULL},
    {"smp", NULL, "N", "number of CPUs: 1", set_smp, 0, NULL},
    {"accel", NULL, "NAME", "tcg; kvm is accepted and emulated", set_accel, 0, NULL},
    {"enable-kvm", NULL, NULL, NULL, accept_kvm, 0, NULL},
    {"no-kvm", NULL, NULL, NULL, ignore, 0, NULL},
    {"name", NULL, "NAME", "what the guest is called", set_name, 0, NULL},
    {"uuid", NULL, "UUID", "the machine's UUID, which SMBIOS tells the guest", set_uuid, 0, NULL},
    {"kernel", NULL, "FILE", "a bzImage, zImage, Image, uImage, ELF or Multiboot kernel", set_file,
     MEMBER(boot.kernel), NULL},
    {"initrd", NULL, "FILE", "the kernel's initial RAM disk", set_file, MEMBER(boot.initrd), NULL},
    {"append", NULL, "TEXT", "the kernel's command line", set_string, MEMBER(boot.append), NULL},
    {"dtb", NULL, "FILE", "the device tree given to the kernel", set_file, MEMBER(boot.dtb), NULL},
    {"bios", NULL, "FILE", "firmware, instead of a kernel", set_file, MEMBER(boot.bios), NULL},
    {"hda", NULL, "FILE", "the first hard disk's image (raw); also FILE alone", set_drive,
     DRIVE_HDA, NULL},
    {"hdb", NULL, "FILE", "the second", set_drive, DRIVE_HDB, NULL},
    {"hdc", NULL, "FILE", "the third", set_drive, DRIVE_HDC, NULL},
    {"hdd", NULL, "FILE", "the fourth", set_drive, DRIVE_HDD, NULL},
    {"cdrom", NULL, "FILE", "a CD image or drive", set_cdrom, 0, NULL},
    {"fda", NULL, "FILE", "the first floppy disk's image", set_drive, DRIVE_FDA, NULL},
    {"fdb", NULL, "FILE", "the second", set_drive, DRIVE_FDB, NULL},
    {"drive", NULL, "KEY=VALUE,...", "a drive: file=, if=, index=, media=, format=raw, readonly=on",
     add_text, LIST_DRIVE, NULL},
    {"pflash", NULL, "FILE", "the contents of the board's flash; a second one of the next",
     add_text, LIST_PFLASH, NULL},
    {"snapshot", NULL, NULL,
     "keep what guests write to disks in temporary files; Ctrl-a s saves it", set_flag,
     MEMBER(snapshot), NULL},
    {"boot", NULL, "ORDER", "where firmware boots from: a floppy, c disk, d CD, n network; menu=on",
     set_boot, 0, NULL},
    {"device", NULL, "NAME[,KEY=VALUE]", "one more device; -device help lists them", add_text,
     LIST_DEVICE, NULL},
    {"nographic", NULL, NULL, "console and monitor on this terminal; Ctrl-a h lists its keys",
     set_flag, MEMBER(nographic), NULL},
    {"display", NULL, "NAME[,KEY=VALUE]", "sdl (a window), vnc=HOST:N, none; -display help",
     set_display, 0, NULL},
    {"sdl", NULL, NULL, NULL, set_sdl, 0, NULL},
    {"vnc", NULL, "HOST:N", "serve the screen to VNC clients at port 5900 + N", set_string,
     MEMBER(vnc), NULL},
    {"full-screen", NULL, NULL, "the window takes all of the screen", set_flag, MEMBER(full_screen),
     NULL},
    {"alt-grab", NULL, NULL, "the window's keys begin with Ctrl-Alt-Shift", set_flag,
     MEMBER(alt_grab), NULL},
    {"ctrl-grab", NULL, NULL, "... with the right Ctrl", set_flag, MEMBER(ctrl_grab), NULL},
    {"no-quit", NULL, NULL, "the window cannot be closed", set_flag, MEMBER(no_quit), NULL},
    {"no-frame", NULL, NULL, NULL, ignore, 0, NULL},
    {"serial", NULL, "STREAM",
     "a serial port, in order: stdio, mon:stdio, file:F, pty, tcp:HOST:PORT, null, none", add_text,
     LIST_SERIAL, NULL},
    {"parallel", NULL, "STREAM", "the parallel port", set_string, MEMBER(parallel), NULL},
    {"debugcon", NULL, "STREAM", "what the guest writes to port 0xe9", set_string, MEMBER(debugcon),
     NULL},
    {"monitor", NULL, "STREAM", "a monitor on a stream, or none", add_text, LIST_MONITOR, NULL},
    {"chardev", NULL, "KIND,id=ID,...", "a stream for -serial chardev:ID; -chardev help lists them",
     add_text, LIST_CHARDEV, NULL},
    {"mon", NULL, "chardev=ID", "a monitor on a stream of -chardev", add_text, LIST_MON, NULL},
    {"echr", NULL, "NUMBER", "the key that starts the Ctrl-a keys: 1 is Ctrl-a", set_string,
     MEMBER(escape_key), NULL},
    {"nodefaults", NULL, NULL, "no serial port or monitor that is not asked for", set_flag,
     MEMBER(no_defaults), NULL},
    {"no-reboot", NULL, NULL, "end when the guest resets", set_flag, MEMBER(no_reboot), NULL},
    {"no-shutdown", NULL, NULL, "stop, not end, when the guest powers off", set_flag,
     MEMBER(no_shutdown), NULL},
    {"S", NULL, NULL, "do not start until the monitor or a debugger says so", set_flag,
     MEMBER(start_stopped), NULL},
    {"gdb", NULL, "SOCKET",
     "let gdb debug the guest: tcp:HOST:PORT, tcp::PORT (this host), unix:PATH", set_string,
     MEMBER(gdb), NULL},
    {"s", NULL, NULL, "the same as -gdb tcp::1234", set_gdb_here, 0, NULL},
    {"interp", NULL, NULL, "run by the reference interpreter (slow)", set_flag, MEMBER(interpret),
     NULL},
    {"d", NULL, "ITEM,...", "log these; -d help lists them", set_log, 0, NULL},
    {"D", NULL, "FILE", "log to this file instead of stderr", set_file, MEMBER(log_file), NULL},
    {"perfmap", NULL, "[=FILE]", "tell perf of generated code: /tmp/perf-PID.map",
     set_optional_file, MEMBER(perf_map), NULL},
    {"jitdump", NULL, "[=FILE]", "the same for perf inject --jit: jit-PID.dump", set_optional_file,
     MEMBER(jit_dump), NULL},
    {"rtc", NULL, "base=BASE", "what the guest's clock starts from: utc, localtime, a date",
     set_rtc, 0, NULL},
    {"net", NULL, "none", NULL, only_values, 0, "none"},
    {"nic", NULL, "none", NULL, only_values, 0, "none"},
    {"vga", NULL, "NAME", "the display adapter: std, cirrus, virtio, none", set_vga, 0, NULL},
    {"k", NULL, "LAYOUT", "the guest's keyboard layout, for VNC: en-us, de, it", set_string,
     MEMBER(keymap), NULL},
    {"no-user-config", NULL, NULL, NULL, ignore, 0, NULL},
    {"no-acpi", NULL, NULL, "no ACPI tables", set_flag, MEMBER(boot.no_acpi), NULL},
    {"no-hpet", NULL, NULL, NULL, set_flag, MEMBER(boot.no_hpet), NULL},
    {"version", NULL, NULL, "the version", set_action, ACTION_VERSION, NULL},
    {"help", "h", NULL, "this list", set_action, ACTION_HELP, NULL},
    /* Known, and to come: said plainly, so that nobody looks for a typing error. */
    {"blockdev", NULL, "SPEC", NULL, not_yet, 0, "use -drive"},
    {"sd", NULL, "FILE", NULL, not_yet, 0, "there are no memory cards"},
    {"global", NULL, "SPEC", NULL, not_yet, 0, "a machine has the devices of its board"},
    {"netdev", NULL, "SPEC", NULL, not_yet, 0, "there is no network"},
    {"usb", NULL, NULL, NULL, not_yet, 0, "there is no USB"},
    {"usbdevice", NULL, "NAME", NULL, not_yet, 0, "there is no USB"},
    {"audiodev", NULL, "SPEC", NULL, not_yet, 0, "there is no sound"},
    {"soundhw", NULL, "NAME", NULL, not_yet, 0, "there is no sound"},
    {"qmp", NULL, "STREAM", NULL, not_yet, 0, "use -monitor"},
    {"daemonize", NULL, NULL, NULL, not_yet, 0, "start it with your shell's means"},
    {"loadvm", NULL, "NAME", NULL, not_yet, 0, "there are no snapshots"},
    {"incoming", NULL, "SPEC", NULL, not_yet, 0, "there are no snapshots"},
    {"icount", NULL, "SPEC", NULL, not_yet, 0, "time is the host's"},
    {"semihosting", NULL, NULL, NULL, no_semihosting, 0, NULL},
    {"semihosting-config", NULL, "SPEC", NULL, no_semihosting, 0, NULL},
};

static const struct option_row *row_find(const char *name)
{
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        if (!strcmp(rows[i].name, name) || (rows[i].alias && !strcmp(rows[i].alias, name)))
            return &rows[i];
    }
    return NULL;
}

static bool takes_optional(const struct option_row *row)
{
    return row->argument && *row->argument == '[';
}

/* "perfmap=FILE": *value is what follows the equals sign. */
static const struct option_row *row_find_with_value(const char *name, const char **value)
{
    size_t length = strcspn(name, "=");

    for (unsigned i = 0; name[length] && i < ARRAY_SIZE(rows); i++) {
        if (takes_optional(&rows[i]) && strlen(rows[i].name) == length &&
            !memcmp(rows[i].name, name, length)) {
            *value = name + length + 1;
            return &rows[i];
        }
    }
    return NULL;
}

static bool unknown_option(const char *given, const char *name, struct error *err)
{
    const char *names[ARRAY_SIZE(rows) + 1];
    unsigned n = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        if (rows[i].apply != not_yet)
            names[n++] = rows[i].name;
    }
    names[n] = NULL;
    return error_set(err, "there is no option '%s'; did you mean '-%s'?", given,
                     suggest_nearest(name, names));
}

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

bool options_parse(struct options *options, int argc, char **argv, struct error *err)
{
    memset(options, 0, sizeof(*options));
    options->argc = argc;
    options->argv = argv;
    options->program = argc && argv[0] && *argv[0] ? base_name(argv[0]) : "calque";
    for (int i = 1; i < argc; i++) {
        const char *given = argv[i];
        const char *name = given + 1;
        const struct option_row *row;
        const char *value = NULL;
        if (!*given)
            return error_set(err,
                             "an argument is empty: an image's name alone is -hda, and -kernel "
                             "FILE boots a kernel");
        if (given[0] != '-') {
            if (!set_drive(options, row_find("hda"), given, err))
                return false;
            continue;
        }
        name += *name == '-';
        row = row_find(name);
        if (!row)
            row = row_find_with_value(name, &value);
        if (!row)
            return unknown_option(given, name, err);
        if (row->argument && !takes_optional(row)) {
            if (++i >= argc)
                return error_set(err, "%s needs an argument: %s", given, row->argument);
            value = argv[i];
        }
        if (!row->apply(options, row, value, err))
            return false;
    }
    return true;
}

void options_print_help(const struct options *options, FILE *out)
{
    fprintf(out, "usage: %s [OPTION...]\n\n", options->program);
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        const struct option_row *row = &rows[i];
        char left[64];
        if (!row->help)
            continue;
        snprintf(left, sizeof(left), "-%s%s%s%s%s", row->name, row->alias ? ", -" : "",
                 row->alias ? row->alias : "", row->argument && !takes_optional(row) ? " " : "",
                 row->argument ? row->argument : "");
        fprintf(out, "  %-32s %s\n", left, row->help);
    }
    fprintf(out,
            "\nExample:\n  %s -M virt -m 256M -nographic -kernel vmlinuz -initrd initrd.gz \\\n"
            "      -append console=ttyAMA0\n",
            options->program);
}
