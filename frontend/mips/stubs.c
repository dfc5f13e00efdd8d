/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stands in for the parts of the MIPS guest that are not there yet; weak, so that they replace it.
 */
#include "frontend/mips/translate.h"

#define WEAK __attribute__((weak))

static const struct insn_desc no_insns[1];
WEAK const struct insn_desc insns_fpu[1], insns_dsp[1], insns_msa[1];
WEAK bool decode_fpu(struct xlat *x, uint32_t insn)
{
    return no_insns[0].name != NULL;
}
WEAK bool decode_dsp(struct xlat *x, uint32_t insn)
{
    return false;
}
WEAK bool decode_msa(struct xlat *x, uint32_t insn)
{
    return false;
}
WEAK const struct ir_fp_rules mips_fp_rules;
WEAK const struct mmu_client mips_mmu_client;
WEAK const struct cpu_model mips_models32[1], mips_models64[1];
WEAK bool mips_init(struct vcpu *v, struct error *err)
{
    return false;
}
WEAK void mips_reset(struct vcpu *v)
{
}
WEAK void mips_finish(struct vcpu *v)
{
}
WEAK void mips_restore(struct vcpu *v, uint64_t pc, uint32_t aux)
{
}
WEAK bool mips_take_interrupt(struct vcpu *v)
{
    return false;
}
WEAK bool mips_has_work(struct vcpu *v)
{
    return false;
}
WEAK void mips_set_irq(struct vcpu *v, unsigned line, bool level)
{
}
WEAK void mips_print_state(struct vcpu *v, FILE *out)
{
}
WEAK void mips_raise(struct vcpu *v, const struct exception *e)
{
}
WEAK const char *mips_exception_name(unsigned kind)
{
    return NULL;
}
WEAK bool mips_translate_mfc0(struct xlat *x, int rt, int rd, int sel, enum mips_cp0_width w)
{
    return false;
}
WEAK bool mips_translate_mtc0(struct xlat *x, int rt, int rd, int sel, enum mips_cp0_width w)
{
    return false;
}
WEAK bool mips_translate_rdhwr(struct xlat *x, int rt, int rd, int sel)
{
    return false;
}
#define H(n) WEAK const struct ir_helper helper_mips_##n = {.name = #n};
H(raise)
H(eret) H(eretnc) H(deret) H(di) H(ei) H(wait) H(tlbp) H(tlbr) H(tlbwi) H(tlbwr) H(tlbinv) H(cache)
