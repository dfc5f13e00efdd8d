/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The DVI connector of the Versatile Express motherboard (DUI 0447, 2.9 "multiplexer FPGA"): it
 * shows the motherboard's PL111, or while input 0 is high that of the daughterboard in site 1.
 * Kernels that leave the multiplexer alone trust the board's configuration files, which know what
 * is used: so if the chosen one is off, the other one shows.
 */
#include "hw/display/pl11x.h"
#include "hw/machine.h"

struct vexpress_dvi {
    bool from_daughterboard;
    struct device *shown;
    struct screen *screen;
};

static const struct device_field fields[] = {
    DEVICE_FIELD(struct vexpress_dvi, from_daughterboard, DEVICE_BOOL, 0),
};

static void refresh(void *opaque, struct screen *screen)
{
    struct device *d = opaque;
    struct vexpress_dvi *s = d->state;
    struct device *lcd[2] = {machine_find_device(d->machine, "clcd"),
                             machine_find_device(d->machine, "tile-clcd")};
    struct device *from = lcd[s->from_daughterboard], *other = lcd[!s->from_daughterboard];

    if (!from || (other && !pl11x_is_on(from) && pl11x_is_on(other)))
        from = other;
    if (from != s->shown)
        screen->whole = true;
    s->shown = from;
    if (from)
        pl11x_draw(from, screen);
}

static const struct screen_source source = {.refresh = refresh};

static void select_site(struct device *d, unsigned line, bool level)
{
    struct vexpress_dvi *s = d->state;

    s->from_daughterboard = level;
}

static bool dvi_init(struct device *d, struct error *err)
{
    struct vexpress_dvi *s = d->state;

    s->screen = screen_create(&d->machine->screens, d->id, &source, d);
    return s->screen || error_set(err, "%s: out of memory", d->id);
}

static void dvi_finish(struct device *d)
{
    struct vexpress_dvi *s = d->state;

    screen_destroy(&d->machine->screens, s->screen);
}

static const struct device_class vexpress_dvi_class = {
    .name = "vexpress-dvi",
    .description = "DVI connector of the Versatile Express",
    .manual = "ARM DUI 0447",
    .state_size = sizeof(struct vexpress_dvi),
    .fields = fields,
    .n_fields = ARRAY_SIZE(fields),
    .n_irq_in = 1,
    .irq_in = select_site,
    .init = dvi_init,
    .finish = dvi_finish,
};
REGISTER(device_class, vexpress_dvi_class);
