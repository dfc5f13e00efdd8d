/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the benchmark share. Bare metal: no library. */
#ifndef CALQUE_BENCH_BENCH_H
#define CALQUE_BENCH_BENCH_H

#include <stddef.h>
#include <stdint.h>

void bench_main(void);
void bench_serve(void);                                   /* answers commands until told to quit */
void bench_unexpected(uintptr_t first, uintptr_t second); /* says so and serves on */
void bench_put_string(const char *s);
void bench_put_number(uint64_t n);
void bench_put_hex(uint64_t n);
uint64_t bench_divide(uint64_t n, uint64_t d); /* no division routine is linked */

/* What each machine, and the native program, provides. */
void machine_init(void);
void machine_put_char(char c);
char machine_get_char(void); /* waits */
uint64_t machine_ticks(void);
uint64_t machine_ticks_second(void);
uint32_t machine_features(void); /* bits as in the machine's rows.def */
uint32_t machine_probe(uint32_t (*probe)(uint32_t turns), uint32_t turns);

#endif
