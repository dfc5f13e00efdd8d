/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The interpreter: state, memory, faults, exits, helpers, threads. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random_unit.h"

struct test {
    struct arena arena;
    struct ir_unit *unit;
    struct ir_builder b;
    struct random_vcpu *cpu;
    struct random_state *state;
    uint8_t *memory;
    struct random_outcome outcome;
};

static void begin(struct test *t)
{
    arena_init(&t->arena);
    t->unit = ir_unit_create(&t->arena, random_fields, RANDOM_N_FIELDS);
    t->unit->fp = &random_fp_rules;
    t->unit->pc = 0x8000;
    t->unit->key = 5;
    ir_builder_begin(&t->b, t->unit);
    ir_insn(&t->b, 0x8000, 1);
    t->cpu = random_vcpu_create("interp");
    assert_non_null(t->cpu);
    random_vcpu_reset(t->cpu, 1);
    t->state = random_vcpu_state(t->cpu);
    t->state->run.exit_request = 0;
    t->memory = random_vcpu_memory(t->cpu);
}

static void run(struct test *t)
{
    char why[256];
    ir_builder_end(&t->b);
    if (!ir_verify(t->unit, why, sizeof(why)))
        fail_msg("%s", why);
    random_vcpu_run(t->cpu, t->unit, &t->outcome);
    assert_int_equal(t->outcome.emitted, EMIT_OK);
}

static void end(struct test *t)
{
    random_vcpu_destroy(t->cpu);
    arena_finish(&t->arena);
}

static void fields_have_their_widths(void **state)
{
    struct test t;
    begin(&t);
    struct ir_builder *b = &t.b;
    memset(t.state->d, 0xcc, sizeof(t.state->d));
    t.state->byte[1] = 0x55;
    t.state->half[1] = 0x5555;
    ir_ref x = ir_i32(b, 0x12345678);
    ir_set(b, RF_BYTE0, x);
    ir_set(b, RF_HALF0, x);
    ir_set(b, RF_R0, ir_get(b, RF_BYTE0));
    ir_set(b, RF_R0 + 1, ir_get(b, RF_HALF0));
    ir_set(b, RF_WIDE0, ir_i64(b, UINT64_C(0x1122334455667788)));
    ir_set(b, RF_D0, ir_v128(b, 1, 2));
    ir_set(b, RF_Q0 + 1, ir_get(b, RF_D0));
    ir_set(b, RF_S0 + 1, ir_emit(b, IR_CONST, IR_F32, 0, 0, 0, 0, 0, 0x3f800000));
    ir_exit_stop(b, EXIT_HALT);
    run(&t);
    assert_int_equal(t.outcome.reason, EXIT_HALT);
    assert_int_equal(t.state->byte[0], 0x78);
    assert_int_equal(t.state->byte[1], 0x55);
    assert_int_equal(t.state->half[0], 0x5678);
    assert_int_equal(t.state->half[1], 0x5555);
    assert_int_equal(t.state->r[0], 0x78);
    assert_int_equal(t.state->r[1], 0x5678);
    assert_true(t.state->wide[0] == UINT64_C(0x1122334455667788));
    assert_true(t.state->d[0] == UINT64_C(0x3f80000000000001));
    assert_true(t.state->d[1] == UINT64_C(0xcccccccccccccccc));
    assert_true(t.state->d[2] == 1 && t.state->d[3] == 0);
    end(&t);
}

/* Through the TLB (page 0), through the slow path (page 3), across pages. */
static void memory_accesses(void **state)
{
    static const uint32_t offsets[] = {0x10, 0x3011, TLB_PAGE_SIZE - 1, 0x2ffd};
    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        struct test t;
        begin(&t);
        struct ir_builder *b = &t.b;
        static const uint8_t bytes[16] = {0x81, 0x92, 0xa3, 0xb4, 5, 6, 7, 0xf8};
        uint32_t va = RANDOM_MEMORY_BASE + offsets[i];
        memcpy(t.memory + offsets[i], bytes, 16);
        t.state->r[0] = va - 7;
        ir_ref base = ir_get(b, RF_R0);
        ir_ref byte = ir_load(b, IR_I32, base, 7, 0 | IR_MEM_SIGN);
        ir_ref half = ir_load(b, IR_I32, base, 7, 1 | IR_MEM_SWAP);
        ir_ref word = ir_load(b, IR_I64, base, 7, 2 | IR_MEM_SIGN);
        ir_ref two = ir_load(b, IR_I64, base, 7, 3 | IR_MEM_SWAP);
        ir_ref quad = ir_load(b, IR_V128, base, 7, 4 | IR_MEM_SWAP);
        ir_store(b, base, 39, two, 1);
        ir_store(b, base, 47, quad, 4);
        ir_store(b, base, 63, word, 2 | IR_MEM_SWAP);
        ir_set(b, RF_R0 + 1, byte);
        ir_set(b, RF_R0 + 2, half);
        ir_set(b, RF_WIDE0, word);
        ir_set(b, RF_WIDE0 + 1, two);
        ir_set(b, RF_Q0, quad);
        ir_exit_stop(b, EXIT_HALT);
        run(&t);
        assert_false(t.outcome.faulted);
        assert_int_equal(t.state->r[1], 0xffffff81);
        assert_int_equal(t.state->r[2], 0x8192);
        assert_true(t.state->wide[0] == UINT64_C(0xffffffffb4a39281));
        assert_true(t.state->wide[1] == UINT64_C(0x8192a3b4050607f8));
        assert_true(t.state->d[1] == UINT64_C(0x8192a3b4050607f8) && t.state->d[0] == 0);
        uint8_t *after = t.memory + offsets[i];
        assert_true(after[32] == 0xf8 && after[33] == 7);
        assert_true(after[40] == 0 && after[55] == 0x81);
        assert_true(after[56] == 0xb4 && after[59] == 0x81);
        end(&t);
    }
}

static void probes_and_atomics(void **state)
{
    static const uint32_t offsets[] = {0x20, 0x3020, TLB_PAGE_SIZE - 6};
    for (size_t i = 0; i < ARRAY_SIZE(offsets); i++) {
        struct test t;
        begin(&t);
        struct ir_builder *b = &t.b;
        uint8_t *at = t.memory + offsets[i];
        static const uint8_t bytes[16] = {1, 0, 0, 0, 2, 0, 0, 0, 3, 0, 0, 0, 9};
        memcpy(at, bytes, 16);
        ir_ref base = ir_i32(b, RANDOM_MEMORY_BASE + offsets[i]);
        ir_ref in = ir_probe(b, base, 0, 12, 2);
        ir_ref first = ir_hload(b, IR_I32, in, 0, 2);
        ir_ref third = ir_hload(b, IR_I32, in, 8, 2 | IR_MEM_SWAP);
        ir_ref out = ir_probe(b, base, 4, 8, 2 | IR_MEM_WRITE);
        ir_hstore(b, out, 0, first, 2);
        ir_hstore(b, out, 4, third, 2);
        ir_commit(b, out, base, 4, 8, 2 | IR_MEM_WRITE);
        ir_ref old = ir_rmw(b, IR_I32, IR_RMW_ADD, base, ir_i32(b, 0xff), 0);
        ir_ref expected = ir_i32(b, 0);
        ir_ref equal = ir_cas(b, IR_I32, base, expected, ir_i32(b, 0x44), 0);
        ir_ref other = ir_cas(b, IR_I32, base, expected, ir_i32(b, 0x55), 0);
        ir_set(b, RF_R0, old);
        ir_set(b, RF_R0 + 1, equal);
        ir_set(b, RF_R0 + 2, other);
        ir_exit_stop(b, EXIT_HALT);
        run(&t);
        static const uint8_t after[16] = {0x44, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 3, 9};
        assert_memory_equal(at, after, 16);
        assert_int_equal(t.state->r[0], 1);
        assert_int_equal(t.state->r[1], 0);
        assert_int_equal(t.state->r[2], 0x44);
        end(&t);
    }
}

/* State at a fault is that before the instruction; pending records are done then only. */
static void faults_are_precise(void **state)
{
    for (unsigned faults = 0; faults < 2; faults++) {
        struct test t;
        begin(&t);
        struct ir_builder *b = &t.b;
        t.state->r[1] = RANDOM_MEMORY_BASE + (faults ? RANDOM_MEMORY_BYTES : 0);
        t.state->byte[1] = 0x77;
        ir_ref x = ir_i32(b, 0x1234);
        ir_set(b, RF_R0, x);
        ir_insn(b, 0x8004, 99);
        ir_ref loaded = ir_load(b, IR_I32, ir_get(b, RF_R0 + 1), 0, 2);
        ir_set(b, RF_R0, loaded);
        ir_set(b, RF_BYTE0, loaded);
        ir_insn(b, 0x8008, 100);
        ir_exit_jump(b, 0x800c, 6, false);
        struct ir_pending records[2] = {{RF_R0 + 10, x, 2}, {RF_BYTE0, x, 0}};
        t.unit->pending = records;
        t.unit->n_pending = 2;
        t.unit->insns[loaded].pending = 1;
        uint32_t r10 = t.state->r[10];
        run(&t);
        assert_int_equal(t.outcome.faulted, faults);
        assert_int_equal(t.state->byte[1], 0x77);
        if (faults) {
            assert_int_equal(t.outcome.reason, EXIT_YIELD);
            assert_int_equal(t.outcome.fault_pc, 0x8004);
            assert_int_equal(t.outcome.fault_aux, 99);
            assert_int_equal(t.state->r[0], 0x1234);
            assert_int_equal(t.state->r[10], 0x1234);
            assert_int_equal(t.state->byte[0], 0x34);
        } else {
            assert_int_equal(t.outcome.reason, EXIT_LOOKUP_MISS);
            assert_int_equal(t.state->run.pc, 0x800c);
            assert_int_equal(t.state->run.key, 6);
            assert_int_equal(t.state->r[10], r10);
        }
        end(&t);
    }
}

static void every_exit_polls_where_it_says(void **state)
{
    for (unsigned i = 0; i < 10; i++) {
        struct test t;
        unsigned kind = i / 2;
        bool requested = i & 1;
        begin(&t);
        struct ir_builder *b = &t.b;
        t.state->run.exit_request = requested;
        ir_ref pc = ir_i32(b, 0x9000), key = ir_i32(b, 9);
        if (kind == 0) {
            ir_exit_jump(b, 0x9000, 9, true);
        } else if (kind == 1) {
            ir_exit_jump(b, 0x9000, 9, false);
        } else if (kind == 2) {
            ir_exit_indirect(b, pc, key);
        } else if (kind == 3) {
            ir_set(b, RF_PC, ir_i64(b, 0x9000));
            ir_set(b, RF_KEY, key);
            ir_exit_lookup(b);
        } else {
            unsigned next = ir_block_create(b);
            ir_emit(b, IR_BR, IR_VOID, IR_POLL, next, 0, 0, 0, 0x8004);
            ir_block_begin(b, next);
            ir_exit_jump(b, 0x9000, 9, false);
        }
        run(&t);
        bool polls = kind != 1;
        assert_int_equal(t.outcome.reason, requested && polls ? EXIT_REQUESTED : EXIT_LOOKUP_MISS);
        bool at_branch = kind == 4 && requested;
        assert_int_equal(t.state->run.pc, at_branch ? 0x8004 : 0x9000);
        assert_int_equal(t.state->run.key, at_branch ? 5 : 9);
        assert_null(t.state->run.host_sp);
        end(&t);
    }
}

static uint64_t four(void *cpu, uint32_t a, uint64_t c, uint32_t d, uint64_t e)
{
    struct random_state *state = cpu;
    state->sticky++;
    return a + 10 * c + 100 * (uint64_t)d + 1000 * e;
}

static void helpers_get_their_arguments(void **state)
{
    static const struct ir_helper helper = IR_HELPER(four, IR_I64, 4, 0, 0, UINT64_C(1) << 19);
    struct test t;
    begin(&t);
    struct ir_builder *b = &t.b;
    uint32_t sticky = t.state->sticky;
    ir_ref a = ir_i32(b, 1), c = ir_i64(b, 2), d = ir_i32(b, 3), e = ir_i64(b, 4);
    ir_set(b, RF_WIDE0, ir_call(b, &helper, a, c, d, e));
    ir_exit_stop(b, EXIT_HALT);
    run(&t);
    assert_int_equal(t.state->wide[0], 4321);
    assert_int_equal(t.state->sticky, sticky + 1);
    end(&t);
}

/* 10 + 9 + .. + 1 with a loop inside the unit. */
static void loops_stay_inside(void **state)
{
    struct test t;
    begin(&t);
    struct ir_builder *b = &t.b;
    unsigned loop = ir_block_create(b), out = ir_block_create(b);
    ir_set(b, RF_R0, ir_i32(b, 10));
    ir_set(b, RF_R0 + 1, ir_i32(b, 0));
    ir_block_begin(b, loop);
    ir_ref n = ir_get(b, RF_R0);
    ir_set(b, RF_R0 + 1, ir_bin(b, IR_ADD, ir_get(b, RF_R0 + 1), n));
    ir_ref less = ir_bin_i(b, IR_SUB, n, 1);
    ir_set(b, RF_R0, less);
    ir_brcc(b, IR_NZ, ir_flagof(b, less), loop, out);
    ir_block_begin(b, out);
    ir_exit_stop(b, EXIT_DEBUG);
    run(&t);
    assert_int_equal(t.outcome.reason, EXIT_DEBUG);
    assert_int_equal(t.state->r[1], 55);
    end(&t);
}

/* ---- units that follow each other ------------------------------------------------------------ */

struct chain_state {
    struct run_state run; /* first */
    uint32_t steps, pad;
    const void *code[2];
};

static const void *chain_lookup(void *cpu)
{
    struct chain_state *chain = cpu;
    return chain->run.pc < 2 ? chain->code[chain->run.pc] : NULL;
}

static const struct state_field chain_fields[] = {
    {"steps", offsetof(struct chain_state, steps), IR_I32, 0, 1},
};

static void units_follow_each_other(void **state)
{
    static uint8_t code[8192] __attribute__((aligned(16)));
    const struct backend *interp = NULL;
    struct chain_state chain;
    struct arena arena;
    struct error err;
    REGISTRY_FOREACH (backend, struct backend, candidate) {
        if (!strcmp(candidate->name, "interp"))
            interp = candidate;
    }
    memset(&chain, 0, sizeof(chain));
    arena_init(&arena);
    struct backend_env env = {.fields = chain_fields, .n_fields = 1};
    env.slow.lookup = chain_lookup;
    struct backend_state *backend = interp->create(&env, &err);
    struct code_buf out = {.write = code, .exec = code, .end = code + sizeof(code)};
    for (unsigned i = 0; i < 2; i++) {
        struct unit_code unit_code;
        struct ir_builder b;
        struct ir_unit *unit = ir_unit_create(&arena, chain_fields, 1);
        ir_builder_begin(&b, unit);
        ir_ref steps = ir_bin_i(&b, IR_ADD, ir_get(&b, 0), 1);
        ir_set(&b, 0, steps);
        if (i == 0) {
            ir_exit_jump(&b, 1, 0, false);
        } else {
            ir_ref again = ir_setcc(&b, IR_NC, ir_compare(&b, steps, ir_i32(&b, 1000)));
            ir_ref pc = ir_bin(&b, IR_ADD, again, again); /* 0, or 2: nowhere */
            ir_exit_indirect(&b, pc, ir_i32(&b, 3));
        }
        ir_builder_end(&b);
        struct code_buf small = {.write = out.write, .exec = out.exec, .end = out.write + 64};
        assert_int_equal(interp->emit_unit(backend, unit, &small, &unit_code), EMIT_NO_SPACE);
        assert_int_equal(interp->emit_unit(backend, unit, &out, &unit_code), EMIT_OK);
        chain.code[i] = unit_code.entry;
        assert_true(out.write <= out.end);
        assert_ptr_equal((const uint8_t *)unit_code.entry + unit_code.code_bytes, out.exec);
    }
    assert_int_equal(interp->enter(backend, &chain.run, chain.code[0]), EXIT_LOOKUP_MISS);
    assert_int_equal(chain.steps, 1000);
    assert_int_equal(chain.run.pc, 2);
    assert_int_equal(chain.run.key, 3);
    assert_null(interp->fault_site(backend, &chain.run));
    interp->destroy(backend);
    arena_finish(&arena);
}

/* ---- many units ------------------------------------------------------------------------------ */

static uint64_t digest(struct random_vcpu *cpu, const struct random_outcome *outcome)
{
    uint64_t hash = outcome->reason + 131 * outcome->fault_pc + outcome->fault_aux;
    const uint8_t *bytes = (const uint8_t *)random_vcpu_state(cpu)->r;
    for (size_t i = 0; i < sizeof(struct random_state) - offsetof(struct random_state, r); i++)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    bytes = random_vcpu_memory(cpu);
    for (size_t i = 0; i < RANDOM_MEMORY_BYTES; i += 7)
        hash = (hash ^ bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

static void *run_some(void *opaque)
{
    uint64_t *result = opaque;
    struct random_vcpu *cpu = random_vcpu_create("interp");
    struct arena arena;
    arena_init(&arena);
    for (uint64_t seed = 1; seed <= 200; seed++) {
        struct random_outcome outcome;
        arena_reset(&arena);
        struct ir_unit *unit = random_unit(&arena, seed, NULL);
        random_vcpu_reset(cpu, seed);
        random_vcpu_run(cpu, unit, &outcome);
        *result = *result * 31 + digest(cpu, &outcome);
    }
    arena_finish(&arena);
    random_vcpu_destroy(cpu);
    return NULL;
}

static void threads_do_not_disturb_each_other(void **state)
{
    uint64_t alone = 0, together[4] = {0};
    pthread_t threads[4];
    run_some(&alone);
    for (unsigned i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run_some, &together[i]), 0);
    for (unsigned i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
        assert_true(together[i] == alone);
    }
}

/* The generator other tests rely on makes every op, and units that end in every way. */
static void random_units_cover_everything(void **state)
{
    unsigned made[IR_N_OPS] = {0}, faulted = 0, reasons[EXIT_YIELD + 1] = {0};
    struct random_vcpu *cpu = random_vcpu_create("interp");
    struct arena arena;
    arena_init(&arena);
    for (uint64_t seed = 1; seed <= 3000; seed++) {
        struct random_outcome outcome;
        arena_reset(&arena);
        struct ir_unit *unit = random_unit(&arena, seed, NULL);
        for (unsigned i = 1; i < unit->n_insns; i++)
            made[unit->insns[i].op]++;
        random_vcpu_reset(cpu, seed);
        random_vcpu_run(cpu, unit, &outcome);
        faulted += outcome.faulted;
        reasons[outcome.reason] += !outcome.faulted;
    }
    for (unsigned op = IR_CONST; op < IR_N_OPS; op++) {
        /* X87 works on registers that other code must not touch: it has its own test. */
        if (!made[op] && op != IR_X87)
            fail_msg("no %s", ir_op_info[op].name);
    }
    assert_true(faulted > 100);
    assert_true(reasons[EXIT_LOOKUP_MISS] > 100);
    assert_true(reasons[EXIT_REQUESTED] > 50);
    assert_true(reasons[EXIT_HALT] > 50);
    assert_true(reasons[EXIT_YIELD] > 50);
    arena_finish(&arena);
    random_vcpu_destroy(cpu);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_have_their_widths),
        cmocka_unit_test(memory_accesses),
        cmocka_unit_test(probes_and_atomics),
        cmocka_unit_test(faults_are_precise),
        cmocka_unit_test(every_exit_polls_where_it_says),
        cmocka_unit_test(helpers_get_their_arguments),
        cmocka_unit_test(loops_stay_inside),
        cmocka_unit_test(units_follow_each_other),
        cmocka_unit_test(threads_do_not_disturb_each_other),
        cmocka_unit_test(random_units_cover_everything),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
