/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Advanced SIMD element and structure loads and stores (ARM ARM A7.7): one PROBE for the whole
 * access, then vectors are moved to and from memory order by byte shuffles. In the big-endian mode
 * the shuffle reverses the bytes of each element.
 */
#include "frontend/arm/neon_translate.h"

#include "build/gen/neon.inc"

/* ---- byte shuffles ------------------------------------------------------------------------------
 */

/* The mask that takes this source's bytes into place; false: there are none. */
static bool make_mask(const uint8_t map[16], unsigned source, uint8_t mask[16], bool *identity)
{
    bool any = false;
    *identity = true;
    for (unsigned i = 0; i < 16; i++) {
        bool here = map[i] != NEON_NO_BYTE && map[i] >> 4 == source;
        mask[i] = here ? map[i] & 15 : 0x80;
        any |= here;
        if (map[i] != NEON_NO_BYTE && mask[i] != i)
            *identity = false;
    }
    return any;
}

ir_ref neon_gather(struct xlat *x, const ir_ref *sources, unsigned n_sources, const uint8_t map[16])
{
    ir_ref result = IR_NONE;
    for (unsigned i = 0; i < n_sources; i++) {
        uint8_t mask[16];
        bool identity;
        if (!make_mask(map, i, mask, &identity))
            continue;
        if (identity)
            return sources[i];
        ir_ref part = ir_bin(&x->b, IR_VSHUFFLE, sources[i],
                             ir_v128(&x->b, load_le64(mask), load_le64(mask + 8)));
        result = result ? ir_bin(&x->b, IR_VOR, result, part) : part;
    }
    return result ? result : ir_v128(&x->b, 0, 0);
}

/* ---- multiple structures --------------------------------------------------------------------- */

enum { MAX_REGISTERS = 4 };

/* How the bytes of up to four D registers lie in memory. */
struct layout {
    unsigned n; /* registers */
    unsigned d[MAX_REGISTERS];
    uint8_t memory[MAX_REGISTERS][8]; /* offset of each register's byte */
};

/* type -> structure size, registers per structure element, spacing (A8.8.320 and others) */
struct multi_type {
    uint8_t structure, repeat, spacing; /* structure 0: UNDEFINED */
};

static const struct multi_type multi_types[16] = {
    [0x0] = {4, 1, 1}, [0x1] = {4, 1, 2}, [0x2] = {1, 4, 1}, [0x3] = {2, 2, 2},
    [0x4] = {3, 1, 1}, [0x5] = {3, 1, 2}, [0x6] = {1, 3, 1}, [0x7] = {1, 1, 1},
    [0x8] = {2, 1, 1}, [0x9] = {2, 1, 2}, [0xa] = {1, 2, 1},
};

/* Structures of `structure` elements lie one after the other; element k of each belongs to the
 * k-th register of a set, sets (`repeat` of them) follow each other in memory. */
static void make_layout(struct layout *layout, const struct multi_type *type, unsigned first,
                        unsigned size, bool swap)
{
    unsigned elements = 8 / size;
    layout->n = 0;
    for (unsigned set = 0; set < type->repeat; set++)
        for (unsigned k = 0; k < type->structure; k++) {
            unsigned number = layout->n++;
            layout->d[number] = first + set + k * type->spacing;
            for (unsigned i = 0; i < 8; i++) {
                unsigned element =
                    set * elements * type->structure + i / size * type->structure + k;
                unsigned byte = swap ? size - 1 - i % size : i % size;
                layout->memory[number][i] = (uint8_t)(element * size + byte);
            }
        }
}

/* Vectors of memory's bytes, the last one perhaps half. Plain bytes: the shuffle does the order. */
static unsigned load_raw(struct xlat *x, ir_ref pointer, unsigned bytes, unsigned memop,
                         ir_ref vectors[2])
{
    unsigned n = 0;
    memop &= ~(unsigned)(IR_MEM_SWAP | IR_MEM_SIGN);
    for (unsigned at = 0; at < bytes; at += 16, n++) {
        if (bytes - at >= 16)
            vectors[n] = ir_hload(&x->b, IR_V128, pointer, at, simd_resize(memop, 4));
        else
            vectors[n] = simd_bitcast(x, IR_V128,
                                      ir_hload(&x->b, IR_I64, pointer, at, simd_resize(memop, 3)));
    }
    return n;
}

/* Two registers at a time: they are often the halves of a Q register. */
static void load_registers(struct xlat *x, const struct layout *layout, const ir_ref *vectors,
                           unsigned n_vectors)
{
    ir_ref values[2];
    for (unsigned i = 0; i < layout->n; i += 2) {
        uint8_t map[16];
        bool pair = i + 1 < layout->n;
        memcpy(map, layout->memory[i], 8);
        if (pair)
            memcpy(map + 8, layout->memory[i + 1], 8);
        else
            memset(map + 8, NEON_NO_BYTE, 8);
        values[i / 2] = neon_gather(x, vectors, n_vectors, map);
    }
    for (unsigned i = 0; i < layout->n; i += 2) {
        unsigned d = layout->d[i];
        if (i + 1 == layout->n) {
            simd_set_d(x, d, values[i / 2]);
        } else if (!(d & 1) && layout->d[i + 1] == d + 1) {
            simd_set(x, 1, d, values[i / 2]);
        } else {
            simd_set_d(x, d, values[i / 2]);
            simd_set_d(x, layout->d[i + 1], ir_un(&x->b, IR_VHIGH, values[i / 2]));
        }
    }
}

static ir_ref register_pair(struct xlat *x, const struct layout *layout, unsigned i)
{
    unsigned d = layout->d[i];
    if (i + 1 == layout->n)
        return simd_get_d(x, d);
    if (!(d & 1) && layout->d[i + 1] == d + 1)
        return simd_get(x, 1, d);
    return ir_bin(&x->b, IR_VCONCAT, simd_get_d(x, d), simd_get_d(x, layout->d[i + 1]));
}

static void store_registers(struct xlat *x, const struct layout *layout, ir_ref pointer,
                            unsigned memop)
{
    ir_ref sources[2];
    uint8_t map[32];
    unsigned bytes = layout->n * 8;
    memset(map, NEON_NO_BYTE, sizeof(map));
    for (unsigned i = 0; i < layout->n; i++)
        for (unsigned k = 0; k < 8; k++)
            map[layout->memory[i][k]] = (uint8_t)(i * 8 + k);
    for (unsigned i = 0; i < layout->n; i += 2)
        sources[i / 2] = register_pair(x, layout, i);
    memop &= ~(unsigned)IR_MEM_SWAP;
    for (unsigned at = 0; at < bytes; at += 16) {
        ir_ref value = neon_gather(x, sources, (layout->n + 1) / 2, map + at);
        if (bytes - at >= 16)
            ir_hstore(&x->b, pointer, at, value, simd_resize(memop, 4));
        else
            ir_hstore(&x->b, pointer, at, simd_lane(x, value, IR_LANE64, 0), simd_resize(memop, 3));
    }
}

/* Post-indexing: Rm 15 none, 13 by the bytes transferred, else by Rm. */
static void write_back(struct xlat *x, int rn, int rm, ir_ref base, ir_ref index, unsigned bytes)
{
    if (rm == 15)
        return;
    if (rm == 13)
        arm_set_reg(x, (unsigned)rn, ir_bin_i(&x->b, IR_ADD, base, bytes));
    else
        arm_set_reg(x, (unsigned)rn, ir_bin(&x->b, IR_ADD, base, index));
}

static ir_ref index_register(struct xlat *x, int rm)
{
    return rm == 15 || rm == 13 ? IR_NONE : arm_get_reg(x, (unsigned)rm);
}

static bool multi_is_undefined(const struct arg_neon_multi *a, const struct multi_type *type)
{
    unsigned align = (unsigned)a->align;
    switch (type->structure) {
    case 0:
        return true;
    case 1:
        return (type->repeat == 2 && align == 3) || ((type->repeat & 1) && (align & 2));
    case 2:
        return a->size == 3 || (type->repeat == 1 && align == 3);
    case 3:
        return a->size == 3 || (align & 2);
    default:
        return a->size == 3;
    }
}

/* VLD1 to VLD4, VST1 to VST4 (multiple elements or structures): A8.8.320, .323, .326, .329, .404,
 * .406, .408, .410 */
bool trans_VLD_multi(struct xlat *x, const struct arg_neon_multi *a)
{
    const struct multi_type *type = &multi_types[a->type];
    unsigned last = (unsigned)a->d + (type->repeat - 1u) + (type->structure - 1u) * type->spacing;
    if (!neon_enabled(x) || multi_is_undefined(a, type) || last > 31 || a->rn == 15)
        return arm_undefined(x);
    struct layout layout;
    unsigned memop = simd_memop(x, (unsigned)a->size, a->align ? (unsigned)a->align + 2 : 0);
    make_layout(&layout, type, (unsigned)a->d, 1u << a->size, memop & IR_MEM_SWAP);
    unsigned bytes = layout.n * 8;
    ir_ref base = arm_get_reg(x, (unsigned)a->rn), index = index_register(x, a->rm);
    if (a->l) {
        ir_ref vectors[2], pointer = ir_probe(&x->b, base, 0, bytes, memop);
        unsigned n = load_raw(x, pointer, bytes, memop, vectors);
        load_registers(x, &layout, vectors, n);
    } else {
        memop |= IR_MEM_WRITE;
        ir_ref pointer = ir_probe(&x->b, base, 0, bytes, memop);
        store_registers(x, &layout, pointer, memop);
        ir_commit(&x->b, pointer, base, 0, bytes, memop);
    }
    write_back(x, a->rn, a->rm, base, index, bytes);
    return true;
}

/* ---- one lane, all lanes --------------------------------------------------------------------- */

/* One structure of n elements of 1 << size bytes. */
struct single {
    unsigned n, size, index, spacing, align_log2;
};

/* index_align of VLD1..VLD4 (single element or structure to one lane): A8.8.321, .324, .327, .330;
 * false: UNDEFINED */
static bool decode_single(const struct arg_neon_lane *a, struct single *s)
{
    unsigned field = (unsigned)a->index, size = (unsigned)a->size, n = (unsigned)a->n + 1;
    unsigned low = field & ((1u << size) - 1u) & 3u; /* below the spacing and index bits */
    bool spaced = size && (field & (1u << size));
    s->n = n;
    s->size = size;
    s->index = field >> (size + 1);
    s->spacing = spaced ? 2 : 1;
    s->align_log2 = 0;
    if (size == 0)
        low = field & 1;
    switch (n) {
    case 1:
        if (spaced || (size == 0 && low))
            return false;
        if (size == 2 && low != 0 && low != 3)
            return false;
        s->align_log2 = size && low ? size : 0;
        return true;
    case 2:
        if (low & 2)
            return false;
        s->align_log2 = low ? size + 1 : 0;
        return true;
    case 3:
        return low == 0;
    default:
        if (size == 2 && low == 3)
            return false;
        s->align_log2 = !low ? 0 : size == 2 ? 2 + low : size + 2;
        return true;
    }
}

static ir_ref load_element(struct xlat *x, const struct single *s, ir_ref base, ir_ref pointer,
                           unsigned k, unsigned memop)
{
    if (s->n == 1)
        return ir_load(&x->b, IR_I32, base, 0, memop);
    return ir_hload(&x->b, IR_I32, pointer, (int64_t)k << s->size, memop);
}

/* VLD1..4, VST1..4 (single element or structure to or from one lane) */
bool trans_VLD_lane(struct xlat *x, const struct arg_neon_lane *a)
{
    struct single s;
    if (a->size == 3 || !neon_enabled(x) || !decode_single(a, &s) || a->rn == 15 ||
        (unsigned)a->d + (s.n - 1) * s.spacing > 31)
        return arm_undefined(x);
    unsigned memop = simd_memop(x, s.size, s.align_log2), bytes = s.n << s.size;
    enum ir_lane lane = (enum ir_lane)s.size;
    ir_ref base = arm_get_reg(x, (unsigned)a->rn), index = index_register(x, a->rm);
    ir_ref pointer = IR_NONE, values[4];
    if (s.n > 1)
        pointer = ir_probe(&x->b, base, 0, bytes, memop | (a->l ? 0 : IR_MEM_WRITE));
    for (unsigned k = 0; k < s.n; k++) {
        unsigned d = (unsigned)a->d + k * s.spacing;
        if (a->l) {
            ir_ref element = load_element(x, &s, base, pointer, k, memop);
            values[k] = simd_set_lane(x, simd_get_d(x, d), lane, s.index, element);
            continue;
        }
        ir_ref element = simd_lane(x, simd_get_d(x, d), lane, s.index);
        if (s.n == 1)
            ir_store(&x->b, base, 0, element, memop);
        else
            ir_hstore(&x->b, pointer, (int64_t)k << s.size, element, memop);
    }
    if (!a->l && s.n > 1)
        ir_commit(&x->b, pointer, base, 0, bytes, memop | IR_MEM_WRITE);
    for (unsigned k = 0; a->l && k < s.n; k++)
        simd_set_d(x, (unsigned)a->d + k * s.spacing, values[k]);
    write_back(x, a->rn, a->rm, base, index, bytes);
    return true;
}

/* size, a -> element size and alignment (A8.8.322, .325, .328, .331); false: UNDEFINED */
static bool decode_all(const struct arg_neon_all *a, struct single *s)
{
    unsigned size = (unsigned)a->size;
    s->n = (unsigned)a->n + 1;
    s->size = size;
    s->spacing = a->t ? 2 : 1;
    s->align_log2 = 0;
    switch (s->n) {
    case 1:
        if (size == 3 || (size == 0 && a->a))
            return false;
        s->align_log2 = a->a ? size : 0;
        return true;
    case 2:
        s->align_log2 = a->a ? size + 1 : 0;
        return size != 3;
    case 3:
        return size != 3 && !a->a;
    default:
        if (size == 3) {
            s->size = 2;
            s->align_log2 = 4;
            return a->a;
        }
        s->align_log2 = !a->a ? 0 : size == 2 ? 3 : size + 2;
        return true;
    }
}

/* VLD1..4 (single element or structure to all lanes); of VLD1, T says that there are two
 * registers. */
bool trans_VLD_all(struct xlat *x, const struct arg_neon_all *a)
{
    struct single s;
    unsigned d = (unsigned)a->d;
    if (!neon_enabled(x) || !decode_all(a, &s) || a->rn == 15)
        return arm_undefined(x);
    unsigned last = s.n == 1 ? d + (unsigned)a->t : d + (s.n - 1) * s.spacing;
    if (last > 31)
        return arm_undefined(x);
    unsigned memop = simd_memop(x, s.size, s.align_log2), bytes = s.n << s.size;
    ir_ref base = arm_get_reg(x, (unsigned)a->rn), index = index_register(x, a->rm);
    ir_ref pointer = IR_NONE, values[4];
    if (s.n > 1)
        pointer = ir_probe(&x->b, base, 0, bytes, memop);
    for (unsigned k = 0; k < s.n; k++)
        values[k] = simd_dup(x, (enum ir_lane)s.size, load_element(x, &s, base, pointer, k, memop));
    for (unsigned k = 0; k < s.n; k++)
        simd_set_d(x, d + k * s.spacing, values[k]);
    if (s.n == 1 && a->t)
        simd_set_d(x, d + 1, values[0]);
    write_back(x, a->rn, a->rm, base, index, bytes);
    return true;
}
