/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UART PC16550D (National Semiconductor TL/C/8652). What it sends goes to the host at once, so its
 * transmitter is always empty; reception has the FIFO, its trigger levels and the character
 * timeout.
 *
 * Property clock-hz: of XIN (1843200). Not there: parity and framing errors (the host's stream has
 * none), DMA mode signals (the PC does not wire them).
 */
#include "host/chardev.h"
#include "hw/device.h"
#include "util/bits.h"

/* Offsets; 0 and 1 are the divisor latch while LCR.DLAB is set. */
enum { RBR_THR, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR, N_REGISTERS, WIDE_STRIDE = 8 };

enum {
    FIFO_SIZE = 16,

    IER_RDA = 1 << 0,
    IER_THRE = 1 << 1,
    IER_RLS = 1 << 2,
    IER_MS = 1 << 3,

    IIR_NONE = 0x1,
    IIR_MS = 0x0,
    IIR_THRE = 0x2,
    IIR_RDA = 0x4,
    IIR_RLS = 0x6,
    IIR_TIMEOUT = 0xc,
    IIR_FIFO = 0xc0,

    FCR_ENABLE = 1 << 0,
    FCR_RECEIVE_RESET = 1 << 1,
    FCR_TRANSMIT_RESET = 1 << 2,
    FCR_KEPT = 0xc9,

    LCR_BREAK = 1 << 6,
    LCR_DLAB = 1 << 7,

    MCR_DTR = 1 << 0,
    MCR_RTS = 1 << 1,
    MCR_OUT1 = 1 << 2,
    MCR_OUT2 = 1 << 3, /* on the PC: gate of the interrupt line */
    MCR_LOOP = 1 << 4,

    LSR_DR = 1 << 0,
    LSR_OE = 1 << 1,
    LSR_BI = 1 << 4,
    LSR_ERRORS = 0x1e,
    LSR_THRE = 1 << 5,
    LSR_TEMT = 1 << 6,
    LSR_FIFO_ERROR = 1 << 7,

    MSR_DELTA = 0x0f,
    MSR_TERI = 1 << 2,
    MSR_CTS = 1 << 4,
    MSR_DSR = 1 << 5,
    MSR_RI = 1 << 6,
    MSR_DCD = 1 << 7,
};

struct ns16550 {
    uint8_t ier, fcr, lcr, mcr, lsr, msr, scr;
    uint16_t divisor;
    bool thre_pending, timed_out, line;
    uint16_t fifo[FIFO_SIZE]; /* bits 15:8: LSR error bits that came with it */
    uint32_t head, count;
    struct timer timeout;
    uint32_t clock_hz;
};

/* ---- interrupts: in the data sheet's order of priority --------------------------------------- */

static unsigned receive_trigger(const struct ns16550 *u)
{
    static const uint8_t level[4] = {1, 4, 8, 14};

    return u->fcr & FCR_ENABLE ? level[u->fcr >> 6] : 1;
}

static uint8_t interrupt_id(const struct ns16550 *u)
{
    if ((u->ier & IER_RLS) && (u->lsr & LSR_ERRORS))
        return IIR_RLS;
    if ((u->ier & IER_RDA) && u->timed_out)
        return IIR_TIMEOUT;
    if ((u->ier & IER_RDA) && u->count >= receive_trigger(u))
        return IIR_RDA;
    if ((u->ier & IER_THRE) && u->thre_pending)
        return IIR_THRE;
    if ((u->ier & IER_MS) && (u->msr & MSR_DELTA))
        return IIR_MS;
    return IIR_NONE;
}

static void update_line(struct device *d)
{
    struct ns16550 *u = d->state;
    bool line = interrupt_id(u) != IIR_NONE && (u->mcr & MCR_OUT2) && !(u->mcr & MCR_LOOP);

    if (line == u->line)
        return;
    u->line = line;
    device_irq(d, 0, line);
}

/* ---- modem lines ----------------------------------------------------------------------------- */

static uint8_t modem_lines(struct device *d)
{
    const struct ns16550 *u = d->state;

    if (!(u->mcr & MCR_LOOP)) /* something at the other end is always ready */
        return d->chardev ? MSR_CTS | MSR_DSR | MSR_DCD : 0;
    return (uint8_t)((u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
                     (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static void modem_update(struct device *d)
{
    struct ns16550 *u = d->state;
    uint8_t lines = modem_lines(d), changed = (lines ^ u->msr) & 0xf0;

    /* The ring indicator counts when it goes off. */
    u->msr = (uint8_t)((u->msr & MSR_DELTA) | lines | (changed & ~MSR_RI) >> 4 |
                       (changed & ~lines & MSR_RI ? MSR_TERI : 0));
}

/* ---- reception ------------------------------------------------------------------------------- */

static unsigned fifo_depth(const struct ns16550 *u)
{
    return u->fcr & FCR_ENABLE ? FIFO_SIZE : 1;
}

/* Four characters of ten bits; the baud rate is clock / (16 * divisor). */
static void timeout_start(struct device *d)
{
    struct ns16550 *u = d->state;
    uint64_t delay_ns = UINT64_C(40) * 16 * 1000000000 * MAX(u->divisor, 1) / u->clock_hz;

    if (u->fcr & FCR_ENABLE)
        timer_set(&u->timeout,
                  clock_now_ns(d->clock) + (int64_t)MIN(MAX(delay_ns, 10000u), 10000000u));
}

static void timeout_expired(void *opaque)
{
    struct device *d = opaque;
    struct ns16550 *u = d->state;

    u->timed_out = u->count > 0;
    update_line(d);
}

/* The line status register speaks of the character that is read next. */
static void show_head(struct ns16550 *u)
{
    if (u->count)
        u->lsr |= (uint8_t)(LSR_DR | u->fifo[u->head] >> 8);
    else
        u->lsr &= (uint8_t)~LSR_DR;
}

static void receive_one(struct device *d, uint16_t data)
{
    struct ns16550 *u = d->state;

    if (u->count >= fifo_depth(u)) {
        u->lsr |= LSR_OE;
        if (!(u->fcr & FCR_ENABLE))
            u->fifo[u->head] = data;
        return;
    }
    u->fifo[(u->head + u->count) % FIFO_SIZE] = data;
    u->count++;
    if (data >> 8 && (u->fcr & FCR_ENABLE))
        u->lsr |= LSR_FIFO_ERROR;
    show_head(u);
    timeout_start(d);
}

static unsigned can_receive(void *opaque)
{
    const struct device *d = opaque;
    const struct ns16550 *u = d->state;

    if (u->mcr & MCR_LOOP)
        return 0;
    return fifo_depth(u) - MIN(u->count, fifo_depth(u));
}

static void receive(void *opaque, const uint8_t *data, unsigned size)
{
    struct device *d = opaque;

    for (unsigned i = 0; i < size; i++)
        receive_one(d, data[i]);
    update_line(d);
}

static void stream_event(void *opaque, enum chardev_event event)
{
    struct device *d = opaque;
    const struct ns16550 *u = d->state;

    if (event != CHARDEV_BREAK || (u->mcr & MCR_LOOP))
        return;
    receive_one(d, LSR_BI << 8);
    update_line(d);
}

static const struct chardev_client client = {
    .can_receive = can_receive,
    .receive = receive,
    .event = stream_event,
};

static uint8_t data_read(struct device *d)
{
    struct ns16550 *u = d->state;
    uint8_t data = (uint8_t)u->fifo[u->head];

    if (!u->count)
        return data;
    u->head = (u->head + 1) % FIFO_SIZE;
    u->count--;
    u->timed_out = false;
    show_head(u);
    if (u->count)
        timeout_start(d);
    else
        timer_cancel(&u->timeout);
    update_line(d);
    chardev_accept_input(d->chardev);
    return data;
}

static void receive_reset(struct ns16550 *u)
{
    u->head = u->count = 0;
    u->timed_out = false;
    u->lsr &= (uint8_t) ~(LSR_DR | LSR_FIFO_ERROR);
    timer_cancel(&u->timeout);
}

/* ---- registers ------------------------------------------------------------------------------- */

static void data_write(struct device *d, uint8_t data)
{
    struct ns16550 *u = d->state;

    if (u->mcr & MCR_LOOP)
        receive_one(d, data);
    else
        chardev_write(d->chardev, &data, 1);
    u->thre_pending = true; /* it went through: empty again */
    update_line(d);
}

static uint8_t identify(struct device *d)
{
    struct ns16550 *u = d->state;
    uint8_t id = interrupt_id(u);

    if (id == IIR_THRE) { /* reading its cause is what ends it */
        u->thre_pending = false;
        update_line(d);
    }
    return id | (u->fcr & FCR_ENABLE ? IIR_FIFO : 0);
}

static uint8_t line_status(struct device *d)
{
    struct ns16550 *u = d->state;
    uint8_t status = u->lsr;

    if (status & (LSR_ERRORS | LSR_FIFO_ERROR)) {
        u->lsr &= (uint8_t) ~(LSR_ERRORS | LSR_FIFO_ERROR);
        update_line(d);
    }
    return status;
}

static uint8_t modem_status(struct device *d)
{
    struct ns16550 *u = d->state;
    uint8_t status;

    modem_update(d);
    status = u->msr;
    u->msr &= (uint8_t)~MSR_DELTA;
    if (status & MSR_DELTA)
        update_line(d);
    return status;
}

static uint64_t ns16550_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct ns16550 *u = d->state;

    switch (offset) {
    case RBR_THR:
        return u->lcr & LCR_DLAB ? u->divisor & 0xff : data_read(d);
    case IER:
        return u->lcr & LCR_DLAB ? u->divisor >> 8 : u->ier;
    case IIR_FCR:
        return identify(d);
    case LCR:
        return u->lcr;
    case MCR:
        return u->mcr;
    case LSR:
        return line_status(d);
    case MSR:
        return modem_status(d);
    default:
        return u->scr;
    }
}

static void enable_write(struct device *d, uint8_t value)
{
    struct ns16550 *u = d->state;

    /* Enabling the interrupt of an empty transmitter raises it. */
    if (value & ~u->ier & IER_THRE)
        u->thre_pending = true;
    u->ier = value & 0x0f;
}

static void fifo_control_write(struct device *d, uint8_t value)
{
    struct ns16550 *u = d->state;

    if ((value ^ u->fcr) & FCR_ENABLE)
        value |= FCR_RECEIVE_RESET | FCR_TRANSMIT_RESET;
    if (value & FCR_RECEIVE_RESET)
        receive_reset(u);
    if (value & FCR_TRANSMIT_RESET)
        u->thre_pending = true;
    /* The other bits count only together with the enable bit. */
    u->fcr = value & FCR_ENABLE ? value & FCR_KEPT : 0;
    chardev_accept_input(d->chardev);
}

static void modem_control_write(struct device *d, uint8_t value)
{
    struct ns16550 *u = d->state;
    bool leaves_loop = u->mcr & ~value & MCR_LOOP;

    u->mcr = value & 0x1f;
    modem_update(d);
    if (leaves_loop)
        chardev_accept_input(d->chardev);
}

static void ns16550_write(struct device *d, uint64_t offset, uint64_t value64, unsigned size)
{
    struct ns16550 *u = d->state;
    uint8_t value = (uint8_t)value64;

    switch (offset) {
    case RBR_THR:
        if (!(u->lcr & LCR_DLAB)) {
            data_write(d, value);
            return;
        }
        u->divisor = (uint16_t)((u->divisor & 0xff00) | value);
        break;
    case IER:
        if (u->lcr & LCR_DLAB)
            u->divisor = (uint16_t)((u->divisor & 0xff) | value << 8);
        else
            enable_write(d, value);
        break;
    case IIR_FCR:
        fifo_control_write(d, value);
        break;
    case LCR:
        if ((u->mcr & MCR_LOOP) && (value & ~u->lcr & LCR_BREAK))
            receive_one(d, LSR_BI << 8);
        u->lcr = value;
        break;
    case MCR:
        modem_control_write(d, value);
        break;
    case SCR:
        u->scr = value;
        break;
    default: /* LSR and MSR: for factory tests only */
        break;
    }
    update_line(d);
}

/* ---- device ---------------------------------------------------------------------------------- */

static bool ns16550_init(struct device *d, struct error *err)
{
    struct ns16550 *u = d->state;
    uint64_t hz = device_prop_u64(d, "clock-hz", 1843200);

    if (!hz || hz > UINT32_MAX)
        return error_set(err, "%s: clock-hz is not a frequency", d->id);
    u->clock_hz = (uint32_t)hz;
    timer_init(&u->timeout, d->clock, timeout_expired, d);
    if (d->chardev)
        chardev_connect(d->chardev, &client, d);
    return true;
}

static void ns16550_reset(struct device *d)
{
    struct ns16550 *u = d->state;

    u->msr = modem_lines(d);
    device_irq(d, 0, false);
    chardev_accept_input(d->chardev);
}

static const struct device_field fields[] = {
    DEVICE_FIELD(struct ns16550, ier, DEVICE_U8, 0),
    DEVICE_FIELD(struct ns16550, fcr, DEVICE_U8, 0),
    DEVICE_FIELD(struct ns16550, lcr, DEVICE_U8, 0),
    DEVICE_FIELD(struct ns16550, mcr, DEVICE_U8, MCR_OUT2),
    DEVICE_FIELD(struct ns16550, lsr, DEVICE_U8, LSR_THRE | LSR_TEMT),
    DEVICE_FIELD(struct ns16550, msr, DEVICE_U8, 0),
    DEVICE_FIELD(struct ns16550, scr, DEVICE_U8, 0),
    DEVICE_FIELD(struct ns16550, divisor, DEVICE_U16, 12),
    DEVICE_FIELD(struct ns16550, thre_pending, DEVICE_BOOL, 0),
    DEVICE_FIELD(struct ns16550, timed_out, DEVICE_BOOL, 0),
    DEVICE_FIELD(struct ns16550, line, DEVICE_BOOL, 0),
    DEVICE_ARRAY(struct ns16550, fifo, DEVICE_U16, FIFO_SIZE, 0),
    DEVICE_FIELD(struct ns16550, head, DEVICE_U32, 0),
    DEVICE_FIELD(struct ns16550, count, DEVICE_U32, 0),
    DEVICE_FIELD(struct ns16550, timeout, DEVICE_TIMER, 0),
    DEVICE_KEPT(struct ns16550, clock_hz, DEVICE_U32),
};

static const struct device_region regions[] = {
    {.name = "serial",
     .size = N_REGISTERS,
     .min_access = 1,
     .max_access = 1,
     .read = ns16550_read,
     .write = ns16550_write,
     .port = true},
};

/* On a bus that is as wide as a register's distance from the next: the data lines 7:0 are used. */
static uint64_t wide_read(struct device *d, uint64_t offset, unsigned size)
{
    return offset % WIDE_STRIDE ? 0 : ns16550_read(d, offset / WIDE_STRIDE, 1);
}

static void wide_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    if (offset % WIDE_STRIDE == 0)
        ns16550_write(d, offset / WIDE_STRIDE, value & 0xff, 1);
}

static const struct device_region wide_regions[] = {
    {.name = "serial",
     .size = N_REGISTERS * WIDE_STRIDE,
     .min_access = 4,
     .max_access = 4,
     .read = wide_read,
     .write = wide_write,
     .cpu_order = true},
};

static const struct device_prop props[] = {
    {"clock-hz", DEVICE_PROP_NUMBER, 1, UINT32_MAX},
    {NULL},
};

#define NS16550(id, class_name, what, its_regions)                                                 \
    static const struct device_class id##_class = {                                                \
        .name = (class_name),                                                                      \
        .props = props,                                                                            \
        .description = (what),                                                                     \
        .manual = "National Semiconductor PC16550D, TL/C/8652",                                    \
        .state_size = sizeof(struct ns16550),                                                      \
        .regions = (its_regions),                                                                  \
        .n_regions = ARRAY_SIZE(its_regions),                                                      \
        .fields = fields,                                                                          \
        .n_fields = ARRAY_SIZE(fields),                                                            \
        .n_irq_out = 1,                                                                            \
        .init = ns16550_init,                                                                      \
        .reset = ns16550_reset,                                                                    \
    };                                                                                             \
    REGISTER(device_class, id##_class)
NS16550(ns16550, "ns16550", "16550A UART of the PC", regions);
NS16550(serial_mm, "serial-mm", "16550A UART in memory, registers 8 bytes apart", wide_regions);
