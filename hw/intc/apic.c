/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local APIC (Intel SDM 3A, chapter 11): xAPIC registers in its page, x2APIC ones as MSRs, timer,
 * local vectors, interprocessor interrupts. Outputs and inputs are listed in apic.h.
 *
 * The region is the whole of 0xfeexxxxx: register page first, and a write elsewhere in it is a
 * message-signalled interrupt, as the host bridge decodes it. When IA32_APIC_BASE moves the
 * page, a second window shows it there.
 *
 * After reset LINT0 is ExtINT and open although the APIC is disabled, as a PC's firmware leaves the
 * first processor (virtual wire mode); property virtual-wire=off gives the manual's masked state.
 * Further properties: id (the APIC ID), x2apic=off.
 *
 * Not there: performance-counter, thermal and CMCI sources (nothing raises them), start-up messages
 * (there is one processor, which never waits for one).
 */
#include "hw/intc/apic.h"

#include <string.h>

#include "hw/device.h"
#include "hw/machine.h"
#include "util/bits.h"

enum {
    APIC_PAGE = 0x1000,
    APIC_WINDOW = 0x100000,
    MAX_APICS = 8,
    MAX_LISTENERS = 4,
    X2APIC_MSR = 0x800,
    APIC_VERSION = 0x00050014, /* an integrated APIC with six local vectors */
    FIRST_VECTOR = 16,         /* 0-15 are illegal */
    /* A guest may ask for a period of one tick; the host is spared. The count stays exact. */
    SHORTEST_PERIOD_NS = 20000,
};
#define APIC_DEFAULT_BASE UINT64_C(0xfee00000)
#define X2APIC_BROADCAST UINT32_MAX

enum apic_base_bits {
    BASE_BSP = 1 << 8,
    BASE_X2APIC = 1 << 10,
    BASE_ENABLE = 1 << 11,
};
#define BASE_ADDRESS UINT64_C(0x000000fffffff000)

/* Offsets in the page; the MSR is 0x800 + offset / 16. */
enum apic_page {
    REG_ID = 0x020,
    REG_VERSION = 0x030,
    REG_TPR = 0x080,
    REG_APR = 0x090,
    REG_PPR = 0x0a0,
    REG_EOI = 0x0b0,
    REG_RRD = 0x0c0,
    REG_LDR = 0x0d0,
    REG_DFR = 0x0e0,
    REG_SVR = 0x0f0,
    REG_ISR = 0x100,
    REG_TMR = 0x180,
    REG_IRR = 0x200,
    REG_ESR = 0x280,
    REG_ICR = 0x300,
    REG_ICR_HIGH = 0x310,
    REG_LVT = 0x320,
    REG_LVT_END = 0x380,
    REG_INITIAL = 0x380,
    REG_CURRENT = 0x390,
    REG_DIVIDE = 0x3e0,
    REG_SELF_IPI = 0x3f0,
};

enum { SVR_ENABLE = 1 << 8, SVR_MASK = 0x3ff };
enum { ESR_SEND_VECTOR = 1 << 5, ESR_RECEIVE_VECTOR = 1 << 6, ESR_REGISTER = 1 << 7 };
enum {
    LVT_REMOTE_IRR = 1 << 14,
    LVT_LEVEL = 1 << 15,
    LVT_MASKED = 1 << 16,
};
enum timer_mode { TIMER_ONE_SHOT, TIMER_PERIODIC, TIMER_TSC_DEADLINE };
enum {
    ICR_LOGICAL = 1 << 11,
    ICR_ASSERT = 1 << 14,
    ICR_LEVEL = 1 << 15,
    ICR_MASK = 0xccfff,
};
enum { SHORTHAND_NONE, SHORTHAND_SELF, SHORTHAND_ALL, SHORTHAND_OTHERS };

enum lvt { LVT_TIMER, LVT_THERMAL, LVT_COUNTER, LVT_LINT0, LVT_LINT1, LVT_ERROR, N_LVT };

/* What can be written to each; the rest is reserved or read-only. */
static const uint32_t lvt_mask[N_LVT] = {0x700ff, 0x107ff, 0x107ff, 0x1a7ff, 0x1a7ff, 0x100ff};

struct apic {
    uint64_t base;
    uint32_t id;
    uint8_t tpr;
    uint32_t ldr, dfr, svr;
    uint32_t isr[8], tmr[8], irr[8];
    uint32_t esr, errors; /* readable; collected since the last write to ESR */
    uint64_t icr;
    uint32_t lvt[N_LVT];
    bool lint[2];
    uint32_t initial, divide;
    int64_t started_ns; /* when the count was `initial` */
    uint64_t tsc_deadline;
    struct timer timer;
    bool intr;   /* output 0 as it stands */
    bool extint; /* an ExtINT message waits for its acknowledge */

    bool virtual_wire, has_x2apic;
    uint32_t initial_id;
    uint64_t mapped; /* where the second window is, 0: nowhere */
    /* The bus; in the first APIC only. */
    struct device *first;
    struct device *apics[MAX_APICS];
    unsigned n_apics;
    struct {
        struct device *device;
        void (*eoi)(struct device *listener, uint8_t vector);
    } listeners[MAX_LISTENERS];
    unsigned n_listeners;
};

static bool is_enabled(const struct apic *a)
{
    return a->base & BASE_ENABLE;
}

static bool is_x2apic(const struct apic *a)
{
    return (a->base & BASE_X2APIC) && is_enabled(a);
}

static bool accepts_fixed(const struct apic *a)
{
    return is_enabled(a) && (a->svr & SVR_ENABLE);
}

/* ---- priorities ------------------------------------------------------------------------------ */

static bool vector_test(const uint32_t *map, uint8_t vector)
{
    return map[vector / 32] >> (vector % 32) & 1;
}

static void vector_put(uint32_t *map, uint8_t vector, bool value)
{
    map[vector / 32] = deposit32(map[vector / 32], vector % 32, 1, value);
}

/* -1: none. */
static int vector_highest(const uint32_t *map)
{
    for (int i = 7; i >= 0; i--) {
        if (map[i])
            return i * 32 + 31 - __builtin_clz(map[i]);
    }
    return -1;
}

static uint8_t processor_priority(const struct apic *a)
{
    int served = vector_highest(a->isr);

    if (served < 0 || (a->tpr >> 4) >= served >> 4)
        return a->tpr;
    return (uint8_t)(served & 0xf0);
}

/* The vector that may interrupt now; -1: none. */
static int deliverable(const struct apic *a)
{
    int vector = vector_highest(a->irr);

    if (vector < 0 || !is_enabled(a) || vector >> 4 <= processor_priority(a) >> 4)
        return -1;
    return vector;
}

bool apic_accepts_extint(const struct device *apic)
{
    const struct apic *a = apic->state;
    uint32_t lint0 = a->lvt[LVT_LINT0];

    return !is_enabled(a) || a->extint ||
           (!(lint0 & LVT_MASKED) && extract32(lint0, 8, 3) == APIC_EXTINT);
}

static void apic_update(struct device *d)
{
    struct apic *a = d->state;
    bool intr = deliverable(a) >= 0 || a->extint || (a->lint[0] && apic_accepts_extint(d));

    if (intr == a->intr)
        return;
    a->intr = intr;
    device_irq(d, APIC_OUT_INTR, intr);
}

/* ---- accepting ------------------------------------------------------------------------------- */

static void accept(struct device *d, enum apic_delivery delivery, uint8_t vector, bool level);

static void error_raise(struct device *d, uint32_t bit)
{
    struct apic *a = d->state;
    uint32_t entry = a->lvt[LVT_ERROR];
    bool legal = (entry & 0xff) >= FIRST_VECTOR;

    a->errors |= bit;
    if (!(entry & LVT_MASKED) && legal)
        accept(d, APIC_FIXED, (uint8_t)entry, false);
    else if (!(entry & LVT_MASKED))
        a->errors |= ESR_RECEIVE_VECTOR;
}

static void pulse(struct device *d, enum apic_output line)
{
    device_irq(d, line, true);
    device_irq(d, line, false);
}

static void accept(struct device *d, enum apic_delivery delivery, uint8_t vector, bool level)
{
    struct apic *a = d->state;

    switch (delivery) {
    case APIC_FIXED:
    case APIC_LOWEST:
        if (!accepts_fixed(a))
            return;
        if (vector < FIRST_VECTOR) {
            error_raise(d, ESR_RECEIVE_VECTOR);
            return;
        }
        vector_put(a->irr, vector, true);
        vector_put(a->tmr, vector, level);
        apic_update(d);
        return;
    case APIC_SMI:
        pulse(d, APIC_OUT_SMI);
        return;
    case APIC_NMI:
        pulse(d, APIC_OUT_NMI);
        return;
    case APIC_INIT:
        apic_init_reset(d);
        pulse(d, APIC_OUT_INIT);
        return;
    case APIC_STARTUP:
        log_unimp_once("apic: start-up message with vector 0x%02x\n", vector);
        return;
    case APIC_EXTINT:
        a->extint = true;
        apic_update(d);
        return;
    }
    log_printf(LOG_GUEST_ERROR, "apic: message of reserved delivery mode %d\n", (int)delivery);
}

/* A source with a local vector. */
static void local_interrupt(struct device *d, enum lvt which)
{
    struct apic *a = d->state;
    uint32_t entry = a->lvt[which];
    enum apic_delivery delivery = APIC_FIXED;
    bool is_lint = which == LVT_LINT0 || which == LVT_LINT1, level = false;

    if ((entry & LVT_MASKED) || !is_enabled(a))
        return;
    if (which != LVT_TIMER && which != LVT_ERROR)
        delivery = extract32(entry, 8, 3);
    if (delivery == APIC_EXTINT) { /* the line itself asks, as long as it is high */
        apic_update(d);
        return;
    }
    /* LINT1 is always edge-triggered; the trigger mode counts for fixed vectors only. */
    if (is_lint && which == LVT_LINT0 && delivery == APIC_FIXED && (entry & LVT_LEVEL)) {
        if (entry & LVT_REMOTE_IRR)
            return;
        a->lvt[which] |= LVT_REMOTE_IRR;
        level = true;
    }
    accept(d, delivery, (uint8_t)entry, level);
}

static void apic_irq_in(struct device *d, unsigned line, bool level)
{
    struct apic *a = d->state;
    bool was = a->lint[line];

    a->lint[line] = level;
    if (!level && line == APIC_LINT0) /* as the 8259 does when it is acknowledged */
        a->extint = false;
    if (level && !was)
        local_interrupt(d, line == APIC_LINT0 ? LVT_LINT0 : LVT_LINT1);
    else if (!is_enabled(a) && line == APIC_LINT1 && level != was)
        device_irq(d, APIC_OUT_NMI, level); /* a disabled APIC's pins are INTR and NMI */
    apic_update(d);
}

/* ---- the bus --------------------------------------------------------------------------------- */

static bool matches_logical(const struct apic *a, uint32_t destination)
{
    if (is_x2apic(a)) {
        uint32_t ldr = (a->id >> 4) << 16 | 1u << (a->id & 15);
        return destination == X2APIC_BROADCAST ||
               (ldr >> 16 == destination >> 16 && (ldr & destination & 0xffff));
    }
    uint32_t ldr = a->ldr >> 24;
    if (a->dfr >> 28 == 0xf) /* flat */
        return ldr & destination & 0xff;
    bool cluster = extract32(destination, 4, 4) == 0xf || ldr >> 4 == extract32(destination, 4, 4);
    return cluster && (ldr & destination & 0xf);
}

static bool matches(const struct apic *a, uint32_t destination, bool logical, bool wide)
{
    bool all = wide ? destination == X2APIC_BROADCAST : destination == APIC_BROADCAST;

    if (!is_enabled(a))
        return false;
    if (all)
        return true;
    return logical ? matches_logical(a, destination) : a->id == destination;
}

struct targets {
    struct device *apics[MAX_APICS];
    unsigned n;
};

/* Lowest priority: the one that does the least urgent thing gets it. */
static void send_lowest(const struct targets *t, uint8_t vector, bool level)
{
    struct device *best = NULL;

    for (unsigned i = 0; i < t->n; i++) {
        struct apic *a = t->apics[i]->state;
        if (accepts_fixed(a) && (!best || processor_priority(a) < processor_priority(best->state)))
            best = t->apics[i];
    }
    if (best)
        accept(best, APIC_FIXED, vector, level);
}

static void send(const struct targets *t, enum apic_delivery delivery, uint8_t vector, bool level)
{
    if (delivery == APIC_LOWEST) {
        send_lowest(t, vector, level);
        return;
    }
    for (unsigned i = 0; i < t->n; i++)
        accept(t->apics[i], delivery, vector, level);
}

static void find_targets(const struct apic *first, struct targets *t, uint32_t destination,
                         bool logical, bool wide)
{
    for (unsigned i = 0; i < first->n_apics; i++) {
        if (matches(first->apics[i]->state, destination, logical, wide))
            t->apics[t->n++] = first->apics[i];
    }
}

static struct device *first_apic(struct machine *machine)
{
    return machine_find_device(machine, "apic0");
}

void apic_deliver(struct machine *machine, const struct apic_message *message)
{
    struct device *first = first_apic(machine);
    struct targets t = {.n = 0};

    if (!first)
        return;
    find_targets(first->state, &t, message->destination, message->logical, false);
    send(&t, message->delivery, message->vector, message->level);
}

/* SDM 3A 11.11: destination in address bits 19:12, logical if bit 2. */
static void msi_deliver(struct device *first, uint64_t address, uint32_t data)
{
    struct targets t = {.n = 0};

    /* The deassertion of a level message changes nothing. */
    if ((data & ICR_LEVEL) && !(data & ICR_ASSERT))
        return;
    find_targets(first->state, &t, extract32((uint32_t)address, 12, 8), address >> 2 & 1, false);
    send(&t, extract32(data, 8, 3), (uint8_t)data, data & ICR_LEVEL);
}

void apic_msi(struct machine *machine, uint64_t address, uint32_t data)
{
    struct device *first = first_apic(machine);

    if (first)
        msi_deliver(first, address, data);
}

void apic_on_eoi(struct machine *machine, struct device *listener,
                 void (*eoi)(struct device *listener, uint8_t vector))
{
    struct device *first = first_apic(machine);
    struct apic *a = first ? first->state : NULL;

    if (!a)
        return;
    for (unsigned i = 0; i < a->n_listeners; i++) {
        if (a->listeners[i].device == listener)
            return;
    }
    if (a->n_listeners == MAX_LISTENERS)
        BUG("too many I/O APICs");
    a->listeners[a->n_listeners].device = listener;
    a->listeners[a->n_listeners++].eoi = eoi;
}

static void icr_send(struct device *d)
{
    struct apic *a = d->state;
    uint32_t low = (uint32_t)a->icr;
    uint32_t destination = is_x2apic(a) ? (uint32_t)(a->icr >> 32) : (uint32_t)(a->icr >> 56);
    enum apic_delivery delivery = extract32(low, 8, 3);
    const struct apic *first = a->first->state;
    struct targets t = {.n = 0};

    if (!is_enabled(a))
        return;
    /* INIT level de-assert once synchronised arbitration IDs. */
    if (delivery == APIC_INIT && (low & ICR_LEVEL) && !(low & ICR_ASSERT))
        return;
    if ((delivery == APIC_FIXED || delivery == APIC_LOWEST) && (low & 0xff) < FIRST_VECTOR) {
        error_raise(d, ESR_SEND_VECTOR);
        return;
    }
    switch (extract32(low, 18, 2)) {
    case SHORTHAND_NONE:
        find_targets(first, &t, destination, low & ICR_LOGICAL, is_x2apic(a));
        break;
    case SHORTHAND_SELF:
        t.apics[t.n++] = d;
        break;
    default:
        for (unsigned i = 0; i < first->n_apics; i++) {
            if (first->apics[i] != d || extract32(low, 18, 2) == SHORTHAND_ALL)
                t.apics[t.n++] = first->apics[i];
        }
    }
    send(&t, delivery, (uint8_t)low, false); /* IPIs are edges whatever the trigger bit says */
}

/* ---- acknowledge and end --------------------------------------------------------------------- */

int apic_acknowledge(struct device *apic)
{
    struct apic *a = apic->state;
    int vector = deliverable(a);

    if (vector >= 0) {
        vector_put(a->irr, (uint8_t)vector, false);
        vector_put(a->isr, (uint8_t)vector, true);
    }
    apic_update(apic);
    return vector;
}

static void end_of_interrupt(struct device *d)
{
    struct apic *a = d->state;
    struct apic *first = a->first->state;
    int vector = vector_highest(a->isr);

    if (vector < 0)
        return;
    vector_put(a->isr, (uint8_t)vector, false);
    apic_update(d);
    if (!vector_test(a->tmr, (uint8_t)vector))
        return;
    if ((a->lvt[LVT_LINT0] & LVT_REMOTE_IRR) && (a->lvt[LVT_LINT0] & 0xff) == (uint32_t)vector) {
        a->lvt[LVT_LINT0] &= ~(uint32_t)LVT_REMOTE_IRR;
        if (a->lint[0])
            local_interrupt(d, LVT_LINT0);
    }
    for (unsigned i = 0; i < first->n_listeners; i++)
        first->listeners[i].eoi(first->listeners[i].device, (uint8_t)vector);
}

/* ---- timer ----------------------------------------------------------------------------------- */

static enum timer_mode timer_mode(const struct apic *a)
{
    return extract32(a->lvt[LVT_TIMER], 17, 2);
}

/* A tick of the 1 GHz bus is a nanosecond; the divisor is 2 << bits {3,1,0}, and 111 is 1. */
static uint64_t tick_ns(const struct apic *a)
{
    unsigned shift = (a->divide & 3) | (a->divide >> 1 & 4);

    return UINT64_C(1) << ((shift + 1) & 7);
}

static uint64_t elapsed_in_period_ns(const struct device *d)
{
    const struct apic *a = d->state;

    return (uint64_t)(clock_now_ns(d->clock) - a->started_ns) % (a->initial * tick_ns(a));
}

static uint32_t timer_count(struct device *d)
{
    const struct apic *a = d->state;
    uint64_t ticks = (uint64_t)(clock_now_ns(d->clock) - a->started_ns) / tick_ns(a);

    if (!a->initial || timer_mode(a) >= TIMER_TSC_DEADLINE)
        return 0;
    if (timer_mode(a) == TIMER_ONE_SHOT)
        return ticks >= a->initial ? 0 : a->initial - (uint32_t)ticks;
    return a->initial - (uint32_t)(ticks % a->initial);
}

/* The next zero after now; a periodic one not sooner than the host can take. counting: a single
 * shot has not been fired yet, be it due already. */
static void timer_arm(struct device *d, bool counting)
{
    struct apic *a = d->state;
    int64_t now_ns = clock_now_ns(d->clock);
    uint64_t elapsed_ns = (uint64_t)(now_ns - a->started_ns);
    uint64_t period_ns = a->initial * tick_ns(a);

    if (!a->initial || timer_mode(a) >= TIMER_TSC_DEADLINE) {
        timer_cancel(&a->timer);
    } else if (timer_mode(a) == TIMER_ONE_SHOT) {
        if (counting)
            timer_set(&a->timer, a->started_ns + (int64_t)period_ns);
        else
            timer_cancel(&a->timer);
    } else {
        int64_t next_ns = a->started_ns + (int64_t)((elapsed_ns / period_ns + 1) * period_ns);
        timer_set(&a->timer, MAX(next_ns, now_ns + SHORTEST_PERIOD_NS));
    }
}

static void timer_expired(void *opaque)
{
    struct device *d = opaque;
    struct apic *a = d->state;

    a->tsc_deadline = 0;
    timer_cancel(&a->timer);
    if (timer_mode(a) == TIMER_PERIODIC)
        timer_arm(d, true);
    local_interrupt(d, LVT_TIMER);
}

static void timer_lvt_write(struct device *d, uint32_t value)
{
    struct apic *a = d->state;
    bool was_deadline = timer_mode(a) >= TIMER_TSC_DEADLINE;
    bool was_periodic = timer_mode(a) == TIMER_PERIODIC;
    bool changed = (a->lvt[LVT_TIMER] ^ value) >> 17 & 3;

    a->lvt[LVT_TIMER] = value;
    if (!changed)
        return;
    /* Going to or from deadline mode disarms (11.5.4.1). */
    if (was_deadline || timer_mode(a) >= TIMER_TSC_DEADLINE) {
        a->initial = 0;
        a->tsc_deadline = 0;
    }
    if (was_periodic && a->initial) /* the present count is the last */
        a->started_ns = clock_now_ns(d->clock) - (int64_t)elapsed_in_period_ns(d);
    timer_arm(d, timer_pending(&a->timer));
}

void apic_set_tsc_deadline(struct device *apic, uint64_t tsc, int64_t deadline_ns)
{
    struct apic *a = apic->state;

    if (timer_mode(a) != TIMER_TSC_DEADLINE || !is_enabled(a))
        return;
    a->tsc_deadline = tsc;
    if (!tsc)
        timer_cancel(&a->timer);
    else if (deadline_ns > clock_now_ns(apic->clock))
        timer_set(&a->timer, deadline_ns);
    else
        timer_expired(apic);
}

uint64_t apic_get_tsc_deadline(const struct device *apic)
{
    const struct apic *a = apic->state;

    return a->tsc_deadline;
}

/* ---- registers ------------------------------------------------------------------------------- */

static bool is_register_map(unsigned offset, struct apic *a, uint32_t **word)
{
    if (offset < REG_ISR || offset >= REG_ESR)
        return false;
    uint32_t *map = offset < REG_TMR ? a->isr : offset < REG_IRR ? a->tmr : a->irr;
    *word = &map[offset >> 4 & 7];
    return true;
}

static uint32_t register_read(struct device *d, unsigned offset, bool *known)
{
    struct apic *a = d->state;
    uint32_t *word;

    *known = true;
    if (is_register_map(offset, a, &word))
        return *word;
    if (offset >= REG_LVT && offset < REG_LVT_END)
        return a->lvt[(offset - REG_LVT) >> 4];
    switch (offset) {
    case REG_ID:
        return is_x2apic(a) ? a->id : a->id << 24;
    case REG_VERSION:
        return APIC_VERSION;
    case REG_TPR:
        return a->tpr;
    case REG_PPR:
        return processor_priority(a);
    case REG_APR: /* not in processors with this version */
    case REG_RRD:
    case REG_EOI:
        return 0;
    case REG_LDR:
        return is_x2apic(a) ? (a->id >> 4) << 16 | 1u << (a->id & 15) : a->ldr;
    case REG_DFR:
        return a->dfr;
    case REG_SVR:
        return a->svr;
    case REG_ESR:
        return a->esr;
    case REG_ICR:
        return (uint32_t)a->icr;
    case REG_ICR_HIGH:
        return (uint32_t)(a->icr >> 32);
    case REG_INITIAL:
        return a->initial;
    case REG_CURRENT:
        return timer_count(d);
    case REG_DIVIDE:
        return a->divide;
    }
    *known = false;
    return 0;
}

static void svr_write(struct device *d, uint32_t value)
{
    struct apic *a = d->state;

    a->svr = value & SVR_MASK;
    if (!(value & SVR_ENABLE)) {
        for (unsigned i = 0; i < N_LVT; i++)
            a->lvt[i] |= LVT_MASKED;
    }
    apic_update(d);
}

static void lvt_write(struct device *d, enum lvt which, uint32_t value)
{
    struct apic *a = d->state;

    value = (value & lvt_mask[which]) | (a->lvt[which] & LVT_REMOTE_IRR & value >> 1);
    if (!(a->svr & SVR_ENABLE))
        value |= LVT_MASKED;
    if (which == LVT_TIMER) {
        timer_lvt_write(d, value);
        return;
    }
    a->lvt[which] = value;
    if (which == LVT_LINT0 && a->lint[0] && (value & LVT_LEVEL))
        local_interrupt(d, LVT_LINT0);
    apic_update(d);
}

static void initial_write(struct device *d, uint32_t value)
{
    struct apic *a = d->state;

    if (timer_mode(a) >= TIMER_TSC_DEADLINE)
        return;
    a->initial = value;
    a->started_ns = clock_now_ns(d->clock);
    timer_arm(d, true);
}

/* The count goes on at the new rate from where it is. */
static void divide_write(struct device *d, uint32_t value)
{
    struct apic *a = d->state;
    uint64_t done = a->initial - timer_count(d);

    a->divide = value & 0xb;
    a->started_ns = clock_now_ns(d->clock) - (int64_t)(done * tick_ns(a));
    if (timer_mode(a) < TIMER_TSC_DEADLINE)
        timer_arm(d, timer_pending(&a->timer));
}

static bool register_write(struct device *d, unsigned offset, uint32_t value)
{
    struct apic *a = d->state;

    if (offset >= REG_LVT && offset < REG_LVT_END) {
        lvt_write(d, (offset - REG_LVT) >> 4, value);
        return true;
    }
    switch (offset) {
    case REG_ID:
        a->id = value >> 24;
        return true;
    case REG_TPR:
        apic_set_tpr(d, (uint8_t)value);
        return true;
    case REG_EOI:
        end_of_interrupt(d);
        return true;
    case REG_LDR:
        a->ldr = value & 0xff000000;
        return true;
    case REG_DFR:
        a->dfr = value | 0x0fffffff;
        return true;
    case REG_SVR:
        svr_write(d, value);
        return true;
    case REG_ESR:
        a->esr = a->errors;
        a->errors = 0;
        return true;
    case REG_ICR:
        a->icr = (a->icr & ~UINT64_C(0xffffffff)) | (value & ICR_MASK);
        icr_send(d);
        return true;
    case REG_ICR_HIGH:
        a->icr = (uint32_t)a->icr | (uint64_t)(value & 0xff000000) << 32;
        return true;
    case REG_INITIAL:
        initial_write(d, value);
        return true;
    case REG_DIVIDE:
        divide_write(d, value);
        return true;
    case REG_VERSION:
    case REG_APR:
    case REG_PPR:
    case REG_RRD:
    case REG_CURRENT:
        return true; /* read-only */
    }
    return offset >= REG_ISR && offset < REG_ESR;
}

static uint64_t page_read(struct device *d, uint64_t offset)
{
    const struct apic *a = d->state;
    bool known;

    if (!is_enabled(a) || is_x2apic(a))
        return UINT32_MAX; /* the page is not there */
    if (offset & 0xf)
        return 0;
    uint32_t value = register_read(d, (unsigned)offset, &known);
    if (!known) {
        log_printf(LOG_GUEST_ERROR, "apic: read of register 0x%x\n", (unsigned)offset);
        error_raise(d, ESR_REGISTER);
    }
    return value;
}

static void page_write(struct device *d, uint64_t offset, uint32_t value)
{
    const struct apic *a = d->state;

    if (!is_enabled(a) || is_x2apic(a) || (offset & 0xf))
        return;
    if (!register_write(d, (unsigned)offset, value)) {
        log_printf(LOG_GUEST_ERROR, "apic: write of 0x%x to register 0x%x\n", value,
                   (unsigned)offset);
        error_raise(d, ESR_REGISTER);
    }
}

static bool page_is_here(const struct apic *a)
{
    return (a->base & BASE_ADDRESS) == APIC_DEFAULT_BASE;
}

static uint64_t window_read(struct device *d, uint64_t offset, unsigned size)
{
    if (offset < APIC_PAGE && page_is_here(d->state))
        return page_read(d, offset);
    return UINT32_MAX;
}

static void window_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    const struct apic *a = d->state;

    if (offset < APIC_PAGE && page_is_here(a) && is_enabled(a) && !is_x2apic(a))
        page_write(d, offset, (uint32_t)value);
    else
        msi_deliver(a->first, APIC_DEFAULT_BASE + offset, (uint32_t)value);
}

/* ---- MSRs ------------------------------------------------------------------------------------ */

uint8_t apic_get_tpr(const struct device *apic)
{
    const struct apic *a = apic->state;

    return a->tpr;
}

void apic_set_tpr(struct device *apic, uint8_t value)
{
    struct apic *a = apic->state;

    a->tpr = value;
    apic_update(apic);
}

bool apic_msr_read(struct device *apic, uint32_t msr, uint64_t *value)
{
    const struct apic *a = apic->state;
    unsigned offset = (msr - X2APIC_MSR) << 4;
    bool known;

    if (!is_x2apic(a) || msr < X2APIC_MSR || offset >= APIC_PAGE)
        return false;
    switch (offset) {
    case REG_ICR:
        *value = a->icr;
        return true;
    case REG_APR:
    case REG_EOI:
    case REG_RRD:
    case REG_DFR:
    case REG_ICR_HIGH:
    case REG_SELF_IPI:
        return false; /* write-only or not there */
    }
    *value = register_read(apic, offset, &known);
    return known;
}

/* Bits that may be set in what is written; 0: not writable, or only as zero. */
static uint64_t msr_writable(unsigned offset)
{
    if (offset >= REG_LVT && offset < REG_LVT_END)
        return lvt_mask[(offset - REG_LVT) >> 4] | LVT_REMOTE_IRR | 1 << 12;
    switch (offset) {
    case REG_TPR:
    case REG_SELF_IPI:
        return 0xff;
    case REG_SVR:
        return SVR_MASK;
    case REG_INITIAL:
        return UINT32_MAX;
    case REG_DIVIDE:
        return 0xb;
    case REG_ICR:
        return UINT64_C(0xffffffff00000000) | ICR_MASK;
    }
    return 0;
}

bool apic_msr_write(struct device *apic, uint32_t msr, uint64_t value)
{
    struct apic *a = apic->state;
    unsigned offset = (msr - X2APIC_MSR) << 4;
    uint64_t writable = msr_writable(offset);

    if (!is_x2apic(a) || msr < X2APIC_MSR || offset >= APIC_PAGE || (value & ~writable))
        return false;
    if (!writable && offset != REG_EOI && offset != REG_ESR)
        return false;
    switch (offset) {
    case REG_ICR:
        a->icr = value;
        icr_send(apic);
        return true;
    case REG_SELF_IPI:
        if (value < FIRST_VECTOR)
            error_raise(apic, ESR_SEND_VECTOR);
        else
            accept(apic, APIC_FIXED, (uint8_t)value, false);
        return true;
    }
    return register_write(apic, offset, (uint32_t)value);
}

/* ---- IA32_APIC_BASE -------------------------------------------------------------------------- */

static uint64_t moved_read(void *opaque, uint64_t offset, unsigned size)
{
    return page_read(opaque, offset);
}

static void moved_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    page_write(opaque, offset, (uint32_t)value);
}

static const struct region_ops moved_ops = {
    .read = moved_read,
    .write = moved_write,
    .min_access = 4,
    .max_access = 4,
};

static void place_page(struct device *d)
{
    struct apic *a = d->state;
    uint64_t wanted = page_is_here(a) ? 0 : a->base & BASE_ADDRESS;
    struct error err = {""};

    if (wanted == a->mapped)
        return;
    if (a->mapped)
        memory_remove(d->memory, a->mapped);
    a->mapped = 0;
    if (!wanted)
        return;
    if (memory_add_device(d->memory, "apic-moved", wanted, APIC_PAGE, &moved_ops, d, &err))
        a->mapped = wanted;
    else
        log_printf(LOG_GUEST_ERROR, "apic: %s\n", err.message);
}

uint64_t apic_get_base(const struct device *apic)
{
    const struct apic *a = apic->state;

    return a->base;
}

/* 11.12.5: which modes follow which; the address may not change together with nothing else said. */
static bool base_allowed(const struct apic *a, uint64_t value)
{
    uint64_t modes = BASE_ENABLE | BASE_X2APIC, old = a->base & modes, new = value &modes;

    if (value & ~(BASE_ADDRESS | modes | BASE_BSP))
        return false;
    if (!a->has_x2apic && (value & BASE_X2APIC))
        return false;
    if (new == BASE_X2APIC)
        return false;
    if (old == 0 && new == modes)
        return false;
    return !(old == modes && new == BASE_ENABLE);
}

static void set_defaults(struct device *d)
{
    struct apic *a = d->state;

    a->tpr = 0;
    a->ldr = 0;
    a->dfr = UINT32_MAX;
    a->svr = 0xff;
    memset(a->isr, 0, sizeof(a->isr));
    memset(a->tmr, 0, sizeof(a->tmr));
    memset(a->irr, 0, sizeof(a->irr));
    a->esr = a->errors = 0;
    a->icr = 0;
    for (unsigned i = 0; i < N_LVT; i++)
        a->lvt[i] = LVT_MASKED;
    if (a->virtual_wire && (a->base & BASE_BSP))
        a->lvt[LVT_LINT0] = APIC_EXTINT << 8;
    a->initial = a->divide = 0;
    a->tsc_deadline = 0;
    a->extint = false;
    timer_cancel(&a->timer);
}

void apic_init_reset(struct device *apic)
{
    set_defaults(apic);
    apic_update(apic);
}

bool apic_set_base(struct device *apic, uint64_t value)
{
    struct apic *a = apic->state;
    uint64_t old = a->base;

    if (!base_allowed(a, value))
        return false;
    a->base = value;
    /* Switched off, it forgets everything (11.4.3). */
    if ((old & BASE_ENABLE) && !(value & BASE_ENABLE)) {
        set_defaults(apic);
        a->id = a->initial_id;
    }
    if (is_x2apic(a) && !(old & BASE_X2APIC)) {
        a->id = a->initial_id;
        a->icr &= UINT32_MAX;
    }
    place_page(apic);
    apic_update(apic);
    return true;
}

/* ---- device ---------------------------------------------------------------------------------- */

static bool apic_init(struct device *d, struct error *err)
{
    struct apic *a = d->state;
    struct device *first = first_apic(d->machine);
    struct apic *bus;

    a->first = first ? first : d;
    bus = a->first->state;
    if (bus->n_apics == MAX_APICS)
        return error_set(err, "%s: there can be at most %d local APICs", d->id, MAX_APICS);
    a->initial_id = (uint32_t)device_prop_u64(d, "id", bus->n_apics) & 0xff;
    bus->apics[bus->n_apics++] = d;
    a->virtual_wire = device_prop_on(d, "virtual-wire", true);
    a->has_x2apic = device_prop_on(d, "x2apic", true);
    timer_init(&a->timer, d->clock, timer_expired, d);
    return true;
}

static void apic_reset(struct device *d)
{
    struct apic *a = d->state;

    a->base = APIC_DEFAULT_BASE | BASE_ENABLE | (a->first == d ? BASE_BSP : 0);
    a->id = a->initial_id;
    set_defaults(d);
    place_page(d);
    a->intr = false;
    for (unsigned i = APIC_OUT_INTR; i <= APIC_OUT_SMI; i++)
        device_irq(d, i, false);
}

static const struct device_field apic_fields[] = {
    DEVICE_FIELD(struct apic, base, DEVICE_U64, 0),
    DEVICE_FIELD(struct apic, id, DEVICE_U32, 0),
    DEVICE_FIELD(struct apic, tpr, DEVICE_U8, 0),
    DEVICE_FIELD(struct apic, ldr, DEVICE_U32, 0),
    DEVICE_FIELD(struct apic, dfr, DEVICE_U32, 0),
    DEVICE_FIELD(struct apic, svr, DEVICE_U32, 0),
    DEVICE_ARRAY(struct apic, isr, DEVICE_U32, 8, 0),
    DEVICE_ARRAY(struct apic, tmr, DEVICE_U32, 8, 0),
    DEVICE_ARRAY(struct apic, irr, DEVICE_U32, 8, 0),
    DEVICE_FIELD(struct apic, esr, DEVICE_U32, 0),
    DEVICE_FIELD(struct apic, errors, DEVICE_U32, 0),
    DEVICE_FIELD(struct apic, icr, DEVICE_U64, 0),
    DEVICE_ARRAY(struct apic, lvt, DEVICE_U32, N_LVT, 0),
    DEVICE_ARRAY(struct apic, lint, DEVICE_BOOL, 2, 0),
    DEVICE_FIELD(struct apic, initial, DEVICE_U32, 0),
    DEVICE_FIELD(struct apic, divide, DEVICE_U32, 0),
    DEVICE_FIELD(struct apic, started_ns, DEVICE_U64, 0),
    DEVICE_FIELD(struct apic, tsc_deadline, DEVICE_U64, 0),
    DEVICE_FIELD(struct apic, timer, DEVICE_TIMER, 0),
    DEVICE_FIELD(struct apic, intr, DEVICE_BOOL, 0),
    DEVICE_FIELD(struct apic, extint, DEVICE_BOOL, 0),
};

static const struct device_region apic_regions[] = {
    {.name = "apic",
     .size = APIC_WINDOW,
     .min_access = 4,
     .max_access = 4,
     .read = window_read,
     .write = window_write},
};

static const struct device_prop apic_props[] = {
    {"id", DEVICE_PROP_NUMBER},
    {"virtual-wire", DEVICE_PROP_SWITCH},
    {"x2apic", DEVICE_PROP_SWITCH},
    {NULL},
};

static const struct device_class apic_class = {
    .name = "apic",
    .props = apic_props,
    .interrupts = true,
    .description = "Local APIC",
    .manual = "Intel SDM volume 3A, chapter 11",
    .state_size = sizeof(struct apic),
    .regions = apic_regions,
    .n_regions = ARRAY_SIZE(apic_regions),
    .fields = apic_fields,
    .n_fields = ARRAY_SIZE(apic_fields),
    .n_irq_in = 2,
    .n_irq_out = 4,
    .init = apic_init,
    .reset = apic_reset,
    .irq_in = apic_irq_in,
};
REGISTER(device_class, apic_class);
