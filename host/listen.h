/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets that listen, for all who have some: streams, VNC, the debugger's. They do not block and
 * are closed by exec. Nothing is printed; the callers have the words.
 *
 * Threading: none; before the sandbox, which lets no new ones be made.
 */
#ifndef CALQUE_HOST_LISTEN_H
#define CALQUE_HOST_LISTEN_H

#include <sys/socket.h>

/* -1 with errno. A name in the file system that nobody listens at any more is an earlier run's, and
 * is taken over. */
int listen_at(const struct sockaddr *address, socklen_t length, int backlog);
/* The same for a host's first address, IPv4 before others. host "": 127.0.0.1. -1: with *status
 * getaddrinfo's answer, or 0 and errno. */
int listen_tcp(const char *host, const char *port, int backlog, int *status);

#endif
