/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PC's DMA controllers as devices use them. Channels 0-3 move bytes, 5-7 words; sizes here are
 * bytes.
 *
 * Threading: device lock held.
 */
#ifndef CALQUE_HW_DMA_I8237_H
#define CALQUE_HW_DMA_I8237_H

#include "util/compiler.h"

struct device;

/* ready: the channel was unmasked or programmed; a device that waits for it tries again. */
void i8237_connect(struct device *dma, unsigned channel, void (*ready)(void *opaque), void *opaque);

/* Moves up to `size` bytes between the buffer and where the channel points, in the direction that
 * its mode has; to_memory is the device's, and a channel programmed for the other direction moves
 * nothing. Returns how many; *end: the channel has reached its terminal count. */
unsigned i8237_transfer(struct device *dma, unsigned channel, uint8_t *buffer, unsigned size,
                        bool to_memory, bool *end);

#endif
