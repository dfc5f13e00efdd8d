/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info tlb of MIPS: the TLB, entry by entry. */
#include "frontend/mips/cpu.h"
#include "mappings.h"

static void test_mips(void **state)
{
    static const struct mips_tlb_entry both = {.vpn = 0x10000,
                                               .mask = 0x1fff,
                                               .page = {0x5000, 0x9000},
                                               .mmid = 7,
                                               .cca = {3, 2},
                                               .valid = {true, true},
                                               .dirty = {true, false}};
    static const struct mips_tlb_entry one = {
        .vpn = 0x20000, .mask = 0x1fff, .mmid = 8, .valid = {false, true}, .no_execute = {0, true}};
    struct mappings f;
    struct mips_cpu *cpu;

    mappings_create(&f, "mips64el", "MIPS64R2-generic");
    cpu = (struct mips_cpu *)f.cpu;
    mips_tlb_reset(cpu);
    cpu->cp0.entryhi = 7;
    mips_tlb_place(cpu, 2, &both);
    mips_tlb_place(cpu, 3, &one);
    mappings_ask(&f);
    assert_int_equal(f.n, 4);
    mapping_is(&f, 0, 0x10000, 0x5000, 4096, R | W | X, R | W | X);
    mapping_is(&f, 1, 0x11000, 0x9000, 4096, R | X, R | X);
    mapping_is(&f, 2, 0x20000, 0, 4096, 0, 0);
    mapping_is(&f, 3, 0x21000, 0, 4096, R, R);
    assert_false(f.told[0].elsewhere);
    assert_true(f.told[3].elsewhere);
    assert_string_equal(f.text[0], "[02] asid 007 - C3 DV");
    mappings_destroy(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_mips)};

    return cmocka_run_group_tests_name("mips mappings", tests, NULL, NULL);
}
