/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What calque gives up once it has opened what it needs (D15): the guest and everything it hands
 * over is hostile, so that a mistake of ours should not become a way into the host.
 */
#ifndef CALQUE_VM_SANDBOX_H
#define CALQUE_VM_SANDBOX_H

#include "util/compiler.h"

/* What is still needed once the guest runs; all false and NULL by default. */
struct sandbox_needs {
    bool accept;     /* a listening socket: connections are taken */
    bool connect;    /* stream sockets are made and connected */
    char *removable; /* through sandbox_removable */
    size_t removable_used;
};

/* A copy of the path that unlink and unlinkat take even in the sandbox: these bytes alone, which
 * cannot be changed any more then. The path itself where there is no room for it. */
const char *sandbox_removable(struct sandbox_needs *needs, const char *path);
/* Before the vCPU's thread is made, which inherits it. Never fails: does what the host allows.
 * The copies stay until sandbox_finish. */
void sandbox_enter(const struct sandbox_needs *needs);
void sandbox_finish(struct sandbox_needs *needs);

#endif
