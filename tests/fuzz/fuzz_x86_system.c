/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile x86 guest on a processor with RAM and nothing else: random code in random modes, over
 * random page tables, descriptors, gates and task states. Nothing may go out of bounds, overflow or
 * stop. The first byte chooses guest, engine and mode; the rest are writes of eight bytes to the
 * places that matter, until one says that all that follows is code.
 */
#include <stdlib.h>
#include <unistd.h>

#include "exec/vcpu.h"
#include "frontend/x86/system.h"

enum {
    RAM_BYTES = 1 << 20,
    GDT = 0x1000,
    IDT = 0x2000,
    TSS = 0x3000,
    CODE = 0x5000,
    STACK = 0x9000,
    DATA = 0xa000,
    TABLES = 0x10000, /* of long mode, page directory third; of PAE at 0x3000 behind */
    MOST_UNITS = 2000,
    MOST_CODE = 0x800,
};

/* ---- an end to endless loops ----------------------------------------------------------------- */

static pthread_mutex_t running_lock = PTHREAD_MUTEX_INITIALIZER;
static struct vcpu *running;

static void *watch(void *opaque)
{
    for (;;) {
        usleep(2000);
        pthread_mutex_lock(&running_lock);
        if (running)
            vcpu_stop(running);
        pthread_mutex_unlock(&running_lock);
    }
    return NULL;
}

static void set_running(struct vcpu *cpu)
{
    static bool watched;
    pthread_t thread;

    if (!watched && pthread_create(&thread, NULL, watch, NULL))
        abort();
    watched = true;
    pthread_mutex_lock(&running_lock);
    running = cpu;
    pthread_mutex_unlock(&running_lock);
}

/* ---- the guest ------------------------------------------------------------------------------- */

struct input {
    const uint8_t *data;
    size_t size;
};

static uint64_t take(struct input *in, unsigned bytes)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < bytes && in->size; i++, in->size--)
        value = value << 8 | *in->data++;
    return value;
}

static void put(struct memory *memory, gpa address, uint64_t value)
{
    memory_store(memory, address, value, 8, NULL);
}

/* Flat segments of both privilege levels and widths, a task, gates to them, and tables that map the
 * RAM one to one: what the input then spoils. */
static void make_tables(struct memory *memory, bool wide)
{
    static const uint64_t gdt[] = {0,
                                   UINT64_C(0x00cf9a000000ffff),
                                   UINT64_C(0x00cf92000000ffff),
                                   UINT64_C(0x00cffa000000ffff),
                                   UINT64_C(0x00cff2000000ffff),
                                   UINT64_C(0x0000890030000067),
                                   0,
                                   UINT64_C(0x00af9a000000ffff),
                                   UINT64_C(0x00affa000000ffff)};

    for (unsigned i = 0; i < ARRAY_SIZE(gdt); i++)
        put(memory, GDT + i * 8, gdt[i]);
    for (unsigned i = 0; i < 32; i++)
        put(memory, IDT + i * (wide ? 16 : 8),
            UINT64_C(0x00008e0000000000) | (uint64_t)(wide ? 0x38 : 0x08) << 16 |
                (CODE + 0x400 + i * 4));
    put(memory, TSS + 4, STACK | (uint64_t)0x10 << 32);
    put(memory, TABLES, (TABLES + 0x1000) | 7);
    put(memory, TABLES + 0x1000, (TABLES + 0x2000) | 7);
    put(memory, TABLES + 0x2000, 0x87);
    put(memory, TABLES + 0x3000, (TABLES + 0x2000) | 1);
}

static void enter_mode(struct x86_cpu *cpu, unsigned mode, bool user)
{
    unsigned level = user ? 3 : 0;
    uint16_t data = user ? 0x23 : 0x10, code = user ? 0x1b : 0x08;

    cpu->gdt = (struct x86_table){GDT, 0x4f};
    cpu->idt = (struct x86_table){IDT, 0x3ff};
    if (mode) {
        cpu->cr0 = CR0_PE | CR0_ET;
        for (unsigned i = 0; i < N_SEGMENTS; i++)
            cpu->segment[i] =
                (struct x86_segment){.selector = data,
                                     .attributes = (uint16_t)(0xc093 | level << ATTR_DPL_SHIFT),
                                     .limit = UINT32_MAX};
        cpu->segment[SEG_CS].selector = code;
        cpu->segment[SEG_CS].attributes = (uint16_t)(0xc09b | level << ATTR_DPL_SHIFT);
        cpu->tr = (struct x86_segment){0x28, 0x8b, 0x67, TSS};
    } else {
        x86_load_real_segment(cpu, SEG_CS, 0);
    }
    if (mode == 2) {
        x86_set_cr4(cpu, CR4_PAE);
        x86_set_cr3(cpu, TABLES + 0x3000);
        x86_load_pdptes(cpu, TABLES + 0x3000);
        x86_set_cr0(cpu, cpu->cr0 | CR0_PG);
    }
    if (mode == 3) {
        x86_set_cr4(cpu, CR4_PAE);
        x86_set_cr3(cpu, TABLES);
        x86_set_efer(cpu, EFER_LME | EFER_NXE | EFER_SCE);
        x86_set_cr0(cpu, cpu->cr0 | CR0_PG);
        cpu->segment[SEG_CS].attributes = (uint16_t)(0xa09b | level << ATTR_DPL_SHIFT);
    }
    cpu->gpr[RSP] = STACK;
    cpu->eflags = EFLAGS_IF;
    x86_update_mode(cpu);
    x86_set_ip(cpu, CODE);
}

static void spoil(struct x86_cpu *cpu, struct memory *memory, struct input *in)
{
    static const uint32_t places[] = {
        GDT,  IDT,         TSS, TABLES, TABLES + 0x1000, TABLES + 0x2000, TABLES + 0x3000,
        DATA, STACK - 0x80};

    while (in->size) {
        unsigned what = (unsigned)take(in, 1) & 15, where = (unsigned)take(in, 1);
        if (what == 15)
            break;
        if (what < ARRAY_SIZE(places))
            put(memory, places[what] + (where & 0x7f) * 8, take(in, 8));
        else
            cpu->gpr[where & 15 & (strcmp(cpu->v.guest->name, "i386") ? 15 : 7)] =
                take(in, 8) & (strcmp(cpu->v.guest->name, "i386") ? UINT64_MAX : UINT32_MAX);
    }
    size_t size = MIN(in->size, (size_t)MOST_CODE);
    memory_write(memory, CODE, in->data, size);
}

/* ---- one input ------------------------------------------------------------------------------- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    unsigned choice = (unsigned)take(&in, 1);
    bool wide = choice & 1;
    unsigned mode = wide ? choice >> 2 & 3 : (choice >> 2 & 3) % 3;
    struct exec_options options = {.interpret = choice & 2, .check = true};
    pthread_mutex_t lock;
    struct error err = {""};

    memory_lock_init(&lock);
    struct clock *clock = clock_create_manual();
    struct memory *memory = memory_create(&lock, &err);
    if (!memory || !memory_add_ram(memory, "ram", 0, RAM_BYTES, &err))
        abort();
    struct exec *exec = exec_create(guest_find(wide ? "x86_64" : "i386"), memory, &options, &err);
    struct vcpu *v = exec ? vcpu_create(exec, "max", clock, &lock, 0, &err) : NULL;
    if (!v) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    vcpu_reset(v);
    make_tables(memory, wide && mode == 3);
    enter_mode(x86_cpu(v), mode, choice & 0x10);
    spoil(x86_cpu(v), memory, &in);
    set_running(v);
    vcpu_run_here(v, MOST_UNITS);
    set_running(NULL);
    vcpu_destroy(v);
    exec_destroy(exec);
    memory_destroy(memory);
    clock_destroy(clock);
    pthread_mutex_destroy(&lock);
    return 0;
}
