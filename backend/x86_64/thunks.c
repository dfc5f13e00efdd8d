/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The backend's own code, generated once: entering and leaving generated code,
 * looking code up, the front half of every slow path.
 */
#include "backend/x86_64/x86_64.h"

static const uint8_t callee_saved[] = {RBX, RBP, R12, R13, R14, R15};
/* Saved by the slow path for the side tables; those C preserves need no
 * reloading unless they are the access's result, which may be any. */
static const uint8_t scratch_saved[] = {RAX, RCX, RDX, RBX, RSI, RDI, R8,
                                        R9,  R10, R11, R12, R13, R14};

static struct mem run_at(const struct backend_state *s, size_t offset)
{
    return mem_at(RBP, (int32_t)offset - s->bias);
}
#define RUN(field) run_at(s, offsetof(struct run_state, field))

static const uint8_t *begin(struct assembler *a)
{
    emit_nops(a, -(uintptr_t)a->p & 15);
    return (const uint8_t *)asm_here(a);
}

static void store_imm32(struct assembler *a, struct mem m, uint32_t value)
{
    emit_rm_imm(a, 0xc7, 0, m, 4);
    put32(a, value);
}

static void pinned_move(struct assembler *a, const struct backend_state *s, uint32_t mask,
                        bool store)
{
    for (unsigned i = 0; i < s->n_pinned; i++) {
        unsigned reg = s->pinned[i].reg;
        if (!(mask >> reg & 1))
            continue;
        if (store)
            emit_store(a, s->pinned[i].w, mem_at(RBP, s->pinned[i].disp), reg);
        else
            emit_load(a, s->pinned[i].w, reg, mem_at(RBP, s->pinned[i].disp));
    }
}

static void call_c(struct assembler *a, void (*function)(void))
{
    emit_mov_imm(a, RAX, (uint64_t)function);
    emit_rr(a, 0xff, 2, RAX);
}

static void emit_enter(struct assembler *a, struct backend_state *s)
{
    s->thunk.enter = begin(a);
    for (unsigned i = 0; i < sizeof(callee_saved); i++) {
        if (callee_saved[i] >= 8)
            put8(a, 0x41);
        put8(a, 0x50 | (callee_saved[i] & 7));
    }
    emit_alu_ri(a, OP_W, ALU_SUB, RSP, FRAME_BYTES);
    emit_lea(a, OP_W, RBP, mem_at(RDI, s->bias));
    emit_rm(a, 0xae | OP_0F, 3, mem_at(RSP, FRAME_HOST_MXCSR)); /* stmxcsr */
    emit_mov_rr(a, OP_W, RAX, RSI);
    emit_store(a, OP_W, RUN(host_sp), RSP);
    emit_load(a, OP_W, R15, RUN(tlb));
    emit_rm(a, 0xae | OP_0F, 2, RUN(mxcsr)); /* ldmxcsr */
    pinned_move(a, s, ~0u, false);
    emit_rr(a, 0xff, 4, RAX);
}

static void emit_leave(struct assembler *a, struct backend_state *s)
{
    s->thunk.leave = begin(a);
    pinned_move(a, s, ~0u, true);
    s->thunk.leave_raised = (const uint8_t *)asm_here(a);
    emit_rm(a, 0xae | OP_0F, 3, RUN(mxcsr));
    emit_rm(a, 0xae | OP_0F, 2, mem_at(RSP, FRAME_HOST_MXCSR));
    emit_load(a, 0, RAX, RUN(exit_reason));
    emit_rm_imm(a, 0xc7 | OP_W, 0, RUN(host_sp), 4);
    put32(a, 0);
    emit_alu_ri(a, OP_W, ALU_ADD, RSP, FRAME_BYTES);
    for (unsigned i = sizeof(callee_saved); i-- > 0;) {
        if (callee_saved[i] >= 8)
            put8(a, 0x41);
        put8(a, 0x58 | (callee_saved[i] & 7));
    }
    put8(a, 0xc3);
}

static void leave_with(struct assembler *a, struct backend_state *s, enum exit_reason reason)
{
    store_imm32(a, RUN(exit_reason), reason);
    emit_jmp_to(a, s->thunk.leave);
}

void emit_exec_entry(struct assembler *a, const struct backend_state *s, unsigned dst, unsigned pc)
{
    if (!s->env.wide_address) {
        emit_shift_i(a, 0, SHIFT_SHR, pc, TLB_PAGE_BITS);
        emit_load(a, 0, dst, mem_index(R15, pc, 2, TLB_EXEC));
        return;
    }
    emit_shift_i(a, OP_W, SHIFT_SHL, pc, 64 - TLB_WIDE_BITS);
    emit_shift_i(a, OP_W, SHIFT_SHR, pc, 64 - TLB_WIDE_INDEX_BITS);
    emit_rr(a, 0xba | OP_0F | OP_W, 5, pc); /* bts: where the exec part begins, in entries */
    put8(a, TLB_WIDE_EXEC_BIT - 2);
    emit_load(a, 0, dst, mem_index(R15, pc, 2, 0));
}

/* rax = pc, ecx = key: rdx = the jump cache entry, which agrees; else to the
 * fields in miss[]. */
static void emit_probe_cache(struct assembler *a, struct backend_state *s, uint8_t *miss[4])
{
    emit_mov_rr(a, 0, RDX, RAX);
    emit_shift_i(a, 0, SHIFT_SHR, RDX, 1);
    emit_mov_rr(a, 0, RSI, RAX);
    emit_shift_i(a, 0, SHIFT_SHR, RSI, 13);
    emit_alu_rr(a, 0, ALU_XOR, RDX, RSI);
    emit_alu_rr(a, 0, ALU_XOR, RDX, RCX);
    emit_alu_ri(a, 0, ALU_AND, RDX, JUMP_CACHE_SIZE - 1);
    emit_shift_i(a, 0, SHIFT_SHL, RDX, 5);
    emit_alu_rm(a, OP_W, ALU_ADD, RDX, RUN(jump_cache));
    emit_alu_rm(a, OP_W, ALU_CMP, RAX, mem_at(RDX, offsetof(struct jump_cache_entry, pc)));
    miss[0] = emit_jcc(a, CC_NE);
    emit_alu_rm(a, 0, ALU_CMP, RCX, mem_at(RDX, offsetof(struct jump_cache_entry, key)));
    miss[1] = emit_jcc(a, CC_NE);
    emit_mov_rr(a, OP_W, RSI, RAX);
    emit_exec_entry(a, s, RSI, RSI);
    emit_alu_rm(a, 0, ALU_CMP, RSI, mem_at(RDX, offsetof(struct jump_cache_entry, page)));
    miss[2] = emit_jcc(a, CC_NE);
    emit_test_rr(a, 0, RSI, RSI);
    miss[3] = emit_jcc(a, CC_E);
}

static void bind_all(struct assembler *a, uint8_t **fields, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        bind_here(a, fields[i]);
}

/* Calls function(run, rsi, rdx), which returns code or NULL, and goes there. */
static void emit_call_and_go(struct assembler *a, struct backend_state *s, void (*function)(void))
{
    pinned_move(a, s, CALLER_SAVED_PINNED, true);
    emit_lea(a, OP_W, RDI, mem_at(RBP, -s->bias));
    call_c(a, function);
    pinned_move(a, s, CALLER_SAVED_PINNED, false);
    emit_test_rr(a, OP_W, RAX, RAX);
    uint8_t *missing = emit_jcc_short(a, CC_E);
    emit_rr(a, 0xff, 4, RAX);
    bind_short(a, missing);
    leave_with(a, s, EXIT_LOOKUP_MISS);
}

static void emit_lookup(struct assembler *a, struct backend_state *s)
{
    uint8_t *miss[4];
    s->thunk.lookup = begin(a);
    emit_load(a, OP_W, R15, RUN(tlb));
    emit_alu_mi(a, 0, ALU_CMP, RUN(exit_request), 0);
    uint8_t *requested = emit_jcc(a, CC_NE);
    emit_load(a, OP_W, RAX, RUN(pc));
    emit_load(a, 0, RCX, RUN(key));
    emit_probe_cache(a, s, miss);
    emit_rm(a, 0xff, 4, mem_at(RDX, offsetof(struct jump_cache_entry, code)));
    bind_all(a, miss, 4);
    emit_call_and_go(a, s, (void (*)(void))s->env.slow.lookup);
    bind_here(a, requested);
    leave_with(a, s, EXIT_REQUESTED);
}

/* rax = pc, ecx = key, rdx = inline slot. */
static void emit_indirect(struct assembler *a, struct backend_state *s)
{
    uint8_t *miss[4];
    s->thunk.indirect = begin(a);
    emit_store(a, OP_W, RUN(pc), RAX);
    emit_store(a, 0, RUN(key), RCX);
    emit_store(a, OP_W, mem_at(RSP, FRAME_SLOT), RDX);
    emit_rm(a, 0xff, 1, mem_at(RDX, offsetof(struct inline_slot, patience))); /* dec */
    uint8_t *refill = emit_jcc_short(a, CC_S);
    emit_probe_cache(a, s, miss);
    emit_rm(a, 0xff, 4, mem_at(RDX, offsetof(struct jump_cache_entry, code)));
    bind_all(a, miss, 4);
    bind_short(a, refill);
    emit_load(a, OP_W, RSI, mem_at(RSP, FRAME_SLOT));
    emit_mov_imm(a, RDX, (uint64_t)s);
    emit_call_and_go(a, s, (void (*)(void))x86_indirect_fill);

    s->thunk.poll_indirect = begin(a);
    emit_store(a, OP_W, RUN(pc), RAX);
    emit_store(a, 0, RUN(key), RCX);
    leave_with(a, s, EXIT_REQUESTED);
}

/* rcx = struct exit_data: run.pc and run.key from it. */
static void emit_take_pc(struct assembler *a, struct backend_state *s)
{
    emit_load(a, OP_W, RAX, mem_at(RCX, offsetof(struct exit_data, pc)));
    emit_store(a, OP_W, RUN(pc), RAX);
    emit_load(a, 0, RAX, mem_at(RCX, offsetof(struct exit_data, key)));
    emit_store(a, 0, RUN(key), RAX);
}

/* The three stubs of a chained exit: poll, guard, link, each a call to one of
 * these. */
static void emit_exit_thunks(struct assembler *a, struct backend_state *s)
{
    s->thunk.link = begin(a);
    put8(a, 0x59); /* pop rcx */
    const uint8_t *link_popped = (const uint8_t *)asm_here(a);
    emit_take_pc(a, s);
    emit_alu_ri(a, OP_W, ALU_SUB, RCX, STUB_CALL_BYTES);
    emit_store(a, OP_W, RUN(link_site), RCX);
    leave_with(a, s, EXIT_LINK);

    /* The guard fails too while the site is unlinked: then link it. */
    s->thunk.guard = begin(a);
    put8(a, 0x59);
    emit_mov_rr(a, OP_W, RSI, RCX); /* the link stub */
    emit_alu_ri(a, OP_W, ALU_ADD, RCX, STUB_CALL_BYTES);
    emit_rm(a, 0x63 | OP_W, RAX, mem_at(RCX, offsetof(struct exit_data, jump))); /* movsxd */
    emit_alu_rr(a, OP_W, ALU_ADD, RAX, RCX);
    emit_rm(a, 0x63 | OP_W, RDX, mem_at(RAX, 0));
    emit_lea(a, OP_W, RDX, mem_index(RAX, RDX, 0, 4));
    emit_alu_rr(a, OP_W, ALU_CMP, RDX, RSI);
    emit_jcc_to(a, CC_E, link_popped);
    emit_take_pc(a, s);
    emit_jmp_to(a, s->thunk.lookup);

    s->thunk.poll_exit = begin(a);
    put8(a, 0x59);
    emit_alu_ri(a, OP_W, ALU_ADD, RCX, 2 * STUB_CALL_BYTES);
    emit_take_pc(a, s);
    leave_with(a, s, EXIT_REQUESTED);

    s->thunk.poll_loop = begin(a);
    put8(a, 0x59);
    emit_take_pc(a, s);
    leave_with(a, s, EXIT_REQUESTED);
}

static void emit_slow(struct assembler *a, struct backend_state *s, bool xmm)
{
    const uint8_t *start = begin(a);
    size_t scratch = offsetof(struct run_state, fault_scratch);
    if (xmm)
        s->thunk.slow_xmm = start;
    else
        s->thunk.slow = start;
    for (unsigned i = 0; i < sizeof(scratch_saved); i++)
        emit_store(a, OP_W, run_at(s, scratch + scratch_saved[i] * 8), scratch_saved[i]);
    for (unsigned i = 0; xmm && i < 16; i++)
        emit_sse_rm(a, 0x11 | OP_0F, i, run_at(s, scratch + 128 + i * 16)); /* movups */
    emit_load(a, OP_W, RSI, mem_at(RSP, 0));
    emit_lea(a, OP_W, RDI, mem_at(RBP, -s->bias));
    emit_mov_imm(a, RDX, (uint64_t)s);
    emit_alu_ri(a, OP_W, ALU_SUB, RSP, 8);
    call_c(a, (void (*)(void))x86_slow_access);
    emit_alu_ri(a, OP_W, ALU_ADD, RSP, 8);
    for (unsigned i = 0; i < sizeof(scratch_saved); i++)
        emit_load(a, OP_W, scratch_saved[i], run_at(s, scratch + scratch_saved[i] * 8));
    for (unsigned i = 0; xmm && i < 16; i++)
        emit_sse_rm(a, 0x10 | OP_0F, i, run_at(s, scratch + 128 + i * 16));
    put8(a, 0xc3);
}

bool thunks_create(struct backend_state *s, struct error *err)
{
    if (s->env.thunks.end - s->env.thunks.write < 8192)
        return error_set(err, "no room for the code generator's own code");
    struct assembler a = {.p = s->env.thunks.write,
                          .exec_offset = s->env.thunks.exec - s->env.thunks.write,
                          .avx = s->features & HOST_AVX};
    emit_enter(&a, s);
    emit_leave(&a, s);
    emit_lookup(&a, s);
    emit_indirect(&a, s);
    emit_exit_thunks(&a, s);
    emit_slow(&a, s, false);
    emit_slow(&a, s, true);
    emit_x87_thunk(&a, s);
    return true;
}

enum exit_reason x86_enter(struct backend_state *s, struct run_state *run, const void *code)
{
    unsigned (*enter)(struct run_state *, const void *) =
        (unsigned (*)(struct run_state *, const void *))(uintptr_t)s->thunk.enter;
    return (enum exit_reason)enter(run, code);
}

NORETURN void x86_unwind(struct backend_state *s, struct run_state *run, enum exit_reason reason)
{
    run->exit_reason = reason;
    char *base = (char *)run + s->bias;
    const void *leave = s->thunk.leave_raised;
    void *stack = run->host_sp;
    /* The frames between are C functions that own nothing on their stacks. */
    __asm__ volatile("movq %0, %%rsp\n\tmovq %1, %%rbp\n\tjmp *%2" ::"a"(stack), "d"(base),
                     "c"(leave)
                     : "memory");
    __builtin_unreachable();
}
