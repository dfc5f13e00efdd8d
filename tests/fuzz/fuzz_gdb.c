/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile debugger. The first byte chooses the guest and whether the others are bytes of the line
 * or packets' data, one a line, which get their frames here. The guest runs a little whenever it is
 * told to go on. The monitor's commands are left out: some write files.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/bits.h"
#include "vm/gdb.h"
#include "vm/gdb_packet.h"

enum { IMAGE_BYTES = 65536, N_GUESTS = 3, FRAMED = 4, STEPS = 8 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct target {
    const char *program, *machine;
    unsigned at; /* of the code in the firmware */
    uint8_t code[20];
    struct vm *vm;
    struct gdb *gdb;
};

/* Each loads, adds, stores and jumps back. */
static struct target targets[N_GUESTS] = {
    {"calque-system-arm",
     "virt",
     0,
     {
         0x40, 0x14, 0xa0, 0xe3, /* mov r1, #0x40000000 */
         0x00, 0x00, 0x91, 0xe5, /* ldr r0, [r1] */
         0x01, 0x00, 0x80, 0xe2, /* add r0, r0, #1 */
         0x00, 0x00, 0x81, 0xe5, /* str r0, [r1] */
         0xfb, 0xff, 0xff, 0xea, /* b the ldr */
     }},
    {"calque-system-x86_64",
     "pc",
     IMAGE_BYTES - 16,
     {
         0xa1, 0x00, 0x05, /* mov 0x500, %ax */
         0x40,             /* inc %ax */
         0xa3, 0x00, 0x05, /* mov %ax, 0x500 */
         0xeb, 0xf7,       /* jmp */
     }},
    {"calque-system-mips64el",
     "malta",
     0,
     {
         0x00, 0x80, 0x08, 0x3c, /* lui $t0, 0x8000 */
         0x00, 0x00, 0x09, 0x8d, /* lw $t1, 0($t0) */
         0x01, 0x00, 0x29, 0x25, /* addiu $t1, $t1, 1 */
         0xfc, 0xff, 0x00, 0x10, /* b */
         0x00, 0x00, 0x09, 0xad, /* sw $t1, 0($t0) */
     }},
};

static void fail(const struct target *target, const char *why)
{
    fprintf(stderr, "%s: %s\n", target->program, why);
    abort();
}

static void write_image(const struct target *target, char *path)
{
    static uint8_t image[IMAGE_BYTES];
    int fd = mkstemp(path);

    memset(image, 0, sizeof(image));
    memcpy(image + target->at, target->code, MIN(sizeof(target->code), IMAGE_BYTES - target->at));
    if (fd < 0 || write(fd, image, sizeof(image)) != sizeof(image))
        fail(target, "cannot write firmware");
    close(fd);
}

static void start(struct target *target)
{
    static struct options options[N_GUESTS];
    char path[] = "/tmp/calque-fuzz-gdb-XXXXXX";
    char *arguments[] = {(char *)target->program,
                         (char *)"-M",
                         (char *)target->machine,
                         (char *)"-m",
                         (char *)"16",
                         (char *)"-display",
                         (char *)"none",
                         (char *)"-vga",
                         (char *)"none",
                         (char *)"-bios",
                         path};
    struct options *o = &options[target - targets];
    struct error err;

    write_image(target, path);
    if (!options_parse(o, ARRAY_SIZE(arguments), arguments, &err))
        fail(target, err.message);
    target->vm = vm_create(o, &err);
    unlink(path);
    if (!target->vm)
        fail(target, err.message);
    target->gdb = gdb_create(target->vm, NULL, NULL, &err);
    if (!target->gdb)
        fail(target, err.message);
}

static void finish(struct target *target)
{
    gdb_destroy(target->gdb);
    vm_destroy(target->vm);
    target->vm = NULL;
}

/* One byte; the last one of a packet for the monitor is spoilt. */
static void say(struct target *target, struct gdb_receiver *watcher, uint8_t byte)
{
    enum gdb_input input = gdb_receive(watcher, byte);

    if (input == GDB_PACKET && !strncmp((const char *)watcher->data, "qRcmd", 5))
        byte = 'x';
    gdb_feed(target->gdb, &byte, 1);
    if (input == GDB_PACKET && vm_is_running(target->vm))
        vcpu_step(vm_machine(target->vm)->cpu, STEPS);
    /* What the guest asks of the board is nobody's concern here. */
    if (vm_is_ending(target->vm)) {
        finish(target);
        start(target);
        memset(watcher, 0, sizeof(*watcher));
    }
}

static void say_framed(struct target *target, struct gdb_receiver *watcher, const uint8_t *data,
                       size_t size)
{
    static const char digits[] = "0123456789abcdef";
    uint8_t sum = 0;

    say(target, watcher, '$');
    for (size_t i = 0; i < size; i++) {
        say(target, watcher, data[i]);
        sum = (uint8_t)(sum + data[i]);
    }
    say(target, watcher, '#');
    say(target, watcher, (uint8_t)digits[sum >> 4]);
    say(target, watcher, (uint8_t)digits[sum & 15]);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gdb_receiver watcher;
    struct target *target;
    bool framed;

    if (!size)
        return 0;
    target = &targets[(*data & 3) % N_GUESTS];
    framed = *data & FRAMED;
    data++;
    size--;
    if (!target->vm)
        start(target);
    memset(&watcher, 0, sizeof(watcher));
    gdb_feed(target->gdb, (const uint8_t *)"#00", 3); /* ends what the last input has begun */
    vm_stop(target->vm);
    vm_reset(target->vm);
    while (framed && size) {
        const uint8_t *end = memchr(data, '\n', size);
        size_t length = end ? (size_t)(end - data) : size;

        say_framed(target, &watcher, data, length);
        data += length;
        size -= length;
        data += size != 0;
        size -= size != 0;
    }
    for (size_t i = 0; !framed && i < size; i++)
        say(target, &watcher, data[i]);
    return 0;
}
