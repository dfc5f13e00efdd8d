/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info mem and info tlb: how the guest's addresses are translated now. */
#include <inttypes.h>
#include <stdlib.h>

#include "vm/monitor_commands.h"

enum { MAX_LINES = 1 << 16 };

struct listing {
    FILE *out;
    int digits;
    unsigned lines;
    struct guest_mapping *mapping;
    unsigned n, capacity;
    bool cut; /* there were more */
};

static void print_rights(uint8_t privileged, uint8_t user, FILE *out)
{
    for (unsigned i = 0; i < 2; i++) {
        uint8_t rights = i ? user : privileged;
        fprintf(out, " %c%c%c%c", i ? 'u' : 'k', rights & 1 << MMU_READ ? 'r' : '-',
                rights & 1 << MMU_WRITE ? 'w' : '-', rights & 1 << MMU_EXEC ? 'x' : '-');
    }
}

static void prepare(struct vm *vm, struct listing *listing)
{
    listing->digits = vm_machine(vm)->cpu->guest->wide_address ? 16 : 8;
}

static void finish(struct listing *listing, const char *what)
{
    if (listing->cut)
        fprintf(listing->out, "(and more; these are the first %u)\n", listing->lines);
    else if (!listing->lines)
        fprintf(listing->out, "nothing is mapped%s\n", what);
}

/* ---- info tlb ----------------------------------------------------------------------------------
 */

/* "4K", "2M", "1G" */
static void print_size(uint64_t size, FILE *out)
{
    static const char units[] = "KMGTP";
    unsigned i = 0;

    size >>= 10;
    while (size >= 1024 && size % 1024 == 0 && i < sizeof(units) - 2) {
        size >>= 10;
        i++;
    }
    fprintf(out, "%4" PRIu64 "%c", size, units[i]);
}

static bool print_mapping(void *opaque, const struct guest_mapping *mapping)
{
    struct listing *listing = opaque;

    if (listing->lines == MAX_LINES) {
        listing->cut = true;
        return false;
    }
    listing->lines++;
    fprintf(listing->out, "%0*" PRIx64 ": %0*" PRIx64, listing->digits, mapping->address,
            listing->digits, mapping->physical);
    print_size(mapping->size, listing->out);
    print_rights(mapping->privileged, mapping->user, listing->out);
    fprintf(listing->out, " %s\n", mapping->text ? mapping->text : "");
    return true;
}

static void print_tlb(struct vm *vm, void *opaque)
{
    struct listing *listing = opaque;
    struct vcpu *cpu = vm_machine(vm)->cpu;

    prepare(vm, listing);
    if (cpu->guest->mappings)
        cpu->guest->mappings(cpu, print_mapping, listing);
    finish(listing, "");
}

static void info_tlb(struct monitor_call *call)
{
    struct listing listing = {.out = call->out};

    vm_look(call->vm, print_tlb, &listing);
}

/* ---- info mem ----------------------------------------------------------------------------------
 */

/* In the order of the tables stretches that touch become one at once; a TLB is sorted below. */
static bool collect(void *opaque, const struct guest_mapping *mapping)
{
    struct listing *listing = opaque;
    struct guest_mapping *last = listing->n ? &listing->mapping[listing->n - 1] : NULL;

    if (mapping->elsewhere || !(mapping->privileged | mapping->user))
        return true;
    if (last && last->address + last->size == mapping->address &&
        last->privileged == mapping->privileged && last->user == mapping->user) {
        last->size += mapping->size;
        return true;
    }
    if (listing->n == listing->capacity) {
        unsigned capacity = listing->capacity ? 2 * listing->capacity : 256;
        struct guest_mapping *more = NULL;
        if (capacity <= MAX_LINES)
            more = realloc(listing->mapping, capacity * sizeof(*more));
        listing->cut = !more;
        if (!more)
            return false;
        listing->mapping = more;
        listing->capacity = capacity;
    }
    listing->mapping[listing->n++] = *mapping;
    return true;
}

static int compare_mappings(const void *a, const void *b)
{
    const struct guest_mapping *x = a, *y = b;

    return x->address < y->address ? -1 : x->address > y->address;
}

static void print_mem(struct vm *vm, void *opaque)
{
    struct listing *listing = opaque;
    struct vcpu *cpu = vm_machine(vm)->cpu;

    prepare(vm, listing);
    if (cpu->guest->mappings)
        cpu->guest->mappings(cpu, collect, listing);
    if (listing->n)
        qsort(listing->mapping, listing->n, sizeof(listing->mapping[0]), compare_mappings);
    for (unsigned i = 0; i < listing->n; i++) {
        struct guest_mapping one = listing->mapping[i];
        /* What sorting has brought together. */
        while (i + 1 < listing->n && listing->mapping[i + 1].address == one.address + one.size &&
               listing->mapping[i + 1].privileged == one.privileged &&
               listing->mapping[i + 1].user == one.user)
            one.size += listing->mapping[++i].size;
        fprintf(listing->out, "%0*" PRIx64 "-%0*" PRIx64 " %0*" PRIx64, listing->digits,
                one.address, listing->digits, one.address + one.size, listing->digits, one.size);
        print_rights(one.privileged, one.user, listing->out);
        fputc('\n', listing->out);
        listing->lines++;
    }
    finish(listing, " by tables or a TLB");
    free(listing->mapping);
}

static void info_mem(struct monitor_call *call)
{
    struct listing listing = {.out = call->out};

    vm_look(call->vm, print_mem, &listing);
}

static const struct monitor_command commands[] = {
    {"mem", NULL, "", "which virtual addresses are mapped, and for whom", info_mem, 0, 0, NULL},
    {"tlb", NULL, "", "virtual to physical, page by page", info_tlb, 0, 0, NULL},
    {NULL},
};
static const struct monitor_table table = {"info", commands};
REGISTER(monitor_table, table);
