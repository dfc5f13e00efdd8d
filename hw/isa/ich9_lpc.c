/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * LPC bridge of ICH9 (316972): PIRQ routing to ISA interrupts and to I/O APIC pins 16 to 23, the
 * slots' pins by the chipset configuration registers at RCBA, reset control, ACPI's fixed hardware
 * at PMBASE. Outputs 0 to 15 are ISA interrupts, 16 to 23 PIRQ A to H, 24 the system control
 * interrupt. Input 0 is the power button. The TCO timer never fires (it is not modelled).
 */
#include <string.h>

#include "hw/acpi/pm.h"
#include "hw/machine.h"
#include "hw/pci/pci.h"
#include "util/bits.h"

enum {
    PMBASE = 0x40,
    ACPI_CNTL = 0x44,
    PIRQA = 0x60,
    PIRQE = 0x68,
    GEN_PMCON = 0xa0,
    RCBA = 0xf0,
};
enum { N_PIRQ = 8, ISA_LINES = 16, OUT_PIRQ = 16, OUT_SCI = 24, N_OUT, ROUTE_DISABLED = 0x80 };
enum { REGION_PM, REGION_RCBA, REGION_SMI, SMI_BASE = 0xb2 };
enum { PM1_BYTES = 12, GPE0 = 0x20, GPE_BYTES = 8, SMI_EN = 0x30, SMI_STS = 0x34, TCO = 0x60 };
enum { SMI_EN_APMC = 1 << 5, TCO_BYTES = 32 };
/* The part of the 16 KiB at RCBA that has registers. */
enum { CHIPSET = 0x3000, CHIPSET_BYTES = 0x500, GCS = 0x410, FIRST_OWN_SLOT = 25 };
enum { RESET_SYSTEM = 1 << 1, RESET_NOW = 1 << 2, RESET_FULL = 1 << 3 };

struct ich9_lpc {
    struct acpi_pm pm;
    uint32_t smi_enable, smi_status;
    uint8_t tco[TCO_BYTES];
    uint8_t chipset[CHIPSET_BYTES];
    uint8_t reset_control, pirq;
    uint16_t lines;
};

/* ---- interrupts -------------------------------------------------------------------------------
 */

/* Where DxIR of slots 25 to 31 is among the chipset registers (10.1.44 to 10.1.50). */
static unsigned route_register(unsigned slot)
{
    static const uint8_t after[] = {0x50, 0x4c, 0x48, 0x46, 0x44, 0x42, 0x40};

    return 0x100u + after[slot - FIRST_OWN_SLOT];
}

static unsigned lpc_route(struct device *d, unsigned slot, unsigned pin)
{
    const struct ich9_lpc *p = d->state;

    if (slot < FIRST_OWN_SLOT)
        return 4 + (slot + pin) % 4;
    return load_le16(p->chipset + route_register(slot)) >> 4 * pin & 7;
}

static void lines_update(struct device *d)
{
    struct ich9_lpc *p = d->state;
    uint16_t lines = 0, changed;

    for (unsigned i = 0; i < N_PIRQ; i++) {
        uint8_t route = d->pci->config[i < 4 ? PIRQA + i : PIRQE + i - 4];
        if ((p->pirq >> i & 1) && !(route & ROUTE_DISABLED))
            lines |= (uint16_t)(1u << (route & 0xf));
    }
    changed = lines ^ p->lines;
    p->lines = lines;
    for (unsigned i = 0; i < ISA_LINES; i++) {
        if (changed >> i & 1)
            device_irq(d, i, lines >> i & 1);
    }
}

static void lpc_set_wire(struct device *d, unsigned wire, bool level)
{
    struct ich9_lpc *p = d->state;

    p->pirq = (uint8_t)((p->pirq & ~(1u << wire)) | (unsigned)level << wire);
    device_irq(d, OUT_PIRQ + wire, level);
    lines_update(d);
}

/* ---- reset control (13.7.5) --------------------------------------------------------------------
 */

static uint8_t reset_read(struct device *d)
{
    return ((const struct ich9_lpc *)d->state)->reset_control;
}

static void reset_write(struct device *d, uint8_t value)
{
    struct ich9_lpc *p = d->state;

    if ((value & RESET_NOW) && !(p->reset_control & RESET_NOW))
        machine_request(d->machine, MACHINE_RESET);
    p->reset_control = value & (RESET_SYSTEM | RESET_FULL);
}

/* ---- the PM block ------------------------------------------------------------------------------
 */

static uint32_t bytes_read(const uint8_t *bytes, unsigned length, unsigned at, unsigned size)
{
    uint32_t value = 0;

    if (at + size <= length)
        memcpy(&value, bytes + at, size);
    return value;
}

static void bytes_write(uint8_t *bytes, unsigned length, unsigned at, uint32_t value, unsigned size)
{
    if (at + size <= length)
        memcpy(bytes + at, &value, size);
}

static uint64_t pm_read(struct device *d, uint64_t offset64, unsigned size)
{
    struct ich9_lpc *p = d->state;
    unsigned offset = (unsigned)offset64;

    if (offset < PM1_BYTES)
        return acpi_pm_read(d, &p->pm, offset, size);
    if (offset >= GPE0 && offset < GPE0 + 2 * GPE_BYTES)
        return acpi_gpe_read(&p->pm, GPE_BYTES, offset - GPE0, size);
    if (offset >= SMI_EN && offset < SMI_STS)
        return p->smi_enable >> 8 * (offset - SMI_EN);
    if (offset >= SMI_STS && offset < SMI_STS + 4)
        return p->smi_status >> 8 * (offset - SMI_STS);
    if (offset >= TCO && offset < TCO + TCO_BYTES)
        return bytes_read(p->tco, TCO_BYTES, offset - TCO, size);
    log_printf(LOG_UNIMP, "ich9-lpc: read of PM register 0x%x\n", offset);
    return 0;
}

static void pm_write(struct device *d, uint64_t offset64, uint64_t value64, unsigned size)
{
    struct ich9_lpc *p = d->state;
    unsigned offset = (unsigned)offset64;
    uint32_t value = (uint32_t)value64;

    if (offset < PM1_BYTES)
        acpi_pm_write(d, &p->pm, offset, value, size);
    else if (offset >= GPE0 && offset < GPE0 + 2 * GPE_BYTES)
        acpi_gpe_write(d, &p->pm, GPE_BYTES, offset - GPE0, value, size);
    else if (offset == SMI_EN && size == 4)
        p->smi_enable = value | SMI_EN_APMC;
    else if (offset == SMI_STS && size == 4)
        p->smi_status &= ~value;
    else if (offset >= TCO && offset < TCO + TCO_BYTES)
        bytes_write(p->tco, TCO_BYTES, offset - TCO, value, size);
    else
        log_printf(LOG_UNIMP, "ich9-lpc: write of 0x%x to PM register 0x%x\n", value, offset);
}

static uint64_t smi_read(struct device *d, uint64_t offset, unsigned size)
{
    return acpi_smi_read(&((struct ich9_lpc *)d->state)->pm, (unsigned)offset, size);
}

static void smi_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    acpi_smi_write(d, &((struct ich9_lpc *)d->state)->pm, (unsigned)offset, (uint32_t)value, size);
}

/* ---- chipset registers --------------------------------------------------------------------------
 */

static uint64_t rcba_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct ich9_lpc *p = d->state;

    if (offset < CHIPSET)
        return 0;
    return bytes_read(p->chipset, CHIPSET_BYTES, (unsigned)offset - CHIPSET, size);
}

static void rcba_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct ich9_lpc *p = d->state;

    if (offset >= CHIPSET)
        bytes_write(p->chipset, CHIPSET_BYTES, (unsigned)offset - CHIPSET, (uint32_t)value, size);
}

/* ---- device ------------------------------------------------------------------------------------
 */

static void map_update(struct device *d)
{
    uint32_t pmbase = pci_get(d, PMBASE, 4) & 0xff80, rcba = pci_get(d, RCBA, 4);
    uint32_t chipset = rcba & 0xffffc000;

    device_place_if(d, REGION_PM, pmbase, pmbase && (d->pci->config[ACPI_CNTL] & 0x80));
    device_place_if(d, REGION_RCBA, chipset, chipset && (rcba & 1));
}

static void config_written(struct device *d, unsigned offset, unsigned size)
{
    map_update(d);
    if (offset < PIRQE + 4 && offset + size > PIRQA)
        lines_update(d);
}

static void overflow(void *opaque)
{
    struct device *d = opaque;

    acpi_pm_overflow(d, &((struct ich9_lpc *)d->state)->pm);
}

static bool lpc_init(struct device *d, struct error *err)
{
    struct ich9_lpc *p = d->state;
    struct pci_bus *bus = pci_bus_of(d);

    acpi_pm_init(d, &p->pm, overflow);
    p->pm.sci = OUT_SCI;
    pci_set(d, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    pci_set_writable(d, PCI_COMMAND, 2, 0);
    pci_set(d, PCI_STATUS, 2, 0x0200);
    pci_set(d, PMBASE, 4, 1);
    pci_set_writable(d, PMBASE, 4, 0xff80);
    pci_set_writable(d, ACPI_CNTL, 1, 0x87);
    for (unsigned i = 0x48; i < 0xf0; i++)
        pci_set_writable(d, i, 1, 0xff);
    for (unsigned i = 0; i < N_PIRQ; i++) {
        unsigned at = i < 4 ? PIRQA + i : PIRQE + i - 4;
        pci_set(d, at, 1, ROUTE_DISABLED);
        pci_set_writable(d, at, 1, 0x8f);
    }
    pci_set_writable(d, RCBA, 4, 0xffffc001);
    if (bus) {
        pci_bus_set_router(bus, d, lpc_route, lpc_set_wire);
        bus->reset_read = reset_read;
        bus->reset_write = reset_write;
    }
    return true;
}

static void lpc_reset(struct device *d)
{
    struct ich9_lpc *p = d->state;

    for (unsigned slot = FIRST_OWN_SLOT; slot < 32; slot++)
        store_le16(p->chipset + route_register(slot), 0x3210);
    store_le32(p->chipset + GCS, 1 << 5); /* NO REBOOT, for the sake of watchdog drivers */
    device_place(d, REGION_SMI, SMI_BASE);
    map_update(d);
    lines_update(d);
    acpi_pm_reset(d, &p->pm);
}

static void lpc_irq_in(struct device *d, unsigned line, bool level)
{
    if (level)
        acpi_pm_button(d, &((struct ich9_lpc *)d->state)->pm);
}

static const struct device_field lpc_fields[] = {
    ACPI_PM_FIELDS(struct ich9_lpc, pm),
    /* As if the firmware's handler had been set up: there is no mode that would run it. */
    DEVICE_FIELD(struct ich9_lpc, smi_enable, DEVICE_U32, SMI_EN_APMC),
    DEVICE_FIELD(struct ich9_lpc, smi_status, DEVICE_U32, 0),
    DEVICE_ARRAY(struct ich9_lpc, tco, DEVICE_U8, TCO_BYTES, 0),
    DEVICE_ARRAY(struct ich9_lpc, chipset, DEVICE_U8, CHIPSET_BYTES, 0),
    DEVICE_FIELD(struct ich9_lpc, reset_control, DEVICE_U8, 0),
    DEVICE_KEPT(struct ich9_lpc, pirq, DEVICE_U8), /* the functions let go themselves */
    DEVICE_KEPT(struct ich9_lpc, lines, DEVICE_U16),
};

static const struct device_region lpc_regions[] = {
    {"ich9-pm", 128, 1, 4, pm_read, pm_write, .port = true, .moves = true},
    {"lpc-rcrb", 0x4000, 1, 4, rcba_read, rcba_write, .moves = true},
    {"apm-io", 2, 1, 2, smi_read, smi_write, .port = true, .moves = true},
};

static const struct pci_class lpc_pci = {
    .vendor = 0x8086,
    .device = 0x2918,
    .class_code = 0x060100,
    .revision = 2,
    .config_written = config_written,
};

static const struct device_class lpc_class = {
    .name = "ich9-lpc",
    .description = "ICH9 LPC bridge",
    .manual = "Intel ICH9 (316972)",
    .pci = &lpc_pci,
    .state_size = sizeof(struct ich9_lpc),
    .regions = lpc_regions,
    .n_regions = ARRAY_SIZE(lpc_regions),
    .fields = lpc_fields,
    .n_fields = ARRAY_SIZE(lpc_fields),
    .n_irq_in = 1,
    .n_irq_out = N_OUT,
    .init = lpc_init,
    .reset = lpc_reset,
    .irq_in = lpc_irq_in,
};
REGISTER(device_class, lpc_class);
