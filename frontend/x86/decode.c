/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The x86 instruction decoder (decode.h). The rows are compiled once, at the first use, into one
 * pattern each and, per opcode (and ModRM.reg and "memory or register" where there is a ModRM
 * byte), the list of patterns to try, the most specific first. "SDM" is volume 2, chapter 2.
 */
#include "frontend/x86/decode.h"

#include <pthread.h>
#include <stdlib.h>

#include "frontend/x86/fpu.h"
#include "tcg/ir.h"
#include "util/log.h"

bool x86_handler_missing(struct xlat *x, const struct x86_insn *insn)
{
    return false;
}

#define ROW(name, encoding, operands, handler, argument, traits, feature)                          \
    extern x86_handler handler;                                                                    \
    __asm__(".weak " #handler "\n.set " #handler ", x86_handler_missing");
#include "frontend/x86/avx.def"
#include "frontend/x86/integer.def"
#include "frontend/x86/mmx.def"
#include "frontend/x86/mmx_sse.def"
#include "frontend/x86/system.def"
#include "frontend/x86/x87.def"
#undef ROW

static const struct x86_row rows[] = {
#define ROW(name, encoding, operands, handler, argument, traits, feature)                          \
    {name, encoding, operands, handler, argument, traits, feature},
#include "frontend/x86/avx.def"
#include "frontend/x86/integer.def"
#include "frontend/x86/mmx.def"
#include "frontend/x86/mmx_sse.def"
#include "frontend/x86/system.def"
#include "frontend/x86/x87.def"
#undef ROW
};

const struct x86_row *x86_rows(unsigned *n)
{
    *n = ARRAY_SIZE(rows);
    return rows;
}

/* ---- patterns -------------------------------------------------------------------------------- */

/* What a row may ask about an instruction, packed into a word ("context"). */
enum {
    AT_RM = 0,
    AT_REG = 3,
    AT_IS_REGISTER = 6, /* ModRM.mod is 3 */
    AT_PREFIX = 7,      /* enum mandatory */
    AT_W = 9,
    AT_L = 10,
    AT_OPERAND_SIZE = 11, /* log2 of bytes, less 1 */
    AT_ADDRESS_SIZE = 13,
    AT_CODE64 = 15,
    AT_REX_B = 16,
};
enum mandatory { PREFIX_NONE, PREFIX_66, PREFIX_F3, PREFIX_F2 };

enum map { MAP_ONE, MAP_0F, MAP_0F38, MAP_0F3A, MAP_VEX, N_MAPS = MAP_VEX + 3 };

enum source {
    FROM_NONE,
    FROM_REG,     /* G */
    FROM_RM,      /* E M R */
    FROM_VVVV,    /* B */
    FROM_OPCODE,  /* Z */
    FROM_FIXED,   /* a general register by name */
    FROM_REG_VEC, /* V */
    FROM_RM_VEC,  /* W U */
    FROM_VVVV_VEC,
    FROM_IMM_VEC, /* L */
    FROM_REG_MMX,
    FROM_RM_MMX,
    FROM_SEGMENT,
    FROM_SEGMENT_FIXED,
    FROM_CONTROL,
    FROM_DEBUG,
    FROM_ST0,
    FROM_STI,
    FROM_IMM,
    FROM_IMM_SIGNED, /* Ibs: one byte */
    FROM_ONE,
    FROM_RELATIVE,
    FROM_FAR,
    FROM_OFFSET,
    FROM_STRING_SOURCE,
    FROM_STRING_DEST,
};

enum size_code {
    SIZE_NONE,
    SIZE_B,
    SIZE_W,
    SIZE_D,
    SIZE_Q,
    SIZE_T,
    SIZE_DQ,
    SIZE_QQ,
    SIZE_V,
    SIZE_Z,
    SIZE_Y,
    SIZE_P,
    SIZE_A,
    SIZE_TABLE, /* s */
    SIZE_X,
};

struct operand_code {
    uint8_t source, size, reg;
};

enum pattern_flag {
    PATTERN_MODRM = 1,
    PATTERN_VVVV = 2, /* an operand uses it */
    PATTERN_VSIB = 4,
    PATTERN_VEX = 8,
};

struct pattern {
    uint32_t mask, bits; /* of the context */
    uint64_t features;
    const struct x86_row *row;
    struct operand_code operand[4];
    uint8_t n_operands, flags;
    uint8_t map, opcode, n_opcodes;
};

enum { N_LISTS = 1 << 14, N_GROUPS = 512, GROUP = 16, END_OF_LIST = 0xffff };

enum opcode_flag { OPCODE_MODRM = 1, OPCODE_MOD_IGNORED = 2 };
struct opcode {
    uint16_t list; /* or the index of a group, if the list depends on ModRM */
    uint8_t flags;
    bool grouped;
};

/* Filled once by compile_all, then constant. */
static struct tables {
    struct pattern pattern[ARRAY_SIZE(rows)];
    struct opcode opcode[N_MAPS][256];
    uint16_t group[N_GROUPS][GROUP]; /* by is_register << 3 | reg */
    uint16_t list[N_LISTS];          /* of indices of patterns */
    unsigned n_groups, n_list;
} tables;

/* ---- compiling rows -------------------------------------------------------------------------- */

#define BAD(p, ...)                                                                                \
    BUG("row %s (%s; %s): %s", p->row->name, p->row->encoding, p->row->operands, __VA_ARGS__)

static void pin(struct pattern *p, unsigned at, unsigned width, unsigned value)
{
    uint32_t mask = ((1u << width) - 1) << at;

    if ((p->mask & mask) && (p->bits & mask) != value << at)
        BAD(p, "contradicts itself");
    p->mask |= mask;
    p->bits |= value << at;
}

/* Words that pin something, before the opcode or between VEX's points. */
static bool compile_word(struct pattern *p, const char *word)
{
    static const struct {
        char word[8];
        uint8_t at, width, value;
    } words[] = {
        {"NP", AT_PREFIX, 2, PREFIX_NONE},
        {"66", AT_PREFIX, 2, PREFIX_66},
        {"F3", AT_PREFIX, 2, PREFIX_F3},
        {"F2", AT_PREFIX, 2, PREFIX_F2},
        {"REXW", AT_W, 1, 1},
        {"NOREX", AT_REX_B, 1, 0},
        {"O16", AT_OPERAND_SIZE, 2, 0},
        {"O32", AT_OPERAND_SIZE, 2, 1},
        {"O64", AT_OPERAND_SIZE, 2, 2},
        {"A16", AT_ADDRESS_SIZE, 2, 0},
        {"A32", AT_ADDRESS_SIZE, 2, 1},
        {"A64", AT_ADDRESS_SIZE, 2, 2},
        {"I64", AT_CODE64, 1, 0},
        {"N64", AT_CODE64, 1, 1},
        {"128", AT_L, 1, 0},
        {"L0", AT_L, 1, 0},
        {"256", AT_L, 1, 1},
        {"L1", AT_L, 1, 1},
        {"W0", AT_W, 1, 0},
        {"W1", AT_W, 1, 1},
        {"LIG", AT_L, 0, 0},
        {"WIG", AT_W, 0, 0},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(words); i++)
        if (!strcmp(word, words[i].word)) {
            pin(p, words[i].at, words[i].width, words[i].value);
            return true;
        }
    return false;
}

static void compile_vex(struct pattern *p, char *text)
{
    char *rest;

    p->flags |= PATTERN_VEX;
    p->map = N_MAPS;
    strtok_r(text, ".", &rest);
    for (char *word; (word = strtok_r(NULL, ".", &rest));) {
        if (!strcmp(word, "0F"))
            p->map = MAP_VEX;
        else if (!strcmp(word, "0F38"))
            p->map = MAP_VEX + 1;
        else if (!strcmp(word, "0F3A"))
            p->map = MAP_VEX + 2;
        else if (!compile_word(p, word))
            BAD(p, "what is this after VEX?");
    }
    if (p->map == N_MAPS)
        BAD(p, "no map");
    if (!(p->mask & 3u << AT_PREFIX))
        pin(p, AT_PREFIX, 2, PREFIX_NONE);
}

/* "/r" "/7" "/rm" "/7r", and "m" and "r" standing alone. */
static bool compile_modrm(struct pattern *p, const char *word)
{
    if (*word == '/') {
        p->flags |= PATTERN_MODRM;
        if (word[1] >= '0' && word[1] <= '7')
            pin(p, AT_REG, 3, (unsigned)(word[1] - '0'));
        else if (word[1] != 'r')
            BAD(p, "what is this after the slash?");
        word += 2;
        if (!*word)
            return true;
    }
    if (strcmp(word, "m") && strcmp(word, "r"))
        return false;
    pin(p, AT_IS_REGISTER, 1, *word == 'r');
    return true;
}

static void compile_byte(struct pattern *p, const char *word)
{
    char *end;
    unsigned byte = (unsigned)strtoul(word, &end, 16), span = *end == '+' ? 8 : 1;

    if (end != word + 2)
        BAD(p, "what is this in the encoding?");
    if (!p->n_opcodes && p->map == MAP_ONE && byte == 0x0f) {
        p->map = MAP_0F;
    } else if (!p->n_opcodes && p->map == MAP_0F && (byte == 0x38 || byte == 0x3a)) {
        p->map = byte == 0x38 ? MAP_0F38 : MAP_0F3A;
    } else if (!p->n_opcodes) {
        p->opcode = (uint8_t)byte;
        p->n_opcodes = (uint8_t)span;
    } else {
        p->flags |= PATTERN_MODRM;
        pin(p, AT_IS_REGISTER, 1, 1);
        pin(p, AT_REG, 3, byte >> 3 & 7);
        if (span == 1)
            pin(p, AT_RM, 3, byte & 7);
        if (byte < 0xc0)
            BAD(p, "a whole ModRM byte has mod 3");
    }
}

static void compile_encoding(struct pattern *p)
{
    char text[64], *rest;

    if (strlen(p->row->encoding) >= sizeof(text))
        BAD(p, "too long");
    strcpy(text, p->row->encoding);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        bool in_front = !p->n_opcodes && p->map == MAP_ONE;
        if (!strncmp(word, "VEX.", 4))
            compile_vex(p, word);
        else if (!(in_front && compile_word(p, word)) && !compile_modrm(p, word))
            compile_byte(p, word);
    }
    if (!p->n_opcodes)
        BAD(p, "no opcode");
}

static bool compile_named_operand(struct operand_code *o, const char *word)
{
    static const struct {
        char word[5];
        struct operand_code code;
    } names[] = {
        {"1", {FROM_ONE, SIZE_B}},
        {"AL", {FROM_FIXED, SIZE_B, RAX}},
        {"CL", {FROM_FIXED, SIZE_B, RCX}},
        {"AX", {FROM_FIXED, SIZE_W, RAX}},
        {"DX", {FROM_FIXED, SIZE_W, RDX}},
        {"eAX", {FROM_FIXED, SIZE_Z, RAX}},
        {"rAX", {FROM_FIXED, SIZE_V, RAX}},
        {"ES", {FROM_SEGMENT_FIXED, SIZE_W, SEG_ES}},
        {"CS", {FROM_SEGMENT_FIXED, SIZE_W, SEG_CS}},
        {"SS", {FROM_SEGMENT_FIXED, SIZE_W, SEG_SS}},
        {"DS", {FROM_SEGMENT_FIXED, SIZE_W, SEG_DS}},
        {"FS", {FROM_SEGMENT_FIXED, SIZE_W, SEG_FS}},
        {"GS", {FROM_SEGMENT_FIXED, SIZE_W, SEG_GS}},
        {"ST0", {FROM_ST0, SIZE_T}},
        {"STi", {FROM_STI, SIZE_T}},
        {"Ibs", {FROM_IMM_SIGNED, SIZE_V}},
        {"vm32", {FROM_RM, SIZE_D}},
        {"vm64", {FROM_RM, SIZE_Q}},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(names); i++)
        if (!strcmp(word, names[i].word)) {
            *o = names[i].code;
            return true;
        }
    return false;
}

static enum size_code compile_size(const struct pattern *p, const char *word)
{
    static const struct {
        char word[3];
        uint8_t size;
    } sizes[] = {
        {"", SIZE_NONE},   {"b", SIZE_B},   {"w", SIZE_W},   {"d", SIZE_D},  {"q", SIZE_Q},
        {"t", SIZE_T},     {"dq", SIZE_DQ}, {"qq", SIZE_QQ}, {"v", SIZE_V},  {"z", SIZE_Z},
        {"y", SIZE_Y},     {"p", SIZE_P},   {"a", SIZE_A},   {"x", SIZE_X},  {"ps", SIZE_X},
        {"pd", SIZE_X},    {"ss", SIZE_D},  {"sd", SIZE_Q},  {"si", SIZE_D}, {"pi", SIZE_Q},
        {"s", SIZE_TABLE},
    };

    for (unsigned i = 0; i < ARRAY_SIZE(sizes); i++)
        if (!strcmp(word, sizes[i].word))
            return (enum size_code)sizes[i].size;
    BAD(p, "unknown size of an operand");
}

static void compile_operand(struct pattern *p, const char *word)
{
    static const char letters[] = "GEMRBZVWUHLPQNSCDIJAOXY";
    static const uint8_t sources[] = {
        FROM_REG,         FROM_RM,
        FROM_RM,          FROM_RM,
        FROM_VVVV,        FROM_OPCODE,
        FROM_REG_VEC,     FROM_RM_VEC,
        FROM_RM_VEC,      FROM_VVVV_VEC,
        FROM_IMM_VEC,     FROM_REG_MMX,
        FROM_RM_MMX,      FROM_RM_MMX,
        FROM_SEGMENT,     FROM_CONTROL,
        FROM_DEBUG,       FROM_IMM,
        FROM_RELATIVE,    FROM_FAR,
        FROM_OFFSET,      FROM_STRING_SOURCE,
        FROM_STRING_DEST,
    };
    const char *letter = strchr(letters, *word);

    if (p->n_operands == 4)
        BAD(p, "too many operands");
    struct operand_code *o = &p->operand[p->n_operands++];
    if (compile_named_operand(o, word)) {
        if (*word == 'v') {
            p->flags |= PATTERN_VSIB;
            pin(p, AT_IS_REGISTER, 1, 0);
        }
        return;
    }
    if (!letter)
        BAD(p, "unknown operand");
    o->source = sources[letter - letters];
    o->size = compile_size(p, word + 1);
    if (o->size == SIZE_NONE && (o->source == FROM_IMM || o->source == FROM_RELATIVE))
        BAD(p, "a number needs a size");
    if (*word == 'B' || *word == 'H')
        p->flags |= PATTERN_VVVV;
    if (*word == 'M')
        pin(p, AT_IS_REGISTER, 1, 0);
    if (*word == 'R' || *word == 'U' || *word == 'N')
        pin(p, AT_IS_REGISTER, 1, 1);
}

static void check_operands(const struct pattern *p)
{
    const uint32_t of_modrm = 1u << FROM_REG | 1u << FROM_RM | 1u << FROM_REG_VEC |
                              1u << FROM_RM_VEC | 1u << FROM_REG_MMX | 1u << FROM_RM_MMX |
                              1u << FROM_SEGMENT | 1u << FROM_CONTROL | 1u << FROM_DEBUG |
                              1u << FROM_STI;
    uint32_t sources = 0;

    for (unsigned i = 0; i < p->n_operands; i++)
        sources |= 1u << p->operand[i].source;
    if ((sources & of_modrm) && !(p->flags & PATTERN_MODRM))
        BAD(p, "an operand needs a ModRM byte");
    if ((p->flags & PATTERN_VVVV) && !(p->flags & PATTERN_VEX))
        BAD(p, "an operand needs VEX");
}

static void compile_row(struct pattern *p, const struct x86_row *row)
{
    char text[64], *rest;

    p->row = row;
    p->features = row->feature == HAS_NONE ? 0 : UINT64_C(1) << row->feature;
    compile_encoding(p);
    if (strlen(row->operands) >= sizeof(text))
        BAD(p, "too long");
    strcpy(text, row->operands);
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        compile_operand(p, word);
    check_operands(p);
}

/* ---- compiling lists ------------------------------------------------------------------------- */

static void insert(struct tables *t, uint16_t *list, unsigned *n, unsigned index)
{
    const struct pattern *p = &t->pattern[index];
    unsigned at = *n;

    for (unsigned i = 0; i < *n; i++) {
        const struct pattern *q = &t->pattern[list[i]];
        int more = __builtin_popcount(p->mask) - __builtin_popcount(q->mask);
        if (!more && !((p->bits ^ q->bits) & p->mask & q->mask))
            BUG("rows %s (%s) and %s (%s) are equal", p->row->name, p->row->encoding, q->row->name,
                q->row->encoding);
        if (more > 0 && at == *n)
            at = i;
    }
    memmove(&list[at + 1], &list[at], (*n - at) * sizeof(*list));
    list[at] = (uint16_t)index;
    ++*n;
}

/* The list for one opcode and, with mask AT_REG and AT_IS_REGISTER, for one half of its group. */
static unsigned make_list(struct tables *t, const uint16_t *all, unsigned n_all, uint32_t mask,
                          uint32_t bits, unsigned previous)
{
    uint16_t *list = &t->list[t->n_list];
    unsigned n = 0;

    if (t->n_list + n_all + 1 > N_LISTS)
        BUG("N_LISTS is too small");
    for (unsigned i = 0; i < n_all; i++) {
        const struct pattern *p = &t->pattern[all[i]];
        if (!((p->bits ^ bits) & p->mask & mask))
            insert(t, list, &n, all[i]);
    }
    list[n++] = END_OF_LIST;
    if (previous && !memcmp(list, &t->list[previous], n * sizeof(*list)))
        return previous;
    t->n_list += n;
    return t->n_list - n;
}

static void compile_group(struct tables *t, struct opcode *o, const uint16_t *all, unsigned n_all)
{
    const uint32_t mask = 1u << AT_IS_REGISTER | 7u << AT_REG;
    uint16_t group[GROUP];
    unsigned list = 0, same = 0;

    for (unsigned i = 0; i < GROUP; i++) {
        list = make_list(t, all, n_all, mask, i << AT_REG, list);
        group[i] = (uint16_t)list;
        same += list == group[0];
    }
    o->list = group[0];
    if (same == GROUP)
        return;
    if (t->n_groups == N_GROUPS)
        BUG("N_GROUPS is too small");
    memcpy(t->group[t->n_groups], group, sizeof(group));
    o->list = (uint16_t)t->n_groups++;
    o->grouped = true;
}

static void compile_opcode(struct tables *t, struct opcode *o, const uint16_t *all, unsigned n_all)
{
    unsigned with_modrm = 0;

    for (unsigned i = 0; i < n_all; i++) {
        const struct pattern *p = &t->pattern[all[i]];
        with_modrm += p->flags & PATTERN_MODRM;
        for (unsigned n = 0; n < p->n_operands; n++)
            if (p->operand[n].source == FROM_CONTROL || p->operand[n].source == FROM_DEBUG)
                o->flags |= OPCODE_MOD_IGNORED;
    }
    if (with_modrm && with_modrm < n_all)
        BUG("rows with and without ModRM at opcode %02x", t->pattern[all[0]].opcode);
    if (with_modrm) {
        o->flags |= OPCODE_MODRM;
        compile_group(t, o, all, n_all);
    } else {
        o->list = (uint16_t)make_list(t, all, n_all, 0, 0, 0);
    }
}

static void compile_all(void)
{
    struct tables *t = &tables;
    uint16_t all[ARRAY_SIZE(rows)];

    t->list[t->n_list++] = END_OF_LIST; /* 0 is the empty list */
    for (unsigned i = 0; i < ARRAY_SIZE(rows); i++)
        compile_row(&t->pattern[i], &rows[i]);
    for (unsigned map = 0; map < N_MAPS; map++)
        for (unsigned opcode = 0; opcode < 256; opcode++) {
            unsigned n = 0;
            for (unsigned i = 0; i < ARRAY_SIZE(rows); i++) {
                const struct pattern *p = &t->pattern[i];
                if (p->map == map && opcode >= p->opcode &&
                    opcode < (unsigned)p->opcode + p->n_opcodes)
                    all[n++] = (uint16_t)i;
            }
            if (n)
                compile_opcode(t, &t->opcode[map][opcode], all, n);
        }
}

/* ---- reading bytes --------------------------------------------------------------------------- */

enum { MAX_LENGTH = 15 };

struct parser {
    const uint8_t *code;
    unsigned at, limit; /* limit: of what is there, and of what an instruction may have */
    bool code64;
    bool address_prefix;
    uint8_t r, x, b; /* REX's or VEX's, 0 or 8 */
    uint8_t map, opcode;
    uint8_t vvvv; /* as it stands, inverted */
    uint8_t mandatory;
    struct x86_insn *insn;
};

/* Bytes of a little-endian number, sign-extended. What lies behind the limit reads as zero and is
 * found out by the caller at the end. */
static int64_t take_signed(struct parser *p, unsigned bytes)
{
    uint64_t value = 0;
    unsigned at = p->at;

    p->at += bytes;
    if (UNLIKELY(p->at > p->limit))
        return 0;
    for (unsigned i = 0; i < bytes; i++)
        value |= (uint64_t)p->code[at + i] << 8 * i;
    return (int64_t)(value << (64 - 8 * bytes)) >> (64 - 8 * bytes);
}

static uint64_t take(struct parser *p, unsigned bytes)
{
    uint64_t value = (uint64_t)take_signed(p, bytes);
    return bytes == 8 ? value : value & ((UINT64_C(1) << 8 * bytes) - 1);
}

static enum x86_decode_result finish(struct parser *p, enum x86_decode_result result)
{
    if (UNLIKELY(p->at > p->limit)) {
        p->at = p->limit;
        result = p->limit == MAX_LENGTH ? DECODE_TOO_LONG : DECODE_SHORT;
    }
    p->insn->length = (uint8_t)p->at;
    return result;
}

/* ---- prefixes and opcode --------------------------------------------------------------------- */

static void set_segment(struct x86_insn *insn, enum x86_segment_register segment)
{
    insn->segment = (uint8_t)segment;
    insn->segment_override = true;
}

/* True if the byte is a legacy prefix. In 64-bit mode the old segments' are ignored. */
static bool parse_prefix(struct parser *p, uint8_t byte)
{
    struct x86_insn *insn = p->insn;

    switch (byte) {
    case 0x26:
    case 0x2e:
    case 0x36:
    case 0x3e:
        if (!p->code64)
            set_segment(insn, (enum x86_segment_register)(byte >> 3 & 3));
        return true;
    case 0x64:
    case 0x65:
        set_segment(insn, byte == 0x64 ? SEG_FS : SEG_GS);
        return true;
    case 0x66:
        insn->operand_prefix = true;
        return true;
    case 0x67:
        p->address_prefix = true;
        return true;
    case 0xf0:
        insn->lock = true;
        return true;
    case 0xf2:
    case 0xf3:
        insn->rep = byte;
        return true;
    default:
        return false;
    }
}

/* The prefixes, and the first byte of the opcode. REX counts only right before the opcode. */
static uint8_t parse_prefixes(struct parser *p)
{
    uint8_t byte;

    for (;;) {
        byte = (uint8_t)take(p, 1);
        if (p->at > p->limit)
            return 0;
        if (parse_prefix(p, byte))
            p->insn->rex = 0;
        else if (p->code64 && byte >> 4 == 4)
            p->insn->rex = byte;
        else
            return byte;
    }
}

/* SDM 2.3: C5 R.vvvv.L.pp, C4 RXB.mmmmm W.vvvv.L.pp; R, X, B and vvvv are inverted. */
static bool parse_vex(struct parser *p, bool three)
{
    struct x86_insn *insn = p->insn;
    static const uint8_t prefixes[] = {PREFIX_NONE, PREFIX_66, PREFIX_F3, PREFIX_F2};
    uint8_t first = (uint8_t)take(p, 1), last = first, map = 1;

    if (insn->rex || insn->operand_prefix || insn->rep || insn->lock)
        return false;
    if (three) {
        last = (uint8_t)take(p, 1);
        map = first & 31;
        insn->rex_w = last >> 7;
        p->x = first & 0x40 ? 0 : 8;
        p->b = first & 0x20 || !p->code64 ? 0 : 8;
    }
    p->r = first & 0x80 ? 0 : 8;
    p->vvvv = last >> 3 & 15;
    insn->vex = true;
    insn->vex_l = last >> 2 & 1;
    insn->vex_v = ~p->vvvv & (p->code64 ? 15 : 7);
    p->mandatory = prefixes[last & 3];
    p->map = (uint8_t)(MAP_VEX + map - 1);
    p->opcode = (uint8_t)take(p, 1);
    return map >= 1 && map <= 3;
}

static bool parse_opcode(struct parser *p)
{
    struct x86_insn *insn = p->insn;
    uint8_t byte = parse_prefixes(p);

    if (UNLIKELY((byte & 0xfe) == 0xc4) &&
        (p->code64 || (p->at < p->limit && p->code[p->at] >= 0xc0)))
        return parse_vex(p, byte == 0xc4);
    insn->rex_w = insn->rex >> 3 & 1;
    p->r = insn->rex << 1 & 8;
    p->x = insn->rex << 2 & 8;
    p->b = insn->rex << 3 & 8;
    p->mandatory = insn->rep == 0xf3      ? PREFIX_F3
                   : insn->rep            ? PREFIX_F2
                   : insn->operand_prefix ? PREFIX_66
                                          : PREFIX_NONE;
    p->map = MAP_ONE;
    if (byte == 0x0f) {
        byte = (uint8_t)take(p, 1);
        p->map = MAP_0F;
        if (byte == 0x38 || byte == 0x3a) {
            p->map = byte == 0x38 ? MAP_0F38 : MAP_0F3A;
            byte = (uint8_t)take(p, 1);
        }
    }
    p->opcode = byte;
    return true;
}

/* ---- sizes and the row ----------------------------------------------------------------------- */

/* What the prefixes say; rows may still change it (operand_size_of_row). */
static void set_sizes(struct parser *p, uint32_t key)
{
    struct x86_insn *insn = p->insn;
    bool code32 = key & KEY_CODE32;

    if (p->code64) {
        insn->operand_size = insn->rex_w ? 8 : insn->operand_prefix ? 2 : 4;
        insn->address_size = p->address_prefix ? 4 : 8;
    } else {
        insn->operand_size = code32 != insn->operand_prefix ? 4 : 2;
        insn->address_size = code32 != p->address_prefix ? 4 : 2;
    }
}

static void operand_size_of_row(const struct parser *p, const struct x86_row *row)
{
    struct x86_insn *insn = p->insn;

    if (!p->code64)
        return;
    if (row->traits & ROW_FORCE64)
        insn->operand_size = 8;
    else if ((row->traits & ROW_DEFAULT64) && insn->operand_size == 4)
        insn->operand_size = 8;
}

static const struct pattern *find_row(struct parser *p, uint64_t features)
{
    const struct tables *t = &tables;
    struct x86_insn *insn = p->insn;
    const struct opcode *o = &t->opcode[p->map][p->opcode];
    uint32_t context = (uint32_t)p->mandatory << AT_PREFIX | (uint32_t)insn->rex_w << AT_W |
                       (uint32_t)insn->vex_l << AT_L |
                       (uint32_t)(insn->operand_size >> 2) << AT_OPERAND_SIZE |
                       (uint32_t)(insn->address_size >> 2) << AT_ADDRESS_SIZE |
                       (uint32_t)p->code64 << AT_CODE64 | (uint32_t)p->b >> 3 << AT_REX_B;
    unsigned list = o->list;

    if (o->flags & OPCODE_MODRM) {
        insn->modrm = (uint8_t)take(p, 1);
        insn->has_modrm = true;
        if (o->flags & OPCODE_MOD_IGNORED)
            insn->modrm |= 0xc0;
        unsigned sub = (insn->modrm >= 0xc0) << 3 | (insn->modrm >> 3 & 7);
        context |= sub << AT_REG | (insn->modrm & 7u);
        if (o->grouped)
            list = t->group[list][sub];
    }
    for (const uint16_t *i = &t->list[list]; *i != END_OF_LIST; i++) {
        const struct pattern *pattern = &t->pattern[*i];
        if ((context & pattern->mask) == pattern->bits &&
            (features & pattern->features) == pattern->features)
            return pattern;
    }
    return NULL;
}

/* ---- memory operands ------------------------------------------------------------------------- */

static void parse_memory16(struct parser *p)
{
    static const uint8_t bases[] = {RBX, RBX, RBP, RBP, RSI, RDI, RBP, RBX};
    static const uint8_t indices[] = {RSI, RDI, RSI, RDI, REG_NONE, REG_NONE, REG_NONE, REG_NONE};
    struct x86_insn *insn = p->insn;
    unsigned mod = insn->modrm >> 6, rm = insn->modrm & 7;

    insn->base = bases[rm];
    insn->index = indices[rm];
    if (mod == 0 && rm == 6) {
        insn->base = REG_NONE;
        insn->displacement = take_signed(p, 2);
    } else if (mod) {
        insn->displacement = take_signed(p, mod);
    }
}

static void parse_memory32(struct parser *p, bool vsib)
{
    struct x86_insn *insn = p->insn;
    unsigned mod = insn->modrm >> 6, rm = insn->modrm & 7;

    insn->base = (uint8_t)(rm | p->b);
    if (rm == 4) {
        uint8_t sib = (uint8_t)take(p, 1);
        unsigned index = (sib >> 3 & 7u) | p->x;
        insn->scale = (uint8_t)(1 << (sib >> 6));
        if (index != 4 || vsib)
            insn->index = (uint8_t)index;
        rm = sib & 7;
        insn->base = (uint8_t)(rm | p->b);
        if (mod == 0 && rm == 5)
            insn->base = REG_NONE;
    } else if (mod == 0 && rm == 5) {
        insn->base = p->code64 ? REG_RIP : REG_NONE;
    }
    if (mod == 1)
        insn->displacement = take_signed(p, 1);
    else if (mod == 2 || (mod == 0 && rm == 5))
        insn->displacement = take_signed(p, 4);
}

/* SDM 2.1.5. */
static bool parse_memory(struct parser *p, bool vsib)
{
    struct x86_insn *insn = p->insn;

    if (vsib && ((insn->modrm & 7) != 4 || insn->address_size == 2))
        return false;
    if (insn->address_size == 2)
        parse_memory16(p);
    else
        parse_memory32(p, vsib);
    if (!insn->segment_override && (insn->base == RBP || insn->base == RSP))
        insn->segment = SEG_SS;
    return true;
}

/* ---- operands -------------------------------------------------------------------------------- */

static unsigned operand_bytes(const struct parser *p, unsigned code)
{
    /* By the operand size: 2, 4, 8. */
    static const uint8_t bytes[][3] = {
        [SIZE_B] = {1, 1, 1},     [SIZE_W] = {2, 2, 2},    [SIZE_D] = {4, 4, 4},
        [SIZE_Q] = {8, 8, 8},     [SIZE_T] = {10, 10, 10}, [SIZE_DQ] = {16, 16, 16},
        [SIZE_QQ] = {32, 32, 32}, [SIZE_V] = {2, 4, 8},    [SIZE_Z] = {2, 4, 4},
        [SIZE_Y] = {4, 4, 8},     [SIZE_P] = {4, 6, 10},   [SIZE_A] = {4, 8, 16},
        [SIZE_TABLE] = {6, 6, 6}, [SIZE_X] = {16, 16, 16},
    };

    if (UNLIKELY(code >= SIZE_TABLE)) {
        if (code == SIZE_X && p->insn->vex_l)
            return 32;
        if (code == SIZE_TABLE && p->code64)
            return 10;
    }
    return bytes[code][p->insn->operand_size >> 2];
}

static void general_register(const struct parser *p, struct x86_operand *o, unsigned reg)
{
    o->kind = OPND_GPR;
    o->reg = (uint8_t)reg;
    /* SDM 2.2.1.2: without REX, 4 to 7 are AH to BH. */
    if (o->size == 1 && !p->insn->rex && reg >= 4) {
        o->reg = (uint8_t)(reg - 4);
        o->high = true;
    }
}

static void vector_register(struct x86_operand *o, unsigned reg)
{
    o->kind = o->size == 32 ? OPND_YMM : OPND_XMM;
    o->reg = (uint8_t)reg;
}

static void plain(struct x86_operand *o, enum x86_operand_kind kind, unsigned reg)
{
    o->kind = (uint8_t)kind;
    o->reg = (uint8_t)reg;
}

static bool special_register(struct parser *p, const struct operand_code *code, unsigned n,
                             struct x86_operand *o)
{
    unsigned reg = p->insn->modrm >> 3 & 7u;

    switch (code->source) {
    case FROM_SEGMENT: /* REX.R is ignored; CS cannot be loaded by MOV */
        plain(o, OPND_SEGMENT, reg);
        return reg < N_SEGMENTS && !(n == 0 && reg == SEG_CS);
    case FROM_CONTROL:
        reg |= p->r;
        plain(o, OPND_CONTROL, reg);
        return reg == 0 || (reg >= 2 && reg <= 4) || reg == 8;
    default:
        plain(o, OPND_DEBUG, reg);
        return !p->r;
    }
}

/* A number, in the order in which operands stand. */
static void immediate(struct parser *p, unsigned source, struct x86_operand *o)
{
    struct x86_insn *insn = p->insn;
    bool second = false;

    for (unsigned i = 0; i + 1 < insn->n_operands; i++)
        second |= insn->operand[i].kind == OPND_IMM;
    switch (source) {
    case FROM_IMM_SIGNED:
        o->kind = OPND_IMM;
        insn->imm = (uint64_t)take_signed(p, 1);
        break;
    case FROM_RELATIVE:
        o->kind = OPND_REL;
        insn->imm = (uint64_t)take_signed(p, o->size);
        break;
    case FROM_FAR:
        o->kind = OPND_FAR;
        insn->imm = take(p, insn->operand_size);
        insn->imm2 = take(p, 2);
        break;
    case FROM_OFFSET:
        o->kind = OPND_MEM;
        insn->displacement = (int64_t)take(p, insn->address_size);
        break;
    default:
        o->kind = second ? OPND_IMM2 : OPND_IMM;
        *(second ? &insn->imm2 : &insn->imm) = take(p, o->size);
        break;
    }
}

/* Operands that the opcode alone names, or that are numbers. */
static void implied_operand(struct parser *p, const struct operand_code *code,
                            struct x86_operand *o)
{
    switch (code->source) {
    case FROM_FIXED:
        plain(o, OPND_GPR, code->reg);
        break;
    case FROM_SEGMENT_FIXED:
        plain(o, OPND_SEGMENT, code->reg);
        break;
    case FROM_ST0:
        plain(o, OPND_ST, 0);
        break;
    case FROM_ONE:
        plain(o, OPND_IMM, 0);
        p->insn->imm = 1;
        break;
    case FROM_STRING_SOURCE:
        plain(o, OPND_STRING_SOURCE, 0);
        break;
    case FROM_STRING_DEST:
        plain(o, OPND_STRING_DEST, 0);
        break;
    default:
        immediate(p, code->source, o);
        break;
    }
}

static bool parse_operand(struct parser *p, const struct operand_code *code, unsigned n)
{
    struct x86_insn *insn = p->insn;
    struct x86_operand *o = &insn->operand[n];
    unsigned reg = (insn->modrm >> 3 & 7u) | p->r, rm = (insn->modrm & 7u) | p->b;
    bool memory = insn->modrm < 0xc0;

    o->size = (uint8_t)operand_bytes(p, code->size);
    insn->n_operands = (uint8_t)(n + 1);
    switch (code->source) {
    case FROM_REG:
        general_register(p, o, reg);
        break;
    case FROM_RM:
        if (memory)
            plain(o, OPND_MEM, 0);
        else
            general_register(p, o, rm);
        break;
    case FROM_OPCODE:
        general_register(p, o, (p->opcode & 7u) | p->b);
        break;
    case FROM_VVVV:
        plain(o, OPND_GPR, insn->vex_v);
        break;
    case FROM_REG_VEC:
        vector_register(o, reg);
        break;
    case FROM_RM_VEC:
        if (memory)
            plain(o, OPND_MEM, 0);
        else
            vector_register(o, rm);
        break;
    case FROM_VVVV_VEC:
        vector_register(o, insn->vex_v);
        break;
    case FROM_IMM_VEC:
        insn->imm = take(p, 1);
        vector_register(o, insn->imm >> 4 & (p->code64 ? 15 : 7));
        break;
    case FROM_REG_MMX:
        plain(o, OPND_MMX, reg & 7);
        break;
    case FROM_RM_MMX:
        plain(o, memory ? OPND_MEM : OPND_MMX, memory ? 0 : rm & 7);
        break;
    case FROM_STI:
        plain(o, OPND_ST, rm & 7);
        break;
    case FROM_SEGMENT:
    case FROM_CONTROL:
    case FROM_DEBUG:
        return special_register(p, code, n, o);
    default:
        implied_operand(p, code, o);
        break;
    }
    return true;
}

/* Sign-extends a number of the operand size, but for Iv. */
static void extend_immediate(struct x86_insn *insn, const struct pattern *pattern)
{
    for (unsigned i = 0; i < pattern->n_operands; i++)
        if (pattern->operand[i].source == FROM_IMM && pattern->operand[i].size == SIZE_Z)
            insn->imm = insn->operand[i].size == 2 ? (uint64_t)(int16_t)insn->imm
                                                   : (uint64_t)(int32_t)insn->imm;
}

static bool parse_operands(struct parser *p, const struct pattern *pattern)
{
    struct x86_insn *insn = p->insn;

    if (insn->vex && !(pattern->flags & PATTERN_VVVV) && p->vvvv != 15)
        return false;
    if (insn->has_modrm && insn->modrm < 0xc0 && !parse_memory(p, pattern->flags & PATTERN_VSIB))
        return false;
    for (unsigned i = 0; i < pattern->n_operands; i++)
        if (!parse_operand(p, &pattern->operand[i], i))
            return false;
    extend_immediate(insn, pattern);
    return !insn->lock || ((pattern->row->traits & ROW_LOCK) && insn->operand[0].kind == OPND_MEM);
}

enum x86_decode_result x86_decode(const uint8_t *code, size_t size, uint32_t key, uint64_t features,
                                  struct x86_insn *out)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct parser p = {
        .code = code,
        .limit = size < MAX_LENGTH ? (unsigned)size : MAX_LENGTH,
        .code64 = key & KEY_CODE64,
        .insn = out,
    };

    pthread_once(&once, compile_all);
    *out = (struct x86_insn){.segment = SEG_DS, .base = REG_NONE, .index = REG_NONE, .scale = 1};
    if (!parse_opcode(&p))
        return finish(&p, DECODE_UNDEFINED);
    set_sizes(&p, key);
    const struct pattern *pattern = find_row(&p, features);
    if (!pattern)
        return finish(&p, DECODE_UNDEFINED);
    out->row = pattern->row;
    operand_size_of_row(&p, pattern->row);
    if (!parse_operands(&p, pattern))
        return finish(&p, DECODE_UNDEFINED);
    return finish(&p, DECODE_OK);
}
