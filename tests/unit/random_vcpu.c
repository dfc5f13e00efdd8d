/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine that random units run on: state, a little memory, a backend. */
#define _GNU_SOURCE
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "random_unit.h"
#include "tcg/eval.h"
#include "tcg/vector_ops.h"
#include "util/log.h"

enum { THUNK_BYTES = 64 * 1024, CODE_BYTES = 4 * 1024 * 1024 };

struct random_vcpu {
    struct random_state state; /* first: what helpers and slow paths get */
    const struct backend *backend;
    struct backend_state *backend_state;
    uint8_t *memory; /* RANDOM_MEMORY_BYTES, page-aligned, above 4 GB */
    bool wide;
    uint64_t base; /* guest-virtual, of the memory */
    uint8_t *tlb_mapping, *tlb;
    bool exchanged; /* pages 0 and 1 are at each other's place */
    struct jump_cache_entry *jump_cache;
    uint8_t *code_write, *code_exec;
    struct unit_code code; /* of the unit that runs */
    bool faulted;
    uint64_t fault_pc;
    uint32_t fault_aux;
};

#define FIELD(member, field_type, field_flags, field_group)                                        \
    {                                                                                              \
        .name = #member, .offset = offsetof(struct random_state, member), .type = (field_type),    \
        .flags = (field_flags), .group = UINT64_C(1) << (field_group)                              \
    }
#define AT(field_name, base, bytes, field_type, field_group)                                       \
    {                                                                                              \
        .name = field_name, .offset = offsetof(struct random_state, base) + (bytes),               \
        .type = (field_type), .group = UINT64_C(1) << (field_group)                                \
    }

const struct state_field random_fields[RANDOM_N_FIELDS] = {
    [RF_PC] = FIELD(run.pc, IR_I64, 0, 21),
    [RF_KEY] = FIELD(run.key, IR_I32, 0, 21),
    [RF_R0] = FIELD(r[0], IR_I32, STATE_HOT, 0),
    FIELD(r[1], IR_I32, STATE_HOT, 1),
    FIELD(r[2], IR_I32, STATE_HOT, 2),
    FIELD(r[3], IR_I32, STATE_HOT, 3),
    FIELD(r[4], IR_I32, STATE_HOT, 4),
    FIELD(r[5], IR_I32, STATE_HOT, 5),
    FIELD(r[6], IR_I32, STATE_HOT, 6),
    FIELD(r[7], IR_I32, 0, 7),
    FIELD(r[8], IR_I32, 0, 8),
    FIELD(r[9], IR_I32, 0, 9),
    FIELD(r[10], IR_I32, 0, 10),
    FIELD(r[11], IR_I32, 0, 11),
    FIELD(r[12], IR_I32, 0, 12),
    FIELD(r[13], IR_I32, STATE_HOT, 13),
    FIELD(r[14], IR_I32, 0, 14),
    FIELD(r[15], IR_I32, 0, 15),
    [RF_N] = FIELD(n, IR_I8, 0, 16),
    FIELD(z, IR_I8, 0, 16),
    FIELD(c, IR_I8, 0, 16),
    FIELD(v, IR_I8, 0, 16),
    [RF_BYTE0] = FIELD(byte[0], IR_I8, 0, 17),
    FIELD(byte[1], IR_I8, 0, 17),
    [RF_HALF0] = FIELD(half[0], IR_I16, 0, 17),
    FIELD(half[1], IR_I16, 0, 17),
    [RF_STICKY] = FIELD(sticky, IR_I32, 0, 19),
    [RF_COUNTER] = FIELD(counter, IR_I32, 0, 20),
    [RF_WIDE0] = FIELD(wide[0], IR_I64, STATE_HOT, 22),
    FIELD(wide[1], IR_I64, STATE_HOT, 22),
    FIELD(wide[2], IR_I64, 0, 22),
    FIELD(wide[3], IR_I64, 0, 22),
    [RF_S0] = AT("s0", d, 0, IR_F32, 18),
    AT("s1", d, 4, IR_F32, 18),
    AT("s2", d, 8, IR_F32, 18),
    AT("s3", d, 12, IR_F32, 18),
    AT("s4", d, 16, IR_F32, 18),
    AT("s5", d, 20, IR_F32, 18),
    AT("s6", d, 24, IR_F32, 18),
    AT("s7", d, 28, IR_F32, 18),
    [RF_D0] = AT("d0", d, 0, IR_V64, 18),
    AT("d1", d, 8, IR_V64, 18),
    AT("d2", d, 16, IR_V64, 18),
    AT("d3", d, 24, IR_V64, 18),
    AT("d4", d, 32, IR_V64, 18),
    AT("d5", d, 40, IR_V64, 18),
    AT("d6", d, 48, IR_V64, 18),
    AT("d7", d, 56, IR_V64, 18),
    [RF_DF0] = AT("df0", d, 0, IR_F64, 18),
    AT("df1", d, 8, IR_F64, 18),
    AT("df2", d, 16, IR_F64, 18),
    AT("df3", d, 24, IR_F64, 18),
    AT("df4", d, 32, IR_F64, 18),
    AT("df5", d, 40, IR_F64, 18),
    AT("df6", d, 48, IR_F64, 18),
    AT("df7", d, 56, IR_F64, 18),
    [RF_Q0] = AT("q0", d, 0, IR_V128, 18),
    AT("q1", d, 16, IR_V128, 18),
    AT("q2", d, 32, IR_V128, 18),
    AT("q3", d, 48, IR_V128, 18),
    [RF_STATUS0] = FIELD(status[0], IR_FLAGS, 0, 23),
    FIELD(status[1], IR_FLAGS, 0, 24),
};

void random_seed(struct random *random, uint64_t seed)
{
    random->state = seed * UINT64_C(0x9e3779b97f4a7c15) + UINT64_C(0x1234567887654321);
}

/* splitmix64 */
uint64_t random_next(struct random *random)
{
    uint64_t z = random->state += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
    return z ^ z >> 31;
}

unsigned random_below(struct random *random, unsigned n)
{
    return (unsigned)(random_next(random) >> 32) % n;
}

/* ---- floating point: the host's, with one NaN ----------------------------------------------- */

static double to_double(unsigned type, uint64_t bits)
{
    float f;
    double d;
    uint32_t low = (uint32_t)bits;
    memcpy(&f, &low, sizeof(f));
    memcpy(&d, &bits, sizeof(d));
    return type == IR_F32 ? (double)f : d;
}

static uint64_t from_float(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof(bits));
    return bits;
}

static uint64_t from_double(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof(bits));
    return bits;
}

static bool is_nan(unsigned type, uint64_t bits)
{
    return type == IR_F32 ? (bits & 0x7fffffff) > 0x7f800000
                          : (bits & INT64_MAX) > UINT64_C(0x7ff0000000000000);
}

static uint64_t flush(unsigned type, uint64_t bits)
{
    uint64_t sign = UINT64_C(1) << (ir_type_bits(type) - 1);
    uint64_t exponent = type == IR_F32 ? 0x7f800000 : UINT64_C(0x7ff0000000000000);
    return bits & exponent ? bits : bits & sign;
}

static uint64_t compute32(unsigned op, float a, float b, float c)
{
    switch (op) {
    case IR_FADD:
        return from_float(a + b);
    case IR_FSUB:
        return from_float(a - b);
    case IR_FMUL:
        return from_float(a * b);
    case IR_FDIV:
        return from_float(a / b);
    case IR_FSQRT:
        return from_float(sqrtf(a));
    default:
        return from_float(fmaf(a, b, c));
    }
}

static uint64_t compute64(unsigned op, double a, double b, double c)
{
    switch (op) {
    case IR_FADD:
        return from_double(a + b);
    case IR_FSUB:
        return from_double(a - b);
    case IR_FMUL:
        return from_double(a * b);
    case IR_FDIV:
        return from_double(a / b);
    case IR_FSQRT:
        return from_double(sqrt(a));
    default:
        return from_double(fma(a, b, c));
    }
}

static uint64_t to_integer(unsigned type, unsigned sub, double value)
{
    if (isnan(value))
        return 0;
    value = sub & IR_F2I_TRUNCATE ? trunc(value) : nearbyint(value);
    bool wide = type == IR_I64, is_unsigned = sub & IR_F2I_UNSIGNED;
    double limit = ldexp(1, (wide ? 64 : 32) - !is_unsigned);
    if (value >= limit)
        return is_unsigned ? (wide ? UINT64_MAX : UINT32_MAX) : (wide ? INT64_MAX : INT32_MAX);
    if (is_unsigned)
        return value <= 0 ? 0 : (uint64_t)value;
    if (value < -limit)
        return wide ? (uint64_t)INT64_MIN : (uint32_t)INT32_MIN;
    return wide ? (uint64_t)(int64_t)value : (uint32_t)(int32_t)value;
}

static uint64_t from_integer(unsigned type, unsigned from, unsigned sub, uint64_t a)
{
    int64_t s = from == IR_I32 ? (int32_t)a : (int64_t)a;
    if (sub & 1)
        return type == IR_F32 ? from_float((float)a) : from_double((double)a);
    return type == IR_F32 ? from_float((float)s) : from_double((double)s);
}

static uint64_t compare(unsigned type, uint64_t a, uint64_t b)
{
    double x = to_double(type, a), y = to_double(type, b);
    if (isnan(x) || isnan(y))
        return IR_FCMP_UN;
    return x < y ? IR_FCMP_LT : x > y ? IR_FCMP_GT : IR_FCMP_EQ;
}

static uint64_t fp_scalar(void *cpu, unsigned op, unsigned type_from, unsigned sub, uint64_t a,
                          uint64_t b, uint64_t c)
{
    unsigned type = type_from & 0xff, from = type_from >> 8;
    bool flushing = op != IR_F2I && op != IR_I2F && sub & (IR_FP_FLUSH | IR_FP_STANDARD);
    if (flushing) {
        a = flush(from, a);
        b = flush(from, b);
        c = flush(from, c);
    }
    uint64_t result;
    switch (op) {
    case IR_FCMP:
        return compare(from, a, b);
    case IR_F2I:
        if (sub & IR_F2I_FLUSH)
            a = flush(from, a);
        return to_integer(type, sub, to_double(from, a));
    case IR_I2F:
        return from_integer(type, from, sub, a);
    case IR_FCVT:
        result = type == IR_F32 ? from_float((float)to_double(from, a))
                                : from_double(to_double(from, a));
        break;
    default:
        result = type == IR_F32
                     ? compute32(op, (float)to_double(type, a), (float)to_double(type, b),
                                 (float)to_double(type, c))
                     : compute64(op, to_double(type, a), to_double(type, b), to_double(type, c));
        break;
    }
    if (is_nan(type, result))
        return type == IR_F32 ? 0x7fc00000 : UINT64_C(0x7ff8000000000000);
    return flushing ? flush(type, result) : result;
}

static void fp_vector(void *cpu, unsigned op, unsigned sub, void *d, const void *a, const void *b,
                      const void *c)
{
    static const uint8_t scalar_op[] = {IR_FADD, IR_FSUB, IR_FMUL, IR_FMA};
    union ir_vector x, y, z = {.d = {0, 0}}, r;
    memcpy(&x, a, 16);
    if (op == IR_VFFLUSH) {
        for (unsigned i = 0; i < 4; i++)
            if ((sub & 15) == IR_LANE32)
                r.w[i] = (uint32_t)flush(IR_F32, x.w[i]);
            else if (i < 2)
                r.d[i] = flush(IR_F64, x.d[i]);
        memcpy(d, &r, 16);
        return;
    }
    memcpy(&y, b, 16);
    if (op == IR_VFMA)
        memcpy(&z, c, 16);
    for (unsigned i = 0; i < 4; i++) {
        unsigned scalar = scalar_op[op - IR_VFADD];
        if ((sub & 15) == IR_LANE32)
            r.w[i] = (uint32_t)fp_scalar(cpu, scalar, IR_F32 | IR_F32 << 8, sub >> 4, x.w[i],
                                         y.w[i], z.w[i]);
        else if (i < 2)
            r.d[i] = fp_scalar(cpu, scalar, IR_F64 | IR_F64 << 8, sub >> 4, x.d[i], y.d[i], z.d[i]);
    }
    memcpy(d, &r, 16);
}

/* ---- memory -------------------------------------------------------------------------------- */

/* What exec's vcpu_raise does. */
NORETURN static void fault(struct random_vcpu *cpu)
{
    struct run_state *run = &cpu->state.run;
    const void *site = cpu->backend->fault_site(cpu->backend_state, run);
    if (!site)
        BUG("a fault, but no site of it");
    cpu->faulted = true;
    cpu->backend->restore(cpu->backend_state, run, &cpu->code, site, &cpu->fault_pc,
                          &cpu->fault_aux);
    run->pc = cpu->fault_pc;
    cpu->backend->unwind(cpu->backend_state, run, EXIT_YIELD);
}

NORETURN static void divide_error(void *cpu)
{
    fault(cpu);
}

const struct ir_fp_rules random_fp_rules = {
    .scalar = fp_scalar, .vector = fp_vector, .divide_error = divide_error};

/* Host pointer of [va, va + size), or the fault. */
static uint8_t *translate(struct random_vcpu *cpu, uint64_t va, unsigned size, unsigned memop)
{
    uint64_t offset = cpu->wide ? va - cpu->base : (uint32_t)(va - cpu->base);
    if (!cpu->wide && va != (uint32_t)va)
        BUG("address 0x%llx is not 32 bits wide", (unsigned long long)va);
    if (va & (memop_align(memop) - 1) || offset >= RANDOM_MEMORY_BYTES ||
        offset + size > RANDOM_MEMORY_BYTES - TLB_PAGE_SIZE)
        fault(cpu);
    if (cpu->exchanged && offset < 2 * TLB_PAGE_SIZE)
        offset ^= TLB_PAGE_SIZE;
    return cpu->memory + offset;
}

static void enter_page(struct random_vcpu *cpu, unsigned page)
{
    unsigned place = page < 2 && cpu->exchanged ? page ^ 1 : page;
    uint64_t va = cpu->base + page * TLB_PAGE_SIZE;
    uint64_t entry = (uintptr_t)cpu->memory + place * TLB_PAGE_SIZE - va;
    if (page % 4 != 3)
        *tlb_read_entry(cpu->tlb, cpu->wide, va) = entry;
    if (page % 4 == 0 || page % 4 == 2)
        *tlb_write_entry(cpu->tlb, cpu->wide, va) = entry;
}

/* As a device may do whose register is written: what was looked up before no longer counts. */
static void exchange_pages(struct random_vcpu *cpu)
{
    cpu->exchanged = !cpu->exchanged;
    enter_page(cpu, 0);
    enter_page(cpu, 1);
}

/* Stores that are slow on every machine, and some of them only. */
static bool is_switch(const struct random_vcpu *cpu, uint64_t va)
{
    uint64_t offset = cpu->wide ? va - cpu->base : (uint32_t)(va - cpu->base);
    return offset / TLB_PAGE_SIZE % 4 == 3 && !(offset & 0x18);
}

static uint64_t swapped(uint64_t value, unsigned memop)
{
    return memop & IR_MEM_SWAP ? __builtin_bswap64(value) >> (64 - 8 * memop_size(memop)) : value;
}

static uint64_t slow_load(void *opaque, uint64_t va, unsigned memop)
{
    uint64_t value = 0;
    memcpy(&value, translate(opaque, va, memop_size(memop), memop), memop_size(memop));
    value = swapped(value, memop);
    return memop & IR_MEM_SIGN ? (uint64_t)sextract64(value, 0, 8 * memop_size(memop)) : value;
}

static void slow_store(void *opaque, uint64_t va, uint64_t value, unsigned memop)
{
    uint8_t *host = translate(opaque, va, memop_size(memop), memop);
    value = swapped(value, memop);
    memcpy(host, &value, memop_size(memop));
    if (is_switch(opaque, va))
        exchange_pages(opaque);
}

static void copy16(void *to, const void *from, unsigned memop)
{
    uint8_t bytes[16];
    for (unsigned i = 0; i < 16; i++)
        bytes[i] = ((const uint8_t *)from)[memop & IR_MEM_SWAP ? 15 - i : i];
    memcpy(to, bytes, 16);
}

static void slow_load_bytes(void *opaque, uint64_t va, void *out, unsigned memop)
{
    copy16(out, translate(opaque, va, 16, memop), memop);
}

static void slow_store_bytes(void *opaque, uint64_t va, const void *in, unsigned memop)
{
    copy16(translate(opaque, va, 16, memop), in, memop);
}

static void *slow_probe(void *opaque, uint64_t va, unsigned length, unsigned memop)
{
    struct random_vcpu *cpu = opaque;
    uint8_t *host = translate(cpu, va, length, memop);
    if (va / TLB_PAGE_SIZE == (va + length - 1) / TLB_PAGE_SIZE)
        return host;
    /* The bounce buffer holds memory's bytes, so that HLOAD swaps as it does elsewhere. */
    memcpy(cpu->state.run.bounce, host, length);
    return cpu->state.run.bounce;
}

static void slow_commit(void *opaque, void *pointer, uint64_t va, unsigned length, unsigned memop)
{
    uint8_t *host = translate(opaque, va, length, memop);
    if (pointer != host)
        memcpy(host, pointer, length);
}

static uint64_t slow_cas(void *opaque, uint64_t va, uint64_t expected, uint64_t value,
                         unsigned memop)
{
    uint64_t old = slow_load(opaque, va, memop & ~(unsigned)IR_MEM_SIGN);
    uint64_t mask = UINT64_MAX >> (64 - 8 * memop_size(memop));
    if (old == (expected & mask))
        slow_store(opaque, va, value, memop);
    return old;
}

static uint64_t slow_rmw(void *opaque, uint64_t va, unsigned what, uint64_t operand, unsigned memop)
{
    uint64_t old = slow_load(opaque, va, memop & ~(unsigned)IR_MEM_SIGN);
    uint64_t value = what == IR_RMW_XCHG  ? operand
                     : what == IR_RMW_ADD ? old + operand
                     : what == IR_RMW_AND ? old & operand
                     : what == IR_RMW_OR  ? old | operand
                                          : old ^ operand;
    slow_store(opaque, va, value, memop);
    return old;
}

static const void *slow_lookup(void *opaque)
{
    return NULL;
}

/* ---- helpers units call -------------------------------------------------------------------- */

uint64_t random_helper_mix(void *opaque, uint64_t a, uint32_t b)
{
    return (a ^ b) * UINT64_C(0x9e3779b97f4a7c15);
}

/* Reads r0, r10 and the wide fields, writes r1 and r11. */
uint32_t random_helper_registers(void *opaque, uint32_t a)
{
    struct random_state *state = opaque;
    uint32_t old = state->r[11];
    state->r[11] = state->r[0] + state->r[10] + a;
    state->r[1] = (uint32_t)state->wide[1] ^ a;
    return old;
}

/* Reads and writes anything, and faults for some arguments. */
void random_helper_may_fault(void *opaque, uint32_t a)
{
    struct random_vcpu *cpu = opaque;
    struct random_state *state = &cpu->state;
    if ((a & 7) == 0)
        fault(cpu);
    for (unsigned i = 0; i < 16; i++)
        state->r[i] += i + a;
    state->d[3] ^= a;
    state->half[1]++;
}

uint64_t random_helper_four(void *opaque, uint32_t a, uint64_t b, uint32_t c, uint64_t d)
{
    return a + 3 * b - 5 * (uint64_t)c + 7 * d;
}

uint32_t random_helper_none(void *opaque)
{
    struct random_state *state = opaque;
    return state->sticky++;
}

/* ---- the machine --------------------------------------------------------------------------- */

static const struct backend *find_backend(const char *name)
{
    REGISTRY_FOREACH (backend, struct backend, b) {
        if (!strcmp(b->name, name) && b->available())
            return b;
    }
    return NULL;
}

static void *map(size_t size)
{
    void *result = mmap(NULL, size, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (result == MAP_FAILED)
        BUG("no host memory");
    return result;
}

static void map_code(struct random_vcpu *cpu)
{
    int fd = memfd_create("code", MFD_CLOEXEC);
    size_t size = THUNK_BYTES + CODE_BYTES;
    if (fd < 0 || ftruncate(fd, (off_t)size))
        BUG("no memory for code");
    cpu->code_write = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    cpu->code_exec = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
    close(fd);
    if (cpu->code_write == MAP_FAILED || cpu->code_exec == MAP_FAILED)
        BUG("no memory for code");
}

static size_t tlb_bytes(const struct random_vcpu *cpu)
{
    return cpu->wide ? TLB_WIDE_BYTES : TLB_BYTES;
}

static void map_tlb(struct random_vcpu *cpu)
{
    cpu->tlb_mapping = map(tlb_bytes(cpu));
    cpu->tlb = cpu->tlb_mapping + (cpu->wide ? TLB_WIDE_BELOW : 0);
    for (unsigned page = 0; page < RANDOM_PAGES - 1; page++)
        enter_page(cpu, page);
}

static struct random_vcpu *create(const char *backend_name, bool wide)
{
    const struct backend *backend = find_backend(backend_name);
    if (!backend)
        return NULL;
    struct random_vcpu *cpu = aligned_alloc(64, (sizeof(*cpu) + 63) / 64 * 64);
    memset(cpu, 0, sizeof(*cpu));
    cpu->backend = backend;
    cpu->wide = wide;
    cpu->base = wide ? RANDOM_WIDE_BASE : RANDOM_MEMORY_BASE;
    cpu->memory = map(RANDOM_MEMORY_BYTES);
    map_tlb(cpu);
    cpu->jump_cache = map(JUMP_CACHE_SIZE * sizeof(*cpu->jump_cache));
    map_code(cpu);
    struct backend_env env = {
        .fields = random_fields,
        .n_fields = RANDOM_N_FIELDS,
        .fp = &random_fp_rules,
        .slow = {slow_load, slow_store, slow_load_bytes, slow_store_bytes, slow_probe, slow_commit,
                 slow_cas, slow_rmw, slow_lookup},
        .thunks = {cpu->code_write, cpu->code_exec, cpu->code_write + THUNK_BYTES},
        .wide_address = wide,
        .write_offset = cpu->code_write - cpu->code_exec,
    };
    struct error err;
    cpu->backend_state = backend->create(&env, &err);
    if (!cpu->backend_state)
        BUG("backend %s: %s", backend_name, err.message);
    return cpu;
}

struct random_vcpu *random_vcpu_create(const char *backend_name)
{
    return create(backend_name, false);
}

struct random_vcpu *random_vcpu_create_wide(const char *backend_name)
{
    return create(backend_name, true);
}

void random_vcpu_destroy(struct random_vcpu *cpu)
{
    if (!cpu)
        return;
    cpu->backend->destroy(cpu->backend_state);
    munmap(cpu->memory, RANDOM_MEMORY_BYTES);
    munmap(cpu->tlb_mapping, tlb_bytes(cpu));
    munmap(cpu->jump_cache, JUMP_CACHE_SIZE * sizeof(*cpu->jump_cache));
    munmap(cpu->code_write, THUNK_BYTES + CODE_BYTES);
    munmap(cpu->code_exec, THUNK_BYTES + CODE_BYTES);
    free(cpu);
}

const struct backend *random_vcpu_backend(const struct random_vcpu *cpu)
{
    return cpu->backend;
}

struct random_state *random_vcpu_state(struct random_vcpu *cpu)
{
    return &cpu->state;
}

uint8_t *random_vcpu_memory(struct random_vcpu *cpu)
{
    return cpu->memory;
}

/* Values at and around where things change, as well as any. */
static uint64_t interesting(struct random *random)
{
    static const uint64_t values[] = {
        0,
        1,
        2,
        0x7f,
        0x80,
        0xff,
        0x7fff,
        0x8000,
        0xffff,
        0x7fffffff,
        0x80000000,
        0xffffffff,
        UINT64_C(0x7fffffffffffffff),
        UINT64_C(0x8000000000000000),
        UINT64_MAX,
    };
    return random_below(random, 3) ? random_next(random)
                                   : values[random_below(random, ARRAY_SIZE(values))];
}

/* Two F32 or one F64: ordinary, special, denormal. */
static uint64_t interesting_float(struct random *random)
{
    static const uint64_t values[] = {
        0x3f80000040000000,           0x0000000080000000,           0x7f800000ff800000,
        0x7fc000007fa00000,           0x0080000000000001,           0x007fffff80800000,
        UINT64_C(0x3ff0000000000000), UINT64_C(0x7ff0000000000000), UINT64_C(0x7ff8000000000001),
        UINT64_C(0x7ff0000000000001), UINT64_C(0x0010000000000000), UINT64_C(0x8000000000000001),
        UINT64_C(0x41efffffffe00000), UINT64_C(0xc1e0000000000000),
    };
    switch (random_below(random, 4)) {
    case 0:
        return values[random_below(random, ARRAY_SIZE(values))];
    case 1:
        return random_next(random);
    case 2: /* two floats of moderate size */
        return (random_next(random) & UINT64_C(0x83ffffff83ffffff)) | UINT64_C(0x3c0000003c000000);
    default: /* a double of moderate size */
        return (random_next(random) & UINT64_C(0x803fffffffffffff)) | UINT64_C(0x3fc0000000000000);
    }
}

void random_vcpu_reset(struct random_vcpu *cpu, uint64_t seed)
{
    struct random random;
    struct random_state *state = &cpu->state;
    random_seed(&random, ~seed);
    memset(state, 0, sizeof(*state));
    if (cpu->exchanged)
        exchange_pages(cpu);
    state->run.tlb = state->run.tlb_user = cpu->tlb;
    state->run.jump_cache = cpu->jump_cache;
    state->run.mxcsr = 0x1f80;
    for (unsigned i = 0; i < 16; i++)
        state->r[i] = (uint32_t)interesting(&random);
    state->n = random_next(&random) & 1;
    state->z = random_next(&random) & 1;
    state->c = random_next(&random) & 1;
    state->v = random_next(&random) & 1;
    for (unsigned i = 0; i < 2; i++) {
        state->byte[i] = (uint8_t)interesting(&random);
        state->half[i] = (uint16_t)interesting(&random);
    }
    state->sticky = (uint32_t)random_next(&random);
    state->counter = random_below(&random, 4);
    for (unsigned i = 0; i < 4; i++)
        state->wide[i] = interesting(&random);
    for (unsigned i = 0; i < 8; i++)
        state->d[i] = interesting_float(&random);
    state->run.exit_request = random_below(&random, 8) == 0;
    for (unsigned i = 0; i < RANDOM_MEMORY_BYTES; i += 8) {
        uint64_t value = random_next(&random);
        memcpy(cpu->memory + i, &value, 8);
    }
}

static const struct random_vcpu *running;

/* As exec does it: an inline access of a non-canonical address takes its slow path. */
static void on_fault(int number, siginfo_t *info, void *opaque)
{
    ucontext_t *context = opaque;
    greg_t *pc = &context->uc_mcontext.gregs[REG_RIP];
    const void *slow = running->backend->access_fault(running->backend_state, &running->code,
                                                      (const void *)(uintptr_t)*pc);
    if (slow)
        *pc = (greg_t)(uintptr_t)slow;
    else
        signal(number, SIG_DFL);
}

static enum exit_reason enter(struct random_vcpu *cpu)
{
    struct sigaction action = {.sa_sigaction = on_fault, .sa_flags = SA_SIGINFO}, previous;
    running = cpu;
    if (cpu->wide && cpu->backend->access_fault)
        sigaction(SIGSEGV, &action, &previous);
    enum exit_reason reason =
        cpu->backend->enter(cpu->backend_state, &cpu->state.run, cpu->code.entry);
    if (cpu->wide && cpu->backend->access_fault)
        sigaction(SIGSEGV, &previous, NULL);
    return reason;
}

void random_vcpu_run(struct random_vcpu *cpu, const struct ir_unit *unit,
                     struct random_outcome *outcome)
{
    struct code_buf out = {
        .write = cpu->code_write + THUNK_BYTES,
        .exec = cpu->code_exec + THUNK_BYTES,
        .end = cpu->code_write + THUNK_BYTES + CODE_BYTES,
    };
    memset(outcome, 0, sizeof(*outcome));
    memset(&cpu->code, 0, sizeof(cpu->code));
    cpu->faulted = false;
    outcome->emitted = cpu->backend->emit_unit(cpu->backend_state, unit, &out, &cpu->code);
    if (outcome->emitted != EMIT_OK)
        return;
    outcome->reason = enter(cpu);
    if (outcome->reason == EXIT_LINK)
        outcome->reason = EXIT_LOOKUP_MISS;
    outcome->faulted = cpu->faulted;
    outcome->fault_pc = cpu->faulted ? cpu->fault_pc : 0;
    outcome->fault_aux = cpu->faulted ? cpu->fault_aux : 0;
}

bool random_vcpu_same(struct random_vcpu *a, const struct random_outcome *outcome_a,
                      struct random_vcpu *b, const struct random_outcome *outcome_b, char *text,
                      size_t text_size)
{
    if (outcome_a->emitted != outcome_b->emitted || outcome_a->reason != outcome_b->reason ||
        outcome_a->faulted != outcome_b->faulted || outcome_a->fault_pc != outcome_b->fault_pc ||
        outcome_a->fault_aux != outcome_b->fault_aux) {
        snprintf(text, text_size,
                 "outcome: emitted %d, reason %d, fault %d at 0x%llx aux 0x%x; other: %d, %d, %d "
                 "at 0x%llx aux 0x%x",
                 outcome_a->emitted, outcome_a->reason, outcome_a->faulted,
                 (unsigned long long)outcome_a->fault_pc, outcome_a->fault_aux, outcome_b->emitted,
                 outcome_b->reason, outcome_b->faulted, (unsigned long long)outcome_b->fault_pc,
                 outcome_b->fault_aux);
        return false;
    }
    for (unsigned i = 0; i < RANDOM_N_FIELDS; i++) {
        static const uint8_t bytes[IR_N_TYPES] = {
            [IR_I8] = 1,  [IR_I16] = 2, [IR_I32] = 4,   [IR_F32] = 4,   [IR_I64] = 8,
            [IR_F64] = 8, [IR_V64] = 8, [IR_V128] = 16, [IR_FLAGS] = 2,
        };
        const struct state_field *field = &random_fields[i];
        const uint8_t *x = (uint8_t *)&a->state + field->offset;
        const uint8_t *y = (uint8_t *)&b->state + field->offset;
        if (!memcmp(x, y, bytes[field->type]))
            continue;
        uint64_t vx = 0, vy = 0;
        memcpy(&vx, x, MIN(bytes[field->type], 8));
        memcpy(&vy, y, MIN(bytes[field->type], 8));
        if (field->type == IR_FLAGS && !((vx ^ vy) & IR_FLAG_ALL))
            continue;
        snprintf(text, text_size, "field %s: 0x%llx, other 0x%llx", field->name,
                 (unsigned long long)vx, (unsigned long long)vy);
        return false;
    }
    for (unsigned i = 0; i < RANDOM_MEMORY_BYTES; i++) {
        if (a->memory[i] != b->memory[i]) {
            snprintf(text, text_size, "memory at 0x%x: 0x%02x, other 0x%02x",
                     RANDOM_MEMORY_BASE + i, a->memory[i], b->memory[i]);
            return false;
        }
    }
    return true;
}
