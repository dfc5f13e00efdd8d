/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rows of the ALU op (alu.def), by the host's own instructions: flags that the manual leaves
 * undefined are the host's by definition, and generated code has the same. Rows of extensions that
 * the host may lack are also written in C, with their undefined flags clear.
 */
#include "tcg/alu.h"

#include "util/bits.h"
#include "util/log.h"

const struct ir_alu_info ir_alu_info[IR_N_ALU] = {
#define ALU(row, args, gives_set, needs_set)                                                       \
    [IR_ALU_##row] = {.name = #row, .n_args = (args), .gives = (gives_set), .needs = (needs_set)},
#include "tcg/alu.def"
#undef ALU
};

bool ir_alu_has_width(unsigned row, unsigned width)
{
    if (width != 8 && width != 16 && width != 32 && width != 64)
        return false;
    switch (row) {
    case IR_ALU_SHL:
    case IR_ALU_SHR:
    case IR_ALU_SAR:
    case IR_ALU_ROL:
    case IR_ALU_ROR:
    case IR_ALU_RCL:
    case IR_ALU_RCR:
    case IR_ALU_IMUL:
    case IR_ALU_MUL:
    case IR_ALU_IMULH:
    case IR_ALU_MULH:
    case IR_ALU_CRC32:
    case IR_ALU_INC:
    case IR_ALU_DEC:
        return true;
    case IR_ALU_ANDN:
    case IR_ALU_BEXTR:
    case IR_ALU_BZHI:
    case IR_ALU_BLSI:
    case IR_ALU_BLSR:
    case IR_ALU_BLSMSK:
    case IR_ALU_PDEP:
    case IR_ALU_PEXT:
        return width >= 32;
    default:
        return row < IR_N_ALU && width >= 16;
    }
}

bool ir_alu_on_host(unsigned row)
{
    switch (row) {
    case IR_ALU_TZCNT:
    case IR_ALU_LZCNT: /* no processor has BMI1 without it, and not every compiler knows its name */
    case IR_ALU_ANDN:
    case IR_ALU_BEXTR:
    case IR_ALU_BLSI:
    case IR_ALU_BLSR:
    case IR_ALU_BLSMSK:
        return __builtin_cpu_supports("bmi");
    case IR_ALU_BZHI:
    case IR_ALU_PDEP:
    case IR_ALU_PEXT:
        return __builtin_cpu_supports("bmi2");
    case IR_ALU_POPCNT:
        return __builtin_cpu_supports("popcnt");
    default: /* SSE4.2, which has CRC32, is what the backend needs to run at all */
        return true;
    }
}

/* ---- in C ---------------------------------------------------------------------------------- */

static uint64_t width_mask(unsigned width)
{
    return UINT64_MAX >> (64 - width);
}

static uint64_t deposit_bits(uint64_t source, uint64_t mask)
{
    uint64_t result = 0;
    for (; mask; mask &= mask - 1, source >>= 1)
        result |= source & 1 ? mask & -mask : 0;
    return result;
}

static uint64_t extract_bits(uint64_t source, uint64_t mask)
{
    uint64_t result = 0;
    for (unsigned i = 0; mask; mask &= mask - 1, i++)
        result |= (uint64_t)((source & mask & -mask) != 0) << i;
    return result;
}

/* Bits [start, start + length) of a, both possibly beyond the width. */
static uint64_t bit_field(uint64_t a, unsigned start, unsigned length)
{
    a = start < 64 ? a >> start : 0;
    return length < 64 ? a & ((UINT64_C(1) << length) - 1) : a;
}

/* Z and N of the result beside the carry. */
static uint16_t result_flags(uint64_t result, unsigned width, bool carry)
{
    return (uint16_t)((result ? 0 : IR_FLAG_Z) | (result >> (width - 1) & 1 ? IR_FLAG_N : 0) |
                      (carry ? IR_FLAG_C : 0));
}

/* SDM vol. 2: ANDN, BEXTR, BLSI, BLSMSK, BLSR, BZHI, LZCNT, PDEP, PEXT, POPCNT, TZCNT. */
static uint64_t eval_extension(unsigned row, unsigned width, uint64_t a, uint64_t b,
                               uint16_t *flags)
{
    uint64_t r, mask = width_mask(width);
    switch (row) {
    case IR_ALU_TZCNT:
        r = a ? (unsigned)__builtin_ctzll(a) : width;
        *flags = (uint16_t)((a ? 0 : IR_FLAG_C) | (r ? 0 : IR_FLAG_Z));
        return r;
    case IR_ALU_LZCNT:
        r = a ? (unsigned)__builtin_clzll(a) - (64 - width) : width;
        *flags = (uint16_t)((a ? 0 : IR_FLAG_C) | (r ? 0 : IR_FLAG_Z));
        return r;
    case IR_ALU_POPCNT:
        *flags = a ? 0 : IR_FLAG_Z;
        return (unsigned)__builtin_popcountll(a);
    case IR_ALU_ANDN:
        r = ~a & b;
        *flags = result_flags(r, width, false);
        return r;
    case IR_ALU_BEXTR:
        r = bit_field(a, b & 0xff, b >> 8 & 0xff);
        *flags = r ? 0 : IR_FLAG_Z;
        return r;
    case IR_ALU_BZHI:
        r = bit_field(a, 0, b & 0xff);
        *flags = result_flags(r, width, (b & 0xff) >= width);
        return r;
    case IR_ALU_BLSI:
        r = a & -a;
        *flags = result_flags(r, width, a != 0);
        return r;
    case IR_ALU_BLSR:
        r = a & (a - 1);
        *flags = result_flags(r, width, a == 0);
        return r;
    case IR_ALU_BLSMSK:
        r = (a ^ (a - 1)) & mask;
        *flags = (uint16_t)(result_flags(r, width, a == 0) & ~IR_FLAG_Z);
        return r;
    case IR_ALU_PDEP:
        return deposit_bits(a, b);
    default:
        return extract_bits(a, b);
    }
}

/* ---- by the host's instructions ------------------------------------------------------------ */

#define FLAGS_IN "addb $0x7f, %%al\n\tsahf\n\t"
#define FLAGS_OUT "\n\tlahf\n\tseto %%al"

/* a: destination and first source, rcx: second source or count. */
#define TWO(text)                                                                                  \
    __asm__(FLAGS_IN text FLAGS_OUT : [a] "+r"(a), "+a"(f) : [b] "c"(b) : "cc");                   \
    break
#define WIDTHS_FROM_16(name, row, operands16, operands32, operands64)                              \
    case IR_ALU_##row | 16 << 8:                                                                   \
        TWO(name "w " operands16);                                                                 \
    case IR_ALU_##row | 32 << 8:                                                                   \
        TWO(name "l " operands32);                                                                 \
    case IR_ALU_##row | 64 << 8:                                                                   \
        TWO(name "q " operands64)
#define SHIFT(name, row)                                                                           \
    case IR_ALU_##row | 8 << 8:                                                                    \
        TWO(name "b %%cl, %b[a]");                                                                 \
        WIDTHS_FROM_16(name, row, "%%cl, %w[a]", "%%cl, %k[a]", "%%cl, %q[a]")
#define BINARY(name, row) WIDTHS_FROM_16(name, row, "%w[b], %w[a]", "%k[b], %k[a]", "%q[b], %q[a]")
#define UNARY(name, row) WIDTHS_FROM_16(name, row, "%w[a], %w[a]", "%k[a], %k[a]", "%q[a], %q[a]")
/* The result is in the register of the second argument. */
#define SCAN(name, row)                                                                            \
    case IR_ALU_##row | 16 << 8:                                                                   \
        SCAN_ONE(name "w %w[a], %w[b]");                                                           \
    case IR_ALU_##row | 32 << 8:                                                                   \
        SCAN_ONE(name "l %k[a], %k[b]");                                                           \
    case IR_ALU_##row | 64 << 8:                                                                   \
        SCAN_ONE(name "q %q[a], %q[b]")
#define SCAN_ONE(text)                                                                             \
    __asm__(FLAGS_IN text FLAGS_OUT : [b] "+r"(b), "+a"(f) : [a] "r"(a) : "cc");                   \
    a = b;                                                                                         \
    break
#define THREE(text)                                                                                \
    __asm__(FLAGS_IN text FLAGS_OUT : [a] "+r"(a), "+a"(f) : [b] "r"(b), "c"(c) : "cc");           \
    break
#define DOUBLE_SHIFT(name, row)                                                                    \
    case IR_ALU_##row | 16 << 8:                                                                   \
        THREE(name "w %%cl, %w[b], %w[a]");                                                        \
    case IR_ALU_##row | 32 << 8:                                                                   \
        THREE(name "l %%cl, %k[b], %k[a]");                                                        \
    case IR_ALU_##row | 64 << 8:                                                                   \
        THREE(name "q %%cl, %q[b], %q[a]")
#define VEX2(name, row)                                                                            \
    case IR_ALU_##row | 32 << 8:                                                                   \
        TWO(name "l %k[b], %k[a], %k[a]");                                                         \
    case IR_ALU_##row | 64 << 8:                                                                   \
        TWO(name "q %q[b], %q[a], %q[a]")
#define VEX1(name, row)                                                                            \
    case IR_ALU_##row | 32 << 8:                                                                   \
        TWO(name "l %k[a], %k[a]");                                                                \
    case IR_ALU_##row | 64 << 8:                                                                   \
        TWO(name "q %q[a], %q[a]")

#define IN_PLACE(name, row)                                                                        \
    case IR_ALU_##row | 8 << 8:                                                                    \
        TWO(name "b %b[a]");                                                                       \
        WIDTHS_FROM_16(name, row, "%w[a]", "%k[a]", "%q[a]")

static uint64_t eval_shift(unsigned what, uint64_t a, uint64_t b, uint64_t c, uint64_t f,
                           uint16_t *flags)
{
    switch (what) {
        SHIFT("shl", SHL);
        SHIFT("shr", SHR);
        SHIFT("sar", SAR);
        SHIFT("rol", ROL);
        SHIFT("ror", ROR);
        SHIFT("rcl", RCL);
        SHIFT("rcr", RCR);
        DOUBLE_SHIFT("shld", SHLD);
        DOUBLE_SHIFT("shrd", SHRD);
    default:
        BUG("no ALU row %u of %u bits", what & 0xff, what >> 8);
    }
    *flags = f & IR_FLAG_ALL;
    return a;
}

static uint64_t eval_bits(unsigned what, uint64_t a, uint64_t b, uint64_t f, uint16_t *flags)
{
    switch (what) {
        BINARY("bt", BT);
        BINARY("bts", BTS);
        BINARY("btr", BTR);
        BINARY("btc", BTC);
        SCAN("bsf", BSF);
        SCAN("bsr", BSR);
        UNARY("tzcnt", TZCNT);
        UNARY("lzcnt", LZCNT);
        UNARY("popcnt", POPCNT);
        VEX2("andn", ANDN);
        VEX2("bextr", BEXTR);
        VEX2("bzhi", BZHI);
        VEX1("blsi", BLSI);
        VEX1("blsr", BLSR);
        VEX1("blsmsk", BLSMSK);
        VEX2("pdep", PDEP);
        VEX2("pext", PEXT);
        IN_PLACE("inc", INC);
        IN_PLACE("dec", DEC);
    case IR_ALU_CRC32 | 8 << 8:
        TWO("crc32b %b[b], %k[a]");
    case IR_ALU_CRC32 | 16 << 8:
        TWO("crc32w %w[b], %k[a]");
    case IR_ALU_CRC32 | 32 << 8:
        TWO("crc32l %k[b], %k[a]");
    case IR_ALU_CRC32 | 64 << 8:
        TWO("crc32q %q[b], %q[a]");
    default:
        BUG("no ALU row %u of %u bits", what & 0xff, what >> 8);
    }
    *flags = f & IR_FLAG_ALL;
    return a;
}

/* One operand in rax, the product in rdx:rax. */
#define PRODUCT(text)                                                                              \
    __asm__(FLAGS_IN "movq %[a], %%rax\n\t" text "\n\tmovq %%rax, %[a]" FLAGS_OUT                  \
            : [a] "+r"(a), "+a"(f)                                                                 \
            : [b] "r"(b)                                                                           \
            : "rdx", "cc");                                                                        \
    break
#define MULTIPLY(name, row)                                                                        \
    case IR_ALU_##row | 8 << 8:                                                                    \
        PRODUCT(name "b %b[b]");                                                                   \
    case IR_ALU_##row | 16 << 8:                                                                   \
        PRODUCT(name "w %w[b]");                                                                   \
    case IR_ALU_##row | 32 << 8:                                                                   \
        PRODUCT(name "l %k[b]");                                                                   \
    case IR_ALU_##row | 64 << 8:                                                                   \
        PRODUCT(name "q %q[b]")

static uint64_t eval_product(unsigned what, uint64_t a, uint64_t b, uint64_t f, uint16_t *flags)
{
    switch (what) {
        MULTIPLY("imul", IMUL);
        MULTIPLY("mul", MUL);
    default:
        BUG("no ALU row %u of %u bits", what & 0xff, what >> 8);
    }
    *flags = f & IR_FLAG_ALL;
    return a;
}

static uint64_t eval_high(unsigned row, unsigned width, uint64_t a, uint64_t b)
{
    if (row == IR_ALU_MULH)
        return (uint64_t)((unsigned __int128)a * b >> width);
    return (uint64_t)((__int128)sextract64(a, 0, width) * sextract64(b, 0, width) >> width);
}

uint64_t ir_alu_eval(unsigned row, unsigned width, uint64_t a, uint64_t b, uint64_t c,
                     uint16_t *flags)
{
    uint64_t mask = width_mask(width), f = *flags, result;
    unsigned what = row | width << 8;
    bool counts = row <= IR_ALU_RCR;
    if (row != IR_ALU_CRC32)
        a &= mask;
    if (!counts)
        b &= mask;
    switch (row) {
    case IR_ALU_IMUL:
    case IR_ALU_MUL:
        result = eval_product(what, a, b, f, flags);
        break;
    case IR_ALU_IMULH:
    case IR_ALU_MULH:
        return eval_high(row, width, a, b) & mask;
    case IR_ALU_CRC32:
        return (uint32_t)eval_bits(what, a, b, f, flags);
    default:
        if (counts || row == IR_ALU_SHLD || row == IR_ALU_SHRD)
            result = eval_shift(what, a, b, c, f, flags);
        else if (ir_alu_on_host(row))
            result = eval_bits(what, a, b, f, flags);
        else
            result = eval_extension(row, width, a, b, flags);
        break;
    }
    return result & mask;
}
