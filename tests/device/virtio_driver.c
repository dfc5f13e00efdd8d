/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtio driver of the device tests. Registers as in VIRTIO 1.2, chapter 4. */
#include "virtio_driver.h"

#include "hw/pci/pci.h"
#include "util/bits.h"

enum { VERSION_1_BIT = 32, NOTIFY_AT = 0x3000, DEVICE_AT = 0x2000, ISR_AT = 0x1000 };
enum { MMIO_CONFIG = 0x100, LEGACY_CONFIG = 0x14 };

static void set(struct driver *drv, unsigned offset, uint32_t value, unsigned size)
{
    if (drv->mode == DRIVER_PCI_LEGACY)
        pc_out(drv->pc, DRIVER_PORTS + offset, value, size);
    else
        pc_store(drv->pc, DRIVER_MEMORY + offset, value, size);
}

static uint32_t get(struct driver *drv, unsigned offset, unsigned size)
{
    if (drv->mode == DRIVER_PCI_LEGACY)
        return pc_in(drv->pc, DRIVER_PORTS + offset, size);
    return pc_load(drv->pc, DRIVER_MEMORY + offset, size);
}

static void set64(struct driver *drv, unsigned offset, uint64_t value)
{
    set(drv, offset, (uint32_t)value, 4);
    set(drv, offset + 4, (uint32_t)(value >> 32), 4);
}

static bool is_mmio(const struct driver *drv)
{
    return drv->mode == DRIVER_MMIO || drv->mode == DRIVER_MMIO_LEGACY;
}

bool driver_is_legacy(const struct driver *drv)
{
    return drv->mode == DRIVER_MMIO_LEGACY || drv->mode == DRIVER_PCI_LEGACY;
}

struct driver *driver_create(enum driver_mode mode, const char *kind, const char *props,
                             void *backend)
{
    struct driver *drv = calloc(1, sizeof(*drv));
    char class[64], all[128];

    assert_non_null(drv);
    drv->mode = mode;
    drv->pc = pc_create();
    snprintf(class, sizeof(class), "virtio-%s-%s", kind, is_mmio(drv) ? "device" : "pci");
    if (is_mmio(drv)) {
        struct device *slot = pc_add(drv->pc, "virtio-mmio", "slot", DRIVER_MEMORY,
                                     driver_is_legacy(drv) ? "legacy=on" : NULL, NULL);
        pc_watch(drv->pc, slot);
        drv->device = pc_add(drv->pc, class, "dut", 0, props, backend);
        pc_reset(drv->pc);
        return drv;
    }
    snprintf(all, sizeof(all), "addr=5%s%s", props ? "," : "", props ? props : "");
    pc_add(drv->pc, "i440fx", "pci0", 0xcf8, NULL, NULL);
    pc_watch(drv->pc, pc_add(drv->pc, "piix3", "isa", 0, "bus=pci.0,addr=1.0", NULL));
    drv->device = pc_add(drv->pc, class, "dut", 0, all, backend);
    pc_reset(drv->pc);
    pc_config_set(drv->pc, 1 << 3, 0x60, 0x0b0b0b0b, 4); /* every PIRQ on line 11 */
    pc_config_set(drv->pc, DRIVER_SLOT, PCI_BAR0, DRIVER_PORTS, 4);
    pc_config_set(drv->pc, DRIVER_SLOT, PCI_BAR0 + 4, DRIVER_MESSAGES, 4);
    pc_config_set(drv->pc, DRIVER_SLOT, PCI_BAR0 + 16, DRIVER_MEMORY, 4);
    pc_config_set(drv->pc, DRIVER_SLOT, PCI_COMMAND, 7, 2);
    return drv;
}

void driver_destroy(struct driver *drv)
{
    pc_destroy(drv->pc);
    free(drv);
}

uint64_t driver_offered(struct driver *drv)
{
    unsigned select = is_mmio(drv) ? 0x14 : 0, value = is_mmio(drv) ? 0x10 : 4;

    if (drv->mode == DRIVER_PCI_LEGACY)
        return get(drv, 0, 4);
    set(drv, select, 1, 4);
    uint64_t high = get(drv, value, 4);
    set(drv, select, 0, 4);
    return high << 32 | get(drv, value, 4);
}

static void accept(struct driver *drv, uint64_t features)
{
    unsigned select = is_mmio(drv) ? 0x24 : 8, value = is_mmio(drv) ? 0x20 : 0xc;

    if (drv->mode == DRIVER_PCI_LEGACY) {
        set(drv, 4, (uint32_t)features, 4);
        return;
    }
    for (unsigned i = 0; i < 2; i++) {
        set(drv, select, i, 4);
        set(drv, value, (uint32_t)(features >> i * 32), 4);
    }
}

static unsigned status_register(const struct driver *drv)
{
    return is_mmio(drv) ? 0x70 : drv->mode == DRIVER_PCI ? 0x14 : 0x12;
}

uint8_t driver_status(struct driver *drv)
{
    return (uint8_t)get(drv, status_register(drv), is_mmio(drv) ? 4 : 1);
}

void driver_set_status(struct driver *drv, uint8_t status)
{
    set(drv, status_register(drv), status, is_mmio(drv) ? 4 : 1);
}

static unsigned config_base(const struct driver *drv)
{
    return is_mmio(drv) ? MMIO_CONFIG : drv->mode == DRIVER_PCI ? DEVICE_AT : LEGACY_CONFIG;
}

uint32_t driver_config(struct driver *drv, uint32_t offset, unsigned size)
{
    return get(drv, config_base(drv) + offset, size);
}

void driver_set_config(struct driver *drv, uint32_t offset, uint32_t value, unsigned size)
{
    set(drv, config_base(drv) + offset, value, size);
}

/* ---- queues ---------------------------------------------------------------------------------- */

gpa driver_table(const struct driver *drv, unsigned queue)
{
    return DRIVER_RINGS + (gpa)queue * DRIVER_RINGS_STRIDE;
}

gpa driver_available(const struct driver *drv, unsigned queue)
{
    return driver_table(drv, queue) + (gpa)drv->queue_size[queue] * 16;
}

gpa driver_used(const struct driver *drv, unsigned queue)
{
    gpa end = driver_available(drv, queue) + 6 + 2 * (gpa)drv->queue_size[queue];

    return align_up(end, 4096);
}

static void set_up_mmio(struct driver *drv, unsigned queue)
{
    set(drv, 0x30, queue, 4);
    drv->queue_size[queue] = DRIVER_QUEUE;
    set(drv, 0x38, DRIVER_QUEUE, 4);
    if (drv->mode == DRIVER_MMIO_LEGACY) {
        set(drv, 0x28, 4096, 4);
        set(drv, 0x3c, 4096, 4);
        set(drv, 0x40, (uint32_t)(driver_table(drv, queue) >> 12), 4);
        return;
    }
    set64(drv, 0x80, driver_table(drv, queue));
    set64(drv, 0x90, driver_available(drv, queue));
    set64(drv, 0xa0, driver_used(drv, queue));
    set(drv, 0x44, 1, 4);
}

static void set_up_pci(struct driver *drv, unsigned queue)
{
    if (drv->mode == DRIVER_PCI_LEGACY) {
        set(drv, 0xe, queue, 2);
        drv->queue_size[queue] = get(drv, 0xc, 2);
        set(drv, 8, (uint32_t)(driver_table(drv, queue) >> 12), 4);
        return;
    }
    set(drv, 0x16, queue, 2);
    drv->queue_size[queue] = DRIVER_QUEUE;
    set(drv, 0x18, DRIVER_QUEUE, 2);
    set64(drv, 0x20, driver_table(drv, queue));
    set64(drv, 0x28, driver_available(drv, queue));
    set64(drv, 0x30, driver_used(drv, queue));
    set(drv, 0x1c, 1, 2);
}

void driver_start(struct driver *drv, uint64_t features, unsigned n_queues)
{
    bool legacy = driver_is_legacy(drv);

    memset(drv->pc->ram + DRIVER_RINGS, 0,
           (size_t)DRIVER_RINGS_STRIDE * ARRAY_SIZE(drv->queue_size));
    driver_set_status(drv, 0);
    assert_int_equal(driver_status(drv), 0);
    driver_set_status(drv, 1);
    driver_set_status(drv, 3);
    accept(drv, features | (legacy ? 0 : UINT64_C(1) << VERSION_1_BIT));
    if (!legacy) {
        driver_set_status(drv, 11);
        assert_int_equal(driver_status(drv), 11);
    }
    for (unsigned i = 0; i < n_queues; i++) {
        if (is_mmio(drv))
            set_up_mmio(drv, i);
        else
            set_up_pci(drv, i);
    }
    driver_set_status(drv, legacy ? 7 : 15);
}

void driver_descriptor(struct driver *drv, gpa table, unsigned index, uint64_t address,
                       uint32_t length, uint16_t flags, uint16_t next)
{
    uint8_t *at = drv->pc->ram + table + index * 16;

    store_le64(at, address);
    store_le32(at + 8, length);
    store_le16(at + 12, flags);
    store_le16(at + 14, next);
}

void driver_notify(struct driver *drv, unsigned queue)
{
    if (is_mmio(drv))
        set(drv, 0x50, queue, 4);
    else if (drv->mode == DRIVER_PCI)
        set(drv, NOTIFY_AT + queue * 4, queue, 2);
    else
        set(drv, 0x10, queue, 2);
}

void driver_offer(struct driver *drv, unsigned queue, uint16_t head)
{
    uint8_t *ring = drv->pc->ram + driver_available(drv, queue);
    uint16_t index = load_le16(ring + 2);

    store_le16(ring + 4 + index % drv->queue_size[queue] * 2, head);
    store_le16(ring + 2, index + 1);
    driver_notify(drv, queue);
}

uint16_t driver_used_index(struct driver *drv, unsigned queue)
{
    return load_le16(drv->pc->ram + driver_used(drv, queue) + 2);
}

static const uint8_t *used_entry(struct driver *drv, unsigned queue, uint16_t index)
{
    return drv->pc->ram + driver_used(drv, queue) + 4 + index % drv->queue_size[queue] * 8;
}

uint32_t driver_used_head(struct driver *drv, unsigned queue, uint16_t index)
{
    return load_le32(used_entry(drv, queue, index));
}

uint32_t driver_used_length(struct driver *drv, unsigned queue, uint16_t index)
{
    return load_le32(used_entry(drv, queue, index) + 4);
}

uint32_t driver_interrupts(struct driver *drv)
{
    if (drv->mode == DRIVER_PCI)
        return get(drv, ISR_AT, 1);
    if (drv->mode == DRIVER_PCI_LEGACY)
        return get(drv, 0x13, 1);
    uint32_t value = get(drv, 0x60, 4);
    set(drv, 0x64, value, 4);
    return value;
}
