/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Telnet protocol between a character stream and its peer: options are negotiated (RFC 854,
 * 855; the rules that keep both sides from answering each other for ever are RFC 1143's), breaks
 * recognised, and bytes taken as they are once both sides send binary (RFC 856). We echo (857) and
 * suppress go-ahead (858), which makes clients send each key at once.
 *
 * Pure: works on bytes; hostile ones make it drop what they mean, no more.
 */
#ifndef CALQUE_HOST_TELNET_H
#define CALQUE_HOST_TELNET_H

#include "util/compiler.h"

enum { TELNET_OPTIONS = 3 };
enum telnet_state { TELNET_NO, TELNET_ASKED, TELNET_YES };

struct telnet {
    enum telnet_state ours[TELNET_OPTIONS], theirs[TELNET_OPTIONS];
    unsigned parse;    /* where in a command the input stands */
    uint8_t command;   /* WILL, WONT, DO, DONT, until its option has come */
    bool after_return; /* the last byte was a carriage return, in text mode */
    bool sent_return;
};

struct telnet_output {
    void (*send)(void *opaque, const uint8_t *data, unsigned size); /* to the peer */
    void (*brk)(void *opaque);                                      /* the peer sent a break */
    void *opaque;
};

/* A new connection. server: asks for what we want. */
void telnet_start(struct telnet *telnet, bool server, const struct telnet_output *output);
/* Takes what came apart; leaves the data in place and returns how much it is. */
unsigned telnet_receive(struct telnet *telnet, uint8_t *data, unsigned size,
                        const struct telnet_output *output);
void telnet_send(struct telnet *telnet, const uint8_t *data, unsigned size,
                 const struct telnet_output *output);

#endif
