/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WITHOUT_LIBFDT

#include "hw/machines/arm_screen.h"

#include <libfdt.h>
#include <stdio.h>
#include <string.h>

#include "hw/display/ramfb.h"
#include "util/bits.h"

enum { WIDTH = 1024, HEIGHT = 768, STRIDE = WIDTH * 4, LEAST_RAM = 64 * MIB };
/* Kernels of 32 bits map so much of RAM at once. */
enum { LOW_RAM = 512 * MIB, FRAME_BYTES = 4 * MIB };

static struct device *find_ramfb(struct machine *m)
{
    for (unsigned i = 0; i < m->n_devices; i++) {
        if (!strcmp(m->devices[i]->class->name, "ramfb"))
            return m->devices[i];
    }
    return NULL;
}

static struct device *wanted(struct machine *m)
{
    bool direct = m->boot.kernel && !m->boot.bios;

    return direct && m->ram_bytes >= LEAST_RAM ? find_ramfb(m) : NULL;
}

static gpa frame_base(const struct machine *m)
{
    return m->class->ram_base + MIN(m->ram_bytes, (uint64_t)LOW_RAM) - FRAME_BYTES;
}

/* Children of `node` have addresses like those of the root. */
static int set_cells(void *fdt, int node)
{
    int failed = fdt_setprop_u32(fdt, node, "#address-cells", 2);

    if (!failed)
        failed = fdt_setprop_u32(fdt, node, "#size-cells", 2);
    return failed ? failed : fdt_setprop(fdt, node, "ranges", NULL, 0);
}

static int add_child(void *fdt, const char *parent, gpa base, uint64_t size)
{
    char name[40];
    int node = fdt_path_offset(fdt, parent), failed;

    if (node < 0)
        node = fdt_add_subnode(fdt, 0, parent + 1);
    failed = node < 0 ? node : set_cells(fdt, node);
    if (failed)
        return failed;
    snprintf(name, sizeof(name), "framebuffer@%llx", (unsigned long long)base);
    node = fdt_add_subnode(fdt, node, name);
    if (node < 0)
        return node;
    failed = fdt_appendprop_u64(fdt, node, "reg", base);
    if (!failed)
        failed = fdt_appendprop_u64(fdt, node, "reg", size);
    return failed ? failed : node;
}

int arm_screen_add(struct machine *m, void *fdt)
{
    gpa base = frame_base(m);

    if (!wanted(m) || fdt_address_cells(fdt, 0) != 2 || fdt_size_cells(fdt, 0) != 2)
        return 0;
    int node = add_child(fdt, "/reserved-memory", base, FRAME_BYTES);
    int failed = node < 0 ? node : fdt_setprop(fdt, node, "no-map", NULL, 0);
    if (failed)
        return failed;
    node = add_child(fdt, "/chosen", base, STRIDE * HEIGHT);
    failed = node < 0 ? node : fdt_setprop_string(fdt, node, "compatible", "simple-framebuffer");
    if (!failed)
        failed = fdt_setprop_u32(fdt, node, "width", WIDTH);
    if (!failed)
        failed = fdt_setprop_u32(fdt, node, "height", HEIGHT);
    if (!failed)
        failed = fdt_setprop_u32(fdt, node, "stride", STRIDE);
    return failed ? failed : fdt_setprop_string(fdt, node, "format", "x8r8g8b8");
}

void arm_screen_start(struct machine *m)
{
    struct device *d = wanted(m);

    if (d)
        ramfb_start(d, frame_base(m), WIDTH, HEIGHT);
}

#endif
