/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ARM Dual-Timer Module SP804 (DDI 0271). Properties: freq, the TIMCLK in Hz (1 MHz).
 * Outputs: 0 TIMINTC (both), 1 TIMINT1, 2 TIMINT2. */
#include <stdlib.h>

#include "hw/device.h"
#include "hw/primecell.h"
#include "hw/timer/countdown.h"

enum {
    TIMER_LOAD = 0x00,
    TIMER_VALUE = 0x04,
    TIMER_CONTROL = 0x08,
    TIMER_INT_CLR = 0x0c,
    TIMER_RIS = 0x10,
    TIMER_MIS = 0x14,
    TIMER_BG_LOAD = 0x18,
    TIMER_ITCR = 0xf00,
    TIMER_ITOP = 0xf04,
};
enum {
    CONTROL_ONE_SHOT = 1 << 0,
    CONTROL_SIZE_32 = 1 << 1,
    CONTROL_PRESCALE_SHIFT = 2,
    CONTROL_INT_ENABLE = 1 << 5,
    CONTROL_PERIODIC = 1 << 6,
    CONTROL_ENABLE = 1 << 7,
    CONTROL_RESET = CONTROL_INT_ENABLE,
};

struct sp804_timer {
    struct countdown counter;
    struct device *device;
};

struct sp804 {
    struct sp804_timer timer[2];
    uint32_t control[2], load[2];
    bool raw_interrupt[2];
    uint32_t itcr, itop;
    uint64_t freq;
};

static const struct device_field sp804_fields[] = {
    DEVICE_ARRAY(struct sp804, control, DEVICE_U32, 2, CONTROL_RESET),
    DEVICE_ARRAY(struct sp804, load, DEVICE_U32, 2, 0),
    DEVICE_FIELD(struct sp804, timer[0].counter.value, DEVICE_U32, 0xffffffff),
    DEVICE_FIELD(struct sp804, timer[1].counter.value, DEVICE_U32, 0xffffffff),
    DEVICE_ARRAY(struct sp804, raw_interrupt, DEVICE_BOOL, 2, 0),
    DEVICE_FIELD(struct sp804, itcr, DEVICE_U32, 0),
    DEVICE_FIELD(struct sp804, itop, DEVICE_U32, 0),
};

static bool masked_interrupt(const struct sp804 *s, unsigned n)
{
    return s->raw_interrupt[n] && (s->control[n] & CONTROL_INT_ENABLE);
}

static void update_lines(struct device *d)
{
    const struct sp804 *s = d->state;
    bool level[2] = {masked_interrupt(s, 0), masked_interrupt(s, 1)};

    if (s->itcr & 1) { /* integration test: ITOP drives the lines */
        level[0] = s->itop & 1;
        level[1] = s->itop & 2;
    }
    device_irq(d, 0, level[0] || level[1]);
    device_irq(d, 1, level[0]);
    device_irq(d, 2, level[1]);
}

static void expired(void *opaque)
{
    struct sp804_timer *t = opaque;
    struct sp804 *s = t->device->state;

    s->raw_interrupt[t - s->timer] = true;
    update_lines(t->device);
}

static uint32_t counter_mask(const struct sp804 *s, unsigned n)
{
    return s->control[n] & CONTROL_SIZE_32 ? 0xffffffff : 0xffff;
}

/* DDI 0271 2.2: free-running wraps from all ones, periodic reloads, one-shot halts at zero. */
static void start(struct sp804 *s, unsigned n, uint32_t value)
{
    static const uint16_t prescale[4] = {1, 16, 256, 256};
    uint32_t mask = counter_mask(s, n);
    uint32_t reload = s->control[n] & CONTROL_PERIODIC ? s->load[n] & mask : mask;
    bool one_shot = s->control[n] & CONTROL_ONE_SHOT;

    countdown_stop_at(&s->timer[n].counter, value & mask);
    if (s->control[n] & CONTROL_ENABLE)
        countdown_run(&s->timer[n].counter, value & mask, reload, one_shot, s->freq,
                      prescale[s->control[n] >> CONTROL_PRESCALE_SHIFT & 3]);
}

static uint64_t sp804_read(struct device *d, uint64_t offset, unsigned size)
{
    struct sp804 *s = d->state;
    unsigned n = offset >> 5 & 1;

    if (offset >= PRIMECELL_ID)
        return primecell_id(0x00141804, offset);
    if (offset == TIMER_ITCR)
        return s->itcr;
    if (offset < 0x40) {
        switch (offset & 0x1c) {
        case TIMER_LOAD:
        case TIMER_BG_LOAD:
            return s->load[n];
        case TIMER_VALUE:
            return countdown_value(&s->timer[n].counter);
        case TIMER_CONTROL:
            return s->control[n];
        case TIMER_RIS:
            return s->raw_interrupt[n];
        case TIMER_MIS:
            return masked_interrupt(s, n);
        }
    }
    log_printf(LOG_GUEST_ERROR, "sp804: read of offset 0x%x\n", (unsigned)offset);
    return 0;
}

static void sp804_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct sp804 *s = d->state;
    unsigned n = offset >> 5 & 1;

    if (offset == TIMER_ITCR) {
        s->itcr = value & 1;
    } else if (offset == TIMER_ITOP) {
        s->itop = value & 3;
    } else if (offset < 0x40) {
        switch (offset & 0x1c) {
        case TIMER_LOAD:
            countdown_settle(&s->timer[n].counter);
            s->load[n] = (uint32_t)value;
            start(s, n, (uint32_t)value);
            break;
        case TIMER_CONTROL: {
            uint32_t now = countdown_settle(&s->timer[n].counter);
            s->control[n] = value & 0xef;
            start(s, n, now);
            break;
        }
        case TIMER_INT_CLR:
            s->raw_interrupt[n] = false;
            break;
        case TIMER_BG_LOAD:
            countdown_settle(&s->timer[n].counter);
            s->load[n] = (uint32_t)value;
            if (s->control[n] & CONTROL_PERIODIC)
                countdown_set_reload(&s->timer[n].counter, (uint32_t)value & counter_mask(s, n));
            break;
        default:
            log_printf(LOG_GUEST_ERROR, "sp804: write of 0x%x to offset 0x%x\n", (unsigned)value,
                       (unsigned)offset);
        }
    } else {
        log_printf(LOG_GUEST_ERROR, "sp804: write of 0x%x to offset 0x%x\n", (unsigned)value,
                   (unsigned)offset);
    }
    update_lines(d);
}

static bool sp804_init(struct device *d, struct error *err)
{
    struct sp804 *s = d->state;

    s->freq = device_prop_u64(d, "freq", 1000000);
    for (unsigned n = 0; n < 2; n++) {
        s->timer[n].device = d;
        countdown_init(&s->timer[n].counter, d->clock, expired, &s->timer[n]);
    }
    return true;
}

static void sp804_reset(struct device *d)
{
    struct sp804 *s = d->state;

    for (unsigned n = 0; n < 2; n++)
        countdown_stop_at(&s->timer[n].counter, 0xffffffff);
    update_lines(d);
}

static void sp804_finish(struct device *d)
{
    struct sp804 *s = d->state;

    for (unsigned n = 0; n < 2; n++)
        countdown_finish(&s->timer[n].counter);
}

static const struct device_region sp804_regions[] = {
    {.name = "sp804",
     .size = 0x1000,
     .min_access = 4,
     .max_access = 4,
     .read = sp804_read,
     .write = sp804_write},
};

static const struct device_prop sp804_props[] = {
    {"freq", DEVICE_PROP_NUMBER},
    {NULL},
};

static const struct device_class sp804_class = {
    .name = "sp804",
    .props = sp804_props,
    .description = "ARM dual timer",
    .manual = "ARM DDI 0271",
    .state_size = sizeof(struct sp804),
    .regions = sp804_regions,
    .n_regions = ARRAY_SIZE(sp804_regions),
    .fields = sp804_fields,
    .n_fields = ARRAY_SIZE(sp804_fields),
    .n_irq_out = 3,
    .init = sp804_init,
    .reset = sp804_reset,
    .finish = sp804_finish,
};
REGISTER(device_class, sp804_class);
