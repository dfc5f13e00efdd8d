/* SPDX-License-Identifier: GPL-2.0-or-later */
/* info irq, info pic, nmi: interrupt lines and their controllers. */
#include <inttypes.h>

#include "vm/monitor_commands.h"

/* ---- info irq ----------------------------------------------------------------------------------
 */

static unsigned print_wires(const struct irq *wires, unsigned n, const char *sender, const void *to,
                            FILE *out)
{
    unsigned printed = 0;

    for (unsigned i = 0; i < n; i++) {
        if (!wires[i].set || wires[i].receiver != to || (!wires[i].raised && !wires[i].level))
            continue;
        fprintf(out, "%4u: %12" PRIu64 "  %s%s\n", wires[i].line, wires[i].raised, sender,
                wires[i].level ? ", high now" : "");
        printed++;
    }
    return printed;
}

static void print_wires_to(const struct machine *m, const void *to, const char *name, FILE *out)
{
    unsigned n = 0;

    fprintf(out, "IRQ statistics for %s:\n", name);
    for (unsigned i = 0; i < m->n_devices; i++) {
        const struct device *d = m->devices[i];
        n += print_wires(d->irq_out, d->class->n_irq_out, d->id, to, out);
    }
    n += print_wires(m->cpu->irq_out, m->cpu->guest->n_irq_out, "cpu", to, out);
    if (!n)
        fprintf(out, "   (none raised yet)\n");
}

static void info_irq(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);

    pthread_mutex_lock(&m->lock);
    for (unsigned i = 0; i < m->n_devices; i++) {
        const struct device *d = m->devices[i];
        if (d->class->interrupts && d->class->n_irq_in)
            print_wires_to(m, d, d->id, call->out);
    }
    print_wires_to(m, m->cpu, "cpu", call->out);
    pthread_mutex_unlock(&m->lock);
}

/* ---- info pic ----------------------------------------------------------------------------------
 */

static void info_pic(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);
    unsigned n = 0;

    pthread_mutex_lock(&m->lock);
    for (unsigned i = 0; i < m->n_devices; i++) {
        if (!m->devices[i]->class->interrupts)
            continue;
        device_print(m->devices[i], call->out);
        n++;
    }
    pthread_mutex_unlock(&m->lock);
    if (!n)
        fprintf(call->out, "this machine has no interrupt controller\n");
}

/* ---- nmi ---------------------------------------------------------------------------------------
 */

static void command_nmi(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);
    const struct guest *guest = m->cpu->guest;

    if (!guest->nmi_line) {
        fprintf(call->out, "this machine has no non-maskable interrupt\n");
        return;
    }
    pthread_mutex_lock(&m->lock);
    guest->set_irq(m->cpu, guest->nmi_line - 1u, true);
    guest->set_irq(m->cpu, guest->nmi_line - 1u, false);
    pthread_mutex_unlock(&m->lock);
}

static const struct monitor_command info_commands[] = {
    {"irq", NULL, "", "how often each interrupt line was raised", info_irq, 0, 0, NULL},
    {"pic", NULL, "", "the interrupt controllers", info_pic, 0, 0, NULL},
    {NULL},
};
static const struct monitor_table info_table = {"info", info_commands};
REGISTER(monitor_table, info_table);

static const struct monitor_command commands[] = {
    {"nmi", NULL, "", "a non-maskable interrupt for the CPU", command_nmi, 0, 0, NULL},
    {NULL},
};
static const struct monitor_table table = {NULL, commands};
REGISTER(monitor_table, table);
