/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The USB function of PIIX4 (82371AB, 290562), a host controller after Intel's Universal Host
 * Controller Interface 1.1. Nothing is plugged into its two ports: they stay disconnected, frames
 * are counted, and the schedule, which can reach nobody, is not walked.
 */
#include "hw/pci/pci.h"

enum uhci_register {
    USBCMD = 0x00,
    USBSTS = 0x02,
    USBINTR = 0x04,
    FRNUM = 0x06,
    FLBASEADD = 0x08,
    SOFMOD = 0x0c,
    PORTSC = 0x10,
    LAST_PORT = 0x12,
    UHCI_BYTES = 0x20,
};
enum {
    CMD_RUN = 1 << 0,
    CMD_HOST_RESET = 1 << 1,
    CMD_GLOBAL_RESET = 1 << 2,
    CMD_BITS = 0xff,
    STS_HALTED = 1 << 5,
    STS_BITS = 0x1f, /* cleared by writing 1 */
    INTR_BITS = 0xf,
    FRAME_BITS = 0x7ff,
    SOF_BITS = 0x7f,
    SOF_DEFAULT = 0x40,
    PORT_WRITABLE = 0x1244, /* suspend, reset, resume detect, enabled: see port_write */
    PORT_ENABLED = 1 << 2,
    PORT_ALWAYS = 1 << 7,
    SBRN = 0x60,
    LEGSUP = 0xc0,
    LEGSUP_DEFAULT = 0x2000,
};
#define FRAME_NS INT64_C(1000000)
#define LIST_BITS 0xfffff000u

struct uhci {
    uint16_t command, status, enable, frame; /* frame: when the controller stopped or started */
    uint32_t list;
    uint8_t sof;
    uint16_t ports[2];
    uint64_t started_ns;
};

static uint16_t frame_now(const struct device *d)
{
    const struct uhci *u = d->state;

    if (!(u->command & CMD_RUN))
        return u->frame;
    int64_t frames = (clock_now_ns(d->clock) - (int64_t)u->started_ns) / FRAME_NS;
    return (uint16_t)((u->frame + frames) & FRAME_BITS);
}

static void controller_reset(struct device *d)
{
    struct uhci *u = d->state;

    *u = (struct uhci){
        .status = STS_HALTED, .sof = SOF_DEFAULT, .ports = {PORT_ALWAYS, PORT_ALWAYS}};
    pci_irq(d, false);
}

static void command_write(struct device *d, uint16_t value)
{
    struct uhci *u = d->state;

    if (value & (CMD_HOST_RESET | CMD_GLOBAL_RESET)) {
        controller_reset(d);
        u->command = value & CMD_GLOBAL_RESET; /* software ends it itself */
        return;
    }
    u->frame = frame_now(d);
    u->started_ns = (uint64_t)clock_now_ns(d->clock);
    u->command = value & CMD_BITS;
    u->status = (uint16_t)(value & CMD_RUN ? u->status & ~STS_HALTED : u->status | STS_HALTED);
}

static uint16_t register_read(const struct device *d, unsigned offset)
{
    const struct uhci *u = d->state;

    switch (offset) {
    case USBCMD:
        return u->command;
    case USBSTS:
        return u->status;
    case USBINTR:
        return u->enable;
    case FRNUM:
        return frame_now(d);
    case FLBASEADD:
        return (uint16_t)u->list;
    case FLBASEADD + 2:
        return (uint16_t)(u->list >> 16);
    case SOFMOD:
        return u->sof;
    case PORTSC:
    case LAST_PORT:
        return u->ports[(offset - PORTSC) / 2];
    default: /* there are no more ports */
        return 0xffff;
    }
}

static void register_write(struct device *d, unsigned offset, uint16_t value)
{
    struct uhci *u = d->state;

    switch (offset) {
    case USBCMD:
        command_write(d, value);
        break;
    case USBSTS:
        u->status &= (uint16_t) ~(value & STS_BITS);
        break;
    case USBINTR:
        u->enable = value & INTR_BITS;
        break;
    case FRNUM:
        if (!(u->command & CMD_RUN))
            u->frame = value & FRAME_BITS;
        break;
    case FLBASEADD:
        u->list = ((u->list & 0xffff0000u) | value) & LIST_BITS;
        break;
    case FLBASEADD + 2:
        u->list = (u->list & 0xffffu) | (uint32_t)value << 16;
        break;
    case SOFMOD:
        u->sof = value & SOF_BITS;
        break;
    case PORTSC:
    case LAST_PORT: /* a port without a device cannot be enabled */
        u->ports[(offset - PORTSC) / 2] =
            (uint16_t)((value & PORT_WRITABLE & ~PORT_ENABLED) | PORT_ALWAYS);
        break;
    }
}

static uint64_t uhci_read(struct device *d, uint64_t offset, unsigned size)
{
    uint32_t value = register_read(d, (unsigned)offset);

    return size == 4 ? value | (uint32_t)register_read(d, (unsigned)offset + 2) << 16 : value;
}

static void uhci_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    register_write(d, (unsigned)offset, (uint16_t)value);
    if (size == 4)
        register_write(d, (unsigned)offset + 2, (uint16_t)(value >> 16));
}

static bool uhci_init(struct device *d, struct error *err)
{
    pci_set(d, PCI_STATUS, 2, 0x0280);
    pci_set(d, SBRN, 1, 0x10); /* USB 1.0 */
    pci_set(d, LEGSUP, 2, LEGSUP_DEFAULT);
    pci_set_writable(d, LEGSUP, 2, 0xbf); /* emulation and its traps: SMIs, which nobody takes */
    return true;
}

static const struct device_field uhci_fields[] = {
    DEVICE_FIELD(struct uhci, command, DEVICE_U16, 0),
    DEVICE_FIELD(struct uhci, status, DEVICE_U16, STS_HALTED),
    DEVICE_FIELD(struct uhci, enable, DEVICE_U16, 0),
    DEVICE_FIELD(struct uhci, frame, DEVICE_U16, 0),
    DEVICE_FIELD(struct uhci, list, DEVICE_U32, 0),
    DEVICE_FIELD(struct uhci, sof, DEVICE_U8, SOF_DEFAULT),
    DEVICE_ARRAY(struct uhci, ports, DEVICE_U16, 2, PORT_ALWAYS),
    DEVICE_FIELD(struct uhci, started_ns, DEVICE_U64, 0),
};

static const struct device_region uhci_regions[] = {
    {"uhci", UHCI_BYTES, 2, 4, uhci_read, uhci_write, .port = true, .bar = DEVICE_BAR(4)},
};

static const struct pci_class uhci_pci = {
    .vendor = 0x8086,
    .device = 0x7112,
    .class_code = 0x0c0300,
    .revision = 1,
    .interrupt_pin = 4,
};

static const struct device_class uhci_class = {
    .name = "piix4-usb-uhci",
    .description = "PIIX4 USB controller",
    .manual = "Intel 82371AB (290562); UHCI 1.1",
    .pci = &uhci_pci,
    .state_size = sizeof(struct uhci),
    .regions = uhci_regions,
    .n_regions = ARRAY_SIZE(uhci_regions),
    .fields = uhci_fields,
    .n_fields = ARRAY_SIZE(uhci_fields),
    .init = uhci_init,
};
REGISTER(device_class, uhci_class);
