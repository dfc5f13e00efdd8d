/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Local APICs and the bus between them, as the board's glue, the I/O APIC and message-signalled
 * interrupts reach them. The APIC with id "apic0" is the first one and carries the bus.
 *
 * Threading: device lock held.
 */
#ifndef CALQUE_HW_INTC_APIC_H
#define CALQUE_HW_INTC_APIC_H

#include "util/compiler.h"

struct device;
struct machine;

enum apic_input { APIC_LINT0, APIC_LINT1 };
enum apic_output { APIC_OUT_INTR, APIC_OUT_NMI, APIC_OUT_INIT, APIC_OUT_SMI };

enum apic_delivery {
    APIC_FIXED = 0,
    APIC_LOWEST = 1,
    APIC_SMI = 2,
    APIC_NMI = 4,
    APIC_INIT = 5,
    APIC_STARTUP = 6,
    APIC_EXTINT = 7,
};

enum { APIC_BROADCAST = 0xff };

struct apic_message {
    uint32_t destination; /* 8 bits: APIC_BROADCAST is all */
    bool logical;
    bool level; /* level-triggered: its EOI is told to the I/O APICs */
    enum apic_delivery delivery;
    uint8_t vector;
};

/* Any machine without an APIC drops it. */
void apic_deliver(struct machine *machine, const struct apic_message *message);
/* A device's 32-bit write of `data` to 0xfeexxxxx. */
void apic_msi(struct machine *machine, uint64_t address, uint32_t data);
/* Who is told of the end of a level-triggered interrupt: I/O APICs. */
void apic_on_eoi(struct machine *machine, struct device *listener,
                 void (*eoi)(struct device *listener, uint8_t vector));

/* ---- the processor's side -------------------------------------------------------------------- */

/* The vector to take, now in service; -1: none of this APIC's. The 8259 is to be asked then if
 * apic_accepts_extint says so. */
int apic_acknowledge(struct device *apic);
/* The 8259's INT reaches the processor: LINT0 is ExtINT, or the APIC is switched off. */
bool apic_accepts_extint(const struct device *apic);
/* An INIT reached the processor by another way (SDM 3A 11.4.7.3); keeps ID and base. */
void apic_init_reset(struct device *apic);

uint64_t apic_get_base(const struct device *apic); /* IA32_APIC_BASE */
/* false: #GP. */
bool apic_set_base(struct device *apic, uint64_t value);
uint8_t apic_get_tpr(const struct device *apic); /* all 8 bits; CR8 is bits 7:4 */
void apic_set_tpr(struct device *apic, uint8_t value);
/* MSRs 0x800-0x8ff; false: #GP. */
bool apic_msr_read(struct device *apic, uint32_t msr, uint64_t *value);
bool apic_msr_write(struct device *apic, uint32_t msr, uint64_t value);
/* IA32_TSC_DEADLINE: tsc is what the MSR reads as (0 disarms), deadline_ns when the counter gets
 * there. */
void apic_set_tsc_deadline(struct device *apic, uint64_t tsc, int64_t deadline_ns);
uint64_t apic_get_tsc_deadline(const struct device *apic); /* 0 once it has passed */

#endif
