/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A hostile driver of virtio-gpu: each command is a byte (queue, kind, what else is done) and a
 * length, then its bytes. Small numbers are made of what comes, so that resources are found again.
 */
#include "virtio.h"

static const uint32_t commands[] = {0x100, 0x101, 0x102, 0x103, 0x104, 0x105, 0x106,
                                    0x107, 0x108, 0x109, 0x10a, 0x300, 0x301, 0x999};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fuzz_virtio *f = fuzz_create("virtio-gpu-device");
    struct screen *screen = f->m.screens.first;

    fuzz_start(f, 2);
    for (size_t at = 0; at + 2 <= size;) {
        uint8_t what = data[at], length = data[at + 1];
        uint8_t *to = f->ram + (FUZZ_DATA - FUZZ_RAM);
        size_t n = MIN((size_t)length, size - at - 2);
        uint32_t command = commands[(what & 15) % ARRAY_SIZE(commands)];

        memset(to, 0, 24);
        memcpy(to + (what & 0x80 ? 0 : 24), data + at + 2, n);
        if (!(what & 0x80))
            memcpy(to, &command, 4);
        /* A piece of backing that is memory. */
        if (command == 0x106 && n >= 16 && !(what & 0x40)) {
            uint64_t address = FUZZ_RAM + to[24 + 8] * 64u;
            memcpy(to + 32, &address, 8);
        }
        fuzz_request(f, what >> 4 & 1, (uint32_t)n + (what & 0x80 ? 0 : 24),
                     what & 0x20 ? 8 : 2048);
        if (what & 0x20)
            screen_refresh(screen);
        if (what == 0xff)
            fuzz_start(f, 2);
        if ((what & 0xe0) == 0xc0)
            screen->source->suggest_size(screen->source_opaque, what * 8u, length * 8u);
        at += 2 + n;
    }
    screen_refresh(screen);
    fuzz_destroy(f);
    return 0;
}
