/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio over MMIO, VIRTIO 1.2 section 4.2: version 2, and the legacy interface (version 1, section
 * 4.2.4) if the property "legacy" is on. A slot without a device answers device ID 0.
 */
#include <stdio.h>
#include <string.h>

#include "hw/machine.h"
#include "hw/virtio/virtio_device.h"

enum virtio_mmio_register {
    REG_MAGIC = 0x000,
    REG_VERSION = 0x004,
    REG_DEVICE_ID = 0x008,
    REG_VENDOR_ID = 0x00c,
    REG_DEVICE_FEATURES = 0x010,
    REG_DEVICE_FEATURES_SEL = 0x014,
    REG_DRIVER_FEATURES = 0x020,
    REG_DRIVER_FEATURES_SEL = 0x024,
    REG_GUEST_PAGE_SIZE = 0x028, /* legacy */
    REG_QUEUE_SEL = 0x030,
    REG_QUEUE_NUM_MAX = 0x034,
    REG_QUEUE_NUM = 0x038,
    REG_QUEUE_ALIGN = 0x03c, /* legacy */
    REG_QUEUE_PFN = 0x040,   /* legacy */
    REG_QUEUE_READY = 0x044,
    REG_QUEUE_NOTIFY = 0x050,
    REG_INTERRUPT_STATUS = 0x060,
    REG_INTERRUPT_ACK = 0x064,
    REG_STATUS = 0x070,
    REG_QUEUE_DESC_LOW = 0x080,
    REG_QUEUE_DESC_HIGH = 0x084,
    REG_QUEUE_DRIVER_LOW = 0x090,
    REG_QUEUE_DRIVER_HIGH = 0x094,
    REG_QUEUE_DEVICE_LOW = 0x0a0,
    REG_QUEUE_DEVICE_HIGH = 0x0a4,
    REG_SHM_LEN_LOW = 0x0b0,
    REG_SHM_BASE_HIGH = 0x0bc,
    REG_QUEUE_RESET = 0x0c0,
    REG_CONFIG_GENERATION = 0x0fc,
    REG_CONFIG = 0x100,
};

enum { MAGIC = 0x74726976, VENDOR = 0x554d4551, INTERRUPT_USED = 1, INTERRUPT_CONFIG = 2 };

struct virtio_mmio {
    struct virtio_device v;
    bool legacy;
    uint32_t device_features_select, driver_features_select, queue_select;
    uint32_t interrupt_status, generation;
    uint32_t guest_page_size, queue_align[VIRTIO_MAX_QUEUES];
};

static void mmio_update(struct device *d)
{
    const struct virtio_mmio *m = d->state;

    device_irq(d, 0, m->interrupt_status != 0);
}

static void mmio_interrupt(void *transport, int queue)
{
    struct device *d = transport;
    struct virtio_mmio *m = d->state;

    if (queue == VIRTIO_CONFIG_CHANGE)
        m->generation++;
    m->interrupt_status |= queue == VIRTIO_CONFIG_CHANGE ? INTERRUPT_CONFIG : INTERRUPT_USED;
    mmio_update(d);
}

/* What an empty slot answers too. */
static bool identity_read(const struct virtio_mmio *m, uint64_t offset, uint32_t *value)
{
    switch (offset) {
    case REG_MAGIC:
        *value = MAGIC;
        return true;
    case REG_VERSION:
        *value = m->legacy ? 1 : 2;
        return true;
    case REG_DEVICE_ID:
        *value = m->v.type ? m->v.type->device_id : 0;
        return true;
    case REG_VENDOR_ID:
        *value = VENDOR;
        return true;
    default:
        *value = 0;
        return !m->v.type;
    }
}

static uint64_t mmio_read(struct device *d, uint64_t offset, unsigned size)
{
    struct virtio_mmio *m = d->state;
    uint32_t value;

    if (identity_read(m, offset, &value))
        return value;
    if (offset >= REG_CONFIG)
        return virtio_read_config(&m->v, (uint32_t)offset - REG_CONFIG, size, m->legacy);
    if (size != 4)
        log_printf(LOG_GUEST_ERROR, "virtio-mmio: %u-byte read of register 0x%x\n", size,
                   (unsigned)offset);
    const struct virtqueue *q = virtio_queue(&m->v, m->queue_select);
    switch (offset) {
    case REG_DEVICE_FEATURES:
        return virtio_word(virtio_features(&m->v, m->legacy), m->device_features_select);
    case REG_QUEUE_NUM_MAX:
        return q ? m->v.queue_size : 0;
    case REG_QUEUE_READY:
        return q && !m->legacy ? q->ready : 0;
    case REG_QUEUE_PFN:
        return q && m->legacy && m->guest_page_size
                   ? (uint32_t)(q->descriptors / m->guest_page_size)
                   : 0;
    case REG_INTERRUPT_STATUS:
        return m->interrupt_status;
    case REG_STATUS:
        return m->v.status;
    case REG_CONFIG_GENERATION:
        return m->legacy ? 0 : m->generation;
    default:
        /* No shared memory regions: length and base of any of them are all ones (4.2.2). */
        if (offset >= REG_SHM_LEN_LOW && offset <= REG_SHM_BASE_HIGH)
            return UINT32_MAX;
        log_printf(LOG_GUEST_ERROR, "virtio-mmio: read of register 0x%x\n", (unsigned)offset);
        return 0;
    }
}

static void status_write(struct device *d, uint32_t value)
{
    struct virtio_mmio *m = d->state;

    virtio_write_status(&m->v, (uint8_t)value, m->legacy);
    if (value & 0xff)
        return;
    m->interrupt_status = 0;
    mmio_update(d);
}

/* Registers of the selected queue. False: not one of them. */
static bool queue_write(struct virtio_mmio *m, uint64_t offset, uint32_t value)
{
    struct virtqueue *q = virtio_queue(&m->v, m->queue_select);
    bool modern = !m->legacy;

    switch (offset) {
    case REG_QUEUE_NUM:
        if (q)
            virtqueue_set_size(&m->v, q, value);
        return true;
    case REG_QUEUE_ALIGN:
        if (m->legacy && q)
            m->queue_align[m->queue_select] = value;
        return m->legacy;
    case REG_QUEUE_PFN:
        if (m->legacy && q)
            virtqueue_set_legacy(q, (uint64_t)value * m->guest_page_size,
                                 m->queue_align[m->queue_select]);
        return m->legacy;
    case REG_QUEUE_READY:
        if (modern && q)
            virtqueue_set_ready(q, value & 1);
        return modern;
    case REG_QUEUE_DESC_LOW:
    case REG_QUEUE_DESC_HIGH:
    case REG_QUEUE_DRIVER_LOW:
    case REG_QUEUE_DRIVER_HIGH:
    case REG_QUEUE_DEVICE_LOW:
    case REG_QUEUE_DEVICE_HIGH:
        if (modern && q)
            virtqueue_set_address(
                q, (unsigned)((offset - REG_QUEUE_DESC_LOW) / 16 * 2 + offset / 4 % 2), value);
        return modern;
    default:
        return false;
    }
}

static void mmio_write(struct device *d, uint64_t offset, uint64_t value64, unsigned size)
{
    struct virtio_mmio *m = d->state;
    uint32_t value = (uint32_t)value64;

    if (!m->v.type)
        return;
    if (offset >= REG_CONFIG) {
        virtio_write_config(&m->v, (uint32_t)offset - REG_CONFIG, value, size, m->legacy);
        return;
    }
    switch (offset) {
    case REG_DEVICE_FEATURES_SEL:
        m->device_features_select = value;
        return;
    case REG_DRIVER_FEATURES:
        virtio_write_features(&m->v, m->driver_features_select, value, m->legacy);
        return;
    case REG_DRIVER_FEATURES_SEL:
        m->driver_features_select = value;
        return;
    case REG_GUEST_PAGE_SIZE:
        m->guest_page_size = is_power_of_two(value) ? value : 0;
        return;
    case REG_QUEUE_SEL:
        m->queue_select = value;
        return;
    case REG_QUEUE_NOTIFY:
        virtio_notify(&m->v, value);
        return;
    case REG_INTERRUPT_ACK:
        m->interrupt_status &= ~value;
        mmio_update(d);
        return;
    case REG_STATUS:
        status_write(d, value);
        return;
    default:
        if (!queue_write(m, offset, value))
            log_printf(LOG_GUEST_ERROR, "virtio-mmio: write of 0x%x to register 0x%x\n", value,
                       (unsigned)offset);
        return;
    }
}

/* ---- slots -----------------------------------------------------------------------------------
 */

static const char *const slot_kind = "virtio-mmio";

static unsigned count_slots(const struct machine *m)
{
    unsigned n = 0;

    for (const struct machine_bus *bus = m->buses; bus; bus = bus->next)
        n += !strcmp(bus->kind, slot_kind);
    return n;
}

static bool mmio_init(struct device *d, struct error *err)
{
    struct virtio_mmio *m = d->state;
    char text[24];

    m->legacy = device_prop_on(d, "legacy", false);
    m->v.memory = d->memory;
    m->v.interrupt = mmio_interrupt;
    m->v.transport = d;
    snprintf(text, sizeof(text), "virtio-mmio-bus.%u", count_slots(d->machine));
    return machine_add_bus(d->machine, slot_kind, text, d, &m->v, err);
}

static void mmio_finish(struct device *d)
{
    machine_remove_buses(d->machine, d);
}

/* QEMU gives the last slot to the first device, and its users' kernels name disks by that. */
static struct virtio_device *find_slot(struct device *d, struct error *err)
{
    struct virtio_device *v, *found = NULL;
    char name[24];

    if (device_prop_string(d, "bus", name, sizeof(name))) {
        v = machine_find_bus(d->machine, slot_kind, name);
        if (v && !v->type)
            return v;
        error_set(err, "-device %s: bus=%s is %s", d->id, name,
                  v ? "taken" : "no virtio-mmio slot of this machine");
        return NULL;
    }
    for (const struct machine_bus *bus = d->machine->buses; bus; bus = bus->next) {
        v = bus->bus;
        if (!strcmp(bus->kind, slot_kind) && !v->type)
            found = v;
    }
    if (!found)
        error_set(err, "-device %s: this machine has no%s slot for virtio-mmio devices", d->id,
                  count_slots(d->machine) ? " free" : "");
    return found;
}

const struct device_prop virtio_plug_props[] = {
    {"bus", DEVICE_PROP_TEXT, .most = 23},
    {NULL},
};

bool virtio_plug_init(struct device *d, struct error *err)
{
    struct virtio_plug *plug = d->state;
    struct virtio_device *v = find_slot(d, err);

    if (!v || !virtio_attach(v, d, err))
        return false;
    plug->v = v;
    return true;
}

/* Its slot was reset before, but the fields of its part only now. */
void virtio_plug_reset(struct device *d)
{
    struct virtio_plug *plug = d->state;

    virtio_reset(plug->v);
}

void virtio_plug_finish(struct device *d)
{
    struct virtio_plug *plug = d->state;

    virtio_detach(plug->v);
}

static void mmio_reset(struct device *d)
{
    struct virtio_mmio *m = d->state;

    virtio_reset(&m->v);
    mmio_update(d);
}

static const struct device_field mmio_fields[] = {
    VIRTIO_FIELDS(struct virtio_mmio, v),
    DEVICE_FIELD(struct virtio_mmio, device_features_select, DEVICE_U32, 0),
    DEVICE_FIELD(struct virtio_mmio, driver_features_select, DEVICE_U32, 0),
    DEVICE_FIELD(struct virtio_mmio, queue_select, DEVICE_U32, 0),
    DEVICE_FIELD(struct virtio_mmio, interrupt_status, DEVICE_U32, 0),
    DEVICE_FIELD(struct virtio_mmio, generation, DEVICE_U32, 0),
    DEVICE_FIELD(struct virtio_mmio, guest_page_size, DEVICE_U32, 0),
    DEVICE_ARRAY(struct virtio_mmio, queue_align, DEVICE_U32, VIRTIO_MAX_QUEUES, 4096),
};

static const struct device_region mmio_regions[] = {
    {"virtio-mmio", 0x200, 1, 4, mmio_read, mmio_write, false, NULL},
};

static const struct device_prop mmio_props[] = {
    {"legacy", DEVICE_PROP_SWITCH},
    {NULL},
};

static const struct device_class mmio_class = {
    .name = "virtio-mmio",
    .props = mmio_props,
    .description = "Virtio transport, memory-mapped",
    .manual = "VIRTIO 1.2, section 4.2",
    .state_size = sizeof(struct virtio_mmio),
    .regions = mmio_regions,
    .n_regions = ARRAY_SIZE(mmio_regions),
    .fields = mmio_fields,
    .n_fields = ARRAY_SIZE(mmio_fields),
    .n_irq_out = 1,
    .init = mmio_init,
    .reset = mmio_reset,
    .finish = mmio_finish,
};
REGISTER(device_class, mmio_class);
