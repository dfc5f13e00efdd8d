/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI display adapter: standard VGA (IBM VGA technical reference; the FreeVGA description of it)
 * with the Bochs display extensions (ports 0x1ce and 0x1cf; "VBE DISPI"), 16 MiB of memory linear
 * in BAR 0, and both register sets in BAR 2, laid out as QEMU's "VGA" device: EDID at 0, VGA
 * ports 0x3c0 to 0x3df at 0x400, DISPI at 0x500, byte order at 0x604. The picture is vga_draw.c's.
 * Property: romfile (default: SeaBIOS's vgabios-stdvga.bin where Debian puts it; "" none).
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "hw/display/edid.h"
#include "hw/display/vga_registers.h"
#include "hw/machine.h"
#include "hw/pci/pci.h"
#include "util/bits.h"

enum { WINDOW = 0xa0000, VBE_PORTS = 0x1ce };
enum { EDID_X = 1280, EDID_Y = 800, LEAST_MEMORY = 0x40000 };
enum { MMIO_PORTS = 0x400, MMIO_VBE = 0x500, MMIO_ENDIAN = 0x600 };
#define DEFAULT_ROM "/usr/share/seabios/vgabios-stdvga.bin"
#define ENDIAN_LITTLE 0x1e1e1e1eu
#define ENDIAN_BIG 0xbebebebeu

/* ---- memory at 0xa0000 ------------------------------------------------------------------------
 */

/* Where the access lies in a plane, or false: outside the window of GR6. */
static bool window_offset(const struct vga *v, uint64_t offset, uint64_t *at)
{
    static const struct {
        uint32_t base, size;
    } windows[4] = {{0, 0x20000}, {0, 0x10000}, {0x10000, 0x8000}, {0x18000, 0x8000}};
    unsigned which = v->gr[GR_MISC] >> 2 & 3;

    if (offset < windows[which].base || offset - windows[which].base >= windows[which].size)
        return false;
    *at = offset - windows[which].base;
    if (v->vbe[VBE_ENABLE] & VBE_ENABLED)
        *at += (uint64_t)v->vbe[VBE_BANK] << 16;
    return true;
}

static bool chain_4(const struct vga *v)
{
    return v->sr[SR_MEMORY_MODE] & 8;
}

static bool odd_even(const struct vga *v)
{
    return !(v->sr[SR_MEMORY_MODE] & 4);
}

static uint8_t *plane_byte(struct vga *v, uint64_t at, unsigned plane)
{
    return &v->memory[(at * 4 + plane) & (v->memory_size - 1)];
}

static uint8_t window_read_byte(struct vga *v, uint64_t offset)
{
    uint64_t at;
    uint8_t match = 0xff;

    if (!window_offset(v, offset, &at))
        return 0xff;
    if (chain_4(v)) /* planes alternate byte by byte: memory as it lies */
        return v->memory[at & (v->memory_size - 1)];
    unsigned map = v->gr[GR_READ_MAP] & 3;
    if (odd_even(v)) {
        map = (map & 2) | (at & 1);
        at &= ~UINT64_C(1);
    }
    for (unsigned i = 0; i < 4; i++)
        v->latch[i] = *plane_byte(v, at, i);
    if (!(v->gr[GR_MODE] & 8))
        return v->latch[map];
    for (unsigned i = 0; i < 4; i++) {
        if (v->gr[GR_DONT_CARE] >> i & 1)
            match &= v->gr[GR_COMPARE] >> i & 1 ? v->latch[i] : (uint8_t)~v->latch[i];
    }
    return match;
}

static uint8_t rotate(uint8_t value, unsigned n)
{
    return (uint8_t)(value >> n | value << ((8 - n) & 7));
}

/* What the graphics controller makes of a byte for one plane (write modes 0 to 3). */
static uint8_t write_value(const struct vga *v, unsigned plane, uint8_t value)
{
    unsigned mode = v->gr[GR_MODE] & 3, set = v->gr[GR_SET_RESET] >> plane & 1;
    uint8_t mask = v->gr[GR_BIT_MASK], latch = v->latch[plane];
    uint8_t turned = rotate(value, v->gr[GR_ROTATE] & 7);

    switch (mode) {
    case 0:
        value = v->gr[GR_ENABLE_SET_RESET] >> plane & 1 ? (set ? 0xff : 0) : turned;
        break;
    case 1:
        return latch;
    case 2:
        value = value >> plane & 1 ? 0xff : 0;
        break;
    default:
        mask &= turned;
        value = set ? 0xff : 0;
        break;
    }
    switch (v->gr[GR_ROTATE] >> 3 & 3) {
    case 1:
        value &= latch;
        break;
    case 2:
        value |= latch;
        break;
    case 3:
        value ^= latch;
        break;
    }
    return (uint8_t)((value & mask) | (latch & ~mask));
}

static void window_write_byte(struct vga *v, uint64_t offset, uint8_t value)
{
    uint8_t planes = v->sr[SR_PLANE_MASK] & 0xf;
    uint64_t at;

    if (!window_offset(v, offset, &at))
        return;
    if (chain_4(v)) {
        if (planes >> (at & 3) & 1)
            v->memory[at & (v->memory_size - 1)] = value;
        return;
    }
    if (odd_even(v)) {
        planes &= at & 1 ? 0xa : 0x5;
        at &= ~UINT64_C(1);
    }
    for (unsigned i = 0; i < 4; i++) {
        if (planes >> i & 1)
            *plane_byte(v, at, i) = write_value(v, i, value);
    }
}

uint64_t vga_window_read(struct device *d, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)window_read_byte(vga_of(d), offset + i) << 8 * i;
    return value;
}

void vga_window_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        window_write_byte(vga_of(d), offset + i, (uint8_t)(value >> 8 * i));
}

/* ---- DISPI ------------------------------------------------------------------------------------
 */

static uint16_t vbe_read(const struct vga *v)
{
    bool limits = v->vbe[VBE_ENABLE] & VBE_GETCAPS;

    if (v->vbe_index >= VBE_REGISTERS)
        return 0;
    if (limits && v->vbe_index == VBE_XRES)
        return 2560;
    if (limits && v->vbe_index == VBE_YRES)
        return 1600;
    if (limits && v->vbe_index == VBE_BPP)
        return 32;
    if (v->vbe_index == VBE_MEMORY)
        return (uint16_t)(v->memory_size >> 16);
    return v->vbe[v->vbe_index];
}

/* Keeps what is shown within the memory, as the hardware does. */
static void vbe_settle(struct vga *v)
{
    unsigned bits = v->vbe[VBE_BPP] == 15 ? 16 : v->vbe[VBE_BPP];
    uint64_t line;

    v->vbe[VBE_XRES] = (uint16_t)MIN(MAX(v->vbe[VBE_XRES], 8), 2560) & 0xfff8;
    v->vbe[VBE_YRES] = (uint16_t)MIN(MAX(v->vbe[VBE_YRES], 1), 1600);
    v->vbe[VBE_VIRT_WIDTH] = (uint16_t)MIN(MAX(v->vbe[VBE_VIRT_WIDTH], v->vbe[VBE_XRES]), 8192);
    line = MAX((uint64_t)v->vbe[VBE_VIRT_WIDTH] * bits / 8, 1);
    v->vbe[VBE_VIRT_HEIGHT] = (uint16_t)MIN(v->memory_size / line, 65535);
    v->vbe[VBE_YRES] = (uint16_t)MIN(v->vbe[VBE_YRES], v->vbe[VBE_VIRT_HEIGHT]);
    v->vbe[VBE_X_OFFSET] =
        (uint16_t)MIN(v->vbe[VBE_X_OFFSET], v->vbe[VBE_VIRT_WIDTH] - v->vbe[VBE_XRES]);
    v->vbe[VBE_Y_OFFSET] =
        (uint16_t)MIN(v->vbe[VBE_Y_OFFSET], v->vbe[VBE_VIRT_HEIGHT] - v->vbe[VBE_YRES]);
}

/* What is shown, for the picture. */
static bool vbe_mode(const struct vga *v, struct vga_linear *mode)
{
    unsigned bits = v->vbe[VBE_BPP];
    uint64_t a_pixel = bits == 15 ? 16 : bits == 4 ? 1 : bits; /* bits, in memory or in a plane */

    if (!(v->vbe[VBE_ENABLE] & VBE_ENABLED))
        return false;
    mode->width = v->vbe[VBE_XRES];
    mode->height = v->vbe[VBE_YRES];
    mode->bits = bits;
    mode->stride = v->vbe[VBE_VIRT_WIDTH] * a_pixel / 8;
    mode->start = v->vbe[VBE_Y_OFFSET] * mode->stride + v->vbe[VBE_X_OFFSET] * a_pixel / 8;
    return true;
}

bool vga_has_vbe(const struct vga *v)
{
    return v->linear == vbe_mode;
}

static void vbe_enable(struct vga *v, uint16_t value)
{
    bool starts = (value & VBE_ENABLED) && !(v->vbe[VBE_ENABLE] & VBE_ENABLED);

    v->vbe[VBE_ENABLE] = value;
    v->vbe[VBE_BANK] = 0;
    if (!starts)
        return;
    v->vbe[VBE_VIRT_WIDTH] = v->vbe[VBE_XRES];
    v->vbe[VBE_X_OFFSET] = v->vbe[VBE_Y_OFFSET] = 0;
    vbe_settle(v);
    if (!(value & VBE_NOCLEAR))
        memset(v->memory, 0,
               MIN((uint64_t)v->vbe[VBE_XRES] * v->vbe[VBE_YRES] * 4, v->memory_size));
}

static void vbe_write(struct vga *v, uint16_t value)
{
    static const uint8_t depths[] = {4, 8, 15, 16, 24, 32};

    switch ((enum vbe_register)v->vbe_index) {
    case VBE_ID:
        if (value >= 0xb0c0 && value <= 0xb0c5)
            v->vbe[VBE_ID] = value;
        break;
    case VBE_BPP:
        for (unsigned i = 0; i < ARRAY_SIZE(depths); i++) {
            if (value == depths[i] || (!value && depths[i] == 8))
                v->vbe[VBE_BPP] = depths[i];
        }
        break;
    case VBE_ENABLE:
        vbe_enable(v, value);
        break;
    case VBE_BANK:
        v->vbe[VBE_BANK] = (uint16_t)(value & ((v->memory_size >> 16) - 1));
        break;
    case VBE_XRES:
    case VBE_YRES:
        v->vbe[v->vbe_index] = value;
        break;
    case VBE_VIRT_WIDTH:
    case VBE_X_OFFSET:
    case VBE_Y_OFFSET:
        v->vbe[v->vbe_index] = value;
        vbe_settle(v);
        break;
    default:
        break;
    }
}

void vga_write_vbe(struct vga *v, enum vbe_register index, uint16_t value)
{
    uint16_t saved = v->vbe_index;

    v->vbe_index = (uint16_t)index;
    vbe_write(v, value);
    v->vbe_index = saved;
}

uint64_t vga_vbe_port_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct vga *v = vga_of(d);

    return offset == 0 ? v->vbe_index : vbe_read(v);
}

void vga_vbe_port_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct vga *v = vga_of(d);

    if (size != 2) /* these are words */
        return;
    if (offset == 0)
        v->vbe_index = (uint16_t)value;
    else
        vbe_write(v, (uint16_t)value);
}

/* ---- ports ------------------------------------------------------------------------------------
 */

/* Retrace follows the clock: 70 frames a second, 449 lines each. */
static uint8_t input_status(struct device *d)
{
    enum { LINE_NS = 31778, LINES = 449, SHOWN = 400 };
    uint64_t now = (uint64_t)clock_now_ns(d->clock), line = now / LINE_NS % LINES;
    bool vertical = line >= SHOWN + 12 && line < SHOWN + 14;
    bool blank = line >= SHOWN || now % LINE_NS > LINE_NS * 4 / 5;

    return (uint8_t)(vertical << 3 | (blank || vertical));
}

static uint8_t dac_data_read(struct vga *v)
{
    uint8_t value = v->palette[v->dac_read * 3 + v->dac_part];

    if (++v->dac_part == 3) {
        v->dac_part = 0;
        v->dac_read++;
    }
    return value;
}

static void dac_data_write(struct vga *v, uint8_t value)
{
    if (!(v->vbe[VBE_ENABLE] & VBE_8BIT_DAC))
        value &= 0x3f;
    v->palette[v->dac_write * 3 + v->dac_part] = value;
    if (++v->dac_part == 3) {
        v->dac_part = 0;
        v->dac_write++;
    }
}

/* The CRTC is at 0x3b4 or 0x3d4, as the miscellaneous register says. */
static bool crtc_here(const struct vga *v, unsigned port)
{
    return (port >= 0x3d0) == ((v->misc & 1) != 0);
}

static uint8_t port_read(struct device *d, unsigned port)
{
    struct vga *v = vga_of(d);

    switch (port) {
    case 0x3c0:
        return v->ar_data ? 0 : v->ar_index;
    case 0x3c1:
        return (v->ar_index & 0x1f) < VGA_ATTRIBUTE ? v->ar[v->ar_index & 0x1f] : 0;
    case 0x3c2:
        return 0x10; /* a colour display is there */
    case 0x3c4:
        return v->sr_index;
    case 0x3c5:
        return v->sr[v->sr_index];
    case 0x3c6:
        return v->pel_mask;
    case 0x3c7:
        return v->dac_state;
    case 0x3c8:
        return v->dac_write;
    case 0x3c9:
        return dac_data_read(v);
    case 0x3ca:
        return v->feature;
    case 0x3cc:
        return v->misc;
    case 0x3ce:
        return v->gr_index;
    case 0x3cf:
        return v->gr[v->gr_index];
    }
    if (!crtc_here(v, port))
        return 0xff;
    switch (port & 0xf) {
    case 0x4:
        return v->cr_index;
    case 0x5:
        return v->cr_index < VGA_CRTC ? v->cr[v->cr_index] : 0;
    case 0xa:
        v->ar_data = false;
        return input_status(d);
    default:
        return 0xff;
    }
}

static void crtc_write(struct vga *v, uint8_t value)
{
    if (v->cr_index >= VGA_CRTC)
        return;
    /* CR11 bit 7 protects CR0 to CR7, except for the line compare bit in CR7. */
    if (v->cr_index <= CR_OVERFLOW && (v->cr[CR_V_SYNC_END] & 0x80)) {
        if (v->cr_index == CR_OVERFLOW)
            v->cr[CR_OVERFLOW] = (uint8_t)((v->cr[CR_OVERFLOW] & ~0x10) | (value & 0x10));
        return;
    }
    v->cr[v->cr_index] = value;
}

static void attribute_write(struct vga *v, uint8_t value)
{
    unsigned index = v->ar_index & 0x1f;

    v->ar_data = !v->ar_data;
    if (v->ar_data)
        v->ar_index = value & 0x3f;
    else if (index < VGA_ATTRIBUTE)
        v->ar[index] = value & 0x3f;
    if (!v->ar_data && index == AR_MODE)
        v->ar[AR_MODE] = value & 0xef;
}

void vga_write_port(struct device *d, unsigned port, uint8_t value)
{
    static const uint8_t sr_mask[VGA_SEQUENCER] = {3, 0x3d, 0xf, 0x3f, 0xe, 0, 0, 0};
    static const uint8_t gr_mask[VGA_GRAPHICS] = {0xf, 0xf, 0xf, 0x1f, 3, 0x7b, 0xf, 0xf, 0xff};
    struct vga *v = vga_of(d);

    switch (port) {
    case 0x3c0:
        attribute_write(v, value);
        return;
    case 0x3c2:
        v->misc = value & 0xef;
        return;
    case 0x3c4:
        v->sr_index = value & (VGA_SEQUENCER - 1);
        return;
    case 0x3c5:
        v->sr[v->sr_index] = value & sr_mask[v->sr_index];
        return;
    case 0x3c6:
        v->pel_mask = value;
        return;
    case 0x3c7:
        v->dac_read = value;
        v->dac_part = 0;
        v->dac_state = 3;
        return;
    case 0x3c8:
        v->dac_write = value;
        v->dac_part = 0;
        v->dac_state = 0;
        return;
    case 0x3c9:
        dac_data_write(v, value);
        return;
    case 0x3ce:
        v->gr_index = value & (VGA_GRAPHICS - 1);
        return;
    case 0x3cf:
        v->gr[v->gr_index] = value & gr_mask[v->gr_index];
        return;
    }
    if (!crtc_here(v, port))
        return;
    switch (port & 0xf) {
    case 0x4:
        v->cr_index = value;
        return;
    case 0x5:
        crtc_write(v, value);
        return;
    case 0xa:
        v->feature = value & 0x10;
        return;
    }
}

/* Word writes to an index port set index and data. */
uint64_t vga_ports_read(struct device *d, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)port_read(d, VGA_PORTS + (unsigned)offset + i) << 8 * i;
    return value;
}

void vga_ports_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        vga_write_port(d, VGA_PORTS + (unsigned)offset + i, (uint8_t)(value >> 8 * i));
}

/* ---- BAR 2 ------------------------------------------------------------------------------------
 */

/* What the display likes best: the properties xres and yres. */
static uint64_t edid_read(struct device *d, unsigned offset, unsigned size)
{
    uint8_t edid[EDID_BYTES];
    uint64_t value = 0;

    edid_make(edid, (unsigned)device_prop_u64(d, "xres", EDID_X),
              (unsigned)device_prop_u64(d, "yres", EDID_Y));
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)edid[offset + i] << 8 * i;
    return value;
}

static uint64_t mmio_read(struct device *d, uint64_t offset, unsigned size)
{
    struct vga *v = vga_of(d);

    if (offset >= MMIO_PORTS && offset < MMIO_PORTS + 0x20)
        return vga_ports_read(d, offset - MMIO_PORTS + 0x10, size);
    if (offset >= MMIO_VBE && offset < MMIO_VBE + 2 * VBE_REGISTERS && size == 2) {
        uint16_t saved = v->vbe_index, value;
        v->vbe_index = (uint16_t)((offset - MMIO_VBE) / 2);
        value = vbe_read(v);
        v->vbe_index = saved;
        return value;
    }
    if (offset == MMIO_ENDIAN && size == 4)
        return 8; /* bytes of this block */
    if (offset == MMIO_ENDIAN + 4 && size == 4)
        return v->big_endian ? ENDIAN_BIG : ENDIAN_LITTLE;
    if (offset + size <= EDID_BYTES)
        return edid_read(d, (unsigned)offset, size);
    return offset < MMIO_PORTS ? 0 : ~UINT64_C(0);
}

static void mmio_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct vga *v = vga_of(d);

    if (offset >= MMIO_PORTS && offset < MMIO_PORTS + 0x20) {
        vga_ports_write(d, offset - MMIO_PORTS + 0x10, value, size);
    } else if (offset >= MMIO_VBE && offset < MMIO_VBE + 2 * VBE_REGISTERS && size == 2) {
        vga_write_vbe(v, (enum vbe_register)((offset - MMIO_VBE) / 2), (uint16_t)value);
    } else if (offset == MMIO_ENDIAN + 4 && size == 4) {
        v->big_endian = value == ENDIAN_BIG;
    }
}

/* ---- device -----------------------------------------------------------------------------------
 */

/* The legacy addresses are on while the command register says so. */
void vga_decode_update(struct device *d)
{
    unsigned command = pci_get(d, PCI_COMMAND, 2);

    device_place_if(d, VGA_REGION_WINDOW, WINDOW, command & PCI_COMMAND_MEMORY);
    device_place_if(d, VGA_REGION_PORTS, VGA_PORTS, command & PCI_COMMAND_IO);
    if (vga_has_vbe(vga_of(d)))
        device_place_if(d, VGA_REGION_VBE, VBE_PORTS, command & PCI_COMMAND_IO);
}

static void config_written(struct device *d, unsigned offset, unsigned size)
{
    if (offset < PCI_COMMAND + 2)
        vga_decode_update(d);
}

static bool load_rom(struct device *d, const char *usual, struct error *err)
{
    struct vga *v = vga_of(d);
    char path[256];
    bool asked = device_prop_string(d, "romfile", path, sizeof(path));
    uint8_t *rom = device_region_memory(d, VGA_REGION_ROM, NULL);
    size_t n;

    if (!asked)
        snprintf(path, sizeof(path), "%s", usual);
    FILE *file = path[0] ? fopen(path, "rb") : NULL;

    if (!file) {
        if (asked && path[0])
            return error_set_errno(err, errno, "%s: cannot open '%s'", d->id, path);
        pci_set_writable(d, PCI_ROM_BAR, 4, 0);
        return true;
    }
    n = fread(rom, 1, VGA_ROM_SIZE, file);
    bool whole = n >= 3 && fgetc(file) == EOF;
    fclose(file);
    if (!whole || rom[0] != 0x55 || rom[1] != 0xaa)
        return error_set(err, "%s: '%s' is no option ROM of at most 64 KiB", d->id, path);
    v->rom = rom;
    v->rom_size = n;
    return true;
}

bool vga_init_with(struct device *d, const char *rom, struct error *err)
{
    struct vga *v = vga_of(d);

    v->memory = device_region_memory(d, VGA_REGION_MEMORY, &v->memory_size);
    if (v->memory_size & (v->memory_size - 1) || v->memory_size < LEAST_MEMORY)
        return error_set(err, "%s: vgamem must be a power of two, at least 256 KiB", d->id);
    v->linear = vbe_mode;
    return load_rom(d, rom, err) && vga_screen_create(d, err);
}

static bool vga_init(struct device *d, struct error *err)
{
    return vga_init_with(d, DEFAULT_ROM, err);
}

static void vga_reset(struct device *d)
{
    vga_decode_update(d);
}

static const struct device_field vga_fields[] = {VGA_FIELDS(struct vga, )};

static const struct device_region vga_regions[] = {
    VGA_REGIONS,
    {"vga.mmio", 0x1000, 1, 4, mmio_read, mmio_write, .bar = DEVICE_BAR(2)},
};

static const struct pci_class vga_pci = {
    .vendor = 0x1234,
    .device = 0x1111,
    .class_code = 0x030000,
    .revision = 2,
    .config_written = config_written,
};

static const struct device_prop vga_props[] = {
    VGA_ROM_PROP,
    {"xres", DEVICE_PROP_NUMBER, 1, 0xffff},
    {"yres", DEVICE_PROP_NUMBER, 1, 0xffff},
    {NULL},
};

static const struct device_class vga_class = {
    .name = "VGA",
    .props = vga_props,
    .description = "Standard VGA with Bochs extensions",
    .addable = true,
    .manual = "IBM VGA; Bochs VBE DISPI",
    .pci = &vga_pci,
    .state_size = sizeof(struct vga),
    .regions = vga_regions,
    .n_regions = ARRAY_SIZE(vga_regions),
    .fields = vga_fields,
    .n_fields = ARRAY_SIZE(vga_fields),
    .init = vga_init,
    .reset = vga_reset,
    .finish = vga_screen_destroy,
};
REGISTER(device_class, vga_class);
