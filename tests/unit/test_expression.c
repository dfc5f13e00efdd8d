/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's expressions and formats: values, precedence, mistakes, text at random. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "vm/expression.h"

static bool read_register(void *opaque, const char *name, uint64_t *value)
{
    *value = 0x1000;
    return !strcmp(name, "pc") || !strcmp(name, "r13.b_0");
}

static const struct expression_registers registers = {read_register, NULL};

static void test_values(void **state)
{
    static const struct {
        const char *text;
        uint64_t value;
        const char *rest;
    } rows[] = {
        {"0", 0, ""},
        {" 12 ", 12, ""},
        {"0x10", 16, ""},
        {"010", 8, ""},
        {"0xffffffffffffffff+1", 0, ""},
        {"1+2*3", 7, ""},
        {"(1+2)*3", 9, ""},
        {"10 - 2 - 3", 5, ""},
        {"7 % 4 / 2", 1, ""},
        {"1+2&3", 3, ""}, /* & binds closer than +, as in QEMU's monitor */
        {"6 | 1 ^ 2", 5, ""},
        {"-1", UINT64_MAX, ""},
        {"~0 & 0xff", 0xff, ""},
        {"- - 5", 5, ""},
        {"'A'+1", 66, ""},
        {"$pc+4", 0x1004, ""},
        {"$r13.b_0*2", 0x2000, ""},
        {"0x10 0x20", 16, "0x20"},
        {"1 file name", 1, "file name"},
        {"((((1))))", 1, ""},
        {"8 /2", 4, ""},
        {"4096 /tmp/file", 4096, "/tmp/file"},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *at = rows[i].text;
        uint64_t value = 1234;
        struct error err = {""};
        if (!expression_evaluate(&at, &registers, &value, &err))
            fail_msg("%s: %s", rows[i].text, err.message);
        if (value != rows[i].value)
            fail_msg("%s: %llx", rows[i].text, (unsigned long long)value);
        assert_string_equal(at, rows[i].rest);
    }
}

static void test_mistakes(void **state)
{
    static const char *const rows[] = {"",
                                       "+",
                                       "1+",
                                       "(1",
                                       "1/0",
                                       "1%(2-2)",
                                       "$",
                                       "$zz",
                                       "0x",
                                       "09",
                                       "12ab",
                                       "'a",
                                       "''",
                                       ")",
                                       "*1",
                                       "1 + )",
                                       "0x1ffffffffffffffff",
                                       "$0123456789012345678901234567890123456789"};
    char deep[600];

    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
        const char *at = rows[i];
        struct error err = {""};
        uint64_t value;
        if (expression_evaluate(&at, &registers, &value, &err))
            fail_msg("'%s' was taken", rows[i]);
        assert_true(*err.message);
    }
    for (unsigned i = 0; i < 2; i++) {
        const char *at = deep;
        struct error err;
        uint64_t value;
        memset(deep, i ? '~' : '(', sizeof(deep) - 1);
        deep[sizeof(deep) - 1] = 0;
        assert_false(expression_evaluate(&at, &registers, &value, &err));
        assert_non_null(strstr(err.message, "nested"));
    }
}

static void test_formats(void **state)
{
    struct expression_format format = {1, 'x', 4};
    struct error err;
    const char *at = "/10i $pc";

    assert_true(expression_format(&at, &format, &err));
    assert_string_equal(at, "$pc");
    assert_true(format.count == 10 && format.form == 'i' && format.size == 4);
    at = " /dg 1";
    assert_true(expression_format(&at, &format, &err));
    assert_true(format.count == 10 && format.form == 'd' && format.size == 8);
    at = "/c";
    assert_true(expression_format(&at, &format, &err));
    assert_true(format.form == 'c' && format.size == 1 && !*at);
    at = "5";
    assert_true(expression_format(&at, &format, &err));
    assert_string_equal(at, "5");
    at = "/0x 1";
    assert_false(expression_format(&at, &format, &err));
    at = "/65537b 1";
    assert_false(expression_format(&at, &format, &err));
    at = "/99999999999999999999b";
    assert_false(expression_format(&at, &format, &err));
    at = "/q";
    assert_false(expression_format(&at, &format, &err));
    assert_non_null(strstr(err.message, "'q'"));
}

static void test_nonsense(void **state)
{
    static const char letters[] = "0123456789abcdefx()$+-*/%&|^~' \t$pc";
    unsigned seed = 1;
    char text[65];

    for (unsigned i = 0; i < 200000; i++) {
        const char *at = text;
        struct error err;
        uint64_t value;
        for (unsigned k = 0; k < sizeof(text) - 1; k++) {
            seed = seed * 1103515245 + 12345;
            text[k] = letters[(seed >> 16) % (sizeof(letters) - 1)];
        }
        text[i % sizeof(text)] = 0;
        text[sizeof(text) - 1] = 0;
        (void)expression_evaluate(&at, &registers, &value, &err);
        assert_true(at >= text && at <= text + strlen(text));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values), cmocka_unit_test(test_mistakes),
        cmocka_unit_test(test_formats), cmocka_unit_test(test_nonsense)};

    return cmocka_run_group_tests_name("expressions", tests, NULL, NULL);
}
