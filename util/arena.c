/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of chunks, bumped through in order; reset goes back to the first. */
#include "util/arena.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/log.h"

enum { ALIGNMENT = 16, CHUNK_BYTES = 512 * 1024 };

struct arena_chunk {
    struct arena_chunk *next;
    size_t size, used;
    uint8_t bytes[] __attribute__((aligned(ALIGNMENT)));
};

void arena_init(struct arena *arena)
{
    arena->first = arena->current = NULL;
}

void arena_finish(struct arena *arena)
{
    struct arena_chunk *next;
    for (struct arena_chunk *chunk = arena->first; chunk; chunk = next) {
        next = chunk->next;
        free(chunk);
    }
    arena_init(arena);
}

void arena_reset(struct arena *arena)
{
    arena->current = arena->first;
    if (arena->first)
        arena->first->used = 0;
}

/* Goes on to the next chunk that holds size bytes, making one if the kept ones are too small. */
static COLD void *arena_alloc_slow(struct arena *arena, size_t size)
{
    struct arena_chunk *after = arena->current;
    struct arena_chunk *chunk = after ? after->next : arena->first;
    while (chunk && chunk->size < size) {
        /* Too small for this: left empty, found again after the next reset. */
        chunk->used = 0;
        after = chunk;
        chunk = chunk->next;
    }
    if (!chunk) {
        size_t chunk_size = MAX(size, (size_t)CHUNK_BYTES);
        chunk = size <= SIZE_MAX / 2 ? malloc(sizeof(*chunk) + chunk_size) : NULL;
        if (!chunk)
            BUG("no host memory for %zu bytes", size);
        chunk->size = chunk_size;
        chunk->next = NULL;
        if (after)
            after->next = chunk;
        else
            arena->first = chunk;
    }
    chunk->used = size;
    arena->current = chunk;
    return chunk->bytes;
}

void *arena_alloc(struct arena *arena, size_t size)
{
    if (UNLIKELY(size > SIZE_MAX - ALIGNMENT))
        BUG("no host memory for %zu bytes", size);
    size = (size + ALIGNMENT - 1) & ~(size_t)(ALIGNMENT - 1);
    struct arena_chunk *chunk = arena->current;
    if (UNLIKELY(!chunk || chunk->size - chunk->used < size))
        return arena_alloc_slow(arena, size);
    void *result = chunk->bytes + chunk->used;
    chunk->used += size;
    return result;
}

void *arena_zalloc(struct arena *arena, size_t size)
{
    return memset(arena_alloc(arena, size), 0, size);
}

char *arena_printf(struct arena *arena, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        length = 0;
    char *text = arena_alloc(arena, (size_t)length + 1);
    text[0] = '\0';
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}
