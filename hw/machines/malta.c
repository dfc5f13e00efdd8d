/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MIPS Malta (MD00048) with a CoreLV card: GT-64120 system controller, PIIX4 south bridge with the
 * ISA devices of its super I/O chip, PCnet, an FPGA on the CBUS, 4 MiB of flash. The boot ROM shows
 * what the flash holds at reset, with the board's revision in the third doubleword; without -bios
 * it has start code of ours, which leaves the board as YAMON does.
 *
 * RAM of any size is at 0x80000000, the first 256 MiB of it at 0 and what is beyond 512 MiB at
 * 0x20000000, too.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "exec/vcpu.h"
#include "frontend/guest.h"
#include "hw/acpi/piix4_pm.h"
#include "hw/intc/i8259.h"
#include "hw/machine.h"
#include "hw/machines/initrd.h"
#include "hw/machines/isa_devices.h"
#include "hw/machines/mips_kernel.h"
#include "hw/machines/yamon.h"
#include "hw/misc/malta_fpga.h"
#include "util/bits.h"

enum {
    LOW_RAM = 256 * 1024 * 1024,
    FLASH = 0x1e000000,
    BOOT_ROM = 0x1fc00000,
    FLASH_BYTES = 4 * 1024 * 1024,
    REVISION_AT = 0x10,
    REVISION = 0x420, /* CORID 1: CoreLV */
    GT_AT_RESET = 0x14000000,
    GT = 0x1be00000,
    IO = 0x18000000,
    ENVIRONMENT = 0x2000,
    PAGE = 64 * 1024,
    COMMAND_LINE_MAX = 4096,
    CPU_HZ = 320000000,
};
enum { CPU_PIC = 2, CPU_CBUS_UART = 4, CPU_CORE_HIGH = 5 }; /* the processor's interrupt pins */
#define HIGH_RAM UINT64_C(0x80000000)
#define MIDDLE_RAM UINT64_C(0x20000000)

struct malta {
    uint8_t *boot_rom;
    uint8_t start_code[YAMON_ROM_BYTES]; /* without -bios */
};

/* PIIX4 is in slot 10, the network in 11; slot 18 is the first for cards. */
#define MALTA_DEVICES(endian, big_endian)                                                          \
    {"i8259", "pic0", 0x20, "cpu", CPU_PIC, NULL, "base1=0x4d0"},                                  \
        {"i8259", "pic1", 0xa0, "pic0", 2, NULL, "base1=0x4d1"},                                   \
        {"gsi", "gsi", 0, NULL, 0, NULL, NULL},                                                    \
        {"gt64120",                                                                                \
         "gt64120",                                                                                \
         0,                                                                                        \
         "cpu",                                                                                    \
         CPU_CORE_HIGH,                                                                            \
         NULL,                                                                                     \
         "pic=pic0,first-slot=18,last-slot=21,endian=" endian},                                    \
        {"piix4-isa", "piix4", 0, "gsi", 0, NULL, "bus=pci.0,addr=a.0,pirq-shift=2"},              \
        {"piix4-ide", "ide", 0, "gsi", 14, NULL, "bus=pci.0,addr=a.1"}, IDE_DRIVES,                \
        {"piix4-usb-uhci", "usb", 0, NULL, 0, NULL, "bus=pci.0,addr=a.2"},                         \
        {"piix4-pm", "power-key", 0, "gsi", 9, NULL, "bus=pci.0,addr=a.3"},                        \
        {"i8237", "dma", 0, NULL, 0, NULL, "base1=0xc0,base2=0x80"},                               \
        {"i8254", "pit", 0x40, "gsi", 0, NULL, NULL},                                              \
        {"pc-speaker", "speaker", 0x61, NULL, 0, NULL, NULL}, ISA_CLOCK_AND_KEYBOARD,              \
        ISA_SUPER_IO,                                                                              \
        {"cfi.pflash01",                                                                           \
         "flash",                                                                                  \
         FLASH,                                                                                    \
         NULL,                                                                                     \
         0,                                                                                        \
         NULL,                                                                                     \
         "size=0x400000,sector=0x10000,chip=4,big-endian=" big_endian},                            \
        {"malta-fpga", "fpga", 0x1f000000, NULL, 0, NULL, "endian=" endian},                       \
        {"serial-mm", "serial2", 0x1f000900, "cpu", CPU_CBUS_UART, "serial2", "clock-hz=3686400"}, \
        {"pcnet", "net", 0, NULL, 0, "net0", "bus=pci.0,addr=b.0"},                                \
        {"cirrus-vga", "vga", 0, NULL, 0, NULL, "bus=pci.0,addr=12.0"},                            \
    {                                                                                              \
        NULL                                                                                       \
    }
static const struct machine_device little_devices[] = {MALTA_DEVICES("little", "off")};
static const struct machine_device big_devices[] = {MALTA_DEVICES("big", "on")};

static const struct machine_wire malta_wires[] = {
    GSI_TO_PICS,
    {"i8042", 1, "gsi", 12},
    {NULL},
};

static bool malta_wants(const struct machine *m, const struct machine_device *entry)
{
    return strcmp(entry->id, "vga") != 0 || !m->boot.no_vga;
}

/* ---- what the start code sets ----------------------------------------------------------------
 */

enum store_kind { STORE_GT, STORE_CONFIG, STORE_PORT };
struct board_store {
    enum store_kind kind;
    uint16_t where; /* GT: the register; CONFIG: slot << 11 | function << 8 | register */
    uint32_t value;
};

enum { FUNCTION_ISA = 10 << 11, FUNCTION_IDE = 10 << 11 | 1 << 8, FUNCTION_PM = 10 << 11 | 3 << 8 };
enum { FUNCTION_VGA = 18 << 11 };

static const struct board_store board_stores[] = {
    /* PCI I/O at 0x18000000, PCI memory at 0x10000000 to 0x17dfffff and 0x18200000 to 0x1bdfffff */
    {STORE_GT, 0x048, 0xc0},
    {STORE_GT, 0x050, 0x40},
    {STORE_GT, 0x0f0, 0x00},
    {STORE_GT, 0x058, 0x80},
    {STORE_GT, 0x060, 0x3f},
    {STORE_GT, 0x080, 0xc1},
    {STORE_GT, 0x088, 0x5e},
    /* PIRQ A and B on 10, C and D on 11, both level-triggered */
    {STORE_CONFIG, FUNCTION_ISA | 0x60, 0x0b0b0a0a},
    {STORE_PORT, 0x4d1, 0x0c},
    /* both IDE channels decoded */
    {STORE_CONFIG, FUNCTION_IDE | 0x40, 0x80008000},
    {STORE_CONFIG, FUNCTION_IDE | 0x04, 0x00000001},
    /* power management at 0x1000, SMBus at 0x1100 with interrupt 9 */
    {STORE_CONFIG, FUNCTION_PM | 0x40, 0x00001001},
    {STORE_CONFIG, FUNCTION_PM | 0x80, 0x00000001},
    {STORE_CONFIG, FUNCTION_PM | 0x90, 0x00001101},
    {STORE_CONFIG, FUNCTION_PM | 0xd0, 0x00090000},
    /* the display adapter's ports, which no BAR shows: kernels take them for granted */
    {STORE_CONFIG, FUNCTION_VGA | 0x04, 0x00000001},
};
enum { MOST_STORES = 2 * ARRAY_SIZE(board_stores) + 2 };

#define KSEG1 0xa0000000u

/* Registers of the GT-64120 are little-endian, configuration data the CPU's. */
static unsigned make_stores(struct yamon_store *out, bool big_endian)
{
    unsigned n = 0;

#define GT_ORDER(value) (big_endian ? __builtin_bswap32(value) : (value))
    out[n++] = (struct yamon_store){KSEG1 + GT_AT_RESET + 0x68, GT_ORDER(GT >> 21), false};
    for (unsigned i = 0; i < ARRAY_SIZE(board_stores); i++) {
        const struct board_store *s = &board_stores[i];
        switch (s->kind) {
        case STORE_GT:
            out[n++] = (struct yamon_store){KSEG1 + GT + s->where, GT_ORDER(s->value), false};
            break;
        case STORE_CONFIG:
            out[n++] =
                (struct yamon_store){KSEG1 + GT + 0xcf8, GT_ORDER(0x80000000u | s->where), false};
            out[n++] = (struct yamon_store){KSEG1 + GT + 0xcfc, s->value, false};
            break;
        case STORE_PORT:
            out[n++] = (struct yamon_store){KSEG1 + IO + s->where, s->value, true};
            break;
        }
    }
#undef GT_ORDER
    out[n] = (struct yamon_store){0};
    return n;
}

/* ---- memory ----------------------------------------------------------------------------------
 */

static bool map_ram(struct machine *m, struct error *err)
{
    const struct memory_window windows[] = {
        {.base = 0, .size = MIN(m->ram_bytes, (uint64_t)LOW_RAM)},
        {.base = HIGH_RAM, .size = m->ram_bytes},
        {.offset = 2 * (uint64_t)LOW_RAM,
         .base = MIDDLE_RAM,
         .size = m->ram_bytes > 2 * (uint64_t)LOW_RAM ? m->ram_bytes - 2 * (uint64_t)LOW_RAM : 0},
    };

    return machine_show_ram_windows(m, windows, ARRAY_SIZE(windows), err);
}

/* Serial presence detect of one SDRAM module (JEDEC standard 21-C, 4.1.2.5): at most two rows of at
 * most 512 MiB. */
static void make_spd(uint8_t *spd, uint64_t ram_bytes)
{
    static const uint8_t module[] = {
        0x80, 8, 4, 13, 10, 0, 64, 0, 1, 0x75, 0x54, 0,  0x82, 8, 0,    1,    0x8f, 4,
        2,    1, 1, 0,  0,  0, 0,  0, 0, 20,   15,   20, 45,   0, 0x15, 0x08, 0x15, 0x08,
    };
    uint64_t left = ram_bytes / MIB;
    unsigned sum = 0;

    memset(spd, 0, SMBUS_EEPROM_SIZE);
    memcpy(spd, module, sizeof(module));
    for (; left >= 4 && spd[5] < 2; spd[5]++) {
        unsigned row = MIN(512u, 1u << (63 - __builtin_clzll(left)));
        spd[31] |= (uint8_t)(row / 4);
        left -= row;
    }
    spd[62] = 0x12; /* SPD revision 1.2 */
    for (unsigned i = 0; i < 63; i++)
        sum += spd[i];
    spd[63] = (uint8_t)sum;
}

static bool malta_init(struct machine *m, struct error *err)
{
    struct malta *board = calloc(1, sizeof(*board));
    struct device *flash = machine_find_device(m, "flash");
    uint8_t spd[SMBUS_EEPROM_SIZE];

    if (!board)
        return error_set(err, "out of memory");
    m->data = board;
    if (!map_ram(m, err))
        return false;
    board->boot_rom = memory_add_rom(m->memory, "boot-rom", BOOT_ROM, FLASH_BYTES, NULL, NULL, err);
    if (!board->boot_rom)
        return false;
    memset(device_region_memory(flash, 0, NULL), 0xff, FLASH_BYTES);
    i8259_set_slave(machine_find_device(m, "pic0"), machine_find_device(m, "pic1"), 2);
    make_spd(spd, m->ram_bytes);
    piix4_pm_set_eeprom(machine_find_device(m, "power-key"), 0, spd);
    malta_fpga_set_eeprom(machine_find_device(m, "fpga"), spd);
    return true;
}

static void malta_finish(struct machine *m)
{
    free(m->data);
}

/* ---- kernel ----------------------------------------------------------------------------------
 */

struct boot_plan {
    struct machine *m;
    struct loader *images;
    struct mips_kernel kernel;
    struct loader_file initrd;
    gpa initrd_start;
    uint64_t initrd_bytes;
};

static uint64_t low_ram(const struct machine *m)
{
    return MIN(m->ram_bytes, (uint64_t)LOW_RAM);
}

/* As high as it goes, so that a kernel may move and unpack itself; but the last page is one that
 * big-endian kernels leave alone. */
static bool place_initrd(struct boot_plan *plan, struct error *err)
{
    const struct machine *m = plan->m;
    char size[32], have[32];

    if (!m->boot.initrd)
        return true;
    if (!loader_read_file(&plan->initrd, "-initrd", m->boot.initrd, m->ram_bytes, err) ||
        !initrd_check(&plan->initrd, ELF_MACHINE_MIPS, err))
        return false;
    plan->initrd_bytes = plan->initrd.size;
    gpa top = low_ram(m) - PAGE, lowest = plan->kernel.end + 2 * PAGE;
    if (plan->initrd_bytes > top || align_down(top - plan->initrd_bytes, PAGE) < lowest)
        return error_set(err,
                         "%s does not fit: its %s do not go beside the kernel into the first %s of "
                         "memory",
                         plan->initrd.what, loader_size(plan->initrd_bytes, size),
                         loader_size(low_ram(m), have));
    plan->initrd_start = align_down(top - plan->initrd_bytes, PAGE);
    return loader_add_file(plan->images, plan->initrd_start, &plan->initrd, err);
}

static void set_number(struct yamon_data *data, const char *name, uint64_t value)
{
    char text[24];

    snprintf(text, sizeof(text), "%" PRIu64, value);
    yamon_set(data, name, text);
}

static void set_random_seed(struct yamon_data *data)
{
    uint8_t seed[32];
    char text[2 * sizeof(seed) + 1];

    if (getrandom(seed, sizeof(seed), GRND_NONBLOCK) != sizeof(seed))
        return;
    for (unsigned i = 0; i < sizeof(seed); i++)
        snprintf(text + 2 * i, 3, "%02x", seed[i]);
    yamon_set(data, "rngseed", text);
}

static void make_environment(const struct boot_plan *plan, struct yamon_data *data)
{
    const struct machine *m = plan->m;
    const char *append = m->boot.append ? m->boot.append : "";
    char line[COMMAND_LINE_MAX + 64];
    int used = 0;

    yamon_data_init(data, ENVIRONMENT, m->cpu->guest->big_endian);
    if (plan->initrd_bytes) /* a virtual address, its sign extended */
        used = snprintf(line, sizeof(line), "rd_start=0x%016" PRIx64 " rd_size=%" PRIu64 "%s",
                        UINT64_C(0xffffffff80000000) | plan->initrd_start, plan->initrd_bytes,
                        *append ? " " : "");
    snprintf(line + used, sizeof(line) - (size_t)used, "%s", append);
    yamon_add_argument(data, m->boot.kernel);
    yamon_add_argument(data, line);
    set_number(data, "memsize", low_ram(m));
    set_number(data, "ememsize", m->ram_bytes);
    set_number(data, "cpufreq", CPU_HZ);
    yamon_set(data, "modetty0", "38400,n,8,1,hw");
    set_random_seed(data);
}

static bool plan_kernel(struct boot_plan *plan, struct error *err)
{
    struct machine *m = plan->m;
    struct malta *board = m->data;
    const struct guest *guest = m->cpu->guest;
    struct mips_kernel_target target = {.memory = m->memory,
                                        .ram_bytes = m->ram_bytes,
                                        .big_endian = guest->big_endian,
                                        .wide = strncmp(guest->name, "mips64", 6) == 0};
    struct yamon_store stores[MOST_STORES];
    struct yamon_data data;
    struct loader_file file;

    if (!loader_read_file(&file, "-kernel", m->boot.kernel, m->ram_bytes, err) ||
        !mips_kernel_load(&file, &target, plan->images, &plan->kernel, err) ||
        !place_initrd(plan, err))
        return false;
    make_environment(plan, &data);
    make_stores(stores, guest->big_endian);
    struct yamon_start start = {
        .big_endian = guest->big_endian,
        .stores = stores,
        .argc = data.argc,
        .argv = yamon_argv(&data),
        .envp = yamon_envp(&data),
        .memory = (uint32_t)low_ram(m),
        .stack = 0x80000000u + ENVIRONMENT - 64,
        .entry = plan->kernel.entry,
    };
    if (data.full || !yamon_make_rom(board->start_code, &start))
        return error_set(err, "machine '%s': arguments and environment do not fit", m->class->name);
    return loader_add(plan->images, ENVIRONMENT, data.bytes, sizeof(data.bytes), sizeof(data.bytes),
                      err);
}

/* ---- firmware --------------------------------------------------------------------------------
 */

static bool is_branch(uint32_t insn)
{
    return insn >> 16 == 0x1000 || insn >> 16 == 0x0411 || insn >> 26 == 2; /* B, BAL, J */
}

/* Images for the board's flash have big-endian words, which its bus shows to either processor:
 * YAMON has code for both. Images that are what a little-endian processor sees are told by their
 * first instructions: they have to go around the revision register. */
static bool has_big_endian_words(const uint8_t *image, size_t size)
{
    for (size_t i = 0; i < MIN(size & ~(size_t)3, (size_t)REVISION_AT); i += 4) {
        if (is_branch(load_be32(image + i)))
            return true;
        if (is_branch(load_le32(image + i)))
            return false;
    }
    return true;
}

static bool plan_firmware(struct boot_plan *plan, struct error *err)
{
    struct machine *m = plan->m;
    struct device *flash = machine_find_device(m, "flash");
    uint8_t *array = device_region_memory(flash, 0, NULL);
    struct loader_file file;

    if (!loader_read_file(&file, "-bios", m->boot.bios, FLASH_BYTES, err))
        return false;
    memcpy(array, file.data, file.size);
    if (!m->cpu->guest->big_endian && has_big_endian_words(file.data, file.size)) {
        for (size_t i = 0; i < file.size; i += 4)
            store_le32(array + i, load_be32(array + i));
    }
    loader_file_free(&file);
    return true;
}

/* ---- boot ------------------------------------------------------------------------------------
 */

static bool check_options(const struct machine *m, struct error *err)
{
    const struct boot_options *boot = &m->boot;
    const char *name = m->class->name;
    char path[2];

    if (boot->dtb || boot->dumpdtb || machine_prop_string(m, "dumpdtb", path, sizeof(path)))
        return error_set(err, "-dtb: machine '%s' has no device tree; its kernels bring their own",
                         name);
    if (boot->kernel && boot->bios)
        return error_set(err, "-kernel and -bios exclude each other on machine '%s'", name);
    if (!boot->kernel && boot->initrd)
        return error_set(err, "-initrd '%s' needs a -kernel", boot->initrd);
    if (!boot->kernel && boot->append)
        return error_set(err, "-append needs a -kernel");
    if (!boot->kernel && !boot->bios)
        return error_set(err, "machine '%s' needs a -kernel, or firmware by -bios", name);
    if (boot->append && strlen(boot->append) >= COMMAND_LINE_MAX)
        return error_set(err, "-append is longer than %d bytes", COMMAND_LINE_MAX - 1);
    return true;
}

/* First boot: reads everything and works out the addresses. */
static struct loader *prepare(struct machine *m, struct error *err)
{
    struct boot_plan plan = {.m = m};

    if (!check_options(m, err))
        return NULL;
    plan.images = loader_create();
    bool ok = plan.images ? true : error_set(err, "out of memory");
    if (ok)
        ok = m->boot.bios ? plan_firmware(&plan, err) : plan_kernel(&plan, err);
    loader_file_free(&plan.initrd);
    if (ok)
        return plan.images;
    loader_destroy(plan.images);
    return NULL;
}

static bool malta_boot(struct machine *m, struct error *err)
{
    struct malta *board = m->data;

    if (!m->loader) {
        m->loader = prepare(m, err);
        m->loader_destroy = loader_destroy;
    }
    if (!m->loader)
        return false;
    loader_write(m->loader, m->memory);
    if (m->boot.bios)
        memcpy(board->boot_rom, device_region_memory(machine_find_device(m, "flash"), 0, NULL),
               FLASH_BYTES);
    else
        memcpy(board->boot_rom, board->start_code, sizeof(board->start_code));
    if (m->cpu->guest->big_endian)
        store_be32(board->boot_rom + REVISION_AT, REVISION);
    else
        store_le32(board->boot_rom + REVISION_AT, REVISION);
    memory_changed(m->memory, BOOT_ROM, FLASH_BYTES);
    return true;
}

#define MALTA(guest_name, order)                                                                   \
    static const struct machine_class malta_##guest_name = {                                       \
        .name = "malta",                                                                           \
        .description = "MIPS Malta (CoreLV)",                                                      \
        .guest = #guest_name,                                                                      \
        .default_ram_bytes = 128 * MIB,                                                            \
        .min_ram_bytes = 8 * MIB,                                                                  \
        .max_ram_bytes = 2 * GIB,                                                                  \
        .is_default = true,                                                                        \
        .has_ports = true,                                                                         \
        .maps_ram = true,                                                                          \
        .devices = order##_devices,                                                                \
        .wires = malta_wires,                                                                      \
        .wants = malta_wants,                                                                      \
        .init = malta_init,                                                                        \
        .boot = malta_boot,                                                                        \
        .finish = malta_finish,                                                                    \
    };                                                                                             \
    REGISTER(machine_class, malta_##guest_name)
MALTA(mips, big);
MALTA(mipsel, little);
MALTA(mips64, big);
MALTA(mips64el, little);
