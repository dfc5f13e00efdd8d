/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What comes over a stream to the monitor: keys into the line editor, whose lines are run on a
 * machine that stands still; Telnet around them; and the descriptions of streams. The first byte
 * says which.
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "host/chardev_kinds.h"
#include "host/telnet.h"
#include "vm/monitor_commands.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct vm *vm;

/* ---- a machine ---------------------------------------------------------------------------------
 */

static struct vm *create(void)
{
    static char path[] = "/tmp/calque-fuzz-XXXXXX";
    static char *arguments[] = {"calque-system-mipsel",
                                "-M",
                                "malta",
                                "-m",
                                "16M",
                                "-display",
                                "none",
                                "-serial",
                                "null",
                                "-monitor",
                                "none",
                                "-S",
                                "-kernel",
                                path};
    static struct options options;
    static const uint8_t image[4096] = {0xff, 0xff, 0x00, 0x10}; /* b . */
    struct error err = {"no file"};
    struct vm *made = NULL;
    int fd = mkstemp(path);

    if (fd >= 0 && write(fd, image, sizeof(image)) == sizeof(image) &&
        options_parse(&options, ARRAY_SIZE(arguments), arguments, &err))
        made = vm_create(&options, &err);
    unlink(path);
    if (!made) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    return made;
}

/* ---- keys and lines ----------------------------------------------------------------------------
 */

/* Those that change the world outside, or need the processor's thread. */
static bool may_run(const char *line)
{
    static const char *const words[] = {
        "c",          "cont",    "log",       "memsave", "q",      "quit",  "pmemsave",
        "screendump", "logfile", "gdbserver", "sendkey", "change", "eject", "system_reset"};
    size_t length;

    line += strspn(line, " \t");
    length = strcspn(line, " \t/");
    for (unsigned i = 0; i < ARRAY_SIZE(words); i++) {
        if (strlen(words[i]) == length && !strncmp(words[i], line, length))
            return false;
    }
    return true;
}

static void show(void *opaque, const char *text, size_t size)
{
    *(size_t *)opaque += size;
}

static void complete(void *opaque, const char *line, struct line_choices *out)
{
    monitor_command_complete(vm, line, out);
}

static void run_line(char *line, FILE *out)
{
    struct monitor_call call = {.vm = vm, .out = out};

    if (strlen(line) >= LINE_EDITOR_BYTES)
        abort();
    if (may_run(line))
        monitor_command_run(&call, line);
}

static void fuzz_keys(const uint8_t *data, size_t size)
{
    size_t shown = 0, text_size = 0;
    char *text = NULL;
    FILE *out = open_memstream(&text, &text_size);
    struct line_editor_client client = {show, complete, &shown};
    struct line_editor *editor = line_editor_create("> ", &client);

    for (size_t i = 0; i < size && text_size < 1 << 20; i++) {
        if (line_editor_key(editor, data[i]) == LINE_DONE)
            run_line(line_editor_line(editor), out);
        fflush(out);
    }
    if (line_editor_key(editor, '\n') == LINE_DONE)
        run_line(line_editor_line(editor), out);
    line_editor_destroy(editor);
    fclose(out);
    free(text);
}

/* ---- Telnet ------------------------------------------------------------------------------------
 */

static void count_sent(void *opaque, const uint8_t *data, unsigned size)
{
    *(size_t *)opaque += size;
}

static void take_break(void *opaque)
{
}

static void fuzz_telnet(const uint8_t *data, size_t size)
{
    size_t sent = 0;
    struct telnet_output output = {count_sent, take_break, &sent};
    struct telnet telnet;
    uint8_t copy[256];

    telnet_start(&telnet, data[0] & 1, &output);
    for (size_t at = 0, part; at < size; at += part) {
        part = MIN(size - at, (size_t)data[at] + 1);
        memcpy(copy, data + at, part);
        sent = 0;
        if (telnet_receive(&telnet, copy, (unsigned)part, &output) > part || sent > 5 * part)
            abort();
        telnet_send(&telnet, data + at, (unsigned)part, &output);
    }
}

/* ---- descriptions ------------------------------------------------------------------------------
 */

static void fuzz_spec(const uint8_t *data, size_t size)
{
    char *text = strndup((const char *)data, size);
    struct error err = {""};
    struct chardev_spec *spec = chardev_spec_parse("-serial", text, &err);

    if (!spec && !*err.message)
        abort();
    chardev_spec_destroy(spec);
    spec = chardev_spec_parse_long(text, &err);
    if (spec && !chardev_spec_string(spec, "id"))
        abort();
    chardev_spec_destroy(spec);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (!vm)
        vm = create();
    if (size < 2)
        return 0;
    switch (data[0] % 4) {
    case 0:
        fuzz_telnet(data + 1, size - 1);
        break;
    case 1:
        fuzz_spec(data + 1, size - 1);
        break;
    default:
        fuzz_keys(data + 1, size - 1);
    }
    return 0;
}
