/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Recognises, checks and places kernels for x86. */
#define _GNU_SOURCE
#include "hw/machines/x86_kernel.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#ifndef WITHOUT_LIBELF
#include <gelf.h>
#endif

#include "util/bits.h"

/* ---- bzImage --------------------------------------------------------------------------------- */

/* boot.rst, "The Real-Mode Kernel Header": offsets in the file and in boot_params. */
enum setup_header {
    SETUP_SECTS = 0x1f1,
    SYSSIZE = 0x1f4,
    BOOT_FLAG = 0x1fe,
    MAGIC = 0x202,
    VERSION = 0x206,
    LOADFLAGS = 0x211,
    INITRD_ADDR_MAX = 0x22c,
    RELOCATABLE = 0x234,
    XLOADFLAGS = 0x236,
    CMDLINE_SIZE = 0x238,
    PREF_ADDRESS = 0x258,
    INIT_SIZE = 0x260,
    HEADER_END = 0x268,
};
enum { LOADED_HIGH = 1, XLF_KERNEL_64 = 1, KERNEL_BASE = 0x100000, ENTRY64_OFFSET = 0x200 };

static bool is_bzimage(const struct loader_file *file)
{
    return file->size >= MAGIC + 4 && !memcmp(file->data + MAGIC, "HdrS", 4) &&
           load_le16(file->data + BOOT_FLAG) == 0xaa55;
}

static bool check_bzimage(const struct loader_file *file, size_t setup_bytes, struct error *err)
{
    const uint8_t *header = file->data;
    uint64_t stated = setup_bytes + (uint64_t)load_le32(header + SYSSIZE) * 16;

    if (setup_bytes >= file->size)
        return error_set(err, "%s is truncated: it ends within its real-mode part", file->what);
    unsigned version = load_le16(header + VERSION);
    if (version < 0x200 || !(header[LOADFLAGS] & LOADED_HIGH))
        return error_set(err,
                         "%s is a zImage for x86 that loads low (boot protocol %u.%02u); make a "
                         "bzImage of it",
                         file->what, version >> 8, version & 0xff);
    /* The last paragraph may be incomplete. */
    if (version >= 0x204 && file->size + 15 < stated)
        return error_set(err, "%s is truncated: its header states %llu bytes, the file has %zu",
                         file->what, (unsigned long long)stated, file->size);
    return true;
}

static bool load_bzimage(struct loader_file *file, uint64_t ram_end, bool allow64, struct loader *l,
                         struct x86_kernel *out, struct error *err)
{
    const uint8_t *header = file->data;
    size_t setup_bytes = ((header[SETUP_SECTS] ? header[SETUP_SECTS] : 4u) + 1) * 512u;
    uint64_t need = 0;
    char needs[32], have[32];

    if (!check_bzimage(file, setup_bytes, err))
        return false;
    unsigned version = load_le16(header + VERSION);
    size_t size = file->size - setup_bytes;
    if (version >= 0x20a) {
        uint64_t runs_at = MAX(load_le64(header + PREF_ADDRESS), (uint64_t)KERNEL_BASE);
        need = MAX(runs_at, load_le32(header + INIT_SIZE) + runs_at); /* may wrap around */
    }
    need = MAX(need, KERNEL_BASE + (uint64_t)size);
    if (need > ram_end)
        return error_set(err, "%s does not fit: it needs %s of memory to start, -m gives %s",
                         file->what, loader_size(need, needs), loader_size(ram_end, have));
    out->format = "bzImage";
    out->setup = calloc(1, 4096);
    if (!out->setup)
        return error_set(err, "%s: out of memory", file->what);
    /* The header ends where the jump at its start leads (boot.rst, "jump"). */
    size_t header_end = MIN(0x202u + header[0x201], (unsigned)HEADER_END + 0x80);
    memcpy(out->setup + SETUP_SECTS, header + SETUP_SECTS,
           MIN(header_end, file->size) - SETUP_SECTS);
    out->end = need;
    out->initrd_max = version >= 0x203 ? load_le32(header + INITRD_ADDR_MAX) : 0x37ffffff;
    out->cmdline_max = version >= 0x206 ? load_le32(header + CMDLINE_SIZE) : 255;
    out->entry = KERNEL_BASE;
    out->entry_kind = X86_ENTRY_LINUX32;
    if (allow64 && version >= 0x20c && header[XLOADFLAGS] & XLF_KERNEL_64) {
        out->entry_kind = X86_ENTRY_LINUX64;
        out->entry += ENTRY64_OFFSET;
    }
    if (!loader_add(l, KERNEL_BASE, file->data + setup_bytes, size, size, err))
        return false;
    loader_name(l, file->what);
    return true;
}

/* ---- segments -------------------------------------------------------------------------------- */

/* Where x86_boot.c leaves what a kernel is told, and the ROM with the ACPI tables. */
static const struct {
    uint32_t start, end;
} taken[] = {{0x4000, 0x30000}, {0xe0000, 0x100000}};

static bool add_segment(const struct loader_file *file, const struct memory *memory,
                        struct loader *l, gpa address, const uint8_t *data, size_t size,
                        uint64_t memory_size, struct error *err)
{
    if (!loader_fits(memory, address, memory_size))
        return error_set(err,
                         "%s does not fit: it wants 0x%llx bytes at 0x%llx, outside the machine's "
                         "memory",
                         file->what, (unsigned long long)memory_size, (unsigned long long)address);
    for (unsigned i = 0; i < ARRAY_SIZE(taken); i++) {
        if (address < taken[i].end && address + memory_size > taken[i].start)
            return error_set(err,
                             "%s does not fit: it wants 0x%llx bytes at 0x%llx, where the boot "
                             "information is",
                             file->what, (unsigned long long)memory_size,
                             (unsigned long long)address);
    }
    if (!loader_add(l, address, data, size, memory_size, err))
        return false;
    loader_name(l, file->what);
    return true;
}

/* ---- Multiboot ------------------------------------------------------------------------------- */

enum { MULTIBOOT_MAGIC = 0x1badb002, MULTIBOOT_SEARCH = 8192, MULTIBOOT_ADDRESSES = 1 << 16 };

static bool find_multiboot(const struct loader_file *file, size_t *at)
{
    for (*at = 0; *at + 12 <= MIN(file->size, (size_t)MULTIBOOT_SEARCH); *at += 4) {
        const uint8_t *header = file->data + *at;
        if (load_le32(header) == MULTIBOOT_MAGIC &&
            load_le32(header) + load_le32(header + 4) + load_le32(header + 8) == 0)
            return true;
    }
    return false;
}

/* A header that states load addresses itself (flag 16): the file need not be ELF. */
static bool load_multiboot_raw(struct loader_file *file, size_t at, const struct memory *memory,
                               struct loader *l, struct x86_kernel *out, struct error *err)
{
    const uint8_t *header = file->data + at;

    if (at + 32 > file->size)
        return error_set(err, "%s is truncated: it ends within its Multiboot header", file->what);
    uint32_t header_address = load_le32(header + 12), load_address = load_le32(header + 16);
    uint32_t load_end = load_le32(header + 20), bss_end = load_le32(header + 24);
    if (load_address > header_address || header_address - load_address > at ||
        (load_end && load_end < load_address))
        return error_set(err,
                         "%s is damaged: the addresses in its Multiboot header contradict "
                         "each other",
                         file->what);
    size_t offset = at - (header_address - load_address);
    size_t size = load_end ? load_end - load_address : file->size - offset;
    if (size > file->size - offset)
        return error_set(err,
                         "%s is truncated: its Multiboot header states %zu bytes, there are %zu",
                         file->what, size, file->size - offset);
    uint64_t memory_size =
        MAX((uint64_t)size, bss_end > load_address ? bss_end - load_address : 0u);
    out->format = "Multiboot program";
    out->entry_kind = X86_ENTRY_MULTIBOOT;
    out->entry = load_le32(header + 28);
    out->end = load_address + memory_size;
    return add_segment(file, memory, l, load_address, file->data + offset, size, memory_size, err);
}

/* ---- ELF ------------------------------------------------------------------------------------- */

#ifndef WITHOUT_LIBELF

enum { XEN_ELFNOTE_PHYS32_ENTRY = 18 };

static bool check_elf_header(const struct loader_file *file, struct error *err)
{
    const uint8_t *data = file->data;
    char number[24];

    if (file->size < sizeof(Elf32_Ehdr))
        return error_set(err, "%s is truncated: the file is shorter than an ELF header",
                         file->what);
    unsigned machine = data[EI_DATA] == ELFDATA2MSB ? load_be16(data + 18) : load_le16(data + 18);
    if (machine != EM_386 && machine != EM_X86_64) {
        const char *name = loader_elf_machine(machine);
        snprintf(number, sizeof(number), "machine number %u", machine);
        return error_set(err, "%s is an ELF program for %s, not for x86", file->what,
                         name ? name : number);
    }
    unsigned type = load_le16(data + 16);
    if (type != ET_EXEC && type != ET_DYN)
        return error_set(err, "%s is an ELF %s, not an executable", file->what,
                         type == ET_REL ? "object file" : "file");
    return true;
}

/* The entry that a PVH note states; 0: there is none. */
static uint32_t pvh_entry(const uint8_t *notes, size_t size)
{
    for (size_t at = 0; at + 12 <= size;) {
        uint64_t name_size = load_le32(notes + at), desc_size = load_le32(notes + at + 4);
        uint64_t desc = at + 12 + ((name_size + 3) & ~UINT64_C(3));
        if (desc + desc_size > size)
            return 0;
        if (load_le32(notes + at + 8) == XEN_ELFNOTE_PHYS32_ENTRY && name_size == 4 &&
            !memcmp(notes + at + 12, "Xen", 4) && desc_size >= 4)
            return load_le32(notes + desc);
        at = desc + ((desc_size + 3) & ~UINT64_C(3));
    }
    return 0;
}

struct elf_load {
    const struct memory *memory;
    struct loader *l;
    struct x86_kernel *out;
    uint64_t entry; /* virtual, as the header has it */
    unsigned n_loaded;
    uint32_t pvh;
};

static bool load_elf_segment(const struct loader_file *file, const GElf_Phdr *segment,
                             struct elf_load *load, struct error *err)
{
    if (segment->p_offset > file->size || segment->p_filesz > file->size - segment->p_offset)
        return error_set(err, "%s is truncated: an ELF segment ends at %llu, the file at %zu",
                         file->what, (unsigned long long)segment->p_offset + segment->p_filesz,
                         file->size);
    if (segment->p_type == PT_NOTE) {
        uint32_t entry = pvh_entry(file->data + segment->p_offset, segment->p_filesz);
        load->pvh = entry ? entry : load->pvh;
        return true;
    }
    if (segment->p_type != PT_LOAD || !segment->p_memsz)
        return true;
    if (segment->p_filesz > segment->p_memsz)
        return error_set(err, "%s is damaged: an ELF segment is larger in the file than in memory",
                         file->what);
    if (load->entry >= segment->p_vaddr && load->entry - segment->p_vaddr < segment->p_memsz)
        load->out->entry = (uint32_t)(load->entry - segment->p_vaddr + segment->p_paddr);
    load->out->end = MAX(load->out->end, segment->p_paddr + segment->p_memsz);
    load->n_loaded++;
    return add_segment(file, load->memory, load->l, segment->p_paddr,
                       file->data + segment->p_offset, segment->p_filesz, segment->p_memsz, err);
}

static bool load_elf_segments(struct loader_file *file, Elf *elf, struct elf_load *load,
                              struct error *err)
{
    GElf_Ehdr header;
    GElf_Phdr segment;
    size_t n = 0;

    if (!gelf_getehdr(elf, &header) || elf_getphdrnum(elf, &n) != 0 ||
        !gelf_getphdr(elf, 0, &segment))
        return error_set(err, "%s is truncated or damaged: no ELF program headers", file->what);
    /* The section headers are not needed, but they stand at the end: a cut shows there. */
    if (header.e_shoff + (uint64_t)header.e_shnum * header.e_shentsize > file->size)
        return error_set(err, "%s is truncated: its ELF section headers are beyond its end",
                         file->what);
    load->entry = header.e_entry;
    load->out->entry = (uint32_t)header.e_entry;
    for (size_t i = 0; i < n; i++) {
        if (!gelf_getphdr(elf, (int)i, &segment))
            return error_set(err, "%s is truncated or damaged: no ELF program header %zu",
                             file->what, i);
        if (!load_elf_segment(file, &segment, load, err))
            return false;
    }
    if (!load->n_loaded)
        return error_set(err, "%s is an ELF file with nothing to load", file->what);
    return true;
}

static bool load_elf(struct loader_file *file, const struct memory *memory, struct loader *l,
                     struct x86_kernel *out, struct error *err)
{
    struct elf_load load = {.memory = memory, .l = l, .out = out};
    size_t multiboot;
    Elf *elf;
    bool ok;

    if (!check_elf_header(file, err))
        return false;
    elf_version(EV_CURRENT);
    elf = elf_memory((char *)file->data, file->size);
    if (!elf)
        return error_set(err, "%s is damaged: %s", file->what, elf_errmsg(-1));
    ok = load_elf_segments(file, elf, &load, err);
    elf_end(elf);
    if (!ok)
        return false;
    out->format = "ELF program";
    out->entry_kind = X86_ENTRY_MULTIBOOT;
    if (find_multiboot(file, &multiboot)) {
        out->format = "Multiboot program";
    } else if (load.pvh) {
        out->format = "PVH kernel";
        out->entry_kind = X86_ENTRY_PVH;
        out->entry = load.pvh;
    } else if (file->data[EI_CLASS] == ELFCLASS64) {
        return error_set(err,
                         "%s is a 64-bit ELF program with neither a PVH note nor a Multiboot "
                         "header: there is no agreed way to start it",
                         file->what);
    }
    return true;
}

#else

static bool load_elf(struct loader_file *file, const struct memory *memory, struct loader *l,
                     struct x86_kernel *out, struct error *err)
{
    return error_set(err, "%s is an ELF program, and this calque was built without libelf",
                     file->what);
}

#endif

/* ---- all of them ----------------------------------------------------------------------------- */

static bool load_any(struct loader_file *file, const struct memory *memory, uint64_t ram_end,
                     bool allow64, struct loader *l, struct x86_kernel *out, struct error *err)
{
    size_t multiboot;

    if (loader_is_gzip(file->data, file->size) && !loader_gunzip(file, ram_end, err))
        return false;
    if (is_bzimage(file))
        return load_bzimage(file, ram_end, allow64, l, out, err);
    if (find_multiboot(file, &multiboot) &&
        load_le32(file->data + multiboot + 4) & MULTIBOOT_ADDRESSES)
        return load_multiboot_raw(file, multiboot, memory, l, out, err);
    if (file->size >= 4 && !memcmp(file->data, "\177ELF", 4))
        return load_elf(file, memory, l, out, err);
    if (file->size >= 0x28 && load_le32(file->data + 0x24) == 0x016f2818)
        return error_set(err, "%s is a zImage for ARM, not for x86", file->what);
    if (file->size >= 0x40 && !memcmp(file->data + 0x38, "ARM\x64", 4))
        return error_set(err, "%s is an Image for AArch64, not for x86", file->what);
    if (loader_is_uimage(file->data, file->size))
        return error_set(err, "%s is a uImage, which x86 machines do not boot", file->what);
    if (file->size < MAGIC + 4)
        return error_set(err, "%s is too short to be a kernel: %zu bytes", file->what, file->size);
    return error_set(err, "%s is no kernel for x86: neither a bzImage nor ELF nor Multiboot",
                     file->what);
}

bool x86_kernel_load(struct loader_file *file, const struct memory *memory, uint64_t ram_end,
                     bool allow64, struct loader *l, struct x86_kernel *out, struct error *err)
{
    *out = (struct x86_kernel){.initrd_max = UINT32_MAX, .cmdline_max = 4095};
    bool ok = load_any(file, memory, ram_end, allow64, l, out, err);

    loader_file_free(file);
    return ok;
}
