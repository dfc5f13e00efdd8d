/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tools/decode: what it accepts, what it refuses; and the structure of every ARM table: a random
 * word of each row reaches that row, and no row it does not match.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "frontend/arm/translate.h"

/* ---- every ARM table, its handlers replaced by ones that note they were called --------------- */

enum { MAX_VISITS = 64 };

static const char *visited[MAX_VISITS];
static unsigned n_visited;

static bool visit(const char *row)
{
    if (n_visited < MAX_VISITS)
        visited[n_visited++] = row;
    return false;
}

#define arm_has(x, feature) true
#define DECODE_IMPLEMENTATION
#define DECODE_HANDLER static
#define STUB(name, set)                                                                            \
    static bool DECODE_TRANS(name)(struct xlat * x, const struct arg_##set *a)                     \
    {                                                                                              \
        return visit(#name);                                                                       \
    }

/* One name for both, apart from the library's. */
#define decode_a32 stub_decode_a32
#define insns_a32 stub_insns_a32
#define DECODE_TRANS(name) a32_##name
#include "build/gen/a32.inc"
DECODE_ROWS_a32(STUB)
#undef DECODE_TRANS

#define decode_a32u stub_decode_a32u
#define insns_a32u stub_insns_a32u
#define DECODE_TRANS(name) a32u_##name
#include "build/gen/a32u.inc"
    DECODE_ROWS_a32u(STUB)
#undef DECODE_TRANS

#define decode_t32 stub_decode_t32
#define insns_t32 stub_insns_t32
#define DECODE_TRANS(name) t32_##name
#include "build/gen/t32.inc"
        DECODE_ROWS_t32(STUB)
#undef DECODE_TRANS

#define decode_t16 stub_decode_t16
#define insns_t16 stub_insns_t16
#define DECODE_TRANS(name) t16_##name
#include "build/gen/t16.inc"
            DECODE_ROWS_t16(STUB)
#undef DECODE_TRANS

#define decode_vfp stub_decode_vfp
#define insns_vfp stub_insns_vfp
#define DECODE_TRANS(name) vfp_##name
#include "build/gen/vfp.inc"
                DECODE_ROWS_vfp(STUB)
#undef DECODE_TRANS

#define decode_neon stub_decode_neon
#define insns_neon stub_insns_neon
#define DECODE_TRANS(name) neon_##name
#include "build/gen/neon.inc"
                    DECODE_ROWS_neon(STUB)
#undef DECODE_TRANS

/* clang-format off */
#define FIELD_FUNCTION(name) static int name(struct xlat *x, int value) { return value; }
    /* clang-format on */
    FIELD_FUNCTION(times_2) FIELD_FUNCTION(times_4) FIELD_FUNCTION(register_after)
        FIELD_FUNCTION(a32_expand_immediate) FIELD_FUNCTION(a32_immediate_carry)
            FIELD_FUNCTION(t32_expand_immediate) FIELD_FUNCTION(t32_immediate_carry)
                FIELD_FUNCTION(t32_branch_offset) FIELD_FUNCTION(t32_blx_offset)
                    FIELD_FUNCTION(t16_setflags) FIELD_FUNCTION(t16_push_list)
                        FIELD_FUNCTION(t16_pop_list) FIELD_FUNCTION(t16_cps_imod)

                            static const struct {
    const struct insn_desc *rows;
    bool (*decode)(struct xlat *x, uint32_t insn);
} tables[] = {
    {insns_a32, decode_a32}, {insns_a32u, decode_a32u}, {insns_t32, decode_t32},
    {insns_t16, decode_t16}, {insns_vfp, decode_vfp},   {insns_neon, decode_neon},
};

static uint32_t next_random(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 32);
}

static bool was_visited(const char *name)
{
    for (unsigned i = 0; i < n_visited; i++)
        if (!strcmp(visited[i], name))
            return true;
    return false;
}

static void every_row_is_reached(void **state)
{
    uint64_t random = 1;
    for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
        for (const struct insn_desc *row = tables[t].rows; row->name; row++)
            for (unsigned n = 0; n < 200; n++) {
                uint32_t insn = (next_random(&random) & ~row->fixed_mask) | row->fixed_bits;
                if (row->length == 2)
                    insn &= 0xffff;
                n_visited = 0;
                assert_false(tables[t].decode(NULL, insn));
                if (!was_visited(row->name))
                    fail_msg("%s: %#x does not reach row %s", row->table, insn, row->name);
            }
}

/* A visited row must be one that matches, by some description of that name. */
static void no_other_row_is_reached(void **state)
{
    uint64_t random = 2;
    for (size_t t = 0; t < ARRAY_SIZE(tables); t++)
        for (unsigned n = 0; n < 20000; n++) {
            uint32_t insn = next_random(&random);
            const struct insn_desc *row = tables[t].rows;
            if (row->length == 2)
                insn &= 0xffff;
            n_visited = 0;
            tables[t].decode(NULL, insn);
            /* "Should be" bits are in fixed_mask, so a match is certain only the other way. */
            for (; row->name; row++)
                if ((insn & row->fixed_mask) == row->fixed_bits && !was_visited(row->name))
                    fail_msg("%s: %#x matches row %s but does not reach it", row->table, insn,
                             row->name);
        }
}

/* ---- the generator --------------------------------------------------------------------------- */

/* Runs the tool on a table; true if it accepts it. What it wrote, to either place, is in text. */
static bool run_tool(const char *table, char *text, size_t size)
{
    char directory[] = "/tmp/calque-decode-XXXXXX", command[1024], path[64];
    assert_non_null(mkdtemp(directory));
    snprintf(path, sizeof(path), "%s/in.decode", directory);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs(table, file);
    fclose(file);
    snprintf(command, sizeof(command),
             "cd %s && \"$OLDPWD\"/build/tools/decode in.decode out.inc > log 2>&1", directory);
    bool ok = system(command) == 0;
    snprintf(path, sizeof(path), "%s/%s", directory, ok ? "out.inc" : "log");
    file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
    snprintf(command, sizeof(command), "rm -r %s", directory);
    assert_int_equal(system(command), 0);
    return ok;
}

static void refuses(const char *table, const char *part1, const char *part2)
{
    char text[4096];
    assert_false(run_tool(table, text, sizeof(text)));
    if (!strstr(text, part1) || !strstr(text, part2))
        fail_msg("expected '%s' and '%s' in: %s", part1, part2, text);
}

static void overlap_names_both_rows(void **state)
{
    refuses("table t 16\nargs a = r\n"
            "FIRST  1111 r:4 ---- ---- &a\nSECOND 11-- 1111 r:4 ---- &a\n",
            "'FIRST'", "'SECOND'");
    refuses("table t 16\n{\n[\nA 0000 ---- ---- ----\nB 0--- ---- ---- ----\n]\n"
            "C ---- ---- ---- ----\n}\n",
            "'A'", "'B'");
}

static void mistakes_are_named(void **state)
{
    refuses("table t 16\nA 0000 .... ---- ----\n", "in.decode:2", "neither fixed");
    refuses("table t 16\nA 0000 ---- ----\n", "in.decode:2", "12 bits instead of 16");
    refuses("table t 16\nA 0000 r:4 ---- ----\n", "'A'", "no &args");
    refuses("table t 16\nargs a = r s\nA 0000 r:4 ---- ---- &a\n", "'A'", "'s'");
    refuses("table t 16\nargs a = r\nA 0000 r:4 s:4 ---- &a\n", "'A'", "'s'");
    refuses("table t 16\nargs a = r\nA 0000 r:4 ---- ---- &a r=1\n", "'r'", "twice");
    refuses("table t 16\nargs a = r\nformat f &a 0000 r:4 ---- ....\nA 1000 .... .... 0000 @f\n",
            "contradicts", "'f'");
    refuses("table t 16\nA 0000 0000 0000 0000 ! nonsense\n", "annotation", "'nonsense'");
    refuses("table t 16\nA 0000 0000 0000 0000 @f\n", "format", "'f'");
    refuses("table t 16\n{\nA 0000 0000 0000 0000\n", "in.decode:2", "not closed");
    refuses("table t 16\n]\nA 0000 0000 0000 0000\n", "']'", "closes nothing");
    refuses("table t 17\n", "in.decode:1", "16 or 32");
    refuses("A 0000\n", "in.decode:1", "table NAME WIDTH");
    refuses("table t 16\n", "no rows", "");
}

/* Rows that all match are tried in the order of their group. */
static void ordered_groups_keep_their_order(void **state)
{
    n_visited = 0;
    assert_false(decode_a32(NULL, 0xe320f003));
    assert_int_equal(n_visited, 3);
    assert_string_equal(visited[0], "WFI");
    assert_string_equal(visited[1], "NOP");
    assert_string_equal(visited[2], "MSR_imm");
    n_visited = 0;
    assert_false(decode_t32(NULL, 0xea5f0102)); /* ORRS with Rn = 15 is MOVS */
    assert_int_equal(n_visited, 2);
    assert_string_equal(visited[0], "MOV_shift");
    assert_string_equal(visited[1], "ORR_shift");
}

static void split_and_signed_fields(void **state)
{
    char text[65536];
    assert_true(run_tool("table t 32\nargs a = v w\nfield split = 16+4:0+12 signed fn=twice\n"
                         "A 1111 1111 ---- .... w:s4 ............ &a v=%split ! mem\n",
                         text, sizeof(text)));
    assert_non_null(strstr(text, "static int twice(struct xlat *x, int value);"));
    assert_non_null(strstr(text, "insn >> 16 & 0xfu) << 12"));
    assert_non_null(strstr(text, ") << 28) >> 28"));
    assert_non_null(strstr(text, "0xff000000, 0xff000000, 4, 0 | INSN_MEM, NULL"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_row_is_reached),
        cmocka_unit_test(no_other_row_is_reached),
        cmocka_unit_test(overlap_names_both_rows),
        cmocka_unit_test(mistakes_are_named),
        cmocka_unit_test(ordered_groups_keep_their_order),
        cmocka_unit_test(split_and_signed_fields),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
