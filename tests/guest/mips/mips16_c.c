/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A compiler's MIPS16e: algorithms whose results are known. Some functions are 32-bit code, so that
 * calls, returns and pointers to functions cross over both ways. compute() returns 0, or the line
 * that failed.
 */
typedef unsigned int u32;
typedef unsigned long long u64;

#define MIPS32 __attribute__((nomips16, noinline))
#define NOINLINE __attribute__((noinline))
#define CHECK(what)                                                                                \
    if (!(what))                                                                                   \
        return __LINE__

/* ---- CRC-32; its check value is that of "123456789" ------------------------------------------ */

static NOINLINE u32 crc32(const char *text, u32 size)
{
    u32 crc = ~0u;

    for (u32 i = 0; i < size; i++) {
        crc ^= (unsigned char)text[i];
        for (u32 bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320 : 0);
    }
    return ~crc;
}

/* ---- SHA-256 of "abc": FIPS 180-4 ------------------------------------------------------------ */

static const u32 sha_k[64] = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5,
    0xd807aa98, 0x12835b01, 0x243185be, 0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174,
    0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa, 0x5cb0a9dc, 0x76f988da,
    0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967,
    0x27b70a85, 0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85,
    0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3, 0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070,
    0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f, 0x682e6ff3,
    0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

static MIPS32 u32 rotate(u32 x, u32 by)
{
    return x >> by | x << (32 - by);
}

static NOINLINE void sha256(u32 h[8], u32 w[64])
{
    u32 v[8];

    for (u32 i = 16; i < 64; i++)
        w[i] = w[i - 16] + w[i - 7] +
               (rotate(w[i - 15], 7) ^ rotate(w[i - 15], 18) ^ w[i - 15] >> 3) +
               (rotate(w[i - 2], 17) ^ rotate(w[i - 2], 19) ^ w[i - 2] >> 10);
    for (u32 i = 0; i < 8; i++)
        v[i] = h[i];
    for (u32 i = 0; i < 64; i++) {
        u32 t = v[7] + (rotate(v[4], 6) ^ rotate(v[4], 11) ^ rotate(v[4], 25)) +
                ((v[4] & v[5]) ^ (~v[4] & v[6])) + sha_k[i] + w[i];

        for (u32 k = 7; k; k--)
            v[k] = v[k - 1];
        v[4] += t;
        v[0] = t + (rotate(v[1], 2) ^ rotate(v[1], 13) ^ rotate(v[1], 22)) +
               ((v[1] & v[2]) ^ (v[1] & v[3]) ^ (v[2] & v[3]));
    }
    for (u32 i = 0; i < 8; i++)
        h[i] += v[i];
}

/* ---- recursion, long long, bytes and halfwords ----------------------------------------------- */

static NOINLINE u32 queens(u32 row, u32 n, u32 columns, u32 left, u32 right)
{
    u32 count = 0;

    if (row == n)
        return 1;
    for (u32 bit = 1; bit < 1u << n; bit <<= 1)
        if (!((columns | left | right) & bit))
            count += queens(row + 1, n, columns | bit, (left | bit) << 1, (right | bit) >> 1);
    return count;
}

static NOINLINE u64 fibonacci(u32 n)
{
    u64 a = 0, b = 1;

    while (n--) {
        u64 next = a + b;

        a = b;
        b = next;
    }
    return a;
}

static NOINLINE u64 factorial(u32 n)
{
    return n < 2 ? 1 : n * factorial(n - 1);
}

static MIPS32 int less_signed(short a, short b)
{
    return a < b;
}

static NOINLINE int less_unsigned(short a, short b)
{
    return (unsigned short)a < (unsigned short)b;
}

static NOINLINE void sort(short *values, int n, int (*less)(short, short))
{
    for (int i = 1; i < n; i++)
        for (int k = i; k > 0 && less(values[k], values[k - 1]); k--) {
            short swapped = values[k];

            values[k] = values[k - 1];
            values[k - 1] = swapped;
        }
}

static NOINLINE u32 sorted(int (*less)(short, short))
{
    short values[50];
    u32 random = 1;

    for (int i = 0; i < 50; i++) {
        random = random * 1103515245 + 12345;
        values[i] = (short)(random >> 16);
    }
    sort(values, 50, less);
    for (int i = 1; i < 50; i++)
        if (less(values[i], values[i - 1]))
            return 0;
    return 1;
}

static NOINLINE int switched(int n)
{
    switch (n) {
    case 0:
        return 11;
    case 1:
        return 7;
    case 2:
        return -40000;
    case 3:
        return 5;
    case 4:
        return 70000;
    case 5:
        return n * n;
    case 6:
        return n / 4 + n % 4;
    default:
        return -1;
    }
}

int compute(void);
int compute(void)
{
    static const int wanted[] = {11, 7, -40000, 5, 70000, 25, 3, -1};
    static u32 h[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a,
                       0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};
    static u32 w[64] = {0x61626380, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 24};

    CHECK(crc32("123456789", 9) == 0xcbf43926);
    sha256(h, w);
    CHECK(h[0] == 0xba7816bf && h[1] == 0x8f01cfea && h[7] == 0xf20015ad);
    CHECK(queens(0, 6, 0, 0, 0) == 4);
    CHECK(queens(0, 8, 0, 0, 0) == 92);
    CHECK(fibonacci(90) == 2880067194370816120ull);
    CHECK(factorial(20) == 2432902008176640000ull);
    CHECK(sorted(less_signed));
    CHECK(sorted(less_unsigned));
    for (int i = 0; i < 8; i++)
        CHECK(switched(i) == wanted[i]);
    return 0;
}
