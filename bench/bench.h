/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the benchmark share. Bare metal: no library. */
#ifndef CALQUE_BENCH_BENCH_H
#define CALQUE_BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

void bench_main(void);
void bench_put_string(const char *s);
void bench_put_number(uint64_t n);
uint64_t bench_divide(uint64_t n, uint64_t d); /* no division routine is linked */

/* What each machine, and the native program, provides. */
void machine_init(void);
void machine_put_char(char c);
uint64_t machine_ticks(void);
uint64_t machine_ticks_second(void);
uint32_t machine_features(void);  /* bits as in the machine's rows.def */
const char *machine_filter(void); /* only rows whose names contain it; NULL: all */
void machine_probe(void (*probe)(uint32_t turns), uint32_t turns);

/* Whole pieces of compiled code: one turn is the unit of the row. The result is a checksum that
 * must be the same on every machine. Some are built a second time for another instruction set. */
uint32_t work_core(uint32_t turns); /* list, matrix, state machine, CRC: CoreMark's mix */
uint32_t work_core_thumb(uint32_t turns);
uint32_t work_sha256(uint32_t turns);
uint32_t work_sort(uint32_t turns);
uint32_t work_interpreter(uint32_t turns); /* a byte-code loop: indirect jumps */
uint32_t work_float64(uint32_t turns);     /* matrix product and n-body step */
uint32_t work_float64_x87(uint32_t turns);
uint32_t work_float64_avx(uint32_t turns);
uint32_t work_vector32(uint32_t turns); /* a float loop the compiler vectorises */
uint32_t work_vector32_avx(uint32_t turns);

#endif
