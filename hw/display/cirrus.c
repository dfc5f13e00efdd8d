/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Cirrus Logic CL-GD5446 (Technical Reference Manual, November 1996) on PCI: a VGA with packed
 * modes of 8 to 32 bits, banks, a hardware cursor and the BitBLT engine (cirrus_blt.c), 4 MiB of
 * memory. BAR 0: memory, and from 16 MiB on the engine's window; BAR 1: registers. Video overlay
 * and the byte-swapping apertures are not there. Property: romfile (Debian's vgabios-cirrus.bin).
 */
#include "hw/display/cirrus.h"

#include <string.h>

#include "hw/machine.h"
#include "hw/pci/pci.h"
#include "util/bits.h"

enum { MEMORY_BYTES = 4 << 20 };
enum { LINEAR_BYTES = 32 << 20, BLT_WINDOW = 16 << 20, MMIO_BYTES = 0x1000, MMIO_BLT = 0x100 };
#define ROM_PATH "/usr/share/seabios/vgabios-cirrus.bin"
enum {
    SR_UNLOCK = 0x06,
    SR_EXTENDED = 0x07, /* packed pixels, and how deep */
    SR_DRAM = 0x0f,
    SR_CURSOR_X = 0x10,
    SR_CURSOR_Y = 0x11,
    SR_CURSOR = 0x12,
    SR_CURSOR_IMAGE = 0x13,
    SR_MEMORY = 0x15,
    SR_CONFIG = 0x17,
    SR_MCLK = 0x1f,
};
enum { CURSOR_ON = 1, CURSOR_PALETTE = 2, CURSOR_LARGE = 4, UNLOCKED = 0x12, LOCKED = 0x0f };
enum { CR_INTERLACE = 0x1a, CR_EXTENDED = 0x1b, CR_OVERLAY = 0x1d };
enum { CR_LATCH = 0x22, CR_AR_TOGGLE = 0x24, CR_AR_INDEX = 0x26, CR_ID = 0x27, CHIP_ID = 0xb8 };
enum { GRB_TWO_BANKS = 1, GRB_BY_8 = 2, GRB_WRITE_MODES = 4, GRB_16_BITS = 0x10, GRB_16K = 0x20 };

/* ---- memory as the processor sees it in packed modes ------------------------------------------
 */

/* GR9, GRA: where each half of the window (or all of it) lies. */
static uint32_t banked(const struct cirrus *c, uint64_t offset)
{
    bool second = (c->gr[GR_EXTENSIONS] & GRB_TWO_BANKS) && (offset & 0x8000);
    unsigned shift = c->gr[GR_EXTENSIONS] & GRB_16K ? 14 : 12;
    uint32_t bank = (uint32_t)c->gr[second ? GR_BANK_1 : GR_BANK_0] << shift;

    return bank + ((uint32_t)offset & (c->gr[GR_EXTENSIONS] & GRB_TWO_BANKS ? 0x7fff : 0xffff));
}

/* With BY8 (BY16) addressing an address stands for 8 (16) bytes. */
static uint32_t scaled(const struct cirrus *c, uint32_t address)
{
    unsigned both = GRB_WRITE_MODES | GRB_16_BITS;

    if ((c->gr[GR_EXTENSIONS] & both) == both)
        return address << 4;
    return c->gr[GR_EXTENSIONS] & GRB_BY_8 ? address << 3 : address;
}

/* Extended write modes 4 and 5: each bit of the byte is a pixel, in the foreground's colour where
 * it is set; mode 5 gives the others the background's. */
static void write_bits(struct cirrus *c, uint32_t at, uint8_t value, bool background)
{
    bool wide = c->gr[GR_EXTENSIONS] & GRB_16_BITS;

    for (unsigned i = 0; i < 8; i++) {
        bool set = value >> (7 - i) & 1;
        if (!set && !background)
            continue;
        *cirrus_byte(c, at + (wide ? 2 * i : i)) = c->gr[set ? GR_FORE_0 : GR_BACK_0];
        if (wide)
            *cirrus_byte(c, at + 2 * i + 1) = c->gr[set ? GR_FORE_1 : GR_BACK_1];
    }
}

static void write_packed(struct device *d, uint32_t address, uint8_t value)
{
    struct cirrus *c = d->state;
    unsigned mode = c->gr[GR_MODE] & 7;

    if (c->receiving)
        cirrus_blt_receive(d, value);
    else if ((mode == 4 || mode == 5) && (c->gr[GR_EXTENSIONS] & GRB_WRITE_MODES))
        write_bits(c, scaled(c, address), value, mode == 5);
    else
        *cirrus_byte(c, scaled(c, address)) = value;
}

void cirrus_update_aperture(struct device *d)
{
    const struct cirrus *c = d->state;
    uint32_t base = pci_get(d, PCI_BAR0, 4) & ~15u;
    bool shown = base && (pci_get(d, PCI_COMMAND, 2) & PCI_COMMAND_MEMORY);
    bool plain =
        !c->receiving && !(c->gr[GR_EXTENSIONS] & (GRB_BY_8 | GRB_WRITE_MODES | GRB_16_BITS));

    device_place_if(d, VGA_REGION_MEMORY, base, shown && plain);
}

static uint64_t linear_read(struct device *d, uint64_t offset, unsigned size)
{
    struct cirrus *c = d->state;
    uint64_t value = 0;

    for (unsigned i = 0; i < size && offset < BLT_WINDOW; i++)
        value |= (uint64_t)*cirrus_byte(c, scaled(c, (uint32_t)offset + i)) << 8 * i;
    return value;
}

static void linear_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    const struct cirrus *c = d->state;

    for (unsigned i = 0; i < size; i++) {
        if (offset < BLT_WINDOW || c->receiving)
            write_packed(d, (uint32_t)offset + i, (uint8_t)(value >> 8 * i));
    }
}

/* ---- registers --------------------------------------------------------------------------------
 */

static uint8_t sr_read(const struct cirrus *c, const struct device *d)
{
    unsigned index = c->sr_index & (CIRRUS_SR - 1);

    if (index < 5)
        return c->vga.sr[index];
    if (index == SR_CURSOR_X)
        return (uint8_t)(c->cursor_x >> 3);
    if (index == SR_CURSOR_Y)
        return (uint8_t)(c->cursor_y >> 3);
    return c->sr[index];
}

static void sr_write(struct device *d, uint8_t value)
{
    struct cirrus *c = d->state;
    unsigned index = c->sr_index & (CIRRUS_SR - 1);

    switch (index) {
    case 0 ... 4:
        vga_write_port(d, 0x3c4, (uint8_t)index);
        vga_write_port(d, 0x3c5, value);
        break;
    case SR_UNLOCK:
        c->sr[index] = (value & 0x17) == UNLOCKED ? UNLOCKED : LOCKED;
        break;
    case SR_CURSOR_X: /* the index's upper bits are the position's lower ones */
        c->cursor_x = (uint32_t)value << 3 | c->sr_index >> 5;
        break;
    case SR_CURSOR_Y:
        c->cursor_y = (uint32_t)value << 3 | c->sr_index >> 5;
        break;
    default:
        c->sr[index] = value;
    }
}

static uint8_t gr_read(const struct cirrus *c)
{
    return c->gr[c->gr_index & (CIRRUS_GR - 1)];
}

static void gr_write(struct device *d, unsigned index, uint8_t value)
{
    static const uint8_t masks[CIRRUS_GR] = {
        [0x21] = 0x1f, [0x23] = 0x07, [0x25] = 0x1f, [0x27] = 0x1f, [0x2a] = 0x3f, [0x2e] = 0x3f};
    struct cirrus *c = d->state;

    index &= CIRRUS_GR - 1;
    if (index == GR_BLT_STATUS) {
        cirrus_blt_control(d, value);
        return;
    }
    c->gr[index] = masks[index] ? value & masks[index] : value;
    if (index < 9) {
        vga_write_port(d, 0x3ce, (uint8_t)index);
        vga_write_port(d, 0x3cf, value);
    }
    if (index == GR_EXTENSIONS)
        cirrus_update_aperture(d);
    /* The last byte of the destination starts a transfer, if it is to. */
    if (index == GR_BLT_DEST + 2 && (c->gr[GR_BLT_STATUS] & STATUS_AUTOSTART) && !c->receiving)
        cirrus_blt_control(d, c->gr[GR_BLT_STATUS] | STATUS_START);
}

static uint8_t cr_read(const struct cirrus *c)
{
    switch (c->cr_index) {
    case CR_LATCH:
        return c->vga.latch[c->vga.gr[GR_READ_MAP] & 3];
    case CR_AR_TOGGLE:
        return c->vga.ar_data ? 0x80 : 0;
    case CR_AR_INDEX:
        return c->vga.ar_index & 0x3f;
    case CR_ID:
        return CHIP_ID;
    default:
        return c->cr_index < VGA_CRTC    ? c->vga.cr[c->cr_index]
               : c->cr_index < CIRRUS_CR ? c->cr[c->cr_index]
                                         : 0;
    }
}

/* The fifth access in a row to 0x3c6 is the hidden DAC register's. */
static bool is_hidden_dac(struct cirrus *c, bool read)
{
    bool hidden = c->hidden_reads == 4;

    c->hidden_reads = hidden || !read ? 0 : c->hidden_reads + 1;
    return hidden;
}

static uint8_t *hidden_colour(struct cirrus *c, uint8_t index)
{
    return &c->hidden_palette[(index & 15) * 3 + c->vga.dac_part];
}

static uint8_t port_read(struct device *d, unsigned port)
{
    struct cirrus *c = d->state;
    bool crtc = port == (c->vga.misc & 1 ? 0x3d5u : 0x3b5u);

    if (port == 0x3c6 && is_hidden_dac(c, true))
        return c->hidden_dac;
    if (port != 0x3c6)
        c->hidden_reads = 0;
    if (port == 0x3c4)
        return c->sr_index;
    if (port == 0x3c5)
        return sr_read(c, d);
    if (port == 0x3ce)
        return c->gr_index;
    if (port == 0x3cf)
        return gr_read(c);
    if (crtc)
        return cr_read(c);
    if (port == 0x3c9 && (c->sr[SR_CURSOR] & CURSOR_PALETTE)) {
        uint8_t value = *hidden_colour(c, c->vga.dac_read);
        vga_ports_read(d, port - VGA_PORTS, 1); /* moves on */
        return value;
    }
    return (uint8_t)vga_ports_read(d, port - VGA_PORTS, 1);
}

static void hidden_colour_write(struct device *d, uint8_t value)
{
    struct cirrus *c = d->state;
    uint8_t index = c->vga.dac_write, part = c->vga.dac_part;
    uint8_t *ordinary = &c->vga.palette[index * 3 + part], saved = *ordinary;

    *hidden_colour(c, index) = value & 0x3f;
    vga_write_port(d, 0x3c9, value); /* moves on */
    *ordinary = saved;
}

static void port_write(struct device *d, unsigned port, uint8_t value)
{
    struct cirrus *c = d->state;
    unsigned crtc = c->vga.misc & 1 ? 0x3d4 : 0x3b4;

    if (port == 0x3c6 && is_hidden_dac(c, false)) {
        c->hidden_dac = value;
        return;
    }
    c->hidden_reads = 0;
    if (port == 0x3c4)
        c->sr_index = value;
    else if (port == 0x3c5)
        sr_write(d, value);
    else if (port == 0x3ce)
        c->gr_index = value;
    else if (port == 0x3cf)
        gr_write(d, c->gr_index, value);
    else if (port == 0x3c9 && (c->sr[SR_CURSOR] & CURSOR_PALETTE))
        hidden_colour_write(d, value);
    else
        vga_write_port(d, port, value);
    if (port == crtc)
        c->cr_index = value;
    if (port == crtc + 1 && c->cr_index >= VGA_CRTC && c->cr_index < CIRRUS_CR)
        c->cr[c->cr_index] = value;
}

static uint64_t ports_read(struct device *d, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)port_read(d, VGA_PORTS + (unsigned)offset + i) << 8 * i;
    return value;
}

static void ports_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        port_write(d, VGA_PORTS + (unsigned)offset + i, (uint8_t)(value >> 8 * i));
}

/* The engine's registers in memory: which of GR each is; 0xff: none. */
static unsigned blt_register(uint64_t offset)
{
    static const uint8_t map[0x22] = {0x00, 0x10, 0x12, 0x14, 0x01, 0x11, 0x13, 0x15, 0x20,
                                      0x21, 0x22, 0x23, 0x24, 0x25, 0x26, 0x27, 0x28, 0x29,
                                      0x2a, 0xff, 0x2c, 0x2d, 0x2e, 0x2f, 0x30, 0xff, 0x32,
                                      0x33, 0x34, 0x35, 0xff, 0xff, 0x38, 0x39};

    return offset == 0x40 ? GR_BLT_STATUS : offset < sizeof(map) ? map[offset] : 0xff;
}

static uint8_t mmio_read_byte(struct device *d, uint64_t offset)
{
    struct cirrus *c = d->state;

    if (offset < 0x20)
        return port_read(d, 0x3c0 + (unsigned)offset);
    if (offset < MMIO_BLT || blt_register(offset - MMIO_BLT) == 0xff)
        return 0xff;
    return c->gr[blt_register(offset - MMIO_BLT)];
}

static void mmio_write_byte(struct device *d, uint64_t offset, uint8_t value)
{
    if (offset < 0x20)
        port_write(d, 0x3c0 + (unsigned)offset, value);
    else if (offset >= MMIO_BLT && blt_register(offset - MMIO_BLT) != 0xff)
        gr_write(d, blt_register(offset - MMIO_BLT), value);
}

static uint64_t mmio_read(struct device *d, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)mmio_read_byte(d, offset + i) << 8 * i;
    return value;
}

static void mmio_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        mmio_write_byte(d, offset + i, (uint8_t)(value >> 8 * i));
}

/* ---- the window at 0xa0000 --------------------------------------------------------------------
 */

static bool is_packed(const struct cirrus *c)
{
    return c->sr[SR_EXTENDED] & 1;
}

/* SR17: the engine's registers stand at 0xb8000. */
static bool is_blt_register(const struct cirrus *c, uint64_t offset)
{
    return (c->sr[SR_CONFIG] & 0x44) == 4 && offset >= 0x18000 && offset < 0x18100;
}

static uint64_t window_read(struct device *d, uint64_t offset, unsigned size)
{
    struct cirrus *c = d->state;
    uint64_t value = 0;

    if (is_blt_register(c, offset))
        return mmio_read(d, offset - 0x18000 + MMIO_BLT, size);
    if (!is_packed(c))
        return vga_window_read(d, offset, size);
    if (offset >= 0x10000)
        return UINT64_MAX;
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)*cirrus_byte(c, scaled(c, banked(c, offset + i))) << 8 * i;
    return value;
}

static void window_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct cirrus *c = d->state;

    if (is_blt_register(c, offset)) {
        mmio_write(d, offset - 0x18000 + MMIO_BLT, value, size);
    } else if (!is_packed(c) && !c->receiving) {
        vga_window_write(d, offset, value, size);
    } else {
        for (unsigned i = 0; i < size && offset < 0x10000; i++)
            write_packed(d, banked(c, offset + i), (uint8_t)(value >> 8 * i));
    }
}

/* ---- the picture ------------------------------------------------------------------------------
 */

/* SR7 says how deep; of 16 bits the hidden DAC register says which kind. */
static unsigned depth(const struct cirrus *c)
{
    switch (c->sr[SR_EXTENDED] & 0x0e) {
    case 0x02:
    case 0x06:
        return (c->hidden_dac & 0xf) == 1 ? 16 : 15;
    case 0x04:
        return 24;
    case 0x08:
        return 32;
    default:
        return 8;
    }
}

static bool packed_mode(const struct vga *v, struct vga_linear *mode)
{
    const struct cirrus *c = (const struct cirrus *)v;
    const uint8_t *cr = v->cr;
    unsigned lines = vga_lines_shown(v);
    uint32_t start = vga_start_address(v);

    if (!is_packed(c))
        return false;
    lines *= cr[CR_INTERLACE] & 1 ? 2 : 1;
    lines /= ((cr[CR_MAX_SCAN] & 0x1fu) + 1) * (cr[CR_MAX_SCAN] & 0x80 ? 2 : 1);
    start |= (cr[CR_EXTENDED] & 1u) << 16 | (cr[CR_EXTENDED] & 0xcu) << 15 |
             (cr[CR_OVERLAY] & 0x80u) << 12;
    mode->width = (cr[CR_END_DISPLAY] + 1u) * 8;
    mode->height = MAX(lines, 1u);
    mode->bits = depth(c);
    mode->stride = (cr[CR_OFFSET] | (cr[CR_EXTENDED] & 0x10u) << 4) * 8u;
    mode->start = (uint64_t)start * 4;
    return true;
}

static uint32_t cursor_colour(const struct cirrus *c, unsigned index)
{
    return 0xff000000 | vga_dac_pixel(&c->hidden_palette[index * 3]);
}

/* Two planes: colours 0 and 15 of the hidden palette, nothing, and the opposite of the screen, for
 * which half a white stands. Large ones have the planes row by row, small ones one by one. */
static void make_cursor(struct cirrus *c, struct screen_cursor *cursor)
{
    bool large = c->sr[SR_CURSOR] & CURSOR_LARGE;
    unsigned size = large ? 64 : 32, number = c->sr[SR_CURSOR_IMAGE] & (large ? 0x3c : 0x3f);
    uint32_t base = (uint32_t)c->vga.memory_size - 0x4000 + number * 256;

    memset(cursor, 0, sizeof(*cursor));
    cursor->visible = true;
    cursor->x = (int)c->cursor_x;
    cursor->y = (int)c->cursor_y;
    cursor->width = cursor->height = size;
    for (unsigned y = 0; y < size; y++) {
        uint32_t first = base + y * (large ? 16 : 4), second = first + (large ? 8 : 128);
        for (unsigned x = 0; x < size; x++) {
            unsigned a = *cirrus_byte(c, first + x / 8) >> (7 - x % 8) & 1;
            unsigned b = *cirrus_byte(c, second + x / 8) >> (7 - x % 8) & 1;
            cursor->pixels[y * size + x] = b ? cursor_colour(c, a ? 15 : 0) : a ? 0x80ffffff : 0;
        }
    }
}

static void update_cursor(struct cirrus *c, struct screen *screen)
{
    bool on = c->sr[SR_CURSOR] & CURSOR_ON;
    struct screen_cursor made = {0};
    struct screen_cursor *shown = on ? screen_get_cursor(screen) : screen->cursor;

    if (!shown)
        return;
    if (on)
        make_cursor(c, &made);
    if (!memcmp(&made, shown, sizeof(made)))
        return;
    *shown = made;
    screen_cursor_changed(screen);
}

static void refresh(void *opaque, struct screen *screen)
{
    struct device *d = opaque;

    vga_refresh(d, screen);
    update_cursor(d->state, screen);
}

static const struct screen_source source = {.refresh = refresh, .print_text = vga_text};

/* ---- device -----------------------------------------------------------------------------------
 */

static void config_written(struct device *d, unsigned offset, unsigned size)
{
    vga_decode_update(d);
    cirrus_update_aperture(d);
}

static bool cirrus_init(struct device *d, struct error *err)
{
    struct cirrus *c = d->state;

    if (!vga_init_with(d, ROM_PATH, err))
        return false;
    c->vga.linear = packed_mode;
    c->vga.shown.screen->source = &source;
    return true;
}

static void cirrus_reset(struct device *d)
{
    config_written(d, PCI_COMMAND, 2);
}

#define C(member, kind, value) DEVICE_FIELD(struct cirrus, member, kind, value)
static const struct device_field fields[] = {
    VGA_FIELDS(struct cirrus, vga.),
    C(sr_index, DEVICE_U8, 0),
    DEVICE_ARRAY(struct cirrus, sr, DEVICE_U8, CIRRUS_SR, 0),
    /* 4 MiB of 64-bit DRAM. */
    C(sr[SR_UNLOCK], DEVICE_U8, LOCKED),
    C(sr[SR_DRAM], DEVICE_U8, 0x98),
    C(sr[SR_MEMORY], DEVICE_U8, 4),
    C(sr[SR_CONFIG], DEVICE_U8, 0x20),
    C(sr[SR_MCLK], DEVICE_U8, 0x22),
    C(gr_index, DEVICE_U8, 0),
    DEVICE_ARRAY(struct cirrus, gr, DEVICE_U8, CIRRUS_GR, 0),
    C(cr_index, DEVICE_U8, 0),
    DEVICE_ARRAY(struct cirrus, cr, DEVICE_U8, CIRRUS_CR, 0),
    C(hidden_dac, DEVICE_U8, 0),
    C(hidden_reads, DEVICE_U8, 0),
    DEVICE_ARRAY(struct cirrus, hidden_palette, DEVICE_U8, 48, 0),
    C(cursor_x, DEVICE_U32, 0),
    C(cursor_y, DEVICE_U32, 0),
    C(receiving, DEVICE_BOOL, 0),
    DEVICE_ARRAY(struct cirrus, blt.width, DEVICE_U32, 9, 0),
    C(blt.mode, DEVICE_U8, 0),
    C(blt.rop, DEVICE_U8, 0),
    C(blt.extensions, DEVICE_U8, 0),
    C(blt.skip, DEVICE_U8, 0),
    C(blt.row, DEVICE_U32, 0),
    C(blt.row_bytes, DEVICE_U32, 0),
    C(blt.received, DEVICE_U32, 0),
    DEVICE_ARRAY(struct cirrus, incoming, DEVICE_U8, CIRRUS_ROW_BYTES, 0),
};
#undef C

static const struct device_region regions[] = {
    {"vga.vram", MEMORY_BYTES, .ram = true, .moves = true, .size_prop = "vgamem"},
    {"vga.rom", VGA_ROM_SIZE, .rom = true, .bar = DEVICE_BAR_ROM},
    {"vga-lowmem", VGA_WINDOW_SIZE, 1, 8, window_read, window_write, .moves = true},
    {"vga", VGA_N_PORTS, 1, 4, ports_read, ports_write, .port = true, .moves = true},
    {"cirrus-linear", LINEAR_BYTES, 1, 8, linear_read, linear_write, .bar = DEVICE_BAR(0),
     .bar_prefetch = true},
    {"cirrus-mmio", MMIO_BYTES, 1, 4, mmio_read, mmio_write, .bar = DEVICE_BAR(1)},
};

static const struct pci_class function = {
    .vendor = 0x1013,
    .device = 0x00b8,
    .class_code = 0x030000,
    .config_written = config_written,
};

static const struct device_prop props[] = {
    VGA_ROM_PROP,
    {NULL},
};

static const struct device_class cirrus_class = {
    .name = "cirrus-vga",
    .props = props,
    .description = "Cirrus Logic CL-GD5446 display adapter",
    .manual = "CL-GD5446 Technical Reference Manual, 1996",
    .addable = true,
    .pci = &function,
    .state_size = sizeof(struct cirrus),
    .regions = regions,
    .n_regions = ARRAY_SIZE(regions),
    .fields = fields,
    .n_fields = ARRAY_SIZE(fields),
    .init = cirrus_init,
    .reset = cirrus_reset,
    .finish = vga_screen_destroy,
};
REGISTER(device_class, cirrus_class);
