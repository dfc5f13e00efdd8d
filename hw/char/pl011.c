/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PrimeCell UART PL011 r1p5, ARM DDI 0183G. What it sends goes to the host at once, so its transmit
 * FIFO is always empty; reception has the FIFO, its trigger levels and the receive timeout.
 *
 * Not there: DMA requests (the register is), IrDA modulation (SIREN only changes wires), parity and
 * framing errors (the host's stream has none). Property: clock-hz of UARTCLK (24 MHz).
 */
#include "host/chardev.h"
#include "hw/device.h"
#include "hw/primecell.h"
#include "util/bits.h"

enum pl011_register {
    UARTDR = 0x00,
    UARTRSR = 0x04,
    UARTFR = 0x18,
    UARTILPR = 0x20,
    UARTIBRD = 0x24,
    UARTFBRD = 0x28,
    UARTLCR_H = 0x2c,
    UARTCR = 0x30,
    UARTIFLS = 0x34,
    UARTIMSC = 0x38,
    UARTRIS = 0x3c,
    UARTMIS = 0x40,
    UARTICR = 0x44,
    UARTDMACR = 0x48,
};

enum {
    FIFO_SIZE = 32,
    PERIPHERAL_ID = 0x00341011,

    DR_BE = 1 << 10,
    DR_OE = 1 << 11,

    FR_CTS = 1 << 0,
    FR_DSR = 1 << 1,
    FR_DCD = 1 << 2,
    FR_RXFE = 1 << 4,
    FR_RXFF = 1 << 6,
    FR_TXFE = 1 << 7,
    FR_RI = 1 << 8,
    FR_MODEM = FR_CTS | FR_DSR | FR_DCD | FR_RI,

    LCR_BRK = 1 << 0,
    LCR_FEN = 1 << 4,

    CR_UARTEN = 1 << 0,
    CR_LBE = 1 << 7,
    CR_TXE = 1 << 8,
    CR_RXE = 1 << 9,
    CR_DTR = 1 << 10,
    CR_RTS = 1 << 11,
    CR_OUT1 = 1 << 12,
    CR_OUT2 = 1 << 13,

    INT_RI = 1 << 0,
    INT_CTS = 1 << 1,
    INT_DCD = 1 << 2,
    INT_DSR = 1 << 3,
    INT_RX = 1 << 4,
    INT_TX = 1 << 5,
    INT_RT = 1 << 6,
    INT_BE = 1 << 9,
    INT_OE = 1 << 10,
    INT_ALL = 0x7ff,
};

struct pl011 {
    uint32_t rsr, ilpr, ibrd, fbrd, lcr, cr, ifls, imsc, ris, dmacr;
    uint32_t modem; /* FR_MODEM bits as last seen, for the modem interrupts */
    uint16_t fifo[FIFO_SIZE];
    uint32_t head, count, overrun;
    struct timer timeout;
    uint32_t clock_hz;
};

static void pl011_update(struct device *d)
{
    const struct pl011 *u = d->state;

    device_irq(d, 0, (u->ris & u->imsc) != 0);
}

/* ---- modem lines ----------------------------------------------------------------------------- */

static uint32_t modem_lines(struct device *d)
{
    const struct pl011 *u = d->state;
    uint32_t lines = 0;

    if (!(u->cr & CR_LBE)) /* something at the other end is always ready */
        return d->chardev ? FR_CTS | FR_DSR | FR_DCD : 0;
    if (u->cr & CR_DTR)
        lines |= FR_DSR;
    if (u->cr & CR_RTS)
        lines |= FR_CTS;
    if (u->cr & CR_OUT1)
        lines |= FR_DCD;
    if (u->cr & CR_OUT2)
        lines |= FR_RI;
    return lines;
}

static void modem_update(struct device *d)
{
    struct pl011 *u = d->state;
    uint32_t lines = modem_lines(d), changed = lines ^ u->modem;

    u->modem = lines;
    if (changed & FR_CTS)
        u->ris |= INT_CTS;
    if (changed & FR_DSR)
        u->ris |= INT_DSR;
    if (changed & FR_DCD)
        u->ris |= INT_DCD;
    if (changed & FR_RI)
        u->ris |= INT_RI;
}

/* ---- reception ------------------------------------------------------------------------------- */

static unsigned fifo_depth(const struct pl011 *u)
{
    return u->lcr & LCR_FEN ? FIFO_SIZE : 1;
}

/* UARTIFLS: 1/8, 1/4, 1/2, 3/4, 7/8 full. */
static unsigned receive_trigger(const struct pl011 *u)
{
    static const uint8_t level[8] = {4, 8, 16, 24, 28, 28, 28, 28};

    return u->lcr & LCR_FEN ? level[u->ifls >> 3 & 7] : 1;
}

/* 32 bit periods; the baud rate is clock / (16 * (IBRD + FBRD/64)). */
static void timeout_start(struct device *d)
{
    struct pl011 *u = d->state;
    uint64_t divisor = (uint64_t)u->ibrd * 64 + u->fbrd;
    uint64_t delay_ns = divisor * 32 * 16 * 1000000000 / 64 / u->clock_hz;

    delay_ns = MIN(MAX(delay_ns, 10000u), 10000000u);
    timer_set(&u->timeout, clock_now_ns(d->clock) + (int64_t)delay_ns);
}

static void timeout_expired(void *opaque)
{
    struct device *d = opaque;
    struct pl011 *u = d->state;

    if (u->count) {
        u->ris |= INT_RT;
        pl011_update(d);
    }
}

static void receive_one(struct device *d, uint16_t data)
{
    struct pl011 *u = d->state;

    if (u->count >= fifo_depth(u)) {
        u->overrun = 1;
        u->rsr |= DR_OE >> 8;
        u->ris |= INT_OE;
        return;
    }
    u->fifo[(u->head + u->count) % FIFO_SIZE] = data;
    u->count++;
    if (data & DR_BE)
        u->ris |= INT_BE;
    if (u->count >= receive_trigger(u))
        u->ris |= INT_RX;
    timeout_start(d);
}

static unsigned pl011_can_receive(void *opaque)
{
    const struct device *d = opaque;
    const struct pl011 *u = d->state;
    uint32_t enabled = CR_UARTEN | CR_RXE;

    /* Until the guest enables reception, what was typed waits at the host. */
    if ((u->cr & enabled) != enabled || (u->cr & CR_LBE))
        return 0;
    return fifo_depth(u) > u->count ? fifo_depth(u) - u->count : 0;
}

static void pl011_receive(void *opaque, const uint8_t *data, unsigned size)
{
    struct device *d = opaque;

    for (unsigned i = 0; i < size; i++)
        receive_one(d, data[i]);
    pl011_update(d);
}

static void pl011_event(void *opaque, enum chardev_event event)
{
    struct device *d = opaque;
    const struct pl011 *u = d->state;

    if (event != CHARDEV_BREAK || (u->cr & CR_LBE))
        return;
    receive_one(d, DR_BE);
    pl011_update(d);
}

static const struct chardev_client pl011_client = {
    .can_receive = pl011_can_receive,
    .receive = pl011_receive,
    .event = pl011_event,
};

static uint32_t data_read(struct device *d)
{
    struct pl011 *u = d->state;
    uint32_t data = u->fifo[u->head];

    if (!u->count)
        return 0;
    if (u->overrun) /* told with the next character read */
        data |= DR_OE;
    u->overrun = 0;
    u->head = (u->head + 1) % FIFO_SIZE;
    u->count--;
    u->rsr = data >> 8;
    if (u->count < receive_trigger(u))
        u->ris &= ~(uint32_t)INT_RX;
    if (u->count == 0) {
        u->ris &= ~(uint32_t)INT_RT;
        timer_cancel(&u->timeout);
    } else if (!(u->ris & INT_RT)) {
        timeout_start(d);
    }
    pl011_update(d);
    chardev_accept_input(d->chardev);
    return data;
}

static void fifo_flush(struct pl011 *u)
{
    u->head = u->count = 0;
    u->ris &= ~(uint32_t)(INT_RX | INT_RT);
    timer_cancel(&u->timeout);
}

/* ---- transmission ---------------------------------------------------------------------------- */

/* A board's firmware leaves its console enabled and kernels' early output counts on it; there is no
 * such firmware here, so a disabled UART sends all the same. */
static void data_write(struct device *d, uint8_t data)
{
    struct pl011 *u = d->state;

    if (!(u->cr & CR_UARTEN) || !(u->cr & CR_TXE))
        log_printf(LOG_GUEST_ERROR, "pl011: sending while the transmitter is disabled\n");
    if (u->cr & CR_LBE)
        receive_one(d, data);
    else
        chardev_write(d->chardev, &data, 1);
    u->ris |= INT_TX; /* it went through, so the FIFO has passed its trigger level */
    pl011_update(d);
}

/* ---- registers ------------------------------------------------------------------------------- */

static uint32_t flags_read(struct device *d)
{
    const struct pl011 *u = d->state;
    uint32_t flags = FR_TXFE | modem_lines(d);

    if (u->count == 0)
        flags |= FR_RXFE;
    if (u->count >= fifo_depth(u))
        flags |= FR_RXFF;
    return flags;
}

static uint64_t pl011_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct pl011 *u = d->state;

    if (offset >= PRIMECELL_ID)
        return primecell_id(PERIPHERAL_ID, offset);
    switch (offset) {
    case UARTDR:
        return data_read(d);
    case UARTRSR:
        return u->rsr;
    case UARTFR:
        return flags_read(d);
    case UARTILPR:
        return u->ilpr;
    case UARTIBRD:
        return u->ibrd;
    case UARTFBRD:
        return u->fbrd;
    case UARTLCR_H:
        return u->lcr;
    case UARTCR:
        return u->cr;
    case UARTIFLS:
        return u->ifls;
    case UARTIMSC:
        return u->imsc;
    case UARTRIS:
        return u->ris;
    case UARTMIS:
        return u->ris & u->imsc;
    case UARTDMACR:
        return u->dmacr;
    default:
        log_printf(LOG_GUEST_ERROR, "pl011: read of register 0x%x\n", (unsigned)offset);
        return 0;
    }
}

static void line_control_write(struct device *d, uint32_t value)
{
    struct pl011 *u = d->state;
    uint32_t changed = u->lcr ^ value;

    if (changed & LCR_FEN)
        fifo_flush(u);
    u->lcr = value & 0xff;
    if ((changed & value & LCR_BRK) && (u->cr & CR_LBE))
        receive_one(d, DR_BE);
}

static void control_write(struct device *d, uint32_t value)
{
    struct pl011 *u = d->state;

    u->cr = value & 0xff87;
    modem_update(d);
    if (value & 2)
        log_unimp_once("pl011: IrDA encoding (UARTCR.SIREN)\n");
}

static void interrupt_clear(struct device *d, uint32_t value)
{
    struct pl011 *u = d->state;

    u->ris &= ~value;
    if ((value & INT_RT) && u->count)
        timeout_start(d);
}

static void pl011_write(struct device *d, uint64_t offset, uint64_t value64, unsigned size)
{
    struct pl011 *u = d->state;
    uint32_t value = (uint32_t)value64;

    switch (offset) {
    case UARTDR:
        data_write(d, (uint8_t)value);
        return;
    case UARTRSR:
        u->rsr = 0;
        return;
    case UARTILPR:
        u->ilpr = value & 0xff;
        return;
    case UARTIBRD:
        u->ibrd = value & 0xffff;
        return;
    case UARTFBRD:
        u->fbrd = value & 0x3f;
        return;
    case UARTLCR_H:
        line_control_write(d, value);
        break;
    case UARTCR:
        control_write(d, value);
        break;
    case UARTIFLS:
        u->ifls = value & 0x3f;
        break;
    case UARTIMSC:
        u->imsc = value & INT_ALL;
        break;
    case UARTICR:
        interrupt_clear(d, value & INT_ALL);
        break;
    case UARTDMACR:
        u->dmacr = value & 7;
        if (value & 3)
            log_unimp_once("pl011: DMA requests (UARTDMACR = 0x%x)\n", value);
        return;
    default:
        log_printf(LOG_GUEST_ERROR, "pl011: write of 0x%x to register 0x%x\n", value,
                   (unsigned)offset);
        return;
    }
    pl011_update(d);
    chardev_accept_input(d->chardev);
}

/* ---- device ---------------------------------------------------------------------------------- */

static bool pl011_init(struct device *d, struct error *err)
{
    struct pl011 *u = d->state;

    u->clock_hz = (uint32_t)device_prop_u64(d, "clock-hz", 24000000);
    if (!u->clock_hz)
        return error_set(err, "%s: clock-hz must not be 0", d->id);
    timer_init(&u->timeout, d->clock, timeout_expired, d);
    if (d->chardev)
        chardev_connect(d->chardev, &pl011_client, d);
    return true;
}

static void pl011_reset(struct device *d)
{
    struct pl011 *u = d->state;

    u->modem = modem_lines(d);
    pl011_update(d);
}

static void pl011_finish(struct device *d)
{
    if (d->chardev)
        chardev_connect(d->chardev, NULL, NULL);
}

static const struct device_field pl011_fields[] = {
    DEVICE_FIELD(struct pl011, rsr, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl011, ilpr, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl011, ibrd, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl011, fbrd, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl011, lcr, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl011, cr, DEVICE_U32, CR_RXE | CR_TXE),
    DEVICE_FIELD(struct pl011, ifls, DEVICE_U32, 0x12),
    DEVICE_FIELD(struct pl011, imsc, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl011, ris, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl011, dmacr, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl011, modem, DEVICE_U32, 0),
    DEVICE_ARRAY(struct pl011, fifo, DEVICE_U16, FIFO_SIZE, 0),
    DEVICE_FIELD(struct pl011, head, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl011, count, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl011, overrun, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl011, timeout, DEVICE_TIMER, 0),
};

static const struct device_region pl011_regions[] = {
    {"pl011", 0x1000, 4, 4, pl011_read, pl011_write, false, NULL},
};

static const struct device_prop pl011_props[] = {
    {"clock-hz", DEVICE_PROP_NUMBER},
    {NULL},
};

static const struct device_class pl011_class = {
    .name = "pl011",
    .props = pl011_props,
    .description = "PrimeCell UART",
    .manual = "ARM DDI 0183G (r1p5)",
    .state_size = sizeof(struct pl011),
    .regions = pl011_regions,
    .n_regions = ARRAY_SIZE(pl011_regions),
    .fields = pl011_fields,
    .n_fields = ARRAY_SIZE(pl011_fields),
    .n_irq_out = 1,
    .init = pl011_init,
    .reset = pl011_reset,
    .finish = pl011_finish,
};
REGISTER(device_class, pl011_class);
