/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hw/machines/elf_image.h"

#include <stdio.h>
#include <string.h>

#ifndef WITHOUT_LIBELF
#include <gelf.h>
#endif

#include "util/bits.h"

bool elf_image_is(const struct loader_file *file)
{
    return file->size >= 4 && !memcmp(file->data, "\177ELF", 4);
}

#ifndef WITHOUT_LIBELF

bool elf_image_check(const struct loader_file *file, const struct elf_image_target *target,
                     struct elf_image *out, struct error *err)
{
    const uint8_t *data = file->data;
    char number[24];

    *out = (struct elf_image){0};
    if (file->size < sizeof(Elf32_Ehdr))
        return error_set(err, "%s is truncated: the file is shorter than an ELF header",
                         file->what);
    out->wide = data[EI_CLASS] == ELFCLASS64;
    out->big_endian = data[EI_DATA] == ELFDATA2MSB;
    unsigned machine = out->big_endian ? load_be16(data + 18) : load_le16(data + 18);
    unsigned type = out->big_endian ? load_be16(data + 16) : load_le16(data + 16);
    if (machine != target->machine) {
        const char *name = loader_elf_machine(machine);
        snprintf(number, sizeof(number), "machine number %u", machine);
        return error_set(err, "%s is an ELF program for %s, not for %s", file->what,
                         name ? name : number, target->architecture);
    }
    if (type != ET_EXEC && type != ET_DYN)
        return error_set(err, "%s is an ELF %s, not an executable", file->what,
                         type == ET_REL ? "object file" : "file");
    return true;
}

static bool load_elf_segment(const struct loader_file *file, const GElf_Phdr *segment,
                             const struct elf_image_target *target, struct loader *l,
                             struct elf_image *out, struct error *err)
{
    gpa address = target->physical(target->opaque, segment->p_paddr);

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
                              const struct elf_image_target *target, struct loader *l,
                              struct elf_image *out, struct error *err)
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
    loader_name(l, file->what);
    out->entry = header.e_entry;
    return true;
}

bool elf_image_load(const struct loader_file *file, const struct elf_image_target *target,
                    struct loader *l, struct elf_image *out, struct error *err)
{
    elf_version(EV_CURRENT);
    Elf *elf = elf_memory((char *)file->data, file->size);
    if (!elf)
        return error_set(err, "%s is a damaged ELF file: %s", file->what, elf_errmsg(-1));
    bool ok = load_elf_segments(file, elf, target, l, out, err);
    elf_end(elf);
    return ok;
}

#else

bool elf_image_check(const struct loader_file *file, const struct elf_image_target *target,
                     struct elf_image *out, struct error *err)
{
    return error_set(err, "%s is an ELF file, and this calque was built without libelf",
                     file->what);
}

bool elf_image_load(const struct loader_file *file, const struct elf_image_target *target,
                    struct loader *l, struct elf_image *out, struct error *err)
{
    return elf_image_check(file, target, out, err);
}

#endif
