/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Random instances of the x86 tables' rows; see x86_random.h. */
#include "tests/x86_random.h"

#include <stdio.h>
#include <stdlib.h>

enum { ANY = -1 };

/* What a row's encoding says. ANY where it leaves something open. */
struct shape {
    int mandatory; /* ANY, 0, 0x66, 0xf3, 0xf2 */
    int w, l, rex_b, operand_size, address_size, reg, rm, is_register;
    bool vex, modrm, uses_vvvv, vsib, opcode_register;
    uint8_t opcode[3];
    unsigned n_opcode, vex_map;
};

static int number_after(const char *text, const char *prefix)
{
    size_t n = strlen(prefix);
    return !strncmp(text, prefix, n) && text[n] >= '0' && text[n] <= '9' ? atoi(text + n) : ANY;
}

static void shape_front(struct shape *s, const char *word)
{
    if (!strcmp(word, "NP"))
        s->mandatory = 0;
    else if (!strcmp(word, "66") || !strcmp(word, "F3") || !strcmp(word, "F2"))
        s->mandatory = (int)strtol(word, NULL, 16);
    else if (!strcmp(word, "REXW"))
        s->w = 1;
    else if (!strcmp(word, "NOREX"))
        s->rex_b = 0;
    else if (number_after(word, "O") != ANY)
        s->operand_size = number_after(word, "O") / 8;
    else if (number_after(word, "A") != ANY)
        s->address_size = number_after(word, "A") / 8;
}

static void shape_vex(struct shape *s, char *text)
{
    char *rest;

    s->vex = true;
    s->mandatory = 0;
    strtok_r(text, ".", &rest);
    for (char *word; (word = strtok_r(NULL, ".", &rest));) {
        if (!strcmp(word, "128") || !strcmp(word, "L0"))
            s->l = 0;
        else if (!strcmp(word, "256") || !strcmp(word, "L1"))
            s->l = 1;
        else if (!strcmp(word, "W0") || !strcmp(word, "W1"))
            s->w = word[1] - '0';
        else if (!strncmp(word, "0F", 2))
            s->vex_map = word[2] == '3' ? (word[3] == '8' ? 2 : 3) : 1;
        else
            shape_front(s, word);
    }
}

static void shape_word(struct shape *s, char *word)
{
    bool opcode_done = s->n_opcode && (s->vex || s->opcode[0] != 0x0f || s->n_opcode == 3 ||
                                       (s->n_opcode == 2 && (s->opcode[1] & 0xfd) != 0x38));
    char *end;
    long byte = strtol(word, &end, 16);

    if (!strncmp(word, "VEX.", 4)) {
        shape_vex(s, word);
    } else if (*word == '/') {
        s->modrm = true;
        s->reg = word[1] == 'r' ? ANY : word[1] - '0';
        s->is_register = word[2] ? word[2] == 'r' : ANY;
    } else if (!s->vex && !s->n_opcode &&
               (end != word + 2 || byte == 0x66 || byte == 0xf2 || byte == 0xf3) && *end != '+') {
        shape_front(s, word);
    } else if (!opcode_done) {
        s->opcode[s->n_opcode++] = (uint8_t)byte;
        s->opcode_register = *end == '+';
    } else {
        s->modrm = true;
        s->is_register = 1;
        s->reg = byte >> 3 & 7;
        s->rm = *end == '+' ? ANY : byte & 7;
    }
}

static struct shape shape_of(const struct x86_row *row)
{
    struct shape s = {ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY, ANY};
    char text[64], *rest;

    snprintf(text, sizeof(text), "%s", row->encoding);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        shape_word(&s, word);
    snprintf(text, sizeof(text), "%s", row->operands);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        s.uses_vvvv |= *word == 'H' || *word == 'B';
        s.vsib |= !strncmp(word, "vm", 2);
        if (*word == 'M' || s.vsib)
            s.is_register = 0;
        if (*word == 'R' || *word == 'U' || *word == 'N')
            s.is_register = 1;
    }
    return s;
}

struct writer {
    struct rng *rng;
    struct shape s;
    const struct x86_row *row;
    uint32_t key;
    unsigned base; /* a register, or X86_... */
    uint8_t *out;
    unsigned n;
    uint8_t rex; /* WRXB */
    bool memory;
};

static void put(struct writer *w, unsigned byte)
{
    w->out[w->n++] = (uint8_t)byte;
}

static bool chance(struct writer *w, unsigned one_in)
{
    return !rng_below(w->rng, one_in);
}

/* Whether the size asked for needs the prefix that toggles 16 and 32 bits, by chance if none is. */
static bool toggles(struct writer *w, int size)
{
    if (size == ANY)
        return chance(w, 4);
    if (w->key & KEY_CODE64)
        return size == 2;
    return (size == 2) == ((w->key & KEY_CODE32) != 0);
}

static void put_prefixes(struct writer *w)
{
    static const uint8_t segments[] = {0x26, 0x2e, 0x36, 0x3e, 0x64, 0x65};
    bool any = w->base == X86_ANY_OPERANDS, code64 = w->key & KEY_CODE64;
    int a = w->s.address_size;

    if (any && chance(w, 8))
        put(w, segments[rng_below(w->rng, sizeof(segments))]);
    if (a == ANY ? any && chance(w, 8) : code64 ? a == 4 : (a == 2) == !!(w->key & KEY_CODE32))
        put(w, 0x67);
    if (!w->s.vex && (w->row->traits & ROW_LOCK) && w->memory && chance(w, 4))
        put(w, 0xf0);
    if (w->s.mandatory > 0 && !w->s.vex)
        put(w, (unsigned)w->s.mandatory);
    else if (w->s.mandatory == ANY && (w->row->traits & ROW_REP) && chance(w, 2))
        put(w, 0xf2 + rng_below(w->rng, 2));
    if (w->s.mandatory == ANY && toggles(w, w->s.operand_size))
        put(w, 0x66);
}

static void choose_rex(struct writer *w)
{
    if (!(w->key & KEY_CODE64))
        return;
    w->rex = (uint8_t)rng_below(w->rng, 16);
    if (w->s.w != ANY)
        w->rex = (uint8_t)((w->rex & 7) | w->s.w << 3);
    if (w->s.operand_size != ANY)
        w->rex = (uint8_t)((w->rex & 7) | (w->s.operand_size == 8) << 3);
    if (w->s.rex_b == 0)
        w->rex &= 14;
    if (w->memory && w->base < 16)
        w->rex = (uint8_t)((w->rex & 14) | w->base >> 3);
}

static void put_vex(struct writer *w)
{
    unsigned pp = w->s.mandatory == 0x66   ? 1
                  : w->s.mandatory == 0xf3 ? 2
                  : w->s.mandatory == 0xf2 ? 3
                                           : 0;
    unsigned wide = w->s.w == ANY ? rng_below(w->rng, 2) : (unsigned)w->s.w;
    unsigned vvvv = w->s.uses_vvvv ? rng_below(w->rng, 16) : 15;
    unsigned l = w->s.l == ANY ? rng_below(w->rng, 2) : (unsigned)w->s.l;

    if (!(w->key & KEY_CODE64))
        vvvv |= 8;
    if (w->s.vex_map == 1 && !wide && !(w->rex & 3) && chance(w, 2)) {
        put(w, 0xc5);
        put(w, (w->rex & 4 ? 0u : 0x80u) | vvvv << 3 | l << 2 | pp);
        return;
    }
    put(w, 0xc4);
    put(w, (~(unsigned)w->rex & 7) << 5 | w->s.vex_map);
    put(w, wide << 7 | vvvv << 3 | l << 2 | pp);
}

/* [base + displacement] in 16-bit addressing: BX, BP, SI, DI. */
static bool put_memory16(struct writer *w, unsigned reg)
{
    static const uint8_t rm[16] = {[RBX] = 7, [RBP] = 6, [RSI] = 4, [RDI] = 5};

    if (w->base >= 16 || !rm[w->base])
        return false;
    put(w, 0x40 | reg << 3 | rm[w->base]);
    return true;
}

static bool put_modrm(struct writer *w)
{
    unsigned reg = w->s.reg == ANY ? rng_below(w->rng, 8) : (unsigned)w->s.reg;
    unsigned rm = w->s.rm == ANY ? rng_below(w->rng, 8) : (unsigned)w->s.rm;
    unsigned displacement = rng_below(w->rng, 256);

    if (!w->memory) {
        put(w, 0xc0 | reg << 3 | rm);
        return true;
    }
    if (w->base == X86_ANY_OPERANDS) {
        put(w, rng_below(w->rng, 3) << 6 | reg << 3 | (w->s.vsib ? 4 : rm));
        return true; /* what follows is random */
    }
    if (!(w->key & (KEY_CODE32 | KEY_CODE64))) {
        if (!put_memory16(w, reg))
            return false;
    } else if (w->s.vsib || (w->base & 7) == 4) {
        put(w, 0x44 | reg << 3);
        put(w, (w->s.vsib ? rng_below(w->rng, 32) : 4) << 3 | (w->base & 7));
        if (!w->s.vsib && (w->rex & 2))
            return false; /* REX.X would make it an index */
    } else {
        put(w, 0x40 | reg << 3 | (w->base & 7));
    }
    put(w, displacement & (w->row->traits & ROW_MEM_ALIGNED ? 0xf0 : 0xff));
    return true;
}

static bool write_one(struct writer *w)
{
    put_prefixes(w);
    choose_rex(w);
    if (w->s.vex)
        put_vex(w);
    else if (w->rex || chance(w, 8))
        if (w->key & KEY_CODE64)
            put(w, 0x40u | w->rex);
    for (unsigned i = 0; i < w->s.n_opcode; i++)
        put(w, w->s.opcode[i]);
    if (w->s.opcode_register)
        w->out[w->n - 1] += (uint8_t)rng_below(w->rng, 8);
    if (w->s.modrm && !put_modrm(w))
        return false;
    while (w->n < 15)
        put(w, (unsigned)rng_u64(w->rng));
    return true;
}

/* The decoder is asked for the length, and whether what was thrown is the row at all: other rows
 * may pin more. */
static bool acceptable(const struct writer *w, unsigned *length)
{
    struct x86_insn insn;

    if (x86_decode(w->out, 15, w->key, ~UINT64_C(0), &insn) != DECODE_OK || insn.row != w->row)
        return false;
    *length = insn.length;
    for (unsigned i = 0; i < insn.n_operands; i++) {
        const struct x86_operand *o = &insn.operand[i];
        if (w->base == X86_ANY_OPERANDS)
            continue;
        if (o->kind == OPND_GPR && o->reg == RSP && !o->high)
            return false;
        if (o->kind == OPND_MEM && w->base == X86_REGISTERS_ONLY)
            return false;
    }
    return true;
}

bool x86_random_insn(const struct x86_row *row, uint32_t key, struct rng *rng,
                     unsigned mem_base_reg, uint8_t out[15], unsigned *length)
{
    struct shape s = shape_of(row);
    bool code64 = key & KEY_CODE64;

    if ((!code64 && mem_base_reg >= 8 && mem_base_reg < 16) ||
        strstr(row->encoding, code64 ? "I64" : "N64") ||
        (!code64 && (s.operand_size == 8 || s.address_size == 8 || (!s.vex && s.w == 1))) ||
        (code64 && s.address_size == 2))
        return false;
    for (unsigned attempt = 0; attempt < 200; attempt++) {
        struct writer w = {rng, s, row, key, mem_base_reg, out};
        w.memory = s.is_register != ANY               ? s.modrm && !s.is_register
                   : mem_base_reg == X86_ANY_OPERANDS ? s.modrm && chance(&w, 2)
                                                      : s.modrm && mem_base_reg < 16;
        if (w.memory != (mem_base_reg < 16) && mem_base_reg != X86_ANY_OPERANDS)
            return false;
        if (write_one(&w) && acceptable(&w, length))
            return true;
    }
    return false;
}
