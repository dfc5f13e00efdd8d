/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC of 1997: i440FX host bridge, PIIX3 south bridge with the ISA devices of the PC/AT, PIIX4
 * power management, a standard VGA. Addresses and interrupts are those of the PC/AT and of the
 * chipset's data sheets (Intel 290549, 290550, 290562).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/guest.h"
#include "hw/intc/apic.h"
#include "hw/machines/pc.h"
#include "hw/machines/pc_acpi.h"
#include "hw/machines/x86_boot.h"
#include "hw/pci/pci.h"
#include "hw/timer/mc146818.h"
#include "util/bits.h"

enum { PM_BASE = 0x600, GPE_BASE = 0xafe0, SCI_LINE = 9 };
#define LOW_RAM_MAX (UINT64_C(3) << 30) /* the rest of 4 GiB is the PCI hole */
enum { PCI_MEMORY = 0xfd000000 };       /* where BARs are put without firmware */

static const struct machine_device pc_devices[] = {
    {"apic", "apic0", 0xfee00000, "cpu", 0, NULL, NULL},
    {"ioapic", "ioapic", 0xfec00000, NULL, 0, NULL, NULL},
    {"i8259", "pic0", 0x20, "apic0", APIC_LINT0, NULL, "base1=0x4d0"},
    {"i8259", "pic1", 0xa0, "pic0", 2, NULL, "base1=0x4d1"},
    {"gsi", "gsi", 0, NULL, 0, NULL, NULL},
    {"i440fx", "i440fx", 0xcf8, NULL, 0, NULL, NULL},
    {"piix3", "piix3", 0, "gsi", 0, NULL, "bus=pci.0,addr=1.0"},
    {"piix3-ide", "ide", 0, "gsi", 14, NULL,
     "bus=pci.0,addr=1.1,base0=0x1f0,base1=0x170,base2=0x3f6,base3=0x376"},
    {"piix4-pm", "power-key", 0, "gsi", 9, NULL, "bus=pci.0,addr=1.3"},
    {"i8254", "pit", 0x40, "gsi", 0, NULL, NULL},
    {"pc-speaker", "speaker", 0x61, NULL, 0, NULL, NULL},
    {"mc146818", "rtc", 0x70, "gsi", 8, NULL, NULL},
    {"i8042", "i8042", 0, "gsi", 1, NULL, "base0=0x60,base1=0x64"},
    {"port92", "port92", 0x92, "cpu", 4, NULL, NULL},
    {"ns16550", "serial0", 0x3f8, "gsi", 4, "serial0", NULL},
    {"ns16550", "serial1", 0x2f8, "gsi", 3, "serial1", NULL},
    {"parallel", "parallel0", 0x378, "gsi", 7, "parallel0", NULL},
    {"fw_cfg-port", "fw_cfg", 0, NULL, 0, NULL, "base0=0x510,base1=0x514"},
    {NULL},
};

static const struct machine_wire pc_wires[] = {
    PC_INTERRUPT_WIRES,
    {"i8042", 1, "gsi", 12},
    {"i8042", 2, "cpu", 4},
    {NULL},
};

static const struct machine_prop pc_props[] = {
    {"acpi", "on,off", "ACPI tables (on)"},
    {"hpet", "on,off", "the HPET (on)"},
    {"pit", "on,off", NULL},
    {"smm", "off,auto", "system management mode is not there"},
    {"vmport", "off,auto", "VMware's port is not there"},
    {"kernel-irqchip", "off,on,split", "taken: it means nothing here"},
    {"nvdimm", "off", NULL},
    {"mem-merge", "on,off", NULL},
    {"dump-guest-core", "on,off", NULL},
    {NULL},
};

/* ---- the tables ------------------------------------------------------------------------------ */

struct pc {
    struct x86_boot_info boot;
    struct pc_acpi acpi;
};

static bool is_off(struct machine *m, const char *prop)
{
    char value[8];

    return machine_prop_string(m, prop, value, sizeof(value)) && !strcmp(value, "off");
}

static uint8_t *make_acpi(struct machine *m, gpa base, size_t *size, struct error *err)
{
    const struct pc *pc = m->data;

    return pc_acpi_make(&pc->acpi, base, size, err);
}

static bool offer(struct machine *m, struct device *fw_cfg, struct error *err)
{
    const struct pc *pc = m->data;

    return !pc->boot.make_acpi || pc_acpi_offer(&pc->acpi, fw_cfg, err);
}

/* ---- life ------------------------------------------------------------------------------------ */

static struct pci_bus *pci_bus(struct machine *m)
{
    return pci_bus_of(machine_find_device(m, "i440fx"));
}

static bool pc_init(struct machine *m, struct error *err)
{
    struct pc *pc = calloc(1, sizeof(*pc));

    if (!pc)
        return error_set(err, "out of memory");
    m->data = pc;
    if (!x86_map_ram(m, LOW_RAM_MAX, &pc->boot.ram, err))
        return false;
    pc_connect_cpu(m);
    pci_bus(m)->msi = apic_msi;
    pc->acpi = (struct pc_acpi){
        .hpet = machine_find_device(m, "hpet") != NULL,
        .floppy = machine_find_device(m, "fdc") != NULL,
        .low_bytes = pc->boot.ram.low_bytes,
        .high_bytes = pc->boot.ram.high_bytes,
        .pm_base = PM_BASE,
        .gpe_base = GPE_BASE,
        .gpe_bytes = 4,
        .acpi_enable = 0xf1,
        .acpi_disable = 0xf0,
    };
    pc->boot.firmware = "bios-256k.bin";
    pc->boot.fw_cfg = "fw_cfg";
    pc->boot.make_acpi = m->boot.no_acpi || is_off(m, "acpi") ? NULL : make_acpi;
    pc->boot.offer = offer;
    return x86_boot_init(m, &pc->boot, err);
}

/* PIRQ A-D are on 10, 10, 11, 11 (pc_acpi.c says the same to the guest). */
static unsigned interrupt_line(unsigned slot, unsigned pin)
{
    static const uint8_t lines[] = {10, 10, 11, 11};

    return lines[(slot + pin + 3) % 4];
}

/* What firmware would have set in the chipset. */
static void set_chipset(struct machine *m)
{
    static const struct {
        uint8_t devfn, offset;
        uint32_t value;
        uint8_t size;
    } registers[] = {
        {0, 0x59, 0x30, 1}, /* PAM: 0xf0000 and what is below it are RAM */
        {0, 0x5a, 0x33333333, 4},
        {0, 0x5e, 0x3333, 2},
        {1 << 3, 0x60, 0x0b0b0a0a, 4},      /* PIRQRC[A:D] */
        {1 << 3 | 3, 0x40, PM_BASE | 1, 4}, /* PMBA */
        {1 << 3 | 3, 0x80, 1, 1},           /* PMREGMISC: PMIOSE */
        {1 << 3 | 3, PCI_INTERRUPT_LINE, SCI_LINE, 1},
    };
    struct pci_bus *bus = pci_bus(m);
    bool ok;

    for (unsigned i = 0; i < ARRAY_SIZE(registers); i++) {
        for (unsigned k = 0; k < registers[i].size; k++)
            pci_config_write(bus, registers[i].devfn, registers[i].offset + k,
                             registers[i].value >> (8 * k) & 0xff, 1);
    }
    pc_assign_pci(bus, PCI_MEMORY, interrupt_line);
    memory_store(m->ports, 0x4d1, 0x0e, 1, &ok); /* ELCR: 9, 10, 11 are levels */
}

static bool pc_boot(struct machine *m, struct error *err)
{
    if (m->boot.kernel && !m->boot.bios)
        set_chipset(m);
    return x86_boot(m, err);
}

static void pc_finish(struct machine *m)
{
    free(m->data);
}

#define PC(guest_name)                                                                             \
    static const struct machine_class pc_##guest_name = {                                          \
        .name = "pc",                                                                              \
        .description = "PC (i440FX, PIIX3)",                                                       \
        .guest = #guest_name,                                                                      \
        .default_ram_bytes = 128 * MIB,                                                            \
        .min_ram_bytes = 2 * MIB,                                                                  \
        .max_ram_bytes = 16 * GIB,                                                                 \
        .has_firmware = true,                                                                      \
        .is_default = true,                                                                        \
        .has_ports = true,                                                                         \
        .maps_ram = true,                                                                          \
        .devices = pc_devices,                                                                     \
        .wires = pc_wires,                                                                         \
        .props = pc_props,                                                                         \
        .init = pc_init,                                                                           \
        .boot = pc_boot,                                                                           \
        .finish = pc_finish,                                                                       \
    };                                                                                             \
    REGISTER(machine_class, pc_##guest_name)
PC(i386);
PC(x86_64);
