/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a guest architecture is to the rest of calque. A guest is a folder under frontend/ that
 * registers one struct guest; it knows no board, no host and no backend.
 *
 * Threading: everything here is called on the vCPU's own thread, except set_irq and vcpu_kick.
 */
#ifndef CALQUE_FRONTEND_GUEST_H
#define CALQUE_FRONTEND_GUEST_H

#include <string.h>

#include "softmmu/mmu.h"
#include "tcg/ir.h"
#include "tcg/run.h"
#include "util/clock.h"
#include "util/error.h"
#include "util/irq.h"
#include "util/registry.h"

struct guest;
struct vcpu;

enum { MAX_EXCEPTION_KINDS = 256 };

/* Guest-defined: the exception's number and what its entry needs. */
struct exception {
    uint32_t kind;
    uint32_t syndrome;
    uint64_t address;
};

enum apic_register {
    APIC_BASE_MSR,     /* IA32_APIC_BASE; writing may switch the APIC off or move it */
    APIC_TPR,          /* bits 7:4 are CR8 */
    APIC_TSC_DEADLINE, /* IA32_TSC_DEADLINE */
};

/* What the board answers to calls a CPU makes to its firmware (ARM: SMC/HVC for PSCI) and to
 * requests that concern the machine. Set by the machine before reset. */
struct vcpu_board {
    void *opaque;
    /* true: handled, result registers are set. false: the CPU takes its exception. */
    bool (*firmware_call)(void *opaque, struct vcpu *cpu, unsigned kind);
    void (*power_off)(void *opaque);
    void (*reset)(void *opaque);
    /* x86: the processor has shut down at this address; a PC resets then. */
    void (*triple_fault)(void *opaque, uint64_t ip);
    /* x86. The vector of the interrupt that INTR stands for, acknowledged (a LAPIC's or the
     * 8259's); -1: none after all. Called with the device lock held. */
    int (*interrupt_vector)(void *opaque, struct vcpu *cpu);
    /* x86. The parts of the local APIC that instructions reach. Device lock held. */
    uint64_t (*apic_read)(void *opaque, struct vcpu *cpu, enum apic_register which);
    void (*apic_write)(void *opaque, struct vcpu *cpu, enum apic_register which, uint64_t value);
};

/* First member of each guest's own CPU struct. */
struct vcpu {
    struct run_state run; /* must be first: field offsets count from here */
    const struct guest *guest;
    const struct cpu_model *model;
    struct mmu *mmu;
    struct memory *memory;
    struct memory *ports; /* what IN and OUT reach; NULL on machines without */
    struct clock *clock;
    pthread_mutex_t *device_lock;
    struct vcpu_board board;
    int64_t tsc_offset_ns; /* x86: the time-stamp counter minus the clock */
    struct exec *exec;     /* the engine that runs it */
    unsigned index;
    bool halted; /* WFI/WFE until an interrupt; cleared by guest->has_work */
    /* A debugger goes on by one instruction: interrupts wait, and a repeated string instruction
     * does one element. */
    bool single_step;
    struct irq
        *irq_out; /* guest->n_irq_out lines, e.g. the generic timer's PPIs; set by the machine */
    uint64_t *exceptions; /* MAX_EXCEPTION_KINDS, how often each was entered; NULL: not counted */
};

struct cpu_model {
    const char *name; /* as `-cpu` takes it */
    const char *description;
    const void *parameters; /* guest-defined */
};

/* ---- translation ---------------------------------------------------------------------------- */

enum xlat_next {
    XLAT_CONTINUE, /* the next guest instruction follows in the same block flow */
    XLAT_END,      /* the current path has ended with an END op */
    XLAT_TRUNCATE, /* nothing was emitted: end the unit before this instruction (it needs a fresh
                      one) */
};

/* One unit being translated. The driver calls guest->translate once per instruction with pc set;
 * translate emits ir_insn first, then the rest, and advances pc past the instruction. */
struct xlat {
    struct ir_builder b;
    struct vcpu *cpu;
    uint64_t pc;       /* of the instruction to translate; advanced by translate */
    uint64_t start_pc; /* of the unit */
    uint32_t key;      /* mode bits; translate advances what changes from instruction to
                          instruction (ARM's IT state), so that pc, key is where to go on */
    unsigned n_insns;  /* translated so far */
    void *guest_data;  /* guest's own, zeroed at the unit's start (size guest->xlat_size) */
    bool crossed;      /* an instruction reached into the next page: the driver ends the unit */
};

/* Code bytes at a virtual address: within the unit's page, or (only for the tail of an instruction
 * that began in it) the next one. A fetch fault in the next page returns false: the frontend ends
 * the unit before this instruction if it is not the first, else the fault has been raised. */
bool xlat_fetch(struct xlat *x, uint64_t va, unsigned size, void *out);
/* The same bytes where they lie, if all are in the unit's page; else NULL. */
const uint8_t *xlat_bytes(struct xlat *x, uint64_t va, unsigned size);
uint16_t xlat_fetch16(struct xlat *x, uint64_t va, bool *ok); /* little-endian */
uint32_t xlat_fetch32(struct xlat *x, uint64_t va, bool *ok);

/* A row of a guest's instruction table, as the decode generator writes it (D14). The pattern says
 * which bits are fixed; tests make random instructions from it. */
struct insn_desc {
    const char *name;  /* row name, e.g. "ADD_rri" */
    const char *table; /* "a32", "t32", "t16", "vfp", "neon", ... */
    uint32_t fixed_mask, fixed_bits;
    uint8_t length;       /* bytes */
    uint16_t annotations; /* enum insn_annotation */
    const char *features; /* space-separated feature names, NULL none */
};
enum insn_annotation {
    INSN_MEM = 1,
    INSN_BRANCH = 2,
    INSN_SYSTEM = 4,
    INSN_UNPREDICTABLE = 8,
    INSN_NOTEST = 16,
    INSN_FP = 32,
};

/* A stretch of addresses, as the guest's tables or its TLB have it now: for the monitor. */
struct guest_mapping {
    gva address;
    gpa physical;
    uint64_t size;
    uint8_t privileged, user; /* rights: 1 << enum mmu_access */
    bool elsewhere;           /* in an address space other than the current one */
    const char *text;         /* what else there is to say */
};
/* False: no more. */
enum { GUEST_MAX_LOOKUPS = 1 << 20 };
typedef bool guest_mapping_tell(void *opaque, const struct guest_mapping *mapping);
/* ---- registers as debuggers see them ----------------------------------------------------------
 */

/* In the terms of gdb's target descriptions (its manual, appendix G). */
struct guest_register {
    const char *name;
    uint16_t bits;
    uint16_t which;   /* of the set's functions; several sets may count on */
    const char *type; /* NULL: an integer */
    const char *group;
    uint16_t number; /* gdb's own; 0: the one behind that of the register before */
};
enum { GUEST_REGISTER_WORDS = 4 };
/* The vCPU stands still when these are called, from any thread. Values are host words, the lowest
 * first; read finds them cleared. */
struct guest_register_set {
    const char *feature;                    /* "org.gnu.gdb.arm.core" */
    const char *types;                      /* XML that defines the types; NULL: none */
    const struct guest_register *registers; /* ends with name NULL */
    bool (*present)(struct vcpu *cpu);      /* NULL: always */
    void (*read)(struct vcpu *cpu, unsigned which, uint64_t *value);
    /* False: it cannot be changed (so). */
    bool (*write)(struct vcpu *cpu, unsigned which, const uint64_t *value);
};

struct guest {
    const char *name; /* "arm": calque-system-<name> */
    const char *description;
    size_t state_size; /* of the CPU struct */
    const struct state_field *fields;
    unsigned n_fields;
    const struct ir_fp_rules *fp;
    size_t xlat_size;                           /* of xlat.guest_data */
    const struct insn_desc *const *insn_tables; /* NULL-terminated; each ends with name NULL */
    const struct cpu_model *models;             /* ends with name NULL */
    const char *default_model;
    unsigned n_irq_in, n_irq_out;
    uint8_t nmi_line; /* 1 + the input whose edge is a non-maskable interrupt; 0: none */
    bool wide_address;
    bool big_endian;        /* its loads and stores of data; boards choose by it what they show */
    bool exact_code_writes; /* a store into code is seen by the very next instruction */
    /* The bit of a PC that to debuggers is the mode of the code there, not of its address, and is
     * the same bit of run.key: 0, or MIPS's ISA mode. */
    uint8_t pc_mode_bit;
    bool traps_after_access; /* where debuggers expect a watchpoint's stop: else before it */

    bool (*init)(struct vcpu *cpu, struct error *err); /* once, after model, mmu, clock are set */
    /* What follows the model in `-cpu NAME,+this,-that,other=on`, after init. NULL: nothing may. */
    bool (*features)(struct vcpu *cpu, const char *list, struct error *err);
    void (*reset)(struct vcpu *cpu); /* power-on state; sets run.pc, run.key */
    void (*finish)(struct vcpu *cpu);
    enum xlat_next (*translate)(struct xlat *x);
    const struct mmu_client *mmu;
    /* State is precise (run.pc is the instruction's address; aux from its INSN has been given to
     * `restore`); enters the exception: changes state, sets run.pc, run.key. Never fails. */
    void (*raise)(struct vcpu *cpu, const struct exception *e);
    void (*restore)(struct vcpu *cpu, uint64_t pc, uint32_t aux);
    /* Called between units after exit_request: takes a pending unmasked interrupt (true: state
     * changed) or does nothing. */
    bool (*take_interrupt)(struct vcpu *cpu);
    bool (*has_work)(struct vcpu *cpu);                           /* would WFI return at once? */
    void (*set_irq)(struct vcpu *cpu, unsigned line, bool level); /* any thread, device lock held */
    void (*print_state)(struct vcpu *cpu, FILE *out);             /* info registers */
    /* Tells of all mappings; the vCPU stands still. Looks at no more than a million entries: page
     * tables may refer to themselves. */
    void (*mappings)(struct vcpu *cpu, guest_mapping_tell *tell, void *opaque);
    const char *gdb_architecture; /* gdb's name; NULL: there is nothing to debug */
    const struct guest_register_set *register_sets; /* ends with feature NULL */
    /* Disassembles one instruction for -d: code of up to size bytes at pc; returns its length. */
    unsigned (*disassemble)(const uint8_t *code, size_t size, uint64_t pc, uint32_t key, char *text,
                            size_t text_size);
    /* What statistics and profiles call an exception (NULL: by its number), and the mode that code
     * with this key runs in. */
    const char *(*exception_name)(unsigned kind);
    void (*mode_name)(uint32_t key, char *text, size_t text_size);
};

REGISTRY_DECLARE(guest);
/* NULL: there is none of that name. */
static inline const struct guest *guest_find(const char *name)
{
    REGISTRY_FOREACH (guest, struct guest, guest) {
        if (!strcmp(guest->name, name))
            return guest;
    }
    return NULL;
}

/* ---- what the engine offers to a guest (implemented in exec/) -------------------------------- */

/* Raises an exception at the instruction being executed: brings the state to what the architecture
 * says it is before that instruction, calls guest->raise, and goes on with run.pc. Callable from
 * helpers declared HELPER_MAY_FAULT, from mmu_client.fault, and during translation. */
NORETURN void vcpu_raise(struct vcpu *cpu, const struct exception *e);
/* Like vcpu_raise without an exception: state precise *before* the current instruction. */
NORETURN void vcpu_restart(struct vcpu *cpu);
/* Makes the vCPU leave generated code soon. Any thread. */
void vcpu_kick(struct vcpu *cpu);
/* The guest said that code may have changed (IC IALLU is not enough reason: stores are tracked). */
void vcpu_flush_code(struct vcpu *cpu);

/* The guest enters an exception or interrupt. */
static inline void vcpu_count_exception(struct vcpu *cpu, unsigned kind)
{
    if (LIKELY(cpu->exceptions != NULL))
        cpu->exceptions[kind % MAX_EXCEPTION_KINDS]++;
}

/* The time for a counter that the guest reads. What fell due before it has been seen to: a host
 * with too much to do may let the vCPU run and the thread of the timers wait, and guests that see
 * time pass without interrupts take their timers for broken. */
int64_t vcpu_now_ns(struct vcpu *cpu);

static inline void vcpu_lock_devices(struct vcpu *cpu)
{
    pthread_mutex_lock(cpu->device_lock);
}
static inline void vcpu_unlock_devices(struct vcpu *cpu)
{
    pthread_mutex_unlock(cpu->device_lock);
}

#endif
