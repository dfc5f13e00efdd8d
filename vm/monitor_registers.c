/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names that people use for registers, and where they are in the guest's state. */
#include "vm/monitor_registers.h"

#include <string.h>

#include "tcg/ir.h"

/* Names that debuggers do not know; bits: how much of it counts, 0: all. */
static const struct {
    const char *guest; /* how its name starts */
    const char *name, *field;
    uint8_t bits, shift;
} aliases[] = {
    {"arm", "r15", "pc", 0, 0},   {"arm", "ip", "r12", 0, 0},   {"arm", "fp", "r11", 0, 0},
    {"mips", "s8", "fp", 0, 0},   {"x86", "eax", "rax", 32, 0}, {"x86", "ebx", "rbx", 32, 0},
    {"x86", "ecx", "rcx", 32, 0}, {"x86", "edx", "rdx", 32, 0}, {"x86", "esi", "rsi", 32, 0},
    {"x86", "edi", "rdi", 32, 0}, {"x86", "ebp", "rbp", 32, 0}, {"x86", "esp", "rsp", 32, 0},
    {"x86", "sp", "rsp", 0, 0},   {"x86", "fp", "rbp", 0, 0},   {"x86", "ax", "rax", 16, 0},
    {"x86", "bx", "rbx", 16, 0},  {"x86", "cx", "rcx", 16, 0},  {"x86", "dx", "rdx", 16, 0},
    {"x86", "al", "rax", 8, 0},   {"x86", "bl", "rbx", 8, 0},   {"x86", "cl", "rcx", 8, 0},
    {"x86", "dl", "rdx", 8, 0},   {"x86", "ah", "rax", 8, 8},   {"x86", "bh", "rbx", 8, 8},
    {"x86", "ch", "rcx", 8, 8},   {"x86", "dh", "rdx", 8, 8},
};

static bool field_read(const struct vcpu *cpu, const struct state_field *field, uint64_t *value)
{
    if (field->type < IR_I8 || field->type > IR_I64)
        return false;
    *value = 0;
    memcpy(value, (const uint8_t *)cpu + field->offset, ir_type_bytes(field->type));
    return true;
}

static bool named_read(const struct vcpu *cpu, const char *name, uint64_t *value)
{
    const struct guest *guest = cpu->guest;

    for (unsigned i = 0; i < guest->n_fields; i++) {
        if (guest->fields[i].name && !strcmp(guest->fields[i].name, name) &&
            field_read(cpu, &guest->fields[i], value))
            return true;
    }
    return false;
}

/* MIPS: $0 to $31 beside $zero to $ra. */
static bool numbered_read(const struct vcpu *cpu, const char *name, uint64_t *value)
{
    const struct guest *guest = cpu->guest;
    unsigned number = 0, first = 0;

    if (strncmp(guest->name, "mips", 4) || !*name || strspn(name, "0123456789") != strlen(name) ||
        strlen(name) > 2)
        return false;
    for (const char *digit = name; *digit; digit++)
        number = number * 10 + (unsigned)(*digit - '0');
    while (first < guest->n_fields && strcmp(guest->fields[first].name, "zero"))
        first++;
    return number < 32 && first + number < guest->n_fields &&
           field_read(cpu, &guest->fields[first + number], value);
}

/* As debuggers know them; of vector registers the lowest 64 bits. */
static bool debugger_read(struct vcpu *cpu, const char *name, uint64_t *value)
{
    const struct guest_register_set *set = cpu->guest->register_sets;

    for (; set && set->feature; set++) {
        if (set->present && !set->present(cpu))
            continue;
        for (const struct guest_register *one = set->registers; one->name; one++) {
            uint64_t words[GUEST_REGISTER_WORDS] = {0};
            if (strcmp(one->name, name))
                continue;
            set->read(cpu, one->which, words);
            *value = words[0];
            return true;
        }
    }
    return false;
}

static bool is_guest(const char *prefix, const struct guest *guest)
{
    bool is_x86 = !strcmp(guest->name, "i386") || !strcmp(guest->name, "x86_64");

    return !strcmp(prefix, "x86") ? is_x86 : !strncmp(guest->name, prefix, strlen(prefix));
}

static bool register_read(void *opaque, const char *name, uint64_t *value)
{
    struct vcpu *cpu = opaque;

    if (debugger_read(cpu, name, value))
        return true;
    for (unsigned i = 0; i < ARRAY_SIZE(aliases); i++) {
        if (strcmp(aliases[i].name, name) || !is_guest(aliases[i].guest, cpu->guest))
            continue;
        if (!named_read(cpu, aliases[i].field, value))
            return false;
        *value >>= aliases[i].shift;
        if (aliases[i].bits)
            *value &= (UINT64_C(1) << aliases[i].bits) - 1;
        return true;
    }
    return named_read(cpu, name, value) || numbered_read(cpu, name, value);
}

struct expression_registers monitor_registers(struct vcpu *cpu)
{
    return (struct expression_registers){register_read, cpu};
}
