/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ATA drives: registers, commands, transfers. Section numbers are those of ATA/ATAPI-6. */
#include "hw/ide/ata.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hw/machine.h"
#include "util/bits.h"

enum { SELECT_DRIVE = 1 << 4, SELECT_LBA = 1 << 6 };
enum { CONTROL_NIEN = 1 << 1, CONTROL_SRST = 1 << 2, CONTROL_HOB = 1 << 7 };
enum { MAX_MULTIPLE = 16, POWER_ACTIVE = 0xff, POWER_STANDBY = 0, POWER_IDLE = 0x80 };

/* ---- status and interrupt ---------------------------------------------------------------------
 */

void ata_set_interrupt(struct ata_drive *drive, bool level)
{
    struct ata_channel *c = drive->channel;

    drive->interrupt = level;
    c->interrupt(c, drive, level && !(drive->control & CONTROL_NIEN));
}

static void command_end(struct ata_drive *drive, uint8_t status, bool interrupt)
{
    drive->status = status;
    drive->phase = ATA_IDLE;
    if (interrupt)
        ata_set_interrupt(drive, true);
    if (drive->channel->finished)
        drive->channel->finished(drive->channel, drive);
}

void ata_finish(struct ata_drive *drive)
{
    drive->error = 0;
    command_end(drive, ATA_READY, true);
}

void ata_fail(struct ata_drive *drive, uint8_t error)
{
    drive->error = error;
    command_end(drive, ATA_READY | ATA_ERR, true);
}

/* ---- addresses --------------------------------------------------------------------------------
 */

static uint64_t address_get(const struct ata_drive *drive)
{
    uint32_t low = drive->low[0] | drive->mid[0] << 8 | (uint32_t)drive->high[0] << 16;

    if (drive->wide)
        return low | (uint64_t)drive->low[1] << 24 | (uint64_t)drive->mid[1] << 32 |
               (uint64_t)drive->high[1] << 40;
    if (drive->select & SELECT_LBA)
        return low | (uint32_t)(drive->select & 0xf) << 24;
    uint32_t head = drive->select & 0xf;
    if (!drive->low[0] || drive->low[0] > drive->sectors_per_track || head >= drive->heads)
        return UINT64_MAX; /* sectors count from 1 */
    uint32_t track = (uint32_t)(drive->mid[0] | drive->high[0] << 8) * drive->heads + head;
    return (uint64_t)track * drive->sectors_per_track + drive->low[0] - 1;
}

static void address_set(struct ata_drive *drive, uint64_t sector)
{
    if (!drive->wide && !(drive->select & SELECT_LBA)) {
        uint32_t track = (uint32_t)(sector / MAX(drive->sectors_per_track, 1));
        uint32_t cylinder = track / MAX(drive->heads, 1);
        drive->low[0] = (uint8_t)(sector % MAX(drive->sectors_per_track, 1) + 1);
        drive->mid[0] = (uint8_t)cylinder;
        drive->high[0] = (uint8_t)(cylinder >> 8);
        drive->select = (uint8_t)((drive->select & 0xf0) | (track % MAX(drive->heads, 1) & 0xf));
        return;
    }
    drive->low[0] = (uint8_t)sector;
    drive->mid[0] = (uint8_t)(sector >> 8);
    drive->high[0] = (uint8_t)(sector >> 16);
    if (!drive->wide) {
        drive->select = (uint8_t)((drive->select & 0xf0) | (sector >> 24 & 0xf));
        return;
    }
    drive->low[1] = (uint8_t)(sector >> 24);
    drive->mid[1] = (uint8_t)(sector >> 32);
    drive->high[1] = (uint8_t)(sector >> 40);
}

/* ---- transfers --------------------------------------------------------------------------------
 */

void ata_submit(struct ata_drive *drive, enum block_operation operation, uint64_t sector,
                uint32_t n_sectors, void (*done)(struct block_request *request, int error))
{
    drive->status = (uint8_t)((drive->status & ~(ATA_DRQ | ATA_ERR)) | ATA_BSY);
    drive->phase = ATA_WAIT;
    drive->request = (struct block_request){.operation = operation,
                                            .sector = sector,
                                            .n_sectors = n_sectors,
                                            .buffer = drive->buffer,
                                            .through = !drive->write_cache || drive->fua,
                                            .done = done,
                                            .opaque = drive};
    block_submit(drive->block, &drive->request);
}

static void read_done(struct block_request *request, int error);
static void write_done(struct block_request *request, int error);

static void transfer_next(struct ata_drive *drive, bool write)
{
    uint32_t most = drive->dma || drive->verify_only ? ATA_BUFFER_SECTORS : drive->per_block;

    drive->now = MIN(drive->left, most);
    if (!write)
        ata_submit(drive, BLOCK_READ, drive->sector, drive->now, read_done);
    else
        ata_present(drive, drive->dma ? ATA_DMA_OUT : ATA_PIO_OUT, 0, drive->now * ATA_SECTOR);
}

/* A piece has arrived at the other side. Reads by PIO end without an interrupt of their own. */
static void transfer_step(struct ata_drive *drive, bool write)
{
    drive->sector += drive->now;
    drive->left -= drive->now;
    if (drive->left) {
        transfer_next(drive, write);
        return;
    }
    address_set(drive, drive->sector - 1);
    drive->error = 0;
    command_end(drive, ATA_READY, write || drive->dma || drive->verify_only);
}

static void transfer_failed(struct ata_drive *drive, int error)
{
    address_set(drive, drive->sector);
    log_printf(LOG_GUEST_ERROR, "%s: sector %" PRIu64 ": %s\n", drive->device->id, drive->sector,
               strerror(error));
    ata_fail(drive, drive->request.operation == BLOCK_WRITE ? ATA_ABRT : ATA_UNC);
}

static void read_done(struct block_request *request, int error)
{
    struct ata_drive *drive = request->opaque;

    if (error) {
        transfer_failed(drive, error);
    } else if (drive->verify_only) {
        transfer_step(drive, false);
    } else {
        ata_present(drive, drive->dma ? ATA_DMA_IN : ATA_PIO_IN, 0, drive->now * ATA_SECTOR);
        if (!drive->dma)
            ata_set_interrupt(drive, true);
    }
}

static void write_done(struct block_request *request, int error)
{
    struct ata_drive *drive = request->opaque;
    bool more;

    if (error) {
        transfer_failed(drive, error);
        return;
    }
    more = drive->left > drive->now;
    transfer_step(drive, true);
    if (more && !drive->dma)
        ata_set_interrupt(drive, true);
}

/* All of what was presented has been moved. */
static void data_moved(struct ata_drive *drive)
{
    bool out = drive->phase == ATA_PIO_OUT || drive->phase == ATA_DMA_OUT;

    drive->status &= (uint8_t)~ATA_DRQ;
    if (drive->is_cd) {
        atapi_continue(drive);
    } else if (!drive->left) { /* IDENTIFY and its like */
        command_end(drive, ATA_READY, false);
    } else if (out) {
        ata_submit(drive, BLOCK_WRITE, drive->sector, drive->now, write_done);
    } else {
        transfer_step(drive, false);
    }
}

static void dma_move(struct ata_drive *drive)
{
    struct ata_channel *c = drive->channel;
    uint32_t size = drive->end - drive->at;

    if (!c->dma_ready(c))
        return;
    if (c->transfer(c, drive->buffer + drive->at, size, drive->phase == ATA_DMA_IN) == size)
        data_moved(drive);
    else
        ata_fail(drive, ATA_ABRT);
}

void ata_present(struct ata_drive *drive, enum ata_phase phase, uint32_t at, uint32_t end)
{
    drive->phase = (uint8_t)phase;
    drive->at = at;
    drive->end = end;
    drive->status = ATA_READY | ATA_DRQ;
    if (phase == ATA_DMA_IN || phase == ATA_DMA_OUT)
        dma_move(drive);
    else if (drive->channel->data_ready)
        drive->channel->data_ready(drive->channel, drive);
}

void ata_dma_start(struct ata_channel *c)
{
    for (unsigned i = 0; i < 2; i++) {
        struct ata_drive *drive = c->drives[i];
        if (drive && (drive->phase == ATA_DMA_IN || drive->phase == ATA_DMA_OUT))
            dma_move(drive);
    }
}

uint32_t ata_pio_in(struct ata_drive *drive, uint8_t *out, uint32_t size)
{
    if (drive->phase != ATA_PIO_IN)
        return 0;
    size = MIN(size, drive->end - drive->at);
    memcpy(out, drive->buffer + drive->at, size);
    drive->at += size;
    if (drive->at == drive->end)
        data_moved(drive);
    return size;
}

uint32_t ata_pio_out(struct ata_drive *drive, const uint8_t *in, uint32_t size)
{
    if (drive->phase != ATA_PIO_OUT)
        return 0;
    size = MIN(size, drive->end - drive->at);
    if (drive->packet_phase)
        memcpy(drive->packet + drive->at, in, size);
    else
        memcpy(drive->buffer + drive->at, in, size);
    drive->at += size;
    if (drive->at < drive->end)
        return size;
    if (drive->packet_phase) {
        drive->packet_phase = false;
        atapi_packet(drive);
    } else {
        data_moved(drive);
    }
    return size;
}

/* ---- commands ---------------------------------------------------------------------------------
 */

static bool start(struct ata_drive *drive, uint64_t sector, uint32_t n_sectors, bool write)
{
    drive->sector = sector;
    drive->left = n_sectors;
    if (sector >= block_sectors(drive->block) || n_sectors > block_sectors(drive->block) - sector) {
        log_printf(LOG_GUEST_ERROR, "%s: sectors %" PRIu64 " + %" PRIu32 " are not there\n",
                   drive->device->id, sector, n_sectors);
        ata_fail(drive, ATA_IDNF | ATA_ABRT);
        return false;
    }
    if (write && block_is_read_only(drive->block)) {
        ata_fail(drive, ATA_ABRT);
        return false;
    }
    drive->status = ATA_BSY;
    transfer_next(drive, write);
    return true;
}

enum { READ = 0, WRITE = 1, WIDE = 2, DMA = 4, MULTIPLE = 8, VERIFY = 16, FUA = 32 };

static void command_transfer(struct ata_drive *drive, unsigned how)
{
    uint32_t n = drive->count[0];

    drive->wide = how & WIDE;
    drive->dma = how & DMA;
    drive->verify_only = how & VERIFY;
    drive->fua = how & FUA;
    drive->per_block = how & MULTIPLE ? drive->multiple : 1;
    if (drive->wide)
        n |= (uint32_t)drive->count[1] << 8;
    if (!n)
        n = drive->wide ? 65536 : 256;
    if (!drive->per_block)
        ata_fail(drive, ATA_ABRT);
    else
        start(drive, address_get(drive), n, how & WRITE);
}

void ata_dma_command(struct ata_drive *drive, bool write, bool fua, uint64_t sector,
                     uint32_t n_sectors)
{
    drive->wide = drive->dma = true;
    drive->verify_only = false;
    drive->fua = fua;
    start(drive, sector, n_sectors, write);
}

void ata_string(uint16_t *words, unsigned n_words, const char *text)
{
    size_t length = strlen(text);

    for (unsigned i = 0; i < n_words; i++) {
        uint8_t a = 2 * i < length ? (uint8_t)text[2 * i] : ' ';
        uint8_t b = 2 * i + 1 < length ? (uint8_t)text[2 * i + 1] : ' ';
        words[i] = (uint16_t)(a << 8 | b);
    }
}

/* 8.15.8 */
static void identify_disk(struct ata_drive *drive, uint16_t *w)
{
    uint64_t sectors = block_sectors(drive->block);
    uint32_t cylinders = (uint32_t)MIN(MAX(sectors / (16 * 63), 1), 16383);
    uint32_t current =
        MIN((uint32_t)(sectors / MAX(drive->heads * drive->sectors_per_track, 1)), 65535u);
    uint32_t current_size =
        (uint32_t)MIN((uint64_t)current * drive->heads * drive->sectors_per_track, UINT32_MAX);
    uint32_t lba28 = (uint32_t)MIN(sectors, 0x0fffffff);

    w[0] = 0x0040;
    w[2] = 0xc837; /* needs nothing to spin up, and all words are there */
    w[1] = (uint16_t)cylinders;
    w[3] = 16;
    w[6] = 63;
    w[47] = 0x8000 | MAX_MULTIPLE;
    w[48] = 1;
    w[49] = 0x0f00; /* LBA, DMA, IORDY */
    w[50] = 0x4000;
    w[51] = w[52] = 0x0200;
    w[53] = 7;
    w[54] = (uint16_t)current;
    w[55] = drive->heads;
    w[56] = drive->sectors_per_track;
    w[57] = (uint16_t)current_size;
    w[58] = (uint16_t)(current_size >> 16);
    w[59] = drive->multiple ? 0x100 | drive->multiple : 0;
    w[60] = (uint16_t)lba28;
    w[61] = (uint16_t)(lba28 >> 16);
    w[82] = 0x4029; /* NOP, write cache, power management, SMART */
    w[83] = 0x7400; /* FLUSH CACHE EXT, FLUSH CACHE, 48-bit */
    w[84] = 0x4040; /* WRITE DMA FUA EXT and WRITE MULTIPLE FUA EXT */
    w[85] = (uint16_t)(0x4008 | (drive->write_cache ? 0x20 : 0) | (drive->smart ? 1 : 0));
    w[86] = 0x3400;
    w[87] = 0x4040;
    for (unsigned i = 0; i < 4; i++)
        w[100 + i] = (uint16_t)(sectors >> 16 * i);
    ata_string(&w[27], 20, "QEMU HARDDISK");
}

static void identify_common(struct ata_drive *drive, uint16_t *w)
{
    ata_string(&w[10], 10, drive->serial);
    ata_string(&w[23], 4, "2.5+");
    w[63] = (uint16_t)(0x07 | drive->mwdma << 8);
    w[64] = 3;
    w[65] = w[66] = w[67] = w[68] = 120;
    w[80] = 0x00f0; /* ATA-4 to 7 */
    w[88] = (uint16_t)(0x3f | drive->udma << 8);
    if (drive->channel->single)
        w[76] = 0x0002; /* SATA, 1.5 Gb/s; word 93 is 0 then */
    else /* 80 wires; a jumper says which drive it is, and all is well with that one */
        w[93] = 0x6000 | (drive->unit ? 0x0b00 : 0x000b);
}

static void reply(struct ata_drive *drive, uint32_t size)
{
    drive->left = 0;
    drive->dma = false;
    drive->error = 0;
    ata_present(drive, ATA_PIO_IN, 0, size);
    ata_set_interrupt(drive, true);
}

/* The signature by which hosts tell drives apart (9.12). */
static void signature(struct ata_drive *drive)
{
    drive->count[0] = drive->low[0] = 1;
    drive->mid[0] = drive->is_cd ? 0x14 : 0;
    drive->high[0] = drive->is_cd ? 0xeb : 0;
    drive->select &= SELECT_DRIVE;
}

static void command_identify(struct ata_drive *drive, unsigned packet)
{
    uint16_t words[256] = {0};

    if (drive->is_cd != (packet != 0)) {
        if (drive->is_cd)
            signature(drive);
        ata_fail(drive, ATA_ABRT);
        return;
    }
    identify_common(drive, words);
    if (drive->is_cd)
        atapi_identify(drive, words);
    else
        identify_disk(drive, words);
    memcpy(drive->buffer, words, sizeof(words));
    drive->reply = 0;
    reply(drive, sizeof(words));
}

static void command_set_features(struct ata_drive *drive, unsigned unused)
{
    uint8_t mode = drive->count[0];

    switch (drive->feature[0]) {
    case 0x02:
    case 0x82:
        drive->write_cache = drive->feature[0] == 0x02;
        break;
    case 0x03: /* transfer mode */
        if (mode >> 3 == 8 && (mode & 7) < 6) {
            drive->udma = (uint8_t)(1u << (mode & 7));
            drive->mwdma = 0;
        } else if (mode >> 3 == 4 && (mode & 7) < 3) {
            drive->mwdma = (uint8_t)(1u << (mode & 7));
            drive->udma = 0;
        } else if (mode > 1 &&
                   (mode >> 3 != 1 || (mode & 7) > 4)) { /* PIO, its default or 0 to 4 */
            ata_fail(drive, ATA_ABRT);
            return;
        }
        break;
    case 0x05: /* power, acoustics, look-ahead, reverting to defaults: nothing differs */
    case 0x85:
    case 0x42:
    case 0xc2:
    case 0x55:
    case 0xaa:
    case 0x66:
    case 0xcc:
    case 0x10:
    case 0x90:
        break;
    default:
        ata_fail(drive, ATA_ABRT);
        return;
    }
    ata_finish(drive);
}

static void command_multiple(struct ata_drive *drive, unsigned unused)
{
    uint8_t n = drive->count[0];

    if (n > MAX_MULTIPLE || (n & (n - 1))) {
        ata_fail(drive, ATA_ABRT);
        return;
    }
    drive->multiple = n;
    ata_finish(drive);
}

static void flush_done(struct block_request *request, int error)
{
    if (error)
        ata_fail(request->opaque, ATA_ABRT);
    else
        ata_finish(request->opaque);
}

static void command_flush(struct ata_drive *drive, unsigned unused)
{
    ata_submit(drive, BLOCK_FLUSH, 0, 0, flush_done);
}

static void command_power(struct ata_drive *drive, unsigned state)
{
    drive->power = (uint8_t)state;
    ata_finish(drive);
}

static void command_check_power(struct ata_drive *drive, unsigned unused)
{
    drive->count[0] = drive->power;
    ata_finish(drive);
}

static void command_parameters(struct ata_drive *drive, unsigned unused)
{
    if (!drive->count[0]) {
        ata_fail(drive, ATA_ABRT);
        return;
    }
    drive->heads = (drive->select & 0xf) + 1;
    drive->sectors_per_track = drive->count[0];
    ata_finish(drive);
}

static void command_nothing(struct ata_drive *drive, unsigned unused)
{
    ata_finish(drive);
}

static void command_native_max(struct ata_drive *drive, unsigned how)
{
    uint64_t last = block_sectors(drive->block) - 1;

    drive->wide = how & WIDE;
    if (!drive->wide)
        drive->select |= SELECT_LBA;
    address_set(drive, drive->wide ? last : MIN(last, 0x0fffffff - 1));
    ata_finish(drive);
}

/* 8.11: drive 0 is selected then, and speaks for both. */
static void command_diagnose(struct ata_drive *drive, unsigned unused)
{
    drive->select = 0;
    signature(drive);
    drive->error = 1;
    command_end(drive, drive->is_cd ? 0 : ATA_READY, drive == ata_selected(drive->channel));
}

static void command_reset(struct ata_drive *drive, unsigned unused)
{
    signature(drive);
    drive->error = 1;
    command_end(drive, 0, false);
}

static void command_smart(struct ata_drive *drive, unsigned unused)
{
    uint8_t sum = 0, what = drive->feature[0];
    bool known = what == 0xd0 || what == 0xd1 || (what >= 0xd2 && what <= 0xd4) || what == 0xd8 ||
                 what == 0xd9 || what == 0xda;

    if (drive->mid[0] != 0x4f || drive->high[0] != 0xc2 || !known ||
        (!drive->smart && what != 0xd8)) {
        ata_fail(drive, ATA_ABRT);
        return;
    }
    if (what == 0xd8 || what == 0xd9)
        drive->smart = what == 0xd8;
    if (what != 0xd0 && what != 0xd1) {
        ata_finish(drive); /* RETURN STATUS: 4f and c2 stay, all is well */
        return;
    }
    memset(drive->buffer, 0, ATA_SECTOR); /* no attributes */
    drive->buffer[0] = 1;
    for (unsigned i = 0; i < ATA_SECTOR - 1; i++)
        sum += drive->buffer[i];
    drive->buffer[ATA_SECTOR - 1] = (uint8_t)-sum;
    reply(drive, ATA_SECTOR);
}

static void command_packet(struct ata_drive *drive, unsigned unused)
{
    if (drive->feature[0] & 2) { /* overlapped */
        ata_fail(drive, ATA_ABRT);
        return;
    }
    drive->dma = drive->feature[0] & 1;
    drive->byte_limit = drive->mid[0] | (uint32_t)drive->high[0] << 8;
    drive->count[0] = 1; /* command, to the drive */
    drive->packet_phase = true;
    drive->error = 0;
    drive->reply = 0;
    ata_present(drive, ATA_PIO_OUT, 0, sizeof(drive->packet));
}

enum { FOR_DISK = 1, FOR_CD = 2, FOR_BOTH = 3 };
static const struct {
    uint8_t first, last, who;
    void (*execute)(struct ata_drive *drive, unsigned argument);
    unsigned argument;
} commands[] = {
    {0x08, 0x08, FOR_CD, command_reset, 0},
    {0x10, 0x1f, FOR_DISK, command_nothing, 0}, /* RECALIBRATE */
    {0x20, 0x21, FOR_DISK, command_transfer, READ},
    {0x24, 0x24, FOR_DISK, command_transfer, READ | WIDE},
    {0x25, 0x25, FOR_DISK, command_transfer, READ | WIDE | DMA},
    {0x27, 0x27, FOR_DISK, command_native_max, WIDE},
    {0x29, 0x29, FOR_DISK, command_transfer, READ | WIDE | MULTIPLE},
    {0x30, 0x31, FOR_DISK, command_transfer, WRITE},
    {0x34, 0x34, FOR_DISK, command_transfer, WRITE | WIDE},
    {0x35, 0x35, FOR_DISK, command_transfer, WRITE | WIDE | DMA},
    {0x39, 0x39, FOR_DISK, command_transfer, WRITE | WIDE | MULTIPLE},
    {0x3d, 0x3d, FOR_DISK, command_transfer, WRITE | WIDE | DMA | FUA},
    {0x40, 0x41, FOR_DISK, command_transfer, VERIFY},
    {0x42, 0x42, FOR_DISK, command_transfer, VERIFY | WIDE},
    {0x70, 0x7f, FOR_DISK, command_nothing, 0}, /* SEEK */
    {0x90, 0x90, FOR_BOTH, command_diagnose, 0},
    {0x91, 0x91, FOR_DISK, command_parameters, 0},
    {0xa0, 0xa0, FOR_CD, command_packet, 0},
    {0xa1, 0xa1, FOR_BOTH, command_identify, 1},
    {0xb0, 0xb0, FOR_DISK, command_smart, 0},
    {0xc4, 0xc4, FOR_DISK, command_transfer, READ | MULTIPLE},
    {0xc5, 0xc5, FOR_DISK, command_transfer, WRITE | MULTIPLE},
    {0xc6, 0xc6, FOR_DISK, command_multiple, 0},
    {0xc8, 0xc9, FOR_DISK, command_transfer, READ | DMA},
    {0xca, 0xcb, FOR_DISK, command_transfer, WRITE | DMA},
    {0xce, 0xce, FOR_DISK, command_transfer, WRITE | WIDE | MULTIPLE | FUA},
    {0xe0, 0xe0, FOR_BOTH, command_power, POWER_STANDBY},
    {0xe1, 0xe1, FOR_BOTH, command_power, POWER_IDLE},
    {0xe2, 0xe2, FOR_BOTH, command_power, POWER_STANDBY},
    {0xe3, 0xe3, FOR_BOTH, command_power, POWER_IDLE},
    {0xe5, 0xe5, FOR_BOTH, command_check_power, 0},
    {0xe6, 0xe6, FOR_BOTH, command_power, POWER_STANDBY}, /* SLEEP */
    {0xe7, 0xe7, FOR_BOTH, command_flush, 0},
    {0xea, 0xea, FOR_DISK, command_flush, 0},
    {0xec, 0xec, FOR_BOTH, command_identify, 0},
    {0xef, 0xef, FOR_BOTH, command_set_features, 0},
    {0xf8, 0xf8, FOR_DISK, command_native_max, 0},
};

void ata_issue(struct ata_drive *drive, uint8_t command)
{
    drive->command = command;
    drive->left = 0;
    drive->packet_phase = false;
    ata_set_interrupt(drive, false);
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        if (command < commands[i].first || command > commands[i].last ||
            !(commands[i].who & (drive->is_cd ? FOR_CD : FOR_DISK)))
            continue;
        if (command < 0xe0)
            drive->power = POWER_ACTIVE;
        commands[i].execute(drive, commands[i].argument);
        return;
    }
    if (command) /* NOP is there to be refused */
        log_printf(LOG_UNIMP, "%s: ATA command 0x%02x\n", drive->device->id, command);
    ata_fail(drive, ATA_ABRT);
}

/* ---- registers --------------------------------------------------------------------------------
 */

struct ata_drive *ata_selected(struct ata_channel *c)
{
    struct ata_drive *some = c->drives[0] ? c->drives[0] : c->drives[1];

    return some ? c->drives[(some->select & SELECT_DRIVE) != 0] : NULL;
}

uint8_t ata_alternate_status(struct ata_channel *c)
{
    const struct ata_drive *drive = ata_selected(c);

    return drive ? drive->status : 0;
}

static uint32_t data_read(struct ata_drive *drive, unsigned size)
{
    uint8_t bytes[4] = {0};

    ata_pio_in(drive, bytes, size);
    return load_le32(bytes);
}

uint32_t ata_read(struct ata_channel *c, unsigned reg, unsigned size)
{
    struct ata_drive *drive = ata_selected(c);

    if (!drive && reg == ATA_COMMAND)
        return 0;
    if (!drive) /* drive 0 answers for drive 1 */
        drive = c->drives[0];
    if (!drive)
        return 0xff;
    bool previous = drive->control & CONTROL_HOB;
    switch ((enum ata_register)reg) {
    case ATA_DATA:
        return data_read(drive, size);
    case ATA_FEATURE:
        return drive->error;
    case ATA_COUNT:
        return drive->count[previous];
    case ATA_LOW:
        return drive->low[previous];
    case ATA_MID:
        return drive->mid[previous];
    case ATA_HIGH:
        return drive->high[previous];
    case ATA_DEVICE:
        return drive->select | 0xa0;
    case ATA_COMMAND:
        ata_set_interrupt(drive, false);
        return drive->status;
    default:
        return 0xff;
    }
}

static void shift_in(uint8_t reg[2], uint8_t value)
{
    reg[1] = reg[0];
    reg[0] = value;
}

static void register_write(struct ata_drive *drive, unsigned reg, uint8_t value)
{
    drive->control &= (uint8_t)~CONTROL_HOB;
    if (drive->status & (ATA_BSY | ATA_DRQ) && reg != ATA_DEVICE)
        return;
    switch (reg) {
    case ATA_FEATURE:
        shift_in(drive->feature, value);
        break;
    case ATA_COUNT:
        shift_in(drive->count, value);
        break;
    case ATA_LOW:
        shift_in(drive->low, value);
        break;
    case ATA_MID:
        shift_in(drive->mid, value);
        break;
    case ATA_HIGH:
        shift_in(drive->high, value);
        break;
    default:
        drive->select = value & 0x5f;
        break;
    }
}

void ata_write(struct ata_channel *c, unsigned reg, uint32_t value, unsigned size)
{
    struct ata_drive *drive = ata_selected(c);
    uint8_t bytes[4];

    store_le32(bytes, value);
    if (reg == ATA_DATA) {
        if (drive)
            ata_pio_out(drive, bytes, size);
        return;
    }
    if (reg != ATA_COMMAND) {
        for (unsigned i = 0; i < 2; i++) {
            if (c->drives[i])
                register_write(c->drives[i], reg, (uint8_t)value);
        }
        /* The line shows the selected drive's interrupt. */
        drive = ata_selected(c);
        if (reg == ATA_DEVICE && drive)
            ata_set_interrupt(drive, drive->interrupt);
        return;
    }
    if (value == 0x90) { /* both drives do that */
        for (unsigned i = 0; i < 2; i++) {
            if (c->drives[i] && !(c->drives[i]->status & ATA_BSY))
                ata_issue(c->drives[i], 0x90);
        }
        return;
    }
    if (!drive)
        return;
    if (drive->is_cd && value == 0x08) /* DEVICE RESET: at any time */
        block_cancel(drive->block, &drive->request);
    else if (drive->status & (ATA_BSY | ATA_DRQ))
        return;
    ata_issue(drive, (uint8_t)value);
}

void ata_device_control(struct ata_channel *c, uint8_t value)
{
    for (unsigned i = 0; i < 2; i++) {
        struct ata_drive *drive = c->drives[i];
        if (!drive)
            continue;
        uint8_t before = drive->control;
        drive->control = value;
        if (value & CONTROL_SRST) {
            if (!(before & CONTROL_SRST))
                ata_drive_reset(drive);
            drive->status = ATA_BSY;
        } else if (before & CONTROL_SRST) {
            drive->status = drive->is_cd ? 0 : ATA_READY;
        }
        if (ata_selected(c) == drive)
            ata_set_interrupt(drive, drive->interrupt);
    }
}

/* ---- life -------------------------------------------------------------------------------------
 */

void ata_drive_reset(struct ata_drive *drive)
{
    block_cancel(drive->block, &drive->request);
    drive->phase = ATA_IDLE;
    drive->status = drive->is_cd ? 0 : ATA_READY;
    drive->error = 1;
    drive->packet_phase = false;
    drive->left = drive->reply = 0;
    drive->select = 0;
    drive->power = POWER_ACTIVE;
    drive->sense_key = drive->sense_code = drive->sense_qualifier = 0;
    signature(drive);
    ata_set_interrupt(drive, false);
}

void ata_channel_reset(struct ata_channel *c)
{
    for (unsigned i = 0; i < 2; i++) {
        if (c->drives[i]) {
            c->drives[i]->control = 0;
            ata_drive_reset(c->drives[i]);
        }
    }
}

bool ata_channel_add(struct ata_channel *c, struct device *controller, unsigned number,
                     struct error *err)
{
    char name[16];

    c->controller = controller;
    c->number = number;
    snprintf(name, sizeof(name), "ide.%u", number);
    return machine_add_bus(controller->machine, "ata", name, controller, c, err);
}

static unsigned channel_units(const struct ata_channel *c)
{
    return c->single ? 1 : 2;
}

/* Without properties a drive takes the first place that is free. */
static bool find_free(struct device *d, struct ata_drive *drive, struct error *err)
{
    for (const struct machine_bus *bus = d->machine->buses; bus; bus = bus->next) {
        struct ata_channel *c = strcmp(bus->kind, "ata") ? NULL : bus->bus;
        for (unsigned unit = 0; c && unit < channel_units(c); unit++) {
            if (c->drives[unit])
                continue;
            drive->channel = c;
            drive->unit = unit;
            return true;
        }
    }
    return error_set(err, "%s: there is no IDE channel with a free place", d->id);
}

static bool find_channel(struct device *d, struct ata_drive *drive, struct error *err)
{
    char name[24], unit[16];
    bool named = device_prop_string(d, "bus", name, sizeof(name));
    struct ata_channel *c;

    if (!named && !device_prop_string(d, "unit", unit, sizeof(unit)))
        return find_free(d, drive, err);
    c = machine_find_bus(d->machine, "ata", named ? name : NULL);
    drive->unit = (unsigned)device_prop_u64(d, "unit", 0);
    if (!c)
        return error_set(err, "%s: there is no IDE channel '%s'", d->id, named ? name : "ide.0");
    if (drive->unit >= channel_units(c))
        return error_set(err, "%s: unit must be %s", d->id, c->single ? "0" : "0 or 1");
    if (c->drives[drive->unit])
        return error_set(err, "%s: unit %u of '%s' is taken by %s", d->id, drive->unit,
                         named ? name : "ide.0", c->drives[drive->unit]->device->id);
    drive->channel = c;
    return true;
}

static bool drive_init(struct device *d, struct error *err)
{
    struct ata_drive *drive = d->state;

    drive->device = d;
    drive->block = d->backend;
    if (!drive->block && d->class->addable)
        return error_set(err, "-device %s: which drive? drive=ID names one of -drive if=none,id=ID",
                         d->id);
    if (!drive->block)
        return true; /* an empty place */
    drive->is_cd = strcmp(d->class->name, "ide-drive") ? !strcmp(d->class->name, "ide-cd")
                                                       : block_is_cdrom(drive->block);
    if (!find_channel(d, drive, err) || !block_attach(drive->block, &d->machine->lock, err)) {
        drive->channel = NULL;
        return false;
    }
    drive->buffer = calloc(1, ATA_BUFFER);
    if (!drive->buffer) {
        block_detach(drive->block);
        return error_set(err, "out of memory for device '%s'", d->id);
    }
    drive->medium_seen = block_medium_changes(drive->block);
    if (*block_serial(drive->block))
        snprintf(drive->serial, sizeof(drive->serial), "%.20s", block_serial(drive->block));
    else
        snprintf(drive->serial, sizeof(drive->serial), "QM%05u",
                 drive->channel->number * 2 + drive->unit + 1);
    device_prop_string(d, "serial", drive->serial, sizeof(drive->serial));
    drive->channel->drives[drive->unit] = drive;
    return true;
}

static void drive_reset(struct device *d)
{
    struct ata_drive *drive = d->state;

    if (!drive->channel)
        return;
    block_set_locked(drive->block, false);
    ata_drive_reset(drive);
}

static void drive_finish(struct device *d)
{
    struct ata_drive *drive = d->state;

    if (!drive->channel)
        return;
    block_cancel(drive->block, &drive->request);
    block_detach(drive->block);
    drive->channel->drives[drive->unit] = NULL;
    free(drive->buffer);
}

#define FIELD(member, kind, value) DEVICE_FIELD(struct ata_drive, member, kind, value)
static const struct device_field drive_fields[] = {
    DEVICE_ARRAY(struct ata_drive, feature, DEVICE_U8, 2, 0),
    DEVICE_ARRAY(struct ata_drive, count, DEVICE_U8, 2, 0),
    DEVICE_ARRAY(struct ata_drive, low, DEVICE_U8, 2, 0),
    DEVICE_ARRAY(struct ata_drive, mid, DEVICE_U8, 2, 0),
    DEVICE_ARRAY(struct ata_drive, high, DEVICE_U8, 2, 0),
    FIELD(select, DEVICE_U8, 0),
    FIELD(status, DEVICE_U8, 0),
    FIELD(error, DEVICE_U8, 0),
    FIELD(command, DEVICE_U8, 0),
    FIELD(control, DEVICE_U8, 0),
    FIELD(interrupt, DEVICE_BOOL, 0),
    FIELD(multiple, DEVICE_U8, MAX_MULTIPLE),
    FIELD(udma, DEVICE_U8, 0x20),
    FIELD(mwdma, DEVICE_U8, 0),
    FIELD(power, DEVICE_U8, POWER_ACTIVE),
    FIELD(heads, DEVICE_U16, 16),
    FIELD(sectors_per_track, DEVICE_U16, 63),
    FIELD(write_cache, DEVICE_BOOL, 1),
    FIELD(smart, DEVICE_BOOL, 1),
    /* The transfer is cancelled first, so reset touches it itself. */
    DEVICE_KEPT(struct ata_drive, phase, DEVICE_U8),
    DEVICE_KEPT(struct ata_drive, dma, DEVICE_BOOL),
    DEVICE_KEPT(struct ata_drive, wide, DEVICE_BOOL),
    DEVICE_KEPT(struct ata_drive, verify_only, DEVICE_BOOL),
    DEVICE_KEPT(struct ata_drive, fua, DEVICE_BOOL),
    DEVICE_KEPT(struct ata_drive, sector, DEVICE_U64),
    DEVICE_KEPT(struct ata_drive, left, DEVICE_U32),
    DEVICE_KEPT(struct ata_drive, now, DEVICE_U32),
    DEVICE_KEPT(struct ata_drive, per_block, DEVICE_U32),
    DEVICE_KEPT(struct ata_drive, at, DEVICE_U32),
    DEVICE_KEPT(struct ata_drive, end, DEVICE_U32),
    FIELD(packet_phase, DEVICE_BOOL, 0),
    FIELD(locked, DEVICE_BOOL, 0),
    FIELD(tray_open, DEVICE_BOOL, 0),
    DEVICE_KEPT(struct ata_drive, medium_seen, DEVICE_U32),
    DEVICE_ARRAY(struct ata_drive, packet, DEVICE_U8, 12, 0),
    FIELD(sense_key, DEVICE_U8, 0),
    FIELD(sense_code, DEVICE_U8, 0),
    FIELD(sense_qualifier, DEVICE_U8, 0),
    FIELD(byte_limit, DEVICE_U32, 0),
    FIELD(reply, DEVICE_U32, 0),
};
#undef FIELD

static const struct device_prop drive_props[] = {
    DEVICE_DRIVE,
    {"bus", DEVICE_PROP_TEXT, .most = 23},
    {"unit", DEVICE_PROP_NUMBER, 0, 1},
    {"serial", DEVICE_PROP_TEXT, .most = 20},
    {NULL},
};

#define DRIVE_CLASS(symbol, class_name, text, can_add)                                             \
    static const struct device_class symbol = {                                                    \
        .name = (class_name),                                                                      \
        .props = drive_props,                                                                      \
        .description = (text),                                                                     \
        .manual = "ATA/ATAPI-6 (T13 1410D)",                                                       \
        .addable = (can_add),                                                                      \
        .state_size = sizeof(struct ata_drive),                                                    \
        .fields = drive_fields,                                                                    \
        .n_fields = ARRAY_SIZE(drive_fields),                                                      \
        .init = drive_init,                                                                        \
        .reset = drive_reset,                                                                      \
        .finish = drive_finish,                                                                    \
    };                                                                                             \
    REGISTER(device_class, symbol)
DRIVE_CLASS(ide_drive_class, "ide-drive", "IDE disk or CD drive, as its image says", false);
DRIVE_CLASS(ide_hd_class, "ide-hd", "IDE disk", true);
DRIVE_CLASS(ide_cd_class, "ide-cd", "IDE CD drive", true);
