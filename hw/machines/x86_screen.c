/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vga= (Linux, Documentation/admin-guide/svga.rst) and struct screen_info (zero-page.rst). */
#include "hw/machines/x86_screen.h"

#include <stdlib.h>
#include <string.h>

#include "hw/display/vga.h"
#include "hw/pci/pci.h"
#include "util/bits.h"

/* Offsets in struct screen_info. */
enum {
    VIDEO_MODE = 0x06,
    VIDEO_COLUMNS = 0x07,
    VIDEO_EGA_BX = 0x0a,
    VIDEO_LINES = 0x0e,
    VIDEO_TYPE = 0x0f,
    VIDEO_POINTS = 0x10,
    LFB_WIDTH = 0x12,
    LFB_HEIGHT = 0x14,
    LFB_DEPTH = 0x16,
    LFB_BASE = 0x18,
    LFB_SIZE = 0x1c, /* in 64 KiB */
    LFB_LINE = 0x24,
    COLOURS = 0x26, /* size and position of red, green, blue, the rest */
    PAGES = 0x32,
    ATTRIBUTES = 0x34, /* as VBE's mode information has them: there, colour, graphics, linear */
};
enum { TYPE_VGA = 1, TYPE_LINEAR = 0x23, EGA_COLOUR_256K = 3, LINUX_VESA = 0x200 };

struct vesa_mode {
    uint16_t number, width, height;
    uint8_t bits;
};

/* VESA BIOS Extension 3.0, 3 ("VBE mode numbers"); those from 0x140 on are vgabios's. */
static const struct vesa_mode modes[] = {
    {0x100, 640, 400, 8},    {0x101, 640, 480, 8},    {0x103, 800, 600, 8},
    {0x105, 1024, 768, 8},   {0x107, 1280, 1024, 8},  {0x110, 640, 480, 15},
    {0x111, 640, 480, 16},   {0x112, 640, 480, 24},   {0x113, 800, 600, 15},
    {0x114, 800, 600, 16},   {0x115, 800, 600, 24},   {0x116, 1024, 768, 15},
    {0x117, 1024, 768, 16},  {0x118, 1024, 768, 24},  {0x119, 1280, 1024, 15},
    {0x11a, 1280, 1024, 16}, {0x11b, 1280, 1024, 24}, {0x11c, 1600, 1200, 8},
    {0x11d, 1600, 1200, 15}, {0x11e, 1600, 1200, 16}, {0x11f, 1600, 1200, 24},
    {0x141, 640, 400, 32},   {0x142, 640, 480, 32},   {0x143, 800, 600, 32},
    {0x144, 1024, 768, 32},  {0x145, 1280, 1024, 32}, {0x147, 1600, 1200, 32},
    {0x178, 1280, 800, 32},  {0x17e, 1440, 900, 32},  {0x18d, 1280, 720, 32},
    {0x190, 1920, 1080, 32},
};

/* The mode that vga= names; NULL: text. */
static const struct vesa_mode *asked_mode(const char *command_line)
{
    const char *at = command_line;
    unsigned long number;

    while (at && strncmp(at, "vga=", 4) != 0) {
        at = strchr(at, ' ');
        if (at)
            at += strspn(at, " ");
    }
    if (!at)
        return NULL;
    number = strtoul(at + 4, NULL, 0);
    for (unsigned i = 0; i < ARRAY_SIZE(modes); i++) {
        if (modes[i].number + (unsigned long)LINUX_VESA == number)
            return &modes[i];
    }
    return NULL;
}

static void describe_text(uint8_t *info)
{
    info[VIDEO_MODE] = 3;
    info[VIDEO_COLUMNS] = 80;
    info[VIDEO_LINES] = 25;
    info[VIDEO_TYPE] = TYPE_VGA;
    store_le16(info + VIDEO_EGA_BX, EGA_COLOUR_256K);
    store_le16(info + VIDEO_POINTS, 16);
}

static void describe_linear(uint8_t *info, const struct vesa_mode *mode, uint32_t base,
                            uint64_t memory_bytes)
{
    /* Size and position of red, green, blue, the rest; of a palette, how wide the DAC is. */
    static const uint8_t colours[][9] = {{8, 6, 0, 6, 0, 6, 0, 6, 0},
                                         {15, 5, 10, 5, 5, 5, 0, 1, 15},
                                         {16, 5, 11, 6, 5, 5, 0, 0, 0},
                                         {24, 8, 16, 8, 8, 8, 0, 0, 0},
                                         {32, 8, 16, 8, 8, 8, 0, 8, 24}};
    unsigned bytes = (mode->bits + 7u) / 8;

    info[VIDEO_TYPE] = TYPE_LINEAR;
    store_le16(info + LFB_WIDTH, mode->width);
    store_le16(info + LFB_HEIGHT, mode->height);
    store_le16(info + LFB_DEPTH, mode->bits);
    store_le32(info + LFB_BASE, base);
    store_le32(info + LFB_SIZE, (uint32_t)(memory_bytes >> 16));
    store_le16(info + LFB_LINE, (uint16_t)(mode->width * bytes));
    store_le16(info + PAGES, 1);
    store_le16(info + ATTRIBUTES, 0x9b);
    for (unsigned i = 0; i < ARRAY_SIZE(colours); i++) {
        if (colours[i][0] == mode->bits)
            memcpy(info + COLOURS, &colours[i][1], 8);
    }
}

bool x86_screen_start(struct machine *m, uint8_t info[X86_SCREEN_INFO_BYTES])
{
    struct device *d = machine_find_device(m, "vga");
    const struct vesa_mode *mode = asked_mode(m->boot.append);
    uint64_t memory_bytes;

    memset(info, 0, X86_SCREEN_INFO_BYTES);
    if (!d)
        return false;
    if (mode && vga_start_linear(d, mode->width, mode->height, mode->bits)) {
        device_region_memory(d, 0, &memory_bytes);
        describe_linear(info, mode, pci_get(d, PCI_BAR0, 4) & ~15u, memory_bytes);
        return true;
    }
    vga_start_text(d);
    describe_text(info);
    return true;
}
