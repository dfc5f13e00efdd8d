/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys and the mouse in the window. Keys go by their place to the guest, whatever the host's layout
 * makes of them, and as text to text consoles. The grab keys (Ctrl-Alt) begin what is the window's
 * own; pressed alone they hand mouse and keyboard to the guest, or take them back.
 */
#include "host/window_sdl.h"

#ifdef HAVE_SDL2
#include "host/text_console.h"
#include "host/window_sdl_keys.h"

enum { ZOOM_STEP = 50, WHEEL_CLICK = 1000 };

const char *sdl_grab_keys(const struct sdl_window *w)
{
    if (w->grab_modifiers == KMOD_RCTRL)
        return "Right-Ctrl-G";
    return w->grab_modifiers & KMOD_LSHIFT ? "Ctrl-Alt-Shift-G" : "Ctrl-Alt-G";
}

static bool is_text(const struct sdl_window *w)
{
    return text_console_of(w->view.front) != NULL;
}

static bool is_absolute(struct sdl_window *w)
{
    bool absolute;

    pthread_mutex_lock(w->machine.lock);
    absolute = input_is_absolute(w->machine.input);
    pthread_mutex_unlock(w->machine.lock);
    return absolute;
}

void sdl_update_pointer(struct sdl_window *w)
{
    bool absolute = is_absolute(w), guests = !is_text(w) && (w->is_grabbed || absolute);

    if (!w->sdl)
        return;
    SDL_ShowCursor(guests ? SDL_DISABLE : SDL_ENABLE);
    SDL_SetRelativeMouseMode(w->is_grabbed && !absolute ? SDL_TRUE : SDL_FALSE);
}

void sdl_set_grab(struct sdl_window *w, bool on)
{
    if (on == w->is_grabbed)
        return;
    w->is_grabbed = on;
    SDL_SetWindowGrab(w->sdl, on ? SDL_TRUE : SDL_FALSE);
    sdl_update_pointer(w);
    sdl_set_title(w);
}

static void release_all(struct sdl_window *w)
{
    pthread_mutex_lock(w->machine.lock);
    input_release_all(w->machine.input);
    pthread_mutex_unlock(w->machine.lock);
    w->buttons = 0;
}

void sdl_leave(struct sdl_window *w)
{
    w->chord = false;
    release_all(w);
    if (!w->is_full_screen)
        sdl_set_grab(w, false);
}

/* ---- keys -------------------------------------------------------------------------------------
 */

static bool grab_keys_down(const struct sdl_window *w, int modifiers)
{
    return (modifiers & w->grab_modifiers) == w->grab_modifiers;
}

static bool is_modifier(const SDL_KeyboardEvent *event)
{
    return event->keysym.scancode >= SDL_SCANCODE_LCTRL &&
           event->keysym.scancode <= SDL_SCANCODE_RGUI;
}

static void toggle_grab(struct sdl_window *w)
{
    if (w->is_grabbed || !is_text(w))
        sdl_set_grab(w, !w->is_grabbed);
}

/* Digits go by their place, as they need Shift on some keyboards. */
static bool switch_screen(struct sdl_window *w, SDL_Scancode code)
{
    if (code < SDL_SCANCODE_1 || code > SDL_SCANCODE_9)
        return false;
    sdl_set_grab(w, w->is_grabbed && code == SDL_SCANCODE_1);
    sdl_show_screen(w, code - SDL_SCANCODE_1);
    return true;
}

/* True: the key was one of the window's own. */
static bool own_key(struct sdl_window *w, const SDL_KeyboardEvent *event)
{
    if (switch_screen(w, event->keysym.scancode))
        return true;
    switch (event->keysym.sym) {
    case SDLK_f:
        if (!event->repeat)
            sdl_set_full_screen(w, !w->is_full_screen);
        return true;
    case SDLK_g:
        if (!event->repeat)
            toggle_grab(w);
        return true;
    case SDLK_u:
        sdl_zoom(w, 0);
        return true;
    case SDLK_PLUS:
    case SDLK_EQUALS: /* where plus needs Shift */
    case SDLK_KP_PLUS:
        sdl_zoom(w, ZOOM_STEP);
        return true;
    case SDLK_MINUS:
    case SDLK_KP_MINUS:
        sdl_zoom(w, -ZOOM_STEP);
        return true;
    default:
        return false;
    }
}

/* What is down because of the window's own keys never reaches the guest; a release without a press
 * neither. */
static void guest_key(struct sdl_window *w, enum key key, bool down)
{
    struct text_console *console = text_console_of(w->view.front);

    if (console)
        return;
    pthread_mutex_lock(w->machine.lock);
    if (key != KEY_NONE && (down || w->machine.input->down[key]))
        input_key(w->machine.input, key, down);
    pthread_mutex_unlock(w->machine.lock);
}

static void console_key(struct sdl_window *w, enum key key, int modifiers)
{
    struct text_console *console = text_console_of(w->view.front);

    if (!console || modifiers & (KMOD_ALT | KMOD_GUI))
        return;
    pthread_mutex_lock(w->machine.lock);
    text_console_key(console, key, modifiers & KMOD_CTRL);
    pthread_mutex_unlock(w->machine.lock);
}

static void key_down(struct sdl_window *w, const SDL_KeyboardEvent *event)
{
    int modifiers = event->keysym.mod;
    enum key key = sdl_key(event->keysym.scancode);

    if (is_modifier(event)) {
        w->chord = !event->repeat && grab_keys_down(w, SDL_GetModState());
        guest_key(w, key, true);
        return;
    }
    w->chord = false;
    if (grab_keys_down(w, modifiers) && own_key(w, event)) {
        /* The guest saw Ctrl and Alt go down: it must not think they still are. */
        release_all(w);
        return;
    }
    guest_key(w, key, true);
    console_key(w, key, modifiers);
}

static void key_up(struct sdl_window *w, const SDL_KeyboardEvent *event)
{
    if (w->chord && is_modifier(event)) {
        w->chord = false;
        toggle_grab(w);
    }
    guest_key(w, sdl_key(event->keysym.scancode), false);
}

static void text_typed(struct sdl_window *w, const char *text)
{
    struct text_console *console = text_console_of(w->view.front);

    if (!console || SDL_GetModState() & KMOD_CTRL)
        return;
    pthread_mutex_lock(w->machine.lock);
    text_console_type(console, text);
    pthread_mutex_unlock(w->machine.lock);
}

/* ---- the mouse --------------------------------------------------------------------------------
 */

static uint8_t button_of(uint8_t button)
{
    static const uint8_t buttons[] = {[SDL_BUTTON_LEFT] = BUTTON_LEFT,
                                      [SDL_BUTTON_MIDDLE] = BUTTON_MIDDLE,
                                      [SDL_BUTTON_RIGHT] = BUTTON_RIGHT,
                                      [SDL_BUTTON_X1] = BUTTON_SIDE,
                                      [SDL_BUTTON_X2] = BUTTON_EXTRA};

    return button < ARRAY_SIZE(buttons) ? buttons[button] : 0;
}

static void place(struct sdl_window *w, int x, int y, int wheel)
{
    unsigned at_x, at_y, width = MAX(w->view.picture.screen_width, 2u) - 1;
    unsigned height = MAX(w->view.picture.screen_height, 2u) - 1;

    picture_find(&w->view.picture, x, y, &at_x, &at_y);
    input_place(w->machine.input, at_x * INPUT_ABSOLUTE_MAX / width,
                at_y * INPUT_ABSOLUTE_MAX / height, wheel, w->buttons);
}

/* x, y: in the window; dx, dy: since the last time. Only a mouse that was given to the guest moves
 * a pointer that knows no places. */
static void point(struct sdl_window *w, int x, int y, int dx, int dy, int wheel)
{
    if (is_text(w))
        return;
    pthread_mutex_lock(w->machine.lock);
    if (input_is_absolute(w->machine.input))
        place(w, x, y, wheel);
    else if (w->is_grabbed)
        input_move(w->machine.input, dx, dy, wheel, w->buttons);
    pthread_mutex_unlock(w->machine.lock);
}

static void mouse_button(struct sdl_window *w, const SDL_MouseButtonEvent *event)
{
    bool down = event->state == SDL_PRESSED;

    w->chord = false;
    if (is_text(w))
        return;
    if (!w->is_grabbed && !is_absolute(w)) {
        /* The click that takes the mouse is no click in the guest. */
        if (down && event->button == SDL_BUTTON_LEFT)
            sdl_set_grab(w, true);
        return;
    }
    if (down)
        w->buttons |= button_of(event->button);
    else
        w->buttons &= (uint8_t)~button_of(event->button);
    point(w, event->x, event->y, 0, 0, 0);
}

static void mouse_wheel(struct sdl_window *w, const SDL_MouseWheelEvent *event)
{
    struct text_console *console = text_console_of(w->view.front);
    int x, y, clicks;

    w->wheel_mx -= (int)(event->preciseY * WHEEL_CLICK);
    clicks = w->wheel_mx / WHEEL_CLICK;
    w->wheel_mx -= clicks * WHEEL_CLICK;
    if (!clicks)
        return;
    if (console) {
        pthread_mutex_lock(w->machine.lock);
        text_console_scroll(console, -3 * clicks);
        pthread_mutex_unlock(w->machine.lock);
        return;
    }
    SDL_GetMouseState(&x, &y);
    point(w, x, y, 0, 0, clicks);
}

void sdl_input_event(struct sdl_window *w, const SDL_Event *event)
{
    switch (event->type) {
    case SDL_KEYDOWN:
        key_down(w, &event->key);
        break;
    case SDL_KEYUP:
        key_up(w, &event->key);
        break;
    case SDL_TEXTINPUT:
        text_typed(w, event->text.text);
        break;
    case SDL_MOUSEMOTION:
        point(w, event->motion.x, event->motion.y, event->motion.xrel, event->motion.yrel, 0);
        break;
    case SDL_MOUSEBUTTONDOWN:
    case SDL_MOUSEBUTTONUP:
        mouse_button(w, &event->button);
        break;
    case SDL_MOUSEWHEEL:
        mouse_wheel(w, &event->wheel);
        break;
    default:
        return;
    }
    sdl_hasten(w);
}
#endif
