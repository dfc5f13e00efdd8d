/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef WITHOUT_LIBFDT

#include "hw/machines/vexpress_panel.h"

#include <libfdt.h>

#include "util/compiler.h"

/* Linux, Documentation/devicetree/bindings/display/panel/panel-timing.yaml; VESA DMT. */
static const struct {
    const char *name;
    uint32_t large, small; /* 1024 x 768, 640 x 480, both at 60 Hz */
} timings[] = {
    {"clock-frequency", 65000000, 25175000},
    {"hactive", 1024, 640},
    {"hfront-porch", 24, 16},
    {"hsync-len", 136, 96},
    {"hback-porch", 160, 48},
    {"vactive", 768, 480},
    {"vfront-porch", 3, 10},
    {"vsync-len", 6, 2},
    {"vback-porch", 29, 33},
};
/* Bytes a second that 16 bits a pixel need for the larger one. */
enum { LARGE_BANDWIDTH = 130000000 };

static int last_controller(const void *fdt)
{
    int found = -1;

    for (int node = fdt_node_offset_by_compatible(fdt, -1, "arm,pl111"); node >= 0;
         node = fdt_node_offset_by_compatible(fdt, node, "arm,pl111"))
        found = node;
    return found;
}

static int endpoint_of(const void *fdt, int node)
{
    int port = fdt_subnode_offset(fdt, node, "port");

    return port < 0 ? port : fdt_subnode_offset(fdt, port, "endpoint");
}

static bool has_bandwidth(const void *fdt, int controller)
{
    int length;
    const fdt32_t *bytes = fdt_getprop(fdt, controller, "max-memory-bandwidth", &length);

    return !bytes || length != 4 || fdt32_to_cpu(*bytes) >= LARGE_BANDWIDTH;
}

static int add_timing(void *fdt, int panel, bool large)
{
    int node = fdt_add_subnode(fdt, panel, "panel-timing");
    int failed = node < 0 ? node : 0;

    for (unsigned i = 0; i < ARRAY_SIZE(timings) && !failed; i++)
        failed = fdt_setprop_u32(fdt, node, timings[i].name,
                                 large ? timings[i].large : timings[i].small);
    return failed;
}

static int add_endpoint(void *fdt, int panel, uint32_t own, uint32_t remote)
{
    int port = fdt_add_subnode(fdt, panel, "port");
    int node = port < 0 ? port : fdt_add_subnode(fdt, port, "endpoint");
    int failed = node < 0 ? node : fdt_setprop_u32(fdt, node, "phandle", own);

    return failed ? failed : fdt_setprop_u32(fdt, node, "remote-endpoint", remote);
}

int vexpress_add_panel(void *fdt)
{
    int controller = last_controller(fdt), endpoint = endpoint_of(fdt, controller), failed = 0;
    uint32_t remote, own;
    bool large = has_bandwidth(fdt, controller);

    if (controller < 0 || endpoint < 0 || fdt_path_offset(fdt, "/panel") >= 0)
        return 0;
    remote = fdt_get_phandle(fdt, endpoint);
    own = fdt_get_max_phandle(fdt) + 1;
    if (!remote) {
        remote = own++;
        failed = fdt_setprop_u32(fdt, endpoint, "phandle", remote);
    }
    if (!failed)
        failed = fdt_setprop_u32(fdt, endpoint, "remote-endpoint", own);
    int panel = failed ? failed : fdt_add_subnode(fdt, 0, "panel");
    if (panel < 0)
        return panel;
    failed = fdt_setprop_string(fdt, panel, "compatible", "panel-dpi");
    if (!failed)
        failed = add_timing(fdt, panel, large);
    return failed ? failed : add_endpoint(fdt, panel, own, remote);
}

#endif
