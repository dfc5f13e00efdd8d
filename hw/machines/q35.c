/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC of 2007: Q35 memory controller hub, ICH9 south bridge with the ISA devices of the PC/AT,
 * AHCI, a standard VGA. Addresses and interrupts are those of the PC/AT and of the data sheets
 * (Intel 316966, 316972).
 */
#include "hw/machines/pc.h"
#include "hw/pci/pci.h"
#include "util/bits.h"

enum { LPC = 31 << 3, PM_BASE = 0x600, MCFG_BASE = 0xb0000000 };

static const struct machine_device q35_devices[] = {
    PC_INTERRUPT_DEVICES("version=0x20"),
    {"q35-mch", "mch", 0xcf8, NULL, 0, NULL, NULL},
    {"ich9-lpc", "power-key", 0, "gsi", 0, NULL, "bus=pcie.0,addr=1f.0"},
    {"ich9-smb", "smbus", 0, NULL, 0, NULL, "bus=pcie.0,addr=1f.3"},
    {"ich9-ahci", "ahci", 0, NULL, 0, NULL, "bus=pcie.0,addr=1f.2"},
    {"ide-drive", "hda", 0, NULL, 0, "hda", "bus=ide.0"},
    {"ide-drive", "hdb", 0, NULL, 0, "hdb", "bus=ide.1"},
    {"ide-drive", "hdc", 0, NULL, 0, "hdc", "bus=ide.2"},
    {"ide-drive", "hdd", 0, NULL, 0, "hdd", "bus=ide.3"},
    PC_ISA_DEVICES,
    {"VGA", "vga", 0, NULL, 0, NULL, "bus=pcie.0,addr=1.0"},
    {NULL},
};

static const struct machine_wire q35_wires[] = {
    PC_INTERRUPT_WIRES,
    {"power-key", 24, "gsi", 9}, /* the system control interrupt */
    PC_ISA_WIRES,
    {NULL},
};

static const struct machine_prop q35_props[] = {PC_PROPS, {NULL}};

/* PIRQ A-D serve the chipset's own slots, E-H the others, on I/O APIC pins 16 to 23
 * (316972, 10.1.44; pc_acpi.c says the same to the guest). */
static unsigned interrupt_line(unsigned slot, unsigned pin)
{
    return slot >= 25 ? 16 + pin : 20 + (slot + pin) % 4;
}

static const struct pc_register q35_registers[] = {
    {0, 0x90, 1, 0x30}, /* PAM: 0xf0000 and what is below it are RAM */
    {0, 0x91, 4, 0x33333333},
    {0, 0x95, 2, 0x3333},
    {0, 0x60, 4, MCFG_BASE | 1}, /* PCIEXBAR */
    {LPC, 0x60, 4, 0x80808080},  /* PIRQn_ROUT: to the I/O APIC only */
    {LPC, 0x68, 4, 0x80808080},
    {LPC, 0x40, 4, PM_BASE | 1},    /* PMBASE */
    {LPC, 0x44, 1, 0x80},           /* ACPI_CNTL: enable, SCI on 9 */
    {LPC, 0xf0, 4, 0xfed1c000 | 1}, /* RCBA */
    {0, 0, 0, 0},
};

static const struct pc_chipset chipset = {
    .host_bridge = "mch",
    .low_ram_max = UINT64_C(2) << 30,
    .firmware = "bios-256k.bin",
    .registers = q35_registers,
    .interrupt_line = interrupt_line,
    .level_lines = 1 << 9,
    .acpi = {.q35 = true,
             .pm_base = PM_BASE,
             .gpe_base = PM_BASE + 0x20,
             .gpe_bytes = 16,
             .acpi_enable = 2,
             .acpi_disable = 3,
             .mcfg_base = MCFG_BASE,
             .mcfg_buses = 255},
};

static bool q35_init(struct machine *m, struct error *err)
{
    return pc_init(m, &chipset, err);
}

#define Q35(guest_name)                                                                            \
    static const struct machine_class q35_##guest_name = {                                         \
        .name = "q35",                                                                             \
        .description = "PC (Q35, ICH9)",                                                           \
        .guest = #guest_name,                                                                      \
        .default_ram_bytes = 128 * MIB,                                                            \
        .min_ram_bytes = 2 * MIB,                                                                  \
        .max_ram_bytes = 16 * GIB,                                                                 \
        .has_firmware = true,                                                                      \
        .has_ports = true,                                                                         \
        .maps_ram = true,                                                                          \
        .devices = q35_devices,                                                                    \
        .wires = q35_wires,                                                                        \
        .props = q35_props,                                                                        \
        .wants = pc_wants,                                                                         \
        .init = q35_init,                                                                          \
        .boot = pc_boot,                                                                           \
        .finish = pc_finish,                                                                       \
    };                                                                                             \
    REGISTER(machine_class, q35_##guest_name)
Q35(i386);
Q35(x86_64);
