/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile driver: any access to any register of every device of the boards, with time passing and
 * keys typed between. Six bytes an access: device, offset (2), what, value (2).
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/chardev.h"
#include "hw/machine.h"

enum { STEP_BYTES = 6, MAX_STEPS = 400, N_MACHINES = 2 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void typed_write(struct chardev *c, const uint8_t *data, unsigned size)
{
}

static const struct chardev_ops typed_ops = {.name = "typed", .write = typed_write};
static struct chardev typed = {.ops = &typed_ops};

static struct chardev *find_typed(void *opaque, const char *name)
{
    return &typed;
}

static void event(void *opaque, enum machine_event what)
{
}

static struct machine *create(const char *name)
{
    struct machine_config config = {
        .class = machine_class_find("arm", name),
        .ram_bytes = 16 << 20,
        .interpret = true,
        .chardev = find_typed,
        .event = event,
    };
    struct error err = {"no such machine"};
    struct machine *m = config.class ? machine_create(&config, &err) : NULL;

    if (!m) {
        fprintf(stderr, "%s: %s\n", name, err.message);
        abort();
    }
    return m;
}

static void access_region(struct machine *m, const struct device_mapping *mapping,
                          const uint8_t *step)
{
    unsigned access = 1u << (step[3] & 3);
    uint64_t offset = (uint64_t)(step[1] | step[2] << 8) * ((step[3] & 4) ? 1 : 4);
    uint64_t value = step[4] | (uint64_t)step[5] << 8;
    bool ok;

    offset %= mapping->size;
    offset &= ~(uint64_t)(access - 1);
    value |= (step[3] & 8) ? value << 16 : 0;
    value = (step[3] & 16) ? ~value : value;
    if (step[3] & 32)
        memory_store(m->memory, mapping->base + offset, value, access, &ok);
    else
        memory_load(m->memory, mapping->base + offset, access, &ok);
}

static void do_step(struct machine *m, const uint8_t *step)
{
    struct device *d = m->devices[step[0] % m->n_devices];

    if (step[3] & 64) {
        clock_run(m->clock);
        if (typed.client && typed.client->can_receive(typed.client_opaque))
            typed.client->receive(typed.client_opaque, step + 4, 1);
    }
    if (d->class->n_regions)
        access_region(m, &d->mappings[step[1] % d->class->n_regions], step);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct machine *machines[N_MACHINES];
    struct machine *m;

    if (!machines[0]) {
        machines[0] = create("virt");
        machines[1] = create("vexpress-a9");
    }
    if (!size)
        return 0;
    m = machines[*data++ % N_MACHINES];
    pthread_mutex_lock(&m->lock);
    for (unsigned i = 0; i < m->n_devices; i++)
        device_reset(m->devices[i]);
    for (unsigned i = 0; i < MAX_STEPS && size > STEP_BYTES; i++) {
        do_step(m, data);
        data += STEP_BYTES;
        size -= STEP_BYTES;
    }
    pthread_mutex_unlock(&m->lock);
    return 0;
}
