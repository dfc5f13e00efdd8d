/* SPDX-License-Identifier: GPL-2.0-or-later */
/* CD drives: packet commands of MMC-3 and SPC-2, over ATA/ATAPI-6 chapter 9.8 to 9.10. */
#include <string.h>

#include "hw/ide/ata.h"
#include "util/bits.h"

enum { CD_SECTOR = 2048, PER_SECTOR = CD_SECTOR / ATA_SECTOR };
enum {
    SENSE_NOT_READY = 2,
    SENSE_MEDIUM_ERROR = 3,
    SENSE_ILLEGAL_REQUEST = 5,
    SENSE_UNIT_ATTENTION = 6,
};
enum { NEW_MEDIUM = 2, MEDIUM_REMOVAL = 3 }; /* events */
enum {
    ASC_UNREADABLE = 0x11,
    ASC_OPCODE = 0x20,
    ASC_RANGE = 0x21,
    ASC_FIELD = 0x24,
    ASC_MEDIUM_CHANGED = 0x28,
    ASC_NO_MEDIUM = 0x3a,
    ASC_REMOVAL_PREVENTED = 0x53,
};
enum { REASON_COMMAND = 1, REASON_TO_HOST = 2 };

/* ---- ends -------------------------------------------------------------------------------------
 */

static void fail(struct ata_drive *drive, uint8_t key, uint8_t code, uint8_t qualifier)
{
    drive->sense_key = key;
    drive->sense_code = code;
    drive->sense_qualifier = qualifier;
    drive->left = drive->reply = 0;
    drive->count[0] = REASON_COMMAND | REASON_TO_HOST;
    ata_fail(drive, (uint8_t)(key << 4 | ATA_ABRT));
}

static void good(struct ata_drive *drive)
{
    drive->sense_key = drive->sense_code = drive->sense_qualifier = 0;
    drive->left = drive->reply = 0;
    drive->count[0] = REASON_COMMAND | REASON_TO_HOST;
    ata_finish(drive);
}

static uint64_t cd_sectors(const struct ata_drive *drive)
{
    return (block_sectors(drive->block) + PER_SECTOR - 1) / PER_SECTOR;
}

static bool medium(const struct ata_drive *drive)
{
    return block_has_medium(drive->block) && !drive->tray_open;
}

/* The guest is told once, by whatever it asks first. A tray does not stay open around a new disc.
 */
static bool medium_changed(struct ata_drive *drive)
{
    unsigned changes = block_medium_changes(drive->block);

    if (drive->medium_seen == changes)
        return false;
    drive->medium_seen = changes;
    if (block_has_medium(drive->block))
        drive->tray_open = false;
    return true;
}

/* ---- data to the host -------------------------------------------------------------------------
 */

/* The next piece of buffer[at..reply): all of it by DMA, byte_limit at most by PIO (9.9). */
static void present(struct ata_drive *drive, uint32_t at)
{
    uint32_t size = drive->reply - at, limit = drive->byte_limit;

    if (drive->dma) {
        ata_present(drive, ATA_DMA_IN, at, drive->reply);
        return;
    }
    if (!limit || limit == 0xffff)
        limit = 0xfffe;
    if (size > limit)
        size = limit > 1 ? limit & ~1u : limit;
    drive->count[0] = REASON_TO_HOST;
    drive->mid[0] = (uint8_t)size;
    drive->high[0] = (uint8_t)(size >> 8);
    ata_present(drive, ATA_PIO_IN, at, at + size);
    ata_set_interrupt(drive, true);
}

/* `size` bytes are in the buffer; the host wants no more than `allowed`. */
static void answer(struct ata_drive *drive, uint32_t size, uint32_t allowed)
{
    drive->left = 0;
    drive->reply = MIN(size, allowed);
    if (drive->reply)
        present(drive, 0);
    else
        good(drive);
}

static void read_done(struct block_request *request, int error);

static void read_next(struct ata_drive *drive)
{
    uint64_t start = drive->sector * PER_SECTOR, rest = block_sectors(drive->block) - start;

    drive->now = MIN(drive->left, (uint32_t)(ATA_BUFFER / CD_SECTOR));
    /* An image may end within its last sector. */
    memset(drive->buffer, 0, ATA_BUFFER);
    ata_submit(drive, BLOCK_READ, start, (uint32_t)MIN((uint64_t)drive->now * PER_SECTOR, rest),
               read_done);
}

static void read_done(struct block_request *request, int error)
{
    struct ata_drive *drive = request->opaque;

    if (error) {
        fail(drive, SENSE_MEDIUM_ERROR, ASC_UNREADABLE, 0);
        return;
    }
    drive->sector += drive->now;
    drive->left -= drive->now;
    drive->reply = drive->now * CD_SECTOR;
    present(drive, 0);
}

void atapi_continue(struct ata_drive *drive)
{
    if (drive->command == 0xa1) { /* IDENTIFY PACKET DEVICE ends without another interrupt */
        drive->phase = ATA_IDLE;
        drive->status = ATA_READY;
        if (drive->channel->finished)
            drive->channel->finished(drive->channel, drive);
    } else if (drive->end < drive->reply) {
        present(drive, drive->end);
    } else if (drive->left) {
        read_next(drive);
    } else {
        good(drive);
    }
}

/* ---- commands ---------------------------------------------------------------------------------
 */

static void test_unit_ready(struct ata_drive *drive, const uint8_t *p)
{
    good(drive);
}

static void request_sense(struct ata_drive *drive, const uint8_t *p)
{
    memset(drive->buffer, 0, 18);
    drive->buffer[0] = 0xf0;
    drive->buffer[2] = drive->sense_key;
    drive->buffer[7] = 10;
    drive->buffer[12] = drive->sense_code;
    drive->buffer[13] = drive->sense_qualifier;
    drive->sense_key = drive->sense_code = drive->sense_qualifier = 0;
    answer(drive, 18, p[4]);
}

static void inquiry(struct ata_drive *drive, const uint8_t *p)
{
    uint8_t *b = drive->buffer;

    memset(b, 0, 36);
    if (p[1] & 1) { /* vital product data: the list of pages, which has only itself */
        if (p[2]) {
            fail(drive, SENSE_ILLEGAL_REQUEST, ASC_FIELD, 0);
            return;
        }
        b[0] = 5;
        b[3] = 1;
        answer(drive, 5, load_be16(p + 3));
        return;
    }
    b[0] = 5; /* CD */
    b[1] = 0x80;
    b[3] = 0x21;
    b[4] = 31;
    memcpy(b + 8, "QEMU    QEMU DVD-ROM    2.5+", 28);
    answer(drive, 36, load_be16(p + 3));
}

static void start_read(struct ata_drive *drive, uint32_t sector, uint32_t n)
{
    if (n > cd_sectors(drive) || sector > cd_sectors(drive) - n) {
        fail(drive, SENSE_ILLEGAL_REQUEST, ASC_RANGE, 0);
        return;
    }
    if (!n) {
        good(drive);
        return;
    }
    drive->sector = sector;
    drive->left = n;
    read_next(drive);
}

static void read_10(struct ata_drive *drive, const uint8_t *p)
{
    start_read(drive, load_be32(p + 2), load_be16(p + 7));
}

static void read_12(struct ata_drive *drive, const uint8_t *p)
{
    start_read(drive, load_be32(p + 2), load_be32(p + 6));
}

/* READ CD: user data only; what else a sector has is not in an image. */
static void read_cd(struct ata_drive *drive, const uint8_t *p)
{
    uint32_t n = (uint32_t)p[6] << 16 | load_be16(p + 7);

    if (!(p[9] & 0xf8)) {
        good(drive);
    } else if ((p[9] & 0xf8) != 0x10) {
        log_unimp_once("%s: READ CD of more than user data (0x%02x)\n", drive->device->id, p[9]);
        fail(drive, SENSE_ILLEGAL_REQUEST, ASC_FIELD, 0);
    } else {
        start_read(drive, load_be32(p + 2), n);
    }
}

static void read_capacity(struct ata_drive *drive, const uint8_t *p)
{
    store_be32(drive->buffer, (uint32_t)(cd_sectors(drive) - 1));
    store_be32(drive->buffer + 4, CD_SECTOR);
    answer(drive, 8, 8);
}

/* Block or minute, second, frame (150 frames before block 0). */
static void put_address(uint8_t *out, uint32_t sector, bool msf)
{
    store_be32(out, sector);
    if (msf) {
        sector += 150;
        out[0] = 0;
        out[1] = (uint8_t)(sector / 75 / 60);
        out[2] = (uint8_t)(sector / 75 % 60);
        out[3] = (uint8_t)(sector % 75);
    }
}

static void put_track(uint8_t *out, uint8_t number, uint32_t sector, bool msf)
{
    out[0] = 0;
    out[1] = 0x14; /* data */
    out[2] = number;
    out[3] = 0;
    put_address(out + 4, sector, msf);
}

/* One session, one data track. */
static void read_toc(struct ata_drive *drive, const uint8_t *p)
{
    static const uint8_t points[4] = {0xa0, 0xa1, 0xa2, 1};
    bool msf = p[1] & 2;
    unsigned format = p[2] & 0xf ? p[2] & 0xf : p[9] >> 6, n = 4;
    uint8_t *b = drive->buffer;
    uint32_t sectors = (uint32_t)cd_sectors(drive);

    memset(b, 0, 64);
    b[2] = b[3] = 1;
    if (format == 0 && (p[6] <= 1 || p[6] == 0xaa)) {
        if (p[6] <= 1) {
            put_track(b + n, 1, 0, msf);
            n += 8;
        }
        put_track(b + n, 0xaa, sectors, msf);
        n += 8;
    } else if (format == 1) {
        put_track(b + n, 1, 0, msf);
        n += 8;
    } else if (format == 2) {
        for (unsigned i = 0; i < 4; i++, n += 11) {
            b[n] = 1;
            b[n + 1] = 0x14;
            b[n + 3] = points[i];
            if (points[i] < 0xa2 && points[i] >= 0xa0)
                b[n + 8] = 1;
            else
                put_address(b + n + 7, points[i] == 1 ? 0 : sectors, true);
        }
    } else {
        fail(drive, SENSE_ILLEGAL_REQUEST, ASC_FIELD, 0);
        return;
    }
    store_be16(b, (uint16_t)(n - 2));
    answer(drive, n, load_be16(p + 7));
}

static unsigned put_page(uint8_t *out, unsigned page)
{
    switch (page) {
    case 0x01: /* error recovery */
        memset(out, 0, 8);
        out[0] = 0x01;
        out[1] = 6;
        out[3] = 5;
        return 8;
    case 0x0e: /* audio control */
        memset(out, 0, 16);
        out[0] = 0x0e;
        out[1] = 14;
        return 16;
    case 0x2a: /* capabilities */
        memset(out, 0, 20);
        out[0] = 0x2a;
        out[1] = 18;
        out[2] = 0x3b; /* CD-R, CD-RW, DVD are read */
        out[4] = 0x70;
        out[6] = 0x29; /* locks, ejects, has a tray */
        store_be16(out + 8, 706 * 4);
        store_be16(out + 12, 512);
        store_be16(out + 14, 706 * 4);
        return 20;
    default:
        return 0;
    }
}

static void mode_sense(struct ata_drive *drive, const uint8_t *p)
{
    static const uint8_t pages[] = {0x01, 0x0e, 0x2a};
    unsigned n = 8, page = p[2] & 0x3f;
    uint8_t *b = drive->buffer;

    memset(b, 0, 8);
    for (unsigned i = 0; i < ARRAY_SIZE(pages); i++) {
        if (page == pages[i] || page == 0x3f)
            n += put_page(b + n, pages[i]);
    }
    if (n == 8 || p[2] >> 6 == 3) { /* nothing is saved */
        fail(drive, SENSE_ILLEGAL_REQUEST, ASC_FIELD, 0);
        return;
    }
    if (drive->locked && page == 0x2a)
        b[8 + 6] |= 2;
    store_be16(b, (uint16_t)(n - 2));
    b[2] = drive->tray_open ? 0x71 : block_has_medium(drive->block) ? 0x01 : 0x70;
    answer(drive, n, load_be16(p + 7));
}

/* Profiles, core, removable medium and multi-read; only what a drive for reading must have. */
static void get_configuration(struct ata_drive *drive, const uint8_t *p)
{
    enum { CD_ROM = 0x08, DVD_ROM = 0x10 };
    uint8_t *b = drive->buffer;
    unsigned n = 8, first = load_be16(p + 2), how = p[1] & 3;
    uint16_t current = !medium(drive) ? 0 : cd_sectors(drive) > 80 * 60 * 75 ? DVD_ROM : CD_ROM;
    const uint8_t features[][12] = {
        {0, 0, 0x03, 8, 0, DVD_ROM, current == DVD_ROM, 0, 0, CD_ROM, current == CD_ROM, 0},
        {0, 1, 0x0b, 8, 0, 0, 0, 2, 1, 0, 0, 0},
        {0, 3, 0x0b, 4, 0x29, 0, 0, 0},
    };

    if (how == 3) {
        fail(drive, SENSE_ILLEGAL_REQUEST, ASC_FIELD, 0);
        return;
    }
    memset(b, 0, 64);
    for (unsigned i = 0; i < ARRAY_SIZE(features); i++) {
        if (how == 2 ? features[i][1] != first : features[i][1] < first)
            continue;
        memcpy(b + n, features[i], 4u + features[i][3]);
        n += 4u + features[i][3];
    }
    store_be32(b, n - 4);
    store_be16(b + 6, current);
    answer(drive, n, load_be16(p + 7));
}

static void get_event_status(struct ata_drive *drive, const uint8_t *p)
{
    enum { MEDIA = 4 };
    uint8_t *b = drive->buffer;

    if (!(p[1] & 1)) { /* asynchronous notification */
        fail(drive, SENSE_ILLEGAL_REQUEST, ASC_FIELD, 0);
        return;
    }
    memset(b, 0, 8);
    b[3] = 1 << MEDIA;
    if (!(p[4] & 1 << MEDIA)) {
        b[1] = 2;
        b[2] = 0x80; /* no such event class */
        answer(drive, 4, load_be16(p + 7));
        return;
    }
    b[1] = 6;
    b[2] = MEDIA;
    b[4] = medium_changed(drive) ? (medium(drive) ? NEW_MEDIUM : MEDIUM_REMOVAL) : 0;
    b[5] = (uint8_t)((drive->tray_open ? 1 : 0) | (medium(drive) ? 2 : 0));
    answer(drive, 8, load_be16(p + 7));
}

static void start_stop(struct ata_drive *drive, const uint8_t *p)
{
    if ((p[4] & 3) == 2 && drive->locked) {
        fail(drive, SENSE_NOT_READY, ASC_REMOVAL_PREVENTED, 2);
        return;
    }
    if (p[4] & 2)
        drive->tray_open = !(p[4] & 1);
    good(drive);
}

static void prevent_allow(struct ata_drive *drive, const uint8_t *p)
{
    drive->locked = p[4] & 1;
    block_set_locked(drive->block, drive->locked);
    good(drive);
}

static void mechanism_status(struct ata_drive *drive, const uint8_t *p)
{
    memset(drive->buffer, 0, 8);
    drive->buffer[1] = drive->tray_open ? 0x10 : 0;
    drive->buffer[5] = 1;
    answer(drive, 8, load_be16(p + 8));
}

static void read_disc_information(struct ata_drive *drive, const uint8_t *p)
{
    uint8_t *b = drive->buffer;

    memset(b, 0, 34);
    b[1] = 32;
    b[2] = 0x0e; /* complete, not to be erased */
    b[3] = b[4] = b[5] = b[6] = 1;
    b[7] = 0x20;
    answer(drive, 34, load_be16(p + 7));
}

static void seek(struct ata_drive *drive, const uint8_t *p)
{
    if (load_be32(p + 2) > cd_sectors(drive))
        fail(drive, SENSE_ILLEGAL_REQUEST, ASC_RANGE, 0);
    else
        good(drive);
}

static const struct {
    uint8_t code;
    bool needs_medium;
    void (*execute)(struct ata_drive *drive, const uint8_t *packet);
} commands[] = {
    {0x00, true, test_unit_ready},   {0x03, false, request_sense},
    {0x12, false, inquiry},          {0x1b, false, start_stop},
    {0x1e, false, prevent_allow},    {0x25, true, read_capacity},
    {0x28, true, read_10},           {0x2b, true, seek},
    {0x43, true, read_toc},          {0x46, false, get_configuration},
    {0x4a, false, get_event_status}, {0x51, true, read_disc_information},
    {0x5a, false, mode_sense},       {0xa8, true, read_12},
    {0xbb, false, test_unit_ready}, /* SET CD SPEED */
    {0xbd, false, mechanism_status}, {0xbe, true, read_cd},
};

void atapi_packet(struct ata_drive *drive)
{
    uint8_t packet[sizeof(drive->packet)];

    memcpy(packet, drive->packet, sizeof(packet));
    drive->status = ATA_BSY;
    drive->reply = drive->left = 0;
    for (unsigned i = 0; i < ARRAY_SIZE(commands); i++) {
        if (commands[i].code != packet[0])
            continue;
        if (commands[i].needs_medium && medium_changed(drive))
            fail(drive, SENSE_UNIT_ATTENTION, ASC_MEDIUM_CHANGED, 0);
        else if (commands[i].needs_medium && !medium(drive))
            fail(drive, SENSE_NOT_READY, ASC_NO_MEDIUM, drive->tray_open ? 2 : 1);
        else
            commands[i].execute(drive, packet);
        return;
    }
    log_printf(LOG_UNIMP, "%s: packet command 0x%02x\n", drive->device->id, packet[0]);
    fail(drive, SENSE_ILLEGAL_REQUEST, ASC_OPCODE, 0);
}

/* ATA/ATAPI-6 8.16.8 */
void atapi_identify(struct ata_drive *drive, uint16_t *w)
{
    w[0] = 0x85c0; /* ATAPI CD, removable, packets of 12 bytes, DRQ within 50 us */
    w[49] = 0x0b00;
    w[53] = 6;
    w[82] = w[85] = 0x4218; /* NOP, DEVICE RESET, PACKET, power management */
    w[83] = 0x5000;         /* FLUSH CACHE */
    w[86] = 0x1000;
    w[84] = w[87] = 0x4000;
    ata_string(&w[27], 20, "QEMU DVD-ROM");
}
