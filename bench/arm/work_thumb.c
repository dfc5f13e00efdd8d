/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The core row once more, in T32 (compiled with -mthumb). */
#define WORK_THUMB
#include "work.c"
