/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left to a process in the sandbox: what disks' threads do, but no way to other files. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vm/sandbox.h"

static char path[] = "/tmp/calque-sandbox-XXXXXX";

/* As a disk's thread: 0 if all of it works. */
static void *use_disk(void *opaque)
{
    int fd = *(int *)opaque;
    char sector[512] = "x";
    intptr_t wrong = 0;

    wrong |= pwrite(fd, sector, sizeof(sector), 512) != sizeof(sector);
    wrong |= pread(fd, sector, sizeof(sector), 512) != sizeof(sector);
    wrong |= fdatasync(fd) != 0;
    /* Not every file system can; the sandbox would say EPERM. */
    wrong |= fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, 512) && errno == EPERM;
    return (void *)wrong;
}

/* A bit for each that is not refused. */
static unsigned try_refused(void)
{
    unsigned allowed = 0;

    allowed |= (unlink(path) == 0) << 0;
    allowed |= (rename(path, "/tmp/calque-sandbox-other") == 0) << 1;
    allowed |= (mkdir("/tmp/calque-sandbox-folder", 0700) == 0) << 2;
    allowed |= (truncate(path, 0) == 0) << 3;
    allowed |= (open(path, O_RDWR) >= 0) << 4;
    allowed |= (open(path, O_WRONLY | O_CREAT, 0600) >= 0) << 5;
    allowed |= (socket(AF_INET, SOCK_STREAM, 0) >= 0) << 6;
    allowed |= (chmod(path, 0777) == 0) << 7;
    allowed |= (syscall(SYS_io_uring_setup, 1, NULL) >= 0 || errno == EFAULT) << 8;
    allowed |= (execl("/bin/true", "true", NULL), errno != EPERM) << 9;
    pid_t child = fork();
    if (!child)
        _exit(0);
    return allowed | (child > 0) << 10;
}

static void test_sandbox(void **state)
{
#if defined(CALQUE_SANITIZE) || !defined(HAVE_SECCOMP)
    skip();
#endif
    int ends[2], fd = mkstemp(path);
    struct {
        unsigned allowed;
        bool disk_fails, has_thread;
    } said = {0};

    assert_true(fd >= 0 && pipe(ends) == 0);
    pid_t child = fork();
    if (!child) {
        pthread_t thread;
        void *wrong = NULL;
        sandbox_enter();
        said.has_thread = pthread_create(&thread, NULL, use_disk, &fd) == 0;
        if (said.has_thread)
            pthread_join(thread, &wrong);
        said.disk_fails = wrong != NULL;
        said.allowed = try_refused();
        _exit(write(ends[1], &said, sizeof(said)) != sizeof(said));
    }
    close(ends[1]);
    ssize_t n = read(ends[0], &said, sizeof(said));
    waitpid(child, NULL, 0);
    unlink(path);
    close(fd);
    assert_int_equal(n, sizeof(said));
    assert_true(said.has_thread);
    assert_false(said.disk_fails);
    assert_int_equal(said.allowed, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sandbox)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
