/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the guest wrote to a disk with -snapshot: a temporary file without a name, and a bit for
 * each cluster that says whether the file or the image has it. Only the disk's thread uses it.
 * Results are 0 or errno values; ranges are within the image, in bytes; zeros are written where the
 * buffer is NULL.
 */
#ifndef CALQUE_HOST_BLOCK_OVERLAY_H
#define CALQUE_HOST_BLOCK_OVERLAY_H

#include "util/compiler.h"
#include "util/error.h"

struct block_overlay;

/* base: the image's descriptor, which stays the caller's. */
struct block_overlay *block_overlay_create(int base, uint64_t bytes, struct error *err);
void block_overlay_destroy(struct block_overlay *overlay);
int block_overlay_read(struct block_overlay *overlay, void *buffer, uint64_t at, size_t size);
int block_overlay_write(struct block_overlay *overlay, const void *buffer, uint64_t at,
                        uint64_t size);
/* Writes what is there into the image, to stable storage, and forgets it. */
int block_overlay_commit(struct block_overlay *overlay);
uint64_t block_overlay_bytes(const struct block_overlay *overlay); /* how much is there */

/* All of it or an error; reading beyond the end of the file gives zeros. */
int block_file_read(int fd, void *buffer, uint64_t at, size_t size);
int block_file_write(int fd, const void *buffer, uint64_t at, uint64_t size);

#endif
