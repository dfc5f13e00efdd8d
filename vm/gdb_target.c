/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a guest's table of registers to what gdb wants to know of them. */
#define _GNU_SOURCE
#include "vm/gdb_target.h"

#include <stdio.h>
#include <stdlib.h>

#include "util/bits.h"
#include "util/host_fp.h"
#include "util/log.h"

enum { MAX_NUMBERS = 256 };

struct entry {
    const struct guest_register_set *set;
    const struct guest_register *reg; /* NULL: no register has this number */
};

struct gdb_target {
    struct vcpu *cpu;
    char *xml;
    unsigned n_entries; /* by gdb's number */
    struct entry entry[MAX_NUMBERS];
    int pc;
};

/* ---- the table, and its description ---------------------------------------------------------- */

static void print_register(FILE *out, const struct guest_register *reg, unsigned number)
{
    fprintf(out, "<reg name=\"%s\" bitsize=\"%u\" regnum=\"%u\"", reg->name, reg->bits, number);
    if (reg->type)
        fprintf(out, " type=\"%s\"", reg->type);
    if (reg->group)
        fprintf(out, " group=\"%s\"", reg->group);
    fprintf(out, "/>\n");
}

static void add_set(struct gdb_target *target, const struct guest_register_set *set,
                    unsigned *number, FILE *out)
{
    fprintf(out, "<feature name=\"%s\">\n%s\n", set->feature, set->types ? set->types : "");
    for (const struct guest_register *reg = set->registers; reg->name; reg++) {
        if (reg->number)
            *number = reg->number;
        if (*number >= MAX_NUMBERS || target->entry[*number].reg)
            BUG("register %s has the number %u", reg->name, *number);
        if (!strcmp(reg->name, "pc") || !strcmp(reg->name, "eip") || !strcmp(reg->name, "rip"))
            target->pc = (int)*number;
        target->entry[*number] = (struct entry){.set = set, .reg = reg};
        print_register(out, reg, *number);
        ++*number;
        target->n_entries = MAX(target->n_entries, *number);
    }
    fprintf(out, "</feature>\n");
}

static void describe(struct gdb_target *target, FILE *out)
{
    const struct guest *guest = target->cpu->guest;
    unsigned number = 0;

    fprintf(out,
            "<?xml version=\"1.0\"?>\n<!DOCTYPE target SYSTEM \"gdb-target.dtd\">\n"
            "<target version=\"1.0\">\n<architecture>%s</architecture>\n",
            guest->gdb_architecture);
    for (const struct guest_register_set *set = guest->register_sets; set->feature; set++) {
        if (!set->present || set->present(target->cpu))
            add_set(target, set, &number, out);
    }
    fprintf(out, "</target>\n");
}

struct gdb_target *gdb_target_create(struct vcpu *cpu)
{
    struct gdb_target *target = calloc(1, sizeof(*target));
    size_t size;
    FILE *out;

    if (!target)
        return NULL;
    target->cpu = cpu;
    target->pc = -1;
    out = open_memstream(&target->xml, &size);
    if (!out) {
        free(target);
        return NULL;
    }
    describe(target, out);
    fclose(out);
    return target;
}

void gdb_target_destroy(struct gdb_target *target)
{
    if (!target)
        return;
    free(target->xml);
    free(target);
}

const char *gdb_target_xml(const struct gdb_target *target)
{
    return target->xml;
}

/* ---- values ---------------------------------------------------------------------------------- */

static const struct entry *entry_at(const struct gdb_target *target, uint64_t number)
{
    if (number >= target->n_entries || !target->entry[number].reg)
        return NULL;
    return &target->entry[number];
}

int gdb_target_next(const struct gdb_target *target, unsigned number)
{
    for (; number < target->n_entries; number++) {
        if (target->entry[number].reg)
            return (int)number;
    }
    return -1;
}

unsigned gdb_target_size(const struct gdb_target *target, uint64_t number)
{
    const struct entry *entry = entry_at(target, number);

    return entry ? entry->reg->bits / 8 : 0;
}

/* Byte i of a value, from or to where it is in the guest's order. */
static unsigned byte_place(const struct gdb_target *target, unsigned i, unsigned size)
{
    return target->cpu->guest->big_endian ? size - 1 - i : i;
}

unsigned gdb_target_read(const struct gdb_target *target, uint64_t number,
                         uint8_t out[GDB_REGISTER_BYTES])
{
    const struct entry *entry = entry_at(target, number);
    uint64_t value[GUEST_REGISTER_WORDS] = {0};
    unsigned size = gdb_target_size(target, number);

    if (!size)
        return 0;
    entry->set->read(target->cpu, entry->reg->which, value);
    for (unsigned i = 0; i < size; i++)
        out[byte_place(target, i, size)] = (uint8_t)(value[i / 8] >> 8 * (i % 8));
    return size;
}

bool gdb_target_write(const struct gdb_target *target, uint64_t number, const uint8_t *in)
{
    const struct entry *entry = entry_at(target, number);
    uint64_t value[GUEST_REGISTER_WORDS] = {0};
    unsigned size = gdb_target_size(target, number);
    uint32_t control = host_fp_live();
    bool done;

    if (!size || !entry->set->write)
        return false;
    for (unsigned i = 0; i < size; i++)
        value[i / 8] |= (uint64_t)in[byte_place(target, i, size)] << 8 * (i % 8);
    done = entry->set->write(target->cpu, entry->reg->which, value);
    host_fp_set_live(control); /* the guest's is the vCPU's thread's */
    return done;
}

bool gdb_target_set_pc(const struct gdb_target *target, uint64_t pc)
{
    const struct entry *entry = target->pc < 0 ? NULL : &target->entry[target->pc];

    return entry && entry->set->write(target->cpu, entry->reg->which, &pc);
}
