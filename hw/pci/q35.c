/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Memory controller hub of the Q35 (316966): host bridge, configuration ports and memory-mapped
 * configuration space, shadow RAM, compatible SMRAM as in i440fx.c. Region 0: ports 0xcf8 to 0xcff.
 */
#include "hw/machine.h"
#include "hw/pci/pci.h"
#include "hw/pci/shadow.h"

enum { PCIEXBAR = 0x60, PAM0 = 0x90, SMRAM = 0x9d, ESMRAMC = 0x9e };
enum { SMRAM_LOCK = 1 << 4, SMRAM_CLOSED = 1 << 5, SMRAM_OPEN = 1 << 6, SMRAM_ENABLE = 1 << 3 };
enum { REGION_CONFIG, REGION_MMCONFIG, MMCONFIG_MAX = 256 << 20 };

struct q35 {
    uint32_t address;
    struct shadow shadow;
};

static uint64_t ports_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct q35 *h = d->state;

    return pci_ports_read(d->pci->bus, &h->address, (unsigned)offset, size);
}

static void ports_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct q35 *h = d->state;

    pci_ports_write(d->pci->bus, &h->address, (unsigned)offset, (uint32_t)value, size);
}

/* PCI Express 3.0, 7.2.2: bus, slot, function and register are the address. */
static uint64_t mmconfig_read(struct device *d, uint64_t offset, unsigned size)
{
    if (offset >> 20)
        return ~UINT64_C(0);
    return pci_config_read(d->pci->bus, (unsigned)(offset >> 12), offset & 0xfff, size);
}

static void mmconfig_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    if (!(offset >> 20))
        pci_config_write(d->pci->bus, (unsigned)(offset >> 12), offset & 0xfff, (uint32_t)value,
                         size);
}

/* 5.1.15: 256, 128 or 64 MiB. */
static void mmconfig_update(struct device *d)
{
    uint32_t low = pci_get(d, PCIEXBAR, 4);
    unsigned length = low >> 1 & 3;
    uint64_t size = (uint64_t)MMCONFIG_MAX >> length;
    uint64_t base = (low | (uint64_t)pci_get(d, PCIEXBAR + 4, 4) << 32) & ~(size - 1);

    if (d->mappings[REGION_MMCONFIG].size != size)
        device_unplace(d, REGION_MMCONFIG);
    d->mappings[REGION_MMCONFIG].size = size;
    device_place_if(d, REGION_MMCONFIG, base, (low & 1) && length < 3 && base);
}

static void map_update(struct device *d)
{
    struct q35 *h = d->state;

    shadow_update(d, &h->shadow, &d->pci->config[PAM0], (d->pci->config[SMRAM] & SMRAM_OPEN) != 0);
}

static void config_written(struct device *d, unsigned offset, unsigned size)
{
    uint8_t *smram = &d->pci->config[SMRAM];

    if (offset < PCIEXBAR + 8 && offset + size > PCIEXBAR)
        mmconfig_update(d);
    if (offset + size <= PAM0 || offset > SMRAM)
        return;
    if (*smram & SMRAM_LOCK) {
        *smram &= (uint8_t)~SMRAM_OPEN;
        pci_set_writable(d, SMRAM, 1, SMRAM_CLOSED);
        pci_set_writable(d, ESMRAMC, 1, 0);
    }
    map_update(d);
}

static bool q35_init(struct device *d, struct error *err)
{
    pci_set(d, PCI_COMMAND, 2, PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pci_set_writable(d, PCI_COMMAND, 2, 1 << 8);
    pci_set(d, PCI_STATUS, 2, 0x0080);
    pci_set(d, PCIEXBAR, 4, 0xb0000000);
    pci_set_writable(d, PCIEXBAR, 4, 0xfc000007);
    pci_set_writable(d, PCIEXBAR + 4, 4, 0xf);
    for (unsigned i = 0; i < SHADOW_REGISTERS; i++)
        pci_set_writable(d, PAM0 + i, 1, i ? 0x33 : 0x30);
    pci_set(d, SMRAM, 1, 0x02);
    pci_set(d, ESMRAMC, 1, 0x38);
    return true;
}

static void q35_reset(struct device *d)
{
    pci_set_writable(d, SMRAM, 1, SMRAM_OPEN | SMRAM_CLOSED | SMRAM_LOCK | SMRAM_ENABLE);
    pci_set_writable(d, ESMRAMC, 1, 0x87);
    mmconfig_update(d);
    map_update(d);
}

static const struct device_field q35_fields[] = {
    DEVICE_FIELD(struct q35, address, DEVICE_U32, 0),
};

static const struct device_region q35_regions[] = {
    {"pci-conf", 8, 1, 4, ports_read, ports_write, .port = true},
    {"pcie-mmcfg", MMCONFIG_MAX, 1, 4, mmconfig_read, mmconfig_write, .moves = true},
};

static const struct pci_class q35_pci = {
    .vendor = 0x8086,
    .device = 0x29c0,
    .class_code = 0x060000,
    .revision = 2,
    .makes_bus = "pcie.0",
    .config_written = config_written,
};

static const struct device_class q35_class = {
    .name = "q35-mch",
    .description = "Q35 host bridge",
    .manual = "Intel 3 Series chipset (316966)",
    .pci = &q35_pci,
    .state_size = sizeof(struct q35),
    .regions = q35_regions,
    .n_regions = ARRAY_SIZE(q35_regions),
    .fields = q35_fields,
    .n_fields = ARRAY_SIZE(q35_fields),
    .init = q35_init,
    .reset = q35_reset,
};
REGISTER(device_class, q35_class);
