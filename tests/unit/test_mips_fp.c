/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The MIPS FPU's arithmetic in software: NaNs and conversions of both FCSR.NAN2008. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "frontend/mips/fpu.h"

enum { WORD_OF_D = OPERATION_CONVERT | FMT_D << WHAT_FROM | FMT_W << WHAT_TO };
enum { ADD_S = OPERATION_ADD | FMT_S << WHAT_FROM, V = 16, NAN2008 = FCSR_NAN2008_BIT };

static const struct {
    uint32_t fcsr, what;
    uint64_t a, b, result;
    uint32_t exceptions;
} cases[] = {
    {0, ADD_S, 0x7fbfffff, 0x3f800000, 0x7fbfffff, 0},
    {0, ADD_S, 0x7fc00000, 0x3f800000, 0x7fbfffff, V},
    {NAN2008, ADD_S, 0x7fc12345, 0x3f800000, 0x7fc12345, 0},
    {NAN2008, ADD_S, 0x7f812345, 0x3f800000, 0x7fc12345, V},
    {0, ADD_S, 0x7f800000, 0xff800000, 0x7fbfffff, V},
    {NAN2008, ADD_S, 0x7f800000, 0xff800000, 0x7fc00000, V},
    {0, WORD_OF_D, UINT64_C(0xc1f0000000000000), 0, 0x7fffffff, V},
    {NAN2008, WORD_OF_D, UINT64_C(0xc1f0000000000000), 0, 0x80000000, V},
    {0, WORD_OF_D, UINT64_C(0x7ff8000000000000), 0, 0x7fffffff, V},
    {NAN2008, WORD_OF_D, UINT64_C(0x7ff8000000000000), 0, 0, V},
};

static void test_nans(void **state)
{
    for (unsigned n = 0; n < ARRAY_SIZE(cases); n++) {
        struct fp_env env = mips_fp_env(cases[n].fcsr);

        assert_int_equal(mips_fp_compute(&env, cases[n].what, cases[n].a, cases[n].b, 0),
                         cases[n].result);
        assert_int_equal(mips_fp_exceptions(env.flags), cases[n].exceptions);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nans)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
