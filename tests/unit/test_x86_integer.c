/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * General-purpose x86 instructions by hand-stated cases (SDM vol. 2), in both guests, on the
 * interpreter. The guest here has the real translator but no system part: memory is mapped one to
 * one, an exception is only noted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exec/exec.h"
#include "frontend/x86/system.h"
#include "frontend/x86/translate.h"

enum { RAM_BYTES = 1 << 20, CODE = 0x1000, DATA = 0x2000, STACK = 0x8000, UNMAPPED = 0x90000 };
enum {
    CF = EFLAGS_CF,
    PF = EFLAGS_PF,
    AF = EFLAGS_AF,
    ZF = EFLAGS_ZF,
    SF = EFLAGS_SF,
    OF = EFLAGS_OF,
    ALL = EFLAGS_STATUS
};
enum {
    PROTECTED32 = KEY_CODE32 | KEY_STACK32 | KEY_PROTECTED | KEY_CS_FLAT | KEY_DATA_FLAT |
                  KEY_FS_OPEN | KEY_GS_OPEN,
    LONG64 = KEY_CODE64 | KEY_LONG | KEY_PROTECTED | KEY_CS_FLAT | KEY_DATA_FLAT | KEY_FS_OPEN |
             KEY_GS_OPEN,
    COMPATIBLE32 = PROTECTED32 | KEY_LONG,
    REAL16 = 0,
};

/* ---- the guest ------------------------------------------------------------------------------- */

struct noted {
    int kind; /* -1 none */
    uint64_t pc, address;
    uint32_t error_code;
};
static struct noted noted;

static bool walk(void *cpu, gva va, enum mmu_access access, bool user, struct tlb_fill *out,
                 struct mmu_fault *fault)
{
    if (va >= RAM_BYTES || (va >= UNMAPPED && va < UNMAPPED + 0x1000))
        return false;
    *out = (struct tlb_fill){
        .physical = va, .block_size = 4096, .readable = true, .writable = true, .executable = true};
    return true;
}

static NORETURN void fault(void *cpu, const struct mmu_fault *f)
{
    struct exception e = {.kind = EXC_PF, .address = f->address};

    vcpu_raise(cpu, &e);
}

static void note(struct vcpu *v, const struct exception *e)
{
    noted = (struct noted){(int)(e->kind & EXC_KIND), v->run.pc, e->address, e->syndrome};
}

static void reset(struct vcpu *v)
{
    mmu_select(v->mmu, 0, true);
}

static const struct mmu_client client = {.walk = walk, .fault = fault};
static const struct cpu_model models[] = {{.name = "test"}, {0}};
static struct state_field fields[2][F_N];
static struct guest guests[2];

static void field(bool wide, unsigned n, const char *name, size_t offset, enum ir_type type,
                  uint64_t group)
{
    fields[wide][n] = (struct state_field){
        .name = name, .offset = (uint32_t)offset, .type = (uint8_t)type, .group = group};
}

static void make_guest(bool wide)
{
    enum ir_type address = wide ? IR_I64 : IR_I32;

    for (unsigned i = 0; i < F_N; i++)
        field(wide, i, "other", offsetof(struct x86_cpu, dr), IR_I32, 0);
    field(wide, F_PC, "pc", offsetof(struct x86_cpu, v.run.pc), IR_I64, GROUP_PC);
    field(wide, F_KEY, "key", offsetof(struct x86_cpu, v.run.key), IR_I32, GROUP_PC);
    for (unsigned i = 0; i < 16; i++) {
        field(wide, F_R0 + i, "r", offsetof(struct x86_cpu, gpr[i]), address, GROUP_R(i));
        fields[wide][F_R0 + i].flags = i < 8 ? STATE_HOT : 0;
    }
    field(wide, F_STATUS, "status", offsetof(struct x86_cpu, status), IR_FLAGS, GROUP_STATUS);
    field(wide, F_DF, "df", offsetof(struct x86_cpu, df), IR_I32, GROUP_EFLAGS);
    field(wide, F_INHIBIT, "inhibit", offsetof(struct x86_cpu, inhibit), IR_I32, GROUP_EFLAGS);
    for (unsigned i = 0; i < N_SEGMENTS; i++)
        field(wide, F_BASE0 + i, "base", offsetof(struct x86_cpu, segment[i].base), address,
              GROUP_SEGMENTS);
    guests[wide] = (struct guest){
        .name = wide ? "x86_64 test" : "i386 test",
        .state_size = sizeof(struct x86_cpu),
        .fields = fields[wide],
        .n_fields = F_N,
        .fp = &x86_fp_rules,
        .xlat_size = sizeof(struct x86_xlat),
        .models = models,
        .default_model = "test",
        .wide_address = wide,
        .reset = reset,
        .translate = x86_translate,
        .mmu = &client,
        .raise = note,
    };
}

struct fixture {
    pthread_mutex_t lock;
    struct memory *memory, *ports;
    uint8_t *ram;
    struct exec *exec;
    struct vcpu *v;
    struct x86_cpu *cpu;
};

static struct fixture *fixture_create(bool wide)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct exec_options options = {.interpret = true, .check = true};
    struct error err;

    make_guest(wide);
    memory_lock_init(&f->lock);
    f->memory = memory_create(&f->lock, &err);
    f->ports = memory_create(&f->lock, &err);
    assert_true(f->memory && f->ports);
    f->ram = memory_add_ram(f->memory, "ram", 0, RAM_BYTES, &err);
    assert_non_null(f->ram);
    f->exec = exec_create(&guests[wide], f->memory, &options, &err);
    assert_non_null(f->exec);
    f->v = vcpu_create(f->exec, NULL, NULL, &f->lock, 0, &err);
    assert_non_null(f->v);
    f->v->ports = f->ports;
    f->cpu = x86_cpu(f->v);
    f->cpu->sys = calloc(1, sizeof(*f->cpu->sys));
    vcpu_reset(f->v);
    f->cpu->features = ~UINT64_C(0);
    return f;
}

static void fixture_destroy(struct fixture *f)
{
    free(f->cpu->sys);
    vcpu_destroy(f->v);
    exec_destroy(f->exec);
    memory_destroy(f->ports);
    memory_destroy(f->memory);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static const struct {
    uint16_t eflags, stored;
} flag_bits[] = {{CF, IR_FLAG_C}, {PF, IR_FLAG_P}, {AF, IR_FLAG_A},
                 {ZF, IR_FLAG_Z}, {SF, IR_FLAG_N}, {OF, IR_FLAG_V}};

static uint16_t to_status(unsigned eflags)
{
    uint16_t status = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(flag_bits); i++)
        status |= eflags & flag_bits[i].eflags ? flag_bits[i].stored : 0;
    return status;
}

static unsigned to_eflags(uint16_t status)
{
    unsigned eflags = 0;

    for (unsigned i = 0; i < ARRAY_SIZE(flag_bits); i++)
        eflags |= status & flag_bits[i].stored ? flag_bits[i].eflags : 0;
    return eflags;
}

static void segment_flat(struct x86_cpu *cpu, unsigned n)
{
    cpu->segment[n] = (struct x86_segment){
        .attributes = ATTR_P | ATTR_S | (n == SEG_CS ? ATTR_CODE | ATTR_DB : ATTR_DB) |
                      ATTR_WRITABLE | ATTR_ACCESSED,
        .limit = UINT32_MAX,
    };
}

/* Puts the code where it runs and everything else to its start. */
static void begin(struct fixture *f, uint32_t key, const void *code, size_t length)
{
    bool real = !(key & KEY_PROTECTED);

    vcpu_reset(f->v);
    noted = (struct noted){.kind = -1};
    memset(f->cpu->gpr, 0, sizeof(f->cpu->gpr));
    memset(f->ram, 0, RAM_BYTES);
    f->cpu->gpr[RSP] = STACK;
    f->cpu->status = 0;
    f->cpu->df = f->cpu->pending_debug = 0;
    for (unsigned i = 0; i < N_SEGMENTS; i++) {
        segment_flat(f->cpu, i);
        if (real) {
            f->cpu->segment[i].base = (uint64_t)i << 12;
            f->cpu->segment[i].limit = 0xffff;
        }
    }
    f->v->run.key = key;
    f->v->run.pc = f->cpu->segment[SEG_CS].base + CODE;
    memcpy(f->ram + f->v->run.pc, code, length);
    memory_changed(f->memory, f->v->run.pc, length);
}

/* ---- cases ----------------------------------------------------------------------------------- */

/* Beside the registers: 8 bytes of memory at DATA, DATA + 8, at the stack pointer as it was before
 * the instruction less 8 and 16; and where the next instruction is, from CODE. */
enum { M0 = 16, M1, S1, S2, IP };

struct value {
    uint8_t where;
    uint64_t value;
};

struct test_case {
    const char *name;
    const char *code;
    uint8_t length;
    uint16_t modes;
    unsigned flags_in, flags_out, flags_mask;
    struct value in[6], out[6];
    int exception; /* + 1; 0: none */
    uint8_t steps;
};

enum { I = 1, W = 2, L = 4, IW = I | W, IWL = I | W | L }; /* i386; x86_64: compatible, long */

#define END                                                                                        \
    {                                                                                              \
        0xff, 0                                                                                    \
    }
#define VALUES(...)                                                                                \
    {                                                                                              \
        __VA_ARGS__, END                                                                           \
    }
#define NOTHING                                                                                    \
    {                                                                                              \
        END                                                                                        \
    }
#define CASE(title, bytes, where, before, in_values, after, mask, out_values)                      \
    {                                                                                              \
        .name = (title), .code = (bytes), .length = sizeof(bytes) - 1, .modes = (where),           \
        .flags_in = (before), .in = in_values, .flags_out = (after), .flags_mask = (mask),         \
        .out = out_values                                                                          \
    }
#define RAISES(title, bytes, where, in_values, kind)                                               \
    {                                                                                              \
        .name = (title), .code = (bytes), .length = sizeof(bytes) - 1, .modes = (where),           \
        .in = in_values, .out = NOTHING, .exception = (kind) + 1                                   \
    }

static uint64_t *memory_at(struct fixture *f, unsigned where)
{
    static const uint32_t address[] = {DATA, DATA + 8, STACK - 8, STACK - 16};

    return (uint64_t *)(void *)(f->ram + address[where - M0]);
}

static uint64_t read_value(struct fixture *f, unsigned where)
{
    if (where == IP)
        return f->v->run.pc - CODE;
    return where < M0 ? f->cpu->gpr[where] : *memory_at(f, where);
}

static void run_case(struct fixture *f, const struct test_case *c, uint32_t key)
{
    uint64_t registers[16], mask = key & KEY_CODE64 ? UINT64_MAX : UINT32_MAX;

    begin(f, key, c->code, c->length);
    for (const struct value *v = c->in; v->where != 0xff; v++) {
        if (v->where < M0)
            f->cpu->gpr[v->where] = v->value;
        else
            *memory_at(f, v->where) = v->value;
    }
    f->cpu->status = to_status(c->flags_in);
    memcpy(registers, f->cpu->gpr, sizeof(registers));
    vcpu_step(f->v, c->steps ? c->steps : 1);
    if (noted.kind != c->exception - 1)
        fail_msg("%s (key %#x): exception %d", c->name, key, noted.kind);
    for (const struct value *v = c->out; v->where != 0xff; v++) {
        uint64_t got = read_value(f, v->where);

        if (v->where < M0)
            registers[v->where] = v->value;
        if ((got ^ v->value) & (v->where < M0 ? mask : UINT64_MAX))
            fail_msg("%s (key %#x): %u is %#llx, not %#llx", c->name, key, v->where,
                     (unsigned long long)got, (unsigned long long)v->value);
    }
    for (unsigned i = 0; i < 16; i++)
        if ((registers[i] ^ f->cpu->gpr[i]) & mask)
            fail_msg("%s (key %#x): register %u has become %#llx", c->name, key, i,
                     (unsigned long long)f->cpu->gpr[i]);
    if ((to_eflags(f->cpu->status) ^ c->flags_out) & c->flags_mask)
        fail_msg("%s (key %#x): flags are %#x, not %#x", c->name, key, to_eflags(f->cpu->status),
                 c->flags_out);
    if (c->exception)
        assert_int_equal(f->v->run.pc, CODE);
}

static void run_cases(const struct test_case *cases, size_t n)
{
    struct fixture *narrow = fixture_create(false), *wide = fixture_create(true);

    for (size_t i = 0; i < n; i++) {
        if (cases[i].modes & I)
            run_case(narrow, &cases[i], PROTECTED32);
        if (cases[i].modes & W)
            run_case(wide, &cases[i], COMPATIBLE32);
        if (cases[i].modes & L)
            run_case(wide, &cases[i], LONG64);
    }
    fixture_destroy(wide);
    fixture_destroy(narrow);
}

static void arithmetic(void **state)
{
    static const struct test_case cases[] = {
        CASE("add eax, ebx", "\x01\xd8", IWL, 0, VALUES({RAX, 0xffffffff}, {RBX, 1}),
             CF | PF | AF | ZF, ALL, VALUES({RAX, 0})),
        CASE("add eax, ebx clears the upper half", "\x01\xd8", L, 0,
             VALUES({RAX, 0x1234567800000001}, {RBX, 2}), PF, ALL, VALUES({RAX, 3})),
        CASE("add rax, rbx", "\x48\x01\xd8", L, 0, VALUES({RAX, 0x7fffffffffffffff}, {RBX, 1}),
             PF | AF | SF | OF, ALL, VALUES({RAX, 0x8000000000000000})),
        CASE("add ax, bx keeps the upper part", "\x66\x01\xd8", IWL, 0,
             VALUES({RAX, 0xabcd8000}, {RBX, 0x8000}), CF | PF | ZF | OF, ALL,
             VALUES({RAX, 0xabcd0000})),
        CASE("add ah, bl", "\x00\xdc", IWL, 0, VALUES({RAX, 0x11220f33}, {RBX, 0xff01}), AF, ALL,
             VALUES({RAX, 0x11221033})),
        CASE("add spl, bl", "\x40\x00\xdc", L, 0, VALUES({RBX, 0x7f}), 0, 0,
             VALUES({RSP, STACK + 0x7f})),
        CASE("adc al, imm", "\x14\xff", IWL, CF, VALUES({RAX, 0x100}), CF | PF | AF | ZF, ALL,
             VALUES({RAX, 0x100})),
        CASE("sbb eax, eax", "\x19\xc0", IWL, CF, VALUES({RAX, 5}), CF | PF | AF | SF, ALL,
             VALUES({RAX, 0xffffffff})),
        CASE("sub eax, imm8", "\x83\xe8\xff", IWL, 0, VALUES({RAX, 0}), CF | AF, ALL,
             VALUES({RAX, 1})),
        CASE("sub rax, imm32 sign-extends", "\x48\x81\xe8\x00\x00\x00\x80", L, 0, VALUES({RAX, 0}),
             CF | PF, ALL, VALUES({RAX, 0x80000000})),
        CASE("cmp [m], imm", "\x80\x3b\x80", IWL, 0, VALUES({RBX, DATA}, {M0, 0x7f}),
             CF | PF | SF | OF, ALL, NOTHING),
        CASE("and [m], reg", "\x21\x03", IWL, CF | OF,
             VALUES({RBX, DATA}, {M0, 0x1122334455667788}, {RAX, 0xff}), PF, CF | PF | ZF | SF | OF,
             VALUES({M0, 0x1122334400000088})),
        CASE("xor r, r", "\x31\xc0", IWL, ALL, VALUES({RAX, 7}), PF | ZF, CF | PF | ZF | SF | OF,
             VALUES({RAX, 0})),
        CASE("test al, imm", "\xa8\x81", IWL, ALL, VALUES({RAX, 0x80}), SF, CF | PF | ZF | SF | OF,
             NOTHING),
        CASE("inc keeps C", "\xff\xc0", IWL, CF, VALUES({RAX, 0x7fffffff}), CF | PF | AF | SF | OF,
             ALL, VALUES({RAX, 0x80000000})),
        CASE("dec keeps C", "\xfe\x0b", IWL, 0, VALUES({RBX, DATA}, {M0, 0}), PF | AF | SF, ALL,
             VALUES({M0, 0xff})),
        CASE("inc r32, one byte", "\x41", IW, CF, VALUES({RCX, 0xffffffff}), CF | PF | AF | ZF, ALL,
             VALUES({RCX, 0})),
        CASE("neg", "\xf7\xd8", IWL, 0, VALUES({RAX, 0x80000000}), CF | PF | SF | OF, ALL,
             VALUES({RAX, 0x80000000})),
        CASE("neg 0", "\xf6\xd8", IWL, ALL, VALUES({RAX, 0x100}), PF | ZF, ALL,
             VALUES({RAX, 0x100})),
        CASE("not keeps all flags", "\xf7\xd0", IWL, CF | AF | OF, VALUES({RAX, 0xff00ff00}),
             CF | AF | OF, ALL, VALUES({RAX, 0x00ff00ff})),
        CASE("adcx", "\x66\x0f\x38\xf6\xc3", IWL, CF | ZF | OF | SF,
             VALUES({RAX, 0xffffffff}, {RBX, 0}), CF | ZF | OF | SF, ALL, VALUES({RAX, 0})),
        CASE("adox", "\xf3\x0f\x38\xf6\xc3", IWL, CF | OF, VALUES({RAX, 1}, {RBX, 2}), CF, ALL,
             VALUES({RAX, 4})),
    };
    run_cases(cases, ARRAY_SIZE(cases));
}

static void locked(void **state)
{
    static const struct test_case cases[] = {
        CASE("lock add", "\xf0\x01\x03", IWL, 0, VALUES({RBX, DATA}, {M0, 0x5ffffffff}, {RAX, 1}),
             CF | PF | AF | ZF, ALL, VALUES({M0, 0x500000000})),
        CASE("lock sbb", "\xf0\x18\x03", IWL, CF, VALUES({RBX, DATA}, {M0, 0x100}, {RAX, 0xff}),
             CF | PF | AF | ZF, ALL, VALUES({M0, 0x100})),
        CASE("lock dec", "\xf0\xfe\x0b", IWL, CF, VALUES({RBX, DATA}, {M0, 0x1180}), CF | AF | OF,
             ALL, VALUES({M0, 0x117f})),
        CASE("lock neg", "\xf0\xf7\x1b", IWL, 0, VALUES({RBX, DATA}, {M0, 2}), CF | AF | SF,
             CF | ZF | SF | OF, VALUES({M0, 0xfffffffe})),
        CASE("lock not", "\xf0\xf6\x13", IWL, 0, VALUES({RBX, DATA}, {M0, 0x102}), 0, ALL,
             VALUES({M0, 0x1fd})),
        CASE("xchg [m], reg", "\x87\x03", IWL, ALL, VALUES({RBX, DATA}, {M0, 0x99}, {RAX, 0x88}),
             ALL, ALL, VALUES({M0, 0x88}, {RAX, 0x99})),
        CASE("xchg r, r", "\x86\xe0", IWL, 0, VALUES({RAX, 0x1234}), 0, 0, VALUES({RAX, 0x3412})),
        CASE("xadd r, r", "\x0f\xc1\xd8", IWL, 0, VALUES({RAX, 3}, {RBX, 4}), 0, ALL,
             VALUES({RAX, 7}, {RBX, 3})),
        CASE("lock xadd", "\xf0\x0f\xc1\x03", IWL, 0, VALUES({RBX, DATA}, {M0, 1}, {RAX, 2}), PF,
             ALL, VALUES({M0, 3}, {RAX, 1})),
        CASE("cmpxchg equal", "\x0f\xb1\x0b", IWL, 0,
             VALUES({RBX, DATA}, {M0, 5}, {RAX, 5}, {RCX, 9}), PF | ZF, ALL, VALUES({M0, 9})),
        CASE("cmpxchg different", "\xf0\x0f\xb1\x0b", IWL, 0,
             VALUES({RBX, DATA}, {M0, 5}, {RAX, 6}, {RCX, 9}), 0, ALL, VALUES({RAX, 5})),
        CASE("cmpxchg r8 different", "\x0f\xb0\xcb", IWL, 0,
             VALUES({RBX, 0x1205}, {RAX, 0x3406}, {RCX, 9}), 0, ALL, VALUES({RAX, 0x3405})),
        CASE("cmpxchg equal leaves rax", "\x0f\xb1\xcb", L, 0,
             VALUES({RBX, 5}, {RAX, 0xa00000005}, {RCX, 9}), PF | ZF, ALL, VALUES({RBX, 9})),
        CASE("cmpxchg r32 different keeps the upper half", "\x0f\xb1\xcb", L, 0,
             VALUES({RBX, 0xa00000005}, {RAX, 0xb00000006}), 0, ALL, VALUES({RAX, 5})),
        CASE("cmpxchg8b equal", "\x0f\xc7\x0e", IWL, CF,
             VALUES({RSI, DATA}, {M0, 0x200000001}, {RAX, 1}, {RDX, 2}, {RBX, 3}), CF | ZF, ALL,
             VALUES({M0, 3})),
        CASE("cmpxchg8b different", "\xf0\x0f\xc7\x0e", IWL, ZF,
             VALUES({RSI, DATA}, {M0, 0x200000001}, {RAX, 1}, {RDX, 3}, {RBX, 3}), 0, ALL,
             VALUES({RAX, 1}, {RDX, 2})),
        CASE("cmpxchg16b", "\x48\x0f\xc7\x0e", L, 0,
             VALUES({RSI, DATA}, {M0, 7}, {M1, 8}, {RAX, 7}, {RDX, 8}), ZF, ALL,
             VALUES({M0, 0}, {M1, 0})),
        CASE("lock bts", "\xf0\x0f\xab\x03", IWL, 0, VALUES({RBX, DATA}, {M0, 0}, {RAX, 33}), 0, CF,
             VALUES({M0, 0x200000000})),
        CASE("lock btr", "\xf0\x0f\xba\x33\x04", IWL, 0, VALUES({RBX, DATA}, {M0, 0x11}), CF, CF,
             VALUES({M0, 1})),
        CASE("lock btc, negative", "\xf0\x0f\xbb\x03", IWL, 0,
             VALUES({RBX, DATA + 8}, {M0, 0x8000000000000000}, {RAX, (uint64_t)-1}), CF, CF,
             VALUES({M0, 0})),
        RAISES("lock on a register", "\xf0\x01\xd8", IWL, NOTHING, EXC_UD),
    };
    run_cases(cases, ARRAY_SIZE(cases));
}

static void products(void **state)
{
    static const struct test_case cases[] = {
        CASE("mul bl", "\xf6\xe3", IWL, 0, VALUES({RAX, 0x110080}, {RBX, 4}), CF | OF, CF | OF,
             VALUES({RAX, 0x110200})),
        CASE("mul bx", "\x66\xf7\xe3", IWL, 0, VALUES({RAX, 0x118000}, {RBX, 4}, {RDX, 0x550000}),
             CF | OF, CF | OF, VALUES({RAX, 0x110000}, {RDX, 0x550002})),
        CASE("mul ebx", "\xf7\xe3", IWL, 0, VALUES({RAX, 0xffffffff}, {RBX, 0xffffffff}), CF | OF,
             CF | OF, VALUES({RAX, 1}, {RDX, 0xfffffffe})),
        CASE("mul rbx", "\x48\xf7\xe3", L, 0, VALUES({RAX, UINT64_MAX}, {RBX, 2}), CF | OF, CF | OF,
             VALUES({RAX, UINT64_MAX - 1}, {RDX, 1})),
        CASE("imul bl", "\xf6\xeb", IWL, ALL, VALUES({RAX, 0xff}, {RBX, 5}), 0, CF | OF,
             VALUES({RAX, 0xfffb})),
        CASE("imul ebx", "\xf7\xeb", IWL, 0, VALUES({RAX, 0x80000000}, {RBX, 2}), CF | OF, CF | OF,
             VALUES({RAX, 0}, {RDX, 0xffffffff})),
        CASE("imul rbx", "\x48\xf7\xeb", L, 0, VALUES({RAX, UINT64_MAX}, {RBX, 2}), 0, CF | OF,
             VALUES({RAX, UINT64_MAX - 1}, {RDX, UINT64_MAX})),
        CASE("imul r, r", "\x0f\xaf\xc3", IWL, 0, VALUES({RAX, 0x10000}, {RBX, 0x10000}), CF | OF,
             CF | OF, VALUES({RAX, 0})),
        CASE("imul r, [m], imm8", "\x6b\x03\xfd", IWL, 0, VALUES({RBX, DATA}, {M0, 7}), 0, CF | OF,
             VALUES({RAX, 0xffffffeb})),
        CASE("mulx", "\xc4\xe2\x63\xf6\xc1", IWL, CF, VALUES({RDX, 0x80000000}, {RCX, 6}), CF, CF,
             VALUES({RAX, 3}, {RBX, 0})),
        CASE("div bl", "\xf6\xf3", IWL, 0, VALUES({RAX, 0x110107}, {RBX, 0x10}), 0, 0,
             VALUES({RAX, 0x110710})),
        CASE("div bx", "\x66\xf7\xf3", IWL, 0, VALUES({RAX, 0x50001}, {RDX, 1}, {RBX, 0x10}), 0, 0,
             VALUES({RAX, 0x51000}, {RDX, 1})),
        CASE("div ebx", "\xf7\xf3", IWL, 0, VALUES({RAX, 5}, {RDX, 1}, {RBX, 2}), 0, 0,
             VALUES({RAX, 0x80000002}, {RDX, 1})),
        CASE("div rbx", "\x48\xf7\xf3", L, 0, VALUES({RAX, 5}, {RDX, 1}, {RBX, 2}), 0, 0,
             VALUES({RAX, 0x8000000000000002}, {RDX, 1})),
        CASE("idiv bl", "\xf6\xfb", IWL, 0, VALUES({RAX, 0xfff9}, {RBX, 2}), 0, 0,
             VALUES({RAX, 0xfffd})),
        CASE("idiv bx", "\x66\xf7\xfb", IWL, 0, VALUES({RAX, 0xfff9}, {RDX, 0xffff}, {RBX, 2}), 0,
             0, VALUES({RAX, 0xfffd}, {RDX, 0xffff})),
        CASE("idiv ebx", "\xf7\xfb", IWL, 0,
             VALUES({RAX, 0xfffffff9}, {RDX, 0xffffffff}, {RBX, 0xfffffffe}), 0, 0,
             VALUES({RAX, 3}, {RDX, 0xffffffff})),
        CASE("idiv rbx", "\x48\xf7\xfb", L, 0,
             VALUES({RAX, (uint64_t)-7}, {RDX, (uint64_t)-1}, {RBX, 2}), 0, 0,
             VALUES({RAX, (uint64_t)-3}, {RDX, (uint64_t)-1})),
        CASE("idiv rbx, smallest quotient", "\x48\xf7\xfb", L, 0,
             VALUES({RAX, 0}, {RDX, (uint64_t)-1}, {RBX, 2}), 0, 0,
             VALUES({RAX, 0x8000000000000000}, {RDX, 0})),
        RAISES("div by 0", "\xf7\xf3", IWL, VALUES({RAX, 1}), EXC_DE),
        RAISES("div too large", "\xf7\xf3", IWL, VALUES({RDX, 2}, {RBX, 2}), EXC_DE),
        RAISES("div al too large", "\xf6\xf3", IWL, VALUES({RAX, 0x200}, {RBX, 2}), EXC_DE),
        RAISES("idiv too large", "\xf7\xfb", IWL,
               VALUES({RDX, 0xffffffff}, {RAX, 0x80000000}, {RBX, 0xffffffff}), EXC_DE),
        RAISES("idiv 2^63 / -1", "\xf7\xfb", IWL, VALUES({RDX, 0x80000000}, {RBX, 0xffffffff}),
               EXC_DE),
        RAISES("idiv rbx too large", "\x48\xf7\xfb", L, VALUES({RDX, 1}, {RBX, 2}), EXC_DE),
        CASE("daa", "\x27", IW, 0, VALUES({RAX, 0x9a}), CF | AF | ZF | PF, CF | AF | ZF | SF | PF,
             VALUES({RAX, 0})),
        CASE("das", "\x2f", IW, AF, VALUES({RAX, 0x47}), AF, CF | AF | ZF | SF,
             VALUES({RAX, 0x41})),
        CASE("aaa", "\x37", IW, 0, VALUES({RAX, 0x010b}), CF | AF, CF | AF, VALUES({RAX, 0x0201})),
        CASE("aam", "\xd4\x0a", IW, 0, VALUES({RAX, 0x3f}), PF, ZF | SF | PF,
             VALUES({RAX, 0x0603})),
        CASE("aad", "\xd5\x0a", IW, 0, VALUES({RAX, 0x0603}), PF, ZF | SF | PF,
             VALUES({RAX, 0x3f})),
        RAISES("aam 0", "\xd4\x00", IW, NOTHING, EXC_DE),
    };
    run_cases(cases, ARRAY_SIZE(cases));
}

static void shifts(void **state)
{
    static const struct test_case cases[] = {
        CASE("shl eax, 1", "\xd1\xe0", IWL, 0, VALUES({RAX, 0xc0000000}), CF | PF | SF,
             CF | PF | ZF | SF | OF, VALUES({RAX, 0x80000000})),
        CASE("shl eax, 0 keeps the flags", "\xc1\xe0\x20", IWL, ALL, VALUES({RAX, 9}), ALL, ALL,
             NOTHING),
        CASE("shr eax, cl = 0 keeps the flags", "\xd3\xe8", IWL, CF | ZF | AF,
             VALUES({RAX, 9}, {RCX, 0x40}), CF | ZF | AF, ALL, NOTHING),
        CASE("shr r32 by 0 clears the upper half", "\xd3\xe8", L, CF,
             VALUES({RAX, 0x900000009}, {RCX, 0}), CF, ALL, VALUES({RAX, 9})),
        CASE("sar [m], cl", "\xd2\x3b", IWL, 0, VALUES({RBX, DATA}, {M0, 0x1182}, {RCX, 2}),
             CF | SF, CF | ZF | SF, VALUES({M0, 0x11e0})),
        CASE("shl rax, 40", "\x48\xc1\xe0\x28", L, 0, VALUES({RAX, 1}), 0, CF | ZF | SF,
             VALUES({RAX, 0x10000000000})),
        CASE("rol keeps Z and S", "\xc0\xc0\x04", IWL, ZF | SF | AF | PF, VALUES({RAX, 0x1281}),
             ZF | SF | AF | PF, ALL & ~OF, VALUES({RAX, 0x1218})),
        CASE("ror ax, 1", "\x66\xd1\xc8", IWL, 0, VALUES({RAX, 0x70001}), CF | OF, ALL,
             VALUES({RAX, 0x78000})),
        CASE("rcl ebx, 1", "\xd1\xd3", IWL, CF, VALUES({RBX, 0x80000000}), CF | OF, ALL,
             VALUES({RBX, 1})),
        CASE("rcr al, cl = 9 is a full circle", "\xd2\xd8", IWL, CF, VALUES({RAX, 0x55}, {RCX, 9}),
             CF, CF, NOTHING),
        CASE("shld", "\x0f\xa4\xd8\x08", IWL, 0, VALUES({RAX, 0x12345678}, {RBX, 0x9abcdef0}), 0,
             CF | ZF | SF, VALUES({RAX, 0x3456789a})),
        CASE("shrd cl", "\x0f\xad\xd8", IWL, 0,
             VALUES({RAX, 0x12345678}, {RBX, 0x9abcdef0}, {RCX, 4}), CF, CF | ZF | SF,
             VALUES({RAX, 0x01234567})),
        CASE("shlx", "\xc4\xe2\x71\xf7\xc3", IWL, ALL, VALUES({RBX, 3}, {RCX, 33}), ALL, ALL,
             VALUES({RAX, 6})),
        CASE("rorx", "\xc4\xe3\x7b\xf0\xc3\x04", IWL, 0, VALUES({RBX, 0x12345678}), 0, ALL,
             VALUES({RAX, 0x81234567})),
        CASE("bt r, r modulo", "\x0f\xa3\xd8", IWL, ZF, VALUES({RAX, 2}, {RBX, 33}), CF | ZF,
             CF | ZF, NOTHING),
        CASE("bt [m], r reaches behind", "\x0f\xa3\x06", IWL, 0,
             VALUES({RSI, DATA}, {M1, 2}, {RAX, 65}), CF, CF, NOTHING),
        CASE("bts r, imm", "\x0f\xba\xe8\x25", IWL, 0, VALUES({RAX, 0}), 0, CF,
             VALUES({RAX, 0x20})),
        CASE("bsf", "\x0f\xbc\xc3", IWL, 0, VALUES({RBX, 0x50}), 0, ZF, VALUES({RAX, 4})),
        CASE("bsr of 0", "\x0f\xbd\xc3", IWL, 0, VALUES({RAX, 77}), ZF, ZF, NOTHING),
        CASE("bsr r32 of 0 keeps the upper half", "\x0f\xbd\xc3", L, 0, VALUES({RAX, 0x100000077}),
             ZF, ZF, NOTHING),
        CASE("tzcnt of 0", "\xf3\x0f\xbc\xc3", IWL, 0, NOTHING, CF, CF | ZF, VALUES({RAX, 32})),
        CASE("lzcnt r64", "\xf3\x48\x0f\xbd\xc3", L, 0, VALUES({RBX, 1}), 0, CF | ZF,
             VALUES({RAX, 63})),
        CASE("popcnt", "\xf3\x0f\xb8\xc3", IWL, ALL, VALUES({RBX, 0xff}), 0, ALL, VALUES({RAX, 8})),
        CASE("bswap", "\x0f\xc8", IWL, 0, VALUES({RAX, 0x11223344}), 0, 0,
             VALUES({RAX, 0x44332211})),
        CASE("movbe [m], ax", "\x66\x0f\x38\xf1\x03", IWL, 0, VALUES({RBX, DATA}, {RAX, 0x1122}), 0,
             0, VALUES({M0, 0x2211})),
        CASE("crc32 al", "\xf2\x0f\x38\xf0\xc3", IWL, 0, VALUES({RBX, 1}), 0, 0,
             VALUES({RAX, 0xf26b8303})),
        CASE("andn", "\xc4\xe2\x60\xf2\xc1", IWL, 0, VALUES({RBX, 0xf0}, {RCX, 0xff}), 0,
             CF | ZF | SF | OF, VALUES({RAX, 0x0f})),
        CASE("bextr", "\xc4\xe2\x70\xf7\xc3", IWL, 0, VALUES({RBX, 0x12345678}, {RCX, 0x0808}), 0,
             CF | ZF | OF, VALUES({RAX, 0x56})),
        CASE("blsr", "\xc4\xe2\x78\xf3\xcb", IWL, 0, VALUES({RBX, 0x58}), 0, CF | ZF | OF,
             VALUES({RAX, 0x50})),
        CASE("pext", "\xc4\xe2\x62\xf5\xc1", IWL, 0, VALUES({RBX, 0xabcd}, {RCX, 0xf0f0}), 0, 0,
             VALUES({RAX, 0xac})),
    };
    run_cases(cases, ARRAY_SIZE(cases));
}

static void moves(void **state)
{
    static const struct test_case cases[] = {
        CASE("mov r, imm", "\xb8\x78\x56\x34\x92", IWL, ALL, VALUES({RAX, UINT64_MAX}), ALL, ALL,
             VALUES({RAX, 0x92345678})),
        CASE("mov r64, imm64", "\x48\xb8\x88\x77\x66\x55\x44\x33\x22\x11", L, 0, NOTHING, 0, 0,
             VALUES({RAX, 0x1122334455667788})),
        CASE("mov r64, imm32", "\x48\xc7\xc0\xff\xff\xff\xff", L, 0, NOTHING, 0, 0,
             VALUES({RAX, UINT64_MAX})),
        CASE("mov ch, [m]", "\x8a\x2b", IWL, 0, VALUES({RBX, DATA}, {M0, 0x55}, {RCX, 0x1122}), 0,
             0, VALUES({RCX, 0x5522})),
        CASE("mov [b + i * 4 + d], r", "\x89\x44\x8b\x08", IWL, 0,
             VALUES({RBX, DATA - 16}, {RCX, 2}, {RAX, 0x42}), 0, 0, VALUES({M0, 0x42})),
        CASE("address of 32 bits wraps", "\x67\x89\x03", L, 0,
             VALUES({RBX, 0x700000000 + DATA}, {RAX, 0x42}), 0, 0, VALUES({M0, 0x42})),
        CASE("rip-relative", "\x8b\x05\xfa\x0f\x00\x00", L, 0, VALUES({M0, 0x43}), 0, 0,
             VALUES({RAX, 0x43})),
        CASE("lea 16-bit address", "\x67\x8d\x40\x7f", IW, 0, VALUES({RBX, 0xffff}, {RSI, 0x10}), 0,
             0, VALUES({RAX, 0x8e})),
        CASE("lea r16", "\x66\x8d\x04\x19", IWL, 0,
             VALUES({RCX, 0x1ffff}, {RBX, 2}, {RAX, 0x550000}), 0, 0, VALUES({RAX, 0x550001})),
        CASE("lea r64", "\x48\x8d\x44\x09\xff", L, 0, VALUES({RCX, 0x8000000000000000}), 0, 0,
             VALUES({RAX, UINT64_MAX})),
        CASE("movzx", "\x0f\xb6\xc7", IWL, 0, VALUES({RBX, 0x1280ff}), 0, 0, VALUES({RAX, 0x80})),
        CASE("movsx r16, r8", "\x66\x0f\xbe\xc3", IWL, 0, VALUES({RBX, 0x80}, {RAX, 0x110000}), 0,
             0, VALUES({RAX, 0x11ff80})),
        CASE("movsx r32, [m16]", "\x0f\xbf\x03", IWL, 0, VALUES({RBX, DATA}, {M0, 0x8000}), 0, 0,
             VALUES({RAX, 0xffff8000})),
        CASE("movsxd", "\x48\x63\xc3", L, 0, VALUES({RBX, 0x80000000}), 0, 0,
             VALUES({RAX, 0xffffffff80000000})),
        CASE("cwde", "\x98", IWL, 0, VALUES({RAX, 0x8000}), 0, 0, VALUES({RAX, 0xffff8000})),
        CASE("cdq", "\x99", IWL, 0, VALUES({RAX, 0x80000000}), 0, 0, VALUES({RDX, 0xffffffff})),
        CASE("cwd", "\x66\x99", IWL, 0, VALUES({RAX, 0x8000}, {RDX, 0x10000}), 0, 0,
             VALUES({RDX, 0x1ffff})),
        CASE("cqo", "\x48\x99", L, 0, VALUES({RAX, 1}, {RDX, 5}), 0, 0, VALUES({RDX, 0})),
        CASE("xlat", "\xd7", IWL, 0, VALUES({RBX, DATA}, {M0, 0x5500}, {RAX, 0x7701}), 0, 0,
             VALUES({RAX, 0x7755})),
        CASE("setg", "\x0f\x9f\xc0", IWL, SF | OF, VALUES({RAX, 0x200}), SF | OF, ALL,
             VALUES({RAX, 0x201})),
        CASE("cmovb taken", "\x0f\x42\xc3", IWL, CF, VALUES({RAX, 1}, {RBX, 2}), CF, ALL,
             VALUES({RAX, 2})),
        CASE("cmovp not taken clears the upper half", "\x0f\x4a\xc3", L, 0,
             VALUES({RAX, 0x100000001}, {RBX, 2}), 0, ALL, VALUES({RAX, 1})),
        CASE("lahf", "\x9f", IWL, ALL, VALUES({RAX, 0x11}), ALL, ALL, VALUES({RAX, 0xd711})),
        CASE("sahf", "\x9e", IWL, OF, VALUES({RAX, 0x4100}), OF | ZF | CF, ALL, NOTHING),
        CASE("cmc", "\xf5", IWL, CF | ZF, NOTHING, ZF, ALL, NOTHING),
        CASE("stc", "\xf9", IWL, ZF, NOTHING, CF | ZF, ALL, NOTHING),
        CASE("clc", "\xf8", IWL, ALL, NOTHING, ALL & ~CF, ALL, NOTHING),
        CASE("salc", "\xd6", IW, CF, VALUES({RAX, 0x100}), CF, ALL, VALUES({RAX, 0x1ff})),
        RAISES("ud2", "\x0f\x0b", IWL, NOTHING, EXC_UD),
        RAISES("a fault changes nothing", "\x01\x03", IWL, VALUES({RBX, UNMAPPED}, {RAX, 1}),
               EXC_PF),
        CASE("bound", "\x62\x03", IW, 0, VALUES({RBX, DATA}, {M0, 0x500000001}, {RAX, 5}), 0, 0,
             NOTHING),
        RAISES("bound not kept", "\x62\x03", IW, VALUES({RBX, DATA}, {M0, 0x500000001}, {RAX, 6}),
               EXC_BR),
    };
    run_cases(cases, ARRAY_SIZE(cases));
}

static void stack(void **state)
{
    static const struct test_case cases[] = {
        CASE("push r32", "\x50", IW, 0, VALUES({RAX, 0x11}), 0, 0,
             VALUES({RSP, STACK - 4}, {S1, 0x1100000000})),
        CASE("push r64", "\x50", L, 0, VALUES({RAX, 0x1122334455667788}), 0, 0,
             VALUES({RSP, STACK - 8}, {S1, 0x1122334455667788})),
        CASE("push rsp", "\x54", L, 0, NOTHING, 0, 0, VALUES({RSP, STACK - 8}, {S1, STACK})),
        CASE("push imm8", "\x6a\xff", L, 0, NOTHING, 0, 0,
             VALUES({RSP, STACK - 8}, {S1, UINT64_MAX})),
        CASE("push imm16", "\x66\x68\x34\x12", IWL, 0, NOTHING, 0, 0,
             VALUES({RSP, STACK - 2}, {S1, 0x1234000000000000})),
        CASE("push [m]", "\xff\x33", IW, 0, VALUES({RBX, DATA}, {M0, 0x77}), 0, 0,
             VALUES({RSP, STACK - 4}, {S1, 0x7700000000})),
        CASE("pop esp", "\x5c", IW, 0, VALUES({RSP, STACK - 8}, {S1, 0x1234}), 0, 0,
             VALUES({RSP, 0x1234})),
        CASE("pop [esp] uses the new esp", "\x8f\x04\x24", IW, 0,
             VALUES({RSP, STACK - 8}, {S1, 0x1234}), 0, 0,
             VALUES({RSP, STACK - 4}, {S1, 0x123400001234})),
        CASE("pop r64", "\x41\x58", L, 0, VALUES({RSP, STACK - 8}, {S1, 0x1234}), 0, 0,
             VALUES({RSP, STACK}, {R8, 0x1234})),
        RAISES("pop to nowhere keeps esp", "\x8f\x03", IW, VALUES({RBX, UNMAPPED}), EXC_PF),
        CASE("pusha", "\x60", IW, 0, VALUES({RAX, 1}, {RCX, 2}, {RDX, 3}, {RBX, 4}), 0, 0,
             VALUES({RSP, STACK - 32}, {S1, 0x100000002}, {S2, 0x300000004})),
        CASE("popa", "\x61", IW, 0, VALUES({RSP, STACK - 32}, {S1, 0x100000002}, {S2, 0x300000004}),
             0, 0, VALUES({RSP, STACK}, {RAX, 1}, {RCX, 2}, {RDX, 3}, {RBX, 4})),
        CASE("enter 16, 0", "\xc8\x10\x00\x00", IW, 0, VALUES({RBP, 0x55}), 0, 0,
             VALUES({RSP, STACK - 20}, {RBP, STACK - 4}, {S1, 0x5500000000})),
        CASE("enter 0, 2", "\xc8\x00\x00\x02", L, 0, VALUES({RBP, DATA + 8}, {M0, 0x66}), 0, 0,
             VALUES({RSP, STACK - 24}, {RBP, STACK - 8}, {S1, DATA + 8}, {S2, 0x66})),
        CASE("leave", "\xc9", L, 0, VALUES({RBP, STACK - 8}, {S1, 0x99}, {RSP, 5}), 0, 0,
             VALUES({RSP, STACK}, {RBP, 0x99})),
        CASE("call rel", "\xe8\x10\x00\x00\x00", IW, 0, NOTHING, 0, 0,
             VALUES({RSP, STACK - 4}, {S1, (uint64_t)(CODE + 5) << 32}, {IP, 0x15})),
        CASE("call rel, 64", "\xe8\x10\x00\x00\x00", L, 0, NOTHING, 0, 0,
             VALUES({RSP, STACK - 8}, {S1, CODE + 5}, {IP, 0x15})),
        CASE("call [esp]", "\xff\x14\x24", IW, 0, VALUES({RSP, STACK - 8}, {S1, CODE + 0x80}), 0, 0,
             VALUES({RSP, STACK - 12}, {IP, 0x80})),
        CASE("ret imm", "\xc2\x08\x00", IW, 0, VALUES({RSP, STACK - 8}, {S1, CODE + 0x90}), 0, 0,
             VALUES({RSP, STACK + 4}, {IP, 0x90})),
        CASE("ret, 64", "\xc3", L, 0, VALUES({RSP, STACK - 8}, {S1, CODE + 0x90}), 0, 0,
             VALUES({RSP, STACK}, {IP, 0x90})),
        CASE("ret, 16 bits of eip", "\x66\xc3", IW, 0, VALUES({RSP, STACK - 8}, {S1, 0xaaaa1234}),
             0, 0, VALUES({RSP, STACK - 6}, {IP, 0x1234 - CODE})),
        CASE("jmp back", "\xeb\xfe", IWL, 0, NOTHING, 0, 0, VALUES({IP, 0})),
        CASE("jmp rax", "\xff\xe0", IWL, 0, VALUES({RAX, CODE + 7}), 0, 0, VALUES({IP, 7})),
        CASE("jne taken", "\x75\x05", IWL, 0, NOTHING, 0, ALL, VALUES({IP, 7})),
        CASE("jne not taken", "\x75\x05", IWL, ZF, NOTHING, ZF, ALL, VALUES({IP, 2})),
        CASE("jle, 32-bit displacement", "\x0f\x8e\x05\x00\x00\x00", IWL, OF, NOTHING, OF, ALL,
             VALUES({IP, 11})),
        CASE("jecxz", "\xe3\x05", IW, 0, NOTHING, 0, 0, VALUES({IP, 7})),
        CASE("jcxz looks at 16 bits", "\x67\xe3\x05", IW, 0, VALUES({RCX, 0x10000}), 0, 0,
             VALUES({IP, 8})),
        CASE("loop", "\xe2\x05", IWL, ZF, VALUES({RCX, 2}), ZF, ALL, VALUES({RCX, 1}, {IP, 7})),
        CASE("loop ends", "\xe2\x05", IWL, 0, VALUES({RCX, 1}), 0, 0, VALUES({RCX, 0}, {IP, 2})),
        CASE("loopne", "\xe0\x05", IWL, ZF, VALUES({RCX, 2}), ZF, ALL, VALUES({RCX, 1}, {IP, 2})),
        CASE("loop cx", "\x67\xe2\x05", IW, 0, VALUES({RCX, 0x10000}), 0, 0,
             VALUES({RCX, 0x1ffff}, {IP, 8})),
    };
    run_cases(cases, ARRAY_SIZE(cases));
}

/* ---- strings --------------------------------------------------------------------------------- */

static void run_until(struct fixture *f, uint64_t pc)
{
    for (unsigned i = 0; i < 1000 && f->v->run.pc != pc && noted.kind < 0; i++)
        vcpu_step(f->v, 1);
}

static void string_instructions(void **state)
{
    for (int wide = 0; wide < 2; wide++) {
        struct fixture *f = fixture_create(wide);
        uint32_t key = wide ? LONG64 : PROTECTED32;

        /* movsb across a page boundary */
        begin(f, key, "\xa4", 1);
        f->cpu->gpr[RSI] = DATA;
        f->cpu->gpr[RDI] = DATA + 8;
        f->ram[DATA] = 0x77;
        vcpu_step(f->v, 1);
        assert_int_equal(f->ram[DATA + 8], 0x77);
        assert_int_equal(f->cpu->gpr[RSI], DATA + 1);
        assert_int_equal(f->cpu->gpr[RDI], DATA + 9);

        /* rep movsd over pages, downwards */
        begin(f, key, "\xf3\xa5", 2);
        f->cpu->df = 1;
        f->cpu->gpr[RCX] = 3000;
        f->cpu->gpr[RSI] = 0x20002 + 4 * 2999;
        f->cpu->gpr[RDI] = 0x30003 + 4 * 2999;
        for (unsigned i = 0; i < 12000; i++)
            f->ram[0x20002 + i] = (uint8_t)(i * 7);
        run_until(f, CODE + 2);
        assert_int_equal(f->cpu->gpr[RCX], 0);
        assert_int_equal(f->cpu->gpr[RDI], 0x30003 - 4);
        assert_memory_equal(f->ram + 0x20002, f->ram + 0x30003, 12000);
        assert_int_equal(f->ram[0x30002], 0);
        assert_int_equal(f->ram[0x30003 + 12000], 0);

        /* a destination just ahead of the source repeats what is there */
        begin(f, key, "\xf3\xa4", 2);
        f->cpu->gpr[RCX] = 100;
        f->cpu->gpr[RSI] = DATA;
        f->cpu->gpr[RDI] = DATA + 1;
        f->ram[DATA] = 0x5a;
        run_until(f, CODE + 2);
        for (unsigned i = 0; i <= 100; i++)
            assert_int_equal(f->ram[DATA + i], 0x5a);
        assert_int_equal(f->ram[DATA + 101], 0);

        /* a fault in the middle leaves what is done */
        begin(f, key, "\xf3\xab", 2);
        f->cpu->gpr[RAX] = 0x11223344;
        f->cpu->gpr[RCX] = 100;
        f->cpu->gpr[RDI] = UNMAPPED - 40;
        run_until(f, CODE + 2);
        assert_int_equal(noted.kind, EXC_PF);
        assert_int_equal(noted.address, UNMAPPED);
        assert_int_equal(noted.pc, CODE);
        assert_int_equal(f->cpu->gpr[RCX], 90);
        assert_int_equal(f->cpu->gpr[RDI], UNMAPPED);

        /* repne scasb finds; flags are those of the last comparison */
        begin(f, key, "\xf2\xae", 2);
        memcpy(f->ram + DATA, "abcdef", 6);
        f->cpu->gpr[RAX] = 'd';
        f->cpu->gpr[RCX] = 50;
        f->cpu->gpr[RDI] = DATA;
        run_until(f, CODE + 2);
        assert_int_equal(f->cpu->gpr[RDI], DATA + 4);
        assert_int_equal(f->cpu->gpr[RCX], 46);
        assert_int_equal(to_eflags(f->cpu->status), ZF | PF);

        /* repe cmpsb stops at a difference; with a count of 0 the flags stay */
        begin(f, key, "\xf3\xa6\xf3\xa6", 4);
        memcpy(f->ram + DATA, "abcz", 4);
        memcpy(f->ram + DATA + 16, "abda", 4);
        f->cpu->gpr[RCX] = 3;
        f->cpu->gpr[RSI] = DATA;
        f->cpu->gpr[RDI] = DATA + 16;
        run_until(f, CODE + 2);
        assert_int_equal(f->cpu->gpr[RSI], DATA + 3);
        assert_int_equal(f->cpu->gpr[RCX], 0);
        assert_int_equal(to_eflags(f->cpu->status), CF | PF | AF | SF);
        run_until(f, CODE + 4);
        assert_int_equal(f->cpu->gpr[RSI], DATA + 3);
        assert_int_equal(to_eflags(f->cpu->status), CF | PF | AF | SF);

        /* lods */
        begin(f, key, "\x66\xad", 2);
        f->cpu->gpr[RAX] = 0x55550000;
        f->cpu->gpr[RSI] = DATA;
        f->ram[DATA] = 0x12;
        vcpu_step(f->v, 1);
        assert_int_equal(f->cpu->gpr[RAX], 0x55550012);
        assert_int_equal(f->cpu->gpr[RSI], DATA + 2);
        fixture_destroy(f);
    }
}

/* What a repeated STOS, SCAS or CMPS has to leave, by the definition: one element after another. */
struct repeated {
    const char *bytes; /* the instruction */
    unsigned length, size, count;
    bool down, writes, compares, until_equal;
};

/* Runs it over a page boundary, with the element `at` (counted as the instruction goes) the one
 * that stops a comparison. */
static void run_repeated(struct fixture *f, uint32_t key, const struct repeated *r, unsigned at)
{
    const uint64_t value = 0x8877665544332211;
    unsigned bytes = r->count * r->size, done = r->writes ? r->count : MIN(at + 1, r->count);
    unsigned low = 0x21003 - bytes / 2, other = 0x31007 - bytes / 2;
    unsigned first = r->down ? bytes - r->size : 0;
    unsigned found = r->down ? bytes - r->size * (at + 1) : r->size * at;

    begin(f, key, r->bytes, r->length);
    memset(f->ram + 0x20000, 0x5c, 0x2000);
    memset(f->ram + 0x30000, 0x5c, 0x2000);
    for (unsigned i = 0; !r->until_equal && !r->writes && i < bytes; i++)
        f->ram[low + i] = f->ram[other + i] =
            r->compares ? (uint8_t)(i * 11) : (uint8_t)(value >> 8 * (i % r->size));
    if (at < r->count && r->until_equal)
        memcpy(f->ram + low + found, &value, r->size);
    else if (at < r->count && !r->writes)
        f->ram[low + found + r->size - 1] ^= 0x40;
    f->cpu->df = r->down;
    f->cpu->gpr[RAX] = value;
    f->cpu->gpr[RCX] = r->count;
    f->cpu->gpr[RSI] = other + first;
    f->cpu->gpr[RDI] = low + first;
    run_until(f, CODE + r->length);
    assert_int_equal(f->v->run.pc, CODE + r->length);
    assert_int_equal(f->cpu->gpr[RCX], r->count - done);
    assert_int_equal(f->cpu->gpr[RDI], low + first + (r->down ? -done : done) * r->size);
    if (!r->writes) {
        bool equal = r->until_equal == (at < r->count);

        assert_int_equal(!!(to_eflags(f->cpu->status) & ZF), equal);
        return;
    }
    for (unsigned i = 0; i < bytes; i++)
        assert_int_equal(f->ram[low + i], (uint8_t)(value >> 8 * (i % r->size)));
    assert_int_equal(f->ram[low - 1], 0x5c);
    assert_int_equal(f->ram[low + bytes], 0x5c);
}

static void repeated_strings(void **state)
{
    static const struct repeated all[] = {
        {"\xf3\xaa", 2, 1, 0, .writes = true},
        {"\x66\xf3\xab", 3, 2, 0, .writes = true},
        {"\xf3\xab", 2, 4, 0, .writes = true},
        {"\xf3\x48\xab", 3, 8, 0, .writes = true},
        {"\xf2\xae", 2, 1, 0, .until_equal = true},
        {"\x66\xf2\xaf", 3, 2, 0, .until_equal = true},
        {"\xf2\xaf", 2, 4, 0, .until_equal = true},
        {"\xf2\x48\xaf", 3, 8, 0, .until_equal = true},
        {"\xf3\xae", 2, 1, 0},
        {"\x66\xf3\xaf", 3, 2, 0},
        {"\xf3\xaf", 2, 4, 0},
        {"\xf3\x48\xaf", 3, 8, 0},
        {"\xf3\xa6", 2, 1, 0, .compares = true},
        {"\x66\xf3\xa7", 3, 2, 0, .compares = true},
        {"\xf3\xa7", 2, 4, 0, .compares = true},
        {"\xf3\x48\xa7", 3, 8, 0, .compares = true},
    };
    static const unsigned counts[] = {1, 2, 7, 15, 16, 17, 40, 301};

    for (unsigned k = 0; k < ARRAY_SIZE(all) * ARRAY_SIZE(counts) * 4; k++) {
        struct repeated r = all[k / 4 / ARRAY_SIZE(counts)];
        bool wide = k & 1;
        struct fixture *f;

        if (r.size == 8 && !wide)
            continue;
        f = fixture_create(wide);
        r.count = counts[k / 4 % ARRAY_SIZE(counts)];
        r.down = k & 2;
        for (unsigned at = 0; at <= r.count; at += 1 + r.count / 8)
            run_repeated(f, wide ? LONG64 : PROTECTED32, &r, at);
        run_repeated(f, wide ? LONG64 : PROTECTED32, &r, r.count);
        fixture_destroy(f);
    }
}

static uint64_t port_read(void *opaque, uint64_t offset, unsigned size)
{
    return 0x11 * (offset + 1);
}

static void port_write(void *opaque, uint64_t offset, uint64_t value, unsigned size)
{
    *(uint64_t *)opaque = value << 8 | offset;
}

static void ports(void **state)
{
    static const struct region_ops ops = {port_read, port_write, 1, 1};
    struct fixture *f = fixture_create(false);
    uint64_t written = 0;
    struct error err;

    assert_true(memory_add_device(f->ports, "device", 0x61, 3, &ops, &written, &err));
    begin(f, PROTECTED32, "\xe4\x61\xe5\x60\xe6\x62\xed", 7);
    f->cpu->gpr[RAX] = 0xff00;
    vcpu_step(f->v, 1);
    assert_int_equal(f->cpu->gpr[RAX], 0xff11);
    vcpu_step(f->v, 1); /* one byte of nothing, then the device's three */
    assert_int_equal(f->cpu->gpr[RAX], 0x332211ff);
    vcpu_step(f->v, 1);
    assert_int_equal(written, 0xff01);
    f->cpu->gpr[RDX] = 0x1234;
    vcpu_step(f->v, 1);
    assert_int_equal(f->cpu->gpr[RAX], 0xffffffff);

    begin(f, PROTECTED32, "\xf3\x6c", 2);
    f->cpu->gpr[RDX] = 0x62;
    f->cpu->gpr[RCX] = 5;
    f->cpu->gpr[RDI] = DATA + 0xffe;
    run_until(f, CODE + 2);
    assert_memory_equal(f->ram + DATA + 0xffe, "\x22\x22\x22\x22\x22\0", 6);
    assert_int_equal(f->cpu->gpr[RDI], DATA + 0x1003);
    fixture_destroy(f);
}

/* ---- segments, modes ------------------------------------------------------------------------- */

static void real_mode(void **state)
{
    for (int wide = 0; wide < 2; wide++) {
        struct fixture *f = fixture_create(wide);
        uint64_t code_base;

        /* mov [bx + 2], ax: DS has base 3000 here, SS 2000, CS 1000 */
        begin(f, REAL16, "\x89\x47\x02\x50\xe8\xfa\xef\x2e\xa1\x00\x00", 11);
        code_base = f->cpu->segment[SEG_CS].base;
        f->cpu->gpr[RAX] = 0x1234;
        f->cpu->gpr[RBX] = 0x10fffe;
        vcpu_step(f->v, 1);
        assert_int_equal(f->ram[0x3000] | f->ram[0x3001] << 8, 0x1234);
        f->cpu->gpr[RSP] = 0x770000;
        vcpu_step(f->v, 1); /* push ax */
        assert_int_equal(f->cpu->gpr[RSP], 0x77fffe);
        assert_int_equal(f->ram[0x2000 + 0xfffe], 0x34);
        vcpu_step(f->v, 1); /* call: IP wraps to 1 + ... = 1007 - 1006 */
        assert_int_equal(f->v->run.pc, code_base + 1);
        assert_int_equal(f->cpu->gpr[RSP], 0x77fffc);
        assert_int_equal(f->ram[0x2000 + 0xfffc] | f->ram[0x2000 + 0xfffd] << 8, CODE + 7);

        /* mov ax, [bx] over the limit; with SS it is a #SS */
        begin(f, REAL16, "\x8b\x07", 2);
        f->cpu->gpr[RBX] = 0xffff;
        vcpu_step(f->v, 1);
        assert_int_equal(noted.kind, EXC_GP);
        begin(f, REAL16, "\x8b\x46\x00", 3);
        f->cpu->gpr[RBP] = 0xffff;
        vcpu_step(f->v, 1);
        assert_int_equal(noted.kind, EXC_SS);
        fixture_destroy(f);
    }
}

static void protection(void **state)
{
    const uint32_t key = (PROTECTED32 & ~(KEY_DATA_FLAT | KEY_FS_OPEN | KEY_GS_OPEN | KEY_CS_FLAT));
    struct fixture *f = fixture_create(false);
    struct x86_segment *ds = &f->cpu->segment[SEG_DS];

    /* a segment with a base and a limit */
    begin(f, key, "\x89\x03", 2);
    *ds = (struct x86_segment){
        .attributes = ATTR_P | ATTR_S | ATTR_WRITABLE, .limit = 0xff, .base = DATA};
    f->cpu->gpr[RBX] = 0xfc;
    f->cpu->gpr[RAX] = 0x99;
    vcpu_step(f->v, 1);
    assert_int_equal(noted.kind, -1);
    assert_int_equal(f->ram[DATA + 0xfc], 0x99);
    f->v->run.pc = CODE;
    f->cpu->gpr[RBX] = 0xfd;
    vcpu_step(f->v, 1);
    assert_int_equal(noted.kind, EXC_GP);
    assert_int_equal(noted.error_code, 0);
    /* expand-down: above the limit only */
    noted.kind = -1;
    ds->attributes |= ATTR_EXPAND_DOWN;
    vcpu_step(f->v, 1);
    assert_int_equal(noted.kind, EXC_GP);
    noted.kind = -1;
    f->cpu->gpr[RBX] = 0x100;
    vcpu_step(f->v, 1);
    assert_int_equal(noted.kind, -1);
    /* read-only */
    f->v->run.pc = CODE;
    ds->attributes = ATTR_P | ATTR_S;
    vcpu_step(f->v, 1);
    assert_int_equal(noted.kind, EXC_GP);
    /* code cannot be written, and read only if it is readable */
    begin(f, key, "\x2e\x89\x03\x2e\x8b\x03", 6);
    f->cpu->gpr[RBX] = DATA;
    vcpu_step(f->v, 1);
    assert_int_equal(noted.kind, EXC_GP);
    noted.kind = -1;
    f->v->run.pc = CODE + 3;
    vcpu_step(f->v, 1);
    assert_int_equal(noted.kind, -1);
    f->v->run.pc = CODE + 3;
    f->cpu->segment[SEG_CS].attributes &= (uint16_t)~ATTR_READABLE;
    vcpu_step(f->v, 1);
    assert_int_equal(noted.kind, EXC_GP);
    /* the code's own limit, after a jump and when running over it */
    begin(f, key, "\xeb\x10\x90\x90", 4);
    f->cpu->segment[SEG_CS].limit = CODE + 2;
    vcpu_step(f->v, 1);
    assert_int_equal(noted.kind, EXC_GP);
    assert_int_equal(noted.pc, CODE);
    noted.kind = -1;
    f->v->run.pc = CODE + 2;
    vcpu_step(f->v, 1);
    assert_int_equal(noted.kind, -1);
    vcpu_step(f->v, 1);
    assert_int_equal(noted.kind, EXC_GP);
    assert_int_equal(noted.pc, CODE + 3);
    fixture_destroy(f);
}

static void fs_and_gs(void **state)
{
    struct fixture *f = fixture_create(true);

    begin(f, LONG64, "\x65\x48\x8b\x03", 4);
    f->cpu->segment[SEG_GS].base = 0xffffffff00000000 + DATA;
    f->cpu->gpr[RBX] = 0x100000000;
    *memory_at(f, M0) = 0x123456789;
    vcpu_step(f->v, 1);
    assert_int_equal(noted.kind, -1);
    assert_int_equal(f->cpu->gpr[RAX], 0x123456789);
    begin(f, COMPATIBLE32, "\x64\x8b\x03", 3);
    f->cpu->segment[SEG_FS].base = DATA;
    f->cpu->gpr[RBX] = 0xfffffff8;
    *(uint32_t *)(void *)(f->ram + DATA - 8) = 0x55;
    vcpu_step(f->v, 1);
    assert_int_equal(noted.kind, -1);
    assert_int_equal(f->cpu->gpr[RAX], 0x55);
    fixture_destroy(f);
}

static void put_code(struct fixture *f, uint32_t at, const void *code, size_t length)
{
    memcpy(f->ram + at, code, length);
    memory_changed(f->memory, at, length);
    f->v->run.pc = at;
}

static void fetching(void **state)
{
    static const uint8_t mov[5] = {0xb8, 0x78, 0x56, 0x34, 0x12};
    uint8_t prefixes[16];

    for (int wide = 0; wide < 2; wide++) {
        struct fixture *f = fixture_create(wide);
        uint32_t key = wide ? LONG64 : PROTECTED32;

        /* from one page into the next */
        begin(f, key, "", 0);
        put_code(f, 0x4ffd, mov, sizeof(mov));
        vcpu_step(f->v, 1);
        assert_int_equal(f->cpu->gpr[RAX], 0x12345678);
        assert_int_equal(f->v->run.pc, 0x5002);

        /* into a page that is not there: the fault is at its first byte */
        begin(f, key, "", 0);
        put_code(f, UNMAPPED - 3, mov, sizeof(mov));
        vcpu_step(f->v, 1);
        assert_int_equal(noted.kind, EXC_PF);
        assert_int_equal(noted.address, UNMAPPED);
        assert_int_equal(noted.pc, UNMAPPED - 3);

        /* up to it, there is nothing wrong */
        begin(f, key, "", 0);
        put_code(f, UNMAPPED - 5, mov, sizeof(mov));
        vcpu_step(f->v, 1);
        assert_int_equal(noted.kind, -1);
        assert_int_equal(f->v->run.pc, UNMAPPED);

        /* more than 15 bytes */
        memset(prefixes, 0x66, sizeof(prefixes));
        begin(f, key, prefixes, sizeof(prefixes));
        vcpu_step(f->v, 1);
        assert_int_equal(noted.kind, EXC_GP);
        assert_int_equal(noted.error_code, 0);
        fixture_destroy(f);
    }
}

static void single_stepping(void **state)
{
    struct fixture *f = fixture_create(false);

    begin(f, PROTECTED32 | KEY_TRACE, "\x40\xeb\x02\x40\x40\x40", 6);
    vcpu_step(f->v, 1);
    assert_int_equal(f->cpu->pending_debug, 1 << 14);
    assert_int_equal(f->v->run.pc, CODE + 1);
    f->cpu->pending_debug = 0;
    vcpu_step(f->v, 1);
    assert_int_equal(f->cpu->pending_debug, 1 << 14);
    assert_int_equal(f->v->run.pc, CODE + 5);
    fixture_destroy(f);
}

static const struct CMUnitTest tests[] = {
    cmocka_unit_test(arithmetic),
    cmocka_unit_test(locked),
    cmocka_unit_test(products),
    cmocka_unit_test(shifts),
    cmocka_unit_test(moves),
    cmocka_unit_test(stack),
    cmocka_unit_test(string_instructions),
    cmocka_unit_test(repeated_strings),
    cmocka_unit_test(ports),
    cmocka_unit_test(real_mode),
    cmocka_unit_test(protection),
    cmocka_unit_test(fs_and_gs),
    cmocka_unit_test(fetching),
    cmocka_unit_test(single_stepping),
};

int main(void)
{
    return cmocka_run_group_tests(tests, NULL, NULL);
}
