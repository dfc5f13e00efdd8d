/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Telnet's commands and the negotiation of options. */
#include "host/telnet.h"

#include <string.h>

enum telnet_byte {
    SE = 240,
    NOP = 241,
    BREAK = 243,
    ARE_YOU_THERE = 246,
    SB = 250,
    WILL = 251,
    WONT = 252,
    DO = 253,
    DONT = 254,
    IAC = 255,
};

enum parse_state { DATA, AFTER_IAC, OPTION, SUBNEGOTIATION, SUBNEGOTIATION_IAC };

/* The options we know: RFC 856, 857, 858. */
enum option_index { BINARY, ECHO, SUPPRESS_GO_AHEAD };
static const uint8_t option_numbers[TELNET_OPTIONS] = {0, 1, 3};

static void send_command(uint8_t command, uint8_t option, const struct telnet_output *output)
{
    const uint8_t bytes[3] = {IAC, command, option};

    output->send(output->opaque, bytes, sizeof(bytes));
}

void telnet_start(struct telnet *telnet, bool server, const struct telnet_output *output)
{
    *telnet = (struct telnet){.parse = DATA};
    if (!server)
        return;
    telnet->ours[ECHO] = telnet->ours[SUPPRESS_GO_AHEAD] = telnet->ours[BINARY] = TELNET_ASKED;
    telnet->theirs[BINARY] = TELNET_ASKED;
    send_command(WILL, option_numbers[ECHO], output);
    send_command(WILL, option_numbers[SUPPRESS_GO_AHEAD], output);
    send_command(WILL, option_numbers[BINARY], output);
    send_command(DO, option_numbers[BINARY], output);
}

/* The peer wants (or does not want) an option on one side. Only a change is answered, and never an
 * answer (RFC 1143). */
static void negotiate(enum telnet_state *state, bool wanted, bool agreed, uint8_t yes, uint8_t no,
                      uint8_t option, const struct telnet_output *output)
{
    enum telnet_state before = *state;

    *state = wanted && agreed ? TELNET_YES : TELNET_NO;
    if (wanted && !agreed)
        send_command(no, option, output);
    else if (wanted && before == TELNET_NO)
        send_command(yes, option, output);
    else if (!wanted && before == TELNET_YES)
        send_command(no, option, output);
}

static void take_option(struct telnet *telnet, uint8_t option, const struct telnet_output *output)
{
    uint8_t command = telnet->command;
    bool wanted = command == DO || command == WILL;
    unsigned i = 0;

    while (i < TELNET_OPTIONS && option_numbers[i] != option)
        i++;
    if (i == TELNET_OPTIONS) {
        if (wanted)
            send_command(command == DO ? WONT : DONT, option, output);
    } else if (command == DO || command == DONT) {
        negotiate(&telnet->ours[i], wanted, true, WILL, WONT, option, output);
    } else {
        /* A peer that echoes what a guest prints would type it into the guest. */
        bool agreed = i != ECHO || telnet->ours[ECHO] == TELNET_NO;
        negotiate(&telnet->theirs[i], wanted, agreed, DO, DONT, option, output);
    }
}

static void take_command(struct telnet *telnet, uint8_t byte, const struct telnet_output *output)
{
    static const uint8_t here[] = "\r\n[yes]\r\n";

    telnet->parse = DATA;
    switch (byte) {
    case WILL:
    case WONT:
    case DO:
    case DONT:
        telnet->command = byte;
        telnet->parse = OPTION;
        break;
    case SB:
        telnet->parse = SUBNEGOTIATION;
        break;
    case BREAK:
        output->brk(output->opaque);
        break;
    case ARE_YOU_THERE:
        output->send(output->opaque, here, sizeof(here) - 1);
        break;
    default: /* NOP and others that say nothing to us */
        break;
    }
}

/* In text a carriage return is followed by a line feed or a zero, which belong to it (RFC 854). */
static bool is_data(struct telnet *telnet, uint8_t byte)
{
    bool after_return = telnet->after_return;

    telnet->after_return = byte == '\r' && telnet->theirs[BINARY] != TELNET_YES;
    return !after_return || (byte != '\n' && byte != 0);
}

unsigned telnet_receive(struct telnet *telnet, uint8_t *data, unsigned size,
                        const struct telnet_output *output)
{
    unsigned n = 0;

    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = data[i];
        switch (telnet->parse) {
        case DATA:
            if (byte == IAC)
                telnet->parse = AFTER_IAC;
            else if (is_data(telnet, byte))
                data[n++] = byte;
            break;
        case AFTER_IAC:
            if (byte == IAC) {
                telnet->parse = DATA;
                telnet->after_return = false;
                data[n++] = byte;
            } else {
                take_command(telnet, byte, output);
            }
            break;
        case OPTION:
            telnet->parse = DATA;
            take_option(telnet, byte, output);
            break;
        case SUBNEGOTIATION:
            if (byte == IAC)
                telnet->parse = SUBNEGOTIATION_IAC;
            break;
        default:
            telnet->parse = byte == SE ? DATA : SUBNEGOTIATION;
        }
    }
    return n;
}

void telnet_send(struct telnet *telnet, const uint8_t *data, unsigned size,
                 const struct telnet_output *output)
{
    bool text = telnet->ours[BINARY] != TELNET_YES;
    uint8_t out[256];
    unsigned n = 0;

    for (unsigned i = 0; i < size; i++) {
        if (n > sizeof(out) - 3) {
            output->send(output->opaque, out, n);
            n = 0;
        }
        if (text && telnet->sent_return && data[i] != '\n')
            out[n++] = 0;
        telnet->sent_return = data[i] == '\r';
        if (data[i] == IAC)
            out[n++] = IAC;
        out[n++] = data[i];
    }
    if (n)
        output->send(output->opaque, out, n);
}
