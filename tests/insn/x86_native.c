/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Instructions on the host's processor; see x86_native.h.
 *
 * The child executes INT3; the signal handler replaces the interrupted registers by a case's and
 * returns, which starts the case. What it does ends in a signal too, if only by an INT3 behind it:
 * the handler takes the registers out of the signal frame, as the kernel saved them, and puts the
 * next case's in. The kernel's code to save and restore a thread is all there is in between.
 */
#include "tests/insn/x86_native.h"

#include <asm/ldt.h>
#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <ucontext.h>
#include <unistd.h>

enum {
    ALTERNATE_STACK = 0x10000,
    XSTATE_BV = 512, /* offsets in the XSAVE area, SDM vol. 1, 13.4 */
    XSAVE_YMM = 576,
    XSAVE_MAX = 0x4000,
    PATIENCE_US = 200000,
    KERNEL_PATIENCE_S = 2, /* where the host's kernel does not come back to the case */
    PF_FETCH = 16,         /* of a page fault's error code */
};

struct exchange { /* shared by both processes */
    unsigned n;
    struct x86_case cases[NATIVE_BATCH];
    struct x86_result results[NATIVE_BATCH];
};

struct x86_native {
    pid_t pid;
    int to, from;
    struct exchange *exchange;
    int code_fd;
    bool code32, code16;
};

/* ---- the child ------------------------------------------------------------------------------- */

/* A signal handler reaches nothing else. */
static struct {
    struct exchange *exchange;
    uint8_t *code; /* writable view */
    uint8_t *data;
    bool starting, running;
    unsigned current;
    unsigned length; /* of what lies in the code area */
    size_t xsave_bytes;
    struct sigcontext own_registers;
    uint8_t own_xsave[XSAVE_MAX];
} child;

/* The general registers in a signal frame, in the order of their numbers. */
static const size_t gpr_offset[16] = {
#define AT(name) offsetof(struct sigcontext, name)
    AT(rax), AT(rcx), AT(rdx), AT(rbx), AT(rsp), AT(rbp), AT(rsi), AT(rdi),
    AT(r8),  AT(r9),  AT(r10), AT(r11), AT(r12), AT(r13), AT(r14), AT(r15),
#undef AT
};

static void load_case(struct sigcontext *m, const struct x86_case *c)
{
    uint8_t *area = (uint8_t *)m->fpstate;
    uint64_t present = 7;

    memset(child.code + (c->before.rip - CODE_BASE), FILLER, MAX_CODE);
    memcpy(child.code + (c->before.rip - CODE_BASE), c->code, c->length);
    x86_case_fill(c, child.data);
    for (unsigned i = 0; i < 16; i++)
        memcpy((char *)m + gpr_offset[i], &c->before.gpr[i], 8);
    m->rip = c->before.rip - (c->code16 ? CODE_BASE : 0);
    m->eflags = c->before.eflags;
    m->cs = c->code64 ? SELECTOR_CODE64 : c->code16 ? SELECTOR_CODE16 : SELECTOR_CODE32;
    m->__pad0 = c->code16 ? SELECTOR_DATA16 : SELECTOR_DATA; /* SS */
    __asm__ volatile("mov %0, %%ds; mov %0, %%es" ::"r"((uint32_t)m->__pad0));
    memcpy(area, c->before.legacy, LEGACY_USED);
    memcpy(area + XSAVE_YMM, c->before.ymm_high, sizeof(c->before.ymm_high));
    memcpy(area + XSTATE_BV, &present, sizeof(present));
}

static void clear_code(const struct x86_case *c)
{
    memset(child.code + (c->before.rip - CODE_BASE), FILLER, MAX_CODE);
}

static void take_extended(const uint8_t *area, struct x86_registers *out)
{
    uint64_t present;

    memcpy(&present, area + XSTATE_BV, sizeof(present));
    memcpy(out->legacy, area, LEGACY_USED);
    memcpy(out->ymm_high, area + XSAVE_YMM, sizeof(out->ymm_high));
    if (!(present & 1)) { /* as FNINIT leaves it */
        memset(out->legacy, 0, LEGACY_MXCSR);
        out->legacy[0] = 0x7f;
        out->legacy[1] = 3;
        memset(out->legacy + LEGACY_ST, 0, LEGACY_XMM - LEGACY_ST);
    }
    if (!(present & 2))
        memset(out->legacy + LEGACY_XMM, 0, LEGACY_USED - LEGACY_XMM);
    if (!(present & 4))
        memset(out->ymm_high, 0, sizeof(out->ymm_high));
}

static void take_result(int signal_number, const struct sigcontext *m, const struct x86_case *c,
                        struct x86_result *out)
{
    out->outcome =
        signal_number == SIGVTALRM || signal_number == SIGALRM ? OUTCOME_HANGS : (int)m->trapno;
    out->error_code = (uint32_t)m->err;
    out->address = out->outcome == EXC_PF ? m->cr2 : 0;
    for (unsigned i = 0; i < 16; i++)
        memcpy(&out->after.gpr[i], (const char *)m + gpr_offset[i], 8);
    out->after.rip = m->rip;
    out->after.eflags = (uint32_t)m->eflags;
    take_extended((const uint8_t *)m->fpstate, &out->after);
    memcpy(out->data, child.data, DATA_BYTES);
    /* It came out at the filler, or where there is no code. */
    if (out->outcome == EXC_BP) {
        out->outcome = OUTCOME_DONE;
        out->after.rip--;
    } else if (out->outcome == EXC_PF && (out->error_code & PF_FETCH) &&
               out->address == out->after.rip + (m->cs == SELECTOR_CODE16 ? CODE_BASE : 0)) {
        out->outcome = OUTCOME_DONE;
    }
    clear_code(c);
}

static void start_own(const struct sigcontext *m)
{
    child.own_registers = *m;
    memcpy(child.own_xsave, m->fpstate, child.xsave_bytes);
    child.starting = false;
    child.running = true;
    child.current = 0;
}

static void return_to_own(struct sigcontext *m)
{
    struct _fpstate *area = m->fpstate;

    *m = child.own_registers;
    m->fpstate = area;
    memcpy(m->fpstate, child.own_xsave, child.xsave_bytes);
    child.running = false;
}

static void set_timers(unsigned microseconds, unsigned seconds)
{
    struct itimerval own = {.it_value.tv_usec = microseconds}, all = {.it_value.tv_sec = seconds};

    setitimer(ITIMER_VIRTUAL, &own, NULL);
    setitimer(ITIMER_REAL, &all, NULL);
}

/* Reads ES, DS and GS, and gives them what compatibility mode wants: the kernel keeps what is
 * there. A selector for GS makes its base 0. */
static void take_segments(uint16_t selector[5])
{
    __asm__ volatile("mov %%es, %0" : "=r"(selector[0]));
    __asm__ volatile("mov %%ds, %0" : "=r"(selector[3]));
    __asm__ volatile("mov %%gs, %0" : "=r"(selector[4]));
    if (selector[4])
        __asm__ volatile("mov %0, %%gs" ::"r"(0));
    syscall(SYS_arch_prctl, ARCH_SET_GS, (unsigned long)GS_BASE);
}

static void on_signal(int signal_number, siginfo_t *info, void *context)
{
    struct sigcontext *m = (void *)&((ucontext_t *)context)->uc_mcontext;
    struct exchange *x = child.exchange;
    uint16_t selector[5];

    /* The case's AC, ID and NT are still there, and would go on to the next one. */
    __asm__ volatile("pushfq; andl $~0x244000, (%%rsp); popfq" ::: "cc", "memory");
    take_segments(selector);
    if (child.starting)
        start_own(m);
    else if (!child.running)
        _exit(98);
    else {
        struct x86_result *result = &x->results[child.current];
        take_result(signal_number, m, &x->cases[child.current], result);
        memcpy(result->after.selector, selector, sizeof(selector));
        result->after.selector[1] = m->cs;
        result->after.selector[2] = m->__pad0; /* SS */
        child.current++;
    }
    if (child.current == x->n) {
        return_to_own(m);
        return;
    }
    set_timers(PATIENCE_US, KERNEL_PATIENCE_S);
    load_case(m, &x->cases[child.current]);
}

static bool catch_signals(void)
{
    static const int numbers[] = {SIGSEGV, SIGILL, SIGFPE, SIGBUS, SIGTRAP, SIGVTALRM, SIGALRM};
    struct sigaction action = {.sa_sigaction = on_signal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    stack_t stack = {.ss_size = ALTERNATE_STACK};

    stack.ss_sp =
        mmap(NULL, ALTERNATE_STACK, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack.ss_sp == MAP_FAILED || sigaltstack(&stack, NULL))
        return false;
    sigfillset(&action.sa_mask);
    for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
        if (sigaction(numbers[i], &action, NULL))
            return false;
    return true;
}

static void *map(uint64_t address, size_t bytes, int protection, int fd)
{
    int flags =
        (address ? MAP_FIXED_NOREPLACE : 0) | (fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED);
    void *p = mmap((void *)(uintptr_t)address, bytes, protection, flags, fd, 0);

    if (p == MAP_FAILED) {
        perror("native child: mmap");
        _exit(97);
    }
    return p;
}

/* For 16-bit code; a kernel may be built without. */
static void make_segments16(void)
{
    struct user_desc code = {.entry_number = SELECTOR_CODE16 / 8,
                             .base_addr = CODE_BASE,
                             .limit = CODE_BYTES - 1,
                             .contents = MODIFY_LDT_CONTENTS_CODE};
    struct user_desc data = {.entry_number = SELECTOR_DATA16 / 8,
                             .base_addr = DATA_BASE,
                             .limit = DATA_BYTES - 1,
                             .seg_32bit = 1};

    syscall(SYS_modify_ldt, 1, &code, sizeof(code));
    syscall(SYS_modify_ldt, 1, &data, sizeof(data));
}

static NORETURN void child_main(struct x86_native *native, int from_parent, int to_parent)
{
    unsigned a, b, c, d;
    char byte = 0;

    __cpuid_count(0xd, 0, a, b, c, d);
    child.xsave_bytes = b < XSAVE_MAX ? b : XSAVE_MAX;
    child.exchange = native->exchange;
    child.code = map(0, CODE_BYTES, PROT_READ | PROT_WRITE, native->code_fd);
    memset(child.code, FILLER, CODE_BYTES);
    map(CODE_BASE, CODE_BYTES, PROT_READ | PROT_EXEC, native->code_fd);
    child.data = map(DATA_BASE, DATA_BYTES, PROT_READ | PROT_WRITE, -1);
    make_segments16();
    if (!catch_signals() || syscall(SYS_arch_prctl, ARCH_SET_GS, (unsigned long)GS_BASE))
        _exit(96);
    while (read(from_parent, &byte, 1) == 1) {
        child.starting = true;
        __asm__ volatile("int3" ::: "memory");
        set_timers(0, 0);
        if (write(to_parent, &byte, 1) != 1)
            break;
    }
    _exit(0);
}

/* ---- the parent ------------------------------------------------------------------------------ */

static bool start(struct x86_native *native)
{
    int to[2], from[2];

    if (pipe(to) || pipe(from))
        return false;
    native->pid = fork();
    if (native->pid < 0)
        return false;
    if (!native->pid) {
        close(to[1]);
        close(from[0]);
        child_main(native, to[0], from[1]);
    }
    close(to[0]);
    close(from[1]);
    native->to = to[1];
    native->from = from[0];
    return true;
}

static void stop(struct x86_native *native)
{
    close(native->to);
    close(native->from);
    waitpid(native->pid, NULL, 0);
}

/* Can it run INC eAX, which is a prefix in 64-bit mode? */
static bool try_mode(struct x86_native *native, bool code16)
{
    struct x86_case c = {.code16 = code16, .length = 1, .n_insns = 1, .code = {0x40}};
    static struct x86_result result;

    c.before.rip = CODE_BASE;
    c.before.eflags = EFLAGS_1 | EFLAGS_IF;
    c.before.legacy[LEGACY_MXCSR] = 0x80;
    c.before.legacy[LEGACY_MXCSR + 1] = 0x1f;
    return x86_native_run(native, &c, 1, &result) && result.outcome == OUTCOME_DONE &&
           result.after.gpr[RAX] == 1;
}

struct x86_native *x86_native_create(void)
{
    struct x86_native *native = calloc(1, sizeof(*native));

    if (!native)
        return NULL;
    signal(SIGPIPE, SIG_IGN);
    native->code_fd = (int)syscall(SYS_memfd_create, "native code", 0);
    native->exchange = mmap(NULL, sizeof(struct exchange), PROT_READ | PROT_WRITE,
                            MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (native->code_fd < 0 || ftruncate(native->code_fd, CODE_BYTES) ||
        native->exchange == MAP_FAILED || !start(native)) {
        perror("native child");
        free(native);
        return NULL;
    }
    native->code32 = try_mode(native, false);
    native->code16 = try_mode(native, true);
    return native;
}

void x86_native_destroy(struct x86_native *native)
{
    stop(native);
    close(native->code_fd);
    munmap(native->exchange, sizeof(struct exchange));
    free(native);
}

bool x86_native_has_code32(const struct x86_native *native)
{
    return native->code32;
}

bool x86_native_has_code16(const struct x86_native *native)
{
    return native->code16;
}

bool x86_native_run(struct x86_native *native, const struct x86_case *cases, unsigned n,
                    struct x86_result *results)
{
    struct exchange *x = native->exchange;
    char byte = 0;

    x->n = n;
    memcpy(x->cases, cases, n * sizeof(*cases));
    if (write(native->to, &byte, 1) != 1 || read(native->from, &byte, 1) != 1) {
        stop(native);
        if (!start(native))
            abort();
        return false;
    }
    memcpy(results, x->results, n * sizeof(*results));
    return true;
}

/* ---- what the host has ----------------------------------------------------------------------- */

/* CPUID leaf, register (EAX EBX ECX EDX) and bit of what an instruction may need. */
static const struct {
    uint8_t feature;
    uint32_t leaf;
    uint8_t word, bit;
} feature_bits[] = {
    {HAS_FPU, 1, 3, 0},
    {HAS_TSC, 1, 3, 4},
    {HAS_MSR, 1, 3, 5},
    {HAS_CX8, 1, 3, 8},
    {HAS_SEP, 1, 3, 11},
    {HAS_CMOV, 1, 3, 15},
    {HAS_CLFSH, 1, 3, 19},
    {HAS_MMX, 1, 3, 23},
    {HAS_FXSR, 1, 3, 24},
    {HAS_SSE, 1, 3, 25},
    {HAS_SSE2, 1, 3, 26},
    {HAS_SSE3, 1, 2, 0},
    {HAS_PCLMUL, 1, 2, 1},
    {HAS_MONITOR, 1, 2, 3},
    {HAS_SSSE3, 1, 2, 9},
    {HAS_FMA, 1, 2, 12},
    {HAS_CX16, 1, 2, 13},
    {HAS_SSE41, 1, 2, 19},
    {HAS_SSE42, 1, 2, 20},
    {HAS_MOVBE, 1, 2, 22},
    {HAS_POPCNT, 1, 2, 23},
    {HAS_AES, 1, 2, 25},
    {HAS_XSAVE, 1, 2, 26},
    {HAS_AVX, 1, 2, 28},
    {HAS_F16C, 1, 2, 29},
    {HAS_RDRAND, 1, 2, 30},
    {HAS_FSGSBASE, 7, 1, 0},
    {HAS_BMI1, 7, 1, 3},
    {HAS_AVX2, 7, 1, 5},
    {HAS_BMI2, 7, 1, 8},
    {HAS_INVPCID, 7, 1, 10},
    {HAS_RDSEED, 7, 1, 18},
    {HAS_ADX, 7, 1, 19},
    {HAS_SMAP, 7, 1, 20},
    {HAS_CLFLUSHOPT, 7, 1, 23},
    {HAS_SHA, 7, 1, 29},
    {HAS_RDPID, 7, 2, 22},
    {HAS_SYSCALL, 0x80000001, 3, 11},
    {HAS_RDTSCP, 0x80000001, 3, 27},
    {HAS_LM, 0x80000001, 3, 29},
    {HAS_LAHF64, 0x80000001, 2, 0},
    {HAS_ABM, 0x80000001, 2, 5},
    {HAS_SSE4A, 0x80000001, 2, 6},
    {HAS_3DNOWPREFETCH, 0x80000001, 2, 8},
};

uint64_t x86_native_features(void)
{
    uint64_t features = 0;

    for (size_t i = 0; i < ARRAY_SIZE(feature_bits); i++) {
        uint32_t word[4];
        __cpuid_count(feature_bits[i].leaf, 0, word[0], word[1], word[2], word[3]);
        if (word[feature_bits[i].word] >> feature_bits[i].bit & 1)
            features |= UINT64_C(1) << feature_bits[i].feature;
    }
    return features;
}
