/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PCI functions and their bus; PCI Local Bus Specification 3.0, chapter 6. */
#include "hw/pci/pci.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/machine.h"
#include "util/bits.h"

enum {
    HEADER_MULTIFUNCTION = 0x80,
    BAR_IO = 1,
    BAR_64 = 4,
    BAR_PREFETCH = 8,
    BAR_HEADER_BITS = 0xf,
    ROM_ENABLE = 1,
    CAPABILITY_MSI = 5,
    MSI_CONTROL = 2,
    MSI_ADDRESS = 4,
    MSI_DATA = 12,
    MSI_ENABLE = 1,
    MSI_64 = 0x80,
    MSIX_ENABLE = 0x80, /* in the upper byte of its control register */
    /* What QEMU's devices have, so that drivers that look at it behave alike. */
    SUBSYSTEM_VENDOR = 0x1af4,
    SUBSYSTEM = 0x1100,
};

/* ---- configuration space ----------------------------------------------------------------------
 */

static uint32_t bytes_get(const uint8_t *bytes, unsigned offset, unsigned size)
{
    uint32_t value = 0;

    if (offset + size <= PCI_CONFIG_SIZE)
        memcpy(&value, bytes + offset, size);
    return value;
}

static void bytes_set(uint8_t *bytes, unsigned offset, unsigned size, uint32_t value)
{
    if (offset + size <= PCI_CONFIG_SIZE)
        memcpy(bytes + offset, &value, size);
}

uint32_t pci_get(const struct device *d, unsigned offset, unsigned size)
{
    return bytes_get(d->pci->config, offset, size);
}

void pci_set(struct device *d, unsigned offset, unsigned size, uint32_t value)
{
    bytes_set(d->pci->config, offset, size, value);
    if (!d->pci->started)
        bytes_set(d->pci->initial, offset, size, value);
}

void pci_set_writable(struct device *d, unsigned offset, unsigned size, uint32_t mask)
{
    bytes_set(d->pci->writable, offset, size, mask);
}

void pci_add_capability(struct device *d, uint8_t id, unsigned offset)
{
    struct pci_function *f = d->pci;

    pci_set(d, offset, 1, id);
    pci_set(d, offset + 1, 1, 0);
    pci_set(d, f->next_capability, 1, offset);
    pci_set(d, PCI_STATUS, 2, pci_get(d, PCI_STATUS, 2) | PCI_STATUS_CAPABILITIES);
    f->next_capability = (uint8_t)(offset + 1);
}

void pci_add_msi(struct device *d, unsigned offset)
{
    pci_add_capability(d, CAPABILITY_MSI, offset);
    pci_set(d, offset + MSI_CONTROL, 2, MSI_64);
    pci_set_writable(d, offset + MSI_CONTROL, 2, MSI_ENABLE);
    pci_set_writable(d, offset + MSI_ADDRESS, 4, 0xfffffffc);
    pci_set_writable(d, offset + MSI_ADDRESS + 4, 4, 0xffffffff);
    pci_set_writable(d, offset + MSI_DATA, 2, 0xffff);
    d->pci->msi = (uint8_t)offset;
}

static unsigned bar_offset(unsigned bar)
{
    return bar == PCI_ROM ? PCI_ROM_BAR : PCI_BAR0 + 4 * bar;
}

static void add_bar(struct device *d, unsigned region)
{
    const struct device_region *what = &d->class->regions[region];
    unsigned bar = what->bar - 1u, offset = bar_offset(bar);
    uint64_t mask = ~(d->mappings[region].size - 1);
    uint32_t type = what->port ? BAR_IO : 0;

    if (bar == PCI_ROM) {
        pci_set_writable(d, offset, 4, (uint32_t)(mask & ~UINT64_C(0x7ff)) | ROM_ENABLE);
        return;
    }
    type |= (what->bar_64 ? BAR_64 : 0) | (what->bar_prefetch ? BAR_PREFETCH : 0);
    pci_set(d, offset, 4, type);
    pci_set_writable(d, offset, 4, (uint32_t)mask & (what->port ? ~3u : ~15u));
    if (what->bar_64)
        pci_set_writable(d, offset + 4, 4, (uint32_t)(mask >> 32));
}

static void config_init(struct device *d)
{
    const struct pci_class *class = d->class->pci;

    d->pci->next_capability = PCI_CAPABILITIES;
    d->pci->wire = -1;
    pci_set(d, PCI_VENDOR, 2, class->vendor);
    pci_set(d, PCI_DEVICE, 2, class->device);
    pci_set(d, PCI_REVISION, 1, class->revision);
    bytes_set(d->pci->config, PCI_CLASS, 2, class->class_code & 0xffff);
    bytes_set(d->pci->config, PCI_CLASS + 2, 1, class->class_code >> 16);
    memcpy(d->pci->initial, d->pci->config, PCI_CONFIG_SIZE);
    pci_set(d, PCI_SUBSYSTEM_VENDOR, 2, SUBSYSTEM_VENDOR);
    pci_set(d, PCI_SUBSYSTEM, 2, SUBSYSTEM);
    pci_set(d, PCI_INTERRUPT_PIN, 1, class->interrupt_pin);
    pci_set_writable(d, PCI_INTERRUPT_LINE, 1, 0xff);
    pci_set_writable(d, PCI_COMMAND, 2,
                     PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER |
                         PCI_COMMAND_NO_INTX | 1 << 6 | 1 << 8);
    bytes_set(d->pci->cleared, PCI_STATUS, 2, 0xf900); /* errors; clearing needs no writable bits */
    pci_set_writable(d, 0x0c, 2, 0xffff);              /* cache line size, latency timer */
    for (unsigned i = 0; i < d->class->n_regions; i++) {
        if (d->class->regions[i].bar)
            add_bar(d, i);
    }
}

/* ---- where a function sits --------------------------------------------------------------------
 */

/* "1f.2", "0x1f.0x2", "1f". */
static bool parse_address(const char *text, unsigned *slot, unsigned *function)
{
    char *end;
    unsigned long value = strtoul(text, &end, 16);

    *slot = (unsigned)value;
    *function = 0;
    if (end == text || value > 31)
        return false;
    if (*end == '.') {
        const char *digits = end + 1;
        value = strtoul(digits, &end, 16);
        if (end == digits || value > 7)
            return false;
        *function = (unsigned)value;
    }
    return *end == '\0';
}

static bool find_place(struct device *d, const struct pci_bus *bus, uint8_t *devfn,
                       struct error *err)
{
    char text[16];
    unsigned slot, function;

    if (!device_prop_string(d, "addr", text, sizeof(text))) {
        for (slot = bus->first_slot; slot <= bus->last_slot; slot++) {
            if (!bus->functions[slot << 3]) {
                *devfn = (uint8_t)(slot << 3);
                return true;
            }
        }
        return error_set(err, "%s: no slot of the PCI bus is free", d->id);
    }
    if (!parse_address(text, &slot, &function))
        return error_set(err, "%s: addr=%s is no PCI address like 1f.2", d->id, text);
    *devfn = (uint8_t)(slot << 3 | function);
    if (bus->functions[*devfn])
        return error_set(err, "%s: PCI address %s is taken by %s", d->id, text,
                         bus->functions[*devfn]->id);
    return true;
}

/* Function 0 says whether there are more. */
static void mark_multifunction(struct pci_bus *bus, unsigned devfn)
{
    struct device *first = bus->functions[devfn & ~7u];
    uint8_t type;

    for (unsigned i = 1; first && i < 8; i++) {
        if (bus->functions[(devfn & ~7u) | i]) {
            type = first->pci->initial[PCI_HEADER_TYPE] | HEADER_MULTIFUNCTION;
            first->pci->config[PCI_HEADER_TYPE] = first->pci->initial[PCI_HEADER_TYPE] = type;
        }
    }
}

static bool make_bus(struct device *d, struct error *err)
{
    struct pci_bus *bus = calloc(1, sizeof(*bus));

    if (!bus)
        return error_set(err, "out of memory for device '%s'", d->id);
    bus->host = d;
    d->pci->bus = bus;
    bus->functions[0] = d;
    bus->first_slot = (uint8_t)device_prop_u64(d, "first-slot", 1);
    bus->last_slot = (uint8_t)device_prop_u64(d, "last-slot", 31);
    return machine_add_bus(d->machine, "pci", d->class->pci->makes_bus, d, bus, err);
}

const struct device_prop pci_props[] = {
    {"bus", DEVICE_PROP_TEXT, .most = 23},
    {"addr", DEVICE_PROP_TEXT, .most = 15},
    {NULL},
};
const struct device_prop pci_bridge_props[] = {
    {"first-slot", DEVICE_PROP_NUMBER, 0, 31},
    {"last-slot", DEVICE_PROP_NUMBER, 0, 31},
    {NULL},
};

bool pci_attach(struct device *d, struct error *err)
{
    char name[24];
    bool named;

    d->pci = calloc(1, sizeof(*d->pci));
    if (!d->pci)
        return error_set(err, "out of memory for device '%s'", d->id);
    config_init(d);
    if (d->class->pci->makes_bus) {
        if (make_bus(d, err))
            return true;
        pci_detach(d);
        return false;
    }
    named = device_prop_string(d, "bus", name, sizeof(name));
    d->pci->bus = machine_find_bus(d->machine, "pci", named ? name : NULL);
    if (!d->pci->bus && !named)
        return true; /* by itself */
    if (!d->pci->bus)
        error_set(err, "%s: there is no PCI bus '%s'", d->id, name);
    if (!d->pci->bus || !find_place(d, d->pci->bus, &d->pci->devfn, err)) {
        d->pci->bus = NULL;
        pci_detach(d);
        return false;
    }
    d->pci->bus->functions[d->pci->devfn] = d;
    mark_multifunction(d->pci->bus, d->pci->devfn);
    return true;
}

void pci_detach(struct device *d)
{
    struct pci_bus *bus = d->pci ? d->pci->bus : NULL;

    if (bus && bus->functions[d->pci->devfn] == d)
        bus->functions[d->pci->devfn] = NULL;
    if (bus && bus->router == d)
        bus->router = NULL;
    if (bus && bus->host == d) {
        machine_remove_buses(d->machine, d);
        for (unsigned i = 0; i < 256; i++) {
            if (bus->functions[i])
                bus->functions[i]->pci->bus = NULL;
        }
        free(bus);
    }
    free(d->pci);
    d->pci = NULL;
}

struct pci_bus *pci_bus_of(struct device *d)
{
    return d->pci ? d->pci->bus : NULL;
}

bool pci_cpu_address(struct device *d, gpa address, uint64_t size, gpa *out)
{
    struct pci_bus *bus = pci_bus_of(d);

    *out = address;
    return !bus || !bus->cpu_address || bus->host == d ||
           bus->cpu_address(bus->host, address, size, out);
}

void pci_bus_moved(struct pci_bus *bus)
{
    memory_begin(bus->host->memory);
    for (unsigned i = 0; i < ARRAY_SIZE(bus->functions); i++) {
        if (bus->functions[i] && bus->functions[i] != bus->host)
            device_place_again(bus->functions[i]);
    }
    memory_commit(bus->host->memory);
}

/* ---- BARs -------------------------------------------------------------------------------------
 */

static bool bar_address(const struct device *d, unsigned region, uint64_t *address)
{
    const struct device_region *what = &d->class->regions[region];
    unsigned bar = what->bar - 1u, offset = bar_offset(bar);
    uint32_t low = pci_get(d, offset, 4), command = pci_get(d, PCI_COMMAND, 2);

    *address = low & ~(uint64_t)(what->port ? 3 : bar == PCI_ROM ? 0x7ff : BAR_HEADER_BITS);
    if (what->bar_64)
        *address |= (uint64_t)pci_get(d, offset + 4, 4) << 32;
    if (what->port)
        return (command & PCI_COMMAND_IO) && *address && *address < 0x10000;
    if (bar == PCI_ROM && !(low & ROM_ENABLE))
        return false;
    /* All ones is what sizing leaves behind for a moment. */
    return (command & PCI_COMMAND_MEMORY) && *address &&
           *address + (d->mappings[region].size - 1) != (what->bar_64 ? UINT64_MAX : UINT32_MAX);
}

static void bars_update(struct device *d)
{
    memory_begin(d->memory);
    for (unsigned i = 0; i < d->class->n_regions; i++) {
        uint64_t address;
        if (!d->class->regions[i].bar)
            continue;
        if (bar_address(d, i, &address))
            device_place(d, i, address);
        else
            device_unplace(d, i);
    }
    memory_commit(d->memory);
}

/* ---- interrupts -------------------------------------------------------------------------------
 */

static void pull(struct pci_bus *bus, unsigned wire, int change)
{
    bus->asserted[wire] += (unsigned)change;
    if (bus->set_wire && bus->router)
        bus->set_wire(bus->router, wire, bus->asserted[wire] != 0);
}

static bool msi_enabled(const struct pci_function *f)
{
    return f->msi && (f->config[f->msi + MSI_CONTROL] & MSI_ENABLE);
}

static bool uses_messages(const struct pci_function *f)
{
    return msi_enabled(f) || (f->msix && (f->config[f->msix + MSI_CONTROL + 1] & MSIX_ENABLE));
}

/* Lets the pin follow what the device asks for and configuration space allows. */
static void intx_update(struct device *d)
{
    struct pci_function *f = d->pci;
    bool allowed = !(pci_get(d, PCI_COMMAND, 2) & PCI_COMMAND_NO_INTX) && !uses_messages(f);
    unsigned pin = f->config[PCI_INTERRUPT_PIN];

    f->config[PCI_STATUS] = (uint8_t)((f->config[PCI_STATUS] & ~PCI_STATUS_INTX) |
                                      (f->irq_level && !uses_messages(f) ? PCI_STATUS_INTX : 0));
    if (!f->bus || !f->bus->route || !pin)
        return;
    if (f->irq_level && allowed && f->wire < 0) {
        f->wire = (int8_t)(f->bus->route(f->bus->router, f->devfn >> 3, pin - 1) % PCI_MAX_WIRES);
        pull(f->bus, (unsigned)f->wire, 1);
    } else if (!(f->irq_level && allowed) && f->wire >= 0) {
        unsigned wire = (unsigned)f->wire;
        f->wire = -1;
        pull(f->bus, wire, -1);
    }
}

void pci_irq(struct device *d, bool level)
{
    struct pci_function *f = d->pci;
    bool rises = level && !f->irq_level;

    f->irq_level = level;
    if (rises && msi_enabled(f) && f->bus && f->bus->msi) {
        uint64_t address = pci_get(d, f->msi + MSI_ADDRESS, 4) |
                           (uint64_t)pci_get(d, f->msi + MSI_ADDRESS + 4, 4) << 32;
        f->bus->msi(d->machine, address, pci_get(d, f->msi + MSI_DATA, 2));
    }
    intx_update(d);
}

void pci_bus_set_router(struct pci_bus *bus, struct device *router,
                        unsigned (*route)(struct device *router, unsigned slot, unsigned pin),
                        void (*set_wire)(struct device *router, unsigned wire, bool level))
{
    bus->router = router;
    bus->route = route;
    bus->set_wire = set_wire;
}

void pci_reset(struct device *d)
{
    struct pci_function *f = d->pci;

    f->irq_level = false;
    intx_update(d);
    memcpy(f->config, f->initial, PCI_CONFIG_SIZE);
    f->started = true;
    bars_update(d);
}

void pci_print(const struct device *d, FILE *out)
{
    fprintf(out, "  addr = %02x.%x\n", d->pci->devfn >> 3, d->pci->devfn & 7u);
    for (unsigned i = 0; i < PCI_CONFIG_SIZE; i += 4) {
        if (pci_get(d, i, 4))
            fprintf(out, "  config[0x%02x] = 0x%08" PRIx32 "\n", i, pci_get(d, i, 4));
    }
}

/* ---- bus mastering ----------------------------------------------------------------------------
 */

bool pci_is_master(const struct device *d)
{
    return (pci_get(d, PCI_COMMAND, 2) & PCI_COMMAND_MASTER) != 0;
}

bool pci_dma_read(struct device *d, gpa address, void *buffer, size_t size)
{
    if (pci_is_master(d))
        return memory_read(d->memory, address, buffer, size);
    memset(buffer, 0, size);
    return false;
}

bool pci_dma_write(struct device *d, gpa address, const void *buffer, size_t size)
{
    return pci_is_master(d) && memory_write(d->memory, address, buffer, size);
}

/* ---- access -----------------------------------------------------------------------------------
 */

uint32_t pci_config_read(struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned size)
{
    struct device *d = bus->functions[devfn & 0xff];

    if (!d || offset + size > PCI_CONFIG_SIZE)
        return size >= 4 ? 0xffffffff : (1u << size * 8) - 1;
    if (d->class->pci->config_reading)
        d->class->pci->config_reading(d, offset, size);
    return pci_get(d, offset, size);
}

static bool overlaps(unsigned offset, unsigned size, unsigned first, unsigned length)
{
    return offset < first + length && first < offset + size;
}

void pci_config_write(struct pci_bus *bus, unsigned devfn, unsigned offset, uint32_t value,
                      unsigned size)
{
    struct device *d = bus->functions[devfn & 0xff];

    if (!d || offset + size > PCI_CONFIG_SIZE)
        return;
    struct pci_function *f = d->pci;
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)(value >> i * 8), mask = f->writable[offset + i];
        uint8_t *at = &f->config[offset + i];
        *at = (uint8_t)((*at & ~mask) | (byte & mask));
        *at &= (uint8_t) ~(byte & f->cleared[offset + i]);
    }
    if (overlaps(offset, size, PCI_COMMAND, 2) || overlaps(offset, size, PCI_BAR0, 24) ||
        overlaps(offset, size, PCI_ROM_BAR, 4))
        bars_update(d);
    if (overlaps(offset, size, PCI_COMMAND, 2) ||
        (f->msi && overlaps(offset, size, f->msi + MSI_CONTROL, 2)) ||
        (f->msix && overlaps(offset, size, f->msix + MSI_CONTROL, 2)))
        intx_update(d);
    if (d->class->pci->config_written)
        d->class->pci->config_written(d, offset, size);
}

/* ---- configuration mechanism 1 (3.2.2.3.2) ----------------------------------------------------
 */

enum { CONFIG_ADDRESS = 0, RESET_CONTROL = 1, CONFIG_DATA = 4 };
#define CONFIG_ENABLE 0x80000000u
#define CONFIG_ADDRESS_BITS 0x80fffffcu

uint32_t pci_ports_read(struct pci_bus *bus, const uint32_t *address, unsigned offset,
                        unsigned size)
{
    if (offset == RESET_CONTROL && size == 1 && bus->reset_read && bus->router)
        return bus->reset_read(bus->router);
    if (offset < CONFIG_DATA)
        return offset == CONFIG_ADDRESS && size == 4 ? *address : 0xffffffff;
    if (!(*address & CONFIG_ENABLE) || (*address >> 16 & 0xff))
        return 0xffffffff;
    return pci_config_read(bus, *address >> 8 & 0xff, (*address & 0xfc) + offset - CONFIG_DATA,
                           size);
}

void pci_ports_write(struct pci_bus *bus, uint32_t *address, unsigned offset, uint32_t value,
                     unsigned size)
{
    if (offset == RESET_CONTROL && size == 1 && bus->reset_write && bus->router)
        bus->reset_write(bus->router, (uint8_t)value);
    else if (offset == CONFIG_ADDRESS && size == 4)
        *address = value & CONFIG_ADDRESS_BITS;
    else if (offset >= CONFIG_DATA && (*address & CONFIG_ENABLE) && !(*address >> 16 & 0xff))
        pci_config_write(bus, *address >> 8 & 0xff, (*address & 0xfc) + offset - CONFIG_DATA, value,
                         size);
}
