/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Real-time clock and CMOS memory of the PC/AT: Motorola MC146818A with 128 bytes, index and data
 * at ports 0x70 and 0x71. Time is the host's at start plus the machine's clock since, plus what the
 * guest has set; a reset touches neither it nor the memory.
 *
 * Property: base, as rtc_base.h says. Output 0: IRQ 8.
 */
#define _GNU_SOURCE
#include "hw/timer/mc146818.h"

#include <string.h>
#include <time.h>

#include "hw/timer/rtc_base.h"
#include "util/bits.h"

enum {
    SECONDS,
    SECONDS_ALARM,
    MINUTES,
    MINUTES_ALARM,
    HOURS,
    HOURS_ALARM,
    WEEKDAY,
    DAY,
    MONTH,
    YEAR,
    REGISTER_A,
    REGISTER_B,
    REGISTER_C,
    REGISTER_D,
    CENTURY = 0x32,
    CMOS_BYTES = 128,
};

enum {
    A_UIP = 0x80,
    A_DIVIDER = 0x70,
    A_RUNNING = 0x20, /* divider for 32.768 kHz */
    A_RATE = 0x0f,
    B_SET = 0x80,
    B_PIE = 0x40,
    B_AIE = 0x20,
    B_UIE = 0x10,
    B_BINARY = 0x04,
    B_24_HOURS = 0x02,
    C_IRQ = 0x80,
    C_PERIODIC = 0x40,
    C_ALARM = 0x20,
    C_UPDATE = 0x10,
    D_VALID = 0x80,
    HOURS_PM = 0x80,
    ALARM_ANY = 0xc0,
};

enum {
    UPDATE_NS = 244000, /* how long UIP is seen before the time changes */
    DAY_SECONDS = 24 * 60 * 60,
};

struct mc146818 {
    uint8_t cmos[CMOS_BYTES];
    uint8_t index;
    int64_t offset_ns;  /* time of day minus the clock's */
    int64_t stopped_ns; /* time of day while SET or a stopped divider holds it */
    int64_t flags_ns;   /* the clock's time up to which the flags of register C are known */
    struct timer periodic, second;
};

/* ---- time of day ----------------------------------------------------------------------------- */

static bool is_running(const struct mc146818 *r)
{
    return !(r->cmos[REGISTER_B] & B_SET) && (r->cmos[REGISTER_A] & A_DIVIDER) == A_RUNNING;
}

static int64_t time_now_ns(struct device *d)
{
    const struct mc146818 *r = d->state;

    return is_running(r) ? clock_now_ns(d->clock) + r->offset_ns : r->stopped_ns;
}

static uint8_t to_register(const struct mc146818 *r, unsigned value)
{
    return (uint8_t)(r->cmos[REGISTER_B] & B_BINARY ? value : value / 10 << 4 | value % 10);
}

static unsigned from_register(const struct mc146818 *r, uint8_t value)
{
    return r->cmos[REGISTER_B] & B_BINARY ? value : (value >> 4) * 10u + (value & 15);
}

static uint8_t hours_to_register(const struct mc146818 *r, unsigned hours)
{
    if (r->cmos[REGISTER_B] & B_24_HOURS)
        return to_register(r, hours);
    return to_register(r, hours % 12 ? hours % 12 : 12) | (hours >= 12 ? HOURS_PM : 0);
}

static unsigned hours_from_register(const struct mc146818 *r, uint8_t value)
{
    if (r->cmos[REGISTER_B] & B_24_HOURS)
        return from_register(r, value);
    return from_register(r, value & ~HOURS_PM) % 12 + (value & HOURS_PM ? 12 : 0);
}

static void time_to_registers(struct device *d)
{
    struct mc146818 *r = d->state;
    time_t seconds = (time_t)(time_now_ns(d) / NS_PER_SECOND);
    struct tm tm;

    gmtime_r(&seconds, &tm);
    r->cmos[SECONDS] = to_register(r, (unsigned)tm.tm_sec);
    r->cmos[MINUTES] = to_register(r, (unsigned)tm.tm_min);
    r->cmos[HOURS] = hours_to_register(r, (unsigned)tm.tm_hour);
    r->cmos[WEEKDAY] = to_register(r, (unsigned)tm.tm_wday + 1);
    r->cmos[DAY] = to_register(r, (unsigned)tm.tm_mday);
    r->cmos[MONTH] = to_register(r, (unsigned)tm.tm_mon + 1);
    r->cmos[YEAR] = to_register(r, (unsigned)tm.tm_year % 100);
    r->cmos[CENTURY] =
        (uint8_t)(((tm.tm_year + 1900) / 1000 << 4) | (tm.tm_year + 1900) / 100 % 10);
}

static int64_t time_from_registers(const struct mc146818 *r)
{
    unsigned century = (r->cmos[CENTURY] >> 4) * 10u + (r->cmos[CENTURY] & 15);
    struct tm tm = {
        .tm_sec = (int)from_register(r, r->cmos[SECONDS]),
        .tm_min = (int)from_register(r, r->cmos[MINUTES]),
        .tm_hour = (int)hours_from_register(r, r->cmos[HOURS]),
        .tm_mday = (int)from_register(r, r->cmos[DAY]),
        .tm_mon = (int)from_register(r, r->cmos[MONTH]) - 1,
        .tm_year = (int)(century * 100 + from_register(r, r->cmos[YEAR])) - 1900,
    };

    return MIN(MAX((int64_t)timegm(&tm), 0), RTC_MOST_SECONDS) * NS_PER_SECOND;
}

/* ---- interrupts ------------------------------------------------------------------------------ */

/* Periods of the 32.768 kHz divider chain (table 5); 0: none. */
static int64_t period_ns(const struct mc146818 *r)
{
    unsigned rate = r->cmos[REGISTER_A] & A_RATE;

    if (!rate || (r->cmos[REGISTER_A] & A_DIVIDER) != A_RUNNING)
        return 0;
    if (rate < 3)
        rate += 7;
    return ((int64_t)NS_PER_SECOND << (rate - 1)) / 32768;
}

static bool alarm_byte_matches(uint8_t alarm, uint8_t now)
{
    return (alarm & ALARM_ANY) == ALARM_ANY || alarm == now;
}

static bool alarm_matches(const struct mc146818 *r, unsigned second_of_day)
{
    return alarm_byte_matches(r->cmos[SECONDS_ALARM], to_register(r, second_of_day % 60)) &&
           alarm_byte_matches(r->cmos[MINUTES_ALARM], to_register(r, second_of_day / 60 % 60)) &&
           alarm_byte_matches(r->cmos[HOURS_ALARM], hours_to_register(r, second_of_day / 3600));
}

/* What the updates after time of day `from` until `to` set. */
static uint8_t update_flags(const struct mc146818 *r, int64_t from, int64_t to)
{
    int64_t first = from / NS_PER_SECOND + 1, last = to / NS_PER_SECOND;

    if (first > last)
        return 0;
    for (int64_t s = first; s <= last && s < first + DAY_SECONDS; s++) {
        if (alarm_matches(r, (unsigned)(s % DAY_SECONDS)))
            return C_UPDATE | C_ALARM;
    }
    return C_UPDATE;
}

/* The flags of register C are set whether or not their interrupts are enabled: brings them up to
 * date. To be called whenever one is looked at, and before what they depend on changes. */
static void flags_update(struct device *d)
{
    struct mc146818 *r = d->state;
    int64_t now = clock_now_ns(d->clock), period = period_ns(r);

    if (period && now / period != r->flags_ns / period)
        r->cmos[REGISTER_C] |= C_PERIODIC;
    if (is_running(r))
        r->cmos[REGISTER_C] |= update_flags(r, r->flags_ns + r->offset_ns, now + r->offset_ns);
    r->flags_ns = now;
}

/* The enable bits of B stand where the flags of C do. */
static void irq_update(struct device *d)
{
    struct mc146818 *r = d->state;

    if (r->cmos[REGISTER_C] & r->cmos[REGISTER_B] & (C_PERIODIC | C_ALARM | C_UPDATE)) {
        r->cmos[REGISTER_C] |= C_IRQ;
        device_irq(d, 0, true);
    }
}

/* The timers run only while an interrupt of theirs is enabled. */
static void timers_update(struct device *d)
{
    struct mc146818 *r = d->state;
    int64_t now = clock_now_ns(d->clock), period = period_ns(r);

    if (period && (r->cmos[REGISTER_B] & B_PIE))
        timer_set(&r->periodic, (now / period + 1) * period);
    else
        timer_cancel(&r->periodic);
    if (is_running(r) && (r->cmos[REGISTER_B] & (B_UIE | B_AIE)))
        timer_set(&r->second, now + NS_PER_SECOND - (now + r->offset_ns) % NS_PER_SECOND);
    else
        timer_cancel(&r->second);
}

static void timer_expired(void *opaque)
{
    struct device *d = opaque;

    flags_update(d);
    irq_update(d);
    timers_update(d);
}

/* ---- registers ------------------------------------------------------------------------------- */

static uint8_t register_a_read(struct device *d)
{
    const struct mc146818 *r = d->state;
    bool updating = is_running(r) && time_now_ns(d) % NS_PER_SECOND >= NS_PER_SECOND - UPDATE_NS;

    return r->cmos[REGISTER_A] | (updating ? A_UIP : 0);
}

static uint8_t register_c_read(struct device *d)
{
    struct mc146818 *r = d->state;
    uint8_t value;

    flags_update(d);
    value = r->cmos[REGISTER_C];
    r->cmos[REGISTER_C] = 0;
    device_irq(d, 0, false);
    return value;
}

static uint8_t data_read(struct device *d)
{
    struct mc146818 *r = d->state;

    switch (r->index) {
    case REGISTER_A:
        return register_a_read(d);
    case REGISTER_C:
        return register_c_read(d);
    case REGISTER_D:
        return D_VALID;
    case SECONDS:
    case MINUTES:
    case HOURS:
    case WEEKDAY:
    case DAY:
    case MONTH:
    case YEAR:
    case CENTURY:
        if (is_running(r))
            time_to_registers(d);
        return r->cmos[r->index];
    default:
        return r->cmos[r->index];
    }
}

/* A or B: time may stop or go on with what stands in the registers. */
static void control_write(struct device *d, uint8_t value)
{
    struct mc146818 *r = d->state;
    bool was_running = is_running(r);

    if (was_running) {
        time_to_registers(d);
        r->stopped_ns = time_now_ns(d);
    }
    r->cmos[r->index] = r->index == REGISTER_A ? value & ~A_UIP : value;
    if (value & B_SET && r->index == REGISTER_B)
        r->cmos[REGISTER_B] &= ~B_UIE;
    if (is_running(r)) {
        int64_t from = was_running ? r->stopped_ns : time_from_registers(r);
        r->offset_ns = from - clock_now_ns(d->clock);
    }
    irq_update(d);
    timers_update(d);
}

static void data_write(struct device *d, uint8_t value)
{
    struct mc146818 *r = d->state;

    flags_update(d);
    switch (r->index) {
    case REGISTER_A:
    case REGISTER_B:
        control_write(d, value);
        return;
    case REGISTER_C:
    case REGISTER_D:
        return;
    case SECONDS:
    case MINUTES:
    case HOURS:
    case WEEKDAY:
    case DAY:
    case MONTH:
    case YEAR:
    case CENTURY:
        if (is_running(r)) {
            int64_t within = time_now_ns(d) % NS_PER_SECOND;
            time_to_registers(d);
            r->cmos[r->index] = value;
            r->offset_ns = time_from_registers(r) + within - clock_now_ns(d->clock);
        } else {
            r->cmos[r->index] = value;
            r->stopped_ns = time_from_registers(r);
        }
        return;
    default:
        r->cmos[r->index] = value;
        return;
    }
}

static uint64_t mc146818_read(struct device *d, uint64_t offset, unsigned size)
{
    return offset & 1 ? data_read(d) : 0xff; /* the index cannot be read back */
}

static void mc146818_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct mc146818 *r = d->state;

    /* Bit 7 of the index port masks NMI on the PC/AT; nothing here raises one. */
    if (offset & 1)
        data_write(d, (uint8_t)value);
    else
        r->index = value & (CMOS_BYTES - 1);
}

void mc146818_set(struct device *d, unsigned index, uint8_t value)
{
    struct mc146818 *r = d->state;

    r->cmos[index % CMOS_BYTES] = value;
}

/* ---- device ---------------------------------------------------------------------------------- */

static bool mc146818_init(struct device *d, struct error *err)
{
    struct mc146818 *r = d->state;
    int64_t now_ns;

    if (!rtc_base_time(d, &now_ns, err))
        return false;
    r->offset_ns = now_ns - clock_now_ns(d->clock);
    r->cmos[REGISTER_A] = A_RUNNING | 6;
    r->cmos[REGISTER_B] = B_24_HOURS;
    timer_init(&r->periodic, d->clock, timer_expired, d);
    timer_init(&r->second, d->clock, timer_expired, d);
    return true;
}

/* The RESET pin: interrupt enables and flags only. */
static void mc146818_reset(struct device *d)
{
    struct mc146818 *r = d->state;

    r->cmos[REGISTER_B] &= ~(B_PIE | B_AIE | B_UIE);
    r->cmos[REGISTER_C] = 0;
    r->flags_ns = clock_now_ns(d->clock);
    timers_update(d);
    device_irq(d, 0, false);
}

static const struct device_field fields[] = {
    {.name = "cmos",
     .offset = offsetof(struct mc146818, cmos),
     .count = CMOS_BYTES,
     .kind = DEVICE_U8,
     .keep = true},
    DEVICE_FIELD(struct mc146818, index, DEVICE_U8, 0),
    DEVICE_KEPT(struct mc146818, offset_ns, DEVICE_U64),
    DEVICE_KEPT(struct mc146818, stopped_ns, DEVICE_U64),
    DEVICE_FIELD(struct mc146818, flags_ns, DEVICE_U64, 0),
    DEVICE_FIELD(struct mc146818, periodic, DEVICE_TIMER, 0),
    DEVICE_FIELD(struct mc146818, second, DEVICE_TIMER, 0),
};

static const struct device_region regions[] = {
    {.name = "rtc",
     .size = 2,
     .min_access = 1,
     .max_access = 1,
     .read = mc146818_read,
     .write = mc146818_write,
     .port = true},
};

static const struct device_prop mc146818_props[] = {
    {"base", DEVICE_PROP_TEXT},
    {NULL},
};

static const struct device_class mc146818_class = {
    .name = "mc146818",
    .props = mc146818_props,
    .description = "Real-time clock and CMOS memory of the PC/AT",
    .manual = "Motorola MC146818A",
    .state_size = sizeof(struct mc146818),
    .regions = regions,
    .n_regions = ARRAY_SIZE(regions),
    .fields = fields,
    .n_fields = ARRAY_SIZE(fields),
    .n_irq_out = 1,
    .init = mc146818_init,
    .reset = mc146818_reset,
};
REGISTER(device_class, mc146818_class);
