/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Vector instructions that touch memory element by element, and PCMPESTRx. */
#include <string.h>

#include "frontend/x86/fpu.h"
#include "frontend/x86/translate.h"
#include "softmmu/mmu.h"
#include "tcg/vector_strings.h"

enum { VECTOR = 2 }; /* words of 64 bits in one vector of vtemp */

/* `at` bytes into an operand at this offset: only where it begins wraps. what: segment, address
 * bytes
 * << 4. */
static uint64_t element_address(struct x86_cpu *cpu, uint32_t what, uint64_t offset, unsigned at,
                                unsigned size, bool write)
{
    unsigned segment = what & 7, address_bytes = what >> 4 & 15;
    bool based = segment == SEG_FS || segment == SEG_GS;

    if (address_bytes < 8)
        offset &= (UINT64_C(1) << 8 * address_bytes) - 1;
    offset += at;
    if (cpu->v.run.key & KEY_CODE64)
        return offset + (based ? cpu->segment[segment].base : 0);
    return x86_segment_linear(cpu, segment, (uint32_t)offset, size, write);
}

static bool is_set(const uint8_t *masks, unsigned i, unsigned size)
{
    return masks[(i + 1) * size - 1] >> 7;
}

static void masked_load(struct x86_cpu *cpu, uint64_t offset, uint32_t what)
{
    unsigned lane = what >> 8 & 3, size = 1u << lane, bytes = what >> 12;
    const uint8_t *masks = (const uint8_t *)&cpu->vtemp[2 * VECTOR];
    uint8_t values[32] = {0};

    for (unsigned i = 0; i < bytes / size; i++) {
        if (!is_set(masks, i, size))
            continue;
        uint64_t address = element_address(cpu, what, offset, i * size, size, false);
        uint64_t value = mmu_load(cpu->v.mmu, address, lane);
        memcpy(values + i * size, &value, size);
    }
    memcpy(cpu->vtemp, values, sizeof(values));
}

/* Nothing is stored unless all of it can be. */
static void masked_store(struct x86_cpu *cpu, uint64_t offset, uint32_t what)
{
    unsigned lane = what >> 8 & 3, size = 1u << lane, bytes = what >> 12;
    const uint8_t *masks = (const uint8_t *)&cpu->vtemp[2 * VECTOR];
    const uint8_t *values = (const uint8_t *)cpu->vtemp;

    for (unsigned store = 0; store < 2; store++) {
        for (unsigned i = 0; i < bytes / size; i++) {
            if (!is_set(masks, i, size))
                continue;
            uint64_t address = element_address(cpu, what, offset, i * size, size, true);
            uint64_t value = 0;
            memcpy(&value, values + i * size, size);
            if (store)
                mmu_store(cpu->v.mmu, address, value, lane);
            else
                mmu_probe(cpu->v.mmu, address, size, lane | IR_MEM_WRITE);
        }
    }
}

static uint64_t gather_index(const uint8_t *index, unsigned i, unsigned lane)
{
    if (lane == IR_LANE32)
        return (uint64_t)(int64_t)(int32_t)load_le32(index + 4 * i);
    return load_le64(index + 8 * i);
}

/* SDM vol. 2, VPGATHERDD: after a fault, the elements below have been loaded and their masks are
 * clear. */
static void gather(struct x86_cpu *cpu, uint64_t base, uint32_t what, uint32_t registers)
{
    unsigned lane = what >> 8 & 3, index_lane = what >> 10 & 3, n = what >> 12 & 15;
    unsigned scale = what >> 16 & 3, size = 1u << lane;
    uint8_t *dest = (uint8_t *)cpu->ymm[registers & 15];
    uint8_t *masks = (uint8_t *)cpu->ymm[registers >> 8 & 15];
    const uint8_t *index = (const uint8_t *)cpu->ymm[registers >> 16 & 15];

    for (unsigned i = 0; i < n; i++) {
        if (is_set(masks, i, size)) {
            uint64_t offset = base + (gather_index(index, i, index_lane) << scale);
            uint64_t value =
                mmu_load(cpu->v.mmu, element_address(cpu, what, offset, 0, size, false), lane);
            memcpy(dest + i * size, &value, size);
        }
        memset(masks + i * size, 0, size);
    }
    memset(masks + n * size, 0, 32 - n * size);
    memset(dest + n * size, 0, 32 - n * size);
}

/* The absolute value of a length, at most the number of elements. */
static unsigned explicit_length(uint64_t length, unsigned immediate)
{
    uint64_t most = immediate & 1 ? 8 : 16;
    uint64_t magnitude = (int64_t)length < 0 ? -length : length;

    return (unsigned)MIN(magnitude, most);
}

static uint32_t pcmpestr(struct x86_cpu *cpu, uint64_t length_a, uint64_t length_b, uint32_t what)
{
    unsigned immediate = what & 0xff;
    union ir_vector v[2];
    uint16_t flags;

    memcpy(v, cpu->vtemp, sizeof(v));
    unsigned bits = vector_compare_strings(&v[0], explicit_length(length_a, immediate), &v[1],
                                           explicit_length(length_b, immediate), immediate, &flags);
    if (what >> 8) {
        v[0] = vector_string_mask(bits, immediate);
        memcpy(cpu->vtemp, &v[0], sizeof(v[0]));
    }
    return flags | vector_string_index(bits, immediate) << 16;
}

const struct ir_helper helper_masked_load =
    IR_HELPER(masked_load, IR_VOID, 2, HELPER_MAY_FAULT, GROUP_ALL, GROUP_VECTOR);
const struct ir_helper helper_masked_store =
    IR_HELPER(masked_store, IR_VOID, 2, HELPER_MAY_FAULT, GROUP_ALL, 0);
const struct ir_helper helper_gather =
    IR_HELPER(gather, IR_VOID, 3, HELPER_MAY_FAULT, GROUP_ALL, GROUP_VECTOR);
const struct ir_helper helper_pcmpestr =
    IR_HELPER(pcmpestr, IR_I32, 3, 0, GROUP_VECTOR, GROUP_VECTOR);
