/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Checks an initial RAM disk before the guest finds out the hard way. The kernel takes a sequence
 * of cpio archives, each plain or compressed, with zeros between them
 * (Documentation/driver-api/early-userspace/buffer-format.rst), or a file system image.
 */
#include "hw/machines/initrd.h"

#include <string.h>

#include "util/bits.h"

enum { ELF_386 = 3, ELF_X86_64 = 62 };
enum {
    CPIO_HEADER = 110,
    CPIO_MODE = 14,
    CPIO_FILE_SIZE = 54,
    CPIO_NAME_SIZE = 94,
    MODE_TYPE = 0170000,
    MODE_REGULAR = 0100000,
    ELF_MACHINE_OFFSET = 18,
    EXT2_SUPERBLOCK = 1024,
    EXT2_MAGIC = 0xef53,
};

/* Where a cpio archive is, fed in pieces of any size. */
enum cpio_state { CPIO_IN_HEADER, CPIO_IN_NAME, CPIO_IN_DATA, CPIO_ENDED, CPIO_NOT_ONE };
struct cpio {
    const char *what;
    unsigned elf_machine;
    enum cpio_state state;
    uint8_t header[CPIO_HEADER];
    char name[64];      /* its beginning */
    uint8_t start[20];  /* of the file's data */
    uint64_t have;      /* bytes of the present part seen */
    uint64_t part_size; /* with padding */
    uint64_t file_size;
    bool inside; /* an archive has begun and not ended */
};

static bool hex_field(const uint8_t *header, unsigned at, uint32_t *value)
{
    *value = 0;
    for (unsigned i = 0; i < 8; i++) {
        uint8_t c = header[at + i];
        uint8_t lower = c | 0x20;
        if (c >= '0' && c <= '9')
            *value = *value << 4 | (uint32_t)(c - '0');
        else if (lower >= 'a' && lower <= 'f')
            *value = *value << 4 | (uint32_t)(lower - 'a' + 10);
        else
            return false;
    }
    return true;
}

static void cpio_begin(struct cpio *c, enum cpio_state state, uint64_t size)
{
    c->state = state;
    c->part_size = size;
    c->have = 0;
}

static bool cpio_header_done(struct cpio *c, struct error *err)
{
    uint32_t name_size, file_size;

    if (memcmp(c->header, "07070", 5) || (c->header[5] != '1' && c->header[5] != '2')) {
        if (c->inside)
            return error_set(err, "%s is damaged: a cpio header in it is none", c->what);
        c->state = CPIO_NOT_ONE;
        return true;
    }
    if (!hex_field(c->header, CPIO_NAME_SIZE, &name_size) ||
        !hex_field(c->header, CPIO_FILE_SIZE, &file_size) || !name_size)
        return error_set(err, "%s is damaged: bad numbers in a cpio header", c->what);
    c->inside = true;
    c->file_size = file_size;
    memset(c->name, 0, sizeof(c->name));
    cpio_begin(c, CPIO_IN_NAME, align_up((uint64_t)CPIO_HEADER + name_size, 4) - CPIO_HEADER);
    return true;
}

/* Programs that every boot runs: if one is for another processor, so is the whole. */
static bool check_program(const struct cpio *c, struct error *err)
{
    static const char *const programs[] = {"init",         "sbin/init",       "bin/sh",
                                           "bin/busybox",  "usr/bin/busybox", "bin/bash",
                                           "usr/sbin/init"};
    const char *name = c->name;
    uint32_t mode;

    if (!hex_field(c->header, CPIO_MODE, &mode) || (mode & MODE_TYPE) != MODE_REGULAR ||
        c->file_size < sizeof(c->start) || memcmp(c->start, "\177ELF", 4))
        return true;
    name += !strncmp(name, "./", 2) ? 2 : name[0] == '/';
    unsigned machine = c->start[5] == 2 ? load_be16(c->start + ELF_MACHINE_OFFSET)
                                        : load_le16(c->start + ELF_MACHINE_OFFSET);
    for (size_t i = 0; i < ARRAY_SIZE(programs); i++) {
        bool runs =
            machine == c->elf_machine || (c->elf_machine == ELF_X86_64 && machine == ELF_386);
        if (strcmp(name, programs[i]) || runs)
            continue;
        const char *is = loader_elf_machine(machine), *wanted = loader_elf_machine(c->elf_machine);
        return error_set(err,
                         "%s is for another processor: its /%s is a program for %s, not for %s",
                         c->what, name, is ? is : "an unknown machine", wanted);
    }
    return true;
}

static bool cpio_part_done(struct cpio *c, struct error *err)
{
    switch (c->state) {
    case CPIO_IN_HEADER:
        return cpio_header_done(c, err);
    case CPIO_IN_NAME:
        c->inside = strcmp(c->name, "TRAILER!!!") != 0;
        if (!c->inside)
            c->state = CPIO_ENDED;
        else
            cpio_begin(c, c->file_size ? CPIO_IN_DATA : CPIO_IN_HEADER,
                       c->file_size ? align_up(c->file_size, 4) : CPIO_HEADER);
        return true;
    case CPIO_IN_DATA:
        if (!check_program(c, err))
            return false;
        cpio_begin(c, CPIO_IN_HEADER, CPIO_HEADER);
        return true;
    default:
        return true;
    }
}

/* Keeps what of the present part is looked at later. */
static void cpio_keep(struct cpio *c, const uint8_t *data, uint64_t at, size_t size)
{
    uint8_t *buffer = c->state == CPIO_IN_HEADER ? c->header
                      : c->state == CPIO_IN_NAME ? (uint8_t *)c->name
                                                 : c->start;
    size_t room = c->state == CPIO_IN_HEADER ? sizeof(c->header)
                  : c->state == CPIO_IN_NAME ? sizeof(c->name) - 1
                                             : sizeof(c->start);

    if (at < room)
        memcpy(buffer + at, data, MIN(size, room - at));
}

/* Returns false on an error; *used: bytes up to the archive's end, or all. */
static bool cpio_feed(struct cpio *c, const uint8_t *data, size_t size, size_t *used,
                      struct error *err)
{
    size_t at = 0;

    while (at < size && c->state != CPIO_ENDED && c->state != CPIO_NOT_ONE) {
        if (c->state == CPIO_IN_HEADER && c->have == 0 && data[at] == 0) {
            at++; /* padding between archives */
            continue;
        }
        size_t here = MIN(size - at, c->part_size - c->have);
        cpio_keep(c, data + at, c->have, here);
        c->have += here;
        at += here;
        if (c->state == CPIO_IN_HEADER && !c->inside &&
            memcmp(c->header, "07070", MIN(c->have, UINT64_C(5))))
            c->state = CPIO_NOT_ONE;
        if (c->have == c->part_size && !cpio_part_done(c, err))
            return false;
    }
    *used = at;
    return true;
}

static bool cpio_consume(void *opaque, const uint8_t *piece, size_t size, struct error *err)
{
    struct cpio *c = opaque;

    while (size && c->state != CPIO_NOT_ONE) {
        size_t used;
        if (!cpio_feed(c, piece, size, &used, err))
            return false;
        piece += used;
        size -= used;
        if (c->state == CPIO_ENDED) /* another may follow */
            cpio_begin(c, CPIO_IN_HEADER, CPIO_HEADER);
    }
    return true;
}

static bool cpio_finished(const struct cpio *c, struct error *err)
{
    if (c->state == CPIO_NOT_ONE || c->state == CPIO_ENDED || (!c->inside && !c->have))
        return true;
    return error_set(err, "%s is truncated: the cpio archive in it has no end", c->what);
}

static struct cpio cpio_start(const char *what, unsigned elf_machine)
{
    return (struct cpio){
        .what = what,
        .elf_machine = elf_machine,
        .state = CPIO_IN_HEADER,
        .part_size = CPIO_HEADER,
    };
}

/* ---- compressed parts ------------------------------------------------------------------------ */

static bool truncated(const char *what, const char *format, struct error *err)
{
    return error_set(err, "%s is truncated: the %s data in it ends too early", what, format);
}

static bool check_gzip(const struct loader_file *file, size_t *at, unsigned elf_machine,
                       struct error *err)
{
    struct cpio cpio = cpio_start(file->what, elf_machine);
    size_t used = 0;

    if (!loader_gunzip_member(file->what, file->data + *at, file->size - *at, &used, cpio_consume,
                              &cpio, err) ||
        !cpio_finished(&cpio, err))
        return false;
    *at += used;
    return true;
}

/* RFC 8878: frame header, then blocks that state their sizes. Nothing is unpacked. */
static bool check_zstd(const struct loader_file *file, size_t *at, struct error *err)
{
    static const uint8_t id_sizes[4] = {0, 1, 2, 4}, content_sizes[4] = {0, 2, 4, 8};
    const uint8_t *data = file->data + *at;
    uint64_t size = file->size - *at, pos = 5;
    bool last = false;

    if (size < 6)
        return truncated(file->what, "zstd", err);
    uint8_t descriptor = data[4];
    bool single = descriptor >> 5 & 1;
    pos += !single + id_sizes[descriptor & 3] + content_sizes[descriptor >> 6];
    pos += single && descriptor >> 6 == 0;
    while (!last) {
        if (pos + 3 > size)
            return truncated(file->what, "zstd", err);
        uint32_t header = data[pos] | (uint32_t)data[pos + 1] << 8 | (uint32_t)data[pos + 2] << 16;
        last = header & 1;
        pos += 3 + ((header >> 1 & 3) == 1 ? 1 : header >> 3);
    }
    pos += descriptor >> 2 & 1 ? 4 : 0;
    if (pos > size)
        return truncated(file->what, "zstd", err);
    *at += pos;
    return true;
}

/* An xz stream ends with "YZ" (its padding aside), and is the last thing in the file. */
static bool check_xz(const struct loader_file *file, size_t *at, struct error *err)
{
    size_t end = file->size;

    while (end > *at && file->data[end - 1] == 0)
        end--;
    if (end < *at + 24 || memcmp(file->data + end - 2, "YZ", 2))
        return truncated(file->what, "xz", err);
    *at = file->size;
    return true;
}

static bool check_ext2(const struct loader_file *file, struct error *err)
{
    const uint8_t *super = file->data + EXT2_SUPERBLOCK;

    if (file->size < EXT2_SUPERBLOCK + 64 || load_le16(super + 56) != EXT2_MAGIC)
        return true;
    uint32_t log_block = load_le32(super + 24);
    uint64_t bytes = (uint64_t)load_le32(super + 4) << (10 + (log_block & 7));
    if (bytes > file->size)
        return error_set(err, "%s is truncated: its ext2 file system has %llu bytes, the file %zu",
                         file->what, (unsigned long long)bytes, file->size);
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------- */

static bool check_plain(const struct loader_file *file, size_t *at, unsigned elf_machine,
                        struct error *err)
{
    struct cpio cpio = cpio_start(file->what, elf_machine);
    size_t used = 0;

    if (!cpio_feed(&cpio, file->data + *at, file->size - *at, &used, err) ||
        !cpio_finished(&cpio, err))
        return false;
    *at = cpio.state == CPIO_NOT_ONE ? file->size : *at + used;
    return true;
}

static bool magic_at(const struct loader_file *file, size_t at, const char *magic, size_t length)
{
    return at <= file->size && file->size - at >= length && !memcmp(file->data + at, magic, length);
}

static bool check_foreign(const struct loader_file *file, struct error *err)
{
    static const struct {
        const char *magic, *kind;
        size_t length;
    } kinds[] = {
        {"\xd0\x0d\xfe\xed", "a device tree", 4}, {"\177ELF", "an ELF program", 4},
        {"QFI\xfb", "a qcow2 disk image", 4},     {"!<arch>\n", "an archive or Debian package", 8},
        {"PK\3\4", "a zip archive", 4},
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (magic_at(file, 0, kinds[i].magic, kinds[i].length))
            return error_set(err, "%s is %s and not an initial RAM disk", file->what,
                             kinds[i].kind);
    }
    if (magic_at(file, 0x24, "\x18\x28\x6f\x01", 4))
        return error_set(err, "%s is a kernel (zImage) and not an initial RAM disk", file->what);
    return true;
}

static bool check_parts(const struct loader_file *file, unsigned elf_machine, struct error *err)
{
    size_t at = 0;
    bool ok = true;

    while (ok && at < file->size) {
        if (file->data[at] == 0 && at)
            at++;
        else if (loader_is_gzip(file->data + at, file->size - at))
            ok = check_gzip(file, &at, elf_machine, err);
        else if (magic_at(file, at, "\x28\xb5\x2f\xfd", 4))
            ok = check_zstd(file, &at, err);
        else if (magic_at(file, at,
                          "\xfd"
                          "7zXZ",
                          6))
            ok = check_xz(file, &at, err);
        else
            ok = check_plain(file, &at, elf_machine, err);
    }
    return ok;
}

bool initrd_check(struct loader_file *file, unsigned elf_machine, struct error *err)
{
    struct uimage_header header;

    if (loader_is_uimage(file->data, file->size)) {
        if (!loader_uimage(file, &header, err))
            return false;
        if (header.type != UIMAGE_TYPE_RAMDISK)
            return error_set(err, "%s is a uImage of type %u; a RAM disk has type 3", file->what,
                             header.type);
    }
    return check_foreign(file, err) && check_ext2(file, err) && check_parts(file, elf_machine, err);
}
