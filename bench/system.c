/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What needs privilege: exceptions, interrupts, devices, translation. machine.h has how. */
#include "machine.h"

/* ---- exceptions and interrupts --------------------------------------------------------------- */

uint32_t work_data_fault(uint32_t turns) /* 1: a load that is not mapped, and back behind it */
{
    uint32_t taken = 0;

    while (turns--)
        taken = fault_on_load(taken);
    return taken;
}

uint32_t work_undefined(uint32_t turns) /* 1: an undefined instruction, and back behind it */
{
    uint32_t taken = 0;

    while (turns--)
        taken = do_undefined(taken);
    return taken;
}

volatile uint32_t machine_interrupts; /* counted by the machine's handler */

uint32_t work_interrupt(uint32_t turns) /* 1 that the processor sends itself */
{
    uint32_t first = machine_interrupts;

    allow_interrupts();
    for (uint32_t i = 1; i <= turns; i++) {
        send_interrupt();
        while (machine_interrupts - first < i)
            continue;
    }
    forbid_interrupts();
    return machine_interrupts - first;
}

uint32_t work_interrupt_mask(uint32_t turns) /* 4 times forbidden and allowed again */
{
    uint32_t n = 0;

    while (turns--)
        for (int i = 0; i < 4; i++) {
            allow_interrupts();
            n = opaque(n + 1);
            forbid_interrupts();
        }
    return n;
}

uint32_t work_wake_timer(uint32_t turns) /* 1: asleep until a timer of 10 microseconds */
{
    uint32_t woken = 0;

    while (turns--)
        woken += sleep_until_timer();
    return woken;
}

uint32_t work_privileged_read(uint32_t turns) /* 4 registers */
{
    uint32_t sum = 0;

    write_privileged(0x1230);
    while (turns--)
        sum += read_privileged();
    return sum;
}

uint32_t work_privileged_write(uint32_t turns) /* 4 registers */
{
    while (turns--)
        write_privileged((turns + 1) << 4);
    return read_privileged();
}

uint32_t work_mmio_read(uint32_t turns) /* 4 */
{
    uint32_t sum = 0;

    write_device(3);
    while (turns--)
        for (int i = 0; i < 4; i++)
            sum += read_device();
    return sum;
}

uint32_t work_mmio_write(uint32_t turns) /* 4 */
{
    while (turns--)
        for (uint32_t i = 0; i < 4; i++)
            write_device(i & 3);
    return read_device();
}

/* ---- translations ---------------------------------------------------------------------------- */

enum { TOUCHED = 8, MANY = 512 };

/* A word of each page, whose number it holds. */
static volatile uint32_t *page_word(uint32_t i)
{
    return (volatile uint32_t *)(bench_arena + i * PAGE + (i * 64 & (PAGE - 1)));
}

static void number_pages(void)
{
    if (bench_claim(number_pages))
        for (uint32_t i = 0; i < MANY; i++)
            *page_word(i) = i;
}

static inline uint32_t touch(uint32_t first, uint32_t count)
{
    uint32_t sum = 0;

    for (uint32_t i = first; i < first + count; i++)
        sum += *page_word(i);
    return sum;
}

uint32_t work_tlb_miss(uint32_t turns) /* 1: a load from a page whose translation was dropped */
{
    uint32_t sum = 0;

    number_pages();
    while (turns--) {
        flush_page((void *)page_word(3));
        sum += *page_word(3);
    }
    return sum;
}

uint32_t work_tlb_first_touch(uint32_t turns) /* 512 loads after all translations were dropped */
{
    uint32_t sum = 0;

    number_pages();
    while (turns--) {
        flush_space();
        sum += touch(0, MANY);
    }
    return sum;
}

#define FLUSH_ROW(name, flush)                                                                     \
    uint32_t work_tlb_flush_##name(uint32_t turns) /* 1, and 8 pages touched */                    \
    {                                                                                              \
        uint32_t sum = 0;                                                                          \
        number_pages();                                                                            \
        while (turns--) {                                                                          \
            flush;                                                                                 \
            sum += touch(0, TOUCHED);                                                              \
        }                                                                                          \
        return sum;                                                                                \
    }
FLUSH_ROW(page, flush_page((void *)page_word(turns & 7)))
FLUSH_ROW(space, flush_space())
FLUSH_ROW(all, flush_all())

/* ---- address spaces: each has a page of its own at WINDOW ------------------------------------ */

static uint32_t visit_space(void)
{
    return *(volatile uint32_t *)WINDOW + touch(1, TOUCHED - 1);
}

uint32_t work_space_reuse(uint32_t turns) /* 1 switch to one of four, and 8 pages touched */
{
    uint32_t sum = 0;

    number_pages();
    for (uint32_t i = 0; i < 4; i++)
        make_space(i, page_word(i * 64)); /* its word is the page's first */
    for (uint32_t i = 0; i < turns; i++) {
        enter_space(i & 3);
        sum = mix(sum, visit_space());
    }
    leave_spaces();
    return sum;
}

uint32_t
work_space_new(uint32_t turns) /* 1 switch to one that was made just now, and 8 pages touched */
{
    uint32_t sum = 0;

    number_pages();
    for (uint32_t i = 0; i < turns; i++) {
        make_space(i % SPACES, page_word(i * 64 % MANY));
        enter_space(i % SPACES);
        sum = mix(sum, visit_space());
    }
    leave_spaces();
    return sum;
}
