/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A disk image in a file of its own, for tests: sector n starts with n as 32 bits. */
#ifndef CALQUE_TESTS_DEVICE_DISK_H
#define CALQUE_TESTS_DEVICE_DISK_H

#include "host/block.h"

struct block *disk_create(unsigned n_sectors, unsigned flags);

#endif
