/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The IDE function of PIIX3 (82371SB, 290550) and PIIX4 (82371AB, 290562), which differ in what
 * they say of timing: two channels at their legacy ports, which the I/O enable bit and each
 * channel's IDETIM decode bit switch, and bus mastering through BAR 4 (Programming Interface for
 * Bus Master IDE Controller 1.0). Outputs 0 and 1 are interrupts 14 and 15.
 */
#include "hw/ide/ata.h"
#include "hw/machine.h"
#include "hw/pci/pci.h"
#include "util/bits.h"

enum { N_CHANNELS = 2, IDETIM = 0x40, IDETIM_DECODE = 0x80 };
enum { SIDETIM = 0x44, UDMACTL = 0x48, UDMATIM = 0x4a, PIIX4_DEVICE = 0x7111 };
enum { REGION_BLOCK, REGION_CONTROL = REGION_BLOCK + N_CHANNELS };
enum { BM_COMMAND = 0, BM_STATUS = 2, BM_TABLE = 4, BM_SIZE = 8 };
enum { BM_START = 1, BM_TO_MEMORY = 8 };
enum { BM_ACTIVE = 1, BM_ERROR = 2, BM_INTERRUPT = 4, BM_CAPABLE = 0x60 };
enum { PRD_LAST = 0x80 };

struct master {
    uint8_t command, status;
    uint32_t table; /* as written */
    uint32_t next;  /* the entry to read next */
    uint32_t address, left;
    bool last;
};

struct piix_ide {
    struct ata_channel channels[N_CHANNELS];
    struct master masters[N_CHANNELS];
};

static struct master *master_of(struct ata_channel *c)
{
    struct piix_ide *p = c->controller->state;

    return &p->masters[c->number];
}

/* ---- bus mastering ----------------------------------------------------------------------------
 */

static bool fetch_entry(struct device *d, struct master *m)
{
    uint8_t entry[8];

    if (m->last || !pci_dma_read(d, m->next, entry, sizeof(entry)))
        return false;
    m->next += sizeof(entry);
    m->address = load_le32(entry) & ~1u;
    m->left = load_le16(entry + 4) & ~1u;
    if (!m->left)
        m->left = 0x10000;
    m->last = entry[7] & PRD_LAST;
    return true;
}

static uint32_t channel_transfer(struct ata_channel *c, uint8_t *buffer, uint32_t size,
                                 bool to_memory)
{
    struct device *d = c->controller;
    struct master *m = master_of(c);
    uint32_t done = 0;

    while (done < size) {
        if (!m->left && !fetch_entry(d, m))
            break;
        uint32_t here = MIN(size - done, m->left);
        bool ok = to_memory ? pci_dma_write(d, m->address, buffer + done, here)
                            : pci_dma_read(d, m->address, buffer + done, here);
        if (!ok)
            m->status |= BM_ERROR;
        m->address += here;
        m->left -= here;
        done += here;
    }
    if (done < size)
        m->status &= (uint8_t)~BM_ACTIVE;
    return done;
}

static bool channel_dma_ready(struct ata_channel *c)
{
    return (master_of(c)->command & BM_START) && pci_is_master(c->controller);
}

/* 3.1: active falls when both the table and the drive are done. */
static void channel_finished(struct ata_channel *c, struct ata_drive *drive)
{
    struct master *m = master_of(c);

    if (m->last && !m->left)
        m->status &= (uint8_t)~BM_ACTIVE;
}

static void channel_interrupt(struct ata_channel *c, struct ata_drive *drive, bool level)
{
    if (drive != ata_selected(c))
        return;
    if (level)
        master_of(c)->status |= BM_INTERRUPT;
    device_irq(c->controller, c->number, level);
}

static uint64_t master_read(struct device *d, uint64_t offset, unsigned size)
{
    const struct piix_ide *p = d->state;
    const struct master *m = &p->masters[offset / BM_SIZE];
    unsigned reg = offset % BM_SIZE;

    if (reg >= BM_TABLE)
        return m->table >> 8 * (reg - BM_TABLE);
    return (m->command | m->status << 16) >> 8 * reg;
}

static void command_write(struct ata_channel *c, struct master *m, uint8_t value)
{
    bool starts = (value & BM_START) && !(m->command & BM_START);

    m->command = value & (BM_START | BM_TO_MEMORY);
    if (!(value & BM_START))
        m->status &= (uint8_t)~BM_ACTIVE;
    if (!starts)
        return;
    m->next = m->table;
    m->left = 0;
    m->last = false;
    m->status |= BM_ACTIVE;
    ata_dma_start(c);
}

static void master_write_byte(struct device *d, unsigned offset, uint8_t value)
{
    struct piix_ide *p = d->state;
    struct master *m = &p->masters[offset / BM_SIZE];
    unsigned reg = offset % BM_SIZE;

    if (reg == BM_COMMAND) {
        command_write(&p->channels[offset / BM_SIZE], m, value);
    } else if (reg == BM_STATUS) {
        m->status &= (uint8_t) ~(value & (BM_ERROR | BM_INTERRUPT));
        m->status = (uint8_t)((m->status & ~BM_CAPABLE) | (value & BM_CAPABLE));
    } else if (reg >= BM_TABLE) {
        unsigned shift = 8 * (reg - BM_TABLE);
        m->table = ((m->table & ~(0xffu << shift)) | (uint32_t)value << shift) & ~3u;
    }
}

static void master_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    for (unsigned i = 0; i < size; i++)
        master_write_byte(d, (unsigned)offset + i, (uint8_t)(value >> 8 * i));
}

/* ---- legacy ports -----------------------------------------------------------------------------
 */

static uint64_t block_read(struct device *d, unsigned number, uint64_t offset, unsigned size)
{
    struct piix_ide *p = d->state;
    uint64_t value = 0;

    if (offset == ATA_DATA)
        return ata_read(&p->channels[number], ATA_DATA, size);
    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)ata_read(&p->channels[number], (unsigned)offset + i, 1) << 8 * i;
    return value;
}

static void block_write(struct device *d, unsigned number, uint64_t offset, uint64_t value,
                        unsigned size)
{
    struct piix_ide *p = d->state;

    if (offset == ATA_DATA) {
        ata_write(&p->channels[number], ATA_DATA, (uint32_t)value, size);
        return;
    }
    for (unsigned i = 0; i < size; i++)
        ata_write(&p->channels[number], (unsigned)offset + i, (uint8_t)(value >> 8 * i), 1);
}

#define CHANNEL_PORTS(name, number)                                                                \
    static uint64_t name##_read(struct device *d, uint64_t offset, unsigned size)                  \
    {                                                                                              \
        return block_read(d, number, offset, size);                                                \
    }                                                                                              \
    static void name##_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)     \
    {                                                                                              \
        block_write(d, number, offset, value, size);                                               \
    }                                                                                              \
    static uint64_t name##_status(struct device *d, uint64_t offset, unsigned size)                \
    {                                                                                              \
        return ata_alternate_status(&((struct piix_ide *)d->state)->channels[number]);             \
    }                                                                                              \
    static void name##_control(struct device *d, uint64_t offset, uint64_t value, unsigned size)   \
    {                                                                                              \
        ata_device_control(&((struct piix_ide *)d->state)->channels[number], (uint8_t)value);      \
    }
CHANNEL_PORTS(primary, 0)
CHANNEL_PORTS(secondary, 1)

static void decode_update(struct device *d)
{
    static const gpa blocks[N_CHANNELS] = {0x1f0, 0x170}, controls[N_CHANNELS] = {0x3f6, 0x376};

    for (unsigned i = 0; i < N_CHANNELS; i++) {
        bool on = (pci_get(d, PCI_COMMAND, 2) & PCI_COMMAND_IO) &&
                  (d->pci->config[IDETIM + 2 * i + 1] & IDETIM_DECODE);
        device_place_if(d, REGION_BLOCK + i, blocks[i], on);
        device_place_if(d, REGION_CONTROL + i, controls[i], on);
    }
}

static void config_written(struct device *d, unsigned offset, unsigned size)
{
    if (offset < IDETIM + 4)
        decode_update(d);
}

/* ---- device -----------------------------------------------------------------------------------
 */

static bool piix_ide_init(struct device *d, struct error *err)
{
    struct piix_ide *p = d->state;

    pci_set(d, PCI_STATUS, 2, 0x0280);
    pci_set_writable(d, PCI_COMMAND, 2, PCI_COMMAND_IO | PCI_COMMAND_MASTER);
    pci_set_writable(d, PCI_INTERRUPT_LINE, 1, 0);
    pci_set_writable(d, IDETIM, 4, 0xffffffff);
    pci_set_writable(d, SIDETIM, 1, 0xff);
    if (d->class->pci->device == PIIX4_DEVICE) {
        pci_set_writable(d, UDMACTL, 1, 0x0f);
        pci_set_writable(d, UDMATIM, 2, 0x3333);
    }
    for (unsigned i = 0; i < N_CHANNELS; i++) {
        p->channels[i] = (struct ata_channel){
            .interrupt = channel_interrupt,
            .transfer = channel_transfer,
            .dma_ready = channel_dma_ready,
            .finished = channel_finished,
        };
        if (!ata_channel_add(&p->channels[i], d, i, err)) {
            machine_remove_buses(d->machine, d);
            return false;
        }
    }
    return true;
}

static void piix_ide_reset(struct device *d)
{
    struct piix_ide *p = d->state;

    for (unsigned i = 0; i < N_CHANNELS; i++) {
        p->masters[i] = (struct master){0};
        ata_channel_reset(&p->channels[i]);
        device_irq(d, i, false);
    }
    decode_update(d);
}

static void piix_ide_finish(struct device *d)
{
    machine_remove_buses(d->machine, d);
}

#define MASTER(n, member, kind) DEVICE_KEPT(struct piix_ide, masters[n].member, kind)
static const struct device_field piix_ide_fields[] = {
    MASTER(0, command, DEVICE_U8), MASTER(0, status, DEVICE_U8),   MASTER(0, table, DEVICE_U32),
    MASTER(0, next, DEVICE_U32),   MASTER(0, address, DEVICE_U32), MASTER(0, left, DEVICE_U32),
    MASTER(0, last, DEVICE_BOOL),  MASTER(1, command, DEVICE_U8),  MASTER(1, status, DEVICE_U8),
    MASTER(1, table, DEVICE_U32),  MASTER(1, next, DEVICE_U32),    MASTER(1, address, DEVICE_U32),
    MASTER(1, left, DEVICE_U32),   MASTER(1, last, DEVICE_BOOL),
};
#undef MASTER

static const struct device_region piix_ide_regions[] = {
    {"ide0", 8, 1, 4, primary_read, primary_write, .port = true, .moves = true},
    {"ide1", 8, 1, 4, secondary_read, secondary_write, .port = true, .moves = true},
    {"ide0-control", 1, 1, 1, primary_status, primary_control, .port = true, .moves = true},
    {"ide1-control", 1, 1, 1, secondary_status, secondary_control, .port = true, .moves = true},
    {"bmdma", 16, 1, 4, master_read, master_write, .port = true, .bar = DEVICE_BAR(4)},
};

#define PIIX_IDE(piix, what, document, id)                                                         \
    static const struct pci_class piix##_ide_pci = {                                               \
        .vendor = 0x8086,                                                                          \
        .device = (id),                                                                            \
        .class_code = 0x010180,                                                                    \
        .config_written = config_written,                                                          \
    };                                                                                             \
    static const struct device_class piix##_ide_class = {                                          \
        .name = #piix "-ide",                                                                      \
        .description = what " IDE controller",                                                     \
        .manual = (document),                                                                      \
        .pci = &piix##_ide_pci,                                                                    \
        .state_size = sizeof(struct piix_ide),                                                     \
        .regions = piix_ide_regions,                                                               \
        .n_regions = ARRAY_SIZE(piix_ide_regions),                                                 \
        .fields = piix_ide_fields,                                                                 \
        .n_fields = ARRAY_SIZE(piix_ide_fields),                                                   \
        .n_irq_out = N_CHANNELS,                                                                   \
        .init = piix_ide_init,                                                                     \
        .reset = piix_ide_reset,                                                                   \
        .finish = piix_ide_finish,                                                                 \
    };                                                                                             \
    REGISTER(device_class, piix##_ide_class)
PIIX_IDE(piix3, "PIIX3", "Intel 82371SB (290550)", 0x7010);
PIIX_IDE(piix4, "PIIX4", "Intel 82371AB (290562)", PIIX4_DEVICE);
