/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A PC without processor: RAM, ports, a host bridge and what a test puts beside it. */
#ifndef CALQUE_TESTS_DEVICE_PC_H
#define CALQUE_TESTS_DEVICE_PC_H

#include "bus.h"

enum { PC_RAM_SIZE = 0x400000, PC_MAX_DEVICES = 16 };

struct test_pc {
    struct machine machine;
    struct device *devices[PC_MAX_DEVICES];
    uint8_t *ram;
    bool line[TEST_MAX_LINES]; /* outputs of the device given to pc_watch */
    unsigned rises[TEST_MAX_LINES];
    unsigned n_events;
    enum machine_event event;
    struct chardev *chardev; /* for the device that pc_add makes next */
};

struct test_pc *pc_create(void);
void pc_destroy(struct test_pc *pc);
/* Regions that do not move go to `base` and after. Not reset: pc_reset does it for all. */
struct device *pc_add(struct test_pc *pc, const char *class, const char *id, gpa base,
                      const char *props, void *backend);
void pc_watch(struct test_pc *pc, struct device *d);
void pc_reset(struct test_pc *pc);

uint32_t pc_in(struct test_pc *pc, unsigned port, unsigned size); /* nothing there: all ones */
void pc_out(struct test_pc *pc, unsigned port, uint32_t value, unsigned size);
uint32_t pc_load(struct test_pc *pc, gpa address, unsigned size);
void pc_store(struct test_pc *pc, gpa address, uint32_t value, unsigned size);
/* By ports 0xcf8 and 0xcfc; where is slot << 3 | function. */
uint32_t pc_config_get(struct test_pc *pc, unsigned where, unsigned offset, unsigned size);
void pc_config_set(struct test_pc *pc, unsigned where, unsigned offset, uint32_t value,
                   unsigned size);
/* Random ports, memory and configuration accesses. */
void pc_hostile(struct test_pc *pc, unsigned first_port, unsigned last_port, gpa base,
                uint64_t size, unsigned where, unsigned n);

#endif
