/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The `-d` log. Items are independent bits; nothing is formatted unless its bit is on. The mask and
 * the output stream are process-wide, set once from the command line before any thread starts (the
 * one deliberate global). Writing is thread-safe: one log_printf is one line group in the output.
 */
#ifndef CALQUE_UTIL_LOG_H
#define CALQUE_UTIL_LOG_H

#include <stdio.h>

#include "util/compiler.h"
#include "util/error.h"

enum log_item {
    LOG_IN_ASM = 1u << 0,      /* guest code of each unit, disassembled */
    LOG_IR = 1u << 1,          /* IR as translated */
    LOG_IR_OPT = 1u << 2,      /* IR after the passes */
    LOG_OUT_ASM = 1u << 3,     /* host code, disassembled */
    LOG_INT = 1u << 4,         /* exceptions and interrupts taken */
    LOG_MMU = 1u << 5,         /* table walks, TLB maintenance */
    LOG_GUEST_ERROR = 1u << 6, /* the guest did what the manual forbids */
    LOG_UNIMP = 1u << 7,       /* the guest wants what we lack; once per site */
    LOG_EXEC = 1u << 8,        /* entry of each unit from the run loop */
    LOG_STATS = 1u << 9,       /* at the end: what was counted */
    LOG_STATS_JSON = 1u << 10, /* the same as one line of JSON */
    LOG_ACCESSES = 1u << 11,   /* nothing by itself: loads and stores are counted */
};

extern unsigned log_mask;

static inline bool log_on(unsigned items)
{
    return UNLIKELY((log_mask & items) != 0);
}

struct log_item_name {
    const char *name;
    unsigned item;
    const char *help;
};
extern const struct log_item_name log_item_names[]; /* ends with name == NULL */

/* Parses "in_asm,int" (and "help" is left to the caller). Unknown names fail, naming the nearest.
 */
bool log_parse(const char *list, unsigned *mask, struct error *err);
/* path NULL: stderr. Takes effect for all later log_printf. */
bool log_open(const char *path, struct error *err);
void log_close(void);

void log_write(const char *format, ...) PRINTF_LIKE(1, 2);
void log_lock(void); /* hold the stream across several log_write calls */
void log_unlock(void);

#define log_printf(items, ...)                                                                     \
    do {                                                                                           \
        if (log_on(items))                                                                         \
            log_write(__VA_ARGS__);                                                                \
    } while (0)

/* Logs once per call site: what the guest wanted that calque lacks. */
#define log_unimp_once(...)                                                                        \
    do {                                                                                           \
        static bool said_;                                                                         \
        if (log_on(LOG_UNIMP) && !__atomic_exchange_n(&said_, true, __ATOMIC_RELAXED))             \
            log_write(__VA_ARGS__);                                                                \
    } while (0)

/* A bug of ours, never of the guest's or the user's: prints the message, then what the thread was
 * running (through bug_context, set by exec), and aborts. */
#define BUG(...) bug_report(__FILE__, __LINE__, __VA_ARGS__)
NORETURN COLD void bug_report(const char *file, int line, const char *format, ...)
    PRINTF_LIKE(3, 4);
extern _Thread_local void (*bug_context)(FILE *out);

#endif
