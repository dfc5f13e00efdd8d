/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MXCSR, FXSAVE, FXRSTOR, XSAVE and XRSTOR of the x86 guest: images as SDM vol. 1, 10.5 and 13
 * describe them, and what they refuse.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "exec/vcpu.h"
#include "frontend/x86/fpu.h"
#include "frontend/x86/system.h"

enum { RAM_BYTES = 1 << 20, AREA = 0x4000 };

struct fixture {
    struct x86_cpu *cpu;
    struct memory *memory;
    struct clock *clock;
    struct exec *exec;
    pthread_mutex_t lock;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    struct exec_options options = {.interpret = true, .check = true};
    struct error err;

    memory_lock_init(&f->lock);
    f->clock = clock_create_manual();
    f->memory = memory_create(&f->lock, &err);
    assert_non_null(memory_add_ram(f->memory, "ram", 0, RAM_BYTES, &err));
    f->exec = exec_create(guest_find("x86_64"), f->memory, &options, &err);
    f->cpu = x86_cpu(vcpu_create(f->exec, "max", f->clock, &f->lock, 0, &err));
    assert_non_null(f->cpu);
    vcpu_reset(&f->cpu->v);
    f->cpu->cr4 = CR4_OSFXSR | CR4_OSXMMEXCPT | CR4_OSXSAVE;
    f->cpu->xcr0 = 7;
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    vcpu_destroy(&f->cpu->v);
    exec_destroy(f->exec);
    memory_destroy(f->memory);
    clock_destroy(f->clock);
    pthread_mutex_destroy(&f->lock);
    free(f);
    return 0;
}

static void poke(struct fixture *f, uint64_t address, uint64_t value, unsigned size)
{
    bool ok;
    memory_store(f->memory, address, value, size, &ok);
    assert_true(ok);
}

static uint64_t peek(struct fixture *f, uint64_t address, unsigned size)
{
    bool ok;
    uint64_t value = memory_load(f->memory, address, size, &ok);
    assert_true(ok);
    return value;
}

static void save(struct fixture *f, uint64_t address, enum x86_save what)
{
    ((void (*)(struct x86_cpu *, uint64_t, uint32_t))helper_fpu_save.fn)(f->cpu, address, what);
}

#define RAISES(f, kind_, statement)                                                                \
    do {                                                                                           \
        jmp_buf here;                                                                              \
        (f)->cpu->sys->trap = &here;                                                               \
        if (!setjmp(here)) {                                                                       \
            statement;                                                                             \
            (f)->cpu->sys->trap = NULL;                                                            \
            fail_msg("%s raises nothing", #statement);                                             \
        }                                                                                          \
        (f)->cpu->sys->trap = NULL;                                                                \
        assert_int_equal((f)->cpu->sys->trapped.kind, kind_);                                      \
    } while (0)

static void fill(struct fixture *f)
{
    for (unsigned i = 0; i < 16; i++)
        for (unsigned k = 0; k < 4; k++)
            f->cpu->ymm[i][k] = 0x1000 * i + k + 1;
    x86_mxcsr_write(f->cpu, 0x1fa1);
}

static void legacy_image(void **state)
{
    struct fixture *f = *state;
    fill(f);
    f->cpu->fpu_ip = 0x1234;
    f->cpu->fpu_dp = 0x5678;
    f->cpu->fpu_cs = 8;
    f->cpu->fpu_ds = 0x10;
    save(f, AREA, SAVE_FXSAVE);
    assert_int_equal(peek(f, AREA, 2), 0x37f);
    assert_int_equal(peek(f, AREA + 2, 2), 0);
    assert_int_equal(peek(f, AREA + 4, 1), 0);
    assert_int_equal(peek(f, AREA + 8, 4), 0x1234);
    assert_int_equal(peek(f, AREA + 12, 2), 8);
    assert_int_equal(peek(f, AREA + 16, 4), 0x5678);
    assert_int_equal(peek(f, AREA + 20, 2), 0x10);
    assert_int_equal(peek(f, AREA + 24, 4), 0x1fa1);
    assert_int_equal(peek(f, AREA + 28, 4), 0xffff);
    assert_int_equal(peek(f, AREA + 160 + 16 * 7 + 8, 8), 0x7002);
    /* Outside 64-bit mode there are eight registers. */
    assert_int_equal(peek(f, AREA + 160 + 16 * 8, 8), 0);
}

static void legacy_round_trip(void **state)
{
    struct fixture *f = *state;
    fill(f);
    save(f, AREA, SAVE_FXSAVE);
    poke(f, AREA, 0x27e, 2);
    poke(f, AREA + 2, 0x3801, 2); /* invalid is pending and unmasked */
    poke(f, AREA + 4, 0x80, 1);
    poke(f, AREA + 32, 0xc000000000000000, 8);
    poke(f, AREA + 40, 0x4000, 2);
    poke(f, AREA + 24, 0x9f80, 4);
    poke(f, AREA + 160, 0x99, 8);
    save(f, AREA, SAVE_FXRSTOR);
    assert_int_equal(f->cpu->ymm[0][0], 0x99);
    assert_int_equal(f->cpu->ymm[0][2], 3); /* stays */
    assert_int_equal(x86_mxcsr_read(f->cpu), 0x9f80);
    assert_int_equal(f->cpu->fpu_control & 0xffff, 0x27e);
    assert_true(f->cpu->v.run.key & KEY_X87_UNMASKED);
    save(f, AREA + 0x1000, SAVE_FXSAVE);
    assert_int_equal(peek(f, AREA + 0x1000, 2), 0x27e);
    assert_int_equal(peek(f, AREA + 0x1002, 2), 0xb881); /* with ES and B */
    assert_int_equal(peek(f, AREA + 0x1004, 1), 0x80);
    assert_int_equal(peek(f, AREA + 0x1000 + 32, 8), 0xc000000000000000);
    assert_int_equal(peek(f, AREA + 0x1000 + 40, 2), 0x4000);
}

/* An area that two pages share. */
static void across_pages(void **state)
{
    struct fixture *f = *state;
    uint64_t area = AREA + 0x1000 - 208;
    fill(f);
    poke(f, area + 288, 0x1122334455667788, 8);
    save(f, area, SAVE_FXSAVE);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(peek(f, area + 160 + 16 * i, 8), 0x1000 * i + 1);
        assert_int_equal(peek(f, area + 168 + 16 * i, 8), 0x1000 * i + 2);
    }
    assert_int_equal(peek(f, area + 288, 8), 0x1122334455667788); /* eight registers end here */
    memset(f->cpu->ymm, 0, sizeof(f->cpu->ymm));
    save(f, area, SAVE_FXRSTOR);
    for (unsigned i = 0; i < 8; i++) {
        assert_int_equal(f->cpu->ymm[i][0], 0x1000 * i + 1);
        assert_int_equal(f->cpu->ymm[i][1], 0x1000 * i + 2);
    }
}

static void refusals(void **state)
{
    struct fixture *f = *state;
    RAISES(f, EXC_GP, save(f, AREA + 8, SAVE_FXSAVE));
    RAISES(f, EXC_GP, save(f, AREA + 16, SAVE_XSAVE));
    save(f, AREA, SAVE_FXSAVE);
    poke(f, AREA + 24, 0x11f80, 4);
    RAISES(f, EXC_GP, save(f, AREA, SAVE_FXRSTOR));
    poke(f, AREA + 24, 0x1f80, 4);
    f->cpu->gpr[RAX] = 7;
    poke(f, AREA + 512, 8, 8); /* a component that XCR0 does not have */
    RAISES(f, EXC_GP, save(f, AREA, SAVE_XRSTOR));
    poke(f, AREA + 512, 7, 8);
    poke(f, AREA + 520, UINT64_C(1) << 63, 8);
    RAISES(f, EXC_GP, save(f, AREA, SAVE_XRSTOR));
    f->cpu->cr0 |= CR0_TS;
    RAISES(f, EXC_NM, save(f, AREA, SAVE_FXSAVE));
    RAISES(f, EXC_NM, save(f, AREA, SAVE_XSAVE));
    f->cpu->cr4 &= ~(uint64_t)CR4_OSXSAVE;
    RAISES(f, EXC_UD, save(f, AREA, SAVE_XSAVE));
}

static void extended_image(void **state)
{
    struct fixture *f = *state;
    fill(f);
    f->cpu->gpr[RAX] = 6;
    f->cpu->gpr[RDX] = 0;
    poke(f, AREA, 0xaaaa, 2);
    poke(f, AREA + 512, 1, 8);
    save(f, AREA, SAVE_XSAVE);
    assert_int_equal(peek(f, AREA, 2), 0xaaaa); /* x87 was not asked for */
    assert_int_equal(peek(f, AREA + 512, 8), 7);
    assert_int_equal(peek(f, AREA + 24, 4), 0x1fa1);
    assert_int_equal(peek(f, AREA + 160 + 16 * 3, 8), 0x3001);
    assert_int_equal(peek(f, AREA + 576 + 16 * 3 + 8, 8), 0x3004);

    f->cpu->gpr[RAX] = 4;
    memset(f->cpu->ymm, 0, sizeof(f->cpu->ymm));
    save(f, AREA, SAVE_XRSTOR);
    assert_int_equal(f->cpu->ymm[3][0], 0);
    assert_int_equal(f->cpu->ymm[3][3], 0x3004);
    poke(f, AREA + 512, 3, 8); /* AVX is in its initial state */
    save(f, AREA, SAVE_XRSTOR);
    assert_int_equal(f->cpu->ymm[3][3], 0);
    poke(f, AREA + 576, 0x77, 8);
    save(f, AREA, SAVE_XSAVEOPT); /* what is initial is not written */
    assert_int_equal(peek(f, AREA + 576, 8), 0x77);
    assert_int_equal(peek(f, AREA + 512, 8), 3);
}

static void control_word(void **state)
{
    struct fixture *f = *state;
    x86_mxcsr_write(f->cpu, 0x1f80);
    assert_false(f->cpu->v.run.key & KEY_SSE_UNMASKED);
    x86_mxcsr_write(f->cpu, 0xe041 | 0x1f00);
    assert_true(f->cpu->v.run.key & KEY_SSE_UNMASKED);
    assert_int_equal(x86_mxcsr_read(f->cpu), 0xff41);
    /* The host's exceptions stay masked; rounding, DAZ and FTZ are the guest's. */
    assert_int_equal(f->cpu->v.run.mxcsr, 0xffc1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(legacy_image, setup, teardown),
        cmocka_unit_test_setup_teardown(legacy_round_trip, setup, teardown),
        cmocka_unit_test_setup_teardown(across_pages, setup, teardown),
        cmocka_unit_test_setup_teardown(refusals, setup, teardown),
        cmocka_unit_test_setup_teardown(extended_image, setup, teardown),
        cmocka_unit_test_setup_teardown(control_word, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
