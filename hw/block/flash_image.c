/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Images of flashes. */
#include "hw/block/flash_image.h"

#include <stdlib.h>
#include <string.h>

#include "hw/machine.h"
#include "util/bits.h"

enum { PAGE = 4096, PAGE_SECTORS = PAGE / BLOCK_SECTOR };

struct flash_image {
    struct device *device;
    struct block *block;
    struct block_request request;
    uint64_t bytes;        /* of the image, in whole sectors */
    uint8_t *array, *read; /* read: until the array is there */
    uint8_t page[PAGE];    /* being written */
    /* Pages of the image that changed: a ring, in which each is once. */
    uint32_t n_pages, first, n_changed;
    uint32_t *changed;
    bool *is_changed;
};

static bool read_all(struct flash_image *image, struct error *err)
{
    struct block_request all = {.operation = BLOCK_READ,
                                .n_sectors = (uint32_t)(image->bytes / BLOCK_SECTOR),
                                .buffer = image->read};
    int error = block_run(image->block, &all);

    return !error || error_set_errno(err, error, "cannot read '%s'", block_path(image->block));
}

struct flash_image *flash_image_create(struct device *d, struct block *block, uint64_t size,
                                       struct error *err)
{
    struct flash_image *image;
    uint64_t bytes = block_sectors(block) * BLOCK_SECTOR;

    if (bytes > size) {
        error_set(err, "'%s' is larger than the flash, which has %llu KiB", block_path(block),
                  (unsigned long long)size / 1024);
        return NULL;
    }
    if (!block_attach(block, &d->machine->lock, err))
        return NULL;
    image = calloc(1, sizeof(*image));
    if (image) {
        image->device = d;
        image->block = block;
        image->bytes = bytes;
        image->read = malloc(bytes);
        image->n_pages = (uint32_t)((bytes + PAGE - 1) / PAGE);
        image->changed = calloc(image->n_pages, sizeof(*image->changed));
        image->is_changed = calloc(image->n_pages, sizeof(*image->is_changed));
    }
    if (!image || !image->read || !image->changed || !image->is_changed)
        error_set(err, "out of memory for '%s'", block_path(block));
    else if (read_all(image, err))
        return image;
    block_detach(block);
    if (image)
        image->block = NULL;
    flash_image_destroy(image);
    return NULL;
}

static void write_next(struct flash_image *image);

static void say_error(const struct flash_image *image, int error)
{
    if (error)
        log_printf(LOG_GUEST_ERROR, "%s: cannot write '%s': %s\n", image->device->id,
                   block_path(image->block), strerror(error));
}

static void write_done(struct block_request *request, int error)
{
    struct flash_image *image = request->opaque;

    say_error(image, error);
    write_next(image);
}

/* The next page to write, if there is one. */
static bool prepare_next(struct flash_image *image)
{
    if (!image->n_changed)
        return false;
    uint32_t page = image->changed[image->first];
    image->first = (image->first + 1) % image->n_pages;
    image->n_changed--;
    image->is_changed[page] = false;
    uint64_t at = (uint64_t)page * PAGE, size = MIN(image->bytes - at, (uint64_t)PAGE);
    memcpy(image->page, image->array + at, size);
    image->request = (struct block_request){.operation = BLOCK_WRITE,
                                            .sector = (uint64_t)page * PAGE_SECTORS,
                                            .n_sectors = (uint32_t)(size / BLOCK_SECTOR),
                                            .buffer = image->page,
                                            .done = write_done,
                                            .opaque = image};
    return true;
}

static void write_next(struct flash_image *image)
{
    if (prepare_next(image))
        block_submit(image->block, &image->request);
}

/* What a disk's thread that was stopped has left. */
static void write_rest(struct flash_image *image)
{
    bool left = image->request.active;

    block_cancel(image->block, &image->request);
    while (left || prepare_next(image)) {
        say_error(image, block_run(image->block, &image->request));
        left = false;
    }
}

void flash_image_destroy(struct flash_image *image)
{
    if (!image)
        return;
    if (image->block) {
        block_drain(image->block);
        if (!block_is_read_only(image->block))
            write_rest(image);
        block_detach(image->block);
    }
    free(image->read);
    free(image->changed);
    free(image->is_changed);
    free(image);
}

void flash_image_show(struct flash_image *image, uint8_t *array)
{
    image->array = array;
    if (!image->read)
        return;
    memcpy(array, image->read, image->bytes);
    free(image->read);
    image->read = NULL;
}

void flash_image_changed(struct flash_image *image, uint64_t offset, uint64_t size)
{
    for (uint64_t page = offset / PAGE; page < image->n_pages && page * PAGE < offset + size;
         page++) {
        if (image->is_changed[page])
            continue;
        image->is_changed[page] = true;
        image->changed[(image->first + image->n_changed++) % image->n_pages] = (uint32_t)page;
    }
    if (!image->request.active && !block_is_read_only(image->block))
        write_next(image);
}

bool flash_image_is_read_only(const struct flash_image *image)
{
    return block_is_read_only(image->block);
}
