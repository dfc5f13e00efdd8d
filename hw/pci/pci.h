/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI (PCI Local Bus Specification 3.0): a bus, its functions, configuration space, BARs, interrupt
 * wires and messages, bus mastering.
 *
 * A function is a device whose class has a struct pci_class; its regions with `bar` show where
 * configuration space says. It sits where its properties say: "bus=pci.0,addr=1f.2" (slot and
 * function, hexadecimal; without function 0; without addr the next free slot; without bus the
 * machine's first).
 *
 * Threading: device lock held.
 */
#ifndef CALQUE_HW_PCI_PCI_H
#define CALQUE_HW_PCI_PCI_H

#include "hw/device.h"

enum pci_register {
    PCI_VENDOR = 0x00,
    PCI_DEVICE = 0x02,
    PCI_COMMAND = 0x04,
    PCI_STATUS = 0x06,
    PCI_REVISION = 0x08,
    PCI_CLASS = 0x09, /* three bytes: programming interface, subclass, base class */
    PCI_HEADER_TYPE = 0x0e,
    PCI_BAR0 = 0x10,
    PCI_SUBSYSTEM_VENDOR = 0x2c,
    PCI_SUBSYSTEM = 0x2e,
    PCI_ROM_BAR = 0x30,
    PCI_CAPABILITIES = 0x34,
    PCI_INTERRUPT_LINE = 0x3c,
    PCI_INTERRUPT_PIN = 0x3d,
    PCI_CONFIG_SIZE = 0x100,
};
enum {
    PCI_COMMAND_IO = 1 << 0,
    PCI_COMMAND_MEMORY = 1 << 1,
    PCI_COMMAND_MASTER = 1 << 2,
    PCI_COMMAND_NO_INTX = 1 << 10,
    PCI_STATUS_INTX = 1 << 3,
    PCI_STATUS_CAPABILITIES = 1 << 4,
};
enum { PCI_N_BARS = 7, PCI_ROM = 6, PCI_MAX_WIRES = 8 };

struct pci_class {
    uint16_t vendor, device;
    uint32_t class_code; /* base class, subclass, interface: 0x010180 */
    uint8_t revision;
    uint8_t interrupt_pin; /* 1: INTA; 0: none */
    const char *makes_bus; /* a host bridge: the name of its bus; it is function 0.0 there */
    /* Bytes [offset, offset + size) are about to be read: for registers that are windows. May be
     * NULL. */
    void (*config_reading)(struct device *d, unsigned offset, unsigned size);
    /* Bytes [offset, offset + size) were written and masked. May be NULL. */
    void (*config_written)(struct device *d, unsigned offset, unsigned size);
};

extern const struct device_prop pci_props[], pci_bridge_props[];

struct pci_bus {
    struct device *host;
    struct device *functions[256]; /* by slot << 3 | function */
    /* Where functions without addr go; the bridge's properties first-slot and last-slot. */
    uint8_t first_slot, last_slot;
    /* The interrupt router, set by the ISA bridge: which of its wires pin 0 to 3 of a slot is on,
     * and what the wire's level is now. */
    unsigned (*route)(struct device *router, unsigned slot, unsigned pin);
    void (*set_wire)(struct device *router, unsigned wire, bool level);
    struct device *router;
    unsigned asserted[PCI_MAX_WIRES]; /* how many functions pull it */
    /* Port 0xcf9, which lies among the configuration ports; set by the ISA bridge. */
    uint8_t (*reset_read)(struct device *router);
    void (*reset_write)(struct device *router, uint8_t value);
    /* Set by a host bridge that shows parts of the bus's memory only, or elsewhere: where the CPU
     * sees [address, address + size) of the bus; false: nowhere. NULL: at the same addresses. */
    bool (*cpu_address)(struct device *host, gpa address, uint64_t size, gpa *out);
    /* Message-signalled interrupts, set by the machine (apic_msi). NULL: they get lost. */
    void (*msi)(struct machine *m, uint64_t address, uint32_t data);
};

struct pci_function {
    struct pci_bus *bus; /* NULL: none, as in tests of the device alone */
    uint8_t devfn;
    uint8_t config[PCI_CONFIG_SIZE];
    uint8_t initial[PCI_CONFIG_SIZE];  /* after init; what reset puts back */
    uint8_t writable[PCI_CONFIG_SIZE]; /* bits that a write changes */
    uint8_t cleared[PCI_CONFIG_SIZE];  /* bits that writing 1 clears */
    uint8_t next_capability;           /* where the next one goes in the list */
    uint8_t msi, msix;                 /* offsets of the capabilities; 0: none */
    bool irq_level;                    /* what the device asks for */
    int8_t wire;                       /* the wire it pulls, -1: none */
    bool started;                      /* has been reset once */
};

/* ---- for device.c ---- */
bool pci_attach(struct device *d, struct error *err);
void pci_detach(struct device *d); /* harmless for other devices */
void pci_reset(struct device *d);
void pci_print(const struct device *d, FILE *out);

/* As pci_bus.cpu_address says; true with the same address for other devices. */
bool pci_cpu_address(struct device *d, gpa address, uint64_t size, gpa *out);

/* ---- for devices ---- */
struct pci_bus *pci_bus_of(struct device *d); /* NULL: none */
uint32_t pci_get(const struct device *d, unsigned offset, unsigned size);
/* Without regard to masks. In `init` it also sets what reset puts back. */
void pci_set(struct device *d, unsigned offset, unsigned size, uint32_t value);
void pci_set_writable(struct device *d, unsigned offset, unsigned size, uint32_t mask);
/* A capability of `size` bytes at `offset`: id and list are filled in. In `init`. */
void pci_add_capability(struct device *d, uint8_t id, unsigned offset);
/* One vector, 64-bit addresses, 14 bytes. In `init`. */
void pci_add_msi(struct device *d, unsigned offset);
/* The function's interrupt: a message if the guest has switched to those, else its pin. With MSI-X
 * (hw/pci/msix.h) neither. */
void pci_irq(struct device *d, bool level);
/* Memory as bus master; false: mastering is off (buffer zeroed) or nothing is there. */
bool pci_dma_read(struct device *d, gpa address, void *buffer, size_t size);
bool pci_dma_write(struct device *d, gpa address, const void *buffer, size_t size);
bool pci_is_master(const struct device *d);

/* ---- for host bridges ---- */
void pci_bus_moved(struct pci_bus *bus); /* cpu_address gives other answers now */
/* size 1, 2, 4; offset + size within a dword. Reads of what is not there are all ones. */
uint32_t pci_config_read(struct pci_bus *bus, unsigned devfn, unsigned offset, unsigned size);
void pci_config_write(struct pci_bus *bus, unsigned devfn, unsigned offset, uint32_t value,
                      unsigned size);
/* Configuration mechanism 1: the ports 0xcf8 to 0xcff. *address is the host bridge's register. */
uint32_t pci_ports_read(struct pci_bus *bus, const uint32_t *address, unsigned offset,
                        unsigned size);
void pci_ports_write(struct pci_bus *bus, uint32_t *address, unsigned offset, uint32_t value,
                     unsigned size);

/* ---- for ISA bridges ---- */
void pci_bus_set_router(struct pci_bus *bus, struct device *router,
                        unsigned (*route)(struct device *router, unsigned slot, unsigned pin),
                        void (*set_wire)(struct device *router, unsigned wire, bool level));

#endif
