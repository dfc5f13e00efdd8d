/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scalar floating point in both widths. Compiled without vectors and without fusing; on x86 once
 * more for the x87, with other names (SCALAR). The checksums keep few enough bits that a wider
 * intermediate result does not show.
 */
#include "machine.h"

#ifdef VARIANT_X87
#define SCALAR(name) work_x87_##name
#else
#define SCALAR(name) work_##name
#endif
#define REPEAT_4(x) x x x x

static double opaque_double(double value)
{
    volatile double v = value;

    return v;
}

static uint32_t keep(double value)
{
    return (uint32_t)(int32_t)(value * 4096.0);
}

#define IN_WIDTH(width, type, root, tiny, scale)                                                   \
    uint32_t SCALAR(width##_add)(uint32_t turns) /* 8 in four chains */                            \
    {                                                                                              \
        type a = 0, b = 0, c = 0, d = 0, x = (type)opaque_double(0.37),                            \
             y = (type)opaque_double(1);                                                           \
        while (turns--) {                                                                          \
            a += x;                                                                                \
            b -= x;                                                                                \
            c += y;                                                                                \
            d -= y;                                                                                \
            a -= y;                                                                                \
            b += y;                                                                                \
            c -= x;                                                                                \
            d += x;                                                                                \
            a = a < -500 ? 0 : a;                                                                  \
        }                                                                                          \
        return keep((double)(a + b + c + d + x));                                                  \
    }                                                                                              \
    uint32_t SCALAR(width##_chain)(uint32_t turns) /* 8: each needs the one before */              \
    {                                                                                              \
        type a = 1, x = (type)opaque_double(0.5), y = (type)opaque_double(1.23);                   \
        while (turns--) {                                                                          \
            REPEAT_4(a *= x; a += y;)                                                              \
        }                                                                                          \
        return keep((double)a);                                                                    \
    }                                                                                              \
    uint32_t SCALAR(width##_multiply)(uint32_t turns) /* 8 in four chains */                       \
    {                                                                                              \
        type a = 1, b = 2, c = 3, d = 4;                                                           \
        type x = (type)opaque_double(1.5), y = (type)opaque_double(0.6666);                        \
        while (turns--) {                                                                          \
            a *= x;                                                                                \
            b *= y;                                                                                \
            c *= x;                                                                                \
            d *= y;                                                                                \
            a *= y;                                                                                \
            b *= x;                                                                                \
            c *= y;                                                                                \
            d *= x;                                                                                \
            a = a < (type)0.01 ? 1 : a;                                                            \
            b = b < (type)0.01 ? 1 : b;                                                            \
            c = c < (type)0.01 ? 1 : c;                                                            \
            d = d < (type)0.01 ? 1 : d;                                                            \
        }                                                                                          \
        return keep((double)(a + b + c + d));                                                      \
    }                                                                                              \
    uint32_t SCALAR(width##_divide)(uint32_t turns) /* 4 */                                        \
    {                                                                                              \
        type a = 3, b = 5, x = (type)opaque_double(7);                                             \
        while (turns--) {                                                                          \
            a = x / a;                                                                             \
            b = x / b;                                                                             \
            a = (a + x) / b;                                                                       \
            b = (b + x) / a;                                                                       \
        }                                                                                          \
        return keep((double)(a + b));                                                              \
    }                                                                                              \
    uint32_t SCALAR(width##_root)(uint32_t turns) /* 4 */                                          \
    {                                                                                              \
        type a = 3, b = 5, x = (type)opaque_double(7);                                             \
        while (turns--) {                                                                          \
            a = root(a + x);                                                                       \
            b = root(b + x);                                                                       \
            a = root(a + b);                                                                       \
            b = root(b + a);                                                                       \
        }                                                                                          \
        return keep((double)(a + b));                                                              \
    }                                                                                              \
    uint32_t SCALAR(width##_convert)(uint32_t turns) /* 8: to and from integers */                 \
    {                                                                                              \
        int32_t i = (int32_t)opaque(77);                                                           \
        uint32_t sum = 0;                                                                          \
        type x = (type)opaque_double(1.75);                                                        \
        while (turns--) {                                                                          \
            REPEAT_4(i = (int32_t)((type)i * x) & 0xfff; sum += (uint32_t)i;)                      \
        }                                                                                          \
        return sum;                                                                                \
    }                                                                                              \
    uint32_t SCALAR(width##_compare)(uint32_t turns) /* 8 */                                       \
    {                                                                                              \
        type a = 1, x = (type)opaque_double(0.25), y = (type)opaque_double(3);                     \
        uint32_t above = 0, equal = 0;                                                             \
        while (turns--) {                                                                          \
            REPEAT_4(a += x; if (a > y) {                                                          \
                above++;                                                                           \
                a = opaque(0) ? x : -y;                                                            \
            } equal += a == x;)                                                                    \
        }                                                                                          \
        return mix(above, equal);                                                                  \
    }                                                                                              \
    uint32_t SCALAR(width##_denormal)(uint32_t turns) /* 8 on denormal numbers */                  \
    {                                                                                              \
        volatile type least = (type)tiny;                                                          \
        type a = least, x = least, half = (type)opaque_double(0.5);                                \
        while (turns--) {                                                                          \
            REPEAT_4(a *= half; a += x;)                                                           \
        }                                                                                          \
        return keep((double)(a * (type)scale));                                                    \
    }                                                                                              \
    uint32_t SCALAR(width##_dot)(uint32_t turns) /* 256 products and sums */                       \
    {                                                                                              \
        static type u[256], v[256];                                                                \
        type sum = 0;                                                                              \
        for (int i = 0; i < 256; i++) {                                                            \
            u[i] = (type)(i & 7);                                                                  \
            v[i] = (type)(i % 5);                                                                  \
        }                                                                                          \
        while (turns--) {                                                                          \
            type dot = 0;                                                                          \
            for (int i = 0; i < 256; i++)                                                          \
                dot += u[i] * v[i];                                                                \
            u[turns & 255] = dot > 2000 ? 1 : 2;                                                   \
            sum = dot;                                                                             \
        }                                                                                          \
        return (uint32_t)sum;                                                                      \
    }                                                                                              \
    uint32_t SCALAR(width##_matrix)(uint32_t turns) /* 1728 products and sums: 12 by 12 */         \
    {                                                                                              \
        static type u[12][12], v[12][12], w[12][12];                                               \
        uint32_t sum = 0;                                                                          \
        for (int i = 0; i < 12; i++)                                                               \
            for (int j = 0; j < 12; j++) {                                                         \
                u[i][j] = (type)((i * 3 + j) % 7);                                                 \
                v[i][j] = (type)((i + j * 5) % 11);                                                \
            }                                                                                      \
        while (turns--) {                                                                          \
            for (int i = 0; i < 12; i++)                                                           \
                for (int j = 0; j < 12; j++) {                                                     \
                    type dot = 0;                                                                  \
                    for (int k = 0; k < 12; k++)                                                   \
                        dot += u[i][k] * v[k][j];                                                  \
                    w[i][j] = dot;                                                                 \
                }                                                                                  \
            u[turns % 12][3] = (type)(turns & 7);                                                  \
        }                                                                                          \
        for (int i = 0; i < 12; i++)                                                               \
            for (int j = 0; j < 12; j++)                                                           \
                sum = mix(sum, (uint32_t)w[i][j]);                                                 \
        return sum;                                                                                \
    }
IN_WIDTH(f32, float, __builtin_sqrtf, 1e-40, 0x1p126)
IN_WIDTH(f64, double, __builtin_sqrt, 1e-310, 0x1p1020)

uint32_t SCALAR(float_widths)(uint32_t turns) /* 8 conversions between the widths */
{
    double x = opaque_double(0.7), y = opaque_double(1.1);

    while (turns--) {
        REPEAT_4(x = (double)(float)x; x = x < 1000 ? x + y : y;)
    }
    return keep(x);
}

#ifdef HAVE_ROUNDING
uint32_t SCALAR(rounding)(uint32_t turns) /* 4 changes of the mode, each with a sum it rounds */
{
    double one = opaque_double(1.0), little = opaque_double(0x1p-60);
    uint32_t above = 0;

    while (turns--)
        for (int i = 0; i < 2; i++) {
            volatile double sum;
            set_rounding(ROUND_UP);
            sum = one + little;
            above += sum > one;
            set_rounding(ROUND_NEAREST);
            sum = one + little;
            above += sum > one ? 100 : 0;
            one = opaque_double(1.0);
        }
    return above;
}
#endif
