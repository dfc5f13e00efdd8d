/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The reviewed differences between calque and qemu-arm: encodings the manual leaves UNPREDICTABLE,
 * where both are allowed and hardware differs too. Nothing else belongs here.
 */
#ifndef CALQUE_TESTS_INSN_ARM_EXCEPTIONS_H
#define CALQUE_TESTS_INSN_ARM_EXCEPTIONS_H

#include "frontend/guest.h"

bool arm_known_difference(const struct insn_desc *row, uint32_t insn);

#endif
