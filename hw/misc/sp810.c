/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PrimeXsys System Controller SP810 (DDI 0254): mode control, clock selection and reset status. The
 * clocks it would switch are fixed here, so mode changes complete at once. */
#include "hw/device.h"
#include "hw/primecell.h"

enum {
    SC_CTRL = 0x00,
    SC_SYS_STAT = 0x04,
    SC_INT_MODE_CTRL = 0x08,
    SC_INT_MODE_STAT = 0x0c,
    SC_XTAL_CTRL = 0x10,
    SC_PLL_CTRL = 0x14,
    SC_PLL_FREQ_CTRL = 0x18,
    SC_PLL_FAIL_CTRL = 0x1c,
    SC_PERIPH_CTRL = 0x20,
    SC_PERIPH_ENABLE = 0x24,
    SC_PERIPH_DISABLE = 0x28,
    SC_PERIPH_STATUS = 0x2c, /* read: enabled and clocked */
};
enum { MODE_REQUEST = 7, MODE_STATUS_SHIFT = 3, N_WORDS = 0x40 };

struct sp810 {
    uint32_t control, interrupt_mode, interrupt_mode_status;
    uint32_t words[N_WORDS]; /* registers that only hold what is written */
    uint32_t peripherals;
};

static const struct device_field sp810_fields[] = {
    DEVICE_FIELD(struct sp810, control, DEVICE_U32, 0x9),
    DEVICE_FIELD(struct sp810, interrupt_mode, DEVICE_U32, 0),
    DEVICE_FIELD(struct sp810, interrupt_mode_status, DEVICE_U32, 0),
    DEVICE_ARRAY(struct sp810, words, DEVICE_U32, N_WORDS, 0),
    DEVICE_FIELD(struct sp810, peripherals, DEVICE_U32, 0xffffffff),
};

static uint64_t sp810_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct sp810 *s = d->state;

    if (offset >= PRIMECELL_ID)
        return primecell_id(0x00041810, offset);
    switch (offset) {
    case SC_CTRL:
        return s->control;
    case SC_SYS_STAT:
        return 1; /* the last reset was a power-on reset */
    case SC_INT_MODE_CTRL:
        return s->interrupt_mode;
    case SC_INT_MODE_STAT:
        return s->interrupt_mode_status;
    case SC_PERIPH_STATUS:
        return s->peripherals;
    }
    if (offset / 4 < N_WORDS)
        return s->words[offset / 4];
    log_printf(LOG_GUEST_ERROR, "sp810: read of offset 0x%x\n", (unsigned)offset);
    return 0;
}

static void sp810_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct sp810 *s = d->state;

    switch (offset) {
    case SC_CTRL: {
        uint32_t mode = value & MODE_REQUEST;
        s->control =
            ((uint32_t)value & ~(MODE_REQUEST << MODE_STATUS_SHIFT)) | mode << MODE_STATUS_SHIFT;
        return;
    }
    case SC_SYS_STAT:
        log_unimp_once("sp810: software reset through SCSYSSTAT (0x%x)\n", (unsigned)value);
        return;
    case SC_INT_MODE_CTRL:
        s->interrupt_mode = value & 0x81;
        return;
    case SC_INT_MODE_STAT:
        s->interrupt_mode_status = value & 1;
        return;
    case SC_PERIPH_ENABLE:
        s->peripherals |= (uint32_t)value;
        return;
    case SC_PERIPH_DISABLE:
        s->peripherals &= ~(uint32_t)value;
        return;
    }
    if (offset / 4 < N_WORDS)
        s->words[offset / 4] = (uint32_t)value;
    else
        log_printf(LOG_GUEST_ERROR, "sp810: write of 0x%x to offset 0x%x\n", (unsigned)value,
                   (unsigned)offset);
}

static const struct device_region sp810_regions[] = {
    {.name = "sp810",
     .size = 0x1000,
     .min_access = 4,
     .max_access = 4,
     .read = sp810_read,
     .write = sp810_write},
};

static const struct device_class sp810_class = {
    .name = "sp810",
    .description = "ARM PrimeXsys system controller",
    .manual = "ARM DDI 0254",
    .state_size = sizeof(struct sp810),
    .regions = sp810_regions,
    .n_regions = ARRAY_SIZE(sp810_regions),
    .fields = sp810_fields,
    .n_fields = ARRAY_SIZE(sp810_fields),
};
REGISTER(device_class, sp810_class);
