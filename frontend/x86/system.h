/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the system part share: segments, transfers between code segments, exceptions,
 * paging, model-specific registers; and the helpers that the translator calls for them.
 *
 * Everything that may fault raises with x86_raise and changes no state before its last fault.
 * Helpers that change the mode find F_PC set to the next instruction and set run.pc and run.key
 * themselves.
 */
#ifndef CALQUE_FRONTEND_X86_SYSTEM_H
#define CALQUE_FRONTEND_X86_SYSTEM_H

#include <setjmp.h>

#include "frontend/x86/cpu.h"

enum { N_MTRR_VARIABLE = 8, N_MTRR_FIXED = 11, N_MACHINE_CHECK_BANKS = 10 };

/* As many values of CR3 have a TLB space of their own. */
enum { X86_CONTEXTS = 14 };

struct x86_system {
    /* While an exception is delivered, one that is raised comes back here instead of leaving. */
    jmp_buf *trap;
    struct exception trapped;
    uint64_t a20_mask; /* physical addresses are ANDed with it */
    uint64_t pdpte[4]; /* PAE: loaded by MOV CR3 */
    struct {
        uint64_t cr3, stamp;
    } contexts[X86_CONTEXTS];
    uint64_t context_stamp;
    uint32_t wanted_mxcsr; /* LDMXCSR's, on its way */
    uint32_t context;      /* CR3's index there, without process-context identifiers */
    uint64_t physical_mask;
    uint64_t mtrr_physical[2 * N_MTRR_VARIABLE], mtrr_fixed[N_MTRR_FIXED], mtrr_default_type;
    uint64_t misc_enable, machine_check[4 * N_MACHINE_CHECK_BANKS];
    uint64_t machine_check_status, feature_control, microcode, smi_count;
};

/* ---- segments (segments.c) ------------------------------------------------------------------- */

struct x86_descriptor {
    uint32_t low, high;
    uint32_t upper;   /* bits 63:32 of the base of 16-byte descriptors */
    uint64_t address; /* linear */
};

enum descriptor_type { /* of system descriptors, SDM vol. 3, table 3-2 */
                       TYPE_TSS16 = 1,
                       TYPE_LDT = 2,
                       TYPE_TSS16_BUSY = 3,
                       TYPE_CALL16 = 4,
                       TYPE_TASK_GATE = 5,
                       TYPE_INTERRUPT16 = 6,
                       TYPE_TRAP16 = 7,
                       TYPE_TSS32 = 9,
                       TYPE_TSS32_BUSY = 11,
                       TYPE_CALL32 = 12,
                       TYPE_INTERRUPT32 = 14,
                       TYPE_TRAP32 = 15,
};

static inline unsigned descriptor_type(const struct x86_descriptor *d)
{
    return d->high >> 8 & 15;
}
static inline unsigned descriptor_dpl(const struct x86_descriptor *d)
{
    return d->high >> 13 & 3;
}
static inline bool descriptor_present(const struct x86_descriptor *d)
{
    return d->high >> 15 & 1;
}
static inline bool descriptor_is_segment(const struct x86_descriptor *d) /* S: code or data */
{
    return d->high >> 12 & 1;
}
static inline bool descriptor_is_code(const struct x86_descriptor *d)
{
    return (d->high & 0x1800) == 0x1800;
}
static inline uint32_t selector_error(uint16_t selector)
{
    return selector & 0xfffc;
}

/* Reads a descriptor of GDT or LDT; false: null or beyond the limit. May raise #PF. */
bool x86_descriptor_read(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *out);
/* Reads the second half of a 16-byte descriptor (long mode); false: beyond the limit. */
bool x86_descriptor_read_upper(struct x86_cpu *cpu, uint16_t selector, struct x86_descriptor *d);
void x86_descriptor_set_accessed(struct x86_cpu *cpu, struct x86_descriptor *d);
/* The hidden part that a descriptor gives. */
struct x86_segment x86_segment_of(uint16_t selector, const struct x86_descriptor *d);
/* Hidden part as real and virtual-8086 mode load it. */
void x86_load_real_segment(struct x86_cpu *cpu, enum x86_segment_register seg, uint16_t selector);
/* After a far return outwards: data segments that the new level may not use become null. True: the
 * mode has to be made again. */
bool x86_drop_segments(struct x86_cpu *cpu);
/* Stack pointer for a privilege level, from the TSS. Raises #TS. */
void x86_tss_stack(struct x86_cpu *cpu, unsigned level, uint16_t *ss, uint64_t *sp);
uint64_t x86_tss_stack64(struct x86_cpu *cpu, unsigned index); /* RSP0.. or IST1.. as entries 1.. */
/* SS for that level, checked as for an inward transfer (#TS). */
struct x86_segment x86_inner_stack(struct x86_cpu *cpu, uint16_t ss, unsigned level, uint32_t ext);

/* Memory as the processor itself accesses it, whatever the CPL. */
uint64_t x86_system_load(struct x86_cpu *cpu, uint64_t linear, unsigned size);
void x86_system_store(struct x86_cpu *cpu, uint64_t linear, unsigned size, uint64_t value);
bool x86_is_canonical(const struct x86_cpu *cpu, uint64_t address);

/* A stack being pushed to or popped from, apart from the registers until all went well. */
struct x86_stack {
    uint64_t base, pointer, mask; /* mask: of the pointer */
    bool user;                    /* accesses with user privilege */
    const struct x86_segment *ss; /* limit checks; NULL: none (64-bit) */
};
struct x86_stack x86_current_stack(struct x86_cpu *cpu);
void x86_stack_push(struct x86_cpu *cpu, struct x86_stack *s, unsigned size, uint64_t value);
uint64_t x86_stack_pop(struct x86_cpu *cpu, struct x86_stack *s, unsigned size);
/* n values, pushed or popped in this order. */
void x86_stack_push_frame(struct x86_cpu *cpu, struct x86_stack *s, unsigned size,
                          const uint64_t *values, unsigned n);
void x86_stack_pop_frame(struct x86_cpu *cpu, struct x86_stack *s, unsigned size, uint64_t *values,
                         unsigned n);
void x86_set_sp(struct x86_cpu *cpu, uint64_t value, uint64_t mask);

/* ---- far transfers (transfers.c) ------------------------------------------------------------- */

void x86_far_jump(struct x86_cpu *cpu, uint16_t selector, uint64_t offset, unsigned operand_size);
void x86_far_call(struct x86_cpu *cpu, uint16_t selector, uint64_t offset, unsigned operand_size);
void x86_far_return(struct x86_cpu *cpu, unsigned operand_size, unsigned pop_bytes);
void x86_iret(struct x86_cpu *cpu, unsigned operand_size);

enum x86_task_source { TASK_JUMP, TASK_CALL, TASK_IRET, TASK_GATE };
/* tasks.c. next_ip: EIP to save; error_code is pushed on the new stack if has_error_code. */
void x86_task_switch(struct x86_cpu *cpu, uint16_t selector, enum x86_task_source source,
                     uint64_t next_ip, bool has_error_code, uint32_t error_code);

/* ---- exceptions (exceptions.c) --------------------------------------------------------------- */

/* The vector of an exception that the instruction at run.pc caused. */
enum x86_exception x86_exception_vector(struct x86_cpu *cpu, const struct exception *e);

/* INT n, INT3, INTO: enters the handler, returning behind the instruction. May raise. int_n: it is
 * INT n, which virtual-8086 mode has its own rules for. */
void x86_software_interrupt(struct x86_cpu *cpu, unsigned vector, uint64_t next_ip, bool int_n);

static inline bool x86_line(const struct x86_cpu *cpu, enum x86_irq_in line)
{
    return atomic_load_explicit(&cpu->irq_lines, memory_order_acquire) >> line & 1;
}

/* ---- paging (mmu.c) -------------------------------------------------------------------------- */

void x86_set_cr0(struct x86_cpu *cpu, uint64_t value);
void x86_set_cr3(struct x86_cpu *cpu, uint64_t value);
void x86_set_cr4(struct x86_cpu *cpu, uint64_t value);
bool x86_load_pdptes(struct x86_cpu *cpu, uint64_t cr3); /* false: reserved bits */
void x86_select_space(struct x86_cpu *cpu);
void x86_flush_page(struct x86_cpu *cpu, uint64_t linear);  /* INVLPG */
void x86_flush_context(struct x86_cpu *cpu, uint32_t pcid); /* but global pages */

/* ---- debug registers (debug.c; cpu.h has what the translator calls) -------------------------- */

/* Notes the I/O breakpoints that an access to these ports hits. */
void x86_check_io_break(struct x86_cpu *cpu, uint16_t port, unsigned size);
/* Adds what a #DB about to be raised comes from to DR6. */
void x86_enter_debug_cause(struct x86_cpu *cpu, uint32_t bits);

/* ---- the rest -------------------------------------------------------------------------------- */

uint64_t x86_rdmsr(struct x86_cpu *cpu, uint32_t number); /* msr.c; raise #GP(0) */
void x86_wrmsr(struct x86_cpu *cpu, uint32_t number, uint64_t value);
void x86_set_efer(struct x86_cpu *cpu, uint64_t value);
uint64_t x86_tsc(struct x86_cpu *cpu);
enum { X86_TSC_HZ = 1000000000 };
uint32_t x86_signature(const struct x86_model *m); /* family, model, stepping, as CPUID.1 has it */
void x86_cpuid(struct x86_cpu *cpu, uint32_t leaf, uint32_t subleaf, uint32_t out[4]); /* cpuid.c */

/* ---- helpers for the translator (system_helpers.c); all MAY_FAULT and to be followed by the end
 * of the path, F_PC set to the next instruction before -------------------------------------------
 */

extern const struct ir_helper helper_far_jump;   /* (selector, offset I64, operand size) */
extern const struct ir_helper helper_far_call;   /* (selector, offset I64, operand size) */
extern const struct ir_helper helper_far_return; /* (operand size, bytes to pop) */

#endif
