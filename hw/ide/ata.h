/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ATA and ATAPI drives (ATA/ATAPI-6, T13 1410D; MMC-3) as their controllers see them: the task
 * file, data by PIO or DMA, an interrupt. A drive is a device of class "ide-hd", "ide-cd" or
 * "ide-drive" with a struct block as backend and the properties "bus=ide.0,unit=1" (without them it
 * takes the first place that is free); controllers are owners of struct ata_channel, by which the
 * drives find them.
 *
 * Threading: device lock held.
 */
#ifndef CALQUE_HW_IDE_ATA_H
#define CALQUE_HW_IDE_ATA_H

#include "host/block.h"
#include "hw/device.h"

enum { ATA_SECTOR = 512, ATA_BUFFER_SECTORS = 256, ATA_BUFFER = ATA_SECTOR * ATA_BUFFER_SECTORS };
enum {
    ATA_ERR = 1 << 0,
    ATA_DRQ = 1 << 3,
    ATA_DSC = 1 << 4,
    ATA_DRDY = 1 << 6,
    ATA_BSY = 1 << 7,
    ATA_READY = ATA_DRDY | ATA_DSC,
};
enum { ATA_ABRT = 1 << 2, ATA_IDNF = 1 << 4, ATA_UNC = 1 << 6, ATA_ICRC = 1 << 7 };
enum ata_register {
    ATA_DATA,
    ATA_FEATURE, /* error when read */
    ATA_COUNT,
    ATA_LOW,
    ATA_MID,
    ATA_HIGH,
    ATA_DEVICE,
    ATA_COMMAND, /* status when read */
    ATA_REGISTERS,
};
enum ata_phase {
    ATA_IDLE,
    ATA_WAIT,    /* for the host's disk */
    ATA_PIO_IN,  /* the host takes buffer[at..end) */
    ATA_PIO_OUT, /* the host fills it */
    ATA_DMA_IN,  /* ready to be moved when the controller is */
    ATA_DMA_OUT,
};

struct ata_drive;

struct ata_channel {
    struct device *controller;
    unsigned number;
    bool single;                 /* SATA: there is no drive 1 */
    struct ata_drive *drives[2]; /* NULL: none there */
    /* INTRQ of the selected drive. */
    void (*interrupt)(struct ata_channel *c, struct ata_drive *drive, bool level);
    /* The next bytes of the controller's scatter list; returns how many it had. */
    uint32_t (*transfer)(struct ata_channel *c, uint8_t *buffer, uint32_t size, bool to_memory);
    bool (*dma_ready)(struct ata_channel *c);
    /* DRQ is set for PIO; NULL: the guest moves the data itself. */
    void (*data_ready)(struct ata_channel *c, struct ata_drive *drive);
    /* The command has ended, after its interrupt. */
    void (*finished)(struct ata_channel *c, struct ata_drive *drive);
};

struct ata_drive {
    struct device *device;
    struct ata_channel *channel;
    struct block *block;
    unsigned unit;
    bool is_cd;
    char serial[21];
    /* Task file; [1] is what was written before (48-bit commands). */
    uint8_t feature[2], count[2], low[2], mid[2], high[2];
    uint8_t select, status, error, command, control;
    bool interrupt;
    /* Settings. */
    uint8_t multiple, udma, mwdma, power;
    uint16_t heads, sectors_per_track;
    bool write_cache, smart;
    /* The transfer. */
    uint8_t phase;
    bool dma, wide, verify_only;
    bool fua; /* of a write: on stable storage before its end */
    uint64_t sector;
    uint32_t left, now; /* sectors: of the command, of the piece in the buffer */
    uint32_t per_block; /* of a PIO block */
    uint32_t at, end;   /* bytes of the buffer */
    uint8_t *buffer;
    struct block_request request;
    /* ATAPI. */
    bool packet_phase, locked, tray_open;
    uint32_t medium_seen; /* block_medium_changes that the guest knows of */
    uint8_t packet[12];
    uint8_t sense_key, sense_code, sense_qualifier;
    uint32_t byte_limit, reply; /* bytes in the buffer */
};

/* ---- for controllers ---- */
bool ata_channel_add(struct ata_channel *c, struct device *controller, unsigned number,
                     struct error *err);
void ata_channel_reset(struct ata_channel *c); /* hardware reset of both drives */
/* The command block: registers 0 to 7. size counts for the data register only. */
uint32_t ata_read(struct ata_channel *c, unsigned reg, unsigned size);
void ata_write(struct ata_channel *c, unsigned reg, uint32_t value, unsigned size);
uint8_t ata_alternate_status(struct ata_channel *c);
void ata_device_control(struct ata_channel *c, uint8_t value);
/* The controller can move DMA data now. */
void ata_dma_start(struct ata_channel *c);
/* The whole task file at once, then its command (AHCI). */
void ata_issue(struct ata_drive *drive, uint8_t command);
/* Data of the block that data_ready spoke of; ends it when all is moved. */
uint32_t ata_pio_in(struct ata_drive *drive, uint8_t *out, uint32_t size);
uint32_t ata_pio_out(struct ata_drive *drive, const uint8_t *in, uint32_t size);
struct ata_drive *ata_selected(struct ata_channel *c); /* NULL: not there */
void ata_drive_reset(struct ata_drive *drive);         /* as SRST: with its signature */
/* 1 to 65536 sectors of a disk from `sector` by DMA (NCQ), as if by READ DMA EXT, WRITE DMA EXT or
 * WRITE DMA FUA EXT. */
void ata_dma_command(struct ata_drive *drive, bool write, bool fua, uint64_t sector,
                     uint32_t n_sectors);

/* ---- between ata.c and atapi.c ---- */
void ata_finish(struct ata_drive *drive); /* good; with interrupt */
void ata_fail(struct ata_drive *drive, uint8_t error);
void ata_set_interrupt(struct ata_drive *drive, bool level);
void ata_present(struct ata_drive *drive, enum ata_phase phase, uint32_t at, uint32_t end);
void ata_submit(struct ata_drive *drive, enum block_operation operation, uint64_t sector,
                uint32_t n_sectors, void (*done)(struct block_request *request, int error));
void atapi_packet(struct ata_drive *drive);   /* all twelve bytes are there */
void atapi_continue(struct ata_drive *drive); /* what was presented has been moved */
void atapi_identify(struct ata_drive *drive, uint16_t *words);
void ata_string(uint16_t *words, unsigned n_words, const char *text);

#endif
