/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Power State Coordination Interface 1.0 (ARM DEN 0022D), by SMC and HVC. */
#ifndef CALQUE_HW_MACHINES_PSCI_H
#define CALQUE_HW_MACHINES_PSCI_H

#include "util/compiler.h"

struct vcpu;

/* For vcpu_board.firmware_call; opaque is the machine. Always true: what PSCI does not know is
 * answered with NOT_SUPPORTED. */
bool psci_call(void *opaque, struct vcpu *cpu, unsigned kind);

#endif
