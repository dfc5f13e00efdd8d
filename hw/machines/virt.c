/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * `virt`: the board without a counterpart in hardware that QEMU defined (docs/system/arm/virt):
 * its memory map, its interrupts and its device tree. Not there yet: the PCI Express host bridge.
 */
#ifndef WITHOUT_LIBFDT

#include <inttypes.h>
#include <libfdt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/vcpu.h"
#include "frontend/guest.h"
#include "hw/intc/gicv2.h"
#include "hw/machine.h"
#include "hw/machines/arm_boot.h"
#include "hw/machines/arm_screen.h"
#include "hw/machines/psci.h"
#include "hw/misc/fw_cfg.h"
#include "hw/misc/pl061.h"

enum {
    FLASH_BASE = 0x00000000,
    FLASH_SIZE = 0x04000000, /* each of two */
    GIC_DISTRIBUTOR_BASE = 0x08000000,
    GIC_CPU_BASE = 0x08010000,
    GIC_V2M_BASE = 0x08020000,
    UART_BASE = 0x09000000,
    RTC_BASE = 0x09010000,
    FW_CFG_BASE = 0x09020000,
    GPIO_BASE = 0x09030000,
    VIRTIO_BASE = 0x0a000000,
    VIRTIO_SIZE = 0x200,
    RAM_BASE = 0x40000000,

    UART_SPI = 1,
    RTC_SPI = 2,
    GPIO_SPI = 7,
    VIRTIO_SPI = 16,
    V2M_SPI = 48,
    N_VIRTIO = 32,

    /* Private interrupts of the processor, as IDs. */
    PPI_TIMER_HYP = 26,
    PPI_TIMER_VIRT = 27,
    PPI_TIMER_SECURE = 29,
    PPI_TIMER_PHYS = 30,
    PPI_PMU = 23,

    POWER_KEY_GPIO = 3,
    KEY_POWER = 116, /* Linux input event code */
};

/* Output lines of the ARM guest (frontend/arm: enum arm_irq_out). */
enum { CPU_TIMER_SECURE, CPU_TIMER_PHYS, CPU_TIMER_VIRT, CPU_TIMER_HYP, CPU_PMU };

enum { PHANDLE_CLOCK = 0x8000, PHANDLE_CPU, PHANDLE_GIC, PHANDLE_V2M, PHANDLE_GPIO };

/* ---- the board ------------------------------------------------------------------------------- */

#define VIRTIO_SLOT(n)                                                                             \
    {                                                                                              \
        "virtio-mmio", "virtio" #n, VIRTIO_BASE + (n)*VIRTIO_SIZE, "gic", VIRTIO_SPI + (n), NULL,  \
            NULL                                                                                   \
    }

static const struct machine_device virt_devices[] = {
    {"gicv2", "gic", GIC_DISTRIBUTOR_BASE, "cpu", 0, NULL, "num-irq=288,base1=0x08010000"},
    {"gicv2m", "v2m", GIC_V2M_BASE, "gic", V2M_SPI, NULL, "base-spi=48,num-spi=64"},
    {"cfi.pflash01", "flash0", FLASH_BASE, NULL, 0, "pflash0", "size=0x4000000,sector=0x40000"},
    {"cfi.pflash01", "flash1", FLASH_BASE + FLASH_SIZE, NULL, 0, "pflash1",
     "size=0x4000000,sector=0x40000"},
    {"pl011", "uart0", UART_BASE, "gic", UART_SPI, "serial0", NULL},
    {"pl031", "rtc", RTC_BASE, "gic", RTC_SPI, NULL, NULL},
    {"fw_cfg", "fw_cfg", FW_CFG_BASE, NULL, 0, NULL, NULL},
    {"pl061", "gpio", GPIO_BASE, NULL, 0, NULL, NULL},
    {"gpio-key", "power-key", 0, "gpio", POWER_KEY_GPIO, NULL, NULL},
    VIRTIO_SLOT(0),
    VIRTIO_SLOT(1),
    VIRTIO_SLOT(2),
    VIRTIO_SLOT(3),
    VIRTIO_SLOT(4),
    VIRTIO_SLOT(5),
    VIRTIO_SLOT(6),
    VIRTIO_SLOT(7),
    VIRTIO_SLOT(8),
    VIRTIO_SLOT(9),
    VIRTIO_SLOT(10),
    VIRTIO_SLOT(11),
    VIRTIO_SLOT(12),
    VIRTIO_SLOT(13),
    VIRTIO_SLOT(14),
    VIRTIO_SLOT(15),
    VIRTIO_SLOT(16),
    VIRTIO_SLOT(17),
    VIRTIO_SLOT(18),
    VIRTIO_SLOT(19),
    VIRTIO_SLOT(20),
    VIRTIO_SLOT(21),
    VIRTIO_SLOT(22),
    VIRTIO_SLOT(23),
    VIRTIO_SLOT(24),
    VIRTIO_SLOT(25),
    VIRTIO_SLOT(26),
    VIRTIO_SLOT(27),
    VIRTIO_SLOT(28),
    VIRTIO_SLOT(29),
    VIRTIO_SLOT(30),
    VIRTIO_SLOT(31),
    {.class = NULL},
};

static const struct machine_wire virt_wires[] = {
    {"cpu", CPU_TIMER_SECURE, "gic", GIC_PPI_LINE(0, PPI_TIMER_SECURE)},
    {"cpu", CPU_TIMER_PHYS, "gic", GIC_PPI_LINE(0, PPI_TIMER_PHYS)},
    {"cpu", CPU_TIMER_VIRT, "gic", GIC_PPI_LINE(0, PPI_TIMER_VIRT)},
    {"cpu", CPU_TIMER_HYP, "gic", GIC_PPI_LINE(0, PPI_TIMER_HYP)},
    {"cpu", CPU_PMU, "gic", GIC_PPI_LINE(0, PPI_PMU)},
    {"gpio", PL061_OUT_IRQ, "gic", GPIO_SPI},
    {.from = NULL},
};

static const char *const virt_cpus[] = {"cortex-a15", "cortex-a7", NULL};

static const struct machine_prop virt_props[] = {
    {"gic-version", "2", "version of the interrupt controller"},
    {"secure", "off", "no Secure world with memory of its own"},
    {"virtualization", "off", "no EL2"},
    {"highmem", "on,off", "nothing is placed above 4 GiB"},
    {"acpi", "auto,on,off", "no ACPI tables on 32-bit ARM"},
    {"its", "on,off", "no ITS with GICv2"},
    {"iommu", "none", "no IOMMU"},
    {"ras", "off", "no error injection"},
    {"mte", "off", "no memory tags"},
    {"dtb-randomness", "on,off", "put random seeds into the device tree"},
    {"dtb-kaslr-seed", "on,off", "the same, its old name"},
    {NULL, NULL, NULL},
};

/* ---- the device tree ------------------------------------------------------------------------- */

enum { TREE_BYTES = 64 * 1024, SPI = 0, PPI = 1, EDGE_RISING = 1, LEVEL_HIGH = 4 };

/* Writes a tree in sequence and remembers the first failure. */
struct tree {
    void *fdt;
    int result;
};

static void keep(struct tree *t, int result)
{
    if (!t->result)
        t->result = result;
}

static void begin(struct tree *t, const char *name)
{
    keep(t, fdt_begin_node(t->fdt, name));
}

static void begin_at(struct tree *t, const char *name, uint32_t address)
{
    char full[48];

    snprintf(full, sizeof(full), "%s@%" PRIx32, name, address);
    begin(t, full);
}

static void end(struct tree *t)
{
    keep(t, fdt_end_node(t->fdt));
}

static void string(struct tree *t, const char *name, const char *value)
{
    keep(t, fdt_property_string(t->fdt, name, value));
}

/* Several strings, each with its terminator: "a\0b". */
static void strings(struct tree *t, const char *name, const char *value, size_t size)
{
    keep(t, fdt_property(t->fdt, name, value, (int)size));
}
#define STRINGS(t, name, literal) strings(t, name, literal, sizeof(literal))

static void flag(struct tree *t, const char *name)
{
    keep(t, fdt_property(t->fdt, name, NULL, 0));
}

static void cells_of(struct tree *t, const char *name, const uint32_t *values, unsigned n)
{
    fdt32_t cells[16];

    for (unsigned i = 0; i < n; i++)
        cells[i] = cpu_to_fdt32(values[i]);
    keep(t, fdt_property(t->fdt, name, cells, (int)(n * sizeof(cells[0]))));
}
#define CELLS(t, name, ...)                                                                        \
    cells_of(t, name, (const uint32_t[]){__VA_ARGS__},                                             \
             sizeof((const uint32_t[]){__VA_ARGS__}) / sizeof(uint32_t))

static void tree_psci(struct tree *t)
{
    begin(t, "psci");
    STRINGS(t, "compatible", "arm,psci-1.0\0arm,psci-0.2\0arm,psci");
    string(t, "method", "hvc");
    CELLS(t, "cpu_suspend", 0x84000001);
    CELLS(t, "cpu_off", 0x84000002);
    CELLS(t, "cpu_on", 0x84000003);
    CELLS(t, "migrate", 0x84000005);
    end(t);
}

static void tree_cpus(struct tree *t, const char *model)
{
    char compatible[64];

    snprintf(compatible, sizeof(compatible), "arm,%s", model);
    begin(t, "cpus");
    CELLS(t, "#address-cells", 1);
    CELLS(t, "#size-cells", 0);
    begin(t, "cpu@0");
    string(t, "device_type", "cpu");
    string(t, "compatible", compatible);
    string(t, "enable-method", "psci");
    CELLS(t, "reg", 0);
    CELLS(t, "phandle", PHANDLE_CPU);
    end(t);
    begin(t, "cpu-map");
    begin(t, "socket0");
    begin(t, "cluster0");
    begin(t, "core0");
    CELLS(t, "cpu", PHANDLE_CPU);
    for (unsigned i = 0; i < 5; i++)
        end(t);
}

static void tree_timer(struct tree *t)
{
    begin(t, "timer");
    string(t, "compatible", "arm,armv7-timer");
    flag(t, "always-on");
    /* Secure, non-secure, virtual, hypervisor; level high, for CPU 0. */
    CELLS(t, "interrupts", PPI, PPI_TIMER_SECURE - 16, 0x104, PPI, PPI_TIMER_PHYS - 16, 0x104, PPI,
          PPI_TIMER_VIRT - 16, 0x104, PPI, PPI_TIMER_HYP - 16, 0x104);
    end(t);
}

static void tree_gic(struct tree *t)
{
    begin_at(t, "intc", GIC_DISTRIBUTOR_BASE);
    string(t, "compatible", "arm,cortex-a15-gic");
    CELLS(t, "#interrupt-cells", 3);
    flag(t, "interrupt-controller");
    CELLS(t, "#address-cells", 2);
    CELLS(t, "#size-cells", 2);
    flag(t, "ranges");
    CELLS(t, "reg", 0, GIC_DISTRIBUTOR_BASE, 0, 0x10000, 0, GIC_CPU_BASE, 0, 0x10000);
    CELLS(t, "phandle", PHANDLE_GIC);
    begin_at(t, "v2m", GIC_V2M_BASE);
    string(t, "compatible", "arm,gic-v2m-frame");
    flag(t, "msi-controller");
    CELLS(t, "reg", 0, GIC_V2M_BASE, 0, 0x1000);
    CELLS(t, "phandle", PHANDLE_V2M);
    end(t);
    end(t);
}

static void tree_clock(struct tree *t)
{
    begin(t, "apb-pclk");
    string(t, "compatible", "fixed-clock");
    CELLS(t, "#clock-cells", 0);
    CELLS(t, "clock-frequency", 24000000);
    string(t, "clock-output-names", "clk24mhz");
    CELLS(t, "phandle", PHANDLE_CLOCK);
    end(t);
}

static void tree_primecells(struct tree *t)
{
    begin_at(t, "pl011", UART_BASE);
    STRINGS(t, "compatible", "arm,pl011\0arm,primecell");
    CELLS(t, "reg", 0, UART_BASE, 0, 0x1000);
    CELLS(t, "interrupts", SPI, UART_SPI, LEVEL_HIGH);
    CELLS(t, "clocks", PHANDLE_CLOCK, PHANDLE_CLOCK);
    STRINGS(t, "clock-names", "uartclk\0apb_pclk");
    end(t);
    begin_at(t, "pl031", RTC_BASE);
    STRINGS(t, "compatible", "arm,pl031\0arm,primecell");
    CELLS(t, "reg", 0, RTC_BASE, 0, 0x1000);
    CELLS(t, "interrupts", SPI, RTC_SPI, LEVEL_HIGH);
    CELLS(t, "clocks", PHANDLE_CLOCK);
    string(t, "clock-names", "apb_pclk");
    end(t);
    begin_at(t, "pl061", GPIO_BASE);
    STRINGS(t, "compatible", "arm,pl061\0arm,primecell");
    CELLS(t, "reg", 0, GPIO_BASE, 0, 0x1000);
    CELLS(t, "#gpio-cells", 2);
    flag(t, "gpio-controller");
    CELLS(t, "interrupts", SPI, GPIO_SPI, LEVEL_HIGH);
    CELLS(t, "clocks", PHANDLE_CLOCK);
    string(t, "clock-names", "apb_pclk");
    CELLS(t, "phandle", PHANDLE_GPIO);
    end(t);
    begin(t, "gpio-keys");
    string(t, "compatible", "gpio-keys");
    begin(t, "poweroff");
    string(t, "label", "GPIO Key Poweroff");
    CELLS(t, "linux,code", KEY_POWER);
    CELLS(t, "gpios", PHANDLE_GPIO, POWER_KEY_GPIO, 0);
    end(t);
    end(t);
}

static void tree_others(struct tree *t)
{
    begin_at(t, "flash", FLASH_BASE);
    string(t, "compatible", "cfi-flash");
    CELLS(t, "reg", 0, FLASH_BASE, 0, FLASH_SIZE, 0, FLASH_BASE + FLASH_SIZE, 0, FLASH_SIZE);
    CELLS(t, "bank-width", 4);
    end(t);
    begin_at(t, "fw-cfg", FW_CFG_BASE);
    string(t, "compatible", "qemu,fw-cfg-mmio");
    CELLS(t, "reg", 0, FW_CFG_BASE, 0, 0x18);
    flag(t, "dma-coherent");
    end(t);
    for (unsigned i = 0; i < N_VIRTIO; i++) {
        uint32_t base = VIRTIO_BASE + i * VIRTIO_SIZE;
        begin_at(t, "virtio_mmio", base);
        string(t, "compatible", "virtio,mmio");
        CELLS(t, "reg", 0, base, 0, VIRTIO_SIZE);
        CELLS(t, "interrupts", SPI, VIRTIO_SPI + i, EDGE_RISING);
        flag(t, "dma-coherent");
        end(t);
    }
}

/* Memory and most of /chosen are filled in by arm_boot. */
static void *virt_make_dtb(struct machine *m, struct error *err)
{
    struct tree t = {.fdt = malloc(TREE_BYTES)};
    char stdout_path[32];

    if (!t.fdt) {
        error_set(err, "out of memory for the device tree");
        return NULL;
    }
    snprintf(stdout_path, sizeof(stdout_path), "/pl011@%x", UART_BASE);
    keep(&t, fdt_create(t.fdt, TREE_BYTES));
    keep(&t, fdt_finish_reservemap(t.fdt));
    begin(&t, "");
    string(&t, "compatible", "linux,dummy-virt");
    string(&t, "model", "linux,dummy-virt");
    CELLS(&t, "#address-cells", 2);
    CELLS(&t, "#size-cells", 2);
    CELLS(&t, "interrupt-parent", PHANDLE_GIC);
    tree_psci(&t);
    tree_cpus(&t, m->cpu->model->name);
    tree_timer(&t);
    tree_clock(&t);
    tree_gic(&t);
    tree_primecells(&t);
    tree_others(&t);
    begin(&t, "aliases");
    string(&t, "serial0", stdout_path);
    end(&t);
    begin(&t, "chosen");
    string(&t, "stdout-path", stdout_path);
    end(&t);
    end(&t);
    keep(&t, fdt_finish(t.fdt));
    if (t.result) {
        error_set(err, "cannot make the device tree: %s", fdt_strerror(t.result));
        free(t.fdt);
        return NULL;
    }
    return t.fdt;
}

/* ---- life ------------------------------------------------------------------------------------ */

static bool virt_init(struct machine *m, struct error *err)
{
    struct device *fw_cfg = machine_find_device(m, "fw_cfg");
    uint8_t ram_size[8];

    m->cpu->board.firmware_call = psci_call;
    for (unsigned i = 0; i < sizeof(ram_size); i++)
        ram_size[i] = (uint8_t)(m->ram_bytes >> (i * 8));
    if (!fw_cfg_add_item(fw_cfg, FW_CFG_RAM_SIZE, ram_size, sizeof(ram_size)) ||
        !fw_cfg_add_item(fw_cfg, FW_CFG_NB_CPUS, "\1", 2) ||
        !fw_cfg_add_item(fw_cfg, FW_CFG_MAX_CPUS, "\1", 2) ||
        !fw_cfg_add_item(fw_cfg, FW_CFG_NOGRAPHIC, "\1", 2) ||
        !fw_cfg_add_item(fw_cfg, FW_CFG_BOOT_MENU, "\0", 2))
        return error_set(err, "out of memory for fw_cfg");
    return true;
}

static bool virt_modify_dtb(struct machine *m, void *fdt, struct error *err)
{
    int failed = arm_screen_add(m, fdt);

    return !failed ||
           error_set(err, "cannot add the screen to the device tree: %s", fdt_strerror(failed));
}

static bool virt_boot(struct machine *m, struct error *err)
{
    static const struct arm_boot_info info = {
        .machine_type = UINT32_MAX,
        .make_dtb = virt_make_dtb,
        .modify_dtb = virt_modify_dtb,
        .flash = "flash0",
        .fw_cfg = "fw_cfg",
        .firmware_entry = FLASH_BASE,
        .firmware_dtb = RAM_BASE,
    };

    if (!arm_boot(m, &info, err))
        return false;
    arm_screen_start(m);
    return true;
}

static const struct machine_class virt_class = {
    .name = "virt",
    .description = "Virtual board without a counterpart in hardware",
    .guest = "arm",
    .default_cpu = "cortex-a15",
    .cpus = virt_cpus,
    .default_ram_bytes = 128 * MIB,
    .min_ram_bytes = 1 * MIB,
    .max_ram_bytes = 32 * GIB,
    .ram_base = RAM_BASE,
    .devices = virt_devices,
    .wires = virt_wires,
    .props = virt_props,
    .init = virt_init,
    .boot = virt_boot,
};
REGISTER(machine_class, virt_class);

#endif
