/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Names of a program's addresses, from the symbol table of an ELF file. Constant once loaded.
 */
#ifndef CALQUE_UTIL_SYMBOLS_H
#define CALQUE_UTIL_SYMBOLS_H

#include "util/compiler.h"

struct symbols;

/* NULL: the file cannot be read, is no ELF file, or has no symbol table (or calque was built
 * without libelf). That is no mistake: addresses then go without names. */
struct symbols *symbols_load(const char *path);
void symbols_destroy(struct symbols *symbols);
/* The symbol that holds this address, and how far into it; NULL: none. symbols may be NULL. */
const char *symbols_find(const struct symbols *symbols, uint64_t address, uint64_t *offset);

#endif
