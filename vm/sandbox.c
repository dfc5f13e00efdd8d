/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * No new privileges, no core dumps (they would hold the guest's memory), and with libseccomp no
 * programs, processes, network or administration. A list of what is refused, not of what is
 * allowed: the C library and the sanitizers may use what they like for memory, threads and time.
 */
#define _GNU_SOURCE
#include "vm/sandbox.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { REMOVABLE_BYTES = 16384 };

/* The sanitizers' runtime starts a helper process at exit. */
#if defined(HAVE_SECCOMP) && !defined(CALQUE_SANITIZE)
#define FILTERED 1
#include <seccomp.h>

static const int refused[] = {
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(fork),
    SCMP_SYS(vfork),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(kcmp),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(io_uring_setup), /* does what is refused here without a system call of its own */
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(socketpair),
    SCMP_SYS(bind),
    SCMP_SYS(listen),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setregid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(capset),
    SCMP_SYS(chroot),
    SCMP_SYS(pivot_root),
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(reboot),
    SCMP_SYS(sethostname),
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(link),
    SCMP_SYS(linkat),
    SCMP_SYS(symlink),
    SCMP_SYS(symlinkat),
    SCMP_SYS(mkdir),
    SCMP_SYS(mkdirat),
    SCMP_SYS(rmdir),
    SCMP_SYS(truncate),
    SCMP_SYS(setxattr),
    SCMP_SYS(lsetxattr),
    SCMP_SYS(fsetxattr),
    SCMP_SYS(rename),
    SCMP_SYS(renameat),
    SCMP_SYS(renameat2),
    SCMP_SYS(chmod),
    SCMP_SYS(fchmod),
    SCMP_SYS(fchmodat),
    SCMP_SYS(chown),
    SCMP_SYS(fchown),
    SCMP_SYS(lchown),
    SCMP_SYS(fchownat),
    SCMP_SYS(acct),
    SCMP_SYS(quotactl),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime),
    SCMP_SYS(clock_adjtime),
    SCMP_SYS(adjtimex),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
};

static void refuse(scmp_filter_ctx filter, int call)
{
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), call, 0);
}

static void filter_sockets(scmp_filter_ctx filter, const struct sandbox_needs *needs)
{
    enum { FAMILIES = 64, TYPES = 16 };

    if (!needs->accept) {
        refuse(filter, SCMP_SYS(accept));
        refuse(filter, SCMP_SYS(accept4));
    }
    if (!needs->connect) {
        refuse(filter, SCMP_SYS(socket));
        refuse(filter, SCMP_SYS(connect));
        return;
    }
    for (unsigned family = 0; family < FAMILIES; family++) {
        if (family != AF_UNIX && family != AF_INET && family != AF_INET6)
            seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
                             SCMP_A0(SCMP_CMP_EQ, family));
    }
    for (unsigned type = 0; type < TYPES; type++) {
        if (type != SOCK_STREAM)
            seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(socket), 1,
                             SCMP_A1(SCMP_CMP_MASKED_EQ, TYPES - 1, type));
    }
}

/* A filter sees where a name lies, not what it says; what lies there is fixed. */
static void filter_removal(scmp_filter_ctx filter, const struct sandbox_needs *needs)
{
    uintptr_t start = (uintptr_t)needs->removable, end = start + needs->removable_used;

    if (!needs->removable) {
        refuse(filter, SCMP_SYS(unlink));
        refuse(filter, SCMP_SYS(unlinkat));
        return;
    }
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unlink), 1,
                     SCMP_A0(SCMP_CMP_LT, start));
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unlink), 1, SCMP_A0(SCMP_CMP_GE, end));
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unlinkat), 1,
                     SCMP_A1(SCMP_CMP_LT, start));
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unlinkat), 1,
                     SCMP_A1(SCMP_CMP_GE, end));
}

static void filter_system_calls(const struct sandbox_needs *needs)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

    if (!filter)
        return;
    /* Leaves the host's speculation controls as they are: they would slow translated code. */
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_SSB, 1);
    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
    for (unsigned i = 0; i < ARRAY_SIZE(refused); i++)
        refuse(filter, refused[i]);
    filter_sockets(filter, needs);
    filter_removal(filter, needs);
    /* Threads yes, processes no. The C library falls back from clone3, whose flags a filter cannot
     * see, to clone. */
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1,
                     SCMP_A0(SCMP_CMP_MASKED_EQ, CLONE_THREAD, 0));
    /* Nothing is opened to be written any more. */
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(openat), 1,
                     SCMP_A2(SCMP_CMP_MASKED_EQ, 3, 1));
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(openat), 1,
                     SCMP_A2(SCMP_CMP_MASKED_EQ, 3, 2));
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(open), 1,
                     SCMP_A1(SCMP_CMP_MASKED_EQ, 3, 1));
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(open), 1,
                     SCMP_A1(SCMP_CMP_MASKED_EQ, 3, 2));
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(creat), 0);
    seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2), 0);
    seccomp_load(filter);
    seccomp_release(filter);
}
#endif

const char *sandbox_removable(struct sandbox_needs *needs, const char *path)
{
    size_t size = strlen(path) + 1;
    char *copy;

    if (!needs->removable) {
        void *pages =
            mmap(NULL, REMOVABLE_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (pages == MAP_FAILED)
            return path;
        needs->removable = pages;
    }
    if (size > REMOVABLE_BYTES - needs->removable_used)
        return path;
    copy = needs->removable + needs->removable_used;
    memcpy(copy, path, size);
    needs->removable_used += size;
    return copy;
}

void sandbox_enter(const struct sandbox_needs *needs)
{
    struct rlimit none = {0, 0};

    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    setrlimit(RLIMIT_CORE, &none);
    if (needs->removable)
        mprotect(needs->removable, REMOVABLE_BYTES, PROT_READ);
#ifdef FILTERED
    filter_system_calls(needs);
#endif
}

void sandbox_finish(struct sandbox_needs *needs)
{
    if (needs->removable)
        munmap(needs->removable, REMOVABLE_BYTES);
    *needs = (struct sandbox_needs){.removable = NULL};
}
