/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ARM Watchdog Module SP805 (DDI 0270). Properties: freq, WDOGCLK in Hz (32768).
 * Output 0: the interrupt; the reset output resets the machine. */
#include "hw/device.h"
#include "hw/machine.h"
#include "hw/primecell.h"
#include "hw/timer/countdown.h"

enum {
    WDOG_LOAD = 0x000,
    WDOG_VALUE = 0x004,
    WDOG_CONTROL = 0x008,
    WDOG_INT_CLR = 0x00c,
    WDOG_RIS = 0x010,
    WDOG_MIS = 0x014,
    WDOG_LOCK = 0xc00,
    WDOG_ITCR = 0xf00,
    WDOG_ITOP = 0xf04,
};
enum { CONTROL_INT_ENABLE = 1, CONTROL_RESET_ENABLE = 2 };
enum { UNLOCK_KEY = 0x1acce551 };

struct sp805 {
    struct countdown counter;
    uint32_t load, control, itcr;
    bool raw, locked;
    uint64_t freq;
};

static const struct device_field sp805_fields[] = {
    DEVICE_FIELD(struct sp805, load, DEVICE_U32, 0xffffffff),
    DEVICE_FIELD(struct sp805, control, DEVICE_U32, 0),
    DEVICE_FIELD(struct sp805, itcr, DEVICE_U32, 0),
    DEVICE_FIELD(struct sp805, raw, DEVICE_BOOL, 0),
    DEVICE_FIELD(struct sp805, locked, DEVICE_BOOL, 0),
};

static void update_line(struct device *d)
{
    const struct sp805 *s = d->state;

    device_irq(d, 0, s->raw && (s->control & CONTROL_INT_ENABLE));
}

/* DDI 0270 2.1: the first zero raises the interrupt and reloads, the second one, with the interrupt
 * still there, resets. */
static void expired(void *opaque)
{
    struct device *d = opaque;
    struct sp805 *s = d->state;

    if (s->raw && (s->control & CONTROL_RESET_ENABLE)) {
        countdown_stop(&s->counter);
        machine_request(d->machine, MACHINE_RESET);
        return;
    }
    s->raw = true;
    update_line(d);
}

static void restart(struct sp805 *s)
{
    countdown_stop(&s->counter);
    if (s->control & CONTROL_INT_ENABLE)
        countdown_run(&s->counter, s->load, s->load, false, s->freq, 1);
}

static uint64_t sp805_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct sp805 *s = d->state;

    if (offset >= PRIMECELL_ID)
        return primecell_id(0x00141805, offset);
    switch (offset) {
    case WDOG_LOAD:
        return s->load;
    case WDOG_VALUE:
        return s->counter.running ? countdown_value(&s->counter) : s->load;
    case WDOG_CONTROL:
        return s->control;
    case WDOG_RIS:
        return s->raw;
    case WDOG_MIS:
        return s->raw && (s->control & CONTROL_INT_ENABLE);
    case WDOG_LOCK:
        return s->locked;
    case WDOG_ITCR:
        return s->itcr;
    }
    log_printf(LOG_GUEST_ERROR, "sp805: read of offset 0x%x\n", (unsigned)offset);
    return 0;
}

static void sp805_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct sp805 *s = d->state;

    if (offset == WDOG_LOCK) {
        s->locked = value != UNLOCK_KEY;
        return;
    }
    if (s->locked) {
        log_printf(LOG_GUEST_ERROR, "sp805: write to offset 0x%x while locked\n", (unsigned)offset);
        return;
    }
    switch (offset) {
    case WDOG_LOAD:
        s->load = (uint32_t)value;
        restart(s);
        break;
    case WDOG_CONTROL: {
        bool was_on = s->control & CONTROL_INT_ENABLE;
        s->control = value & 3;
        if (was_on != (bool)(s->control & CONTROL_INT_ENABLE))
            restart(s);
        break;
    }
    case WDOG_INT_CLR:
        s->raw = false;
        restart(s);
        break;
    case WDOG_ITCR:
        s->itcr = value & 1;
        break;
    case WDOG_ITOP:
        log_unimp_once("sp805: integration test output\n");
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "sp805: write of 0x%x to offset 0x%x\n", (unsigned)value,
                   (unsigned)offset);
    }
    update_line(d);
}

static bool sp805_init(struct device *d, struct error *err)
{
    struct sp805 *s = d->state;

    s->freq = device_prop_u64(d, "freq", 32768);
    countdown_init(&s->counter, d->clock, expired, d);
    return true;
}

static void sp805_reset(struct device *d)
{
    struct sp805 *s = d->state;

    countdown_stop(&s->counter);
    update_line(d);
}

static void sp805_finish(struct device *d)
{
    struct sp805 *s = d->state;

    countdown_finish(&s->counter);
}

static const struct device_region sp805_regions[] = {
    {.name = "sp805",
     .size = 0x1000,
     .min_access = 4,
     .max_access = 4,
     .read = sp805_read,
     .write = sp805_write},
};

static const struct device_prop sp805_props[] = {
    {"freq", DEVICE_PROP_NUMBER},
    {NULL},
};

static const struct device_class sp805_class = {
    .name = "sp805",
    .props = sp805_props,
    .description = "ARM watchdog",
    .manual = "ARM DDI 0270",
    .state_size = sizeof(struct sp805),
    .regions = sp805_regions,
    .n_regions = ARRAY_SIZE(sp805_regions),
    .fields = sp805_fields,
    .n_fields = ARRAY_SIZE(sp805_fields),
    .n_irq_out = 1,
    .init = sp805_init,
    .reset = sp805_reset,
    .finish = sp805_finish,
};
REGISTER(device_class, sp805_class);
