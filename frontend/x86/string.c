/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * String instructions and port input and output: SDM vol. 2.
 *
 * One step of MOVS, STOS, LODS, CMPS, SCAS is inline. A REP is a helper that does what lies in one
 * page of each operand and then changes the registers: whatever faults does so before the helper
 * has done anything, and between two calls the pc still is the instruction's, so that interrupts
 * get in.
 */
#include <string.h>

#include "frontend/x86/translate.h"

enum { PAGE = 4096 };

/* ---- ports ----------------------------------------------------------------------------------- */

/* Does one device answer to all of the access? Else it is done in bytes. */
static bool is_whole(const struct memory *ports, uint16_t port, unsigned size)
{
    const struct memory_section *s = memory_find(ports, port);

    if (size == 1 || !s)
        return size == 1;
    return port - s->base + size <= s->size;
}

uint32_t x86_port_read(struct x86_cpu *cpu, uint16_t port, unsigned size)
{
    uint32_t value = 0;
    bool ok = false;

    if (!cpu->v.ports)
        return (uint32_t)extract64(~UINT64_C(0), 0, 8 * size);
    if (is_whole(cpu->v.ports, port, size)) {
        value = (uint32_t)memory_load(cpu->v.ports, port, size, &ok);
        return ok ? value : (uint32_t)extract64(~UINT64_C(0), 0, 8 * size);
    }
    for (unsigned i = 0; i < size; i++) {
        uint8_t byte = (uint8_t)memory_load(cpu->v.ports, (uint16_t)(port + i), 1, &ok);

        value |= (uint32_t)(ok ? byte : 0xff) << (8 * i);
    }
    return value;
}

void x86_port_write(struct x86_cpu *cpu, uint16_t port, unsigned size, uint32_t value)
{
    bool ok;

    if (!cpu->v.ports)
        return;
    if (is_whole(cpu->v.ports, port, size)) {
        memory_store(cpu->v.ports, port, value, size, &ok);
        return;
    }
    for (unsigned i = 0; i < size; i++)
        memory_store(cpu->v.ports, (uint16_t)(port + i), (uint8_t)(value >> (8 * i)), 1, &ok);
}

static uint32_t port_in(struct x86_cpu *cpu, uint32_t port, uint32_t size)
{
    x86_check_io(cpu, (uint16_t)port, size);
    return x86_port_read(cpu, (uint16_t)port, size);
}

static void port_out(struct x86_cpu *cpu, uint32_t port, uint32_t size, uint32_t value)
{
    x86_check_io(cpu, (uint16_t)port, size);
    x86_port_write(cpu, (uint16_t)port, size, value);
}

static const struct ir_helper helper_port_in =
    IR_HELPER(port_in, IR_I32, 2, HELPER_MAY_FAULT, GROUP_ALL, 0);
static const struct ir_helper helper_port_out =
    IR_HELPER(port_out, IR_VOID, 3, HELPER_MAY_FAULT, GROUP_ALL, 0);

static ir_ref port_number(struct xlat *x, const struct x86_insn *insn, unsigned n)
{
    if (insn->operand[n].kind == OPND_IMM)
        return ir_i32(&x->b, (uint8_t)insn->imm);
    return x86_gpr(x, RDX, 2);
}

/* IN AL / eAX, imm8 / DX */
bool trans_in(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand[0].size;

    x86_write(x, insn, 0,
              ir_call(&x->b, &helper_port_in, port_number(x, insn, 1), ir_i32(&x->b, size), IR_NONE,
                      IR_NONE));
    return true;
}

/* OUT imm8 / DX, AL / eAX. What the device does (A20, a reset) counts from the next instruction. */
bool trans_out(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand[1].size;

    ir_call(&x->b, &helper_port_out, port_number(x, insn, 0), ir_i32(&x->b, size),
            x86_read(x, insn, 1), IR_NONE);
    x86_end_next(x);
    return true;
}

/* ---- steps of one element, inline ------------------------------------------------------------ */

static ir_ref source_linear(struct xlat *x, const struct x86_insn *insn, unsigned size)
{
    ir_ref offset = x86_address_register(x, RSI, insn->address_size);

    return x86_linear_at(x, insn->segment, offset, insn->address_size, size, false);
}

static ir_ref dest_linear(struct xlat *x, const struct x86_insn *insn, unsigned size, bool write)
{
    ir_ref offset = x86_address_register(x, RDI, insn->address_size);

    return x86_linear_at(x, SEG_ES, offset, insn->address_size, size, write);
}

/* size, or -size if DF is set. */
static ir_ref step_of(struct xlat *x, unsigned size)
{
    struct ir_builder *b = &x->b;
    ir_ref twice = ir_bin_i(b, IR_SHL, ir_get(b, F_DF), (unsigned)__builtin_ctz(size) + 1);
    ir_ref step = ir_bin(b, IR_SUB, ir_i32(b, size), twice);

    return x86_xlat(x)->wide ? ir_un(b, IR_WIDEN_S, step) : step;
}

static void advance(struct xlat *x, const struct x86_insn *insn, unsigned reg, ir_ref step)
{
    ir_ref offset = x86_address_register(x, reg, insn->address_size);

    offset = ir_bin(&x->b, IR_ADD, offset, step);
    x86_set_address_register(x, reg, insn->address_size,
                             x86_wrap_address(x, offset, insn->address_size));
}

static void set_flags_of_difference(struct xlat *x, unsigned size, ir_ref a, ir_ref c)
{
    x86_set_flags(x, ir_flagof(&x->b, ir_bin_w(&x->b, IR_SUB, 8 * size, a, c)));
}

/* ---- repeated -------------------------------------------------------------------------------- */

enum string_kind { MOVS, STOS, LODS, CMPS, SCAS, INS, OUTS };

/* A helper's argument: kind, log2 of the element's and of the address's size, segment, how it
 * repeats (0: once). */
enum { KIND = 0, SIZE = 4, ADDRESS = 6, SEGMENT = 8, REPEAT = 12 };
enum repeat { ONCE, WHILE_EQUAL, WHILE_DIFFERENT };

struct string {
    struct x86_cpu *cpu;
    enum string_kind kind;
    unsigned shift, size, memop, address_size, segment;
    enum repeat repeat;
    bool down, user;
    uint64_t count;        /* elements left by rCX */
    uint64_t source, dest; /* linear */
    uint64_t n;            /* elements that lie in one page of each operand, at least 1 */
    bool split;            /* the next element crosses a page */
};

static uint64_t address_mask(const struct string *s)
{
    return ~UINT64_C(0) >> (64 - 8 * s->address_size);
}

static uint64_t register_of(const struct string *s, unsigned reg)
{
    return s->cpu->gpr[reg] & address_mask(s);
}

static void set_register(const struct string *s, unsigned reg, uint64_t value)
{
    uint64_t *gpr = &s->cpu->gpr[reg], mask = address_mask(s);

    *gpr = s->address_size == 2 ? (*gpr & ~mask) | (value & mask) : value & mask;
}

static void move_register(const struct string *s, unsigned reg, uint64_t elements)
{
    uint64_t bytes = elements << s->shift;

    set_register(s, reg, register_of(s, reg) + (s->down ? -bytes : bytes));
}

static struct string string_open(struct x86_cpu *cpu, uint32_t what)
{
    struct string s = {.cpu = cpu};

    s.kind = (enum string_kind)(what >> KIND & 15);
    s.memop = s.shift = what >> SIZE & 3;
    s.size = 1u << s.shift;
    s.address_size = 1u << (what >> ADDRESS & 3);
    s.segment = what >> SEGMENT & 15;
    s.repeat = (enum repeat)(what >> REPEAT);
    s.down = cpu->df;
    s.user = (cpu->v.run.key & KEY_CPL) == KEY_CPL;
    if (cpu->v.run.key & KEY_ALIGN)
        s.memop |= IR_MEM_ALIGN_OF(s.memop);
    s.count = s.repeat == ONCE ? 1 : register_of(&s, RCX);
    s.n = cpu->v.single_step || cpu->v.run.key & (KEY_TRACE | KEY_DATA_BREAK) ? 1 : s.count;
    return s;
}

/* Nothing to check and nothing to add. CS: it may not be readable. */
static bool is_flat(const struct string *s, unsigned segment)
{
    return s->cpu->v.run.key & KEY_DATA_FLAT && segment < SEG_FS && segment != SEG_CS;
}

static uint64_t linear_of(const struct string *s, unsigned segment, uint64_t offset, bool write)
{
    if (s->cpu->v.run.key & KEY_CODE64)
        return offset + (segment >= SEG_FS ? s->cpu->segment[segment].base : 0);
    if (is_flat(s, segment) && offset <= UINT32_MAX - (s->size - 1))
        return offset;
    return x86_segment_linear(s->cpu, segment, (uint32_t)offset, s->size, write);
}

/* The linear address of an operand; limits n to what is in its page, its segment, and before its
 * offset wraps. */
static uint64_t operand(struct string *s, unsigned segment, unsigned reg, bool write)
{
    uint64_t offset = register_of(s, reg), linear = linear_of(s, segment, offset, write);
    uint64_t in_page = linear % PAGE, to_wrap, n, last;

    if (in_page + s->size > PAGE) {
        s->split = true;
        s->n = 1;
        return linear;
    }
    n = ((s->down ? in_page : PAGE - s->size - in_page) >> s->shift) + 1;
    to_wrap = (s->down ? offset : address_mask(s) - offset) >> s->shift;
    s->n = MAX(MIN(MIN(s->n, n), to_wrap), UINT64_C(1));
    last = (s->n - 1) << s->shift;
    if (s->n > 1 && !(s->cpu->v.run.key & KEY_CODE64) && !is_flat(s, segment) &&
        !x86_segment_allows(s->cpu, segment, (uint32_t)(s->down ? offset - last : offset + last),
                            s->size, write))
        s->n = 1;
    return linear;
}

/* The lowest of n elements in host memory, the first of which is at `linear`. NULL: go through the
 * MMU, one by one. */
static uint8_t *host_range(struct string *s, uint64_t linear, enum mmu_access access)
{
    uint64_t back = s->down ? (s->n - 1) << s->shift : 0;
    uint8_t *host;

    if (s->split || (s->memop & IR_MEM_ALIGN && linear & (s->size - 1)))
        return NULL;
    /* The first one's page is what may fault, at its address. */
    host = mmu_host_range(s->cpu->v.mmu, linear, s->size, access, s->user);
    return host ? host - back : NULL;
}

static inline uint64_t load_sized(const uint8_t *at, unsigned size)
{
    switch (size) {
    case 1:
        return *at;
    case 2:
        return load_le16(at);
    case 4:
        return load_le32(at);
    default:
        return load_le64(at);
    }
}

static uint64_t load_element(const struct string *s, const uint8_t *at)
{
    return load_sized(at, s->size);
}

static void store_element(const struct string *s, uint8_t *at, uint64_t value)
{
    switch (s->size) {
    case 1:
        *at = (uint8_t)value;
        break;
    case 2:
        store_le16(at, (uint16_t)value);
        break;
    case 4:
        store_le32(at, (uint32_t)value);
        break;
    default:
        store_le64(at, value);
        break;
    }
}

/* Element i, in the order of the instruction, of a range. */
static uint8_t *element(const struct string *s, uint8_t *range, uint64_t i)
{
    return range + ((s->down ? s->n - 1 - i : i) << s->shift);
}

/* Registers after `done` elements. True: the instruction is complete. */
static bool string_close(struct string *s, uint64_t done, bool stop)
{
    if (s->kind == MOVS || s->kind == LODS || s->kind == CMPS || s->kind == OUTS)
        move_register(s, RSI, done);
    if (s->kind != LODS && s->kind != OUTS)
        move_register(s, RDI, done);
    if (s->repeat == ONCE)
        return true;
    set_register(s, RCX, s->count - done);
    return stop || s->count == done;
}

static void watch(const struct string *s, uint64_t linear, bool write)
{
    if (UNLIKELY(s->cpu->v.run.key & KEY_DATA_BREAK))
        x86_check_data_break(s->cpu, linear, s->size, write);
}

static void copy(const struct string *s, uint8_t *to, const uint8_t *from)
{
    uint64_t length = s->n << s->shift;
    uintptr_t ahead = s->down ? (uintptr_t)from - (uintptr_t)to : (uintptr_t)to - (uintptr_t)from;

    /* Where a store changes what is yet to be read, elements go one by one. */
    if (ahead - 1 >= length - 1) {
        memmove(to, from, length);
        return;
    }
    for (uint64_t i = 0; i < s->n; i++)
        store_element(s, element(s, to, i), load_element(s, element(s, (uint8_t *)from, i)));
}

static bool step_movs(struct string *s)
{
    struct mmu *mmu = s->cpu->v.mmu;
    uint64_t from = operand(s, s->segment, RSI, false), to = operand(s, SEG_ES, RDI, true);
    uint8_t *source = host_range(s, from, MMU_READ);
    uint8_t *dest = source ? host_range(s, to, MMU_WRITE) : NULL;

    if (dest) {
        copy(s, dest, source);
    } else {
        s->n = 1;
        mmu_store(mmu, to, mmu_load(mmu, from, s->memop), s->memop);
    }
    watch(s, from, false);
    watch(s, to, true);
    return string_close(s, s->n, false);
}

/* All elements the same: 8 bytes hold one or more of them. */
static void fill(const struct string *s, uint8_t *to, uint64_t value)
{
    static const uint64_t repeat[] = {0x0101010101010101, 0x0001000100010001, 0x0000000100000001,
                                      1};
    uint64_t length = s->n << s->shift, i = 0;

    value = (value & ~UINT64_C(0) >> (64 - 8 * s->size)) * repeat[s->shift];
    for (; i + 32 <= length; i += 32) {
        store_le64(to + i, value);
        store_le64(to + i + 8, value);
        store_le64(to + i + 16, value);
        store_le64(to + i + 24, value);
    }
    for (; i + 8 <= length; i += 8)
        store_le64(to + i, value);
    for (; i < length; i += s->size)
        store_element(s, to + i, value);
}

static bool step_stos(struct string *s)
{
    uint64_t to = operand(s, SEG_ES, RDI, true), value = s->cpu->gpr[RAX];
    uint8_t *dest = host_range(s, to, MMU_WRITE);

    if (!dest) {
        s->n = 1;
        mmu_store(s->cpu->v.mmu, to, value, s->memop);
    } else {
        fill(s, dest, value);
    }
    watch(s, to, true);
    return string_close(s, s->n, false);
}

static bool step_lods(struct string *s)
{
    uint64_t from = operand(s, s->segment, RSI, false), value;
    uint8_t *source = host_range(s, from, MMU_READ);
    uint64_t mask = ~UINT64_C(0) >> (64 - 8 * s->size);

    if (!source)
        s->n = 1;
    value = source ? load_element(s, element(s, source, s->n - 1))
                   : mmu_load(s->cpu->v.mmu, from, s->memop);
    if (s->size < 4)
        value |= s->cpu->gpr[RAX] & ~mask;
    s->cpu->gpr[RAX] = value;
    watch(s, from, false);
    return string_close(s, s->n, false);
}

/* The flags of a - c, in their stored form. */
static uint16_t difference(unsigned size, uint64_t a, uint64_t c)
{
    unsigned top = 8 * size - 1;
    uint64_t mask = ~UINT64_C(0) >> (63 - top), result;
    uint16_t flags = 0;

    a &= mask;
    c &= mask;
    result = (a - c) & mask;
    flags |= a < c ? IR_FLAG_C : 0;
    flags |= result ? 0 : IR_FLAG_Z;
    flags |= result >> top ? (uint16_t)IR_FLAG_N : 0;
    flags |= ((a ^ c) & (a ^ result)) >> top & 1 ? IR_FLAG_V : 0;
    flags |= (a ^ c ^ result) & 16 ? IR_FLAG_A : 0;
    flags |= __builtin_parity((unsigned)result & 0xff) ? 0 : IR_FLAG_P;
    return flags;
}

static bool stops(const struct string *s, bool equal)
{
    return equal == (s->repeat == WHILE_DIFFERENT);
}

/* How many elements there are up to and with the first that stops, if any does, else n. `at`: where
 * the first is; step: to the next one. */
static inline __attribute__((always_inline)) uint64_t
scan_sized(const uint8_t *at, int64_t step, uint64_t n, uint64_t wanted, bool until, unsigned size)
{
    for (uint64_t i = 0; i < n; i++, at += step) {
        if ((load_sized(at, size) == wanted) == until)
            return i + 1;
    }
    return n;
}

static uint64_t scan(const struct string *s, const uint8_t *range, uint64_t wanted)
{
    const uint8_t *at = element(s, (uint8_t *)range, 0), *found;
    bool until = s->repeat == WHILE_DIFFERENT;
    int64_t step = s->down ? -(int64_t)s->size : s->size;

    switch (s->size) {
    case 1:
        if (s->down || !until)
            return scan_sized(at, step, s->n, wanted, until, 1);
        found = memchr(at, (int)wanted, s->n);
        return found ? (uint64_t)(found - at) + 1 : s->n;
    case 2:
        return scan_sized(at, step, s->n, wanted, until, 2);
    case 4:
        return scan_sized(at, step, s->n, wanted, until, 4);
    default:
        return scan_sized(at, step, s->n, wanted, until, 8);
    }
}

static bool step_scas(struct string *s)
{
    uint64_t to = operand(s, SEG_ES, RDI, false), mask = ~UINT64_C(0) >> (64 - 8 * s->size);
    uint64_t wanted = s->cpu->gpr[RAX] & mask, seen, done = 1;
    uint8_t *dest = host_range(s, to, MMU_READ);

    if (dest) {
        done = scan(s, dest, wanted);
        seen = load_element(s, element(s, dest, done - 1));
    } else {
        seen = mmu_load(s->cpu->v.mmu, to, s->memop);
    }
    s->cpu->status = difference(s->size, wanted, seen);
    watch(s, to, false);
    return string_close(s, done, stops(s, seen == wanted));
}

/* How many elements are compared in two ranges. */
static uint64_t compare(const struct string *s, const uint8_t *source, const uint8_t *dest)
{
    uint64_t length = s->n << s->shift, i = 0;

    if (!s->down && s->repeat == WHILE_EQUAL) {
        while (i + 8 <= length && load_le64(source + i) == load_le64(dest + i))
            i += 8;
        i >>= s->shift;
    }
    for (; i < s->n; i++) {
        uint64_t a = load_element(s, element(s, (uint8_t *)source, i));

        if (stops(s, a == load_element(s, element(s, (uint8_t *)dest, i))))
            return i + 1;
    }
    return s->n;
}

static bool step_cmps(struct string *s)
{
    struct mmu *mmu = s->cpu->v.mmu;
    uint64_t from = operand(s, s->segment, RSI, false), to = operand(s, SEG_ES, RDI, false);
    uint8_t *source = host_range(s, from, MMU_READ);
    uint8_t *dest = source ? host_range(s, to, MMU_READ) : NULL;
    uint64_t a, c, done = 1;

    if (dest) {
        done = compare(s, source, dest);
        a = load_element(s, element(s, source, done - 1));
        c = load_element(s, element(s, dest, done - 1));
    } else {
        a = mmu_load(mmu, from, s->memop);
        c = mmu_load(mmu, to, s->memop);
    }
    s->cpu->status = difference(s->size, a, c);
    watch(s, from, false);
    watch(s, to, false);
    return string_close(s, done, stops(s, a == c));
}

/* Where memory is no plain RAM: nothing may fault once the port has been read. */
static void input_slowly(struct string *s, uint64_t to, uint16_t port)
{
    struct mmu *mmu = s->cpu->v.mmu;
    unsigned first = (unsigned)MIN((uint64_t)s->size, PAGE - to % PAGE);
    gpa low = 0, high = 0;
    uint32_t value;
    bool ok_low = mmu_physical(mmu, to, MMU_WRITE, s->user, &low), ok_high = false;

    if (first < s->size)
        ok_high = mmu_physical(mmu, to + first, MMU_WRITE, s->user, &high);
    value = x86_port_read(s->cpu, port, s->size);
    if (ok_low)
        memory_write(s->cpu->v.memory, low, &value, first);
    if (ok_high)
        memory_write(s->cpu->v.memory, high, (uint8_t *)&value + first, s->size - first);
}

static bool step_ins(struct string *s)
{
    uint16_t port = (uint16_t)s->cpu->gpr[RDX];
    uint64_t to;
    uint8_t *dest;

    x86_check_io(s->cpu, port, s->size);
    to = operand(s, SEG_ES, RDI, true);
    dest = host_range(s, to, MMU_WRITE);
    if (!dest) {
        s->n = 1;
        input_slowly(s, to, port);
    }
    for (uint64_t i = 0; dest && i < s->n; i++)
        store_element(s, element(s, dest, i), x86_port_read(s->cpu, port, s->size));
    watch(s, to, true);
    return string_close(s, s->n, false);
}

static bool step_outs(struct string *s)
{
    uint16_t port = (uint16_t)s->cpu->gpr[RDX];
    uint64_t from;
    uint8_t *source;

    x86_check_io(s->cpu, port, s->size);
    from = operand(s, s->segment, RSI, false);
    source = host_range(s, from, MMU_READ);
    if (!source) {
        s->n = 1;
        x86_port_write(s->cpu, port, s->size, (uint32_t)mmu_load(s->cpu->v.mmu, from, s->memop));
    }
    for (uint64_t i = 0; source && i < s->n; i++)
        x86_port_write(s->cpu, port, s->size, (uint32_t)load_element(s, element(s, source, i)));
    watch(s, from, false);
    return string_close(s, s->n, false);
}

/* 1: the instruction is complete. */
static uint32_t string_step(struct x86_cpu *cpu, uint32_t what)
{
    static bool (*const steps[])(struct string * s) = {
        [MOVS] = step_movs, [STOS] = step_stos, [LODS] = step_lods, [CMPS] = step_cmps,
        [SCAS] = step_scas, [INS] = step_ins,   [OUTS] = step_outs,
    };
    struct string s = string_open(cpu, what);

    return !s.count || steps[s.kind](&s);
}

static const struct ir_helper helper_string_step =
    IR_HELPER(string_step, IR_I32, 1, HELPER_MAY_FAULT, GROUP_ALL, GROUP_GPRS | GROUP_STATUS);

static enum repeat repeat_of(const struct x86_insn *insn)
{
    return !insn->rep ? ONCE : insn->rep == 0xf3 ? WHILE_EQUAL : WHILE_DIFFERENT;
}

static ir_ref string_helper(struct xlat *x, const struct x86_insn *insn, enum string_kind kind,
                            unsigned size)
{
    uint32_t what = kind << KIND | (uint32_t)__builtin_ctz(size) << SIZE |
                    (uint32_t)__builtin_ctz(insn->address_size) << ADDRESS |
                    (uint32_t)insn->segment << SEGMENT | (uint32_t)repeat_of(insn) << REPEAT;

    return ir_call(&x->b, &helper_string_step, ir_i32(&x->b, what), IR_NONE, IR_NONE, IR_NONE);
}

/* Calls the helper; if there is more to do the path goes back to this instruction. */
static bool string_call(struct xlat *x, const struct x86_insn *insn, enum string_kind kind,
                        unsigned size)
{
    struct ir_builder *b = &x->b;
    ir_ref complete = string_helper(x, insn, kind, size);
    unsigned again, next;

    if (!insn->rep)
        return true;
    again = ir_block_create(b);
    next = ir_block_create(b);
    ir_brcc(b, IR_NZ, ir_test(b, complete), next, again);
    ir_block_begin(b, again);
    x86_jump_relative(x, -(int64_t)insn->length, x86_xlat(x)->code64 ? 8 : 4);
    ir_block_begin(b, next);
    return true;
}

/* For so few elements a call takes longer than doing one inline and coming back to the instruction
 * for the next, unless segments have to be checked. */
enum { FEW = 16 };

static void string_repeat(struct xlat *x, const struct x86_insn *insn, enum string_kind kind,
                          unsigned size, void (*once)(struct xlat *x, const struct x86_insn *insn))
{
    struct ir_builder *b = &x->b;
    unsigned address_size = insn->address_size, few, many, again, next;
    uint32_t key = x86_xlat(x)->key;
    ir_ref count;

    if (key & (KEY_TRACE | KEY_DATA_BREAK) || !(key & (KEY_CODE64 | KEY_DATA_FLAT))) {
        string_call(x, insn, kind, size);
        return;
    }
    few = ir_block_create(b);
    many = ir_block_create(b);
    again = ir_block_create(b);
    next = ir_block_create(b);
    count = x86_address_register(x, RCX, address_size);
    count = x86_wrap_address(x, ir_bin_i(b, IR_SUB, count, 1), address_size);
    ir_brcc(b, IR_C, ir_compare(b, count, x86_address_constant(x, FEW)), few, many);
    ir_block_begin(b, few);
    once(x, insn);
    count = x86_address_register(x, RCX, address_size);
    count = x86_wrap_address(x, ir_bin_i(b, IR_SUB, count, 1), address_size);
    x86_set_address_register(x, RCX, address_size, count);
    ir_brcc(b, IR_Z, ir_test(b, count), next, again);
    ir_block_begin(b, many);
    ir_brcc(b, IR_NZ, ir_test(b, string_helper(x, insn, kind, size)), next, again);
    ir_block_begin(b, again);
    x86_jump_relative(x, -(int64_t)insn->length, x86_xlat(x)->code64 ? 8 : 4);
    ir_block_begin(b, next);
}

/* ---- handlers -------------------------------------------------------------------------------- */

static void movs_once(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand[0].size;
    ir_ref from = source_linear(x, insn, size), to = dest_linear(x, insn, size, true), step;

    x86_store(x, to, 0, size, x86_load(x, from, 0, size));
    step = step_of(x, size);
    advance(x, insn, RSI, step);
    advance(x, insn, RDI, step);
}

/* MOVS m, m */
bool trans_string_movs(struct xlat *x, const struct x86_insn *insn)
{
    if (insn->rep)
        string_repeat(x, insn, MOVS, insn->operand[0].size, movs_once);
    else
        movs_once(x, insn);
    return true;
}

static void stos_once(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand[0].size;

    x86_store(x, dest_linear(x, insn, size, true), 0, size, x86_read_low(x, insn, 1));
    advance(x, insn, RDI, step_of(x, size));
}

/* STOS m */
bool trans_string_stos(struct xlat *x, const struct x86_insn *insn)
{
    if (insn->rep)
        string_repeat(x, insn, STOS, insn->operand[0].size, stos_once);
    else
        stos_once(x, insn);
    return true;
}

/* LODS m */
bool trans_string_lods(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand[0].size;
    ir_ref value;

    if (insn->rep)
        return string_call(x, insn, LODS, size);
    value = x86_load(x, source_linear(x, insn, size), 0, size);
    x86_write(x, insn, 0, value);
    advance(x, insn, RSI, step_of(x, size));
    return true;
}

/* CMPS m, m */
bool trans_string_cmps(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand[0].size;
    ir_ref a, c, step;

    if (insn->rep)
        return string_call(x, insn, CMPS, size);
    a = x86_load(x, source_linear(x, insn, size), 0, size);
    c = x86_load(x, dest_linear(x, insn, size, false), 0, size);
    set_flags_of_difference(x, size, a, c);
    step = step_of(x, size);
    advance(x, insn, RSI, step);
    advance(x, insn, RDI, step);
    return true;
}

/* SCAS m */
bool trans_string_scas(struct xlat *x, const struct x86_insn *insn)
{
    unsigned size = insn->operand[0].size;
    ir_ref seen;

    if (insn->rep)
        return string_call(x, insn, SCAS, size);
    seen = x86_load(x, dest_linear(x, insn, size, false), 0, size);
    set_flags_of_difference(x, size, x86_read_low(x, insn, 0), seen);
    advance(x, insn, RDI, step_of(x, size));
    return true;
}

/* INS m, DX */
bool trans_string_ins(struct xlat *x, const struct x86_insn *insn)
{
    return string_call(x, insn, INS, insn->operand[0].size);
}

/* OUTS DX, m */
bool trans_string_outs(struct xlat *x, const struct x86_insn *insn)
{
    return string_call(x, insn, OUTS, insn->operand[1].size);
}
