/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the benchmark guest's files share. Bare metal: no library. */
#ifndef CALQUE_BENCH_ARM_BENCH_H
#define CALQUE_BENCH_ARM_BENCH_H

#include <stddef.h>
#include <stdint.h>

/* Whole pieces of compiled code (work.c, work_thumb.c): one turn is the unit of the row. The result
 * is a checksum that must be the same on every machine. */
uint32_t work_core(uint32_t turns); /* list, matrix, state machine, CRC: CoreMark's mix */
uint32_t work_core_thumb(uint32_t turns);
uint32_t work_sha256(uint32_t turns);
uint32_t work_sort(uint32_t turns);
uint32_t work_interpreter(uint32_t turns); /* a byte-code loop: indirect jumps */
uint32_t work_float(uint32_t turns);       /* double: matrix product and n-body step */
uint32_t work_vector(uint32_t turns);      /* float loops the compiler vectorises */

#endif
