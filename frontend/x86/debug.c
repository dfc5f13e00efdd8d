/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Debug registers (SDM vol. 3, chapter 17): instruction breakpoints are faults before the
 * instruction, the others traps behind it, noted in pending_debug with single steps and task traps.
 */
#include "frontend/x86/system.h"

enum { DR7_GD = 1 << 13 };

enum break_kind { BREAK_CODE, BREAK_WRITE, BREAK_IO, BREAK_DATA };

static enum break_kind break_kind(const struct x86_cpu *cpu, unsigned n)
{
    return cpu->dr[7] >> (16 + 4 * n) & 3;
}

static bool break_enabled(const struct x86_cpu *cpu, unsigned n)
{
    return cpu->dr[7] >> (2 * n) & 3;
}

/* LEN, 17.2.4: the address's low bits do not count. */
static bool break_covers(const struct x86_cpu *cpu, unsigned n, uint64_t address, unsigned size)
{
    static const uint8_t lengths[] = {1, 2, 8, 4};
    unsigned length = lengths[cpu->dr[7] >> (18 + 4 * n) & 3];
    uint64_t base = cpu->dr[n] & ~(uint64_t)(length - 1);

    return address - base < length || base - address < size;
}

/* DR6's bits for an access. write only matters to data. */
static uint32_t breaks_hit(const struct x86_cpu *cpu, uint64_t address, unsigned size, bool io,
                           bool write)
{
    uint32_t hit = 0;

    for (unsigned i = 0; i < 4; i++) {
        enum break_kind kind = break_kind(cpu, i);
        bool wanted = io ? kind == BREAK_IO && cpu->cr4 & CR4_DE
                         : kind == BREAK_DATA || (kind == BREAK_WRITE && write);
        if (wanted && break_enabled(cpu, i) && break_covers(cpu, i, address, size))
            hit |= 1u << i;
    }
    return hit;
}

/* ---- traps ----------------------------------------------------------------------------------- */

static void note(struct x86_cpu *cpu, uint32_t bits)
{
    if (!bits)
        return;
    cpu->pending_debug |= bits;
    vcpu_kick(&cpu->v);
}

void x86_check_data_break(struct x86_cpu *cpu, uint64_t linear, unsigned size, bool write)
{
    note(cpu, breaks_hit(cpu, linear, size, false, write));
}

void x86_check_io_break(struct x86_cpu *cpu, uint16_t port, unsigned size)
{
    note(cpu, breaks_hit(cpu, port, size, true, false));
}

/* 17.2.2, 17.2.4: the cause is added to DR6; the handler may use the debug registers. */
void x86_enter_debug_cause(struct x86_cpu *cpu, uint32_t bits)
{
    cpu->dr[6] |= bits;
    cpu->dr[7] &= ~(uint64_t)DR7_GD;
}

/* ---- faults ---------------------------------------------------------------------------------- */

/* RF lasts for one instruction; where that faults, the image of EFLAGS has it set again. */
void x86_check_code_break(struct x86_cpu *cpu, uint64_t linear)
{
    uint32_t hit = 0;

    if (cpu->eflags & EFLAGS_RF) {
        cpu->eflags &= ~(uint32_t)EFLAGS_RF;
        return;
    }
    for (unsigned i = 0; i < 4; i++) {
        if (break_kind(cpu, i) == BREAK_CODE && break_enabled(cpu, i) && cpu->dr[i] == linear)
            hit |= 1u << i;
    }
    if (!hit)
        return;
    x86_enter_debug_cause(cpu, hit);
    x86_raise(cpu, EXC_DB, 0);
}
