/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is left to a process in the sandbox: what disks' threads do, but no way to other files. */
#define _GNU_SOURCE
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
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

struct said {
    unsigned allowed;
    bool disk_fails, has_thread, accepts, connects, removes;
};

/* What only those get who said that they need it. */
static void try_needs(struct said *said, int listener, const struct sockaddr_un *address,
                      const char *removable)
{
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    said->connects = fd >= 0 && !connect(fd, (const void *)address, sizeof(*address)) &&
                     socket(AF_NETLINK, SOCK_RAW, 0) < 0 && socket(AF_INET, SOCK_DGRAM, 0) < 0;
    said->accepts = accept(listener, NULL, NULL) >= 0 || errno == EAGAIN;
    said->removes = unlink(removable) == 0;
}

static void in_sandbox(struct sandbox_needs *needs, struct said *said)
{
    int ends[2], fd = mkstemp(path), listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const char *removable = address.sun_path;

    snprintf(address.sun_path, sizeof(address.sun_path), "%s.socket", path);
    assert_true(fd >= 0 && pipe(ends) == 0 && listener >= 0);
    assert_int_equal(bind(listener, (void *)&address, sizeof(address)), 0);
    assert_int_equal(listen(listener, 1), 0);
    if (needs->accept)
        removable = sandbox_removable(needs, address.sun_path);
    pid_t child = fork();
    if (!child) {
        pthread_t thread;
        void *wrong = NULL;
        sandbox_enter(needs);
        said->has_thread = pthread_create(&thread, NULL, use_disk, &fd) == 0;
        if (said->has_thread)
            pthread_join(thread, &wrong);
        said->disk_fails = wrong != NULL;
        try_needs(said, listener, &address, removable);
        said->allowed = try_refused();
        _exit(write(ends[1], said, sizeof(*said)) != sizeof(*said));
    }
    close(ends[1]);
    ssize_t n = read(ends[0], said, sizeof(*said));
    waitpid(child, NULL, 0);
    unlink(path);
    unlink(address.sun_path);
    close(fd);
    close(listener);
    close(ends[0]);
    sandbox_finish(needs);
    memcpy(path + sizeof(path) - 7, "XXXXXX", 6);
    assert_int_equal(n, sizeof(*said));
    assert_true(said->has_thread);
    assert_false(said->disk_fails);
}

static void test_sandbox(void **state)
{
    struct sandbox_needs none = {false}, all = {.accept = true, .connect = true};
    struct said said = {0};

#if defined(CALQUE_SANITIZE) || !defined(HAVE_SECCOMP)
    skip();
#endif
    in_sandbox(&none, &said);
    assert_int_equal(said.allowed, 0);
    assert_false(said.accepts || said.connects || said.removes);
    said = (struct said){0};
    in_sandbox(&all, &said);
    assert_int_equal(said.allowed, 1 << 6); /* socket */
    assert_true(said.accepts && said.connects && said.removes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_sandbox)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
