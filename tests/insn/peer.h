/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A second opinion on instructions: a runner built for the guest, under qemu-user, that reads cases
 * from its standard input and writes results. One thread uses it.
 */
#ifndef CALQUE_TESTS_INSN_PEER_H
#define CALQUE_TESTS_INSN_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

struct peer {
    pid_t pid;
    int to, from;
};

/* runner: its name below <build>/tests. False: it is not built, or cannot be started. */
bool peer_start(struct peer *p, const char *program, const char *cpu, const char *runner);
void peer_stop(struct peer *p);
/* Sends a case and waits for its result; false: the peer has died. */
bool peer_exchange(struct peer *p, const void *sent, size_t sent_size, void *received,
                   size_t received_size);

#endif
