/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of several NaNs a dot product (DPPS, DPPD) gives is the processor's choice; on Intel's the
 * lanes of one result may differ in it.
 */
#ifndef CALQUE_TESTS_NAN_LANES_H
#define CALQUE_TESTS_NAN_LANES_H

/* Gives b the NaNs of a, in those of 16 bytes' lanes (of 4 or 8 bytes) where both have one. */
void level_nan_lanes(const void *a, void *b, unsigned lane_bytes);

#endif
