/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The monitor's line editor: what each key does to the line and to the screen, which a small
 * terminal shows; history, completion, and bytes at random.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "vm/line_editor.h"

/* ---- a terminal of one line --------------------------------------------------------------------
 */

struct terminal {
    char row[4096];
    unsigned column, end, lines;
    unsigned escape; /* bytes of a sequence so far */
    char raw[65536];
    size_t n_raw;
};

static void new_line(struct terminal *t)
{
    t->column = t->end = 0;
    t->lines++;
}

static void show_byte(struct terminal *t, char c)
{
    if (t->escape) {
        t->escape++;
        if (c == 'K')
            t->end = t->column;
        if (c == 'J')
            new_line(t);
        if (t->escape > 2 && c >= '@')
            t->escape = 0;
    } else if (c == '\033') {
        t->escape = 1;
    } else if (c == '\n') {
        new_line(t);
    } else if (c == '\b') {
        assert_true(t->column > 0);
        t->column--;
        while (t->column && (t->row[t->column] & 0xc0) == 0x80)
            t->column--;
    } else if (t->column < sizeof(t->row) - 1) {
        t->row[t->column++] = c;
        if (t->column > t->end)
            t->end = t->column;
    }
}

static void show(void *opaque, const char *text, size_t size)
{
    struct terminal *t = opaque;

    for (size_t i = 0; i < size; i++) {
        show_byte(t, text[i]);
        if (t->n_raw < sizeof(t->raw) - 1)
            t->raw[t->n_raw++] = text[i];
    }
    t->raw[t->n_raw] = 0;
}

static void complete(void *opaque, const char *line, struct line_choices *out)
{
    static const char *const words[] = {
        "help", "info", "info_more", "screendump", "sendkey", "system_powerdown", "system_reset"};
    const char *blank = strrchr(line, ' ');

    for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
        line_choices_add(out, blank ? blank + 1 : line, words[i]);
}

static struct terminal terminal;
static struct line_editor *editor;

static enum line_editor_result type(const char *keys)
{
    enum line_editor_result result = LINE_GOES_ON;

    for (; *keys; keys++)
        result = line_editor_key(editor, (uint8_t)*keys);
    return result;
}

/* What the screen's last row shows, and where its cursor stands. */
static void shows(const char *row, unsigned column)
{
    unsigned end = terminal.end;

    while (end && terminal.row[end - 1] == ' ' && end > strlen(row))
        end--;
    terminal.row[end] = 0;
    assert_string_equal(terminal.row, row);
    assert_int_equal(terminal.column, column);
}

static void gives(const char *keys, const char *line)
{
    assert_int_equal(type(keys), LINE_DONE);
    assert_string_equal(line_editor_line(editor), line);
    line_editor_prompt(editor);
}

static int set_up(void **state)
{
    struct line_editor_client client = {show, complete, &terminal};

    memset(&terminal, 0, sizeof(terminal));
    editor = line_editor_create("> ", &client);
    line_editor_prompt(editor);
    return 0;
}

static int tear_down(void **state)
{
    line_editor_destroy(editor);
    return 0;
}

/* ---- tests -------------------------------------------------------------------------------------
 */

static void test_typing(void **state)
{
    gives("quit\r", "quit");
}

static void test_return_and_newline(void **state)
{
    assert_int_equal(type("a\r"), LINE_DONE);
    assert_int_equal(type("\n"), LINE_GOES_ON);
    assert_int_equal(type("\n"), LINE_DONE);
    assert_int_equal(type("b\n"), LINE_DONE);
    assert_string_equal(line_editor_line(editor), "b");
    assert_int_equal(type("c\n"), LINE_DONE);
}

/* Typing at the end shows the characters and nothing else. */
static void test_plain_echo(void **state)
{
    terminal.n_raw = 0;
    type("info status\r");
    assert_string_equal(terminal.raw, "info status\n");
}

static void test_cursor(void **state)
{
    type("acd\033[D\033[Db");
    shows("> abcd", 4);
    type("\001x");
    shows("> xabcd", 3);
    type("\005y");
    shows("> xabcdy", 8);
    type("\033[H\033[3~");
    shows("> abcdy", 2);
    type("\033[F\b");
    shows("> abcd", 6);
    type("\002\002\006z\004");
    shows("> abcz", 6);
    type("\033OH\033OF\033[1~\033[4~!");
    gives("\r", "abcz!");
    type("one two.three");
    type("\033b");
    shows("> one two.three", 10);
    type("\033[1;5D\033[1;5D");
    shows("> one two.three", 2);
    type("\033[1;5C\033f\033d");
    gives("\r", "one two");
}

static void test_kill(void **state)
{
    type("one two three");
    type("\027");
    shows("> one two", 10);
    type("\027\025");
    shows(">", 2);
    type("\031\031");
    gives("\r", "one one ");
    type("abcdef\001\006\006\013");
    shows("> ab", 4);
    gives("\r", "ab");
    type("keep\003");
    shows(">", 2);
    gives("new\r", "new");
}

static void test_history(void **state)
{
    gives("one\r", "one");
    gives("two\r", "two");
    gives("two\r", "two"); /* remembered once */
    gives("  \r", "  ");   /* not at all */
    type("draft\033[A");
    shows("> two", 5);
    type("\020");
    shows("> one", 5);
    type("\033[A");
    shows("> one", 5);
    type("\033[B\033OB");
    shows("> draft", 7);
    type("\033[B");
    shows("> draft", 7);
    gives("\020\020!\r", "one!");
    assert_string_equal(line_editor_history(editor, 0), "one");
    assert_string_equal(line_editor_history(editor, 2), "one!");
    assert_null(line_editor_history(editor, 3));
    for (unsigned i = 0; i < 3 * LINE_EDITOR_HISTORY; i++) {
        char line[16];
        snprintf(line, sizeof(line), "%u\r", i);
        type(line);
    }
    assert_string_equal(line_editor_history(editor, LINE_EDITOR_HISTORY - 1), "191");
    assert_null(line_editor_history(editor, LINE_EDITOR_HISTORY));
}

static void test_completion(void **state)
{
    type("h\t");
    shows("> help ", 7);
    type("\025sy\t");
    shows("> system_", 9);
    type("\t");
    assert_non_null(strstr(terminal.raw, "system_powerdown  system_reset"));
    shows("> system_", 9);
    type("r\t");
    gives("\r", "system_reset ");
    type("info\t");
    shows("> info", 6);
    type("\025zz\t");
    shows("> zz", 4);
    type("\025info s\t");
    shows("> info s", 8);
    type("\025lp\001he\002\002\t");
    gives("\r", "help");
}

static void test_too_long(void **state)
{
    for (unsigned i = 0; i < 3 * LINE_EDITOR_BYTES; i++)
        type("x");
    assert_int_equal(type("\r"), LINE_TOO_LONG);
    gives("y\r", "y");
    assert_string_equal(line_editor_history(editor, 0), "y");
}

/* "Käse" with the cursor between: bytes of a character stay together. */
static void test_utf8(void **state)
{
    type("K\303\244se\033[D\033[D\033[D\033[D");
    assert_int_equal(terminal.column, 2);
    type("\033[C\033[3~");
    gives("\r", "Kse");
}

static void test_reset(void **state)
{
    type("half\033[");
    line_editor_reset(editor);
    gives("A\r", "A");
}

/* Whatever comes: the line fits, and the screen's cursor never leaves the line. */
static void test_nonsense(void **state)
{
    unsigned seed = 1;

    for (unsigned i = 0; i < 300000; i++) {
        static const uint8_t keys[] = {27,  '[', '3',  '~',  'A', 'B', 'C', 'D', 1,   2,  4,  5,
                                       6,   8,   9,    11,   12,  13,  16,  14,  21,  23, 25, ' ',
                                       'a', 's', 0xc3, 0xa4, ';', '5', 'O', 'H', 'F', 127};
        seed = seed * 1103515245 + 12345;
        line_editor_key(editor, (seed >> 24) < 250 ? keys[(seed >> 8) % sizeof(keys)]
                                                   : (uint8_t)(seed >> 16));
        assert_true(strlen(line_editor_line(editor)) < LINE_EDITOR_BYTES);
        terminal.n_raw = 0;
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_typing),     TEST(test_return_and_newline),
        TEST(test_plain_echo), TEST(test_cursor),
        TEST(test_kill),       TEST(test_history),
        TEST(test_completion), TEST(test_too_long),
        TEST(test_utf8),       TEST(test_reset),
        TEST(test_nonsense),
    };

    return cmocka_run_group_tests_name("line editor", tests, NULL, NULL);
}
