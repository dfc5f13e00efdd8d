/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/insn/peer.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

bool peer_start(struct peer *p, const char *program, const char *cpu, const char *runner)
{
    const char *build = getenv("CALQUE_BUILD");
    char path[512];
    int to[2], from[2];

    snprintf(path, sizeof(path), "%s/tests/%s", build ? build : "build", runner);
    if (access(path, X_OK) || pipe(to) || pipe(from))
        return false;
    p->pid = fork();
    if (p->pid == 0) {
        dup2(to[0], 0);
        dup2(from[1], 1);
        close(to[1]);
        close(from[0]);
        execlp(program, program, "-cpu", cpu, path, (char *)NULL);
        _exit(127);
    }
    close(to[0]);
    close(from[1]);
    p->to = to[1];
    p->from = from[0];
    signal(SIGPIPE, SIG_IGN);
    return p->pid > 0;
}

void peer_stop(struct peer *p)
{
    close(p->to);
    close(p->from);
    waitpid(p->pid, NULL, 0);
}

bool peer_exchange(struct peer *p, const void *sent, size_t sent_size, void *received,
                   size_t received_size)
{
    if (write(p->to, sent, sent_size) != (ssize_t)sent_size)
        return false;
    for (size_t done = 0; done < received_size;) {
        ssize_t n = read(p->from, (char *)received + done, received_size - done);

        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}
