/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line: QEMU's names, with one dash or two. One table in options.c says everything
 * about an option. Pure: nothing is opened or printed here.
 *
 * Ownership: strings point into argv or into the struct itself.
 */
#ifndef CALQUE_VM_OPTIONS_H
#define CALQUE_VM_OPTIONS_H

#include <stdio.h>

#include "hw/machine.h"

#define CALQUE_VERSION "0.1.0"

enum options_action {
    ACTION_RUN,
    ACTION_HELP,
    ACTION_VERSION,
    ACTION_LIST_MACHINES,
    ACTION_LIST_CPUS,
    ACTION_LIST_LOG_ITEMS,
    ACTION_LIST_DEVICES,
    ACTION_LIST_CHARDEVS,
    ACTION_LIST_DISPLAYS,
};

enum {
    OPTIONS_SERIALS = 4,
    OPTIONS_MONITORS = 4,
    OPTIONS_CHARDEVS = 16,
    OPTIONS_NOTES = 8,
    OPTIONS_DEVICES = 16,
    OPTIONS_DRIVES = 16,
    OPTIONS_FLASHES = 2,
};
enum options_drive { DRIVE_HDA, DRIVE_HDB, DRIVE_HDC, DRIVE_HDD, DRIVE_FDA, DRIVE_FDB, N_DRIVES };

struct options {
    int argc;
    char *const *argv;   /* what was parsed */
    const char *program; /* the name calque was called by, without its folder */
    enum options_action action;
    char machine[64]; /* "": none given */
    char machine_props[256];
    char dumpdtb[256];
    const char *cpu;
    const char *name; /* of -name, points to guest_name; NULL: none */
    char guest_name[128];
    uint64_t ram_bytes; /* 0: the machine's default */
    struct boot_options boot;
    const char *serial[OPTIONS_SERIALS];
    unsigned n_serial;
    const char *monitor[OPTIONS_MONITORS], *mon[OPTIONS_MONITORS]; /* -monitor, -mon */
    unsigned n_monitor, n_mon;
    const char *chardev[OPTIONS_CHARDEVS];
    unsigned n_chardev;
    const char *escape_key;          /* -echr */
    const char *parallel, *debugcon; /* streams */
    const char *drive[N_DRIVES];     /* image files */
    const char *cdrom;
    const char *drive_specs[OPTIONS_DRIVES]; /* of -drive */
    unsigned n_drive_specs;
    const char *pflash[OPTIONS_FLASHES];
    unsigned n_pflash;
    bool snapshot;
    const char *device[OPTIONS_DEVICES + 1]; /* "CLASS,KEY=VALUE,...", ends with NULL */
    unsigned n_devices;
    const char *display, *vnc; /* "sdl,gl=off", "127.0.0.1:1"; NULL: none was named */
    const char *keymap;        /* -k */
    bool full_screen, no_quit, alt_grab, ctrl_grab;
    bool nographic, no_display, no_defaults;
    bool no_reboot, no_shutdown, start_stopped, interpret;
    unsigned log_items;
    const char *log_file;
    const char *gdb;                 /* where to listen for a debugger; NULL or "none": nowhere */
    const char *perf_map, *jit_dump; /* NULL: none; "": the usual name */
    /* What is accepted but does less than asked: printed once, calque goes on. */
    const char *notes[OPTIONS_NOTES];
    unsigned n_notes;
};

/* argv[0] names the program. */
bool options_parse(struct options *options, int argc, char **argv, struct error *err);
void options_print_help(const struct options *options, FILE *out);
/* "512", "512M", "2G", "size=1G": bytes; without suffix MiB. */
bool options_parse_size(const char *text, uint64_t *bytes);

#endif
