/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMBus function of ICH9 (316972), chapter 18, at BAR 4. */
#include "hw/acpi/smbus.h"
#include "hw/pci/pci.h"

enum { HOSTC = 0x40, HOSTC_ENABLE = 1 };

static uint64_t smb_read(struct device *d, uint64_t offset, unsigned size)
{
    return smbus_read(d->state, (unsigned)offset);
}

static void smb_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    if (d->pci->config[HOSTC] & HOSTC_ENABLE)
        pci_irq(d, smbus_write(d->state, (unsigned)offset, (uint8_t)value));
}

static bool smb_init(struct device *d, struct error *err)
{
    pci_set(d, PCI_STATUS, 2, 0x0280);
    pci_set_writable(d, HOSTC, 1, 0x1f);
    return true;
}

static const struct device_field smb_fields[] = {
    DEVICE_ARRAY(struct smbus, registers, DEVICE_U8, SMBUS_REGISTERS, 0),
    DEVICE_ARRAY(struct smbus, block, DEVICE_U8, SMBUS_BLOCK, 0),
    DEVICE_FIELD(struct smbus, block_index, DEVICE_U8, 0),
};

static const struct device_region smb_regions[] = {
    {"smbus", 32, 1, 1, smb_read, smb_write, .port = true, .bar = DEVICE_BAR(4)},
};

static const struct pci_class smb_pci = {
    .vendor = 0x8086,
    .device = 0x2930,
    .class_code = 0x0c0500,
    .revision = 2,
    .interrupt_pin = 1,
};

static const struct device_class smb_class = {
    .name = "ich9-smb",
    .description = "ICH9 SMBus controller",
    .manual = "Intel ICH9 (316972)",
    .pci = &smb_pci,
    .state_size = sizeof(struct smbus),
    .regions = smb_regions,
    .n_regions = ARRAY_SIZE(smb_regions),
    .fields = smb_fields,
    .n_fields = ARRAY_SIZE(smb_fields),
    .init = smb_init,
};
REGISTER(device_class, smb_class);
