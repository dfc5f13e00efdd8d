/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disk images for the tests of drives. */
#include "disk.h"

#include <stdlib.h>
#include <unistd.h>

#include "bus.h"

struct block *disk_create(unsigned n_sectors, unsigned flags)
{
    char path[] = "/tmp/calque-disk-XXXXXX";
    int fd = mkstemp(path);
    struct error err = {""};

    assert_true(fd >= 0);
    assert_int_equal(ftruncate(fd, (off_t)n_sectors * BLOCK_SECTOR), 0);
    for (uint32_t i = 0; i < n_sectors; i++)
        assert_int_equal(pwrite(fd, &i, sizeof(i), (off_t)i * BLOCK_SECTOR), sizeof(i));
    close(fd);
    struct block *block = block_open(path, flags, &err);
    if (!block)
        fail_msg("%s", err.message);
    unlink(path);
    return block;
}
