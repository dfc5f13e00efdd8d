/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MXCSR and the saved state of the floating-point and vector units. While code runs the guest's
 * rounding mode, DAZ and FTZ are in the host's control word, which collects the flags; all its
 * exceptions are masked. cpu->mxcsr has the other bits as the guest wrote them, and the flags while
 * an instruction that might raise runs.
 */
#include "frontend/x86/fpu.h"
#include "frontend/x86/system.h"

#include <string.h>
#include <xmmintrin.h>

#include "frontend/x86/x87.h"
#include "softmmu/mmu.h"

enum {
    MXCSR_FLAGS = 0x3f,
    MXCSR_DAZ = 1 << 6,
    MXCSR_MASKS = 0x1f80,
    MXCSR_MASKS_SHIFT = 7,
    MXCSR_UNDERFLOW_MASK = 1 << 11,
    MXCSR_ROUNDING = 3 << 13,
    MXCSR_FTZ = 1 << 15,
    MXCSR_VALID = 0xffff,
    MXCSR_RESET = 0x1f80,
    BEFORE_COMPUTING = 7, /* invalid, denormal, divide by zero: SDM vol. 1, 11.5.2 */
};

/* ---- MXCSR ----------------------------------------------------------------------------------- */

/* Callable from any thread while the vCPU does not run; helpers add the live flags. */
uint32_t x86_mxcsr_read(struct x86_cpu *cpu)
{
    return cpu->mxcsr | (cpu->v.run.mxcsr & MXCSR_FLAGS);
}

static uint32_t host_control(uint32_t value)
{
    uint32_t host = (value & (MXCSR_FLAGS | MXCSR_DAZ | MXCSR_ROUNDING)) | MXCSR_MASKS;
    /* With underflow unmasked the guest's FTZ does nothing (SDM vol. 1, 10.2.3.3) and every tiny
     * result raises, exact ones, too: the host flags those only if it flushes them. */
    return host | (value & MXCSR_UNDERFLOW_MASK ? value & MXCSR_FTZ : MXCSR_FTZ);
}

void x86_mxcsr_write(struct x86_cpu *cpu, uint32_t value)
{
    cpu->mxcsr = value & (MXCSR_VALID & ~MXCSR_FLAGS);
    cpu->v.run.mxcsr = host_control(value);
    x86_update_mode(cpu);
}

static uint32_t mxcsr_read(struct x86_cpu *cpu)
{
    return x86_mxcsr_read(cpu) | (_mm_getcsr() & MXCSR_FLAGS);
}

static void load_mxcsr(struct x86_cpu *cpu, uint32_t value)
{
    x86_mxcsr_write(cpu, value);
    _mm_setcsr(cpu->v.run.mxcsr);
}

/* 1: done, and the mode stays: all exceptions are masked, as they were. Else mxcsr_write is to. */
static uint32_t mxcsr_write_masked(struct x86_cpu *cpu, uint32_t value)
{
    cpu->sys->wanted_mxcsr = value;
    if ((value & (~(uint32_t)MXCSR_VALID | MXCSR_MASKS)) != MXCSR_MASKS)
        return 0;
    cpu->mxcsr = value & ~(uint32_t)MXCSR_FLAGS;
    cpu->v.run.mxcsr = value;
    _mm_setcsr(value);
    return 1;
}

static void mxcsr_write(struct x86_cpu *cpu)
{
    uint32_t value = cpu->sys->wanted_mxcsr;

    if (value & ~(uint32_t)MXCSR_VALID)
        x86_raise_gp(cpu, 0);
    load_mxcsr(cpu, value);
}

const struct ir_helper helper_mxcsr_read =
    IR_HELPER(mxcsr_read, IR_I32, 0, 0, GROUP_FPU, GROUP_FPU);
const struct ir_helper helper_mxcsr_write_masked =
    IR_HELPER(mxcsr_write_masked, IR_I32, 1, 0, GROUP_FPU, GROUP_FPU);
const struct ir_helper helper_mxcsr_write =
    IR_HELPER(mxcsr_write, IR_VOID, 0, HELPER_MAY_FAULT, GROUP_ALL, GROUP_FPU | GROUP_PC);

/* ---- unmasked exceptions (SDM vol. 1, 11.5) ---------------------------------------------------
 */

/* What was flagged before is no reason to raise anything: set aside, so that what comes is new. */
static void sse_begin(struct x86_cpu *cpu)
{
    uint32_t host = _mm_getcsr();

    cpu->mxcsr |= host & MXCSR_FLAGS;
    _mm_setcsr(host & ~(uint32_t)MXCSR_FLAGS);
}

static void sse_check(struct x86_cpu *cpu)
{
    uint32_t host = _mm_getcsr(), flags = host & MXCSR_FLAGS;
    uint32_t unmasked = ~cpu->mxcsr >> MXCSR_MASKS_SHIFT & MXCSR_FLAGS;

    /* An operand that raises keeps every element from being computed. */
    if (flags & unmasked & BEFORE_COMPUTING)
        flags &= BEFORE_COMPUTING;
    _mm_setcsr((host & ~(uint32_t)MXCSR_FLAGS) | flags | (cpu->mxcsr & MXCSR_FLAGS));
    cpu->mxcsr &= ~(uint32_t)MXCSR_FLAGS;
    if (UNLIKELY(flags & unmasked))
        x86_raise(cpu, cpu->cr4 & CR4_OSXMMEXCPT ? EXC_XM : EXC_UD, 0);
}

const struct ir_helper helper_sse_begin = IR_HELPER(sse_begin, IR_VOID, 0, 0, GROUP_FPU, GROUP_FPU);
const struct ir_helper helper_sse_check =
    IR_HELPER(sse_check, IR_VOID, 0, HELPER_MAY_FAULT, GROUP_ALL, GROUP_FPU);

/* ---- saved state (SDM vol. 1, 10.5 and 13) ----------------------------------------------------*/

enum {
    AT_CONTROL = 0,
    AT_STATUS = 2,
    AT_TAGS = 4,
    AT_OPCODE = 6,
    AT_IP = 8,
    AT_CS = 12,
    AT_DP = 16,
    AT_DS = 20,
    AT_MXCSR = 24,
    AT_MXCSR_MASK = 28,
    AT_ST = 32,
    AT_XMM = 160,
    LEGACY_BYTES = 512,
    AT_XSTATE_BV = 512,
    HEADER_BYTES = 64,
    AT_YMM = 576,
    XSAVE_BYTES = 832,
    PAGE = 4096,
    COMPONENT_X87 = 1,
    COMPONENT_SSE = 2,
    COMPONENT_AVX = 4,
};

/* The memory image of an area: read and written page by page; in pieces of 8 bytes where memory is
 * no plain RAM. */
struct area {
    struct x86_cpu *cpu;
    uint64_t linear;
    bool wide; /* 64-bit pointers in the x87 part */
    uint8_t bytes[XSAVE_BYTES];
};

static uint64_t address_in(const struct area *a, unsigned offset)
{
    uint64_t linear = a->linear + offset;
    return a->cpu->v.run.key & KEY_CODE64 ? linear : (uint32_t)linear;
}

static unsigned left_in_page(uint64_t linear)
{
    return PAGE - (unsigned)(linear % PAGE);
}

static uint8_t *host_part(const struct area *a, uint64_t linear, unsigned length,
                          enum mmu_access access)
{
    return mmu_host_range(a->cpu->v.mmu, linear, length, access,
                          (a->cpu->v.run.key & KEY_CPL) == KEY_CPL);
}

/* What lies in one page, and returns how much that is. */
static unsigned load_in_page(struct area *a, unsigned offset, unsigned length)
{
    uint64_t linear = address_in(a, offset);
    unsigned here = MIN(length, left_in_page(linear));
    const uint8_t *host = host_part(a, linear, here, MMU_READ);

    if (LIKELY(host != NULL)) {
        memcpy(a->bytes + offset, host, here);
        return here;
    }
    for (unsigned i = 0; i < here; i += 8)
        store_le64(a->bytes + offset + i, mmu_load(a->cpu->v.mmu, linear + i, 3));
    return here;
}

static unsigned store_in_page(struct area *a, unsigned offset, unsigned length)
{
    uint64_t linear = address_in(a, offset);
    unsigned here = MIN(length, left_in_page(linear));
    uint8_t *host = host_part(a, linear, here, MMU_WRITE);

    if (LIKELY(host != NULL)) {
        memcpy(host, a->bytes + offset, here);
        return here;
    }
    for (unsigned i = 0; i < here; i += 8)
        mmu_store(a->cpu->v.mmu, linear + i, load_le64(a->bytes + offset + i), 3);
    return here;
}

static void load_part(struct area *a, unsigned offset, unsigned length)
{
    for (unsigned done = 0; done < length;)
        done += load_in_page(a, offset + done, length - done);
}

static void store_part(struct area *a, unsigned offset, unsigned length)
{
    for (unsigned done = 0; done < length;)
        done += store_in_page(a, offset + done, length - done);
}

/* All of it can be written: nothing is, otherwise. */
static void check_writable(struct area *a, unsigned length)
{
    mmu_probe(a->cpu->v.mmu, address_in(a, 0), 8, 3 | IR_MEM_WRITE);
    mmu_probe(a->cpu->v.mmu, address_in(a, length - 8), 8, 3 | IR_MEM_WRITE);
}

static unsigned n_registers(const struct x86_cpu *cpu)
{
    return cpu->v.run.key & KEY_CODE64 ? 16 : 8;
}

static void put_x87(struct area *a)
{
    struct x86_cpu *cpu = a->cpu;
    const uint8_t *x87 = cpu->v.run.x87;

    run_x87_sync(&cpu->v.run, false);
    memcpy(a->bytes, x87, AT_MXCSR);
    memcpy(a->bytes + AT_ST, x87 + AT_ST, AT_XMM - AT_ST);
    unsigned status = load_le16(x87 + AT_STATUS) & ~(unsigned)X87_ERROR;
    if (status & ~cpu->fpu_control & X87_MASKS)
        status |= X87_ERROR;
    store_le16(a->bytes + AT_CONTROL, (uint16_t)cpu->fpu_control);
    store_le16(a->bytes + AT_STATUS, (uint16_t)status);
    a->bytes[AT_TAGS + 1] = 0;
    store_le16(a->bytes + AT_OPCODE, (uint16_t)cpu->fpu_opcode);
    store_le64(a->bytes + AT_IP, cpu->fpu_ip);
    store_le64(a->bytes + AT_DP, cpu->fpu_dp);
    if (!a->wide) {
        store_le32(a->bytes + AT_CS, cpu->fpu_cs & 0xffff);
        store_le32(a->bytes + AT_DS, cpu->fpu_ds & 0xffff);
    }
}

static void take_x87(struct area *a)
{
    struct x86_cpu *cpu = a->cpu;
    uint8_t *x87 = cpu->v.run.x87;

    run_x87_sync(&cpu->v.run, true);
    memcpy(x87, a->bytes, AT_MXCSR);
    memcpy(x87 + AT_ST, a->bytes + AT_ST, AT_XMM - AT_ST);
    for (unsigned i = 0; i < 8; i++)
        memset(x87 + AT_ST + 16 * i + 10, 0, 6);
    cpu->fpu_control = (load_le16(a->bytes) & X87_CONTROL) | X87_CONTROL_ONE;
    store_le16(x87 + AT_CONTROL, (uint16_t)(cpu->fpu_control | X87_MASKS));
    store_le16(x87 + AT_STATUS, (uint16_t)(load_le16(a->bytes + AT_STATUS) & ~(unsigned)X87_ERROR));
    cpu->fpu_opcode = load_le16(a->bytes + AT_OPCODE) & 0x7ff;
    cpu->fpu_ip = a->wide ? load_le64(a->bytes + AT_IP) : load_le32(a->bytes + AT_IP);
    cpu->fpu_dp = a->wide ? load_le64(a->bytes + AT_DP) : load_le32(a->bytes + AT_DP);
    cpu->fpu_cs = a->wide ? 0 : load_le16(a->bytes + AT_CS);
    cpu->fpu_ds = a->wide ? 0 : load_le16(a->bytes + AT_DS);
}

/* As FNINIT leaves them, and the registers zero. */
static void init_x87(struct x86_cpu *cpu)
{
    uint8_t *x87 = cpu->v.run.x87;

    run_x87_sync(&cpu->v.run, true);
    memset(x87, 0, AT_XMM);
    cpu->fpu_control = 0x37f;
    store_le16(x87 + AT_CONTROL, 0x37f);
    store_le32(x87 + AT_MXCSR, MXCSR_RESET);
    cpu->fpu_opcode = cpu->fpu_cs = cpu->fpu_ds = 0;
    cpu->fpu_ip = cpu->fpu_dp = 0;
}

static void put_xmm(struct area *a)
{
    for (unsigned i = 0; i < n_registers(a->cpu); i++)
        memcpy(a->bytes + AT_XMM + 16 * i, a->cpu->ymm[i], 16);
}

static void take_vectors(struct area *a, unsigned half, const uint8_t *from)
{
    for (unsigned i = 0; i < n_registers(a->cpu); i++) {
        if (from)
            memcpy(&a->cpu->ymm[i][2 * half], from + 16 * i, 16);
        else
            memset(&a->cpu->ymm[i][2 * half], 0, 16);
    }
}

static void put_mxcsr(struct area *a)
{
    store_le32(a->bytes + AT_MXCSR, mxcsr_read(a->cpu));
    store_le32(a->bytes + AT_MXCSR_MASK, MXCSR_VALID);
}

static uint32_t checked_mxcsr(struct area *a)
{
    uint32_t value = load_le32(a->bytes + AT_MXCSR);
    if (value & ~(uint32_t)MXCSR_VALID)
        x86_raise_gp(a->cpu, 0);
    return value;
}

static void fxsave(struct area *a)
{
    bool vectors = a->cpu->cr4 & CR4_OSFXSR;

    check_writable(a, AT_XMM + (vectors ? 16 * n_registers(a->cpu) : 0));
    put_x87(a);
    put_mxcsr(a);
    put_xmm(a);
    store_part(a, 0, AT_XMM + (vectors ? 16 * n_registers(a->cpu) : 0));
}

static void fxrstor(struct area *a)
{
    bool vectors = a->cpu->cr4 & CR4_OSFXSR;

    load_part(a, 0, LEGACY_BYTES);
    uint32_t mxcsr = vectors ? checked_mxcsr(a) : 0;
    take_x87(a);
    if (vectors) {
        take_vectors(a, 0, a->bytes + AT_XMM);
        load_mxcsr(a->cpu, mxcsr);
    }
    x86_update_mode(a->cpu);
}

static bool upper_halves_used(const struct x86_cpu *cpu)
{
    for (unsigned i = 0; i < n_registers(cpu); i++)
        if (cpu->ymm[i][2] | cpu->ymm[i][3])
            return true;
    return false;
}

/* x87 and SSE state always count as in use. */
static void xsave(struct area *a, uint64_t wanted, bool optimise)
{
    struct x86_cpu *cpu = a->cpu;
    bool avx = wanted & COMPONENT_AVX, avx_used = upper_halves_used(cpu);

    check_writable(a, avx ? AT_YMM + 16 * n_registers(cpu) : LEGACY_BYTES + HEADER_BYTES);
    load_part(a, AT_XSTATE_BV, 8);
    if (wanted & COMPONENT_X87) {
        put_x87(a);
        store_part(a, 0, AT_MXCSR);
        store_part(a, AT_ST, AT_XMM - AT_ST);
    }
    if (wanted & (COMPONENT_SSE | COMPONENT_AVX)) {
        put_mxcsr(a);
        store_part(a, AT_MXCSR, 8);
    }
    if (wanted & COMPONENT_SSE) {
        put_xmm(a);
        store_part(a, AT_XMM, 16 * n_registers(cpu));
    }
    if (avx && (avx_used || !optimise)) {
        for (unsigned i = 0; i < n_registers(cpu); i++)
            memcpy(a->bytes + AT_YMM + 16 * i, &cpu->ymm[i][2], 16);
        store_part(a, AT_YMM, 16 * n_registers(cpu));
    }
    uint64_t used = load_le64(a->bytes + AT_XSTATE_BV) & ~wanted;
    used |= wanted & (COMPONENT_X87 | COMPONENT_SSE | (avx_used ? COMPONENT_AVX : 0));
    store_le64(a->bytes + AT_XSTATE_BV, used);
    store_part(a, AT_XSTATE_BV, 8);
}

/* SDM vol. 1, 13.8; only the standard form. */
static void xrstor(struct area *a, uint64_t wanted)
{
    struct x86_cpu *cpu = a->cpu;
    uint32_t mxcsr = 0;

    load_part(a, AT_XSTATE_BV, 24);
    uint64_t saved = load_le64(a->bytes + AT_XSTATE_BV);
    if (saved & ~cpu->xcr0 || load_le64(a->bytes + AT_XSTATE_BV + 8) ||
        load_le64(a->bytes + AT_XSTATE_BV + 16))
        x86_raise_gp(cpu, 0);
    load_part(a, 0, AT_XMM);
    if (wanted & (COMPONENT_SSE | COMPONENT_AVX))
        mxcsr = checked_mxcsr(a);
    if (wanted & saved & COMPONENT_SSE)
        load_part(a, AT_XMM, 16 * n_registers(cpu));
    if (wanted & saved & COMPONENT_AVX)
        load_part(a, AT_YMM, 16 * n_registers(cpu));
    if (wanted & saved & COMPONENT_X87)
        take_x87(a);
    else if (wanted & COMPONENT_X87)
        init_x87(cpu);
    if (wanted & COMPONENT_SSE)
        take_vectors(a, 0, saved & COMPONENT_SSE ? a->bytes + AT_XMM : NULL);
    if (wanted & COMPONENT_AVX)
        take_vectors(a, 1, saved & COMPONENT_AVX ? a->bytes + AT_YMM : NULL);
    if (wanted & (COMPONENT_SSE | COMPONENT_AVX))
        load_mxcsr(cpu, mxcsr);
    x86_update_mode(cpu);
}

/* what: enum x86_save */
static void fpu_save(struct x86_cpu *cpu, uint64_t linear, uint32_t what)
{
    struct area a; /* its bytes are filled before they are used */
    uint64_t wanted = ((uint32_t)cpu->gpr[RAX] | cpu->gpr[RDX] << 32) & cpu->xcr0;
    bool extended = (what & SAVE_KIND) >= SAVE_XSAVE;

    if (extended && !(cpu->cr4 & CR4_OSXSAVE))
        x86_raise(cpu, EXC_UD, 0);
    if (cpu->cr0 & (extended ? CR0_TS : CR0_TS | CR0_EM))
        x86_raise(cpu, EXC_NM, 0);
    if (linear & (extended ? 63 : 15))
        x86_raise_gp(cpu, 0);
    a.cpu = cpu;
    a.linear = linear;
    a.wide = what & SAVE_64;
    switch (what & SAVE_KIND) {
    case SAVE_FXSAVE:
        fxsave(&a);
        break;
    case SAVE_FXRSTOR:
        fxrstor(&a);
        break;
    case SAVE_XRSTOR:
        xrstor(&a, wanted);
        break;
    default:
        xsave(&a, wanted, (what & SAVE_KIND) == SAVE_XSAVEOPT);
        break;
    }
}

const struct ir_helper helper_fpu_save = IR_HELPER(fpu_save, IR_VOID, 2, HELPER_MAY_FAULT,
                                                   GROUP_ALL, GROUP_VECTOR | GROUP_FPU | GROUP_PC);

void x86_fpu_reset(struct x86_cpu *cpu)
{
    memset(cpu->ymm, 0, sizeof(cpu->ymm));
    init_x87(cpu);
    cpu->xcr0 = COMPONENT_X87;
    x86_mxcsr_write(cpu, MXCSR_RESET);
}

/* The translator emits VFP and no scalar operations of the IR: those are never asked for. */
const struct ir_fp_rules x86_fp_rules = {
    .groups = GROUP_FPU,
    .same_as_host = true,
    .x87 = x87_execute_masked,
    .divide_error = x86_divide_error,
};
