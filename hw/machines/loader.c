/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading, unpacking and placing images: files, gzip, uImage wrappers, segments of memory. */
#include "hw/machines/loader.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef WITHOUT_ZLIB
#include <zlib.h>
#endif

#include "util/bits.h"

const char *loader_size(uint64_t bytes, char text[32])
{
    if (bytes < 10 * KIB)
        snprintf(text, 32, "%" PRIu64 " bytes", bytes);
    else if (bytes < 10 * MIB)
        snprintf(text, 32, "%" PRIu64 " KiB", bytes / KIB);
    else
        snprintf(text, 32, "%" PRIu64 " MiB", bytes / MIB);
    return text;
}

/* ---- files ----------------------------------------------------------------------------------- */

void loader_file_free(struct loader_file *file)
{
    free(file->data);
    file->data = NULL;
    file->size = 0;
}

/* Reads to the end, whatever kind of file it is; the size a stat tells is only where to start. */
static bool read_all(int fd, struct loader_file *file, size_t expected, uint64_t max_bytes,
                     struct error *err)
{
    size_t room = MAX(expected + 1, 4096u);
    char text[32];

    file->data = malloc(room);
    while (file->data) {
        ssize_t n = read(fd, file->data + file->size, room - file->size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_set_errno(err, errno, "%s cannot be read", file->what);
        if (n == 0)
            return true;
        file->size += (size_t)n;
        if (file->size > max_bytes)
            return error_set(err, "%s does not fit: it is larger than %s", file->what,
                             loader_size(max_bytes, text));
        if (file->size == room) {
            uint8_t *grown = realloc(file->data, room *= 2);
            if (!grown)
                break;
            file->data = grown;
        }
    }
    return error_set(err, "%s: out of memory", file->what);
}

bool loader_read_file(struct loader_file *file, const char *option, const char *path,
                      uint64_t max_bytes, struct error *err)
{
    struct stat status;
    char text[32];
    int fd;
    bool ok = false;

    file->data = NULL;
    file->size = 0;
    snprintf(file->what, sizeof(file->what), "%s '%s'", option, path);
    fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_set_errno(err, errno, "%s cannot be opened", file->what);
    if (fstat(fd, &status) < 0)
        error_set_errno(err, errno, "%s cannot be read", file->what);
    else if (S_ISDIR(status.st_mode))
        error_set(err, "%s is a directory", file->what);
    else if (S_ISREG(status.st_mode) && status.st_size == 0)
        error_set(err, "%s is empty", file->what);
    else if (S_ISREG(status.st_mode) && (uint64_t)status.st_size > max_bytes)
        error_set(err, "%s does not fit: it has %" PRIu64 " MiB, and there is room for %s",
                  file->what, (uint64_t)status.st_size / MIB, loader_size(max_bytes, text));
    else
        ok = read_all(fd, file, S_ISREG(status.st_mode) ? (size_t)status.st_size : 0, max_bytes,
                      err);
    close(fd);
    if (ok && file->size == 0)
        ok = error_set(err, "%s is empty", file->what);
    if (!ok)
        loader_file_free(file);
    return ok;
}

/* ---- gzip ------------------------------------------------------------------------------------ */

bool loader_is_gzip(const uint8_t *data, size_t size)
{
    return size >= 2 && data[0] == 0x1f && data[1] == 0x8b;
}

#ifndef WITHOUT_ZLIB
bool loader_gunzip_member(const char *what, const uint8_t *data, size_t size, size_t *used,
                          bool (*consume)(void *opaque, const uint8_t *piece, size_t size,
                                          struct error *err),
                          void *opaque, struct error *err)
{
    enum { PIECE = 64 * 1024 };
    z_stream stream = {0};
    uint8_t *piece = malloc(PIECE);
    size_t left = size;
    int result = Z_OK;
    bool ok = true;

    if (!piece || inflateInit2(&stream, 16 + MAX_WBITS) != Z_OK) {
        free(piece);
        return error_set(err, "%s: out of memory", what);
    }
    stream.next_in = (uint8_t *)data;
    while (ok && result == Z_OK) {
        if (!stream.avail_in) {
            stream.avail_in = (uInt)MIN(left, (size_t)1 << 30);
            left -= stream.avail_in;
        }
        stream.next_out = piece;
        stream.avail_out = PIECE;
        result = inflate(&stream, Z_NO_FLUSH);
        if (result == Z_OK || result == Z_STREAM_END)
            ok = !consume || consume(opaque, piece, PIECE - stream.avail_out, err);
        else if (result == Z_BUF_ERROR && !stream.avail_in && !left)
            ok = error_set(err, "%s is truncated: the gzip data in it ends too early", what);
        else
            ok = error_set(err, "%s is damaged: %s", what,
                           stream.msg ? stream.msg : "bad gzip data");
    }
    *used = size - left - stream.avail_in;
    inflateEnd(&stream);
    free(piece);
    return ok;
}
#else
bool loader_gunzip_member(const char *what, const uint8_t *data, size_t size, size_t *used,
                          bool (*consume)(void *opaque, const uint8_t *piece, size_t size,
                                          struct error *err),
                          void *opaque, struct error *err)
{
    return error_set(err, "%s is compressed, and this calque was built without zlib", what);
}
#endif

struct unpacked {
    const char *what;
    uint8_t *data;
    size_t size, room;
    uint64_t max_bytes;
};

static bool unpacked_append(void *opaque, const uint8_t *piece, size_t size, struct error *err)
{
    struct unpacked *out = opaque;
    char text[32];

    if (!size)
        return true;
    if (out->size + size > out->max_bytes)
        return error_set(err, "%s does not fit: it unpacks to more than %s", out->what,
                         loader_size(out->max_bytes, text));
    if (out->size + size > out->room) {
        size_t room = MAX(out->room * 2, out->size + size);
        uint8_t *grown = realloc(out->data, room);
        if (!grown)
            return error_set(err, "%s: out of memory", out->what);
        out->data = grown;
        out->room = room;
    }
    memcpy(out->data + out->size, piece, size);
    out->size += size;
    return true;
}

bool loader_gunzip(struct loader_file *file, uint64_t max_bytes, struct error *err)
{
    struct unpacked out = {.what = file->what, .max_bytes = max_bytes};
    size_t at = 0;

    /* Members may follow each other; what comes after the last is padding. */
    do {
        size_t used = 0;
        if (!loader_gunzip_member(file->what, file->data + at, file->size - at, &used,
                                  unpacked_append, &out, err)) {
            free(out.data);
            return false;
        }
        at += used;
    } while (loader_is_gzip(file->data + at, file->size - at));
    if (!out.size) {
        free(out.data);
        return error_set(err, "%s unpacks to nothing", file->what);
    }
    free(file->data);
    file->data = out.data;
    file->size = out.size;
    return true;
}

bool loader_gunzip_all(struct loader_file *file, uint64_t max_bytes, struct error *err)
{
    enum { MAX_NESTING = 3 };

    for (unsigned nesting = 0; loader_is_gzip(file->data, file->size); nesting++) {
        if (nesting == MAX_NESTING)
            return error_set(err, "%s is compressed too many times over", file->what);
        if (!loader_gunzip(file, max_bytes, err))
            return false;
    }
    return true;
}

/* ---- uImage ---------------------------------------------------------------------------------- */

enum { UIMAGE_MAGIC = 0x27051956, UIMAGE_HEADER = 64 };

bool loader_is_uimage(const uint8_t *data, size_t size)
{
    return size >= 4 && load_be32(data) == UIMAGE_MAGIC;
}

const char *loader_uimage_architecture(unsigned code)
{
    static const char *const names[] = {
        [1] = "Alpha",  [2] = "ARM",         [3] = "x86",      [4] = "IA64",      [5] = "MIPS",
        [6] = "MIPS64", [7] = "PowerPC",     [8] = "S390",     [9] = "SuperH",    [10] = "SPARC",
        [12] = "68k",   [14] = "MicroBlaze", [15] = "Nios II", [21] = "OpenRISC", [22] = "AArch64",
        [23] = "ARC",   [24] = "x86-64",     [25] = "Xtensa",  [26] = "RISC-V",
    };

    return code < ARRAY_SIZE(names) && names[code] ? names[code] : "another architecture";
}

#ifndef WITHOUT_ZLIB
static bool uimage_check(const struct loader_file *file, struct error *err)
{
    uint8_t header[UIMAGE_HEADER];

    if (file->size < UIMAGE_HEADER)
        return error_set(err, "%s is truncated: the uImage header has 64 bytes, the file %zu",
                         file->what, file->size);
    memcpy(header, file->data, sizeof(header));
    uint32_t size = load_be32(header + 12), header_crc = load_be32(header + 4);
    memset(header + 4, 0, 4);
    if (crc32(0, header, sizeof(header)) != header_crc)
        return error_set(err, "%s is damaged: the checksum of its uImage header is wrong",
                         file->what);
    if (size > file->size - UIMAGE_HEADER)
        return error_set(err,
                         "%s is truncated: its uImage header states %u bytes of data, there are "
                         "%zu",
                         file->what, size, file->size - UIMAGE_HEADER);
    if (!size)
        return error_set(err, "%s is a uImage without data", file->what);
    if (crc32(0, file->data + UIMAGE_HEADER, size) != load_be32(header + 24))
        return error_set(err, "%s is damaged: the checksum of its uImage data is wrong",
                         file->what);
    return true;
}
#else
static bool uimage_check(const struct loader_file *file, struct error *err)
{
    return error_set(err, "%s is a uImage, and this calque was built without zlib", file->what);
}
#endif

bool loader_uimage(struct loader_file *file, struct uimage_header *out, struct error *err)
{
    const uint8_t *header = file->data;

    if (!uimage_check(file, err))
        return false;
    *out = (struct uimage_header){
        .load = load_be32(header + 16),
        .entry = load_be32(header + 20),
        .os = header[28],
        .architecture = header[29],
        .type = header[30],
        .compression = header[31],
    };
    memcpy(out->name, header + 32, 32);
    file->size = load_be32(header + 12);
    memmove(file->data, file->data + UIMAGE_HEADER, file->size);
    return true;
}

/* ---- names ----------------------------------------------------------------------------------- */

const char *loader_elf_machine(unsigned machine)
{
    static const struct {
        unsigned machine;
        const char *name;
    } names[] = {
        {2, "SPARC"},     {3, "x86"},         {4, "68k"},         {8, "MIPS"},    {15, "PA-RISC"},
        {20, "PowerPC"},  {21, "PowerPC 64"}, {22, "S390"},       {40, "ARM"},    {42, "SuperH"},
        {43, "SPARC 64"}, {50, "IA-64"},      {62, "x86-64"},     {94, "Xtensa"}, {183, "AArch64"},
        {243, "RISC-V"},  {247, "BPF"},       {258, "LoongArch"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (names[i].machine == machine)
            return names[i].name;
    }
    return NULL;
}

/* ---- what a file is instead -------------------------------------------------------------------
 */

/* Files that are recognisably something else, by magic. */
const char *loader_foreign_kind(const struct loader_file *file)
{
    static const struct {
        size_t offset, length;
        const char *bytes, *kind;
    } kinds[] = {
        {0x202, 4, "HdrS", "an x86 Linux kernel (bzImage)"},
        {0x38, 4, "ARM\x64", "a 64-bit ARM (AArch64) Linux kernel"},
        {0x38, 4, "RSC\x05", "a RISC-V Linux kernel"},
        {4, 4, "zimg", "a compressed EFI kernel (zboot)"},
        {0, 4, "\xd0\x0d\xfe\xed", "a device tree or FIT image"},
        {0, 6, "070701", "a cpio archive (an initramfs?)"},
        {0, 6, "070702", "a cpio archive (an initramfs?)"},
        {0, 6,
         "\xfd"
         "7zXZ",
         "compressed with xz (only gzip is unpacked here)"},
        {0, 4, "\x28\xb5\x2f\xfd", "compressed with zstd (only gzip is unpacked here)"},
        {0, 3, "BZh", "compressed with bzip2 (only gzip is unpacked here)"},
        {0, 4, "\x02\x21\x4c\x18", "compressed with lz4 (only gzip is unpacked here)"},
        {0, 4, "\x04\x22\x4d\x18", "compressed with lz4 (only gzip is unpacked here)"},
        {0, 9, "\x89LZO\0\r\n\x1a\n", "compressed with lzop (only gzip is unpacked here)"},
        {0, 8, "!<arch>\n", "an archive or Debian package"},
        {0, 4, "PK\3\4", "a zip archive"},
        {0, 4, "QFI\xfb", "a qcow2 disk image"},
        {0, 2, "#!", "a script"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        if (file->size >= kinds[i].offset + kinds[i].length &&
            !memcmp(file->data + kinds[i].offset, kinds[i].bytes, kinds[i].length))
            return kinds[i].kind;
    }
    return NULL;
}

bool loader_is_text(const struct loader_file *file)
{
    size_t n = MIN(file->size, 512u);

    for (size_t i = 0; i < n; i++) {
        if (!isprint(file->data[i]) && !isspace(file->data[i]))
            return false;
    }
    return true;
}

/* ---- segments -------------------------------------------------------------------------------- */

struct loader_segment {
    gpa address;
    uint8_t *data;
    size_t size;
    uint64_t memory_size;
    char name[256]; /* for info roms */
};

struct loader {
    struct loader_segment *segments;
    unsigned n_segments;
    struct loader_start start;
};

struct loader *loader_create(void)
{
    return calloc(1, sizeof(struct loader));
}

void loader_destroy(struct loader *l)
{
    if (!l)
        return;
    for (unsigned i = 0; i < l->n_segments; i++)
        free(l->segments[i].data);
    free(l->segments);
    free(l);
}

struct loader_start *loader_start(struct loader *l)
{
    return &l->start;
}

/* Takes `data` over; frees it if that fails. */
static bool add_segment(struct loader *l, gpa address, uint8_t *data, size_t size,
                        uint64_t memory_size, struct error *err)
{
    struct loader_segment *grown =
        data ? realloc(l->segments, (l->n_segments + 1) * sizeof(*grown)) : NULL;

    if (!grown) {
        free(data);
        return error_set(err, "out of memory for the guest's images");
    }
    l->segments = grown;
    grown[l->n_segments++] =
        (struct loader_segment){address, data, size, MAX(memory_size, (uint64_t)size), ""};
    return true;
}

bool loader_add(struct loader *l, gpa address, const void *data, size_t size, uint64_t memory_size,
                struct error *err)
{
    uint8_t *copy = malloc(MAX(size, 1u));

    if (copy && size)
        memcpy(copy, data, size);
    return add_segment(l, address, copy, size, memory_size, err);
}

static void set_name(struct loader_segment *segment, const char *name)
{
    snprintf(segment->name, sizeof(segment->name), "%s", name);
}

bool loader_add_file(struct loader *l, gpa address, struct loader_file *file, struct error *err)
{
    uint8_t *data = file->data;

    file->data = NULL;
    if (!add_segment(l, address, data, file->size, file->size, err))
        return false;
    set_name(&l->segments[l->n_segments - 1], file->what);
    return true;
}

void loader_name(struct loader *l, const char *name)
{
    for (unsigned i = l->n_segments; i-- > 0 && !*l->segments[i].name;)
        set_name(&l->segments[i], name);
}

bool loader_entry(const struct loader *l, unsigned n, struct loader_entry *out)
{
    if (!l || n >= l->n_segments)
        return false;
    *out = (struct loader_entry){l->segments[n].address, l->segments[n].memory_size,
                                 l->segments[n].name};
    return true;
}

bool loader_fits(const struct memory *memory, gpa address, uint64_t size)
{
    if (size && address + (size - 1) < address)
        return false;
    while (size) {
        const struct memory_section *section = memory_find(memory, address);
        if (!section || !section->host)
            return false;
        uint64_t here = MIN(size, section->size - (address - section->base));
        address += here;
        size -= here;
    }
    return true;
}

/* Stores by the guest's rules where it is RAM, into the array itself where it is ROM. NULL data:
 * zeros. */
static void write_range(struct memory *memory, gpa address, const uint8_t *data, uint64_t size)
{
    while (size) {
        const struct memory_section *section = memory_find(memory, address);
        if (!section || !section->host)
            return;
        uint64_t offset = address - section->base;
        uint64_t here = MIN(size, section->size - offset);
        if (data)
            memcpy(section->host + offset, data, here);
        else
            memset(section->host + offset, 0, here);
        memory_changed(memory, address, here);
        address += here;
        size -= here;
        data = data ? data + here : NULL;
    }
}

void loader_write(const struct loader *l, struct memory *memory)
{
    for (unsigned i = 0; i < l->n_segments; i++) {
        const struct loader_segment *s = &l->segments[i];
        write_range(memory, s->address, s->data, s->size);
        write_range(memory, s->address + s->size, NULL, s->memory_size - s->size);
    }
}

gpa loader_end(const struct loader *l, gpa base)
{
    gpa end = base;

    for (unsigned i = 0; i < l->n_segments; i++) {
        const struct loader_segment *s = &l->segments[i];
        if (s->address >= base)
            end = MAX(end, s->address + s->memory_size);
    }
    return end;
}
