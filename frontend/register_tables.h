/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How the tables of registers that debuggers see are written: rows (struct guest_register),
 * numbered rows, and the types of vectors and flags in gdb's manual, "Target Description Format".
 */
#ifndef CALQUE_FRONTEND_REGISTER_TABLES_H
#define CALQUE_FRONTEND_REGISTER_TABLES_H

#include "frontend/guest.h"

/* row(n) for each n. */
#define REGISTERS_1_7(row) row(1), row(2), row(3), row(4), row(5), row(6), row(7)
#define REGISTERS_0_7(row) row(0), REGISTERS_1_7(row)
#define REGISTERS_8_15(row) row(8), row(9), row(10), row(11), row(12), row(13), row(14), row(15)
#define REGISTERS_0_15(row) REGISTERS_0_7(row), REGISTERS_8_15(row)
#define REGISTERS_16_31(row)                                                                       \
    row(16), row(17), row(18), row(19), row(20), row(21), row(22), row(23), row(24), row(25),      \
        row(26), row(27), row(28), row(29), row(30), row(31)
#define REGISTERS_1_31(row) REGISTERS_1_7(row), REGISTERS_8_15(row), REGISTERS_16_31(row)
#define REGISTERS_0_31(row) row(0), REGISTERS_1_31(row)

/* What an operating system sets. */
#define SYSTEM_REGISTER(name, bits, which)                                                         \
    {                                                                                              \
        name, bits, which, NULL, "system"                                                          \
    }

#define TYPE_VECTOR(id, type, count)                                                               \
    "<vector id=\"" id "\" type=\"" type "\" count=\"" #count "\"/>"
#define TYPE_FIELD(name, type) "<field name=\"" name "\" type=\"" type "\"/>"
#define TYPE_FLAG(name, bit) "<field name=\"" name "\" start=\"" #bit "\" end=\"" #bit "\"/>"
#define TYPE_UNION(id, fields) "<union id=\"" id "\">" fields "</union>"
#define TYPE_FLAGS(id, flags) "<flags id=\"" id "\" size=\"4\">" flags "</flags>"

#endif
