/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files for a board to start from, in a folder of their own. */
#ifndef CALQUE_TESTS_UNIT_BOOT_FILES_H
#define CALQUE_TESTS_UNIT_BOOT_FILES_H

#include <stddef.h>

struct boot_files {
    char directory[32];
    char paths[8][64];
    unsigned n;
};

void boot_files_create(struct boot_files *files);
/* Written anew if it is there already. The path stays until boot_files_remove. */
const char *boot_files_put(struct boot_files *files, const char *name, const void *data,
                           size_t size);
void boot_files_remove(struct boot_files *files);

#endif
