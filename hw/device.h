/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A device: register regions, interrupt lines, a state list. One .c file that registers one
 * device_class. A device sees offsets only, never a board address, and no CPU.
 *
 * Threading: every callback runs with the machine's device lock held.
 * The guest is hostile: offsets are in range and aligned (memory.h sees to that), values are not to
 * be trusted. What the manual has and we lack: log LOG_UNIMP with register and value. What the
 * manual forbids: LOG_GUEST_ERROR, then the hardware's behaviour.
 */
#ifndef CALQUE_HW_DEVICE_H
#define CALQUE_HW_DEVICE_H

#include "softmmu/memory.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/irq.h"
#include "util/log.h"
#include "util/registry.h"

struct device;
struct chardev;
struct pci_class;
struct pci_function;
struct virtio_type;

struct device_region {
    const char *name;
    uint64_t size;
    uint8_t min_access, max_access; /* bytes the device itself handles; others are split/widened */
    uint64_t (*read)(struct device *d, uint64_t offset, unsigned size);
    void (*write)(struct device *d, uint64_t offset, uint64_t value, unsigned size);
    /* Flash: the guest reads memory (device_region_memory) directly; `read` is called only between
     * device_region_set_readable(false) and (true), `write` for every store. */
    bool rom;
    /* Name of the property that gives the size, NULL: `size` always; else `size` by default. */
    const char *size_prop;
    /* Goes to the machine's port space (x86 IN, OUT) instead of its memory. */
    bool port;
    bool unaligned; /* takes accesses at any offset, not only multiples of their size */
    bool cpu_order; /* words are the CPU's, not little-endian (softmmu/memory.h) */
    bool ram;       /* memory (device_region_memory) instead of callbacks */
    /* Shows where the device puts it with device_place, not where the machine's table says: `moves`
     * as the device's own registers have it; a BAR (DEVICE_BAR(n), DEVICE_BAR_ROM) as hw/pci/pci.c
     * reads them. */
    bool moves;
    uint8_t bar;
    bool bar_64; /* takes two BARs and may lie above 4 GiB */
    bool bar_prefetch;
};
#define DEVICE_BAR(n) ((n) + 1)
enum { DEVICE_BAR_ROM = 7 };

/* One entry of the list that reset, `info`, snapshots and migration read (D12). Offsets into the
 * device's state struct. count > 1: an array. */
enum device_field_kind { DEVICE_U8, DEVICE_U16, DEVICE_U32, DEVICE_U64, DEVICE_BOOL, DEVICE_TIMER };
struct device_field {
    const char *name;
    uint32_t offset;
    uint32_t count;
    uint8_t kind;
    uint64_t reset; /* value after reset, before class->reset refines it */
    bool keep;      /* a reset does not touch it */
};
#define DEVICE_FIELD(struct_type, member, field_kind, reset_value)                                 \
    {                                                                                              \
        .name = #member, .offset = offsetof(struct_type, member), .count = 1,                      \
        .kind = (field_kind), .reset = (reset_value)                                               \
    }
#define DEVICE_KEPT(struct_type, member, field_kind)                                               \
    {                                                                                              \
        .name = #member, .offset = offsetof(struct_type, member), .count = 1,                      \
        .kind = (field_kind), .keep = true                                                         \
    }
#define DEVICE_ARRAY(struct_type, member, field_kind, n, reset_value)                              \
    {                                                                                              \
        .name = #member, .offset = offsetof(struct_type, member), .count = (n),                    \
        .kind = (field_kind), .reset = (reset_value)                                               \
    }

/* What a device takes as KEY=VALUE, of -device or in a machine's table; a list ends with name ==
 * NULL. What its regions take (size_prop, "base0" and so on, "iobase" with a default_base) and what
 * all PCI functions do needs no entry. */
enum device_prop_kind {
    DEVICE_PROP_NUMBER, /* 10, 0x10, 4K, 4M, 4G */
    DEVICE_PROP_SWITCH, /* on, off */
    DEVICE_PROP_AUTO,   /* or auto */
    DEVICE_PROP_TEXT,
};
struct device_prop {
    const char *name;
    uint8_t kind;
    uint64_t least, most; /* of a number, and most bytes of a text; most 0: any */
    bool power_of_two;
};
/* The host sides, of -drive and -chardev. */
#define DEVICE_DRIVE                                                                               \
    {                                                                                              \
        "drive", DEVICE_PROP_TEXT, .most = 63                                                      \
    }
#define DEVICE_CHARDEV                                                                             \
    {                                                                                              \
        "chardev", DEVICE_PROP_TEXT, .most = 63                                                    \
    }

struct device_class {
    const char *name; /* as `-device` and machine tables say it */
    const char *description;
    const char *manual;               /* which document it follows */
    bool addable;                     /* -device takes it */
    const struct pci_class *pci;      /* hw/pci/pci.h; NULL: no PCI function */
    const struct virtio_type *virtio; /* hw/virtio/virtio.h; NULL: no virtio device */
    const struct device_prop *props;  /* NULL: none of its own */
    gpa default_base; /* where region 0 of an added one goes; its property "iobase" counts more */
    bool interrupts;  /* an interrupt controller: info pic shows it */
    size_t state_size;
    const struct device_region *regions;
    unsigned n_regions;
    const struct device_field *fields;
    unsigned n_fields;
    unsigned n_irq_in, n_irq_out;
    bool (*init)(struct device *d, struct error *err); /* state zeroed, props, chardev, clock set */
    void (*reset)(struct device *d);                   /* after the fields' reset values are in */
    void (*irq_in)(struct device *d, unsigned line, bool level);
    void (*finish)(struct device *d);
    void (*print)(struct device *d, FILE *out); /* what `info` shows besides the fields */
};
REGISTRY_DECLARE(device_class);

/* Where a region is mapped; one per region of the class, owned by the device. */
struct device_mapping {
    struct device *device;
    const struct device_region *region;
    struct region_ops ops;
    gpa base;    /* as the device says: of a PCI function on its bus */
    bool placed; /* by device_place; it shows if the bus lets the CPU see it there */
    uint64_t size;
    uint8_t *host;              /* of ram; of rom that moves; of other rom once mapped */
    struct memory_block *block; /* what moves */
    struct memory_window window;
};

/* State with a list of its own beside the class's: of what is plugged into a transport. `init` sets
 * it and `finish` frees it. */
struct device_part {
    void *state;
    const struct device_field *fields;
    unsigned n_fields;
};

struct device {
    const struct device_class *class;
    const char *id;
    void *state;
    struct device_part part;
    struct irq *irq_out; /* class->n_irq_out wires, connected by the machine */
    struct clock *clock;
    struct memory *memory; /* for DMA */
    struct machine *machine;
    struct pci_function *pci;        /* of a PCI function, else NULL */
    struct chardev *chardev;         /* serial devices; NULL: nothing attached */
    void *backend;                   /* disk, network or display of the host side; NULL none */
    const char *props;               /* "key=value,key=value" from the machine table or -device */
    struct device_mapping *mappings; /* class->n_regions */
};

static inline void device_irq(struct device *d, unsigned line, bool level)
{
    irq_set(&d->irq_out[line], level);
}

/* Whether a class takes all of these properties, and with these values. */
bool device_check_props(const struct device_class *class, const char *props, struct error *err);
/* Property of this device, or the default; one that its class has. */
uint64_t device_prop_u64(const struct device *d, const char *key, uint64_t default_value);
bool device_prop_on(const struct device *d, const char *key, bool default_value);
/* False: it is not given. */
bool device_prop_string(const struct device *d, const char *key, char *out, size_t out_size);

const struct device_class *device_class_find(const char *name);
/* Creates and initialises; regions are not mapped yet. NULL with err on failure. */
struct device *device_create(const struct device_class *class, const char *id,
                             struct machine *machine, const char *props, struct chardev *chardev,
                             void *backend, struct error *err);
void device_destroy(struct device *d);
void device_reset(struct device *d);      /* field resets, then class->reset */
void device_reset_part(struct device *d); /* the fields of its part only */
bool device_map(struct device *d, unsigned region, gpa base, struct error *err);
/* Every region that has a place of its own, one behind the other from base on, or where the
 * property baseN says. */
bool device_map_all(struct device *d, gpa base, struct error *err);
/* For regions that move, at any time: show it at `base` (which it leaves if it was elsewhere), hide
 * it. Where it cannot show it is hidden. */
void device_place(struct device *d, unsigned region, gpa base);
void device_unplace(struct device *d, unsigned region);
void device_place_if(struct device *d, unsigned region, gpa base, bool shown); /* else hides it */
/* The bus shows its addresses elsewhere now: what is placed goes there. */
void device_place_again(struct device *d);
uint8_t *device_region_memory(struct device *d, unsigned region, uint64_t *size);
void device_region_set_readable(struct device *d, unsigned region, bool readable);
/* The input wire `line` of a device, to connect to another's output. */
struct irq device_irq_in(struct device *d, unsigned line);
void device_print(struct device *d, FILE *out); /* every field of the list */

#endif
