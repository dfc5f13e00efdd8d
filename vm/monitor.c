/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's line editor, command tables and commands. */
#define _GNU_SOURCE
#include "vm/monitor.h"

#include <stdlib.h>
#include <string.h>

#include "hw/display/vga.h"
#include "util/suggest.h"

enum { LINE_MAX_BYTES = 512, WORDS_MAX = 8 };

struct monitor {
    struct vm *vm;
    struct chardev *chardev;
    bool in_front;
    char prompt[32];
    char line[LINE_MAX_BYTES]; /* being typed */
    unsigned length;
    bool after_return; /* a newline after it belongs to it */
    bool complete;     /* the line waits to be run; no keys are taken meanwhile */
};

struct command_call {
    struct monitor *monitor;
    struct vm *vm;
    FILE *out;
    unsigned n_words;
    char *words[WORDS_MAX]; /* the command's own name first */
};

struct command {
    const char *name;
    const char *arguments; /* for help; "" none */
    const char *help;
    void (*run)(struct command_call *call);
    const struct command *below; /* a table of further words, ends with name NULL */
};

/* ---- output ------------------------------------------------------------------------------------
 */

/* A raw terminal wants a carriage return with each newline; twice does not hurt one that is not.
 * The guest's console may share the stream: its lock is held. */
static void monitor_say(struct monitor *monitor, const char *text, size_t size)
{
    struct machine *m = vm_machine(monitor->vm);

    pthread_mutex_lock(&m->lock);
    while (size) {
        const char *end = memchr(text, '\n', size);
        size_t part = end ? (size_t)(end - text) : size;
        chardev_write(monitor->chardev, (const uint8_t *)text, (unsigned)part);
        if (!end)
            break;
        chardev_write(monitor->chardev, (const uint8_t *)"\r\n", 2);
        text += part + 1;
        size -= part + 1;
    }
    pthread_mutex_unlock(&m->lock);
}

static void say_prompt(struct monitor *monitor)
{
    monitor_say(monitor, monitor->prompt, strlen(monitor->prompt));
}

/* ---- commands ----------------------------------------------------------------------------------
 */

static void print_registers(struct vm *vm, void *out)
{
    struct vcpu *cpu = vm_machine(vm)->cpu;

    cpu->guest->print_state(cpu, out);
}

static void info_registers(struct command_call *call)
{
    vm_look(call->vm, print_registers, call->out);
}

static void info_mtree(struct command_call *call)
{
    memory_print_map(vm_machine(call->vm)->memory, call->out);
}

static void info_qtree(struct command_call *call)
{
    struct machine *m = vm_machine(call->vm);

    pthread_mutex_lock(&m->lock);
    for (unsigned i = 0; i < m->n_devices; i++)
        device_print(m->devices[i], call->out);
    pthread_mutex_unlock(&m->lock);
}

/* The text of the display, as far as it is text. */
static void info_screen(struct command_call *call)
{
    struct machine *m = vm_machine(call->vm);
    struct device *display = machine_find_device(m, "vga");

    if (!display) {
        fprintf(call->out, "this machine has no VGA\n");
        return;
    }
    pthread_mutex_lock(&m->lock);
    vga_text(display, call->out);
    pthread_mutex_unlock(&m->lock);
}

static void info_version(struct command_call *call)
{
    fprintf(call->out, "calque " CALQUE_VERSION "\n");
}

static void info_status(struct command_call *call)
{
    fprintf(call->out, "VM status: %s\n", vm_status(call->vm));
}

static void info_name(struct command_call *call)
{
    const char *name = vm_options(call->vm)->name;

    if (name)
        fprintf(call->out, "%s\n", name);
}

static void info_kvm(struct command_call *call)
{
    fprintf(call->out, "kvm support: not compiled\n");
}

static void info_cpus(struct command_call *call)
{
    struct vcpu *cpu = vm_machine(call->vm)->cpu;

    fprintf(call->out, "* CPU #%u: %s%s\n", cpu->index, cpu->model->name,
            cpu->halted ? " (halted)" : "");
}

static void print_stats(struct vm *vm, void *out)
{
    exec_print_stats(vm_machine(vm)->exec, STATS_TABLE, out);
}

static void info_jit(struct command_call *call)
{
    vm_look(call->vm, print_stats, call->out);
}

static void command_quit(struct command_call *call)
{
    vm_quit(call->vm);
}

static void command_stop(struct command_call *call)
{
    vm_stop(call->vm);
}

static void command_cont(struct command_call *call)
{
    vm_cont(call->vm);
}

static void command_reset(struct command_call *call)
{
    vm_reset(call->vm);
}

static void command_powerdown(struct command_call *call)
{
    if (!machine_press_power_key(vm_machine(call->vm)))
        fprintf(call->out, "this machine has no power key\n");
}

static void command_help(struct command_call *call);

static const struct command info_commands[] = {
    {"cpus", "", "the CPUs", info_cpus, NULL},
    {"jit", "", "what the translator did", info_jit, NULL},
    {"kvm", "", "whether kvm is used", info_kvm, NULL},
    {"mtree", "", "the memory map", info_mtree, NULL},
    {"name", "", "the machine's name", info_name, NULL},
    {"qtree", "", "every device and its registers", info_qtree, NULL},
    {"registers", "", "the CPU's registers", info_registers, NULL},
    {"screen", "", "the text on the VGA's screen", info_screen, NULL},
    {"status", "", "running or paused", info_status, NULL},
    {"version", "", "calque's version", info_version, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static const struct command commands[] = {
    {"?", "[COMMAND]", "the same as help", command_help, NULL},
    {"cont", "", "go on after stop", command_cont, NULL},
    {"help", "[COMMAND]", "this list", command_help, NULL},
    {"info", "WHAT", "show something; help info lists what", NULL, info_commands},
    {"quit", "", "end the emulator", command_quit, NULL},
    {"stop", "", "hold the guest", command_stop, NULL},
    {"system_powerdown", "", "press the power key", command_powerdown, NULL},
    {"system_reset", "", "reset the machine", command_reset, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static const struct {
    const char *name, *meaning;
} short_names[] = {{"q", "quit"}, {"c", "cont"}, {"s", "stop"}, {"h", "help"}};

static const struct command *command_find(const struct command *table, const char *name)
{
    if (table == commands) {
        for (unsigned i = 0; i < ARRAY_SIZE(short_names); i++) {
            if (!strcmp(short_names[i].name, name))
                name = short_names[i].meaning;
        }
    }
    for (; table->name; table++) {
        if (!strcmp(table->name, name))
            return table;
    }
    return NULL;
}

static void print_table(const struct command *table, const char *prefix, FILE *out)
{
    for (; table->name; table++) {
        char left[48];
        snprintf(left, sizeof(left), "%s%s %s", prefix, table->name, table->arguments);
        fprintf(out, "%-28s %s\n", left, table->help);
    }
}

static void say_unknown(struct command_call *call, const struct command *table, const char *what,
                        const char *word)
{
    const char *names[64];
    unsigned n = 0;

    for (; table->name && n < ARRAY_SIZE(names) - 1; table++)
        names[n++] = table->name;
    names[n] = NULL;
    fprintf(call->out, "there is no %s'%s'; did you mean '%s'?\n", what, word,
            suggest_nearest(word, names));
}

static void command_help(struct command_call *call)
{
    const struct command *one;

    if (call->n_words < 2) {
        print_table(commands, "", call->out);
        return;
    }
    one = command_find(commands, call->words[1]);
    if (!one)
        say_unknown(call, commands, "command ", call->words[1]);
    else if (one->below)
        print_table(one->below, "info ", call->out);
    else
        fprintf(call->out, "%s %s: %s\n", one->name, one->arguments, one->help);
}

static void run_words(struct command_call *call)
{
    const struct command *table = commands;
    const char *what = "command ";

    for (unsigned i = 0;; i++) {
        const struct command *one;
        if (i == call->n_words) {
            print_table(table, "info ", call->out);
            return;
        }
        one = command_find(table, call->words[i]);
        if (!one) {
            say_unknown(call, table, what, call->words[i]);
            return;
        }
        if (one->run) {
            one->run(call);
            return;
        }
        table = one->below;
        what = "info ";
    }
}

static void run_line(struct monitor *monitor, char *line)
{
    struct command_call call = {.monitor = monitor, .vm = monitor->vm};
    char *text = NULL, *rest = line, *word;
    size_t size = 0;

    while (call.n_words < WORDS_MAX && (word = strsep(&rest, " \t"))) {
        if (*word)
            call.words[call.n_words++] = word;
    }
    if (!call.n_words)
        return;
    call.out = open_memstream(&text, &size);
    if (!call.out)
        return;
    run_words(&call);
    fclose(call.out);
    monitor_say(monitor, text, size);
    free(text);
}

void monitor_run(struct monitor *monitor)
{
    if (!monitor)
        return;
    pthread_mutex_t *lock = &vm_machine(monitor->vm)->lock;
    while (monitor->complete) {
        run_line(monitor, monitor->line);
        if (vm_is_ending(monitor->vm))
            return;
        say_prompt(monitor);
        monitor->complete = false;
        pthread_mutex_lock(lock);
        chardev_accept_input(monitor->chardev);
        pthread_mutex_unlock(lock);
    }
}

/* ---- the line being typed ----------------------------------------------------------------------
 */

static void erase(struct monitor *monitor, unsigned count)
{
    while (count-- && monitor->length) {
        monitor->length--;
        monitor_say(monitor, "\b \b", 3);
    }
}

static void line_done(struct monitor *monitor)
{
    monitor_say(monitor, "\n", 1);
    monitor->line[monitor->length] = 0;
    monitor->length = 0;
    monitor->complete = true;
}

static void type_key(struct monitor *monitor, uint8_t key)
{
    bool after_return = monitor->after_return;

    monitor->after_return = key == '\r';
    switch (key) {
    case '\n':
        if (!after_return)
            line_done(monitor);
        break;
    case '\r':
        line_done(monitor);
        break;
    case 0x08:
    case 0x7f:
        erase(monitor, 1);
        break;
    case 0x03: /* Ctrl-C */
    case 0x15: /* Ctrl-U */
        erase(monitor, monitor->length);
        break;
    default:
        if (key >= ' ' && monitor->length < LINE_MAX_BYTES - 1) {
            monitor->line[monitor->length++] = (char)key;
            monitor_say(monitor, (const char *)&key, 1);
        }
    }
}

static unsigned monitor_can_receive(void *opaque)
{
    struct monitor *monitor = opaque;

    /* One key may end the line. */
    return monitor->complete ? 0 : 1;
}

static void monitor_receive(void *opaque, const uint8_t *data, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        type_key(opaque, data[i]);
}

static void monitor_event(void *opaque, enum chardev_event event)
{
    struct monitor *monitor = opaque;

    if (event == CHARDEV_FRONT) {
        monitor_say(monitor, "\n", 1);
        say_prompt(monitor);
    } else if (event == CHARDEV_BACK) {
        monitor_say(monitor, "\n", 1);
    } else if (event == CHARDEV_OPENED) {
        monitor_start(monitor);
    } else if (event == CHARDEV_CLOSED) {
        monitor->length = 0;
    }
}

static const struct chardev_client monitor_client = {monitor_can_receive, monitor_receive,
                                                     monitor_event};

struct monitor *monitor_create(struct vm *vm, struct chardev *chardev, bool in_front)
{
    struct monitor *monitor = calloc(1, sizeof(*monitor));

    if (!monitor)
        return NULL;
    monitor->vm = vm;
    monitor->chardev = chardev;
    monitor->in_front = in_front;
    /* Scripts written for QEMU wait for its prompt. */
    snprintf(monitor->prompt, sizeof(monitor->prompt), "(%s) ",
             strncmp(vm_options(vm)->program, "qemu-", 5) ? "calque" : "qemu");
    chardev_connect(chardev, &monitor_client, monitor);
    return monitor;
}

void monitor_destroy(struct monitor *monitor)
{
    free(monitor);
}

void monitor_start(struct monitor *monitor)
{
    static const char hello[] = "calque " CALQUE_VERSION " monitor - type 'help' for help\n";

    if (!monitor || !monitor->in_front)
        return;
    monitor_say(monitor, hello, sizeof(hello) - 1);
    say_prompt(monitor);
}
