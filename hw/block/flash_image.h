/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The host's image of a flash (-drive if=pflash): its bytes are the array's at the start, and what
 * is programmed or erased is written back, off the vCPU's thread.
 *
 * Threading: as devices; create and destroy without the device lock.
 */
#ifndef CALQUE_HW_BLOCK_FLASH_IMAGE_H
#define CALQUE_HW_BLOCK_FLASH_IMAGE_H

#include "host/block.h"
#include "hw/device.h"

struct flash_image;

/* The image may be smaller than the flash, whose rest is blank. */
struct flash_image *flash_image_create(struct device *d, struct block *block, uint64_t size,
                                       struct error *err);
void flash_image_destroy(struct flash_image *image); /* after what was changed is written */
/* The array is there: fills it the first time. */
void flash_image_show(struct flash_image *image, uint8_t *array);
void flash_image_changed(struct flash_image *image, uint64_t offset, uint64_t size);
bool flash_image_is_read_only(const struct flash_image *image);

#endif
