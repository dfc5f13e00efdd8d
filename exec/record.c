/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names of generated code, for profilers: which guest code it was made from. */
#include "exec/exec.h"

#include <inttypes.h>

void record_unit(struct exec *exec, const struct unit *unit)
{
    char place[160], mode[48] = "", name[224];
    uint64_t offset = 0;
    const char *symbol = symbols_find(exec->symbols, unit->pc, &offset);

    if (symbol && offset)
        snprintf(place, sizeof(place), "%.128s+0x%" PRIx64, symbol, offset);
    else if (symbol)
        snprintf(place, sizeof(place), "%.128s", symbol);
    else
        snprintf(place, sizeof(place), "0x%08" PRIx64, unit->pc);
    if (exec->guest->mode_name)
        exec->guest->mode_name(unit->key, mode, sizeof(mode));
    snprintf(name, sizeof(name), *mode ? "%s [%s]" : "%s", place, mode);
    code_record_add(exec->record, name, unit->code.entry, unit->code.code_bytes);
}

void exec_record_code(struct exec *exec, struct code_record *record, const struct symbols *symbols)
{
    struct backend_code piece;

    if (!exec->backend->generates_code)
        return;
    exec->record = record;
    exec->symbols = symbols;
    for (unsigned i = 0; exec->backend->own_code && exec->backend->own_code(exec->state, i, &piece);
         i++) {
        if (piece.bytes)
            code_record_add(record, piece.name, piece.start, piece.bytes);
    }
}
