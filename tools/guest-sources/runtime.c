/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the compiler leaves to its run-time library on 32-bit MIPS: 64-bit shifts and divisions,
 * conversions between 64-bit integers and floating point, and a few bit counts. Debian's own
 * library is of release 2, which a guest of release 1 cannot have in its programs.
 */
#include <stdint.h>

/* These names are the compiler's. */
uint64_t __udivmoddi4(uint64_t number, uint64_t divisor, uint64_t *rest);
uint64_t __udivdi3(uint64_t number, uint64_t divisor);
uint64_t __umoddi3(uint64_t number, uint64_t divisor);
int64_t __divdi3(int64_t number, int64_t divisor);
int64_t __moddi3(int64_t number, int64_t divisor);
uint64_t __ashldi3(uint64_t value, int count);
uint64_t __lshrdi3(uint64_t value, int count);
int64_t __ashrdi3(int64_t value, int count);
int __cmpdi2(int64_t a, int64_t b);
int __ucmpdi2(uint64_t a, uint64_t b);
uint32_t __bswapsi2(uint32_t value);
uint64_t __bswapdi2(uint64_t value);
int __clzsi2(uint32_t value);
int __clzdi2(uint64_t value);
int __ctzsi2(uint32_t value);
int __ctzdi2(uint64_t value);
int __ffsdi2(uint64_t value);
int __popcountsi2(uint32_t value);
int __popcountdi2(uint64_t value);
double __floatundidf(uint64_t value);
double __floatdidf(int64_t value);
float __floatundisf(uint64_t value);
float __floatdisf(int64_t value);
uint64_t __fixunsdfdi(double value);
int64_t __fixdfdi(double value);
uint64_t __fixunssfdi(float value);
int64_t __fixsfdi(float value);

/* The compiler is not to make calls of these very functions out of what stands in them. */
static uint32_t high(uint64_t value)
{
    union {
        uint64_t whole;
        uint32_t half[2];
    } u = {value};

    return u.half[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__];
}

static uint64_t from_halves(uint32_t top, uint32_t bottom)
{
    union {
        uint64_t whole;
        uint32_t half[2];
    } u;

    u.half[__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__] = top;
    u.half[__BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__] = bottom;
    return u.whole;
}

uint64_t __ashldi3(uint64_t value, int count)
{
    uint32_t bottom = (uint32_t)value;

    if (count >= 32)
        return from_halves(bottom << (count - 32), 0);
    if (!count)
        return value;
    return from_halves(high(value) << count | bottom >> (32 - count), bottom << count);
}

uint64_t __lshrdi3(uint64_t value, int count)
{
    uint32_t top = high(value);

    if (count >= 32)
        return top >> (count - 32);
    if (!count)
        return value;
    return from_halves(top >> count, (uint32_t)value >> count | top << (32 - count));
}

int64_t __ashrdi3(int64_t value, int count)
{
    int32_t top = (int32_t)high((uint64_t)value);

    if (count >= 32)
        return (int64_t)from_halves((uint32_t)(top >> 31), (uint32_t)(top >> (count - 32)));
    if (!count)
        return value;
    return (int64_t)from_halves((uint32_t)(top >> count),
                                (uint32_t)value >> count | (uint32_t)top << (32 - count));
}

/* Bit by bit; as the hardware's division a divisor of nought only must not hang. */
uint64_t __udivmoddi4(uint64_t number, uint64_t divisor, uint64_t *rest)
{
    uint64_t quotient = 0, left = 0;

    if (!high(number) && !high(divisor)) {
        if (rest)
            *rest = (uint32_t)number % (uint32_t)divisor;
        return (uint32_t)number / (uint32_t)divisor;
    }
    for (int i = 0; i < 64; i++) {
        uint32_t carry = high(left) >> 31;

        left = left + left + (high(number) >> 31);
        number += number;
        quotient += quotient;
        if (carry || left >= divisor) {
            left -= divisor;
            quotient++;
        }
    }
    if (rest)
        *rest = left;
    return quotient;
}

uint64_t __udivdi3(uint64_t number, uint64_t divisor)
{
    return __udivmoddi4(number, divisor, 0);
}

uint64_t __umoddi3(uint64_t number, uint64_t divisor)
{
    uint64_t rest;

    __udivmoddi4(number, divisor, &rest);
    return rest;
}

static uint64_t magnitude(int64_t value)
{
    return value < 0 ? 0 - (uint64_t)value : (uint64_t)value;
}

int64_t __divdi3(int64_t number, int64_t divisor)
{
    uint64_t quotient = __udivmoddi4(magnitude(number), magnitude(divisor), 0);

    return (int64_t)((number < 0) != (divisor < 0) ? 0 - quotient : quotient);
}

int64_t __moddi3(int64_t number, int64_t divisor)
{
    uint64_t rest;

    __udivmoddi4(magnitude(number), magnitude(divisor), &rest);
    return (int64_t)(number < 0 ? 0 - rest : rest);
}

int __cmpdi2(int64_t a, int64_t b)
{
    return a < b ? 0 : a > b ? 2 : 1;
}

int __ucmpdi2(uint64_t a, uint64_t b)
{
    return a < b ? 0 : a > b ? 2 : 1;
}

uint32_t __bswapsi2(uint32_t value)
{
    return value << 24 | (value & 0xff00) << 8 | (value >> 8 & 0xff00) | value >> 24;
}

uint64_t __bswapdi2(uint64_t value)
{
    return from_halves(__bswapsi2((uint32_t)value), __bswapsi2(high(value)));
}

int __popcountsi2(uint32_t value)
{
    int count = 0;

    for (; value; value &= value - 1)
        count++;
    return count;
}

int __popcountdi2(uint64_t value)
{
    return __popcountsi2(high(value)) + __popcountsi2((uint32_t)value);
}

int __clzsi2(uint32_t value)
{
    int count = 32;

    for (; value; value >>= 1)
        count--;
    return count;
}

int __clzdi2(uint64_t value)
{
    return high(value) ? __clzsi2(high(value)) : 32 + __clzsi2((uint32_t)value);
}

int __ctzsi2(uint32_t value)
{
    return 31 - __clzsi2(value & (0 - value));
}

int __ctzdi2(uint64_t value)
{
    return (uint32_t)value ? __ctzsi2((uint32_t)value) : 32 + __ctzsi2(high(value));
}

int __ffsdi2(uint64_t value)
{
    return value ? __ctzdi2(value) + 1 : 0;
}

static double from_unsigned(uint32_t value)
{
    return (double)(int32_t)(value ^ 0x80000000u) + 0x1p31;
}

double __floatundidf(uint64_t value)
{
    return from_unsigned(high(value)) * 0x1p32 + from_unsigned((uint32_t)value);
}

double __floatdidf(int64_t value)
{
    return value < 0 ? -__floatundidf(0 - (uint64_t)value) : __floatundidf((uint64_t)value);
}

/* Rounded once: bits that a double has no room for are gathered in the last one it has. */
float __floatundisf(uint64_t value)
{
    if (high(value) >> 21 && (uint32_t)value << 21)
        value = (value | 0x800) & ~(uint64_t)0x7ff;
    return (float)__floatundidf(value);
}

float __floatdisf(int64_t value)
{
    return value < 0 ? -__floatundisf(0 - (uint64_t)value) : __floatundisf((uint64_t)value);
}

static uint32_t to_unsigned(double value)
{
    return value >= 0x1p31 ? (uint32_t)(int32_t)(value - 0x1p31) ^ 0x80000000u
                           : (uint32_t)(int32_t)value;
}

uint64_t __fixunsdfdi(double value)
{
    uint32_t top;

    if (!(value >= 1))
        return 0;
    if (value >= 0x1p64)
        return UINT64_MAX;
    top = to_unsigned(value * 0x1p-32);
    return from_halves(top, to_unsigned(value - from_unsigned(top) * 0x1p32));
}

int64_t __fixdfdi(double value)
{
    return (int64_t)(value < 0 ? 0 - __fixunsdfdi(-value) : __fixunsdfdi(value));
}

uint64_t __fixunssfdi(float value)
{
    return __fixunsdfdi(value);
}

int64_t __fixsfdi(float value)
{
    return __fixdfdi(value);
}
