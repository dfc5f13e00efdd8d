/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine under a toy guest: chaining, page crossings, invalidation, eviction, exceptions, W^X.
 * Every test runs on the interpreter and on the host's code generator.
 *
 * A toy instruction is 4 bytes, at any address: op, rd, imm16. Branch offsets count from the next
 * instruction. Virtual pages map as the page table says, a host array indexed by page.
 *
 * The wide toy has 64-bit addresses: all of the above lies at `base`, and its stores into code show
 * at once.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "exec/exec.h"
#include "util/bits.h"

enum toy_op {
    T_STOP = 1,
    T_ADDI,   /* rd += simm16 */
    T_MOVI,   /* rd = imm16 */
    T_MOVHI,  /* rd = imm16 << 16 | low half */
    T_JMP,    /* pc = next + simm16 */
    T_JNZ,    /* if (rd) pc = next + simm16 */
    T_LOAD,   /* rd = [r(imm)] */
    T_STORE,  /* [r(imm)] = rd */
    T_JR,     /* pc = rd */
    T_ADD,    /* rd += r(imm) */
    T_TRAP,   /* exception imm */
    T_ERET,   /* pc = epc */
    T_WAIT,   /* halts */
    T_FLUSH,  /* flushes the TLB's page of rd */
    T_STORE8, /* eight stores' worth through a PROBE: [r(imm)] = rd, rd, ... */
    T_SYNC,   /* changes of code show from here on */
    T_FAR,    /* wide only: [r7 << 32 | r6], done as `enum far` in imm says, with rd */
};
enum far { FAR_LOAD, FAR_STORE, FAR_PROBE, FAR_CAS, FAR_RMW, FAR_LOAD_USER, N_FAR };

enum { N_TOY_REGS = 8, TOY_PAGES = 0x800, VECTOR = 0x7f0000 };
enum { TOY_FAULT = 1, TOY_PREFETCH = 2, TOY_TRAP = 16 };

struct toy_cpu {
    struct vcpu v;
    uint32_t r[N_TOY_REGS];
    uint32_t epc;
    uint32_t cause, address;
    uint64_t far_address;
    uint32_t push_at, pushed; /* what entering an exception stores, and where; 0: nowhere */
    uint32_t physical_page[TOY_PAGES]; /* + 1; 0: unmapped */
    bool read_only[TOY_PAGES];
    unsigned n_interrupts;
    _Atomic bool work;
};

static bool interpret, wide;
static uint64_t base, cache_bytes;

static struct toy_cpu *toy(void *cpu)
{
    return cpu;
}

enum { TF_PC, TF_KEY, TF_R0, TF_EPC = TF_R0 + N_TOY_REGS, TF_N };

#define REG_FIELD(n)                                                                               \
    {                                                                                              \
        .name = "r" #n, .offset = offsetof(struct toy_cpu, r) + 4 * (n), .type = IR_I32,           \
        .flags = STATE_HOT, .group = 1u << (n)                                                     \
    }
static const struct state_field toy_fields[TF_N] = {
    {.name = "pc", .offset = offsetof(struct run_state, pc), .type = IR_I64, .group = 1 << 8},
    {.name = "key", .offset = offsetof(struct run_state, key), .type = IR_I32, .group = 1 << 8},
    REG_FIELD(0),
    REG_FIELD(1),
    REG_FIELD(2),
    REG_FIELD(3),
    REG_FIELD(4),
    REG_FIELD(5),
    REG_FIELD(6),
    REG_FIELD(7),
    {.name = "epc", .offset = offsetof(struct toy_cpu, epc), .type = IR_I32, .group = 1 << 9},
};

static void toy_trap(void *cpu, uint32_t number)
{
    struct exception e = {.kind = TOY_TRAP, .address = number};

    vcpu_raise(cpu, &e);
}

static void toy_wait(void *cpu)
{
    toy(cpu)->v.halted = true;
}

static void toy_flush(void *cpu, uint32_t va)
{
    mmu_flush_page(toy(cpu)->v.mmu, base + va);
}

static const struct ir_helper helper_trap =
    IR_HELPER(toy_trap, IR_VOID, 1, HELPER_MAY_FAULT, ~UINT64_C(0), ~UINT64_C(0));
static const struct ir_helper helper_wait = IR_HELPER(toy_wait, IR_VOID, 0, 0, 0, 0);
static const struct ir_helper helper_flush = IR_HELPER(toy_flush, IR_VOID, 1, 0, 0, 0);

static void end_at(struct ir_builder *b, uint64_t pc, uint32_t key)
{
    ir_set(b, TF_PC, ir_i64(b, pc));
    ir_set(b, TF_KEY, ir_i32(b, key));
}

static void translate_branch(struct xlat *x, unsigned op, unsigned rd, uint64_t target)
{
    struct ir_builder *b = &x->b;

    if (op == T_JNZ) {
        unsigned taken = ir_block_create(b), not_taken = ir_block_create(b);

        ir_brcc(b, IR_NZ, ir_test(b, ir_get(b, TF_R0 + rd)), taken, not_taken);
        ir_block_begin(b, taken);
        ir_exit_jump(b, target, x->key, false);
        ir_block_begin(b, not_taken);
    } else {
        ir_exit_jump(b, target, x->key, false);
    }
}

static ir_ref pc_value(struct ir_builder *b, unsigned field)
{
    return ir_bin_i(b, IR_ADD, ir_un(b, IR_WIDEN_U, ir_get(b, field)), base);
}

static ir_ref address_value(struct ir_builder *b, unsigned rs)
{
    return wide ? pc_value(b, TF_R0 + rs) : ir_get(b, TF_R0 + rs);
}

static void translate_store8(struct ir_builder *b, unsigned rd, unsigned rs)
{
    ir_ref address = address_value(b, rs), value = ir_get(b, TF_R0 + rd);
    ir_ref pointer = ir_probe(b, address, 0, 32, 2 | IR_MEM_WRITE);

    for (unsigned i = 0; i < 8; i++)
        ir_hstore(b, pointer, 4 * i, value, 2);
    ir_commit(b, pointer, address, 0, 32, 2 | IR_MEM_WRITE);
}

static void translate_far(struct ir_builder *b, unsigned rd, unsigned how)
{
    ir_ref address = ir_bin(b, IR_CONCAT, ir_get(b, TF_R0 + 6), ir_get(b, TF_R0 + 7));
    ir_ref value = ir_get(b, TF_R0 + rd), pointer, result = IR_NONE;

    switch (how) {
    case FAR_LOAD:
        result = ir_load(b, IR_I32, address, 0, 2);
        break;
    case FAR_STORE:
        ir_store(b, address, 0, value, 2);
        break;
    case FAR_PROBE:
        pointer = ir_probe(b, address, 0, 8, 2);
        result = ir_hload(b, IR_I32, pointer, 4, 2);
        break;
    case FAR_CAS:
        result = ir_cas(b, IR_I32, address, value, value, 2);
        break;
    case FAR_RMW:
        result = ir_rmw(b, IR_I32, IR_RMW_OR, address, value, 2);
        break;
    default:
        result = ir_load(b, IR_I32, address, 0, 2 | IR_MEM_USER);
        break;
    }
    if (result != IR_NONE)
        ir_set(b, TF_R0 + rd, result);
}

static void translate_memory(struct ir_builder *b, unsigned op, unsigned rd, unsigned rs)
{
    if (op == T_LOAD)
        ir_set(b, TF_R0 + rd, ir_load(b, IR_I32, address_value(b, rs), 0, 2));
    else if (op == T_STORE)
        ir_store(b, address_value(b, rs), 0, ir_get(b, TF_R0 + rd), 2);
    else
        translate_store8(b, rd, rs);
}

/* Instructions that end their path. */
static bool translate_end(struct xlat *x, unsigned op, unsigned rd, unsigned imm, uint64_t next)
{
    struct ir_builder *b = &x->b;

    switch (op) {
    case T_STOP:
        end_at(b, next, x->key);
        ir_exit_stop(b, EXIT_YIELD);
        return true;
    case T_SYNC:
        ir_exit_jump(b, next, x->key, false);
        return true;
    case T_JR:
        ir_exit_indirect(b, pc_value(b, TF_R0 + rd), ir_i32(b, x->key));
        return true;
    case T_TRAP:
        ir_call(b, &helper_trap, ir_i32(b, imm), IR_NONE, IR_NONE, IR_NONE);
        ir_exit_jump(b, next, x->key, false);
        return true;
    case T_ERET:
        ir_exit_indirect(b, pc_value(b, TF_EPC), ir_i32(b, x->key));
        return true;
    case T_WAIT:
        ir_call(b, &helper_wait, IR_NONE, IR_NONE, IR_NONE, IR_NONE);
        end_at(b, next, x->key);
        ir_exit_stop(b, EXIT_HALT);
        return true;
    case T_FLUSH:
        ir_call(b, &helper_flush, ir_get(b, TF_R0 + rd), IR_NONE, IR_NONE, IR_NONE);
        end_at(b, next, x->key);
        ir_exit_lookup(b);
        return true;
    default:
        return false;
    }
}

static enum xlat_next toy_translate(struct xlat *x)
{
    struct ir_builder *b = &x->b;
    uint64_t next = base + (uint32_t)(x->pc + 4);
    uint8_t insn[4];
    unsigned op, rd, imm;
    ir_ref reg;

    if (!xlat_fetch(x, x->pc, 4, insn))
        return XLAT_TRUNCATE;
    op = insn[0];
    rd = insn[1] % N_TOY_REGS;
    imm = insn[2] | insn[3] << 8;
    ir_insn(b, x->pc, 0x1234);
    reg = TF_R0 + rd;
    if (op == T_ADDI)
        ir_set(b, reg, ir_bin_i(b, IR_ADD, ir_get(b, reg), (uint32_t)(int16_t)imm));
    else if (op == T_MOVI)
        ir_set(b, reg, ir_i32(b, imm));
    else if (op == T_MOVHI)
        ir_set(b, reg, ir_deposit(b, ir_get(b, reg), ir_i32(b, imm), 16, 16));
    else if (op == T_ADD)
        ir_set(b, reg, ir_bin(b, IR_ADD, ir_get(b, reg), ir_get(b, TF_R0 + imm % N_TOY_REGS)));
    else if (op == T_JMP || op == T_JNZ)
        translate_branch(x, op, rd, base + (uint32_t)(next + (uint32_t)(int16_t)imm));
    else if (op == T_LOAD || op == T_STORE || op == T_STORE8)
        translate_memory(b, op, rd, imm % N_TOY_REGS);
    else if (op == T_FAR && wide)
        translate_far(b, rd, imm % N_FAR);
    else if (!translate_end(x, op, rd, imm, next))
        translate_end(x, T_TRAP, rd, 99, next);
    x->pc += 4;
    return b->block == IR_NO_BLOCK ? XLAT_END : XLAT_CONTINUE;
}

static bool toy_walk(void *cpu, gva va, enum mmu_access access, bool user, struct tlb_fill *out,
                     struct mmu_fault *fault)
{
    uint32_t page = (uint32_t)va >> 12;

    if ((va ^ base) >> 32 || page >= TOY_PAGES || !toy(cpu)->physical_page[page] ||
        (access == MMU_WRITE && toy(cpu)->read_only[page])) {
        fault->syndrome = 7;
        return false;
    }
    out->physical = (gpa)(toy(cpu)->physical_page[page] - 1) << 12 | (va & 0xfff);
    out->block_size = 4096;
    out->readable = out->executable = true;
    out->writable = !toy(cpu)->read_only[page];
    return true;
}

static NORETURN void toy_fault(void *cpu, const struct mmu_fault *fault)
{
    struct exception e = {.kind = fault->access == MMU_EXEC ? TOY_PREFETCH : TOY_FAULT,
                          .address = fault->address};

    vcpu_raise(cpu, &e);
}

static void toy_raise(struct vcpu *cpu, const struct exception *e)
{
    toy(cpu)->epc = (uint32_t)cpu->run.pc;
    toy(cpu)->cause = e->kind;
    toy(cpu)->address = (uint32_t)e->address;
    toy(cpu)->far_address = e->address;
    if (toy(cpu)->push_at)
        mmu_store(cpu->mmu, base + toy(cpu)->push_at, toy(cpu)->pushed, 2);
    cpu->run.pc = base + VECTOR;
}

static void toy_restore(struct vcpu *cpu, uint64_t pc, uint32_t aux)
{
    assert_int_equal(cpu->run.pc, pc);
    assert_int_equal(aux, 0x1234);
}

static void toy_reset(struct vcpu *cpu)
{
    struct toy_cpu *t = toy(cpu);

    memset(t->r, 0, sizeof(t->r));
    cpu->run.pc = base;
    cpu->run.key = 5;
    mmu_select(cpu->mmu, 0, true);
}

static bool toy_take_interrupt(struct vcpu *cpu)
{
    toy(cpu)->n_interrupts++;
    return false;
}

static bool toy_has_work(struct vcpu *cpu)
{
    return atomic_load(&toy(cpu)->work);
}

static const struct mmu_client toy_mmu = {.walk = toy_walk, .fault = toy_fault};
static const struct cpu_model toy_models[] = {{.name = "toy"}, {0}};
#define TOY                                                                                        \
    .state_size = sizeof(struct toy_cpu), .fields = toy_fields, .n_fields = TF_N,                  \
    .models = toy_models, .default_model = "toy", .reset = toy_reset, .translate = toy_translate,  \
    .mmu = &toy_mmu, .raise = toy_raise, .restore = toy_restore,                                   \
    .take_interrupt = toy_take_interrupt, .has_work = toy_has_work,

static const struct guest toy_guest = {.name = "toy", TOY};
static const struct guest wide_guest = {
    .name = "wide toy", .wide_address = true, .exact_code_writes = true, TOY};

/* ---- the fixture ----------------------------------------------------------------------------- */

struct fixture {
    pthread_mutex_t lock;
    struct memory *memory;
    struct exec *exec;
    struct vcpu *cpu;
    struct toy_cpu *toy;
    uint8_t *ram;
    uint64_t device_reads;
};

enum { RAM_BYTES = TOY_PAGES * 4096, DEVICE = 0x10000000 };
static uint64_t device_read(void *opaque, uint64_t offset, unsigned size)
{
    struct fixture *f = opaque;

    return 0x500 + ++f->device_reads;
}

static const struct region_ops device_ops = {.read = device_read, .min_access = 4, .max_access = 4};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct exec_options options = {
        .interpret = interpret, .check = true, .code_cache_bytes = cache_bytes};
    struct error err;

    pthread_mutex_init(&f->lock, NULL);
    f->memory = memory_create(&f->lock, &err);
    f->ram = memory_add_ram(f->memory, "ram", 0, RAM_BYTES, &err);
    memory_add_device(f->memory, "device", DEVICE, 0x1000, &device_ops, f, &err);
    f->exec = exec_create(wide ? &wide_guest : &toy_guest, f->memory, &options, &err);
    assert_non_null(f->exec);
    f->cpu = vcpu_create(f->exec, NULL, NULL, &f->lock, 0, &err);
    assert_non_null(f->cpu);
    f->toy = toy(f->cpu);
    for (unsigned i = 0; i < TOY_PAGES; i++)
        f->toy->physical_page[i] = i + 1;
    vcpu_reset(f->cpu);
    *state = f;
    return 0;
}

static int setup_tiny_cache(void **state)
{
    int result;

    cache_bytes = 1;
    result = setup(state);
    cache_bytes = 0;
    return result;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    vcpu_destroy(f->cpu);
    exec_destroy(f->exec);
    memory_destroy(f->memory);
    free(f);
    return 0;
}

static uint32_t put(struct fixture *f, uint32_t at, unsigned op, unsigned rd, int imm)
{
    uint8_t insn[4] = {(uint8_t)op, (uint8_t)rd, (uint8_t)imm, (uint8_t)(imm >> 8)};

    assert_true(memory_write(f->memory, at, insn, 4));
    return at + 4;
}

static uint32_t put_jump(struct fixture *f, uint32_t at, unsigned op, unsigned rd, uint32_t target)
{
    return put(f, at, op, rd, (int)(target - (at + 4)));
}

static enum exit_reason run(struct fixture *f, uint32_t pc)
{
    f->cpu->run.pc = base + pc;
    return vcpu_run_here(f->cpu, 100000);
}

/* ---- tests ----------------------------------------------------------------------------------- */

static void loops_run_and_chain(void **state)
{
    struct fixture *f = *state;
    struct counters stats;
    uint32_t at = put(f, 0x1000, T_MOVI, 0, 20000), loop = at;

    at = put(f, at, T_ADDI, 1, 3);
    at = put_jump(f, at, T_JMP, 0, 0x3000); /* another page and back */
    put(f, at, T_STOP, 0, 0);
    at = put(f, 0x3000, T_ADDI, 0, -1);
    at = put_jump(f, at, T_JNZ, 0, loop);
    put_jump(f, at, T_JMP, 0, loop + 8);
    f->cpu->run.pc = base + 0x1000;
    assert_int_equal(vcpu_run_here(f->cpu, 0), EXIT_YIELD);
    assert_int_equal(f->toy->r[0], 0);
    assert_int_equal(f->toy->r[1], 60000);
    assert_int_equal(f->cpu->run.pc, base + loop + 12);
    exec_count(f->exec, &stats);
    assert_in_range(stats.n[COUNT_UNITS], 3, 8);
    if (f->exec->backend->generates_code)
        assert_in_range(stats.n[COUNT_LINKS], 2, 20);
}

/* Both ways of a test that meet again are one unit, whichever way was gone first. */
static void ways_that_meet_are_one_unit(void **state)
{
    enum { OTHER = 0x1010, MEET = 0x1014 };
    struct fixture *f = *state;
    struct counters stats;
    uint32_t at = put_jump(f, 0x1000, T_JNZ, 0, OTHER);

    at = put(f, at, T_ADDI, 1, 1);
    at = put_jump(f, at, T_JNZ, 1, MEET);
    at = put_jump(f, at, T_JMP, 0, MEET);
    at = put(f, at, T_ADDI, 1, 0x20);
    at = put(f, at, T_ADDI, 2, 0x100);
    put(f, at, T_STOP, 0, 0);
    for (uint32_t way = 0; way < 4; way++) {
        f->toy->r[0] = way & 1;
        f->toy->r[1] = way & 2 ? -1u : 3;
        f->toy->r[2] = 0;
        assert_int_equal(run(f, 0x1000), EXIT_YIELD);
        assert_int_equal(f->toy->r[1], (way & 2 ? -1u : 3) + (way & 1 ? 0x20 : 1));
        assert_int_equal(f->toy->r[2], 0x100);
        assert_int_equal(f->cpu->run.pc, base + MEET + 8);
    }
    exec_count(f->exec, &stats);
    assert_int_equal(stats.n[COUNT_UNITS], 1);
}

static void own_loop_polls(void **state)
{
    struct fixture *f = *state;
    uint32_t at = 0x1000;

    put_jump(f, at, T_JMP, 0, at); /* for ever */
    atomic_store(&f->cpu->run.exit_request, 1);
    f->cpu->run.pc = base + at;
    vcpu_stop(f->cpu);
    assert_int_equal(vcpu_run_here(f->cpu, 0), EXIT_REQUESTED);
    vcpu_resume(f->cpu);
    assert_int_equal(f->cpu->run.pc, base + at);
}

static void *kick_later(void *opaque)
{
    struct fixture *f = opaque;
    struct timespec pause = {.tv_nsec = 20000000};

    nanosleep(&pause, NULL);
    vcpu_stop(f->cpu);
    return NULL;
}

static void another_thread_stops_loops(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;
    uint32_t at;

    for (unsigned shape = 0; shape < 3; shape++) {
        if (shape == 0) {
            put_jump(f, 0x1000, T_JMP, 0, 0x1000);
        } else if (shape == 1) {
            put_jump(f, 0x1000, T_JMP, 0, 0x2000);
            put_jump(f, 0x2000, T_JMP, 0, 0x1000);
        } else {
            at = put(f, 0x1000, T_MOVI, 3, 0x1000);
            put(f, at, T_JR, 3, 0);
        }
        pthread_create(&thread, NULL, kick_later, f);
        f->cpu->run.pc = base + 0x1000;
        assert_int_equal(vcpu_run_here(f->cpu, 0), EXIT_REQUESTED);
        pthread_join(thread, NULL);
        vcpu_resume(f->cpu);
    }
}

static void memory_accesses_and_devices(void **state)
{
    struct fixture *f = *state;
    uint32_t at = put(f, 0x1000, T_MOVI, 0, 0x4ffe); /* over the page's end */

    at = put(f, at, T_MOVI, 1, 0x1234);
    at = put(f, at, T_MOVHI, 1, 0x5678);
    at = put(f, at, T_STORE, 1, 0);
    at = put(f, at, T_LOAD, 2, 0);
    at = put(f, at, T_MOVI, 3, 0);
    at = put(f, at, T_MOVHI, 3, 0x700);
    at = put(f, at, T_LOAD, 4, 3);
    at = put(f, at, T_LOAD, 5, 3);
    put(f, at, T_STOP, 0, 0);
    /* Virtual 0x7000000 is out of the table: use page 0x700 for the device. */
    f->toy->physical_page[0x700] = (DEVICE >> 12) + 1;
    put(f, 0x1000 + 6 * 4, T_MOVHI, 3, 0x70);
    assert_int_equal(run(f, 0x1000), EXIT_YIELD);
    assert_int_equal(f->toy->r[2], 0x56781234);
    assert_memory_equal(f->ram + 0x4ffe, "\x34\x12\x78\x56", 4);
    assert_int_equal(f->toy->r[4], 0x501);
    assert_int_equal(f->toy->r[5], 0x502);
}

static void faults_are_precise(void **state)
{
    struct fixture *f = *state;
    uint32_t at = put(f, 0x1000, T_MOVI, 0, 1), fault;

    f->toy->physical_page[0x50] = 0;
    at = put(f, at, T_MOVI, 1, 0);
    at = put(f, at, T_MOVHI, 1, 5); /* 0x50000 */
    at = put(f, at, T_ADDI, 0, 41);
    fault = at;
    at = put(f, at, T_LOAD, 2, 1);
    at = put(f, at, T_ADDI, 0, 100);
    put(f, at, T_STOP, 0, 0);
    put(f, VECTOR, T_STOP, 0, 0);
    assert_int_equal(run(f, 0x1000), EXIT_YIELD);
    assert_int_equal(f->toy->cause, TOY_FAULT);
    assert_int_equal(f->toy->address, 0x50000);
    assert_int_equal(f->toy->epc, fault);
    assert_int_equal(f->toy->r[0], 42);
    /* The handler maps the page and goes back. */
    f->toy->physical_page[0x50] = 0x51;
    put(f, VECTOR, T_ERET, 0, 0);
    memory_write(f->memory, 0x50000, "abcd", 4);
    assert_int_equal(run(f, VECTOR), EXIT_YIELD);
    assert_int_equal(f->toy->r[0], 142);
    assert_int_equal(f->toy->r[2], load_le32("abcd"));
}

static void probes_fault_before_they_store(void **state)
{
    struct fixture *f = *state;
    uint32_t at = put(f, 0x1000, T_MOVI, 0, 0x4ff0);

    at = put(f, at, T_MOVI, 1, 0x7777);
    at = put(f, at, T_STORE8, 1, 0);
    put(f, at, T_STOP, 0, 0);
    put(f, VECTOR, T_STOP, 0, 0);
    f->toy->read_only[5] = true;
    assert_int_equal(run(f, 0x1000), EXIT_YIELD);
    assert_int_equal(f->toy->cause, TOY_FAULT);
    assert_int_equal(f->toy->address, 0x5000);
    assert_int_equal(load_le32(f->ram + 0x4ff0), 0);
    f->toy->read_only[5] = false;
    f->toy->cause = 0;
    assert_int_equal(run(f, 0x1000), EXIT_YIELD);
    assert_int_equal(f->toy->cause, 0);
    for (unsigned i = 0; i < 8; i++)
        assert_int_equal(load_le32(f->ram + 0x4ff0 + 4 * i), 0x7777);
}

static void fetch_faults_and_traps(void **state)
{
    struct fixture *f = *state;
    uint32_t at = put(f, 0x1000, T_MOVI, 0, 1);

    f->toy->physical_page[2] = 0;
    put_jump(f, at, T_JMP, 0, 0x2000);
    put(f, VECTOR, T_STOP, 0, 0);
    assert_int_equal(run(f, 0x1000), EXIT_YIELD);
    assert_int_equal(f->toy->cause, TOY_PREFETCH);
    assert_int_equal(f->toy->address, 0x2000);
    assert_int_equal(f->toy->epc, 0x2000);
    put(f, 0x1000, T_TRAP, 0, 12);
    assert_int_equal(run(f, 0x1000), EXIT_YIELD);
    assert_int_equal(f->toy->cause, TOY_TRAP);
    assert_int_equal(f->toy->address, 12);
    assert_int_equal(f->toy->epc, 0x1000);
    /* A page that maps to nothing. */
    f->toy->physical_page[2] = 0x12345;
    mmu_flush_all(f->cpu->mmu);
    assert_int_equal(run(f, 0x2000), EXIT_YIELD);
    assert_int_equal(f->toy->cause, TOY_PREFETCH);
}

/* The same virtual address maps to other code after a remap: chained jumps notice. */
static void remapped_pages_are_noticed(void **state)
{
    struct fixture *f = *state;
    uint32_t at = put(f, 0x1000, T_MOVI, 5, 0x3000);

    /* 0x1000: flush 0x3000; jump there; there: either r0 += 1 or r0 += 100; stop */
    at = put(f, at, T_FLUSH, 5, 0);
    put_jump(f, at, T_JMP, 0, 0x3000);
    put(f, 0x3000, T_ADDI, 0, 1);
    put(f, 0x3004, T_STOP, 0, 0);
    put(f, 0x4000, T_ADDI, 0, 100);
    put(f, 0x4004, T_STOP, 0, 0);
    for (unsigned i = 0; i < 3; i++)
        run(f, 0x1000);
    assert_int_equal(f->toy->r[0], 3);
    f->toy->physical_page[3] = 4 + 1;
    for (unsigned i = 0; i < 3; i++)
        run(f, 0x1000);
    assert_int_equal(f->toy->r[0], 303);
    f->toy->physical_page[3] = 3 + 1;
    run(f, 0x1000);
    assert_int_equal(f->toy->r[0], 304);
}

/* An instruction over a page boundary, whose second page is remapped, unmapped and written. */
static void crossing_instructions_check_their_tail(void **state)
{
    struct fixture *f = *state;
    uint32_t at;
    struct counters stats;

    put(f, 0x3ffe, T_ADDI, 0, 0x0001);
    put(f, 0x4002, T_STOP, 0, 0);
    memcpy(f->ram + 0x6000, "\x10\x00", 2); /* + 0x10 */
    put(f, 0x6002, T_STOP, 0, 0);
    at = put(f, 0x1002, T_MOVI, 5, 0x4000);
    at = put(f, at, T_FLUSH, 5, 0);
    put_jump(f, at, T_JMP, 0, 0x3ffa);
    put(f, 0x3ffa, T_ADDI, 1, 1);
    put(f, VECTOR, T_STOP, 0, 0);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(run(f, 0x1002), EXIT_YIELD);
    assert_int_equal(f->toy->r[0], 4);
    f->toy->physical_page[4] = 6 + 1;
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(run(f, 0x1002), EXIT_YIELD);
    assert_int_equal(f->toy->cause, 0);
    assert_int_equal(f->toy->r[0], 0x44);
    f->toy->physical_page[4] = 4 + 1;
    run(f, 0x1002);
    assert_int_equal(f->toy->r[0], 0x45);
    exec_count(f->exec, &stats);
    /* Unmapped: the fault is the tail's, at the instruction. */
    f->toy->physical_page[4] = 0;
    run(f, 0x1002);
    assert_int_equal(f->toy->cause, TOY_PREFETCH);
    assert_int_equal(f->toy->address, 0x4000);
    assert_int_equal(f->toy->epc, 0x3ffe);
    assert_int_equal(f->toy->r[0], 0x45);
    /* Written: the tail is part of the unit. */
    f->toy->physical_page[4] = 4 + 1;
    memory_write(f->memory, 0x4000, "\x00\x01", 2);
    run(f, 0x1002);
    assert_int_equal(f->toy->r[0], 0x145);
}

static void stores_invalidate_code(void **state)
{
    struct fixture *f = *state;
    struct counters stats;
    uint32_t at;

    /* 0x1000: [r1] = r2; jump 0x3000: r0 += n; stop. Also data in the page of the code. */
    at = put(f, 0x1000, T_STORE, 2, 1);
    put_jump(f, at, T_JMP, 0, 0x3000);
    put(f, 0x3000, T_ADDI, 0, 1);
    put(f, 0x3004, T_STOP, 0, 0);
    f->toy->r[1] = 0x3800;
    for (unsigned i = 0; i < 5; i++)
        run(f, 0x1000);
    assert_int_equal(f->toy->r[0], 5);
    exec_count(f->exec, &stats);
    assert_int_equal(stats.n[COUNT_DROPPED_STORE], 0);
    for (int i = 1; i <= 5; i++) {
        uint8_t insn[4] = {T_ADDI, 0, (uint8_t)(10 * i), 0};

        f->toy->r[0] = 0;
        f->toy->r[1] = 0x3000;
        f->toy->r[2] = load_le32(insn);
        run(f, 0x1000);
        assert_int_equal(f->toy->r[0], 10 * i);
    }
    exec_count(f->exec, &stats);
    assert_int_equal(stats.n[COUNT_DROPPED_STORE], 5);
    /* Once no code is left in the page, stores into it take the fast path again. */
    f->toy->r[1] = 0x1800;
    assert_false(memory_find(f->memory, 0x5000)->page_flags[5] & PAGE_HAS_CODE);
    assert_true(memory_find(f->memory, 0x3000)->page_flags[3] & PAGE_HAS_CODE);
}

/* Whoever leaves for the next instruction gets there anew, and so does who branches there. */
static void changes_show_after_synchronising(void **state)
{
    struct fixture *f = *state;
    uint32_t at = put(f, 0x1000, T_MOVI, 2, 0x1018);

    at = put(f, at, T_STORE, 1, 2);
    at = put_jump(f, at, T_JNZ, 4, 0x1010);
    at = put(f, at, T_SYNC, 0, 0);
    at = put(f, at, T_SYNC, 0, 0);
    at = put(f, at, T_ADDI, 3, 1);
    put(f, at, T_MOVI, 0, 1); /* changed: to r0 = 5, r0 = 6, ... */
    put(f, at + 4, T_STOP, 0, 0);
    for (uint32_t i = 0; i < 8; i++) {
        f->toy->r[1] = T_MOVI | (5 + i) << 16;
        f->toy->r[4] = i & 1;
        assert_int_equal(run(f, 0x1000), EXIT_YIELD);
        assert_int_equal(f->toy->r[0], 5 + i);
        assert_int_equal(f->toy->r[3], i + 1);
    }
}

/* The rest of a page goes with what is written, unless it runs, and comes back. */
static void rewritten_pages_come_back(void **state)
{
    enum { ROUTINES = 16, BYTES = 64 };
    struct fixture *f = *state;
    uint32_t at = put(f, 0x1000, T_STORE, 1, 2);

    at = put(f, at, T_ADDI, 2, BYTES);
    at = put(f, at, T_ADDI, 3, -1);
    at = put_jump(f, at, T_JNZ, 3, 0x1000);
    put(f, at, T_STOP, 0, 0);
    for (unsigned round = 0; round < 6; round++) {
        for (uint32_t i = 0; i < ROUTINES; i++) {
            if (!round) {
                put(f, 0x2000 + i * BYTES, T_MOVI, 0, 0);
                put(f, 0x2004 + i * BYTES, T_ADDI, 0, 0x100);
                put(f, 0x2008 + i * BYTES, T_STOP, 0, 0);
            }
            assert_int_equal(run(f, 0x2000 + i * BYTES), EXIT_YIELD);
            assert_int_equal(f->toy->r[0], 0x100 + (i < 8 ? round : 0));
        }
        f->toy->r[1] = T_MOVI | (round + 1) << 16;
        f->toy->r[2] = 0x2000;
        f->toy->r[3] = 8;
        assert_int_equal(run(f, 0x1000), EXIT_YIELD);
    }
}

/* Two versions of a routine take turns in the same place; then neither is right any more. */
static void bytes_that_come_back_revive_their_unit(void **state)
{
    struct fixture *f = *state;
    struct counters stats;
    uint32_t at = put(f, 0x1000, T_MOVI, 3, 0x2000), routine = 0x2000;

    put(f, at, T_JR, 3, 0);
    put_jump(f, routine + 4, T_JMP, 0, 0x3000);
    put(f, 0x3000, T_STOP, 0, 0);
    for (unsigned i = 0; i < 20; i++) {
        put(f, routine, T_MOVI, 1, 7 + i % 2);
        assert_int_equal(run(f, 0x1000), EXIT_YIELD);
        assert_int_equal(f->toy->r[1], 7 + i % 2);
        assert_int_equal(f->cpu->run.pc, base + 0x3004);
    }
    exec_count(f->exec, &stats);
    assert_in_range(stats.n[COUNT_REVIVED], 10, 20);
    put(f, routine + 4, T_ADDI, 1, 1);
    put_jump(f, routine + 8, T_JMP, 0, 0x3000);
    assert_int_equal(run(f, 0x1000), EXIT_YIELD);
    assert_int_equal(f->toy->r[1], 9);
    cache_drop_all(f->exec); /* those that wait, too */
    put_jump(f, routine + 4, T_JMP, 0, 0x3000);
    assert_int_equal(run(f, 0x1000), EXIT_YIELD);
    assert_int_equal(f->toy->r[1], 8);
}

static void dma_invalidates_code(void **state)
{
    struct fixture *f = *state;
    uint8_t page[0x2000] = {0};

    put(f, 0x3000, T_ADDI, 0, 1);
    put(f, 0x3004, T_STOP, 0, 0);
    run(f, 0x3000);
    assert_int_equal(f->toy->r[0], 1);
    memcpy(page + 0x1000, (uint8_t[]){T_ADDI, 0, 50, 0, T_STOP, 0, 0, 0}, 8);
    assert_true(memory_write(f->memory, 0x2000, page, sizeof(page)));
    run(f, 0x3000);
    assert_int_equal(f->toy->r[0], 51);
}

static void *change_later(void *opaque)
{
    struct fixture *f = opaque;
    struct timespec pause = {.tv_nsec = 10000000};
    uint8_t stop[4] = {T_STOP, 0, 0, 0};

    nanosleep(&pause, NULL);
    for (uint32_t at = 0x3ff0; at >= 0x3000; at -= 8)
        memory_write(f->memory, at, stop, 4);
    return NULL;
}

/* Another thread stores into code that is running. */
static void dma_invalidates_running_code(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;

    for (unsigned shape = 0; shape < 2; shape++) {
        put(f, 0x3000, T_ADDI, 0, 1);
        put_jump(f, 0x3004, T_JMP, 0, shape ? 0x4000 : 0x3000);
        put_jump(f, 0x4000, T_JMP, 0, 0x3000);
        for (uint32_t at = 0x3008; at < 0x4000; at += 8) {
            put(f, at, T_STOP, 0, 0);
            run(f, at);
        }
        pthread_create(&thread, NULL, change_later, f);
        f->cpu->run.pc = base + 0x3000;
        assert_int_equal(vcpu_run_here(f->cpu, 0), EXIT_YIELD);
        pthread_join(thread, NULL);
    }
}

enum { MANY_UNITS = 512 }; /* more than the changes that are listed one by one */

static void *add_that_much(void *opaque)
{
    struct fixture *f = opaque;

    for (uint32_t i = 0; i < MANY_UNITS; i++)
        memory_write(f->memory, 0x3000 + i * 8, (uint8_t[]){T_ADDI, 0, f->toy->r[1] & 0xff, 0}, 4);
    return NULL;
}

/* First by the same bytes, for which units that are only put aside could come back. */
static void many_changes_drop_all(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;

    for (uint32_t i = 0; i < MANY_UNITS; i++)
        put(f, put(f, 0x3000 + i * 8, T_ADDI, 0, 1), T_STOP, 0, 0);
    for (uint32_t added = 1; added <= 5; added++) {
        for (unsigned again = 0; again < 2; again++) {
            f->toy->r[1] = added;
            pthread_create(&thread, NULL, add_that_much, f);
            pthread_join(thread, NULL);
            f->toy->r[0] = 0;
            for (uint32_t i = 0; i < MANY_UNITS; i++)
                run(f, 0x3000 + i * 8);
            assert_int_equal(f->toy->r[0], MANY_UNITS * added);
        }
    }
}

static _Atomic bool device_stores;

static void *store_beside(void *opaque)
{
    struct fixture *f = opaque;
    uint8_t stop[4] = {T_STOP, 0, 0, 0};
    int64_t end = monotonic_ns() + 20000000;

    while (monotonic_ns() < end) {
        memory_write(f->memory, 0x3800, stop, 4);
        device_stores = true;
    }
    memory_write(f->memory, 0x3000, stop, 4);
    return NULL;
}

/* A device that keeps storing beside the code: the loop runs nevertheless, and its end is seen. */
static void dma_beside_code_that_is_translated(void **state)
{
    struct fixture *f = *state;
    pthread_t thread;

    put_jump(f, put(f, 0x3000, T_ADDI, 0, 1), T_JMP, 0, 0x3000);
    device_stores = false;
    pthread_create(&thread, NULL, store_beside, f);
    while (!device_stores)
        sched_yield();
    f->cpu->run.pc = base + 0x3000;
    assert_int_equal(vcpu_run_here(f->cpu, 0), EXIT_YIELD);
    assert_true(f->toy->r[0] > 0);
    pthread_join(thread, NULL);
}

/* A loop that changes itself leaves within one turn. */
static void running_unit_changes_itself(void **state)
{
    struct fixture *f = *state;
    uint8_t stop[4] = {T_STOP, 0, 0, 0};
    uint32_t at = 0x3000;

    at = put(f, at, T_ADDI, 0, 1);
    at = put(f, at, T_STORE, 2, 1);
    put_jump(f, at, T_JMP, 0, 0x3000);
    f->toy->r[1] = 0x3000;
    f->toy->r[2] = load_le32(stop);
    assert_int_equal(run(f, 0x3000), EXIT_YIELD);
    assert_int_equal(f->toy->r[0], 1);
}

/* A loop whose every turn changes the instruction that comes next, which may lie in two pages. */
static void changes_show_in_the_next_instruction(void **state)
{
    struct fixture *f = *state;
    static const uint32_t starts[] = {0x3000, 0x3ff6, 0x3ff0, 0x3ffa};

    if (!wide)
        return;
    for (unsigned i = 0; i < ARRAY_SIZE(starts); i++) {
        uint32_t at = put(f, starts[i], T_ADD, 2, 3);

        for (unsigned crossing = 0; crossing < 2; crossing++) {
            at = put(f, starts[i] + 4, crossing ? T_STORE8 : T_STORE, 2, 1);
            f->toy->r[1] = at;
            at = put(f, at, T_ADDI, 0, 0); /* the one that is changed */
            f->toy->r[2] = load_le32((uint8_t[]){T_ADDI, 0, 0, 0});
            f->toy->r[3] = 0x10000;
            f->toy->r[0] = 0;
            f->toy->r[4] = 50;
            for (unsigned k = 0; crossing && k < 7; k++)
                at = put(f, at, T_ADDI, 0, 0); /* and its successors */
            at = put(f, at, T_ADDI, 4, -1);
            at = put_jump(f, at, T_JNZ, 4, starts[i]);
            put(f, at, T_STOP, 0, 0);
            assert_int_equal(run(f, starts[i]), EXIT_YIELD);
            assert_int_equal(f->toy->cause, 0);
            assert_int_equal(f->toy->r[0], (crossing ? 8 : 1) * 50 * 51 / 2);
        }
    }
}

/* An exception's own stores, here into the unit it was raised in, do not begin anything again. */
static void exceptions_may_change_the_unit_they_leave(void **state)
{
    struct fixture *f = *state;
    uint32_t at = put(f, 0x1000, T_ADDI, 0, 1);

    at = put(f, at, T_ADDI, 1, 1);
    at = put(f, at, T_TRAP, 0, 3);
    put(f, at, T_STOP, 0, 0);
    put(f, VECTOR, T_STOP, 0, 0);
    f->toy->push_at = 0x1004;
    f->toy->pushed = load_le32((uint8_t[]){T_ADDI, 1, 100, 0});
    assert_int_equal(run(f, 0x1000), EXIT_YIELD);
    assert_int_equal(f->toy->epc, 0x1008);
    assert_int_equal(f->toy->r[0], 1);
    assert_int_equal(f->toy->r[1], 1);
    assert_int_equal(run(f, 0x1000), EXIT_YIELD);
    assert_int_equal(f->toy->r[1], 101);
}

/* Addresses that differ from mapped ones in their top bits only. */
static void addresses_that_are_not_canonical_fault(void **state)
{
    struct fixture *f = *state;

    if (!wide)
        return;
    put(f, VECTOR, T_STOP, 0, 0);
    memory_write(f->memory, 0x5010, "abcdefgh", 8);
    for (unsigned how = 0; how < N_FAR; how++) {
        uint32_t at = put(f, 0x1000, T_ADDI, 5, 1);

        at = put(f, at, T_FAR, 0, (int)how);
        put(f, at, T_STOP, 0, 0);
        for (unsigned bit = 48; bit <= 64; bit++) {
            uint64_t wrong = bit < 64 ? UINT64_C(1) << bit : UINT64_C(0xffff) << 48;

            f->toy->r[0] = load_le32("abcd");
            f->toy->r[5] = 0;
            f->toy->r[6] = 0x5010;
            f->toy->r[7] = (uint32_t)(base >> 32);
            f->toy->cause = 0;
            assert_int_equal(run(f, 0x1000), EXIT_YIELD);
            assert_int_equal(f->toy->cause, 0);
            if (how != FAR_STORE)
                assert_int_equal(f->toy->r[0], load_le32(how == FAR_PROBE ? "efgh" : "abcd"));
            f->toy->r[0] = 0x1234567;
            f->toy->r[7] ^= (uint32_t)(wrong >> 32);
            assert_int_equal(run(f, 0x1000), EXIT_YIELD);
            assert_int_equal(f->toy->cause, TOY_FAULT);
            assert_int_equal(f->toy->far_address, (base + 0x5010) ^ wrong);
            assert_int_equal(f->toy->epc, 0x1004);
            assert_int_equal(f->toy->r[0], 0x1234567);
            assert_int_equal(f->toy->r[5], 2);
        }
    }
    assert_memory_equal(f->ram + 0x5010, "abcdefgh", 8);
    /* Nor is code there. */
    f->cpu->run.pc = (base + 0x1000) ^ UINT64_C(1) << 52;
    assert_int_equal(vcpu_run_here(f->cpu, 1000), EXIT_YIELD);
    assert_int_equal(f->toy->cause, TOY_PREFETCH);
}

static void small_cache_evicts(void **state)
{
    struct fixture *f = *state;
    enum { N_UNITS = 8000 };
    struct counters stats;
    uint32_t expected = 0;

    /* Many units in a chain, run over and over. */
    for (unsigned i = 0; i < N_UNITS; i++) {
        uint32_t at = 0x10000 + i * 0x40;

        for (unsigned k = 0; k < 6; k++)
            at = put(f, at, T_ADDI, k, (int)(i % 7 + k));
        expected += i % 7;
        put_jump(f, at, T_JMP, 0, 0x10000 + (i + 1) * 0x40);
    }
    put(f, 0x10000 + N_UNITS * 0x40, T_STOP, 0, 0);
    for (unsigned i = 1; i <= 4; i++) {
        assert_int_equal(run(f, 0x10000), EXIT_YIELD);
        assert_int_equal(f->toy->r[0], i * expected);
    }
    exec_count(f->exec, &stats);
    assert_true(stats.n[COUNT_EVICTIONS] > 0);
}

/* Code, data and jumps at random addresses: nothing but the guest's own RAM changes. */
static void wild_addresses_stay_inside(void **state)
{
    struct fixture *f = *state;
    unsigned seed = 3;

    put(f, VECTOR, T_STOP, 0, 0);
    for (unsigned i = 0; i < TOY_PAGES; i++) {
        if (i != VECTOR >> 12 && i % 3)
            f->toy->physical_page[i] = (uint32_t)rand_r(&seed) * 7919u;
    }
    for (unsigned i = 0; i < 3000; i++) {
        uint32_t at = put(f, 0x3000, T_STORE, 2, 1);

        at = put(f, at, T_STORE8, 2, 3);
        at = put(f, at, T_LOAD, 4, 5);
        put(f, at, T_JR, 6, 0);
        for (unsigned r = 0; r < N_TOY_REGS; r++)
            f->toy->r[r] = ((uint32_t)rand_r(&seed) << 12 ^ (uint32_t)rand_r(&seed)) >> (i % 10);
        f->cpu->run.pc = base + 0x3000;
        vcpu_run_here(f->cpu, 20);
        put(f, VECTOR, T_STOP, 0, 0);
    }
}

static void no_mapping_is_writable_and_executable(void **state)
{
    FILE *maps = fopen("/proc/self/maps", "r");
    bool writable = false, executable = false;
    char line[512];

    assert_non_null(maps);
    while (fgets(line, sizeof(line), maps)) {
        const char *flags = strchr(line, ' ') + 1;

        assert_false(flags[1] == 'w' && flags[2] == 'x');
        if (strstr(line, "/dev/zero")) { /* shared and anonymous: the code cache alone */
            writable |= flags[1] == 'w';
            executable |= flags[2] == 'x';
        }
    }
    fclose(maps);
    assert_true(writable);
    assert_int_equal(executable, !interpret);
}

static void steps_are_single(void **state)
{
    struct fixture *f = *state;
    uint32_t at = put(f, 0x1000, T_ADDI, 0, 1);

    f->toy->physical_page[0x50] = 0;
    at = put(f, at, T_MOVI, 3, 0x2000);
    put(f, at, T_JR, 3, 0);
    at = put(f, 0x2000, T_LOAD, 1, 0);
    put_jump(f, at, T_JMP, 0, at);
    for (unsigned warm = 0; warm < 2; warm++) {
        f->cpu->run.pc = base + 0x1000;
        f->toy->r[0] = 0;
        for (unsigned i = 0; i < 3; i++) {
            assert_int_equal(vcpu_step(f->cpu, 1), EXIT_REQUESTED);
            assert_int_equal(f->cpu->run.pc, base + (i == 2 ? 0x2000 : 0x1004 + 4 * i));
        }
        vcpu_step(f->cpu, 1);
        assert_int_equal(f->cpu->run.pc, base + 0x2004);
        vcpu_step(f->cpu, 5);
        assert_int_equal(f->cpu->run.pc, base + 0x2004);
        assert_int_equal(f->toy->r[0], 1);
        /* Units that exist do not make steps longer. */
        put(f, 0x2004, T_STOP, 0, 0);
        run(f, 0x1000);
        put_jump(f, 0x2004, T_JMP, 0, 0x2004);
    }
}

/* -d accesses: each load and store that is executed, also behind branches and before jumps. */
static void accesses_are_counted(void **state)
{
    struct fixture *f = *state;
    struct counters before, after;
    uint32_t at = put(f, 0x1000, T_MOVI, 0, 100), loop;

    at = put(f, at, T_MOVI, 3, 0x2000);
    at = put(f, at, T_MOVHI, 3, (int)(base >> 16));
    loop = at;
    at = put(f, at, T_STORE, 0, 3);
    at = put_jump(f, at, T_JNZ, 4, at + 12);
    at = put(f, at, T_LOAD, 2, 3);
    at = put(f, at, T_LOAD, 2, 3);
    at = put(f, at, T_LOAD, 2, 3);
    at = put(f, at, T_ADDI, 0, -1);
    at = put_jump(f, at, T_JNZ, 0, loop);
    put(f, at, T_STOP, 0, 0);
    for (uint32_t skips = 0; skips < 2; skips++) {
        f->toy->r[4] = skips;
        exec_count(f->exec, &before);
        log_mask = LOG_ACCESSES;
        assert_int_equal(run(f, 0x1000), EXIT_YIELD);
        log_mask = 0;
        exec_count(f->exec, &after);
        assert_int_equal(after.n[COUNT_ACCESSES] - before.n[COUNT_ACCESSES], skips ? 200 : 400);
        assert_true(counters_tlb_hits(&after) > 90);
    }
    cache_drop_all(f->exec);
    run(f, 0x1000);
    exec_count(f->exec, &before);
    assert_int_equal(before.n[COUNT_ACCESSES], after.n[COUNT_ACCESSES]);
}

static void breakpoints_stop(void **state)
{
    struct fixture *f = *state;
    uint32_t at = 0x1000;

    for (unsigned i = 0; i < 8; i++)
        at = put(f, at, T_ADDI, 0, 1);
    put(f, at, T_STOP, 0, 0);
    run(f, 0x1000);
    assert_int_equal(f->toy->r[0], 8);
    assert_true(vcpu_add_breakpoint(f->cpu, base + 0x100c));
    assert_int_equal(run(f, 0x1000), EXIT_DEBUG);
    assert_int_equal(f->cpu->run.pc, base + 0x100c);
    assert_int_equal(f->toy->r[0], 11);
    vcpu_step(f->cpu, 1);
    assert_int_equal(f->toy->r[0], 12);
    assert_int_equal(run(f, 0x1010), EXIT_YIELD);
    assert_int_equal(f->toy->r[0], 16);
    assert_true(vcpu_remove_breakpoint(f->cpu, base + 0x100c));
    assert_false(vcpu_remove_breakpoint(f->cpu, base + 0x100c));
    assert_int_equal(run(f, 0x1000), EXIT_YIELD);
    assert_int_equal(f->toy->r[0], 24);
}

/* Lets the vCPU's thread run in short turns until `done`, however busy the host is. Stopped then.
 */
static void run_until(struct fixture *f, bool (*done)(const struct fixture *f))
{
    struct timespec pause = {.tv_nsec = 5000000};

    for (unsigned i = 0; i < 2000; i++) {
        vcpu_resume(f->cpu);
        nanosleep(&pause, NULL);
        vcpu_stop(f->cpu);
        if (done(f))
            return;
    }
    fail_msg("nothing happens");
}

static bool is_halted(const struct fixture *f)
{
    return f->cpu->halted;
}

static bool has_gone_round(const struct fixture *f)
{
    return f->toy->r[0] > 1;
}

static void held_threads_stand(void **state)
{
    struct timespec pause = {.tv_nsec = 20000000};
    struct fixture *f = *state;
    struct error err;
    uint32_t counted;

    put_jump(f, put(f, 0x1000, T_ADDI, 0, 1), T_JMP, 0, 0x1000);
    f->cpu->run.pc = base + 0x1000;
    assert_true(vcpu_start(f->cpu, &err));
    run_until(f, has_gone_round);
    counted = f->toy->r[0];
    vcpu_hold(f->cpu, true);
    vcpu_hold(f->cpu, true);
    vcpu_resume(f->cpu);
    nanosleep(&pause, NULL);
    vcpu_hold(f->cpu, false);
    nanosleep(&pause, NULL);
    vcpu_stop(f->cpu);
    assert_int_equal(f->toy->r[0], counted);
    vcpu_hold(f->cpu, false);
    f->toy->r[0] = 0;
    run_until(f, has_gone_round);
}

static void threads_wait_and_wake(void **state)
{
    struct fixture *f = *state;
    struct error err;
    uint32_t at = put(f, 0x1000, T_ADDI, 0, 1);

    at = put(f, at, T_WAIT, 0, 0);
    put_jump(f, at, T_JMP, 0, 0x1000);
    f->cpu->run.pc = base + 0x1000;
    assert_true(vcpu_start(f->cpu, &err));
    for (unsigned i = 1; i <= 3; i++) {
        run_until(f, is_halted);
        assert_int_equal(f->toy->r[0], 1);
    }
    /* Work: it goes round and round until there is none. */
    atomic_store(&f->toy->work, true);
    vcpu_kick(f->cpu);
    run_until(f, has_gone_round);
    atomic_store(&f->toy->work, false);
    run_until(f, is_halted);
    assert_true(f->toy->n_interrupts > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static const struct CMUnitTest tests[] = {
    TEST(loops_run_and_chain),
    TEST(ways_that_meet_are_one_unit),
    TEST(own_loop_polls),
    TEST(another_thread_stops_loops),
    TEST(memory_accesses_and_devices),
    TEST(faults_are_precise),
    TEST(probes_fault_before_they_store),
    TEST(fetch_faults_and_traps),
    TEST(remapped_pages_are_noticed),
    TEST(crossing_instructions_check_their_tail),
    TEST(stores_invalidate_code),
    TEST(bytes_that_come_back_revive_their_unit),
    TEST(changes_show_after_synchronising),
    TEST(rewritten_pages_come_back),
    TEST(dma_invalidates_code),
    TEST(dma_invalidates_running_code),
    TEST(dma_beside_code_that_is_translated),
    TEST(many_changes_drop_all),
    TEST(running_unit_changes_itself),
    TEST(changes_show_in_the_next_instruction),
    TEST(exceptions_may_change_the_unit_they_leave),
    TEST(addresses_that_are_not_canonical_fault),
    cmocka_unit_test_setup_teardown(small_cache_evicts, setup_tiny_cache, teardown),
    TEST(wild_addresses_stay_inside),
    TEST(no_mapping_is_writable_and_executable),
    TEST(steps_are_single),
    TEST(accesses_are_counted),
    TEST(breakpoints_stop),
    TEST(held_threads_stand),
    TEST(threads_wait_and_wake),
};

static bool have_code_generator(void)
{
    REGISTRY_FOREACH (backend, struct backend, b) {
        if (b->generates_code && b->available())
            return true;
    }
    return false;
}

/* Both backends, in the toy's address spaces. */
static int run_all(const char *name, bool is_wide, uint64_t first_address)
{
    int failed;

    wide = is_wide;
    base = first_address;
    interpret = true;
    failed = cmocka_run_group_tests_name(name, tests, NULL, NULL);
    interpret = false;
    if (have_code_generator())
        failed += cmocka_run_group_tests_name(name, tests, NULL, NULL);
    return failed;
}

int main(void)
{
    return run_all("32 bits", false, 0) + run_all("wide, lower half", true, 0) +
           run_all("wide, upper half", true, UINT64_C(0xffff800000000000));
}
