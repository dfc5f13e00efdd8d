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

/* Commits go in pieces of 256 KiB; what was not written stays the image's. */
static void test_large_commit(void **state)
{
    static const struct {
        uint64_t sector;
        uint32_t n;
    } writes[] = {{500, 24}, {1020, 8}, {1600, 8}};
    enum { BYTES = 1024 * 1024 };
    struct fixture f = {0};
    uint8_t *image = malloc(BYTES);
    struct error err;

    memset(image, 0xff, BYTES);
    make_file(&f, image, BYTES);
    f.block = block_open(f.path, BLOCK_SNAPSHOT, &err);
    assert_true(f.block && block_attach(f.block, &device_lock, &err));
    assert_int_equal(run(&f, BLOCK_WRITE_ZEROES, 500, 600), 0);
    for (unsigned i = 0; i < ARRAY_SIZE(writes); i++) {
        for (uint32_t n = 0; n < writes[i].n; n += 8) {
            memset(f.buffer, (int)(i + 1), sizeof(f.buffer));
            assert_int_equal(run(&f, BLOCK_WRITE, writes[i].sector + n, 8), 0);
        }
    }
    assert_int_equal(run(&f, BLOCK_COMMIT, 0, 0), 0);
    block_close(f.block);
    memset(image + 500 * 512, 0, 600 * 512);
    for (unsigned i = 0; i < ARRAY_SIZE(writes); i++)
        memset(image + writes[i].sector * 512, (int)(i + 1), writes[i].n * 512);
    FILE *file = fopen(f.path, "r");
    for (unsigned i = 0; i < BYTES; i++)
        assert_int_equal(getc(file), image[i]);
    fclose(file);
    free(image);
    unlink(f.path);
}

/* What is in a drive changes as a whole, and the drive's flags stay. */
static void test_media(void **state)
{
    struct fixture f = {0}, second = {0};
    struct error err;
    unsigned changes;

    make_file(&f, "a", 1);
    make_file(&second, "b", 1);
    f.block = block_open(f.path, BLOCK_READ_ONLY, &err);
    assert_true(f.block && block_attach(f.block, &device_lock, &err));
    assert_false(block_takes_writes(f.block));
    changes = block_medium_changes(f.block);
    block_eject(f.block);
    assert_string_equal(block_path(f.block), "");
    assert_null(block_note(f.block));
    assert_false(block_insert(f.block, "/nonexistent", -1, 0, &err));
    assert_false(block_has_medium(f.block));
    assert_true(block_insert(f.block, second.path, -1, 0, &err));
    assert_int_equal(block_medium_changes(f.block), changes + 2);
    assert_string_equal(block_path(f.block), second.path);
    assert_true(block_is_read_only(f.block));
    block_close(f.block);

    f.block = block_open(f.path, BLOCK_SNAPSHOT, &err);
    assert_true(f.block && block_attach(f.block, &device_lock, &err));
    assert_true(block_insert(f.block, second.path, open(second.path, O_RDWR), 0, &err));
    assert_true(block_is_snapshot(f.block) && block_takes_writes(f.block));
    assert_int_equal(run(&f, BLOCK_WRITE, 0, 1), 0);
    assert_int_equal(byte_at(&second, 0), 'b');
    assert_int_equal(run(&f, BLOCK_COMMIT, 0, 0), 0);
    assert_int_equal(byte_at(&second, 0), 0);
    block_close(f.block);
    unlink(f.path);
    unlink(second.path);
}

static void must_succeed(struct block_request *request, int error)
{
    assert_int_equal(error, 0);
}

static void test_change_in_use(void **state)
{
    struct block_request requests[8] = {0};
    struct fixture f = {0};
    struct error err;

    make_file(&f, "x", 1);
    f.block = block_open(f.path, BLOCK_CDROM, &err);
    assert_true(f.block && block_attach(f.block, &device_lock, &err));
    for (unsigned i = 0; i < 300; i++) {
        pthread_mutex_lock(&device_lock);
        for (unsigned n = 0; n < ARRAY_SIZE(requests); n++) {
            requests[n] = (struct block_request){
                .operation = BLOCK_READ, .n_sectors = 1, .buffer = f.buffer, .done = must_succeed};
            block_submit(f.block, &requests[n]);
        }
        assert_true(block_insert(f.block, f.path, -1, 0, &err));
        pthread_mutex_unlock(&device_lock);
        block_drain(f.block);
    }
    block_close(f.block);
    unlink(f.path);
}

static blkcnt_t zero_discarding(unsigned flags)
{
    struct fixture f = {0};
    static uint8_t image[1024 * 1024];
    struct error err;
    struct stat status;

    memset(image, 0xff, sizeof(image));
    make_file(&f, image, sizeof(image));
    f.block = block_open(f.path, flags, &err);
    assert_true(f.block && block_attach(f.block, &device_lock, &err));
    f.request.unmap = true;
    assert_int_equal(run(&f, BLOCK_WRITE_ZEROES, 0, sizeof(image) / 512), 0);
    assert_int_equal(run(&f, BLOCK_READ, 1000, 1), 0);
    assert_int_equal(f.buffer[0], 0);
    assert_int_equal(run(&f, BLOCK_FLUSH, 0, 0), 0);
    assert_int_equal(stat(f.path, &status), 0);
    block_close(f.block);
    unlink(f.path);
    return status.st_blocks;
}

/* discard=ignore is of zeros that may be unmapped, too. */
static void test_keep_discarded(void **state)
{
    blkcnt_t without = zero_discarding(0);

    assert_true(zero_discarding(BLOCK_KEEP_DISCARDED) >= 1024 * 1024 / 512);
    if (without >= 1024 * 1024 / 512)
        skip(); /* a file system without holes */
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
        cmocka_unit_test(test_sectors),        cmocka_unit_test(test_read_only),
        cmocka_unit_test(test_locks),          cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_snapshot),       cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_formats),        cmocka_unit_test(test_large_commit),
        cmocka_unit_test(test_media),          cmocka_unit_test(test_change_in_use),
        cmocka_unit_test(test_keep_discarded),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
