/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the PC boards share; see pc.h. */
#include "hw/machines/pc.h"

#include <stdlib.h>
#include <string.h>

#include "frontend/guest.h"
#include "hw/intc/apic.h"
#include "hw/intc/i8259.h"
#include "hw/machines/x86_boot.h"
#include "hw/pci/pci.h"
#include "util/bits.h"

/* ---- the processor's interrupt side ---------------------------------------------------------- */

static int interrupt_vector(void *opaque, struct vcpu *cpu)
{
    struct machine *m = opaque;
    struct device *apic = machine_find_device(m, "apic0");
    struct device *pic = machine_find_device(m, "pic0");
    int vector = apic ? apic_acknowledge(apic) : -1;

    if (vector >= 0 || !pic || (apic && !apic_accepts_extint(apic)))
        return vector;
    return i8259_acknowledge(pic);
}

static uint64_t apic_register_read(void *opaque, struct vcpu *cpu, enum apic_register which)
{
    struct device *apic = machine_find_device(opaque, "apic0");

    switch (which) {
    case APIC_BASE_MSR:
        return apic_get_base(apic);
    case APIC_TPR:
        return apic_get_tpr(apic);
    case APIC_TSC_DEADLINE:
        return apic_get_tsc_deadline(apic);
    }
    return 0;
}

/* The time-stamp counter counts nanoseconds: what it stands at when it is written says how far off
 * the deadline is. */
static void apic_register_write(void *opaque, struct vcpu *cpu, enum apic_register which,
                                uint64_t value)
{
    struct machine *m = opaque;
    struct device *apic = machine_find_device(m, "apic0");

    switch (which) {
    case APIC_BASE_MSR:
        if (!apic_set_base(apic, value))
            log_printf(LOG_GUEST_ERROR, "apic: IA32_APIC_BASE cannot be 0x%llx\n",
                       (unsigned long long)value);
        break;
    case APIC_TPR:
        apic_set_tpr(apic, (uint8_t)value);
        break;
    case APIC_TSC_DEADLINE:
        apic_set_tsc_deadline(apic, value, (int64_t)value - cpu->tsc_offset_ns);
        break;
    }
}

static void triple_fault(void *opaque, uint64_t ip)
{
    struct machine *m = opaque;

    snprintf(m->reset_reason, sizeof(m->reset_reason), "a triple fault at 0x%llx",
             (unsigned long long)ip);
    machine_request(m, MACHINE_RESET);
}

void pc_connect_cpu(struct machine *m)
{
    struct device *master = machine_find_device(m, "pic0");
    struct device *slave = machine_find_device(m, "pic1");
    struct vcpu_board *board = &m->cpu->board;

    if (master && slave)
        i8259_set_slave(master, slave, 2);
    board->interrupt_vector = interrupt_vector;
    board->apic_read = apic_register_read;
    board->apic_write = apic_register_write;
    board->triple_fault = triple_fault;
}

/* ---- PCI as firmware leaves it --------------------------------------------------------------- */

struct assignment {
    struct pci_bus *bus;
    uint32_t next_memory, next_io;
};

enum { BAR_IO = 1, BAR_MEMORY_64 = 4, COMMAND_ALL = 7 };
/* Above all RAM, and with room for large adapters below the I/O APIC. */
enum { PCI_MEMORY = 0xc0000000, PCI_IO = 0xc000 };

/* One BAR: its size shows in the bits that stick (PCI 3.0, 6.2.5.1). True: it takes the next too.
 */
static bool assign_bar(struct assignment *a, unsigned devfn, unsigned offset)
{
    pci_config_write(a->bus, devfn, offset, UINT32_MAX, 4);
    uint32_t bits = pci_config_read(a->bus, devfn, offset, 4);
    bool io = bits & BAR_IO, wide = !io && (bits & 6) == BAR_MEMORY_64;
    uint32_t mask = bits & (io ? 0xfffcu : ~15u);
    uint32_t size = mask & -mask, *next = io ? &a->next_io : &a->next_memory;

    if (!mask)
        return false;
    *next = (*next + size - 1) & -size;
    pci_config_write(a->bus, devfn, offset, *next, 4);
    *next += size;
    return wide;
}

/* Gives every BAR of the bus an address and switches decoding and mastering on. */
static void assign_pci(struct pci_bus *bus, const struct pc_chipset *chipset)
{
    struct assignment a = {.bus = bus, .next_memory = PCI_MEMORY, .next_io = PCI_IO};

    for (unsigned devfn = 0; devfn < ARRAY_SIZE(bus->functions); devfn++) {
        if (!bus->functions[devfn])
            continue;
        for (unsigned i = 0; i < 6; i++)
            i += assign_bar(&a, devfn, PCI_BAR0 + 4 * i);
        unsigned pin = pci_config_read(bus, devfn, PCI_INTERRUPT_PIN, 1);
        if (pin)
            pci_config_write(bus, devfn, PCI_INTERRUPT_LINE,
                             chipset->interrupt_line(devfn >> 3, pin - 1), 1);
        pci_config_write(bus, devfn, PCI_COMMAND, COMMAND_ALL, 2);
    }
}

/* ---- a board's life -------------------------------------------------------------------------- */

struct pc {
    const struct pc_chipset *chipset;
    struct x86_boot_info boot;
    struct pc_acpi acpi;
};

static struct pci_bus *pci_bus(struct machine *m)
{
    const struct pc *pc = m->data;

    return pci_bus_of(machine_find_device(m, pc->chipset->host_bridge));
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

/* Without the HPET the interval timer and the clock go to their lines by themselves. */
bool pc_wants(const struct machine *m, const struct machine_device *entry)
{
    if (!strcmp(entry->id, "hpet"))
        return !m->boot.no_hpet && machine_prop_on(m, "hpet", true);
    if (!strcmp(entry->id, "vga"))
        return !m->boot.no_vga;
    /* Those that share interrupts with the first two are there for whoever asks for them. */
    if (!strcmp(entry->id, "serial2") || !strcmp(entry->id, "serial3"))
        return m->boot.n_serial > (unsigned)(entry->id[6] - '0');
    return true;
}

bool pc_init(struct machine *m, const struct pc_chipset *chipset, struct error *err)
{
    struct pc *pc = calloc(1, sizeof(*pc));

    if (!pc)
        return error_set(err, "out of memory");
    m->data = pc;
    pc->chipset = chipset;
    if (!x86_map_ram(m, chipset->low_ram_max, &pc->boot.ram, err))
        return false;
    pc_connect_cpu(m);
    pci_bus(m)->msi = apic_msi;
    pc->acpi = chipset->acpi;
    pc->acpi.hpet = machine_find_device(m, "hpet") != NULL;
    pc->acpi.floppy = machine_find_device(m, "fdc") != NULL;
    pc->acpi.low_bytes = pc->boot.ram.low_bytes;
    pc->acpi.high_bytes = pc->boot.ram.high_bytes;
    pc->boot.firmware = chipset->firmware;
    pc->boot.fw_cfg = "fw_cfg";
    pc->boot.make_acpi = m->boot.no_acpi || !machine_prop_on(m, "acpi", true) ? NULL : make_acpi;
    pc->boot.offer = offer;
    return x86_boot_init(m, &pc->boot, err);
}

/* What firmware would have set. */
static void set_chipset(struct machine *m)
{
    const struct pc *pc = m->data;
    struct pci_bus *bus = pci_bus(m);
    bool ok;

    for (const struct pc_register *r = pc->chipset->registers; r->size; r++) {
        for (unsigned i = r->size; i-- > 0;) /* enable bits are in the low byte: it comes last */
            pci_config_write(bus, r->devfn, r->offset + i, r->value >> (8 * i) & 0xff, 1);
    }
    assign_pci(bus, pc->chipset);
    memory_store(m->ports, 0x4d0, pc->chipset->level_lines & 0xff, 1, &ok);
    memory_store(m->ports, 0x4d1, pc->chipset->level_lines >> 8, 1, &ok);
}

bool pc_boot(struct machine *m, struct error *err)
{
    struct pc *pc = m->data;

    if (m->boot.kernel && !m->boot.bios)
        set_chipset(m);
    return x86_boot(m, &pc->boot, err);
}

void pc_finish(struct machine *m)
{
    free(m->data);
}
