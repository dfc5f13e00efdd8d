/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A recursive descent over the text. */
#include "vm/expression.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_DEPTH = 64, NAME_BYTES = 32, MAX_COUNT = 65536 };

struct parser {
    const char *at;
    const struct expression_registers *registers;
    unsigned depth;
    struct error *err;
};

static bool parse_sum(struct parser *p, uint64_t *value);

static void skip_blanks(struct parser *p)
{
    while (isspace((unsigned char)*p->at))
        p->at++;
}

static bool parse_number(struct parser *p, uint64_t *value)
{
    char *end;

    errno = 0;
    *value = strtoull(p->at, &end, 0);
    if (errno)
        return error_set(p->err, "a number does not fit into 64 bits");
    if (isalnum((unsigned char)*end))
        return error_set(p->err, "'%.*s' is no number", (int)strcspn(p->at, " \t"), p->at);
    p->at = end;
    return true;
}

static bool parse_register(struct parser *p, uint64_t *value)
{
    char name[NAME_BYTES];
    unsigned n = 0;

    p->at++;
    while (isalnum((unsigned char)p->at[n]) || p->at[n] == '_' || p->at[n] == '.')
        n++;
    if (!n || n >= sizeof(name))
        return error_set(p->err, "a register's name follows $");
    memcpy(name, p->at, n);
    name[n] = 0;
    p->at += n;
    return (p->registers && p->registers->read(p->registers->opaque, name, value)) ||
           error_set(p->err, "there is no register '$%s'; info registers shows those there are",
                     name);
}

static bool parse_character(struct parser *p, uint64_t *value)
{
    if (!p->at[1] || p->at[2] != '\'')
        return error_set(p->err, "a character stands between two quotes");
    *value = (unsigned char)p->at[1];
    p->at += 3;
    return true;
}

static bool parse_inner(struct parser *p, uint64_t *value)
{
    char sign = *p->at;

    switch (sign) {
    case '+':
    case '-':
    case '~':
        p->at++;
        skip_blanks(p);
        if (++p->depth > MAX_DEPTH)
            return error_set(p->err, "that is nested too deeply");
        if (!parse_inner(p, value))
            return false;
        p->depth--;
        *value = sign == '-' ? -*value : sign == '~' ? ~*value : *value;
        return true;
    case '(':
        p->at++;
        if (++p->depth > MAX_DEPTH)
            return error_set(p->err, "that is nested too deeply");
        if (!parse_sum(p, value))
            return false;
        p->depth--;
        if (*p->at != ')')
            return error_set(p->err, "a ')' is missing");
        p->at++;
        return true;
    case '$':
        return parse_register(p, value);
    case '\'':
        return parse_character(p, value);
    case 0:
        return error_set(p->err, "a number or a register is missing");
    default:
        if (!isdigit((unsigned char)sign))
            return error_set(p->err, "'%.*s' is no number; registers are $name",
                             (int)strcspn(p->at, " \t"), p->at);
        return parse_number(p, value);
    }
}

static bool parse_unary(struct parser *p, uint64_t *value)
{
    skip_blanks(p);
    if (!parse_inner(p, value))
        return false;
    skip_blanks(p);
    return true;
}

/* Not the start of a path: "memsave 0 4096 /tmp/memory". */
static bool is_division(const char *at)
{
    return *at != '/' || !(isalpha((unsigned char)at[1]) || at[1] == '.' || at[1] == '_');
}

static bool parse_product(struct parser *p, uint64_t *value)
{
    uint64_t right;

    if (!parse_unary(p, value))
        return false;
    while (*p->at && strchr("*/%", *p->at) && is_division(p->at)) {
        char sign = *p->at++;
        if (!parse_unary(p, &right))
            return false;
        if (sign != '*' && !right)
            return error_set(p->err, "division by zero");
        *value = sign == '*' ? *value * right : sign == '/' ? *value / right : *value % right;
    }
    return true;
}

static bool parse_logic(struct parser *p, uint64_t *value)
{
    uint64_t right;

    if (!parse_product(p, value))
        return false;
    while (*p->at && strchr("&|^", *p->at)) {
        char sign = *p->at++;
        if (!parse_product(p, &right))
            return false;
        *value = sign == '&' ? *value & right : sign == '|' ? *value | right : *value ^ right;
    }
    return true;
}

static bool parse_sum(struct parser *p, uint64_t *value)
{
    uint64_t right;

    if (!parse_logic(p, value))
        return false;
    while (*p->at && strchr("+-", *p->at)) {
        char sign = *p->at++;
        if (!parse_logic(p, &right))
            return false;
        *value = sign == '+' ? *value + right : *value - right;
    }
    return true;
}

bool expression_evaluate(const char **at, const struct expression_registers *registers,
                         uint64_t *value, struct error *err)
{
    struct parser p = {.at = *at, .registers = registers, .err = err};
    bool ok = parse_sum(&p, value);

    *at = p.at;
    return ok;
}

/* ---- formats -----------------------------------------------------------------------------------
 */

static bool format_letter(struct expression_format *format, char letter, struct error *err)
{
    switch (letter) {
    case 'x':
    case 'd':
    case 'u':
    case 'o':
    case 'c':
    case 'i':
    case 's':
        format->form = letter;
        if (letter == 'c')
            format->size = 1;
        return true;
    case 'b':
        format->size = 1;
        return true;
    case 'h':
        format->size = 2;
        return true;
    case 'w':
        format->size = 4;
        return true;
    case 'g':
    case 'L':
        format->size = 8;
        return true;
    default:
        return error_set(err,
                         "'%c' is no format: it is x d u o c i s, and the sizes are b h w g "
                         "(1 2 4 8 bytes)",
                         letter);
    }
}

bool expression_format(const char **at, struct expression_format *format, struct error *err)
{
    const char *text = *at + strspn(*at, " \t");
    unsigned long count;
    char *end;

    if (*text != '/')
        return true;
    text++;
    if (isdigit((unsigned char)*text)) {
        errno = 0;
        count = strtoul(text, &end, 0);
        if (errno || !count || count > MAX_COUNT)
            return error_set(err, "the count is 1 to %d", MAX_COUNT);
        format->count = (unsigned)count;
        text = end;
    }
    for (; *text && !isspace((unsigned char)*text); text++) {
        if (!format_letter(format, *text, err))
            return false;
    }
    *at = text + strspn(text, " \t");
    return true;
}
