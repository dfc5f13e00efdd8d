/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio over PCI (VIRTIO 1.2 section 4.1): the modern interface in a memory BAR and, for kinds
 * that have a transitional id, the legacy one in an I/O BAR. Properties disable-legacy and
 * disable-modern (on, off, auto).
 *
 * VIRTIO_DEVICE (virtio_device.h) is all that most kinds need. A function with more than
 * virtio in it (virtio-vga) has a class of its own: struct virtio_pci is the first member of its
 * state, VIRTIO_PCI_REGIONS are among its regions, and it calls virtio_pci_init, _reset, _finish.
 */
#ifndef CALQUE_HW_VIRTIO_VIRTIO_PCI_H
#define CALQUE_HW_VIRTIO_VIRTIO_PCI_H

#include "hw/pci/msix.h"
#include "hw/virtio/virtio.h"

enum {
    VIRTIO_PCI_LEGACY_BYTES = 0x80,
    VIRTIO_PCI_MODERN_BYTES = 0x4000,
    VIRTIO_PCI_NO_BAR = 0xff, /* for virtio_pci_init: no legacy interface */
};

struct virtio_pci {
    struct virtio_device v;
    struct pci_msix msix;
    bool legacy, modern; /* which interfaces are there */
    uint8_t modern_bar;
    uint8_t isr, generation;
    uint16_t queue_select;
    uint16_t config_vector, queue_vector[VIRTIO_MAX_QUEUES];
    uint32_t device_feature_select, driver_feature_select;
};
#define VIRTIO_PCI_FIELDS(struct_type, prefix)                                                     \
    VIRTIO_FIELDS(struct_type, prefix v), DEVICE_FIELD(struct_type, prefix isr, DEVICE_U8, 0),     \
        DEVICE_FIELD(struct_type, prefix generation, DEVICE_U8, 0),                                \
        DEVICE_FIELD(struct_type, prefix queue_select, DEVICE_U16, 0),                             \
        DEVICE_FIELD(struct_type, prefix config_vector, DEVICE_U16, 0xffff),                       \
        DEVICE_ARRAY(struct_type, prefix queue_vector, DEVICE_U16, VIRTIO_MAX_QUEUES, 0xffff),     \
        DEVICE_FIELD(struct_type, prefix device_feature_select, DEVICE_U32, 0),                    \
        DEVICE_FIELD(struct_type, prefix driver_feature_select, DEVICE_U32, 0),                    \
        PCI_MSIX_FIELDS(struct_type, prefix msix)

#define VIRTIO_PCI_PROPS                                                                           \
    {"disable-legacy", DEVICE_PROP_AUTO},                                                          \
    {                                                                                              \
        "disable-modern", DEVICE_PROP_SWITCH                                                       \
    }

uint64_t virtio_pci_msix_read(struct device *d, uint64_t offset, unsigned size);
void virtio_pci_msix_write(struct device *d, uint64_t offset, uint64_t value, unsigned size);
uint64_t virtio_pci_modern_read(struct device *d, uint64_t offset, unsigned size);
void virtio_pci_modern_write(struct device *d, uint64_t offset, uint64_t value, unsigned size);

/* A modern BAR takes the next one's place too. */
#define VIRTIO_PCI_REGIONS(modern, messages)                                                       \
    {                                                                                              \
        "virtio-pci-msix",                                                                         \
        PCI_MSIX_BYTES,                                                                            \
        4,                                                                                         \
        4,                                                                                         \
        virtio_pci_msix_read,                                                                      \
        virtio_pci_msix_write,                                                                     \
        .bar = DEVICE_BAR(messages)},                                                              \
    {                                                                                              \
        "virtio-pci", VIRTIO_PCI_MODERN_BYTES, 1, 4, virtio_pci_modern_read,                       \
            virtio_pci_modern_write, .bar = DEVICE_BAR(modern), .bar_64 = true,                    \
                                     .bar_prefetch = true                                          \
    }

/* legacy_bar: where a region of the class has the legacy interface, or VIRTIO_PCI_NO_BAR. Sets ids,
 * class code and capabilities, and attaches the kind that d->class->virtio names. */
bool virtio_pci_init_with(struct device *d, unsigned legacy_bar, unsigned modern_bar,
                          unsigned msix_bar, struct error *err);
void virtio_pci_reset(struct device *d);
void virtio_pci_finish(struct device *d);
extern const struct pci_class virtio_pci_function; /* for .pci; init overwrites ids and class */

/* The usual function: legacy BAR 0, MSI-X BAR 1, modern BARs 4 and 5, as QEMU has them. */
bool virtio_pci_init(struct device *d, struct error *err);
extern const struct device_prop virtio_pci_props[];
extern const struct device_region virtio_pci_regions[];
extern const struct device_field virtio_pci_fields[];
enum { VIRTIO_PCI_N_REGIONS = 3, VIRTIO_PCI_N_FIELDS = 13 };

#define VIRTIO_PCI_DEVICE(virtio_type_object, short_name, text)                                    \
    static const struct device_class virtio_type_object##_pci_class = {                            \
        .name = "virtio-" short_name "-pci",                                                       \
        .description = text " (virtio, PCI)",                                                      \
        .manual = "VIRTIO 1.2",                                                                    \
        .addable = true,                                                                           \
        .pci = &virtio_pci_function,                                                               \
        .virtio = &(virtio_type_object),                                                           \
        .props = virtio_pci_props,                                                                 \
        .state_size = sizeof(struct virtio_pci),                                                   \
        .regions = virtio_pci_regions,                                                             \
        .n_regions = VIRTIO_PCI_N_REGIONS,                                                         \
        .fields = virtio_pci_fields,                                                               \
        .n_fields = VIRTIO_PCI_N_FIELDS,                                                           \
        .init = virtio_pci_init,                                                                   \
        .reset = virtio_pci_reset,                                                                 \
        .finish = virtio_pci_finish,                                                               \
    };                                                                                             \
    REGISTER(device_class, virtio_type_object##_pci_class)

#endif
