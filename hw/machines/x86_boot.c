/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Starting a PC; see x86_boot.h. */
#include "hw/machines/x86_boot.h"

#include <stdlib.h>
#include <string.h>

#include "frontend/guest.h"
#include "hw/machines/initrd.h"
#include "hw/machines/x86_firmware.h"
#include "hw/machines/x86_kernel.h"
#include "hw/machines/x86_screen.h"
#include "util/bits.h"

/* Guest-physical addresses of what is left for a kernel, below its real-mode area's end. */
enum {
    PAGE_TABLES = 0x4000, /* six pages: 4 GiB one to one */
    STACK_TOP = 0x10000,
    BOOT_PARAMS = 0x10000,
    START_INFO = 0x11000, /* hvm_start_info or multiboot_info, then what they point to */
    MEMORY_MAP = 0x12000,
    COMMAND_LINE = 0x20000,
    COMMAND_LINE_MAX = 0x10000,
    EBDA = 0x9fc00,
    ROM_BASE = 0x100000 - X86_ROM_BYTES,
    ACPI_MAX = 0x18000,
    CODE_OFFSET = 0x1f000, /* in the ROM: start code in its last 64 KiB segment */
    RESET_OFFSET = 0x1fff0,
};
#define FOUR_GIB (UINT64_C(1) << 32)

enum { ELF_386 = 3, ELF_X86_64 = 62 };
enum { E820_RAM = 1, E820_RESERVED = 2 };
enum { MULTIBOOT_LOADER_MAGIC = 0x2badb002, HVM_START_MAGIC = 0x336ec578 };

struct x86_plan {
    struct machine *m;
    const struct x86_boot_info *info;
    struct loader *images;
    struct x86_kernel kernel;
    struct loader_file initrd;
    uint64_t initrd_start, initrd_bytes;
    uint8_t *rom;
};

/* ---- memory ---------------------------------------------------------------------------------- */

bool x86_map_rom(struct machine *m, const uint8_t *data, size_t size, struct error *err)
{
    uint8_t *host = memory_add_rom(m->memory, "bios", FOUR_GIB - size, size, NULL, NULL, err);

    if (host)
        memcpy(host, data, size);
    return host != NULL;
}

bool x86_map_ram(struct machine *m, uint64_t low_max, struct x86_ram *out, struct error *err)
{
    out->low_bytes = MIN(m->ram_bytes, low_max);
    out->high_bytes = m->ram_bytes - out->low_bytes;
    return machine_show_ram(m, low_max, err);
}

struct e820 {
    uint64_t base, size;
    uint32_t type;
};

enum { E820_MAX = 8 };

static unsigned memory_map(const struct x86_ram *ram, struct e820 map[E820_MAX])
{
    unsigned n = 0;

    map[n++] = (struct e820){0, EBDA, E820_RAM};
    map[n++] = (struct e820){EBDA, 0xa0000 - EBDA, E820_RESERVED};
    map[n++] = (struct e820){ROM_BASE, X86_ROM_BYTES, E820_RESERVED};
    map[n++] = (struct e820){MIB, ram->low_bytes - MIB, E820_RAM};
    map[n++] = (struct e820){FOUR_GIB - X86_ROM_BYTES, X86_ROM_BYTES, E820_RESERVED};
    if (ram->high_bytes)
        map[n++] = (struct e820){FOUR_GIB, ram->high_bytes, E820_RAM};
    return n;
}

/* ---- the start code -------------------------------------------------------------------------- */

/* Bytes of the ROM being written. */
struct rom_code {
    uint8_t *at;
};

static void put(struct rom_code *c, const void *bytes, size_t n)
{
    memcpy(c->at, bytes, n);
    c->at += n;
}
#define CODE(c, ...) put(c, (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__}))

static void put32(struct rom_code *c, uint32_t value)
{
    store_le32(c->at, value);
    c->at += 4;
}

static uint32_t rom_address(const struct x86_plan *plan, const uint8_t *at)
{
    return ROM_BASE + (uint32_t)(at - plan->rom);
}

/* Two GDTs as boot.rst asks for: flat code at 0x10 (32-bit, 64-bit), flat data at 0x18. */
enum { SELECTOR_CODE = 0x10, SELECTOR_DATA = 0x18, GDT_BYTES = 0x20 };

static uint8_t *put_gdt(const struct x86_plan *plan, struct rom_code *c, uint64_t code)
{
    const uint64_t gdt[] = {0, 0, code, UINT64_C(0x00cf93000000ffff)};
    uint32_t address = rom_address(plan, c->at);

    for (unsigned i = 0; i < ARRAY_SIZE(gdt); i++) {
        put32(c, (uint32_t)gdt[i]);
        put32(c, (uint32_t)(gdt[i] >> 32));
    }
    uint8_t *pointer = c->at; /* for LGDT */
    CODE(c, GDT_BYTES - 1, 0);
    put32(c, address);
    return pointer;
}

static void put_far_jump(struct rom_code *c, uint32_t target)
{
    CODE(c, 0xea); /* ljmp $SELECTOR_CODE, $target */
    put32(c, target);
    CODE(c, SELECTOR_CODE, 0);
}

static void put_set(struct rom_code *c, uint8_t opcode, uint32_t value)
{
    CODE(c, opcode); /* b8+r: mov $value, %reg */
    put32(c, value);
}

/* 32-bit code: into long mode, if the processor has it; else falls through. */
static void put_enter64(struct rom_code *c, uint32_t gdt64, uint32_t entry)
{
    uint8_t *skip;

    put_set(c, 0xb8, 0x80000001);  /* mov $0x80000001, %eax */
    CODE(c, 0x0f, 0xa2);           /* cpuid */
    CODE(c, 0x0f, 0xba, 0xe2, 29); /* bt $29, %edx: LM */
    CODE(c, 0x73, 0);              /* jnc */
    skip = c->at;
    CODE(c, 0x0f, 0x20, 0xe0, 0x83, 0xc8, 0x20, 0x0f, 0x22, 0xe0); /* CR4.PAE */
    put_set(c, 0xb8, PAGE_TABLES);
    CODE(c, 0x0f, 0x22, 0xd8);                                        /* mov %eax, %cr3 */
    put_set(c, 0xb9, 0xc0000080);                                     /* EFER */
    CODE(c, 0x0f, 0x32);                                              /* rdmsr */
    CODE(c, 0x0d, 0, 1, 0, 0);                                        /* or $LME, %eax */
    CODE(c, 0x0f, 0x30);                                              /* wrmsr */
    CODE(c, 0x0f, 0x20, 0xc0, 0x0d, 0, 0, 0, 0x80, 0x0f, 0x22, 0xc0); /* CR0.PG */
    CODE(c, 0x0f, 0x01, 0x15);                                        /* lgdt */
    put32(c, gdt64);
    put_set(c, 0xbe, BOOT_PARAMS); /* mov $BOOT_PARAMS, %esi */
    put_far_jump(c, entry);
    skip[-1] = (uint8_t)(c->at - skip);
}

static void write_start_code(const struct x86_plan *plan)
{
    const struct x86_kernel *kernel = &plan->kernel;
    struct rom_code c = {plan->rom + CODE_OFFSET};
    bool enter64 = kernel->entry_kind == X86_ENTRY_LINUX64;
    uint32_t gdt32 = rom_address(plan, put_gdt(plan, &c, UINT64_C(0x00cf9b000000ffff)));
    uint32_t gdt64 = rom_address(plan, put_gdt(plan, &c, UINT64_C(0x00af9b000000ffff)));
    uint8_t *start = c.at;

    /* Real mode, CS.base 0xffff0000: the ROM's last 64 KiB. */
    CODE(&c, 0xfa, 0xfc);                   /* cli; cld */
    CODE(&c, 0x66, 0x2e, 0x0f, 0x01, 0x16); /* lgdtl %cs:gdt32 */
    CODE(&c, (uint8_t)gdt32, (uint8_t)(gdt32 >> 8));
    CODE(&c, 0x0f, 0x20, 0xc0, 0x0c, 0x01, 0x0f, 0x22, 0xc0); /* CR0.PE */
    CODE(&c, 0x66);
    put_far_jump(&c, rom_address(plan, c.at) + 7);
    /* Protected mode. */
    CODE(&c, 0x66, 0xb8, SELECTOR_DATA, 0); /* mov $SELECTOR_DATA, %ax */
    CODE(&c, 0x8e, 0xd8, 0x8e, 0xc0, 0x8e, 0xd0, 0x8e, 0xe0, 0x8e, 0xe8); /* ds es ss fs gs */
    put_set(&c, 0xbc, STACK_TOP);                                         /* mov $STACK_TOP, %esp */
    if (enter64)
        put_enter64(&c, gdt64, kernel->entry);
    put_set(&c, 0xb8, kernel->entry_kind == X86_ENTRY_MULTIBOOT ? MULTIBOOT_LOADER_MAGIC : 0);
    put_set(&c, 0xbb, kernel->setup ? 0 : START_INFO);        /* ebx */
    put_set(&c, 0xbe, kernel->setup ? BOOT_PARAMS : 0);       /* esi */
    CODE(&c, 0x31, 0xff, 0x31, 0xed, 0x31, 0xc9, 0x31, 0xd2); /* edi, ebp, ecx, edx = 0 */
    put_far_jump(&c, enter64 ? kernel->entry - 0x200 : kernel->entry);

    c.at = plan->rom + RESET_OFFSET;
    CODE(&c, 0xe9); /* jmp start, within the segment */
    int32_t distance = (int32_t)(start - (c.at + 2));
    CODE(&c, (uint8_t)distance, (uint8_t)(distance >> 8));
}

/* 4 GiB one to one in 2 MiB pages (SDM vol. 3, 4.5). */
static bool add_page_tables(struct x86_plan *plan, struct error *err)
{
    enum { PRESENT_WRITABLE = 3, LARGE = 0x80, PAGE = 4096, N_DIRECTORIES = 4 };
    uint8_t *tables = calloc(2 + N_DIRECTORIES, PAGE);

    if (!tables)
        return error_set(err, "out of memory");
    store_le64(tables, (PAGE_TABLES + PAGE) | PRESENT_WRITABLE);
    for (unsigned i = 0; i < N_DIRECTORIES; i++)
        store_le64(tables + PAGE + i * 8, (PAGE_TABLES + (2 + i) * PAGE) | PRESENT_WRITABLE);
    for (uint64_t i = 0; i < N_DIRECTORIES * 512; i++)
        store_le64(tables + 2 * PAGE + i * 8, i << 21 | LARGE | PRESENT_WRITABLE);
    bool ok = loader_add(plan->images, PAGE_TABLES, tables, (2 + N_DIRECTORIES) * PAGE, 0, err);
    free(tables);
    return ok;
}

/* ---- what the kernel is told ----------------------------------------------------------------- */

static bool add_command_line(struct x86_plan *plan, struct error *err)
{
    const char *append = plan->m->boot.append ? plan->m->boot.append : "";
    size_t length = strlen(append);
    size_t max = MIN(plan->kernel.cmdline_max ? plan->kernel.cmdline_max : 255u,
                     (uint32_t)COMMAND_LINE_MAX - 1);

    if (length > max)
        return error_set(err, "-append has %zu characters; this kernel takes %zu", length, max);
    return loader_add(plan->images, COMMAND_LINE, append, length + 1, 0, err);
}

/* boot.rst and zero-page.rst. */
static bool add_boot_params(struct x86_plan *plan, struct error *err)
{
    enum {
        EXT_MEM_K = 0x002,
        ALT_MEM_K = 0x1e0,
        E820_ENTRIES = 0x1e8,
        VID_MODE = 0x1fa,
        TYPE_OF_LOADER = 0x210,
        LOADFLAGS = 0x211,
        RAMDISK_IMAGE = 0x218,
        RAMDISK_SIZE = 0x21c,
        HEAP_END = 0x224,
        CMD_LINE_PTR = 0x228,
        E820_TABLE = 0x2d0,
    };
    uint8_t *params = plan->kernel.setup;
    uint64_t extended_kib = (plan->info->ram.low_bytes - MIB) / KIB;
    struct e820 map[E820_MAX];
    unsigned n = memory_map(&plan->info->ram, map);

    store_le16(params + EXT_MEM_K, (uint16_t)MIN(extended_kib, 0xffffu));
    store_le32(params + ALT_MEM_K, (uint32_t)extended_kib);
    store_le16(params + VID_MODE, 0xffff); /* "normal" */
    params[TYPE_OF_LOADER] = 0xff;         /* none that has a number */
    params[LOADFLAGS] |= 0x80;             /* CAN_USE_HEAP */
    store_le16(params + HEAP_END, 0xfe00);
    store_le32(params + CMD_LINE_PTR, COMMAND_LINE);
    store_le32(params + RAMDISK_IMAGE, (uint32_t)plan->initrd_start);
    store_le32(params + RAMDISK_SIZE, (uint32_t)plan->initrd_bytes);
    params[E820_ENTRIES] = (uint8_t)n;
    for (unsigned i = 0; i < n; i++) {
        store_le64(params + E820_TABLE + i * 20, map[i].base);
        store_le64(params + E820_TABLE + i * 20 + 8, map[i].size);
        store_le32(params + E820_TABLE + i * 20 + 16, map[i].type);
    }
    return loader_add(plan->images, BOOT_PARAMS, params, 4096, 0, err);
}

/* Xen's public/arch-x86/hvm/start_info.h, version 1. */
static bool add_start_info(struct x86_plan *plan, struct error *err)
{
    enum { MODULE = 64 };
    uint8_t info[MODULE + 32] = {0}, table[E820_MAX * 24] = {0};
    struct e820 map[E820_MAX];
    unsigned n = memory_map(&plan->info->ram, map);

    store_le32(info, HVM_START_MAGIC);
    store_le32(info + 4, 1); /* version */
    store_le32(info + 12, plan->initrd_bytes ? 1 : 0);
    store_le64(info + 16, START_INFO + MODULE);
    store_le64(info + 24, COMMAND_LINE);
    store_le64(info + 32, plan->info->make_acpi ? ROM_BASE : 0);
    store_le64(info + 40, MEMORY_MAP);
    store_le32(info + 48, n);
    store_le64(info + MODULE, plan->initrd_start);
    store_le64(info + MODULE + 8, plan->initrd_bytes);
    for (unsigned i = 0; i < n; i++) {
        store_le64(table + i * 24, map[i].base);
        store_le64(table + i * 24 + 8, map[i].size);
        store_le32(table + i * 24 + 16, map[i].type);
    }
    return loader_add(plan->images, START_INFO, info, sizeof(info), 0, err) &&
           loader_add(plan->images, MEMORY_MAP, table, n * 24, 0, err);
}

/* Multiboot Specification 3.3: memory, command line, modules, map, loader's name. */
static bool add_multiboot_info(struct x86_plan *plan, struct error *err)
{
    enum { MODULE = 128, NAME = 160 };
    uint8_t info[192] = {0}, table[E820_MAX * 24] = {0};
    struct e820 map[E820_MAX];
    unsigned n = memory_map(&plan->info->ram, map);

    store_le32(info, 1 << 0 | 1 << 2 | 1 << 3 | 1 << 6 | 1 << 9);
    store_le32(info + 4, EBDA / KIB);
    store_le32(info + 8, (uint32_t)((plan->info->ram.low_bytes - MIB) / KIB));
    store_le32(info + 16, COMMAND_LINE);
    store_le32(info + 20, plan->initrd_bytes ? 1 : 0);
    store_le32(info + 24, START_INFO + MODULE);
    store_le32(info + 44, n * 24);
    store_le32(info + 48, MEMORY_MAP);
    store_le32(info + 64, START_INFO + NAME);
    store_le32(info + MODULE, (uint32_t)plan->initrd_start);
    store_le32(info + MODULE + 4, (uint32_t)(plan->initrd_start + plan->initrd_bytes));
    store_le32(info + MODULE + 8, COMMAND_LINE);
    memcpy(info + NAME, "calque", 7);
    for (unsigned i = 0; i < n; i++) {
        store_le32(table + i * 24, 20);
        store_le64(table + i * 24 + 4, map[i].base);
        store_le64(table + i * 24 + 12, map[i].size);
        store_le32(table + i * 24 + 20, map[i].type);
    }
    return loader_add(plan->images, START_INFO, info, sizeof(info), 0, err) &&
           loader_add(plan->images, MEMORY_MAP, table, n * 24, 0, err);
}

/* ---- a kernel without firmware --------------------------------------------------------------- */

/* As high as the kernel can take it, page-aligned, above what the kernel needs. */
static bool place_initrd(struct x86_plan *plan, struct error *err)
{
    const struct machine *m = plan->m;
    unsigned machine = strcmp(m->class->guest, "i386") ? ELF_X86_64 : ELF_386;
    uint64_t top = MIN(plan->info->ram.low_bytes, plan->kernel.initrd_max + 1);
    char need[32], have[32];

    if (!m->boot.initrd)
        return true;
    if (!loader_read_file(&plan->initrd, "-initrd", m->boot.initrd, m->ram_bytes, err) ||
        !initrd_check(&plan->initrd, machine, err))
        return false;
    plan->initrd_bytes = plan->initrd.size;
    plan->initrd_start = (top - MIN(top, plan->initrd_bytes)) & ~UINT64_C(0xfff);
    if (plan->initrd_start < plan->kernel.end)
        return error_set(err, "%s does not fit: kernel and initrd need %s of memory, -m gives %s",
                         plan->initrd.what,
                         loader_size(plan->kernel.end + plan->initrd_bytes, need),
                         loader_size(plan->info->ram.low_bytes, have));
    return loader_add_file(plan->images, plan->initrd_start, &plan->initrd, err);
}

static bool place_acpi(struct x86_plan *plan, struct error *err)
{
    size_t size;
    uint8_t *tables;

    if (!plan->info->make_acpi)
        return true;
    tables = plan->info->make_acpi(plan->m, ROM_BASE, &size, err);
    if (!tables)
        return false;
    if (size > ACPI_MAX)
        return error_set(err, "the machine's ACPI tables have %zu bytes, more than fit", size);
    memcpy(plan->rom, tables, size);
    free(tables);
    return true;
}

static bool plan_kernel(struct x86_plan *plan, struct error *err)
{
    struct machine *m = plan->m;
    struct loader_file file;
    bool wide = strcmp(m->class->guest, "i386") != 0;

    if (!loader_read_file(&file, "-kernel", m->boot.kernel, m->ram_bytes, err) ||
        !x86_kernel_load(&file, m->memory, plan->info->ram.low_bytes, wide, plan->images,
                         &plan->kernel, err) ||
        !place_initrd(plan, err) || !add_command_line(plan, err) || !place_acpi(plan, err))
        return false;
    write_start_code(plan);
    switch (plan->kernel.entry_kind) {
    case X86_ENTRY_LINUX64:
        return add_page_tables(plan, err) && add_boot_params(plan, err);
    case X86_ENTRY_LINUX32:
        return add_boot_params(plan, err);
    case X86_ENTRY_PVH:
        return add_start_info(plan, err);
    case X86_ENTRY_MULTIBOOT:
        return add_multiboot_info(plan, err);
    }
    return true;
}

/* ---- boot ------------------------------------------------------------------------------------ */

static bool plan_direct(struct x86_plan *plan, struct error *err)
{
    plan->rom = calloc(1, X86_ROM_BYTES);
    if (!plan->rom)
        return error_set(err, "out of memory");
    /* Below 1 MiB it is RAM, as after a firmware has copied itself: the FACS is written to. */
    bool ok = plan_kernel(plan, err) && x86_map_rom(plan->m, plan->rom, X86_ROM_BYTES, err) &&
              loader_add(plan->images, ROM_BASE, plan->rom, X86_ROM_BYTES, 0, err);
    free(plan->rom);
    return ok;
}

bool x86_boot_init(struct machine *m, struct x86_boot_info *info, struct error *err)
{
    struct x86_plan plan = {.m = m, .info = info, .images = loader_create()};

    if (!plan.images)
        return error_set(err, "out of memory");
    m->loader = plan.images;
    m->loader_destroy = loader_destroy;
    bool ok =
        m->boot.kernel && !m->boot.bios ? plan_direct(&plan, err) : x86_firmware_init(m, info, err);
    loader_file_free(&plan.initrd);
    info->linux_params = plan.kernel.setup != NULL;
    free(plan.kernel.setup);
    return ok;
}

/* The screen's part of boot_params: before and after ext_mem_k. */
static void start_screen(struct machine *m, const struct x86_boot_info *info)
{
    enum { BEFORE = 2, AFTER = 4 };
    uint8_t screen[X86_SCREEN_INFO_BYTES];

    if (!x86_screen_start(m, screen) || !info->linux_params)
        return;
    memory_write(m->memory, BOOT_PARAMS, screen, BEFORE);
    memory_write(m->memory, BOOT_PARAMS + AFTER, screen + AFTER, sizeof(screen) - AFTER);
}

bool x86_boot(struct machine *m, struct x86_boot_info *info, struct error *err)
{
    loader_write(m->loader, m->memory);
    if (m->boot.kernel && !m->boot.bios)
        start_screen(m, info);
    if (!m->boot.kernel || m->boot.bios)
        x86_firmware_boot(m, info);
    info->started = true;
    return true;
}
