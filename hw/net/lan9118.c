/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * SMSC LAN9118 Ethernet controller (LAN9118 data sheet, revision 1.5): system, MAC and PHY
 * registers, EEPROM interface, transmit FIFOs. No network is attached to the host side yet: the
 * link is down and what is transmitted is counted and dropped. Output 0: the interrupt.
 */
#include <string.h>

#include "hw/device.h"
#include "util/bits.h"

enum {
    RX_DATA_FIFO = 0x00, /* and its aliases to 0x1c */
    TX_DATA_FIFO = 0x20, /* and its aliases to 0x3c */
    RX_STATUS_FIFO = 0x40,
    RX_STATUS_PEEK = 0x44,
    TX_STATUS_FIFO = 0x48,
    TX_STATUS_PEEK = 0x4c,
    ID_REV = 0x50,
    IRQ_CFG = 0x54,
    INT_STS = 0x58,
    INT_EN = 0x5c,
    BYTE_TEST = 0x64,
    FIFO_INT = 0x68,
    RX_CFG = 0x6c,
    TX_CFG = 0x70,
    HW_CFG = 0x74,
    RX_DP_CTRL = 0x78,
    RX_FIFO_INF = 0x7c,
    TX_FIFO_INF = 0x80,
    PMT_CTRL = 0x84,
    GPIO_CFG = 0x88,
    GPT_CFG = 0x8c,
    GPT_CNT = 0x90,
    WORD_SWAP = 0x98,
    FREE_RUN = 0x9c,
    RX_DROP = 0xa0,
    MAC_CSR_CMD = 0xa4,
    MAC_CSR_DATA = 0xa8,
    AFC_CFG = 0xac,
    E2P_CMD = 0xb0,
    E2P_DATA = 0xb4,
};
enum {
    IRQ_CFG_INT = 1 << 12,
    IRQ_CFG_ENABLE = 1 << 8,
    INT_SW = 1u << 31,
    INT_TXSTOP = 1 << 25,
    INT_TX_IOC = 1 << 21,
    INT_GPT = 1 << 19,
    INT_PHY = 1 << 18,
    INT_TXE = 1 << 13,
    INT_TDFA = 1 << 9,
    INT_TSFL = 1 << 7,
    TX_CFG_ON = 1 << 1,
    TX_CFG_STOP = 1 << 0,
    HW_CFG_SOFT_RESET = 1 << 0,
    PMT_READY = 1 << 0,
    MAC_CSR_BUSY = 1u << 31,
    MAC_CSR_READ = 1 << 30,
    E2P_BUSY = 1u << 31,
    E2P_LOADED = 1 << 8,
    GPT_ENABLE = 1 << 29,
};
enum mac_register {
    MAC_CR = 1,
    MAC_ADDRH,
    MAC_ADDRL,
    MAC_HASHH,
    MAC_HASHL,
    MAC_MII_ACC,
    MAC_MII_DATA,
    MAC_FLOW,
    MAC_VLAN1,
    MAC_VLAN2,
    MAC_WUFF,
    MAC_WUCSR,
    N_MAC
};
enum { MII_BUSY = 1, MII_WRITE = 2 };
enum {
    PHY_CONTROL = 0,
    PHY_STATUS,
    PHY_ID1,
    PHY_ID2,
    PHY_ADVERTISE,
    PHY_PARTNER,
    PHY_SPECIAL = 17,
    PHY_INT_SOURCE = 29,
    PHY_INT_MASK = 30,
    PHY_SPECIAL_STATUS = 31,
    N_PHY = 32
};
enum { EEPROM_BYTES = 128, TX_STATUS_MAX = 128, TX_FIFO_BYTES = 4608, CHIP_ID = 0x01180001 };

struct lan9118 {
    uint32_t irq_cfg, int_sts, int_en, fifo_int, rx_cfg, tx_cfg, hw_cfg, pmt_ctrl, gpio_cfg,
        gpt_cfg;
    uint32_t word_swap, mac_csr_cmd, mac_csr_data, afc_cfg, e2p_cmd, e2p_data;
    uint32_t mac[N_MAC];
    uint16_t phy[N_PHY];
    uint8_t eeprom[EEPROM_BYTES];
    bool eeprom_writable;
    uint32_t tx_status[TX_STATUS_MAX], tx_status_head, tx_status_count;
    /* The packet being written: commands A and B, then words of the buffer. */
    uint32_t tx_phase, command_a, command_b, buffer_left, packet_bytes;
    struct timer gpt;
    uint64_t gpt_started_ns;
};

static const struct device_field lan9118_fields[] = {
    DEVICE_FIELD(struct lan9118, irq_cfg, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, int_sts, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, int_en, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, fifo_int, DEVICE_U32, 0x48000000),
    DEVICE_FIELD(struct lan9118, rx_cfg, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, tx_cfg, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, hw_cfg, DEVICE_U32, 0x00050004),
    DEVICE_FIELD(struct lan9118, pmt_ctrl, DEVICE_U32, PMT_READY),
    DEVICE_FIELD(struct lan9118, gpio_cfg, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, gpt_cfg, DEVICE_U32, 0xffff),
    DEVICE_FIELD(struct lan9118, word_swap, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, mac_csr_cmd, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, mac_csr_data, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, afc_cfg, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, e2p_cmd, DEVICE_U32, E2P_LOADED),
    DEVICE_FIELD(struct lan9118, e2p_data, DEVICE_U32, 0),
    DEVICE_ARRAY(struct lan9118, mac, DEVICE_U32, N_MAC, 0),
    DEVICE_ARRAY(struct lan9118, phy, DEVICE_U16, N_PHY, 0),
    DEVICE_FIELD(struct lan9118, eeprom_writable, DEVICE_BOOL, 0),
    DEVICE_ARRAY(struct lan9118, tx_status, DEVICE_U32, TX_STATUS_MAX, 0),
    DEVICE_FIELD(struct lan9118, tx_status_head, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, tx_status_count, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, tx_phase, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, command_a, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, command_b, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, buffer_left, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, packet_bytes, DEVICE_U32, 0),
    DEVICE_FIELD(struct lan9118, gpt, DEVICE_TIMER, 0),
    DEVICE_FIELD(struct lan9118, gpt_started_ns, DEVICE_U64, 0),
};

static void update_line(struct device *d)
{
    struct lan9118 *s = d->state;
    bool active = s->int_sts & s->int_en;

    s->irq_cfg = active ? s->irq_cfg | IRQ_CFG_INT : s->irq_cfg & ~(uint32_t)IRQ_CFG_INT;
    /* The board inverts an active-low pin; what the controller sees is the asserted state. */
    device_irq(d, 0, active && (s->irq_cfg & IRQ_CFG_ENABLE));
}

/* ---- PHY and MAC -------------------------------------------------------------------------------
 */

static void phy_reset(struct lan9118 *s)
{
    memset(s->phy, 0, sizeof(s->phy));
    s->phy[PHY_CONTROL] = 0x3000; /* auto-negotiation, 100 Mbit/s */
    s->phy[PHY_STATUS] = 0x7809;  /* abilities; no link */
    s->phy[PHY_ID1] = 0x0007;
    s->phy[PHY_ID2] = 0xc0d1;
    s->phy[PHY_ADVERTISE] = 0x01e1;
    s->phy[PHY_SPECIAL] = 0x0002;
    s->phy[PHY_SPECIAL_STATUS] = 0x0040;
}

static uint16_t phy_read(struct device *d, unsigned reg)
{
    struct lan9118 *s = d->state;
    uint16_t value = s->phy[reg];

    if (reg == PHY_INT_SOURCE) { /* reading clears */
        s->phy[reg] = 0;
        s->int_sts &= ~(uint32_t)INT_PHY;
    }
    return value;
}

static void phy_write(struct lan9118 *s, unsigned reg, uint16_t value)
{
    switch (reg) {
    case PHY_CONTROL:
        if (value & 0x8000)
            phy_reset(s);
        else
            s->phy[reg] = value & 0x7f80 & ~0x0200; /* restart of negotiation clears itself */
        break;
    case PHY_ADVERTISE:
        s->phy[reg] = (uint16_t)((value & 0x2d7f) | 0x80);
        break;
    case PHY_SPECIAL:
        s->phy[reg] = (uint16_t)((value & 0x2e44) | 2);
        break;
    case PHY_INT_MASK:
        s->phy[reg] = value & 0xff;
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "lan9118: write of 0x%x to PHY register %u\n", value, reg);
    }
}

static void mac_reset(struct lan9118 *s)
{
    memset(s->mac, 0, sizeof(s->mac));
    s->mac[MAC_CR] = 0x00040000;
    s->mac[MAC_ADDRH] = 0xffff;
    s->mac[MAC_ADDRL] = 0xffffffff;
    /* Data sheet 3.10: the EEPROM's first byte 0xa5 says that a MAC address follows. */
    if (s->eeprom[0] == 0xa5) {
        s->mac[MAC_ADDRL] = load_le32(s->eeprom + 1);
        s->mac[MAC_ADDRH] = load_le16(s->eeprom + 5);
    }
}

static void mac_access(struct device *d)
{
    struct lan9118 *s = d->state;
    unsigned reg = s->mac_csr_cmd & 0xff;

    if (reg == 0 || reg >= N_MAC) {
        log_printf(LOG_GUEST_ERROR, "lan9118: MAC register %u\n", reg);
        s->mac_csr_data = s->mac_csr_cmd & MAC_CSR_READ ? 0 : s->mac_csr_data;
        return;
    }
    if (s->mac_csr_cmd & MAC_CSR_READ) {
        s->mac_csr_data = s->mac[reg];
        return;
    }
    s->mac[reg] = s->mac_csr_data;
    if (reg == MAC_MII_ACC) {
        unsigned phy = extract32(s->mac_csr_data, 11, 5), index = extract32(s->mac_csr_data, 6, 5);
        s->mac[reg] &= ~(uint32_t)MII_BUSY;
        if (phy != 1)
            s->mac[MAC_MII_DATA] = 0xffff;
        else if (s->mac_csr_data & MII_WRITE)
            phy_write(s, index, (uint16_t)s->mac[MAC_MII_DATA]);
        else
            s->mac[MAC_MII_DATA] = phy_read(d, index);
    }
}

static void eeprom_access(struct lan9118 *s)
{
    unsigned address = s->e2p_cmd & 0x7f;

    switch (extract32(s->e2p_cmd, 28, 3)) {
    case 0: /* READ */
        s->e2p_data = s->eeprom[address];
        break;
    case 1: /* EWDS */
        s->eeprom_writable = false;
        break;
    case 2: /* EWEN */
        s->eeprom_writable = true;
        break;
    case 3: /* WRITE */
        if (s->eeprom_writable)
            s->eeprom[address] = (uint8_t)s->e2p_data;
        break;
    case 4: /* WRAL */
        if (s->eeprom_writable)
            memset(s->eeprom, (uint8_t)s->e2p_data, sizeof(s->eeprom));
        break;
    case 5: /* ERASE */
        if (s->eeprom_writable)
            s->eeprom[address] = 0xff;
        break;
    case 6: /* ERAL */
        if (s->eeprom_writable)
            memset(s->eeprom, 0xff, sizeof(s->eeprom));
        break;
    case 7: /* RELOAD */
        mac_reset(s);
        s->e2p_cmd |= E2P_LOADED;
        break;
    }
    s->e2p_cmd &= ~E2P_BUSY;
}

/* ---- transmit -------------------------------------------------------------------------------- */

static void packet_sent(struct lan9118 *s)
{
    /* Status word: the tag of command B; bit 15 (error) and bit 11 (no carrier): the link is down.
     */
    uint32_t status = (s->command_b & 0xffff0000) | 0x8800;

    if (s->tx_status_count < TX_STATUS_MAX)
        s->tx_status[(s->tx_status_head + s->tx_status_count++) % TX_STATUS_MAX] = status;
    if (s->command_a & 0x80000000)
        s->int_sts |= INT_TX_IOC;
    if (s->tx_status_count > (s->fifo_int >> 8 & 0xff))
        s->int_sts |= INT_TSFL;
    s->int_sts |= INT_TDFA;
    s->packet_bytes = 0;
}

/* Data sheet 3.12.2: command A (buffer size, offset, alignment, first/last), command B (tag, packet
 * length), then the buffer's words including offset and padding. */
static void tx_word(struct lan9118 *s, uint32_t word)
{
    switch (s->tx_phase) {
    case 0:
        s->command_a = word & 0x831f37ff;
        s->tx_phase = 1;
        return;
    case 1: {
        static const uint8_t alignment[4] = {4, 16, 32, 4};
        uint32_t size = s->command_a & 0x7ff, offset = extract32(s->command_a, 16, 5);
        s->command_b = word;
        s->buffer_left =
            (uint32_t)align_up(size + offset, alignment[extract32(s->command_a, 24, 2)]);
        s->packet_bytes += size;
        s->tx_phase = 2;
        break;
    }
    default:
        s->buffer_left -= MIN(s->buffer_left, 4u);
    }
    if (s->buffer_left == 0) {
        s->tx_phase = 0;
        if (s->command_a & 1 << 12) {
            if ((s->command_b & 0x7ff) != s->packet_bytes)
                s->int_sts |= INT_TXE;
            packet_sent(s);
        }
    }
}

static uint32_t tx_status_read(struct lan9118 *s, bool peek)
{
    if (!s->tx_status_count)
        return 0;
    uint32_t status = s->tx_status[s->tx_status_head];
    if (!peek) {
        s->tx_status_head = (s->tx_status_head + 1) % TX_STATUS_MAX;
        s->tx_status_count--;
    }
    return status;
}

/* ---- general purpose timer: 16 bits at 10 kHz ------------------------------------------------ */

static uint32_t gpt_count(const struct lan9118 *s)
{
    uint32_t load = s->gpt_cfg & 0xffff;

    if (!(s->gpt_cfg & GPT_ENABLE))
        return 0xffff;
    uint64_t ticks = ((uint64_t)clock_now_ns(s->gpt.clock) - s->gpt_started_ns) / 100000;
    return (uint32_t)(load - ticks % (load + 1));
}

static void gpt_arm(struct lan9118 *s)
{
    timer_cancel(&s->gpt);
    if (s->gpt_cfg & GPT_ENABLE)
        timer_set(&s->gpt,
                  clock_now_ns(s->gpt.clock) + ((int64_t)(s->gpt_cfg & 0xffff) + 1) * 100000);
}

static void gpt_expired(void *opaque)
{
    struct device *d = opaque;
    struct lan9118 *s = d->state;

    s->int_sts |= INT_GPT;
    gpt_arm(s);
    update_line(d);
}

/* ---- system registers ------------------------------------------------------------------------ */

static void soft_reset(struct device *d)
{
    struct lan9118 *s = d->state;

    timer_cancel(&s->gpt);
    s->irq_cfg = s->int_sts = s->int_en = s->rx_cfg = s->tx_cfg = s->gpio_cfg = s->afc_cfg = 0;
    s->fifo_int = 0x48000000;
    s->hw_cfg = 0x00050004; /* the mode pin says 32 bits */
    s->gpt_cfg = 0xffff;
    s->word_swap = 0;
    s->tx_status_head = s->tx_status_count = s->tx_phase = s->packet_bytes = 0;
    mac_reset(s);
    phy_reset(s);
    update_line(d);
}

static uint64_t lan9118_read(struct device *d, uint64_t offset, unsigned size)
{
    struct lan9118 *s = d->state;

    if (offset < TX_DATA_FIFO)
        return 0; /* nothing has been received */
    switch (offset) {
    case RX_STATUS_FIFO:
    case RX_STATUS_PEEK:
    case RX_FIFO_INF:
    case RX_DROP:
    case RX_DP_CTRL:
        return 0;
    case TX_STATUS_FIFO:
    case TX_STATUS_PEEK:
        return tx_status_read(s, offset == TX_STATUS_PEEK);
    case ID_REV:
        return CHIP_ID;
    case IRQ_CFG:
        return s->irq_cfg;
    case INT_STS:
        return s->int_sts;
    case INT_EN:
        return s->int_en;
    case BYTE_TEST:
        return 0x87654321;
    case FIFO_INT:
        return s->fifo_int;
    case RX_CFG:
        return s->rx_cfg;
    case TX_CFG:
        return s->tx_cfg;
    case HW_CFG:
        return s->hw_cfg;
    case TX_FIFO_INF:
        return s->tx_status_count << 16 | TX_FIFO_BYTES;
    case PMT_CTRL:
        return s->pmt_ctrl;
    case GPIO_CFG:
        return s->gpio_cfg;
    case GPT_CFG:
        return s->gpt_cfg;
    case GPT_CNT:
        return gpt_count(s);
    case WORD_SWAP:
        return s->word_swap;
    case FREE_RUN: /* 25 MHz */
        return (uint32_t)((uint64_t)clock_now_ns(d->clock) / 40);
    case MAC_CSR_CMD:
        return s->mac_csr_cmd;
    case MAC_CSR_DATA:
        return s->mac_csr_data;
    case AFC_CFG:
        return s->afc_cfg;
    case E2P_CMD:
        return s->e2p_cmd;
    case E2P_DATA:
        return s->e2p_data;
    }
    log_printf(LOG_GUEST_ERROR, "lan9118: read of offset 0x%x\n", (unsigned)offset);
    return 0;
}

static void write_tx_cfg(struct lan9118 *s, uint32_t value)
{
    s->tx_cfg = value & 6;
    if (value & 1u << 15) /* dump status */
        s->tx_status_head = s->tx_status_count = 0;
    if (value & 1u << 14) /* dump data */
        s->tx_phase = s->packet_bytes = 0;
    if (value & TX_CFG_STOP) {
        s->tx_cfg &= ~(uint32_t)TX_CFG_ON;
        s->int_sts |= INT_TXSTOP;
    }
}

static void lan9118_write(struct device *d, uint64_t offset, uint64_t wide, unsigned size)
{
    struct lan9118 *s = d->state;
    uint32_t value = (uint32_t)wide;

    if (offset >= TX_DATA_FIFO && offset < RX_STATUS_FIFO) {
        tx_word(s, value);
        update_line(d);
        return;
    }
    switch (offset) {
    case IRQ_CFG:
        s->irq_cfg = (value & 0xff000111) | (s->irq_cfg & IRQ_CFG_INT);
        break;
    case INT_STS:
        s->int_sts &= ~value;
        break;
    case INT_EN:
        s->int_en = value;
        if (value & INT_SW)
            s->int_sts |= INT_SW;
        break;
    case FIFO_INT:
        s->fifo_int = value;
        break;
    case RX_CFG:
        s->rx_cfg = value & 0xcfff1f00;
        break;
    case TX_CFG:
        write_tx_cfg(s, value);
        break;
    case HW_CFG:
        if (value & HW_CFG_SOFT_RESET)
            soft_reset(d);
        else
            s->hw_cfg = (value & 0x003f0000) | (s->hw_cfg & 4);
        break;
    case RX_DP_CTRL:
        break;
    case PMT_CTRL:
        if (value & 1 << 10) /* PHY reset, clears itself */
            phy_reset(s);
        s->pmt_ctrl = (value & 0x334e) | PMT_READY;
        break;
    case GPIO_CFG:
        s->gpio_cfg = value & 0x7777071f;
        break;
    case GPT_CFG:
        s->gpt_cfg = value & 0x2000ffff;
        s->gpt_started_ns = (uint64_t)clock_now_ns(d->clock);
        gpt_arm(s);
        break;
    case WORD_SWAP:
        s->word_swap = value;
        break;
    case BYTE_TEST: /* wakes a sleeping chip */
        break;
    case MAC_CSR_CMD:
        s->mac_csr_cmd = value & ~MAC_CSR_BUSY;
        if (value & MAC_CSR_BUSY)
            mac_access(d);
        break;
    case MAC_CSR_DATA:
        s->mac_csr_data = value;
        break;
    case AFC_CFG:
        s->afc_cfg = value & 0xffffff;
        break;
    case E2P_CMD:
        s->e2p_cmd = (value & 0xf000007f) | (s->e2p_cmd & E2P_LOADED);
        if (value & E2P_BUSY)
            eeprom_access(s);
        break;
    case E2P_DATA:
        s->e2p_data = value & 0xff;
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "lan9118: write of 0x%x to offset 0x%x\n", value,
                   (unsigned)offset);
    }
    update_line(d);
}

static bool lan9118_init(struct device *d, struct error *err)
{
    /* A locally administered address; the EEPROM keeps it over resets. */
    static const uint8_t image[7] = {0xa5, 0x52, 0x54, 0x00, 0x12, 0x34, 0x56};
    struct lan9118 *s = d->state;

    memset(s->eeprom, 0xff, sizeof(s->eeprom));
    memcpy(s->eeprom, image, sizeof(image));
    timer_init(&s->gpt, d->clock, gpt_expired, d);
    return true;
}

static void lan9118_finish(struct device *d)
{
    struct lan9118 *s = d->state;

    timer_cancel(&s->gpt);
}

static const struct device_region lan9118_regions[] = {
    {.name = "lan9118",
     .size = 0x1000,
     .min_access = 4,
     .max_access = 4,
     .read = lan9118_read,
     .write = lan9118_write},
};

static const struct device_class lan9118_class = {
    .name = "lan9118",
    .description = "SMSC LAN9118 Ethernet controller",
    .manual = "SMSC LAN9118 data sheet",
    .state_size = sizeof(struct lan9118),
    .regions = lan9118_regions,
    .n_regions = ARRAY_SIZE(lan9118_regions),
    .fields = lan9118_fields,
    .n_fields = ARRAY_SIZE(lan9118_fields),
    .n_irq_out = 1,
    .init = lan9118_init,
    .reset = soft_reset,
    .finish = lan9118_finish,
};
REGISTER(device_class, lan9118_class);
