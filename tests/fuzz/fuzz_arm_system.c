/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile ARM guest without its code: random writes of every coprocessor register, mode changes,
 * exceptions and table walks over random tables. Nothing may go out of bounds, overflow or stop.
 */
#include <stdlib.h>

#include "frontend/arm/coproc.h"

enum { RAM = 0x40000000, RAM_BYTES = 1 << 20 };

struct input {
    const uint8_t *data;
    size_t size;
};

static uint32_t take(struct input *in, unsigned bytes)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < bytes && in->size; i++, in->size--)
        value = value << 8 | *in->data++;
    return value;
}

static void access_register(struct arm_cpu *cpu, struct input *in)
{
    uint32_t encoding = take(in, 3);
    bool read = encoding & 1, wide = encoding >> 1 & 1;
    unsigned cp = encoding >> 2 & 1 ? 15 : 14;
    unsigned opc1 = encoding >> 3 & 7, crn = encoding >> 6 & 15, crm = encoding >> 10 & 15;
    unsigned opc2 = encoding >> 14 & 7;
    int index = arm_reg_find(cpu->model, wide, cp, opc1, crn, crm, opc2);
    uint64_t value = take(in, 4);

    /* Those raise into an engine that is not here. */
    if (index >= 0 && (arm_reg_row((unsigned)index)->flags & REG_FAULT))
        return;
    value |= (uint64_t)take(in, 2) << 32;
    arm_coproc_access(cpu, read, wide, cp, opc1, crn, crm, opc2, encoding >> 20 & 1, &value);
}

static void step(struct arm_cpu *cpu, struct input *in)
{
    struct exception e = {.syndrome = 5, .address = 0x1234};
    uint8_t byte;

    switch (take(in, 1) % 6) {
    case 0:
        access_register(cpu, in);
        break;
    case 1:
        e.kind = take(in, 1);
        arm_raise(&cpu->v, &e);
        break;
    case 2:
        arm_cpsr_write(cpu, take(in, 4), take(in, 4));
        break;
    case 3:
        memory_store(cpu->v.memory, RAM + (take(in, 2) & 0x3fff) * 4, take(in, 4), 4, NULL);
        break;
    case 4:
        arm_mmu_translate_for_par(cpu, take(in, 4), (enum mmu_access)(take(in, 1) % 2),
                                  take(in, 1) & 1);
        break;
    default:
        mmu_peek(cpu->v.mmu, take(in, 4), &byte, 1, take(in, 1) & 1);
        break;
    }
    if (!arm_mode_valid(cpu->cpsr & CPSR_M))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {data, size};
    pthread_mutex_t lock;
    struct arm_cpu *cpu = aligned_alloc(64, align_up(sizeof(*cpu), 64));
    struct error err;

    memset(cpu, 0, sizeof(*cpu));
    memory_lock_init(&lock);
    cpu->v.model = &arm_models[take(&in, 1) % 3];
    cpu->v.clock = clock_create_manual();
    cpu->v.device_lock = &lock;
    cpu->v.memory = memory_create(&lock, &err);
    if (!cpu->v.memory || !memory_add_ram(cpu->v.memory, "ram", RAM, RAM_BYTES, &err))
        abort();
    cpu->v.mmu = mmu_create(cpu->v.memory, &cpu->v.run, &arm_mmu_client, false, &err);
    if (!cpu->v.mmu || !arm_init(&cpu->v, &err))
        abort();
    arm_reset(&cpu->v);
    while (in.size)
        step(cpu, &in);
    arm_finish(&cpu->v);
    mmu_destroy(cpu->v.mmu);
    memory_destroy(cpu->v.memory);
    clock_destroy(cpu->v.clock);
    pthread_mutex_destroy(&lock);
    free(cpu);
    return 0;
}
