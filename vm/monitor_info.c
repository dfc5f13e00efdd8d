/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info: what the machine is, and what it consists of. */
#include <inttypes.h>
#include <string.h>

#include "hw/machines/loader.h"
#include "vm/monitor_commands.h"
#include "vm/streams.h"

static void info_version(struct monitor_call *call)
{
    fprintf(call->out, CALQUE_VERSION " (calque)\n");
}

static void info_status(struct monitor_call *call)
{
    fprintf(call->out, "VM status: %s\n", vm_status(call->vm));
}

static void info_name(struct monitor_call *call)
{
    const char *name = vm_options(call->vm)->name;

    if (name)
        fprintf(call->out, "%s\n", name);
}

static void info_uuid(struct monitor_call *call)
{
    const uint8_t *uuid = vm_machine(call->vm)->boot.uuid;

    for (unsigned i = 0; i < 16; i++)
        fprintf(call->out, "%s%02x", i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", uuid[i]);
    fputc('\n', call->out);
}

/* What is written into memory when the machine starts. */
static void info_roms(struct monitor_call *call)
{
    const struct machine *m = vm_machine(call->vm);
    struct loader_entry one;

    for (unsigned i = 0; loader_entry(m->loader, i, &one); i++) {
        const struct memory_section *section = memory_find(m->memory, one.address);
        bool is_rom = section && section->kind == MEMORY_ROM;
        fprintf(call->out, "addr=%016" PRIx64 " size=0x%06" PRIx64 " mem=%s name=\"%s\"\n",
                one.address, one.size, is_rom ? "rom" : "ram", *one.name ? one.name : "boot data");
    }
}

static void info_kvm(struct monitor_call *call)
{
    fprintf(call->out, "kvm support: not compiled\n");
}

static void info_snapshots(struct monitor_call *call)
{
    if (strcmp(call->words[0], "snapshots"))
        fprintf(call->out, "(info snapshots is meant)\n");
    fprintf(call->out, "There is no snapshot available.\n");
}

static void info_history(struct monitor_call *call)
{
    const struct line_editor *editor = monitor_editor(call->monitor);
    const char *line;

    for (unsigned i = 0; editor && (line = line_editor_history(editor, i)); i++)
        fprintf(call->out, "%u: '%s'\n", i, line);
}

/* ---- what it consists of -----------------------------------------------------------------------
 */

static void info_mtree(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);

    pthread_mutex_lock(&m->lock);
    memory_print_map(m->memory, call->out);
    if (m->ports) {
        fprintf(call->out, "ports:\n");
        memory_print_map(m->ports, call->out);
    }
    pthread_mutex_unlock(&m->lock);
}

static void info_qtree(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);

    pthread_mutex_lock(&m->lock);
    for (unsigned i = 0; i < m->n_devices; i++)
        device_print(m->devices[i], call->out);
    pthread_mutex_unlock(&m->lock);
}

static void info_chardev(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);

    pthread_mutex_lock(&m->lock);
    streams_print(vm_streams(call->vm), call->out);
    pthread_mutex_unlock(&m->lock);
}

static const struct monitor_command commands[] = {
    {"chardev", NULL, "", "the character streams", info_chardev, 0, 0, NULL},
    {"history", NULL, "", "the lines typed here before", info_history, 0, 0, NULL},
    {"kvm", NULL, "", "whether kvm is used", info_kvm, 0, 0, NULL},
    {"mtree", NULL, "", "the memory map", info_mtree, 0, 0, NULL},
    {"name", NULL, "", "the machine's name", info_name, 0, 0, NULL},
    {"qtree", NULL, "", "every device and its registers", info_qtree, 0, 0, NULL},
    {"roms", NULL, "", "images that are in memory at the start", info_roms, 0, 0, NULL},
    {"snapshots", "snapshot", "", "the snapshots there are", info_snapshots, 0, 0, NULL},
    {"status", NULL, "", "running or paused", info_status, 0, 0, NULL},
    {"uuid", NULL, "", "the machine's UUID", info_uuid, 0, 0, NULL},
    {"version", NULL, "", "calque's version", info_version, 0, 0, NULL},
    {NULL},
};
static const struct monitor_table table = {"info", commands};
REGISTER(monitor_table, table);
