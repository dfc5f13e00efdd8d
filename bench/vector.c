/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loops that the compiler vectorises, on x86 once more for AVX, with other names (VECTOR). The
 * values are such that neither order nor fusing shows. */
#include "bench.h"

#ifdef VARIANT_AVX
#define VECTOR(name) work_avx_##name
#else
#define VECTOR(name) work_##name
#endif
enum { LENGTH = 1024 };

uint32_t VECTOR(vector_f32)(uint32_t turns) /* 1024 products and sums */
{
    static float a[LENGTH], b[LENGTH];
    uint32_t sum = 0;

    for (int i = 0; i < LENGTH; i++) {
        a[i] = (float)(i & 63);
        b[i] = 1.0f;
    }
    for (; turns; turns--) {
        float less = (float)(turns & 3);
        for (int i = 0; i < LENGTH; i++)
            b[i] = a[i] * 8.0f - less + b[i] * 0.5f;
    }
    for (int i = 0; i < LENGTH; i++)
        sum = mix(sum, (uint32_t)(int32_t)b[i]);
    return sum;
}

uint32_t VECTOR(vector_dot_f32)(uint32_t turns) /* 1024 products and sums */
{
    static float a[LENGTH], b[LENGTH];
    uint32_t sum = 0;

    for (int i = 0; i < LENGTH; i++) {
        a[i] = (float)(i & 7);
        b[i] = (float)(i % 5);
    }
    for (; turns; turns--) {
        float dot = 0.0f;
        for (int i = 0; i < LENGTH; i++)
            dot += a[i] * b[i];
        a[turns & 1023] = 9.0f;
        sum += (uint32_t)dot;
    }
    return sum;
}

uint32_t VECTOR(vector_i32)(uint32_t turns) /* 1024 */
{
    static uint32_t a[LENGTH], b[LENGTH];
    uint32_t sum = 0;

    for (uint32_t i = 0; i < LENGTH; i++) {
        a[i] = i * 0x9e3779b9;
        b[i] = i;
    }
    for (; turns; turns--)
        for (int i = 0; i < LENGTH; i++)
            b[i] = (b[i] << 3 ^ a[i]) + turns;
    for (int i = 0; i < LENGTH; i++)
        sum = mix(sum, b[i]);
    return sum;
}

uint32_t VECTOR(vector_u8)(uint32_t turns) /* 1024: the larger one, the sum */
{
    static uint8_t a[LENGTH], b[LENGTH];
    uint32_t sum = 0;

    for (uint32_t i = 0; i < LENGTH; i++) {
        a[i] = (uint8_t)(i * 7);
        b[i] = (uint8_t)(i * 5);
    }
    for (; turns; turns--)
        for (int i = 0; i < LENGTH; i++) {
            uint8_t larger = a[i] > b[i] ? a[i] : b[i];
            b[i] = (uint8_t)(larger + 3);
        }
    for (int i = 0; i < LENGTH; i++)
        sum = mix(sum, b[i]);
    return sum;
}
