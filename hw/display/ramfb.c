/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A frame buffer in the guest's RAM that firmware sets up through the file "etc/ramfb" of fw_cfg,
 * as QEMU's docs/specs/ramfb describes it: address (64 bits), format, flags, width, height, bytes a
 * row (32 bits each), all big-endian. Nothing shows until all of it makes sense.
 */
#include "hw/display/ramfb.h"

#include <stdio.h>
#include <stdlib.h>

#include "hw/display/framebuffer.h"
#include "hw/machine.h"
#include "hw/misc/fw_cfg.h"
#include "util/bits.h"

enum { CONFIG_BYTES = 28, ROM_MAX = 0x10000 };
#define CONFIG_FILE "etc/ramfb"
/* For SeaBIOS: a video BIOS that draws into it. */
#define ROM_PATH "/usr/share/seabios/vgabios-ramfb.bin"
#define ROM_FILE "vgaroms/vgabios-ramfb.bin"

/* Formats by their code (Linux, drm_fourcc.h). */
#define FOURCC(a, b, c, d)                                                                         \
    ((uint32_t)(a) | (uint32_t)(b) << 8 | (uint32_t)(c) << 16 | (uint32_t)(d) << 24)
static const struct format {
    uint32_t code;
    uint8_t bytes;
    bool red_low;
} formats[] = {
    {FOURCC('X', 'R', '2', '4'), 4, false}, {FOURCC('A', 'R', '2', '4'), 4, false},
    {FOURCC('X', 'B', '2', '4'), 4, true},  {FOURCC('A', 'B', '2', '4'), 4, true},
    {FOURCC('R', 'G', '2', '4'), 3, false}, {FOURCC('B', 'G', '2', '4'), 3, true},
    {FOURCC('R', 'G', '1', '6'), 2, false}, {FOURCC('B', 'G', '1', '6'), 2, true},
};

struct ramfb {
    uint64_t base;
    uint32_t code, width, height, stride; /* width 0: not set up */
    const struct format *format;
    struct device *fw_cfg;
    struct screen *screen;
    struct framebuffer framebuffer;
};

static const struct device_field fields[] = {
    DEVICE_FIELD(struct ramfb, base, DEVICE_U64, 0),
    DEVICE_FIELD(struct ramfb, code, DEVICE_U32, 0),
    DEVICE_FIELD(struct ramfb, width, DEVICE_U32, 0),
    DEVICE_FIELD(struct ramfb, height, DEVICE_U32, 0),
    DEVICE_FIELD(struct ramfb, stride, DEVICE_U32, 0),
};

static const struct format *format_find(uint32_t code)
{
    for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
        if (formats[i].code == code)
            return &formats[i];
    }
    return NULL;
}

static void set_up(struct ramfb *s, uint64_t base, uint32_t code, uint32_t width, uint32_t height,
                   uint32_t stride)
{
    const struct format *format = format_find(code);

    s->screen->whole = true;
    s->width = 0;
    if (!width && !height)
        return;
    if (!format || !width || !height || width > SCREEN_MAX_WIDTH || height > SCREEN_MAX_HEIGHT ||
        (stride && stride < width * format->bytes) || stride > 16 * SCREEN_MAX_WIDTH) {
        log_printf(LOG_GUEST_ERROR, "ramfb: cannot show %u x %u, %u bytes a row, format 0x%x\n",
                   width, height, stride, code);
        return;
    }
    s->base = base;
    s->code = code;
    s->width = width;
    s->height = height;
    s->stride = stride ? stride : width * format->bytes;
    s->format = format;
}

static void config_written(void *opaque)
{
    struct device *d = opaque;
    struct ramfb *s = d->state;
    uint32_t size;
    const uint8_t *config = fw_cfg_file(s->fw_cfg, CONFIG_FILE, &size);

    if (config && size == CONFIG_BYTES)
        set_up(s, load_be64(config), load_be32(config + 8), load_be32(config + 16),
               load_be32(config + 20), load_be32(config + 24));
}

void ramfb_start(struct device *d, gpa base, unsigned width, unsigned height)
{
    set_up(d->state, base, formats[0].code, width, height, 0);
}

/* ---- the picture ------------------------------------------------------------------------------
 */

static gpa row_address(void *opaque, unsigned y)
{
    const struct ramfb *s = opaque;

    return s->base + (gpa)y * s->stride;
}

static uint32_t load_pixel(const uint8_t *at, unsigned bytes)
{
    switch (bytes) {
    case 2: {
        uint32_t v = load_le16(at), red = v >> 11, green = v >> 5 & 63, blue = v & 31;
        return (red << 3 | red >> 2) << 16 | (green << 2 | green >> 4) << 8 | blue << 3 | blue >> 2;
    }
    case 3:
        return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
    default:
        return load_le32(at) & 0xffffff;
    }
}

static void draw_row(void *opaque, const struct framebuffer_row *row)
{
    const struct ramfb *s = opaque;

    for (unsigned x = 0; x < s->width; x++) {
        uint32_t pixel = load_pixel(row->bytes + (size_t)x * s->format->bytes, s->format->bytes);
        row->pixels[x] = s->format->red_low ? __builtin_bswap32(pixel) >> 8 : pixel;
    }
}

static void refresh(void *opaque, struct screen *screen)
{
    struct device *d = opaque;
    struct ramfb *s = d->state;
    struct framebuffer_layout layout = {
        .address = row_address,
        .draw = draw_row,
        .opaque = s,
    };

    if (!s->width) {
        if (screen->whole)
            screen_fill(screen, 0);
        return;
    }
    layout.row_bytes = s->width * s->format->bytes;
    if (screen_resize(screen, s->width, s->height))
        framebuffer_draw(&s->framebuffer, d->memory, screen, &layout);
}

static const struct screen_source source = {.refresh = refresh};

/* ---- device -----------------------------------------------------------------------------------
 */

static void offer_rom(struct device *fw_cfg)
{
    FILE *file = fopen(ROM_PATH, "rb");
    uint8_t *rom = malloc(ROM_MAX);
    size_t n = file && rom ? fread(rom, 1, ROM_MAX, file) : 0;

    if (n)
        fw_cfg_add_file(fw_cfg, ROM_FILE, rom, (uint32_t)n);
    free(rom);
    if (file)
        fclose(file);
}

static bool ramfb_init(struct device *d, struct error *err)
{
    struct ramfb *s = d->state;

    s->fw_cfg = machine_find_device(d->machine, "fw_cfg");
    if (!s->fw_cfg)
        return error_set(err, "-device ramfb: this machine has no fw_cfg");
    s->screen = screen_create(&d->machine->screens, d->id, &source, d);
    if (!s->screen ||
        !fw_cfg_add_writable_file(s->fw_cfg, CONFIG_FILE, CONFIG_BYTES, config_written, d)) {
        screen_destroy(&d->machine->screens, s->screen);
        return error_set(err, "-device ramfb: out of memory");
    }
    if (d->machine->ports)
        offer_rom(s->fw_cfg);
    return true;
}

static void ramfb_reset(struct device *d)
{
    struct ramfb *s = d->state;

    s->screen->whole = true;
}

static void ramfb_finish(struct device *d)
{
    struct ramfb *s = d->state;

    fw_cfg_forget_writer(s->fw_cfg, CONFIG_FILE);
    screen_destroy(&d->machine->screens, s->screen);
    framebuffer_finish(&s->framebuffer);
}

static const struct device_class ramfb_class = {
    .name = "ramfb",
    .description = "Frame buffer in RAM, set up by firmware",
    .manual = "QEMU docs/specs/ramfb",
    .addable = true,
    .state_size = sizeof(struct ramfb),
    .fields = fields,
    .n_fields = ARRAY_SIZE(fields),
    .init = ramfb_init,
    .reset = ramfb_reset,
    .finish = ramfb_finish,
};
REGISTER(device_class, ramfb_class);
