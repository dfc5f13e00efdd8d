/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bump allocator for everything that dies together. arena_reset frees all but keeps the memory,
 * so the translator allocates nothing in steady state. Not thread-safe: one arena, one thread.
 */
#ifndef CALQUE_UTIL_ARENA_H
#define CALQUE_UTIL_ARENA_H

#include "util/compiler.h"

struct arena {
    struct arena_chunk *first, *current;
};

void arena_init(struct arena *arena);
void arena_finish(struct arena *arena);
void arena_reset(struct arena *arena);
/* Never NULL (aborts when the host is out of memory); 16-byte aligned; contents undefined. */
void *arena_alloc(struct arena *arena, size_t size);
void *arena_zalloc(struct arena *arena, size_t size);
char *arena_printf(struct arena *arena, const char *format, ...) PRINTF_LIKE(2, 3);

#define arena_new(arena, type) ((type *)arena_zalloc((arena), sizeof(type)))
#define arena_array(arena, type, n) ((type *)arena_zalloc((arena), sizeof(type) * (n)))

#endif
