/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recognises, checks and places kernels for MIPS. */
#include "hw/machines/mips_kernel.h"

#include <stdio.h>
#include <string.h>

#ifndef WITHOUT_LIBELF
#include <gelf.h>
#endif

#include "util/bits.h"

enum { RAW_ADDRESS = 0x100000, MAX_NESTING = 3 };
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

/* ---- ELF ------------------------------------------------------------------------------------- */

#ifndef WITHOUT_LIBELF

static bool check_elf_header(const struct loader_file *file,
                             const struct mips_kernel_target *target, struct error *err)
{
    const uint8_t *data = file->data;
    char number[24];

    if (file->size < sizeof(Elf32_Ehdr))
        return error_set(err, "%s is truncated: the file is shorter than an ELF header",
                         file->what);
    bool big_endian = data[EI_DATA] == ELFDATA2MSB;
    unsigned machine = big_endian ? load_be16(data + 18) : load_le16(data + 18);
    unsigned type = big_endian ? load_be16(data + 16) : load_le16(data + 16);
    if (machine != ELF_MACHINE_MIPS) {
        const char *name = loader_elf_machine(machine);
        snprintf(number, sizeof(number), "machine number %u", machine);
        return error_set(err, "%s is an ELF program for %s, not for MIPS", file->what,
                         name ? name : number);
    }
    if (big_endian != target->big_endian)
        return error_set(err, "%s is a %s-endian MIPS program; this machine is %s-endian",
                         file->what, big_endian ? "big" : "little",
                         target->big_endian ? "big" : "little");
    if (data[EI_CLASS] == ELFCLASS64 && !target->wide)
        return error_set(err, "%s is a 64-bit MIPS program; this machine's processor has 32 bits",
                         file->what);
    if (type != ET_EXEC && type != ET_DYN)
        return error_set(err, "%s is an ELF %s, not an executable", file->what,
                         type == ET_REL ? "object file" : "file");
    return true;
}

static bool load_elf_segment(const struct loader_file *file, const GElf_Phdr *segment,
                             const struct mips_kernel_target *target, struct loader *l,
                             struct mips_kernel *out, struct error *err)
{
    gpa address = mips_physical(segment->p_paddr);

    if (segment->p_offset > file->size || segment->p_filesz > file->size - segment->p_offset)
        return error_set(err, "%s is truncated: an ELF segment ends at %llu, the file at %zu",
                         file->what, (unsigned long long)segment->p_offset + segment->p_filesz,
                         file->size);
    if (segment->p_filesz > segment->p_memsz)
        return error_set(err, "%s is damaged: an ELF segment is larger in the file than in memory",
                         file->what);
    if (!loader_fits(target->memory, address, segment->p_memsz))
        return error_set(err,
                         "%s does not fit: its segment of %llu bytes at 0x%llx is outside the "
                         "machine's memory",
                         file->what, (unsigned long long)segment->p_memsz,
                         (unsigned long long)address);
    out->end = MAX(out->end, address + segment->p_memsz);
    return loader_add(l, address, file->data + segment->p_offset, segment->p_filesz,
                      segment->p_memsz, err);
}

static bool load_elf_segments(const struct loader_file *file, Elf *elf,
                              const struct mips_kernel_target *target, struct loader *l,
                              struct mips_kernel *out, struct error *err)
{
    GElf_Ehdr header;
    GElf_Phdr segment;
    size_t n = 0, loaded = 0;

    if (!gelf_getehdr(elf, &header) || elf_getphdrnum(elf, &n) != 0 ||
        !gelf_getphdr(elf, 0, &segment))
        return error_set(err, "%s is truncated or damaged: no ELF program headers", file->what);
    /* The section headers are not needed, but they stand at the end: a cut shows there. */
    if (header.e_shoff > file->size ||
        (uint64_t)header.e_shnum * header.e_shentsize > file->size - header.e_shoff)
        return error_set(err, "%s is truncated: its ELF section headers are beyond its end",
                         file->what);
    for (size_t i = 0; i < n; i++) {
        if (!gelf_getphdr(elf, (int)i, &segment))
            return error_set(err, "%s is truncated or damaged: no ELF program header %zu",
                             file->what, i);
        if (segment.p_type != PT_LOAD || !segment.p_memsz)
            continue;
        if (!load_elf_segment(file, &segment, target, l, out, err))
            return false;
        loaded++;
    }
    if (!loaded)
        return error_set(err, "%s has nothing to load: no ELF segments", file->what);
    out->format = "ELF";
    out->entry =
        file->data[EI_CLASS] == ELFCLASS64 ? header.e_entry : sign_extended(header.e_entry);
    if ((out->entry & 1) || !loader_fits(target->memory, mips_physical(out->entry), 4))
        return error_set(err, "%s: its ELF entry point 0x%llx is outside the machine's memory",
                         file->what, (unsigned long long)out->entry);
    return true;
}

static bool load_elf(struct loader_file *file, const struct mips_kernel_target *target,
                     struct loader *l, struct mips_kernel *out, struct error *err)
{
    if (!check_elf_header(file, target, err))
        return false;
    elf_version(EV_CURRENT);
    Elf *elf = elf_memory((char *)file->data, file->size);
    if (!elf)
        return error_set(err, "%s is a damaged ELF file: %s", file->what, elf_errmsg(-1));
    bool ok = load_elf_segments(file, elf, target, l, out, err);
    elf_end(elf);
    return ok;
}

#else

static bool load_elf(struct loader_file *file, const struct mips_kernel_target *target,
                     struct loader *l, struct mips_kernel *out, struct error *err)
{
    return error_set(err, "%s is an ELF file, and this calque was built without libelf",
                     file->what);
}

#endif

/* ---- the others ------------------------------------------------------------------------------ */

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
    for (unsigned nesting = 0; loader_is_gzip(file->data, file->size); nesting++) {
        if (nesting == MAX_NESTING)
            return error_set(err, "%s is compressed too many times over", file->what);
        if (!loader_gunzip(file, target->ram_bytes, err))
            return false;
    }
    if (file->size >= 4 && !memcmp(file->data, "\177ELF", 4))
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
