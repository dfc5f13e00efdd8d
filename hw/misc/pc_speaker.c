/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Port 0x61 of a PC (Intel 290550, 2.5.5): the gate and OUT of timer channel 2, the speaker, the
 * refresh toggle. The timer is the device "pit" (property pit names another). Nothing sounds.
 */
#include "hw/device.h"
#include "hw/machine.h"
#include "hw/timer/i8254.h"

enum { GATE2 = 1, SPEAKER = 2, WRITABLE = 0xf, REFRESH = 1 << 4, OUT2 = 1 << 5 };
enum { REFRESH_NS = 15085 };

struct pc_speaker {
    uint8_t value;
    struct device *pit; /* looked up when it is first needed */
};

static struct device *speaker_pit(struct device *d)
{
    struct pc_speaker *p = d->state;
    char name[32] = "pit";

    device_prop_string(d, "pit", name, sizeof(name));
    if (!p->pit)
        p->pit = machine_find_device(d->machine, name);
    return p->pit;
}

static uint64_t speaker_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct pc_speaker *p = d->state;
    struct device *pit = speaker_pit(d);
    bool refresh = clock_now_ns(d->clock) / REFRESH_NS & 1;

    return p->value | (refresh ? REFRESH : 0) | (pit && i8254_out(pit, 2) ? OUT2 : 0);
}

static void speaker_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct pc_speaker *p = d->state;
    struct device *pit = speaker_pit(d);

    p->value = value & WRITABLE;
    if (pit)
        i8254_set_gate(pit, 2, value & GATE2);
}

static const struct device_field speaker_fields[] = {
    DEVICE_FIELD(struct pc_speaker, value, DEVICE_U8, 0),
};

static const struct device_region speaker_regions[] = {
    {.name = "pc-speaker",
     .size = 1,
     .max_access = 1,
     .read = speaker_read,
     .write = speaker_write,
     .port = true},
};

static const struct device_prop speaker_props[] = {
    {"pit", DEVICE_PROP_TEXT, .most = 31},
    {NULL},
};

static const struct device_class speaker_class = {
    .name = "pc-speaker",
    .props = speaker_props,
    .description = "System control port B: speaker and timer gate",
    .manual = "Intel 290550, 2.5.5",
    .state_size = sizeof(struct pc_speaker),
    .regions = speaker_regions,
    .n_regions = ARRAY_SIZE(speaker_regions),
    .fields = speaker_fields,
    .n_fields = ARRAY_SIZE(speaker_fields),
};
REGISTER(device_class, speaker_class);
