/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Scalar double precision: a matrix product and an n-body step; on x86 also for the x87 and AVX. */
#include "bench.h"

#ifndef FLOAT64
#define FLOAT64 work_float64
#endif

static double product_a[16][16], product_b[16][16], product_c[16][16];

uint32_t FLOAT64(uint32_t turns)
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
