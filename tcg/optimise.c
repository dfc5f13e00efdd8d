/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The passes in their order. */
#include "tcg/ir.h"
#include "util/log.h"

static void check_unit(const struct ir_unit *unit, const char *after)
{
    char why[256];
    if (ir_verify(unit, why, sizeof(why)))
        return;
    fflush(stdout);
    ir_print(stderr, unit);
    BUG("after %s: %s", after, why);
}

/*
 * State first: a GET replaced by the value SET shows fold where conditions come from. DCE last: it
 * collects what both left behind.
 */
void ir_optimise(struct ir_unit *unit, bool check)
{
    static const struct {
        const char *name;
        void (*run)(struct ir_unit *unit);
    } passes[] = {
        {"state", ir_pass_state},
        {"fold", ir_pass_fold},
        {"dce", ir_pass_dce},
    };
    if (check)
        check_unit(unit, "translation");
    for (size_t i = 0; i < ARRAY_SIZE(passes); i++) {
        passes[i].run(unit);
        if (check)
            check_unit(unit, passes[i].name);
    }
}
