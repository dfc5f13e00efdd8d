/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disk drives: the language of -drive, places on the board, images. */
#define _GNU_SOURCE
#include "vm/drives.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/pci/pci.h"
#include "hw/props.h"
#include "util/suggest.h"

enum { IDE_DRIVES = 4, CDROM_INDEX = 2, MOST_INDEX = 31 };

struct drives {
    const struct options *options;
    const struct machine_class *board;
    struct drive *first, **last;
    enum drive_interface usual; /* where a disk goes that does not say */
    unsigned units;             /* drives on a channel of IDE */
    unsigned n_saving, n_saved; /* of drives_save */
};

/* ---- what the board has ---------------------------------------------------------------------- */

static const struct machine_device *board_drive(const struct machine_class *board, const char *name)
{
    for (const struct machine_device *d = board->devices; d && d->class; d++) {
        if (d->backend && !strcmp(d->backend, name))
            return d;
    }
    return NULL;
}

static bool has_pci(const struct machine_class *board)
{
    for (const struct machine_device *d = board->devices; d && d->class; d++) {
        const struct device_class *class = device_class_find(d->class);
        if (class && class->pci && class->pci->makes_bus)
            return true;
    }
    return false;
}

static void look_at_board(struct drives *drives)
{
    const struct machine_device *second = board_drive(drives->board, "hdb");

    drives->usual = second ? DRIVE_IDE : DRIVE_VIRTIO;
    drives->units = second && second->props && strstr(second->props, "unit=1") ? 2 : 1;
}

/* ---- the language of -drive ------------------------------------------------------------------ */

/* What one -drive says. */
struct spec {
    const char *text; /* the option's argument, for messages */
    char file[4096], id[64], serial[BLOCK_SERIAL_BYTES];
    char interface[16], media[16], format[16], cache[16];
    long index, bus, unit; /* -1: not given */
    bool read_only, snapshot, has_snapshot, keep_discarded;
};

static bool wrong(const struct spec *spec, struct error *err, const char *key, const char *value,
                  const char *takes)
{
    return error_set(err, "-drive %s: %s=%s is not known; it takes: %s", spec->text, key, value,
                     takes);
}

static bool set_text(const struct spec *spec, char *out, size_t size, const char *key,
                     const char *value, struct error *err)
{
    if (strlen(value) >= size)
        return error_set(err, "-drive: %s= is longer than %zu bytes", key, size - 1);
    strcpy(out, value);
    return true;
}

static bool set_switch(const struct spec *spec, bool *out, const char *key, const char *value,
                       struct error *err)
{
    *out = !strcmp(value, "on");
    return *out || !strcmp(value, "off") || wrong(spec, err, key, value, "on, off");
}

static bool set_number(const struct spec *spec, long *out, const char *key, const char *value,
                       struct error *err)
{
    char *end;

    *out = isdigit((unsigned char)*value) ? strtol(value, &end, 10) : -1;
    if (*out < 0 || *end || *out > MOST_INDEX)
        return error_set(err, "-drive %s: %s=%s is no number from 0 to %d", spec->text, key, value,
                         MOST_INDEX);
    return true;
}

/* Words that change nothing here: how the host's system calls are made, and wishes of which only
 * the usual one can be had. */
static bool is_accepted(const char *key, const char *value)
{
    static const char *const accepted[][2] = {
        {"aio", "threads"},         {"aio", "native"},        {"aio", "io_uring"},
        {"rerror", "report"},       {"werror", "report"},     {"werror", "enospc"},
        {"copy-on-read", "off"},    {"detect-zeroes", "off"}, {"detect-zeroes", "on"},
        {"detect-zeroes", "unmap"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(accepted); i++) {
        if (!strcmp(key, accepted[i][0]) && !strcmp(value, accepted[i][1]))
            return true;
    }
    return false;
}

static bool set_discard(struct spec *spec, const char *value, struct error *err)
{
    bool unmap = !strcmp(value, "unmap") || !strcmp(value, "on");

    spec->keep_discarded = !unmap;
    return unmap || !strcmp(value, "ignore") || !strcmp(value, "off") ||
           wrong(spec, err, "discard", value, "unmap, ignore");
}

static bool set_key(struct spec *spec, const char *key, const char *value, struct error *err)
{
    static const char *const keys[] = {
        "file",   "if",       "index",        "media",         "format",  "bus", "unit",
        "id",     "readonly", "snapshot",     "cache",         "discard", "aio", "serial",
        "werror", "rerror",   "copy-on-read", "detect-zeroes", NULL};

    if (!strcmp(key, "file"))
        return set_text(spec, spec->file, sizeof(spec->file), key, value, err);
    if (!strcmp(key, "if"))
        return set_text(spec, spec->interface, sizeof(spec->interface), key, value, err);
    if (!strcmp(key, "media"))
        return set_text(spec, spec->media, sizeof(spec->media), key, value, err);
    if (!strcmp(key, "format"))
        return set_text(spec, spec->format, sizeof(spec->format), key, value, err);
    if (!strcmp(key, "cache"))
        return set_text(spec, spec->cache, sizeof(spec->cache), key, value, err);
    if (!strcmp(key, "id"))
        return set_text(spec, spec->id, sizeof(spec->id), key, value, err);
    if (!strcmp(key, "serial"))
        return set_text(spec, spec->serial, sizeof(spec->serial), key, value, err);
    if (!strcmp(key, "index"))
        return set_number(spec, &spec->index, key, value, err);
    if (!strcmp(key, "bus"))
        return set_number(spec, &spec->bus, key, value, err);
    if (!strcmp(key, "unit"))
        return set_number(spec, &spec->unit, key, value, err);
    if (!strcmp(key, "readonly") || !strcmp(key, "read-only"))
        return set_switch(spec, &spec->read_only, key, value, err);
    if (!strcmp(key, "snapshot")) {
        spec->has_snapshot = true;
        return set_switch(spec, &spec->snapshot, key, value, err);
    }
    if (!strcmp(key, "discard"))
        return set_discard(spec, value, err);
    if (is_accepted(key, value))
        return true;
    for (unsigned i = 0; keys[i]; i++) {
        if (!strcmp(key, keys[i]))
            return error_set(err, "-drive %s: %s=%s is not supported", spec->text, key, value);
    }
    return error_set(err, "-drive %s: there is no '%s='; did you mean '%s='?", spec->text, key,
                     suggest_nearest(key, keys));
}

static bool parse_spec(struct spec *spec, const char *text, struct error *err)
{
    char *word = malloc(strlen(text) + 1);
    bool ok = word || error_set(err, "out of memory");

    *spec = (struct spec){.text = text, .index = -1, .bus = -1, .unit = -1};
    for (const char *rest = text; ok && *rest;) {
        rest = props_next(rest, word, strlen(text) + 1);
        char *equals = strchr(word, '=');
        if (!equals) {
            ok = error_set(err, "-drive %s: '%s' is no KEY=VALUE; file=FILE names the image", text,
                           word);
            break;
        }
        *equals = '\0';
        ok = set_key(spec, word, equals + 1, err);
    }
    free(word);
    return ok;
}

/* ---- drives ---------------------------------------------------------------------------------- */

static struct drive *find_place(const struct drives *drives, enum drive_interface interface,
                                unsigned index)
{
    for (struct drive *d = drives->first; d; d = d->next) {
        if (d->interface == interface && d->index == index)
            return d;
    }
    return NULL;
}

static struct drive *find_id(const struct drives *drives, const char *id)
{
    for (struct drive *d = drives->first; d; d = d->next) {
        if (!strcmp(d->id, id))
            return d;
    }
    return NULL;
}

static void name_drive(const struct drives *drives, struct drive *d)
{
    static const char *const names[] = {[DRIVE_VIRTIO] = "virtio",
                                        [DRIVE_FLOPPY] = "floppy",
                                        [DRIVE_PFLASH] = "pflash",
                                        [DRIVE_NONE] = "none"};

    if (d->interface == DRIVE_IDE)
        snprintf(d->id, sizeof(d->id), "ide%u-%s%u", d->index / drives->units,
                 d->cdrom ? "cd" : "hd", d->index % drives->units);
    else
        snprintf(d->id, sizeof(d->id), "%s%u", names[d->interface], d->index);
}

/* path NULL: without medium. id "": QEMU's name. */
static struct drive *add_drive(struct drives *drives, const struct drive *like, const char *path,
                               unsigned flags, struct error *err)
{
    struct drive *d = calloc(1, sizeof(*d)), *other;

    if (!d) {
        error_set(err, "out of memory");
        return NULL;
    }
    *d = *like;
    d->drives = drives;
    if (!*d->id)
        name_drive(drives, d);
    if (d->interface == DRIVE_VIRTIO)
        snprintf(d->device, sizeof(d->device), "virtio-blk,drive=%s", d->id);
    other = find_place(drives, d->interface, d->index);
    if (other || (other = find_id(drives, d->id))) {
        error_set(err, "-%s '%s': that drive has '%s' already", d->option, path ? path : "",
                  block_path(other->block));
        free(d);
        return NULL;
    }
    if (d->cdrom)
        flags |= BLOCK_CDROM | BLOCK_READ_ONLY;
    d->block = block_open(path, flags, err);
    if (!d->block) {
        free(d);
        return NULL;
    }
    if (block_note(d->block))
        fprintf(stderr, "%s: note: %s\n", drives->options->program, block_note(d->block));
    *drives->last = d;
    drives->last = &d->next;
    return d;
}

static bool read_interface(const struct drives *drives, const struct spec *spec,
                           enum drive_interface *out, struct error *err)
{
    static const struct {
        const char *name;
        enum drive_interface interface;
    } known[] = {
        {"ide", DRIVE_IDE},       {"virtio", DRIVE_VIRTIO}, {"floppy", DRIVE_FLOPPY},
        {"pflash", DRIVE_PFLASH}, {"none", DRIVE_NONE},
    };

    *out = drives->usual;
    if (!*spec->interface)
        return true;
    for (unsigned i = 0; i < ARRAY_SIZE(known); i++) {
        *out = known[i].interface;
        if (!strcmp(spec->interface, known[i].name))
            return true;
    }
    return wrong(spec, err, "if", spec->interface, "ide, virtio, floppy, pflash, none");
}

/* index, or bus and unit, or the first place that is free. */
static bool read_index(const struct drives *drives, const struct spec *spec, struct drive *d,
                       struct error *err)
{
    unsigned units = d->interface == DRIVE_IDE ? drives->units : 1;

    if (spec->index >= 0 && (spec->bus >= 0 || spec->unit >= 0))
        return error_set(err, "-drive %s: index= says what bus= and unit= would", spec->text);
    if (spec->unit >= (long)units && d->interface == DRIVE_IDE)
        return error_set(err, "-drive %s: unit=%ld is too large: a channel has %u", spec->text,
                         spec->unit, units);
    d->index = 0;
    if (spec->index >= 0) {
        d->index = (unsigned)spec->index;
    } else if (spec->unit >= 0) {
        d->index = (unsigned)(spec->bus > 0 ? spec->bus : 0) * units + (unsigned)spec->unit;
    } else {
        d->index = (unsigned)(spec->bus > 0 ? spec->bus : 0) * units;
        while (find_place(drives, d->interface, d->index))
            d->index++;
    }
    return true;
}

static bool read_flags(const struct drives *drives, const struct spec *spec, unsigned *flags,
                       struct error *err)
{
    static const struct {
        const char *name;
        unsigned flags;
    } caches[] = {
        {"", 0},
        {"writeback", 0},
        {"none", 0},
        {"writethrough", BLOCK_WRITE_THROUGH},
        {"directsync", BLOCK_WRITE_THROUGH},
        {"unsafe", BLOCK_NO_FLUSH},
    };
    bool known = false;

    *flags = spec->read_only ? BLOCK_READ_ONLY : 0;
    if (*spec->format) {
        if (strcmp(spec->format, "raw"))
            return error_set(err,
                             "-drive %s: format=%s is not supported yet; the image must be raw",
                             spec->text, spec->format);
        *flags |= BLOCK_FORMAT_GIVEN;
    }
    if (spec->has_snapshot ? spec->snapshot : drives->options->snapshot)
        *flags |= BLOCK_SNAPSHOT;
    if (spec->keep_discarded)
        *flags |= BLOCK_KEEP_DISCARDED;
    for (unsigned i = 0; i < ARRAY_SIZE(caches); i++) {
        if (strcmp(spec->cache, caches[i].name))
            continue;
        known = true;
        *flags |= caches[i].flags;
    }
    return known || wrong(spec, err, "cache", spec->cache,
                          "writeback, none, writethrough, directsync, unsafe");
}

static bool open_spec(struct drives *drives, const char *text, struct error *err)
{
    struct spec spec;
    struct drive like = {.option = "drive"}, *d;
    unsigned flags;

    if (!parse_spec(&spec, text, err) || !read_interface(drives, &spec, &like.interface, err) ||
        !read_index(drives, &spec, &like, err) || !read_flags(drives, &spec, &flags, err))
        return false;
    like.cdrom = !strcmp(spec.media, "cdrom");
    if (*spec.media && !like.cdrom && strcmp(spec.media, "disk"))
        return wrong(&spec, err, "media", spec.media, "disk, cdrom");
    if (!*spec.file && !like.cdrom && like.interface != DRIVE_FLOPPY)
        return error_set(err, "-drive %s: file= is missing", text);
    if (strchr(spec.id, ','))
        return error_set(err, "-drive %s: an id has no commas", text);
    strcpy(like.id, spec.id);
    d = add_drive(drives, &like, *spec.file ? spec.file : NULL, flags, err);
    if (d)
        block_set_serial(d->block, spec.serial);
    return d != NULL;
}

/* ---- -hda and its like ----------------------------------------------------------------------- */

static const char *const option_names[N_DRIVES] = {"hda", "hdb", "hdc", "hdd", "fda", "fdb"};

static bool open_plain(struct drives *drives, unsigned option, struct error *err)
{
    const struct options *o = drives->options;
    bool is_floppy = option >= DRIVE_FDA;
    struct drive like = {.option = option_names[option]};
    const char *path = o->drive[option];

    like.interface = is_floppy ? DRIVE_FLOPPY : drives->usual;
    like.index = is_floppy ? option - DRIVE_FDA : option;
    if (option == DRIVE_HDC && !path && o->cdrom) {
        like.option = "cdrom";
        like.cdrom = true;
        path = o->cdrom;
    }
    if (!path)
        return true;
    return add_drive(drives, &like, path, o->snapshot ? BLOCK_SNAPSHOT : 0, err) != NULL;
}

static bool open_flash(struct drives *drives, unsigned n, struct error *err)
{
    const struct options *o = drives->options;
    struct drive like = {.option = "pflash", .interface = DRIVE_PFLASH, .index = n};

    return add_drive(drives, &like, o->pflash[n],
                     BLOCK_FORMAT_GIVEN | (o->snapshot ? BLOCK_SNAPSHOT : 0), err) != NULL;
}

/* The third IDE drive is a CD drive, empty or not, unless something else is in its place. */
static bool add_empty_cdrom(struct drives *drives, struct error *err)
{
    struct drive like = {
        .option = "cdrom", .interface = DRIVE_IDE, .index = CDROM_INDEX, .cdrom = true};

    return drives->options->no_defaults || !board_drive(drives->board, "hdc") ||
           find_place(drives, DRIVE_IDE, CDROM_INDEX) ||
           add_drive(drives, &like, NULL, 0, err) != NULL;
}

/* ---- for vm.c -------------------------------------------------------------------------------- */

struct drives *drives_open(const struct options *o, const struct machine_class *board,
                           struct error *err)
{
    struct drives *drives = calloc(1, sizeof(*drives));
    bool ok = true;

    if (!drives) {
        error_set(err, "out of memory");
        return NULL;
    }
    drives->options = o;
    drives->board = board;
    drives->last = &drives->first;
    look_at_board(drives);
    for (unsigned i = 0; ok && i < N_DRIVES; i++)
        ok = open_plain(drives, i, err);
    for (unsigned i = 0; ok && i < o->n_pflash; i++)
        ok = open_flash(drives, i, err);
    for (unsigned i = 0; ok && i < o->n_drive_specs; i++)
        ok = open_spec(drives, o->drive_specs[i], err);
    if (ok && add_empty_cdrom(drives, err))
        return drives;
    drives_close(drives);
    return NULL;
}

void drives_close(struct drives *drives)
{
    if (!drives)
        return;
    while (drives->first) {
        struct drive *d = drives->first;
        drives->first = d->next;
        block_close(d->block);
        free(d);
    }
    free(drives);
}

struct drive *drives_first(const struct drives *drives)
{
    return drives->first;
}

bool drives_is_removable(const struct drive *d)
{
    return d->cdrom || d->interface == DRIVE_FLOPPY;
}

static bool is_board_name(const struct drive *d, const char *name)
{
    char own[16] = "";

    if (d->interface == DRIVE_IDE && d->index < IDE_DRIVES)
        snprintf(own, sizeof(own), "hd%c", 'a' + d->index);
    else if (d->interface == DRIVE_FLOPPY)
        snprintf(own, sizeof(own), "fd%c", 'a' + d->index);
    else if (d->interface == DRIVE_PFLASH)
        snprintf(own, sizeof(own), "pflash%u", d->index);
    return *own && !strcmp(own, name);
}

void *drives_find(struct drives *drives, const char *name)
{
    for (struct drive *d = drives->first; d; d = d->next) {
        if (strcmp(d->id, name) != 0 && !is_board_name(d, name))
            continue;
        d->taken = true;
        return d->block;
    }
    return NULL;
}

bool drives_have_firmware(const struct drives *drives)
{
    return find_place(drives, DRIVE_PFLASH, 0) != NULL;
}

/* Virtio-mmio slots are filled from the last on, and kernels look at the first slot first:
 * backwards, so that the first disk is the kernel's first. */
const char *drives_device(const struct drives *drives, unsigned n)
{
    unsigned n_devices = 0;

    for (const struct drive *d = drives->first; d; d = d->next)
        n_devices += *d->device != '\0';
    if (n >= n_devices)
        return NULL;
    if (!has_pci(drives->board))
        n = n_devices - 1 - n;
    for (const struct drive *d = drives->first; d; d = d->next) {
        if (*d->device && n-- == 0)
            return d->device;
    }
    return NULL;
}

bool drives_check(const struct drives *drives, struct error *err)
{
    for (const struct drive *d = drives->first; d; d = d->next) {
        if (*block_path(d->block) && !d->taken && d->interface != DRIVE_NONE)
            return error_set(err, "-%s '%s': machine '%s' has no such drive", d->option,
                             block_path(d->block), drives->board->name);
    }
    return true;
}

/* ---- Ctrl-a s -------------------------------------------------------------------------------- */

static void saved(struct block_request *request, int error)
{
    const struct drive *d = request->opaque;
    struct drives *drives = d->drives;
    const char *program = drives->options->program;

    if (error)
        fprintf(stderr, "\r\n%s: cannot save '%s': %s\r\n", program, block_path(d->block),
                error == EBUSY ? "another calque uses it" : strerror(error));
    drives->n_saved += !error;
    if (--drives->n_saving == 0 && drives->n_saved)
        fprintf(stderr, "\r\n%s: saved the changes of %u disk%s\r\n", program, drives->n_saved,
                drives->n_saved == 1 ? "" : "s");
}

/* A disk that no device has is not attached, and has no changes. */
static bool is_saveable(const struct drive *d)
{
    return block_is_snapshot(d->block) && block_has_medium(d->block) && block_is_attached(d->block);
}

void drives_save(struct drives *drives)
{
    if (drives->n_saving)
        return;
    drives->n_saved = 0;
    for (struct drive *d = drives->first; d; d = d->next) {
        if (!is_saveable(d))
            continue;
        d->save = (struct block_request){.operation = BLOCK_COMMIT, .done = saved, .opaque = d};
        drives->n_saving++;
        block_submit(d->block, &d->save);
    }
    if (!drives->n_saving)
        fprintf(stderr,
                "\r\n%s: nothing to save: without -snapshot, disks are written as the guest "
                "writes\r\n",
                drives->options->program);
}

void drives_stop(struct drives *drives)
{
    for (struct drive *d = drives ? drives->first : NULL; d; d = d->next) {
        block_await(d->block, &d->save);
        block_stop(d->block);
    }
}
