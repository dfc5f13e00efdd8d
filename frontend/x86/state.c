/* SPDX-License-Identifier: GPL-2.0-or-later */
/* EFLAGS put together and taken apart; the mode that all of it amounts to. */
#include <inttypes.h>

#include "frontend/x86/system.h"

/* ---- EFLAGS ---------------------------------------------------------------------------------- */

/* LAHF's byte has SF, ZF, AF, PF and CF where EFLAGS has them. */
uint32_t x86_status_to_eflags(uint16_t status)
{
    return (status >> 8 & (EFLAGS_STATUS & 0xff)) | (status & IR_FLAG_V ? EFLAGS_OF : 0);
}

uint16_t x86_eflags_to_status(uint32_t eflags)
{
    return (uint16_t)((eflags & EFLAGS_STATUS & 0xff) << 8 | (eflags & EFLAGS_OF ? IR_FLAG_V : 0));
}

uint32_t x86_eflags_read(const struct x86_cpu *cpu)
{
    return x86_status_to_eflags(cpu->status) | (cpu->df ? EFLAGS_DF : 0) | cpu->eflags | EFLAGS_1;
}

enum {
    EFLAGS_KEPT = EFLAGS_TF | EFLAGS_IF | EFLAGS_IOPL | EFLAGS_NT | EFLAGS_RF | EFLAGS_VM |
                  EFLAGS_AC | EFLAGS_VIF | EFLAGS_VIP | EFLAGS_ID,
    EFLAGS_MODE = EFLAGS_TF | EFLAGS_VM | EFLAGS_AC,
};

void x86_eflags_write(struct x86_cpu *cpu, uint32_t value, uint32_t mask)
{
    uint32_t all = (x86_eflags_read(cpu) & ~mask) | (value & mask);
    uint32_t changed = (all ^ cpu->eflags) & EFLAGS_KEPT;

    cpu->status = x86_eflags_to_status(all);
    cpu->df = (all & EFLAGS_DF) != 0;
    cpu->eflags = all & EFLAGS_KEPT;
    if (changed & EFLAGS_MODE)
        x86_update_level(cpu);
    if (changed & all & EFLAGS_IF && x86_line(cpu, X86_INTR))
        vcpu_kick(&cpu->v);
}

/* ---- mode ------------------------------------------------------------------------------------ */

static bool is_flat_data(const struct x86_segment *s)
{
    enum { WANT = ATTR_P | ATTR_S | ATTR_WRITABLE };

    return s->limit == UINT32_MAX &&
           (s->attributes & (WANT | ATTR_CODE | ATTR_EXPAND_DOWN | ATTR_UNUSABLE)) == WANT;
}

static uint32_t segment_key(const struct x86_cpu *cpu, bool code64)
{
    const struct x86_segment *s = cpu->segment;
    uint32_t key = 0;

    if (code64)
        return KEY_CODE64 | KEY_CS_FLAT | KEY_DATA_FLAT | KEY_FS_OPEN | KEY_GS_OPEN;
    if (s[SEG_CS].attributes & ATTR_DB)
        key |= KEY_CODE32;
    if (s[SEG_SS].attributes & ATTR_DB)
        key |= KEY_STACK32;
    if (!s[SEG_CS].base && s[SEG_CS].limit == UINT32_MAX)
        key |= KEY_CS_FLAT;
    if (is_flat_data(&s[SEG_DS]) && is_flat_data(&s[SEG_ES]) && is_flat_data(&s[SEG_SS]) &&
        !(s[SEG_DS].base | s[SEG_ES].base | s[SEG_SS].base))
        key |= KEY_DATA_FLAT;
    if (is_flat_data(&s[SEG_FS]))
        key |= KEY_FS_OPEN;
    if (is_flat_data(&s[SEG_GS]))
        key |= KEY_GS_OPEN;
    return key;
}

static uint32_t fpu_key(const struct x86_cpu *cpu)
{
    enum { XCR0_AVX = 4, MXCSR_MASKS = 0x1f80, X87_MASKS = 0x3f };
    uint32_t key = 0;

    if (cpu->cr0 & (CR0_EM | CR0_TS))
        key |= KEY_FPU_TRAP;
    if ((cpu->cr0 & CR0_MP) && (cpu->cr0 & CR0_TS))
        key |= KEY_WAIT_TRAP;
    if (cpu->cr0 & CR0_EM)
        key |= KEY_EMULATE;
    if (cpu->cr0 & CR0_TS)
        key |= KEY_TASK_SWITCHED;
    if (cpu->cr4 & CR4_OSFXSR)
        key |= KEY_SSE;
    if ((cpu->cr4 & CR4_OSXSAVE) && (cpu->xcr0 & XCR0_AVX))
        key |= KEY_AVX;
    if ((cpu->fpu_control & X87_MASKS) != X87_MASKS)
        key |= KEY_X87_UNMASKED;
    if ((cpu->mxcsr & MXCSR_MASKS) != MXCSR_MASKS)
        key |= KEY_SSE_UNMASKED;
    return key;
}

static uint32_t break_key(const struct x86_cpu *cpu)
{
    uint32_t key = 0;

    if (LIKELY(!(cpu->dr[7] & 0xff)))
        return 0;
    for (unsigned i = 0; i < 4; i++) {
        if (!(cpu->dr[7] >> (2 * i) & 3))
            continue;
        key |= cpu->dr[7] >> (16 + 4 * i) & 3 ? KEY_DATA_BREAK : KEY_CODE_BREAK;
    }
    return key;
}

/* What CS, SS and EFLAGS say. */
static uint32_t level_key(struct x86_cpu *cpu)
{
    bool lma = cpu->efer & EFER_LMA, protected = cpu->cr0 & CR0_PE;
    bool vm86 = protected && (cpu->eflags & EFLAGS_VM);
    bool code64 = lma && (cpu->segment[SEG_CS].attributes & ATTR_L);
    uint32_t key = segment_key(cpu, code64);

    cpu->cpl = !protected ? 0 : vm86 ? 3 : cpu->segment[SEG_SS].attributes >> ATTR_DPL_SHIFT & 3;
    key |= cpu->cpl << KEY_CPL_SHIFT | (lma ? KEY_LONG : 0);
    if (protected)
        key |= vm86 ? KEY_VM86 : KEY_PROTECTED;
    if (cpu->eflags & EFLAGS_TF)
        key |= KEY_TRACE;
    if ((cpu->cr0 & CR0_AM) && (cpu->eflags & EFLAGS_AC) && cpu->cpl == 3)
        key |= KEY_ALIGN;
    return key;
}

void x86_update_mode(struct x86_cpu *cpu)
{
    cpu->v.run.key = level_key(cpu) | fpu_key(cpu) | break_key(cpu);
    x86_select_space(cpu);
}

void x86_update_level(struct x86_cpu *cpu)
{
    enum { KEPT = KEY_FPU | KEY_DATA_BREAK | KEY_CODE_BREAK };

    cpu->v.run.key = level_key(cpu) | (cpu->v.run.key & KEPT);
    x86_select_space(cpu);
}

void x86_set_ip(struct x86_cpu *cpu, uint64_t ip)
{
    cpu->v.run.pc = cpu->v.run.key & KEY_CODE64
                        ? ip
                        : (uint32_t)((uint32_t)ip + (uint32_t)cpu->segment[SEG_CS].base);
}

/* ---- for the monitor and -d cpu -------------------------------------------------------------- */

static void print_segment(const char *name, const struct x86_segment *s, FILE *out)
{
    fprintf(out, "%-3s=%04x %016" PRIx64 " %08x %04x\n", name, s->selector, s->base, s->limit,
            s->attributes);
}

void x86_print_state(struct vcpu *v, FILE *out)
{
    static const char *const names[] = {"RAX", "RCX", "RDX", "RBX", "RSP", "RBP", "RSI", "RDI",
                                        "R8 ", "R9 ", "R10", "R11", "R12", "R13", "R14", "R15"};
    static const char *const segments[] = {"ES", "CS", "SS", "DS", "FS", "GS"};
    const struct x86_cpu *cpu = x86_cpu(v);

    for (unsigned i = 0; i < 16; i++)
        fprintf(out, "%s=%016" PRIx64 "%c", names[i], cpu->gpr[i], i % 4 == 3 ? '\n' : ' ');
    fprintf(out, "RIP=%016" PRIx64 " RFL=%08x CPL=%u II=%u A20=%u HLT=%u\n", x86_ip(cpu),
            x86_eflags_read(cpu), cpu->cpl, cpu->inhibit != 0,
            (unsigned)(cpu->sys->a20_mask >> 20 & 1), cpu->v.halted);
    for (unsigned i = 0; i < N_SEGMENTS; i++)
        print_segment(segments[i], &cpu->segment[i], out);
    print_segment("LDT", &cpu->ldt, out);
    print_segment("TR", &cpu->tr, out);
    fprintf(out, "GDT=     %016" PRIx64 " %08x\n", cpu->gdt.base, cpu->gdt.limit);
    fprintf(out, "IDT=     %016" PRIx64 " %08x\n", cpu->idt.base, cpu->idt.limit);
    fprintf(out, "CR0=%08" PRIx64 " CR2=%016" PRIx64 " CR3=%016" PRIx64 " CR4=%08" PRIx64 "\n",
            cpu->cr0, cpu->cr2, cpu->cr3, cpu->cr4);
    fprintf(out, "DR0=%016" PRIx64 " DR1=%016" PRIx64 " DR2=%016" PRIx64 " DR3=%016" PRIx64 "\n",
            cpu->dr[0], cpu->dr[1], cpu->dr[2], cpu->dr[3]);
    fprintf(out, "DR6=%016" PRIx64 " DR7=%016" PRIx64 "\nEFER=%016" PRIx64 "\n", cpu->dr[6],
            cpu->dr[7], cpu->efer);
    fprintf(out, "MXCSR=%08x\n", cpu->mxcsr);
    for (unsigned i = 0; i < 16; i++)
        fprintf(out, "XMM%02u=%016" PRIx64 "%016" PRIx64 "%c", i, cpu->ymm[i][1], cpu->ymm[i][0],
                i % 2 ? '\n' : ' ');
}
