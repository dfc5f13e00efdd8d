/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernels and RAM disks from anywhere: the first byte chooses which parser gets the rest. */
#include <stdlib.h>
#include <string.h>

#include "hw/machines/initrd.h"
#include "hw/machines/kernel_image.h"
#include "hw/machines/x86_kernel.h"

enum { RAM = 0x40000000, RAM_SIZE = 4 << 20 };

static bool make_file(struct loader_file *file, const uint8_t *data, size_t size)
{
    *file = (struct loader_file){.what = "'fuzz'", .data = malloc(size), .size = size};
    if (file->data)
        memcpy(file->data, data, size);
    return file->data != NULL;
}

static void load_arm(struct loader_file *file, struct memory *memory, struct loader *l)
{
    struct kernel_target target = {memory, RAM, RAM_SIZE};
    struct kernel_image image;
    struct error err;

    memory_add_ram(memory, "ram", RAM, RAM_SIZE, &err);
    if (kernel_image_load(file, &target, l, &image, &err))
        loader_write(l, memory);
}

static void load_x86(struct loader_file *file, bool allow64, struct memory *memory,
                     struct loader *l)
{
    struct x86_kernel kernel;
    struct error err;

    memory_add_ram(memory, "ram", 0, RAM_SIZE, &err);
    if (x86_kernel_load(file, memory, RAM_SIZE, allow64, l, &kernel, &err)) {
        loader_write(l, memory);
        if (kernel.setup && kernel.end > RAM_SIZE)
            abort();
    }
    free(kernel.setup);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    struct loader_file file;
    struct error err;

    if (size < 2 || !make_file(&file, data + 1, size - 1))
        return 0;
    if (data[0] & 1) {
        initrd_check(&file, 40, &err);
        loader_file_free(&file);
        return 0;
    }
    struct memory *memory = memory_create(&lock, &err);
    struct loader *l = loader_create();
    if (data[0] & 2)
        load_x86(&file, data[0] & 4, memory, l);
    else
        load_arm(&file, memory, l);
    loader_destroy(l);
    memory_destroy(memory);
    return 0;
}
