/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * x87 and MMX rows, alone and in short sequences, with special operands, any stack, rounding and
 * precision, exceptions masked and not: generated code and the interpreter against this host's own
 * processor, which runs the same bytes at the same addresses.
 *
 * CALQUE_ROW=NAME: that row alone. CALQUE_SEED, CALQUE_CASES: cases of a row.
 */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <ucontext.h>

#include <cmocka.h>

#include "exec/vcpu.h"
#include "frontend/x86/system.h"
#include "frontend/x86/x87.h"
#include "tests/x86_random.h"

enum {
    CODE = 0x30000000,
    DATA = 0x2a000000,
    AREA_BYTES = 4096,
    DATA_USED = 512,
    MIDDLE = DATA + 256, /* RBX: displacements are of a signed byte */
    MAX_INSNS = 6,
    MAX_CODE = 15 * MAX_INSNS + 1,
    INT3 = 0xcc,
    STOP = 0x1000, /* where a noted exception leads */
    MODE = KEY_PROTECTED | KEY_CODE32 | KEY_STACK32 | KEY_CS_FLAT | KEY_DATA_FLAT,
    AT_XMM = 160,
    LEGACY_BYTES = AT_XMM + 8 * 16,
    MASKED = 0x3f,
    DONE = -1,
};

struct registers {
    uint8_t legacy[LEGACY_BYTES];
    uint64_t rax;
    uint32_t status; /* EFLAGS */
};

struct x87_case {
    uint8_t code[MAX_CODE];
    unsigned length, n_insns;
    char names[128];
    struct registers before;
    uint8_t data[DATA_USED];
};

struct outcome {
    int kind; /* DONE or the exception's vector */
    uint32_t pc;
    struct registers after;
    uint8_t data[DATA_USED];
};

/* ---- natively -------------------------------------------------------------------------------- */

static struct outcome *native_outcome;
static sigjmp_buf native_end;
static uint8_t *native_code, *native_data;

static void on_signal(int number, siginfo_t *info, void *opaque)
{
    const struct sigcontext *m = (const void *)&((const ucontext_t *)opaque)->uc_mcontext;
    const uint8_t *area = (const uint8_t *)m->fpstate;
    struct outcome *o = native_outcome;

    o->kind = (int)m->trapno;
    o->pc = (uint32_t)m->rip;
    if (o->kind == EXC_BP) {
        o->kind = DONE;
        o->pc--;
    }
    memcpy(o->after.legacy, area, LEGACY_BYTES);
    if (!(area[512] & 1)) { /* as after FNINIT */
        memset(o->after.legacy, 0, 24);
        memset(o->after.legacy + 32, 0, 128);
        store_le16(o->after.legacy, X87_INITIAL_CONTROL);
    }
    o->after.rax = m->rax;
    o->after.status = (uint32_t)m->eflags & EFLAGS_STATUS;
    siglongjmp(native_end, 1);
}

/* In the test itself: cmocka has its own while it sets up. */
static void native_catch(void)
{
    static const int numbers[] = {SIGFPE, SIGILL, SIGTRAP};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_NODEFER};

    for (unsigned i = 0; i < ARRAY_SIZE(numbers); i++)
        sigaction(numbers[i], &action, NULL);
}

static void native_create(void)
{
    const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE;

    native_code = mmap((void *)CODE, AREA_BYTES, PROT_READ | PROT_WRITE | PROT_EXEC, flags, -1, 0);
    native_data = mmap((void *)DATA, AREA_BYTES, PROT_READ | PROT_WRITE, flags, -1, 0);
    assert_true(native_code != MAP_FAILED && native_data != MAP_FAILED);
}

static void native_run(const struct x87_case *c, struct outcome *out)
{
    static uint8_t area[1024] __attribute__((aligned(64)));

    native_outcome = out;
    memset(native_code, INT3, 128);
    memcpy(native_code, c->code, c->length);
    memcpy(native_data, c->data, DATA_USED);
    memset(area, 0, sizeof(area));
    memcpy(area, c->before.legacy, LEGACY_BYTES);
    area[512] = 3; /* x87 and SSE */
    if (!sigsetjmp(native_end, 1))
        __asm__ volatile("xrstor64 %0\n\t"
                         "push %1\n\t"
                         "popf\n\t"
                         "mov %2, %%rax\n\t"
                         "jmp *%3"
                         :
                         : "m"(area), "r"((uint64_t)c->before.status | EFLAGS_1 | EFLAGS_IF),
                           "r"(c->before.rax), "r"((uint64_t)CODE), "b"((uint64_t)MIDDLE),
                           "D"((uint64_t)MIDDLE), "a"(3), "d"(0)
                         : "memory", "cc");
    memcpy(out->data, native_data, DATA_USED);
}

/* ---- the guest ------------------------------------------------------------------------------- */

struct engine_under_test {
    const char *name;
    struct memory *memory;
    struct clock *clock;
    struct exec *exec;
    struct x86_cpu *cpu;
    pthread_mutex_t lock;
    uint8_t *code, *data;
};

static struct outcome *guest_outcome;

static void note_exception(struct vcpu *v, const struct exception *e)
{
    guest_outcome->kind = (int)(e->kind & EXC_KIND);
    guest_outcome->pc = (uint32_t)v->run.pc;
    v->run.pc = STOP;
}

static void guest_create(struct engine_under_test *g, const char *name,
                         const struct exec_options *options, const char *guest_name)
{
    static struct guest guest;
    struct error err;

    guest = *guest_find(guest_name);
    guest.raise = note_exception;
    g->name = name;
    memory_lock_init(&g->lock);
    g->clock = clock_create_manual();
    g->memory = memory_create(&g->lock, &err);
    assert_non_null(g->memory);
    g->code = memory_add_ram(g->memory, "code", CODE, AREA_BYTES, &err);
    g->data = memory_add_ram(g->memory, "data", DATA, AREA_BYTES, &err);
    assert_true(g->code && g->data);
    g->exec = exec_create(&guest, g->memory, options, &err);
    assert_non_null(g->exec);
    g->cpu = x86_cpu(vcpu_create(g->exec, "max", g->clock, &g->lock, 0, &err));
    assert_non_null(g->cpu);
    vcpu_reset(&g->cpu->v);
    vcpu_add_breakpoint(&g->cpu->v, STOP);
}

static void guest_destroy(struct engine_under_test *g)
{
    vcpu_destroy(&g->cpu->v);
    exec_destroy(g->exec);
    memory_destroy(g->memory);
    clock_destroy(g->clock);
    pthread_mutex_destroy(&g->lock);
}

static void guest_set(struct x86_cpu *cpu, const struct registers *r)
{
    const struct x86_segment data = {0x10, 0xc093, UINT32_MAX, 0};

    cpu->cr0 = CR0_PE | CR0_ET | CR0_NE;
    cpu->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT;
    for (unsigned i = 0; i < N_SEGMENTS; i++)
        cpu->segment[i] = data;
    cpu->segment[SEG_CS] = (struct x86_segment){0x08, 0xc09b, UINT32_MAX, 0};
    cpu->gpr[RAX] = r->rax;
    cpu->gpr[RBX] = MIDDLE;
    cpu->gpr[RDI] = MIDDLE;
    cpu->status = x86_eflags_to_status(r->status);
    memcpy(cpu->v.run.x87, r->legacy, 24);
    memcpy(cpu->v.run.x87 + 32, r->legacy + 32, 128);
    cpu->v.run.x87[512] = 1;
    cpu->fpu_control = load_le16(r->legacy);
    cpu->v.run.x87[0] |= MASKED;
    for (unsigned i = 0; i < 8; i++)
        memcpy(cpu->ymm[i], r->legacy + AT_XMM + 16 * i, 16);
    x86_mxcsr_write(cpu, load_le32(r->legacy + 24));
    x86_update_mode(cpu);
    cpu->v.run.pc = CODE;
}

static void guest_get(struct x86_cpu *cpu, struct registers *r)
{
    memset(r, 0, sizeof(*r));
    memcpy(r->legacy, cpu->v.run.x87, 160);
    store_le16(r->legacy, (uint16_t)cpu->fpu_control);
    store_le16(r->legacy + 2, x87_status(cpu));
    store_le32(r->legacy + 24, x86_mxcsr_read(cpu));
    for (unsigned i = 0; i < 8; i++)
        memcpy(r->legacy + AT_XMM + 16 * i, cpu->ymm[i], 16);
    r->rax = cpu->gpr[RAX];
    r->status = x86_status_to_eflags(cpu->status);
}

static void guest_run(struct engine_under_test *g, const struct x87_case *c, struct outcome *out)
{
    uint8_t code[128];

    memset(code, INT3, sizeof(code));
    memcpy(code, c->code, c->length);
    memory_write(g->memory, CODE, code, sizeof(code));
    memcpy(g->data, c->data, DATA_USED);
    guest_set(g->cpu, &c->before);
    guest_outcome = out;
    out->kind = DONE;
    out->pc = 0;
    vcpu_run_here(&g->cpu->v, 100);
    if (out->pc == CODE + c->length) /* what INT3 leads to without an IDT */
        out->kind = DONE;
    guest_get(g->cpu, &out->after);
    memcpy(out->data, g->data, DATA_USED);
}

/* ---- random cases ---------------------------------------------------------------------------- */

static uint64_t number(const char *name, uint64_t otherwise)
{
    const char *text = getenv(name);

    return text ? strtoull(text, NULL, 0) : otherwise;
}

/* Ten bytes that are something: every class of SDM vol. 1, tables 4-3 and 8-1, and numbers. */
static void random_extended(struct rng *r, uint8_t *out)
{
    static const struct {
        uint16_t exponent;
        uint64_t significand;
    } special[] = {
        {0, 0},
        {0, 1},
        {0, UINT64_C(0x7fffffffffffffff)},
        {0, UINT64_C(0x8000000000000000)}, /* pseudo-denormal */
        {1, UINT64_C(0x8000000000000000)},
        {0x3fff, UINT64_C(0x8000000000000000)},
        {0x3ffe, UINT64_C(0x8000000000000000)},
        {0x4000, UINT64_C(0xc90fdaa22168c235)},
        {0x3fff, UINT64_C(0xffffffffffffffff)},
        {0x403d, UINT64_C(0xffffffffffffffff)},
        {0x403e, UINT64_C(0x8000000000000000)},
        {0x7ffe, UINT64_C(0xffffffffffffffff)},
        {0x7fff, UINT64_C(0x8000000000000000)}, /* infinity */
        {0x7fff, UINT64_C(0xc000000000000000)}, /* quiet */
        {0x7fff, UINT64_C(0xa000000000000001)}, /* signalling */
        {0x7fff, 1},                            /* pseudo-NaN */
        {0x7fff, 0},                            /* pseudo-infinity */
        {0x3fff, UINT64_C(0x4000000000000000)}, /* unnormal */
        {0x3f80, UINT64_C(0x8000000000000000)}, /* the smallest normal float, and double */
        {0x3c01, UINT64_C(0x8000000000000000)},
    };
    uint64_t significand = rng_u64(r) | UINT64_C(1) << 63;
    unsigned exponent = 0x3fff - 40 + rng_below(r, 100), kind = rng_below(r, 4);

    if (kind == 0) {
        unsigned i = rng_below(r, ARRAY_SIZE(special));
        exponent = special[i].exponent;
        significand = special[i].significand;
    } else if (kind == 1) {
        significand = (uint64_t)(rng_below(r, 2000) | 1) << 53 | UINT64_C(1) << 63;
        exponent = 0x3fff + rng_below(r, 16);
    } else if (!rng_below(r, 8)) {
        exponent = rng_below(r, 0x8000);
    }
    store_le64(out, significand);
    store_le16(out + 8, (uint16_t)(exponent | (rng_below(r, 2) << 15)));
}

static void random_registers(struct rng *r, bool masked, struct registers *out)
{
    static const uint16_t sets[] = {0x00, 0xff, 0xff, 0x7f, 0xfe};
    unsigned control = rng_below(r, 16) << 8 | X87_CONTROL_ONE | MASKED, flags = 0;

    memset(out, 0, sizeof(*out));
    if (!masked)
        control &= ~(1u << rng_below(r, 6) | rng_below(r, 64));
    if (masked || !rng_below(r, 8))
        flags = rng_below(r, 128);
    store_le16(out->legacy, (uint16_t)control);
    store_le16(out->legacy + 2, (uint16_t)((rng_below(r, 1 << 16) & 0x7f00) | flags));
    out->legacy[4] = (uint8_t)sets[rng_below(r, ARRAY_SIZE(sets))];
    if (!rng_below(r, 3))
        out->legacy[4] = (uint8_t)rng_below(r, 256);
    store_le32(out->legacy + 24, 0x1f80);
    for (unsigned i = 0; i < 8; i++) {
        random_extended(r, out->legacy + 32 + 16 * i);
        store_le64(out->legacy + AT_XMM + 16 * i, rng_u64(r));
        store_le64(out->legacy + AT_XMM + 16 * i + 8, rng_u64(r));
    }
    out->rax = (uint32_t)rng_u64(r);
    out->status = (uint32_t)rng_u64(r) & EFLAGS_STATUS;
}

/* An operand in memory: what the size may be read as. */
static void random_operand(struct rng *r, unsigned size, uint8_t *out)
{
    uint8_t extended[10];
    long double value;

    random_extended(r, extended);
    memcpy(&value, extended, sizeof(extended));
    if (rng_below(r, 3) == 0)
        return; /* random bits: integers, packed decimals, NaNs */
    if (size == 4) {
        uint32_t exponent = load_le16(extended + 8), bits;
        bits = (uint32_t)(load_le64(extended) >> 40) & 0x7fffff;
        bits |= (exponent & 0x7fff) == 0x7fff ? 0x7f800000 : (exponent & 0xff) << 23;
        store_le32(out, bits | exponent >> 15 << 31);
    } else if (size == 8) {
        uint64_t exponent = load_le16(extended + 8), bits;
        bits = (load_le64(extended) >> 11) & ((UINT64_C(1) << 52) - 1);
        bits |= (exponent & 0x7fff) == 0x7fff ? UINT64_C(0x7ff) << 52 : (exponent & 0x7ff) << 52;
        store_le64(out, bits | exponent >> 15 << 63);
    } else if (size == 10) {
        memcpy(out, extended, sizeof(extended));
    }
}

static bool add_insn(struct rng *r, const struct x86_row *row, struct x87_case *c)
{
    unsigned length;
    struct x86_insn insn;
    uint8_t bytes[15];
    bool memory = rng_below(r, 2);

    if (!x86_random_insn(row, MODE, r, memory ? RBX : X86_REGISTERS_ONLY, bytes, &length) &&
        !x86_random_insn(row, MODE, r, memory ? X86_REGISTERS_ONLY : RBX, bytes, &length))
        return false;
    x86_decode(bytes, length, MODE, ~UINT64_C(0), &insn);
    for (unsigned i = 0; i < insn.n_operands; i++) {
        const struct x86_operand *o = &insn.operand[i];
        if (o->kind == OPND_GPR && o->reg != RAX && insn.n_operands > 1)
            return false; /* only rAX is looked at */
        if (o->kind == OPND_MEM)
            random_operand(r, o->size, c->data + (MIDDLE - DATA) + insn.displacement);
    }
    memcpy(c->code + c->length, bytes, length);
    c->length += length;
    c->n_insns++;
    strncat(c->names, row->name, sizeof(c->names) - strlen(c->names) - 1);
    strncat(c->names, " ", sizeof(c->names) - strlen(c->names) - 1);
    return true;
}

static void begin_case(struct rng *r, bool masked, struct x87_case *c)
{
    memset(c, 0, sizeof(*c));
    random_registers(r, masked, &c->before);
    for (unsigned i = 0; i < DATA_USED; i += 8)
        store_le64(c->data + i, rng_u64(r));
}

/* ---- comparing ------------------------------------------------------------------------------- */

/* Pointers to the last instruction and its operand are compared elsewhere. */
static const char *difference(const struct outcome *a, const struct outcome *b)
{
    if (a->kind != b->kind)
        return "outcome";
    if (a->pc != b->pc && a->kind != DONE)
        return "pc";
    if (memcmp(a->after.legacy, b->after.legacy, 2))
        return "control";
    if (memcmp(a->after.legacy + 2, b->after.legacy + 2, 2))
        return "status";
    if (a->after.legacy[4] != b->after.legacy[4])
        return "tags";
    for (unsigned i = 0; i < 8; i++)
        if (memcmp(a->after.legacy + 32 + 16 * i, b->after.legacy + 32 + 16 * i, 10))
            return "register";
    if (memcmp(a->after.legacy + AT_XMM, b->after.legacy + AT_XMM, 128))
        return "xmm";
    if (a->after.rax != b->after.rax)
        return "rax";
    if (a->after.status != b->after.status)
        return "flags";
    return memcmp(a->data, b->data, DATA_USED) ? "memory" : NULL;
}

static void print_outcome(const char *name, const struct registers *r, int kind)
{
    printf("  %-8s %3d control %04x status %04x tags %02x rax %llx flags %x\n          ", name,
           kind, load_le16(r->legacy), load_le16(r->legacy + 2), r->legacy[4],
           (unsigned long long)r->rax, r->status);
    for (unsigned i = 0; i < 8; i++)
        printf(" %04x:%016llx", load_le16(r->legacy + 40 + 16 * i),
               (unsigned long long)load_le64(r->legacy + 32 + 16 * i));
    printf("\n");
}

struct fixture {
    struct engine_under_test engine[3];
    struct rng rng;
    unsigned differences, cases;
};

static void compare(struct fixture *f, const struct x87_case *c)
{
    static struct outcome native, guest;

    f->cases++;
    native_run(c, &native);
    for (unsigned i = 0; i < ARRAY_SIZE(f->engine); i++) {
        guest_run(&f->engine[i], c, &guest);
        const char *what = difference(&native, &guest);
        if (!what)
            continue;
        if (f->differences++ > 20)
            return;
        printf("%s: %s differs:", c->names, what);
        for (unsigned k = 0; k < c->length; k++)
            printf(" %02x", c->code[k]);
        printf("\n");
        print_outcome("before", &c->before, 0);
        print_outcome("native", &native.after, native.kind);
        print_outcome(f->engine[i].name, &guest.after, guest.kind);
        for (unsigned k = 0; k < DATA_USED; k++)
            if (native.data[k] != guest.data[k])
                printf("  [%d] %02x %02x %02x\n", (int)k - 256, c->data[k], native.data[k],
                       guest.data[k]);
    }
}

static int setup(void **state)
{
    static const struct exec_options options[] = {
        {.check = true}, {.interpret = true, .check = true}, {.check = true, .no_optimise = true}};
    static const char *const names[] = {"code", "interp", "i386"};
    struct fixture *f = calloc(1, sizeof(*f));

    f->rng.state = number("CALQUE_SEED", 1);
    native_create();
    for (unsigned i = 0; i < ARRAY_SIZE(f->engine); i++)
        guest_create(&f->engine[i], names[i], &options[i], i == 2 ? "i386" : "x86_64");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    for (unsigned i = 0; i < ARRAY_SIZE(f->engine); i++)
        guest_destroy(&f->engine[i]);
    munmap(native_code, AREA_BYTES);
    munmap(native_data, AREA_BYTES);
    free(f);
    return 0;
}

/* ---- the tests ------------------------------------------------------------------------------- */

static const char *const environment[] = {"FNSTENV", "FNSAVE"};

static bool is_tested(const struct x86_row *row)
{
    const char *only = getenv("CALQUE_ROW");

    if (only && strcmp(row->name, only))
        return false;
    for (unsigned i = 0; i < ARRAY_SIZE(environment); i++)
        if (!strcmp(row->name, environment[i]))
            return false;
    return row->traits & (ROW_FPU | ROW_MMX) || !strcmp(row->name, "FWAIT") ||
           !strcmp(row->name, "CVTPI2PD");
}

static const struct x86_row *random_row(struct rng *r)
{
    unsigned n;
    const struct x86_row *rows = x86_rows(&n);

    for (;;) {
        const struct x86_row *row = &rows[rng_below(r, n)];
        if (is_tested(row))
            return row;
    }
}

static void run_rows(struct fixture *f, bool masked)
{
    unsigned n, n_cases = (unsigned)number("CALQUE_CASES", 300);
    const struct x86_row *rows = x86_rows(&n);
    struct x87_case c;

    native_catch();
    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = 0; k < n_cases && is_tested(&rows[i]); k++) {
            begin_case(&f->rng, masked, &c);
            if (add_insn(&f->rng, &rows[i], &c))
                compare(f, &c);
        }
    }
    printf("%u cases\n", f->cases);
    assert_int_equal(f->differences, 0);
}

static void rows_with_exceptions_masked(void **state)
{
    run_rows(*state, true);
}

static void rows_with_exceptions_unmasked(void **state)
{
    run_rows(*state, false);
}

static void sequences(void **state)
{
    struct fixture *f = *state;
    struct x87_case c;

    native_catch();
    for (unsigned k = 0; k < 100 * number("CALQUE_CASES", 300); k++) {
        begin_case(&f->rng, rng_below(&f->rng, 4) != 0, &c);
        while (c.n_insns < 2 + k % (MAX_INSNS - 1))
            add_insn(&f->rng, random_row(&f->rng), &c);
        compare(f, &c);
    }
    printf("%u cases\n", f->cases);
    assert_int_equal(f->differences, 0);
}

/* FNSTENV and FNSAVE behind an instruction that sets the pointer. The selectors are the systems',
 * and the pointer to the operand is kept up only while an exception is unmasked. Intel's keep the
 * opcode up for an instruction that raises one only (SDM vol. 1, 8.1.9.1), and have 0 there. */
static void environments(void **state)
{
    static const uint8_t stores[][4] = {
        {0xd9, 0x73, 0x80}, {0x66, 0xd9, 0x73, 0x80}, {0xdd, 0x73, 0x80}, {0x66, 0xdd, 0x73, 0x80}};
    struct fixture *f = *state;
    static struct outcome native, guest;
    struct x87_case c;

    native_catch();
    for (unsigned k = 0; k < 10 * number("CALQUE_CASES", 300); k++) {
        bool wide = !(k & 1);
        unsigned first = 256 - 128, ip = first + (wide ? 12 : 6);
        begin_case(&f->rng, rng_below(&f->rng, 2), &c);
        c.code[c.length++] = 0xd9; /* FLDPI: sets the pointer */
        c.code[c.length++] = 0xeb;
        for (unsigned i = 0; i < (wide ? 3 : 4); i++)
            c.code[c.length++] = stores[k & 3][i];
        native_run(&c, &native);
        for (unsigned i = 0; i < ARRAY_SIZE(f->engine); i++) {
            guest_run(&f->engine[i], &c, &guest);
            if (native.kind == DONE) {
                assert_int_equal(guest.kind, DONE);
                assert_memory_equal(native.data, guest.data, ip + 2);
                if (wide && (native.data[ip + 6] | native.data[ip + 7]))
                    assert_memory_equal(native.data + ip + 6, guest.data + ip + 6, 2);
                assert_memory_equal(native.data + first + (wide ? 28 : 14),
                                    guest.data + first + (wide ? 28 : 14), 80);
            }
            const char *what = difference(&native, &guest);
            if (what && strcmp(what, "memory"))
                fail_msg("%s differs", what);
        }
    }
}

/* In real mode and virtual-8086 mode the pointers are linear addresses: SDM vol. 1, figures 8-10
 * and 8-12. */
static void real_mode_environments(void **state)
{
    struct fixture *f = *state;
    struct x86_cpu *cpu = f->engine[0].cpu;
    uint8_t out[28];

    x87_init(cpu);
    cpu->fpu_cs = 0x1234;
    cpu->fpu_ip = 0x5678;
    cpu->fpu_ds = 0xffff;
    cpu->fpu_dp = 0xffff;
    cpu->fpu_opcode = 0x7ab;
    x87_store_environment(cpu, out, 28, true);
    assert_int_equal(load_le32(out + 12), 0xffff79b8);
    assert_int_equal(load_le32(out + 16), 0x000017ab);
    assert_int_equal(load_le32(out + 20), 0xffffffef);
    assert_int_equal(load_le32(out + 24), 0x00010000);
    x87_store_environment(cpu, out, 14, true);
    assert_int_equal(load_le16(out + 6), 0x79b8);
    assert_int_equal(load_le16(out + 8), 0x17ab);
    assert_int_equal(load_le16(out + 10), 0xffef);
    assert_int_equal(load_le16(out + 12), 0); /* bits 19:16 */
    x87_load_environment(cpu, out, 14, true);
    assert_int_equal(cpu->fpu_ip, 0x179b8);
    assert_int_equal(cpu->fpu_opcode, 0x7ab);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(rows_with_exceptions_masked),
        TEST(rows_with_exceptions_unmasked),
        TEST(sequences),
        TEST(environments),
        TEST(real_mode_environments),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
