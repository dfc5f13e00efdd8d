/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where a VNC server is reached: what -vnc says, and the sockets for it. */
#ifndef CALQUE_HOST_VNC_LISTEN_H
#define CALQUE_HOST_VNC_LISTEN_H

#include "util/compiler.h"
#include "util/error.h"

enum { VNC_LISTENERS = 2, VNC_TEXT = 128, VNC_PATH = 108 };

struct vnc_address {
    bool none;
    char path[VNC_PATH]; /* unix:PATH; "": TCP */
    char host[VNC_TEXT]; /* "": this machine only */
    unsigned port;
    unsigned websocket_port; /* 0: none */
    bool shared;             /* several clients at a time */
    bool lossy;              /* clients that ask for JPEG get it */
    unsigned key_delay_ms;   /* from one key to the next on its way to the guest */
};

/* "HOST:N", ":N", "unix:PATH", "none"; then ",websocket=on|PORT", ",share=POLICY",
 * ",lossy=on", ",key-delay-ms=N". */
bool vnc_address_parse(struct vnc_address *address, const char *text, struct error *err);
/* Listens; returns how many sockets, 0 is a failure. They do not block. */
unsigned vnc_listen(const struct vnc_address *address, int fds[VNC_LISTENERS], struct error *err);

#endif
