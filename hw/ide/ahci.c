/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Serial ATA AHCI 1.3, as ICH9's function has it: six ports, one drive each, 32 slots. Queued
 * commands (NCQ) are carried out one after the other, which the protocol leaves to the drive. Not
 * there: port multipliers, command completion coalescing, enclosure management, the index/data port
 * pair.
 */
#include <string.h>

#include "hw/ide/ata.h"
#include "hw/machine.h"
#include "hw/pci/pci.h"
#include "util/bits.h"

enum { N_PORTS = 6, N_SLOTS = 32, PORT_BASE = 0x100, PORT_SIZE = 0x80, REGION_SIZE = 0x1000 };
enum { HBA_CAP = 0x00, HBA_GHC = 0x04, HBA_IS = 0x08, HBA_PI = 0x0c, HBA_VS = 0x10 };
#define CAPABILITIES                                                                               \
    (0xc0140000u | (N_SLOTS - 1) << 8 | (N_PORTS - 1)) /* 64 bits, NCQ, AHCI only */
#define GHC_AE 0x80000000u
enum { GHC_HR = 1, GHC_IE = 2, VERSION = 0x00010000 };
enum port_register {
    PX_CLB = 0x00,
    PX_CLBU = 0x04,
    PX_FB = 0x08,
    PX_FBU = 0x0c,
    PX_IS = 0x10,
    PX_IE = 0x14,
    PX_CMD = 0x18,
    PX_TFD = 0x20,
    PX_SIG = 0x24,
    PX_SSTS = 0x28,
    PX_SCTL = 0x2c,
    PX_SERR = 0x30,
    PX_SACT = 0x34,
    PX_CI = 0x38,
};
enum {
    CMD_ST = 1 << 0,
    CMD_SUD = 1 << 1,
    CMD_POD = 1 << 2,
    CMD_CLO = 1 << 3,
    CMD_FRE = 1 << 4,
    CMD_FR = 1 << 14,
    CMD_CR = 1 << 15,
    CMD_ATAPI = 1 << 24,
    CMD_WRITABLE = CMD_ST | CMD_SUD | CMD_POD | CMD_FRE | CMD_ATAPI | 0x0e000000,
};
enum { IS_DHRS = 1 << 0, IS_PSS = 1 << 1, IS_SDBS = 1 << 3, IS_TFES = 1 << 30 };
enum { FIS_H2D = 0x27, FIS_D2H = 0x34, FIS_PIO = 0x5f, FIS_SDB = 0xa1, FIS_INTERRUPT = 0x40 };
enum { RX_PIO = 0x20, RX_D2H = 0x40, RX_SDB = 0x58 };
enum { READ_QUEUED = 0x60, WRITE_QUEUED = 0x61, TABLE_ACMD = 0x40, TABLE_PRDT = 0x80 };
enum { NO_SLOT = -1 };

struct port {
    struct ata_channel channel;
    uint64_t command_list, fis;
    uint32_t is, ie, cmd, sctl, serr, sact, ci;
    /* The command in progress. */
    int32_t slot;
    uint32_t entries, next_entry; /* of its scatter list */
    uint64_t table, address;
    uint32_t left, moved;
    bool queued, pio_in, soft_reset;
    bool busy; /* in port_run or port_pump, further up the stack */
};

struct ahci {
    struct port ports[N_PORTS];
    uint32_t ghc, is;
};

static struct port *port_of(struct ata_channel *c)
{
    return &((struct ahci *)c->controller->state)->ports[c->number];
}

static struct ata_drive *drive_of(struct port *p)
{
    return p->channel.drives[0];
}

/* ---- interrupts -------------------------------------------------------------------------------
 */

static void interrupt_update(struct device *d)
{
    struct ahci *a = d->state;

    for (unsigned i = 0; i < N_PORTS; i++) {
        if (a->ports[i].is & a->ports[i].ie)
            a->is |= 1u << i;
    }
    pci_irq(d, a->is && (a->ghc & GHC_IE));
}

/* ---- FISes to memory (10.5) --------------------------------------------------------------------
 */

static void fis_write(struct port *p, unsigned where, const uint8_t *fis, unsigned size)
{
    if (p->cmd & CMD_FRE)
        pci_dma_write(p->channel.controller, p->fis + where, fis, size);
}

static void fis_fill(const struct ata_drive *drive, uint8_t *fis, uint8_t type)
{
    memset(fis, 0, 20);
    fis[0] = type;
    fis[1] = FIS_INTERRUPT;
    fis[2] = drive->status;
    fis[3] = drive->error;
    fis[4] = drive->low[0];
    fis[5] = drive->mid[0];
    fis[6] = drive->high[0];
    fis[7] = drive->select;
    fis[8] = drive->low[1];
    fis[9] = drive->mid[1];
    fis[10] = drive->high[1];
    fis[12] = drive->count[0];
    fis[13] = drive->count[1];
}

static void send_registers(struct port *p)
{
    const struct ata_drive *drive = drive_of(p);
    uint8_t fis[20];

    fis_fill(drive, fis, FIS_D2H);
    fis_write(p, RX_D2H, fis, sizeof(fis));
    p->is |= IS_DHRS;
}

static void send_pio_setup(struct port *p)
{
    const struct ata_drive *drive = drive_of(p);
    uint8_t fis[20];

    fis_fill(drive, fis, FIS_PIO);
    if (drive->phase == ATA_PIO_IN)
        fis[1] |= 0x20;
    fis[15] = (uint8_t)(drive->status & ~ATA_DRQ); /* when the data is through */
    store_le16(fis + 16, (uint16_t)(drive->end - drive->at));
    fis_write(p, RX_PIO, fis, sizeof(fis));
}

static void send_device_bits(struct port *p, uint32_t finished)
{
    const struct ata_drive *drive = drive_of(p);
    uint8_t fis[8] = {FIS_SDB, FIS_INTERRUPT, drive->status & 0x77, drive->error};

    store_le32(fis + 4, finished);
    fis_write(p, RX_SDB, fis, sizeof(fis));
    p->is |= IS_SDBS;
}

/* ---- data --------------------------------------------------------------------------------------
 */

static bool fetch_entry(struct port *p)
{
    uint8_t entry[16];

    if (p->next_entry >= p->entries ||
        !pci_dma_read(p->channel.controller, p->table + TABLE_PRDT + 16ull * p->next_entry, entry,
                      sizeof(entry)))
        return false;
    p->next_entry++;
    p->address = load_le64(entry) & ~UINT64_C(1);
    p->left = (load_le32(entry + 12) & 0x3fffff) + 1;
    return true;
}

static uint32_t port_transfer(struct ata_channel *c, uint8_t *buffer, uint32_t size, bool to_memory)
{
    struct port *p = port_of(c);
    uint32_t done = 0;

    while (done < size) {
        if (!p->left && !fetch_entry(p))
            break;
        uint32_t here = MIN(size - done, p->left);
        if (to_memory)
            pci_dma_write(c->controller, p->address, buffer + done, here);
        else
            pci_dma_read(c->controller, p->address, buffer + done, here);
        p->address += here;
        p->left -= here;
        done += here;
    }
    p->moved += done;
    return done;
}

static bool port_dma_ready(struct ata_channel *c)
{
    return port_of(c)->slot != NO_SLOT;
}

static void packet_move(struct port *p, struct ata_drive *drive)
{
    uint8_t packet[sizeof(drive->packet)];

    pci_dma_read(p->channel.controller, p->table + TABLE_ACMD, packet, sizeof(packet));
    ata_pio_out(drive, packet, sizeof(packet));
}

/* One PIO block between the scatter list and the drive. */
static void pio_move(struct port *p, struct ata_drive *drive)
{
    bool in = drive->phase == ATA_PIO_IN;
    uint32_t size = drive->end - drive->at;
    uint8_t piece[ATA_SECTOR];

    send_pio_setup(p);
    p->pio_in |= in;
    if (drive->packet_phase) {
        packet_move(p, drive);
        return;
    }
    while (size) {
        uint32_t here = MIN(size, (uint32_t)sizeof(piece));
        if (!in && port_transfer(&p->channel, piece, here, false) < here) {
            ata_fail(drive, ATA_ABRT);
            return;
        }
        size -= here;
        if (!in) {
            ata_pio_out(drive, piece, here);
            continue;
        }
        /* Into memory before the drive goes on, as it may end the command. */
        memcpy(piece, drive->buffer + drive->at, here);
        if (port_transfer(&p->channel, piece, here, true) < here) {
            ata_fail(drive, ATA_ABRT);
            return;
        }
        ata_pio_in(drive, piece, here);
    }
}

/* ---- commands ----------------------------------------------------------------------------------
 */

static void task_file(struct ata_drive *drive, const uint8_t *fis)
{
    drive->feature[0] = fis[3];
    drive->low[0] = fis[4];
    drive->mid[0] = fis[5];
    drive->high[0] = fis[6];
    drive->select = fis[7] & 0x4f;
    drive->low[1] = fis[8];
    drive->mid[1] = fis[9];
    drive->high[1] = fis[10];
    drive->feature[1] = fis[11];
    drive->count[0] = fis[12];
    drive->count[1] = fis[13];
}

static void slot_done(struct port *p)
{
    p->ci &= ~(1u << p->slot);
    p->slot = NO_SLOT;
}

/* A FIS that updates the control register: software reset, then the signature. */
static void control_fis(struct port *p, struct ata_drive *drive, uint8_t control)
{
    bool reset = control & 4;

    if (p->soft_reset && !reset) {
        ata_drive_reset(drive);
        send_registers(p);
    }
    p->soft_reset = reset;
    slot_done(p);
}

static void command_start(struct port *p, const uint8_t *fis)
{
    struct ata_drive *drive = drive_of(p);

    if (!(fis[1] & 0x80)) {
        control_fis(p, drive, fis[15]);
        return;
    }
    task_file(drive, fis);
    p->queued = (fis[2] == READ_QUEUED || fis[2] == WRITE_QUEUED) && !drive->is_cd;
    if (!p->queued) {
        ata_issue(drive, fis[2]);
        return;
    }
    /* The count is where the features are. */
    uint32_t n = fis[3] | (uint32_t)fis[11] << 8;
    uint64_t sector = load_le32(fis + 4) & 0xffffff;
    sector |= (uint64_t)fis[8] << 24 | (uint64_t)fis[9] << 32 | (uint64_t)fis[10] << 40;
    drive->command = fis[2];
    ata_dma_command(drive, fis[2] == WRITE_QUEUED, fis[7] & 0x80, sector, n ? n : 65536);
}

static bool slot_fetch(struct port *p, unsigned slot)
{
    struct device *d = p->channel.controller;
    uint8_t header[32], fis[64];

    if (!pci_dma_read(d, p->command_list + slot * sizeof(header), header, sizeof(header)))
        return false;
    p->slot = (int32_t)slot;
    p->entries = load_le16(header + 2);
    p->table = load_le64(header + 8) & ~UINT64_C(0x7f);
    p->next_entry = p->left = p->moved = 0;
    p->queued = p->pio_in = false;
    if (!pci_dma_read(d, p->table, fis, sizeof(fis)) || fis[0] != FIS_H2D) {
        log_printf(LOG_GUEST_ERROR, "%s: no command in slot %u\n", d->id, slot);
        slot_done(p);
        return true;
    }
    command_start(p, fis);
    return true;
}

/* Moves what the drive presents and starts what waits, until the host's disk has to work. All calls
 * from within come back here, so that nothing the guest asks for grows the stack. */
static void port_run(struct port *p)
{
    struct ata_drive *drive = drive_of(p);

    if (p->busy || !drive)
        return;
    p->busy = true;
    for (;;) {
        if (p->slot != NO_SLOT && (drive->phase == ATA_PIO_IN || drive->phase == ATA_PIO_OUT)) {
            pio_move(p, drive);
            continue;
        }
        /* After an error the port stands until software restarts it (6.2.2). */
        if (p->slot != NO_SLOT || !p->ci || !(p->cmd & CMD_ST) || (p->is & IS_TFES))
            break;
        if (!slot_fetch(p, (unsigned)__builtin_ctz(p->ci)))
            break;
    }
    p->busy = false;
    interrupt_update(p->channel.controller);
}

static void port_data_ready(struct ata_channel *c, struct ata_drive *drive)
{
    port_run(port_of(c));
}

static void port_finished(struct ata_channel *c, struct ata_drive *drive)
{
    struct port *p = port_of(c);
    uint32_t bit, moved = p->moved;
    uint8_t count[4];

    if (p->slot == NO_SLOT)
        return;
    bit = 1u << p->slot;
    store_le32(count, moved);
    pci_dma_write(c->controller, p->command_list + (uint32_t)p->slot * 32 + 4, count, 4);
    if (drive->status & ATA_ERR) {
        send_registers(p);
        p->is |= IS_TFES;
        p->slot = NO_SLOT; /* PxCI keeps its bit */
    } else {
        if (p->queued) {
            p->sact &= ~bit;
            send_device_bits(p, bit);
        } else {
            send_registers(p);
            p->is |= p->pio_in ? IS_PSS : 0;
        }
        slot_done(p);
    }
    port_run(p);
}

/* Interrupts are FISes here. */
static void port_interrupt(struct ata_channel *c, struct ata_drive *drive, bool level)
{
}

/* ---- registers ---------------------------------------------------------------------------------
 */

static void port_stop(struct port *p)
{
    struct ata_drive *drive = drive_of(p);

    p->slot = NO_SLOT;
    p->ci = p->sact = 0;
    if (!drive)
        return;
    block_cancel(drive->block, &drive->request);
    drive->phase = ATA_IDLE;
    drive->status &= (uint8_t) ~(ATA_BSY | ATA_DRQ);
}

static void port_reset(struct port *p)
{
    port_stop(p);
    p->serr = 0;
    p->soft_reset = false;
    if (drive_of(p)) {
        ata_drive_reset(drive_of(p));
        send_registers(p);
    }
}

static void port_command_write(struct port *p, uint32_t value)
{
    bool stops = (p->cmd & CMD_ST) && !(value & CMD_ST);

    p->cmd = value & CMD_WRITABLE;
    if (stops || (value & CMD_CLO))
        port_stop(p);
    port_run(p);
}

static uint32_t port_read(struct port *p, unsigned reg)
{
    const struct ata_drive *drive = drive_of(p);

    switch ((enum port_register)reg) {
    case PX_CLB:
        return (uint32_t)p->command_list;
    case PX_CLBU:
        return (uint32_t)(p->command_list >> 32);
    case PX_FB:
        return (uint32_t)p->fis;
    case PX_FBU:
        return (uint32_t)(p->fis >> 32);
    case PX_IS:
        return p->is;
    case PX_IE:
        return p->ie;
    case PX_CMD:
        return p->cmd | (p->cmd & CMD_ST ? CMD_CR : 0) | (p->cmd & CMD_FRE ? CMD_FR : 0) |
               (p->slot != NO_SLOT ? (uint32_t)p->slot << 8 : 0);
    case PX_TFD:
        return drive ? (drive->status | (uint32_t)drive->error << 8) : 0x7f;
    case PX_SIG:
        return !drive ? 0xffffffff : drive->is_cd ? 0xeb140101 : 0x00000101;
    case PX_SSTS:
        return !drive || (p->sctl & 0xf) == 4 ? 0 : (p->sctl & 0xf) == 1 ? 0 : 0x113;
    case PX_SCTL:
        return p->sctl;
    case PX_SERR:
        return p->serr;
    case PX_SACT:
        return p->sact;
    case PX_CI:
        return p->ci;
    }
    return 0;
}

static void set_low(uint64_t *address, uint32_t value, uint32_t align)
{
    *address = (*address & ~UINT64_C(0xffffffff)) | (value & ~(align - 1));
}

static void set_high(uint64_t *address, uint32_t value)
{
    *address = (*address & 0xffffffff) | (uint64_t)value << 32;
}

static void port_write(struct port *p, unsigned reg, uint32_t value)
{
    uint32_t before;

    switch ((enum port_register)reg) {
    case PX_CLB:
        set_low(&p->command_list, value, 1024);
        break;
    case PX_CLBU:
        set_high(&p->command_list, value);
        break;
    case PX_FB:
        set_low(&p->fis, value, 256);
        break;
    case PX_FBU:
        set_high(&p->fis, value);
        break;
    case PX_IS:
        p->is &= ~value;
        break;
    case PX_IE:
        p->ie = value & 0xfdc000ff;
        break;
    case PX_CMD:
        port_command_write(p, value);
        break;
    case PX_SCTL:
        before = p->sctl;
        p->sctl = value & 0xfff;
        if ((before & 0xf) == 1 && (value & 0xf) == 0)
            port_reset(p);
        break;
    case PX_SERR:
        p->serr &= ~value;
        break;
    case PX_SACT:
        if (p->cmd & CMD_ST)
            p->sact |= value;
        break;
    case PX_CI:
        if (p->cmd & CMD_ST && drive_of(p))
            p->ci |= value;
        port_run(p);
        break;
    default:
        break;
    }
}

static void hba_reset(struct device *d)
{
    struct ahci *a = d->state;

    for (unsigned i = 0; i < N_PORTS; i++) {
        struct port *p = &a->ports[i];
        port_stop(p);
        p->command_list = p->fis = 0;
        p->is = p->ie = p->sctl = p->serr = 0;
        p->cmd = CMD_SUD | CMD_POD;
        p->soft_reset = false;
        if (drive_of(p))
            ata_drive_reset(drive_of(p));
    }
    a->ghc = GHC_AE;
    a->is = 0;
    interrupt_update(d);
}

static uint64_t ahci_read(struct device *d, uint64_t offset, unsigned size)
{
    struct ahci *a = d->state;

    if (offset >= PORT_BASE && offset < PORT_BASE + N_PORTS * PORT_SIZE)
        return port_read(&a->ports[(offset - PORT_BASE) / PORT_SIZE], offset % PORT_SIZE);
    switch (offset) {
    case HBA_CAP:
        return CAPABILITIES;
    case HBA_GHC:
        return a->ghc;
    case HBA_IS:
        return a->is;
    case HBA_PI:
        return (1u << N_PORTS) - 1;
    case HBA_VS:
        return VERSION;
    default:
        return 0;
    }
}

static void ahci_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    struct ahci *a = d->state;

    if (offset >= PORT_BASE && offset < PORT_BASE + N_PORTS * PORT_SIZE) {
        port_write(&a->ports[(offset - PORT_BASE) / PORT_SIZE], offset % PORT_SIZE,
                   (uint32_t)value);
    } else if (offset == HBA_GHC) {
        if (value & GHC_HR)
            hba_reset(d);
        else
            a->ghc = GHC_AE | (value & GHC_IE);
    } else if (offset == HBA_IS) {
        a->is &= ~(uint32_t)value;
        pci_irq(d, false); /* so that a message follows for what is still there */
    }
    interrupt_update(d);
}

/* ---- device ------------------------------------------------------------------------------------
 */

static bool ahci_init(struct device *d, struct error *err)
{
    enum { MSI = 0x80, SATA = 0xa8, CAPABILITY_SATA = 0x12 };
    struct ahci *a = d->state;

    pci_set(d, PCI_STATUS, 2, 0x0280);
    pci_set(d, 0x90, 1, 0x40); /* address map: AHCI */
    pci_add_msi(d, MSI);
    pci_add_capability(d, CAPABILITY_SATA, SATA);
    pci_set(d, SATA + 2, 2, 0x10);
    for (unsigned i = 0; i < N_PORTS; i++) {
        a->ports[i].slot = NO_SLOT;
        a->ports[i].channel = (struct ata_channel){
            .single = true,
            .interrupt = port_interrupt,
            .transfer = port_transfer,
            .dma_ready = port_dma_ready,
            .data_ready = port_data_ready,
            .finished = port_finished,
        };
        if (!ata_channel_add(&a->ports[i].channel, d, i, err)) {
            machine_remove_buses(d->machine, d);
            return false;
        }
    }
    return true;
}

static void ahci_finish(struct device *d)
{
    machine_remove_buses(d->machine, d);
}

#define PORT_FIELD(n, member, kind) DEVICE_KEPT(struct ahci, ports[n].member, kind)
#define PORT_FIELDS(n)                                                                             \
    PORT_FIELD(n, command_list, DEVICE_U64), PORT_FIELD(n, fis, DEVICE_U64),                       \
        PORT_FIELD(n, is, DEVICE_U32), PORT_FIELD(n, ie, DEVICE_U32),                              \
        PORT_FIELD(n, cmd, DEVICE_U32), PORT_FIELD(n, sctl, DEVICE_U32),                           \
        PORT_FIELD(n, serr, DEVICE_U32), PORT_FIELD(n, sact, DEVICE_U32),                          \
        PORT_FIELD(n, ci, DEVICE_U32), PORT_FIELD(n, slot, DEVICE_U32),                            \
        PORT_FIELD(n, entries, DEVICE_U32), PORT_FIELD(n, next_entry, DEVICE_U32),                 \
        PORT_FIELD(n, table, DEVICE_U64), PORT_FIELD(n, address, DEVICE_U64),                      \
        PORT_FIELD(n, left, DEVICE_U32), PORT_FIELD(n, moved, DEVICE_U32),                         \
        PORT_FIELD(n, queued, DEVICE_BOOL), PORT_FIELD(n, pio_in, DEVICE_BOOL),                    \
        PORT_FIELD(n, soft_reset, DEVICE_BOOL)
/* hba_reset puts them back, after it has stopped what goes on. */
static const struct device_field ahci_fields[] = {
    PORT_FIELDS(0),
    PORT_FIELDS(1),
    PORT_FIELDS(2),
    PORT_FIELDS(3),
    PORT_FIELDS(4),
    PORT_FIELDS(5),
    DEVICE_KEPT(struct ahci, ghc, DEVICE_U32),
    DEVICE_KEPT(struct ahci, is, DEVICE_U32),
};

static const struct device_region ahci_regions[] = {
    {"ahci", REGION_SIZE, 4, 4, ahci_read, ahci_write, .bar = DEVICE_BAR(5)},
};

static const struct pci_class ahci_pci = {
    .vendor = 0x8086,
    .device = 0x2922,
    .class_code = 0x010601,
    .revision = 2,
    .interrupt_pin = 1,
};

static const struct device_class ahci_class = {
    .name = "ich9-ahci",
    .description = "ICH9 AHCI controller",
    .manual = "Serial ATA AHCI 1.3; Intel ICH9 (316972)",
    .pci = &ahci_pci,
    .state_size = sizeof(struct ahci),
    .regions = ahci_regions,
    .n_regions = ARRAY_SIZE(ahci_regions),
    .fields = ahci_fields,
    .n_fields = ARRAY_SIZE(ahci_fields),
    .init = ahci_init,
    .reset = hba_reset,
    .finish = ahci_finish,
};
REGISTER(device_class, ahci_class);
