/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x87 state in C: single instructions executed on the host's processor, for backends that have
 * no such registers and for guests that unmask an exception; the environment in memory. "SDM" is
 * volume 1, chapter 8.
 */
#include "frontend/x86/x87.h"

#include <inttypes.h>

#include "util/log.h"

/* ---- the host's own instructions ------------------------------------------------------------- */

#ifdef __x86_64__

/*
 * One stub of 8 bytes per instruction: register forms by opcode and ModRM; memory forms, whose
 * operand is at (%rdi), by opcode and ModRM.reg; MMX with mm0, mm1 and eax by opcode; and movq
 * between each mm register and (%rdi). What is undefined among them is never called.
 */
__asm__(".pushsection .text\n"
        ".macro x87_stub first, second, third=0xc3\n"
        "    .byte \\first, \\second, \\third, 0xc3, 0, 0, 0, 0\n"
        ".endm\n"
        ".balign 8\n"
        "x87_register_stubs:\n"
        ".set op, 0xd8\n"
        ".rept 8\n"
        "    .set modrm, 0xc0\n"
        "    .rept 64\n"
        "        x87_stub op, modrm\n"
        "        .set modrm, modrm + 1\n"
        "    .endr\n"
        "    .set op, op + 1\n"
        ".endr\n"
        "x87_memory_stubs:\n"
        ".set op, 0xd8\n"
        ".rept 8\n"
        "    .set modrm, 0x07\n"
        "    .rept 8\n"
        "        x87_stub op, modrm\n"
        "        .set modrm, modrm + 8\n"
        "    .endr\n"
        "    .set op, op + 1\n"
        ".endr\n"
        "mmx_stubs:\n"
        ".set op, 0\n"
        ".rept 256\n"
        "    x87_stub 0x0f, op, 0xc1\n"
        "    .set op, op + 1\n"
        ".endr\n"
        "mmx_0f38_stubs:\n"
        ".set op, 0\n"
        ".rept 32\n"
        "    .byte 0x0f, 0x38, op, 0xc1, 0xc3, 0, 0, 0\n"
        "    .set op, op + 1\n"
        ".endr\n"
        "mmx_write_stubs:\n"
        ".set modrm, 0x07\n"
        ".rept 8\n"
        "    x87_stub 0x0f, 0x6f, modrm\n"
        "    .set modrm, modrm + 8\n"
        ".endr\n"
        /* rdi: operand, esi: value that ZF tells of, rdx: stub, rcx: XSAVE area.
         * rax: what the stub left there, rdx: EFLAGS. */
        "x87_run_stub:\n"
        "    push %rbx\n"
        "    mov %rcx, %rbx\n"
        "    mov %rdx, %r8\n"
        "    mov $1, %eax\n"
        "    xor %edx, %edx\n"
        "    xrstor64 (%rbx)\n"
        "    xor %eax, %eax\n"
        "    test %esi, %esi\n"
        "    call *%r8\n"
        "    pushf\n"
        "    pop %r9\n"
        "    mov %rax, %r8\n"
        "    mov $1, %eax\n"
        "    xor %edx, %edx\n"
        "    xsave64 (%rbx)\n"
        "    fninit\n"
        "    mov %r8, %rax\n"
        "    mov %r9, %rdx\n"
        "    pop %rbx\n"
        "    ret\n"
        /* rdi: destination and result, rsi: source, rdx: stub. rax: what the stub left there. */
        "mmx_run_stub:\n"
        "    movq (%rdi), %mm0\n"
        "    movq (%rsi), %mm1\n"
        "    xor %eax, %eax\n"
        "    sub $8, %rsp\n"
        "    call *%rdx\n"
        "    add $8, %rsp\n"
        "    movq %mm0, (%rdi)\n"
        "    emms\n"
        "    ret\n"
        ".popsection\n");

enum { STUB_BYTES = 8 };
struct outcome {
    uint64_t rax, eflags;
};
extern const uint8_t x87_register_stubs[] __asm__("x87_register_stubs");
extern const uint8_t x87_memory_stubs[] __asm__("x87_memory_stubs");
extern const uint8_t mmx_stubs[] __asm__("mmx_stubs");
extern const uint8_t mmx_0f38_stubs[] __asm__("mmx_0f38_stubs");
extern const uint8_t mmx_write_stubs[] __asm__("mmx_write_stubs");
extern struct outcome x87_run_stub(void *memory, uint32_t value, const void *stub,
                                   void *area) __asm__("x87_run_stub");
extern uint64_t mmx_run_stub(void *destination, const void *source,
                             const void *stub) __asm__("mmx_run_stub");

#endif

/* ---- run.x87 --------------------------------------------------------------------------------- */

static uint8_t *area(struct x86_cpu *cpu)
{
    return cpu->v.run.x87;
}

static uint16_t get_status(struct x86_cpu *cpu)
{
    return load_le16(area(cpu) + X87_AT_STATUS);
}

static unsigned top_of(uint16_t status)
{
    return extract32(status, 11, 3);
}

unsigned x87_pending(struct x86_cpu *cpu)
{
    run_x87_sync(&cpu->v.run, false);
    return get_status(cpu) & ~cpu->fpu_control & X87_MASKS;
}

uint16_t x87_status(struct x86_cpu *cpu)
{
    bool error = x87_pending(cpu);

    return (uint16_t)((get_status(cpu) & ~X87_ERROR) | (error ? X87_ERROR : 0));
}

/* Registers lie there from the top of the stack on: another top moves them. */
static void set_status(struct x86_cpu *cpu, uint16_t status)
{
    unsigned by = (top_of(status) - top_of(get_status(cpu))) & 7;
    uint8_t registers[8][16], *to = area(cpu) + X87_AT_REGISTERS;

    memcpy(registers, to, sizeof(registers));
    for (unsigned i = 0; i < 8; i++)
        memcpy(to + 16 * i, registers[(i + by) & 7], 16);
    store_le16(area(cpu) + X87_AT_STATUS, status);
}

void x87_set_control(struct x86_cpu *cpu, uint16_t value)
{
    run_x87_sync(&cpu->v.run, true);
    cpu->fpu_control = (value & X87_CONTROL) | X87_CONTROL_ONE;
    store_le16(area(cpu) + X87_AT_CONTROL, (uint16_t)(cpu->fpu_control | X87_MASKS));
}

void x87_init(struct x86_cpu *cpu)
{
    x87_set_control(cpu, X87_INITIAL_CONTROL);
    set_status(cpu, 0);
    area(cpu)[X87_AT_TAGS] = 0;
    cpu->fpu_opcode = cpu->fpu_cs = cpu->fpu_ds = 0;
    cpu->fpu_ip = cpu->fpu_dp = 0;
}

/* ---- executing one instruction --------------------------------------------------------------- */

static bool gives_flags(unsigned opcode, unsigned modrm)
{
    return (opcode == 0xdb || opcode == 0xdf) && modrm >= 0xe8 && modrm < 0xf8;
}

static uint64_t run_x87(struct x86_cpu *cpu, unsigned opcode, unsigned modrm, void *memory,
                        uint64_t value)
{
    enum { STATUS_FLAGS = EFLAGS_ZF | EFLAGS_PF | EFLAGS_CF };
    unsigned index = (opcode & 7) * 64 + (modrm & 63);
    const uint8_t *stub = x87_register_stubs + index * STUB_BYTES;
    struct outcome outcome;

    if (modrm < 0xc0) {
        index = (opcode & 7) * 8 + extract32(modrm, 3, 3);
        stub = x87_memory_stubs + index * STUB_BYTES;
        memory = memory ? memory : &value;
    }
    outcome = x87_run_stub(memory, (uint32_t)value, stub, area(cpu));
    return gives_flags(opcode, modrm) ? (outcome.eflags & STATUS_FLAGS) << 8 : outcome.rax;
}

static uint64_t mmx_get(struct x86_cpu *cpu, unsigned reg)
{
    unsigned at = (reg - top_of(get_status(cpu))) & 7;

    return load_le64(area(cpu) + X87_AT_REGISTERS + 16 * at);
}

static void mmx_set(struct x86_cpu *cpu, unsigned reg, uint64_t value)
{
    x87_run_stub(&value, 0, mmx_write_stubs + reg * STUB_BYTES, area(cpu));
}

enum mmx_opcode {
    MMX_PSHUFW = 0x0f70,
    MMX_SHIFT_W, /* by immediates */
    MMX_SHIFT_D,
    MMX_SHIFT_Q,
    MMX_EMMS = 0x0f77,
    MMX_MOVD_TO = 0x0f6e,
    MMX_MOVD_FROM = 0x0f7e,
    MMX_STORE = 0x0f7f,
    MMX_PINSRW = 0x0fc4,
    MMX_PEXTRW,
    MMX_PMOVMSKB = 0x0fd7,
    MMX_STORE_AROUND = 0x0fe7, /* MOVNTQ */
    MMX_PALIGNR = 0x0f3a0f,
};

static uint64_t shuffle_words(uint64_t source, unsigned order)
{
    uint64_t result = 0;

    for (unsigned i = 0; i < 4; i++)
        result |= (source >> 16 * (order >> 2 * i & 3) & 0xffff) << 16 * i;
    return result;
}

static uint64_t align_right(uint64_t high, uint64_t low, unsigned bytes)
{
    unsigned bits = 8 * bytes;

    if (bits >= 128)
        return 0;
    if (bits >= 64)
        return high >> (bits - 64);
    return bits ? low >> bits | high << (64 - bits) : low;
}

/* Shifts by an immediate are those by a register: 0F 71 /2 is 0F D1, and so on. */
static unsigned shift_by_register(unsigned opcode, unsigned reg)
{
    return (reg == 2 ? 0x0fd0 : reg == 4 ? 0x0fe0 : 0x0ff0) + (opcode & 3);
}

static const uint8_t *mmx_stub(unsigned opcode)
{
    if (opcode >> 8 == 0x0f38)
        return mmx_0f38_stubs + (opcode & 31) * STUB_BYTES;
    return mmx_stubs + (opcode & 0xff) * STUB_BYTES;
}

static uint64_t mmx_compute(unsigned opcode, unsigned immediate, uint64_t destination,
                            uint64_t source)
{
    unsigned lane = 16 * (immediate & 3);

    switch (opcode) {
    case MMX_PSHUFW:
        return shuffle_words(source, immediate);
    case MMX_PALIGNR:
        return align_right(destination, source, immediate);
    case MMX_PINSRW:
        return (destination & ~(UINT64_C(0xffff) << lane)) | (source & 0xffff) << lane;
    case MMX_MOVD_TO:
        return source;
    default:
        mmx_run_stub(&destination, &source, mmx_stub(opcode));
        return destination;
    }
}

/* What all of them do to the stack: its top is register 0, and none is empty. */
static void mmx_enter(struct x86_cpu *cpu)
{
    x87_run_stub(NULL, 0, mmx_stub(MMX_MOVD_FROM), area(cpu));
}

/* Instructions that only read mm registers: their result, or where it goes. */
static uint64_t mmx_read(struct x86_cpu *cpu, unsigned opcode, unsigned modrm, void *memory)
{
    unsigned reg = extract32(modrm, 3, 3), rm = modrm & 7;
    uint64_t value = mmx_get(cpu, opcode == MMX_PEXTRW || opcode == MMX_PMOVMSKB ? rm : reg);
    uint64_t destination = 0;

    mmx_enter(cpu);
    if (opcode == MMX_PEXTRW)
        return value >> 16 * (modrm >> 8 & 3) & 0xffff;
    if (opcode == MMX_PMOVMSKB)
        return mmx_run_stub(&destination, &value, mmx_stub(opcode));
    if (memory)
        memcpy(memory, &value, opcode == MMX_MOVD_FROM ? 4 : 8);
    return value;
}

static unsigned source_bytes(unsigned opcode)
{
    bool low_half = opcode >= 0x0f60 && opcode <= 0x0f62; /* PUNPCKL */

    return opcode == MMX_PINSRW ? 2 : opcode == MMX_MOVD_TO || low_half ? 4 : 8;
}

static uint64_t run_mmx(struct x86_cpu *cpu, unsigned opcode, unsigned modrm, void *memory,
                        uint64_t value)
{
    unsigned reg = extract32(modrm, 3, 3), rm = modrm & 7, immediate = modrm >> 8;
    bool to_register = extract32(modrm, 6, 2) == 3;

    switch (opcode) {
    case MMX_EMMS:
        mmx_enter(cpu);
        area(cpu)[X87_AT_TAGS] = 0;
        return 0;
    case MMX_STORE:
        if (!to_register)
            return mmx_read(cpu, opcode, modrm, memory);
        mmx_set(cpu, rm, mmx_get(cpu, reg));
        return 0;
    case MMX_MOVD_FROM:
    case MMX_PEXTRW:
    case MMX_PMOVMSKB:
    case MMX_STORE_AROUND:
        return mmx_read(cpu, opcode, modrm, memory);
    case MMX_SHIFT_W:
    case MMX_SHIFT_D:
    case MMX_SHIFT_Q:
        mmx_set(cpu, rm,
                mmx_compute(shift_by_register(opcode, reg), 0, mmx_get(cpu, rm), immediate));
        return 0;
    default:
        break;
    }
    if (memory)
        memcpy(&value, memory, source_bytes(opcode));
    else if (opcode != MMX_PINSRW && opcode != MMX_MOVD_TO)
        value = mmx_get(cpu, rm);
    mmx_set(cpu, reg, mmx_compute(opcode, immediate, mmx_get(cpu, reg), value));
    return 0;
}

uint64_t x87_execute_masked(void *opaque, unsigned opcode, unsigned modrm, void *memory,
                            uint64_t value)
{
    struct x86_cpu *cpu = x86_cpu(opaque);

    run_x87_sync(&cpu->v.run, true);
    if (opcode > 0xff)
        return run_mmx(cpu, opcode, modrm, memory, value);
    return run_x87(cpu, opcode, modrm, memory, value);
}

uint64_t x87_execute(struct x86_cpu *cpu, unsigned opcode, unsigned modrm, void *memory,
                     uint64_t value)
{
    uint64_t result;

    run_x87_sync(&cpu->v.run, true);
    store_le16(area(cpu) + X87_AT_CONTROL, (uint16_t)cpu->fpu_control);
    result = run_x87(cpu, opcode, modrm, memory, value);
    store_le16(area(cpu) + X87_AT_CONTROL, (uint16_t)(cpu->fpu_control | X87_MASKS));
    return result;
}

/* ---- the environment in memory --------------------------------------------------------------- */

enum { ENVIRONMENT16 = 14, ENVIRONMENT32 = 28, REGISTER_BYTES = 10 };
enum tag { TAG_VALID, TAG_ZERO, TAG_SPECIAL, TAG_EMPTY };

/* SDM 8.1.7 */
static enum tag tag_of(const uint8_t *reg)
{
    unsigned exponent = load_le16(reg + 8) & 0x7fff;
    uint64_t significand = load_le64(reg);

    if (!exponent && !significand)
        return TAG_ZERO;
    return !exponent || exponent == 0x7fff || !(significand >> 63) ? TAG_SPECIAL : TAG_VALID;
}

static uint16_t full_tags(struct x86_cpu *cpu)
{
    unsigned top = top_of(get_status(cpu)), tags = 0;

    for (unsigned i = 0; i < 8; i++) {
        const uint8_t *reg = area(cpu) + X87_AT_REGISTERS + 16 * ((i - top) & 7);
        enum tag tag = area(cpu)[X87_AT_TAGS] >> i & 1 ? tag_of(reg) : TAG_EMPTY;
        tags |= (unsigned)tag << 2 * i;
    }
    return (uint16_t)tags;
}

/* SDM figures 8-9 to 8-12, as 16-bit words. High halves that are reserved are ones. */
static void put_environment(struct x86_cpu *cpu, uint8_t *out, bool wide, bool real)
{
    uint32_t ip = (uint32_t)cpu->fpu_ip, dp = (uint32_t)cpu->fpu_dp;
    uint32_t ip_high = cpu->fpu_cs, dp_high = cpu->fpu_ds, above = cpu->fpu_opcode & 0x7ff;

    if (real) {
        ip += cpu->fpu_cs << 4;
        dp += cpu->fpu_ds << 4;
        ip_high = ip >> 16 << 12 | (cpu->fpu_opcode & 0x7ff);
        dp_high = dp >> 16 << 12;
    }
    const uint32_t words[7] = {cpu->fpu_control, x87_status(cpu), full_tags(cpu), ip, ip_high, dp,
                               dp_high};
    for (unsigned i = 0; i < 7; i++) {
        uint32_t word = words[i] | 0xffff0000;
        if (i == 4 && !real)
            word = (words[i] & 0xffff) | above << 16;
        else if (i == 4 || (real && i == 6) || (!real && (i == 3 || i == 5)))
            word = words[i];
        if (wide)
            store_le32(out + 4 * i, word);
        else
            store_le16(out + 2 * i, (uint16_t)word);
    }
}

void x87_store_environment(struct x86_cpu *cpu, uint8_t *out, unsigned size, bool real)
{
    bool wide = size == ENVIRONMENT32 || size > 94;
    unsigned length = wide ? ENVIRONMENT32 : ENVIRONMENT16;

    run_x87_sync(&cpu->v.run, size != length);
    put_environment(cpu, out, wide, real);
    if (size == length) {
        cpu->fpu_control |= X87_MASKS;
        return;
    }
    for (unsigned i = 0; i < 8; i++)
        memcpy(out + length + i * REGISTER_BYTES, area(cpu) + X87_AT_REGISTERS + 16 * i,
               REGISTER_BYTES);
    x87_init(cpu);
}

static void get_environment(struct x86_cpu *cpu, const uint8_t *in, bool wide, bool real)
{
    uint32_t words[7];

    for (unsigned i = 0; i < 7; i++)
        words[i] = wide ? load_le32(in + 4 * i) : load_le16(in + 2 * i);
    cpu->fpu_control = (words[0] & X87_CONTROL) | X87_CONTROL_ONE;
    store_le16(area(cpu) + X87_AT_CONTROL, (uint16_t)(cpu->fpu_control | X87_MASKS));
    set_status(cpu, (uint16_t)words[1]);
    area(cpu)[X87_AT_TAGS] = 0;
    for (unsigned i = 0; i < 8; i++)
        area(cpu)[X87_AT_TAGS] |= (uint8_t)(((words[2] >> 2 * i & 3) != TAG_EMPTY) << i);
    if (real) {
        cpu->fpu_ip = (words[3] & 0xffff) | (words[4] >> 12) << 16;
        cpu->fpu_dp = (words[5] & 0xffff) | (words[6] >> 12) << 16;
        cpu->fpu_cs = cpu->fpu_ds = 0;
        cpu->fpu_opcode = words[4] & 0x7ff;
        return;
    }
    cpu->fpu_ip = words[3];
    cpu->fpu_dp = words[5];
    cpu->fpu_cs = words[4] & 0xffff;
    cpu->fpu_ds = words[6] & 0xffff;
    cpu->fpu_opcode = wide ? words[4] >> 16 & 0x7ff : 0;
}

void x87_load_environment(struct x86_cpu *cpu, const uint8_t *in, unsigned size, bool real)
{
    bool wide = size == ENVIRONMENT32 || size > 94;
    unsigned length = wide ? ENVIRONMENT32 : ENVIRONMENT16;

    run_x87_sync(&cpu->v.run, true);
    get_environment(cpu, in, wide, real);
    if (size == length)
        return;
    for (unsigned i = 0; i < 8; i++)
        memcpy(area(cpu) + X87_AT_REGISTERS + 16 * i, in + length + i * REGISTER_BYTES,
               REGISTER_BYTES);
}

/* ---- exceptions ------------------------------------------------------------------------------ */

/* SDM 8.7: natively if CR0.NE, else through a pin of the board (FERR#, IRQ 13). */
void x86_fpu_check(struct x86_cpu *cpu)
{
    if (LIKELY(!x87_pending(cpu)))
        return;
    if (cpu->cr0 & CR0_NE)
        x86_raise(cpu, EXC_MF, 0);
    log_unimp_once("x87: exception at 0x%" PRIx64 " with CR0.NE clear: IRQ 13 is not wired\n",
                   cpu->fpu_ip);
}
