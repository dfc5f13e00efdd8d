/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a card controller (PL181, SDHCI) knows of the card in its slot. The slot may be empty: then
 * the controller has no struct sd_card and its commands time out.
 *
 * Threading: device lock held.
 */
#ifndef CALQUE_HW_BLOCK_SD_BUS_H
#define CALQUE_HW_BLOCK_SD_BUS_H

#include "util/compiler.h"

struct sd_card;

struct sd_card_ops {
    /* One command. Returns the response's bytes without start bits and CRC: 0 none, 4 short (most
     * significant byte first), 16 long (the register's 128 bits); -1 the card does not answer. */
    int (*command)(struct sd_card *card, unsigned index, uint32_t argument, uint8_t response[16]);
    /* Data of the transfer the last command started. False: the card has ended it. */
    bool (*read)(struct sd_card *card, uint8_t *byte);
    bool (*write)(struct sd_card *card, uint8_t byte);
    bool (*write_protected)(const struct sd_card *card);
};

struct sd_card {
    const struct sd_card_ops *ops;
    void *state;
};

#endif
