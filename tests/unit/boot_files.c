/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot_files.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <unistd.h>

#include "util/compiler.h"

void boot_files_create(struct boot_files *files)
{
    *files = (struct boot_files){.directory = "/tmp/calque-boot-XXXXXX"};
    assert_non_null(mkdtemp(files->directory));
}

const char *boot_files_put(struct boot_files *files, const char *name, const void *data,
                           size_t size)
{
    char path[64];
    unsigned i = 0;

    snprintf(path, sizeof(path), "%s/%s", files->directory, name);
    while (i < files->n && strcmp(files->paths[i], path))
        i++;
    assert_true(i < ARRAY_SIZE(files->paths));
    strcpy(files->paths[i], path);
    files->n = MAX(files->n, i + 1);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, size), size);
    close(fd);
    return files->paths[i];
}

void boot_files_remove(struct boot_files *files)
{
    for (unsigned i = 0; i < files->n; i++)
        unlink(files->paths[i]);
    rmdir(files->directory);
}
