/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info mem of x86: both kinds of page tables, and some that refer to themselves. */
#include "frontend/x86/system.h"
#include "mappings.h"

static void test_x86_32(void **state)
{
    struct mappings f;
    struct x86_cpu *cpu;

    mappings_create(&f, "i386", "pentium3");
    cpu = (struct x86_cpu *)f.cpu;
    mappings_ask(&f);
    assert_int_equal(f.n, 1);
    mapping_is(&f, 0, 0, 0, UINT64_C(1) << 32, R | W | X, R | W | X);
    cpu->cr0 |= CR0_PG | CR0_PE;
    cpu->cr4 |= CR4_PSE;
    cpu->cr3 = 0x1000;
    mappings_put32(&f, 0x1000 + 4 * 1, 0x2000 | 7);              /* a table */
    mappings_put32(&f, 0x2000 + 4 * 5, 0x00050000 | 5);          /* read-only, the user's */
    mappings_put32(&f, 0x2000 + 4 * 6, 0x00060000 | 3 | 1 << 8); /* writable, global */
    mappings_put32(&f, 0x1000 + 4 * 0x300, 0x00400000 | 0x83);   /* 4 MiB */
    mappings_ask(&f);
    assert_int_equal(f.n, 3);
    mapping_is(&f, 0, 0x00405000, 0x50000, 4096, R | X, R | X);
    mapping_is(&f, 1, 0x00406000, 0x60000, 4096, R | W | X, 0);
    mapping_is(&f, 2, 0xc0000000, 0x00400000, 4 << 20, R | W | X, 0);
    assert_string_equal(f.text[1], "G---");
    assert_string_equal(f.text[2], "-P--");
    f.limit = 1;
    mappings_ask(&f);
    assert_int_equal(f.n, 1);
    mappings_destroy(&f);
}

static void test_x86_64(void **state)
{
    struct mappings f;
    struct x86_cpu *cpu;

    mappings_create(&f, "x86_64", "max");
    cpu = (struct x86_cpu *)f.cpu;
    cpu->cr0 |= CR0_PG | CR0_PE;
    cpu->cr4 |= CR4_PAE;
    cpu->efer |= EFER_LMA | EFER_NXE;
    cpu->cr3 = 0x1000;
    mappings_put64(&f, 0x1000, 0x2000 | 7);
    mappings_put64(&f, 0x1000 + 8 * 511, 0x2000 | 3); /* the same table, not the user's */
    mappings_put64(&f, 0x2000 + 8 * 2, 0x3000 | 7);
    mappings_put64(&f, 0x3000 + 8 * 7, 0x00e00000 | 0x87 | UINT64_C(1) << 63);
    mappings_ask(&f);
    assert_int_equal(f.n, 2);
    mapping_is(&f, 0, 0x80e00000, 0x00e00000, 2 << 20, R | W, R | W);
    mapping_is(&f, 1, UINT64_C(0xffffff8080e00000), 0x00e00000, 2 << 20, R | W, 0);
    /* A table of tables that is each of them: it comes to an end. */
    for (unsigned i = 0; i < 512; i++)
        mappings_put64(&f, 0x1000 + 8 * i, 0x1000 | 7);
    mappings_ask(&f);
    assert_int_equal(f.n, GUEST_MAX_LOOKUPS);
    mappings_destroy(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_x86_32),
                                       cmocka_unit_test(test_x86_64)};

    return cmocka_run_group_tests_name("x86 mappings", tests, NULL, NULL);
}
