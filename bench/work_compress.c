/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A compressor of the Lempel-Ziv family: tokens are a byte below 128 (so many plus one literal
 * bytes follow) or from 128 on (a match of so many minus 124 bytes, with two bytes of distance).
 * Each turn makes a text, compresses it, and expands it again.
 */
#include "bench.h"

enum { TEXT = 4096, HASHES = 1024, SHORTEST = 4, LONGEST = 131, MOST_LITERALS = 128 };

static uint8_t text[TEXT], packed[TEXT + TEXT / 64 + 16], unpacked[TEXT];
static uint16_t last_seen[HASHES];

static void make_text(uint32_t seed)
{
    static const char words[] =
        "the quick brown fox jumps over a lazy dog while seven wizards make toxic brew ";
    uint32_t at = 0;

    while (at < TEXT) {
        seed = next_random(seed);
        uint32_t from = seed % 61, length = (seed >> 16) % 17 + 1;
        while (length-- && at < TEXT)
            text[at++] = (uint8_t)words[from++];
    }
}

static uint32_t hash_at(uint32_t at)
{
    uint32_t bytes =
        text[at] | text[at + 1] << 8 | text[at + 2] << 16 | (uint32_t)text[at + 3] << 24;

    return bytes * 2654435761u >> 22;
}

static uint32_t put_literals(uint32_t out, uint32_t from, uint32_t to)
{
    while (from < to) {
        uint32_t count = to - from < MOST_LITERALS ? to - from : MOST_LITERALS;
        packed[out++] = (uint8_t)(count - 1);
        while (count--)
            packed[out++] = text[from++];
    }
    return out;
}

static uint32_t compress(void)
{
    uint32_t at = 0, out = 0, literals = 0;

    for (uint32_t i = 0; i < HASHES; i++)
        last_seen[i] = 0xffff;
    while (at + SHORTEST <= TEXT) {
        uint32_t hash = hash_at(at), before = last_seen[hash], length = 0;
        last_seen[hash] = (uint16_t)at;
        if (before != 0xffff)
            while (at + length < TEXT && length < LONGEST &&
                   text[before + length] == text[at + length])
                length++;
        if (length < SHORTEST) {
            at++;
            continue;
        }
        out = put_literals(out, literals, at);
        packed[out++] = (uint8_t)(128 + length - SHORTEST);
        packed[out++] = (uint8_t)(at - before);
        packed[out++] = (uint8_t)((at - before) >> 8);
        at += length;
        literals = at;
    }
    return put_literals(out, literals, TEXT);
}

static void expand(uint32_t bytes)
{
    uint32_t at = 0, in = 0;

    while (in < bytes) {
        uint32_t token = packed[in++];
        if (token < 128) {
            for (uint32_t i = 0; i <= token; i++)
                unpacked[at++] = packed[in++];
        } else {
            uint32_t from = at - (packed[in] | (uint32_t)packed[in + 1] << 8);
            in += 2;
            for (uint32_t i = 0; i < token - 128 + SHORTEST; i++)
                unpacked[at++] = unpacked[from++];
        }
    }
}

uint32_t work_compress(uint32_t turns)
{
    uint32_t sum = 0;

    for (uint32_t turn = 0; turn < turns; turn++) {
        make_text(turn + 1);
        uint32_t bytes = compress();
        expand(bytes);
        for (uint32_t i = 0; i < TEXT; i++)
            if (unpacked[i] != text[i])
                return 0;
        for (uint32_t i = 0; i < bytes; i++)
            sum = mix(sum, packed[i]);
        sum = mix(sum, bytes);
    }
    return sum;
}
