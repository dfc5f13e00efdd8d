/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A monitor on its stream. */
#define _GNU_SOURCE
#include "vm/monitor.h"

#include <stdlib.h>
#include <string.h>

#include "vm/monitor_commands.h"

struct monitor {
    struct vm *vm;
    struct chardev *chardev;
    struct line_editor *editor;
    char prompt[32];
    struct monitor_mark mark[N_MARKS];
    bool complete; /* a line waits to be run; no keys are taken meanwhile */
};

/* ---- output ------------------------------------------------------------------------------------
 */

/* A raw terminal wants a carriage return with each newline; twice does not hurt one that is not.
 * The guest's console may share the stream: its lock is held. */
static void monitor_say(void *opaque, const char *text, size_t size)
{
    struct monitor *monitor = opaque;
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

static void greet(struct monitor *monitor)
{
    static const char hello[] = "calque " CALQUE_VERSION " monitor - type 'help' for help\n";

    monitor_say(monitor, hello, sizeof(hello) - 1);
    line_editor_prompt(monitor->editor);
}

/* ---- running lines -----------------------------------------------------------------------------
 */

/* To be freed. */
static char *run_line(struct monitor *monitor, struct vm *vm, char *line, size_t *size)
{
    struct monitor_call call = {.monitor = monitor, .vm = vm};
    char *text = NULL;

    call.out = open_memstream(&text, size);
    if (!call.out)
        return NULL;
    monitor_command_run(&call, line);
    fclose(call.out);
    return text;
}

char *monitor_run_text(struct vm *vm, const char *line)
{
    size_t size = 0;
    char *copy = strdup(line), *text = copy ? run_line(NULL, vm, copy, &size) : NULL;

    free(copy);
    if (text && !size) {
        free(text);
        return NULL;
    }
    return text;
}

void monitor_run(struct monitor *monitor)
{
    if (!monitor)
        return;
    pthread_mutex_t *lock = &vm_machine(monitor->vm)->lock;
    while (monitor->complete) {
        size_t size = 0;
        char *text = run_line(monitor, monitor->vm, line_editor_line(monitor->editor), &size);
        if (text)
            monitor_say(monitor, text, size);
        free(text);
        if (vm_is_ending(monitor->vm))
            return;
        line_editor_prompt(monitor->editor);
        monitor->complete = false;
        pthread_mutex_lock(lock);
        chardev_accept_input(monitor->chardev);
        pthread_mutex_unlock(lock);
    }
}

/* ---- the stream --------------------------------------------------------------------------------
 */

static unsigned monitor_can_receive(void *opaque)
{
    struct monitor *monitor = opaque;

    /* One key may end the line. */
    return monitor->complete ? 0 : 1;
}

static void monitor_receive(void *opaque, const uint8_t *data, unsigned size)
{
    struct monitor *monitor = opaque;

    for (unsigned i = 0; i < size; i++) {
        enum line_editor_result result = line_editor_key(monitor->editor, data[i]);
        if (result == LINE_DONE)
            monitor->complete = true;
        if (result == LINE_TOO_LONG) {
            char text[96];
            int n = snprintf(text, sizeof(text), "the line was longer than %d characters\n",
                             LINE_EDITOR_BYTES - 1);
            monitor_say(monitor, text, (size_t)n);
            line_editor_prompt(monitor->editor);
        }
    }
}

static void monitor_event(void *opaque, enum chardev_event event)
{
    struct monitor *monitor = opaque;

    if (event == CHARDEV_FRONT) {
        monitor_say(monitor, "\n", 1);
        line_editor_prompt(monitor->editor);
    } else if (event == CHARDEV_BACK) {
        monitor_say(monitor, "\n", 1);
    } else if (event == CHARDEV_OPENED && chardev_in_front(monitor->chardev)) {
        greet(monitor);
    } else if (event == CHARDEV_CLOSED) {
        line_editor_reset(monitor->editor);
    }
}

static const struct chardev_client monitor_client = {monitor_can_receive, monitor_receive,
                                                     monitor_event};

static void monitor_complete(void *opaque, const char *line, struct line_choices *out)
{
    struct monitor *monitor = opaque;

    monitor_command_complete(monitor->vm, line, out);
}

struct monitor *monitor_create(struct vm *vm, struct chardev *chardev)
{
    struct monitor *monitor = calloc(1, sizeof(*monitor));
    struct line_editor_client client = {monitor_say, monitor_complete, monitor};

    if (!monitor)
        return NULL;
    monitor->vm = vm;
    monitor->chardev = chardev;
    /* Scripts written for QEMU wait for its prompt. */
    snprintf(monitor->prompt, sizeof(monitor->prompt), "(%s) ",
             strncmp(vm_options(vm)->program, "qemu-", 5) ? "calque" : "qemu");
    monitor->editor = line_editor_create(monitor->prompt, &client);
    if (!monitor->editor) {
        free(monitor);
        return NULL;
    }
    chardev_connect(chardev, &monitor_client, monitor);
    return monitor;
}

void monitor_destroy(struct monitor *monitor)
{
    if (!monitor)
        return;
    line_editor_destroy(monitor->editor);
    free(monitor);
}

void monitor_start(struct monitor *monitor)
{
    if (monitor && chardev_in_front(monitor->chardev))
        greet(monitor);
}

const struct line_editor *monitor_editor(const struct monitor *monitor)
{
    return monitor ? monitor->editor : NULL;
}

struct monitor_mark *monitor_mark(struct monitor *monitor, enum monitor_mark_kind kind)
{
    return monitor ? &monitor->mark[kind] : NULL;
}
