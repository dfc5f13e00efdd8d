/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82441FX PCI and memory controller (290549): host bridge, configuration ports, shadow RAM. SMRAM
 * is shown while D_OPEN is set; what is shown in system management mode only is not modelled, as
 * the processor has none. DRAM timing registers hold what is written. Region 0: ports 0xcf8 to
 * 0xcff.
 */
#include "hw/machine.h"
#include "hw/pci/pci.h"
#include "hw/pci/shadow.h"

enum { PMCCFG = 0x50, PAM0 = 0x59, SMRAM = 0x72 };
enum { SMRAM_LOCK = 1 << 4, SMRAM_CLOSED = 1 << 5, SMRAM_OPEN = 1 << 6, SMRAM_ENABLE = 1 << 3 };

struct i440fx {
    uint32_t address;
    struct shadow shadow;
};

static uint64_t ports_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct i440fx *h = d->state;

    return pci_ports_read(d->pci->bus, &h->address, (unsigned)offset, size);
}

static void ports_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct i440fx *h = d->state;

    pci_ports_write(d->pci->bus, &h->address, (unsigned)offset, (uint32_t)value, size);
}

static void map_update(struct device *d)
{
    struct i440fx *h = d->state;

    shadow_update(d, &h->shadow, &d->pci->config[PAM0], (d->pci->config[SMRAM] & SMRAM_OPEN) != 0);
}

static void config_written(struct device *d, unsigned offset, unsigned size)
{
    uint8_t *smram = &d->pci->config[SMRAM];

    if (offset + size <= PAM0 || offset > SMRAM)
        return;
    /* 3.2.22: locking closes and makes the register read-only until reset. */
    if (*smram & SMRAM_LOCK) {
        *smram &= (uint8_t)~SMRAM_OPEN;
        pci_set_writable(d, SMRAM, 1, SMRAM_CLOSED);
    }
    map_update(d);
}

static bool i440fx_init(struct device *d, struct error *err)
{
    pci_set(d, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pci_set_writable(d, PCI_COMMAND, 2, 1 << 8);
    pci_set(d, PCI_STATUS, 2, 0x0280);
    for (unsigned i = PMCCFG; i < SMRAM; i++)
        pci_set_writable(d, i, 1, 0xff);
    for (unsigned i = 0; i < SHADOW_REGISTERS; i++)
        pci_set_writable(d, PAM0 + i, 1, i ? 0x33 : 0x30);
    pci_set(d, SMRAM, 1, 0x02);
    return true;
}

static void i440fx_reset(struct device *d)
{
    pci_set_writable(d, SMRAM, 1, SMRAM_OPEN | SMRAM_CLOSED | SMRAM_LOCK | SMRAM_ENABLE);
    map_update(d);
}

static const struct device_field i440fx_fields[] = {
    DEVICE_FIELD(struct i440fx, address, DEVICE_U32, 0),
};

static const struct device_region i440fx_regions[] = {
    {"pci-conf", 8, 1, 4, ports_read, ports_write, .port = true},
};

static const struct pci_class i440fx_pci = {
    .vendor = 0x8086,
    .device = 0x1237,
    .class_code = 0x060000,
    .revision = 2,
    .makes_bus = "pci.0",
    .config_written = config_written,
};

static const struct device_class i440fx_class = {
    .name = "i440fx",
    .description = "440FX host bridge",
    .manual = "Intel 82441FX (290549)",
    .pci = &i440fx_pci,
    .state_size = sizeof(struct i440fx),
    .regions = i440fx_regions,
    .n_regions = ARRAY_SIZE(i440fx_regions),
    .fields = i440fx_fields,
    .n_fields = ARRAY_SIZE(i440fx_fields),
    .init = i440fx_init,
    .reset = i440fx_reset,
};
REGISTER(device_class, i440fx_class);
