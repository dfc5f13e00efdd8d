/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the front ends share: finding a kind, showing a screen, arguments. */
#include "host/window.h"

#include <string.h>

const struct window_kind *window_kind_find(const char *name, size_t length)
{
    REGISTRY_FOREACH (window_kind, struct window_kind, kind) {
        if (strlen(kind->name) == length && !memcmp(kind->name, name, length))
            return kind;
    }
    return NULL;
}

/* ---- views ------------------------------------------------------------------------------------
 */

static void note_all(struct window_view *view)
{
    view->rects[0] = (struct screen_rect){0, 0, view->front->width, view->front->height};
    view->n_rects = 1;
}

static void note_resized(void *opaque, struct screen *screen)
{
    struct window_view *view = opaque;

    view->resized = true;
    view->n_rects = 0;
}

static void note_changed(void *opaque, struct screen *screen, const struct screen_rect *rect)
{
    struct window_view *view = opaque;

    if (view->n_rects < ARRAY_SIZE(view->rects))
        view->rects[view->n_rects++] = *rect;
    else
        note_all(view);
}

static void note_pointer(void *opaque, struct screen *screen)
{
    ((struct window_view *)opaque)->pointer_moved = true;
}

static const struct screen_viewer view_viewer = {note_resized, note_changed, note_pointer};

/* NULL: there are fewer. */
static struct screen *find_screen(const struct window_machine *machine, unsigned n)
{
    for (unsigned i = 0; i < WINDOW_SCREEN_LISTS; i++) {
        struct screen *screen = machine->screens[i] ? machine->screens[i]->first : NULL;
        for (; screen; screen = screen->next) {
            if (!n--)
                return screen;
        }
    }
    return NULL;
}

bool window_view_show(struct window_view *view, const struct window_machine *machine, unsigned n)
{
    struct screen *screen;
    bool shown;

    pthread_mutex_lock(machine->lock);
    screen = find_screen(machine, n);
    shown = screen && screen != view->front && screen_add_viewer(screen, &view_viewer, view);
    if (shown) {
        if (view->front)
            screen_remove_viewer(view->front, &view_viewer, view);
        view->front = screen;
        note_resized(view, screen);
    }
    pthread_mutex_unlock(machine->lock);
    return shown;
}

bool window_view_refresh(struct window_view *view)
{
    screen_refresh(view->front);
    return view->resized || view->n_rects || view->pointer_moved;
}

bool window_view_arrange(struct window_view *view, unsigned width, unsigned height)
{
    note_all(view);
    view->pointer_moved = true;
    return picture_arrange(&view->picture, view->front, width, height);
}

void window_view_draw(struct window_view *view, uint32_t *pixels, size_t stride,
                      void (*drawn)(void *opaque, const struct screen_rect *rect), void *opaque)
{
    struct screen_rect rects[SCREEN_RECTS + 2];
    unsigned n = view->n_rects;

    memcpy(rects, view->rects, n * sizeof(*rects));
    if (view->pointer_moved) {
        picture_move_pointer(&view->picture, view->front, &rects[n]);
        n += 2;
    }
    view->n_rects = 0;
    view->pointer_moved = false;
    for (unsigned i = 0; i < n; i++) {
        struct screen_rect rect =
            picture_draw(&view->picture, view->front, &rects[i], pixels, stride);
        if (rect.width && rect.height)
            drawn(opaque, &rect);
    }
}

bool window_view_suggest(struct window_view *view, const struct window_machine *machine,
                         unsigned width, unsigned height)
{
    const struct screen *screen;
    bool can;

    pthread_mutex_lock(machine->lock);
    screen = view->front;
    can = screen->source->suggest_size != NULL;
    if (can)
        screen->source->suggest_size(screen->source_opaque, width, height);
    pthread_mutex_unlock(machine->lock);
    return can;
}

void window_view_end(struct window_view *view, const struct window_machine *machine)
{
    if (view->front) {
        pthread_mutex_lock(machine->lock);
        screen_remove_viewer(view->front, &view_viewer, view);
        pthread_mutex_unlock(machine->lock);
    }
    picture_clear(&view->picture);
    *view = (struct window_view){0};
}

/* ---- time and arguments -----------------------------------------------------------------------
 */

int64_t window_pace(int64_t interval_ns, bool changed)
{
    interval_ns = changed ? interval_ns / 2 : interval_ns + interval_ns / 4;
    return MIN(MAX(interval_ns, WINDOW_FAST_NS), WINDOW_SLOW_NS);
}

static void copy_word(char word[WINDOW_WORD], const char *text, size_t length)
{
    length = MIN(length, (size_t)WINDOW_WORD - 1);
    memcpy(word, text, length);
    word[length] = 0;
}

bool window_next_argument(const char **text, char key[WINDOW_WORD], char value[WINDOW_WORD])
{
    size_t length, name;

    if (!*text || !**text)
        return false;
    length = strcspn(*text, ",");
    name = strcspn(*text, "=,");
    copy_word(key, *text, name);
    if (name < length)
        copy_word(value, *text + name + 1, length - name - 1);
    else
        copy_word(value, "on", 2);
    *text += length + ((*text)[length] == ',');
    return true;
}
