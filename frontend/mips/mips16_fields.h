/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The functions of fields of MIPS16e's tables, for who includes the decoders. Private to them. */
#ifndef CALQUE_FRONTEND_MIPS_MIPS16_FIELDS_H
#define CALQUE_FRONTEND_MIPS_MIPS16_FIELDS_H

struct xlat;

#define MIPS16_TIMES(n)                                                                            \
    static inline int times_##n(struct xlat *x, int value)                                         \
    {                                                                                              \
        return value * (n);                                                                        \
    }
MIPS16_TIMES(2)
MIPS16_TIMES(4)
MIPS16_TIMES(8)
#undef MIPS16_TIMES

/* $16, $17, $2 to $7 */
static inline int mips16_register(struct xlat *x, int value)
{
    return value < 2 ? value + 16 : value;
}

/* Not extended, SLL and its like shift by 1 to 8. */
static inline int mips16_shift(struct xlat *x, int value)
{
    return value ? value : 8;
}

/* Not extended, SAVE and RESTORE have frames of 8 to 128 bytes. */
static inline int mips16_frame(struct xlat *x, int value)
{
    return 8 * (value ? value : 16);
}

#endif
