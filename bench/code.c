/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Code written by the guest. machine.h encodes one instruction at a time: functions of two numbers
 * that return the first, changed by what they were made of; the second's bits steer branches.
 *
 * Rows of new code copy the same function, which knows no addresses, to memory that was not
 * executed yet, or not for 1024 turns; only a small part of their time is the copy's.
 */
#include "machine.h"

enum { STRAIGHT = 1024, BLOCKS = 256, BRANCHES = 256, MODULE = 256, SAME = 32 };
enum { SLOT = 16384, SLOTS = 1024, STEER = 0xa5 }; /* half of the bits of a byte */

static uint32_t templates[2][SLOT / 4], template_words[2];

static void finish_template(int which, const uint8_t *end)
{
    template_words[which] = (uint32_t)(end - (uint8_t *)templates[which] + 3) / 4;
}

static uint8_t *put_straight(uint8_t *at, uint32_t count, uint32_t seed)
{
    while (count--) {
        seed = next_random(seed);
        at = seed & 0x100   ? code_add(at, seed & 0x7f)
             : seed & 0x200 ? code_xor(at, seed & 0x7f)
                            : code_times_9(at);
    }
    return at;
}

static void make_straight(int which, uint32_t count, uint32_t seed)
{
    uint8_t *at = code_enter((uint8_t *)templates[which]);

    finish_template(which, code_leave(put_straight(at, count, seed)));
}

/* Blocks of three instructions and a jump, each followed by one that lies elsewhere. */
static void make_blocks(void)
{
    enum { BLOCK = 32 };
    uint8_t *first = (uint8_t *)templates[0] + BLOCK, *at = code_enter((uint8_t *)templates[0]);

    code_jump(at, first);
    for (uint32_t i = 0, place = 0; i < BLOCKS; i++) {
        uint32_t next = (place + 77) % BLOCKS;
        at = put_straight(first + place * BLOCK, 3, i + 1);
        if (i < BLOCKS - 1)
            code_jump(at, first + next * BLOCK);
        else
            code_leave(at);
        place = next;
    }
    finish_template(0, first + BLOCKS * BLOCK);
}

/* Branches over two instructions: half of them are taken. */
static void make_branchy(void)
{
    uint8_t *at = code_enter((uint8_t *)templates[0]);

    for (uint32_t i = 0; i < BRANCHES; i++) {
        at = code_skip(at, i & 7, 2 * CODE_ADD_BYTES);
        at = code_add(code_add(at, i & 0x7f), 1);
    }
    finish_template(0, code_leave(at));
}

static void write_code(uint8_t *at, int which)
{
    uint32_t *to = (uint32_t *)at;

    for (uint32_t i = 0; i < template_words[which]; i++)
        to[i] = templates[which][i];
    sync_code(at, template_words[which] * 4);
}

static uint32_t run_new(uint32_t turns)
{
    static uint32_t slot;
    uint32_t x = 1;

    while (turns--) {
        uint8_t *at = bench_arena + slot++ % SLOTS * SLOT;
        write_code(at, 0);
        x = mix(x, code_call(at, x, STEER));
    }
    return x;
}

uint32_t work_new_straight(uint32_t turns) /* 1024 instructions */
{
    if (bench_claim(work_new_straight))
        make_straight(0, STRAIGHT, 1);
    return run_new(turns);
}

uint32_t work_new_blocks(uint32_t turns) /* 1024 instructions, a jump every 4 */
{
    if (bench_claim(work_new_blocks))
        make_blocks();
    return run_new(turns);
}

uint32_t work_new_branchy(uint32_t turns) /* 768 instructions executed: 256 tests with branches */
{
    if (bench_claim(work_new_branchy))
        make_branchy();
    return run_new(turns);
}

uint32_t
work_smc_patch(uint32_t turns) /* 1: an instruction of a function is changed, and it is called */
{
    uint8_t *patched = code_enter(bench_arena);
    uint32_t x = 0;

    bench_claim(work_smc_patch);
    code_leave(code_add(patched, 1));
    while (turns--) {
        code_add(patched, turns & 0x7f);
        sync_code(patched, CODE_ADD_BYTES);
        x = code_call(bench_arena, x, 0);
    }
    return x;
}

uint32_t work_smc_same(uint32_t turns) /* 1: 32 instructions are written as they were, and called */
{
    uint32_t x = 1;

    if (bench_claim(work_smc_same))
        make_straight(0, SAME, 3);
    while (turns--) {
        write_code(bench_arena, 0);
        x = code_call(bench_arena, x, 0);
    }
    return x;
}

uint32_t
work_smc_module(uint32_t turns) /* 1: one of two functions of 256 instructions loaded, called */
{
    uint32_t x = 1;

    if (bench_claim(work_smc_module)) {
        make_straight(0, MODULE, 5);
        make_straight(1, MODULE, 7);
    }
    while (turns--) {
        write_code(bench_arena, turns & 1);
        x = code_call(bench_arena, x, 0);
    }
    return x;
}

uint32_t
work_smc_data(uint32_t turns) /* 1: data on a function's page is changed, and it is called */
{
    volatile uint32_t *data = (uint32_t *)(bench_arena + PAGE / 2);
    uint32_t x = 1;

    if (bench_claim(work_smc_data)) {
        make_straight(0, SAME, 3);
        write_code(bench_arena, 0);
    }
    *data = 0;
    while (turns--) {
        *data += turns;
        x = code_call(bench_arena, x + *data, 0);
    }
    return x;
}
