/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random ARM instructions and the page around them; see arm_random.h and arm_page.h. */
#include "tests/insn/arm_random.h"

#include <string.h>

#include "tests/insn/arm_engine.h"
#include "util/bits.h"

enum { SLOT_OFFSET = 0x80, EPILOGUE_OFFSET = SLOT_OFFSET + 4 * SLOT_WORDS };
enum { A32_NOP = 0xe1a00000, T16_NOP = 0x46c0, T16_BX_PC = 0x4778 };

bool row_is_thumb(const struct insn_desc *row)
{
    return row->table[0] == 't';
}

bool arm_is_branch(const struct insn_desc *row)
{
    static const char *const names[] = {"B", "BL", "BLX", "BX", "BXJ", "CBZ", "CBNZ", "TBB", "TBH"};
    size_t length = strcspn(row->name, "_");

    if (!(row->annotations & INSN_BRANCH))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (strlen(names[i]) == length && !strncmp(names[i], row->name, length))
            return true;
    return false;
}

/* Which 4-bit fields hold a register number depends on the row; these places cover nearly all. */
static bool looks_wild(uint32_t insn, const struct insn_desc *row)
{
    static const uint8_t starts[] = {0, 8, 12, 16};

    if (row->length == 2)
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(starts); i++)
        if (extract32(insn, starts[i], 4) == 15 && extract32(row->fixed_mask, starts[i], 4) != 15)
            return true;
    return false;
}

/* A row nested in this one has it: T16's hints lie within IT, with a mask of 0. */
static bool is_of_nested_row(uint32_t insn, const struct insn_desc *row)
{
    const struct insn_desc *const *table = arm_insn_tables();

    while (*table && strcmp((*table)->table, row->table))
        table++;
    for (const struct insn_desc *other = *table; other && other->name; other++)
        if ((insn & other->fixed_mask) == other->fixed_bits && other->length == row->length &&
            (other->fixed_mask & row->fixed_mask) == row->fixed_mask &&
            other->fixed_mask != row->fixed_mask)
            return true;
    return false;
}

uint32_t random_instance(struct random *r, const struct insn_desc *row, bool tame)
{
    bool conditional = !strcmp(row->table, "a32") || !strcmp(row->table, "vfp");
    uint32_t insn = 0;

    for (int attempt = 0; attempt < 64; attempt++) {
        insn = (random_u32(r) & ~row->fixed_mask) | row->fixed_bits;
        if (conditional && !(row->fixed_mask >> 28)) {
            uint32_t condition = random_below(r, 4) ? 14 : random_below(r, 15);
            insn = deposit32(insn, 28, 4, condition);
        }
        if (!(tame && looks_wild(insn, row)) && !is_of_nested_row(insn, row))
            break;
    }
    return insn;
}

static uint32_t random_word(struct random *r)
{
    static const uint32_t edges[] = {0,          1,          2,          0x7f,      0x80,
                                     0xff,       0x7fff,     0x8000,     0xffff,    0x7fffffff,
                                     0x80000000, 0x80000001, 0xffffffff, 0xfffffffe};

    switch (random_below(r, 4)) {
    case 0:
        return edges[random_below(r, ARRAY_SIZE(edges))];
    case 1:
        return random_below(r, 64);
    default:
        return random_u32(r);
    }
}

static uint32_t random_pointer(struct random *r)
{
    uint32_t offset = random_below(r, 0x400);

    return DATA_BASE + DATA_BYTES / 2 + (random_below(r, 4) ? offset & ~7u : offset);
}

static uint32_t random_f32(struct random *r)
{
    static const uint32_t special[] = {0x00000000, 0x80000000, 0x3f800000, 0xbf800000, 0x7f800000,
                                       0xff800000, 0x7fc00000, 0xffc12345, 0x7fa00000, 0x00000001,
                                       0x80000001, 0x007fffff, 0x00800000, 0x807fffff, 0x7f7fffff,
                                       0x3f000000, 0x4f000000, 0x4effffff, 0xcf000000, 0x4f800000,
                                       0x5f000000, 0x33800000, 0x38000000, 0x477fe000};

    switch (random_below(r, 4)) {
    case 0:
        return special[random_below(r, ARRAY_SIZE(special))];
    case 1: /* near 1: sums and products stay in range */
        return (random_u32(r) & 0x807fffff) | (uint32_t)(120 + random_below(r, 16)) << 23;
    case 2:
        return (random_u32(r) & 0x80ffffff); /* tiny */
    default:
        return random_u32(r);
    }
}

static uint64_t random_f64(struct random *r)
{
    static const uint64_t special[] = {0,
                                       UINT64_C(0x8000000000000000),
                                       UINT64_C(0x3ff0000000000000),
                                       UINT64_C(0x7ff0000000000000),
                                       UINT64_C(0xfff0000000000000),
                                       UINT64_C(0x7ff8000000000000),
                                       UINT64_C(0x7ff4000000000001),
                                       1,
                                       UINT64_C(0x000fffffffffffff),
                                       UINT64_C(0x0010000000000000),
                                       UINT64_C(0x7fefffffffffffff),
                                       UINT64_C(0x41e0000000000000),
                                       UINT64_C(0x41dfffffffc00000),
                                       UINT64_C(0xc1e0000000000000),
                                       UINT64_C(0x3fe0000000000000),
                                       UINT64_C(0x47efffffe0000000),
                                       UINT64_C(0x3810000000000000),
                                       UINT64_C(0x380fffffffffffff)};

    switch (random_below(r, 4)) {
    case 0:
        return special[random_below(r, ARRAY_SIZE(special))];
    case 1:
        return (random_u64(r) & UINT64_C(0x800fffffffffffff)) |
               (uint64_t)(1015 + random_below(r, 16)) << 52;
    case 2:
        return random_u64(r) & UINT64_C(0x801fffffffffffff);
    default:
        return random_u64(r);
    }
}

void random_registers(struct random *r, struct arm_registers *out, bool memory)
{
    memset(out, 0, sizeof(*out));
    for (int i = 0; i < 15; i++) {
        if (!memory)
            out->r[i] = random_word(r);
        else if (random_below(r, 3))
            out->r[i] = random_pointer(r);
        else
            out->r[i] = random_below(r, 2) ? random_below(r, 16) * 4 : random_below(r, 64);
    }
    uint32_t kind = random_below(r, 3);
    for (int i = 0; i < 32; i++) {
        if (kind == 0)
            out->d[i] = random_f32(r) | (uint64_t)random_f32(r) << 32;
        else if (kind == 1)
            out->d[i] = random_f64(r);
        else
            out->d[i] = random_word(r) | (uint64_t)random_word(r) << 32;
    }
    out->apsr = random_u32(r) & 0xf80f0000;
    out->fpscr = random_u32(r) & 0xf800009f;
    if (!random_below(r, 2))
        out->fpscr |= random_u32(r) & 0x07c00000; /* AHP, DN, FZ, RMode */
}

/* ---- the page -------------------------------------------------------------------------------- */

static uint32_t a32_movw(unsigned rd, uint32_t value)
{
    return 0xe3000000 | rd << 12 | (value & 0xf000) << 4 | (value & 0xfff);
}

static uint32_t a32_movt(unsigned rd, uint32_t value)
{
    return 0xe3400000 | rd << 12 | (value >> 12 & 0xf0000) | (value >> 16 & 0xfff);
}

static void put_prologue(uint32_t *page, bool thumb)
{
    const uint32_t code[] = {
        a32_movw(0, CODE_BASE + IN_OFFSET),
        a32_movt(0, CODE_BASE + IN_OFFSET),
        0xecb00b20, /* vldmia r0!, {d0-d15} */
        0xecf00b20, /* vldmia r0!, {d16-d31} */
        0xe590103c, /* ldr r1, [r0, #60] */
        0xe12cf001, /* msr APSR_nzcvqg, r1 */
        0xe5901040, /* ldr r1, [r0, #64] */
        0xeee11a10, /* vmsr fpscr, r1 */
        0xe590d034, /* ldr sp, [r0, #52] */
        0xe590e038, /* ldr lr, [r0, #56] */
        0xe8901fff, /* ldm r0, {r0-r12} */
    };
    unsigned i = 0;

    for (; i < ARRAY_SIZE(code); i++)
        page[i] = code[i];
    for (; i < SLOT_OFFSET / 4; i++)
        page[i] = A32_NOP;
    if (thumb) {
        page[SLOT_OFFSET / 4 - 2] = 0xe51ff004; /* ldr pc, [pc, #-4] */
        page[SLOT_OFFSET / 4 - 1] = CODE_BASE + SLOT_OFFSET + 1;
    }
}

static void put_epilogue(uint32_t *page)
{
    uint32_t table = CODE_BASE + OUT_OFFSET + 32 * 8;
    unsigned i = EPILOGUE_OFFSET / 4;

    page[i] = 0xe58f0000 | (OUT_OFFSET + 32 * 8 - (i * 4 + 8)); /* str r0, [pc, #...] */
    page[++i] = a32_movw(0, table);
    page[++i] = a32_movt(0, table);
    for (unsigned n = 1; n < 15; n++)
        page[++i] = 0xe5800000 | n << 12 | n * 4; /* str rn, [r0, #4n] */
    page[++i] = 0xe10f1000;                       /* mrs r1, apsr */
    page[++i] = 0xe580103c;
    page[++i] = 0xeef11a10; /* vmrs r1, fpscr */
    page[++i] = 0xe5801040;
    page[++i] = 0xe2400c01; /* sub r0, r0, #256 */
    page[++i] = 0xeca00b20; /* vstmia r0!, {d0-d15} */
    page[++i] = 0xece00b20; /* vstmia r0!, {d16-d31} */
    i++;
    page[i] = 0xe59ff000 | (END_OFFSET - (i * 4 + 8)); /* ldr pc, [pc, #...] */
}

static void put_halfword(uint32_t *page, unsigned offset, uint16_t halfword)
{
    memcpy((char *)page + offset, &halfword, sizeof(halfword));
}

void page_build(uint32_t page[CODE_BYTES / 4], const struct arm_registers *before, bool thumb,
                const struct test_insn *insns, unsigned count)
{
    unsigned offset = SLOT_OFFSET;

    memset(page, 0, CODE_BYTES);
    put_prologue(page, thumb);
    put_epilogue(page);
    memcpy((char *)page + IN_OFFSET, before, sizeof(*before));
    for (unsigned n = 0; n < count; n++) {
        if (thumb && insns[n].length == 4) {
            put_halfword(page, offset, (uint16_t)(insns[n].bits >> 16));
            offset += 2;
        }
        if (thumb) {
            put_halfword(page, offset, (uint16_t)insns[n].bits);
            offset += 2;
        } else {
            page[offset / 4] = insns[n].bits;
            offset += 4;
        }
    }
    while (offset < EPILOGUE_OFFSET) {
        if (!thumb) {
            page[offset / 4] = A32_NOP;
            offset += 4;
        } else {
            put_halfword(page, offset, offset == EPILOGUE_OFFSET - 4 ? T16_BX_PC : T16_NOP);
            offset += 2;
        }
    }
}
