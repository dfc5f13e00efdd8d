/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recognises, checks and places kernels for ARM. */
#define _GNU_SOURCE
#include "hw/machines/kernel_image.h"

#include <stdlib.h>
#include <string.h>

#include "hw/machines/elf_image.h"
#include "util/bits.h"

enum {
    ELF_MACHINE_ARM = 40,
    RAW_OFFSET = 0x10000,  /* where zImages and raw programs go: well below what zImage unpacks */
    IMAGE_OFFSET = 0x8000, /* Linux's TEXT_OFFSET, unless the Image says otherwise */
    ZIMAGE_HEADER = 0x30,
    ZIMAGE_MAGIC = 0x016f2818,
    ZIMAGE_MAGIC_BE = 0x18286f01,
    ZIMAGE_MAGIC2 = 0x45454545,
    ZIMAGE_TAG_KERNEL_SIZE = 0x5a534c4b,
};

static bool starts_with(const struct loader_file *file, size_t offset, const char *bytes,
                        size_t length)
{
    return file->size >= offset + length && !memcmp(file->data + offset, bytes, length);
}

/* ---- zImage ---------------------------------------------------------------------------------- */

/* The beginning that every zImage has since 1996: no-operations, the first two perhaps also an EFI
 * signature. */
static bool looks_like_zimage(const struct loader_file *file)
{
    if (starts_with(file, 0x24, "\x18\x28\x6f\x01", 4))
        return true;
    return file->size < ZIMAGE_HEADER && file->size >= 4 &&
           (starts_with(file, 0, "\0\0\xa0\xe1", 4) || starts_with(file, 0, "MZ", 2));
}

/* What the kernel occupies when unpacked, from the table behind the second magic (kernel 4.15 and
 * later, arch/arm/boot/compressed/vmlinux.lds.S); 0 if it does not say. */
static uint64_t zimage_unpacked_bytes(const uint8_t *zimage, size_t size)
{
    if (size < 0x3c || load_le32(zimage + 0x34) != ZIMAGE_MAGIC2)
        return 0;
    uint64_t table = load_le32(zimage + 0x38);
    if (table + 24 > size || load_le32(zimage + table) < 5 ||
        load_le32(zimage + table + 4) != ZIMAGE_TAG_KERNEL_SIZE)
        return 0;
    uint64_t size_at = load_le32(zimage + table + 8);
    uint64_t bss = load_le32(zimage + table + 12), text_offset = load_le32(zimage + table + 16);
    uint64_t heap = load_le32(zimage + table + 20);
    if (size_at + 4 > size)
        return 0;
    /* The packed kernel moves out of the way, behind the end of what it unpacks to. */
    return text_offset + load_le32(zimage + size_at) + MAX(bss, size + heap + 64 * KIB);
}

static bool load_zimage(struct loader_file *file, const struct kernel_target *target,
                        struct loader *l, struct kernel_image *out, struct error *err)
{
    char need[32], have[32];

    if (file->size < ZIMAGE_HEADER)
        return error_set(err,
                         "%s is truncated: a zImage begins with a header of 48 bytes, the "
                         "file has %zu",
                         file->what, file->size);
    uint32_t start = load_le32(file->data + 0x28), end = load_le32(file->data + 0x2c);
    if (end <= start)
        return error_set(err, "%s is damaged: its zImage header states no size", file->what);
    if (file->size < end - start)
        return error_set(err,
                         "%s is truncated: its zImage header states %u bytes, the file has %zu",
                         file->what, end - start, file->size);
    uint64_t unpacked = zimage_unpacked_bytes(file->data, end - start);
    uint64_t least = MAX(unpacked, RAW_OFFSET + (uint64_t)file->size);
    if (least > target->ram_bytes)
        return error_set(err, "%s does not fit: it needs %s of memory to start, -m gives %s",
                         file->what, loader_size(least, need),
                         loader_size(target->ram_bytes, have));
    out->format = "zImage";
    out->entry = target->ram_base + RAW_OFFSET;
    /* Without the table: kernels shrink to a quarter or so. */
    out->end = target->ram_base + (unpacked ? unpacked : MIN(least * 5, target->ram_bytes / 2));
    return loader_add_file(l, out->entry, file, err);
}

/* ---- Image and raw programs ------------------------------------------------------------------ */

/* An Image has no header. Its first instructions find PHYS_OFFSET by subtracting TEXT_OFFSET from
 * their own address: "sub r8, r8, #TEXT_OFFSET" (arch/arm/kernel/head.S). */
static uint32_t image_text_offset(const struct loader_file *file)
{
    for (size_t at = 0; at + 4 <= MIN(file->size, 512u); at += 4) {
        uint32_t insn = load_le32(file->data + at);
        uint32_t value = ror32(insn & 0xff, insn >> 7 & 0x1e);
        if ((insn & 0xfffff000) == 0xe2488000 && (value & 0xffff) == IMAGE_OFFSET &&
            value < 16 * MIB)
            return value;
    }
    return IMAGE_OFFSET;
}

static bool load_raw(struct loader_file *file, const struct kernel_target *target, struct loader *l,
                     struct kernel_image *out, struct error *err)
{
    static const char banner[] = "Linux version ";
    bool is_linux = memmem(file->data, file->size, banner, sizeof(banner) - 1) != NULL;
    uint32_t offset = is_linux ? image_text_offset(file) : RAW_OFFSET;
    char need[32], have[32];

    if (file->size < 4)
        return error_set(err, "%s is too short to be a kernel: %zu bytes", file->what, file->size);
    if (starts_with(file, 0, "MZ", 2))
        return error_set(err, "%s is an EFI program and not a kernel for ARM", file->what);
    if (loader_is_text(file))
        return error_set(err, "%s is text and not a kernel", file->what);
    if (offset + (uint64_t)file->size > target->ram_bytes)
        return error_set(err, "%s does not fit: it needs %s of memory, -m gives %s", file->what,
                         loader_size(offset + (uint64_t)file->size, need),
                         loader_size(target->ram_bytes, have));
    out->format = is_linux ? "Image" : "raw program";
    out->entry = target->ram_base + offset;
    /* A kernel's bss is not in the file. */
    out->end = out->entry + file->size + (is_linux ? 4 * MIB : 0);
    return loader_add_file(l, out->entry, file, err);
}

/* ---- ELF ------------------------------------------------------------------------------------- */

struct elf_place {
    const struct kernel_target *target;
    bool is_linux;
};

/* A vmlinux states virtual addresses, also as physical ones: PAGE_OFFSET is where RAM begins. */
static gpa elf_physical(const void *opaque, uint64_t address)
{
    const struct elf_place *place = opaque;

    if (!place->is_linux || loader_fits(place->target->memory, address, 1))
        return address;
    return place->target->ram_base + (address & 0x0fffffff);
}

static bool load_elf(struct loader_file *file, const struct kernel_target *target, struct loader *l,
                     struct kernel_image *out, struct error *err)
{
    const struct elf_place place = {
        .target = target,
        .is_linux = memmem(file->data, file->size, "Linux version ", 14) != NULL,
    };
    const struct elf_image_target elf = {.memory = target->memory,
                                         .machine = ELF_MACHINE_ARM,
                                         .architecture = "ARM",
                                         .physical = elf_physical,
                                         .opaque = &place};
    struct elf_image image;

    if (!elf_image_check(file, &elf, &image, err))
        return false;
    if (image.big_endian || image.wide)
        return error_set(err, "%s is a %s ARM program; only 32-bit little-endian ones run",
                         file->what, image.wide ? "64-bit" : "big-endian");
    if (!elf_image_load(file, &elf, l, &image, err))
        return false;
    out->format = "ELF";
    out->end = image.end;
    out->entry = elf_physical(&place, image.entry & ~UINT64_C(1)) | (image.entry & 1);
    if (!loader_fits(target->memory, out->entry & ~UINT64_C(1), 2))
        return error_set(err, "%s: its ELF entry point 0x%llx is outside the machine's memory",
                         file->what, (unsigned long long)out->entry);
    loader_file_free(file);
    return true;
}

/* ---- uImage ---------------------------------------------------------------------------------- */

static bool check_uimage_header(const struct loader_file *file, const struct uimage_header *header,
                                struct error *err)
{
    if (header->architecture != UIMAGE_ARCH_ARM)
        return error_set(err, "%s is a uImage for %s, not for ARM", file->what,
                         loader_uimage_architecture(header->architecture));
    if (header->type != UIMAGE_TYPE_KERNEL && header->type != UIMAGE_TYPE_KERNEL_NOLOAD)
        return error_set(err, "%s is a uImage of type %u; a kernel has type 2", file->what,
                         header->type);
    if (header->compression > UIMAGE_GZIP)
        return error_set(err, "%s: only gzip compression of a uImage is supported, it has type %u",
                         file->what, header->compression);
    return true;
}

static bool load_uimage(struct loader_file *file, const struct kernel_target *target,
                        struct loader *l, struct kernel_image *out, struct error *err)
{
    struct uimage_header header;

    if (!loader_uimage(file, &header, err) || !check_uimage_header(file, &header, err))
        return false;
    if (header.compression == UIMAGE_GZIP && !loader_gunzip(file, target->ram_bytes, err))
        return false;
    if (starts_with(file, 0x24, "\x18\x28\x6f\x01", 4) && file->size >= ZIMAGE_HEADER &&
        file->size < load_le32(file->data + 0x2c) - load_le32(file->data + 0x28))
        return error_set(err, "%s: the zImage in this uImage is truncated", file->what);
    gpa load = header.load, entry = header.entry;
    if (header.type == UIMAGE_TYPE_KERNEL_NOLOAD) { /* runs where it stands */
        load = target->ram_base + RAW_OFFSET;
        entry += load;
    }
    if (!loader_fits(target->memory, load, file->size) ||
        !loader_fits(target->memory, entry & ~UINT64_C(1), 2))
        return error_set(err,
                         "%s: its uImage header loads %zu bytes at 0x%llx and starts at 0x%llx, "
                         "which is outside the machine's memory",
                         file->what, file->size, (unsigned long long)load,
                         (unsigned long long)entry);
    uint64_t unpacked = zimage_unpacked_bytes(file->data, file->size);
    out->format = "uImage";
    out->entry = entry;
    out->end = MAX(load + file->size, target->ram_base + unpacked);
    return loader_add_file(l, load, file, err);
}

/* ---- the choice ------------------------------------------------------------------------------ */

static bool load_any(struct loader_file *file, const struct kernel_target *target, struct loader *l,
                     struct kernel_image *out, struct error *err)
{
    if (!loader_gunzip_all(file, target->ram_bytes, err))
        return false;
    if (elf_image_is(file))
        return load_elf(file, target, l, out, err);
    if (loader_is_uimage(file->data, file->size))
        return load_uimage(file, target, l, out, err);
    if (looks_like_zimage(file))
        return load_zimage(file, target, l, out, err);
    if (file->size >= ZIMAGE_HEADER && load_le32(file->data + 0x24) == ZIMAGE_MAGIC_BE)
        return error_set(err, "%s is a big-endian ARM kernel; only little-endian ones run",
                         file->what);
    const char *kind = loader_foreign_kind(file);
    if (kind)
        return error_set(err, "%s is %s, not a kernel for 32-bit ARM", file->what, kind);
    return load_raw(file, target, l, out, err);
}

bool kernel_image_load(struct loader_file *file, const struct kernel_target *target,
                       struct loader *l, struct kernel_image *out, struct error *err)
{
    bool ok;

    *out = (struct kernel_image){0};
    ok = load_any(file, target, l, out, err);
    loader_file_free(file);
    return ok;
}
