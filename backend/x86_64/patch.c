/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing finished code: chained jumps, and the data slots of inline caches.
 * Code is written through the writable view; a jump's displacement is aligned
 * and changes in one store.
 *
 * A slot is on two chains: by the code it points to and by the unit that owns
 * it, so that dropping a unit costs little. Filling happens in C once in a
 * while (patience), probing in the thunks.
 */
#include <sys/mman.h>

#include <stdlib.h>

#include "backend/x86_64/x86_64.h"

void x86_patch_jump(struct backend_state *s, void *site, const void *target, uint32_t tag)
{
    uint8_t *write = (uint8_t *)site + s->env.write_offset + STUB_CALL_BYTES;
    struct exit_data data;
    memcpy(&data, write, sizeof(data));
    if (target && data.guard)
        memcpy(write + data.guard, &tag, sizeof(tag));
    const uint8_t *field = (const uint8_t *)site + STUB_CALL_BYTES + data.jump; /* executable */
    const uint8_t *to = target ? target : site;
    int32_t distance = (int32_t)(to - (field + 4));
    __atomic_store_n((int32_t *)(void *)(write + data.jump), distance, __ATOMIC_RELEASE);
}

/* ---- inline cache slots
 * ---------------------------------------------------------------------------------
 */

static unsigned bucket_of(const void *code)
{
    return (unsigned)((uintptr_t)code >> 4) & (SLOT_BUCKETS - 1);
}

/* Data must be within 2 GB of the code, and outside executable memory. */
static void *map_near(const uint8_t *code, size_t size)
{
    uintptr_t centre = (uintptr_t)code & ~(uintptr_t)0xfffff;
    for (uintptr_t distance = 16 * MIB; distance < 1900 * MIB; distance += 16 * MIB) {
        for (int sign = -1; sign <= 1; sign += 2) {
            uintptr_t at = sign < 0 ? centre - distance : centre + distance;
            if (sign < 0 && distance > centre)
                continue;
            void *p =
                mmap((void *)at, size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | MAP_FIXED_NOREPLACE, -1, 0);
            if (p == (void *)at)
                return p;
            if (p != MAP_FAILED)
                munmap(p, size);
        }
    }
    return NULL;
}

bool slots_create(struct backend_state *s, struct error *err)
{
    s->slots = map_near(s->env.thunks.exec, INLINE_SLOTS * sizeof(struct inline_slot));
    s->links = mmap(NULL, INLINE_SLOTS * sizeof(struct slot_links), PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (s->links == MAP_FAILED)
        s->links = NULL;
    s->code_bucket = calloc(SLOT_BUCKETS, sizeof(*s->code_bucket));
    s->owner_bucket = calloc(SLOT_BUCKETS, sizeof(*s->owner_bucket));
    if (s->slots && s->links && s->code_bucket && s->owner_bucket)
        return true;
    return error_set(err, "no memory for the code generator's jump caches");
}

void slots_destroy(struct backend_state *s)
{
    if (s->slots)
        munmap(s->slots, INLINE_SLOTS * sizeof(struct inline_slot));
    if (s->links)
        munmap(s->links, INLINE_SLOTS * sizeof(struct slot_links));
    free(s->code_bucket);
    free(s->owner_bucket);
}

static void slot_clear(struct inline_slot *slot)
{
    slot->pc = ~UINT64_C(0);
    slot->key = 0;
    slot->tag = SLOT_NO_TAG;
    slot->code = NULL;
    slot->patience = 0;
}

struct inline_slot *slot_take(struct backend_state *s, const void *owner)
{
    uint32_t index;
    if (s->free_slot) {
        index = s->free_slot - 1;
        s->free_slot = s->links[index].next_owner;
    } else if (s->n_slots < INLINE_SLOTS) {
        index = s->n_slots++;
    } else {
        return NULL;
    }
    uint32_t *bucket = &s->owner_bucket[bucket_of(owner)];
    s->links[index] = (struct slot_links){.owner = owner, .next_owner = *bucket};
    *bucket = index + 1;
    slot_clear(&s->slots[index]);
    return &s->slots[index];
}

static void slot_unlink_code(struct backend_state *s, uint32_t index)
{
    struct slot_links *l = &s->links[index];
    if (!l->linked)
        return;
    if (l->previous_code)
        s->links[l->previous_code - 1].next_code = l->next_code;
    else
        s->code_bucket[bucket_of(s->slots[index].code)] = l->next_code;
    if (l->next_code)
        s->links[l->next_code - 1].previous_code = l->previous_code;
    l->linked = false;
    slot_clear(&s->slots[index]);
}

const void *x86_indirect_fill(struct run_state *run, struct inline_slot *slot,
                              struct backend_state *s)
{
    const void *code = s->env.slow.lookup(run);
    if (!code)
        return NULL;
    uint32_t index = (uint32_t)(slot - s->slots);
    slot_unlink_code(s, index);
    struct slot_links *l = &s->links[index];
    uint32_t *bucket = &s->code_bucket[bucket_of(code)];
    l->previous_code = 0;
    l->next_code = *bucket;
    if (*bucket)
        s->links[*bucket - 1].previous_code = index + 1;
    *bucket = index + 1;
    l->linked = true;
    uint32_t tag = tlb_exec_tag(run->tlb, s->env.wide_address, run->pc);
    slot->code = code;
    slot->key = run->key;
    slot->tag = tag ? tag : SLOT_NO_TAG;
    slot->patience = SLOT_PATIENCE;
    slot->pc = tag ? run->pc : ~UINT64_C(0); /* without a tag it cannot be checked */
    return code;
}

/* Slots lead to entries of units, and units own them by their entries. */
void x86_forget(struct backend_state *s, const void *entry, bool gone)
{
    unsigned bucket = bucket_of(entry);
    uint32_t next;
    for (uint32_t i = s->code_bucket[bucket]; i; i = next) {
        next = s->links[i - 1].next_code;
        if (s->slots[i - 1].code == entry)
            slot_unlink_code(s, i - 1);
    }
    uint32_t *link = &s->owner_bucket[bucket];
    while (*link && gone) {
        uint32_t i = *link;
        struct slot_links *l = &s->links[i - 1];
        if (l->owner != entry) {
            link = &l->next_owner;
            continue;
        }
        slot_unlink_code(s, i - 1);
        *link = l->next_owner;
        l->owner = NULL;
        l->next_owner = s->free_slot;
        s->free_slot = i;
    }
}
