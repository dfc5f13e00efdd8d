/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine: a table that reads like the board's manual, plus one boot() hook.
 *
 * Threading: built on the main thread before the vCPU runs. The device lock (recursive) protects
 * all device state afterwards.
 */
#ifndef CALQUE_HW_MACHINE_H
#define CALQUE_HW_MACHINE_H

#include <pthread.h>

#include "host/input.h"
#include "host/screen.h"
#include "hw/device.h"

struct vcpu;
struct exec;
struct loader;
struct machine;

/* One device of the board, in the order of creation and reset: interrupt controllers first.
 * base: where region 0 goes; region n > 0 goes to the property "base<n>" if props has it, else it
 * follows region n-1. irq_to/irq: where output 0 goes ("gic", 37), further outputs follow at
 * irq+1.. unless wires say otherwise; "cpu" is the vCPU's own lines (guest->set_irq).
 * backend: "serial0".., "sd0", "net0", "display0", NULL. */
struct machine_device {
    const char *class, *id;
    gpa base;
    const char *irq_to;
    unsigned irq;
    const char *backend;
    const char *props;
};
/* An extra connection: output `from_line` of `from` to input `to_line` of `to`. "cpu" as `from`
 * names the vCPU's output lines (generic timer), as `to` its interrupt inputs. */
struct machine_wire {
    const char *from;
    unsigned from_line;
    const char *to;
    unsigned to_line;
};
struct machine_ram {
    const char *name;
    gpa base;
    uint64_t size; /* 0: what -m says */
};

/* A property that -M name,key=value takes. */
struct machine_prop {
    const char *name;
    const char *values; /* "on,off": one of these; NULL: any */
    const char *help;
};

/* What the command line asked for; all strings NULL if absent. */
struct boot_options {
    const char *kernel, *initrd, *append, *dtb, *bios, *dumpdtb;
    char order[8];     /* -boot: letters a, c, d, n; "": the firmware's own order */
    char once[8];      /* the same for the first start; "": as order */
    char rtc_base[32]; /* "": utc */
    uint8_t uuid[16];  /* in the order of its text; zeros: none */
    unsigned n_serial; /* serial ports that were asked for */
    bool menu, no_acpi, no_hpet, no_vga;
    char vga[12];    /* the adapter in place of the board's: std, cirrus, virtio; "": its own */
    bool no_graphic; /* firmware's console goes to the first serial port, too */
};

struct machine_class {
    const char *name; /* as -M takes it */
    const char *description;
    const char *guest; /* "arm" */
    const char *default_cpu;
    const char *const *cpus; /* allowed `-cpu` names, NULL-terminated; NULL: all */
    uint64_t default_ram_bytes, max_ram_bytes, min_ram_bytes;
    gpa ram_base;
    bool has_firmware; /* starts without -kernel and -bios */
    bool is_default;   /* the guest's machine when -M does not say */
    bool has_ports;    /* x86: a space of 64 Ki ports beside the memory */
    /* Maps the -m bytes itself, in init (a hole below 4 GiB); ram_base is not used then. */
    bool maps_ram;
    const struct machine_device *devices; /* ends with class == NULL */
    const struct machine_wire *wires;     /* ends with from == NULL; may be NULL */
    /* Whether this one of `devices` is there, as options and properties have it; wires from or to
     * what is left out are left out, too. NULL: all are. */
    bool (*wants)(const struct machine *m, const struct machine_device *entry);
    const struct machine_ram *extra_ram; /* ends with name == NULL; may be NULL */
    const struct machine_prop *props;    /* ends with name == NULL; may be NULL */
    /* After devices exist and are wired: generated parts (device tree), CPU wires. */
    bool (*init)(struct machine *m, struct error *err);
    /* At every reset, after devices and vCPU were reset: load images, set entry registers. */
    bool (*boot)(struct machine *m, struct error *err);
    void (*finish)(struct machine *m); /* frees m->data; may be NULL */
};
REGISTRY_DECLARE(machine_class);

enum machine_event { MACHINE_POWER_OFF, MACHINE_RESET, MACHINE_PANIC, MACHINE_EXIT };

/* What devices plug into ("pci", "ata"), by QEMU's name ("pci.0", "ide.1") or its owner's id. */
struct machine_bus {
    const char *kind;
    char name[24];
    struct device *owner;
    void *bus;
    struct machine_bus *next;
};

struct machine {
    const struct machine_class *class;
    struct memory *memory;
    struct memory *ports; /* the port space, NULL: the machine has none */
    struct clock *clock;
    pthread_mutex_t lock;
    struct exec *exec;
    struct vcpu *cpu; /* vCPU 0 */
    struct device **devices;
    unsigned n_devices;
    uint64_t ram_bytes;
    uint8_t *ram; /* host address of main RAM */
    struct boot_options boot;
    const char *props; /* of -M name,key=value */
    /* Asked by devices and guest firmware calls; any thread; returns at once, vm/ acts on it. */
    void (*event)(void *opaque, enum machine_event what);
    void *event_opaque;
    int exit_status;        /* MACHINE_EXIT: what calque ends with */
    char reset_reason[64];  /* MACHINE_RESET that nobody asked for: why; else "" */
    struct screens screens; /* what its display adapters show */
    struct input input;     /* who of its devices gets keys and movements */
    struct machine_bus *buses;
    struct memory_block *ram_block; /* all RAM of a PC (machine_show_ram); else NULL */
    struct memory_window ram_windows[3];
    void *data;            /* the board's own */
    struct loader *loader; /* images read at the first boot, owned by hw/machines/loader.c */
    void (*loader_destroy)(struct loader *loader);
    struct irq *cpu_irq_out; /* the vCPU's output wires, owned by it */
};

struct machine_config {
    const struct machine_class *class;
    const char *cpu;
    const char *props;
    uint64_t ram_bytes;
    struct boot_options boot;
    const char *const
        *devices; /* further ones: "CLASS,KEY=VALUE,...", ends with NULL; may be NULL */
    bool interpret, check;
    /* Looks up the host side of a backend name; NULL if nothing is attached. */
    struct chardev *(*chardev)(void *opaque, const char *name);
    void *(*backend)(void *opaque, const char *name);
    void (*event)(void *opaque, enum machine_event what);
    void *opaque;
};

struct machine *machine_create(const struct machine_config *config, struct error *err);
void machine_destroy(struct machine *m);
bool machine_reset(struct machine *m, struct error *err); /* vCPU stopped; runs boot() */
/* A device or the firmware asks for power-off or reset; returns at once. */
void machine_request(struct machine *m, enum machine_event what);
/* Ends calque with this status. */
void machine_exit(struct machine *m, int status);
/* Presses the power button (the device with id "power-key"); false: the board has none. */
bool machine_press_power_key(struct machine *m);
bool machine_add_bus(struct machine *m, const char *kind, const char *name, struct device *owner,
                     void *bus, struct error *err);
void machine_remove_buses(struct machine *m, const struct device *owner);
/* name NULL: the first of its kind. NULL: there is none. */
void *machine_find_bus(struct machine *m, const char *kind, const char *name);
/* For machines with maps_ram: creates the -m bytes as ram_block and shows them as PCs do: at 0 up
 * to 640 KiB, from 1 MiB to low_limit, and the rest at 4 GiB. What is left out below 1 MiB is the
 * chipset's to show (PAM, SMRAM). */
bool machine_show_ram(struct machine *m, uint64_t low_limit, struct error *err);
/* The same for other maps: up to 3 windows onto the RAM; those without size are left out. */
bool machine_show_ram_windows(struct machine *m, const struct memory_window *windows, unsigned n,
                              struct error *err);
/* Property of -M name,key=value. */
bool machine_prop_string(const struct machine *m, const char *key, char *out, size_t out_size);
bool machine_prop_on(const struct machine *m, const char *key, bool default_value);
struct device *machine_find_device(struct machine *m, const char *id);
/* NULL if there is none. guest NULL: of any guest. */
const struct machine_class *machine_class_find(const char *guest, const char *name);

#endif
