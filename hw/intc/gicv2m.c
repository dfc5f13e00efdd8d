/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GICv2m frame: turns a store into a pulse of a shared peripheral interrupt, for MSIs (ARM Server
 * Base System Architecture, appendix "GICv2m"). Properties: base-spi, num-spi.
 */
#include "hw/device.h"

enum {
    MAX_SPIS = 64,
    MSI_TYPER = 0x008,
    MSI_SETSPI_NS = 0x040,
    MSI_IIDR = 0xfcc,
    MSI_ID = 0xfd0,
};

struct gicv2m {
    uint32_t base_spi, n_spis;
};

static uint64_t gicv2m_read(struct device *d, uint64_t offset, unsigned size)
{
    static const uint8_t id[12] = {0x04, 0, 0, 0, 0, 0xb0, 0x0b, 0, 0x0d, 0xf0, 0x05, 0xb1};
    const struct gicv2m *g = d->state;

    if (offset == MSI_TYPER)
        return (g->base_spi + 32) << 16 | g->n_spis;
    if (offset == MSI_IIDR)
        return 0x43b;
    if (offset >= MSI_ID)
        return id[(offset - MSI_ID) / 4];
    log_printf(LOG_GUEST_ERROR, "gicv2m: read of register 0x%x\n", (unsigned)offset);
    return 0;
}

static void gicv2m_write(struct device *d, uint64_t offset, uint64_t value, unsigned size)
{
    const struct gicv2m *g = d->state;
    uint32_t spi = (value & 0x3ff) - 32 - g->base_spi;

    if (offset != MSI_SETSPI_NS) {
        log_printf(LOG_GUEST_ERROR, "gicv2m: write to register 0x%x\n", (unsigned)offset);
        return;
    }
    if (spi >= g->n_spis)
        return;
    device_irq(d, spi, true);
    device_irq(d, spi, false);
}

static bool gicv2m_init(struct device *d, struct error *err)
{
    struct gicv2m *g = d->state;

    g->base_spi = (uint32_t)device_prop_u64(d, "base-spi", 0);
    g->n_spis = (uint32_t)device_prop_u64(d, "num-spi", MAX_SPIS);
    if (g->n_spis > MAX_SPIS || g->base_spi > 987 || g->base_spi + g->n_spis > 988)
        return error_set(err, "%s: no such interrupts: base-spi=%u, num-spi=%u", d->id, g->base_spi,
                         g->n_spis);
    return true;
}

static const struct device_region gicv2m_regions[] = {
    {"gicv2m", 0x1000, 4, 4, gicv2m_read, gicv2m_write, false, NULL},
};

static const struct device_prop gicv2m_props[] = {
    {"base-spi", DEVICE_PROP_NUMBER},
    {"num-spi", DEVICE_PROP_NUMBER},
    {NULL},
};

static const struct device_class gicv2m_class = {
    .name = "gicv2m",
    .props = gicv2m_props,
    .interrupts = true,
    .description = "GICv2m message-signalled interrupt frame",
    .manual = "ARM DEN 0029 (SBSA), appendix E",
    .state_size = sizeof(struct gicv2m),
    .regions = gicv2m_regions,
    .n_regions = ARRAY_SIZE(gicv2m_regions),
    .n_irq_out = MAX_SPIS,
    .init = gicv2m_init,
};
REGISTER(device_class, gicv2m_class);
