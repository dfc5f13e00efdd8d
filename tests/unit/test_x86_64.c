/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The x86-64 backend: random units against the interpreter, with and without host features; what
 * random units do not reach by hand (chaining, inline caches, polls); code of key idioms as text.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "random_unit.h"

enum { UNITS = 3000 };

static void plain(struct ir_unit *unit)
{
}

static void optimised(struct ir_unit *unit)
{
    ir_optimise(unit, true);
}

/* CALQUE_TEST_SEED=n runs and prints only that one, CALQUE_TEST_COUNT=m this many. */
static void compare_all(const char *features, uint64_t first, void (*change)(struct ir_unit *unit),
                        bool wide)
{
    const struct random_options options = {.wide = wide};
    struct random_vcpu *(*create)(const char *) =
        wide ? random_vcpu_create_wide : random_vcpu_create;
    const char *from = getenv("CALQUE_TEST_SEED"), *count = getenv("CALQUE_TEST_COUNT");
    uint64_t seed = from ? strtoull(from, NULL, 0) : first;
    uint64_t end = seed + (count ? strtoull(count, NULL, 0) : from ? 1 : UNITS);
    if (features)
        setenv("CALQUE_HOST_FEATURES", features, 1);
    struct random_vcpu *oracle = create("interp"), *tested = create("x86_64");
    unsetenv("CALQUE_HOST_FEATURES");
    if (!tested) {
        random_vcpu_destroy(oracle);
        skip();
    }
    struct arena arena;
    arena_init(&arena);
    for (; seed < end; seed++) {
        struct random_outcome a, b;
        char text[256];
        arena_reset(&arena);
        struct ir_unit *unit = random_unit(&arena, seed, &options);
        change(unit);
        if (from && !count)
            ir_print(stderr, unit);
        random_vcpu_reset(oracle, seed);
        random_vcpu_run(oracle, unit, &a);
        random_vcpu_reset(tested, seed);
        random_vcpu_run(tested, unit, &b);
        if (b.emitted == EMIT_TOO_LONG) /* more live values than spill slots: split by exec */
            continue;
        if (!random_vcpu_same(oracle, &a, tested, &b, text, sizeof(text)))
            fail_msg("CALQUE_TEST_SEED=%llu: %s", (unsigned long long)seed, text);
    }
    arena_finish(&arena);
    random_vcpu_destroy(oracle);
    random_vcpu_destroy(tested);
}

static void compare(const char *features, uint64_t first, void (*change)(struct ir_unit *unit))
{
    compare_all(features, first, change, false);
}

static void random_plain(void **state)
{
    compare(NULL, 1, plain);
}

static void random_optimised(void **state)
{
    compare(NULL, 10000, optimised);
}

static void random_base_host(void **state)
{
    compare("0", 20000, plain);
}

static void random_without_avx(void **state)
{
    compare("0x1f", 30000, optimised);
}

static void random_without_bmi(void **state)
{
    compare("0x70", 40000, optimised);
}

static void random_wide(void **state)
{
    compare_all(NULL, 50000, plain, true);
    compare_all(NULL, 60000, optimised, true);
    compare_all("0", 70000, optimised, true);
}

/* ---- flags that only a fault sees ------------------------------------------------------------ */

/* r[r] = r[x] op (r[y] or a constant), flags stored; r[x] or r[y] changes; a load faults or not;
 * new flags. Every choice is a bit of `which`. */
static void build_unseen_flags(struct ir_builder *b, unsigned op, unsigned which)
{
    static const uint8_t fields[] = {0, 1, 10, 12}; /* pinned, and in memory */
    unsigned x = fields[which & 3], y = fields[which >> 2 & 3], width = 8u << (which >> 4 & 3);
    bool wide = (which >> 4 & 3) == 3;
    ir_ref left = ir_get(b, (wide ? RF_WIDE0 : RF_R0) + (wide ? x & 1 : x)), right, sum;

    ir_insn(b, 0x8000, 1);
    right = wide ? ir_get(b, RF_WIDE0 + 2) : ir_get(b, RF_R0 + y);
    if (which >> 6 & 1)
        right = wide ? ir_i64(b, 0xffffffff80000001) : ir_i32(b, 0x80);
    sum = ir_bin_w(b, (enum ir_op)op, width, left, right);
    if (which >> 7 & 1)
        ir_set(b, wide ? RF_WIDE0 + 1 : RF_R0 + 2, sum);
    ir_set(b, RF_STATUS0, ir_flagof(b, sum));
    ir_insn(b, 0x8004, 2);
    if (which >> 8 & 1) { /* what the flags came from goes */
        ir_set(b, RF_R0 + x, ir_i32(b, 77));
        ir_set(b, RF_R0 + y, ir_get(b, RF_R0 + 4));
        ir_set(b, wide ? RF_WIDE0 + 1 : RF_R0 + 2, left);
    }
    ir_insn(b, 0x8008, 3);
    ir_set(b, RF_R0 + 5, ir_load(b, IR_I32, ir_get(b, RF_R0 + 3), 4, 2));
    ir_insn(b, 0x800c, 4);
    ir_set(b, RF_STATUS0, ir_flagof(b, ir_bin_i(b, IR_ADD, ir_get(b, RF_R0 + 5), 3)));
    ir_exit_jump(b, 0x8010, 0, false);
}

static void flags_at_faults(void **state)
{
    static const uint8_t ops[] = {IR_ADD, IR_SUB, IR_AND, IR_OR, IR_XOR};
    struct random_vcpu *oracle = random_vcpu_create("interp");
    struct random_vcpu *tested = random_vcpu_create("x86_64");
    struct arena arena;
    if (!tested)
        skip();
    arena_init(&arena);
    for (unsigned n = 0; n < ARRAY_SIZE(ops) * 512 * 3; n++) {
        struct random_vcpu *cpus[] = {oracle, tested};
        struct random_outcome outcome[2];
        char text[256];
        for (unsigned k = 0; k < 2; k++) {
            struct ir_builder b;
            arena_reset(&arena);
            struct ir_unit *unit = ir_unit_create(&arena, random_fields, RANDOM_N_FIELDS);
            unit->fp = &random_fp_rules;
            unit->pc = 0x8000;
            ir_builder_begin(&b, unit);
            build_unseen_flags(&b, ops[n / 1536], n % 512);
            ir_builder_end(&b);
            random_vcpu_reset(cpus[k], n);
            random_vcpu_state(cpus[k])->r[3] = n / 512 % 3 ? 0xfffff000 : RANDOM_MEMORY_BASE;
            if (k)
                optimised(unit);
            random_vcpu_run(cpus[k], unit, &outcome[k]);
            assert_int_equal(outcome[k].faulted, n / 512 % 3 != 0);
        }
        if (!random_vcpu_same(oracle, &outcome[0], tested, &outcome[1], text, sizeof(text)))
            fail_msg("variant %u: %s", n, text);
    }
    arena_finish(&arena);
    random_vcpu_destroy(oracle);
    random_vcpu_destroy(tested);
}

/* ---- generated code as text ------------------------------------------------------------------ */

enum { CODE_BYTES = 1 << 20, THUNK_BYTES = 1 << 16 };

static ir_ref reg(struct ir_builder *b, unsigned n)
{
    return ir_get(b, RF_R0 + n);
}

/* 1: subs r0, r0, #1; bne 1b */
static void build_loop(struct ir_builder *b)
{
    ir_insn(b, 0x8000, 0);
    ir_ref difference = ir_bin_i(b, IR_SUB, reg(b, 0), 1);
    random_set_flags(b, difference);
    ir_set(b, RF_R0, difference);
    ir_insn(b, 0x8004, 0);
    unsigned again = ir_block_create(b), out = ir_block_create(b);
    ir_brcc(b, IR_NZ, random_get_flags(b), again, out);
    ir_block_begin(b, again);
    ir_emit(b, IR_BR, IR_VOID, IR_POLL, 0, 0, 0, 0, 0x8000);
    b->block = IR_NO_BLOCK;
    ir_block_begin(b, out);
    ir_exit_jump(b, 0x8008, 0, false);
}

/* ldr r2, [r1, #4]; ldr r3, [r1], #8 */
static void build_load(struct ir_builder *b)
{
    unsigned memop = 2;
    ir_insn(b, 0x8000, 0);
    ir_set(b, RF_R0 + 2, ir_load(b, IR_I32, reg(b, 1), 4, memop));
    ir_insn(b, 0x8004, 0);
    ir_ref value = ir_load(b, IR_I32, reg(b, 1), 0, memop);
    ir_set(b, RF_R0 + 1, ir_bin_i(b, IR_ADD, reg(b, 1), 8));
    ir_set(b, RF_R0 + 3, value);
    ir_exit_jump(b, 0x8008, 0, false);
}

/* push {r0, r1} with sp in r4 */
static void build_push(struct ir_builder *b)
{
    unsigned memop = 2 | IR_MEM_ALIGN_OF(2) | IR_MEM_WRITE;
    ir_insn(b, 0x8000, 0);
    ir_ref top = ir_bin_i(b, IR_SUB, reg(b, 4), 8);
    ir_ref pointer = ir_probe(b, top, 0, 8, memop);
    ir_hstore(b, pointer, 0, reg(b, 0), memop);
    ir_hstore(b, pointer, 4, reg(b, 1), memop);
    ir_commit(b, pointer, top, 0, 8, memop);
    ir_set(b, RF_R0 + 4, top);
    ir_exit_jump(b, 0x8004, 0, false);
}

/* cmp r0, r1; addlt r0, r0, #1; blo to another page */
static void build_compare(struct ir_builder *b)
{
    ir_insn(b, 0x8000, 0);
    random_set_flags(b, ir_bin(b, IR_SUB, reg(b, 0), reg(b, 1)));
    ir_insn(b, 0x8004, 0);
    ir_ref sum = ir_bin_i(b, IR_ADD, reg(b, 0), 1);
    ir_set(b, RF_R0, ir_select(b, IR_LT, random_get_flags(b), sum, reg(b, 0)));
    ir_insn(b, 0x8008, 0);
    unsigned yes = ir_block_create(b), no = ir_block_create(b);
    ir_brcc(b, IR_NC, random_get_flags(b), yes, no);
    ir_block_begin(b, yes);
    ir_exit_jump(b, 0x19000, 0, false);
    ir_block_begin(b, no);
    ir_exit_jump(b, 0x800c, 0, false);
}

/* adds r0, r0, r2; adc r1, r1, r3 */
static void build_wide_sum(struct ir_builder *b)
{
    ir_insn(b, 0x8000, 0);
    ir_ref low = ir_bin(b, IR_ADD, reg(b, 0), reg(b, 2));
    ir_ref carry = ir_setcc(b, IR_C, ir_flagof(b, low));
    ir_set(b, RF_C, carry);
    ir_set(b, RF_R0, low);
    ir_insn(b, 0x8004, 0);
    ir_set(b, RF_R0 + 1, ir_adc(b, IR_ADC, reg(b, 1), reg(b, 3), ir_get(b, RF_C)));
    ir_exit_jump(b, 0x8008, 0, false);
}

/* add r0, r1; dec r0; jnz of an x86 guest */
static void build_x86_loop(struct ir_builder *b)
{
    ir_insn(b, 0x8000, 0);
    ir_ref sum = ir_bin(b, IR_ADD, reg(b, 0), reg(b, 1));
    ir_set(b, RF_R0, sum);
    ir_set(b, RF_STATUS0, ir_flagof(b, sum));
    ir_insn(b, 0x8002, 0);
    ir_ref less = ir_bin_i(b, IR_SUB, reg(b, 0), 1);
    ir_ref flags =
        ir_merge_flags(b, ir_get(b, RF_STATUS0), ir_flagof(b, less), IR_SET_ALL ^ IR_SET_C);
    ir_set(b, RF_R0, less);
    ir_set(b, RF_STATUS0, flags);
    ir_insn(b, 0x8003, 0);
    unsigned again = ir_block_create(b), out = ir_block_create(b);
    ir_brcc(b, IR_NZ, ir_get(b, RF_STATUS0), again, out);
    ir_block_begin(b, again);
    ir_emit(b, IR_BR, IR_VOID, IR_POLL, 0, 0, 0, 0, 0x8000);
    b->block = IR_NO_BLOCK;
    ir_block_begin(b, out);
    ir_exit_jump(b, 0x8008, 0, false);
}

/* cmp eax, ecx; jl */
static void build_x86_compare(struct ir_builder *b)
{
    ir_insn(b, 0x8000, 0);
    ir_set(b, RF_STATUS0, ir_compare(b, reg(b, 0), reg(b, 1)));
    ir_insn(b, 0x8002, 0);
    unsigned yes = ir_block_create(b), no = ir_block_create(b);
    ir_brcc(b, IR_LT, ir_get(b, RF_STATUS0), yes, no);
    ir_block_begin(b, yes);
    ir_exit_jump(b, 0x8010, 0, false);
    ir_block_begin(b, no);
    ir_exit_jump(b, 0x8004, 0, false);
}

/* add al, cl; mov ah, cl; movzx edx, ah; jz and jl of flags set before */
static void build_x86_bytes(struct ir_builder *b)
{
    ir_insn(b, 0x8000, 0);
    ir_ref sum = ir_bin_w(b, IR_ADD, 8, reg(b, 0), reg(b, 1));
    ir_set(b, RF_R0, ir_deposit(b, reg(b, 0), sum, 0, 8));
    ir_insn(b, 0x8002, 0);
    ir_set(b, RF_R0, ir_deposit(b, reg(b, 0), reg(b, 1), 8, 8));
    ir_insn(b, 0x8004, 0);
    ir_set(b, RF_R0 + 2, ir_extract(b, reg(b, 0), 8, 8));
    ir_insn(b, 0x8007, 0);
    ir_ref less = ir_setcc(b, IR_LT, ir_get(b, RF_STATUS0));
    ir_set(b, RF_R0 + 3, less);
    unsigned yes = ir_block_create(b), no = ir_block_create(b);
    ir_brcc(b, IR_Z, ir_get(b, RF_STATUS0), yes, no);
    ir_block_begin(b, yes);
    ir_exit_jump(b, 0x8010, 0, false);
    ir_block_begin(b, no);
    ir_exit_jump(b, 0x8009, 0, false);
}

/* add eax, ecx; shl eax, 3; adc ecx, eax of a 64-bit guest, the last flags live */
static void build_x86_halves(struct ir_builder *b)
{
    ir_insn(b, 0x8000, 0);
    ir_ref a = ir_un(b, IR_NARROW, ir_get(b, RF_WIDE0));
    ir_ref c = ir_un(b, IR_NARROW, ir_get(b, RF_WIDE0 + 1));
    b->unit->insns[a].type = b->unit->insns[c].type = IR_I32;
    ir_ref sum = ir_bin(b, IR_ADD, a, c);
    ir_set(b, RF_WIDE0, ir_un(b, IR_WIDEN_U, sum));
    ir_set(b, RF_STATUS0, ir_flagof(b, sum));
    ir_insn(b, 0x8002, 0);
    sum = ir_un(b, IR_NARROW, ir_get(b, RF_WIDE0));
    ir_ref shifted = ir_alu(b, IR_ALU_SHL, 32, sum, ir_i32(b, 3), IR_NONE, ir_get(b, RF_STATUS0));
    ir_set(b, RF_WIDE0, ir_emit(b, IR_WIDEN_U, IR_I64, 0, 0, shifted, 0, 0, 0));
    ir_set(b, RF_STATUS0, ir_flagof(b, shifted));
    ir_insn(b, 0x8005, 0);
    a = ir_un(b, IR_NARROW, ir_get(b, RF_WIDE0));
    ir_ref carry = ir_setcc(b, IR_C, ir_get(b, RF_STATUS0));
    c = ir_un(b, IR_NARROW, ir_get(b, RF_WIDE0 + 1));
    ir_ref total = ir_adc_w(b, IR_ADC, 32, c, a, carry);
    ir_set(b, RF_WIDE0 + 1, ir_emit(b, IR_WIDEN_U, IR_I64, 0, 0, total, 0, 0, 0));
    ir_set(b, RF_STATUS0, ir_flagof(b, total));
    ir_exit_jump(b, 0x8007, 0, false);
}

/* Four members of a structure. */
static void build_members(struct ir_builder *b)
{
    ir_insn(b, 0x8000, 0);
    ir_ref base = ir_get(b, RF_R0 + 1);
    ir_ref sum = ir_load(b, IR_I32, base, 4, 2);
    for (unsigned i = 2; i < 4; i++) {
        ir_insn(b, 0x8000 + 4 * (i - 1), 0);
        sum = ir_bin(b, IR_ADD, sum, ir_load(b, IR_I32, base, 4 * i, 2));
    }
    ir_insn(b, 0x800c, 0);
    ir_store(b, base, -4, sum, 2);
    ir_exit_jump(b, 0x8010, 0, false);
}

static const struct idiom {
    const char *name;
    void (*build)(struct ir_builder *b);
} idioms[] = {{"subs, bne", build_loop},
              {"ldr, ldr with write-back", build_load},
              {"push", build_push},
              {"four members of a structure", build_members},
              {"cmp, addlt, blo", build_compare},
              {"adds, adc", build_wide_sum},
              {"x86: add, dec, jnz", build_x86_loop},
              {"x86: cmp, jl", build_x86_compare},
              {"x86: bytes, conditions of stored flags", build_x86_bytes},
              {"x86: 32 bits of a 64-bit guest", build_x86_halves}};

static const struct backend *find_backend(void)
{
    REGISTRY_FOREACH (backend, struct backend, b) {
        if (!strcmp(b->name, "x86_64") && b->available())
            return b;
    }
    return NULL;
}

/* The common path: up to the first call of a thunk. */
static void print_code(FILE *out, const struct backend *backend, const uint8_t *code, size_t size)
{
    for (size_t at = 0; at < size;) {
        char text[160];
        unsigned length = backend->disassemble(code + at, size - at, at, text, sizeof(text));
        if (!length || !strncmp(text, "call", 4))
            break;
        fprintf(out, "%4zx  %s\n", at, text);
        at += length;
    }
}

static void print_idioms(FILE *out, const struct backend *backend)
{
    uint8_t *memory = NULL; /* never run: one view is enough */
    assert_int_equal(posix_memalign((void **)&memory, 4096, CODE_BYTES), 0);
    struct backend_env env = {.fields = random_fields,
                              .n_fields = RANDOM_N_FIELDS,
                              .fp = &random_fp_rules,
                              .thunks = {memory, memory, memory + THUNK_BYTES}};
    struct error err;
    setenv("CALQUE_HOST_FEATURES", "0", 1); /* the same on every host */
    struct backend_state *state = backend->create(&env, &err);
    unsetenv("CALQUE_HOST_FEATURES");
    assert_non_null(state);
    struct arena arena;
    arena_init(&arena);
    for (size_t i = 0; i < sizeof(idioms) / sizeof(idioms[0]); i++) {
        struct ir_builder b;
        struct ir_unit *unit = ir_unit_create(&arena, random_fields, RANDOM_N_FIELDS);
        unit->pc = 0x8000;
        ir_builder_begin(&b, unit);
        idioms[i].build(&b);
        ir_builder_end(&b);
        ir_optimise(unit, true);
        struct code_buf buf = {memory + THUNK_BYTES, memory + THUNK_BYTES, memory + CODE_BYTES};
        struct unit_code code;
        assert_int_equal(backend->emit_unit(state, unit, &buf, &code), EMIT_OK);
        fprintf(out, "%s%s\n", i ? "\n" : "", idioms[i].name);
        print_code(out, backend, code.entry, code.code_bytes);
    }
    arena_finish(&arena);
    backend->destroy(state);
    free(memory);
}

/* tests/golden/x86_64.txt; CALQUE_UPDATE_GOLDEN=1 writes it anew. */
static void golden(void **state)
{
#ifndef HAVE_CAPSTONE
    skip();
#endif
    const struct backend *backend = find_backend();
    char *text = NULL, *expected = NULL;
    size_t size = 0, expected_size = 0;
    if (!backend)
        skip();
    FILE *out = open_memstream(&text, &size);
    print_idioms(out, backend);
    fclose(out);
    const char *path = "tests/golden/x86_64.txt";
    if (getenv("CALQUE_UPDATE_GOLDEN")) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(text, file);
        fclose(file);
    }
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    if (getdelim(&expected, &expected_size, 0, file) < 0)
        fail_msg("%s is empty", path);
    fclose(file);
    assert_string_equal(text, expected);
    free(expected);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_plain),       cmocka_unit_test(random_optimised),
        cmocka_unit_test(random_base_host),   cmocka_unit_test(random_without_avx),
        cmocka_unit_test(random_without_bmi), cmocka_unit_test(random_wide),
        cmocka_unit_test(flags_at_faults),    cmocka_unit_test(golden),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
