/* SPDX-License-Identifier: GPL-2.0-or-later */
/* util/: errors, arenas, the log's items, suggestions, bit fields. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "util/arena.h"
#include "util/bits.h"
#include "util/error.h"
#include "util/log.h"
#include "util/suggest.h"

static void error_says_one_sentence(void **state)
{
    struct error err;
    assert_false(error_set(&err, "cannot %s '%s'", "open", "x"));
    assert_string_equal(err.message, "cannot open 'x'");
    assert_false(error_set_errno(&err, ENOENT, "file '%s'", "y"));
    assert_string_equal(err.message, "file 'y': No such file or directory");
    assert_false(error_set(NULL, "nobody listens"));
    assert_false(error_set_errno(NULL, EIO, "nobody listens"));
    char *text = malloc(2000);
    memset(text, 'a', 1999);
    text[1999] = '\0';
    error_set_errno(&err, EIO, "%s", text);
    assert_int_equal(strlen(err.message), sizeof(err.message) - 1);
    free(text);
}

static void arena_gives_aligned_memory_and_keeps_it(void **state)
{
    struct arena arena;
    arena_init(&arena);
    arena_reset(&arena);
    for (unsigned round = 0; round < 3; round++) {
        uint8_t *first = arena_alloc(&arena, 1);
        for (size_t size = 1; size < 3000000; size = size * 3 + 1) {
            uint8_t *p = arena_zalloc(&arena, size);
            assert_int_equal((uintptr_t)p % 16, 0);
            for (size_t i = 0; i < size; i += 997)
                assert_int_equal(p[i], 0);
            memset(p, 0xee, size);
        }
        for (unsigned i = 0; i < 2000; i++)
            memset(arena_alloc(&arena, 1000), 0xdd, 1000);
        *first = 1;
        assert_string_equal(arena_printf(&arena, "%d-%s", 12, "ab"), "12-ab");
        arena_reset(&arena);
        /* The same memory again. */
        assert_ptr_equal(arena_alloc(&arena, 1), first);
        arena_reset(&arena);
    }
    arena_finish(&arena);
    assert_null(arena.first);
    assert_non_null(arena_alloc(&arena, 10));
    arena_finish(&arena);
}

static void log_items_parse(void **state)
{
    struct error err;
    unsigned mask = 99;
    assert_true(log_parse("in_asm", &mask, &err));
    assert_int_equal(mask, LOG_IN_ASM);
    assert_true(log_parse("int,mmu,guest_error", &mask, &err));
    assert_int_equal(mask, LOG_INT | LOG_MMU | LOG_GUEST_ERROR);
    for (const struct log_item_name *item = log_item_names; item->name; item++) {
        assert_true(log_parse(item->name, &mask, &err));
        assert_int_equal(mask, item->item);
        assert_true(strlen(item->help) > 0);
    }
    mask = 77;
    assert_false(log_parse("int,guest_eror", &mask, &err));
    assert_int_equal(mask, 77);
    assert_string_equal(err.message,
                        "option -d: unknown log item 'guest_eror'; did you mean 'guest_error'?");
    assert_false(log_parse("", &mask, &err));
    assert_false(log_parse("int,", &mask, &err));
    assert_false(log_parse("IR_OPT", &mask, &err));
    assert_non_null(strstr(err.message, "'ir_opt'"));
    char *long_name = calloc(1, 5000);
    memset(long_name, 'x', 4999);
    assert_false(log_parse(long_name, &mask, &err));
    free(long_name);
}

static void read_file(const char *path, char *text, size_t size)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    text[fread(text, 1, size - 1, file)] = '\0';
    fclose(file);
}

static void log_goes_to_its_file(void **state)
{
    char path[] = "/tmp/calque-log-XXXXXX", text[200];
    struct error err;
    close(mkstemp(path));
    assert_true(log_open(path, &err));
    log_mask = LOG_INT;
    log_printf(LOG_INT, "one %d\n", 1);
    log_printf(LOG_INT, "no newline");
    log_printf(LOG_MMU, "not asked for\n");
    log_lock();
    log_write("a");
    log_write("b\n");
    log_unlock();
    log_mask = LOG_UNIMP;
    for (unsigned i = 0; i < 3; i++)
        log_unimp_once("lacking\n");
    log_close();
    log_mask = 0;
    read_file(path, text, sizeof(text));
    assert_string_equal(text, "one 1\nno newline\nab\nlacking\n");
    unlink(path);
    assert_false(log_open("/nonexistent/file", &err));
    assert_string_equal(err.message,
                        "cannot open log file '/nonexistent/file': No such file or directory");
}

static void suggestions_are_near(void **state)
{
    const char *const names[] = {"cortex-a7", "cortex-a9", "cortex-a15", NULL};
    const char *const none[] = {NULL};
    assert_string_equal(suggest_nearest("cortexa9", names), "cortex-a9");
    assert_string_equal(suggest_nearest("CORTEX-A15", names), "cortex-a15");
    assert_string_equal(suggest_nearest("cortxe-a9", names), "cortex-a9");
    assert_string_equal(suggest_nearest("cortex-a5", names), "cortex-a7");
    assert_null(suggest_nearest("x", none));
    assert_int_equal(suggest_distance("abc", "abc"), 0);
    assert_int_equal(suggest_distance("abc", "acb"), 2);
    assert_int_equal(suggest_distance("abc", "ABC"), 3);
    assert_int_equal(suggest_distance("", "ab"), 4);
    assert_int_equal(suggest_distance("kitten", "sitting"), 6);
}

static void bits_extract_and_deposit(void **state)
{
    assert_int_equal(extract32(0xdeadbeef, 8, 16), 0xadbe);
    assert_int_equal(extract32(0xdeadbeef, 0, 32), 0xdeadbeef);
    assert_int_equal(sextract32(0x00000800, 8, 4), -8);
    assert_int_equal(deposit32(0xffffffff, 4, 8, 0x1a5), 0xfffffa5f);
    assert_int_equal(deposit32(1, 0, 32, 2), 2);
    assert_true(extract64(UINT64_C(0x123456789abcdef0), 60, 4) == 1);
    assert_true(sextract64(UINT64_C(0x8000000000000000), 63, 1) == -1);
    assert_true(deposit64(0, 32, 32, UINT64_C(0xffffffff12345678)) == UINT64_C(0x1234567800000000));
    assert_int_equal(ror32(0x80000001, 1), 0xc0000000);
    assert_int_equal(ror32(5, 32), 5);
    assert_true(ror64(1, 1) == UINT64_C(1) << 63);
    assert_true(is_power_of_two(64) && !is_power_of_two(0) && !is_power_of_two(6));
    assert_int_equal(align_up(0x1001, 0x1000), 0x2000);
    assert_int_equal(align_down(0x1fff, 0x1000), 0x1000);
    uint8_t bytes[8];
    store_be32(bytes + 1, 0x11223344);
    assert_int_equal(bytes[1], 0x11);
    assert_int_equal(load_le32(bytes + 1), 0x44332211);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(error_says_one_sentence),
        cmocka_unit_test(arena_gives_aligned_memory_and_keeps_it),
        cmocka_unit_test(log_items_parse),
        cmocka_unit_test(log_goes_to_its_file),
        cmocka_unit_test(suggestions_are_near),
        cmocka_unit_test(bits_extract_and_deposit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
