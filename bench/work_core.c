/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linked list, matrix, state machine and CRC, in CoreMark's proportions. */
#include "bench.h"

#ifndef CORE
#define CORE work_core
#endif

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

uint32_t CORE(uint32_t turns)
{
    uint16_t crc = 0;

    for (uint32_t i = 0; i < turns; i++) {
        crc = list_work(i, crc);
        crc = matrix_work(i, crc);
        crc = state_work(crc);
    }
    return crc;
}
