/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The log stream, and the end of the process on a bug of ours. The mask and the stream are the one
 * deliberate global: set from the command line before threads start, read by everybody after.
 */
#define _GNU_SOURCE
#include "util/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "util/suggest.h"

unsigned log_mask;
_Thread_local void (*bug_context)(FILE *out);

static FILE *log_file;                  /* NULL: stderr */
static _Thread_local unsigned log_held; /* depth of log_lock */

const struct log_item_name log_item_names[] = {
    {"in_asm", LOG_IN_ASM, "guest code of each unit, disassembled"},
    {"ir", LOG_IR, "intermediate code as translated"},
    {"ir_opt", LOG_IR_OPT, "intermediate code after the passes"},
    {"out_asm", LOG_OUT_ASM, "host code of each unit, disassembled"},
    {"int", LOG_INT, "exceptions and interrupts taken"},
    {"mmu", LOG_MMU, "page table walks and TLB maintenance"},
    {"guest_error", LOG_GUEST_ERROR, "what the guest does against the manual"},
    {"guest_errors", LOG_GUEST_ERROR, "the same, as QEMU spells it"},
    {"unimp", LOG_UNIMP, "what the guest asks for and calque lacks, once per site"},
    {"exec", LOG_EXEC, "each unit entered from the run loop"},
    {"stats", LOG_STATS, "at the end, what was counted: translation, lookups, TLB, exits"},
    {"stats_json", LOG_STATS_JSON, "the same as one line of JSON"},
    {"accesses", LOG_ACCESSES, "loads and stores are counted, for the TLB's hit rate (slow)"},
    {NULL, 0, NULL},
};

static const struct log_item_name *find_item(const char *name, size_t length)
{
    for (const struct log_item_name *item = log_item_names; item->name; item++) {
        if (strlen(item->name) == length && !memcmp(item->name, name, length))
            return item;
    }
    return NULL;
}

static bool unknown_item(const char *name, size_t length, struct error *err)
{
    char word[64];
    const char *names[ARRAY_SIZE(log_item_names)];
    for (size_t i = 0; i < ARRAY_SIZE(log_item_names); i++)
        names[i] = log_item_names[i].name;
    length = MIN(length, sizeof(word) - 1);
    memcpy(word, name, length);
    word[length] = '\0';
    return error_set(err, "option -d: unknown log item '%s'; did you mean '%s'?", word,
                     suggest_nearest(word, names));
}

bool log_parse(const char *list, unsigned *mask, struct error *err)
{
    unsigned found = 0;
    for (const char *at = list;;) {
        size_t length = strcspn(at, ",");
        const struct log_item_name *item = find_item(at, length);
        if (!item)
            return unknown_item(at, length, err);
        found |= item->item;
        if (!at[length])
            break;
        at += length + 1;
    }
    *mask = found;
    return true;
}

bool log_open(const char *path, struct error *err)
{
    FILE *file = NULL;
    if (path) {
        file = fopen(path, "we");
        if (!file)
            return error_set_errno(err, errno, "cannot open log file '%s'", path);
        setvbuf(file, NULL, _IOLBF, 0);
    }
    log_close();
    log_file = file;
    return true;
}

void log_close(void)
{
    if (log_file)
        fclose(log_file);
    log_file = NULL;
}

static FILE *log_stream(void)
{
    return log_file ? log_file : stderr;
}

void log_lock(void)
{
    flockfile(log_stream());
    log_held++;
}

void log_unlock(void)
{
    log_held--;
    funlockfile(log_stream());
}

/* Outside log_lock each call is lines of its own, so a missing newline at the end is supplied. */
void log_write(const char *format, ...)
{
    FILE *out = log_stream();
    size_t length = strlen(format);
    va_list args;
    va_start(args, format);
    flockfile(out);
    vfprintf(out, format, args);
    if (!log_held && (!length || format[length - 1] != '\n'))
        putc('\n', out);
    funlockfile(out);
    va_end(args);
}

void bug_report(const char *file, int line, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: bug in calque at %s:%d: ", program_invocation_short_name, file, line);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    void (*context)(FILE * out) = bug_context;
    bug_context = NULL; /* a bug inside the context must not come back here for ever */
    if (context)
        context(stderr);
    fflush(stderr);
    if (log_file)
        fflush(log_file);
    abort();
}
