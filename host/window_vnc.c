/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VNC server through libvncserver, which speaks WebSocket at the same ports, too.
 *
 * The library waits within its calls for clients that are slow or mean: it has a thread of its own,
 * so that it holds up neither the guest nor other sockets, and a client that keeps that thread
 * waiting too long is cut off by the I/O thread. Only the server's thread calls the library; what
 * clients type is carried out by the I/O thread.
 */
#define _GNU_SOURCE
#include "host/window.h"

#ifdef HAVE_VNCSERVER
#include <errno.h>
#include <poll.h>
#include <rfb/rfb.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "host/keymap.h"
#include "host/text_console.h"
#include "host/vnc_listen.h"
#include "util/bits.h"

#define WATCH_NS INT64_C(500000000)
#define READ_LIMIT_NS INT64_C(2000000000) /* for the rest of a message that began */
#define WRITE_LIMIT_NS INT64_C(8000000000)
enum { CLIENTS = 16, EVENTS = 1024, SEND_BUFFER = 4 << 20, WAIT_MS = 10000 };

/* What a client did. key: KEY_NONE where it has said a character only. */
struct event {
    bool is_key, is_release, down;
    uint32_t keysym;
    enum key key;
    int mask, x, y, width, height;
};

struct vnc {
    struct window window;
    struct window_config config;
    struct window_machine machine;
    struct vnc_address address;
    const char *remove; /* the socket's name, in the end */
    int listeners[VNC_LISTENERS];
    unsigned n_listeners;
    int stop_fd;
    pthread_t thread;
    bool has_thread;
    struct watch watchdog; /* the I/O thread's */
    /* What the thread is waiting for: the I/O thread may shut it down. Once it stops, the thread
     * shuts down all that it would wait for. */
    pthread_mutex_t busy_lock;
    bool stopping;
    int busy_fd;
    int64_t busy_until_ns;

    _Atomic unsigned n_clients;
    pthread_mutex_t events_lock;
    struct event events[EVENTS];
    unsigned events_in, events_out;
    bool events_lost;
    /* The I/O thread's: what is held, and where the pointer was. */
    bool ctrl, alt;
    int x, y, mask;
    struct watch pacer; /* when the next key is due */
    int64_t keys_wait_until_ns;

    /* The thread's. */
    rfbScreenInfoPtr rfb;
    char title[96];
    int *new_fd;      /* of the client that is being made */
    uint32_t *pixels; /* what the library reads */
    int64_t interval_ns, refreshed_ns;
    struct window_view view; /* the I/O thread says of what; drawn by this thread */
};

/* ---- pictures ----------------------------------------------------------------------------------
 */

/* A rectangle was drawn. */
static void mark(void *opaque, const struct screen_rect *rect)
{
    rfbMarkRectAsModified(((struct vnc *)opaque)->rfb, (int)rect->x, (int)rect->y,
                          (int)(rect->x + rect->width), (int)(rect->y + rect->height));
}

/* Ours are 0x00rrggbb. */
static void set_format(rfbScreenInfoPtr rfb)
{
    rfb->serverFormat.redShift = 16;
    rfb->serverFormat.greenShift = 8;
    rfb->serverFormat.blueShift = 0;
}

/* The screen has another size, or is another one. Device lock held. */
static void take_size(struct vnc *vnc)
{
    unsigned width = vnc->view.front->width, height = vnc->view.front->height;
    uint32_t *before = vnc->pixels, *pixels = calloc((size_t)width * height, sizeof(*pixels));

    if (!pixels || !window_view_arrange(&vnc->view, width, height)) {
        free(pixels);
        return;
    }
    vnc->view.resized = false;
    vnc->pixels = pixels;
    rfbNewFramebuffer(vnc->rfb, (char *)pixels, (int)width, (int)height, 8, 3, 4);
    set_format(vnc->rfb);
    for (rfbClientPtr client = vnc->rfb->clientHead; client; client = client->next)
        vnc->rfb->setTranslateFunction(client);
    free(before);
}

static void refresh(struct vnc *vnc)
{
    bool differs;

    pthread_mutex_lock(vnc->machine.lock);
    differs = window_view_refresh(&vnc->view);
    if (vnc->view.resized)
        take_size(vnc);
    window_view_draw(&vnc->view, vnc->pixels, (size_t)vnc->rfb->width, mark, vnc);
    pthread_mutex_unlock(vnc->machine.lock);
    vnc->interval_ns = window_pace(vnc->interval_ns, differs);
}

/* ---- input ------------------------------------------------------------------------------------
 */

static struct vnc *vnc_of(rfbClientPtr client)
{
    return client->screen->screenData;
}

/* Modifiers that the character needs and the user does not hold: a client whose keyboard has
 * another layout, or a telephone's. */
static void adjust_modifier(struct input *input, bool wanted, enum key left, enum key right,
                            bool undo)
{
    bool down = input->down[left] || (right && input->down[right]);

    if (down == wanted)
        return;
    if (wanted || undo) {
        input_key(input, left, wanted);
        return;
    }
    input_key(input, left, false);
    if (right)
        input_key(input, right, false);
}

/* The client may have said which key it is; else the layout knows where the character is. */
static bool find_key(struct vnc *vnc, const struct event *event, struct keymap_key *found)
{
    *found = (struct keymap_key){.key = event->key};
    return event->key || keymap_lookup(vnc->config.options.keymap, event->keysym, found);
}

static void guest_key(struct vnc *vnc, const struct event *event)
{
    struct input *input = vnc->machine.input;
    struct keymap_key found;
    bool shift, altgr, down = event->down;

    if (!find_key(vnc, event, &found))
        return;
    if (!down || !found.is_character) {
        if (down || input->down[found.key])
            input_key(input, found.key, down);
        return;
    }
    shift = input->down[KEY_CODE_SHIFT] || input->down[KEY_CODE_SHIFT_R];
    altgr = input->down[KEY_CODE_ALT_R];
    /* Caps lock turns letters round, in the guest as at the client. */
    if (found.is_letter && input->leds & LED_CAPS)
        found.shift = !found.shift;
    if (vnc->ctrl || vnc->alt) {
        found.shift = shift; /* Ctrl-C is Ctrl-C, whatever its case */
        found.altgr = altgr;
    }
    adjust_modifier(input, found.shift, KEY_CODE_SHIFT, KEY_CODE_SHIFT_R, false);
    adjust_modifier(input, found.altgr, KEY_CODE_ALT_R, KEY_NONE, false);
    input_key(input, found.key, true);
    adjust_modifier(input, altgr, KEY_CODE_ALT_R, KEY_NONE, true);
    adjust_modifier(input, shift, KEY_CODE_SHIFT, KEY_CODE_SHIFT_R, true);
}

static void console_key(struct vnc *vnc, struct text_console *console, const struct event *event)
{
    struct keymap_key found;
    char text[8];

    find_key(vnc, event, &found);
    if (!vnc->alt && !text_console_key(console, found.key, vnc->ctrl) && !vnc->ctrl &&
        keymap_text(event->keysym, text))
        text_console_type(console, text);
}

/* Ctrl-Alt-1 and so on. */
static bool switch_key(struct vnc *vnc, const struct event *event)
{
    struct keymap_key found;

    if (!vnc->ctrl || !vnc->alt || !find_key(vnc, event, &found) || found.key < KEY_CODE_1 ||
        found.key > KEY_CODE_9)
        return false;
    pthread_mutex_lock(vnc->machine.lock);
    input_release_all(vnc->machine.input);
    pthread_mutex_unlock(vnc->machine.lock);
    window_view_show(&vnc->view, &vnc->machine, (unsigned)(found.key - KEY_CODE_1));
    return true;
}

enum { XK_CTRL_L = 0xffe3, XK_CTRL_R = 0xffe4, XK_META_L = 0xffe7, XK_ALT_L = 0xffe9 };

/* Keyboards have room for a few keys: what a program types, or a network delivers at once, comes
 * one after the other. */
static void pause_keys(struct vnc *vnc)
{
    int64_t delay_ns = vnc->address.key_delay_ms * INT64_C(1000000);

    vnc->keys_wait_until_ns = monotonic_ns() + delay_ns;
    watch_set_due(vnc->config.loop, &vnc->pacer, delay_ns);
}

static bool keys_wait(struct vnc *vnc)
{
    return monotonic_ns() < vnc->keys_wait_until_ns;
}

static void key_is_due(void *opaque)
{
    /* `run` follows, and takes it. */
}

static void act_on_key(struct vnc *vnc, const struct event *event)
{
    struct text_console *console = text_console_of(vnc->view.front);

    if (event->keysym == XK_CTRL_L || event->keysym == XK_CTRL_R)
        vnc->ctrl = event->down;
    if (event->keysym == XK_ALT_L || event->keysym == XK_META_L)
        vnc->alt = event->down;
    if (event->down && switch_key(vnc, event))
        return;
    pthread_mutex_lock(vnc->machine.lock);
    if (!console)
        guest_key(vnc, event);
    else if (event->down)
        console_key(vnc, console, event);
    pthread_mutex_unlock(vnc->machine.lock);
    if (!console)
        pause_keys(vnc);
}

static unsigned buttons_of(int mask)
{
    return (mask & 1 ? BUTTON_LEFT : 0u) | (mask & 2 ? BUTTON_MIDDLE : 0u) |
           (mask & 4 ? BUTTON_RIGHT : 0u);
}

/* x, y: of width, height. */
static void act_on_pointer(struct vnc *vnc, int mask, int x, int y, int width, int height)
{
    enum { WHEEL_UP = 8, WHEEL_DOWN = 16 };
    struct input *input = vnc->machine.input;
    struct text_console *console = text_console_of(vnc->view.front);
    int pressed = mask & ~vnc->mask, wheel = !!(pressed & WHEEL_DOWN) - !!(pressed & WHEEL_UP);

    pthread_mutex_lock(vnc->machine.lock);
    if (console)
        text_console_scroll(console, -3 * wheel);
    else if (input_is_absolute(input))
        input_place(input, (unsigned)(x * INPUT_ABSOLUTE_MAX / width),
                    (unsigned)(y * INPUT_ABSOLUTE_MAX / height), wheel, buttons_of(mask));
    else
        input_move(input, x - vnc->x, y - vnc->y, wheel, buttons_of(mask));
    pthread_mutex_unlock(vnc->machine.lock);
    vnc->mask = mask;
    vnc->x = x;
    vnc->y = y;
}

/* The thread's: what clients do is for the I/O thread to carry out. */
static void queue(struct vnc *vnc, struct event event)
{
    unsigned used;

    vnc->interval_ns = WINDOW_FAST_NS;
    pthread_mutex_lock(&vnc->events_lock);
    used = vnc->events_in - vnc->events_out;
    if (used < EVENTS)
        vnc->events[vnc->events_in++ % EVENTS] = event;
    else
        vnc->events_lost = true;
    pthread_mutex_unlock(&vnc->events_lock);
    event_loop_wake(vnc->config.loop);
}

static void vnc_key(rfbBool down, rfbKeySym keysym, rfbClientPtr client)
{
    queue(vnc_of(client), (struct event){.is_key = true, .down = down, .keysym = keysym});
}

/* ---- extended keys: a client that says which key it is, by its place on the keyboard ("QEMU
 * Extended Key Event" of the RFB protocol's community version) ------------------------------------
 */

enum { EXTENDED_KEYS = (int)rfbEncodingQemuExtendedKeyEvent };

/* An empty rectangle says that this server understands them. */
static rfbBool offer_extended_keys(rfbClientPtr client, void **data, int encoding)
{
    struct {
        rfbFramebufferUpdateMsg update;
        rfbFramebufferUpdateRectHeader rect;
    } answer = {.update = {.type = rfbFramebufferUpdate, .nRects = htons(1)},
                .rect = {.r = {.w = htons((uint16_t)client->screen->width),
                               .h = htons((uint16_t)client->screen->height)},
                         .encoding = htonl(rfbEncodingQemuExtendedKeyEvent)}};

    _Static_assert(sizeof(answer) == 16, "as it is sent");
    return encoding == EXTENDED_KEYS &&
           rfbWriteExact(client, (const char *)&answer, sizeof(answer)) > 0;
}

static rfbBool take_extended_key(rfbClientPtr client, void *data,
                                 const rfbClientToServerMsg *message)
{
    struct {
        uint8_t kind; /* 0: a key */
        uint8_t down[2], keysym[4], code[4];
    } rest;

    if (message->type != rfbQemuEvent)
        return FALSE;
    if (rfbReadExact(client, (char *)&rest, sizeof(rest)) <= 0 || rest.kind)
        rfbCloseClient(client);
    else
        queue(vnc_of(client), (struct event){.is_key = true,
                                             .down = load_be16(rest.down) != 0,
                                             .keysym = load_be32(rest.keysym),
                                             .key = key_by_set1(load_be32(rest.code))});
    return TRUE;
}

static void add_extended_keys(void)
{
    /* The library links the extensions of the process; adding one again does nothing. */
    static int encodings[] = {EXTENDED_KEYS, 0};
    static rfbProtocolExtension extension = {.pseudoEncodings = encodings,
                                             .enablePseudoEncoding = offer_extended_keys,
                                             .handleMessage = take_extended_key};

    rfbRegisterProtocolExtension(&extension);
}

/* ---- pointers and sizes -----------------------------------------------------------------------
 */

static void vnc_pointer(int mask, int x, int y, rfbClientPtr client)
{
    int width = MAX(client->screen->width, 2) - 1, height = MAX(client->screen->height, 2) - 1;

    queue(vnc_of(client), (struct event){.mask = mask,
                                         .x = MIN(MAX(x, 0), width),
                                         .y = MIN(MAX(y, 0), height),
                                         .width = width,
                                         .height = height});
}

/* SetDesktopSize. */
static int vnc_size(int width, int height, int n_screens, struct rfbExtDesktopScreen *screens,
                    rfbClientPtr client)
{
    enum { FORWARDED = 4 }; /* the RFB protocol, "ExtendedDesktopSize": it may come true later */
    struct vnc *vnc = vnc_of(client);

    return window_view_suggest(&vnc->view, &vnc->machine, (unsigned)width, (unsigned)height)
               ? FORWARDED
               : rfbExtDesktopSize_InvalidScreenLayout;
}

static void release_all(struct vnc *vnc)
{
    pthread_mutex_lock(vnc->machine.lock);
    input_release_all(vnc->machine.input);
    pthread_mutex_unlock(vnc->machine.lock);
    vnc->ctrl = vnc->alt = false;
    vnc->mask = 0;
}

static bool next_event(struct vnc *vnc, struct event *event)
{
    bool lost, any;

    pthread_mutex_lock(&vnc->events_lock);
    any = vnc->events_in != vnc->events_out;
    if (any)
        *event = vnc->events[vnc->events_out++ % EVENTS];
    lost = !any && vnc->events_lost;
    if (lost)
        vnc->events_lost = false;
    pthread_mutex_unlock(&vnc->events_lock);
    if (lost)
        release_all(vnc);
    return any;
}

static void act_on_events(struct vnc *vnc)
{
    struct event event;

    /* No more than can be in the queue: the others have a turn. */
    for (unsigned i = 0; i < EVENTS && !keys_wait(vnc) && next_event(vnc, &event); i++) {
        if (event.is_release)
            release_all(vnc);
        else if (event.is_key)
            act_on_key(vnc, &event);
        else
            act_on_pointer(vnc, event.mask, event.x, event.y, event.width, event.height);
    }
}

/* ---- clients ----------------------------------------------------------------------------------
 */

/* Of a client's socket: it lives as long as the client, whatever the library closes. */
static int fd_of(rfbClientPtr client)
{
    return client->clientData ? *(int *)client->clientData : -1;
}

static void client_gone(rfbClientPtr client)
{
    struct vnc *vnc = vnc_of(client);

    pthread_mutex_lock(&vnc->busy_lock);
    if (vnc->busy_fd == fd_of(client))
        vnc->busy_fd = -1;
    if (client->clientData)
        close(fd_of(client));
    pthread_mutex_unlock(&vnc->busy_lock);
    free(client->clientData);
    client->clientData = NULL;
    /* libvncserver 0.9.14 forgets it; later ones do this, too. */
    free(client->wsctx);
    client->wsctx = NULL;
    queue(vnc, (struct event){.is_release = true});
    atomic_fetch_sub(&vnc->n_clients, 1);
}

static enum rfbNewClientAction client_new(rfbClientPtr client)
{
    struct vnc *vnc = vnc_of(client);

    client->clientData = vnc->new_fd;
    client->clientGoneHook = client_gone;
    vnc->new_fd = NULL;
    atomic_fetch_add(&vnc->n_clients, 1);
    return RFB_CLIENT_ACCEPT;
}

/* From here to the next call with -1 the thread may wait for this client, until then. */
static void set_busy(struct vnc *vnc, int fd, int64_t limit_ns)
{
    pthread_mutex_lock(&vnc->busy_lock);
    vnc->busy_fd = fd;
    vnc->busy_until_ns = monotonic_ns() + limit_ns;
    if (vnc->stopping && fd >= 0)
        shutdown(fd, SHUT_RDWR);
    pthread_mutex_unlock(&vnc->busy_lock);
}

/* The I/O thread's. */
static void look_after(void *opaque)
{
    struct vnc *vnc = opaque;

    pthread_mutex_lock(&vnc->busy_lock);
    if (vnc->busy_fd >= 0 && monotonic_ns() > vnc->busy_until_ns)
        shutdown(vnc->busy_fd, SHUT_RDWR);
    pthread_mutex_unlock(&vnc->busy_lock);
    if (atomic_load(&vnc->n_clients))
        watch_set_due(vnc->config.loop, &vnc->watchdog, WATCH_NS);
}

static void accept_client(struct vnc *vnc, int listener)
{
    int fd = accept(listener, NULL, NULL), size = SEND_BUFFER;
    int *keep = malloc(sizeof(*keep));

    if (fd >= 0 && keep && atomic_load(&vnc->n_clients) < CLIENTS) {
        *keep = dup(fd);
        setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
        vnc->new_fd = keep;
        watch_set_due(vnc->config.loop, &vnc->watchdog, WATCH_NS);
        set_busy(vnc, *keep, READ_LIMIT_NS);
        rfbNewClient(vnc->rfb, fd); /* closes it in the end, or at once */
        set_busy(vnc, -1, 0);
        if (vnc->new_fd) {
            close(*keep);
            free(keep);
            vnc->new_fd = NULL;
        }
        vnc->interval_ns = WINDOW_FAST_NS;
        return;
    }
    if (fd >= 0)
        close(fd);
    free(keep);
}

/* A client that has not taken the last picture gets no other one. */
static bool takes_more(rfbClientPtr client)
{
    enum { ENOUGH = 65536 };
    int waiting = 0;

    return ioctl(client->sock, TIOCOUTQ, &waiting) != 0 || waiting < ENOUGH;
}

/* No JPEG, whatever quality the client has asked for. */
static void stay_exact(rfbClientPtr client)
{
#ifdef LIBVNCSERVER_HAVE_LIBJPEG
    client->turboQualityLevel = -1;
#endif
}

static void serve_client(struct vnc *vnc, rfbClientPtr client, bool readable)
{
    if (readable && client->sock != RFB_INVALID_SOCKET) {
        set_busy(vnc, fd_of(client), READ_LIMIT_NS);
        do
            rfbProcessClientMessage(client);
        while (client->sock != RFB_INVALID_SOCKET && webSocketsHasDataInBuffer(client));
        if (!vnc->address.lossy)
            stay_exact(client);
    }
    if (client->sock != RFB_INVALID_SOCKET && takes_more(client)) {
        set_busy(vnc, fd_of(client), WRITE_LIMIT_NS);
        rfbUpdateClient(client);
    }
    set_busy(vnc, -1, 0);
}

static bool is_readable(const struct pollfd *polled, unsigned n, int fd)
{
    for (unsigned i = 0; i < n; i++) {
        if (polled[i].fd == fd)
            return polled[i].revents != 0;
    }
    return false;
}

static void serve_clients(struct vnc *vnc, const struct pollfd *polled, unsigned n)
{
    for (rfbClientPtr client = vnc->rfb->clientHead; client; client = client->next)
        serve_client(vnc, client, is_readable(polled, n, client->sock));
    /* One client's request may have closed others. */
    for (rfbClientPtr client = vnc->rfb->clientHead, next; client; client = next) {
        next = client->next;
        if (client->sock == RFB_INVALID_SOCKET)
            rfbClientConnectionGone(client);
    }
}

/* ---- the thread -------------------------------------------------------------------------------
 */

static unsigned gather(struct vnc *vnc, struct pollfd *polled)
{
    rfbClientPtr client = vnc->rfb->clientHead;
    unsigned n = 0;

    polled[n++] = (struct pollfd){.fd = vnc->stop_fd, .events = POLLIN};
    for (unsigned i = 0; i < vnc->n_listeners; i++)
        polled[n++] = (struct pollfd){.fd = vnc->listeners[i], .events = POLLIN};
    for (; client && n < CLIENTS + VNC_LISTENERS + 1; client = client->next)
        polled[n++] = (struct pollfd){.fd = client->sock, .events = POLLIN};
    return n;
}

/* Milliseconds to it; for ever if nobody looks. */
static int wait_of(struct vnc *vnc, int64_t now)
{
    int64_t left = vnc->refreshed_ns + vnc->interval_ns - now;

    if (!atomic_load(&vnc->n_clients))
        return -1;
    return left <= 0 ? 0 : (int)(left / 1000000 + 1);
}

static void refresh_if_due(struct vnc *vnc)
{
    int64_t now = monotonic_ns();

    if (!atomic_load(&vnc->n_clients) || now < vnc->refreshed_ns + vnc->interval_ns)
        return;
    vnc->refreshed_ns = now;
    refresh(vnc);
}

static void *serve(void *opaque)
{
    struct vnc *vnc = opaque;
    struct pollfd polled[CLIENTS + VNC_LISTENERS + 1];

    for (;;) {
        unsigned n = gather(vnc, polled);
        if (poll(polled, n, wait_of(vnc, monotonic_ns())) < 0 && errno != EINTR)
            return NULL;
        if (polled[0].revents)
            return NULL;
        for (unsigned i = 0; i < vnc->n_listeners; i++) {
            if (polled[1 + i].revents)
                accept_client(vnc, vnc->listeners[i]);
        }
        refresh_if_due(vnc);
        serve_clients(vnc, polled, n);
    }
}

/* ---- life -------------------------------------------------------------------------------------
 */

static void say_nothing(const char *format, ...)
{
}

static bool vnc_show(struct window *window, const struct window_machine *machine, struct error *err)
{
    struct vnc *vnc = CONTAINER_OF(window, struct vnc, window);

    vnc->machine = *machine;
    if (vnc->address.none)
        return true;
    window_view_show(&vnc->view, &vnc->machine, 0);
    if (!vnc->view.front)
        return error_set(err, "there is no screen to serve");
    rfbLog = rfbErr = say_nothing;
    vnc->rfb = rfbGetScreen(NULL, NULL, (int)vnc->view.front->width, (int)vnc->view.front->height,
                            8, 3, 4);
    vnc->pixels =
        calloc((size_t)vnc->view.front->width * vnc->view.front->height, sizeof(*vnc->pixels));
    if (!vnc->rfb || !vnc->pixels)
        return error_set(err, "out of memory");
    vnc->rfb->frameBuffer = (char *)vnc->pixels;
    vnc->rfb->screenData = vnc;
    vnc->rfb->desktopName = vnc->title;
    vnc->rfb->autoPort = FALSE;
    vnc->rfb->port = vnc->rfb->ipv6port = 0;
    vnc->rfb->permitFileTransfer = FALSE;
    vnc->rfb->deferUpdateTime = vnc->rfb->deferPtrUpdateTime = 0;
    vnc->rfb->maxClientWait = WAIT_MS;
    vnc->rfb->alwaysShared = vnc->address.shared;
    vnc->rfb->cursor = NULL;
    vnc->rfb->kbdAddEvent = vnc_key;
    vnc->rfb->ptrAddEvent = vnc_pointer;
    vnc->rfb->setDesktopSizeHook = vnc_size;
    vnc->rfb->newClientHook = client_new;
    set_format(vnc->rfb);
    add_extended_keys();
    rfbInitServer(vnc->rfb);
    /* The thread is made later, when it inherits what the process has given up. */
    event_loop_wake(vnc->config.loop);
    return true;
}

static void vnc_run(struct window *window)
{
    struct vnc *vnc = CONTAINER_OF(window, struct vnc, window);

    act_on_events(vnc);
    if (vnc->has_thread || vnc->address.none)
        return;
    vnc->has_thread = pthread_create(&vnc->thread, NULL, serve, vnc) == 0;
    if (!vnc->has_thread) {
        fprintf(stderr, "%s: -vnc: cannot start a thread\n", vnc->config.program);
        vnc->address.none = true;
    }
}

static void stop_thread(struct vnc *vnc)
{
    uint64_t one = 1;

    if (!vnc->has_thread)
        return;
    if (write(vnc->stop_fd, &one, sizeof(one)) < 0)
        return;
    pthread_mutex_lock(&vnc->busy_lock);
    vnc->stopping = true;
    if (vnc->busy_fd >= 0)
        shutdown(vnc->busy_fd, SHUT_RDWR);
    pthread_mutex_unlock(&vnc->busy_lock);
    pthread_join(vnc->thread, NULL);
}

static void vnc_destroy(struct window *window)
{
    struct vnc *vnc = CONTAINER_OF(window, struct vnc, window);

    stop_thread(vnc);
    if (vnc->rfb) {
        rfbShutdownServer(vnc->rfb, TRUE);
        vnc->rfb->frameBuffer = NULL;
        rfbScreenCleanup(vnc->rfb);
    }
    window_view_end(&vnc->view, &vnc->machine);
    event_loop_remove(vnc->config.loop, &vnc->watchdog);
    event_loop_remove(vnc->config.loop, &vnc->pacer);
    for (unsigned i = 0; i < vnc->n_listeners; i++)
        close(vnc->listeners[i]);
    if (vnc->remove)
        unlink(vnc->remove);
    if (vnc->stop_fd >= 0)
        close(vnc->stop_fd);
    free(vnc->pixels);
    pthread_mutex_destroy(&vnc->busy_lock);
    pthread_mutex_destroy(&vnc->events_lock);
    free(vnc);
}

static const struct window_ops vnc_ops = {vnc_show, vnc_run, NULL, vnc_destroy};

static bool open_sockets(struct vnc *vnc, struct error *err)
{
    const struct window_config *config = &vnc->config;
    const char *path = vnc->address.path;

    if (!vnc_address_parse(&vnc->address, config->options.arguments, err))
        return false;
    if (vnc->address.none)
        return true;
    vnc->n_listeners = vnc_listen(&vnc->address, vnc->listeners, err);
    if (!vnc->n_listeners)
        return false;
    if (*path)
        vnc->remove = config->will_remove ? config->will_remove(config->opaque, path) : path;
    vnc->stop_fd = eventfd(0, EFD_CLOEXEC);
    return vnc->stop_fd >= 0 || error_set_errno(err, errno, "cannot make an event descriptor");
}

static struct window *vnc_create(const struct window_config *config, struct error *err)
{
    struct vnc *vnc = calloc(1, sizeof(*vnc));

    if (!vnc) {
        error_set(err, "out of memory");
        return NULL;
    }
    vnc->window.ops = &vnc_ops;
    vnc->config = *config;
    vnc->stop_fd = vnc->busy_fd = -1;
    pthread_mutex_init(&vnc->busy_lock, NULL);
    pthread_mutex_init(&vnc->events_lock, NULL);
    snprintf(vnc->title, sizeof(vnc->title), config->name ? "calque (%.80s)" : "calque",
             config->name);
    vnc->watchdog = (struct watch){.fd = -1, .due = look_after, .opaque = vnc};
    vnc->pacer = (struct watch){.fd = -1, .due = key_is_due, .opaque = vnc};
    event_loop_add(config->loop, &vnc->watchdog);
    event_loop_add(config->loop, &vnc->pacer);
    if (open_sockets(vnc, err))
        return &vnc->window;
    vnc_destroy(&vnc->window);
    return NULL;
}

static const struct window_kind vnc_kind = {
    .name = "vnc",
    .help = "a VNC server: vnc=HOST:N or vnc=unix:PATH, websocket=on|PORT, share=, lossy=on, "
            "key-delay-ms=",
    .needs_accept = true,
    .create = vnc_create,
};
REGISTER(window_kind, vnc_kind);
#endif
