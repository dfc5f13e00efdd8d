/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Builds a machine from its table: memory, vCPU, devices, wires; reset and destruction. */
#include "hw/machine.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "exec/vcpu.h"
#include "frontend/guest.h"
#include "hw/props.h"
#include "util/sorted.h"
#include "util/suggest.h"

const struct machine_class *machine_class_find(const char *guest, const char *name)
{
    REGISTRY_FOREACH (machine_class, struct machine_class, class) {
        if ((!guest || !strcmp(class->guest, guest)) && !strcmp(class->name, name))
            return class;
    }
    return NULL;
}

struct device *machine_find_device(struct machine *m, const char *id)
{
    for (unsigned i = 0; i < m->n_devices; i++) {
        if (!strcmp(m->devices[i]->id, id))
            return m->devices[i];
    }
    return NULL;
}

bool machine_prop_string(const struct machine *m, const char *key, char *out, size_t out_size)
{
    return props_get(m->props, key, out, out_size);
}

bool machine_prop_on(const struct machine *m, const char *key, bool default_value)
{
    return props_on(m->props, key, default_value);
}

void machine_request(struct machine *m, enum machine_event what)
{
    if (m->event)
        m->event(m->event_opaque, what);
}

void machine_exit(struct machine *m, int status)
{
    m->exit_status = status;
    machine_request(m, MACHINE_EXIT);
}

bool machine_press_power_key(struct machine *m)
{
    struct device *key = machine_find_device(m, "power-key");

    if (!key)
        return false;
    struct irq wire = device_irq_in(key, 0);
    pthread_mutex_lock(&m->lock);
    irq_set(&wire, true);
    irq_set(&wire, false);
    pthread_mutex_unlock(&m->lock);
    return true;
}

/* ---- the vCPU -------------------------------------------------------------------------------- */

/* -cpu NAME[,FEATURES]. */
static bool is_cpu(const char *wanted, const char *name)
{
    size_t length = strcspn(wanted, ",");

    return strlen(name) == length && !memcmp(wanted, name, length);
}

static bool cpu_known(const struct guest *guest, const char *name)
{
    for (const struct cpu_model *model = guest->models; model->name; model++) {
        if (is_cpu(name, model->name))
            return true;
    }
    return false;
}

/* A name that the guest does not know at all is vcpu_create's to explain. */
static bool cpu_allowed(const struct machine_class *class, const struct guest *guest,
                        const char *name, struct error *err)
{
    char list[256] = "";

    if (!class->cpus || !cpu_known(guest, name))
        return true;
    for (const char *const *allowed = class->cpus; *allowed; allowed++) {
        if (is_cpu(name, *allowed))
            return true;
        size_t used = strlen(list);
        snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", *allowed);
    }
    return error_set(err, "machine '%s' does not take -cpu %s (it takes %s)", class->name, name,
                     list);
}

static void cpu_irq_set(void *receiver, unsigned line, bool level)
{
    struct vcpu *cpu = receiver;

    cpu->guest->set_irq(cpu, line, level);
}

static void board_power_off(void *opaque)
{
    machine_request(opaque, MACHINE_POWER_OFF);
}

static void board_reset(void *opaque)
{
    machine_request(opaque, MACHINE_RESET);
}

static bool create_cpu(struct machine *m, const struct machine_config *config, struct error *err)
{
    const struct guest *guest = guest_find(config->class->guest);
    const char *name = config->cpu ? config->cpu : config->class->default_cpu;
    struct exec_options options = {.interpret = config->interpret, .check = config->check};

    if (!guest)
        return error_set(err, "machine '%s' needs the %s guest, which is not built in",
                         config->class->name, config->class->guest);
    if (name && !cpu_allowed(config->class, guest, name, err))
        return false;
    memory_set_big_endian(m->memory, guest->big_endian);
    m->exec = exec_create(guest, m->memory, &options, err);
    if (!m->exec)
        return false;
    m->cpu = vcpu_create(m->exec, name, m->clock, &m->lock, 0, err);
    if (!m->cpu)
        return false;
    m->cpu->ports = m->ports;
    m->cpu_irq_out = m->cpu->irq_out;
    m->cpu->board = (struct vcpu_board){
        .opaque = m,
        .power_off = board_power_off,
        .reset = board_reset,
    };
    return true;
}

/* ---- properties of -M ------------------------------------------------------------------------ */

/* What every machine takes, for the command lines there are: read elsewhere, or the only choice. */
static const struct machine_prop common_props[] = {
    {"accel", "tcg", "the only way to run here"},
    {"dumpdtb", NULL, "write the device tree to this file"},
    {"usb", "off", "no USB controller"},
    {"graphics", "on,off", "taken; -nographic decides"},
    {NULL, NULL, NULL},
};

static bool value_allowed(const char *values, const char *value)
{
    char word[64];

    return !values || (props_get(values, value, word, sizeof(word)) && !strchr(value, '='));
}

static const struct machine_prop *prop_find(const struct machine_prop *list, const char *name)
{
    for (; list && list->name; list++) {
        if (!strcmp(list->name, name))
            return list;
    }
    return NULL;
}

static void nearest_prop(const struct machine_class *class, const char *name, const char **nearest)
{
    const char *names[64];
    unsigned n = 0;

    for (const struct machine_prop *p = class->props; p && p->name && n < 50; p++)
        names[n++] = p->name;
    for (const struct machine_prop *p = common_props; p->name; p++)
        names[n++] = p->name;
    names[n] = NULL;
    *nearest = suggest_nearest(name, names);
}

static bool check_props(const struct machine_class *class, const char *all, struct error *err)
{
    const char *props = all;
    char name[64], value[256];

    while (props && *props) {
        props = props_next(props, name, sizeof(name));
        name[strcspn(name, "=")] = '\0';
        if (!*name)
            continue;
        const struct machine_prop *prop = prop_find(class->props, name);
        if (!prop)
            prop = prop_find(common_props, name);
        if (!prop) {
            const char *nearest;
            nearest_prop(class, name, &nearest);
            return error_set(err, "-M %s: unknown property '%s' (did you mean '%s'?)", class->name,
                             name, nearest);
        }
        if (!props_get(all, name, value, sizeof(value)) || !value_allowed(prop->values, value))
            return error_set(err, "-M %s: %s=%s is not possible here (it takes %s)", class->name,
                             name, value, prop->values ? prop->values : "a shorter value");
    }
    return true;
}

/* ---- memory ---------------------------------------------------------------------------------- */

static void format_bytes(char *text, size_t size, uint64_t bytes)
{
    if (bytes >= GIB && bytes % GIB == 0)
        snprintf(text, size, "%" PRIu64 " GiB", bytes / GIB);
    else if (bytes >= MIB && bytes % MIB == 0)
        snprintf(text, size, "%" PRIu64 " MiB", bytes / MIB);
    else if (bytes >= KIB && bytes % KIB == 0)
        snprintf(text, size, "%" PRIu64 " KiB", bytes / KIB);
    else
        snprintf(text, size, "%" PRIu64 " bytes", bytes);
}

static bool check_ram_size(const struct machine_class *class, uint64_t bytes, struct error *err)
{
    char asked[32], limit[32];
    bool too_small = bytes < class->min_ram_bytes;

    if (!too_small && bytes <= class->max_ram_bytes)
        return true;
    format_bytes(asked, sizeof(asked), bytes);
    format_bytes(limit, sizeof(limit), too_small ? class->min_ram_bytes : class->max_ram_bytes);
    return error_set(err, "-m: machine '%s' cannot have %s of memory; the %s is %s", class->name,
                     asked, too_small ? "least" : "most", limit);
}

static bool create_memory(struct machine *m, struct error *err)
{
    const struct machine_class *class = m->class;

    if (!check_ram_size(class, m->ram_bytes, err))
        return false;
    m->memory = memory_create(&m->lock, err);
    if (!m->memory)
        return false;
    if (class->has_ports) {
        m->ports = memory_create(&m->lock, err);
        if (!m->ports)
            return false;
    }
    if (!class->maps_ram) {
        m->ram = memory_add_ram(m->memory, "ram", class->ram_base, m->ram_bytes, err);
        if (!m->ram)
            return false;
    }
    for (const struct machine_ram *ram = class->extra_ram; ram && ram->name; ram++) {
        uint64_t size = ram->size ? ram->size : m->ram_bytes;
        if (!memory_add_ram(m->memory, ram->name, ram->base, size, err))
            return false;
    }
    return true;
}

bool machine_show_ram(struct machine *m, uint64_t low_limit, struct error *err)
{
    uint64_t low = MIN(m->ram_bytes, low_limit);
    const struct memory_window windows[] = {
        {.base = 0, .size = MIN(low, 640 * KIB)},
        {.offset = MIB, .base = MIB, .size = low > MIB ? low - MIB : 0},
        {.offset = low, .base = 4 * GIB, .size = m->ram_bytes - low},
    };

    return machine_show_ram_windows(m, windows, ARRAY_SIZE(windows), err);
}

bool machine_show_ram_windows(struct machine *m, const struct memory_window *windows, unsigned n,
                              struct error *err)
{
    m->ram_block = memory_create_ram(m->memory, "ram", m->ram_bytes, err);
    if (!m->ram_block)
        return false;
    m->ram = memory_block_host(m->ram_block);
    for (unsigned i = 0; i < n && i < ARRAY_SIZE(m->ram_windows); i++) {
        m->ram_windows[i] = windows[i];
        m->ram_windows[i].block = m->ram_block;
        if (windows[i].size && !memory_window_show(m->memory, &m->ram_windows[i], err))
            return false;
    }
    return true;
}

/* ---- buses ----------------------------------------------------------------------------------- */

bool machine_add_bus(struct machine *m, const char *kind, const char *name, struct device *owner,
                     void *bus, struct error *err)
{
    struct machine_bus *entry = calloc(1, sizeof(*entry)), **last = &m->buses;

    if (!entry)
        return error_set(err, "out of memory for bus '%s'", name);
    entry->kind = kind;
    snprintf(entry->name, sizeof(entry->name), "%s", name);
    entry->owner = owner;
    entry->bus = bus;
    while (*last)
        last = &(*last)->next;
    *last = entry;
    return true;
}

void machine_remove_buses(struct machine *m, const struct device *owner)
{
    for (struct machine_bus **link = &m->buses; *link;) {
        struct machine_bus *entry = *link;
        if (entry->owner != owner) {
            link = &entry->next;
            continue;
        }
        *link = entry->next;
        free(entry);
    }
}

void *machine_find_bus(struct machine *m, const char *kind, const char *name)
{
    for (struct machine_bus *entry = m->buses; entry; entry = entry->next) {
        if (!strcmp(entry->kind, kind) &&
            (!name || !strcmp(entry->name, name) || !strcmp(entry->owner->id, name)))
            return entry->bus;
    }
    return NULL;
}

/* ---- devices --------------------------------------------------------------------------------- */

/* The classes -device may name, for a wrong name's sake. */
static const char *nearest_addable(const char *name)
{
    struct sorted classes = {.n = 0};

    REGISTRY_FOREACH (device_class, struct device_class, class) {
        if (class->addable)
            sorted_add(&classes, class, class->name);
    }
    return suggest_nearest(name, classes.names);
}

/* QEMU's short names: "virtio-blk" is what suits the machine. */
static const struct device_class *find_addable(struct machine *m, const char *name)
{
    const struct device_class *class = device_class_find(name);
    char full[96];

    if (!class && !strncmp(name, "virtio-", 7)) {
        snprintf(full, sizeof(full), "%s-%s", name,
                 machine_find_bus(m, "pci", NULL) ? "pci" : "device");
        class = device_class_find(full);
    }
    return class && class->addable ? class : NULL;
}

/* The property id, or the class's name, which then gets a number from the second on. */
static bool choose_id(struct machine *m, const char *class, const char *props, char *id,
                      size_t size, struct error *err)
{
    if (props_get(props, "id", id, size))
        return !machine_find_device(m, id) ||
               error_set(err, "-device %s: there is a device '%s' already", class, id);
    snprintf(id, size, "%s", class);
    for (unsigned n = 2; machine_find_device(m, id); n++)
        snprintf(id, size, "%s.%u", class, n);
    return true;
}

/* The host sides that the properties drive= and chardev= name. */
static bool find_host_side(const struct machine_config *config, const char *id, const char *props,
                           struct chardev **chardev, void **backend, struct error *err)
{
    char name[64];

    if (props_get(props, "drive", name, sizeof(name))) {
        *backend = config->backend ? config->backend(config->opaque, name) : NULL;
        if (!*backend)
            return error_set(err, "-device %s: there is no drive '%s'", id, name);
    }
    if (props_get(props, "chardev", name, sizeof(name))) {
        *chardev = config->chardev ? config->chardev(config->opaque, name) : NULL;
        if (!*chardev)
            return error_set(err, "-device %s: there is no chardev '%s'", id, name);
    }
    return true;
}

/* One of -device: "CLASS,KEY=VALUE,...". */
static bool add_device(struct machine *m, const struct machine_config *config, const char *what,
                       struct error *err)
{
    char name[64], id[96];
    const char *props = strchr(what, ',');
    size_t length = props ? (size_t)(props - what) : strlen(what);
    struct chardev *chardev = NULL;
    void *backend = NULL;

    snprintf(name, sizeof(name), "%.*s", (int)MIN(length, sizeof(name) - 1), what);
    props += props != NULL;
    const struct device_class *class = find_addable(m, name);
    if (!class)
        return error_set(err,
                         "-device %s: no such device can be added; did you mean '%s'? "
                         "(-device help lists them)",
                         name, nearest_addable(name));
    if (class->pci && !machine_find_bus(m, "pci", NULL))
        return error_set(err, "-device %s: machine '%s' has no PCI bus", name, m->class->name);
    if (!device_check_props(class, props, err) || !choose_id(m, name, props, id, sizeof(id), err) ||
        !find_host_side(config, id, props, &chardev, &backend, err))
        return false;
    if (!chardev && config->chardev && !strcmp(name, "isa-debugcon"))
        chardev = config->chardev(config->opaque, "debugcon");
    struct device *d = device_create(class, id, m, props, chardev, backend, err);
    if (!d)
        return false;
    m->devices[m->n_devices++] = d;
    return device_map_all(
        d, class->default_base ? device_prop_u64(d, "iobase", class->default_base) : 0, err);
}

static bool wants_device(const struct machine *m, const struct machine_device *entry)
{
    return !m->class->wants || m->class->wants(m, entry);
}

/* -vga: what stands in the place of the board's adapter. */
static const struct {
    const char *name, *class, *without_pci;
} adapters[] = {
    {"std", "VGA", NULL},
    {"cirrus", "cirrus-vga", NULL},
    {"virtio", "virtio-vga", "virtio-gpu-device"},
};

static const char *class_name(const struct machine *m, const struct machine_device *entry)
{
    for (unsigned i = 0; i < ARRAY_SIZE(adapters) && !strcmp(entry->id, "vga"); i++) {
        if (!strcmp(adapters[i].name, m->boot.vga))
            return adapters[i].class;
    }
    return entry->class;
}

/* An adapter that was asked for on a board that has no place for one. */
static bool add_adapter(struct machine *m, const struct machine_config *config, struct error *err)
{
    bool pci = machine_find_bus(m, "pci", NULL) != NULL;

    if (!m->boot.vga[0] || machine_find_device(m, "vga"))
        return true;
    for (unsigned i = 0; i < ARRAY_SIZE(adapters); i++) {
        const char *class = pci ? adapters[i].class : adapters[i].without_pci;
        if (!strcmp(adapters[i].name, m->boot.vga) && class)
            return add_device(m, config, class, err);
    }
    return error_set(err, "-vga %s: machine '%s' has no PCI bus; -vga virtio works without",
                     m->boot.vga, m->class->name);
}

static bool create_device(struct machine *m, const struct machine_config *config,
                          const struct machine_device *entry, struct error *err)
{
    const struct device_class *class = device_class_find(class_name(m, entry));
    struct chardev *chardev = NULL;
    void *backend = NULL;

    if (!class)
        return error_set(err, "machine '%s': device '%s' is not built in", m->class->name,
                         entry->class);
    if (entry->backend &&
        (!strncmp(entry->backend, "serial", 6) || !strncmp(entry->backend, "parallel", 8))) {
        if (config->chardev)
            chardev = config->chardev(config->opaque, entry->backend);
    } else if (entry->backend && config->backend) {
        backend = config->backend(config->opaque, entry->backend);
    }
    if (!device_check_props(class, entry->props, err))
        return false;
    struct device *d = device_create(class, entry->id, m, entry->props, chardev, backend, err);
    if (!d)
        return false;
    m->devices[m->n_devices++] = d;
    return device_map_all(d, entry->base, err);
}

static bool create_devices(struct machine *m, const struct machine_config *config,
                           struct error *err)
{
    const struct machine_device *table = m->class->devices;
    unsigned n = 0, n_added = 0;

    while (table && table[n].class)
        n++;
    while (config->devices && config->devices[n_added])
        n_added++;
    m->devices = calloc(n + n_added + 1, sizeof(*m->devices)); /* and an adapter */
    if (!m->devices)
        return error_set(err, "out of memory");
    for (unsigned i = 0; i < n; i++) {
        if (wants_device(m, &table[i]) && !create_device(m, config, &table[i], err))
            return false;
    }
    for (unsigned i = 0; i < n_added; i++) {
        if (!add_device(m, config, config->devices[i], err))
            return false;
    }
    return add_adapter(m, config, err);
}

static bool find_input(struct machine *m, const char *name, unsigned line, struct irq *out,
                       struct error *err)
{
    if (!strcmp(name, "cpu")) {
        *out = (struct irq){.set = cpu_irq_set, .receiver = m->cpu, .line = line};
        if (line < m->cpu->guest->n_irq_in)
            return true;
    } else {
        struct device *d = machine_find_device(m, name);
        if (d)
            *out = device_irq_in(d, line);
        if (d && out->set)
            return true;
    }
    return error_set(err, "machine '%s': no interrupt input %u at '%s'", m->class->name, line,
                     name);
}

/* Of the table, and not there. */
static bool is_left_out(struct machine *m, const char *id)
{
    for (const struct machine_device *entry = m->class->devices; entry && entry->class; entry++) {
        if (!strcmp(entry->id, id))
            return !machine_find_device(m, id);
    }
    return false;
}

static bool connect_outputs(struct machine *m, const struct machine_device *entry,
                            struct error *err)
{
    struct device *d = machine_find_device(m, entry->id);

    if (!d || !entry->irq_to || is_left_out(m, entry->irq_to))
        return true;
    for (unsigned n = 0; n < d->class->n_irq_out; n++) {
        struct irq wire;
        if (!find_input(m, entry->irq_to, entry->irq + n, &wire, n ? NULL : err))
            return n > 0;
        d->irq_out[n] = wire;
    }
    return true;
}

static bool connect_wire(struct machine *m, const struct machine_wire *wire, struct error *err)
{
    struct device *d = machine_find_device(m, wire->from);
    bool is_cpu = !strcmp(wire->from, "cpu");
    struct irq *outputs = is_cpu ? m->cpu_irq_out : d ? d->irq_out : NULL;
    unsigned n = is_cpu ? m->cpu->guest->n_irq_out : d ? d->class->n_irq_out : 0;

    if (is_left_out(m, wire->from) || is_left_out(m, wire->to))
        return true;
    if (wire->from_line >= n)
        return error_set(err, "machine '%s': no interrupt output %u at '%s'", m->class->name,
                         wire->from_line, wire->from);
    return find_input(m, wire->to, wire->to_line, &outputs[wire->from_line], err);
}

static bool connect_wires(struct machine *m, struct error *err)
{
    for (const struct machine_device *entry = m->class->devices; entry && entry->class; entry++) {
        if (!connect_outputs(m, entry, err))
            return false;
    }
    for (const struct machine_wire *wire = m->class->wires; wire && wire->from; wire++) {
        if (!connect_wire(m, wire, err))
            return false;
    }
    return true;
}

/* ---- the whole ------------------------------------------------------------------------------- */

struct machine *machine_create(const struct machine_config *config, struct error *err)
{
    struct machine *m = calloc(1, sizeof(*m));

    if (!m) {
        error_set(err, "out of memory");
        return NULL;
    }
    memory_lock_init(&m->lock);
    m->class = config->class;
    m->boot = config->boot;
    m->props = config->props;
    m->event = config->event;
    m->event_opaque = config->opaque;
    m->ram_bytes = config->ram_bytes ? config->ram_bytes : config->class->default_ram_bytes;
    m->clock = clock_create();
    if (!m->clock) {
        error_set(err, "cannot create the machine's clock");
        goto fail;
    }
    if (!check_props(m->class, m->props, err) || !create_memory(m, err) ||
        !create_cpu(m, config, err) || !create_devices(m, config, err) || !connect_wires(m, err))
        goto fail;
    if (m->class->init && !m->class->init(m, err))
        goto fail;
    return m;

fail:
    machine_destroy(m);
    return NULL;
}

void machine_destroy(struct machine *m)
{
    if (!m)
        return;
    /* The vCPU first: its thread uses everything below. */
    if (m->cpu)
        vcpu_destroy(m->cpu);
    if (m->exec)
        exec_destroy(m->exec);
    if (m->class->finish)
        m->class->finish(m);
    if (m->loader)
        m->loader_destroy(m->loader);
    for (unsigned i = m->n_devices; i-- > 0;)
        device_destroy(m->devices[i]);
    free(m->devices);
    screens_destroy(&m->screens);
    memory_destroy(m->ports);
    memory_destroy(m->memory);
    if (m->clock)
        clock_destroy(m->clock);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

bool machine_reset(struct machine *m, struct error *err)
{
    bool ok = true;

    pthread_mutex_lock(&m->lock);
    *m->reset_reason = 0;
    /* Table order: interrupt controllers come first and forget their inputs, then the devices
     * drive their lines anew. */
    for (unsigned i = 0; i < m->n_devices; i++)
        device_reset(m->devices[i]);
    vcpu_reset(m->cpu);
    if (m->class->boot)
        ok = m->class->boot(m, err);
    pthread_mutex_unlock(&m->lock);
    return ok;
}
