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
};

static inline void irq_set(const struct irq *irq, bool level)
{
    if (irq->set)
        irq->set(irq->receiver, irq->line, level);
}

#endif
