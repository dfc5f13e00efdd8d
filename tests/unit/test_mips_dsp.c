/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DSP ASE's functions of MIPS64, which no peer runs, against what the manual's pseudocode says,
 * lane by lane; and accumulator extraction with the manual's 65-bit temporary. CALQUE_SEED=N
 * repeats a run.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cmocka.h>

#include "frontend/mips/dsp.h"

enum { CASES = 20000 };

static uint64_t state;

static uint64_t next(void)
{
    uint64_t value;

    state = state * UINT64_C(6364136223846793005) + 1442695040888963407;
    value = state ^ state >> 29;
    switch (value >> 60) {
    case 0:
        return UINT64_C(0x8000800080008000);
    case 1:
        return UINT64_C(0x7fff80007fff8000);
    case 2:
        return UINT64_C(0x8000000080000000);
    default:
        return value * UINT64_C(0x9e3779b97f4a7c15);
    }
}

/* Halfwords, added with saturation and without: ADDQ[_S].QH. */
static void test_addq_qh(void **unused)
{
    static struct mips_cpu cpu;

    for (unsigned n = 0; n < CASES; n++) {
        uint64_t a = next(), b = next(), plain = 0, saturated = 0;
        bool flag = false;

        for (unsigned i = 0; i < 4; i++) {
            int sum = (int16_t)(a >> 16 * i) + (int16_t)(b >> 16 * i);
            int limited = sum > 32767 ? 32767 : sum < -32768 ? -32768 : sum;
            flag |= limited != sum;
            plain |= (uint64_t)(uint16_t)sum << 16 * i;
            saturated |= (uint64_t)(uint16_t)limited << 16 * i;
        }
        cpu.dspcontrol = 0;
        assert_int_equal(mips_dsp_ADDQ_QH(&cpu, a, b), plain);
        assert_int_equal(cpu.dspcontrol, (uint32_t)flag << 20);
        cpu.dspcontrol = 0;
        assert_int_equal(mips_dsp_ADDQ_S_QH(&cpu, a, b), saturated);
        assert_int_equal(cpu.dspcontrol, (uint32_t)flag << 20);
    }
}

/* EXTR[_R,_RS].W: temp is shiftShortAccRightArithmetic's, with a bit of fraction. */
static void test_extr(void **unused)
{
    static struct mips_cpu cpu;

    for (unsigned n = 0; n < CASES; n++) {
        uint64_t accumulator = next() >> (next() & 63);
        unsigned shift = next() & 31;
        __int128 temp = (__int128)(int64_t)accumulator * 2 >> shift;
        __int128 high = temp >> 32, high1 = (temp + 1) >> 32;
        bool flag = (high && high != -1) || (high1 && high1 != -1);
        uint32_t rounded = (uint32_t)((temp + 1) >> 1), saturated = rounded;

        if (high1 && high1 != -1)
            saturated = temp < 0 ? 0x80000000 : 0x7fffffff;
        cpu.dspcontrol = 0;
        assert_int_equal(mips_dsp_EXTR_W(&cpu, accumulator, shift), (uint32_t)(temp >> 1));
        assert_int_equal(cpu.dspcontrol, (uint32_t)flag << 23);
        assert_int_equal(mips_dsp_EXTR_R_W(&cpu, accumulator, shift), rounded);
        assert_int_equal(mips_dsp_EXTR_RS_W(&cpu, accumulator, shift), saturated);
    }
}

/* DPAQ_S.W.QH: four products, each saturated, on an accumulator of 128 bits. */
static void test_dpaq_s_w_qh(void **unused)
{
    static struct mips_cpu cpu;

    for (unsigned n = 0; n < CASES; n++) {
        uint64_t a = next(), b = next();
        unsigned __int128 expected;
        bool flag = false;

        cpu.hi[1] = next();
        cpu.lo[1] = next();
        cpu.dspcontrol = 0;
        expected = (unsigned __int128)cpu.hi[1] << 64 | cpu.lo[1];
        for (unsigned i = 0; i < 4; i++) {
            int64_t product = 2 * (int64_t)(int16_t)(a >> 16 * i) * (int16_t)(b >> 16 * i);
            bool over = product == INT64_C(1) << 31;
            flag |= over;
            expected += (unsigned __int128)(__int128)(over ? product - 1 : product);
        }
        mips_dsp_DPAQ_S_W_QH(&cpu, a, b, 1);
        assert_int_equal(cpu.lo[1], (uint64_t)expected);
        assert_int_equal(cpu.hi[1], (uint64_t)(expected >> 64));
        assert_int_equal(cpu.dspcontrol, (uint32_t)flag << 17);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_addq_qh),
        cmocka_unit_test(test_extr),
        cmocka_unit_test(test_dpaq_s_w_qh),
    };
    const char *seed = getenv("CALQUE_SEED");

    state = seed ? strtoull(seed, NULL, 0) : (uint64_t)time(NULL);
    print_message("seed %llu\n", (unsigned long long)state);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
