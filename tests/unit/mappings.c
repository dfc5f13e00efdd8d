/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processor, and what was told. */
#include "mappings.h"

enum { RAM_BYTES = 1 << 20 };

void mappings_create(struct mappings *f, const char *guest, const char *model)
{
    struct exec_options options = {.interpret = true};
    struct error err = {""};

    *f = (struct mappings){.n = 0};
    memory_lock_init(&f->lock);
    f->clock = clock_create_manual();
    f->memory = memory_create(&f->lock, &err);
    f->ram = memory_add_ram(f->memory, "ram", 0, RAM_BYTES, &err);
    assert_non_null(f->ram);
    f->exec = exec_create(guest_find(guest), f->memory, &options, &err);
    assert_non_null(f->exec);
    f->cpu = vcpu_create(f->exec, model, f->clock, &f->lock, 0, &err);
    if (!f->cpu)
        fail_msg("%s", err.message);
    vcpu_reset(f->cpu);
}

void mappings_destroy(struct mappings *f)
{
    vcpu_destroy(f->cpu);
    exec_destroy(f->exec);
    memory_destroy(f->memory);
    clock_destroy(f->clock);
    pthread_mutex_destroy(&f->lock);
}

static bool tell(void *opaque, const struct guest_mapping *mapping)
{
    struct mappings *f = opaque;

    if (f->n < MAX_TOLD) {
        f->told[f->n] = *mapping;
        snprintf(f->text[f->n], sizeof(f->text[0]), "%s", mapping->text);
    }
    f->n++;
    return !f->limit || f->n < f->limit;
}

void mappings_ask(struct mappings *f)
{
    f->n = 0;
    f->cpu->guest->mappings(f->cpu, tell, f);
}

void mapping_is(struct mappings *f, unsigned i, gva address, gpa physical, uint64_t size,
                unsigned privileged, unsigned user)
{
    assert_true(i < f->n);
    assert_int_equal(f->told[i].address, address);
    assert_int_equal(f->told[i].physical, physical);
    assert_int_equal(f->told[i].size, size);
    assert_int_equal(f->told[i].privileged, privileged);
    assert_int_equal(f->told[i].user, user);
}

void mappings_put32(struct mappings *f, gpa at, uint32_t value)
{
    memcpy(f->ram + at, &value, sizeof(value));
}

void mappings_put64(struct mappings *f, gpa at, uint64_t value)
{
    memcpy(f->ram + at, &value, sizeof(value));
}
