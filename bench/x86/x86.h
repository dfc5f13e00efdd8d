/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CALQUE_BENCH_X86_X86_H
#define CALQUE_BENCH_X86_X86_H

#include "../bench.h"

void x86_fill_ring(void); /* what the probe load_dep follows */

#endif
