/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What tests/guest/test_gdb.py debugs: runs for ever, with calls, stores and loads to stop at. */
typedef unsigned word;

volatile word counter, watched, copied;
volatile word table[4] = {1, 2, 3, 4};
volatile unsigned char bytes[16];

__attribute__((noinline)) word inner(word x)
{
    watched = x * 3;
    return x + 1;
}

__attribute__((noinline)) word outer(word x)
{
    word y = inner(x);

    copied = watched;
    return y * 2;
}

/* A loop without calls, which only a kick from outside leaves. */
__attribute__((noinline)) void spin(void)
{
    while (!table[3])
        ;
}

void program_main(void)
{
    for (;;) {
        counter++;
        table[0] = outer(counter);
        spin();
#if defined(__i386__) || defined(__x86_64__)
        extern void repeat(void);
        repeat();
#elif defined(__arm__)
        extern void it_block(void);
        it_block();
#else
        extern void slots(void);
        slots();
#endif
    }
}
