/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Lines to commands: words, the tables that there are, help, suggestions, completion. */
#define _GNU_SOURCE
#include "vm/monitor_commands.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "util/sorted.h"
#include "util/suggest.h"

/* ---- the tables --------------------------------------------------------------------------------
 */

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

static void list_commands(const char *below, struct sorted *list)
{
    list->n = 0;
    REGISTRY_FOREACH (monitor_table, struct monitor_table, table) {
        if (!same_text(table->below, below))
            continue;
        for (const struct monitor_command *one = table->commands; one->name; one++)
            sorted_add(list, one, one->name);
    }
}

static const struct monitor_command *command_find(const char *below, const char *name)
{
    struct sorted list;

    list_commands(below, &list);
    for (unsigned i = 0; i < list.n; i++) {
        const struct monitor_command *one = list.items[i];
        if (!strcmp(one->name, name) || same_text(one->alias, name))
            return one;
    }
    return NULL;
}

/* Is it a word that has others below it? */
static bool has_below(const char *name)
{
    REGISTRY_FOREACH (monitor_table, struct monitor_table, table) {
        if (same_text(table->below, name))
            return true;
    }
    return false;
}

/* ---- help --------------------------------------------------------------------------------------
 */

static void print_command(const struct monitor_command *one, const char *below, FILE *out)
{
    char left[80];

    snprintf(left, sizeof(left), "%s%s%s%s%s%s%s", below ? below : "", below ? " " : "", one->name,
             one->alias ? "|" : "", one->alias ? one->alias : "", *one->arguments ? " " : "",
             one->arguments);
    fprintf(out, "%-28s -- %s\n", left, one->help);
}

static void print_all(const char *below, FILE *out)
{
    struct sorted list;

    list_commands(below, &list);
    for (unsigned i = 0; i < list.n; i++)
        print_command(list.items[i], below, out);
}

static void say_unknown(struct monitor_call *call, const char *below, const char *word)
{
    struct sorted list;
    const char *nearest;

    list_commands(below, &list);
    nearest = suggest_nearest(word, list.names);
    fprintf(call->out, "there is no %s%s'%s'; did you mean '%s'?\n", below ? below : "command", " ",
            word, nearest ? nearest : "help");
}

static void help_for(struct monitor_call *call, const char *below, const char *name)
{
    const struct monitor_command *one = command_find(below, name);

    if (one)
        print_command(one, below, call->out);
    else
        say_unknown(call, below, name);
}

static void command_help(struct monitor_call *call)
{
    if (call->n_words < 2)
        print_all(NULL, call->out);
    else if (!has_below(call->words[1]) && call->n_words > 2)
        monitor_usage(call);
    else if (!has_below(call->words[1]))
        help_for(call, NULL, call->words[1]);
    else if (call->n_words == 2)
        print_all(call->words[1], call->out);
    else
        help_for(call, call->words[1], call->words[2]);
}

static void complete_names(const char *below, const char *prefix, struct line_choices *out)
{
    struct sorted list;

    list_commands(below, &list);
    for (unsigned i = 0; i < list.n; i++)
        line_choices_add(out, prefix, list.names[i]);
}

static void complete_help(struct vm *vm, unsigned n, const char *prefix, struct line_choices *out)
{
    complete_names(n ? "info" : NULL, prefix, out);
}

static void complete_info(struct vm *vm, unsigned n, const char *prefix, struct line_choices *out)
{
    if (!n)
        complete_names("info", prefix, out);
}

static void run_named(struct monitor_call *call, const char *below);

static void command_info(struct monitor_call *call)
{
    if (call->n_words < 2) {
        print_all("info", call->out);
        return;
    }
    memmove(call->words, call->words + 1, (call->n_words - 1) * sizeof(call->words[0]));
    call->n_words--;
    run_named(call, "info");
}

static const struct monitor_command commands[] = {
    {"help", "?", "[COMMAND]", "this list", command_help, 0, 2, complete_help},
    {"info", NULL, "[WHAT]", "show something; help info lists what", command_info, 0, MONITOR_ANY,
     complete_info},
    {NULL},
};
static const struct monitor_table table = {NULL, commands};
REGISTER(monitor_table, table);

/* ---- lines -------------------------------------------------------------------------------------
 */

static const char *skip_blanks(const char *text)
{
    while (isspace((unsigned char)*text))
        text++;
    return text;
}

/* One word from *at on, in place: blanks end it, quotes keep blanks, a backslash in quotes keeps
 * what follows. False: a quote has no end. */
static bool cut_word(char **at, char **word)
{
    char *from = *at, *to = *at, quote = 0;

    *word = to;
    for (; *from && (quote || !isspace((unsigned char)*from)); from++) {
        if (quote && *from == '\\' && from[1])
            *to++ = *++from;
        else if (quote ? *from == quote : *from == '"')
            quote = quote ? 0 : *from;
        else
            *to++ = *from;
    }
    *at = *from ? from + 1 : from;
    *to = 0;
    return !quote;
}

/* "x/4i": the format follows the name at once. */
static unsigned name_length(const char *line)
{
    unsigned n = 0;

    while (line[n] && !isspace((unsigned char)line[n]) && line[n] != '/')
        n++;
    return n;
}

static bool split(struct monitor_call *call, char *line, char *name, size_t name_size)
{
    unsigned length = name_length(line);
    char *at = line + length, *word;

    snprintf(name, name_size, "%.*s", (int)length, line);
    call->words[call->n_words++] = name;
    while (*(at = (char *)skip_blanks(at))) {
        if (call->n_words == MONITOR_WORDS) {
            fprintf(call->out, "%s: too many words\n", name);
            return false;
        }
        call->last = call->rest + (at - line - length);
        if (!cut_word(&at, &word)) {
            fprintf(call->out, "%s: a quote has no end\n", name);
            return false;
        }
        call->words[call->n_words++] = word;
    }
    return true;
}

void monitor_usage(const struct monitor_call *call)
{
    const struct monitor_command *one = call->command;
    const char *below = call->below ? call->below : "", *blank = call->below ? " " : "";

    if (!one->max_words)
        fprintf(call->out, "%s%s%s takes nothing more\n", below, blank, one->name);
    else
        fprintf(call->out, "it is: %s%s%s %s\n", below, blank, one->name, one->arguments);
}

static void run_named(struct monitor_call *call, const char *below)
{
    const struct monitor_command *one = command_find(below, call->words[0]);
    unsigned given = call->n_words - 1;

    if (!one) {
        say_unknown(call, below, call->words[0]);
        return;
    }
    call->command = one;
    call->below = below;
    if (given < one->min_words || (one->max_words != MONITOR_ANY && given > one->max_words))
        monitor_usage(call);
    else
        one->run(call);
}

void monitor_command_run(struct monitor_call *call, char *line)
{
    char name[64], *rest;

    line = (char *)skip_blanks(line);
    if (!*line)
        return;
    rest = strdup(line + name_length(line));
    if (!rest)
        return;
    call->rest = rest;
    call->n_words = 0;
    if (split(call, line, name, sizeof(name)))
        run_named(call, NULL);
    call->rest = call->last = NULL;
    free(rest);
}

void monitor_command_complete(struct vm *vm, const char *line, struct line_choices *out)
{
    const struct monitor_command *one;
    char first[64];
    unsigned n = 0;
    const char *at = skip_blanks(line), *prefix;

    snprintf(first, sizeof(first), "%.*s", (int)name_length(at), at);
    for (prefix = at; *at; at++) {
        if (*at == ' ' && at[1] != ' ') {
            n++;
            prefix = at + 1;
        }
    }
    if (!n) {
        complete_names(NULL, prefix, out);
        return;
    }
    one = command_find(NULL, first);
    if (one && one->complete)
        one->complete(vm, n - 1, prefix, out);
}
