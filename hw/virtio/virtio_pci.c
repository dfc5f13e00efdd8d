/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Virtio over PCI: VIRTIO 1.2, section 4.1. */
#include "hw/virtio/virtio_pci.h"

#include <string.h>

enum { VENDOR = 0x1af4, MODERN_DEVICE = 0x1040, MODERN_SUBSYSTEM = 0x1100, NO_VECTOR = 0xffff };
enum { ISR_QUEUE = 1, ISR_CONFIG = 2 };

/* Where things are in the modern BAR, and the configuration space's windows onto them (4.1.4). */
enum {
    COMMON_AT = 0x0000,
    ISR_AT = 0x1000,
    DEVICE_AT = 0x2000,
    NOTIFY_AT = 0x3000,
    PART_BYTES = 0x1000,
    NOTIFY_MULTIPLIER = 4,

    CAPABILITY_VENDOR = 9,
    CAP_COMMON = 0x40,
    CAP_ISR = 0x50,
    CAP_DEVICE = 0x60,
    CAP_NOTIFY = 0x70,
    CAP_WINDOW = 0x84,
    CAP_MSIX = 0x98,
    WINDOW_BAR = CAP_WINDOW + 4,
    WINDOW_OFFSET = CAP_WINDOW + 8,
    WINDOW_LENGTH = CAP_WINDOW + 12,
    WINDOW_DATA = CAP_WINDOW + 16,
};

enum common_register {
    COMMON_DEVICE_FEATURE_SELECT = 0x00,
    COMMON_DEVICE_FEATURE = 0x04,
    COMMON_DRIVER_FEATURE_SELECT = 0x08,
    COMMON_DRIVER_FEATURE = 0x0c,
    COMMON_CONFIG_VECTOR = 0x10,
    COMMON_NUM_QUEUES = 0x12,
    COMMON_STATUS = 0x14,
    COMMON_GENERATION = 0x15,
    COMMON_QUEUE_SELECT = 0x16,
    COMMON_QUEUE_SIZE = 0x18,
    COMMON_QUEUE_VECTOR = 0x1a,
    COMMON_QUEUE_ENABLE = 0x1c,
    COMMON_QUEUE_NOTIFY_OFF = 0x1e,
    COMMON_QUEUE_DESC = 0x20, /* then the driver's area and the device's, 64 bits each */
};

enum legacy_register {
    LEGACY_DEVICE_FEATURES = 0x00,
    LEGACY_DRIVER_FEATURES = 0x04,
    LEGACY_QUEUE_ADDRESS = 0x08,
    LEGACY_QUEUE_SIZE = 0x0c,
    LEGACY_QUEUE_SELECT = 0x0e,
    LEGACY_QUEUE_NOTIFY = 0x10,
    LEGACY_STATUS = 0x12,
    LEGACY_ISR = 0x13,
    LEGACY_CONFIG_VECTOR = 0x14, /* with MSI-X on */
    LEGACY_QUEUE_VECTOR = 0x16,
    LEGACY_CONFIG = 0x14, /* 0x18 with MSI-X on */
    LEGACY_PAGE = 4096,
};

static struct virtio_pci *state(struct device *d)
{
    return d->state;
}

/* ---- interrupts ------------------------------------------------------------------------------ */

static void pci_interrupt(void *transport, int queue)
{
    struct device *d = transport;
    struct virtio_pci *p = state(d);
    bool config = queue == VIRTIO_CONFIG_CHANGE, messages = pci_msix_enabled(d, &p->msix);

    if (config)
        p->generation++;
    if (config || !messages)
        p->isr |= config ? ISR_CONFIG : ISR_QUEUE;
    if (messages)
        pci_msix_send(d, &p->msix, config ? p->config_vector : p->queue_vector[queue]);
    else
        pci_irq(d, true);
}

/* Reading it takes the interrupt back (4.1.4.5). */
static uint8_t read_isr(struct device *d)
{
    struct virtio_pci *p = state(d);
    uint8_t value = p->isr;

    p->isr = 0;
    pci_irq(d, false);
    return value;
}

static uint16_t valid_vector(const struct virtio_pci *p, uint32_t value)
{
    return value < p->msix.n_vectors ? (uint16_t)value : NO_VECTOR;
}

/* Legacy drivers often forget the bus master bit. */
static bool may_access(void *transport)
{
    struct device *d = transport;

    return !virtio_has(&state(d)->v, VIRTIO_F_VERSION_1) || pci_is_master(d);
}

static void write_status(struct device *d, uint8_t value, bool legacy)
{
    struct virtio_pci *p = state(d);

    virtio_write_status(&p->v, value, legacy);
    if (value)
        return;
    p->isr = 0;
    p->config_vector = NO_VECTOR;
    for (unsigned i = 0; i < VIRTIO_MAX_QUEUES; i++)
        p->queue_vector[i] = NO_VECTOR;
    pci_irq(d, false);
}

static struct virtqueue *selected_queue(struct virtio_pci *p)
{
    return virtio_queue(&p->v, p->queue_select);
}

/* ---- the common configuration (4.1.4.3) ------------------------------------------------------ */

/* Which half of an address the register is; VIRTQUEUE_HALVES or more: it is another one. */
static unsigned address_half(uint64_t offset)
{
    return offset < COMMON_QUEUE_DESC || offset % 4 ? VIRTQUEUE_HALVES
                                                    : (unsigned)(offset - COMMON_QUEUE_DESC) / 4;
}

static uint32_t read_queue(struct virtio_pci *p, uint64_t offset)
{
    const struct virtqueue *q = selected_queue(p);

    if (!q)
        return offset == COMMON_QUEUE_VECTOR ? NO_VECTOR : 0;
    switch (offset) {
    case COMMON_QUEUE_SIZE:
        return (uint32_t)q->size;
    case COMMON_QUEUE_VECTOR:
        return p->queue_vector[p->queue_select];
    case COMMON_QUEUE_ENABLE:
        return (uint32_t)q->ready;
    case COMMON_QUEUE_NOTIFY_OFF:
        return p->queue_select;
    default:
        return address_half(offset) < VIRTQUEUE_HALVES ? virtqueue_address(q, address_half(offset))
                                                       : 0;
    }
}

static uint32_t read_common(struct device *d, uint64_t offset)
{
    struct virtio_pci *p = state(d);

    switch (offset) {
    case COMMON_DEVICE_FEATURE_SELECT:
        return p->device_feature_select;
    case COMMON_DEVICE_FEATURE:
        return virtio_word(virtio_features(&p->v, false), p->device_feature_select);
    case COMMON_DRIVER_FEATURE_SELECT:
        return p->driver_feature_select;
    case COMMON_DRIVER_FEATURE:
        return virtio_word(p->v.driver_features, p->driver_feature_select);
    case COMMON_CONFIG_VECTOR:
        return p->config_vector;
    case COMMON_NUM_QUEUES:
        return p->v.n_queues;
    case COMMON_STATUS:
        return p->v.status;
    case COMMON_GENERATION:
        return p->generation;
    case COMMON_QUEUE_SELECT:
        return p->queue_select;
    default:
        return read_queue(p, offset);
    }
}

static void write_queue(struct virtio_pci *p, uint64_t offset, uint32_t value)
{
    struct virtqueue *q = selected_queue(p);

    if (!q)
        return;
    switch (offset) {
    case COMMON_QUEUE_SIZE:
        if (!q->ready)
            virtqueue_set_size(&p->v, q, value & 0xffff);
        break;
    case COMMON_QUEUE_VECTOR:
        p->queue_vector[p->queue_select] = valid_vector(p, value & 0xffff);
        break;
    case COMMON_QUEUE_ENABLE:
        if (value & 1) /* only a reset takes it back (4.1.4.3.2) */
            virtqueue_set_ready(q, true);
        break;
    default:
        if (address_half(offset) < VIRTQUEUE_HALVES)
            virtqueue_set_address(q, address_half(offset), value);
        else
            log_printf(LOG_GUEST_ERROR, "virtio-pci: write of 0x%x to register 0x%x\n", value,
                       (unsigned)offset);
        break;
    }
}

static void write_common(struct device *d, uint64_t offset, uint32_t value)
{
    struct virtio_pci *p = state(d);

    switch (offset) {
    case COMMON_DEVICE_FEATURE_SELECT:
        p->device_feature_select = value;
        break;
    case COMMON_DRIVER_FEATURE_SELECT:
        p->driver_feature_select = value;
        break;
    case COMMON_DRIVER_FEATURE:
        virtio_write_features(&p->v, p->driver_feature_select, value, false);
        break;
    case COMMON_CONFIG_VECTOR:
        p->config_vector = valid_vector(p, value & 0xffff);
        break;
    case COMMON_STATUS:
        write_status(d, (uint8_t)value, false);
        break;
    case COMMON_QUEUE_SELECT:
        p->queue_select = (uint16_t)value;
        break;
    default:
        write_queue(p, offset, value);
        break;
    }
}

/* ---- the modern BAR -------------------------------------------------------------------------- */

uint64_t virtio_pci_modern_read(struct device *d, uint64_t offset, unsigned size)
{
    struct virtio_pci *p = state(d);

    if (!p->modern)
        return 0;
    switch (offset & ~(uint64_t)(PART_BYTES - 1)) {
    case COMMON_AT:
        return read_common(d, offset - COMMON_AT);
    case ISR_AT:
        return offset == ISR_AT ? read_isr(d) : 0;
    case DEVICE_AT:
        return virtio_read_config(&p->v, (uint32_t)offset - DEVICE_AT, size, false);
    default:
        return 0;
    }
}

void virtio_pci_modern_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct virtio_pci *p = state(d);

    if (!p->modern)
        return;
    switch (offset & ~(uint64_t)(PART_BYTES - 1)) {
    case COMMON_AT:
        write_common(d, offset - COMMON_AT, (uint32_t)value);
        break;
    case DEVICE_AT:
        virtio_write_config(&p->v, (uint32_t)offset - DEVICE_AT, (uint32_t)value, size, false);
        break;
    case NOTIFY_AT:
        virtio_notify(&p->v, (uint32_t)(offset - NOTIFY_AT) / NOTIFY_MULTIPLIER);
        break;
    default:
        break;
    }
}

uint64_t virtio_pci_msix_read(struct device *d, uint64_t offset, unsigned size)
{
    return pci_msix_read(&state(d)->msix, offset);
}

void virtio_pci_msix_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    pci_msix_write(d, &state(d)->msix, offset, (uint32_t)value);
}

/* ---- the window in configuration space (4.1.4.9) --------------------------------------------- */

static bool window(struct device *d, uint32_t *offset, uint32_t *size)
{
    const struct virtio_pci *p = state(d);

    *offset = pci_get(d, WINDOW_OFFSET, 4);
    *size = pci_get(d, WINDOW_LENGTH, 4);
    return p->modern && pci_get(d, WINDOW_BAR, 1) == p->modern_bar &&
           (*size == 1 || *size == 2 || *size == 4) && *offset % *size == 0 &&
           *offset < VIRTIO_PCI_MODERN_BYTES;
}

static bool touches_window(unsigned offset, unsigned size)
{
    return offset < WINDOW_DATA + 4 && offset + size > WINDOW_DATA;
}

static void config_reading(struct device *d, unsigned offset, unsigned size)
{
    uint32_t at, bytes;

    if (touches_window(offset, size) && window(d, &at, &bytes))
        pci_set(d, WINDOW_DATA, bytes, (uint32_t)virtio_pci_modern_read(d, at, bytes));
}

static void config_written(struct device *d, unsigned offset, unsigned size)
{
    uint32_t at, bytes;

    if (touches_window(offset, size) && window(d, &at, &bytes))
        virtio_pci_modern_write(d, at, pci_get(d, WINDOW_DATA, bytes), bytes);
    pci_msix_update(d, &state(d)->msix);
}

/* ---- the legacy BAR (4.1.4.10) --------------------------------------------------------------- */

static uint32_t legacy_config_at(struct device *d)
{
    return LEGACY_CONFIG + (pci_msix_enabled(d, &state(d)->msix) ? 4 : 0);
}

static uint64_t legacy_read(struct device *d, uint64_t offset, unsigned size)
{
    struct virtio_pci *p = state(d);
    const struct virtqueue *q = selected_queue(p);

    if (offset >= legacy_config_at(d))
        return virtio_read_config(&p->v, (uint32_t)offset - legacy_config_at(d), size, true);
    switch (offset) {
    case LEGACY_DEVICE_FEATURES:
        return virtio_features(&p->v, true);
    case LEGACY_DRIVER_FEATURES:
        return (uint32_t)p->v.driver_features;
    case LEGACY_QUEUE_ADDRESS:
        return q ? q->descriptors / LEGACY_PAGE : 0;
    case LEGACY_QUEUE_SIZE:
        return q ? q->size : 0;
    case LEGACY_QUEUE_SELECT:
        return p->queue_select;
    case LEGACY_STATUS:
        return p->v.status;
    case LEGACY_ISR:
        return read_isr(d);
    case LEGACY_CONFIG_VECTOR:
        return p->config_vector;
    case LEGACY_QUEUE_VECTOR:
        return q ? p->queue_vector[p->queue_select] : NO_VECTOR;
    default:
        return 0;
    }
}

static void legacy_write(struct device *d, uint64_t offset, uint64_t value64, unsigned size)
{
    struct virtio_pci *p = state(d);
    struct virtqueue *q = selected_queue(p);
    uint32_t value = (uint32_t)value64;

    if (offset >= legacy_config_at(d)) {
        virtio_write_config(&p->v, (uint32_t)offset - legacy_config_at(d), value, size, true);
        return;
    }
    switch (offset) {
    case LEGACY_DRIVER_FEATURES:
        virtio_write_features(&p->v, 0, value, true);
        break;
    case LEGACY_QUEUE_ADDRESS:
        if (q)
            virtqueue_set_legacy(q, (uint64_t)value * LEGACY_PAGE, LEGACY_PAGE);
        break;
    case LEGACY_QUEUE_SELECT:
        p->queue_select = (uint16_t)value;
        break;
    case LEGACY_QUEUE_NOTIFY:
        virtio_notify(&p->v, value & 0xffff);
        break;
    case LEGACY_STATUS:
        write_status(d, (uint8_t)value, true);
        break;
    case LEGACY_CONFIG_VECTOR:
        p->config_vector = valid_vector(p, value & 0xffff);
        break;
    case LEGACY_QUEUE_VECTOR:
        if (q)
            p->queue_vector[p->queue_select] = valid_vector(p, value & 0xffff);
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "virtio-pci: write of 0x%x to legacy register 0x%x\n", value,
                   (unsigned)offset);
        break;
    }
}

/* ---- life ------------------------------------------------------------------------------------ */

/* 4.1.2.1: kinds that were there before VIRTIO 1.0. 0: none. */
static uint16_t transitional_device(uint32_t device_id)
{
    static const uint16_t ids[] = {[1] = 0x1000, [2] = 0x1001, [3] = 0x1003, [4] = 0x1005,
                                   [5] = 0x1002, [8] = 0x1004, [9] = 0x1009};

    return device_id < ARRAY_SIZE(ids) ? ids[device_id] : 0;
}

static void add_structure(struct device *d, unsigned offset, unsigned bytes, unsigned type,
                          uint32_t at, uint32_t length)
{
    pci_add_capability(d, CAPABILITY_VENDOR, offset);
    pci_set(d, offset + 2, 1, bytes);
    pci_set(d, offset + 3, 1, type);
    pci_set(d, offset + 4, 4, type == 5 ? 0 : state(d)->modern_bar);
    pci_set(d, offset + 8, 4, at);
    pci_set(d, offset + 12, 4, length);
}

static void add_structures(struct device *d)
{
    add_structure(d, CAP_COMMON, 16, 1, COMMON_AT, PART_BYTES);
    add_structure(d, CAP_ISR, 16, 3, ISR_AT, PART_BYTES);
    add_structure(d, CAP_DEVICE, 16, 4, DEVICE_AT, PART_BYTES);
    add_structure(d, CAP_NOTIFY, 20, 2, NOTIFY_AT, PART_BYTES);
    pci_set(d, CAP_NOTIFY + 16, 4, NOTIFY_MULTIPLIER);
    add_structure(d, CAP_WINDOW, 20, 5, 0, 0);
    pci_set_writable(d, WINDOW_BAR, 1, 0xff);
    pci_set_writable(d, WINDOW_OFFSET, 4, 0xffffffff);
    pci_set_writable(d, WINDOW_LENGTH, 4, 0xffffffff);
    pci_set_writable(d, WINDOW_DATA, 4, 0xffffffff);
}

static void hide_bar(struct device *d, unsigned bar)
{
    pci_set(d, PCI_BAR0 + 4 * bar, 4, 0);
    pci_set_writable(d, PCI_BAR0 + 4 * bar, 4, 0);
}

static void set_identity(struct device *d)
{
    const struct virtio_type *type = d->class->virtio;
    bool legacy = state(d)->legacy;

    pci_set(d, PCI_DEVICE, 2,
            legacy ? transitional_device(type->device_id) : MODERN_DEVICE + type->device_id);
    pci_set(d, PCI_REVISION, 1, legacy ? 0 : 1);
    for (unsigned i = 0; i < 3; i++)
        pci_set(d, PCI_CLASS + i, 1, type->pci_class >> (8 * i) & 0xff);
    pci_set(d, PCI_SUBSYSTEM_VENDOR, 2, VENDOR);
    pci_set(d, PCI_SUBSYSTEM, 2, legacy ? type->device_id : MODERN_SUBSYSTEM);
}

bool virtio_pci_init_with(struct device *d, unsigned legacy_bar, unsigned modern_bar,
                          unsigned msix_bar, struct error *err)
{
    struct virtio_pci *p = state(d);
    bool transitional =
        legacy_bar != VIRTIO_PCI_NO_BAR && transitional_device(d->class->virtio->device_id);

    p->v.memory = d->memory;
    p->v.interrupt = pci_interrupt;
    p->v.may_access = may_access;
    p->v.transport = d;
    p->legacy = transitional && !device_prop_on(d, "disable-legacy", false);
    p->modern = !device_prop_on(d, "disable-modern", false);
    p->modern_bar = (uint8_t)modern_bar;
    if (!p->legacy && !p->modern)
        return error_set(err, "-device %s: without its %s interface nothing is left", d->id,
                         transitional ? "legacy and modern" : "modern");
    set_identity(d);
    if (!p->legacy && legacy_bar != VIRTIO_PCI_NO_BAR)
        hide_bar(d, legacy_bar);
    if (p->modern) {
        add_structures(d);
    } else {
        hide_bar(d, modern_bar);
        hide_bar(d, modern_bar + 1);
    }
    if (!virtio_attach(&p->v, d, err))
        return false;
    pci_msix_init(d, &p->msix, CAP_MSIX, msix_bar, p->v.n_queues + 1);
    return true;
}

bool virtio_pci_init(struct device *d, struct error *err)
{
    return virtio_pci_init_with(d, 0, 4, 1, err);
}

void virtio_pci_reset(struct device *d)
{
    struct virtio_pci *p = state(d);

    pci_msix_reset(d, &p->msix);
    virtio_reset(&p->v);
    pci_irq(d, false);
}

void virtio_pci_finish(struct device *d)
{
    virtio_detach(&state(d)->v);
}

const struct pci_class virtio_pci_function = {
    .vendor = VENDOR,
    .interrupt_pin = 1,
    .config_reading = config_reading,
    .config_written = config_written,
};

const struct device_prop virtio_pci_props[] = {VIRTIO_PCI_PROPS, {NULL}};

const struct device_region virtio_pci_regions[VIRTIO_PCI_N_REGIONS] = {
    {"virtio-pci-legacy", VIRTIO_PCI_LEGACY_BYTES, 1, 4, legacy_read, legacy_write, .port = true,
     .bar = DEVICE_BAR(0)},
    VIRTIO_PCI_REGIONS(4, 1),
};

const struct device_field virtio_pci_fields[VIRTIO_PCI_N_FIELDS] = {
    VIRTIO_PCI_FIELDS(struct virtio_pci, ),
};
