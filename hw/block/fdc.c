/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * 82078 floppy disk controller (Intel 290475) with one drive. Region 0 is ports 0x3f0-0x3f5, region
 * 1 is 0x3f7 (0x3f6 belongs to the disk controller). Output 0 is the interrupt; data go through
 * channel 2 of the DMA device (property dma, its id: "dma"). Seeks take no time.
 *
 * Not there: transfers without DMA, deleted data marks (sectors are ordinary), scan commands, the
 * second drive.
 */
#include "hw/block/fdc.h"

#include <errno.h>
#include <string.h>

#include "host/block.h"
#include "hw/device.h"
#include "hw/dma/i8237.h"
#include "hw/machine.h"
#include "util/bits.h"

enum { SRA, SRB, DOR, TDR, MSR, FIFO };
enum { DOR_ENABLE = 4, DOR_IRQ = 8, DSR_RESET = 1 << 7, DIR_CHANGED = 1 << 7, SRA_IRQ = 1 << 7 };
enum { MSR_RQM = 1 << 7, MSR_DIO = 1 << 6, MSR_BUSY = 1 << 4 };
enum { CMD_MT = 1 << 7, DMA_CHANNEL = 2, N_RESULT = 16, N_COMMAND = 9, SIZE_512 = 2 };
enum { ST0_SEEK_END = 0x20, ST0_ABNORMAL = 0x40, ST0_INVALID = 0x80, ST0_READY_CHANGE = 0xc0 };
enum { ST0_NOT_READY = 8, ST1_NO_MARK = 1, ST1_READ_ONLY = 2, ST1_NO_SECTOR = 4, ST1_CRC = 0x20 };
enum { ST1_END = 0x80, ST2_CRC = 0x20, ST2_WRONG_CYLINDER = 0x10 };
enum { ST3_TWO_SIDES = 8, ST3_TRACK0 = 0x10, ST3_READY = 0x20, ST3_READ_ONLY = 0x40 };

enum phase { PHASE_COMMAND, PHASE_READ, PHASE_WRITE, PHASE_VERIFY, PHASE_FORMAT, PHASE_RESULT };

struct fdc {
    uint8_t dor, tdr, dsr, specify[2], configure[3], perpendicular;
    uint8_t command[N_COMMAND], n_command, result[N_RESULT], result_at, n_result;
    uint8_t phase;                            /* enum phase */
    uint8_t cylinder, st0, resets;            /* resets: polls to be sensed after a reset */
    uint8_t c, h, r, n, eot, left;            /* left: sectors of FORMAT TRACK */
    bool irq, sensed, changed, locked, ended; /* ended: terminal count */
    uint32_t medium_seen;                     /* block_medium_changes that the guest knows of */
    bool moving; /* the buffer waits for the DMA channel, not for the disk */
    uint32_t at; /* in the buffer */
    uint8_t buffer[BLOCK_SECTOR];
    struct block_request request;
    struct device *dma;
};

struct floppy_format {
    uint32_t sectors;
    uint8_t cylinders, heads, per_track;
};

/* By size of the image. */
static const struct floppy_format formats[] = {
    {2880, 80, 2, 18}, {5760, 80, 2, 36}, {2400, 80, 2, 15}, {1440, 80, 2, 9},  {720, 40, 2, 9},
    {640, 40, 2, 8},   {360, 40, 1, 9},   {320, 40, 1, 8},   {3360, 80, 2, 21}, {3444, 82, 2, 21},
};

static const struct floppy_format *find_format(uint64_t sectors)
{
    for (unsigned i = 0; i < ARRAY_SIZE(formats); i++) {
        if (formats[i].sectors == sectors)
            return &formats[i];
    }
    return NULL;
}

bool fdc_is_disk(uint64_t sectors)
{
    return find_format(sectors) != NULL;
}

static const struct floppy_format *format_of(const struct device *d)
{
    const struct floppy_format *format = find_format(d->backend ? block_sectors(d->backend) : 0);

    return format ? format : &formats[0];
}

static bool has_medium(const struct device *d)
{
    return d->backend && block_has_medium(d->backend);
}

static void set_irq(struct device *d, bool level)
{
    struct fdc *f = d->state;

    f->irq = level;
    device_irq(d, 0, level && (f->dor & DOR_IRQ));
}

static void give(struct device *d, const uint8_t *bytes, unsigned n)
{
    struct fdc *f = d->state;

    if (n)
        memcpy(f->result, bytes, n);
    f->result_at = 0;
    f->n_result = (uint8_t)n;
    f->phase = n ? PHASE_RESULT : PHASE_COMMAND;
    f->n_command = 0;
}

/* ---- data ------------------------------------------------------------------------------------ */

static bool two_sides(const struct fdc *f)
{
    return f->command[0] & CMD_MT;
}

/* The sector after this one, as the result phase tells it (table 5-13). False: the last. */
static bool advance(struct fdc *f)
{
    if (f->r != f->eot) {
        f->r++;
        return true;
    }
    f->r = 1;
    if (two_sides(f) && !f->h) {
        f->h = 1;
        return true;
    }
    if (two_sides(f))
        f->h = 0;
    f->c++;
    return false;
}

static void finish_transfer(struct device *d, uint8_t st0, uint8_t st1, uint8_t st2)
{
    struct fdc *f = d->state;
    uint8_t drive = f->command[1] & 7;

    f->moving = false;
    give(d, (const uint8_t[]){st0 | drive, st1, st2, f->c, f->h, f->r, f->n}, 7);
    set_irq(d, true);
}

static void disk_submit(struct device *d)
{
    struct fdc *f = d->state;
    const struct floppy_format *format = format_of(d);

    if (f->h >= format->heads || !f->r || f->r > format->per_track || f->c >= format->cylinders) {
        finish_transfer(d, ST0_ABNORMAL, ST1_NO_SECTOR, 0);
        return;
    }
    f->moving = false;
    f->request.operation =
        f->phase == PHASE_WRITE || f->phase == PHASE_FORMAT ? BLOCK_WRITE : BLOCK_READ;
    f->request.sector =
        ((uint64_t)f->c * format->heads + f->h) * format->per_track + (unsigned)(f->r - 1);
    f->request.n_sectors = 1;
    f->request.buffer = f->buffer;
    block_submit(d->backend, &f->request);
}

/* Moves what the DMA channel takes; the rest when it is ready again. */
static void pump(struct device *d)
{
    struct fdc *f = d->state;
    unsigned want = f->phase == PHASE_FORMAT ? 4 : BLOCK_SECTOR;
    bool end = false;

    if (f->dma)
        f->at += i8237_transfer(f->dma, DMA_CHANNEL, f->buffer + f->at, want - f->at,
                                f->phase == PHASE_READ, &end);
    f->ended |= end;
    f->moving = f->at < want && !end;
    if (f->moving)
        return;
    if (f->phase == PHASE_FORMAT) {
        f->c = f->buffer[0], f->h = f->buffer[1], f->r = f->buffer[2], f->n = f->buffer[3];
        memset(f->buffer, f->command[5], BLOCK_SECTOR);
        disk_submit(d);
    } else if (f->phase == PHASE_WRITE) {
        memset(f->buffer + f->at, 0, BLOCK_SECTOR - f->at);
        disk_submit(d);
    } else {
        bool more = advance(f);
        f->at = 0;
        if (f->ended)
            finish_transfer(d, 0, 0, 0);
        else if (more)
            disk_submit(d);
        else
            finish_transfer(d, ST0_ABNORMAL, ST1_END, 0);
    }
}

static void dma_ready(void *opaque)
{
    struct device *d = opaque;
    const struct fdc *f = d->state;

    if (f->moving)
        pump(d);
}

static void disk_done(struct block_request *request, int error)
{
    struct device *d = request->opaque;
    struct fdc *f = d->state;

    f->at = 0;
    if (error == EROFS || error == EACCES) {
        finish_transfer(d, ST0_ABNORMAL, ST1_READ_ONLY, 0);
    } else if (error) {
        finish_transfer(d, ST0_ABNORMAL, ST1_CRC, ST2_CRC);
    } else if (f->phase == PHASE_READ) {
        pump(d);
    } else if (f->phase == PHASE_FORMAT) {
        if (--f->left && !f->ended)
            pump(d);
        else
            finish_transfer(d, 0, 0, 0);
    } else {
        bool more = advance(f);
        if (f->ended || (f->phase == PHASE_VERIFY && !more))
            finish_transfer(d, 0, 0, 0);
        else if (!more)
            finish_transfer(d, ST0_ABNORMAL, ST1_END, 0);
        else if (f->phase == PHASE_WRITE)
            pump(d);
        else
            disk_submit(d);
    }
}

/* What every transfer checks first. */
static bool can_transfer(struct device *d, bool writes)
{
    struct fdc *f = d->state;

    if ((f->command[1] & 3) || !has_medium(d)) {
        finish_transfer(d, ST0_ABNORMAL | ST0_NOT_READY, ST1_NO_MARK, 0);
        return false;
    }
    if (f->specify[1] & 1) {
        log_unimp_once("fdc: transfers without DMA\n");
        finish_transfer(d, ST0_ABNORMAL, ST1_NO_MARK, 0);
        return false;
    }
    if (writes && block_is_read_only(d->backend)) {
        finish_transfer(d, ST0_ABNORMAL, ST1_READ_ONLY, 0);
        return false;
    }
    f->ended = false;
    f->at = 0;
    return true;
}

static void transfer(struct device *d, enum phase phase)
{
    struct fdc *f = d->state;

    f->c = f->command[2];
    f->h = f->command[3] & 1;
    f->r = f->command[4];
    f->n = f->command[5];
    f->eot = f->command[6];
    if (!can_transfer(d, phase == PHASE_WRITE))
        return;
    if (f->c != f->cylinder || f->n != SIZE_512) {
        finish_transfer(d, ST0_ABNORMAL, ST1_NO_SECTOR,
                        f->c != f->cylinder ? ST2_WRONG_CYLINDER : 0);
        return;
    }
    f->phase = phase;
    if (phase == PHASE_WRITE)
        pump(d);
    else
        disk_submit(d);
}

/* ---- commands -------------------------------------------------------------------------------- */

static void command_read(struct device *d)
{
    transfer(d, PHASE_READ);
}

static void command_write(struct device *d)
{
    transfer(d, PHASE_WRITE);
}

static void command_verify(struct device *d)
{
    transfer(d, PHASE_VERIFY);
}

static void command_format(struct device *d)
{
    struct fdc *f = d->state;

    f->c = f->cylinder;
    f->h = f->command[1] >> 2 & 1;
    f->r = 1;
    f->n = f->command[2];
    f->left = f->command[3];
    if (!can_transfer(d, true))
        return;
    if (!f->left || f->n != SIZE_512) {
        finish_transfer(d, ST0_ABNORMAL, ST1_NO_SECTOR, 0);
        return;
    }
    f->phase = PHASE_FORMAT;
    pump(d);
}

static void command_read_id(struct device *d)
{
    struct fdc *f = d->state;

    f->c = f->cylinder;
    f->h = f->command[1] >> 2 & 1;
    f->r = 1;
    f->n = SIZE_512;
    if (can_transfer(d, false))
        finish_transfer(d, 0, 0, 0);
}

static void seek_to(struct device *d, unsigned cylinder)
{
    struct fdc *f = d->state;

    f->st0 = ST0_SEEK_END | (f->command[1] & 7);
    if (f->command[1] & 3) { /* nothing there ever says track 0 */
        f->st0 |= ST0_ABNORMAL | 0x10;
    } else {
        f->cylinder = (uint8_t)cylinder;
        f->changed = !has_medium(d);
    }
    f->sensed = true;
    give(d, NULL, 0);
    set_irq(d, true);
}

static void command_seek(struct device *d)
{
    const struct fdc *f = d->state;

    seek_to(d, f->command[2]);
}

static void command_recalibrate(struct device *d)
{
    seek_to(d, 0);
}

static void command_sense_interrupt(struct device *d)
{
    struct fdc *f = d->state;

    if (f->resets) {
        f->st0 = (uint8_t)(ST0_READY_CHANGE | (4 - f->resets));
        f->resets--;
    } else if (!f->sensed) {
        give(d, (const uint8_t[]){ST0_INVALID}, 1);
        return;
    }
    f->sensed = false;
    give(d, (const uint8_t[]){f->st0, f->cylinder}, 2);
    set_irq(d, false);
}

static void command_sense_drive(struct device *d)
{
    const struct fdc *f = d->state;
    uint8_t st3 = (f->command[1] & 7) | ST3_READY | ST3_TWO_SIDES;

    if (!(f->command[1] & 3) && !f->cylinder)
        st3 |= ST3_TRACK0;
    if (has_medium(d) && block_is_read_only(d->backend))
        st3 |= ST3_READ_ONLY;
    give(d, &st3, 1);
}

static void command_specify(struct device *d)
{
    struct fdc *f = d->state;

    memcpy(f->specify, f->command + 1, 2);
    give(d, NULL, 0);
}

static void command_configure(struct device *d)
{
    struct fdc *f = d->state;

    memcpy(f->configure, f->command + 1, 3);
    give(d, NULL, 0);
}

static void command_perpendicular(struct device *d)
{
    struct fdc *f = d->state;

    f->perpendicular = f->command[1];
    give(d, NULL, 0);
}

static void command_version(struct device *d)
{
    give(d, (const uint8_t[]){0x90}, 1);
}

static void command_part_id(struct device *d)
{
    give(d, (const uint8_t[]){0x41}, 1);
}

static void command_lock(struct device *d)
{
    struct fdc *f = d->state;

    f->locked = f->command[0] & CMD_MT;
    give(d, (const uint8_t[]){f->locked ? 0x10 : 0}, 1);
}

static void command_dumpreg(struct device *d)
{
    const struct fdc *f = d->state;
    uint8_t lock = (uint8_t)((f->locked ? 0x80 : 0) | (f->perpendicular & 0x7f));

    give(d,
         (const uint8_t[]){f->cylinder, 0, 0, 0, f->specify[0], f->specify[1], f->eot, lock,
                           f->configure[1], f->configure[2]},
         10);
}

/* Chapter 6; the mask takes away MT, MFM and SK where they mean something. */
static const struct fdc_command {
    uint8_t code, mask, length;
    void (*run)(struct device *d);
} commands[] = {
    {0x06, 0x1f, 9, command_read},        {0x0c, 0x1f, 9, command_read},
    {0x05, 0x3f, 9, command_write},       {0x09, 0x3f, 9, command_write},
    {0x16, 0x1f, 9, command_verify},      {0x0d, 0xbf, 6, command_format},
    {0x0a, 0xbf, 2, command_read_id},     {0x07, 0xff, 2, command_recalibrate},
    {0x0f, 0xff, 3, command_seek},        {0x08, 0xff, 1, command_sense_interrupt},
    {0x04, 0xff, 2, command_sense_drive}, {0x03, 0xff, 3, command_specify},
    {0x13, 0xff, 4, command_configure},   {0x12, 0xff, 2, command_perpendicular},
    {0x10, 0xff, 1, command_version},     {0x18, 0xff, 1, command_part_id},
    {0x14, 0x7f, 1, command_lock},        {0x0e, 0xff, 1, command_dumpreg},
};

static void command_byte(struct device *d, uint8_t byte)
{
    struct fdc *f = d->state;
    const struct fdc_command *command = NULL;

    f->command[f->n_command++] = byte;
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        if ((f->command[0] & commands[i].mask) == commands[i].code)
            command = &commands[i];
    }
    if (!command) {
        log_unimp_once("fdc: command 0x%02x\n", byte);
        give(d, (const uint8_t[]){ST0_INVALID}, 1);
    } else if (f->n_command == command->length) {
        set_irq(d, false);
        command->run(d);
    }
}

/* ---- registers ------------------------------------------------------------------------------- */

/* By DOR, DSR or the pin. LOCK saves what CONFIGURE said from the first two. */
static void controller_reset(struct device *d)
{
    struct fdc *f = d->state;

    if (d->backend)
        block_cancel(d->backend, &f->request);
    f->moving = f->sensed = false;
    if (!f->locked)
        memset(f->configure, 0, sizeof(f->configure));
    give(d, NULL, 0);
    set_irq(d, false);
}

/* Out of reset, it polls the drives and finds each of the four changed. */
static void controller_start(struct device *d)
{
    struct fdc *f = d->state;

    f->resets = 4;
    set_irq(d, true);
}

static void dor_write(struct device *d, uint8_t value)
{
    struct fdc *f = d->state;
    uint8_t old = f->dor;

    f->dor = value;
    if (old & ~value & DOR_ENABLE)
        controller_reset(d);
    else if (value & ~old & DOR_ENABLE)
        controller_start(d);
    set_irq(d, f->irq);
}

static uint8_t main_status(const struct fdc *f)
{
    if (!(f->dor & DOR_ENABLE))
        return 0;
    if (f->phase == PHASE_COMMAND)
        return MSR_RQM | (f->n_command ? MSR_BUSY : 0);
    return f->phase == PHASE_RESULT ? MSR_RQM | MSR_DIO | MSR_BUSY : MSR_BUSY;
}

static uint8_t result_read(struct device *d)
{
    struct fdc *f = d->state;
    uint8_t value;

    if (f->phase != PHASE_RESULT)
        return 0;
    value = f->result[f->result_at++];
    set_irq(d, f->resets > 0 && f->irq);
    if (f->result_at == f->n_result)
        give(d, NULL, 0);
    return value;
}

static uint64_t fdc_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct fdc *f = d->state;

    switch (offset) {
    case SRA:
        return f->irq ? SRA_IRQ : 0;
    case SRB:
        return 0xc0 | (f->dor >> 4 & 3);
    case DOR:
        return f->dor;
    case TDR:
        return f->tdr;
    case MSR:
        return main_status(f);
    }
    return result_read(d);
}

static void fdc_write(struct device *d, uint64_t offset, uint64_t value64, unsigned size)
{
    struct fdc *f = d->state;
    uint8_t value = (uint8_t)value64;

    if (offset == DOR) {
        dor_write(d, value);
    } else if (offset == TDR) {
        f->tdr = value & 3;
    } else if (offset == MSR) {
        f->dsr = value & 0x7f;
        if (value & DSR_RESET) {
            controller_reset(d);
            controller_start(d);
        }
    } else if (offset == FIFO && (f->dor & DOR_ENABLE) && f->phase == PHASE_COMMAND) {
        command_byte(d, value);
    } else {
        log_printf(LOG_GUEST_ERROR, "fdc: write of 0x%02x to register %u\n", value,
                   (unsigned)offset);
    }
}

static uint64_t input_read(struct device *d, uint64_t offset, unsigned size)
{
    struct fdc *f = d->state;
    bool selected = !(f->dor & 3) && (f->dor & 0x10);

    if (d->backend && f->medium_seen != block_medium_changes(d->backend)) {
        f->medium_seen = block_medium_changes(d->backend);
        f->changed = true;
    }
    return selected && f->changed ? DIR_CHANGED : 0;
}

static void rate_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct fdc *f = d->state;

    f->dsr = (uint8_t)((f->dsr & ~3) | (value & 3));
}

/* ---- device ---------------------------------------------------------------------------------- */

static bool fdc_init(struct device *d, struct error *err)
{
    struct fdc *f = d->state;

    f->request.done = disk_done;
    f->request.opaque = d;
    return !d->backend || block_attach(d->backend, &d->machine->lock, err);
}

static void fdc_reset(struct device *d)
{
    struct fdc *f = d->state;
    char name[32] = "dma";

    device_prop_string(d, "dma", name, sizeof(name));
    f->dma = machine_find_device(d->machine, name);
    if (f->dma)
        i8237_connect(f->dma, DMA_CHANNEL, dma_ready, d);
    controller_reset(d);
}

static void fdc_finish(struct device *d)
{
    struct fdc *f = d->state;

    if (!d->backend)
        return;
    block_cancel(d->backend, &f->request);
    block_detach(d->backend);
}

static const struct device_field fdc_fields[] = {
    DEVICE_FIELD(struct fdc, dor, DEVICE_U8, 0),
    DEVICE_FIELD(struct fdc, tdr, DEVICE_U8, 0),
    DEVICE_FIELD(struct fdc, dsr, DEVICE_U8, 2),
    DEVICE_ARRAY(struct fdc, specify, DEVICE_U8, 2, 0),
    DEVICE_ARRAY(struct fdc, configure, DEVICE_U8, 3, 0),
    DEVICE_FIELD(struct fdc, perpendicular, DEVICE_U8, 0),
    DEVICE_ARRAY(struct fdc, command, DEVICE_U8, N_COMMAND, 0),
    DEVICE_FIELD(struct fdc, n_command, DEVICE_U8, 0),
    DEVICE_ARRAY(struct fdc, result, DEVICE_U8, N_RESULT, 0),
    DEVICE_FIELD(struct fdc, result_at, DEVICE_U8, 0),
    DEVICE_FIELD(struct fdc, n_result, DEVICE_U8, 0),
    DEVICE_FIELD(struct fdc, phase, DEVICE_U8, PHASE_COMMAND),
    DEVICE_FIELD(struct fdc, cylinder, DEVICE_U8, 0),
    DEVICE_FIELD(struct fdc, st0, DEVICE_U8, 0),
    DEVICE_FIELD(struct fdc, resets, DEVICE_U8, 0),
    DEVICE_FIELD(struct fdc, c, DEVICE_U8, 0),
    DEVICE_FIELD(struct fdc, h, DEVICE_U8, 0),
    DEVICE_FIELD(struct fdc, r, DEVICE_U8, 0),
    DEVICE_FIELD(struct fdc, n, DEVICE_U8, 0),
    DEVICE_FIELD(struct fdc, eot, DEVICE_U8, 0),
    DEVICE_FIELD(struct fdc, left, DEVICE_U8, 0),
    DEVICE_FIELD(struct fdc, irq, DEVICE_BOOL, 0),
    DEVICE_FIELD(struct fdc, sensed, DEVICE_BOOL, 0),
    DEVICE_FIELD(struct fdc, changed, DEVICE_BOOL, 1),
    DEVICE_KEPT(struct fdc, medium_seen, DEVICE_U32),
    DEVICE_FIELD(struct fdc, locked, DEVICE_BOOL, 0),
    DEVICE_FIELD(struct fdc, ended, DEVICE_BOOL, 0),
    DEVICE_FIELD(struct fdc, moving, DEVICE_BOOL, 0),
    DEVICE_FIELD(struct fdc, at, DEVICE_U32, 0),
};

static const struct device_region fdc_regions[] = {
    {.name = "fdc", .size = 6, .max_access = 1, .read = fdc_read, .write = fdc_write, .port = true},
    {.name = "fdc-rate",
     .size = 1,
     .max_access = 1,
     .read = input_read,
     .write = rate_write,
     .port = true},
};

static const struct device_prop fdc_props[] = {
    {"dma", DEVICE_PROP_TEXT, .most = 31},
    {NULL},
};

static const struct device_class fdc_class = {
    .name = "fdc",
    .props = fdc_props,
    .description = "Floppy disk controller",
    .manual = "Intel 290475 (82078)",
    .state_size = sizeof(struct fdc),
    .regions = fdc_regions,
    .n_regions = ARRAY_SIZE(fdc_regions),
    .fields = fdc_fields,
    .n_fields = ARRAY_SIZE(fdc_fields),
    .n_irq_out = 1,
    .init = fdc_init,
    .reset = fdc_reset,
    .finish = fdc_finish,
};
REGISTER(device_class, fdc_class);
