/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hostile kernel images: every format's lengths are checked, nothing is read or placed outside. */
#include <stdlib.h>
#include <string.h>

#include "hw/machines/kernel_image.h"

enum { RAM_BASE = 0x40000000, RAM_BYTES = 4 << 20 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    static struct memory *memory;
    struct error err;
    struct loader_file file = {.what = "-kernel 'fuzz'", .data = malloc(size + 1), .size = size};
    struct loader *loader = loader_create();
    struct kernel_image image;

    if (!memory) {
        memory = memory_create(&lock, &err);
        if (!memory || !memory_add_ram(memory, "ram", RAM_BASE, RAM_BYTES, &err))
            abort();
    }
    struct kernel_target target = {memory, RAM_BASE, RAM_BYTES};
    memcpy(file.data, data, size);
    if (kernel_image_load(&file, &target, loader, &image, &err))
        loader_write(loader, memory);
    loader_file_free(&file);
    loader_destroy(loader);
    return 0;
}
