/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The FPGA of the Malta board (MD00048): switches, status, LED bar, ASCII display, software reset,
 * general purpose pins, a two-wire bus driven by hand with a 24C02 memory at address 0x50. The
 * CBUS UART among its addresses is a device of its own.
 *
 * Property endian: big or little, as the board's switch has it. Not there: resetting the board by
 * a break on the serial line (BRKRES holds what is written).
 */
#include "hw/misc/malta_fpga.h"

#include <string.h>

#include "hw/machine.h"

enum fpga_register {
    SWITCH = 0x200,
    STATUS = 0x208,
    JMPRS = 0x210,
    LEDBAR = 0x408,
    ASCIIWORD = 0x410,
    ASCIIPOS0 = 0x418,
    ASCIIPOS7 = 0x450,
    SOFTRES = 0x500,
    BRKRES = 0x508,
    GPOUT = 0xa00,
    GPINP = 0xa08,
    I2CINP = 0xb00,
    I2COE = 0xb08,
    I2COUT = 0xb10,
    I2CSEL = 0xb18,
    FPGA_BYTES = 0x100000,
};
enum {
    STATUS_MFWR = 1 << 4, /* the monitor flash may be written */
    STATUS_BIGEND = 1 << 1,
    GORESET = 0x42,
    BRKRES_DEFAULT = 10, /* ms */
    LINE_SDA = 1 << 0,
    LINE_SCL = 1 << 1,
    LINES = LINE_SDA | LINE_SCL,
    DISPLAY = 8,
    MEMORY_ADDRESS = 0x50,
};
enum memory_phase { MEMORY_IDLE, MEMORY_SELECT, MEMORY_ADDRESS_BYTE, MEMORY_WRITE, MEMORY_READ };

struct malta_fpga {
    uint8_t leds, break_ms, gpout;
    uint8_t i2c_enable, i2c_out, i2c_select;
    uint8_t display[DISPLAY];
    bool big_endian;
    /* The memory on the bus: what it saw of the lines, and how far it is. */
    uint8_t phase, bit, byte, at;
    bool scl, sda, sda_out, refused;
    uint8_t contents[MALTA_EEPROM_SIZE];
};

/* ---- the two-wire bus (24C02) -----------------------------------------------------------------
 */

/* A byte has arrived; true: it is acknowledged. */
static bool memory_take(struct malta_fpga *f)
{
    switch ((enum memory_phase)f->phase) {
    case MEMORY_SELECT:
        if (f->byte >> 1 != MEMORY_ADDRESS) {
            f->phase = MEMORY_IDLE;
            return false;
        }
        f->phase = f->byte & 1 ? MEMORY_READ : MEMORY_ADDRESS_BYTE;
        return true;
    case MEMORY_ADDRESS_BYTE:
        f->at = f->byte;
        f->phase = MEMORY_WRITE;
        return true;
    case MEMORY_WRITE:
        f->contents[f->at++] = f->byte;
        return true;
    default:
        return false;
    }
}

/* Eight bits, then the ninth that acknowledges: sampled as the clock rises. */
static void clock_rises(struct malta_fpga *f, bool sda)
{
    if (f->bit < 8 && f->phase != MEMORY_READ)
        f->byte = (uint8_t)(f->byte << 1 | sda);
    if (f->bit == 8)
        f->refused = sda && f->sda_out;
    if (f->bit < 9)
        f->bit++;
}

/* The memory changes what it drives while the clock is low. */
static void clock_falls(struct malta_fpga *f)
{
    if (f->bit == 8) {
        f->sda_out = f->phase == MEMORY_READ || !memory_take(f);
        return;
    }
    if (f->bit == 9) {
        f->bit = f->byte = 0;
        f->sda_out = true;
        if (f->phase == MEMORY_READ && f->refused)
            f->phase = MEMORY_IDLE;
        else if (f->phase == MEMORY_READ)
            f->byte = f->contents[f->at++];
    }
    if (f->phase == MEMORY_READ)
        f->sda_out = f->byte >> (7 - f->bit) & 1;
}

/* Lines are high unless somebody pulls them down. */
static uint8_t driven_lines(const struct malta_fpga *f)
{
    return (uint8_t)(LINES & ~(f->i2c_enable & ~f->i2c_out));
}

static void lines_changed(struct malta_fpga *f)
{
    uint8_t lines = driven_lines(f);
    bool scl = lines & LINE_SCL, sda = lines & LINE_SDA;

    if (f->scl && scl && sda != f->sda) { /* start or stop */
        f->phase = sda ? MEMORY_IDLE : MEMORY_SELECT;
        f->bit = f->byte = 0;
        f->sda_out = true;
    } else if (f->phase != MEMORY_IDLE && !f->scl && scl) {
        clock_rises(f, sda);
    } else if (f->phase != MEMORY_IDLE && f->scl && !scl && f->bit) {
        clock_falls(f);
    }
    f->scl = scl;
    f->sda = sda;
}

void malta_fpga_set_eeprom(struct device *d, const uint8_t *contents)
{
    memcpy(((struct malta_fpga *)d->state)->contents, contents, MALTA_EEPROM_SIZE);
}

/* ---- registers --------------------------------------------------------------------------------
 */

static uint64_t fpga_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct malta_fpga *f = d->state;

    switch (offset) {
    case SWITCH: /* all off */
    case JMPRS:  /* a PCI clock of 33 MHz */
    case GPINP:
        return 0;
    case STATUS:
        return STATUS_MFWR | (f->big_endian ? STATUS_BIGEND : 0);
    case LEDBAR:
        return f->leds;
    case BRKRES:
        return f->break_ms;
    case GPOUT:
        return f->gpout;
    case I2CINP:
        return driven_lines(f) & (f->sda_out ? LINES : LINE_SCL);
    case I2COE:
        return f->i2c_enable;
    case I2COUT:
        return f->i2c_out;
    case I2CSEL:
        return f->i2c_select;
    default:
        log_printf(LOG_UNIMP, "malta-fpga: read of register 0x%05x\n", (unsigned)offset);
        return 0;
    }
}

static void fpga_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct malta_fpga *f = d->state;

    if (offset >= ASCIIPOS0 && offset <= ASCIIPOS7 && offset % 8 == 0) {
        f->display[(offset - ASCIIPOS0) / 8] = (uint8_t)value;
        return;
    }
    switch (offset) {
    case LEDBAR:
        f->leds = (uint8_t)value;
        break;
    case ASCIIWORD: /* as eight hexadecimal digits */
        for (unsigned i = 0; i < DISPLAY; i++)
            f->display[i] = (uint8_t) "0123456789ABCDEF"[value >> 4 * (7 - i) & 0xf];
        break;
    case SOFTRES:
        if (value == GORESET)
            machine_request(d->machine, MACHINE_RESET);
        break;
    case BRKRES:
        f->break_ms = (uint8_t)value;
        break;
    case GPOUT:
        f->gpout = (uint8_t)value;
        break;
    case I2COE:
        f->i2c_enable = value & LINES;
        lines_changed(f);
        break;
    case I2COUT:
        f->i2c_out = value & LINES;
        lines_changed(f);
        break;
    case I2CSEL:
        f->i2c_select = value & 1;
        break;
    default:
        log_printf(LOG_UNIMP, "malta-fpga: write of 0x%08x to register 0x%05x\n", (unsigned)value,
                   (unsigned)offset);
        break;
    }
}

/* ---- device -----------------------------------------------------------------------------------
 */

static bool fpga_init(struct device *d, struct error *err)
{
    char endian[16] = "little";

    device_prop_string(d, "endian", endian, sizeof(endian));
    ((struct malta_fpga *)d->state)->big_endian = !strcmp(endian, "big");
    return true;
}

static void fpga_print(struct device *d, FILE *out)
{
    const struct malta_fpga *f = d->state;

    fprintf(out, "  LEDs [");
    for (unsigned i = 8; i-- > 0;)
        fputc(f->leds >> i & 1 ? '#' : '.', out);
    fprintf(out, "], display [");
    for (unsigned i = 0; i < DISPLAY; i++)
        fputc(f->display[i] >= ' ' && f->display[i] < 0x7f ? f->display[i] : '?', out);
    fprintf(out, "]\n");
}

static const struct device_field fpga_fields[] = {
    DEVICE_FIELD(struct malta_fpga, leds, DEVICE_U8, 0),
    DEVICE_FIELD(struct malta_fpga, break_ms, DEVICE_U8, BRKRES_DEFAULT),
    DEVICE_FIELD(struct malta_fpga, gpout, DEVICE_U8, 0),
    DEVICE_FIELD(struct malta_fpga, i2c_enable, DEVICE_U8, 0),
    DEVICE_FIELD(struct malta_fpga, i2c_out, DEVICE_U8, LINES),
    DEVICE_FIELD(struct malta_fpga, i2c_select, DEVICE_U8, 1),
    DEVICE_ARRAY(struct malta_fpga, display, DEVICE_U8, DISPLAY, ' '),
    DEVICE_FIELD(struct malta_fpga, phase, DEVICE_U8, MEMORY_IDLE),
    DEVICE_FIELD(struct malta_fpga, bit, DEVICE_U8, 0),
    DEVICE_FIELD(struct malta_fpga, byte, DEVICE_U8, 0),
    DEVICE_FIELD(struct malta_fpga, at, DEVICE_U8, 0),
    DEVICE_FIELD(struct malta_fpga, scl, DEVICE_BOOL, true),
    DEVICE_FIELD(struct malta_fpga, sda, DEVICE_BOOL, true),
    DEVICE_FIELD(struct malta_fpga, sda_out, DEVICE_BOOL, true),
    DEVICE_FIELD(struct malta_fpga, refused, DEVICE_BOOL, false),
    {.name = "contents",
     .offset = offsetof(struct malta_fpga, contents),
     .count = MALTA_EEPROM_SIZE,
     .kind = DEVICE_U8,
     .keep = true},
};

static const struct device_region fpga_regions[] = {
    {"malta-fpga", FPGA_BYTES, 4, 4, fpga_read, fpga_write, .cpu_order = true},
};

static const struct device_prop fpga_props[] = {
    {"endian", DEVICE_PROP_TEXT},
    {NULL},
};

static const struct device_class fpga_class = {
    .name = "malta-fpga",
    .props = fpga_props,
    .description = "FPGA of the MIPS Malta board",
    .manual = "MIPS MD00048",
    .state_size = sizeof(struct malta_fpga),
    .regions = fpga_regions,
    .n_regions = ARRAY_SIZE(fpga_regions),
    .fields = fpga_fields,
    .n_fields = ARRAY_SIZE(fpga_fields),
    .init = fpga_init,
    .print = fpga_print,
};
REGISTER(device_class, fpga_class);
