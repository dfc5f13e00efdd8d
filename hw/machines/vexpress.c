/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Versatile Express: motherboard V2M-P1 (DUI 0447) with a processor tile. CoreTile Express A9x4
 * (DUI 0448) has the legacy memory map, A15x2 (DUI 0604) the RS1 map: the same peripherals, every
 * 64 KB from 0x1c000000 instead of every 4 KB from 0x10000000, the first three one slot further on.
 * One core of the tile is there.
 */
#ifndef WITHOUT_LIBFDT

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "frontend/guest.h"
#include "hw/intc/gicv2.h"
#include "hw/machine.h"
#include "hw/machines/arm_boot.h"
#include "hw/machines/vexpress_panel.h"

enum { N_VIRTIO = 4, VIRTIO_STRIDE = 0x200, VIRTIO_SPI = 40, MACHINE_TYPE_VEXPRESS = 2272 };
enum { A9_VIRTIO = 0x10013000, A15_VIRTIO = 0x1c130000 };

#define A9_IO(n) (0x10000000 + (n)*0x1000)
#define A15_IO(n) (0x1c000000 + (n)*0x10000)

/* io(n): where slot n of the motherboard's peripherals is; `first` is the slot of the system
 * registers. SYS_PROCID0 tells the tile. */
#define MOTHERBOARD(io, first, proc_id)                                                            \
    {"arm-sysctl", "sysreg", io(first), .props = "sys-id=0x01190500,proc-id=" proc_id},            \
        {"sp810", "sysctl", io((first) + 1)}, {"versatile-i2c", "pcie-i2c", io((first) + 2)},      \
        {"pl041", "aaci", io(0x04), "gic", 11}, {"pl181", "mmci", io(0x05), .backend = "sd0"},     \
        {"pl050", "kmi0", io(0x06), "gic", 12},                                                    \
        {"pl050", "kmi1", io(0x07), "gic", 13, .props = "mouse=on"},                               \
        {"pl011", "uart0", io(0x09), "gic", 5, "serial0"},                                         \
        {"pl011", "uart1", io(0x0a), "gic", 6, "serial1"},                                         \
        {"pl011", "uart2", io(0x0b), "gic", 7, "serial2"},                                         \
        {"pl011", "uart3", io(0x0c), "gic", 8, "serial3"}, {"sp805", "wdt", io(0x0f), "gic", 0},   \
        {"sp804", "timer01", io(0x11)}, {"sp804", "timer23", io(0x12)},                            \
        {"virtio-mmio", "virtio0", io(0x13) + 0 * VIRTIO_STRIDE, "gic", VIRTIO_SPI + 0},           \
        {"virtio-mmio", "virtio1", io(0x13) + 1 * VIRTIO_STRIDE, "gic", VIRTIO_SPI + 1},           \
        {"virtio-mmio", "virtio2", io(0x13) + 2 * VIRTIO_STRIDE, "gic", VIRTIO_SPI + 2},           \
        {"virtio-mmio", "virtio3", io(0x13) + 3 * VIRTIO_STRIDE, "gic", VIRTIO_SPI + 3},           \
        {"versatile-i2c", "dvi-i2c", io(0x16)}, {"pl031", "rtc", io(0x17), "gic", 4},              \
        {"unimplemented-device", "compact-flash", io(0x1a)},                                       \
    {                                                                                              \
        "pl111", "clcd", io(0x1f), "gic", 14, "display0", "screen=off"                             \
    }

#define MOTHERBOARD_WIRES                                                                          \
    {"timer01", 0, "gic", 2}, {"timer23", 0, "gic", 3}, {"mmci", 0, "gic", 9},                     \
        {"mmci", 1, "gic", 10}, {"mmci", 2, "sysreg", 0}, {"sysreg", 0, "dvi", 0},                 \
    {                                                                                              \
        "mmci", 3, "sysreg", 1                                                                     \
    }

static const struct machine_device a9_devices[] = {
    {"gic-a9mp", "gic", 0x1e001000, "cpu", 0, .props = "num-irq=96,base1=0x1e000100"},
    {"a9-scu", "scu", 0x1e000000},
    {"a9mp-timer", "mptimer", 0x1e000600, .props = "base1=0x1e000200"},
    {"l2x0", "l2cache", 0x1e00a000},
    MOTHERBOARD(A9_IO, 0, "0x0c000191"),
    {"vexpress-dvi", "dvi"},
    {"pl111", "tile-clcd", 0x10020000, "gic", 44, "display1", "screen=off"},
    {"unimplemented-device", "dmc", 0x100e0000, .props = "id=0x00041341"},
    {"unimplemented-device", "smc", 0x100e1000, .props = "id=0x00041354"},
    {"unimplemented-device", "scc", 0x100e2000},
    {"sp804", "tile-timer", 0x100e4000},
    {"sp805", "tile-wdt", 0x100e5000, "gic", 51},
    {"unimplemented-device", "tzpc", 0x100e6000},
    {"cfi.pflash01", "flash0", 0x40000000, .backend = "pflash0", .props = "size=0x4000000"},
    {"cfi.pflash01", "flash1", 0x44000000, .backend = "pflash1", .props = "size=0x4000000"},
    {"lan9118", "ethernet", 0x4e000000, "gic", 15, "net0"},
    {"unimplemented-device", "usb", 0x4f000000, .props = "size=0x20000"},
    {0},
};

static const struct machine_wire a9_wires[] = {
    MOTHERBOARD_WIRES,
    {"tile-timer", 1, "gic", 48},
    {"tile-timer", 2, "gic", 49},
    {"mptimer", 0, "gic", GIC_PPI_LINE(0, 29)},
    {"mptimer", 1, "gic", GIC_PPI_LINE(0, 30)},
    {"mptimer", 2, "gic", GIC_PPI_LINE(0, 27)},
    {0},
};

static const struct machine_ram a9_ram[] = {
    {"sram", 0x48000000, 32 * MIB},
    {"vram", 0x4c000000, 8 * MIB},
    {0},
};

static const struct machine_device a15_devices[] = {
    {"gicv2", "gic", 0x2c001000, "cpu", 0, .props = "num-irq=160,base1=0x2c002000"},
    MOTHERBOARD(A15_IO, 1, "0x14000237"),
    {"vexpress-dvi", "dvi"},
    {"unimplemented-device", "hdlcd", 0x2b000000},
    {"sp805", "tile-wdt", 0x2b060000, "gic", 98},
    {"unimplemented-device", "dmc", 0x2b0a0000, .props = "id=0x00041341"},
    {"unimplemented-device", "dma", 0x7ffb0000, .props = "id=0x00041330"},
    {"unimplemented-device", "smc", 0x7ffd0000, .props = "id=0x00041354"},
    {"cfi.pflash01", "flash0", 0x08000000, .backend = "pflash0", .props = "size=0x4000000"},
    {"cfi.pflash01", "flash1", 0x0c000000, .backend = "pflash1", .props = "size=0x4000000"},
    {"lan9118", "ethernet", 0x1a000000, "gic", 15, "net0"},
    {"unimplemented-device", "usb", 0x1b000000, .props = "size=0x20000"},
    {0},
};

static const struct machine_wire a15_wires[] = {
    MOTHERBOARD_WIRES,
    {"cpu", 0, "gic", GIC_PPI_LINE(0, 29)},
    {"cpu", 1, "gic", GIC_PPI_LINE(0, 30)},
    {"cpu", 2, "gic", GIC_PPI_LINE(0, 27)},
    {"cpu", 3, "gic", GIC_PPI_LINE(0, 26)},
    {0},
};

static const struct machine_ram a15_ram[] = {
    {"sram", 0x14000000, 32 * MIB},
    {"vram", 0x18000000, 8 * MIB},
    {0},
};

/* After reset the first flash answers at address 0 too. */
static bool remap_flash(struct machine *m, gpa flash, struct error *err)
{
    return memory_add_alias(m->memory, "flash0-alias", 0, flash, 64 * MIB, err);
}

static bool a9_init(struct machine *m, struct error *err)
{
    return remap_flash(m, 0x40000000, err);
}

static bool a15_init(struct machine *m, struct error *err)
{
    return remap_flash(m, 0x08000000, err);
}

/* The trees of real boards know nothing of the virtio slots. */
static bool add_virtio_nodes(void *fdt, uint64_t base, struct error *err)
{
    int gic = fdt_node_offset_by_compatible(fdt, -1, "arm,cortex-a9-gic");
    uint32_t phandle;

    if (gic < 0)
        gic = fdt_node_offset_by_compatible(fdt, -1, "arm,cortex-a15-gic");
    phandle = gic < 0 ? 0 : fdt_get_phandle(fdt, gic);
    if (!phandle)
        return true; /* another board's tree: leave it alone */
    int address_cells = fdt_address_cells(fdt, 0), size_cells = fdt_size_cells(fdt, 0);
    for (int i = N_VIRTIO - 1; i >= 0; i--) {
        char name[40];
        uint64_t address = base + (uint64_t)i * VIRTIO_STRIDE;
        snprintf(name, sizeof(name), "virtio_mmio@%llx", (unsigned long long)address);
        int node = fdt_add_subnode(fdt, 0, name);
        int failed = node < 0 ? node : fdt_setprop_string(fdt, node, "compatible", "virtio,mmio");
        if (!failed)
            failed = fdt_setprop_u32(fdt, node, "interrupt-parent", phandle);
        for (int cell = 0; !failed && cell < address_cells + size_cells; cell++) {
            bool last_of_address = cell == address_cells - 1;
            bool last = cell == address_cells + size_cells - 1;
            failed = fdt_appendprop_u32(fdt, node, "reg",
                                        last_of_address ? (uint32_t)address
                                        : last          ? VIRTIO_STRIDE
                                                        : 0);
        }
        const uint32_t interrupt[3] = {0, VIRTIO_SPI + (uint32_t)i, 1};
        for (int cell = 0; !failed && cell < 3; cell++)
            failed = fdt_appendprop_u32(fdt, node, "interrupts", interrupt[cell]);
        if (failed)
            return error_set(err, "cannot add the virtio slots to the device tree: %s",
                             fdt_strerror(failed));
    }
    return true;
}

static bool modify_dtb(void *fdt, uint64_t virtio_base, struct error *err)
{
    int failed = vexpress_add_panel(fdt);

    if (failed)
        return error_set(err, "cannot add the panel to the device tree: %s", fdt_strerror(failed));
    return add_virtio_nodes(fdt, virtio_base, err);
}

static bool a9_modify_dtb(struct machine *m, void *fdt, struct error *err)
{
    return modify_dtb(fdt, A9_VIRTIO, err);
}

static bool a15_modify_dtb(struct machine *m, void *fdt, struct error *err)
{
    return modify_dtb(fdt, A15_VIRTIO, err);
}

static bool a9_boot(struct machine *m, struct error *err)
{
    static const struct arm_boot_info info = {
        .machine_type = MACHINE_TYPE_VEXPRESS,
        .modify_dtb = a9_modify_dtb,
        .flash = "flash0",
    };

    return arm_boot(m, &info, err);
}

static bool a15_boot(struct machine *m, struct error *err)
{
    static const struct arm_boot_info info = {
        .machine_type = MACHINE_TYPE_VEXPRESS,
        .modify_dtb = a15_modify_dtb,
        .flash = "flash0",
    };

    return arm_boot(m, &info, err);
}

static const struct machine_class vexpress_a9 = {
    .name = "vexpress-a9",
    .description = "ARM Versatile Express for Cortex-A9",
    .guest = "arm",
    .default_cpu = "cortex-a9",
    .cpus = (const char *const[]){"cortex-a9", NULL},
    .default_ram_bytes = 128 * MIB,
    .min_ram_bytes = 8 * MIB,
    .max_ram_bytes = 1 * GIB,
    .ram_base = 0x60000000,
    .devices = a9_devices,
    .wires = a9_wires,
    .extra_ram = a9_ram,
    .init = a9_init,
    .boot = a9_boot,
};
REGISTER(machine_class, vexpress_a9);

static const struct machine_class vexpress_a15 = {
    .name = "vexpress-a15",
    .description = "ARM Versatile Express for Cortex-A15",
    .guest = "arm",
    .default_cpu = "cortex-a15",
    .cpus = (const char *const[]){"cortex-a15", "cortex-a7", NULL},
    .default_ram_bytes = 128 * MIB,
    .min_ram_bytes = 8 * MIB,
    .max_ram_bytes = 2 * GIB,
    .ram_base = 0x80000000,
    .devices = a15_devices,
    .wires = a15_wires,
    .extra_ram = a15_ram,
    .init = a15_init,
    .boot = a15_boot,
};
REGISTER(machine_class, vexpress_a15);

#endif
