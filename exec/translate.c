/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The translation driver: asks the guest for one instruction after the other, closes the open path,
 * runs the passes and hands the unit to the backend.
 *
 * An instruction that reaches into the next page is a unit of its own. That unit begins with a
 * check that the next virtual page still is the physical page its tail was read from.
 */
#include "exec/exec.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "util/bits.h"
#include "util/monotonic.h"

enum { MAX_TRIES = 40, MIN_EMIT_BYTES = 4096, MAX_AHEAD = 32, COPY_BYTES = 256 };

/* A branch of the unit to an instruction that may yet become part of it. */
struct ahead {
    uint64_t pc;
    uint32_t key;
    unsigned block; /* that ends with the branch */
};

struct translation {
    struct xlat x;
    struct engine *engine;
    gpa physical;
    gpa second;          /* or NO_SECOND_PAGE */
    const uint8_t *page; /* where start_pc's is in the host */
    const uint8_t *second_page;
    uint64_t generation, second_generation;
    bool alone; /* for a single step: not to be entered */
    struct ahead ahead[MAX_AHEAD];
    unsigned n_ahead;
    /* What the unit is made from. A device may store into the page meanwhile: the unit's bytes must
     * be those that were looked at. */
    uint8_t code[TLB_PAGE_SIZE];
    unsigned code_end; /* the copy is from start_pc's offset up to here */
    bool closes_loop;  /* the last instruction may branch back, but not to the unit's start */
    bool measured;
    uint64_t lap_ns; /* measured: when the current part began */
};

static uint64_t pc_wrap(const struct exec *exec, uint64_t pc)
{
    return exec->guest->wide_address ? pc : (uint32_t)pc;
}

/* ---- code bytes ------------------------------------------------------------------------------ */

/* Code that lies where no memory is. */
static NORETURN void raise_external(struct vcpu *cpu, uint64_t va)
{
    struct mmu_fault fault = {.address = va, .access = MMU_EXEC, .external = true};

    log_printf(LOG_GUEST_ERROR, "no memory to fetch code from at 0x%08" PRIx64 "\n", va);
    cpu->guest->mmu->fault(cpu, &fault);
}

static const uint8_t *fetch_page(struct translation *t, uint64_t va, gpa *physical,
                                 uint64_t *generation)
{
    struct vcpu *cpu = t->engine->cpu;
    const uint8_t *host = mmu_fetch(cpu->mmu, va, physical, false);

    if (!host)
        raise_external(cpu, va);
    /* The page is watched before a byte of it is read. */
    *generation = cache_page_prepare(t->engine->exec, *physical & ~(gpa)PAGE_MASK);
    return host;
}

/* () at the start of a unit whose instruction crosses: is its tail still there? */
static void check_second_page(void *opaque, uint32_t tag, uint64_t va)
{
    struct vcpu *cpu = opaque;
    gpa physical;

    if (LIKELY(exec_tag(cpu, va) == tag))
        return;
    if (mmu_fetch(cpu->mmu, va, &physical, true) && TLB_EXEC_TAG(physical) == tag)
        return;
    engine_restart_unit(cpu);
}

static const struct ir_helper helper_check_second_page =
    IR_HELPER(check_second_page, IR_VOID, 2, HELPER_MAY_FAULT, 0, 0);

/* Opens the next page for the tail of the unit's first instruction. */
static void second_page_open(struct translation *t)
{
    struct ir_builder *b = &t->x.b;
    const struct ir_insn *last = &b->unit->insns[b->unit->n_insns - 1];
    uint64_t va = pc_wrap(t->engine->exec, (t->x.start_pc | PAGE_MASK) + 1);

    t->second_page = fetch_page(t, va, &t->second, &t->second_generation);
    t->x.crossed = true;
    if (last->op != IR_INSN || last->imm != t->x.pc)
        ir_insn(b, t->x.pc, 0);
    ir_call(b, &helper_check_second_page, ir_i32(b, TLB_EXEC_TAG(t->second)), ir_i64(b, va),
            IR_NONE, IR_NONE);
}

static void copy_code(struct translation *t, unsigned end)
{
    end = MIN(MAX(end, t->code_end + COPY_BYTES), (unsigned)TLB_PAGE_SIZE);
    memcpy(t->code + t->code_end, t->page + t->code_end, end - t->code_end);
    t->code_end = end;
}

/* Offset from the beginning of the unit's page. */
static uint64_t code_offset(const struct translation *t, uint64_t va)
{
    return pc_wrap(t->engine->exec, va - (t->x.start_pc & ~(uint64_t)PAGE_MASK));
}

const uint8_t *xlat_bytes(struct xlat *x, uint64_t va, unsigned size)
{
    struct translation *t = CONTAINER_OF(x, struct translation, x);
    uint64_t offset = code_offset(t, va);

    if (UNLIKELY(offset + size > TLB_PAGE_SIZE))
        return NULL;
    if (UNLIKELY(offset + size > t->code_end))
        copy_code(t, (unsigned)offset + size);
    return t->code + offset;
}

bool xlat_fetch(struct xlat *x, uint64_t va, unsigned size, void *out)
{
    struct translation *t = CONTAINER_OF(x, struct translation, x);
    const uint8_t *bytes = xlat_bytes(x, va, size);
    uint64_t offset;
    unsigned first;

    if (LIKELY(bytes != NULL)) {
        memcpy(out, bytes, size);
        return true;
    }
    offset = code_offset(t, va);
    if (x->n_insns || offset + size > 2 * TLB_PAGE_SIZE)
        return false;
    first = offset >= TLB_PAGE_SIZE ? 0 : TLB_PAGE_SIZE - (unsigned)offset;
    if (first)
        memcpy(out, xlat_bytes(x, va, first), first);
    if (!t->second_page)
        second_page_open(t);
    memcpy((uint8_t *)out + first, t->second_page + (offset + first - TLB_PAGE_SIZE), size - first);
    return true;
}

uint16_t xlat_fetch16(struct xlat *x, uint64_t va, bool *ok)
{
    const uint8_t *bytes = xlat_bytes(x, va, 2);
    uint8_t parts[2] = {0};

    *ok = bytes || xlat_fetch(x, va, sizeof(parts), parts);
    return load_le16(bytes ? bytes : parts);
}

uint32_t xlat_fetch32(struct xlat *x, uint64_t va, bool *ok)
{
    const uint8_t *bytes = xlat_bytes(x, va, 4);
    uint8_t parts[4] = {0};

    *ok = bytes || xlat_fetch(x, va, sizeof(parts), parts);
    return load_le32(bytes ? bytes : parts);
}

/* ---- from guest code to IR ------------------------------------------------------------------- */

/* Jumps to the unit's own start become loops; whatever may loop polls. */
static void finish_exits(struct translation *t, struct ir_unit *unit)
{
    for (unsigned i = 0; i < unit->n_blocks; i++) {
        struct ir_insn *last = &unit->insns[unit->blocks[i].last];
        uint64_t from = unit->pc;

        if (last->op != IR_EXIT_JUMP)
            continue;
        for (unsigned k = unit->blocks[i].last; k >= unit->blocks[i].first; k--) {
            if (unit->insns[k].op == IR_INSN) {
                from = unit->insns[k].imm;
                break;
            }
        }
        if (last->imm == unit->pc && last->aux == unit->key && !t->alone) {
            last->op = IR_BR;
            last->aux = 0;
            last->sub = IR_POLL;
        } else if (last->imm <= from) {
            last->sub |= IR_POLL;
        }
    }
}

/* Notes where the block's end leads. Who leaves for the very next instruction (ARM's ISB) wants to
 * leave: code may have changed. */
static void note_branch(struct translation *t, unsigned block)
{
    const struct ir_unit *unit = t->x.b.unit;
    const struct ir_insn *end = &unit->insns[unit->blocks[block].last];

    if (!unit->blocks[block].last || end->op != IR_EXIT_JUMP)
        return;
    if (end->imm > t->x.pc && !(end->sub & IR_POLL) && t->n_ahead < MAX_AHEAD)
        t->ahead[t->n_ahead++] = (struct ahead){.pc = end->imm, .key = end->aux, .block = block};
    else if (end->imm < t->x.pc && end->imm != unit->pc)
        t->closes_loop = true;
}

/* Has the block of this branch nothing but the branch? Then who tests for it may go on at once. */
static void branch_to(struct ir_unit *unit, unsigned from, unsigned to)
{
    struct ir_insn *end = &unit->insns[unit->blocks[from].last];
    unsigned first = unit->blocks[from].first;
    struct ir_insn *test = &unit->insns[first - 1];

    end->op = IR_BR;
    end->aux = to;
    end->imm = 0;
    if (unit->blocks[from].last == first + 1 && unit->insns[first].op == IR_INSN &&
        test->op == IR_BRCC && test->aux == from)
        test->aux = to;
}

/* Branches to the instruction that comes next stay in the unit: it begins a block. A unit that has
 * both ways of a branch need not be made again for the way that was not foreseen. True if there is
 * such a branch. */
static bool join_branches(struct translation *t)
{
    struct xlat *x = &t->x;
    unsigned block = IR_NO_BLOCK, left = 0;

    for (unsigned i = 0; i < t->n_ahead; i++) {
        const struct ahead *a = &t->ahead[i];

        if (a->pc != x->pc || a->key != x->key) {
            if (a->pc > x->pc)
                t->ahead[left++] = *a;
            continue;
        }
        if (block == IR_NO_BLOCK) {
            block = ir_block_create(&x->b);
            ir_block_begin(&x->b, block);
            if (x->b.overflow)
                return true;
        }
        branch_to(x->b.unit, a->block, block);
    }
    t->n_ahead = left;
    return block != IR_NO_BLOCK;
}

/* Instructions that have stored into their own unit before are units of their own: they need not be
 * started again then, and what they change lies in others. */
static bool stands_apart(struct engine *engine, uint64_t pc)
{
    return *self_store_slot(engine, pc) == pc && pc;
}

/* ---- -d accesses ----------------------------------------------------------------------------- */

static void count_accesses(void *opaque, uint32_t n)
{
    vcpu_engine(opaque)->counters.n[COUNT_ACCESSES] += n;
}

static const struct ir_helper helper_count_accesses =
    IR_HELPER(count_accesses, IR_VOID, 1, 0, 0, 0);

/* A call before the next instruction, with a number that accesses_count fills in. */
static ir_ref accesses_begin(struct ir_builder *b)
{
    ir_ref number = ir_i32(b, 0);

    ir_call(b, &helper_count_accesses, number, IR_NONE, IR_NONE, IR_NONE);
    return b->overflow ? IR_NONE : number;
}

static void accesses_count(struct ir_unit *unit, ir_ref number)
{
    struct ir_insn *at = &unit->insns[number];

    if (number == IR_NONE)
        return;
    for (unsigned i = number + 2; i < unit->n_insns; i++) {
        unsigned op = unit->insns[i].op;
        at->imm +=
            op == IR_LOAD || op == IR_STORE || op == IR_PROBE || op == IR_CAS || op == IR_RMW;
    }
    if (!at->imm)
        at[0] = at[1] = (struct ir_insn){.op = IR_NOP};
}

/* ---- instructions ---------------------------------------------------------------------------- */

/* The guest's next instruction. False: the unit ends before it. */
static bool translate_insn(struct translation *t, enum xlat_next *next)
{
    struct xlat *x = &t->x;
    unsigned open = x->b.block, n_blocks = x->b.unit->n_blocks;
    ir_ref accesses = log_on(LOG_ACCESSES) ? accesses_begin(&x->b) : IR_NONE;

    *next = t->engine->exec->guest->translate(x);
    accesses_count(x->b.unit, accesses);
    if (*next == XLAT_TRUNCATE || x->b.overflow)
        return false;
    x->n_insns++;
    note_branch(t, open);
    for (unsigned block = n_blocks; block < x->b.unit->n_blocks; block++)
        note_branch(t, block);
    return true;
}

/* One attempt; false: the unit got too large, *max_insns says how long the next one may be. */
static bool build(struct translation *t, unsigned *max_insns)
{
    struct engine *engine = t->engine;
    struct exec *exec = engine->exec;
    struct xlat *x = &t->x;
    enum xlat_next next;
    struct ir_unit *unit;

    arena_reset(&engine->arena);
    unit = ir_unit_create(&engine->arena, exec->guest->fields, exec->guest->n_fields);
    ir_builder_begin(&x->b, unit);
    unit->pc = x->pc = x->start_pc;
    unit->key = x->key = engine->cpu->run.key;
    unit->fp = exec->guest->fp;
    unit->wide_address = exec->guest->wide_address;
    x->n_insns = 0;
    x->crossed = false;
    x->guest_data = arena_zalloc(&engine->arena, exec->guest->xlat_size);
    t->second = NO_SECOND_PAGE;
    t->second_page = NULL;
    t->code_end = x->start_pc & PAGE_MASK;
    t->n_ahead = 0;
    t->closes_loop = false;
    while (translate_insn(t, &next)) {
        bool path_ended = next == XLAT_END;

        if (stands_apart(engine, x->b.insn_pc) || stands_apart(engine, x->pc))
            break;
        /* A loop is entered at its own start from now on: what follows it will follow there. */
        if (x->n_insns >= *max_insns || t->closes_loop ||
            x->pc - x->start_pc >= TLB_PAGE_SIZE - (x->start_pc & PAGE_MASK) ||
            engine_has_breakpoint(engine, x->pc) || (path_ended && x->b.block != IR_NO_BLOCK))
            break;
        if (!(t->n_ahead && join_branches(t)) && path_ended)
            break;
    }
    if (!x->n_insns)
        BUG("no instruction translated at 0x%" PRIx64, x->start_pc);
    if (x->b.block != IR_NO_BLOCK)
        ir_exit_jump(&x->b, pc_wrap(exec, x->pc), x->key, false);
    if (x->b.overflow) {
        *max_insns = MAX(x->n_insns / 2, 1);
        return false;
    }
    ir_builder_end(&x->b);
    unit->guest_bytes = (uint32_t)(x->pc - x->start_pc);
    unit->n_guest_insns = x->n_insns;
    finish_exits(t, unit);
    return true;
}

/* ---- logs ------------------------------------------------------------------------------------ */

void unit_log_guest_code(struct engine *engine, uint64_t pc, uint32_t key, unsigned bytes,
                         FILE *out)
{
    const struct guest *guest = engine->exec->guest;
    uint8_t code[TLB_PAGE_SIZE + LONGEST_INSN];
    unsigned done = 0;
    char text[160];

    bytes = MIN(bytes, (unsigned)sizeof(code));
    while (done < bytes) {
        unsigned length;

        /* What is mapped now is what has just been translated. */
        if (!done && !mmu_peek(engine->cpu->mmu, pc, code, bytes, false) &&
            !mmu_peek(engine->cpu->mmu, pc, code, bytes, true)) {
            fprintf(out, "0x%08" PRIx64 ":  (not readable)\n", pc);
            return;
        }
        length = guest->disassemble ? guest->disassemble(code + done, bytes - done, pc + done, key,
                                                         text, sizeof(text))
                                    : 0;
        if (!length)
            return;
        fprintf(out, "0x%08" PRIx64 ":  %s\n", pc + done, text);
        done += length;
    }
}

/* Prints through log_write, which takes text only. */
static void log_with(const char *title, void (*print)(FILE *out, const void *what),
                     const void *what)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);

    if (!out)
        return;
    print(out, what);
    fclose(out);
    log_write("%s%s\n", title, text);
    free(text);
}

static void print_ir(FILE *out, const void *unit)
{
    ir_print(out, unit);
}

static void print_guest_code(FILE *out, const void *opaque)
{
    const struct translation *t = opaque;

    unit_log_guest_code(t->engine, t->x.start_pc, t->x.b.unit->key, t->x.b.unit->guest_bytes, out);
}

struct host_code {
    const struct exec *exec;
    const struct unit *unit;
};

static void print_host_code(FILE *out, const void *opaque)
{
    const struct host_code *host = opaque;
    const uint8_t *code = host->unit->code.entry;
    size_t done = 0, size = host->unit->code.code_bytes;
    char text[160];

    while (done < size && host->exec->backend->disassemble) {
        unsigned length = host->exec->backend->disassemble(
            code + done, size - done, (uintptr_t)code + done, text, sizeof(text));

        if (!length)
            break;
        fprintf(out, "%p:  %s\n", (const void *)(code + done), text);
        done += length;
    }
}

static void log_unit(const struct translation *t, const struct unit *unit)
{
    struct host_code host = {.exec = t->engine->exec, .unit = unit};
    char title[120];

    snprintf(title, sizeof(title), "OUT: 0x%08" PRIx64 " [%zu bytes]\n", unit->pc,
             unit->code.code_bytes);
    log_with(title, print_host_code, &host);
}

/* ---- from IR to host code -------------------------------------------------------------------- */

static void improve(struct translation *t)
{
    const struct exec *exec = t->engine->exec;
    struct ir_unit *unit = t->x.b.unit;
    char why[200];

    if (log_on(LOG_IN_ASM))
        log_with("IN:\n", print_guest_code, t);
    if (log_on(LOG_IR))
        log_with("IR:\n", print_ir, unit);
    if (exec->options.check && !ir_verify(unit, why, sizeof(why)))
        BUG("unit at 0x%" PRIx64 ": %s", unit->pc, why);
    if (!exec->options.no_optimise)
        ir_optimise(unit, exec->options.check);
    ir_lower(unit, exec->backend->supports);
    if (exec->options.check && !ir_verify(unit, why, sizeof(why)))
        BUG("unit at 0x%" PRIx64 " after lowering: %s", unit->pc, why);
    if (log_on(LOG_IR_OPT))
        log_with("IR, optimised:\n", print_ir, unit);
}

/* Emits into the current region, or the next if that is full. Lock held. */
static enum emit_result emit(struct translation *t, struct unit **out)
{
    struct exec *exec = t->engine->exec;
    const struct ir_unit *ir = t->x.b.unit;

    for (;;) {
        struct code_buf buf = cache_room(exec);
        struct unit_code code = {0};
        enum emit_result result = EMIT_NO_SPACE;

        if (buf.end - buf.write >= MIN_EMIT_BYTES)
            result = exec->backend->emit_unit(exec->state, ir, &buf, &code);
        if (result == EMIT_OK) {
            const uint8_t *bytes = t->code + (t->x.start_pc & PAGE_MASK);
            struct unit *unit = unit_create(
                exec, &code, &buf, t->second == NO_SECOND_PAGE ? bytes : NULL, ir->guest_bytes);

            unit->pc = ir->pc;
            unit->key = ir->key;
            unit->physical = t->physical;
            unit->second = t->second & ~(gpa)PAGE_MASK;
            if (t->second == NO_SECOND_PAGE)
                unit->second = NO_SECOND_PAGE;
            unit->guest_bytes = (uint16_t)ir->guest_bytes;
            unit->n_insns = (uint16_t)ir->n_guest_insns;
            exec->counters.n[COUNT_GUEST_INSNS] += ir->n_guest_insns;
            exec->counters.n[COUNT_GUEST_BYTES] += ir->guest_bytes;
            *out = unit;
            return EMIT_OK;
        }
        if (result == EMIT_TOO_LONG)
            return result;
        if (!cache_next_region(exec))
            return EMIT_TOO_LONG;
    }
}

static bool still_valid(const struct translation *t)
{
    struct exec *exec = t->engine->exec;

    return cache_page_unchanged(exec, t->physical & ~(gpa)PAGE_MASK, t->generation) &&
           (t->second == NO_SECOND_PAGE ||
            cache_page_unchanged(exec, t->second & ~(gpa)PAGE_MASK, t->second_generation));
}

/* For the statistics: adds the time since the last lap to this counter. */
static void lap(struct translation *t, enum counter part)
{
    struct engine *engine = t->engine;
    uint64_t now;

    if (LIKELY(!t->measured))
        return;
    now = (uint64_t)monotonic_ns();
    engine->counters.n[part] += (now - t->lap_ns) * engine->exec->measure_every;
    t->lap_ns = now;
}

/* Emits, and enters unless what was read has changed since. Sets *result; NULL: try again. */
static struct unit *finish_unit(struct translation *t, bool last_try, enum emit_result *result)
{
    struct exec *exec = t->engine->exec;
    struct unit *unit = NULL;
    bool valid;

    *result = EMIT_OK;
    pthread_mutex_lock(&exec->lock);
    valid = t->alone || still_valid(t);
    if (valid || last_try)
        *result = emit(t, &unit);
    /* Emptying a region may have been the end of the page's other units, and so of the page. */
    valid = t->alone || (valid && still_valid(t));
    if (unit && !valid && !last_try) {
        unit_discard(exec, unit);
        unit = NULL;
    } else if (unit && !valid) {
        /* Nobody will hear of further changes: it runs up to its first poll. */
        unit_retire(exec, unit);
        vcpu_kick(t->engine->cpu);
    } else if (unit && !t->alone) {
        unit_enter(exec, unit);
    }
    pthread_mutex_unlock(&exec->lock);
    return unit;
}

struct unit *unit_translate(struct engine *engine, unsigned max_insns)
{
    struct translation t; /* not cleared: it is large */
    const struct exec *exec = engine->exec;
    struct unit *unit = NULL;

    t.engine = engine;
    t.alone = max_insns != 0;
    t.measured = exec->counters.n[COUNT_UNITS] % exec->measure_every == 0;
    t.lap_ns = t.measured ? (uint64_t)monotonic_ns() : 0;
    t.x.cpu = engine->cpu;
    t.x.start_pc = engine->cpu->run.pc;
    if (!max_insns)
        max_insns = MAX_UNIT_INSNS;
    for (unsigned tries = 0; !unit; tries++) {
        enum emit_result result;
        bool complete;

        if (tries)
            count(&engine->counters, COUNT_RETRIES);
        t.page = fetch_page(&t, t.x.start_pc, &t.physical, &t.generation);
        unit = t.alone
                   ? NULL
                   : unit_revive(engine->exec, &engine->cpu->run, t.physical, t.page, t.generation);
        if (unit)
            return unit;
        t.page -= t.x.start_pc & PAGE_MASK;
        complete = build(&t, &max_insns);
        lap(&t, COUNT_DECODE_NS);
        if (!complete)
            continue;
        improve(&t);
        lap(&t, COUNT_PASSES_NS);
        /* A device that keeps storing into the page must not keep the guest from running. */
        unit = finish_unit(&t, tries >= MAX_TRIES, &result);
        lap(&t, COUNT_EMIT_NS);
        if (result != EMIT_OK) {
            if (t.x.n_insns < 2)
                BUG("the instruction at 0x%" PRIx64 " does not fit the code cache", t.x.start_pc);
            max_insns = t.x.n_insns / 2;
        }
    }
    if (log_on(LOG_OUT_ASM))
        log_unit(&t, unit);
    if (UNLIKELY(exec->record != NULL))
        record_unit(engine->exec, unit);
    return unit;
}
