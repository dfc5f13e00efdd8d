/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The display adapter of VIRTIO 1.2, section 5.7, without 3D: one scan-out, with EDID and a cursor.
 * What the display likes best is xres and yres (properties) at the start, then what the user makes
 * of the window, of which an event tells the driver (5.7.4.2). Commands are done as they come, so
 * that a fence has passed when its command is answered.
 */
#include "hw/display/virtio_gpu.h"

#include <stdlib.h>
#include <string.h>

#include "hw/display/edid.h"
#include "hw/display/virtio_gpu_resource.h"
#include "hw/machine.h"
#include "hw/virtio/virtio_device.h"

enum { QUEUE_CONTROL, QUEUE_CURSOR, N_QUEUES, QUEUE_SIZE = 256 };
enum { CONFIG_EVENTS = 0, CONFIG_CLEAR = 4, CONFIG_SCANOUTS = 8, CONFIG_BYTES = 16 };
enum { EVENT_DISPLAY = 1, FLAG_FENCE = 1, MAX_SCANOUTS = 16, DEFAULT_X = 1280, DEFAULT_Y = 800 };
#define VIRTIO_GPU_F_EDID (UINT64_C(1) << 1)

enum command {
    GET_DISPLAY_INFO = 0x0100,
    RESOURCE_CREATE_2D,
    RESOURCE_UNREF,
    SET_SCANOUT,
    RESOURCE_FLUSH,
    TRANSFER_TO_HOST_2D,
    RESOURCE_ATTACH_BACKING,
    RESOURCE_DETACH_BACKING,
    GET_CAPSET_INFO,
    GET_CAPSET,
    GET_EDID,
    UPDATE_CURSOR = 0x0300,
    MOVE_CURSOR,
};
enum response {
    OK_NODATA = 0x1100,
    OK_DISPLAY_INFO = 0x1101,
    OK_EDID = 0x1104,
    ERR_UNSPEC = 0x1200,
    ERR_OUT_OF_MEMORY,
    ERR_INVALID_SCANOUT_ID,
    ERR_INVALID_RESOURCE_ID,
    ERR_INVALID_CONTEXT_ID,
    ERR_INVALID_PARAMETER,
};

/* Sizes and offsets of what goes over the queues (5.7.6.7, 5.7.6.8). */
enum {
    HEADER_BYTES = 24,
    RECT = 24,
    RECT_BYTES = 16,
    COMMAND_BYTES = 56, /* the longest fixed part */
    ENTRY_BYTES = 16,
    DISPLAY_BYTES = 24,
    EDID_AT = 32,
    EDID_ROOM = 1024,
    RESPONSE_BYTES = EDID_AT + EDID_ROOM,
};

struct virtio_gpu {
    uint32_t events, width, height;
    /* What is shown: a rectangle of a resource. */
    uint32_t scanout; /* 0: nothing */
    uint32_t rect[4];
    bool cursor_changed;
    struct screen_rect damage; /* of the scan-out; width 0: none */
    struct screen *screen;
    struct gpu_resources resources;
    struct screen_cursor cursor;
};

static const struct device_field fields[] = {
    DEVICE_FIELD(struct virtio_gpu, events, DEVICE_U32, 0),
    DEVICE_KEPT(struct virtio_gpu, width, DEVICE_U32),
    DEVICE_KEPT(struct virtio_gpu, height, DEVICE_U32),
    DEVICE_FIELD(struct virtio_gpu, scanout, DEVICE_U32, 0),
    DEVICE_ARRAY(struct virtio_gpu, rect, DEVICE_U32, 4, 0),
};

/* A command that is being done. */
struct call {
    struct virtio_device *v;
    struct virtio_gpu *gpu;
    const struct virtio_request *request;
    uint8_t command[COMMAND_BYTES]; /* what of it there was, then zeros */
    size_t size;
    uint8_t *response; /* RESPONSE_BYTES, zeroed */
    size_t response_size;
};

static uint32_t word(const struct call *c, unsigned offset)
{
    return load_le32(c->command + offset);
}

static uint32_t wrong(const char *what, uint32_t value, enum response answer)
{
    log_printf(LOG_GUEST_ERROR, "virtio-gpu: %s 0x%x\n", what, value);
    return answer;
}

/* A rectangle at RECT; false: it is not within width x height. */
static bool read_rect(const struct call *c, uint32_t width, uint32_t height,
                      struct screen_rect *rect)
{
    *rect = (struct screen_rect){word(c, RECT), word(c, RECT + 4), word(c, RECT + 8),
                                 word(c, RECT + 12)};
    return rect->x <= width && rect->width <= width - rect->x && rect->y <= height &&
           rect->height <= height - rect->y;
}

/* ---- the picture ------------------------------------------------------------------------------
 */

/* Rows of the damaged part; what differs of each is what viewers are told of. */
static void draw_damage(struct virtio_gpu *gpu, const struct gpu_resource *r)
{
    struct screen *screen = gpu->screen;
    const struct screen_rect *d = &gpu->damage;
    unsigned right = MIN(d->x + d->width, screen->width);
    unsigned bottom = MIN(d->y + d->height, screen->height);

    for (unsigned y = d->y; y < bottom; y++) {
        const uint32_t *from = &r->pixels[(size_t)(gpu->rect[1] + y) * r->width + gpu->rect[0]];
        uint32_t *to = &screen->pixels[(size_t)y * screen->width];
        unsigned first = right, last = 0;
        for (unsigned x = d->x; x < right; x++) {
            uint32_t pixel = from[x] & 0xffffff;
            if (to[x] == pixel)
                continue;
            to[x] = pixel;
            first = MIN(first, x);
            last = x + 1;
        }
        if (last)
            screen_damage(screen, (struct screen_rect){first, y, last - first, 1});
    }
}

static void draw_cursor(struct virtio_gpu *gpu)
{
    struct screen_cursor *cursor = screen_get_cursor(gpu->screen);

    if (!gpu->cursor_changed || !cursor)
        return;
    *cursor = gpu->cursor;
    gpu->cursor_changed = false;
    screen_cursor_changed(gpu->screen);
}

bool virtio_gpu_is_shown(const struct virtio_device *v)
{
    return ((const struct virtio_gpu *)v->state)->scanout != 0;
}

bool virtio_gpu_draw(struct virtio_device *v)
{
    struct virtio_gpu *gpu = v->state;
    const struct gpu_resource *r =
        gpu->scanout ? gpu_resource_find(&gpu->resources, gpu->scanout) : NULL;

    draw_cursor(gpu);
    if (!r) {
        gpu->damage.width = 0;
        return false;
    }
    if (!screen_resize(gpu->screen, gpu->rect[2], gpu->rect[3]))
        return true;
    if (gpu->screen->whole)
        gpu->damage = (struct screen_rect){0, 0, gpu->rect[2], gpu->rect[3]};
    if (gpu->damage.width)
        draw_damage(gpu, r);
    gpu->damage.width = 0;
    return true;
}

static void refresh(void *opaque, struct screen *screen)
{
    if (!virtio_gpu_draw(opaque) && screen->whole)
        screen_fill(screen, 0);
}

void virtio_gpu_suggest_size(struct virtio_device *v, unsigned width, unsigned height)
{
    struct virtio_gpu *gpu = v->state;

    if (!width || !height || width > SCREEN_MAX_WIDTH || height > SCREEN_MAX_HEIGHT ||
        (width == gpu->width && height == gpu->height))
        return;
    gpu->width = width;
    gpu->height = height;
    gpu->events |= EVENT_DISPLAY;
    virtio_config_changed(v);
}

static void suggest_size(void *opaque, unsigned width, unsigned height)
{
    virtio_gpu_suggest_size(opaque, width, height);
}

static const struct screen_source source = {.refresh = refresh, .suggest_size = suggest_size};

/* ---- commands ---------------------------------------------------------------------------------
 */

static uint32_t get_display_info(struct call *c)
{
    uint8_t *first = c->response + HEADER_BYTES;

    store_le32(first + 8, c->gpu->width);
    store_le32(first + 12, c->gpu->height);
    store_le32(first + 16, 1); /* enabled */
    c->response_size = HEADER_BYTES + MAX_SCANOUTS * DISPLAY_BYTES;
    return OK_DISPLAY_INFO;
}

static uint32_t get_edid(struct call *c)
{
    if (word(c, 24) != 0)
        return wrong("no scan-out", word(c, 24), ERR_INVALID_SCANOUT_ID);
    store_le32(c->response + HEADER_BYTES, EDID_BYTES);
    edid_make(c->response + EDID_AT, c->gpu->width, c->gpu->height);
    c->response_size = EDID_AT + EDID_ROOM;
    return OK_EDID;
}

static uint32_t resource_create(struct call *c)
{
    uint32_t id = word(c, 24), format = word(c, 28), width = word(c, 32), height = word(c, 36);

    if (!id || gpu_resource_find(&c->gpu->resources, id))
        return wrong("a resource cannot be called", id, ERR_INVALID_RESOURCE_ID);
    if (!gpu_format_known(format))
        return wrong("unknown format", format, ERR_INVALID_PARAMETER);
    if (!width || !height || width > GPU_SIZE_MAX || height > GPU_SIZE_MAX)
        return wrong("a resource cannot be as large as", MAX(width, height), ERR_INVALID_PARAMETER);
    if (!gpu_resource_create(&c->gpu->resources, id, format, width, height))
        return wrong("no memory for resource", id, ERR_OUT_OF_MEMORY);
    return OK_NODATA;
}

static void stop_scanout(struct virtio_gpu *gpu)
{
    gpu->scanout = 0;
    gpu->screen->whole = true;
}

static uint32_t resource_unref(struct call *c, struct gpu_resource *r)
{
    if (c->gpu->scanout == r->id)
        stop_scanout(c->gpu);
    gpu_resource_destroy(&c->gpu->resources, r);
    return OK_NODATA;
}

static uint32_t set_scanout(struct call *c)
{
    uint32_t scanout = word(c, 40), id = word(c, 44);
    struct gpu_resource *r = gpu_resource_find(&c->gpu->resources, id);
    struct screen_rect rect;

    if (scanout != 0)
        return wrong("no scan-out", scanout, ERR_INVALID_SCANOUT_ID);
    if (!id) {
        stop_scanout(c->gpu);
        return OK_NODATA;
    }
    if (!r)
        return wrong("no resource", id, ERR_INVALID_RESOURCE_ID);
    if (!read_rect(c, r->width, r->height, &rect) || !rect.width || !rect.height ||
        rect.width > SCREEN_MAX_WIDTH || rect.height > SCREEN_MAX_HEIGHT)
        return wrong("bad rectangle of resource", id, ERR_INVALID_PARAMETER);
    c->gpu->scanout = id;
    memcpy(c->gpu->rect, (const uint32_t[]){rect.x, rect.y, rect.width, rect.height},
           sizeof(c->gpu->rect));
    c->gpu->screen->whole = true;
    return OK_NODATA;
}

/* The part of the scan-out that shows it. */
static uint32_t resource_flush(struct call *c, struct gpu_resource *r)
{
    struct virtio_gpu *gpu = c->gpu;
    struct screen_rect rect;

    if (!read_rect(c, r->width, r->height, &rect))
        return wrong("flush outside of resource", r->id, ERR_INVALID_PARAMETER);
    if (gpu->scanout != r->id)
        return OK_NODATA;
    unsigned left = MAX(rect.x, gpu->rect[0]), top = MAX(rect.y, gpu->rect[1]);
    unsigned right = MIN(rect.x + rect.width, gpu->rect[0] + gpu->rect[2]);
    unsigned bottom = MIN(rect.y + rect.height, gpu->rect[1] + gpu->rect[3]);
    if (left >= right || top >= bottom)
        return OK_NODATA;
    rect =
        (struct screen_rect){left - gpu->rect[0], top - gpu->rect[1], right - left, bottom - top};
    gpu->damage = gpu->damage.width ? screen_rect_enclose(&gpu->damage, &rect) : rect;
    return OK_NODATA;
}

static uint32_t transfer_to_host(struct call *c, struct gpu_resource *r)
{
    struct screen_rect rect;
    uint64_t offset = load_le64(c->command + RECT + RECT_BYTES);

    if (!read_rect(c, r->width, r->height, &rect))
        return wrong("transfer outside of resource", r->id, ERR_INVALID_PARAMETER);
    if (!r->backing)
        return wrong("no memory behind resource", r->id, ERR_UNSPEC);
    if (!gpu_resource_fill(r, c->v->memory, &rect, offset))
        return wrong("transfer from outside the memory behind resource", r->id,
                     ERR_INVALID_PARAMETER);
    return OK_NODATA;
}

/* The list follows the command. */
static struct gpu_backing *read_backing_list(struct call *c, uint32_t n)
{
    struct gpu_backing *list = malloc(MAX(n, 1u) * sizeof(*list));
    uint8_t entry[ENTRY_BYTES];

    for (uint32_t i = 0; list && i < n; i++) {
        uint64_t at = 32 + (uint64_t)i * ENTRY_BYTES;
        bool ok = virtio_request_read(c->v, c->request, at, entry, sizeof(entry)) == sizeof(entry);
        list[i] = (struct gpu_backing){.address = load_le64(entry), .length = load_le32(entry + 8)};
        if (!ok || !memory_ram_pointer(c->v->memory, list[i].address, list[i].length)) {
            free(list);
            return NULL;
        }
    }
    return list;
}

static uint32_t attach_backing(struct call *c, struct gpu_resource *r)
{
    uint32_t n = word(c, 28);
    struct gpu_backing *list;

    if (r->backing)
        return wrong("there is memory already behind resource", r->id, ERR_UNSPEC);
    if (!n || n > GPU_BACKING_MAX)
        return wrong("too many or no pieces of memory:", n, ERR_UNSPEC);
    list = read_backing_list(c, n);
    if (!list)
        return wrong("memory that is none behind resource", r->id, ERR_UNSPEC);
    if (gpu_resource_attach(&c->gpu->resources, r, list, n))
        return OK_NODATA;
    free(list);
    return wrong("no memory for resource", r->id, ERR_OUT_OF_MEMORY);
}

static uint32_t detach_backing(struct call *c, struct gpu_resource *r)
{
    if (!r->backing)
        return wrong("no memory behind resource", r->id, ERR_UNSPEC);
    gpu_resource_detach(&c->gpu->resources, r);
    return OK_NODATA;
}

/* Commands about a resource: where its number is, and how much of the command there must be. */
static const struct resource_command {
    enum command number;
    unsigned id_at, size;
    uint32_t (*run)(struct call *c, struct gpu_resource *r);
} resource_commands[] = {
    {RESOURCE_UNREF, 24, 32, resource_unref},
    {RESOURCE_FLUSH, 40, 48, resource_flush},
    {TRANSFER_TO_HOST_2D, 48, 56, transfer_to_host},
    {RESOURCE_ATTACH_BACKING, 24, 32, attach_backing},
    {RESOURCE_DETACH_BACKING, 24, 32, detach_backing},
};
static const struct plain_command {
    enum command number;
    unsigned size;
    uint32_t (*run)(struct call *c);
} plain_commands[] = {
    {GET_DISPLAY_INFO, 24, get_display_info},
    {RESOURCE_CREATE_2D, 40, resource_create},
    {SET_SCANOUT, 48, set_scanout},
    {GET_EDID, 32, get_edid},
};

static uint32_t run_command(struct call *c)
{
    uint32_t number = word(c, 0);

    for (unsigned i = 0; i < ARRAY_SIZE(plain_commands); i++) {
        if (plain_commands[i].number == number)
            return c->size < plain_commands[i].size ? ERR_UNSPEC : plain_commands[i].run(c);
    }
    for (unsigned i = 0; i < ARRAY_SIZE(resource_commands); i++) {
        const struct resource_command *one = &resource_commands[i];
        if (one->number != number)
            continue;
        if (c->size < one->size)
            return ERR_UNSPEC;
        struct gpu_resource *r = gpu_resource_find(&c->gpu->resources, word(c, one->id_at));
        return r ? one->run(c, r)
                 : wrong("no resource", word(c, one->id_at), ERR_INVALID_RESOURCE_ID);
    }
    return wrong("unknown command", number, ERR_UNSPEC);
}

static void control_request(struct virtio_device *v, const struct virtio_request *request)
{
    uint8_t response[RESPONSE_BYTES] = {0};
    struct call c = {.v = v,
                     .gpu = v->state,
                     .request = request,
                     .response = response,
                     .response_size = HEADER_BYTES};

    c.size = virtio_request_read(v, request, 0, c.command, sizeof(c.command));
    uint32_t answer = c.size < HEADER_BYTES ? ERR_UNSPEC : run_command(&c);
    store_le32(response, answer);
    if (word(&c, 4) & FLAG_FENCE) {
        store_le32(response + 4, FLAG_FENCE);
        memcpy(response + 8, c.command + 8, 12); /* fence and context */
    }
    size_t written = virtio_request_write(v, request, 0, response, c.response_size);
    virtqueue_push(v, QUEUE_CONTROL, request, (uint32_t)written);
}

/* ---- the cursor -------------------------------------------------------------------------------
 */

static void take_cursor_image(struct call *c, uint32_t id)
{
    const struct gpu_resource *r = gpu_resource_find(&c->gpu->resources, id);
    struct screen_cursor *cursor = &c->gpu->cursor;

    cursor->visible = false;
    if (!id)
        return;
    if (!r || r->width != SCREEN_CURSOR_SIZE || r->height != SCREEN_CURSOR_SIZE) {
        wrong("no cursor can be made of resource", id, ERR_INVALID_RESOURCE_ID);
        return;
    }
    cursor->visible = true;
    cursor->width = cursor->height = SCREEN_CURSOR_SIZE;
    cursor->hot_x = MIN(word(c, 44), (uint32_t)SCREEN_CURSOR_SIZE - 1);
    cursor->hot_y = MIN(word(c, 48), (uint32_t)SCREEN_CURSOR_SIZE - 1);
    memcpy(cursor->pixels, r->pixels, sizeof(cursor->pixels));
}

static void cursor_request(struct virtio_device *v, const struct virtio_request *request)
{
    struct call c = {.v = v, .gpu = v->state, .request = request};
    uint32_t number;

    c.size = virtio_request_read(v, request, 0, c.command, sizeof(c.command));
    number = word(&c, 0);
    if (c.size < COMMAND_BYTES || word(&c, 24) != 0 ||
        (number != UPDATE_CURSOR && number != MOVE_CURSOR)) {
        wrong("bad command in the cursor's queue:", number, ERR_UNSPEC);
    } else {
        if (number == UPDATE_CURSOR)
            take_cursor_image(&c, word(&c, 40));
        c.gpu->cursor.x = (int)MIN(word(&c, 28), (uint32_t)INT16_MAX);
        c.gpu->cursor.y = (int)MIN(word(&c, 32), (uint32_t)INT16_MAX);
        c.gpu->cursor_changed = true;
    }
    virtqueue_push(v, QUEUE_CURSOR, request, 0);
}

/* ---- device -----------------------------------------------------------------------------------
 */

static void notify(struct virtio_device *v, unsigned queue)
{
    struct virtio_request request;

    while (virtqueue_pop(v, queue, &request)) {
        if (queue == QUEUE_CONTROL)
            control_request(v, &request);
        else
            cursor_request(v, &request);
    }
}

static void get_config(struct virtio_device *v, uint8_t *config)
{
    const struct virtio_gpu *gpu = v->state;

    virtio_put32(v, config + CONFIG_EVENTS, gpu->events);
    virtio_put32(v, config + CONFIG_SCANOUTS, 1);
}

static void set_config(struct virtio_device *v, uint32_t offset, const uint8_t *bytes,
                       unsigned size)
{
    struct virtio_gpu *gpu = v->state;

    if (offset == CONFIG_CLEAR && size == 4)
        gpu->events &= ~virtio_get32(v, bytes);
}

static void reset(struct virtio_device *v)
{
    struct virtio_gpu *gpu = v->state;

    gpu_resources_destroy(&gpu->resources);
    memset(&gpu->cursor, 0, sizeof(gpu->cursor));
    gpu->cursor_changed = gpu->screen->whole = true;
    gpu->damage.width = 0;
}

void virtio_gpu_use_screen(struct virtio_device *v, struct screen *screen)
{
    ((struct virtio_gpu *)v->state)->screen = screen;
}

static bool init(struct virtio_device *v, struct error *err)
{
    struct virtio_gpu *gpu = v->state;
    struct device *d = v->device;

    gpu->width = (uint32_t)device_prop_u64(d, "xres", DEFAULT_X);
    gpu->height = (uint32_t)device_prop_u64(d, "yres", DEFAULT_Y);
    if (!gpu->width || !gpu->height || gpu->width > SCREEN_MAX_WIDTH ||
        gpu->height > SCREEN_MAX_HEIGHT)
        return error_set(err, "-device %s: xres and yres are at most %d and %d", d->id,
                         SCREEN_MAX_WIDTH, SCREEN_MAX_HEIGHT);
    if (v->type == &virtio_gpu_vga_type)
        return true;
    gpu->screen = screen_create(&d->machine->screens, d->id, &source, v);
    return gpu->screen || error_set(err, "-device %s: out of memory", d->id);
}

static void finish(struct virtio_device *v)
{
    struct virtio_gpu *gpu = v->state;

    gpu_resources_destroy(&gpu->resources);
    if (v->type != &virtio_gpu_vga_type)
        screen_destroy(&v->device->machine->screens, gpu->screen);
}

static const struct device_prop props[] = {
    {"xres", DEVICE_PROP_NUMBER, 1, SCREEN_MAX_WIDTH},
    {"yres", DEVICE_PROP_NUMBER, 1, SCREEN_MAX_HEIGHT},
    {NULL},
};

#define GPU_TYPE(class_code)                                                                       \
    {                                                                                              \
        .name = "gpu", .device_id = 16, .pci_class = (class_code), .features = VIRTIO_GPU_F_EDID,  \
        .n_queues = N_QUEUES, .queue_size = QUEUE_SIZE, .config_size = CONFIG_BYTES,               \
        .state_size = sizeof(struct virtio_gpu), .fields = fields, .n_fields = ARRAY_SIZE(fields), \
        .init = init, .finish = finish, .reset = reset, .notify = notify,                          \
        .get_config = get_config, .set_config = set_config, .props = props,                        \
    }
const struct virtio_type virtio_gpu_type = GPU_TYPE(0x038000);
const struct virtio_type virtio_gpu_vga_type = GPU_TYPE(0x030000);

VIRTIO_DEVICE(virtio_gpu_type, "gpu", "Display adapter");
