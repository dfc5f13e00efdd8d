/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instruction encodings are MIPS32's (MD00086); the service vector is MD00008's, appendix A. */
#include "hw/machines/yamon.h"

#include <string.h>

#include "util/bits.h"

#define KSEG0 0x80000000u
#define BOOT_ROM 0xbfc00000u

static void store_word(uint8_t *at, uint32_t value, bool big_endian)
{
    if (big_endian)
        store_be32(at, value);
    else
        store_le32(at, value);
}

/* ---- services --------------------------------------------------------------------------------
 * Characters go through the first serial port of the ISA bus, at 0x180003f8. Arguments are in $a0
 * to $a2; the first is a port that nobody looks at.
 */

static const uint32_t services[] = {
    /* print(port, string) */
    0x3c08b800, /*    lui   $t0, 0xb800 */
    0x90a90000, /* 1: lbu   $t1, 0($a1) */
    0x00000000, /*    nop */
    0x11200008, /*    beqz  $t1, 3f */
    0x24a50001, /*    addiu $a1, $a1, 1 */
    0x910a03fd, /* 2: lbu   $t2, 0x3fd($t0) */
    0x00000000, /*    nop */
    0x314a0020, /*    andi  $t2, $t2, 0x20 */
    0x1140fffc, /*    beqz  $t2, 2b */
    0x00000000, /*    nop */
    0x1000fff6, /*    b     1b */
    0xa10903f8, /*    sb    $t1, 0x3f8($t0) */
    0x03e00009, /* 3: jr    $ra */
    0x24020000, /*    li    $v0, 0 */
    /* print_count(port, string, count) */
    0x3c08b800, /*    lui   $t0, 0xb800 */
    0x10c0000b, /* 1: beqz  $a2, 3f */
    0x00000000, /*    nop */
    0x90a90000, /*    lbu   $t1, 0($a1) */
    0x910a03fd, /* 2: lbu   $t2, 0x3fd($t0) */
    0x00000000, /*    nop */
    0x314a0020, /*    andi  $t2, $t2, 0x20 */
    0x1140fffc, /*    beqz  $t2, 2b */
    0x00000000, /*    nop */
    0xa10903f8, /*    sb    $t1, 0x3f8($t0) */
    0x24a50001, /*    addiu $a1, $a1, 1 */
    0x1000fff5, /*    b     1b */
    0x24c6ffff, /*    addiu $a2, $a2, -1 */
    0x03e00009, /* 3: jr    $ra */
    0x24020000, /*    li    $v0, 0 */
    /* getchar(port, pointer): whether there was one */
    0x3c08b800, /*    lui   $t0, 0xb800 */
    0x910a03fd, /*    lbu   $t2, 0x3fd($t0) */
    0x00000000, /*    nop */
    0x31420001, /*    andi  $v0, $t2, 1 */
    0x10400004, /*    beqz  $v0, 1f */
    0x00000000, /*    nop */
    0x910903f8, /*    lbu   $t1, 0x3f8($t0) */
    0x00000000, /*    nop */
    0xa0a90000, /*    sb    $t1, 0($a1) */
    0x03e00009, /* 1: jr    $ra */
    0x00000000, /*    nop */
    /* what succeeds without doing anything */
    0x03e00009, /*    jr    $ra */
    0x24020000, /*    li    $v0, 0 */
    /* exit: there is no monitor to go back to */
    0x1000ffff, /* 1: b     1b */
    0x00000000, /*    nop */
};
enum service {
    SERVICE_PRINT = 0,
    SERVICE_PRINT_COUNT = 14 * 4,
    SERVICE_GETCHAR = 29 * 4,
    SERVICE_NOTHING = 40 * 4,
    SERVICE_EXIT = 42 * 4,
};
enum { VECTOR = 0x500, SERVICES = 0x580, START = 0x700 };
_Static_assert(SERVICES + sizeof(services) <= START, "the services do not fit");

static const struct {
    uint16_t offset;
    uint16_t service;
} vector[] = {
    {0x04, SERVICE_PRINT_COUNT}, {0x20, SERVICE_EXIT},    {0x2c, SERVICE_NOTHING}, /* flush_cache */
    {0x34, SERVICE_PRINT},       {0x38, SERVICE_NOTHING}, /* interrupt and exception handlers:
                                                             registered and taken off */
    {0x3c, SERVICE_NOTHING},     {0x40, SERVICE_NOTHING}, {0x44, SERVICE_NOTHING},
    {0x48, SERVICE_NOTHING},     {0x4c, SERVICE_NOTHING}, {0x50, SERVICE_GETCHAR},
    {0x54, SERVICE_NOTHING}, /* syscon_read */
};

/* ---- the start code --------------------------------------------------------------------------
 */

enum reg { ZERO = 0, A0 = 4, A1, A2, A3, T0 = 8, T1, T9 = 25, SP = 29 };
enum { NOP = 0, LOOP = 0x1000ffff /* b . */ };
/* Vectors while Status.BEV is set, cache error and EJTAG among them: nobody handles these. */
enum { EXCEPTIONS = 0x200, EXCEPTION_STRIDE = 0x80 };

struct code {
    uint8_t *rom;
    uint32_t at;
    bool big_endian, full;
};

static void emit(struct code *c, uint32_t insn)
{
    c->full |= c->at + 4 > YAMON_ROM_BYTES;
    if (c->full)
        return;
    store_word(c->rom + c->at, insn, c->big_endian);
    c->at += 4;
}

static void emit_lui(struct code *c, enum reg rt, uint64_t value)
{
    emit(c, 0x3c000000u | (uint32_t)rt << 16 | (value & 0xffff));
}

static void emit_ori(struct code *c, enum reg rt, uint64_t value)
{
    emit(c, 0x34000000u | (uint32_t)rt << 21 | (uint32_t)rt << 16 | (value & 0xffff));
}

/* LUI extends the sign: two instructions do for what a 32-bit processor can name. */
static void emit_constant(struct code *c, enum reg rt, uint64_t value)
{
    uint32_t dsll16 = (uint32_t)rt << 16 | (uint32_t)rt << 11 | 16u << 6 | 0x38;

    if ((int64_t)value == (int32_t)value) {
        emit_lui(c, rt, value >> 16);
        emit_ori(c, rt, value);
        return;
    }
    emit_lui(c, rt, value >> 48);
    emit_ori(c, rt, value >> 32);
    emit(c, dsll16);
    emit_ori(c, rt, value >> 16);
    emit(c, dsll16);
    emit_ori(c, rt, value);
}

static uint64_t sign_extended(uint32_t value)
{
    return (uint64_t)(int32_t)value;
}

static void emit_store(struct code *c, const struct yamon_store *store)
{
    uint32_t opcode = store->byte ? 0xa0000000u : 0xac000000u; /* SB, SW */

    emit_constant(c, T1, sign_extended(store->address));
    emit_constant(c, T0, sign_extended(store->value));
    emit(c, opcode | (uint32_t)T1 << 21 | (uint32_t)T0 << 16);
}

bool yamon_make_rom(uint8_t *rom, const struct yamon_start *start)
{
    struct code c = {.rom = rom, .big_endian = start->big_endian};

    memset(rom, 0, YAMON_ROM_BYTES);
    emit(&c, 0x10000000u | (START - 4) / 4); /* BEQ $0, $0 */
    emit(&c, NOP);
    for (unsigned at = EXCEPTIONS; at < VECTOR; at += EXCEPTION_STRIDE)
        store_word(rom + at, LOOP, c.big_endian);
    for (unsigned i = 0; i < ARRAY_SIZE(vector); i++)
        store_word(rom + VECTOR + vector[i].offset, BOOT_ROM + SERVICES + vector[i].service,
                   c.big_endian);
    for (unsigned i = 0; i < ARRAY_SIZE(services); i++)
        store_word(rom + SERVICES + 4 * i, services[i], c.big_endian);
    c.at = START;
    for (const struct yamon_store *store = start->stores; store->address; store++)
        emit_store(&c, store);
    emit_constant(&c, SP, sign_extended(start->stack));
    emit_constant(&c, A0, start->argc);
    emit_constant(&c, A1, sign_extended(start->argv));
    emit_constant(&c, A2, sign_extended(start->envp));
    emit_constant(&c, A3, sign_extended(start->memory));
    emit_constant(&c, T9, start->entry);
    emit(&c, (uint32_t)T9 << 21 | 0x09); /* JALR $0, $t9: JR to every release */
    emit(&c, NOP);
    return !c.full;
}

/* ---- arguments and environment ---------------------------------------------------------------
 * Tables of pointers to strings, each ended by a null pointer.
 */

enum { ARGV = 0, ARGUMENTS = 3, ENVP = 0x20, ENVIRONMENT = 24, STRINGS = 0x100 };

void yamon_data_init(struct yamon_data *data, uint32_t address, bool big_endian)
{
    *data = (struct yamon_data){.address = address, .strings = STRINGS, .big_endian = big_endian};
}

static void add_string(struct yamon_data *data, uint32_t slot, const char *text)
{
    size_t size = strlen(text) + 1;

    if (size > YAMON_DATA_BYTES - data->strings) {
        data->full = true;
        return;
    }
    memcpy(data->bytes + data->strings, text, size);
    store_word(data->bytes + slot, KSEG0 | (data->address + data->strings), data->big_endian);
    data->strings += (uint32_t)size;
}

void yamon_add_argument(struct yamon_data *data, const char *text)
{
    if (data->argc < ARGUMENTS)
        add_string(data, ARGV + 4 * data->argc++, text);
    else
        data->full = true;
}

void yamon_set(struct yamon_data *data, const char *name, const char *value)
{
    if (data->n_environment >= ENVIRONMENT) {
        data->full = true;
        return;
    }
    add_string(data, ENVP + 8 * data->n_environment, name);
    add_string(data, ENVP + 8 * data->n_environment + 4, value);
    data->n_environment++;
}

uint32_t yamon_argv(const struct yamon_data *data)
{
    return KSEG0 | (data->address + ARGV);
}

uint32_t yamon_envp(const struct yamon_data *data)
{
    return KSEG0 | (data->address + ENVP);
}
