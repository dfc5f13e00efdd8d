/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What virtio-vga, which is both a VGA and a virtio-gpu, needs of the latter. Device lock held. */
#ifndef CALQUE_HW_DISPLAY_VIRTIO_GPU_H
#define CALQUE_HW_DISPLAY_VIRTIO_GPU_H

#include "host/screen.h"
#include "hw/virtio/virtio.h"

/* The same kind, as an adapter of its own and as the one that has the VGA's class code. */
extern const struct virtio_type virtio_gpu_type, virtio_gpu_vga_type;

/* Whose refresh calls virtio_gpu_draw; instead of one of its own. */
void virtio_gpu_use_screen(struct virtio_device *v, struct screen *screen);
bool virtio_gpu_is_shown(const struct virtio_device *v); /* the driver shows something */
/* What has changed of that and of the cursor. False: it shows nothing. */
bool virtio_gpu_draw(struct virtio_device *v);
/* Makes the guest's driver ask for the size again. */
void virtio_gpu_suggest_size(struct virtio_device *v, unsigned width, unsigned height);

#endif
