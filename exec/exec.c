/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Creation of the engine, its code memory, and the functions that generated code calls.
 */
#define _GNU_SOURCE
#include "exec/exec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "util/bits.h"

/* ---- the slow path --------------------------------------------------------------------------- */

static struct mmu *mmu_of(void *cpu)
{
    return ((struct vcpu *)cpu)->mmu;
}

static uint64_t slow_load(void *cpu, uint64_t va, unsigned memop)
{
    return mmu_load(mmu_of(cpu), va, memop);
}

static void slow_store(void *cpu, uint64_t va, uint64_t value, unsigned memop)
{
    mmu_store(mmu_of(cpu), va, value, memop);
}

static void slow_load_bytes(void *cpu, uint64_t va, void *out, unsigned memop)
{
    mmu_load_bytes(mmu_of(cpu), va, out, memop);
}

static void slow_store_bytes(void *cpu, uint64_t va, const void *in, unsigned memop)
{
    mmu_store_bytes(mmu_of(cpu), va, in, memop);
}

static void *slow_probe(void *cpu, uint64_t va, unsigned length, unsigned memop)
{
    return mmu_probe(mmu_of(cpu), va, length, memop);
}

static void slow_commit(void *cpu, void *pointer, uint64_t va, unsigned length, unsigned memop)
{
    mmu_commit(mmu_of(cpu), pointer, va, length, memop);
}

static uint64_t slow_cas(void *cpu, uint64_t va, uint64_t expected, uint64_t value, unsigned memop)
{
    return mmu_cas(mmu_of(cpu), va, expected, value, memop);
}

static uint64_t slow_rmw(void *cpu, uint64_t va, unsigned what, uint64_t operand, unsigned memop)
{
    return mmu_rmw(mmu_of(cpu), va, (enum ir_rmw)what, operand, memop);
}

static const struct backend_slow_path slow_path = {
    .load = slow_load,
    .store = slow_store,
    .load_bytes = slow_load_bytes,
    .store_bytes = slow_store_bytes,
    .probe = slow_probe,
    .commit = slow_commit,
    .cas = slow_cas,
    .rmw = slow_rmw,
    .lookup = engine_lookup,
};

/* ---- code memory ----------------------------------------------------------------------------- */

/* An address range within reach of calque's own code, so that calls and jumps between the two take
 * 32-bit displacements. Below the program first: above it grows the heap. */
static void *map_near(size_t bytes, int protection)
{
    const intptr_t step = 64 * (intptr_t)MIB, reach = 1600 * (intptr_t)MIB;
    uintptr_t text = align_down((uintptr_t)&exec_create, (uintptr_t)MIB);
    int flags = MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE;
    void *place;

    for (intptr_t distance = step + (intptr_t)bytes; distance < reach; distance += step) {
        for (int side = 0; side < 2; side++) {
            uintptr_t hint = side ? text + (uintptr_t)distance - bytes : text - (uintptr_t)distance;

            if (!side && (uintptr_t)distance >= text)
                continue;
            place = mmap((void *)hint, bytes, protection, flags | MAP_FIXED_NOREPLACE, -1, 0);
            if (place == (void *)hint)
                return place;
            if (place != MAP_FAILED)
                munmap(place, bytes);
        }
    }
    return mmap(NULL, bytes, protection, flags, -1, 0);
}

/* Two mappings of the same memory. It is anonymous, because perf looks for names of the code of
 * anonymous mappings only (/tmp/perf-PID.map): a length of 0 has mremap make another mapping. */
static bool code_memory_create(struct exec *exec, struct error *err)
{
    uint64_t bytes = exec->options.code_cache_bytes;
    int protection = exec->backend->generates_code ? PROT_READ | PROT_EXEC : PROT_READ;

    if (!bytes)
        bytes = DEFAULT_CACHE_BYTES;
    bytes = MIN(MAX(align_up(bytes, TLB_PAGE_SIZE), MIN_CACHE_BYTES), GIB);
    exec->code_bytes = THUNK_BYTES + bytes;
    exec->exec_view = map_near(exec->code_bytes, protection);
    if (exec->exec_view == MAP_FAILED) {
        exec->exec_view = NULL;
        return error_set_errno(err, errno, "cannot map memory for translated code");
    }
    exec->write_view = mremap((void *)exec->exec_view, 0, exec->code_bytes, MREMAP_MAYMOVE);
    if (exec->write_view == MAP_FAILED)
        exec->write_view = NULL;
    if (!exec->write_view || mprotect(exec->write_view, exec->code_bytes, PROT_READ | PROT_WRITE))
        return error_set_errno(err, errno, "cannot map memory for translated code a second time");
    return true;
}

static const struct backend *backend_choose(bool interpret)
{
    const struct backend *reference = NULL;

    REGISTRY_FOREACH (backend, struct backend, b) {
        if (!b->generates_code)
            reference = b;
        else if (!interpret && b->available())
            return b;
    }
    return reference;
}

static bool backend_start(struct exec *exec, struct error *err)
{
    struct backend_env env = {
        .fields = exec->guest->fields,
        .n_fields = exec->guest->n_fields,
        .fp = exec->guest->fp,
        .slow = slow_path,
        .thunks = {.write = exec->write_view,
                   .exec = exec->exec_view,
                   .end = exec->write_view + THUNK_BYTES},
        .wide_address = exec->guest->wide_address,
        .one_vcpu = true,
        .write_offset = exec->write_view - exec->exec_view,
    };

    exec->state = exec->backend->create(&env, err);
    return exec->state != NULL;
}

struct exec *exec_create(const struct guest *guest, struct memory *memory,
                         const struct exec_options *options, struct error *err)
{
    static const struct exec_options defaults;
    struct exec *exec = calloc(1, sizeof(*exec));

    if (!exec) {
        error_set(err, "not enough memory for the engine");
        return NULL;
    }
    exec->guest = guest;
    exec->memory = memory;
    exec->options = options ? *options : defaults;
    exec->measure_every = log_on(LOG_STATS | LOG_STATS_JSON) ? 1 : MEASURED;
    pthread_mutex_init(&exec->lock, NULL);
    exec->backend = backend_choose(exec->options.interpret);
    if (!exec->backend) {
        error_set(err, "no backend can run on this host");
        goto fail;
    }
    if (!code_memory_create(exec, err) || !cache_init(exec, err) || !backend_start(exec, err))
        goto fail;
    memory_on_code_write(memory, cache_changed, exec);
    return exec;
fail:
    exec_destroy(exec);
    return NULL;
}

void exec_destroy(struct exec *exec)
{
    if (!exec)
        return;
    if (exec->state) {
        memory_on_code_write(exec->memory, NULL, NULL);
        exec->backend->destroy(exec->state);
    }
    cache_finish(exec);
    if (exec->exec_view)
        munmap((void *)exec->exec_view, exec->code_bytes);
    if (exec->write_view)
        munmap(exec->write_view, exec->code_bytes);
    pthread_mutex_destroy(&exec->lock);
    free(exec);
}
