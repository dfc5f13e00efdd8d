/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floppy disks, by what their images' sizes say. Pure. */
#ifndef CALQUE_HW_BLOCK_FDC_H
#define CALQUE_HW_BLOCK_FDC_H

#include "util/compiler.h"

/* Is an image of so many sectors of 512 bytes a whole disk of a format that there is? */
bool fdc_is_disk(uint64_t sectors);

#endif
