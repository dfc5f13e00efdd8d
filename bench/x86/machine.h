/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef CALQUE_BENCH_X86_MACHINE_H
#define CALQUE_BENCH_X86_MACHINE_H

#include "../bench.h"

/* What a row may need, as CPUID shows it. */
enum { SSSE3 = 1, SSE41 = 2, AVX = 4, AVX2 = 8, FMA = 16 };

void x86_fill_ring(void); /* what the probe load_dep follows */

#endif
