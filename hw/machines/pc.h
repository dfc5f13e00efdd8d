/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the PC boards share: the processor's interrupt side, and what firmware leaves behind. */
#ifndef CALQUE_HW_MACHINES_PC_H
#define CALQUE_HW_MACHINES_PC_H

#include "hw/intc/apic.h"
#include "hw/machine.h"
#include "hw/machines/isa_devices.h"
#include "hw/machines/pc_acpi.h"

/* The wires of the PC/AT's interrupt system: gsi to the 8259 pair and the I/O APIC. */
#define PC_GSI_TO_IOAPIC(n)                                                                        \
    {                                                                                              \
        "gsi", 16 + (n), "ioapic", n                                                               \
    }
#define PC_INTERRUPT_WIRES                                                                         \
    GSI_TO_PICS, PC_GSI_TO_IOAPIC(0), PC_GSI_TO_IOAPIC(1), PC_GSI_TO_IOAPIC(2),                    \
        PC_GSI_TO_IOAPIC(3), PC_GSI_TO_IOAPIC(4), PC_GSI_TO_IOAPIC(5), PC_GSI_TO_IOAPIC(6),        \
        PC_GSI_TO_IOAPIC(7), PC_GSI_TO_IOAPIC(8), PC_GSI_TO_IOAPIC(9), PC_GSI_TO_IOAPIC(10),       \
        PC_GSI_TO_IOAPIC(11), PC_GSI_TO_IOAPIC(12), PC_GSI_TO_IOAPIC(13), PC_GSI_TO_IOAPIC(14),    \
        PC_GSI_TO_IOAPIC(15), PC_GSI_TO_IOAPIC(16), PC_GSI_TO_IOAPIC(17), PC_GSI_TO_IOAPIC(18),    \
        PC_GSI_TO_IOAPIC(19), PC_GSI_TO_IOAPIC(20), PC_GSI_TO_IOAPIC(21), PC_GSI_TO_IOAPIC(22),    \
        PC_GSI_TO_IOAPIC(23)

/* The interrupt controllers, and the devices of the PC/AT's ISA bus. */
#define PC_INTERRUPT_DEVICES(ioapic_props)                                                         \
    {"apic", "apic0", 0xfee00000, "cpu", 0, NULL, NULL},                                           \
        {"ioapic", "ioapic", 0xfec00000, NULL, 0, NULL, ioapic_props},                             \
        {"i8259", "pic0", 0x20, "apic0", APIC_LINT0, NULL, "base1=0x4d0"},                         \
        {"i8259", "pic1", 0xa0, "pic0", 2, NULL, "base1=0x4d1"},                                   \
    {                                                                                              \
        "gsi", "gsi", 0, NULL, 0, NULL, NULL                                                       \
    }
#define PC_ISA_DEVICES                                                                             \
    {"i8237", "dma", 0, NULL, 0, NULL, "base1=0xc0,base2=0x80"},                                   \
        {"hpet", "hpet", 0xfed00000, "gsi", 0, NULL, NULL},                                        \
        {"i8254", "pit", 0x40, "gsi", 0, NULL, NULL},                                              \
        {"pc-speaker", "speaker", 0x61, NULL, 0, NULL, NULL}, ISA_CLOCK_AND_KEYBOARD,              \
        {"port92", "port92", 0x92, "cpu", 4, NULL, NULL}, ISA_SUPER_IO,                            \
        {"ns16550", "serial2", 0x3e8, "gsi", 4, "serial2", NULL},                                  \
        {"ns16550", "serial3", 0x2e8, "gsi", 3, "serial3", NULL},                                  \
    {                                                                                              \
        "fw_cfg-port", "fw_cfg", 0, NULL, 0, NULL, "base0=0x510,base1=0x514"                       \
    }
#define PC_ISA_WIRES                                                                               \
    {"pit", 0, "hpet", 0}, {"rtc", 0, "hpet", 1}, {"i8042", 1, "gsi", 12},                         \
    {                                                                                              \
        "i8042", 2, "cpu", 4                                                                       \
    }

/* Properties of -M that every PC takes. */
#define PC_PROPS                                                                                   \
    {"acpi", "on,off", "ACPI tables (on)"}, {"hpet", "on,off", "the HPET (on)"},                   \
        {"pit", "on", NULL}, {"smm", "off,auto", "system management mode is not there"},           \
        {"vmport", "off,auto", "VMware's port is not there"},                                      \
        {"kernel-irqchip", "off,on,split", "taken: it means nothing here"},                        \
        {"nvdimm", "off", NULL}, {"mem-merge", "on,off", NULL},                                    \
    {                                                                                              \
        "dump-guest-core", "on,off", NULL                                                          \
    }

/* A configuration register that firmware sets. */
struct pc_register {
    uint8_t devfn, offset, size; /* size 0 ends a list */
    uint32_t value;
};

struct pc_chipset {
    const char *host_bridge; /* id of the device */
    uint64_t low_ram_max;    /* most RAM below 4 GiB */
    const char *firmware;
    const struct pc_register *registers;
    unsigned (*interrupt_line)(unsigned slot, unsigned pin);
    uint16_t level_lines; /* ISA interrupts that are levels (ELCR) */
    struct pc_acpi acpi;  /* what the board knows beforehand */
};

/* The hooks of machine_class. chipset lives as long as the machine. */
bool pc_wants(const struct machine *m, const struct machine_device *entry);
bool pc_init(struct machine *m, const struct pc_chipset *chipset, struct error *err);
bool pc_boot(struct machine *m, struct error *err);
void pc_finish(struct machine *m);
/* Joins the vCPU with its local APIC and the 8259 pair: boards without PCI need only this. */
void pc_connect_cpu(struct machine *m);

#endif
