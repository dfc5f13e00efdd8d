/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One wire that carries a level. The sender holds a struct irq and calls irq_set; what the level
 * means is the receiver's business. Called with the machine's device lock held.
 */
#ifndef CALQUE_UTIL_IRQ_H
#define CALQUE_UTIL_IRQ_H

#include "util/compiler.h"

struct irq {
    void (*set)(void *receiver, unsigned line, bool level);
    void *receiver;
    unsigned line;
    bool level;      /* as it was last set */
    uint64_t raised; /* how often, for info irq */
};

static inline void irq_set(struct irq *irq, bool level)
{
    irq->raised += level && !irq->level;
    irq->level = level;
    if (irq->set)
        irq->set(irq->receiver, irq->line, level);
}

#endif
