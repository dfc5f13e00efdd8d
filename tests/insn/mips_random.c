/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tests/insn/mips_random.h"

#include <stdio.h>
#include <string.h>

#include "util/bits.h"

/* ---- instructions ---------------------------------------------------------------------------- */

bool mips_row_is_plain(const struct insn_desc *row)
{
    return !(row->annotations & (INSN_SYSTEM | INSN_BRANCH | INSN_NOTEST));
}

bool mips_row_is_mips16(const struct insn_desc *row)
{
    return !strncmp(row->table, "mips16", 6);
}

/* Is the feature among the row's? */
static bool has_feature(const struct insn_desc *row, const char *feature)
{
    size_t length = strlen(feature);

    for (const char *at = row->features; at && (at = strstr(at, feature)); at += length)
        if ((at == row->features || at[-1] == ' ') && (!at[length] || at[length] == ' '))
            return true;
    return false;
}

bool mips_row_is_of(const struct mips_kind *kind, const struct insn_desc *row)
{
    if (mips_row_is_mips16(row))
        return kind->mips16 && (!kind->peer || !has_feature(row, "m64"));
    if (has_feature(row, "mips3d") && strcmp(kind->model, "MIPS64R2-generic") != 0)
        return false;
    if (!kind->peer || (has_feature(row, "r6") && kind->hilo))
        return false;
    if (!strcmp(row->table, "dsp") && !kind->dsp)
        return false;
    return !(has_feature(row, "lsa") && kind->hilo && !kind->msa);
}

/* The extended immediate's bits 15:11 and 4:0; of SAVE and RESTORE it is something else. */
static uint32_t near_and_aligned(struct random *r, const struct insn_desc *row, uint32_t insn)
{
    if (!(row->annotations & INSN_MEM) || strlen(row->name) > 5 || !random_below(r, 16))
        return insn;
    return insn & ~UINT32_C(0x001f0000) & (random_below(r, 4) ? ~UINT32_C(7) : UINT32_MAX);
}

static uint32_t random_instance_of(struct random *r, const struct insn_desc *row)
{
    enum { NOP16 = 0x6500 };
    uint32_t insn = (random_u32(r) & ~row->fixed_mask) | row->fixed_bits;

    if (row->length == 2)
        return insn << 16 | NOP16;
    if (mips_row_is_mips16(row))
        return near_and_aligned(r, row, insn);

    /* Displacements that stay in the data area, mostly aligned. */
    if (row->annotations & INSN_MEM && !(row->fixed_mask & 0xffff) && random_below(r, 16))
        insn = (insn & 0xffff0000) | (random_below(r, 0x800) & (random_below(r, 4) ? ~7u : ~0u));
    return insn;
}

/* ---- registers ------------------------------------------------------------------------------- */

static uint64_t random_integer(struct random *r)
{
    static const uint64_t edges[] = {0,
                                     1,
                                     2,
                                     0x7f,
                                     0x80,
                                     0xff,
                                     0x7fff,
                                     0x8000,
                                     0xffff,
                                     0x7fffffff,
                                     UINT64_C(0x80000000),
                                     0xffffffff,
                                     UINT64_MAX,
                                     INT64_MAX,
                                     UINT64_C(0x8000000000000000),
                                     UINT64_C(0x7fff7fff7fff7fff),
                                     UINT64_C(0x8000800080008000)};

    switch (random_below(r, 4)) {
    case 0:
        return edges[random_below(r, ARRAY_SIZE(edges))];
    case 1:
        return random_below(r, 64);
    default:
        return random_u64(r);
    }
}

static uint32_t random_float(struct random *r)
{
    static const uint32_t edges[] = {0,          0x80000000, 0x3f800000, 0xbf800000, 0x7f800000,
                                     0xff800000, 0x7fc00000, 0x7fbfffff, 0x7f800001, 0xffc12345,
                                     0x00800000, 0x00000001, 0x807fffff, 0x7f7fffff, 0x4f000000,
                                     0xcf000000, 0x5f000000, 0x3f000000, 0x40490fdb};

    if (random_below(r, 2))
        return edges[random_below(r, ARRAY_SIZE(edges))];
    if (random_below(r, 2)) /* of moderate size */
        return (random_u32(r) & 0x807fffff) | (127 - 20 + random_below(r, 40)) << 23;
    return random_u32(r);
}

static uint64_t random_double(struct random *r)
{
    static const uint64_t edges[] = {
        0,
        UINT64_C(0x8000000000000000),
        UINT64_C(0x3ff0000000000000),
        UINT64_C(0x7ff0000000000000),
        UINT64_C(0xfff0000000000000),
        UINT64_C(0x7ff8000000000000),
        UINT64_C(0x7ff7ffffffffffff),
        UINT64_C(0x7ff0000000000001),
        UINT64_C(0x0010000000000000),
        UINT64_C(0x0000000000000001),
        UINT64_C(0x7fefffffffffffff),
        UINT64_C(0x41e0000000000000),
        UINT64_C(0xc1e0000000000000),
        UINT64_C(0x43e0000000000000),
        UINT64_C(0x3fe0000000000000),
    };

    if (random_below(r, 2))
        return edges[random_below(r, ARRAY_SIZE(edges))];
    if (random_below(r, 2))
        return (random_u64(r) & UINT64_C(0x800fffffffffffff)) |
               (uint64_t)(1023 - 40 + random_below(r, 80)) << 52;
    return random_u64(r);
}

static uint64_t random_fpr(struct random *r)
{
    switch (random_below(r, 3)) {
    case 0:
        return random_double(r);
    case 1:
        return random_float(r) | (uint64_t)random_float(r) << 32;
    default:
        return random_integer(r);
    }
}

/* In a 64-bit guest 32-bit instructions want words that are sign-extended; the others get more. */
static uint64_t random_register(struct random *r, const struct mips_kind *kind, bool memory,
                                bool doublewords)
{
    bool wide = kind->guest[4] == '6';
    uint64_t value;

    if (memory && random_below(r, 8))
        return random_below(r, 3) ? MIPS_DATA + 0x800 + random_below(r, 0x300) * 8
                                  : random_below(r, 0x80) * 8;
    value = random_integer(r);
    if (!wide)
        return (uint32_t)value;
    return doublewords && random_below(r, 2) ? value : (uint64_t)(int64_t)(int32_t)value;
}

static void random_registers_of(struct random *r, const struct mips_kind *kind, bool memory,
                                bool doublewords, struct mips_registers *out)
{
    memset(out, 0, sizeof(*out));
    for (unsigned n = 1; n < 32; n++)
        if (n != K0 && n != K1)
            out->gpr[n] = random_register(r, kind, memory, doublewords);
    for (unsigned n = 0; n < 4 && kind->hilo && (!n || kind->dsp); n++) {
        out->hi[n] = random_register(r, kind, false, false);
        out->lo[n] = random_register(r, kind, false, false);
    }
    for (unsigned n = 0; n < 32; n += kind->fr ? 1 : 2) {
        out->w[n][0] = random_fpr(r);
        if (kind->msa)
            out->w[n][1] = random_fpr(r);
    }
    if (kind->dsp) /* pos, scount, c, efi, ouflag, ccond */
        out->dspcontrol = random_u32(r) & 0x0fff7fbf & ~0x6000u;
    out->fcsr = random_below(r, 4) | (random_below(r, 2) ? random_u32(r) & 0xfe800000u : 0);
    out->fcsr &= ~(uint64_t)0x01000000;
}

void mips_random_case(struct random *r, const struct mips_kind *kind,
                      const struct insn_desc *const *rows, unsigned count, struct mips_case *out)
{
    bool memory = false, doublewords = true, is_mips16 = mips_row_is_mips16(rows[0]);

    memset(out, 0, sizeof(*out));
    for (unsigned i = 0; i < count; i++) {
        memory |= rows[i]->annotations & INSN_MEM;
        doublewords &= rows[i]->features && strstr(rows[i]->features, "m64");
    }
    random_registers_of(r, kind, memory, doublewords, &out->before);
    out->before.gpr[K1] = MIPS_CODE | (is_mips16 ? 1 : 0);
    out->data_seed = random_u32(r);
    for (unsigned i = 0; i < MIPS_MAX_INSNS && is_mips16; i++)
        out->insns[i] = 0x65006500;
    for (unsigned i = 0; i < count; i++)
        out->insns[i] = random_instance_of(r, rows[i]);
}

/* ---- results --------------------------------------------------------------------------------- */

static const char *const outcome_name[] = {"done", "reserved", "memory fault", "trapped", "other"};

static const char *difference(const char *what, unsigned n, uint64_t ours, uint64_t theirs)
{
    static char text[160];

    snprintf(text, sizeof(text), "%s%u: ours %016llx, theirs %016llx", what, n,
             (unsigned long long)ours, (unsigned long long)theirs);
    return text;
}

const char *mips_difference(const struct mips_kind *kind, const struct mips_result *ours,
                            const struct mips_result *theirs)
{
    static char text[160];
    const struct mips_registers *a = &ours->after, *b = &theirs->after;

    if (ours->outcome != theirs->outcome) {
        snprintf(text, sizeof(text), "ours: %s, theirs: %s",
                 outcome_name[ours->outcome % ARRAY_SIZE(outcome_name)],
                 outcome_name[theirs->outcome % ARRAY_SIZE(outcome_name)]);
        return text;
    }
    if (ours->data_hash != theirs->data_hash)
        return "the data area";
    if (ours->outcome != MIPS_DONE)
        return NULL;
    for (unsigned n = 1; n < 32; n++)
        if (n != K0 && n != K1 && a->gpr[n] != b->gpr[n])
            return difference("$", n, a->gpr[n], b->gpr[n]);
    for (unsigned n = 0; n < 4; n++) {
        if (a->hi[n] != b->hi[n])
            return difference("hi", n, a->hi[n], b->hi[n]);
        if (a->lo[n] != b->lo[n])
            return difference("lo", n, a->lo[n], b->lo[n]);
    }
    for (unsigned n = 0; n < 32; n++) {
        if (a->w[n][0] != b->w[n][0])
            return difference("f", n, a->w[n][0], b->w[n][0]);
        if (a->w[n][1] != b->w[n][1])
            return difference("w (high half) ", n, a->w[n][1], b->w[n][1]);
    }
    if (a->dspcontrol != b->dspcontrol)
        return difference("dspcontrol", 0, a->dspcontrol, b->dspcontrol);
    if (a->fcsr != b->fcsr)
        return difference("fcsr", 31, a->fcsr, b->fcsr);
    if (a->msacsr != b->msacsr)
        return difference("msacsr", 1, a->msacsr, b->msacsr);
    return NULL;
}
