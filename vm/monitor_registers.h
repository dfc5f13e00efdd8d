/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The processor's registers by name, for expressions. The vCPU stands still. */
#ifndef CALQUE_VM_MONITOR_REGISTERS_H
#define CALQUE_VM_MONITOR_REGISTERS_H

#include "frontend/guest.h"
#include "vm/expression.h"

struct expression_registers monitor_registers(struct vcpu *cpu);

#endif
