/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The device classes of a kind of virtio device:
 *
 *   VIRTIO_DEVICE(blk_type, "blk", "Disk");
 *
 * makes "virtio-blk-device", which plugs into a virtio-mmio slot of the board (the property bus= or
 * the last one that is empty, as QEMU does), and "virtio-blk-pci" (virtio_pci.h).
 */
#ifndef CALQUE_HW_VIRTIO_VIRTIO_DEVICE_H
#define CALQUE_HW_VIRTIO_VIRTIO_DEVICE_H

#include "hw/virtio/virtio.h"
#include "hw/virtio/virtio_pci.h"

/* What a class "virtio-X-device" has in common; virtio_mmio.c. */
struct virtio_plug {
    struct virtio_device *v; /* of the slot */
};
bool virtio_plug_init(struct device *d, struct error *err);
void virtio_plug_reset(struct device *d);
void virtio_plug_finish(struct device *d);
extern const struct device_prop virtio_plug_props[];

#define VIRTIO_DEVICE(virtio_type_object, short_name, text)                                        \
    static const struct device_class virtio_type_object##_mmio_class = {                           \
        .name = "virtio-" short_name "-device",                                                    \
        .description = text " (virtio-mmio)",                                                      \
        .manual = "VIRTIO 1.2",                                                                    \
        .addable = true,                                                                           \
        .virtio = &(virtio_type_object),                                                           \
        .props = virtio_plug_props,                                                                \
        .state_size = sizeof(struct virtio_plug),                                                  \
        .init = virtio_plug_init,                                                                  \
        .reset = virtio_plug_reset,                                                                \
        .finish = virtio_plug_finish,                                                              \
    };                                                                                             \
    REGISTER(device_class, virtio_type_object##_mmio_class);                                       \
    VIRTIO_PCI_DEVICE(virtio_type_object, short_name, text)

#endif
