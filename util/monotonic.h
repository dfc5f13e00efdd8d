/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host's monotonic clock (CLOCK_MONOTONIC), which perf record -k mono has, too. Where it is
 * read for every access of a guest, util/host_time.h does it faster. From any thread. */
#ifndef CALQUE_UTIL_MONOTONIC_H
#define CALQUE_UTIL_MONOTONIC_H

#include "util/compiler.h"

enum { NS_PER_SECOND = 1000000000 };

int64_t monotonic_ns(void);

#endif
