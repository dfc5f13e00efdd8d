/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the shared sources need to know of this machine. */
#ifndef CALQUE_BENCH_ARM_MACHINE_H
#define CALQUE_BENCH_ARM_MACHINE_H

#include "../bench.h"

#endif
