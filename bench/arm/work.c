/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Compiled work for the benchmark guest. Compiled twice: as A32, and with WORK_THUMB for the core
 * row in T32.
 */
#include "bench.h"

/* ---- core: linked list, matrix, state machine, CRC in CoreMark's proportions ------------------
 */

struct node {
    struct node *next;
    int16_t value, index;
};

static struct node nodes[64];
static int16_t matrix_a[12][12], matrix_b[12][12];
static int32_t matrix_c[12][12];
static const char numbers[] =
    "5012,1234,-874,+122,35.54400,.1234500,-110.700,+0.64400,"
    "5.500e+3,-.123e-2,-87e+832,+0.6e-12,T0.3e-1F,-T.T++Tq,1T3.4e4z,34.0e-T^";

static uint16_t crc16(uint8_t byte, uint16_t crc)
{
    for (int i = 0; i < 8; i++) {
        uint16_t bit = (uint16_t)((byte ^ crc) & 1);
        byte >>= 1;
        crc >>= 1;
        if (bit)
            crc ^= 0xa001;
    }
    return crc;
}

static uint16_t crc32_to_16(uint32_t word, uint16_t crc)
{
    for (int i = 0; i < 4; i++)
        crc = crc16((uint8_t)(word >> (8 * i)), crc);
    return crc;
}

static struct node *list_build(uint32_t seed)
{
    for (int i = 0; i < 64; i++) {
        seed = seed * 1103515245u + 12345u;
        nodes[i].value = (int16_t)(seed >> 16);
        nodes[i].index = (int16_t)i;
        nodes[i].next = i < 63 ? &nodes[i + 1] : NULL;
    }
    return &nodes[0];
}

static struct node *list_merge(struct node *a, struct node *b, int by_value)
{
    struct node head, *tail = &head;

    while (a && b) {
        int before = by_value ? a->value <= b->value : a->index <= b->index;
        if (before) {
            tail->next = a;
            a = a->next;
        } else {
            tail->next = b;
            b = b->next;
        }
        tail = tail->next;
    }
    tail->next = a ? a : b;
    return head.next;
}

static struct node *list_sort(struct node *list, int by_value)
{
    if (!list || !list->next)
        return list;
    struct node *slow = list, *fast = list->next;
    while (fast && fast->next) {
        slow = slow->next;
        fast = fast->next->next;
    }
    struct node *half = slow->next;
    slow->next = NULL;
    return list_merge(list_sort(list, by_value), list_sort(half, by_value), by_value);
}

static uint16_t list_work(uint32_t seed, uint16_t crc)
{
    struct node *list = list_build(seed);

    for (int round = 0; round < 2; round++) {
        list = list_sort(list, 1);
        for (struct node *n = list; n; n = n->next)
            crc = crc16((uint8_t)n->value, crc);
        list = list_sort(list, 0);
        struct node *reversed = NULL;
        while (list) {
            struct node *next = list->next;
            list->next = reversed;
            reversed = list;
            list = next;
        }
        list = reversed;
    }
    return crc16((uint8_t)list->value, crc);
}

static uint16_t matrix_work(uint32_t seed, uint16_t crc)
{
    int32_t sum = 0;

    for (int i = 0; i < 12; i++)
        for (int j = 0; j < 12; j++) {
            seed = seed * 133 + 7;
            matrix_a[i][j] = (int16_t)(seed & 0xff);
            matrix_b[i][j] = (int16_t)(seed >> 8 & 0xff);
        }
    for (int i = 0; i < 12; i++)
        for (int j = 0; j < 12; j++) {
            int32_t total = 0;
            for (int k = 0; k < 12; k++)
                total += matrix_a[i][k] * matrix_b[k][j];
            matrix_c[i][j] = total;
            sum += (total >> 2 & 0xf) * (total >> 5 & 0x7f);
        }
    return crc32_to_16((uint32_t)sum, crc);
}

enum state { START, INVALID, SIGN, INTEGER, POINT, EXPONENT, SCIENTIFIC, N_STATES };

static enum state next_state(enum state state, char c)
{
    int digit = c >= '0' && c <= '9';

    switch (state) {
    case START:
        return digit ? INTEGER : c == '+' || c == '-' ? SIGN : c == '.' ? POINT : INVALID;
    case SIGN:
        return digit ? INTEGER : c == '.' ? POINT : INVALID;
    case INTEGER:
        return c == '.' ? POINT : digit ? INTEGER : INVALID;
    case POINT:
        return c == 'e' || c == 'E' ? EXPONENT : digit ? POINT : INVALID;
    case EXPONENT:
        return c == '+' || c == '-' || digit ? SCIENTIFIC : INVALID;
    case SCIENTIFIC:
        return digit ? SCIENTIFIC : INVALID;
    default:
        return INVALID;
    }
}

static uint16_t state_work(uint16_t crc)
{
    uint32_t counts[N_STATES] = {0};
    enum state state = START;

    for (const char *p = numbers; *p; p++) {
        if (*p == ',') {
            counts[state]++;
            state = START;
        } else {
            state = next_state(state, *p);
        }
    }
    for (int i = 0; i < N_STATES; i++)
        crc = crc32_to_16(counts[i], crc);
    return crc;
}

#ifdef WORK_THUMB
uint32_t work_core_thumb(uint32_t turns)
#else
uint32_t work_core(uint32_t turns)
#endif
{
    uint16_t crc = 0;

    for (uint32_t i = 0; i < turns; i++) {
        crc = list_work(i, crc);
        crc = matrix_work(i, crc);
        crc = state_work(crc);
    }
    return crc;
}

#ifndef WORK_THUMB

/* ---- sha256: rotates and adds ------------------------------------------------------------------
 */

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

/* ---- sort: branches and memory -----------------------------------------------------------------
 */

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

/* ---- floating point -------------------------------------------------------------------------- */

static double product_a[16][16], product_b[16][16], product_c[16][16];

uint32_t work_float(uint32_t turns)
{
    double total = 0.0;
    double x = 1.0, y = 0.0, vx = 0.0, vy = 0.8;

    for (int i = 0; i < 16; i++)
        for (int j = 0; j < 16; j++) {
            product_a[i][j] = 1.0 / (i + j + 1);
            product_b[i][j] = i - j + 0.5;
        }
    for (uint32_t turn = 0; turn < turns; turn++) {
        for (int i = 0; i < 16; i++)
            for (int j = 0; j < 16; j++) {
                double sum = 0.0;
                for (int k = 0; k < 16; k++)
                    sum += product_a[i][k] * product_b[k][j];
                product_c[i][j] = sum;
            }
        for (int step = 0; step < 64; step++) {
            double r2 = x * x + y * y;
            double f = 0.001 / (r2 * __builtin_sqrt(r2));
            vx -= x * f;
            vy -= y * f;
            x += vx * 0.001;
            y += vy * 0.001;
        }
        total += product_c[turn & 15][3] + x;
    }
    return (uint32_t)(int32_t)(total * 1000.0);
}

static float wave_a[1024], wave_b[1024];

uint32_t work_vector(uint32_t turns)
{
    for (int i = 0; i < 1024; i++) {
        wave_a[i] = (float)i * 0.5f;
        wave_b[i] = 1.0f;
    }
    for (uint32_t turn = 0; turn < turns; turn++)
        for (int i = 0; i < 1024; i++)
            wave_b[i] = wave_b[i] * 0.5f + wave_a[i];
    return (uint32_t)wave_b[77];
}

#endif
