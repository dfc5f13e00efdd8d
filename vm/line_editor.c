/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Editing keys as in readline and libedit (emacs mode), escape sequences as of xterm and the Linux
 * console (ECMA-48). A character of UTF-8 counts as one column.
 */
#include "vm/line_editor.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CTRL_A = 1,
    CTRL_B,
    CTRL_C,
    CTRL_D,
    CTRL_E,
    CTRL_F,
    BACKSPACE = 8,
    TAB,
    NEWLINE,
    CTRL_K,
    CTRL_L,
    RETURN,
    CTRL_N,
    CTRL_P = 16,
    CTRL_U = 21,
    CTRL_W = 23,
    CTRL_Y = 25,
    ESCAPE = 27,
    DELETE = 127
};

enum key_state { KEY_PLAIN, KEY_ESCAPE, KEY_CSI, KEY_SS3 };

struct line_editor {
    struct line_editor_client client;
    const char *prompt;
    char line[LINE_EDITOR_BYTES];
    unsigned length, cursor;
    bool too_long;
    bool after_return; /* a newline after it belongs to it */
    enum key_state state;
    unsigned parameter, parameter2, n_parameters; /* of a CSI sequence */
    char *history[LINE_EDITOR_HISTORY];           /* the oldest first */
    unsigned n_history, at;                       /* at == n_history: the line being typed */
    char typed[LINE_EDITOR_BYTES];                /* that, while an older one is shown */
    char killed[LINE_EDITOR_BYTES];
};

/* ---- showing -----------------------------------------------------------------------------------
 */

static void show(struct line_editor *editor, const char *text, size_t size)
{
    if (size)
        editor->client.show(editor->client.opaque, text, size);
}

static bool is_continuation(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

static unsigned columns(const char *text, unsigned size)
{
    unsigned n = 0;

    for (unsigned i = 0; i < size; i++)
        n += !is_continuation(text[i]);
    return n;
}

static void show_left(struct line_editor *editor, unsigned n)
{
    while (n--)
        show(editor, "\b", 1);
}

/* The line from the cursor on has changed; it may be shorter. */
static void show_rest(struct line_editor *editor, bool shorter)
{
    unsigned rest = editor->length - editor->cursor;

    show(editor, editor->line + editor->cursor, rest);
    if (shorter)
        show(editor, "\033[K", 3);
    show_left(editor, columns(editor->line + editor->cursor, rest));
}

void line_editor_prompt(struct line_editor *editor)
{
    show(editor, editor->prompt, strlen(editor->prompt));
    show(editor, editor->line, editor->cursor);
    show_rest(editor, false);
}

/* ---- the cursor --------------------------------------------------------------------------------
 */

static void move_to(struct line_editor *editor, unsigned to)
{
    if (to < editor->cursor)
        show_left(editor, columns(editor->line + to, editor->cursor - to));
    else
        show(editor, editor->line + editor->cursor, to - editor->cursor);
    editor->cursor = to;
}

static unsigned before(const struct line_editor *editor, unsigned at)
{
    if (at)
        at--;
    while (at && is_continuation(editor->line[at]))
        at--;
    return at;
}

static unsigned behind(const struct line_editor *editor, unsigned at)
{
    if (at < editor->length)
        at++;
    while (at < editor->length && is_continuation(editor->line[at]))
        at++;
    return at;
}

/* Words end at blanks (Ctrl-W), or at all that is no letter or digit. */
static bool in_word(char c, bool only_blanks)
{
    return only_blanks ? c != ' ' : isalnum((unsigned char)c) || (unsigned char)c >= 0x80;
}

static unsigned word_before(const struct line_editor *editor, bool only_blanks)
{
    unsigned at = editor->cursor;

    while (at && !in_word(editor->line[at - 1], only_blanks))
        at--;
    while (at && in_word(editor->line[at - 1], only_blanks))
        at--;
    return at;
}

static unsigned word_behind(const struct line_editor *editor)
{
    unsigned at = editor->cursor;

    while (at < editor->length && !in_word(editor->line[at], false))
        at++;
    while (at < editor->length && in_word(editor->line[at], false))
        at++;
    return at;
}

/* ---- changing ----------------------------------------------------------------------------------
 */

static void insert(struct line_editor *editor, const char *text, unsigned size)
{
    if (size > LINE_EDITOR_BYTES - 1 - editor->length) {
        editor->too_long = true;
        return;
    }
    memmove(editor->line + editor->cursor + size, editor->line + editor->cursor,
            editor->length - editor->cursor);
    memcpy(editor->line + editor->cursor, text, size);
    editor->length += size;
    editor->cursor += size;
    show(editor, text, size);
    if (editor->cursor < editor->length)
        show_rest(editor, false);
}

static void erase(struct line_editor *editor, unsigned from, unsigned to)
{
    bool at_end = to == editor->length;
    unsigned gone = columns(editor->line + from, to - from);

    if (from == to)
        return;
    move_to(editor, from);
    memmove(editor->line + from, editor->line + to, editor->length - to);
    editor->length -= to - from;
    /* Also on what knows no escape sequences. */
    if (at_end && gone == 1)
        show(editor, " \b", 2);
    else
        show_rest(editor, true);
}

static void kill_text(struct line_editor *editor, unsigned from, unsigned to)
{
    if (from == to)
        return;
    memcpy(editor->killed, editor->line + from, to - from);
    editor->killed[to - from] = 0;
    erase(editor, from, to);
}

static void replace_line(struct line_editor *editor, const char *text)
{
    move_to(editor, 0);
    editor->length = 0;
    show(editor, "\033[K", 3);
    insert(editor, text, (unsigned)strlen(text));
}

/* ---- history -----------------------------------------------------------------------------------
 */

static void remember(struct line_editor *editor)
{
    const char *line = editor->line;
    char *copy;

    editor->at = editor->n_history;
    if (line[strspn(line, " ")] == 0 ||
        (editor->n_history && !strcmp(editor->history[editor->n_history - 1], line)))
        return;
    copy = strdup(line);
    if (!copy)
        return;
    if (editor->n_history == LINE_EDITOR_HISTORY) {
        free(editor->history[0]);
        memmove(editor->history, editor->history + 1,
                (LINE_EDITOR_HISTORY - 1) * sizeof(editor->history[0]));
        editor->n_history--;
    }
    editor->history[editor->n_history++] = copy;
    editor->at = editor->n_history;
}

static void show_history(struct line_editor *editor, int step)
{
    unsigned to = editor->at + (unsigned)step;

    if (to > editor->n_history) /* also below 0 */
        return;
    editor->line[editor->length] = 0;
    if (editor->at == editor->n_history)
        strcpy(editor->typed, editor->line);
    editor->at = to;
    replace_line(editor, to == editor->n_history ? editor->typed : editor->history[to]);
}

const char *line_editor_history(const struct line_editor *editor, unsigned n)
{
    return n < editor->n_history ? editor->history[n] : NULL;
}

/* ---- completion --------------------------------------------------------------------------------
 */

void line_choices_add(struct line_choices *choices, const char *prefix, const char *name)
{
    if (strncmp(name, prefix, strlen(prefix)) || choices->n == LINE_CHOICES)
        return;
    for (unsigned i = 0; i < choices->n; i++) {
        if (!strcmp(choices->name[i], name))
            return;
    }
    choices->name[choices->n++] = name;
}

static unsigned common_length(const struct line_choices *choices)
{
    unsigned length = (unsigned)strlen(choices->name[0]);

    for (unsigned i = 1; i < choices->n; i++) {
        unsigned same = 0;
        while (same < length && choices->name[i][same] == choices->name[0][same])
            same++;
        length = same;
    }
    return length;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void show_choices(struct line_editor *editor, struct line_choices *choices)
{
    enum { WIDTH = 78, MAX_NAME = 60 };
    unsigned widest = 1, column = 0;
    char cell[MAX_NAME + 4];

    qsort(choices->name, choices->n, sizeof(choices->name[0]), compare_names);
    for (unsigned i = 0; i < choices->n; i++)
        widest = MAX(widest, (unsigned)MIN(strlen(choices->name[i]), (size_t)MAX_NAME));
    for (unsigned i = 0; i < choices->n; i++) {
        int size =
            snprintf(cell, sizeof(cell), "%-*.*s", (int)widest + 2, MAX_NAME, choices->name[i]);
        if (!column)
            show(editor, "\n", 1);
        show(editor, cell, (size_t)MIN(size, (int)sizeof(cell) - 1));
        column += widest + 2;
        if (column + widest > WIDTH)
            column = 0;
    }
    show(editor, "\n", 1);
    line_editor_prompt(editor);
}

static void complete(struct line_editor *editor)
{
    struct line_choices choices = {.n = 0};
    char line[LINE_EDITOR_BYTES];
    const char *blank;
    unsigned prefix, common;

    if (!editor->client.complete)
        return;
    memcpy(line, editor->line, editor->cursor);
    line[editor->cursor] = 0;
    blank = strrchr(line, ' ');
    prefix = (unsigned)strlen(blank ? blank + 1 : line);
    editor->client.complete(editor->client.opaque, line, &choices);
    if (!choices.n)
        return;
    common = common_length(&choices);
    if (common > prefix)
        insert(editor, choices.name[0] + prefix, common - prefix);
    else if (choices.n > 1)
        show_choices(editor, &choices);
    if (choices.n == 1 && editor->cursor == editor->length)
        insert(editor, " ", 1);
}

/* ---- keys --------------------------------------------------------------------------------------
 */

static enum line_editor_result end_line(struct line_editor *editor)
{
    bool too_long = editor->too_long;

    show(editor, "\n", 1);
    editor->line[editor->length] = 0;
    if (!too_long)
        remember(editor);
    editor->length = editor->cursor = 0;
    editor->too_long = false;
    editor->at = editor->n_history;
    return too_long ? LINE_TOO_LONG : LINE_DONE;
}

static void control_key(struct line_editor *editor, uint8_t key)
{
    switch (key) {
    case CTRL_A:
        move_to(editor, 0);
        break;
    case CTRL_B:
        move_to(editor, before(editor, editor->cursor));
        break;
    case CTRL_C:
        move_to(editor, editor->length);
        erase(editor, 0, editor->length);
        editor->too_long = false;
        editor->at = editor->n_history;
        break;
    case CTRL_D:
        erase(editor, editor->cursor, behind(editor, editor->cursor));
        break;
    case CTRL_E:
        move_to(editor, editor->length);
        break;
    case CTRL_F:
        move_to(editor, behind(editor, editor->cursor));
        break;
    case BACKSPACE:
    case DELETE:
        erase(editor, before(editor, editor->cursor), editor->cursor);
        break;
    case TAB:
        complete(editor);
        break;
    case CTRL_K:
        kill_text(editor, editor->cursor, editor->length);
        break;
    case CTRL_L:
        show(editor, "\033[H\033[2J", 7);
        line_editor_prompt(editor);
        break;
    case CTRL_N:
        show_history(editor, 1);
        break;
    case CTRL_P:
        show_history(editor, -1);
        break;
    case CTRL_U:
        kill_text(editor, 0, editor->cursor);
        break;
    case CTRL_W:
        kill_text(editor, word_before(editor, true), editor->cursor);
        break;
    case CTRL_Y:
        insert(editor, editor->killed, (unsigned)strlen(editor->killed));
        break;
    default:
        break;
    }
}

/* What ESC [ and ESC O end with. */
static void function_key(struct line_editor *editor, uint8_t key)
{
    bool by_words = editor->n_parameters > 1 && editor->parameter2 == 5; /* with Ctrl */

    switch (key) {
    case 'A':
        show_history(editor, -1);
        break;
    case 'B':
        show_history(editor, 1);
        break;
    case 'C':
        move_to(editor, by_words ? word_behind(editor) : behind(editor, editor->cursor));
        break;
    case 'D':
        move_to(editor, by_words ? word_before(editor, false) : before(editor, editor->cursor));
        break;
    case 'H':
        move_to(editor, 0);
        break;
    case 'F':
        move_to(editor, editor->length);
        break;
    case '~':
        if (editor->parameter == 1 || editor->parameter == 7)
            move_to(editor, 0);
        else if (editor->parameter == 4 || editor->parameter == 8)
            move_to(editor, editor->length);
        else if (editor->parameter == 3)
            control_key(editor, CTRL_D);
        break;
    default:
        break;
    }
}

static void escape_key(struct line_editor *editor, uint8_t key)
{
    editor->state = KEY_PLAIN;
    editor->parameter = editor->parameter2 = editor->n_parameters = 0;
    switch (key) {
    case '[':
        editor->state = KEY_CSI;
        editor->n_parameters = 1;
        break;
    case 'O':
        editor->state = KEY_SS3;
        break;
    case 'b':
        move_to(editor, word_before(editor, false));
        break;
    case 'f':
        move_to(editor, word_behind(editor));
        break;
    case 'd':
        kill_text(editor, editor->cursor, word_behind(editor));
        break;
    case DELETE:
    case BACKSPACE:
        kill_text(editor, word_before(editor, false), editor->cursor);
        break;
    default:
        break;
    }
}

/* ECMA-48, 5.4: parameters, intermediate bytes, a final byte. */
static void csi_key(struct line_editor *editor, uint8_t key)
{
    unsigned *parameter = editor->n_parameters > 1 ? &editor->parameter2 : &editor->parameter;

    if (isdigit(key)) {
        *parameter = MIN(*parameter * 10 + (key - '0'), 9999u);
    } else if (key == ';') {
        editor->n_parameters = MIN(editor->n_parameters + 1, 3u);
    } else if (key >= 0x40 && key < 0x7f) {
        editor->state = KEY_PLAIN;
        function_key(editor, key);
    } else if (key < 0x20 || key >= 0x7f) {
        editor->state = KEY_PLAIN;
    }
}

enum line_editor_result line_editor_key(struct line_editor *editor, uint8_t key)
{
    bool after_return = editor->after_return;
    char c = (char)key;

    editor->after_return = key == RETURN;
    if (key == RETURN || key == NEWLINE) {
        editor->state = KEY_PLAIN;
        return key == NEWLINE && after_return ? LINE_GOES_ON : end_line(editor);
    }
    if (key == ESCAPE) {
        editor->state = KEY_ESCAPE;
    } else if (editor->state == KEY_ESCAPE) {
        escape_key(editor, key);
    } else if (editor->state == KEY_CSI) {
        csi_key(editor, key);
    } else if (editor->state == KEY_SS3) {
        editor->state = KEY_PLAIN;
        function_key(editor, key);
    } else if (key < ' ' || key == DELETE) {
        control_key(editor, key);
    } else {
        insert(editor, &c, 1);
    }
    return LINE_GOES_ON;
}

char *line_editor_line(struct line_editor *editor)
{
    return editor->line;
}

/* ---- life --------------------------------------------------------------------------------------
 */

void line_editor_reset(struct line_editor *editor)
{
    editor->length = editor->cursor = 0;
    editor->too_long = editor->after_return = false;
    editor->state = KEY_PLAIN;
    editor->at = editor->n_history;
}

struct line_editor *line_editor_create(const char *prompt, const struct line_editor_client *client)
{
    struct line_editor *editor = calloc(1, sizeof(*editor));

    if (!editor)
        return NULL;
    editor->prompt = prompt;
    editor->client = *client;
    return editor;
}

void line_editor_destroy(struct line_editor *editor)
{
    if (!editor)
        return;
    for (unsigned i = 0; i < editor->n_history; i++)
        free(editor->history[i]);
    free(editor);
}
