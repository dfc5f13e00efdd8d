/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hw/display/framebuffer.h"

#include <stdlib.h>
#include <string.h>

/* What is kept, for a screen of this size. False: there is no memory for it. */
static bool keep(struct framebuffer *f, struct screen *screen, unsigned row_bytes)
{
    if (f->rows && f->row_bytes == row_bytes && f->height == screen->height &&
        f->width == screen->width)
        return true;
    framebuffer_finish(f);
    f->rows = malloc((size_t)screen->height * row_bytes + row_bytes);
    f->pixels = malloc(screen->width * sizeof(*f->pixels));
    if (!f->rows || !f->pixels) {
        framebuffer_finish(f);
        return false;
    }
    f->row_bytes = row_bytes;
    f->height = screen->height;
    f->width = screen->width;
    screen->whole = true;
    return true;
}

void framebuffer_draw(struct framebuffer *f, struct memory *memory, struct screen *screen,
                      const struct framebuffer_layout *layout)
{
    unsigned size = layout->row_bytes;
    uint8_t *black;

    if (!size || !keep(f, screen, size))
        return;
    black = f->rows + (size_t)f->height * size; /* one more row: zeros */
    memset(black, 0, size);
    for (unsigned y = 0; y < f->height; y++) {
        uint8_t *before = f->rows + (size_t)y * size;
        const uint8_t *bytes = memory_ram_pointer(memory, layout->address(layout->opaque, y), size);
        if (!bytes)
            bytes = black;
        if (!screen->whole && !memcmp(bytes, before, size))
            continue;
        memcpy(before, bytes, size);
        /* The guest may be writing: what is drawn is what is remembered. */
        layout->draw(layout->opaque, &(struct framebuffer_row){y, before, f->pixels});
        screen_put_row(screen, y, f->pixels);
    }
}

void framebuffer_finish(struct framebuffer *f)
{
    free(f->rows);
    free(f->pixels);
    *f = (struct framebuffer){0};
}
