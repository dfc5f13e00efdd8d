/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A hostile driver and a wild user of virtio keyboards, mice and tablets: four bytes a step. */
#include "virtio.h"

static void step(struct fuzz_virtio *f, const uint8_t *op)
{
    struct input *input = &f->m.input;
    bool ok;

    switch (op[0] & 7) {
    case 0:
        memory_store(f->m.memory, FUZZ_SLOT + 0x100 + op[1] % 140, op[2], 1, &ok);
        break;
    case 1:
        memory_load(f->m.memory, FUZZ_SLOT + (op[1] & 0x80 ? 0x100u : 0u) + (op[2] & 0x7c), 4, &ok);
        break;
    case 2:
        memcpy(f->ram + (FUZZ_DATA - FUZZ_RAM), op, 4);
        memset(f->ram + (FUZZ_DATA - FUZZ_RAM) + 4, op[3], 4);
        fuzz_request(f, 1, op[1] & 15, op[2] & 15);
        break;
    case 3:
        fuzz_request(f, 0, op[1] & 1 ? op[2] : 0, op[1] & 2 ? op[2] : 8);
        break;
    case 4:
        input_key(input, (enum key)(op[1] | (op[2] & 1) << 8), op[3] & 1);
        break;
    case 5:
        input_move(input, (int8_t)op[1] * 65536, (int8_t)op[2], (int8_t)op[3], op[3]);
        break;
    case 6:
        input_place(input, op[1] * 200u, op[2] * 20000u, (int8_t)op[3], op[3]);
        break;
    default:
        if (op[1] & 1)
            fuzz_start(f, op[2]);
        else
            fuzz_register(f, op[1], op[2]);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const classes[] = {"virtio-keyboard-device", "virtio-mouse-device",
                                          "virtio-tablet-device"};
    struct fuzz_virtio *f;

    if (size < 5)
        return 0;
    f = fuzz_create(classes[data[0] % ARRAY_SIZE(classes)]);
    fuzz_start(f, 0);
    for (size_t at = 1; at + 4 <= size; at += 4)
        step(f, data + at);
    fuzz_destroy(f);
    return 0;
}
