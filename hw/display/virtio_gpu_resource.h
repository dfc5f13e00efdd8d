/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Resources of a virtio-gpu: pictures on the host's side that the guest's driver names by number,
 * fills from its memory (the backing) and shows. All counts and sizes are the guest's: what they
 * take together is bounded.
 */
#ifndef CALQUE_HW_DISPLAY_VIRTIO_GPU_RESOURCE_H
#define CALQUE_HW_DISPLAY_VIRTIO_GPU_RESOURCE_H

#include "host/screen.h"
#include "softmmu/memory.h"

enum { GPU_BUCKETS = 1024, GPU_RESOURCES_MAX = 16384, GPU_BACKING_MAX = 16384 };
enum { GPU_SIZE_MAX = 16384 }; /* pixels each way */
#define GPU_BYTES_MAX (UINT64_C(256) << 20)

struct gpu_backing {
    gpa address;
    uint64_t offset; /* of its first byte in the resource's memory */
    uint32_t length;
};

struct gpu_resource {
    uint32_t id, width, height, format;
    uint32_t *pixels; /* 0xaarrggbb */
    struct gpu_backing *backing;
    uint32_t n_backing;
    struct gpu_resource *next; /* of its bucket */
};

/* Zeroed: none. */
struct gpu_resources {
    struct gpu_resource *buckets[GPU_BUCKETS];
    unsigned count;
    uint64_t bytes;
};

struct gpu_resource *gpu_resource_find(const struct gpu_resources *all, uint32_t id);
/* NULL: no memory, or none that this guest may have. The format is known and the id is free. */
struct gpu_resource *gpu_resource_create(struct gpu_resources *all, uint32_t id, uint32_t format,
                                         uint32_t width, uint32_t height);
void gpu_resource_destroy(struct gpu_resources *all, struct gpu_resource *r);
void gpu_resources_destroy(struct gpu_resources *all);
/* Takes over the list, malloc'd; false: too much, and the list is the caller's. */
bool gpu_resource_attach(struct gpu_resources *all, struct gpu_resource *r,
                         struct gpu_backing *backing, uint32_t n);
void gpu_resource_detach(struct gpu_resources *all, struct gpu_resource *r);
bool gpu_format_known(uint32_t format);
/* Fills a rectangle, which lies within, from the backing at `offset`. False: the backing ends
 * before, or is not RAM. */
bool gpu_resource_fill(struct gpu_resource *r, struct memory *memory,
                       const struct screen_rect *rect, uint64_t offset);

#endif
