/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any bytes to a text console: it is drawn, scrolled, and never leaves its cells. */
#include <stdint.h>

#include "host/text_console.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct screens screens = {0};
    unsigned columns = size ? data[0] % 64 : 0, rows = size > 1 ? data[1] % 32 : 0;
    struct text_console *console = text_console_create(&screens, "fuzz", columns, rows);
    struct chardev *stream;

    if (!console)
        return 0;
    stream = text_console_stream(console);
    for (size_t at = 2; at < size; at += 64) {
        chardev_write(stream, data + at, (unsigned)(size - at < 64 ? size - at : 64));
        text_console_scroll(console, data[at] - 128);
        screen_refresh(screens.first);
    }
    stream->ops->destroy(stream);
    return 0;
}
