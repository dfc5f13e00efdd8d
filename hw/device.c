/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Devices: the class registry, properties, creation, mapping, reset and wires. */
#include "hw/device.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/machine.h"
#include "hw/pci/pci.h"

/* ---- life ------------------------------------------------------------------------------------ */

const struct device_class *device_class_find(const char *name)
{
    REGISTRY_FOREACH (device_class, struct device_class, class) {
        if (!strcmp(class->name, name))
            return class;
    }
    return NULL;
}

static void device_free(struct device *d)
{
    free(d->state);
    free(d->irq_out);
    free(d->mappings);
    free((char *)d->id);
    free((char *)d->props);
    free(d);
}

static bool region_moves(const struct device_region *region)
{
    return region->moves || region->bar;
}

/* Memory that moves is there from the start, so that init can fill it. */
static bool create_memory(struct device *d, struct error *err)
{
    for (unsigned i = 0; i < d->class->n_regions; i++) {
        struct device_mapping *mapping = &d->mappings[i];
        const struct device_region *what = mapping->region;
        if (what->ram)
            mapping->block = memory_create_ram(d->memory, what->name, mapping->size, err);
        else if (what->rom && region_moves(what))
            mapping->block =
                memory_create_rom(d->memory, what->name, mapping->size, NULL, NULL, err);
        else
            continue;
        if (!mapping->block)
            return false;
        mapping->host = memory_block_host(mapping->block);
    }
    return true;
}

struct device *device_create(const struct device_class *class, const char *id,
                             struct machine *machine, const char *props, struct chardev *chardev,
                             void *backend, struct error *err)
{
    struct device *d = calloc(1, sizeof(*d));

    if (!d) {
        error_set(err, "out of memory for device '%s'", id);
        return NULL;
    }
    d->class = class;
    d->id = strdup(id);
    d->props = props ? strdup(props) : NULL;
    d->state = calloc(1, MAX(class->state_size, 1));
    d->irq_out = calloc(MAX(class->n_irq_out, 1), sizeof(*d->irq_out));
    d->mappings = calloc(MAX(class->n_regions, 1), sizeof(*d->mappings));
    d->machine = machine;
    d->clock = machine->clock;
    d->memory = machine->memory;
    d->chardev = chardev;
    d->backend = backend;
    if (!d->id || (props && !d->props) || !d->state || !d->irq_out || !d->mappings) {
        error_set(err, "out of memory for device '%s'", id);
        device_free(d);
        return NULL;
    }
    for (unsigned i = 0; i < class->n_regions; i++) {
        const struct device_region *region = &class->regions[i];
        d->mappings[i].device = d;
        d->mappings[i].region = region;
        d->mappings[i].size =
            region->size_prop ? device_prop_u64(d, region->size_prop, region->size) : region->size;
    }
    if (!create_memory(d, err) || (class->pci && !pci_attach(d, err))) {
        device_free(d);
        return NULL;
    }
    if (class->init && !class->init(d, err)) {
        pci_detach(d);
        device_free(d);
        return NULL;
    }
    return d;
}

static void *field_pointer(void *state, const struct device_field *field)
{
    return (uint8_t *)state + field->offset;
}

static void cancel_timers(const struct device_part *part)
{
    for (unsigned i = 0; i < part->n_fields; i++) {
        const struct device_field *field = &part->fields[i];
        if (field->kind != DEVICE_TIMER)
            continue;
        struct timer *timers = field_pointer(part->state, field);
        for (unsigned n = 0; n < field->count; n++) {
            if (timers[n].clock)
                timer_cancel(&timers[n]);
        }
    }
}

/* What the class's own list describes. */
static struct device_part own_part(const struct device *d)
{
    return (struct device_part){d->state, d->class->fields, d->class->n_fields};
}

void device_destroy(struct device *d)
{
    if (!d)
        return;
    struct device_part own = own_part(d);
    cancel_timers(&own);
    cancel_timers(&d->part);
    if (d->class->finish)
        d->class->finish(d);
    pci_detach(d);
    device_free(d);
}

static void field_reset(void *state, const struct device_field *field)
{
    void *at = field_pointer(state, field);

    for (unsigned n = 0; n < field->count; n++) {
        switch ((enum device_field_kind)field->kind) {
        case DEVICE_U8:
            ((uint8_t *)at)[n] = (uint8_t)field->reset;
            break;
        case DEVICE_U16:
            ((uint16_t *)at)[n] = (uint16_t)field->reset;
            break;
        case DEVICE_U32:
            ((uint32_t *)at)[n] = (uint32_t)field->reset;
            break;
        case DEVICE_U64:
            ((uint64_t *)at)[n] = field->reset;
            break;
        case DEVICE_BOOL:
            ((bool *)at)[n] = field->reset != 0;
            break;
        case DEVICE_TIMER:
            if (((struct timer *)at)[n].clock)
                timer_cancel(&((struct timer *)at)[n]);
            break;
        }
    }
}

static void part_reset(const struct device_part *part)
{
    for (unsigned i = 0; i < part->n_fields; i++) {
        if (!part->fields[i].keep)
            field_reset(part->state, &part->fields[i]);
    }
}

void device_reset_part(struct device *d)
{
    part_reset(&d->part);
}

void device_reset(struct device *d)
{
    struct device_part own = own_part(d);

    part_reset(&own);
    part_reset(&d->part);
    if (d->pci)
        pci_reset(d);
    if (d->class->reset)
        d->class->reset(d);
}

/* ---- regions --------------------------------------------------------------------------------- */

static uint64_t mapping_read(void *opaque, uint64_t offset, unsigned size)
{
    struct device_mapping *mapping = opaque;

    if (!mapping->region->read)
        return 0;
    return mapping->region->read(mapping->device, offset, size);
}

static void mapping_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    struct device_mapping *mapping = opaque;

    if (mapping->region->write)
        mapping->region->write(mapping->device, offset, value, size);
}

static void mapping_set_ops(struct device_mapping *mapping)
{
    const struct device_region *what = mapping->region;

    mapping->ops = (struct region_ops){
        .read = mapping_read,
        .write = mapping_write,
        .min_access = what->min_access ? what->min_access : 1,
        .max_access = what->max_access ? what->max_access : 4,
        .unaligned = what->unaligned,
        .cpu_order = what->cpu_order,
    };
}

static struct memory *region_space(const struct device *d, unsigned region)
{
    return d->class->regions[region].port ? d->machine->ports : d->memory;
}

/* BARs lie below what the board decodes itself, what else moves above it. */
void device_place(struct device *d, unsigned region, gpa base)
{
    struct device_mapping *mapping = &d->mappings[region];
    struct memory *space = region_space(d, region);
    struct error err;
    gpa shown_at = base;
    bool seen = mapping->region->port || pci_cpu_address(d, base, mapping->size, &shown_at);

    mapping->base = base;
    mapping->placed = true;
    if (!space || (seen && mapping->window.shown && mapping->window.base == shown_at))
        return;
    memory_begin(space);
    memory_window_hide(space, &mapping->window);
    if (!mapping->block) {
        mapping_set_ops(mapping);
        mapping->block = memory_create_device(space, mapping->region->name,
                                              MAX(mapping->size, mapping->region->size),
                                              &mapping->ops, mapping, &err);
    }
    mapping->window.block = mapping->block;
    mapping->window.base = shown_at;
    mapping->window.size = mapping->size;
    mapping->window.layer = mapping->region->bar ? -1 : 1;
    if (!mapping->block || (seen && !memory_window_show(space, &mapping->window, &err)))
        log_printf(LOG_GUEST_ERROR, "%s: %s\n", d->id, err.message);
    memory_commit(space);
}

void device_place_again(struct device *d)
{
    for (unsigned i = 0; i < d->class->n_regions; i++) {
        if (d->mappings[i].placed)
            device_place(d, i, d->mappings[i].base);
    }
}

void device_unplace(struct device *d, unsigned region)
{
    struct memory *space = region_space(d, region);

    d->mappings[region].placed = false;
    if (space)
        memory_window_hide(space, &d->mappings[region].window);
}

void device_place_if(struct device *d, unsigned region, gpa base, bool shown)
{
    if (shown)
        device_place(d, region, base);
    else
        device_unplace(d, region);
}

bool device_map(struct device *d, unsigned region, gpa base, struct error *err)
{
    struct device_mapping *mapping = &d->mappings[region];
    const struct device_region *what = mapping->region;

    if (region_moves(what)) {
        device_place(d, region, base);
        return true;
    }
    mapping->base = base;
    mapping_set_ops(mapping);
    if (what->ram) {
        mapping->window =
            (struct memory_window){.block = mapping->block, .base = base, .size = mapping->size};
        return memory_window_show(d->memory, &mapping->window, err);
    }
    if (what->port && !d->machine->ports)
        return error_set(err, "device '%s' needs a port space, which this machine does not have",
                         d->id);
    if (!what->rom)
        return memory_add_device(what->port ? d->machine->ports : d->memory, what->name, base,
                                 mapping->size, &mapping->ops, mapping, err);
    mapping->host =
        memory_add_rom(d->memory, what->name, base, mapping->size, &mapping->ops, mapping, err);
    return mapping->host != NULL;
}

bool device_map_all(struct device *d, gpa base, struct error *err)
{
    for (unsigned i = 0; i < d->class->n_regions; i++) {
        char key[16];
        if (d->class->regions[i].moves || d->class->regions[i].bar)
            continue;
        snprintf(key, sizeof(key), "base%u", i);
        base = device_prop_u64(d, key, base);
        if (!device_map(d, i, base, err))
            return false;
        base += d->mappings[i].size;
    }
    return true;
}

uint8_t *device_region_memory(struct device *d, unsigned region, uint64_t *size)
{
    if (size)
        *size = d->mappings[region].size;
    return d->mappings[region].host;
}

void device_region_set_readable(struct device *d, unsigned region, bool readable)
{
    if (d->mappings[region].host)
        memory_rom_set_readable(d->memory, d->mappings[region].base, readable);
}

/* ---- wires ----------------------------------------------------------------------------------- */

static void device_wire_set(void *receiver, unsigned line, bool level)
{
    struct device *d = receiver;

    d->class->irq_in(d, line, level);
}

struct irq device_irq_in(struct device *d, unsigned line)
{
    if (!d->class->irq_in || line >= d->class->n_irq_in)
        return (struct irq){0};
    return (struct irq){.set = device_wire_set, .receiver = d, .line = line};
}

/* ---- info ------------------------------------------------------------------------------------ */

static uint64_t field_value(const void *at, unsigned n, enum device_field_kind kind)
{
    switch (kind) {
    case DEVICE_U8:
        return ((const uint8_t *)at)[n];
    case DEVICE_U16:
        return ((const uint16_t *)at)[n];
    case DEVICE_U32:
        return ((const uint32_t *)at)[n];
    case DEVICE_U64:
        return ((const uint64_t *)at)[n];
    case DEVICE_BOOL:
        return ((const bool *)at)[n];
    case DEVICE_TIMER:
        return (uint64_t)((const struct timer *)at)[n].deadline_ns;
    }
    return 0;
}

static void part_print(const struct device_part *part, FILE *out)
{
    for (unsigned i = 0; i < part->n_fields; i++) {
        const struct device_field *field = &part->fields[i];
        const void *at = field_pointer(part->state, field);
        fprintf(out, "  %-20s", field->name);
        for (unsigned n = 0; n < field->count; n++) {
            uint64_t value = field_value(at, n, field->kind);
            if (field->kind == DEVICE_TIMER && value == (uint64_t)TIME_NEVER)
                fprintf(out, " never");
            else
                fprintf(out, " %" PRIx64, value);
        }
        fputc('\n', out);
    }
}

void device_print(struct device *d, FILE *out)
{
    fprintf(out, "%s (%s)\n", d->id, d->class->name);
    if (d->pci)
        pci_print(d, out);
    if (d->class->print)
        d->class->print(d, out);
    struct device_part own = own_part(d);
    part_print(&own, out);
    part_print(&d->part, out);
}
