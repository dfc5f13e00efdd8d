/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The processors of `-cpu`: identification and configuration registers from the cores' Software
 * User's Manuals, for the sizes of TLB and caches that QEMU's models of the same names have.
 *
 * Left out, and said so in Config: multithreading, virtualisation, the page table walker in
 * hardware, and coherence managers (Config3.CMGCR), which boards without one do not have. The 4K
 * family has no MIPS16e, the 4KE family and those after it have.
 */
#include "frontend/mips/system.h"

enum { MHZ = 1000000, CPU_HZ = 320 * MHZ };

/* Config: M, and the kind of MMU; architecture type and release. */
#define CONFIG0_TLB UINT32_C(0x80000082)
#define CONFIG0_FIXED UINT32_C(0x80000182)
#define CONFIG0_RELEASE2 (UINT32_C(1) << 10)
#define CONFIG0_RELEASE6 (UINT32_C(2) << 10)
#define CONFIG0_MIPS64 (UINT32_C(2) << 13)
/* What software may write: K0, and with fixed mapping K23 and KU. */
#define WRITABLE_TLB UINT32_C(0x00000007)
#define WRITABLE_FIXED UINT32_C(0x7e000007)

/* Config1: M, watch registers, EJTAG; TLB entries, sets, lines, ways of I and D caches. */
#define CONFIG1(entries, sets, line, ways, other)                                                  \
    (CONFIG_M | CONFIG1_WR | CONFIG1_EP | (uint32_t)((entries)-1) << 25 | (uint32_t)(sets) << 22 | \
     (uint32_t)(line) << 19 | (uint32_t)((ways)-1) << 16 | (uint32_t)(sets) << 13 |                \
     (uint32_t)(line) << 10 | (uint32_t)((ways)-1) << 7 | (other))
#define CONFIG1_FP (UINT32_C(1) << 0)
#define CONFIG2 CONFIG_M
#define CONFIG3_MSAP (UINT32_C(1) << 28)
#define CONFIG3_DSPP (UINT32_C(1) << 10)
#define CONFIG3_DSP2P (UINT32_C(1) << 11)

/* FIR: implementation in bits 15:8 */
#define FIR_SD (UINT32_C(3) << 16)
#define FIR_PS (UINT32_C(1) << 18)
#define FIR_3D (UINT32_C(1) << 19)
#define FIR_W (UINT32_C(1) << 20)
#define FIR_L (UINT32_C(1) << 21)
#define FIR_F64 (UINT32_C(1) << 22)
#define FIR_HAS2008 (UINT32_C(1) << 23)
#define FIR_UFRP (UINT32_C(1) << 28)
#define FIR_FREP (UINT32_C(1) << 29)
#define FIR_FULL (FIR_SD | FIR_W | FIR_L | FIR_F64)

#define FCSR_PLAIN UINT32_C(0xff83ffff)
#define FCSR_2008 (UINT32_C(3) << 18)
#define EBASE_FIXED UINT32_C(0x80000000)

#define BASE .count_divider = 2, .cpu_hz = CPU_HZ
#define BASE32 BASE, .segbits = 32, .pabits = 32, .vector_base_fixed = EBASE_FIXED

static const struct mips_model mips_4kc = {
    BASE32,
    .prid = 0x00018000,
    .config = {CONFIG0_TLB, CONFIG1(16, 0, 3, 2, 0), CONFIG2},
    .config_writable = {WRITABLE_TLB},
    .status_writable = 0x1278ff17,
    .tlb_entries = 16,
};

static const struct mips_model mips_4km = {
    BASE32,
    .features = MIPS_HAS_FIXED_MAP,
    .prid = 0x00018300,
    .config = {CONFIG0_FIXED, CONFIG1(1, 0, 3, 2, 0), CONFIG2},
    .config_writable = {WRITABLE_FIXED},
    .status_writable = 0x1258ff17,
};

static const struct mips_model mips_4kec = {
    BASE32,
    .features = MIPS_HAS_R2 | MIPS_HAS_MIPS16,
    .prid = 0x00019000,
    .config = {CONFIG0_TLB | CONFIG0_RELEASE2, CONFIG1(16, 0, 3, 2, CONFIG1_CA), CONFIG2},
    .config_writable = {WRITABLE_TLB},
    .status_writable = 0x1278ff17,
    .tlb_entries = 16,
};

static const struct mips_model mips_24kc = {
    BASE32,
    .features = MIPS_HAS_R2 | MIPS_HAS_MIPS16,
    .prid = 0x00019300,
    .config = {CONFIG0_TLB | CONFIG0_RELEASE2, CONFIG1(16, 0, 3, 2, CONFIG1_CA), CONFIG2},
    .config_writable = {WRITABLE_TLB},
    .status_writable = 0x1278ff1f,
    .tlb_entries = 16,
};

static const struct mips_model mips_24kf = {
    BASE32,
    .features = MIPS_HAS_R2 | MIPS_HAS_MIPS16 | MIPS_HAS_FPU | MIPS_HAS_4,
    .prid = 0x00019300,
    .config = {CONFIG0_TLB | CONFIG0_RELEASE2, CONFIG1(16, 0, 3, 2, CONFIG1_FP | CONFIG1_CA),
               CONFIG2},
    .config_writable = {WRITABLE_TLB},
    .status_writable = 0x3678ff1f,
    .fir = FIR_FULL | 0x9300,
    .fcsr_writable = FCSR_PLAIN,
    .tlb_entries = 16,
};

static const struct mips_model mips_34kf = {
    BASE32,
    .features = MIPS_HAS_R2 | MIPS_HAS_MIPS16 | MIPS_HAS_FPU | MIPS_HAS_4 | MIPS_HAS_DSP,
    .prid = 0x00019500,
    .config = {CONFIG0_TLB | CONFIG0_RELEASE2, CONFIG1(64, 0, 3, 2, CONFIG1_FP | CONFIG1_CA),
               CONFIG2, CONFIG3_VINT | CONFIG3_DSPP},
    .config_writable = {WRITABLE_TLB},
    .status_writable = 0x3778ff1f,
    .fir = FIR_FULL | 0x9500,
    .fcsr_writable = FCSR_PLAIN,
    .tlb_entries = 64,
};

static const struct mips_model mips_74kf = {
    BASE32,
    .features =
        MIPS_HAS_R2 | MIPS_HAS_MIPS16 | MIPS_HAS_FPU | MIPS_HAS_4 | MIPS_HAS_DSP | MIPS_HAS_DSPR2,
    .prid = 0x00019700,
    .config = {CONFIG0_TLB | CONFIG0_RELEASE2, CONFIG1(16, 0, 3, 2, CONFIG1_FP | CONFIG1_CA),
               CONFIG2, CONFIG3_VINT | CONFIG3_DSPP | CONFIG3_DSP2P},
    .config_writable = {WRITABLE_TLB},
    .status_writable = 0x3778ff1f,
    .fir = FIR_FULL | 0x9300,
    .fcsr_writable = FCSR_PLAIN,
    .tlb_entries = 16,
};

static const struct mips_model mips_p5600 = {
    BASE,
    .segbits = 32,
    .pabits = 40,
    .features = MIPS_HAS_R2 | MIPS_HAS_R5 | MIPS_HAS_FPU | MIPS_HAS_4 | MIPS_HAS_MSA,
    .prid = 0x0001a800,
    .config = {CONFIG0_TLB | CONFIG0_RELEASE2 | UINT32_C(1) << 18, /* MM */
               CONFIG1(64, 2, 4, 4, CONFIG1_FP | CONFIG1_PC), CONFIG2,
               CONFIG_M | CONFIG3_MSAP | CONFIG3_BP | CONFIG3_BI | CONFIG3_SC | CONFIG3_ULRI |
                   CONFIG3_RXI | CONFIG3_LPA | CONFIG3_VINT,
               CONFIG_M | UINT32_C(2) << 29 | UINT32_C(0x1c) << CONFIG4_KSCREXIST_SHIFT,
               CONFIG5_EVA | CONFIG5_MVH | CONFIG5_LLB | CONFIG5_MRP, 0, UINT32_C(1) << 31},
    .config_writable = {WRITABLE_TLB, 0, 0, 0, 0,
                        UINT32_C(3) << 29 | CONFIG5_MSAEN | UINT32_C(1) << 9 | CONFIG5_FRE |
                            UINT32_C(1) << 2},
    .status_writable = 0x3c68ff1f,
    .pagegrain_writable = PAGEGRAIN_RIE | PAGEGRAIN_XIE | PAGEGRAIN_ELPA | PAGEGRAIN_IEC,
    .fir = FIR_FREP | FIR_UFRP | FIR_HAS2008 | FIR_FULL | 0x0300,
    .fcsr = FCSR_2008,
    .fcsr_writable = FCSR_PLAIN,
    .msair = 0x0300,
    .tlb_entries = 64,
};

static const struct mips_model mips_5kc = {
    BASE,
    .segbits = 42,
    .pabits = 36,
    .vector_base_fixed = EBASE_FIXED,
    .features = MIPS_HAS_64,
    .prid = 0x00018100,
    .config = {CONFIG0_TLB | CONFIG0_MIPS64, CONFIG1(32, 1, 4, 2, CONFIG1_PC), CONFIG2},
    .config_writable = {WRITABLE_TLB},
    .status_writable = 0x12f8ffff,
    .tlb_entries = 32,
};

static const struct mips_model mips_5kec = {
    BASE,
    .segbits = 42,
    .pabits = 36,
    .vector_base_fixed = EBASE_FIXED,
    .features = MIPS_HAS_64 | MIPS_HAS_R2,
    .prid = 0x00018900,
    .config = {CONFIG0_TLB | CONFIG0_MIPS64 | CONFIG0_RELEASE2, CONFIG1(32, 1, 4, 2, CONFIG1_PC),
               CONFIG2},
    .config_writable = {WRITABLE_TLB},
    .status_writable = 0x12f8ffff,
    .tlb_entries = 32,
};

static const struct mips_model mips_20kc = {
    .count_divider = 1,
    .cpu_hz = CPU_HZ,
    .segbits = 40,
    .pabits = 36,
    .vector_base_fixed = EBASE_FIXED,
    .features = MIPS_HAS_64 | MIPS_HAS_FPU | MIPS_HAS_4 | MIPS_HAS_PS,
    .prid = 0x000182a0,
    .config = {CONFIG0_TLB | CONFIG0_MIPS64 | 8, /* VI */
               CONFIG1(48, 2, 4, 4, CONFIG1_FP | CONFIG1_PC), CONFIG2},
    .config_writable = {WRITABLE_TLB},
    .status_writable = 0x36fbffff,
    .fir = FIR_SD | FIR_PS | FIR_3D | 0x8200,
    .fcsr_writable = FCSR_PLAIN,
    .tlb_entries = 48,
};

static const struct mips_model mips64r2_generic = {
    BASE,
    .segbits = 42,
    .pabits = 36,
    .features = MIPS_HAS_64 | MIPS_HAS_R2 | MIPS_HAS_FPU | MIPS_HAS_4 | MIPS_HAS_PS,
    .prid = 0x00010000,
    .config = {CONFIG0_TLB | CONFIG0_MIPS64 | CONFIG0_RELEASE2,
               CONFIG1(64, 2, 4, 4, CONFIG1_FP | CONFIG1_PC), CONFIG2, CONFIG3_LPA},
    .config_writable = {WRITABLE_TLB},
    .status_writable = 0x36fbffff,
    .fir = FIR_FULL | FIR_PS | FIR_3D,
    .fcsr_writable = FCSR_PLAIN,
    .tlb_entries = 64,
};

static const struct mips_model mips_i6400 = {
    BASE,
    .segbits = 48,
    .pabits = 48,
    .features = MIPS_HAS_64 | MIPS_HAS_R2 | MIPS_HAS_R5 | MIPS_HAS_R6 | MIPS_HAS_FPU | MIPS_HAS_MSA,
    .prid = 0x0001a900,
    .config = {CONFIG0_TLB | CONFIG0_MIPS64 | CONFIG0_RELEASE6, CONFIG1(16, 2, 5, 4, CONFIG1_FP),
               CONFIG2,
               CONFIG_M | CONFIG3_MSAP | CONFIG3_BP | CONFIG3_BI | CONFIG3_ULRI | CONFIG3_RXI |
                   CONFIG3_LPA | CONFIG3_VINT,
               CONFIG_M | CONFIG4_IE | CONFIG4_AE | UINT32_C(0xfc) << CONFIG4_KSCREXIST_SHIFT,
               CONFIG5_XNP | UINT32_C(1) << 7 /* VP */ | CONFIG5_LLB | CONFIG5_MRP},
    .config_writable = {WRITABLE_TLB, 0, 0, 0, 0,
                        CONFIG5_MSAEN | UINT32_C(1) << 6 /* SBRI */ | CONFIG5_FRE |
                            UINT32_C(1) << 9 /* UFE */},
    .status_reset = STATUS_FR,
    .status_writable = 0x30d8ffff,
    .pagegrain_reset = PAGEGRAIN_RIE | PAGEGRAIN_XIE | PAGEGRAIN_IEC,
    .pagegrain_writable = PAGEGRAIN_ELPA,
    .fir = FIR_FREP | FIR_HAS2008 | FIR_FULL | 0x0300,
    .fcsr = FCSR_2008,
    .fcsr_writable = 0x0103ffff,
    .msair = 0x0300,
    .tlb_entries = 16,
};

#define MODELS32                                                                                   \
    {"4Kc", "MIPS32 release 1, TLB", &mips_4kc},                                                   \
        {"4Km", "MIPS32 release 1, fixed mapping", &mips_4km},                                     \
        {"4KEc", "MIPS32 release 2, TLB", &mips_4kec},                                             \
        {"24Kc", "MIPS32 release 2, no FPU", &mips_24kc},                                          \
        {"24Kf", "MIPS32 release 2, FPU", &mips_24kf},                                             \
        {"34Kf", "MIPS32 release 2, FPU, DSP; one thread: no MT ASE", &mips_34kf},                 \
        {"74Kf", "MIPS32 release 2, FPU, DSP release 2", &mips_74kf},                              \
    {                                                                                              \
        "P5600", "MIPS32 release 5, FPU, MSA, XPA, EVA", &mips_p5600                               \
    }

const struct cpu_model mips_models32[] = {MODELS32, {NULL, NULL, NULL}};

const struct cpu_model mips_models64[] = {
    MODELS32,
    {"5Kc", "MIPS64 release 1, no FPU", &mips_5kc},
    {"5KEc", "MIPS64 release 2, no FPU", &mips_5kec},
    {"20Kc", "MIPS64 release 1, FPU, MIPS-3D", &mips_20kc},
    {"MIPS64R2-generic", "MIPS64 release 2, FPU, MIPS-3D", &mips64r2_generic},
    {"I6400", "MIPS64 release 6, FPU, MSA", &mips_i6400},
    {NULL, NULL, NULL},
};
