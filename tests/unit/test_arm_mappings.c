/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info mem of ARM: sections, pages, domains. */
#include "frontend/arm/system.h"
#include "mappings.h"

static void test_arm(void **state)
{
    struct mappings f;
    struct arm_cpu *cpu;

    mappings_create(&f, "arm", "cortex-a15");
    cpu = (struct arm_cpu *)f.cpu;
    mappings_ask(&f);
    assert_int_equal(f.n, 1);
    assert_string_equal(f.text[0], "MMU off");
    cpu->cp15.sctlr |= SCTLR_M;
    cpu->cp15.ttbr0 = 0x4000;
    cpu->cp15.dacr = 1; /* domain 0: client; the others: no access */
    mappings_put32(&f, 0x4000 + 4 * 0x800, 0x00500c0e); /* section, all may write, write-back */
    mappings_put32(&f, 0x4000 + 4 * 0xc00, 0x00008001); /* table */
    mappings_put32(&f, 0x8000 + 4 * 3, 0x00030012);     /* the kernel's */
    mappings_put32(&f, 0x4000 + 4 * 0xd00, 0x00600c02 | 5 << 5); /* a domain without access */
    mappings_ask(&f);
    assert_int_equal(f.n, 3);
    mapping_is(&f, 0, 0x80000000, 0x00500000, 1 << 20, R | W | X, R | W | X);
    mapping_is(&f, 1, 0xc0003000, 0x00030000, 4096, R | W | X, 0);
    mapping_is(&f, 2, 0xd0000000, 0x00600000, 1 << 20, 0, 0);
    assert_string_equal(f.text[0], "normal");
    assert_string_equal(f.text[1], "strongly-ordered, shared");
    mappings_destroy(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_arm)};

    return cmocka_run_group_tests_name("arm mappings", tests, NULL, NULL);
}
