/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The MIPS side of the instruction tests: run by qemu-mips and its like, without a C library so
 * that one compiler builds it for every byte order and width. Reads struct mips_case after struct
 * mips_case from standard input, runs each and writes a struct mips_result.
 */
#include "../mips_case.h"

#if _MIPS_SIM == _ABI64
enum {
    SYS_read = 5000,
    SYS_write = 5001,
    SYS_mmap = 5009,
    SYS_rt_sigaction = 5013,
    SYS_sigaltstack = 5129,
    SYS_exit = 5058
};
#define WORD 8
#define LOADG "ld"
#define ADDIU "daddiu"
#define STOREG "sd"
#define HALF 0
#define LA "dla"
#else
enum {
    SYS_read = 4003,
    SYS_write = 4004,
    SYS_mmap = 4090,
    SYS_rt_sigaction = 4194,
    SYS_sigaltstack = 4206,
    SYS_exit = 4001
};
#define LOADG "lw"
#define ADDIU "addiu"
#define STOREG "sw"
#define LA "la"
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define HALF 4
#else
#define HALF 0
#endif
#endif

static long syscall6(long number, long a, long b, long c, long d, long e, long f)
{
    register long v0 __asm__("$2") = number;
    register long a0 __asm__("$4") = a;
    register long a1 __asm__("$5") = b;
    register long a2 __asm__("$6") = c;
    register long a3 __asm__("$7") = d;
#if _MIPS_SIM == _ABI64
    register long a4 __asm__("$8") = e;
    register long a5 __asm__("$9") = f;
    __asm__ volatile("syscall"
                     : "+r"(v0), "+r"(a3)
                     : "r"(a0), "r"(a1), "r"(a2), "r"(a4), "r"(a5)
                     : "$1", "$3", "$10", "$11", "$12", "$13", "$14", "$15", "$24", "$25",
                       "memory");
#else
    register long t0 __asm__("$8") = e;
    register long t1 __asm__("$9") = f;
    __asm__ volatile("addiu $sp, $sp, -32\n sw %4, 16($sp)\n sw %5, 20($sp)\n syscall\n"
                     "addiu $sp, $sp, 32"
                     : "+r"(v0), "+r"(a3), "+r"(a1), "+r"(a2), "+r"(t0), "+r"(t1)
                     : "r"(a0)
                     : "$1", "$3", "$10", "$11", "$12", "$13", "$14", "$15", "$24", "$25",
                       "memory");
#endif
    return a3 ? -1 : v0;
}

/* Which parts of struct mips_registers there are is up to the compiler's flags. */
#define STRING_(x) #x
#define STRING(x) STRING_(x)
#define W_OFFSET(n) "(" #n " * 16)"
#define GPR_OFFSET(n) "(512 + " #n " * 8 + " STRING(HALF) ")"
#define HI_OFFSET(n) "(768 + " #n " * 8 + " STRING(HALF) ")"
#define LO_OFFSET(n) "(800 + " #n " * 8 + " STRING(HALF) ")"
/* These are 32-bit registers in 64-bit places. */
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
#define LOW "4"
#else
#define LOW "0"
#endif
#define DSP_OFFSET "(832 + " LOW ")"
#define FCSR_OFFSET "(840 + " LOW ")"
#define MSACSR_OFFSET "(848 + " LOW ")"

#define EACH_GPR(m)                                                                                \
    m(1) m(2) m(3) m(4) m(5) m(6) m(7) m(8) m(9) m(10) m(11) m(12) m(13) m(14) m(15) m(16) m(17)   \
        m(18) m(19) m(20) m(21) m(22) m(23) m(24) m(25) m(28) m(29) m(30) m(31)
#define EVEN(m)                                                                                    \
    m(0) m(2) m(4) m(6) m(8) m(10) m(12) m(14) m(16) m(18) m(20) m(22) m(24) m(26) m(28) m(30)
#define ODD(m)                                                                                     \
    m(1) m(3) m(5) m(7) m(9) m(11) m(13) m(15) m(17) m(19) m(21) m(23) m(25) m(27) m(29) m(31)

#define LOAD_GPR(n) LOADG " $" #n ", " GPR_OFFSET(n) "($26)\n"
#define STORE_GPR(n) STOREG " $" #n ", " GPR_OFFSET(n) "($26)\n"
#define LOAD_FPR(n) "ldc1 $f" #n ", " W_OFFSET(n) "($26)\n"
#define STORE_FPR(n) "sdc1 $f" #n ", " W_OFFSET(n) "($26)\n"
#define LOAD_W(n) "ld.d $w" #n ", " W_OFFSET(n) "($26)\n"
#define STORE_W(n) "st.d $w" #n ", " W_OFFSET(n) "($26)\n"

#ifdef __mips_msa
#define LOAD_FP EVEN(LOAD_W) ODD(LOAD_W) "lw $27, " MSACSR_OFFSET "($26)\n ctcmsa $1, $27\n"
#define STORE_FP EVEN(STORE_W) ODD(STORE_W)
#define STORE_MSACSR "cfcmsa $8, $1\n sw $8, " MSACSR_OFFSET "($26)\n"
#define CLEAR_MSACSR "ctcmsa $1, $0\n"
#elif __mips_fpr == 64
#define LOAD_FP EVEN(LOAD_FPR) ODD(LOAD_FPR)
#define STORE_FP EVEN(STORE_FPR) ODD(STORE_FPR)
#define STORE_MSACSR ""
#define CLEAR_MSACSR ""
#else
#define LOAD_FP EVEN(LOAD_FPR)
#define STORE_FP EVEN(STORE_FPR)
#define STORE_MSACSR ""
#define CLEAR_MSACSR ""
#endif

#define TO_HILO(n, ac)                                                                             \
    LOADG " $27, " HI_OFFSET(n) "($26)\n mthi $27" ac "\n" LOADG                                   \
                                " $27, " LO_OFFSET(n) "($26)\n mtlo $27" ac "\n"
#define FROM_HILO(n, ac)                                                                           \
    "mfhi $8" ac "\n" STOREG " $8, " HI_OFFSET(n) "($26)\n mflo $8" ac "\n" STOREG                 \
                                                  " $8, " LO_OFFSET(n) "($26)\n"
#if __mips_isa_rev >= 6
#define LOAD_HILO ""
#define STORE_HILO ""
#elif defined(__mips_dsp)
#define LOAD_HILO                                                                                  \
    TO_HILO(0, "")                                                                                 \
    TO_HILO(1, ", $ac1")                                                                           \
    TO_HILO(2, ", $ac2") TO_HILO(3, ", $ac3") "lw $27, " DSP_OFFSET "($26)\n wrdsp $27, 63\n"
#define STORE_HILO                                                                                 \
    FROM_HILO(0, "")                                                                               \
    FROM_HILO(1, ", $ac1")                                                                         \
    FROM_HILO(2, ", $ac2") FROM_HILO(3, ", $ac3") "rddsp $8, 63\n sw $8, " DSP_OFFSET "($26)\n"
#else
#define LOAD_HILO TO_HILO(0, "")
#define STORE_HILO FROM_HILO(0, "")
#endif

int run_case(const struct mips_registers *before, struct mips_registers *after);
void fault_done(void);
void page_done(void);
__asm__(".set noreorder\n .set noat\n .set nomacro\n"
        ".text\n"
        ".globl run_case\n"
        "run_case:\n"
        ".set macro\n" LA " $26, saved\n .set nomacro\n" STOREG " $16, 0($26)\n" STOREG
        " $17, 8($26)\n" STOREG " $18, 16($26)\n" STOREG " $19, 24($26)\n" STOREG
        " $20, 32($26)\n" STOREG " $21, 40($26)\n" STOREG " $22, 48($26)\n" STOREG
        " $23, 56($26)\n" STOREG " $28, 64($26)\n" STOREG " $29, 72($26)\n" STOREG
        " $30, 80($26)\n" STOREG " $31, 88($26)\n" STOREG " $5, 96($26)\n"
        "move $26, $4\n"
        "lw $27, " FCSR_OFFSET "($26)\n ctc1 $27, $31\n" LOAD_FP LOAD_HILO EACH_GPR(LOAD_GPR) LOADG
        " $27, " GPR_OFFSET(27) "($26)\n jr $27\n move $26, $0\n"
                                ".globl page_done\n"
                                "page_done:\n"
                                ".set macro\n" LA " $26, saved\n .set nomacro\n" LOADG
                                " $26, 96($26)\n" EACH_GPR(
                                    STORE_GPR) "cfc1 $8, $31\n sw $8, " FCSR_OFFSET
                                               "($26)\n" STORE_MSACSR STORE_FP STORE_HILO
                                               "b 1f\n move $2, $0\n"
                                               ".globl fault_done\n"
                                               "fault_done:\n"
                                               "addiu $2, $0, 1\n"
                                               "1: ctc1 $0, $31\n" CLEAR_MSACSR ".set macro\n" LA
                                               " $26, saved\n .set nomacro\n" LOADG
                                               " $16, 0($26)\n" LOADG " $17, 8($26)\n" LOADG
                                               " $18, 16($26)\n" LOADG " $19, 24($26)\n" LOADG
                                               " $20, 32($26)\n" LOADG " $21, 40($26)\n" LOADG
                                               " $22, 48($26)\n" LOADG " $23, 56($26)\n" LOADG
                                               " $28, 64($26)\n" LOADG " $29, 72($26)\n" LOADG
                                               " $30, 80($26)\n" LOADG " $31, 88($26)\n"
                                               "jr $31\n nop\n"
                                               ".bss\n .balign 8\nsaved: .space 104\n"
                                               ".text\n .set reorder\n .set at\n .set macro\n");

static struct mips_case c;
static struct mips_result result;

enum { SIGILL = 4, SIGTRAP = 5, SIGFPE = 8, SIGBUS = 10, SIGSEGV = 11 };

static void fault(int number)
{
    result.outcome = number == SIGILL                        ? MIPS_RESERVED
                     : number == SIGBUS || number == SIGSEGV ? MIPS_MEMORY_FAULT
                     : number == SIGTRAP || number == SIGFPE ? MIPS_TRAPPED
                                                             : MIPS_OTHER;
    fault_done();
    __builtin_unreachable();
}

static int transfer(int fd, void *buffer, long size, long number)
{
    for (long done = 0; done < size;) {
        long n = syscall6(number, fd, (long)buffer + done, size - done, 0, 0, 0);

        if (n <= 0)
            return 0;
        done += n;
    }
    return 1;
}

static void install(int number)
{
    struct {
        unsigned flags;
        void (*handler)(int);
        unsigned long mask[16 / sizeof(long)];
    } action = {.flags = 0x08000000 | 0x40000000 /* ONSTACK, NODEFER */, .handler = fault};

    syscall6(SYS_rt_sigaction, number, (long)&action, 0, 16, 0, 0);
}

static void prepare(void)
{
    static char stack[65536] __attribute__((aligned(16)));
    struct {
        void *sp;
        unsigned long size;
        int flags;
    } alternate = {stack, sizeof(stack), 0};
    enum { PROT_ALL = 7, MAP_FIXED_PRIVATE_ANONYMOUS = 0x812 };

    syscall6(SYS_sigaltstack, (long)&alternate, 0, 0, 0, 0, 0);
    install(SIGILL);
    install(SIGTRAP);
    install(SIGFPE);
    install(SIGBUS);
    install(SIGSEGV);
    if (syscall6(SYS_mmap, MIPS_CODE, MIPS_CODE_BYTES, PROT_ALL, MAP_FIXED_PRIVATE_ANONYMOUS, -1,
                 0) != MIPS_CODE ||
        syscall6(SYS_mmap, MIPS_DATA, MIPS_DATA_BYTES, PROT_ALL, MAP_FIXED_PRIVATE_ANONYMOUS, -1,
                 0) != MIPS_DATA)
        syscall6(SYS_exit, 2, 0, 0, 0, 0, 0);
}

/* From MIPS16e to what follows: $31 goes over to $27, as JALX sets it. */
static unsigned leave_mips16(volatile uint32_t *code, unsigned n)
{
    static const uint32_t insns[] = {
        0x655a675f,                        /* move $26, $2; move $2, $31 */
        0x657a675a,                        /* move $27, $2; move $2, $26 */
        0x1c000000 | (MIPS_MAX_INSNS + 4), /* jalx, to behind these */
        0x65006500,                        /* nop; nop */
    };

    for (unsigned i = 0; i < sizeof(insns) / sizeof(*insns); i++)
        code[n++] = mips_code_word(insns[i], 1, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    code[n++] = 0x0360f825; /* move $31, $27 */
    return n;
}

/* Ends with a jump to page_done through k0. */
static void place_code(void)
{
    volatile uint32_t *code = (volatile uint32_t *)MIPS_CODE;
    uint32_t end = (uint32_t)(unsigned long)page_done;
    int is_mips16 = c.before.gpr[27] & 1;
    unsigned n = 0;

    for (; n < MIPS_MAX_INSNS; n++)
        code[n] =
            mips_code_word((uint32_t)c.insns[n], is_mips16, __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__);
    if (is_mips16)
        n = leave_mips16(code, n);
    code[n++] = 0x3c1a0000 | end >> 16;      /* lui $26, */
    code[n++] = 0x375a0000 | (end & 0xffff); /* ori $26, $26, */
    code[n++] = 0x03400009;                  /* jalr $0, $26: JR of any release */
    code[n++] = 0;
    __asm__ volatile("synci 0(%0)\n synci 32(%0)\n synci 64(%0)\n synci 96(%0)\n sync" ::"r"(code)
                     : "memory");
}

void run(void);
void run(void)
{
    volatile uint32_t *data = (volatile uint32_t *)MIPS_DATA;

    prepare();
    while (transfer(0, &c, sizeof(c), SYS_read)) {
        uint32_t word = (uint32_t)c.data_seed | 1;
        uint64_t hash = 1;

        for (int i = 0; i < MIPS_DATA_BYTES / 4; i++)
            data[i] = word = mips_data_next(word);
        place_code();
        for (unsigned i = 0; i < sizeof(result) / 8; i++)
            ((volatile uint64_t *)&result)[i] = 0;
        run_case(&c.before, &result.after);
        for (int i = 0; i < MIPS_DATA_BYTES / 4; i++)
            hash = mips_hash_next(hash, data[i]);
        result.data_hash = hash;
        if (!transfer(1, &result, sizeof(result), SYS_write))
            break;
    }
    syscall6(SYS_exit, 0, 0, 0, 0, 0, 0);
}

__asm__(".text\n .globl __start\n__start:\n .set noreorder\n"
        "li $16, -16\n and $29, $29, $16\n " ADDIU " $29, $29, -64\n jal run\n nop\n"
        ".set reorder\n");
