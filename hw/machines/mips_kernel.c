/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recognises, checks and places kernels for MIPS. */
#include "hw/machines/mips_kernel.h"

#include "hw/machines/elf_image.h"
#include "util/bits.h"

enum { RAW_ADDRESS = 0x100000 };
enum { UIMAGE_ARCH_MIPS = 5, UIMAGE_ARCH_MIPS64 = 6 };
#define KSEG0 UINT64_C(0xffffffff80000000)
#define SEGMENT_MASK UINT64_C(0x1fffffff)
#define XKPHYS_MASK UINT64_C(0x07ffffffffffffff)

static uint64_t sign_extended(uint64_t address)
{
    return (uint64_t)(int32_t)address;
}

gpa mips_physical(uint64_t address)
{
    if (address >> 32 == 0)
        address = sign_extended(address);
    if (address >= KSEG0 && address - KSEG0 < 2 * (SEGMENT_MASK + 1))
        return address & SEGMENT_MASK;
    if (address >> 62 == 2)
        return address & XKPHYS_MASK;
    return address;
}

static gpa physical(const void *opaque, uint64_t address)
{
    return mips_physical(address);
}

/* ---- formats --------------------------------------------------------------------------------- */

static bool load_elf(struct loader_file *file, const struct mips_kernel_target *target,
                     struct loader *l, struct mips_kernel *out, struct error *err)
{
    const struct elf_image_target elf = {.memory = target->memory,
                                         .machine = ELF_MACHINE_MIPS,
                                         .architecture = "MIPS",
                                         .physical = physical};
    struct elf_image image;

    if (!elf_image_check(file, &elf, &image, err))
        return false;
    if (image.big_endian != target->big_endian)
        return error_set(err, "%s is a %s-endian MIPS program; this machine is %s-endian",
                         file->what, image.big_endian ? "big" : "little",
                         target->big_endian ? "big" : "little");
    if (image.wide && !target->wide)
        return error_set(err, "%s is a 64-bit MIPS program; this machine's processor has 32 bits",
                         file->what);
    if (!elf_image_load(file, &elf, l, &image, err))
        return false;
    out->format = "ELF";
    out->end = image.end;
    out->entry = image.wide ? image.entry : sign_extended(image.entry);
    if ((out->entry & 1) || !loader_fits(target->memory, mips_physical(out->entry), 4))
        return error_set(err, "%s: its ELF entry point 0x%llx is outside the machine's memory",
                         file->what, (unsigned long long)out->entry);
    return true;
}

static bool place(struct loader_file *file, const struct mips_kernel_target *target, gpa load,
                  uint64_t entry, struct loader *l, struct mips_kernel *out, struct error *err)
{
    if (!loader_fits(target->memory, load, file->size) ||
        !loader_fits(target->memory, mips_physical(entry), 4))
        return error_set(err,
                         "%s does not fit: %zu bytes at 0x%llx, started at 0x%llx, are outside the "
                         "machine's memory",
                         file->what, file->size, (unsigned long long)load,
                         (unsigned long long)entry);
    out->entry = entry;
    out->end = load + file->size;
    return loader_add_file(l, load, file, err);
}

static bool load_uimage(struct loader_file *file, const struct mips_kernel_target *target,
                        struct loader *l, struct mips_kernel *out, struct error *err)
{
    struct uimage_header header;

    if (!loader_uimage(file, &header, err))
        return false;
    if (header.architecture != UIMAGE_ARCH_MIPS && header.architecture != UIMAGE_ARCH_MIPS64)
        return error_set(err, "%s is a uImage for %s, not for MIPS", file->what,
                         loader_uimage_architecture(header.architecture));
    if (header.type != UIMAGE_TYPE_KERNEL)
        return error_set(err, "%s is a uImage of type %u; a kernel has type 2", file->what,
                         header.type);
    if (header.compression > UIMAGE_GZIP)
        return error_set(err, "%s: only gzip compression of a uImage is supported, it has type %u",
                         file->what, header.compression);
    if (header.compression == UIMAGE_GZIP && !loader_gunzip(file, target->ram_bytes, err))
        return false;
    out->format = "uImage";
    return place(file, target, mips_physical(header.load), sign_extended(header.entry), l, out,
                 err);
}

static bool load_any(struct loader_file *file, const struct mips_kernel_target *target,
                     struct loader *l, struct mips_kernel *out, struct error *err)
{
    if (!loader_gunzip_all(file, target->ram_bytes, err))
        return false;
    if (elf_image_is(file))
        return load_elf(file, target, l, out, err);
    if (loader_is_uimage(file->data, file->size))
        return load_uimage(file, target, l, out, err);
    const char *kind = loader_foreign_kind(file);
    if (kind || loader_is_text(file))
        return error_set(err, "%s is %s, not a kernel for MIPS", file->what, kind ? kind : "text");
    out->format = "raw program";
    return place(file, target, RAW_ADDRESS, KSEG0 + RAW_ADDRESS, l, out, err);
}

bool mips_kernel_load(struct loader_file *file, const struct mips_kernel_target *target,
                      struct loader *l, struct mips_kernel *out, struct error *err)
{
    *out = (struct mips_kernel){0};
    bool ok = load_any(file, target, l, out, err);

    loader_file_free(file);
    return ok;
}
