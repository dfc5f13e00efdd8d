/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * AMD PCnet-PCI II Ethernet controller (Am79C970A, publication 19436): CSRs and BCRs through I/O
 * and memory BARs in word and double-word mode, initialization block, descriptor rings of all
 * software styles, loopback. No network is attached to the host side yet: the link is up, what is
 * transmitted reaches nobody, and nothing is received but in loopback.
 *
 * Not there: the serial EEPROM (the address PROM holds what it would have loaded), magic packets,
 * the suspend handshake's delay. Property mac: the address, 52:54:00:12:34:56 without it.
 */
#include <stdio.h>
#include <string.h>

#include "hw/pci/pci.h"
#include "util/bits.h"

enum { REGION_BYTES = 32, APROM_BYTES = 16, N_CSR = 128, N_BCR = 32, FRAME_MAX = 4096 };
enum port { PORT_RDP, PORT_RAP, PORT_RESET, PORT_BDP, PORT_NONE };

enum csr {
    CSR0 = 0,
    CSR_IADR = 1, /* 1, 2; also 16, 17 */
    CSR3 = 3,
    CSR4 = 4,
    CSR5 = 5,
    CSR_RING_LENGTHS = 6,
    CSR_LADRF = 8, /* to 11 */
    CSR_PADR = 12, /* to 14 */
    CSR_MODE = 15,
    CSR_IADR_ALIAS = 16,
    CSR_BADR = 24, /* receive ring */
    CSR_CRDA = 28, /* current receive descriptor */
    CSR_BADX = 30, /* transmit ring */
    CSR_CXDA = 34,
    CSR_STYLE = 58,
    CSR_RCVRC = 72, /* what is left of the rings, counted down */
    CSR_XMTRC = 74,
    CSR_RCVRL = 76, /* two's complement of their lengths */
    CSR_XMTRL = 78,
    CSR_FIFO = 80,
    CSR_DMABAT = 82,
    CSR_CHIP_ID = 88,
    CSR_MERRTO = 100,
    CSR_MFC = 112, /* frames missed, collisions received */
    CSR_RCC = 114,
    CSR_TEST = 124,
};
enum csr0_bit {
    INIT = 1 << 0,
    STRT = 1 << 1,
    STOP = 1 << 2,
    TDMD = 1 << 3,
    TXON = 1 << 4,
    RXON = 1 << 5,
    IENA = 1 << 6,
    INTR = 1 << 7,
    IDON = 1 << 8,
    TINT = 1 << 9,
    RINT = 1 << 10,
    MERR = 1 << 11,
    MISS = 1 << 12,
    CERR = 1 << 13,
    BABL = 1 << 14,
    ERR = 1 << 15,
    CSR0_EVENTS = 0x7f00,
    CSR0_INTERRUPTS = 0x5f00, /* all but CERR */
};
enum {
    CSR3_WRITABLE = 0x5f7c,
    CSR4_DPOLL = 1 << 12,
    CSR4_APAD_XMT = 1 << 11,
    CSR4_ASTRP_RCV = 1 << 10,
    CSR4_UINTCMD = 1 << 7,
    CSR4_UINT = 1 << 6,
    CSR4_TXSTRT = 1 << 3,
    CSR4_EVENTS = 0x026a, /* the bit to the right of each is its mask, but UINT has none */
    CSR4_MASKED_EVENTS = 0x022a,
    CSR4_WRITABLE = 0xfd95,
    CSR5_TOKINTD = 1 << 15,
    CSR5_LTINTEN = 1 << 14,
    CSR5_EVENTS = 0x0a90,
    CSR5_WRITABLE = 0xc56d,
    CSR5_SPND = 1 << 0,
    MODE_DRX = 1 << 0,
    MODE_DTX = 1 << 1,
    MODE_LOOP = 1 << 2,
    MODE_DXMTFCS = 1 << 3,
    MODE_DRCVPA = 1 << 13,
    MODE_DRCVBC = 1 << 14,
    MODE_PROM = 1 << 15,
    BCR2_APROMWE = 1 << 8,
    BCR_LNKST = 4,
    BCR_LEDOUT = 1 << 15,
    BCR_STYLE = 20,
    STYLE_SSIZE32 = 1 << 8,
};
/* Descriptors as software style 2 has them; other styles are converted. */
enum descriptor_bit {
    D_MORE_ONE_DEF = 7 << 26, /* of a frame sent: how hard it was */
    D_ENP = 1 << 24,
    D_STP = 1 << 25,
    D_BUFF_RX = 1 << 26,
    D_LTINT = 1 << 28,
    D_ADD_FCS = 1 << 29,
    D_ERR = 1 << 30,
    D_LAFM = 1 << 21,
    D_PAM = 1 << 22,
    D_BAM = 1 << 20,
    D_COUNT = 0xfff,
};
#define D_OWN 0x80000000u
enum { HEADER = 14, FRAME_LEAST = 60, FRAME_LONGEST = 1514, FCS = 4, LENGTH_PAD = 46 };
#define POLL_NS INT64_C(1966080) /* 65,536 periods of a 33 MHz clock */

struct pcnet {
    uint16_t csr[N_CSR], bcr[N_BCR];
    uint8_t aprom[APROM_BYTES];
    uint8_t rap;
    bool double_word;
    uint8_t frame[FRAME_MAX + FCS];
    uint32_t frame_bytes; /* gathered so far */
    bool in_frame;        /* between a start and an end of packet */
    struct timer poll;
};

struct descriptor {
    gpa at;
    uint32_t address, flags, status; /* buffer; OWN, bits and count; what the third word says */
};

static uint32_t pair(const struct pcnet *p, unsigned n)
{
    return p->csr[n] | (uint32_t)p->csr[n + 1] << 16;
}

static void set_pair(struct pcnet *p, unsigned n, uint32_t value)
{
    p->csr[n] = (uint16_t)value;
    p->csr[n + 1] = (uint16_t)(value >> 16);
}

/* ---- interrupt --------------------------------------------------------------------------------
 */

static void interrupt_update(struct device *d)
{
    struct pcnet *p = d->state;
    uint16_t *csr0 = &p->csr[CSR0], csr4 = p->csr[CSR4], csr5 = p->csr[CSR5];
    bool pending = (*csr0 & ~p->csr[CSR3] & CSR0_INTERRUPTS) != 0;

    pending |= (csr4 & CSR4_MASKED_EVENTS & ~(csr4 << 1)) || (csr4 & CSR4_UINT);
    pending |= (csr5 & CSR5_EVENTS & csr5 << 1) != 0;
    *csr0 = (uint16_t)(pending ? *csr0 | INTR : *csr0 & ~INTR);
    *csr0 = (uint16_t)(*csr0 & (BABL | CERR | MISS | MERR) ? *csr0 | ERR : *csr0 & ~ERR);
    pci_irq(d, pending && (*csr0 & IENA));
}

/* ---- descriptors ------------------------------------------------------------------------------
 * The style says how wide they are and in which order their words stand.
 */

static bool is_wide(const struct pcnet *p)
{
    return p->bcr[BCR_STYLE] & STYLE_SSIZE32;
}

static unsigned style(const struct pcnet *p)
{
    return p->bcr[BCR_STYLE] & 0xff;
}

/* In 16-bit style the upper byte of every address is CSR2's. */
static uint32_t wide_address(const struct pcnet *p, uint32_t address)
{
    return is_wide(p) ? address : (address & 0xffffff) | (uint32_t)(p->csr[2] & 0xff00) << 16;
}

static bool descriptor_read(struct device *d, gpa ring, unsigned index, struct descriptor *out)
{
    struct pcnet *p = d->state;
    uint8_t words[16];
    unsigned size = is_wide(p) ? 16 : 8, swap = style(p) == 3 ? 8 : 0;

    out->at = (ring + (uint64_t)index * size) & UINT32_MAX;
    if (!pci_dma_read(d, out->at, words, size))
        return false;
    if (is_wide(p)) {
        out->address = load_le32(words + swap);
        out->flags = load_le32(words + 4);
        out->status = load_le32(words + 8 - swap);
        return true;
    }
    out->address = wide_address(p, load_le16(words) | (uint32_t)words[2] << 16);
    out->flags = (uint32_t)words[3] << 24 | load_le16(words + 4);
    out->status = load_le16(words + 6);
    return true;
}

/* Status first, then the ownership, as the chip does it. `transmit`: the 16-bit style has the error
 * bits of a frame sent in the place of a count. */
static bool descriptor_give_back(struct device *d, const struct descriptor *what, bool transmit)
{
    struct pcnet *p = d->state;
    uint32_t flags = what->flags & ~D_OWN;
    uint8_t word[4];

    if (is_wide(p)) {
        store_le32(word, what->status);
        bool ok = pci_dma_write(d, what->at + (style(p) == 3 ? 0 : 8), word, 4);
        store_le32(word, flags);
        return ok && pci_dma_write(d, what->at + 4, word, 4);
    }
    store_le16(word, (uint16_t)(transmit ? what->status >> 16 : what->status));
    bool ok = pci_dma_write(d, what->at + 6, word, 2);
    word[0] = (uint8_t)(flags >> 24);
    return ok && pci_dma_write(d, what->at + 3, word, 1);
}

static unsigned buffer_bytes(const struct descriptor *what)
{
    return 0x1000 - (what->flags & D_COUNT);
}

/* Rings are counted down from their length; the entry at hand is as far from the end. */
static unsigned ring_length(const struct pcnet *p, unsigned length_csr)
{
    unsigned length = 0x10000u - p->csr[length_csr];

    return length & 0xffff ? length & 0xffff : 0x10000;
}

static unsigned ring_index(const struct pcnet *p, unsigned count_csr, unsigned length_csr)
{
    unsigned length = ring_length(p, length_csr), left = p->csr[count_csr];

    return left && left <= length ? length - left : 0;
}

static void ring_next(struct pcnet *p, unsigned count_csr, unsigned length_csr)
{
    unsigned index = ring_index(p, count_csr, length_csr) + 1, length = ring_length(p, length_csr);

    p->csr[count_csr] = (uint16_t)(index < length ? length - index : length);
}

static void memory_error(struct device *d)
{
    struct pcnet *p = d->state;

    log_printf(LOG_GUEST_ERROR, "pcnet: no memory where a descriptor or buffer should be\n");
    p->csr[CSR0] |= MERR;
}

/* ---- reception --------------------------------------------------------------------------------
 */

/* IEEE 802.3's frame check sequence, least significant bit first. */
static uint32_t frame_check(const uint8_t *data, unsigned size)
{
    uint32_t crc = UINT32_MAX;

    for (unsigned i = 0; i < size; i++) {
        crc ^= data[i];
        for (unsigned bit = 0; bit < 8; bit++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

/* Which of the filters takes the frame, as its bit of the descriptor; 0: none. */
static uint32_t filter(const struct pcnet *p, const uint8_t *frame)
{
    static const uint8_t broadcast[6] = {0xff, 0xff, 0xff, 0xff, 0xff, 0xff};
    uint16_t mode = p->csr[CSR_MODE];
    uint8_t own[6];

    for (unsigned i = 0; i < 3; i++)
        store_le16(own + 2 * i, p->csr[CSR_PADR + i]);
    if (!memcmp(frame, broadcast, 6) && !(mode & MODE_DRCVBC))
        return D_BAM;
    if (frame[0] & 1) {
        unsigned bit = ~frame_check(frame, 6) >> 26;
        if (p->csr[CSR_LADRF + bit / 16] >> bit % 16 & 1)
            return D_LAFM;
    } else if (!memcmp(frame, own, 6) && !(mode & MODE_DRCVPA)) {
        return D_PAM;
    }
    return mode & MODE_PROM ? UINT32_MAX : 0;
}

/* Puts the frame into as many buffers as it takes. */
static void store_frame(struct device *d, const uint8_t *frame, unsigned size, uint32_t match)
{
    struct pcnet *p = d->state;
    struct descriptor rd;
    unsigned done = 0;
    uint32_t first = D_STP;

    while (done < size || first) {
        unsigned index = ring_index(p, CSR_RCVRC, CSR_RCVRL);
        if (!descriptor_read(d, pair(p, CSR_BADR), index, &rd)) {
            memory_error(d);
            return;
        }
        set_pair(p, CSR_CRDA, (uint32_t)rd.at);
        if (!(rd.flags & D_OWN)) { /* before the first buffer: missed; later the rest is lost */
            p->csr[CSR0] |= MISS;
            p->csr[CSR_MFC]++;
            return;
        }
        unsigned here = MIN(size - done, buffer_bytes(&rd));
        if (!pci_dma_write(d, rd.address, frame + done, here)) {
            memory_error(d);
            return;
        }
        done += here;
        rd.flags &= D_OWN | 0xffff;
        rd.flags |= first | (match & (D_BAM | D_LAFM | D_PAM));
        first = 0;
        if (done == size) {
            rd.flags |= D_ENP;
            rd.status = size & D_COUNT;
        }
        ring_next(p, CSR_RCVRC, CSR_RCVRL);
        if (done < size) { /* is there a next one? The last that is ours says if not. */
            struct descriptor next;
            index = ring_index(p, CSR_RCVRC, CSR_RCVRL);
            if (!descriptor_read(d, pair(p, CSR_BADR), index, &next) || !(next.flags & D_OWN)) {
                rd.flags |= D_ERR | D_BUFF_RX | D_ENP;
                done = size;
            }
        }
        if (!descriptor_give_back(d, &rd, false)) {
            memory_error(d);
            return;
        }
    }
    p->csr[CSR0] |= RINT;
}

/* frame has room for the check sequence. */
static void receive(struct device *d, uint8_t *frame, unsigned size, bool with_check)
{
    struct pcnet *p = d->state;
    uint32_t match = size >= HEADER ? filter(p, frame) : 0;

    if (!(p->csr[CSR0] & RXON) || !match)
        return;
    unsigned length = (unsigned)frame[12] << 8 | frame[13];
    if ((p->csr[CSR4] & CSR4_ASTRP_RCV) && length < LENGTH_PAD && size >= HEADER + length) {
        size = HEADER + length; /* pad and check sequence are stripped */
    } else if (with_check) {
        store_le32(frame + size, frame_check(frame, size));
        size += FCS;
    }
    store_frame(d, frame, size, match == UINT32_MAX ? 0 : match);
}

/* ---- transmission -----------------------------------------------------------------------------
 */

static void send_frame(struct device *d, uint32_t flags)
{
    struct pcnet *p = d->state;
    bool with_check = !(p->csr[CSR_MODE] & MODE_DXMTFCS) || (flags & D_ADD_FCS);

    if (p->frame_bytes > FRAME_LONGEST + (with_check ? 0 : FCS))
        p->csr[CSR0] |= BABL;
    if ((p->csr[CSR4] & CSR4_APAD_XMT) && p->frame_bytes < FRAME_LEAST) {
        memset(p->frame + p->frame_bytes, 0, FRAME_LEAST - p->frame_bytes);
        p->frame_bytes = FRAME_LEAST;
        with_check = true;
    }
    p->csr[CSR4] |= CSR4_TXSTRT;
    if (p->csr[CSR_MODE] & MODE_LOOP)
        receive(d, p->frame, p->frame_bytes, with_check);
}

/* One descriptor; false: there is none to do. */
static bool transmit_one(struct device *d)
{
    struct pcnet *p = d->state;
    unsigned index = ring_index(p, CSR_XMTRC, CSR_XMTRL);
    struct descriptor td;

    if (!descriptor_read(d, pair(p, CSR_BADX), index, &td)) {
        memory_error(d);
        return false;
    }
    set_pair(p, CSR_CXDA, (uint32_t)td.at);
    if (!(td.flags & D_OWN))
        return false;
    if (td.flags & D_STP) {
        p->in_frame = true;
        p->frame_bytes = 0;
    }
    uint32_t flags = td.flags;
    td.status &= 0xffff;
    if (p->in_frame) {
        unsigned here = MIN(buffer_bytes(&td), FRAME_MAX - p->frame_bytes);
        if (!pci_dma_read(d, td.address, p->frame + p->frame_bytes, here)) {
            memory_error(d);
            return false;
        }
        p->frame_bytes += here;
    }
    if (p->in_frame && (flags & D_ENP)) {
        p->in_frame = false;
        send_frame(d, flags);
        bool wanted =
            p->csr[CSR5] & CSR5_LTINTEN ? (flags & D_LTINT) != 0 : !(p->csr[CSR5] & CSR5_TOKINTD);
        if (wanted)
            p->csr[CSR0] |= TINT;
    }
    td.flags &= ~(uint32_t)(D_ERR | D_MORE_ONE_DEF);
    if (!descriptor_give_back(d, &td, true)) {
        memory_error(d);
        return false;
    }
    ring_next(p, CSR_XMTRC, CSR_XMTRL);
    return true;
}

/* Once around the ring at most: the guest's next store or the next poll goes on. */
static void transmit(struct device *d)
{
    struct pcnet *p = d->state;
    unsigned most = MIN(ring_length(p, CSR_XMTRL), 512u);

    p->csr[CSR0] &= (uint16_t)~TDMD;
    for (unsigned i = 0; i < most && (p->csr[CSR0] & TXON); i++) {
        if (!transmit_one(d))
            break;
    }
    interrupt_update(d);
}

static void poll_arm(struct device *d)
{
    struct pcnet *p = d->state;

    if ((p->csr[CSR0] & TXON) && !(p->csr[CSR4] & CSR4_DPOLL) && !(p->csr[CSR5] & CSR5_SPND))
        timer_set(&p->poll, clock_now_ns(d->clock) + POLL_NS);
    else
        timer_cancel(&p->poll);
}

static void poll_expired(void *opaque)
{
    struct device *d = opaque;

    transmit(d);
    poll_arm(d);
}

/* ---- initialization, start and stop -----------------------------------------------------------
 */

static void ring_set(struct pcnet *p, unsigned base_csr, uint32_t base, unsigned log2,
                     unsigned length_csr, unsigned count_csr)
{
    unsigned length = 1u << MIN(log2, 9u);

    set_pair(p, base_csr, wide_address(p, base));
    p->csr[length_csr] = (uint16_t)-length;
    p->csr[count_csr] = (uint16_t)length;
}

static void initialize(struct device *d)
{
    struct pcnet *p = d->state;
    bool wide = is_wide(p);
    uint8_t block[28];
    unsigned padr = wide ? 4 : 2, rings = wide ? 20 : 16, receive_log2, transmit_log2;

    if (!pci_dma_read(d, pair(p, CSR_IADR), block, wide ? 28 : 24)) {
        memory_error(d);
        return;
    }
    p->csr[CSR_MODE] = load_le16(block);
    for (unsigned i = 0; i < 3; i++)
        p->csr[CSR_PADR + i] = load_le16(block + padr + 2 * i);
    for (unsigned i = 0; i < 4; i++)
        p->csr[CSR_LADRF + i] = load_le16(block + (wide ? 12 : 8) + 2 * i);
    receive_log2 = wide ? block[2] >> 4 : block[19] >> 5;
    transmit_log2 = wide ? block[3] >> 4 : block[23] >> 5;
    ring_set(p, CSR_BADR, load_le32(block + rings), receive_log2, CSR_RCVRL, CSR_RCVRC);
    ring_set(p, CSR_BADX, load_le32(block + rings + 4), transmit_log2, CSR_XMTRL, CSR_XMTRC);
    p->csr[CSR_RING_LENGTHS] = (uint16_t)(transmit_log2 << 12 | receive_log2 << 8);
    p->csr[CSR0] |= IDON;
}

static void stop(struct device *d)
{
    struct pcnet *p = d->state;

    p->csr[CSR0] = STOP;
    p->csr[CSR4] &= (uint16_t)~CSR4_EVENTS;
    p->csr[CSR5] &= (uint16_t) ~(CSR5_EVENTS | CSR5_SPND);
    p->in_frame = false;
    p->frame_bytes = 0;
    poll_arm(d);
}

static void csr0_write(struct device *d, uint16_t value)
{
    struct pcnet *p = d->state;
    uint16_t *csr0 = &p->csr[CSR0];

    *csr0 &= (uint16_t) ~(value & CSR0_EVENTS);
    *csr0 = (uint16_t)((*csr0 & ~IENA) | (value & IENA));
    if (value & STOP) {
        stop(d);
        interrupt_update(d);
        return;
    }
    if ((value & INIT) && !(*csr0 & INIT)) {
        *csr0 = (uint16_t)((*csr0 & ~STOP) | INIT);
        initialize(d);
    }
    if ((value & STRT) && !(*csr0 & STRT)) {
        *csr0 = (uint16_t)((*csr0 & ~STOP) | STRT);
        *csr0 |= p->csr[CSR_MODE] & MODE_DTX ? 0 : TXON;
        *csr0 |= p->csr[CSR_MODE] & MODE_DRX ? 0 : RXON;
        poll_arm(d);
    }
    if ((value & (TDMD | STRT)) && (*csr0 & TXON) && !(p->csr[CSR5] & CSR5_SPND))
        transmit(d);
    interrupt_update(d);
}

/* ---- registers --------------------------------------------------------------------------------
 */

/* Software reset: what is read from the reset port. BCRs and the access mode stay. */
static void software_reset(struct device *d)
{
    struct pcnet *p = d->state;

    memset(p->csr, 0, sizeof(p->csr));
    p->csr[CSR4] = 0x0115;
    p->csr[CSR_STYLE] = p->bcr[BCR_STYLE];
    p->csr[CSR_FIFO] = 0x1410;
    p->csr[CSR_CHIP_ID] = 0x1003;
    p->csr[CSR_CHIP_ID + 1] = 0x0262;
    p->csr[CSR_MERRTO] = 0x0200;
    for (unsigned i = 0; i < 3; i++)
        p->csr[CSR_PADR + i] = load_le16(p->aprom + 2 * i);
    stop(d);
    interrupt_update(d);
}

static void style_write(struct pcnet *p, uint16_t value)
{
    value &= 0xff;
    if (value > 3)
        log_printf(LOG_GUEST_ERROR, "pcnet: there is no software style %u\n", value);
    p->bcr[BCR_STYLE] = (uint16_t)(0x0200 | value | (value ? STYLE_SSIZE32 : 0));
    p->csr[CSR_STYLE] = p->bcr[BCR_STYLE];
}

/* What may be written while the controller is stopped or suspended only. */
static bool csr_is_set_up(unsigned n)
{
    return n == 1 || n == 2 || (n >= CSR_LADRF && n <= CSR_IADR_ALIAS + 1) || n == 47 || n == 49 ||
           (n >= 18 && n <= 46) || (n >= 60 && n <= 78);
}

static void csr_write(struct device *d, unsigned n, uint16_t value)
{
    struct pcnet *p = d->state;
    bool quiet = (p->csr[CSR0] & STOP) || (p->csr[CSR5] & CSR5_SPND);

    switch (n) {
    case CSR0:
        csr0_write(d, value);
        return;
    case CSR3:
        p->csr[n] = value & CSR3_WRITABLE;
        break;
    case CSR4:
        p->csr[n] &= (uint16_t) ~(value & CSR4_EVENTS);
        p->csr[n] = (uint16_t)((p->csr[n] & ~CSR4_WRITABLE) | (value & CSR4_WRITABLE));
        if (value & CSR4_UINTCMD)
            p->csr[n] = (uint16_t)((p->csr[n] & ~CSR4_UINTCMD) | CSR4_UINT);
        poll_arm(d);
        break;
    case CSR5:
        p->csr[n] &= (uint16_t) ~(value & CSR5_EVENTS);
        p->csr[n] = (uint16_t)((p->csr[n] & ~CSR5_WRITABLE) | (value & CSR5_WRITABLE));
        poll_arm(d);
        break;
    case CSR_STYLE:
        style_write(p, value);
        break;
    case CSR_FIFO:
    case CSR_DMABAT:
    case CSR_MERRTO:
    case CSR_MFC:
    case CSR_RCC:
    case CSR_TEST:
        p->csr[n] = value;
        break;
    default:
        if (!csr_is_set_up(n))
            log_printf(LOG_GUEST_ERROR, "pcnet: write of 0x%04x to CSR%u\n", value, n);
        else if (!quiet)
            log_printf(LOG_GUEST_ERROR, "pcnet: CSR%u is written while the controller runs\n", n);
        else if (n == CSR_IADR_ALIAS || n == CSR_IADR_ALIAS + 1)
            p->csr[n - CSR_IADR_ALIAS + CSR_IADR] = value;
        else
            p->csr[n] = value;
        break;
    }
    interrupt_update(d);
}

static uint16_t csr_read(const struct pcnet *p, unsigned n)
{
    if (n == CSR_IADR_ALIAS || n == CSR_IADR_ALIAS + 1)
        n = n - CSR_IADR_ALIAS + CSR_IADR;
    return p->csr[n];
}

static const uint16_t bcr_reset[N_BCR] = {
    [0] = 5,      [1] = 5,       [2] = 2,       [4] = 0x00c0,  [5] = 0x0084,  [6] = 0x0088,
    [7] = 0x0090, [18] = 0x9001, [19] = 0x0002, [20] = 0x0200, [22] = 0xff06,
};
static const uint16_t bcr_writable[N_BCR] = {
    [2] = 0x43fe,  [4] = 0x50ff,  [5] = 0x50ff,  [6] = 0x50ff,  [7] = 0x50ff,  [9] = 0x0007,
    [16] = 0xffe0, [17] = 0xffff, [18] = 0xffe0, [19] = 0x001f, [21] = 0xffff, [22] = 0xffff,
};

static uint16_t bcr_read(const struct pcnet *p, unsigned n)
{
    if (n >= N_BCR)
        return 0;
    return (uint16_t)(p->bcr[n] | (n == BCR_LNKST ? BCR_LEDOUT : 0)); /* link pass */
}

static void bcr_write(struct pcnet *p, unsigned n, uint16_t value)
{
    if (n == BCR_STYLE)
        style_write(p, value);
    else if (n < N_BCR && bcr_writable[n])
        p->bcr[n] = (uint16_t)((p->bcr[n] & ~bcr_writable[n]) | (value & bcr_writable[n]));
    else
        log_printf(LOG_GUEST_ERROR, "pcnet: write of 0x%04x to BCR%u\n", value, n);
}

/* The ports are 2 bytes apart until double-word mode is switched on, then 4. */
static enum port port_of(const struct pcnet *p, unsigned offset)
{
    unsigned stride = p->double_word ? 4 : 2, n = (offset - APROM_BYTES) / stride;

    return offset % stride || n > PORT_BDP ? PORT_NONE : (enum port)n;
}

static uint64_t pcnet_read(struct device *d, uint64_t offset64, unsigned size)
{
    struct pcnet *p = d->state;
    unsigned offset = (unsigned)offset64;
    uint32_t value = 0;

    if (offset < APROM_BYTES) {
        memcpy(&value, p->aprom + offset, size);
        return value;
    }
    switch (size == 1 ? PORT_NONE : port_of(p, offset)) {
    case PORT_RDP:
        return csr_read(p, p->rap);
    case PORT_RAP:
        return p->rap;
    case PORT_RESET:
        software_reset(d);
        return 0;
    case PORT_BDP:
        return bcr_read(p, p->rap);
    default:
        log_printf(LOG_GUEST_ERROR, "pcnet: read of %u bytes at 0x%02x\n", size, offset);
        return UINT32_MAX;
    }
}

static void aprom_write(struct pcnet *p, unsigned offset, uint32_t value, unsigned size)
{
    if (p->bcr[2] & BCR2_APROMWE)
        memcpy(p->aprom + offset, &value, size);
}

static void pcnet_write(struct device *d, uint64_t offset64, uint64_t value, unsigned size)
{
    struct pcnet *p = d->state;
    unsigned offset = (unsigned)offset64;

    if (offset < APROM_BYTES) {
        aprom_write(p, offset, (uint32_t)value, size);
        return;
    }
    if (!p->double_word && size == 4 && offset == APROM_BYTES)
        p->double_word = true;
    switch (size == 1 ? PORT_NONE : port_of(p, offset)) {
    case PORT_RDP:
        csr_write(d, p->rap, (uint16_t)value);
        break;
    case PORT_RAP:
        p->rap = value & (N_CSR - 1);
        break;
    case PORT_BDP:
        bcr_write(p, p->rap, (uint16_t)value);
        break;
    case PORT_RESET: /* only reading resets */
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "pcnet: write of %u bytes at 0x%02x\n", size, offset);
        break;
    }
}

/* ---- device -----------------------------------------------------------------------------------
 */

static bool pcnet_init(struct device *d, struct error *err)
{
    struct pcnet *p = d->state;
    char text[24] = "52:54:00:12:34:56";
    unsigned mac[6], sum = 0;
    int used = 0;

    device_prop_string(d, "mac", text, sizeof(text));
    if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &mac[0], &mac[1], &mac[2], &mac[3], &mac[4],
               &mac[5], &used) != 6 ||
        text[used])
        return error_set(err, "%s: mac=%s is no Ethernet address", d->id, text);
    for (unsigned i = 0; i < 6; i++)
        p->aprom[i] = (uint8_t)mac[i];
    p->aprom[9] = 0x11; /* what AMD's drivers want to see, and two Ws */
    p->aprom[14] = p->aprom[15] = 0x57;
    for (unsigned i = 0; i < APROM_BYTES; i++)
        sum += p->aprom[i];
    store_le16(p->aprom + 12, (uint16_t)sum);
    timer_init(&p->poll, d->clock, poll_expired, d);
    pci_set(d, PCI_STATUS, 2, 0x0280);
    pci_set(d, 0x3e, 2, 0xff06); /* MIN_GNT, MAX_LAT */
    return true;
}

static void pcnet_reset(struct device *d)
{
    struct pcnet *p = d->state;

    memcpy(p->bcr, bcr_reset, sizeof(p->bcr));
    software_reset(d);
}

static const struct device_field pcnet_fields[] = {
    DEVICE_ARRAY(struct pcnet, csr, DEVICE_U16, N_CSR, 0),
    DEVICE_ARRAY(struct pcnet, bcr, DEVICE_U16, N_BCR, 0),
    {.name = "aprom",
     .offset = offsetof(struct pcnet, aprom),
     .count = APROM_BYTES,
     .kind = DEVICE_U8,
     .keep = true},
    DEVICE_FIELD(struct pcnet, rap, DEVICE_U8, 0),
    DEVICE_FIELD(struct pcnet, double_word, DEVICE_BOOL, false),
    DEVICE_ARRAY(struct pcnet, frame, DEVICE_U8, FRAME_MAX, 0),
    DEVICE_FIELD(struct pcnet, frame_bytes, DEVICE_U32, 0),
    DEVICE_FIELD(struct pcnet, in_frame, DEVICE_BOOL, false),
    DEVICE_FIELD(struct pcnet, poll, DEVICE_TIMER, 0),
};

static const struct device_region pcnet_regions[] = {
    {"pcnet-io", REGION_BYTES, 1, 4, pcnet_read, pcnet_write, .port = true, .bar = DEVICE_BAR(0)},
    {"pcnet-mmio", REGION_BYTES, 1, 4, pcnet_read, pcnet_write, .bar = DEVICE_BAR(1)},
};

static const struct pci_class pcnet_pci = {
    .vendor = 0x1022,
    .device = 0x2000,
    .class_code = 0x020000,
    .revision = 0x10,
    .interrupt_pin = 1,
};

static const struct device_prop props[] = {
    {"mac", DEVICE_PROP_TEXT},
    {NULL},
};

static const struct device_class pcnet_class = {
    .name = "pcnet",
    .props = props,
    .description = "AMD PCnet-PCI II Ethernet controller",
    .manual = "AMD Am79C970A (19436)",
    .pci = &pcnet_pci,
    .state_size = sizeof(struct pcnet),
    .regions = pcnet_regions,
    .n_regions = ARRAY_SIZE(pcnet_regions),
    .fields = pcnet_fields,
    .n_fields = ARRAY_SIZE(pcnet_fields),
    .init = pcnet_init,
    .reset = pcnet_reset,
};
REGISTER(device_class, pcnet_class);
