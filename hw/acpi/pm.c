/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI's fixed hardware (ACPI 6.4, 4.8.3). */
#include "hw/acpi/pm.h"

#include "hw/machine.h"

enum { PM1_STATUS = 0, PM1_ENABLE = 2, PM1_CONTROL = 4, PM_TIMER = 8 };
enum { TIMER_STS = 1 << 0, POWER_BUTTON = 1 << 8, STATUS_BITS = 0x8f31, ENABLE_BITS = 0x0721 };
enum { SCI_EN = 1 << 0, SLEEP_TYPE = 7 << 10, SLEEP_EN = 1 << 13, CONTROL_BITS = 0x1c07 };
enum { TIMER_BITS = 24 };
/* PIIX4's firmware convention and ICH9's. */
enum { ENABLE_PIIX = 0xf1, DISABLE_PIIX = 0xf0, ENABLE_ICH = 2, DISABLE_ICH = 3 };

static void sci_update(struct device *d, const struct acpi_pm *pm)
{
    bool level = (pm->status & pm->enable & ENABLE_BITS) != 0;

    for (unsigned i = 0; i < ACPI_GPE_MAX; i++)
        level |= (pm->gpe_status[i] & pm->gpe_enable[i]) != 0;
    device_irq(d, pm->sci, level && (pm->control & SCI_EN));
}

/* ---- the timer --------------------------------------------------------------------------------
 */

static uint64_t ticks(struct device *d)
{
    return muldiv64((uint64_t)clock_now_ns(d->clock), ACPI_PM_TIMER_HZ, 1000000000);
}

/* Status is set whenever the top bit of the 24 changes; needed only by who wants the interrupt or
 * polls. */
static void overflow_arm(struct device *d, struct acpi_pm *pm)
{
    uint64_t half = UINT64_C(1) << (TIMER_BITS - 1), next = (ticks(d) / half + 1) * half;

    timer_set(&pm->overflow, (int64_t)muldiv64(next, 1000000000, ACPI_PM_TIMER_HZ) + 1000);
}

void acpi_pm_overflow(struct device *d, struct acpi_pm *pm)
{
    pm->status |= TIMER_STS;
    if (!(pm->enable & TIMER_STS))
        return; /* again when status has been cleared */
    overflow_arm(d, pm);
    sci_update(d, pm);
}

void acpi_pm_init(struct device *d, struct acpi_pm *pm, void (*overflow)(void *device))
{
    timer_init(&pm->overflow, d->clock, overflow, d);
}

void acpi_pm_reset(struct device *d, struct acpi_pm *pm)
{
    overflow_arm(d, pm);
    sci_update(d, pm);
}

void acpi_pm_button(struct device *d, struct acpi_pm *pm)
{
    if (!(pm->control & SCI_EN)) {
        /* Nobody who speaks ACPI runs: the button switches off. */
        machine_request(d->machine, MACHINE_POWER_OFF);
        return;
    }
    pm->status |= POWER_BUTTON;
    sci_update(d, pm);
}

/* ---- PM1 --------------------------------------------------------------------------------------
 */

static void control_write(struct device *d, struct acpi_pm *pm, uint16_t value)
{
    unsigned type = (value & SLEEP_TYPE) >> 10;

    pm->control = (uint16_t)((value & CONTROL_BITS & ~SCI_EN) | (pm->control & SCI_EN));
    if (!(value & SLEEP_EN))
        return;
    if (type == 0 || type == 7) /* what the tables call S5; the chips' own code for it */
        machine_request(d->machine, MACHINE_POWER_OFF);
    else
        log_printf(LOG_UNIMP, "%s: sleep type %u\n", d->id, type);
}

uint32_t acpi_pm_read(struct device *d, struct acpi_pm *pm, unsigned offset, unsigned size)
{
    uint64_t low = pm->status | (uint32_t)pm->enable << 16 | (uint64_t)pm->control << 32;

    if (offset >= PM_TIMER)
        return (uint32_t)(ticks(d) & ((1u << TIMER_BITS) - 1)) >> 8 * (offset - PM_TIMER);
    return (uint32_t)(low >> 8 * offset);
}

/* value's byte at `at`, put into the register that starts at `reg`, is there one? */
static bool part(unsigned offset, unsigned size, unsigned reg, uint32_t value, uint16_t *mask,
                 uint16_t *bits)
{
    *mask = *bits = 0;
    for (unsigned i = 0; i < 2; i++) {
        unsigned at = reg + i;
        if (at < offset || at >= offset + size)
            continue;
        *mask |= (uint16_t)(0xffu << 8 * i);
        *bits |= (uint16_t)((value >> 8 * (at - offset) & 0xff) << 8 * i);
    }
    return *mask != 0;
}

void acpi_pm_write(struct device *d, struct acpi_pm *pm, unsigned offset, uint32_t value,
                   unsigned size)
{
    uint16_t mask, bits;

    if (part(offset, size, PM1_STATUS, value, &mask, &bits)) {
        pm->status &= (uint16_t) ~(bits & STATUS_BITS);
        if (bits & TIMER_STS)
            overflow_arm(d, pm);
    }
    if (part(offset, size, PM1_ENABLE, value, &mask, &bits)) {
        pm->enable = (uint16_t)(((pm->enable & ~mask) | bits) & ENABLE_BITS);
        overflow_arm(d, pm);
    }
    if (part(offset, size, PM1_CONTROL, value, &mask, &bits))
        control_write(d, pm, (uint16_t)((pm->control & ~mask) | bits));
    sci_update(d, pm);
}

/* ---- general purpose events --------------------------------------------------------------------
 */

uint32_t acpi_gpe_read(struct acpi_pm *pm, unsigned n, unsigned offset, unsigned size)
{
    uint32_t value = 0;

    for (unsigned i = 0; i < size && offset + i < 2 * n; i++) {
        unsigned at = offset + i;
        uint32_t byte = at < n ? pm->gpe_status[at] : pm->gpe_enable[at - n];
        value |= byte << 8 * i;
    }
    return value;
}

void acpi_gpe_write(struct device *d, struct acpi_pm *pm, unsigned n, unsigned offset,
                    uint32_t value, unsigned size)
{
    for (unsigned i = 0; i < size && offset + i < 2 * n; i++) {
        unsigned at = offset + i;
        uint8_t byte = (uint8_t)(value >> 8 * i);
        if (at < n)
            pm->gpe_status[at] &= (uint8_t)~byte;
        else
            pm->gpe_enable[at - n] = byte;
    }
    sci_update(d, pm);
}

/* ---- the SMI command port -----------------------------------------------------------------------
 */

uint32_t acpi_smi_read(struct acpi_pm *pm, unsigned offset, unsigned size)
{
    return (uint32_t)(pm->smi_command | pm->smi_status << 8) >> 8 * offset;
}

/* The firmware's handler would switch SCI_EN; there is no system management mode, so this does. */
void acpi_smi_write(struct device *d, struct acpi_pm *pm, unsigned offset, uint32_t value,
                    unsigned size)
{
    if (offset + size > 1)
        pm->smi_status = (uint8_t)(value >> 8 * (1 - offset));
    if (offset)
        return;
    pm->smi_command = (uint8_t)value;
    switch (pm->smi_command) {
    case ENABLE_PIIX:
    case ENABLE_ICH:
        pm->control |= SCI_EN;
        break;
    case DISABLE_PIIX:
    case DISABLE_ICH:
        pm->control &= (uint16_t)~SCI_EN;
        break;
    default:
        log_printf(LOG_UNIMP, "%s: system management interrupt, command 0x%02x\n", d->id,
                   pm->smi_command);
        break;
    }
    sci_update(d, pm);
}
