/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The console device (VIRTIO 1.2, 5.3): QEMU's virtio-serial-pci and virtio-serial-device, and the
 * ports that plug into it, virtconsole and virtserialport, each with a character stream.
 *
 * Port 0 has queues 0 and 1, control messages 2 and 3, port n > 0 has 2n+2 and 2n+3; the first of a
 * pair goes to the driver. A driver without MULTIPORT knows port 0 alone.
 */
#include <stdio.h>
#include <string.h>

#include "host/chardev.h"
#include "hw/machine.h"
#include "hw/virtio/virtio_device.h"

enum {
    MAX_PORTS = (VIRTIO_MAX_QUEUES - 2) / 2,
    CONTROL_IN = 2,
    CONTROL_OUT = 3,
    MAX_MESSAGES = 64, /* for a driver that takes none */
    MESSAGE_BYTES = 8,
    NAME_BYTES = 64,
    CONFIG_BYTES = 12,
    EMERGENCY_OFFSET = 8,
    OUTPUT_MAX = 4 << 20, /* bytes of one request, which may name the same memory many times */
};

#define CONSOLE_F_MULTIPORT (UINT64_C(1) << 1)
#define CONSOLE_F_EMERG_WRITE (UINT64_C(1) << 2)

enum console_event {
    DEVICE_READY,
    DEVICE_ADD,
    DEVICE_REMOVE,
    PORT_READY,
    CONSOLE_PORT,
    RESIZE,
    PORT_OPEN,
    PORT_NAME,
};

struct virtio_serial;

/* State of a port's device. */
struct serial_port {
    struct virtio_serial *serial;
    struct device *device;
    unsigned number;
    bool is_console;
    bool is_closed; /* nobody is at the other end of the stream */
    char name[NAME_BYTES];
};

struct virtio_serial {
    struct virtio_device *v;
    struct serial_port *port[MAX_PORTS];
    uint64_t max_ports;
    uint8_t guest_open[MAX_PORTS];
    uint64_t message[MAX_MESSAGES]; /* for the driver: id << 32 | event << 16 | value */
    uint32_t n_messages;
    struct virtio_request request; /* too large for the stack */
};

static unsigned queue_in(unsigned port)
{
    return port ? 2 * port + 2 : 0;
}

static bool has_ports(const struct virtio_serial *s)
{
    return virtio_has(s->v, CONSOLE_F_MULTIPORT);
}

/* ---- to the driver -----------------------------------------------------------------------------
 */

/* The next request of a queue that has room for something. */
static bool pop_room(struct virtio_serial *s, unsigned queue)
{
    for (unsigned i = 0; i < VIRTQUEUE_MAX_SIZE; i++) {
        if (!virtqueue_pop(s->v, queue, &s->request))
            return false;
        if (virtio_request_in_size(&s->request))
            return true;
        virtqueue_push(s->v, queue, &s->request, 0);
    }
    return false;
}

static bool may_take(const struct serial_port *port)
{
    const struct virtio_serial *s = port->serial;

    return has_ports(s) ? port->is_console || s->guest_open[port->number] : port->number == 0;
}

static unsigned port_can_receive(void *opaque)
{
    struct serial_port *port = opaque;
    struct virtio_serial *s = port->serial;
    unsigned queue = queue_in(port->number);
    uint64_t room;

    if (!may_take(port) || !pop_room(s, queue))
        return 0;
    room = virtio_request_in_size(&s->request);
    virtqueue_unpop(s->v, queue);
    return (unsigned)MIN(room, UINT64_C(4096));
}

static void port_receive(void *opaque, const uint8_t *data, unsigned size)
{
    struct serial_port *port = opaque;
    struct virtio_serial *s = port->serial;
    unsigned queue = queue_in(port->number);

    while (size && pop_room(s, queue)) {
        size_t n = virtio_request_write(s->v, &s->request, 0, data, size);
        virtqueue_push(s->v, queue, &s->request, (uint32_t)n);
        if (!n)
            return;
        data += n;
        size -= (unsigned)n;
    }
}

/* A message, and behind it a name. */
static size_t make_message(const struct virtio_serial *s, uint64_t message,
                           uint8_t out[MESSAGE_BYTES + NAME_BYTES])
{
    unsigned id = (unsigned)(message >> 32), event = (unsigned)(message >> 16 & 0xffff);
    const char *name = event == PORT_NAME && s->port[id] ? s->port[id]->name : "";

    virtio_put32(s->v, out, id);
    virtio_put16(s->v, out + 4, (uint16_t)event);
    virtio_put16(s->v, out + 6, (uint16_t)message);
    memcpy(out + MESSAGE_BYTES, name, strlen(name));
    return MESSAGE_BYTES + strlen(name);
}

static void flush_messages(struct virtio_serial *s)
{
    uint8_t bytes[MESSAGE_BYTES + NAME_BYTES];

    while (s->n_messages && pop_room(s, CONTROL_IN)) {
        size_t size = make_message(s, s->message[0], bytes);
        size_t n = virtio_request_write(s->v, &s->request, 0, bytes, size);
        virtqueue_push(s->v, CONTROL_IN, &s->request, (uint32_t)n);
        s->n_messages--;
        memmove(s->message, s->message + 1, s->n_messages * sizeof(s->message[0]));
    }
}

static void send_message(struct virtio_serial *s, unsigned port, enum console_event event,
                         unsigned value)
{
    if (!has_ports(s))
        return;
    if (s->n_messages == MAX_MESSAGES) {
        log_printf(LOG_GUEST_ERROR, "virtio-serial: the driver takes no control messages\n");
        return;
    }
    s->message[s->n_messages++] = (uint64_t)port << 32 | (uint64_t)event << 16 | value;
    flush_messages(s);
}

static void port_event(void *opaque, enum chardev_event event)
{
    struct serial_port *port = opaque;

    if (event != CHARDEV_OPENED && event != CHARDEV_CLOSED)
        return;
    port->is_closed = event == CHARDEV_CLOSED;
    send_message(port->serial, port->number, PORT_OPEN, !port->is_closed);
}

static const struct chardev_client port_client = {port_can_receive, port_receive, port_event};

/* ---- from the driver ---------------------------------------------------------------------------
 */

static void describe_port(struct virtio_serial *s, const struct serial_port *port)
{
    if (port->is_console)
        send_message(s, port->number, CONSOLE_PORT, 1);
    if (*port->name)
        send_message(s, port->number, PORT_NAME, 1);
    send_message(s, port->number, PORT_OPEN, port->device->chardev && !port->is_closed);
}

static void take_message(struct virtio_serial *s, const uint8_t *bytes)
{
    uint32_t id = virtio_get32(s->v, bytes);
    unsigned event = virtio_get16(s->v, bytes + 4), value = virtio_get16(s->v, bytes + 6);
    struct serial_port *port = id < MAX_PORTS ? s->port[id] : NULL;

    if (event == DEVICE_READY) {
        for (unsigned i = 0; value && i < MAX_PORTS; i++) {
            if (s->port[i])
                send_message(s, i, DEVICE_ADD, 1);
        }
        return;
    }
    if (!port) {
        log_printf(LOG_GUEST_ERROR, "virtio-serial: message %u for port %u, which is not there\n",
                   event, id);
        return;
    }
    if (event == PORT_READY && value) {
        describe_port(s, port);
    } else if (event == PORT_OPEN) {
        s->guest_open[id] = value != 0;
        chardev_accept_input(port->device->chardev);
    } else if (event != PORT_READY) {
        log_printf(LOG_GUEST_ERROR, "virtio-serial: message %u is not a driver's\n", event);
    }
}

static void take_messages(struct virtio_serial *s)
{
    uint8_t bytes[MESSAGE_BYTES];

    while (virtqueue_pop(s->v, CONTROL_OUT, &s->request)) {
        bool whole =
            virtio_request_read(s->v, &s->request, 0, bytes, sizeof(bytes)) == sizeof(bytes);
        virtqueue_push(s->v, CONTROL_OUT, &s->request, 0);
        if (whole)
            take_message(s, bytes);
    }
}

static void take_output(struct virtio_serial *s, unsigned number)
{
    struct serial_port *port = s->port[number];
    unsigned queue = queue_in(number) + 1;
    uint8_t data[1024];

    while (virtqueue_pop(s->v, queue, &s->request)) {
        uint64_t at = 0;
        size_t n;
        if (virtio_request_out_size(&s->request) > OUTPUT_MAX) {
            virtio_broken(s->v, "more output in one request than any driver has");
            return;
        }
        while ((n = virtio_request_read(s->v, &s->request, at, data, sizeof(data)))) {
            if (port)
                chardev_write(port->device->chardev, data, (unsigned)n);
            at += n;
        }
        virtqueue_push(s->v, queue, &s->request, 0);
    }
}

static void serial_notify(struct virtio_device *v, unsigned queue)
{
    struct virtio_serial *s = v->state;
    unsigned number = queue < 2 ? 0 : queue / 2 - 1;

    if (queue == CONTROL_IN)
        flush_messages(s);
    else if (queue == CONTROL_OUT)
        take_messages(s);
    else if (queue % 2)
        take_output(s, number);
    else if (s->port[number])
        chardev_accept_input(s->port[number]->device->chardev);
}

/* ---- the device --------------------------------------------------------------------------------
 */

static const char *const bus_kind = "virtio-serial";

static bool serial_init(struct virtio_device *v, struct error *err)
{
    struct virtio_serial *s = v->state;
    struct device *d = v->device;
    char name[24];

    s->v = v;
    s->max_ports = device_prop_u64(d, "max_ports", MAX_PORTS);
    if (s->max_ports == 1)
        v->features &= ~CONSOLE_F_MULTIPORT;
    v->n_queues = s->max_ports == 1 ? 2 : (unsigned)(2 * s->max_ports + 2);
    snprintf(name, sizeof(name), "%.20s.0", d->id);
    return machine_add_bus(d->machine, bus_kind, name, d, s, err);
}

static void serial_finish(struct virtio_device *v)
{
    machine_remove_buses(v->device->machine, v->device);
}

/* The ports' streams may have kept what was typed before. */
static void serial_started(struct virtio_device *v)
{
    struct virtio_serial *s = v->state;

    if (s->port[0])
        chardev_accept_input(s->port[0]->device->chardev);
}

static void serial_get_config(struct virtio_device *v, uint8_t *config)
{
    const struct virtio_serial *s = v->state;

    virtio_put32(v, config + 4, (uint32_t)s->max_ports);
}

/* A byte without a queue, for a guest in trouble. */
static void serial_set_config(struct virtio_device *v, uint32_t offset, const uint8_t *bytes,
                              unsigned size)
{
    const struct virtio_serial *s = v->state;
    const uint8_t *byte = v->big_endian ? bytes + size - 1 : bytes;

    if (offset == EMERGENCY_OFFSET && s->port[0])
        chardev_write(s->port[0]->device->chardev, byte, 1);
}

static const struct device_field serial_fields[] = {
    DEVICE_ARRAY(struct virtio_serial, guest_open, DEVICE_U8, MAX_PORTS, 0),
    DEVICE_FIELD(struct virtio_serial, n_messages, DEVICE_U32, 0),
    DEVICE_ARRAY(struct virtio_serial, message, DEVICE_U64, MAX_MESSAGES, 0),
};

static const struct device_prop serial_props[] = {
    {"max_ports", DEVICE_PROP_NUMBER, 1, MAX_PORTS},
    {NULL},
};

static const struct virtio_type serial_type = {
    .name = "serial",
    .props = serial_props,
    .device_id = 3,
    .pci_class = 0x078000, /* communication, other */
    .features = CONSOLE_F_MULTIPORT | CONSOLE_F_EMERG_WRITE,
    .n_queues = 2 * MAX_PORTS + 2,
    .queue_size = 128,
    .config_size = CONFIG_BYTES,
    .state_size = sizeof(struct virtio_serial),
    .fields = serial_fields,
    .n_fields = ARRAY_SIZE(serial_fields),
    .init = serial_init,
    .finish = serial_finish,
    .started = serial_started,
    .notify = serial_notify,
    .get_config = serial_get_config,
    .set_config = serial_set_config,
};
VIRTIO_DEVICE(serial_type, "serial", "Consoles and ports");

/* ---- ports -------------------------------------------------------------------------------------
 */

/* Port 0 is for a console: a driver without MULTIPORT takes it for one. */
static bool choose_number(struct serial_port *port, struct error *err)
{
    const struct virtio_serial *s = port->serial;
    uint64_t number = port->is_console ? 0 : 1;

    while (number < s->max_ports && s->port[number])
        number++;
    number = device_prop_u64(port->device, "nr", number);
    if (number >= s->max_ports || s->port[number])
        return error_set(err, "-device %s: port %llu is %s", port->device->id,
                         (unsigned long long)number,
                         number < s->max_ports ? "taken" : "more than there are");
    port->number = (unsigned)number;
    return true;
}

static bool port_init(struct device *d, bool is_console, struct error *err)
{
    struct serial_port *port = d->state;
    char name[64];
    bool has_bus = device_prop_string(d, "bus", name, sizeof(name));

    port->device = d;
    port->is_console = is_console;
    port->serial = machine_find_bus(d->machine, bus_kind, has_bus ? name : NULL);
    if (!port->serial)
        return error_set(err,
                         "-device %s: there is no %s%s: -device virtio-serial-pci (or "
                         "virtio-serial-device) comes first",
                         d->id, has_bus ? "bus " : "virtio-serial device", has_bus ? name : "");
    if (!choose_number(port, err))
        return false;
    device_prop_string(d, "name", port->name, sizeof(port->name));
    port->serial->port[port->number] = port;
    chardev_connect(d->chardev, &port_client, port);
    return true;
}

static bool console_init(struct device *d, struct error *err)
{
    return port_init(d, true, err);
}

static bool serialport_init(struct device *d, struct error *err)
{
    return port_init(d, false, err);
}

static void port_finish(struct device *d)
{
    struct serial_port *port = d->state;

    if (port->serial && port->serial->port[port->number] == port)
        port->serial->port[port->number] = NULL;
}

static const struct device_prop port_props[] = {
    DEVICE_CHARDEV,
    {"bus", DEVICE_PROP_TEXT, .most = 63},
    {"nr", DEVICE_PROP_NUMBER, 0, MAX_PORTS - 1},
    {"name", DEVICE_PROP_TEXT, .most = NAME_BYTES - 1},
    {NULL},
};

static const struct device_class virtconsole_class = {
    .name = "virtconsole",
    .props = port_props,
    .description = "A console of a virtio-serial device",
    .manual = "VIRTIO 1.2",
    .addable = true,
    .state_size = sizeof(struct serial_port),
    .init = console_init,
    .finish = port_finish,
};
REGISTER(device_class, virtconsole_class);

static const struct device_class virtserialport_class = {
    .name = "virtserialport",
    .props = port_props,
    .description = "A port of a virtio-serial device",
    .manual = "VIRTIO 1.2",
    .addable = true,
    .state_size = sizeof(struct serial_port),
    .init = serialport_init,
    .finish = port_finish,
};
REGISTER(device_class, virtserialport_class);
