/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What calque gives up once it has opened what it needs (D15): the guest and everything it hands
 * over is hostile, so that a mistake of ours should not become a way into the host.
 */
#ifndef CALQUE_VM_SANDBOX_H
#define CALQUE_VM_SANDBOX_H

#include "util/compiler.h"

/* Before the vCPU's thread is made, which inherits it. Never fails: does what the host allows. */
void sandbox_enter(void);

#endif
