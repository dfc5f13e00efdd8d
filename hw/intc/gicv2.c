/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ARM Generic Interrupt Controller: distributor and CPU interfaces, after ARM IHI 0048B.
 *
 * Two classes share the code: "gicv2" is the GIC of Cortex-A7/A15 (GIC-400 programmer's model) and
 * "gic-a9mp" the GICv1 of the Cortex-A9 MPCore (DDI 0407). Both are seen as an implementation
 * without the Security Extensions shows itself, with interrupt grouping (the A9 board runs in
 * Secure state, whose view is the same). Not there: the virtualization interface (GICH, GICV).
 *
 * Properties: num-irq (interrupt IDs including the 32 private ones), num-cpu.
 */
#include "hw/intc/gicv2.h"

#include <string.h>

#include "hw/device.h"
#include "util/bits.h"

enum {
    N_WORDS = 32, /* 1024 IDs as bits */
    N_SGIS = 16,
    N_PRIVATE = 32,
    ID_GROUP1 = 1022, /* IHI 0048B table 3-1 */
    ID_SPURIOUS = 1023,
    PRIORITY_MASK = 0xf8, /* 32 levels, as the Cortex-A parts have */
    PRIORITY_IDLE = 0xff,
    BPR_MIN = 2, /* follows from 5 priority bits */
    ABPR_MIN = 3,
};

enum gic_map {
    MAP_GROUP1,
    MAP_ENABLED,
    MAP_PENDING, /* latched: edges, software; a level input is pending beside it */
    MAP_ACTIVE,
    MAP_LEVEL, /* the inputs */
    MAP_EDGE,
    N_MAPS
};

enum distributor_register {
    GICD_CTLR = 0x000,
    GICD_TYPER = 0x004,
    GICD_IIDR = 0x008,
    GICD_IGROUPR = 0x080,
    GICD_ISENABLER = 0x100,
    GICD_ICENABLER = 0x180,
    GICD_ISPENDR = 0x200,
    GICD_ICPENDR = 0x280,
    GICD_ISACTIVER = 0x300,
    GICD_ICACTIVER = 0x380,
    GICD_IPRIORITYR = 0x400,
    GICD_ITARGETSR = 0x800,
    GICD_ICFGR = 0xc00,
    GICD_PPISR = 0xd00, /* implementation defined: levels of the inputs */
    GICD_NSACR = 0xe00,
    GICD_SGIR = 0xf00,
    GICD_CPENDSGIR = 0xf10,
    GICD_SPENDSGIR = 0xf20,
    GICD_ID = 0xfd0,
};

enum cpu_register {
    GICC_CTLR = 0x00,
    GICC_PMR = 0x04,
    GICC_BPR = 0x08,
    GICC_IAR = 0x0c,
    GICC_EOIR = 0x10,
    GICC_RPR = 0x14,
    GICC_HPPIR = 0x18,
    GICC_ABPR = 0x1c,
    GICC_AIAR = 0x20,
    GICC_AEOIR = 0x24,
    GICC_AHPPIR = 0x28,
    GICC_APR0 = 0xd0,
    GICC_NSAPR0 = 0xe0,
    GICC_IIDR = 0xfc,
    GICC_DIR = 0x1000,
};

enum cpu_control {
    CTLR_ENABLE_GROUP0 = 1 << 0,
    CTLR_ENABLE_GROUP1 = 1 << 1,
    CTLR_ACK_CTL = 1 << 2,
    CTLR_FIQ_EN = 1 << 3,
    CTLR_CBPR = 1 << 4,
    CTLR_EOI_MODE = 1 << 9,
};

/* What differs between the two controllers. */
struct gic_variant {
    bool v2;
    uint32_t distributor_iidr, cpu_iidr, cpu_control_mask;
    uint32_t ppi_edge;   /* bits of the private interrupts that are edge-triggered; fixed */
    uint32_t ppi_config; /* GICD_ICFGR1 */
    uint8_t id[12];      /* PIDR4-7, PIDR0-3, CIDR0-3 */
};

struct gic_cpu {
    uint32_t control, priority_mask, bpr, abpr;
    uint32_t apr, nsapr; /* active priorities of group 0 and group 1, bit = priority >> 3 */
};

struct gic {
    const struct gic_variant *variant;
    unsigned n_cpus, n_irqs;

    uint32_t control;
    /* Bit maps by word of interrupt IDs; word 0 is banked: cpu's copy is at N_WORDS + cpu. */
    uint32_t maps[N_MAPS][N_WORDS + GIC_MAX_CPUS];
    uint8_t priority[1024 + GIC_MAX_CPUS * N_PRIVATE]; /* private ones banked behind the others */
    uint8_t targets[1024];
    uint8_t sgi_sources[GIC_MAX_CPUS][N_SGIS]; /* pending: bit per requesting CPU */
    uint32_t cpu_regs[GIC_MAX_CPUS][sizeof(struct gic_cpu) / 4];
};

static const struct gic_variant variant_v2 = {
    .v2 = true,
    .distributor_iidr = 0x0000043b,
    .cpu_iidr = 0x0002043b,
    .cpu_control_mask = 0x3ff,
    .ppi_edge = 0,
    .ppi_config = 0x55540000,
    .id = {0x04, 0, 0, 0, 0x90, 0xb4, 0x2b, 0, 0x0d, 0xf0, 0x05, 0xb1},
};

static const struct gic_variant variant_a9 = {
    .v2 = false,
    .distributor_iidr = 0x0102043b,
    .cpu_iidr = 0x3901243b,
    .cpu_control_mask = 0x1f,
    .ppi_edge = 1u << 27 | 1u << 29 | 1u << 30, /* global timer, private timer, watchdog */
    .ppi_config = 0x7dc00000,
    .id = {0x04, 0, 0, 0, 0x90, 0xb3, 0x1b, 0, 0x0d, 0xf0, 0x05, 0xb1},
};

/* Which CPU interface an access belongs to. There is one vCPU. */
static unsigned access_cpu(const struct gic *g)
{
    return 0;
}

static struct gic_cpu *gic_cpu(struct gic *g, unsigned cpu)
{
    return (struct gic_cpu *)g->cpu_regs[cpu];
}

static uint32_t *map_word(struct gic *g, enum gic_map map, unsigned cpu, unsigned word)
{
    return &g->maps[map][word ? word : N_WORDS + cpu];
}

static bool map_test(struct gic *g, enum gic_map map, unsigned cpu, unsigned id)
{
    return *map_word(g, map, cpu, id / 32) >> (id % 32) & 1;
}

static void map_set(struct gic *g, enum gic_map map, unsigned cpu, unsigned id, bool value)
{
    uint32_t *word = map_word(g, map, cpu, id / 32);

    *word = deposit32(*word, id % 32, 1, value);
}

static uint8_t *id_priority(struct gic *g, unsigned cpu, unsigned id)
{
    return &g->priority[id < N_PRIVATE ? 1024 + cpu * N_PRIVATE + id : id];
}

/* Bits of a word of IDs that exist. */
static uint32_t word_mask(const struct gic *g, unsigned word)
{
    unsigned first = word * 32;

    if (first >= g->n_irqs)
        return 0;
    return g->n_irqs - first >= 32 ? UINT32_MAX : (1u << (g->n_irqs - first)) - 1;
}

/* ---- which interrupt is next ----------------------------------------------------------------- */

static uint32_t pending_word(struct gic *g, unsigned cpu, unsigned word)
{
    return *map_word(g, MAP_PENDING, cpu, word) |
           (*map_word(g, MAP_LEVEL, cpu, word) & ~*map_word(g, MAP_EDGE, cpu, word));
}

/* Priorities that are running: the lowest set bit of the active priorities. */
static unsigned running_priority(const struct gic_cpu *c)
{
    uint32_t active = c->apr | c->nsapr;

    return active ? (unsigned)__builtin_ctz(active) << 3 : PRIORITY_IDLE;
}

/* The group priority bits that decide preemption (IHI 0048B 3.3.3): group 1 uses GICC_ABPR, which
 * counts one more than GICC_BPR for the same split, unless CBPR gives both the same. */
static unsigned group_priority(const struct gic_cpu *c, unsigned priority, bool group1)
{
    unsigned low_bits = group1 && !(c->control & CTLR_CBPR) ? c->abpr : c->bpr + 1;

    return priority & (0xffu << low_bits) & 0xff;
}

/* Highest priority pending interrupt among groups enabled in the distributor and in `groups` (bit 0
 * and 1); ID_SPURIOUS if none. Of equal priorities the lowest ID. */
static unsigned best_pending(struct gic *g, unsigned cpu, unsigned groups, unsigned *priority)
{
    unsigned best = ID_SPURIOUS, best_priority = PRIORITY_IDLE + 1;

    groups &= g->control;
    for (unsigned word = 0; word * 32 < g->n_irqs && groups; word++) {
        uint32_t group1 = *map_word(g, MAP_GROUP1, cpu, word);
        uint32_t wanted = (groups & 1 ? ~group1 : 0) | (groups & 2 ? group1 : 0);
        uint32_t bits = pending_word(g, cpu, word) & *map_word(g, MAP_ENABLED, cpu, word) &
                        ~*map_word(g, MAP_ACTIVE, cpu, word) & wanted & word_mask(g, word);
        for (; bits; bits &= bits - 1) {
            unsigned id = word * 32 + (unsigned)__builtin_ctz(bits);
            unsigned level = *id_priority(g, cpu, id);
            bool here = id < N_PRIVATE || g->n_cpus == 1 || (g->targets[id] >> cpu & 1);
            if (here && level < best_priority) {
                best = id;
                best_priority = level;
            }
        }
    }
    *priority = best_priority;
    return best;
}

/* The interrupt that the CPU interface signals now, ID_SPURIOUS if none (IHI 0048B 3.2.2). */
static unsigned signalled(struct gic *g, unsigned cpu)
{
    const struct gic_cpu *c = gic_cpu(g, cpu);
    unsigned priority;
    unsigned id = best_pending(g, cpu, c->control & 3, &priority);

    if (id == ID_SPURIOUS || priority >= c->priority_mask)
        return ID_SPURIOUS;
    bool group1 = map_test(g, MAP_GROUP1, cpu, id);
    if (group_priority(c, priority, group1) >= running_priority(c))
        return ID_SPURIOUS;
    return id;
}

static void gic_update(struct device *d)
{
    struct gic *g = d->state;

    for (unsigned cpu = 0; cpu < g->n_cpus; cpu++) {
        unsigned id = signalled(g, cpu);
        bool any = id != ID_SPURIOUS;
        bool fiq =
            any && !map_test(g, MAP_GROUP1, cpu, id) && (gic_cpu(g, cpu)->control & CTLR_FIQ_EN);
        device_irq(d, GIC_OUT(cpu), any && !fiq);
        device_irq(d, GIC_OUT(cpu) + 1, fiq);
    }
}

/* ---- distributor ----------------------------------------------------------------------------- */

static uint32_t config_read(struct gic *g, unsigned cpu, unsigned index)
{
    uint32_t value = 0;

    if (index == 0)
        return 0xaaaaaaaa;
    if (index == 1)
        return g->variant->ppi_config;
    for (unsigned i = 0; i < 16; i++) {
        unsigned id = index * 16 + i;
        if (id < g->n_irqs && map_test(g, MAP_EDGE, cpu, id))
            value |= 2u << (i * 2);
    }
    return value;
}

/* Only the edge bit of shared interrupts can be written; what is not enabled should be configured,
 * else the change is UNPREDICTABLE: it is taken as it comes. */
static void config_write(struct gic *g, unsigned cpu, unsigned index, uint32_t value)
{
    for (unsigned i = 0; i < 16 && index >= 2; i++) {
        unsigned id = index * 16 + i;
        if (id < g->n_irqs)
            map_set(g, MAP_EDGE, cpu, id, value >> (i * 2 + 1) & 1);
    }
}

static uint8_t byte_read(struct gic *g, unsigned cpu, unsigned offset)
{
    unsigned id = offset & 0x3ff;

    if (offset >= GICD_SPENDSGIR && offset < GICD_SPENDSGIR + N_SGIS)
        return g->variant->v2 ? g->sgi_sources[cpu][offset - GICD_SPENDSGIR] : 0;
    if (offset >= GICD_CPENDSGIR && offset < GICD_CPENDSGIR + N_SGIS)
        return g->variant->v2 ? g->sgi_sources[cpu][offset - GICD_CPENDSGIR] : 0;
    if (id >= g->n_irqs)
        return 0;
    if (offset < GICD_ITARGETSR)
        return *id_priority(g, cpu, id);
    /* RAZ in a uniprocessor implementation (4.3.12). */
    if (g->n_cpus == 1)
        return 0;
    return id < N_PRIVATE ? (uint8_t)(1u << cpu) : g->targets[id];
}

static void byte_write(struct gic *g, unsigned cpu, unsigned offset, uint8_t value)
{
    unsigned id = offset & 0x3ff;
    bool set = offset >= GICD_SPENDSGIR;

    if (offset >= GICD_CPENDSGIR) {
        unsigned sgi = offset - (set ? GICD_SPENDSGIR : GICD_CPENDSGIR);
        uint8_t *sources = &g->sgi_sources[cpu][sgi & (N_SGIS - 1)];
        if (!g->variant->v2 || sgi >= N_SGIS)
            return;
        *sources = set ? *sources | (value & ((1u << g->n_cpus) - 1)) : *sources & ~value;
        map_set(g, MAP_PENDING, cpu, sgi, *sources != 0);
    } else if (id >= g->n_irqs) {
        return;
    } else if (offset < GICD_ITARGETSR) {
        *id_priority(g, cpu, id) = value & PRIORITY_MASK;
    } else if (id >= N_PRIVATE && g->n_cpus > 1) {
        g->targets[id] = value & ((1u << g->n_cpus) - 1);
    }
}

static bool is_byte_register(uint64_t offset)
{
    return (offset >= GICD_IPRIORITYR && offset < GICD_ICFGR) ||
           (offset >= GICD_CPENDSGIR && offset < GICD_SPENDSGIR + N_SGIS);
}

/* The bit map registers: which map, from the 0x80-byte row of the register. */
static uint32_t bitmap_read(struct gic *g, unsigned cpu, unsigned offset)
{
    unsigned word = offset % 0x80 / 4;

    switch (offset & ~0x7fu) {
    case GICD_IGROUPR:
        return *map_word(g, MAP_GROUP1, cpu, word);
    case GICD_ISENABLER:
    case GICD_ICENABLER:
        return *map_word(g, MAP_ENABLED, cpu, word);
    case GICD_ISPENDR:
    case GICD_ICPENDR:
        return pending_word(g, cpu, word) & word_mask(g, word);
    case GICD_ICACTIVER:
        if (!g->variant->v2)
            return 0;
        return *map_word(g, MAP_ACTIVE, cpu, word);
    default:
        return *map_word(g, MAP_ACTIVE, cpu, word);
    }
}

static void bitmap_write(struct gic *g, unsigned cpu, unsigned offset, uint32_t value)
{
    unsigned word = offset % 0x80 / 4;
    uint32_t bits = value & word_mask(g, word);
    /* SGIs: always enabled (as here, 4.3.5), pending only through GICD_SGIR and *PENDSGIR. */
    uint32_t not_sgi = word ? bits : bits & 0xffff0000;

    switch (offset & ~0x7fu) {
    case GICD_IGROUPR:
        *map_word(g, MAP_GROUP1, cpu, word) = bits;
        break;
    case GICD_ISENABLER:
        *map_word(g, MAP_ENABLED, cpu, word) |= bits;
        break;
    case GICD_ICENABLER:
        *map_word(g, MAP_ENABLED, cpu, word) &= ~not_sgi;
        break;
    case GICD_ISPENDR:
        *map_word(g, MAP_PENDING, cpu, word) |= not_sgi;
        break;
    case GICD_ICPENDR:
        *map_word(g, MAP_PENDING, cpu, word) &= ~not_sgi;
        break;
    case GICD_ISACTIVER:
        if (g->variant->v2)
            *map_word(g, MAP_ACTIVE, cpu, word) |= bits;
        break;
    case GICD_ICACTIVER:
        if (g->variant->v2)
            *map_word(g, MAP_ACTIVE, cpu, word) &= ~bits;
        break;
    }
}

static uint32_t distributor_word(struct device *d, unsigned cpu, unsigned offset)
{
    struct gic *g = d->state;

    if (offset >= GICD_IGROUPR && offset < GICD_IPRIORITYR)
        return bitmap_read(g, cpu, offset);
    if (offset >= GICD_ICFGR && offset < GICD_PPISR)
        return config_read(g, cpu, (offset - GICD_ICFGR) / 4);
    if (offset >= GICD_PPISR && offset < GICD_NSACR) {
        unsigned word = (offset - GICD_PPISR) / 4;
        return word < N_WORDS ? *map_word(g, MAP_LEVEL, cpu, word) : 0;
    }
    if (offset >= GICD_ID)
        return g->variant->id[(offset - GICD_ID) / 4];
    switch (offset) {
    case GICD_CTLR:
        return g->control;
    case GICD_TYPER:
        return ((g->n_irqs + 31) / 32 - 1) | (g->n_cpus - 1) << 5;
    case GICD_IIDR:
        return g->variant->distributor_iidr;
    default:
        if (offset < GICD_NSACR || offset >= GICD_SGIR)
            log_printf(LOG_GUEST_ERROR, "gic: read of distributor register 0x%x\n", offset);
        return 0;
    }
}

static uint64_t distributor_read(struct device *d, uint64_t offset, unsigned size)
{
    struct gic *g = d->state;
    unsigned cpu = access_cpu(g);
    uint32_t value = 0;

    if (!is_byte_register(offset))
        return distributor_word(d, cpu, offset & ~UINT64_C(3)) >> (offset & 3) * 8;
    for (unsigned i = 0; i < size; i++)
        value |= (uint32_t)byte_read(g, cpu, (unsigned)offset + i) << (i * 8);
    return value;
}

/* GICD_SGIR (4.3.15). */
static void software_interrupt(struct gic *g, unsigned source, uint32_t value)
{
    unsigned sgi = value & 15;
    unsigned all = (1u << g->n_cpus) - 1, to = 0;

    switch (value >> 24 & 3) {
    case 0:
        to = value >> 16 & all;
        break;
    case 1:
        to = all & ~(1u << source);
        break;
    case 2:
        to = 1u << source;
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "gic: reserved filter in GICD_SGIR\n");
        break;
    }
    for (unsigned cpu = 0; cpu < g->n_cpus; cpu++) {
        if (!(to >> cpu & 1))
            continue;
        g->sgi_sources[cpu][sgi] |= (uint8_t)(1u << source);
        map_set(g, MAP_PENDING, cpu, sgi, true);
    }
}

static void distributor_write(struct device *d, uint64_t offset64, uint64_t value, unsigned size)
{
    struct gic *g = d->state;
    unsigned cpu = access_cpu(g);
    unsigned offset = (unsigned)offset64, word = offset & ~3u, shift = (offset & 3) * 8;
    uint32_t bits = (uint32_t)value << shift;

    if (is_byte_register(offset)) {
        for (unsigned i = 0; i < size; i++)
            byte_write(g, cpu, offset + i, (uint8_t)(value >> (i * 8)));
    } else if (word >= GICD_IGROUPR && word < GICD_IPRIORITYR) {
        /* Set- and clear-registers ignore zero bits, so a part of one is easy. */
        if (word < GICD_ISENABLER && size < 4)
            bits = deposit32(bitmap_read(g, cpu, word), shift, size * 8, (uint32_t)value);
        bitmap_write(g, cpu, word, bits);
    } else if (word >= GICD_ICFGR && word < GICD_PPISR) {
        unsigned index = (word - GICD_ICFGR) / 4;
        if (size < 4)
            bits = deposit32(config_read(g, cpu, index), shift, size * 8, (uint32_t)value);
        config_write(g, cpu, index, bits);
    } else if (word == GICD_CTLR && shift == 0) {
        g->control = bits & 3;
    } else if (word == GICD_SGIR && size == 4) {
        software_interrupt(g, cpu, bits);
    } else if (word < GICD_NSACR || word >= GICD_SGIR) {
        log_printf(LOG_GUEST_ERROR, "gic: write of 0x%x to distributor register 0x%x\n", bits,
                   offset);
    }
    gic_update(d);
}

/* ---- CPU interface --------------------------------------------------------------------------- */

/* Reads of GICC_IAR (aliased: GICC_AIAR): 4.4.4, 4.4.10. The caller updates the outputs. */
static uint32_t acknowledge(struct gic *g, unsigned cpu, bool aliased)
{
    struct gic_cpu *c = gic_cpu(g, cpu);
    unsigned id = signalled(g, cpu);
    uint32_t source = 0;

    if (id == ID_SPURIOUS)
        return ID_SPURIOUS;
    bool group1 = map_test(g, MAP_GROUP1, cpu, id);
    if (aliased && !group1)
        return ID_SPURIOUS;
    if (!aliased && group1 && !(c->control & CTLR_ACK_CTL))
        return ID_GROUP1;
    if (id < N_SGIS) {
        uint8_t *sources = &g->sgi_sources[cpu][id];
        source = *sources ? (uint32_t)__builtin_ctz(*sources) : 0;
        *sources &= (uint8_t)(*sources - 1);
        map_set(g, MAP_PENDING, cpu, id, *sources != 0);
    } else {
        map_set(g, MAP_PENDING, cpu, id, false);
    }
    map_set(g, MAP_ACTIVE, cpu, id, true);
    unsigned priority = group_priority(c, *id_priority(g, cpu, id), group1);
    if (group1)
        c->nsapr |= 1u << (priority >> 3);
    else
        c->apr |= 1u << (priority >> 3);
    return id | source << 10;
}

/* GICC_HPPIR: as GICC_IAR would tell, without the priority mask and without acknowledging. */
static uint32_t highest_pending(struct gic *g, unsigned cpu, bool aliased)
{
    unsigned priority;
    unsigned id = best_pending(g, cpu, 3, &priority);

    if (id == ID_SPURIOUS)
        return id;
    bool group1 = map_test(g, MAP_GROUP1, cpu, id);
    if (aliased && !group1)
        return ID_SPURIOUS;
    if (!aliased && group1 && !(gic_cpu(g, cpu)->control & CTLR_ACK_CTL))
        return ID_GROUP1;
    if (id < N_SGIS && g->sgi_sources[cpu][id])
        return id | (uint32_t)__builtin_ctz(g->sgi_sources[cpu][id]) << 10;
    return id;
}

static void end_of_interrupt(struct gic *g, unsigned cpu, uint32_t value)
{
    struct gic_cpu *c = gic_cpu(g, cpu);
    unsigned id = value & 0x3ff;

    if (id >= GIC_MAX_IRQS)
        return; /* a spurious one: no effect */
    if (id >= g->n_irqs || !(c->apr | c->nsapr)) {
        log_printf(LOG_GUEST_ERROR, "gic: end of interrupt %u which is not active\n", id);
        return;
    }
    if (map_test(g, MAP_GROUP1, cpu, id))
        c->nsapr &= c->nsapr - 1;
    else
        c->apr &= c->apr - 1;
    if (!(c->control & CTLR_EOI_MODE))
        map_set(g, MAP_ACTIVE, cpu, id, false);
}

static void deactivate(struct gic *g, unsigned cpu, uint32_t value)
{
    unsigned id = value & 0x3ff;

    if (!(gic_cpu(g, cpu)->control & CTLR_EOI_MODE))
        log_printf(LOG_GUEST_ERROR, "gic: write to GICC_DIR while EOImode is 0\n");
    else if (id < g->n_irqs)
        map_set(g, MAP_ACTIVE, cpu, id, false);
}

static uint64_t cpu_read(struct device *d, uint64_t offset, unsigned size)
{
    struct gic *g = d->state;
    unsigned cpu = access_cpu(g);
    const struct gic_cpu *c = gic_cpu(g, cpu);
    uint32_t value;

    switch (offset) {
    case GICC_CTLR:
        return c->control;
    case GICC_PMR:
        return c->priority_mask;
    case GICC_BPR:
        return c->bpr;
    case GICC_ABPR:
        return c->abpr;
    case GICC_IAR:
    case GICC_AIAR:
        if (offset == GICC_AIAR && !g->variant->v2)
            return 0;
        value = acknowledge(g, cpu, offset == GICC_AIAR);
        gic_update(d);
        return value;
    case GICC_RPR:
        return running_priority(c);
    case GICC_HPPIR:
        return highest_pending(g, cpu, false);
    case GICC_AHPPIR:
        return g->variant->v2 ? highest_pending(g, cpu, true) : 0;
    case GICC_APR0:
        return g->variant->v2 ? c->apr : 0;
    case GICC_NSAPR0:
        return g->variant->v2 ? c->nsapr : 0;
    case GICC_IIDR:
        return g->variant->cpu_iidr;
    case GICC_EOIR:
    case GICC_AEOIR:
    case GICC_DIR:
        log_printf(LOG_GUEST_ERROR, "gic: read of write-only CPU interface register 0x%x\n",
                   (unsigned)offset);
        return 0;
    default:
        return 0; /* reserved, and the further GICC_APRn: RAZ */
    }
}

static void cpu_write(struct device *d, uint64_t offset, uint64_t value64, unsigned size)
{
    struct gic *g = d->state;
    unsigned cpu = access_cpu(g);
    struct gic_cpu *c = gic_cpu(g, cpu);
    uint32_t value = (uint32_t)value64;
    bool v2 = g->variant->v2;

    switch (offset) {
    case GICC_CTLR:
        c->control = value & g->variant->cpu_control_mask;
        break;
    case GICC_PMR:
        c->priority_mask = value & PRIORITY_MASK;
        break;
    case GICC_BPR:
        c->bpr = MAX(value & 7, (uint32_t)BPR_MIN);
        break;
    case GICC_ABPR:
        c->abpr = MAX(value & 7, (uint32_t)ABPR_MIN);
        break;
    case GICC_EOIR:
        end_of_interrupt(g, cpu, value);
        break;
    case GICC_AEOIR:
        if (v2)
            end_of_interrupt(g, cpu, value);
        break;
    case GICC_DIR:
        if (v2)
            deactivate(g, cpu, value);
        break;
    case GICC_APR0:
        if (v2)
            c->apr = value;
        break;
    case GICC_NSAPR0:
        if (v2)
            c->nsapr = value;
        break;
    default:
        log_printf(LOG_GUEST_ERROR, "gic: write of 0x%x to CPU interface register 0x%x\n", value,
                   (unsigned)offset);
        return;
    }
    gic_update(d);
}

/* ---- device ---------------------------------------------------------------------------------- */

static void gic_irq_in(struct device *d, unsigned line, bool level)
{
    struct gic *g = d->state;
    unsigned cpu = 0, id = line + N_PRIVATE;

    if (line >= GIC_PPI_BASE) {
        cpu = (line - GIC_PPI_BASE) / 32;
        id = (line - GIC_PPI_BASE) % 32;
    }
    if (id < N_SGIS || id >= g->n_irqs || cpu >= g->n_cpus ||
        map_test(g, MAP_LEVEL, cpu, id) == level)
        return;
    map_set(g, MAP_LEVEL, cpu, id, level);
    if (level && map_test(g, MAP_EDGE, cpu, id))
        map_set(g, MAP_PENDING, cpu, id, true);
    gic_update(d);
}

static void gic_reset(struct device *d)
{
    struct gic *g = d->state;

    for (unsigned cpu = 0; cpu < GIC_MAX_CPUS; cpu++) {
        struct gic_cpu *c = gic_cpu(g, cpu);
        *map_word(g, MAP_ENABLED, cpu, 0) = 0xffff; /* SGIs */
        *map_word(g, MAP_EDGE, cpu, 0) = 0xffff | g->variant->ppi_edge;
        c->bpr = BPR_MIN;
        c->abpr = ABPR_MIN;
    }
    gic_update(d);
}

static bool gic_init(struct device *d, struct error *err)
{
    struct gic *g = d->state;
    uint64_t n_irqs = device_prop_u64(d, "num-irq", g->variant->v2 ? 288 : 96);
    uint64_t n_cpus = device_prop_u64(d, "num-cpu", 1);

    if (n_irqs < N_PRIVATE || n_irqs > GIC_MAX_IRQS || (n_irqs % 32 && n_irqs != GIC_MAX_IRQS))
        return error_set(err, "%s: num-irq must be a multiple of 32 up to 992, or 1020", d->id);
    g->n_irqs = (unsigned)n_irqs;
    g->n_cpus = (unsigned)n_cpus;
    return true;
}

static bool gicv2_init(struct device *d, struct error *err)
{
    ((struct gic *)d->state)->variant = &variant_v2;
    return gic_init(d, err);
}

static bool gic_a9_init(struct device *d, struct error *err)
{
    ((struct gic *)d->state)->variant = &variant_a9;
    return gic_init(d, err);
}

static const struct device_field gic_fields[] = {
    DEVICE_FIELD(struct gic, control, DEVICE_U32, 0),
    DEVICE_ARRAY(struct gic, maps, DEVICE_U32, N_MAPS *(N_WORDS + GIC_MAX_CPUS), 0),
    DEVICE_ARRAY(struct gic, priority, DEVICE_U8, 1024 + GIC_MAX_CPUS * N_PRIVATE, 0),
    DEVICE_ARRAY(struct gic, targets, DEVICE_U8, 1024, 0),
    DEVICE_ARRAY(struct gic, sgi_sources, DEVICE_U8, GIC_MAX_CPUS *N_SGIS, 0),
    DEVICE_ARRAY(struct gic, cpu_regs, DEVICE_U32, GIC_MAX_CPUS * sizeof(struct gic_cpu) / 4, 0),
};

static const struct device_region gicv2_regions[] = {
    {"gic-distributor", 0x1000, 1, 4, distributor_read, distributor_write, false, NULL},
    {"gic-cpu", 0x2000, 4, 4, cpu_read, cpu_write, false, NULL},
};

static const struct device_region gic_a9_regions[] = {
    {"gic-distributor", 0x1000, 1, 4, distributor_read, distributor_write, false, NULL},
    {"gic-cpu", 0x100, 4, 4, cpu_read, cpu_write, false, NULL},
};

static const struct device_prop gic_props[] = {
    {"num-irq", DEVICE_PROP_NUMBER},
    {"num-cpu", DEVICE_PROP_NUMBER, 1, GIC_MAX_CPUS},
    {NULL},
};

static const struct device_class gicv2_class = {
    .name = "gicv2",
    .props = gic_props,
    .interrupts = true,
    .description = "Generic Interrupt Controller, version 2",
    .manual = "ARM IHI 0048B",
    .state_size = sizeof(struct gic),
    .regions = gicv2_regions,
    .n_regions = ARRAY_SIZE(gicv2_regions),
    .fields = gic_fields,
    .n_fields = ARRAY_SIZE(gic_fields),
    .n_irq_in = GIC_N_IRQ_IN,
    .n_irq_out = GIC_N_IRQ_OUT,
    .init = gicv2_init,
    .reset = gic_reset,
    .irq_in = gic_irq_in,
};
REGISTER(device_class, gicv2_class);

static const struct device_class gic_a9_class = {
    .name = "gic-a9mp",
    .props = gic_props,
    .interrupts = true,
    .description = "Interrupt controller of the Cortex-A9 MPCore",
    .manual = "ARM DDI 0407, IHI 0048B",
    .state_size = sizeof(struct gic),
    .regions = gic_a9_regions,
    .n_regions = ARRAY_SIZE(gic_a9_regions),
    .fields = gic_fields,
    .n_fields = ARRAY_SIZE(gic_fields),
    .n_irq_in = GIC_N_IRQ_IN,
    .n_irq_out = GIC_N_IRQ_OUT,
    .init = gic_a9_init,
    .reset = gic_reset,
    .irq_in = gic_irq_in,
};
REGISTER(device_class, gic_a9_class);
