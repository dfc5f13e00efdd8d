/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Disk images of the host: sectors, sizes, locks, errors, cancelling. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "bus.h"
#include "host/block.h"

static pthread_mutex_t device_lock = PTHREAD_MUTEX_INITIALIZER;

struct fixture {
    char path[64];
    struct block *block;
    struct block_request request;
    uint8_t buffer[4096];
    int error;
    unsigned n_done;
};

static void make_file(struct fixture *f, const void *bytes, size_t size)
{
    strcpy(f->path, "/tmp/calque-block-XXXXXX");
    int fd = mkstemp(f->path);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, size), size);
    close(fd);
}

static void request_done(struct block_request *request, int error)
{
    struct fixture *f = request->opaque;

    f->error = error;
    f->n_done++;
}

static int run(struct fixture *f, enum block_operation operation, uint64_t sector, uint32_t n)
{
    bool unmap = f->request.unmap;

    f->request = (struct block_request){.operation = operation,
                                        .unmap = unmap,
                                        .sector = sector,
                                        .n_sectors = n,
                                        .buffer = f->buffer,
                                        .done = request_done,
                                        .opaque = f};
    f->error = -1;
    pthread_mutex_lock(&device_lock);
    block_submit(f->block, &f->request);
    pthread_mutex_unlock(&device_lock);
    block_drain(f->block);
    return f->error;
}

static void test_sectors(void **state)
{
    struct fixture f = {0};
    uint8_t image[1536 + 100];
    struct error err;

    for (unsigned i = 0; i < sizeof(image); i++)
        image[i] = (uint8_t)(i / 512 + 1);
    make_file(&f, image, sizeof(image));
    f.block = block_open(f.path, 0, &err);
    assert_non_null(f.block);
    assert_true(block_attach(f.block, &device_lock, &err));
    assert_false(block_attach(f.block, &device_lock, &err));
    assert_int_equal(block_sectors(f.block), 4);
    assert_non_null(strstr(block_note(f.block), "not a multiple of 512"));
    assert_int_equal(run(&f, BLOCK_READ, 1, 3), 0);
    assert_int_equal(f.buffer[0], 2);
    assert_int_equal(f.buffer[1024 + 99], 4);
    assert_int_equal(f.buffer[1024 + 100], 0);
    memset(f.buffer, 0x5a, sizeof(f.buffer));
    assert_int_equal(run(&f, BLOCK_WRITE, 3, 1), 0);
    assert_int_equal(run(&f, BLOCK_FLUSH, 0, 0), 0);
    assert_int_equal(run(&f, BLOCK_READ, 3, 1), 0);
    assert_int_equal(f.buffer[511], 0x5a);
    assert_int_equal(run(&f, BLOCK_READ, 3, 2), ERANGE);
    assert_int_equal(run(&f, BLOCK_READ, UINT64_MAX, 2), ERANGE);
    assert_int_equal(run(&f, BLOCK_DISCARD, 0, 1), 0);
    block_eject(f.block);
    assert_int_equal(run(&f, BLOCK_READ, 0, 1), ENOMEDIUM);
    block_close(f.block);
    unlink(f.path);
}

static void test_read_only(void **state)
{
    struct fixture f = {0};
    struct error err;

    make_file(&f, "x", 1);
    f.block = block_open(f.path, BLOCK_READ_ONLY, &err);
    struct block *second = block_open(f.path, BLOCK_CDROM, &err);
    assert_true(f.block && second && block_is_cdrom(second) && block_is_read_only(second));
    assert_true(block_attach(f.block, &device_lock, &err));
    assert_int_equal(run(&f, BLOCK_WRITE, 0, 1), EROFS);
    block_close(f.block);
    block_close(second);
    unlink(f.path);
    assert_null(block_open(f.path, 0, &err));
    assert_non_null(strstr(err.message, f.path));
    assert_null(block_open("/tmp", BLOCK_READ_ONLY, &err));
    assert_non_null(strstr(err.message, "neither a file nor"));
    assert_null(block_open("/dev/zero", BLOCK_READ_ONLY, &err));
    f.block = block_open(NULL, BLOCK_CDROM, &err);
    assert_false(block_has_medium(f.block));
    block_close(f.block);
}

static void test_locks(void **state)
{
    struct fixture f = {0};
    struct error err;
    char expected[128];
    int ready[2], finish[2], status;
    char byte;

    make_file(&f, "x", 1);
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(finish), 0);
    pid_t child = fork();
    if (child == 0) {
        struct block *block = block_open(f.path, 0, &err);
        if (!block || write(ready[1], "r", 1) != 1 || read(finish[0], &byte, 1) != 1)
            _exit(1);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_null(block_open(f.path, 0, &err));
    snprintf(expected, sizeof(expected), "'%s' is in use by another calque (process %d)", f.path,
             (int)child);
    assert_string_equal(err.message, expected);
    assert_null(block_open(f.path, BLOCK_READ_ONLY, &err));
    assert_int_equal(write(finish[1], "f", 1), 1);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    f.block = block_open(f.path, 0, &err);
    assert_non_null(f.block);
    assert_null(block_open(f.path, 0, &err)); /* by the same process */
    block_close(f.block);
    unlink(f.path);
}

static void test_cancel(void **state)
{
    struct fixture f = {0};
    struct error err;

    make_file(&f, "x", 1);
    f.block = block_open(f.path, 0, &err);
    assert_true(block_attach(f.block, &device_lock, &err));
    for (unsigned i = 0; i < 200; i++) {
        f.request = (struct block_request){.operation = BLOCK_READ,
                                           .n_sectors = 1,
                                           .buffer = f.buffer,
                                           .done = request_done,
                                           .opaque = &f};
        pthread_mutex_lock(&device_lock);
        block_submit(f.block, &f.request);
        if (i % 3 == 0)
            usleep(100);
        block_cancel(f.block, &f.request);
        assert_false(f.request.active);
        pthread_mutex_unlock(&device_lock);
    }
    block_drain(f.block);
    assert_int_equal(f.n_done, 0);
    assert_int_equal(run(&f, BLOCK_READ, 0, 1), 0);
    assert_int_equal(f.n_done, 1);
    block_close(f.block);
    unlink(f.path);
}

static uint8_t byte_at(const struct fixture *f, off_t at)
{
    int fd = open(f->path, O_RDONLY);
    uint8_t byte = 0;

    assert_int_equal(pread(fd, &byte, 1, at), 1);
    close(fd);
    return byte;
}

static void test_snapshot(void **state)
{
    enum { BYTES = 40 * 512 + 100 };
    struct fixture f = {0};
    uint8_t image[BYTES];
    struct error err;

    for (unsigned i = 0; i < BYTES; i++)
        image[i] = (uint8_t)(i / 512 + 1);
    make_file(&f, image, BYTES);
    f.block = block_open(f.path, BLOCK_SNAPSHOT, &err);
    struct block *reader = block_open(f.path, BLOCK_READ_ONLY, &err);
    assert_true(f.block && reader && block_is_snapshot(f.block) && !block_is_read_only(f.block));
    assert_null(block_open(f.path, 0, &err)); /* nobody writes it meanwhile */
    assert_true(block_attach(f.block, &device_lock, &err));
    memset(f.buffer, 0xa5, sizeof(f.buffer));
    assert_int_equal(run(&f, BLOCK_WRITE, 3, 7), 0); /* the end of one cluster, part of the next */
    assert_int_equal(run(&f, BLOCK_WRITE, 40, 1), 0);
    assert_int_equal(run(&f, BLOCK_WRITE_ZEROES, 11, 1), 0);
    assert_int_equal(run(&f, BLOCK_FLUSH, 0, 0), 0);
    assert_int_equal(run(&f, BLOCK_READ, 2, 8), 0);
    assert_int_equal(f.buffer[0], 3);
    assert_int_equal(f.buffer[512], 0xa5);
    assert_int_equal(f.buffer[7 * 512 + 511], 0xa5);
    assert_int_equal(run(&f, BLOCK_READ, 10, 8), 0);
    assert_int_equal(f.buffer[0], 11);
    assert_int_equal(f.buffer[512], 0);
    assert_int_equal(f.buffer[1024], 13);
    assert_int_equal(byte_at(&f, 3 * 512), 4); /* the image is as it was */
    assert_int_equal(run(&f, BLOCK_COMMIT, 0, 0), EBUSY);
    block_close(reader);
    assert_int_equal(run(&f, BLOCK_COMMIT, 0, 0), 0);
    assert_int_equal(byte_at(&f, 3 * 512), 0xa5);
    assert_int_equal(byte_at(&f, 11 * 512), 0);
    assert_int_equal(byte_at(&f, 40 * 512 + 99), 0xa5);
    assert_int_equal(byte_at(&f, 2 * 512), 3);
    assert_int_equal(run(&f, BLOCK_WRITE, 0, 1), 0);
    assert_int_equal(run(&f, BLOCK_READ, 9, 1), 0);
    assert_int_equal(f.buffer[0], 0xa5);
    block_close(f.block);
    assert_int_equal(byte_at(&f, 0), 1);
    unlink(f.path);
}

static void test_zeros(void **state)
{
    struct fixture f = {0};
    uint8_t image[4 * 512];
    struct error err;

    memset(image, 0xff, sizeof(image));
    make_file(&f, image, sizeof(image));
    f.block = block_open(f.path, BLOCK_WRITE_THROUGH, &err);
    assert_true(f.block && block_attach(f.block, &device_lock, &err));
    for (unsigned i = 0; i < 2; i++) {
        memset(f.buffer, 0xff, sizeof(f.buffer));
        f.request.unmap = i;
        assert_int_equal(run(&f, BLOCK_WRITE_ZEROES, 1 + i, 1), 0);
        assert_int_equal(run(&f, BLOCK_READ, 1 + i, 2 - i), 0);
        assert_int_equal(f.buffer[0] | f.buffer[511], 0);
    }
    assert_int_equal(run(&f, BLOCK_WRITE_ZEROES, 3, 2), ERANGE);
    assert_int_equal(run(&f, BLOCK_COMMIT, 0, 0), 0); /* nothing to do */
    block_close(f.block);
    unlink(f.path);
}

/* The first bytes of other formats' images: a note, unless the user said that it is raw. */
static void test_formats(void **state)
{
    static const struct {
        const char *bytes, *name;
        unsigned at, size;
    } images[] = {
        {"QFI\xfb\0\0\0\3", "qcow2", 0, 8}, {"KDMV", "vmdk", 0, 4},
        {"<<< Oracle VM", "vdi", 0, 13},    {"\x7f\x10\xda\xbe", "vdi", 64, 4},
        {"conectix", "vpc", 0, 8},          {"nothing", NULL, 0, 7},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(images); i++) {
        struct fixture f = {0};
        uint8_t image[512] = {0};
        struct error err;
        memcpy(image + images[i].at, images[i].bytes, images[i].size);
        if (!strcmp(images[i].bytes, "<<< Oracle VM"))
            memcpy(image + 64, "\x7f\x10\xda\xbe", 4);
        make_file(&f, image, sizeof(image));
        f.block = block_open(f.path, 0, &err);
        const char *note = block_note(f.block);
        if (images[i].name)
            assert_true(note && strstr(note, images[i].name) && strstr(note, f.path));
        else
            assert_null(note);
        block_close(f.block);
        f.block = block_open(f.path, BLOCK_FORMAT_GIVEN, &err);
        assert_null(block_note(f.block));
        block_close(f.block);
        unlink(f.path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sectors),  cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_locks),    cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_snapshot), cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_formats),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
