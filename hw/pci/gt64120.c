/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Galileo GT-64120 system controller for R4xxx and R5000 processors (data sheet 1.4): where the CPU
 * sees the registers, PCI_0's I/O and its two stretches of memory; configuration cycles and
 * interrupt acknowledge on PCI_0; interrupt cause and mask; timers. SDRAM and device banks hold
 * what is written: the board shows its memory where firmware puts it. PCI_1 is not there, the DMA
 * engines and I2O registers are not modelled.
 *
 * Registers are little-endian for either CPU. Data of the PCI bus keep the addresses of their bytes
 * when PCI_0 Command's MByteSwap says what the CPU's order asks for (0 with a big-endian one); that
 * is what is done whatever it says, except for configuration data, which also follows it.
 *
 * Region 0: the registers. Output 0: the CPU's interrupt. Properties: endian (big or little, the
 * order sampled at reset), freq (of TClk), pic (id of the interrupt controller that answers
 * interrupt acknowledge cycles).
 */
#include <string.h>

#include "hw/intc/i8259.h"
#include "hw/machine.h"
#include "hw/pci/pci.h"
#include "hw/timer/countdown.h"
#include "util/bits.h"

enum gt_register {
    CPU_CONFIG = 0x000,
    PCI0_IO_LOW = 0x048,
    PCI0_IO_HIGH = 0x050,
    PCI0_MEM0_LOW = 0x058,
    PCI0_MEM0_HIGH = 0x060,
    INTERNAL_SPACE = 0x068,
    ERROR_ADDRESS = 0x070,
    ERROR_ADDRESS_HIGH = 0x078,
    PCI0_MEM1_LOW = 0x080,
    PCI0_MEM1_HIGH = 0x088,
    PCI0_IO_REMAP = 0x0f0,
    PCI0_MEM0_REMAP = 0x0f8,
    PCI0_MEM1_REMAP = 0x100,
    DMA_CONTROL = 0x840,
    TIMER_COUNT = 0x850,
    TIMER_CONTROL = 0x864,
    PCI0_COMMAND = 0xc00,
    INTERRUPT_CAUSE = 0xc18,
    CPU_INTERRUPT_MASK = 0xc1c,
    PCI0_INTERRUPT_ACKNOWLEDGE = 0xc34,
    CONFIG_ADDRESS = 0xcf8,
    CONFIG_DATA = 0xcfc,
    ISD_BYTES = 0x1000,
};
enum {
    CPU_CONFIG_LITTLE = 1 << 12,
    COMMAND_MASTER_NO_SWAP = 1 << 0,
    COMMAND_LITTLE = 1 << 16 | 1 << 0,
    CAUSE_SUMMARY = 1 << 0,
    CAUSE_CPU_OUT = 1 << 3,
    CAUSE_TIMER = 1 << 8, /* and the next three */
    CAUSE_MASTER_ABORT = 1 << 18,
    CAUSE_CPU_SUMMARY = 1 << 30,
    CAUSE_EVENTS = 0x3ffffffe,
    SELF = 0x00fff800, /* of the configuration address: zero for the GT-64120 itself */
};
enum { N_TIMERS = 4, DECODE_SHIFT = 21, LOW_BITS = 0x7fff, HIGH_BITS = 0x7f, REMAP_BITS = 0x7ff };
enum { PORTS = 0x10000, WINDOW_MAX = 1 << 28, ADDRESS_SPACE = 1 << 29 };
enum { LAYER_PCI_HOLE = -2, LAYER_NOTHING = -3 };
enum gt_window { WINDOW_IO, WINDOW_MEM0, WINDOW_MEM1, WINDOW_NOTHING, N_WINDOWS };

/* What has a reset value or can be written. Registers that the PCI_1 unit or multi-GT systems have
 * are there, as software saves and sets them. */
static const struct gt_reset {
    uint16_t offset;
    uint32_t value, writable;
} gt_registers[] = {
    /* CPU interface: configuration, decoding, remapping */
    {CPU_CONFIG, 0, 0x0003efff},
    {0x008, 0x000, LOW_BITS},
    {0x010, 0x07, HIGH_BITS},
    {0x018, 0x008, LOW_BITS},
    {0x020, 0x0f, HIGH_BITS},
    {0x028, 0x0e0, LOW_BITS},
    {0x030, 0x70, HIGH_BITS},
    {0x038, 0x0f8, LOW_BITS},
    {0x040, 0x7f, HIGH_BITS},
    {PCI0_IO_LOW, 0x080, LOW_BITS},
    {PCI0_IO_HIGH, 0x0f, HIGH_BITS},
    {PCI0_MEM0_LOW, 0x090, LOW_BITS},
    {PCI0_MEM0_HIGH, 0x1f, HIGH_BITS},
    {INTERNAL_SPACE, 0x0a0, LOW_BITS},
    {ERROR_ADDRESS, 0, 0},
    {ERROR_ADDRESS_HIGH, 0, 0},
    {PCI0_MEM1_LOW, 0x790, LOW_BITS},
    {PCI0_MEM1_HIGH, 0x1f, HIGH_BITS},
    {0x090, 0x100, LOW_BITS},
    {0x098, 0x0f, HIGH_BITS},
    {0x0a0, 0x110, LOW_BITS},
    {0x0a8, 0x1f, HIGH_BITS},
    {0x0b0, 0x120, LOW_BITS},
    {0x0b8, 0x2f, HIGH_BITS},
    {0x0c0, 0, 0}, /* synchronisation barriers: everything is done already */
    {0x0c8, 0, 0},
    {0x0d0, 0x000, REMAP_BITS},
    {0x0d8, 0x008, REMAP_BITS},
    {0x0e0, 0x0e0, REMAP_BITS},
    {0x0e8, 0x0f8, REMAP_BITS},
    {PCI0_IO_REMAP, 0x080, REMAP_BITS},
    {PCI0_MEM0_REMAP, 0x090, REMAP_BITS},
    {PCI0_MEM1_REMAP, 0x790, REMAP_BITS},
    {0x108, 0x100, REMAP_BITS},
    {0x110, 0x110, REMAP_BITS},
    {0x118, 0x120, REMAP_BITS},
    {0x120, 0x3, 0x3},
    {0x128, 0xffffffff, 0},
    {0x130, 0xffffffff, 0},
    {0x138, 0xff, 0},
    /* SDRAM and device banks */
    {0x400, 0x00, 0xff},
    {0x404, 0x07, 0xff},
    {0x408, 0x08, 0xff},
    {0x40c, 0x0f, 0xff},
    {0x410, 0x10, 0xff},
    {0x414, 0x17, 0xff},
    {0x418, 0x18, 0xff},
    {0x41c, 0x1f, 0xff},
    {0x420, 0xc0, 0xff},
    {0x424, 0xc7, 0xff},
    {0x428, 0xc8, 0xff},
    {0x42c, 0xcf, 0xff},
    {0x430, 0xd0, 0xff},
    {0x434, 0xdf, 0xff},
    {0x438, 0xf0, 0xff},
    {0x43c, 0xfb, 0xff},
    {0x440, 0xfc, 0xff},
    {0x444, 0xff, 0xff},
    {0x448, 0x00000200, 0x0079ffff},
    {0x44c, 0x00000005, 0x00003fff},
    {0x450, 0x00000005, 0x00003fff},
    {0x454, 0x00000005, 0x00003fff},
    {0x458, 0x00000005, 0x00003fff},
    {0x45c, 0x386fffff, 0x7fffffff},
    {0x460, 0x386fffff, 0x7fffffff},
    {0x464, 0x386fffff, 0x7fffffff},
    {0x468, 0x386fffff, 0x7fffffff},
    {0x46c, 0x146fffff, 0x7fffffff},
    {0x470, 0xffffffff, 0},
    {0x474, 0, 0x7},
    {0x478, 0x7, 0xffff},
    {0x47c, 0x2, 0x7},
    {0x480, 0, 0},
    {0x484, 0, 0},
    {0x488, 0, 0},
    {0x48c, 0, 0},
    {0x490, 0, 0},
    /* DMA records, controls, arbiter; timers */
    {0x800, 0, 0xffffffff},
    {0x804, 0, 0xffffffff},
    {0x808, 0, 0xffffffff},
    {0x80c, 0, 0xffffffff},
    {0x810, 0, 0xffffffff},
    {0x814, 0, 0xffffffff},
    {0x818, 0, 0xffffffff},
    {0x81c, 0, 0xffffffff},
    {0x820, 0, 0xffffffff},
    {0x824, 0, 0xffffffff},
    {0x828, 0, 0xffffffff},
    {0x82c, 0, 0xffffffff},
    {0x830, 0, 0xffffffff},
    {0x834, 0, 0xffffffff},
    {0x838, 0, 0xffffffff},
    {0x83c, 0, 0xffffffff},
    {DMA_CONTROL, 0, 0xffffffff},
    {0x844, 0, 0xffffffff},
    {0x848, 0, 0xffffffff},
    {0x84c, 0, 0xffffffff},
    {TIMER_COUNT, 0xffffffff, 0xffffffff},
    {0x854, 0x00ffffff, 0x00ffffff},
    {0x858, 0x00ffffff, 0x00ffffff},
    {0x85c, 0x00ffffff, 0x00ffffff},
    {0x860, 0, 0x7fff},
    {TIMER_CONTROL, 0, 0xff},
    {0x870, 0, 0xffffffff},
    {0x874, 0, 0xffffffff},
    {0x878, 0, 0xffffffff},
    {0x87c, 0, 0xffffffff},
    /* PCI_0 */
    {PCI0_COMMAND, 0, 0x00017ff1},
    {0xc04, 0x0000070f, 0x00ffffff},
    {0xc08, 0x00fff000, 0xfffff000},
    {0xc0c, 0x00fff000, 0xfffff000},
    {0xc10, 0x01fff000, 0xfffff000},
    {0xc14, 0x00fff000, 0xfffff000},
    {INTERRUPT_CAUSE, 0, 0},
    {CPU_INTERRUPT_MASK, 0, CAUSE_EVENTS},
    {0xc24, 0, CAUSE_EVENTS},
    {0xc28, 0, 0x7f},
    {PCI0_INTERRUPT_ACKNOWLEDGE, 0, 0},
    {0xc3c, 0x0f, 0x1ff},
    {0xc40, 0x40, 0x7f},
    {0xc48, 0x00000000, 0xfffff000},
    {0xc4c, 0x01000000, 0xfffff000},
    {0xc50, 0x1c000000, 0xfffff000},
    {0xc54, 0x1f000000, 0xfffff000},
    {0xc58, 0x00000000, 0xfffff000},
    {0xc5c, 0x01000000, 0xfffff000},
    {0xc64, 0x1f000000, 0xfffff000},
    {0xc70, 0, 0xff},
    {0xc74, 0, 0xff},
    /* PCI_1: its registers, but no bus */
    {0xc30, 0xffffffff, 0},
    {0xc80, 0, 0x00017ff1},
    {0xc84, 0x0000070f, 0x00ffffff},
    {0xc88, 0x00fff000, 0xfffff000},
    {0xc8c, 0x00fff000, 0xfffff000},
    {0xc90, 0x01fff000, 0xfffff000},
    {0xc94, 0x00fff000, 0xfffff000},
    {0xc98, 0, 0},
    {0xc9c, 0, CAUSE_EVENTS},
    {0xca4, 0, CAUSE_EVENTS},
    {0xca8, 0, 0x7f},
    {0xcbc, 0x0f, 0x1ff},
    {0xcc0, 0x40, 0x7f},
    {0xcc8, 0x00000000, 0xfffff000},
    {0xccc, 0x01000000, 0xfffff000},
    {0xcd0, 0x1c000000, 0xfffff000},
    {0xcd4, 0x1f000000, 0xfffff000},
    {0xcd8, 0x00000000, 0xfffff000},
    {0xcdc, 0x01000000, 0xfffff000},
    {0xce4, 0x1f000000, 0xfffff000},
    {0xcf0, 0, 0x80fffffc},
    {0xcf4, 0xffffffff, 0},
    {CONFIG_ADDRESS, 0, 0x80fffffc},
};

struct gt64120 {
    uint32_t registers[ISD_BYTES / 4];
    struct countdown timers[N_TIMERS];
    struct memory_window windows[N_WINDOWS];
    struct memory_block *blocks[N_WINDOWS];
    bool little_endian;
    uint64_t freq;
};

static uint32_t *reg(struct gt64120 *g, unsigned offset)
{
    return &g->registers[offset / 4];
}

static const struct gt_reset *describe(unsigned offset)
{
    for (unsigned i = 0; i < ARRAY_SIZE(gt_registers); i++) {
        if (gt_registers[i].offset == offset)
            return &gt_registers[i];
    }
    return NULL;
}

/* ---- interrupts -------------------------------------------------------------------------------
 */

static void interrupt_update(struct device *d)
{
    struct gt64120 *g = d->state;
    uint32_t *cause = reg(g, INTERRUPT_CAUSE);
    bool pending = (*cause & *reg(g, CPU_INTERRUPT_MASK) & CAUSE_EVENTS) != 0;

    *cause &= CAUSE_EVENTS;
    if (*cause)
        *cause |= CAUSE_SUMMARY;
    if (pending)
        *cause |= CAUSE_CPU_SUMMARY;
    device_irq(d, 0, pending);
}

static void cause_set(struct device *d, uint32_t bits)
{
    *reg(d->state, INTERRUPT_CAUSE) |= bits;
    interrupt_update(d);
}

static uint32_t interrupt_acknowledge(struct device *d)
{
    char id[32] = "";
    struct device *pic;

    device_prop_string(d, "pic", id, sizeof(id));
    pic = machine_find_device(d->machine, id);
    if (pic)
        return (uint32_t)i8259_acknowledge(pic);
    cause_set(d, CAUSE_MASTER_ABORT);
    return 0xffffffff;
}

/* ---- what the CPU sees ------------------------------------------------------------------------
 */

static const uint16_t window_low[] = {PCI0_IO_LOW, PCI0_MEM0_LOW, PCI0_MEM1_LOW};
static const uint16_t window_high[] = {PCI0_IO_HIGH, PCI0_MEM0_HIGH, PCI0_MEM1_HIGH};
static const uint16_t window_remap[] = {PCI0_IO_REMAP, PCI0_MEM0_REMAP, PCI0_MEM1_REMAP};

/* An address hits if bits 35:28 are those of the low register and bits 27:21 are between both. */
static bool window_decode(struct gt64120 *g, enum gt_window n, gpa *base, uint64_t *size)
{
    uint32_t low = *reg(g, window_low[n]), first = low & HIGH_BITS, last = *reg(g, window_high[n]);

    *base = (gpa)low << DECODE_SHIFT;
    *size = (uint64_t)(last - first + 1) << DECODE_SHIFT;
    return first <= last;
}

/* The first address on the bus: bits that are the same all over the window come from the remap
 * register. */
static gpa window_bus_base(struct gt64120 *g, enum gt_window n)
{
    uint32_t low = *reg(g, window_low[n]), remap = *reg(g, window_remap[n]);
    uint32_t differ = (low ^ *reg(g, window_high[n])) & HIGH_BITS;
    uint32_t keep = differ ? (UINT32_C(2) << (31 - __builtin_clz(differ))) - 1 : 0;

    return (gpa)((remap & ~keep) | (low & keep)) << DECODE_SHIFT & UINT32_MAX;
}

static bool cpu_address(struct device *d, gpa address, uint64_t size, gpa *out)
{
    struct gt64120 *g = d->state;

    for (unsigned n = WINDOW_MEM0; n <= WINDOW_MEM1; n++) {
        gpa base;
        uint64_t length;
        bool on = window_decode(g, n, &base, &length);
        gpa first = window_bus_base(g, n);
        if (!on || address < first || address - first >= length ||
            size > length - (address - first))
            continue;
        *out = base + (address - first);
        return true;
    }
    return false;
}

static void windows_update(struct device *d)
{
    struct gt64120 *g = d->state;
    struct error err;

    memory_begin(d->memory);
    for (unsigned n = 0; n < N_WINDOWS; n++) {
        struct memory_window *w = &g->windows[n];
        memory_window_hide(d->memory, w);
        *w = (struct memory_window){.block = g->blocks[n], .layer = LAYER_NOTHING};
        w->size = ADDRESS_SPACE;
        if (n != WINDOW_NOTHING) {
            w->layer = LAYER_PCI_HOLE;
            if (!window_decode(g, n, &w->base, &w->size))
                continue;
        }
        if (!memory_window_show(d->memory, w, &err))
            log_printf(LOG_GUEST_ERROR, "gt64120: %s\n", err.message);
    }
    device_place(d, 0, (gpa)*reg(g, INTERNAL_SPACE) << DECODE_SHIFT);
    if (pci_bus_of(d))
        pci_bus_moved(pci_bus_of(d));
    memory_commit(d->memory);
}

static uint64_t all_ones(unsigned size)
{
    return size >= 8 ? UINT64_MAX : (UINT64_C(1) << 8 * size) - 1;
}

/* The board's PCI devices and its ISA bridge decode 16 bits of I/O addresses. */
static uint64_t io_read(void *opaque, uint64_t offset, unsigned size)
{
    struct device *d = opaque;
    bool ok = false;
    uint64_t value =
        d->machine->ports ? memory_load(d->machine->ports, offset % PORTS, size, &ok) : 0;

    return ok ? value : all_ones(size);
}

static void io_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct device *d = opaque;

    if (d->machine->ports)
        memory_store(d->machine->ports, offset % PORTS, value, size, NULL);
}

/* PCI memory where no device answers: the master aborts. */
static uint64_t hole_read(void *opaque, uint64_t offset, unsigned size)
{
    log_printf(LOG_GUEST_ERROR, "gt64120: nothing answers a read of PCI memory, offset 0x%x\n",
               (unsigned)offset);
    cause_set(opaque, CAUSE_MASTER_ABORT);
    return all_ones(size);
}

static void hole_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    log_printf(LOG_GUEST_ERROR, "gt64120: nothing answers a write to PCI memory, offset 0x%x\n",
               (unsigned)offset);
    cause_set(opaque, CAUSE_MASTER_ABORT);
}

/* An address that no decoder takes: it is latched, and the access ends without a bus error. */
static uint64_t nothing_read(void *opaque, uint64_t offset, unsigned size)
{
    struct device *d = opaque;

    log_printf(LOG_GUEST_ERROR, "gt64120: nothing is at 0x%08x\n", (unsigned)offset);
    *reg(d->state, ERROR_ADDRESS) = (uint32_t)offset;
    *reg(d->state, ERROR_ADDRESS_HIGH) = 0;
    cause_set(d, CAUSE_CPU_OUT);
    return 0;
}

static void nothing_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    nothing_read(opaque, offset, size);
}

/* ---- configuration cycles ---------------------------------------------------------------------
 */

static uint32_t swap_bytes(uint32_t value, unsigned size)
{
    return __builtin_bswap32(value) >> (32 - 8 * size);
}

/* Lanes change places with MByteSwap 0, for all devices but this one. */
static bool config_lanes(struct gt64120 *g, unsigned *lane, unsigned size)
{
    if ((*reg(g, PCI0_COMMAND) & COMMAND_MASTER_NO_SWAP) || !(*reg(g, CONFIG_ADDRESS) & SELF))
        return false;
    *lane = 4 - size - *lane;
    return true;
}

static bool config_answered(struct device *d)
{
    uint32_t address = *reg(d->state, CONFIG_ADDRESS);
    struct pci_bus *bus = pci_bus_of(d);

    if (bus && !(address >> 16 & 0xff) && bus->functions[address >> 8 & 0xff])
        return true;
    if (address >> 31)
        cause_set(d, CAUSE_MASTER_ABORT);
    return false;
}

static uint32_t config_read(struct device *d, unsigned lane, unsigned size)
{
    struct gt64120 *g = d->state;
    bool swap = config_lanes(g, &lane, size);

    if (!config_answered(d))
        return (uint32_t)all_ones(size);
    uint32_t value = pci_ports_read(pci_bus_of(d), reg(g, CONFIG_ADDRESS),
                                    CONFIG_DATA - CONFIG_ADDRESS + lane, size);
    return swap ? swap_bytes(value, size) : value;
}

static void config_write(struct device *d, unsigned lane, uint32_t value, unsigned size)
{
    struct gt64120 *g = d->state;
    bool swap = config_lanes(g, &lane, size);

    if (config_answered(d))
        pci_ports_write(pci_bus_of(d), reg(g, CONFIG_ADDRESS), CONFIG_DATA - CONFIG_ADDRESS + lane,
                        swap ? swap_bytes(value, size) : value, size);
}

/* ---- timers -----------------------------------------------------------------------------------
 * Two bits each in the control register: enable, and whether zero loads the count anew.
 */

static bool timer_enabled(struct gt64120 *g, unsigned n)
{
    return *reg(g, TIMER_CONTROL) >> 2 * n & 1;
}

static void timer_start(struct gt64120 *g, unsigned n)
{
    uint32_t count = *reg(g, TIMER_COUNT + 4 * n);
    bool periodic = *reg(g, TIMER_CONTROL) >> (2 * n + 1) & 1;

    countdown_run(&g->timers[n], count, count, !periodic, g->freq, 1);
}

static void timer_count_write(struct gt64120 *g, unsigned n)
{
    if (timer_enabled(g, n))
        timer_start(g, n);
    else
        countdown_stop_at(&g->timers[n], *reg(g, TIMER_COUNT + 4 * n));
}

static void timer_control_write(struct gt64120 *g, uint32_t old)
{
    uint32_t changed = old ^ *reg(g, TIMER_CONTROL);

    for (unsigned n = 0; n < N_TIMERS; n++) {
        if (!(changed >> 2 * n & 3))
            continue;
        if (timer_enabled(g, n))
            timer_start(g, n);
        else
            countdown_stop(&g->timers[n]);
    }
}

#define TIMER_EXPIRED(n)                                                                           \
    static void timer_expired_##n(void *opaque)                                                    \
    {                                                                                              \
        cause_set(opaque, (uint32_t)CAUSE_TIMER << (n));                                           \
    }
TIMER_EXPIRED(0)
TIMER_EXPIRED(1)
TIMER_EXPIRED(2)
TIMER_EXPIRED(3)

/* ---- registers --------------------------------------------------------------------------------
 */

static uint32_t register_read(struct device *d, unsigned offset)
{
    struct gt64120 *g = d->state;

    if (offset == PCI0_INTERRUPT_ACKNOWLEDGE)
        return interrupt_acknowledge(d);
    if (offset >= TIMER_COUNT && offset < TIMER_COUNT + 4 * N_TIMERS)
        return countdown_value(&g->timers[(offset - TIMER_COUNT) / 4]);
    if (!describe(offset))
        log_printf(LOG_UNIMP, "gt64120: read of register 0x%03x\n", offset);
    return *reg(g, offset);
}

/* What follows from a register's new value. */
static void register_changed(struct device *d, unsigned offset, uint32_t old)
{
    struct gt64120 *g = d->state;

    switch (offset) {
    case PCI0_IO_LOW: /* a low register sets the remap register, too */
    case PCI0_MEM0_LOW:
    case PCI0_MEM1_LOW:
        for (unsigned n = WINDOW_IO; n <= WINDOW_MEM1; n++) {
            if (window_low[n] == offset)
                *reg(g, window_remap[n]) = *reg(g, offset) & REMAP_BITS;
        }
        windows_update(d);
        break;
    case PCI0_IO_HIGH:
    case PCI0_MEM0_HIGH:
    case PCI0_MEM1_HIGH:
    case PCI0_MEM0_REMAP:
    case PCI0_MEM1_REMAP:
    case INTERNAL_SPACE:
        windows_update(d);
        break;
    case CPU_INTERRUPT_MASK:
        interrupt_update(d);
        break;
    case PCI0_COMMAND:
        if ((*reg(g, offset) & COMMAND_LITTLE) != (g->little_endian ? COMMAND_LITTLE : 0))
            log_unimp_once(
                "gt64120: bytes of PCI data keep their addresses, whatever PCI_0 Command "
                "says (0x%08x)\n",
                *reg(g, offset));
        break;
    case TIMER_CONTROL:
        timer_control_write(g, old);
        break;
    case DMA_CONTROL:
    case DMA_CONTROL + 4:
    case DMA_CONTROL + 8:
    case DMA_CONTROL + 12:
        if (*reg(g, offset) >> 12 & 1)
            log_printf(LOG_UNIMP, "gt64120: DMA channel %u\n", (offset - DMA_CONTROL) / 4);
        break;
    default:
        if (offset >= TIMER_COUNT && offset < TIMER_COUNT + 4 * N_TIMERS)
            timer_count_write(g, (offset - TIMER_COUNT) / 4);
        break;
    }
}

static void register_write(struct device *d, unsigned offset, uint32_t value)
{
    struct gt64120 *g = d->state;
    const struct gt_reset *what = describe(offset);
    uint32_t old = *reg(g, offset);

    if (offset == INTERRUPT_CAUSE) { /* zeros clear */
        *reg(g, offset) &= value;
        interrupt_update(d);
        return;
    }
    if (!what) {
        log_printf(LOG_UNIMP, "gt64120: write of 0x%08x to register 0x%03x\n", value, offset);
        return;
    }
    *reg(g, offset) = (old & ~what->writable) | (value & what->writable);
    register_changed(d, offset, old);
}

static uint64_t isd_read(struct device *d, uint64_t offset64, unsigned size)
{
    unsigned offset = (unsigned)offset64, lane = offset & 3;

    if ((offset & ~3u) == CONFIG_DATA)
        return config_read(d, lane, size);
    return register_read(d, offset & ~3u) >> 8 * lane;
}

static void isd_write(struct device *d, uint64_t offset64, uint64_t value, unsigned size)
{
    unsigned offset = (unsigned)offset64, lane = offset & 3;

    if ((offset & ~3u) == CONFIG_DATA) {
        config_write(d, lane, (uint32_t)value, size);
        return;
    }
    if (size != 4) {
        log_printf(LOG_GUEST_ERROR, "gt64120: a write of %u bytes to register 0x%03x\n", size,
                   offset);
        return;
    }
    register_write(d, offset, (uint32_t)value);
}

/* ---- device -----------------------------------------------------------------------------------
 */

static const struct region_ops window_ops[N_WINDOWS] = {
    [WINDOW_IO] = {io_read, io_write, 1, 4, .unaligned = true},
    [WINDOW_MEM0] = {hole_read, hole_write, 1, 8, .unaligned = true},
    [WINDOW_MEM1] = {hole_read, hole_write, 1, 8, .unaligned = true},
    [WINDOW_NOTHING] = {nothing_read, nothing_write, 1, 8, .unaligned = true},
};

static bool gt64120_init(struct device *d, struct error *err)
{
    static const char *const names[N_WINDOWS] = {"pci0-io", "pci0-mem0", "pci0-mem1", "empty"};
    static void (*const expired[N_TIMERS])(void *) = {timer_expired_0, timer_expired_1,
                                                      timer_expired_2, timer_expired_3};
    /* PCI's view: SDRAM banks, device banks, the registers as memory and I/O. The banks answer
     * where memory is, wherever they are put. */
    static const uint32_t bars[] = {0x00000008, 0x01000008, 0x1c000000,
                                    0x1f000000, 0x14000000, 0x14000001};
    struct gt64120 *g = d->state;
    char endian[16] = "little";

    device_prop_string(d, "endian", endian, sizeof(endian));
    g->little_endian = strcmp(endian, "big") != 0;
    g->freq = device_prop_u64(d, "freq", 100000000);
    if (!g->freq || g->freq > 1000000000)
        return error_set(err, "%s: freq is no frequency of this chip", d->id);
    for (unsigned n = 0; n < N_WINDOWS; n++) {
        g->blocks[n] = memory_create_device(d->memory, names[n],
                                            n == WINDOW_NOTHING ? ADDRESS_SPACE : WINDOW_MAX,
                                            &window_ops[n], d, err);
        if (!g->blocks[n])
            return false;
    }
    for (unsigned n = 0; n < N_TIMERS; n++)
        countdown_init(&g->timers[n], d->clock, expired[n], d);
    pci_set(d, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pci_set(d, PCI_STATUS, 2, 0x0280);
    for (unsigned i = 0; i < ARRAY_SIZE(bars); i++) {
        pci_set(d, PCI_BAR0 + 4 * i, 4, bars[i]);
        pci_set_writable(d, PCI_BAR0 + 4 * i, 4, 0xfffff000);
    }
    pci_bus_of(d)->cpu_address = cpu_address;
    return true;
}

static void gt64120_reset(struct device *d)
{
    struct gt64120 *g = d->state;

    for (unsigned i = 0; i < ARRAY_SIZE(gt_registers); i++)
        *reg(g, gt_registers[i].offset) = gt_registers[i].value;
    if (g->little_endian) {
        *reg(g, CPU_CONFIG) |= CPU_CONFIG_LITTLE;
        *reg(g, PCI0_COMMAND) |= COMMAND_LITTLE;
    }
    for (unsigned n = 0; n < N_TIMERS; n++)
        countdown_stop_at(&g->timers[n], *reg(g, TIMER_COUNT + 4 * n));
    windows_update(d);
    interrupt_update(d);
}

static void gt64120_finish(struct device *d)
{
    struct gt64120 *g = d->state;

    for (unsigned n = 0; n < N_TIMERS; n++)
        countdown_finish(&g->timers[n]);
}

#define TIMER_FIELDS(n)                                                                            \
    DEVICE_FIELD(struct gt64120, timers[n].value, DEVICE_U32, 0),                                  \
        DEVICE_FIELD(struct gt64120, timers[n].reload, DEVICE_U32, 0)
static const struct device_field gt64120_fields[] = {
    DEVICE_ARRAY(struct gt64120, registers, DEVICE_U32, ISD_BYTES / 4, 0),
    TIMER_FIELDS(0),
    TIMER_FIELDS(1),
    TIMER_FIELDS(2),
    TIMER_FIELDS(3),
    DEVICE_KEPT(struct gt64120, little_endian, DEVICE_BOOL),
    DEVICE_KEPT(struct gt64120, freq, DEVICE_U64),
};
#undef TIMER_FIELDS

static const struct device_region gt64120_regions[] = {
    {"gt64120-isd", ISD_BYTES, 1, 4, isd_read, isd_write, .moves = true},
};

static const struct pci_class gt64120_pci = {
    .vendor = 0x11ab,
    .device = 0x4620,
    .class_code = 0x060000,
    .revision = 0x10,
    .interrupt_pin = 1,
    .makes_bus = "pci.0",
};

static const struct device_prop gt64120_props[] = {
    {"pic", DEVICE_PROP_TEXT, .most = 31},
    {"endian", DEVICE_PROP_TEXT},
    {"freq", DEVICE_PROP_NUMBER},
    {NULL},
};

static const struct device_class gt64120_class = {
    .name = "gt64120",
    .props = gt64120_props,
    .description = "GT-64120 system controller",
    .manual = "Galileo GT-64120 data sheet 1.4",
    .pci = &gt64120_pci,
    .state_size = sizeof(struct gt64120),
    .regions = gt64120_regions,
    .n_regions = ARRAY_SIZE(gt64120_regions),
    .fields = gt64120_fields,
    .n_fields = ARRAY_SIZE(gt64120_fields),
    .n_irq_out = 1,
    .init = gt64120_init,
    .reset = gt64120_reset,
    .finish = gt64120_finish,
};
REGISTER(device_class, gt64120_class);
