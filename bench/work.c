/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Compiled integer work: a hash, a sort, an interpreter. */
#include "bench.h"

/* ---- sha256: rotates and adds ---------------------------------------------------------------- */

static const uint32_t sha_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static inline uint32_t rotate(uint32_t x, int n)
{
    return x >> n | x << (32 - n);
}

static void sha_block(uint32_t hash[8], const uint32_t block[16])
{
    uint32_t w[64], s[8];

    for (int i = 0; i < 16; i++)
        w[i] = __builtin_bswap32(block[i]);
    for (int i = 16; i < 64; i++) {
        uint32_t a = w[i - 15], b = w[i - 2];
        w[i] = w[i - 16] + w[i - 7] + (rotate(a, 7) ^ rotate(a, 18) ^ a >> 3) +
               (rotate(b, 17) ^ rotate(b, 19) ^ b >> 10);
    }
    for (int i = 0; i < 8; i++)
        s[i] = hash[i];
    for (int i = 0; i < 64; i++) {
        uint32_t t1 = s[7] + (rotate(s[4], 6) ^ rotate(s[4], 11) ^ rotate(s[4], 25)) +
                      ((s[4] & s[5]) ^ (~s[4] & s[6])) + sha_k[i] + w[i];
        uint32_t t2 = (rotate(s[0], 2) ^ rotate(s[0], 13) ^ rotate(s[0], 22)) +
                      ((s[0] & s[1]) ^ (s[0] & s[2]) ^ (s[1] & s[2]));
        for (int j = 7; j > 0; j--)
            s[j] = s[j - 1];
        s[4] += t1;
        s[0] = t1 + t2;
    }
    for (int i = 0; i < 8; i++)
        hash[i] += s[i];
}

uint32_t work_sha256(uint32_t turns)
{
    uint32_t hash[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                        0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    uint32_t block[16];

    for (uint32_t i = 0; i < turns; i++) {
        for (uint32_t j = 0; j < 16; j++)
            block[j] = hash[j & 7] + i + j;
        sha_block(hash, block);
    }
    return hash[0];
}

/* ---- sort: branches and memory --------------------------------------------------------------- */

static uint32_t sort_data[1024];

static void sort_range(uint32_t *a, int low, int high)
{
    while (low < high) {
        uint32_t pivot = a[(low + high) / 2];
        int i = low, j = high;
        while (i <= j) {
            while (a[i] < pivot)
                i++;
            while (a[j] > pivot)
                j--;
            if (i <= j) {
                uint32_t t = a[i];
                a[i++] = a[j];
                a[j--] = t;
            }
        }
        sort_range(a, low, j);
        low = i;
    }
}

uint32_t work_sort(uint32_t turns)
{
    uint32_t seed = 1, sum = 0;

    for (uint32_t i = 0; i < turns; i++) {
        for (int j = 0; j < 1024; j++) {
            seed = seed * 1664525u + 1013904223u;
            sort_data[j] = seed;
        }
        sort_range(sort_data, 0, 1023);
        sum += sort_data[i & 1023];
    }
    return sum;
}

/* ---- interpreter: a stack machine ------------------------------------------------------------ */

enum bytecode { PUSH, DUP, ADD, SUB, MUL, SWAP, XOR, JUMP_NZ, DROP, HALT };

uint32_t work_interpreter(uint32_t turns)
{
    /* acc = 1; for (n = 200; n; n--) acc = (acc * 5 + 3) ^ 77; the stack holds acc, n */
    static const uint8_t program[] = {PUSH, 1,   PUSH, 200,     SWAP, PUSH, 5,    MUL,
                                      PUSH, 3,   ADD,  PUSH,    77,   XOR,  SWAP, PUSH,
                                      1,    SUB, DUP,  JUMP_NZ, 4,    DROP, HALT};
    static const void *const labels[] = {&&push, &&dup, &&add,  &&sub,  &&mul,
                                         &&swap, &&xor, &&jump, &&drop, &&halt};
    uint32_t sum = 0;

    for (uint32_t turn = 0; turn < turns; turn++) {
        uint32_t stack[16], *sp = stack, t;
        const uint8_t *pc = program;
#define NEXT goto *labels[*pc++]
        NEXT;
    push:
        *sp++ = *pc++;
        NEXT;
    dup:
        *sp = sp[-1];
        sp++;
        NEXT;
    add:
        sp--;
        sp[-1] += *sp;
        NEXT;
    sub:
        sp--;
        sp[-1] -= *sp;
        NEXT;
    mul:
        sp--;
        sp[-1] *= *sp;
        NEXT;
    swap:
        t = sp[-1];
        sp[-1] = sp[-2];
        sp[-2] = t;
        NEXT;
        xor : sp--;
        sp[-1] ^= *sp;
        NEXT;
    jump:
        pc = *--sp ? program + *pc : pc + 1;
        NEXT;
    drop:
        sp--;
        NEXT;
    halt:
        sum += sp[-1] + turn;
#undef NEXT
    }
    return sum;
}
