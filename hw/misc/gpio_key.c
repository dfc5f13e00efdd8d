/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A push button: a rising edge at its input presses the key for a tenth of a second. */
#include "hw/device.h"

enum { PRESS_NS = 100 * 1000 * 1000 };

struct gpio_key {
    struct timer release;
};

static void gpio_key_release(void *opaque)
{
    device_irq(opaque, 0, false);
}

static void gpio_key_irq_in(struct device *d, unsigned line, bool level)
{
    struct gpio_key *k = d->state;

    if (!level)
        return;
    device_irq(d, 0, true);
    timer_set(&k->release, clock_now_ns(d->clock) + PRESS_NS);
}

static bool gpio_key_init(struct device *d, struct error *err)
{
    struct gpio_key *k = d->state;

    timer_init(&k->release, d->clock, gpio_key_release, d);
    return true;
}

static void gpio_key_reset(struct device *d)
{
    device_irq(d, 0, false);
}

static const struct device_field gpio_key_fields[] = {
    DEVICE_FIELD(struct gpio_key, release, DEVICE_TIMER, 0),
};

static const struct device_class gpio_key_class = {
    .name = "gpio-key",
    .description = "Push button on a GPIO line",
    .state_size = sizeof(struct gpio_key),
    .fields = gpio_key_fields,
    .n_fields = ARRAY_SIZE(gpio_key_fields),
    .n_irq_in = 1,
    .n_irq_out = 1,
    .init = gpio_key_init,
    .reset = gpio_key_reset,
    .irq_in = gpio_key_irq_in,
};
REGISTER(device_class, gpio_key_class);
