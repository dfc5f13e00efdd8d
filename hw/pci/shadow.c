/* SPDX-License-Identifier: GPL-2.0-or-later */
/* PAM and SMRAM: 82441FX datasheet (290549) 3.2.18, 3.2.22; the same in the Q35's MCH. */
#include "hw/pci/shadow.h"

#include "hw/machine.h"

enum { PAM_READ = 1, PAM_WRITE = 2 };
enum { SEGMENT = 0x4000, FIRST = 0xc0000, BIOS = 0xf0000, SMRAM = 0xa0000, SMRAM_SIZE = 0x20000 };

static void window_set(struct device *d, struct memory_window *window, bool shown,
                       enum memory_window_access access)
{
    struct error err;

    if (window->shown && (!shown || window->access != access))
        memory_window_hide(d->memory, window);
    window->access = access;
    if (shown && !memory_window_show(d->memory, window, &err))
        log_printf(LOG_GUEST_ERROR, "%s: %s\n", d->id, err.message);
}

/* Register 0 has the BIOS segment in its upper half; the others two segments of 16 KiB each. */
static unsigned attributes(const uint8_t *pam, unsigned segment)
{
    return segment == SHADOW_SEGMENTS - 1 ? pam[0] >> 4 & 3
                                          : pam[1 + segment / 2] >> (segment % 2 ? 4 : 0) & 3;
}

void shadow_update(struct device *d, struct shadow *shadow, const uint8_t *pam, bool smram)
{
    struct memory_block *ram = d->machine->ram_block;

    if (!ram || d->machine->ram_bytes < MIB)
        return;
    memory_begin(d->memory);
    for (unsigned i = 0; i < SHADOW_SEGMENTS; i++) {
        struct memory_window *window = &shadow->segments[i];
        unsigned bits = attributes(pam, i);
        window->block = ram;
        window->base = window->offset = i == SHADOW_SEGMENTS - 1 ? BIOS : FIRST + i * SEGMENT;
        window->size = i == SHADOW_SEGMENTS - 1 ? MIB - BIOS : SEGMENT;
        window->layer = 2;
        window_set(d, window, bits != 0,
                   bits == PAM_READ    ? MEMORY_READ_ONLY
                   : bits == PAM_WRITE ? MEMORY_WRITE_ONLY
                                       : MEMORY_READ_WRITE);
    }
    if (!shadow->smram.shown) {
        shadow->smram.block = ram;
        shadow->smram.base = shadow->smram.offset = SMRAM;
        shadow->smram.size = SMRAM_SIZE;
        shadow->smram.layer = 2;
    }
    window_set(d, &shadow->smram, smram, MEMORY_READ_WRITE);
    memory_commit(d->memory);
}
