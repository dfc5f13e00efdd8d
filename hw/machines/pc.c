/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC of 1997: i440FX host bridge, PIIX3 south bridge with the ISA devices of the PC/AT, PIIX4
 * power management, a standard VGA. Addresses and interrupts are those of the PC/AT and of the
 * chipset's data sheets (Intel 290549, 290550, 290562).
 */
#include "hw/machines/pc.h"
#include "hw/pci/pci.h"
#include "util/bits.h"

enum { PM_BASE = 0x600, SCI_LINE = 9 };

static const struct machine_device pc_devices[] = {
    PC_INTERRUPT_DEVICES(NULL),
    {"i440fx", "i440fx", 0xcf8, NULL, 0, NULL, NULL},
    {"piix3", "piix3", 0, "gsi", 0, NULL, "bus=pci.0,addr=1.0"},
    {"piix3-ide", "ide", 0, "gsi", 14, NULL,
     "bus=pci.0,addr=1.1,base0=0x1f0,base1=0x170,base2=0x3f6,base3=0x376"},
    {"piix4-pm", "power-key", 0, "gsi", 9, NULL, "bus=pci.0,addr=1.3"},
    IDE_DRIVES,
    PC_ISA_DEVICES,
    {"VGA", "vga", 0, NULL, 0, NULL, "bus=pci.0,addr=2.0"},
    {NULL},
};

static const struct machine_wire pc_wires[] = {
    PC_INTERRUPT_WIRES,
    PC_ISA_WIRES,
    {NULL},
};

static const struct machine_prop pc_props[] = {
    PC_PROPS,
    {NULL},
};

/* PIRQ A-D are on 10, 10, 11, 11 (pc_acpi.c says the same to the guest). */
static unsigned interrupt_line(unsigned slot, unsigned pin)
{
    static const uint8_t lines[] = {10, 10, 11, 11};

    return lines[(slot + pin + 3) % 4];
}

static const struct pc_register pc_registers[] = {
    {0, 0x59, 1, 0x30}, /* PAM: 0xf0000 and what is below it are RAM */
    {0, 0x5a, 4, 0x33333333},
    {0, 0x5e, 2, 0x3333},
    {1 << 3, 0x60, 4, 0x0b0b0a0a},      /* PIRQRC[A:D] */
    {1 << 3 | 1, 0x40, 4, 0x80008000},  /* IDETIM: both channels decoded */
    {1 << 3 | 3, 0x40, 4, PM_BASE | 1}, /* PMBA */
    {1 << 3 | 3, 0x80, 1, 1},           /* PMREGMISC: PMIOSE */
    {1 << 3 | 3, PCI_INTERRUPT_LINE, 1, SCI_LINE},
    {0, 0, 0, 0},
};

static const struct pc_chipset chipset = {
    .host_bridge = "i440fx",
    .low_ram_max = UINT64_C(3) << 30, /* the rest of 4 GiB is the PCI hole */
    .firmware = "bios-256k.bin",
    .registers = pc_registers,
    .interrupt_line = interrupt_line,
    .level_lines = 1 << 9 | 1 << 10 | 1 << 11,
    .acpi = {.pm_base = PM_BASE,
             .gpe_base = 0xafe0,
             .gpe_bytes = 4,
             .acpi_enable = 0xf1,
             .acpi_disable = 0xf0},
};

static bool pc_440_init(struct machine *m, struct error *err)
{
    return pc_init(m, &chipset, err);
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
        .wants = pc_wants,                                                                         \
        .init = pc_440_init,                                                                       \
        .boot = pc_boot,                                                                           \
        .finish = pc_finish,                                                                       \
    };                                                                                             \
    REGISTER(machine_class, pc_##guest_name)
PC(i386);
PC(x86_64);
