/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processors of `-cpu`: identification registers and parameters from the Technical Reference
 * Manuals. Security and Virtualization Extensions are left out of ID_PFR1, ID_ISAR4 and ID_DFR0's
 * neighbours, so that software starts and stays in PL1 without looking for Hyp or Monitor mode.
 */
#include "frontend/arm/system.h"

enum { VIRT_COUNTER_HZ = 62500000 };

/* Cortex-A7 MPCore r0p5: ARM DDI 0464F chapter 4. */
static const struct arm_model cortex_a7 = {
    .features = ARM_HAS_DIVIDE | ARM_HAS_NEON | ARM_HAS_VFP | ARM_HAS_D32 | ARM_HAS_VFPV4 |
                ARM_HAS_LPAE | ARM_HAS_GENERIC_TIMER | ARM_HAS_HALF | ARM_HAS_MP,
    .midr = 0x410fc075,
    .ctr = 0x84448003,
    .mpidr = 0x80000000,
    .id_pfr0 = 0x00001131,
    .id_pfr1 = 0x00010001,
    .id_dfr0 = 0x02010555,
    .id_mmfr = {0x10101105, 0x40000000, 0x01240000, 0x02102211},
    .id_isar = {0x02101110, 0x13112111, 0x21232041, 0x11112131, 0x10010142, 0},
    .clidr = 0x0a200023,
    .ccsidr = {0x701fe00a, 0x201fe00a, 0x711fe07a},
    .fpsid = 0x41023075,
    .mvfr0 = 0x10110222,
    .mvfr1 = 0x11111111,
    .sctlr_reset = 0x00c50078,
    .cbar_reset = 0x08000000,
    .dbgdidr = 0x3515f005,
    .pmcr_reset = 0x41072000,
    .counter_hz = VIRT_COUNTER_HZ,
};

/* Cortex-A9 MPCore r0p0 ID: ARM DDI 0388F chapter 4. */
static const struct arm_model cortex_a9 = {
    .features = ARM_HAS_NEON | ARM_HAS_VFP | ARM_HAS_D32 | ARM_HAS_HALF | ARM_HAS_PL310_STYLE_A9 |
                ARM_HAS_MP,
    .midr = 0x410fc090,
    .ctr = 0x80038003,
    .tlbtr = 0x00000402,
    .mpidr = 0x80000000,
    .id_pfr0 = 0x00001031,
    .id_pfr1 = 0x00000001,
    .id_dfr0 = 0x00010444,
    .id_mmfr = {0x00100103, 0x20000000, 0x01230000, 0x00002111},
    .id_isar = {0x00101111, 0x13112111, 0x21232041, 0x11112131, 0x00110142, 0},
    .clidr = 0x09000003,
    .ccsidr = {0xe00fe019, 0x200fe019, 0},
    .fpsid = 0x41033090,
    .mvfr0 = 0x11110222,
    .mvfr1 = 0x01111111,
    .sctlr_reset = 0x00c50078,
    .cbar_reset = 0x1e000000,
    .dbgdidr = 0x35141000,
    .pmcr_reset = 0x41093000,
};

/* Cortex-A15 MPCore r2p1: ARM DDI 0438C chapter 4. */
static const struct arm_model cortex_a15 = {
    .features = ARM_HAS_DIVIDE | ARM_HAS_NEON | ARM_HAS_VFP | ARM_HAS_D32 | ARM_HAS_VFPV4 |
                ARM_HAS_LPAE | ARM_HAS_GENERIC_TIMER | ARM_HAS_HALF | ARM_HAS_MP,
    .midr = 0x412fc0f1,
    .ctr = 0x8444c004,
    .mpidr = 0x80000000,
    .id_pfr0 = 0x00001131,
    .id_pfr1 = 0x00010001,
    .id_dfr0 = 0x02010555,
    .id_mmfr = {0x10201105, 0x20000000, 0x01240000, 0x02102211},
    .id_isar = {0x02101110, 0x13112111, 0x21232041, 0x11112131, 0x10010142, 0},
    .clidr = 0x0a200023,
    .ccsidr = {0x701fe00a, 0x201fe00a, 0x711fe07a},
    .fpsid = 0x410430f0,
    .mvfr0 = 0x10110222,
    .mvfr1 = 0x11111111,
    .sctlr_reset = 0x00c50078,
    .cbar_reset = 0x08000000,
    .dbgdidr = 0x3515f021,
    .pmcr_reset = 0x410f3000,
    .counter_hz = VIRT_COUNTER_HZ,
};

const struct cpu_model arm_models[] = {
    {"cortex-a15", "ARM Cortex-A15 (VFPv4, NEON, LPAE, generic timer)", &cortex_a15},
    {"cortex-a7", "ARM Cortex-A7 (VFPv4, NEON, LPAE, generic timer)", &cortex_a7},
    {"cortex-a9", "ARM Cortex-A9 (VFPv3, NEON)", &cortex_a9},
    {NULL, NULL, NULL},
};
