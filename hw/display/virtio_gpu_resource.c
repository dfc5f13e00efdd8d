/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hw/display/virtio_gpu_resource.h"

#include <stdlib.h>
#include <string.h>

#include "util/bits.h"

/* Formats (VIRTIO 1.2, 5.7.6.8) are called by their bytes in memory, lowest address first. */
static const struct format {
    uint8_t number, red, green, blue, alpha; /* which byte; alpha 4: none */
} formats[] = {
    {1, 2, 1, 0, 3},  {2, 2, 1, 0, 4},  {3, 1, 2, 3, 0},   {4, 1, 2, 3, 4},
    {67, 0, 1, 2, 3}, {68, 3, 2, 1, 4}, {121, 3, 2, 1, 0}, {134, 0, 1, 2, 4},
};

static const struct format *format_find(uint32_t number)
{
    for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
        if (formats[i].number == number)
            return &formats[i];
    }
    return NULL;
}

bool gpu_format_known(uint32_t format)
{
    return format_find(format) != NULL;
}

/* ---- life -------------------------------------------------------------------------------------
 */

struct gpu_resource *gpu_resource_find(const struct gpu_resources *all, uint32_t id)
{
    struct gpu_resource *r = all->buckets[id % GPU_BUCKETS];

    while (r && r->id != id)
        r = r->next;
    return r;
}

static uint64_t size_of(const struct gpu_resource *r)
{
    return (uint64_t)r->width * r->height * sizeof(*r->pixels) +
           r->n_backing * sizeof(*r->backing) + sizeof(*r);
}

struct gpu_resource *gpu_resource_create(struct gpu_resources *all, uint32_t id, uint32_t format,
                                         uint32_t width, uint32_t height)
{
    uint64_t n = (uint64_t)width * height;
    struct gpu_resource *r;

    if (all->count == GPU_RESOURCES_MAX ||
        n * sizeof(*r->pixels) + sizeof(*r) > GPU_BYTES_MAX - all->bytes)
        return NULL;
    r = calloc(1, sizeof(*r));
    if (!r)
        return NULL;
    r->pixels = calloc(n, sizeof(*r->pixels));
    if (!r->pixels) {
        free(r);
        return NULL;
    }
    r->id = id;
    r->format = format;
    r->width = width;
    r->height = height;
    r->next = all->buckets[id % GPU_BUCKETS];
    all->buckets[id % GPU_BUCKETS] = r;
    all->count++;
    all->bytes += size_of(r);
    return r;
}

void gpu_resource_destroy(struct gpu_resources *all, struct gpu_resource *r)
{
    struct gpu_resource **link = &all->buckets[r->id % GPU_BUCKETS];

    while (*link != r)
        link = &(*link)->next;
    *link = r->next;
    all->count--;
    all->bytes -= size_of(r);
    free(r->pixels);
    free(r->backing);
    free(r);
}

void gpu_resources_destroy(struct gpu_resources *all)
{
    for (unsigned i = 0; i < GPU_BUCKETS; i++) {
        while (all->buckets[i])
            gpu_resource_destroy(all, all->buckets[i]);
    }
}

bool gpu_resource_attach(struct gpu_resources *all, struct gpu_resource *r,
                         struct gpu_backing *backing, uint32_t n)
{
    uint64_t offset = 0;

    if (n * sizeof(*backing) > GPU_BYTES_MAX - all->bytes)
        return false;
    for (uint32_t i = 0; i < n; i++) {
        backing[i].offset = offset;
        offset += backing[i].length;
    }
    r->backing = backing;
    r->n_backing = n;
    all->bytes += n * sizeof(*backing);
    return true;
}

void gpu_resource_detach(struct gpu_resources *all, struct gpu_resource *r)
{
    all->bytes -= r->n_backing * sizeof(*r->backing);
    free(r->backing);
    r->backing = NULL;
    r->n_backing = 0;
}

/* ---- filling ----------------------------------------------------------------------------------
 */

/* The piece of the backing that has the byte at `offset`; n_backing: none. */
static uint32_t find_piece(const struct gpu_resource *r, uint64_t offset)
{
    uint32_t low = 0, high = r->n_backing;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        const struct gpu_backing *b = &r->backing[middle];
        if (offset - b->offset < b->length && offset >= b->offset)
            return middle;
        if (offset < b->offset)
            high = middle;
        else
            low = middle + 1;
    }
    return r->n_backing;
}

/* Devices' registers may be in its place by now: it must be RAM at the time of the access. */
static bool read_backing(const struct gpu_resource *r, struct memory *memory, uint64_t offset,
                         uint8_t *to, size_t size)
{
    for (uint32_t i = find_piece(r, offset); size && i < r->n_backing; i++) {
        const struct gpu_backing *b = &r->backing[i];
        uint64_t skip = offset - b->offset;
        size_t here = (size_t)MIN(size, b->length - skip);
        const void *from = here ? memory_ram_pointer(memory, b->address + skip, here) : to;
        if (!from)
            return false;
        if (here)
            memcpy(to, from, here);
        to += here;
        offset += here;
        size -= here;
    }
    return !size;
}

static void convert(const struct format *f, uint32_t *row, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint8_t b[5];
        memcpy(b, &row[i], 4);
        b[4] = 0xff;
        row[i] = (uint32_t)b[f->alpha] << 24 | (uint32_t)b[f->red] << 16 |
                 (uint32_t)b[f->green] << 8 | b[f->blue];
    }
}

bool gpu_resource_fill(struct gpu_resource *r, struct memory *memory,
                       const struct screen_rect *rect, uint64_t offset)
{
    const struct format *format = format_find(r->format);
    uint64_t stride = (uint64_t)r->width * sizeof(*r->pixels);
    uint64_t end = r->n_backing
                       ? r->backing[r->n_backing - 1].offset + r->backing[r->n_backing - 1].length
                       : 0;

    if (offset > end)
        return false;
    for (unsigned y = 0; y < rect->height; y++) {
        uint32_t *row = &r->pixels[(size_t)(rect->y + y) * r->width + rect->x];
        if (!read_backing(r, memory, offset + y * stride, (uint8_t *)row,
                          rect->width * sizeof(*row)))
            return false;
        convert(format, row, rect->width);
    }
    return true;
}
