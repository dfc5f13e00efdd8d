/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * virtio-vga: a virtio-gpu (PCI) that is a VGA with Bochs extensions until its driver shows
 * something, with vgabios-virtio.bin for firmware. BAR 0: video memory, 2 and 3: virtio, 4: MSI-X.
 */
#include "hw/display/vga_registers.h"
#include "hw/display/virtio_gpu.h"
#include "hw/machine.h"

#define ROM_PATH "/usr/share/seabios/vgabios-virtio.bin"

static struct virtio_device *gpu_of(struct device *d)
{
    return &((struct virtio_vga *)d->state)->pci.v;
}

static void refresh(void *opaque, struct screen *screen)
{
    struct device *d = opaque;
    struct virtio_vga *s = d->state;
    bool driven = virtio_gpu_is_shown(gpu_of(d));

    if (driven != s->driven)
        screen->whole = true;
    s->driven = driven;
    virtio_gpu_draw(gpu_of(d)); /* also moves the cursor */
    if (!driven)
        vga_refresh(d, screen);
}

static void print_text(void *opaque, FILE *out)
{
    struct device *d = opaque;

    if (virtio_gpu_is_shown(gpu_of(d)))
        fprintf(out, "graphics, %u x %u\n", vga_of(d)->shown.screen->width,
                vga_of(d)->shown.screen->height);
    else
        vga_text(d, out);
}

static void suggest_size(void *opaque, unsigned width, unsigned height)
{
    virtio_gpu_suggest_size(gpu_of(opaque), width, height);
}

static const struct screen_source source = {
    .refresh = refresh,
    .print_text = print_text,
    .suggest_size = suggest_size,
};

static void config_reading(struct device *d, unsigned offset, unsigned size)
{
    virtio_pci_function.config_reading(d, offset, size);
}

static void config_written(struct device *d, unsigned offset, unsigned size)
{
    virtio_pci_function.config_written(d, offset, size);
    if (offset < PCI_COMMAND + 2)
        vga_decode_update(d);
}

static bool virtio_vga_init(struct device *d, struct error *err)
{
    if (!virtio_pci_init_with(d, VIRTIO_PCI_NO_BAR, 2, 4, err))
        return false;
    if (!vga_init_with(d, ROM_PATH, err)) {
        virtio_pci_finish(d);
        return false;
    }
    vga_of(d)->shown.screen->source = &source;
    virtio_gpu_use_screen(gpu_of(d), vga_of(d)->shown.screen);
    return true;
}

static void virtio_vga_reset(struct device *d)
{
    virtio_pci_reset(d);
    vga_decode_update(d);
}

static void virtio_vga_finish(struct device *d)
{
    virtio_pci_finish(d);
    vga_screen_destroy(d);
}

static const struct device_region regions[] = {
    VGA_REGIONS,
    VIRTIO_PCI_REGIONS(2, 4),
};

static const struct device_field fields[] = {
    VIRTIO_PCI_FIELDS(struct virtio_vga, pci.),
    VGA_FIELDS(struct virtio_vga, vga.),
};

static const struct pci_class function = {
    .vendor = 0x1af4,
    .interrupt_pin = 1,
    .config_reading = config_reading,
    .config_written = config_written,
};

static const struct device_prop props[] = {
    VGA_ROM_PROP,
    VIRTIO_PCI_PROPS,
    {NULL},
};

static const struct device_class virtio_vga_class = {
    .name = "virtio-vga",
    .props = props,
    .description = "Display adapter (virtio, PCI) that is a VGA, too",
    .manual = "VIRTIO 1.2; IBM VGA; Bochs VBE DISPI",
    .addable = true,
    .pci = &function,
    .virtio = &virtio_gpu_vga_type,
    .state_size = sizeof(struct virtio_vga),
    .regions = regions,
    .n_regions = ARRAY_SIZE(regions),
    .fields = fields,
    .n_fields = ARRAY_SIZE(fields),
    .init = virtio_vga_init,
    .reset = virtio_vga_reset,
    .finish = virtio_vga_finish,
};
REGISTER(device_class, virtio_vga_class);
