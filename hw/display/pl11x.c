/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PrimeCell colour LCD controllers PL110 (DDI 0161) and PL111 (DDI 0293): registers, palette,
 * cursor and frame interrupts. pl11x_draw.c makes the picture. Output 0: the combined interrupt.
 * Property: screen=off, for a board whose connector shows one of several (pl11x.h).
 */
#include "hw/display/pl11x.h"

#include <string.h>

#include "hw/display/pl11x_registers.h"
#include "hw/machine.h"
#include "hw/primecell.h"

enum {
    LCD_TIMING0 = 0x00, /* to LCD_TIMING3 at 0x0c */
    LCD_UPBASE = 0x10,
    LCD_LPBASE = 0x14,
    LCD_SLOT6 = 0x18, /* PL110: IMSC, PL111: CONTROL */
    LCD_SLOT7 = 0x1c, /* PL110: CONTROL, PL111: IMSC */
    LCD_RIS = 0x20,
    LCD_MIS = 0x24,
    LCD_ICR = 0x28,
    LCD_UPCURR = 0x2c,
    LCD_LPCURR = 0x30,
    LCD_PALETTE = 0x200,  /* to 0x3ff */
    CURSOR_IMAGE = 0x800, /* to 0xbff */
    CURSOR_CTRL = 0xc00,
    CURSOR_CONFIG = 0xc04,
    CURSOR_PALETTE0 = 0xc08,
    CURSOR_PALETTE1 = 0xc0c,
    CURSOR_XY = 0xc10,
    CURSOR_CLIP = 0xc14,
    CURSOR_IMSC = 0xc20,
    CURSOR_ICR = 0xc24,
    CURSOR_RIS = 0xc28,
    CURSOR_MIS = 0xc2c,
};
enum {
    INT_NEXT_BASE = 1 << 2,
    INT_VCOMP = 1 << 3,
    INT_MASK = 0x1e,
};
/* Timing is the panel's: a frame takes 1/60 s whatever the registers ask for. */
enum { FRAME_NS = 16666667 };

static const struct device_field pl11x_fields[] = {
    DEVICE_ARRAY(struct pl11x, look.timing, DEVICE_U32, 4, 0),
    DEVICE_FIELD(struct pl11x, upper_base, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl11x, lower_base, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl11x, upper_current, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl11x, lower_current, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl11x, look.control, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl11x, mask, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl11x, raw, DEVICE_U32, 0),
    DEVICE_ARRAY(struct pl11x, look.palette, DEVICE_U32, 128, 0),
    DEVICE_ARRAY(struct pl11x, look.cursor_image, DEVICE_U32, 256, 0),
    DEVICE_ARRAY(struct pl11x, look.cursor, DEVICE_U32, 6, 0),
    DEVICE_FIELD(struct pl11x, cursor_mask, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl11x, cursor_raw, DEVICE_U32, 0),
    DEVICE_FIELD(struct pl11x, frame, DEVICE_TIMER, 0),
};

static void update_line(struct device *d)
{
    const struct pl11x *s = d->state;

    device_irq(d, 0, (s->raw & s->mask) || (s->cursor_raw & s->cursor_mask));
}

static void arm_frame(struct pl11x *s)
{
    if (s->look.control & CONTROL_ENABLE)
        timer_set(&s->frame, clock_now_ns(s->frame.clock) + FRAME_NS);
    else
        timer_cancel(&s->frame);
}

/* End of a frame: the base registers are taken over, the vertical compare point has passed. */
static void frame_done(void *opaque)
{
    struct device *d = opaque;
    struct pl11x *s = d->state;

    s->upper_current = s->upper_base;
    s->lower_current = s->lower_base;
    s->raw |= INT_NEXT_BASE | INT_VCOMP;
    s->cursor_raw |= 1;
    /* With nobody listening the next frame need not be counted. */
    if (s->mask || s->cursor_mask)
        arm_frame(s);
    update_line(d);
}

static uint32_t *cursor_register(struct pl11x *s, uint64_t offset)
{
    if (offset >= CURSOR_CTRL && offset <= CURSOR_CLIP)
        return &s->look.cursor[(offset - CURSOR_CTRL) / 4];
    return offset == CURSOR_IMSC ? &s->cursor_mask : NULL;
}

/* Registers that hold what is written; NULL for the others. */
static uint32_t *plain_register(struct pl11x *s, uint64_t offset)
{
    if (offset < LCD_UPBASE)
        return &s->look.timing[offset / 4];
    if (offset == LCD_UPBASE)
        return &s->upper_base;
    if (offset == LCD_LPBASE)
        return &s->lower_base;
    if (offset == LCD_SLOT6)
        return s->is_pl111 ? &s->look.control : &s->mask;
    if (offset == LCD_SLOT7)
        return s->is_pl111 ? &s->mask : &s->look.control;
    if (offset >= LCD_PALETTE && offset < LCD_PALETTE + 0x200)
        return &s->look.palette[(offset - LCD_PALETTE) / 4];
    if (s->is_pl111 && offset >= CURSOR_IMAGE && offset < CURSOR_CTRL)
        return &s->look.cursor_image[(offset - CURSOR_IMAGE) / 4];
    return s->is_pl111 ? cursor_register(s, offset) : NULL;
}

static uint64_t pl11x_read(struct device *d, uint64_t offset, unsigned size)
{
    struct pl11x *s = d->state;
    const uint32_t *plain;

    if (offset >= PRIMECELL_ID)
        return primecell_id(s->is_pl111 ? 0x00241111 : 0x00041110, offset);
    plain = plain_register(s, offset);
    if (plain)
        return *plain;
    switch (offset) {
    case LCD_RIS:
        return s->raw;
    case LCD_MIS:
        return s->raw & s->mask;
    case LCD_UPCURR:
        return s->upper_current;
    case LCD_LPCURR:
        return s->lower_current;
    case CURSOR_RIS:
        return s->cursor_raw;
    case CURSOR_MIS:
        return s->cursor_raw & s->cursor_mask;
    }
    log_printf(LOG_GUEST_ERROR, "pl11x: read of offset 0x%x\n", (unsigned)offset);
    return 0;
}

static void pl11x_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct pl11x *s = d->state;
    uint32_t *plain = plain_register(s, offset);

    if (plain) {
        *plain = (uint32_t)value;
        s->mask &= INT_MASK;
        s->cursor_mask &= 1;
        if (plain == &s->look.control || plain == &s->mask || plain == &s->cursor_mask ||
            plain == &s->upper_base || plain == &s->lower_base)
            arm_frame(s);
    } else if (offset == LCD_ICR || (!s->is_pl111 && offset == LCD_RIS)) {
        s->raw &= ~(uint32_t)value;
    } else if (s->is_pl111 && offset == CURSOR_ICR) {
        s->cursor_raw &= ~(uint32_t)value;
    } else {
        log_printf(LOG_GUEST_ERROR, "pl11x: write of 0x%x to offset 0x%x\n", (unsigned)value,
                   (unsigned)offset);
    }
    update_line(d);
}

static bool pl11x_init(struct device *d, struct error *err)
{
    struct pl11x *s = d->state;

    s->is_pl111 = d->class->name[4] == '1'; /* "pl111", "pl110" */
    timer_init(&s->frame, d->clock, frame_done, d);
    if (!device_prop_on(d, "screen", true))
        return true;
    s->screen = screen_create(&d->machine->screens, d->id, &pl11x_source, d);
    return s->screen || error_set(err, "%s: out of memory", d->id);
}

static void pl11x_reset(struct device *d)
{
    struct pl11x *s = d->state;

    timer_cancel(&s->frame);
    update_line(d);
}

static void pl11x_finish(struct device *d)
{
    struct pl11x *s = d->state;

    timer_cancel(&s->frame);
    screen_destroy(&d->machine->screens, s->screen);
    framebuffer_finish(&s->framebuffer);
}

static const struct device_region pl11x_regions[] = {
    {.name = "pl11x",
     .size = 0x1000,
     .min_access = 4,
     .max_access = 4,
     .read = pl11x_read,
     .write = pl11x_write},
};

static const struct device_prop pl11x_props[] = {
    {"screen", DEVICE_PROP_SWITCH},
    {NULL},
};

#define PL11X_CLASS(type, text, document)                                                          \
    static const struct device_class type##_class = {                                              \
        .name = #type,                                                                             \
        .props = pl11x_props,                                                                      \
        .description = text,                                                                       \
        .manual = document,                                                                        \
        .state_size = sizeof(struct pl11x),                                                        \
        .regions = pl11x_regions,                                                                  \
        .n_regions = ARRAY_SIZE(pl11x_regions),                                                    \
        .fields = pl11x_fields,                                                                    \
        .n_fields = ARRAY_SIZE(pl11x_fields),                                                      \
        .n_irq_out = 1,                                                                            \
        .init = pl11x_init,                                                                        \
        .reset = pl11x_reset,                                                                      \
        .finish = pl11x_finish,                                                                    \
    };                                                                                             \
    REGISTER(device_class, type##_class)
PL11X_CLASS(pl110, "ARM colour LCD controller", "ARM DDI 0161");
PL11X_CLASS(pl111, "ARM colour LCD controller with cursor", "ARM DDI 0293");
