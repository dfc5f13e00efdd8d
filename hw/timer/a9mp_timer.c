/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cortex-A9 MPCore private timer, watchdog and global timer (DDI 0407, chapter 4).
 * Region 0: private timer and watchdog (0x600 of the private memory region), region 1: the global
 * timer (0x200). Properties: freq, PERIPHCLK in Hz (100 MHz).
 * Outputs: 0 private timer (ID 29), 1 watchdog (ID 30), 2 global timer (ID 27).
 */
#include <stdlib.h>

#include "hw/device.h"
#include "hw/machine.h"
#include "hw/timer/countdown.h"
#include "util/bits.h"

enum { TIMER, WATCHDOG };
enum {
    LOAD = 0x00,
    COUNTER = 0x04,
    CONTROL = 0x08,
    STATUS = 0x0c,
    WATCHDOG_BASE = 0x20,
    WATCHDOG_RESET_STATUS = 0x30,
    WATCHDOG_DISABLE = 0x34,
};
enum {
    CONTROL_ENABLE = 1 << 0,
    CONTROL_AUTO_RELOAD = 1 << 1,
    CONTROL_IRQ_ENABLE = 1 << 2,
    CONTROL_WATCHDOG_MODE = 1 << 3,
};
enum {
    GLOBAL_LOW = 0x00,
    GLOBAL_HIGH = 0x04,
    GLOBAL_CONTROL = 0x08,
    GLOBAL_STATUS = 0x0c,
    GLOBAL_COMPARE_LOW = 0x10,
    GLOBAL_COMPARE_HIGH = 0x14,
    GLOBAL_INCREMENT = 0x18,
};
enum {
    GLOBAL_ENABLE = 1 << 0,
    GLOBAL_COMPARE_ENABLE = 1 << 1,
    GLOBAL_IRQ_ENABLE = 1 << 2,
    GLOBAL_AUTO_INCREMENT = 1 << 3,
};

struct a9mp_counter {
    struct countdown counter;
    struct device *device;
};

struct a9mp_timer {
    struct a9mp_counter counter[2];
    uint32_t load[2], control[2], status[2];
    uint32_t reset_status, disable_sequence;
    uint64_t freq;

    struct timer global_timer;
    uint32_t global_control, global_status, global_increment;
    uint64_t global_compare;
    uint64_t global_base; /* counter value at global_base_ns */
    uint64_t global_base_ns;
};

static const struct device_field a9mp_timer_fields[] = {
    DEVICE_ARRAY(struct a9mp_timer, load, DEVICE_U32, 2, 0),
    DEVICE_ARRAY(struct a9mp_timer, control, DEVICE_U32, 2, 0),
    DEVICE_FIELD(struct a9mp_timer, counter[0].counter.value, DEVICE_U32, 0),
    DEVICE_FIELD(struct a9mp_timer, counter[1].counter.value, DEVICE_U32, 0),
    DEVICE_ARRAY(struct a9mp_timer, status, DEVICE_U32, 2, 0),
    DEVICE_FIELD(struct a9mp_timer, reset_status, DEVICE_U32, 0),
    DEVICE_FIELD(struct a9mp_timer, disable_sequence, DEVICE_U32, 0),
    DEVICE_FIELD(struct a9mp_timer, global_control, DEVICE_U32, 0),
    DEVICE_FIELD(struct a9mp_timer, global_status, DEVICE_U32, 0),
    DEVICE_FIELD(struct a9mp_timer, global_increment, DEVICE_U32, 0),
    DEVICE_FIELD(struct a9mp_timer, global_compare, DEVICE_U64, 0),
    DEVICE_FIELD(struct a9mp_timer, global_base, DEVICE_U64, 0),
    DEVICE_FIELD(struct a9mp_timer, global_base_ns, DEVICE_U64, 0),
};

static void update_lines(struct device *d)
{
    const struct a9mp_timer *s = d->state;

    for (unsigned n = 0; n < 2; n++)
        device_irq(d, n, s->status[n] && (s->control[n] & CONTROL_IRQ_ENABLE));
    device_irq(d, 2, s->global_status && (s->global_control & GLOBAL_IRQ_ENABLE));
}

static unsigned prescaler(uint32_t control)
{
    return extract32(control, 8, 8) + 1;
}

static void expired(void *opaque)
{
    struct a9mp_counter *c = opaque;
    struct a9mp_timer *s = c->device->state;
    unsigned n = (unsigned)(c - s->counter);

    s->status[n] = 1;
    if (n == WATCHDOG && (s->control[n] & CONTROL_WATCHDOG_MODE)) {
        s->reset_status = 1;
        machine_request(c->device->machine, MACHINE_RESET);
    }
    update_lines(c->device);
}

/* DDI 0407 4.1.1: a counter at zero that is enabled without auto-reload stays there, no event. */
static void start(struct a9mp_timer *s, unsigned n, uint32_t value)
{
    bool reloads = s->control[n] & CONTROL_AUTO_RELOAD;

    countdown_stop_at(&s->counter[n].counter, value);
    if ((s->control[n] & CONTROL_ENABLE) && (value || (reloads && s->load[n])))
        countdown_run(&s->counter[n].counter, value, s->load[n], !reloads, s->freq,
                      prescaler(s->control[n]));
}

static uint64_t private_read(struct device *d, uint64_t offset, unsigned size)
{
    struct a9mp_timer *s = d->state;
    unsigned n = offset >= WATCHDOG_BASE ? WATCHDOG : TIMER;

    switch (offset) {
    case LOAD:
    case WATCHDOG_BASE + LOAD:
        return s->load[n];
    case COUNTER:
    case WATCHDOG_BASE + COUNTER:
        return countdown_value(&s->counter[n].counter);
    case CONTROL:
    case WATCHDOG_BASE + CONTROL:
        return s->control[n];
    case STATUS:
    case WATCHDOG_BASE + STATUS:
        return s->status[n];
    case WATCHDOG_RESET_STATUS:
        return s->reset_status;
    }
    log_printf(LOG_GUEST_ERROR, "a9mp-timer: read of offset 0x%x\n", (unsigned)offset);
    return 0;
}

static void write_control(struct a9mp_timer *s, unsigned n, uint32_t value)
{
    uint32_t now = countdown_settle(&s->counter[n].counter);

    /* Watchdog mode can be set here, but left only through the disable register. */
    if (n == WATCHDOG)
        value |= s->control[n] & CONTROL_WATCHDOG_MODE;
    else
        value &= ~(uint32_t)CONTROL_WATCHDOG_MODE;
    s->control[n] = value & 0xff0f;
    start(s, n, now);
}

static void write_disable(struct a9mp_timer *s, uint32_t value)
{
    /* DDI 0407 4.2.7: 0x12345678 followed by 0x87654321. */
    if (s->disable_sequence == 0x12345678 && value == 0x87654321)
        s->control[WATCHDOG] &= ~(uint32_t)CONTROL_WATCHDOG_MODE;
    s->disable_sequence = value;
}

static void private_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct a9mp_timer *s = d->state;
    unsigned n = offset >= WATCHDOG_BASE ? WATCHDOG : TIMER;

    switch (offset) {
    case LOAD:
    case WATCHDOG_BASE + LOAD:
        countdown_settle(&s->counter[n].counter);
        s->load[n] = (uint32_t)value;
        start(s, n, (uint32_t)value);
        break;
    case COUNTER:
    case WATCHDOG_BASE + COUNTER:
        countdown_settle(&s->counter[n].counter);
        if (n == TIMER || !(s->control[n] & CONTROL_WATCHDOG_MODE))
            start(s, n, (uint32_t)value);
        break;
    case CONTROL:
    case WATCHDOG_BASE + CONTROL:
        write_control(s, n, (uint32_t)value);
        break;
    case STATUS:
    case WATCHDOG_BASE + STATUS:
        s->status[n] &= ~(uint32_t)value;
        break;
    case WATCHDOG_RESET_STATUS:
        s->reset_status &= ~(uint32_t)value;
        break;
    case WATCHDOG_DISABLE:
        write_disable(s, (uint32_t)value);
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "a9mp-timer: write of 0x%x to offset 0x%x\n", (unsigned)value,
                   (unsigned)offset);
    }
    update_lines(d);
}

/* ---- global timer: a 64-bit up counter with a comparator ---------------------------------- */

static uint64_t global_value(const struct a9mp_timer *s)
{
    if (!(s->global_control & GLOBAL_ENABLE))
        return s->global_base;
    uint64_t ns = (uint64_t)clock_now_ns(s->global_timer.clock) - s->global_base_ns;
    return s->global_base + (uint64_t)((unsigned __int128)ns * s->freq /
                                       (prescaler(s->global_control) * UINT64_C(1000000000)));
}

static void global_rebase(struct a9mp_timer *s)
{
    s->global_base = global_value(s);
    s->global_base_ns = (uint64_t)clock_now_ns(s->global_timer.clock);
}

/* From r2p0 on the event is set whenever the counter is at or past the comparator. */
static void global_update(struct device *d)
{
    struct a9mp_timer *s = d->state;
    const uint32_t needed = GLOBAL_ENABLE | GLOBAL_COMPARE_ENABLE;

    timer_cancel(&s->global_timer);
    if ((s->global_control & needed) != needed) {
        update_lines(d);
        return;
    }
    uint64_t now = global_value(s);
    if (now >= s->global_compare) {
        s->global_status = 1;
        if ((s->global_control & GLOBAL_AUTO_INCREMENT) && s->global_increment) {
            uint64_t behind = now - s->global_compare;
            s->global_compare += (behind / s->global_increment + 1) * s->global_increment;
        }
    }
    if (s->global_compare > now) {
        unsigned __int128 ns = (unsigned __int128)(s->global_compare - now) *
                               prescaler(s->global_control) * UINT64_C(1000000000) / s->freq;
        if (ns < (unsigned __int128)1 << 62)
            timer_set(&s->global_timer,
                      clock_now_ns(s->global_timer.clock) + MAX((int64_t)ns + 1, 20000));
    }
    update_lines(d);
}

static void global_expired(void *opaque)
{
    global_update(opaque);
}

static uint64_t global_read(struct device *d, uint64_t offset, unsigned size)
{
    struct a9mp_timer *s = d->state;

    switch (offset) {
    case GLOBAL_LOW:
        return (uint32_t)global_value(s);
    case GLOBAL_HIGH:
        return global_value(s) >> 32;
    case GLOBAL_CONTROL:
        return s->global_control;
    case GLOBAL_STATUS:
        return s->global_status;
    case GLOBAL_COMPARE_LOW:
        return (uint32_t)s->global_compare;
    case GLOBAL_COMPARE_HIGH:
        return s->global_compare >> 32;
    case GLOBAL_INCREMENT:
        return s->global_increment;
    }
    log_printf(LOG_GUEST_ERROR, "a9mp-gtimer: read of offset 0x%x\n", (unsigned)offset);
    return 0;
}

static void global_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct a9mp_timer *s = d->state;

    global_rebase(s);
    switch (offset) {
    case GLOBAL_LOW:
        s->global_base = deposit64(s->global_base, 0, 32, value);
        break;
    case GLOBAL_HIGH:
        s->global_base = deposit64(s->global_base, 32, 32, value);
        break;
    case GLOBAL_CONTROL:
        s->global_control = value & 0xff0f;
        break;
    case GLOBAL_STATUS:
        s->global_status &= ~(uint32_t)value;
        break;
    case GLOBAL_COMPARE_LOW:
        s->global_compare = deposit64(s->global_compare, 0, 32, value);
        break;
    case GLOBAL_COMPARE_HIGH:
        s->global_compare = deposit64(s->global_compare, 32, 32, value);
        break;
    case GLOBAL_INCREMENT:
        s->global_increment = (uint32_t)value;
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "a9mp-gtimer: write of 0x%x to offset 0x%x\n", (unsigned)value,
                   (unsigned)offset);
    }
    global_update(d);
}

static bool a9mp_timer_init(struct device *d, struct error *err)
{
    struct a9mp_timer *s = d->state;

    s->freq = device_prop_u64(d, "freq", 100000000);
    for (unsigned n = 0; n < 2; n++) {
        s->counter[n].device = d;
        countdown_init(&s->counter[n].counter, d->clock, expired, &s->counter[n]);
    }
    timer_init(&s->global_timer, d->clock, global_expired, d);
    return true;
}

static void a9mp_timer_reset(struct device *d)
{
    struct a9mp_timer *s = d->state;

    for (unsigned n = 0; n < 2; n++)
        countdown_stop_at(&s->counter[n].counter, 0);
    timer_cancel(&s->global_timer);
    s->global_base_ns = (uint64_t)clock_now_ns(d->clock);
    update_lines(d);
}

static void a9mp_timer_finish(struct device *d)
{
    struct a9mp_timer *s = d->state;

    for (unsigned n = 0; n < 2; n++)
        countdown_finish(&s->counter[n].counter);
    timer_cancel(&s->global_timer);
}

static const struct device_region a9mp_timer_regions[] = {
    {.name = "a9mp-private-timer",
     .size = 0x100,
     .min_access = 4,
     .max_access = 4,
     .read = private_read,
     .write = private_write},
    {.name = "a9mp-global-timer",
     .size = 0x100,
     .min_access = 4,
     .max_access = 4,
     .read = global_read,
     .write = global_write},
};

static const struct device_prop a9mp_timer_props[] = {
    {"freq", DEVICE_PROP_NUMBER},
    {NULL},
};

static const struct device_class a9mp_timer_class = {
    .name = "a9mp-timer",
    .props = a9mp_timer_props,
    .description = "Cortex-A9 MPCore private timer, watchdog and global timer",
    .manual = "ARM DDI 0407",
    .state_size = sizeof(struct a9mp_timer),
    .regions = a9mp_timer_regions,
    .n_regions = ARRAY_SIZE(a9mp_timer_regions),
    .fields = a9mp_timer_fields,
    .n_fields = ARRAY_SIZE(a9mp_timer_fields),
    .n_irq_out = 3,
    .init = a9mp_timer_init,
    .reset = a9mp_timer_reset,
    .finish = a9mp_timer_finish,
};
REGISTER(device_class, a9mp_timer_class);
