/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The monitor's commands about screens, keys and mice. */

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "vm/monitor_commands.h"
#include "vm/screenshot.h"
#include "vm/send_keys.h"

static struct screen *find_screen(struct machine *m, const char *name, FILE *out)
{
    struct screen *screen = name ? screen_find(&m->screens, name) : m->screens.first;

    if (!screen && name && m->screens.first)
        fprintf(out, "there is no screen '%s'; the first is '%s'\n", name, m->screens.first->name);
    else if (!screen)
        fprintf(out, "this machine has no display adapter\n");
    return screen;
}

static bool number(const char *word, long low, long high, long *value, FILE *out)
{
    char *end;

    errno = 0;
    *value = strtol(word, &end, 0);
    if (end != word && !*end && !errno && *value >= low && *value <= high)
        return true;
    fprintf(out, "'%s' is no number from %ld to %ld\n", word, low, high);
    return false;
}

/* ---- screens ----------------------------------------------------------------------------------
 */

struct dump {
    const char *file, *screen;
    enum picture_format format;
};

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text), end_length = strlen(end);

    return length >= end_length && !strcmp(text + length - end_length, end);
}

/* FILE [-f png|ppm] [SCREEN [HEAD]]; a screen has one head. */
static bool parse_dump(struct dump *dump, struct monitor_call *call)
{
    const char *format = NULL, *head = "0", *too_much = NULL;
    const char **const places[] = {&dump->file, &dump->screen, &head, &too_much};
    unsigned n = 0;

    for (unsigned i = 1; i < call->n_words; i++) {
        if (!strcmp(call->words[i], "-f") && i + 1 < call->n_words)
            format = call->words[++i];
        else if (n < ARRAY_SIZE(places))
            *places[n++] = call->words[i];
    }
    if (!dump->file || too_much) {
        monitor_usage(call);
        return false;
    }
    if (strcmp(head, "0") != 0) {
        fprintf(call->out, "a screen has one head, 0, and no '%s'\n", head);
        return false;
    }
    dump->format = ends_with(dump->file, ".png") ? PICTURE_PNG : PICTURE_PPM;
    if (!format)
        return true;
    dump->format = !strcmp(format, "png") ? PICTURE_PNG : PICTURE_PPM;
    if (dump->format == PICTURE_PNG || !strcmp(format, "ppm"))
        return true;
    fprintf(call->out, "the format '%s' is not known; it is png or ppm\n", format);
    return false;
}

static void write_dump(struct monitor_call *call, const struct dump *dump,
                       const struct screenshot *picture)
{
    struct error err;
    FILE *file = vm_create_file(call->vm, dump->file, &err);

    if (!file || !screenshot_write(picture, dump->format, file, &err))
        fprintf(call->out, "screendump: %s\n", err.message);
    if (file)
        fclose(file);
}

static void command_screendump(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);
    struct dump dump = {0};
    struct screenshot picture = {0};
    struct screen *screen;

    if (!parse_dump(&dump, call))
        return;
    pthread_mutex_lock(&m->lock);
    screen = find_screen(m, dump.screen, call->out);
    if (screen && !screenshot_take(screen, &picture))
        fprintf(call->out, "out of memory\n");
    pthread_mutex_unlock(&m->lock);
    if (picture.pixels)
        write_dump(call, &dump, &picture);
    free(picture.pixels);
}

static void info_screen(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);

    pthread_mutex_lock(&m->lock);
    struct screen *screen = find_screen(m, call->n_words > 1 ? call->words[1] : NULL, call->out);
    if (screen && screen->source->print_text)
        screen->source->print_text(screen->source_opaque, call->out);
    else if (screen)
        fprintf(call->out, "graphics, %u x %u\n", screen->width, screen->height);
    pthread_mutex_unlock(&m->lock);
}

/* ---- keys and mice ----------------------------------------------------------------------------
 */

static void command_sendkey(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);
    struct error err;
    long hold_ms = SEND_KEYS_HOLD_MS;

    if (call->n_words > 2 && !number(call->words[2], 1, 60000, &hold_ms, call->out))
        return;
    pthread_mutex_lock(&m->lock);
    if (!send_keys(vm_send_keys(call->vm), call->words[1], (uint32_t)hold_ms, &err))
        fprintf(call->out, "sendkey: %s\n", err.message);
    pthread_mutex_unlock(&m->lock);
}

/* Relative; for a tablet, whose position is the device's own, 0 to 32767 across the screen. */
static void command_mouse_move(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);
    long x, y, z = 0;
    int wheel;

    if (!number(call->words[1], -32768, 32767, &x, call->out) ||
        !number(call->words[2], -32768, 32767, &y, call->out) ||
        (call->n_words > 3 && !number(call->words[3], -128, 127, &z, call->out)))
        return;
    wheel = z > 0 ? -1 : z < 0 ? 1 : 0; /* up, away from the user, is positive here */
    pthread_mutex_lock(&m->lock);
    if (input_is_absolute(&m->input))
        input_place(&m->input, (unsigned)MAX(x, 0), (unsigned)MAX(y, 0), wheel, m->input.buttons);
    else
        input_move(&m->input, (int)x, (int)y, wheel, m->input.buttons);
    pthread_mutex_unlock(&m->lock);
}

/* The monitor counts left, middle, right as 1, 2, 4. */
static void command_mouse_button(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);
    long state;

    if (!number(call->words[1], 0, 31, &state, call->out))
        return;
    unsigned buttons = (state & 1 ? BUTTON_LEFT : 0u) | (state & 2 ? BUTTON_MIDDLE : 0u) |
                       (state & 4 ? BUTTON_RIGHT : 0u) |
                       ((unsigned)state & (BUTTON_SIDE | BUTTON_EXTRA));
    pthread_mutex_lock(&m->lock);
    input_buttons(&m->input, buttons);
    pthread_mutex_unlock(&m->lock);
}

static bool is_pointer(const struct input_device *device)
{
    return device->ops->move || device->ops->place;
}

static void command_mouse_set(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);
    struct input_device *chosen = NULL;
    long which;

    if (!number(call->words[1], 0, INT32_MAX, &which, call->out))
        return;
    pthread_mutex_lock(&m->lock);
    for (unsigned i = 0; i < m->input.n_devices; i++) {
        struct input_device *device = m->input.devices[i];
        if (is_pointer(device) && device->number == (unsigned)which)
            chosen = device;
    }
    if (chosen)
        input_activate(&m->input, chosen);
    else
        fprintf(call->out, "there is no mouse %ld; info mice shows them\n", which);
    pthread_mutex_unlock(&m->lock);
}

static void info_mice(struct monitor_call *call)
{
    struct machine *m = vm_machine(call->vm);
    const struct input_device *current;
    bool any = false;

    pthread_mutex_lock(&m->lock);
    current = input_pointer(&m->input);
    for (unsigned number = 1; number <= m->input.n_added; number++) {
        for (unsigned i = 0; i < m->input.n_devices; i++) {
            const struct input_device *device = m->input.devices[i];
            if (!is_pointer(device) || device->number != number)
                continue;
            fprintf(call->out, "%c Mouse #%u: %s%s\n", device == current ? '*' : ' ', number,
                    device->name, device->ops->place ? " (absolute)" : "");
            any = true;
        }
    }
    if (!any)
        fprintf(call->out, "No mouse devices connected\n");
    pthread_mutex_unlock(&m->lock);
}

/* ---- the table --------------------------------------------------------------------------------
 */

static void complete_key(struct vm *vm, unsigned n, const char *prefix, struct line_choices *out)
{
    for (int key = 1; n == 0 && key < KEY_CODES; key++) {
        if (key_name((enum key)key))
            line_choices_add(out, prefix, key_name((enum key)key));
    }
}

static void complete_screen(struct vm *vm, unsigned n, const char *prefix, struct line_choices *out)
{
    for (const struct screen *s = vm_machine(vm)->screens.first; s && n == 0; s = s->next)
        line_choices_add(out, prefix, s->name);
}

static const struct monitor_command commands[] = {
    {"mouse_button", NULL, "STATE", "press: left 1, middle 2, right 4, together",
     command_mouse_button, 1, 1, NULL},
    {"mouse_move", NULL, "DX DY [DZ]", "move the mouse and turn its wheel", command_mouse_move, 2,
     3, NULL},
    {"mouse_set", NULL, "NUMBER", "the mouse of info mice that is moved", command_mouse_set, 1, 1,
     NULL},
    {"screendump", NULL, "FILE [-f png|ppm] [SCREEN]", "a picture of the screen",
     command_screendump, 1, 5, NULL},
    {"sendkey", NULL, "KEYS [MS]", "press keys: ctrl-alt-f1; for so long", command_sendkey, 1, 2,
     complete_key},
    {NULL},
};
static const struct monitor_table table = {NULL, commands};
REGISTER(monitor_table, table);

static const struct monitor_command info_commands[] = {
    {"mice", NULL, "", "pointing devices", info_mice, 0, 0, NULL},
    {"screen", NULL, "[NAME]", "the text on a screen", info_screen, 0, 1, complete_screen},
    {NULL},
};
static const struct monitor_table info_table = {"info", info_commands};
REGISTER(monitor_table, info_table);
