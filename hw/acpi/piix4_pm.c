/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power management function of PIIX4 (82371AB, 290562): ACPI's fixed hardware at PMBA, general
 * purpose events at port 0xafe0 as virtual boards have them, SMI command port, SMBus. Output 0 is
 * the system control interrupt. Input 0 is the power button.
 */
#include "hw/acpi/piix4_pm.h"

#include <string.h>

#include "hw/acpi/pm.h"
#include "hw/pci/pci.h"

enum { PMBA = 0x40, DEVACTB = 0x58, PMREGMISC = 0x80, SMBBA = 0x90, SMBHSTCFG = 0xd2 };
enum { REGION_PM, REGION_GPE, REGION_SMI, REGION_SMBUS };
enum { GPE_BASE = 0xafe0, GPE_BYTES = 2, SMI_BASE = 0xb2, PM_BYTES = 12 };

struct piix4_pm {
    struct acpi_pm pm;
    struct smbus smbus;
    struct smbus_eeproms eeproms;
};

void piix4_pm_set_eeprom(struct device *d, unsigned n, const uint8_t *contents)
{
    struct piix4_pm *p = d->state;

    p->smbus.eeproms = &p->eeproms;
    p->eeproms.present |= (uint8_t)(1u << n);
    memcpy(&p->eeproms.contents[n * SMBUS_EEPROM_SIZE], contents, SMBUS_EEPROM_SIZE);
}

static uint64_t pm_read(struct device *d, uint64_t offset, unsigned size)
{
    struct piix4_pm *p = d->state;

    if (offset < PM_BYTES)
        return acpi_pm_read(d, &p->pm, (unsigned)offset, size);
    log_printf(LOG_UNIMP, "piix4-pm: read of register 0x%x\n", (unsigned)offset);
    return 0;
}

static void pm_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct piix4_pm *p = d->state;

    if (offset < PM_BYTES)
        acpi_pm_write(d, &p->pm, (unsigned)offset, (uint32_t)value, size);
    else
        log_printf(LOG_UNIMP, "piix4-pm: write of 0x%x to register 0x%x\n", (unsigned)value,
                   (unsigned)offset);
}

static uint64_t gpe_read(struct device *d, uint64_t offset, unsigned size)
{
    return acpi_gpe_read(&((struct piix4_pm *)d->state)->pm, GPE_BYTES, (unsigned)offset, size);
}

static void gpe_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    acpi_gpe_write(d, &((struct piix4_pm *)d->state)->pm, GPE_BYTES, (unsigned)offset,
                   (uint32_t)value, size);
}

static uint64_t smi_read(struct device *d, uint64_t offset, unsigned size)
{
    return acpi_smi_read(&((struct piix4_pm *)d->state)->pm, (unsigned)offset, size);
}

static void smi_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    acpi_smi_write(d, &((struct piix4_pm *)d->state)->pm, (unsigned)offset, (uint32_t)value, size);
}

static uint64_t smb_read(struct device *d, uint64_t offset, unsigned size)
{
    return smbus_read(&((struct piix4_pm *)d->state)->smbus, (unsigned)offset);
}

static void smb_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    if (smbus_write(&((struct piix4_pm *)d->state)->smbus, (unsigned)offset, (uint8_t)value))
        log_unimp_once("piix4-pm: SMBus interrupts\n");
}

static void map_update(struct device *d)
{
    const uint8_t *config = d->pci->config;
    uint32_t pm = pci_get(d, PMBA, 4) & 0xffc0, smbus = pci_get(d, SMBBA, 4) & 0xfff0;

    device_place_if(d, REGION_PM, pm, pm && (config[PMREGMISC] & 1));
    device_place_if(d, REGION_SMBUS, smbus, smbus && (config[SMBHSTCFG] & 1));
}

static void config_written(struct device *d, unsigned offset, unsigned size)
{
    map_update(d);
}

static void overflow(void *opaque)
{
    struct device *d = opaque;

    acpi_pm_overflow(d, &((struct piix4_pm *)d->state)->pm);
}

static bool piix4_pm_init(struct device *d, struct error *err)
{
    acpi_pm_init(d, &((struct piix4_pm *)d->state)->pm, overflow);
    pci_set(d, PCI_STATUS, 2, 0x0280);
    pci_set(d, PMBA, 4, 1);
    pci_set(d, SMBBA, 4, 1);
    pci_set_writable(d, PMBA, 4, 0xffc0);
    for (unsigned i = 0x44; i < 0x80; i++)
        pci_set_writable(d, i, 1, 0xff);
    pci_set_writable(d, PMREGMISC, 1, 1);
    pci_set_writable(d, SMBBA, 4, 0xfff0);
    pci_set_writable(d, SMBHSTCFG, 4, 0xffffffff);
    /* SMIs on APM commands count as set up already: there is no mode that would take them. */
    pci_set(d, DEVACTB + 3, 1, 0x02);
    return true;
}

static void piix4_pm_reset(struct device *d)
{
    struct piix4_pm *p = d->state;

    device_place(d, REGION_GPE, GPE_BASE);
    device_place(d, REGION_SMI, SMI_BASE);
    map_update(d);
    acpi_pm_reset(d, &p->pm);
}

static void piix4_pm_irq_in(struct device *d, unsigned line, bool level)
{
    if (level)
        acpi_pm_button(d, &((struct piix4_pm *)d->state)->pm);
}

static const struct device_field piix4_pm_fields[] = {
    ACPI_PM_FIELDS(struct piix4_pm, pm),
    SMBUS_FIELDS(struct piix4_pm, smbus),
    DEVICE_ARRAY(struct piix4_pm, eeproms.at, DEVICE_U8, SMBUS_EEPROMS, 0),
    {.name = "eeproms.contents",
     .offset = offsetof(struct piix4_pm, eeproms.contents),
     .count = SMBUS_EEPROMS * SMBUS_EEPROM_SIZE,
     .kind = DEVICE_U8,
     .keep = true},
};

static const struct device_region piix4_pm_regions[] = {
    {"piix4-pm", 64, 1, 4, pm_read, pm_write, .port = true, .moves = true},
    {"acpi-gpe0", 2 * GPE_BYTES, 1, 4, gpe_read, gpe_write, .port = true, .moves = true},
    {"apm-io", 2, 1, 2, smi_read, smi_write, .port = true, .moves = true},
    {"pm-smbus", 16, 1, 1, smb_read, smb_write, .port = true, .moves = true},
};

static const struct pci_class piix4_pm_pci = {
    .vendor = 0x8086,
    .device = 0x7113,
    .class_code = 0x068000,
    .revision = 3,
    .interrupt_pin = 1,
    .config_written = config_written,
};

static const struct device_class piix4_pm_class = {
    .name = "piix4-pm",
    .description = "PIIX4 power management",
    .manual = "Intel 82371AB (290562)",
    .pci = &piix4_pm_pci,
    .state_size = sizeof(struct piix4_pm),
    .regions = piix4_pm_regions,
    .n_regions = ARRAY_SIZE(piix4_pm_regions),
    .fields = piix4_pm_fields,
    .n_fields = ARRAY_SIZE(piix4_pm_fields),
    .n_irq_in = 1,
    .n_irq_out = 1,
    .init = piix4_pm_init,
    .reset = piix4_pm_reset,
    .irq_in = piix4_pm_irq_in,
};
REGISTER(device_class, piix4_pm_class);
