/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PC without its past: local APIC, I/O APIC, a serial port and virtio transports in memory, no
 * PCI. Interrupt controllers, timer and clock of the PC/AT are there as properties say. Addresses
 * are those of QEMU's board of that name, so that its guests run.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "frontend/guest.h"
#include "hw/acpi/ged.h"
#include "hw/intc/apic.h"
#include "hw/machines/pc.h"
#include "hw/machines/pc_acpi.h"
#include "hw/machines/x86_boot.h"
#include "util/bits.h"

enum { GED_BASE = 0xfea00000, GED_REGISTERS = 0xfea00200, PM_TIMER = 0x608, GED_LINE = 9 };
enum { VIRTIO_BASE = 0xfeb00000, VIRTIO_SIZE = 0x200, VIRTIO_LINE = 16, N_VIRTIO = 8 };
enum { SHADOW_BASE = 0xa0000 };
#define LOW_RAM_MAX (UINT64_C(3) << 30)

#define VIRTIO(n)                                                                                  \
    {                                                                                              \
        "virtio-mmio", "virtio" #n, VIRTIO_BASE + (gpa)(n)*VIRTIO_SIZE, "gsi", VIRTIO_LINE + (n),  \
            NULL, "legacy=on"                                                                      \
    }

static const struct machine_device microvm_devices[] = {
    {"apic", "apic0", 0xfee00000, "cpu", 0, NULL, NULL},
    {"ioapic", "ioapic", 0xfec00000, NULL, 0, NULL, "version=0x20"},
    {"i8259", "pic0", 0x20, "apic0", APIC_LINT0, NULL, "base1=0x4d0"},
    {"i8259", "pic1", 0xa0, "pic0", 2, NULL, "base1=0x4d1"},
    {"gsi", "gsi", 0, NULL, 0, NULL, NULL},
    {"i8254", "pit", 0x40, "gsi", 0, NULL, NULL},
    {"pc-speaker", "speaker", 0x61, NULL, 0, NULL, NULL}, /* gates the timer's channel 2 */
    {"mc146818", "rtc", 0x70, "gsi", 8, NULL, NULL},
    {"ns16550", "serial0", 0x3f8, "gsi", 4, "serial0", NULL},
    {"acpi-ged", "power-key", GED_BASE, "gsi", GED_LINE, NULL, "base1=0xfea00200,base2=0x608"},
    {"fw_cfg-port", "fw_cfg", 0, NULL, 0, NULL, "base0=0x510,base1=0x514"},
    VIRTIO(0),
    VIRTIO(1),
    VIRTIO(2),
    VIRTIO(3),
    VIRTIO(4),
    VIRTIO(5),
    VIRTIO(6),
    VIRTIO(7),
    {NULL},
};

static const struct machine_wire microvm_wires[] = {PC_INTERRUPT_WIRES, {NULL}};

static const struct machine_prop microvm_props[] = {
    {"acpi", "on,off,auto", "ACPI tables, hardware-reduced (on)"},
    {"pic", "on,off,auto", "the interrupt controllers of the PC/AT (on)"},
    {"pit", "on,off,auto", "the interval timer (on)"},
    {"rtc", "on,off,auto", "the real-time clock (on)"},
    {"isa-serial", "on,off", "the serial port (on)"},
    {"auto-kernel-cmdline", "on,off",
     "without ACPI, name the virtio transports to the kernel (on)"},
    {"ioapic2", "off,auto", "there is one I/O APIC"},
    {"pcie", "off,auto", "no PCI Express"},
    {"usb", "off", NULL},
    {"x-option-roms", "on,off", "taken: there are none"},
    {NULL},
};

struct microvm {
    struct x86_boot_info boot;
    struct pc_acpi acpi;
    struct pc_acpi_reduced reduced;
    struct memory_window shadow;
    char *command_line;
};

static bool wants(const struct machine *m, const struct machine_device *entry)
{
    static const char *const names[][2] = {
        {"pic0", "pic"}, {"pic1", "pic"},           {"pit", "pit"},        {"speaker", "pit"},
        {"rtc", "rtc"},  {"serial0", "isa-serial"}, {"power-key", "acpi"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++) {
        if (!strcmp(entry->id, names[i][0]))
            return machine_prop_on(m, names[i][1], true);
    }
    return true;
}

/* ---- ACPI ------------------------------------------------------------------------------------ */

static void isa_device(struct aml *a, const char *name, const char *id, unsigned port,
                       unsigned ports, unsigned irq)
{
    aml_device_begin(a, name);
    aml_name_eisa(a, "_HID", id);
    aml_name_integer(a, "_UID", 1);
    aml_resources_begin(a, "_CRS");
    aml_io(a, (uint16_t)port, (uint16_t)ports);
    aml_irq(a, irq);
    aml_resources_end(a);
    aml_end(a);
}

static void named_device(struct aml *a, const char *name, const char *id, unsigned uid)
{
    aml_device_begin(a, name);
    aml_name(a, "_HID");
    aml_string(a, id);
    aml_name_integer(a, "_UID", uid);
}

static void event_device(struct aml *a)
{
    enum { SERIALIZED = 8, PRESSED = 0x80 };

    aml_device_begin(a, "PWRB");
    aml_name_eisa(a, "_HID", "PNP0C0C");
    aml_end(a);
    named_device(a, "GED", "ACPI0013", 0);
    aml_resources_begin(a, "_CRS");
    aml_interrupt(a, GED_LINE, false, false);
    aml_resources_end(a);
    aml_memory_register(a, "EREG", GED_BASE, "ESEL");
    aml_method_begin(a, "_EVT", SERIALIZED | 1);
    aml_if_bits_begin(a, "ESEL", GED_POWER_BUTTON);
    aml_notify(a, "\\_SB.PWRB", PRESSED);
    aml_end(a);
    aml_end(a);
    aml_end(a);
}

static void acpi_devices(struct aml *a, void *opaque)
{
    struct machine *m = opaque;

    if (machine_find_device(m, "serial0"))
        isa_device(a, "COM1", "PNP0501", 0x3f8, 8, 4);
    if (machine_find_device(m, "rtc"))
        isa_device(a, "RTC", "PNP0B00", 0x70, 2, 8);
    named_device(a, "CPU0", "ACPI0007", 0);
    aml_end(a);
    event_device(a);
    for (unsigned i = 0; i < N_VIRTIO; i++) {
        const char name[] = {'V', 'R', '0', (char)('0' + i), 0};
        named_device(a, name, "LNRO0005", i);
        aml_name_integer(a, "_CCA", 1);
        aml_resources_begin(a, "_CRS");
        aml_memory32(a, VIRTIO_BASE + i * VIRTIO_SIZE, VIRTIO_SIZE, true);
        aml_interrupt(a, VIRTIO_LINE + i, true, false);
        aml_resources_end(a);
        aml_end(a);
    }
}

static void describe(struct machine *m, struct microvm *v)
{
    enum { NO_VGA = 4, NO_CLOCK = 32 };

    v->reduced = (struct pc_acpi_reduced){
        .sleep_registers = GED_REGISTERS,
        .pm_timer = PM_TIMER,
        .sleep_type = GED_SLEEP_S5,
        .reset_value = GED_RESET_VALUE,
        .boot_flags = NO_VGA | (machine_find_device(m, "rtc") ? 0 : NO_CLOCK),
        .has_pic = machine_find_device(m, "pic0") != NULL,
        .devices = acpi_devices,
        .opaque = m,
    };
    v->acpi.reduced = &v->reduced;
}

static uint8_t *make_acpi(struct machine *m, gpa base, size_t *size, struct error *err)
{
    const struct microvm *v = m->data;

    return pc_acpi_make(&v->acpi, base, size, err);
}

static bool offer(struct machine *m, struct device *fw_cfg, struct error *err)
{
    const struct microvm *v = m->data;

    return !v->boot.make_acpi || pc_acpi_offer(&v->acpi, fw_cfg, err);
}

/* ---- life ------------------------------------------------------------------------------------ */

/* Without ACPI the kernel learns of the transports from its command line
 * (Documentation/admin-guide/kernel-parameters.txt, "virtio_mmio.device="). */
static bool name_transports(struct machine *m, struct microvm *v, struct error *err)
{
    size_t size;
    FILE *out = open_memstream(&v->command_line, &size);

    if (!out)
        return error_set(err, "out of memory");
    fprintf(out, "%s", m->boot.append ? m->boot.append : "");
    for (unsigned i = 0; i < N_VIRTIO; i++)
        fprintf(out, " virtio_mmio.device=%d@0x%x:%u", VIRTIO_SIZE, VIRTIO_BASE + i * VIRTIO_SIZE,
                VIRTIO_LINE + i);
    if (fclose(out))
        return error_set(err, "out of memory");
    m->boot.append = v->command_line;
    return true;
}

/* There is no chipset to hide the RAM below 1 MiB. */
static bool show_shadow(struct machine *m, struct microvm *v, struct error *err)
{
    v->shadow = (struct memory_window){
        .block = m->ram_block,
        .offset = SHADOW_BASE,
        .base = SHADOW_BASE,
        .size = MIB - SHADOW_BASE,
    };
    return memory_window_show(m->memory, &v->shadow, err);
}

static bool microvm_init(struct machine *m, struct error *err)
{
    struct microvm *v = calloc(1, sizeof(*v));
    bool acpi;

    if (!v)
        return error_set(err, "out of memory");
    m->data = v;
    acpi = !m->boot.no_acpi && machine_prop_on(m, "acpi", true);
    if (!x86_map_ram(m, LOW_RAM_MAX, &v->boot.ram, err) || !show_shadow(m, v, err))
        return false;
    pc_connect_cpu(m);
    if (acpi)
        describe(m, v);
    else if (m->boot.kernel && machine_prop_on(m, "auto-kernel-cmdline", true) &&
             !name_transports(m, v, err))
        return false;
    v->boot.shadowed = true;
    v->boot.firmware = "bios-microvm.bin";
    v->boot.fw_cfg = "fw_cfg";
    v->boot.make_acpi = acpi ? make_acpi : NULL;
    v->boot.offer = offer;
    return x86_boot_init(m, &v->boot, err);
}

static bool microvm_boot(struct machine *m, struct error *err)
{
    struct microvm *v = m->data;

    return x86_boot(m, &v->boot, err);
}

static void microvm_finish(struct machine *m)
{
    struct microvm *v = m->data;

    if (v)
        free(v->command_line);
    free(v);
}

#define MICROVM(guest_name)                                                                        \
    static const struct machine_class microvm_##guest_name = {                                     \
        .name = "microvm",                                                                         \
        .description = "PC without PCI (virtio-mmio)",                                             \
        .guest = #guest_name,                                                                      \
        .default_ram_bytes = 128 * MIB,                                                            \
        .min_ram_bytes = 2 * MIB,                                                                  \
        .max_ram_bytes = 16 * GIB,                                                                 \
        .has_firmware = true,                                                                      \
        .has_ports = true,                                                                         \
        .maps_ram = true,                                                                          \
        .devices = microvm_devices,                                                                \
        .wires = microvm_wires,                                                                    \
        .wants = wants,                                                                            \
        .props = microvm_props,                                                                    \
        .init = microvm_init,                                                                      \
        .boot = microvm_boot,                                                                      \
        .finish = microvm_finish,                                                                  \
    };                                                                                             \
    REGISTER(machine_class, microvm_##guest_name)
MICROVM(i386);
MICROVM(x86_64);
