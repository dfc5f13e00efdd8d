/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Versatile Express motherboard system registers and configuration bus (DUI 0447, chapter 4).
 * Properties: sys-id, proc-id (SYS_PROCID0). Input 0: card detect, 1: card write protect. Output 0:
 * the DVI connector shows daughterboard 1.
 */
#include "hw/device.h"
#include "hw/machine.h"
#include "util/bits.h"

enum {
    SYS_ID = 0x00,
    SYS_SW = 0x04,
    SYS_LED = 0x08,
    SYS_100HZ = 0x24,
    SYS_FLAGS = 0x30,
    SYS_FLAGS_CLEAR = 0x34,
    SYS_NVFLAGS = 0x38,
    SYS_NVFLAGS_CLEAR = 0x3c,
    SYS_MCI = 0x48,
    SYS_FLASH = 0x4c,
    SYS_CFGSW = 0x58,
    SYS_24MHZ = 0x5c,
    SYS_MISC = 0x60,
    SYS_DMA = 0x64,
    SYS_PROCID0 = 0x84,
    SYS_PROCID1 = 0x88,
    SYS_CFGDATA = 0xa0,
    SYS_CFGCTRL = 0xa4,
    SYS_CFGSTAT = 0xa8,
};
enum { CFGCTRL_START = 0x80000000u, CFGCTRL_WRITE = 1 << 30 };
enum { CFGSTAT_COMPLETE = 1, CFGSTAT_ERROR = 2 };
enum config_function {
    CONFIG_OSC = 1,
    CONFIG_VOLT = 2,
    CONFIG_AMP = 3,
    CONFIG_TEMP = 4,
    CONFIG_RESET = 5,
    CONFIG_SCC = 6,
    CONFIG_MUXFPGA = 7,
    CONFIG_SHUTDOWN = 8,
    CONFIG_REBOOT = 9,
    CONFIG_DVIMODE = 11,
    CONFIG_POWER = 12,
    CONFIG_ENERGY = 13,
};
enum {
    SITE_MOTHERBOARD = 0,
    SITE_DAUGHTERBOARD_1 = 1,
    N_OSC = 8,
    MCI_CARD_IN = 1,
    MCI_PROTECT = 2
};

struct vexpress_sysreg {
    uint32_t sys_id, proc_id;
    uint32_t sw, led, flags, nvflags, mci, flash, cfgsw, misc, dma;
    uint32_t cfgdata, cfgctrl, cfgstat;
    uint32_t osc[2][N_OSC], muxfpga, dvimode;
};

static const struct device_field vexpress_sysreg_fields[] = {
    DEVICE_FIELD(struct vexpress_sysreg, sw, DEVICE_U32, 0),
    DEVICE_FIELD(struct vexpress_sysreg, led, DEVICE_U32, 0),
    DEVICE_FIELD(struct vexpress_sysreg, flags, DEVICE_U32, 0),
    DEVICE_FIELD(struct vexpress_sysreg, flash, DEVICE_U32, 0),
    DEVICE_FIELD(struct vexpress_sysreg, cfgsw, DEVICE_U32, 0),
    DEVICE_FIELD(struct vexpress_sysreg, misc, DEVICE_U32, 0),
    DEVICE_FIELD(struct vexpress_sysreg, dma, DEVICE_U32, 0),
    DEVICE_FIELD(struct vexpress_sysreg, cfgdata, DEVICE_U32, 0),
    DEVICE_FIELD(struct vexpress_sysreg, cfgctrl, DEVICE_U32, 0),
    DEVICE_FIELD(struct vexpress_sysreg, cfgstat, DEVICE_U32, 0),
    DEVICE_ARRAY(struct vexpress_sysreg, osc, DEVICE_U32, 2 * N_OSC, 24000000),
    DEVICE_FIELD(struct vexpress_sysreg, muxfpga, DEVICE_U32, 0),
    DEVICE_FIELD(struct vexpress_sysreg, dvimode, DEVICE_U32, 0),
};

static void update_mux(struct device *d)
{
    const struct vexpress_sysreg *s = d->state;

    device_irq(d, 0, s->muxfpga == SITE_DAUGHTERBOARD_1);
}

static uint32_t counter_at(struct device *d, uint32_t hz)
{
    return (uint32_t)muldiv64((uint64_t)clock_now_ns(d->clock), hz, 1000000000);
}

static uint64_t vexpress_sysreg_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct vexpress_sysreg *s = d->state;

    switch (offset) {
    case SYS_ID:
        return s->sys_id;
    case SYS_SW:
        return s->sw;
    case SYS_LED:
        return s->led;
    case SYS_100HZ:
        return counter_at(d, 100);
    case SYS_FLAGS:
        return s->flags;
    case SYS_NVFLAGS:
        return s->nvflags;
    case SYS_MCI:
        return s->mci;
    case SYS_FLASH:
        return s->flash;
    case SYS_CFGSW:
        return s->cfgsw;
    case SYS_24MHZ:
        return counter_at(d, 24000000);
    case SYS_MISC:
        return s->misc;
    case SYS_DMA:
        return s->dma;
    case SYS_PROCID0:
        return s->proc_id;
    case SYS_PROCID1:
        return 0xff000000; /* no second daughterboard */
    case SYS_CFGDATA:
        return s->cfgdata;
    case SYS_CFGCTRL:
        return s->cfgctrl & ~CFGCTRL_START;
    case SYS_CFGSTAT:
        return s->cfgstat;
    }
    log_printf(LOG_GUEST_ERROR, "vexpress-sysreg: read of offset 0x%x\n", (unsigned)offset);
    return 0;
}

/* One transaction on the configuration bus: true if there is such a device. */
static bool config_transaction(struct device *d)
{
    struct vexpress_sysreg *s = d->state;
    bool write = s->cfgctrl & CFGCTRL_WRITE;
    unsigned function = extract32(s->cfgctrl, 20, 6), site = extract32(s->cfgctrl, 16, 2);
    unsigned position = extract32(s->cfgctrl, 12, 4), index = extract32(s->cfgctrl, 0, 12);
    uint32_t *reg = NULL;

    if (position || extract32(s->cfgctrl, 26, 4) || site > SITE_DAUGHTERBOARD_1)
        return false;
    switch (function) {
    case CONFIG_OSC:
        if (index < N_OSC)
            reg = &s->osc[site][index];
        break;
    case CONFIG_MUXFPGA:
        if (site == SITE_MOTHERBOARD && index == 0)
            reg = &s->muxfpga;
        break;
    case CONFIG_DVIMODE:
        if (site == SITE_MOTHERBOARD && index == 0)
            reg = &s->dvimode;
        break;
    case CONFIG_VOLT: /* a supply at 1.000 V; writes are accepted by the regulator and ignored */
        if (!write)
            s->cfgdata = 1000000;
        return site == SITE_DAUGHTERBOARD_1 && index < 8;
    case CONFIG_SHUTDOWN:
        if (write && site == SITE_MOTHERBOARD)
            machine_request(d->machine, MACHINE_POWER_OFF);
        return write && site == SITE_MOTHERBOARD;
    case CONFIG_RESET:
    case CONFIG_REBOOT:
        if (write)
            machine_request(d->machine, MACHINE_RESET);
        return write;
    default:
        log_unimp_once("vexpress-sysreg: configuration function %u, site %u, device %u\n", function,
                       site, index);
    }
    if (!reg)
        return false;
    if (write)
        *reg = s->cfgdata;
    else
        s->cfgdata = *reg;
    update_mux(d);
    return true;
}

static void vexpress_sysreg_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct vexpress_sysreg *s = d->state;

    switch (offset) {
    case SYS_LED:
        s->led = value & 0xff;
        break;
    case SYS_FLAGS:
        s->flags |= (uint32_t)value;
        break;
    case SYS_FLAGS_CLEAR:
        s->flags &= ~(uint32_t)value;
        break;
    case SYS_NVFLAGS:
        s->nvflags |= (uint32_t)value;
        break;
    case SYS_NVFLAGS_CLEAR:
        s->nvflags &= ~(uint32_t)value;
        break;
    case SYS_FLASH:
        s->flash = value & 1;
        break;
    case SYS_CFGSW:
        s->cfgsw = (uint32_t)value;
        break;
    case SYS_MISC:
        s->misc = (uint32_t)value;
        break;
    case SYS_DMA:
        s->dma = (uint32_t)value;
        break;
    case SYS_CFGDATA:
        s->cfgdata = (uint32_t)value;
        break;
    case SYS_CFGCTRL:
        s->cfgctrl = (uint32_t)value;
        if (value & CFGCTRL_START)
            s->cfgstat =
                config_transaction(d) ? CFGSTAT_COMPLETE : CFGSTAT_COMPLETE | CFGSTAT_ERROR;
        break;
    case SYS_CFGSTAT:
        s->cfgstat = value & 3;
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "vexpress-sysreg: write of 0x%x to offset 0x%x\n",
                   (unsigned)value, (unsigned)offset);
    }
}

static void vexpress_sysreg_irq_in(struct device *d, unsigned line, bool level)
{
    struct vexpress_sysreg *s = d->state;
    uint32_t bit = line ? MCI_PROTECT : MCI_CARD_IN;

    s->mci = level ? s->mci | bit : s->mci & ~bit;
}

static bool vexpress_sysreg_init(struct device *d, struct error *err)
{
    struct vexpress_sysreg *s = d->state;

    s->sys_id = (uint32_t)device_prop_u64(d, "sys-id", 0x01190500);
    s->proc_id = (uint32_t)device_prop_u64(d, "proc-id", 0x0c000191);
    return true;
}

static void vexpress_sysreg_reset(struct device *d)
{
    struct vexpress_sysreg *s = d->state;

    /* DUI 0447 and the daughterboard manuals: the oscillators whose speed software looks at. */
    s->osc[SITE_MOTHERBOARD][0] = 50000000;
    s->osc[SITE_MOTHERBOARD][1] = 23750000;
    s->osc[SITE_DAUGHTERBOARD_1][0] = 45000000;
    update_mux(d);
}

static const struct device_region vexpress_sysreg_regions[] = {
    {.name = "vexpress-sysreg",
     .size = 0x1000,
     .min_access = 4,
     .max_access = 4,
     .read = vexpress_sysreg_read,
     .write = vexpress_sysreg_write},
};

static const struct device_prop sysreg_props[] = {
    {"sys-id", DEVICE_PROP_NUMBER},
    {"proc-id", DEVICE_PROP_NUMBER},
    {NULL},
};

static const struct device_class vexpress_sysreg_class = {
    .name = "arm-sysctl",
    .props = sysreg_props,
    .description = "Versatile Express system registers",
    .manual = "ARM DUI 0447",
    .state_size = sizeof(struct vexpress_sysreg),
    .regions = vexpress_sysreg_regions,
    .n_regions = ARRAY_SIZE(vexpress_sysreg_regions),
    .fields = vexpress_sysreg_fields,
    .n_fields = ARRAY_SIZE(vexpress_sysreg_fields),
    .n_irq_in = 2,
    .n_irq_out = 1,
    .init = vexpress_sysreg_init,
    .reset = vexpress_sysreg_reset,
    .irq_in = vexpress_sysreg_irq_in,
};
REGISTER(device_class, vexpress_sysreg_class);
