/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Commands that look at memory: x and xp in the forms of gdb's x, print, sum, memsave, pmemsave,
 * gva2gpa. Virtual addresses are the current address space's, whatever its rights.
 *
 * Looking at RAM and ROM has no side effects; xp of a device's registers reads them, as the
 * processor would.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "vm/monitor_commands.h"
#include "vm/monitor_registers.h"

enum { LINE_BYTES = 16, MAX_STRING = 256, MAX_INSN = 16 };

struct looking {
    struct monitor_call *call;
    struct vcpu *cpu;
    bool physical;
    struct expression_format format;
    gva address;
};

/* ---- reading -----------------------------------------------------------------------------------
 */

static bool read_device(struct looking *look, gpa address, uint8_t *out, size_t size)
{
    bool ok;
    uint64_t value = memory_load(look->cpu->memory, address, (unsigned)size, &ok);

    for (size_t i = 0; i < size; i++)
        out[i] = (uint8_t)(value >> 8 * i);
    return ok;
}

static bool read_bytes(struct looking *look, gva address, void *out, size_t size)
{
    const struct memory_section *section;

    if (!look->cpu->guest->wide_address && !look->physical)
        address = (uint32_t)address;
    if (!look->physical)
        return mmu_peek(look->cpu->mmu, address, out, size, false);
    section = memory_find(look->cpu->memory, address);
    if (section && section->kind == MEMORY_DEVICE && size <= 8 && !(size & (size - 1)) &&
        address % size == 0)
        return read_device(look, address, out, size);
    return memory_read(look->cpu->memory, address, out, size);
}

static uint64_t to_value(const struct looking *look, const uint8_t *bytes, unsigned size)
{
    bool big_endian = look->cpu->guest->big_endian;
    uint64_t value = 0;

    for (unsigned i = 0; i < size; i++)
        value |= (uint64_t)bytes[big_endian ? size - 1 - i : i] << 8 * i;
    return value;
}

static int address_digits(const struct looking *look)
{
    return look->physical || look->cpu->guest->wide_address ? 16 : 8;
}

static void say_unreadable(const struct looking *look, gva address)
{
    fprintf(look->call->out, "Cannot access memory at %s0x%" PRIx64 "\n",
            look->physical ? "physical " : "", address);
}

static void say_too_much(const struct monitor_call *call, const char *rest)
{
    fprintf(call->out, "'%s' is too much\n", rest);
}

/* ---- showing -----------------------------------------------------------------------------------
 */

static void print_character(unsigned char c, char quote, FILE *out)
{
    static const char escapes[] = "\a\b\t\n\v\f\r", letters[] = "abtnvfr";
    const char *escape = c ? strchr(escapes, c) : NULL;

    if (escape)
        fprintf(out, "\\%c", letters[escape - escapes]);
    else if (c == quote || c == '\\')
        fprintf(out, "\\%c", c);
    else if (c < ' ' || c >= 127)
        fprintf(out, "\\x%02x", c);
    else
        fputc(c, out);
}

static void print_value(const struct expression_format *format, uint64_t value, FILE *out)
{
    static const uint8_t octal_digits[] = {0, 3, 6, 0, 11, 0, 0, 0, 22};
    unsigned bits = format->size * 8;
    int64_t number = (int64_t)(value << (64 - bits)) >> (64 - bits);

    switch (format->form) {
    case 'd':
        fprintf(out, "%" PRId64, number);
        break;
    case 'u':
        fprintf(out, "%" PRIu64, value);
        break;
    case 'o':
        fprintf(out, "0%0*" PRIo64, octal_digits[format->size], value);
        break;
    case 'c':
        fputc('\'', out);
        print_character((unsigned char)value, '\'', out);
        fputc('\'', out);
        break;
    default:
        fprintf(out, "0x%0*" PRIx64, (int)format->size * 2, value);
    }
}

static void show_values(struct looking *look)
{
    const struct expression_format *format = &look->format;
    unsigned a_line = format->form == 'c' ? LINE_BYTES / 2 : LINE_BYTES / format->size;
    FILE *out = look->call->out;
    gva address = look->address;
    uint8_t bytes[8];

    for (unsigned i = 0; i < format->count; i++) {
        if (!read_bytes(look, address, bytes, format->size)) {
            if (i % a_line)
                fputc('\n', out);
            say_unreadable(look, address);
            return;
        }
        if (i % a_line == 0)
            fprintf(out, "%0*" PRIx64 ":", address_digits(look),
                    look->physical || look->cpu->guest->wide_address ? address : (uint32_t)address);
        fputc(' ', out);
        print_value(format, to_value(look, bytes, format->size), out);
        if ((i + 1) % a_line == 0 || i + 1 == format->count)
            fputc('\n', out);
        address += format->size;
    }
}

/* Up to the page's end where nothing lies behind it. */
static size_t read_code(struct looking *look, gva address, uint8_t *code)
{
    size_t size = MAX_INSN;
    size_t here = TLB_PAGE_SIZE - (address & (TLB_PAGE_SIZE - 1));

    if (read_bytes(look, address, code, size))
        return size;
    size = MIN(size, here);
    return read_bytes(look, address, code, size) ? size : 0;
}

static void show_instructions(struct looking *look)
{
    const struct guest *guest = look->cpu->guest;
    const uint32_t mode = guest->pc_mode_bit;
    uint32_t key = (look->cpu->run.key & ~mode) | ((uint32_t)look->address & mode);
    gva address = look->address & ~(gva)mode;
    uint8_t code[MAX_INSN];
    char text[160];

    for (unsigned i = 0; i < look->format.count; i++) {
        size_t size = read_code(look, address, code);
        unsigned length;
        if (!size) {
            say_unreadable(look, address);
            return;
        }
        length = guest->disassemble
                     ? guest->disassemble(code, size, address, key, text, sizeof(text))
                     : 0;
        fprintf(look->call->out, "0x%0*" PRIx64 ": ", address_digits(look), address);
        for (unsigned k = 0; k < MAX(length, 1u); k++)
            fprintf(look->call->out, " %02x", code[k]);
        fprintf(look->call->out, "%*s  %s\n", (int)(length < 8 ? 3 * (8 - length) : 0), "",
                length ? text : "?");
        address += MAX(length, 1u);
    }
}

static void show_strings(struct looking *look)
{
    FILE *out = look->call->out;
    gva address = look->address;

    for (unsigned i = 0; i < look->format.count; i++) {
        unsigned char c = 1;
        unsigned n = 0;
        if (!read_bytes(look, address, &c, 1)) {
            say_unreadable(look, address);
            return;
        }
        fprintf(out, "%0*" PRIx64 ": \"", address_digits(look), address);
        for (; n < MAX_STRING && read_bytes(look, address, &c, 1) && c; n++, address++)
            print_character(c, '"', out);
        fprintf(out, "\"%s\n", c ? "..." : "");
        address += !c;
    }
}

static void show(struct vm *vm, void *opaque)
{
    struct looking *look = opaque;
    struct expression_registers registers;
    const char *at = look->call->rest;
    struct error err;

    look->cpu = vm_machine(vm)->cpu;
    registers = monitor_registers(look->cpu);
    if (!expression_format(&at, &look->format, &err) ||
        !expression_evaluate(&at, &registers, &look->address, &err)) {
        fprintf(look->call->out, "%s\n", err.message);
        return;
    }
    if (*at) {
        say_too_much(look->call, at);
        return;
    }
    if (look->format.form == 'i')
        show_instructions(look);
    else if (look->format.form == 's')
        show_strings(look);
    else
        show_values(look);
}

static void command_x(struct monitor_call *call)
{
    struct looking look = {.call = call, .format = {1, 'x', 4}};

    vm_look(call->vm, show, &look);
}

static void command_xp(struct monitor_call *call)
{
    struct looking look = {.call = call, .physical = true, .format = {1, 'x', 4}};

    vm_look(call->vm, show, &look);
}

/* ---- expressions -------------------------------------------------------------------------------
 */

static void print(struct vm *vm, void *opaque)
{
    struct monitor_call *call = opaque;
    struct expression_registers registers = monitor_registers(vm_machine(vm)->cpu);
    struct expression_format format = {1, 'x', 8};
    const char *at = call->rest;
    struct error err;
    uint64_t value;

    if (!expression_format(&at, &format, &err) ||
        !expression_evaluate(&at, &registers, &value, &err)) {
        fprintf(call->out, "%s\n", err.message);
        return;
    }
    if (*at) {
        say_too_much(call, at);
        return;
    }
    if (format.form == 'x')
        fprintf(call->out, "%#" PRIx64, value);
    else if (format.form == 'o')
        fprintf(call->out, "%#" PRIo64, value);
    else
        print_value(&(struct expression_format){1, format.form == 'i' ? 'd' : format.form, 8},
                    value, call->out);
    fputc('\n', call->out);
}

static void command_print(struct monitor_call *call)
{
    vm_look(call->vm, print, call);
}

/* ---- ranges ------------------------------------------------------------------------------------
 */

struct range {
    struct looking look;
    uint64_t size;
    /* Called with the pieces in order; false: no more. */
    bool (*take)(struct range *range, const uint8_t *data, size_t size);
    FILE *file;
    unsigned sum;
    bool read_all;
};

/* ADDRESS SIZE at the start of the rest, and a file's name, the last word, if that is wanted. */
static bool parse_range(struct range *range, struct monitor_call *call, bool wants_file)
{
    struct expression_registers registers = monitor_registers(range->look.cpu);
    const char *at = call->rest;
    struct error err;

    if (!expression_evaluate(&at, &registers, &range->look.address, &err) ||
        !expression_evaluate(&at, &registers, &range->size, &err)) {
        fprintf(call->out, "%s\n", err.message);
        return false;
    }
    if (wants_file ? at == call->last : !*at)
        return true;
    monitor_usage(call);
    return false;
}

static void go_through(struct range *range)
{
    uint8_t data[4096];
    gva address = range->look.address;

    for (uint64_t left = range->size; left;) {
        size_t part = MIN(left, sizeof(data) - (address & (sizeof(data) - 1)));
        if (!read_bytes(&range->look, address, data, part)) {
            say_unreadable(&range->look, address);
            return;
        }
        if (!range->take(range, data, part))
            return;
        address += part;
        left -= part;
    }
    range->read_all = true;
}

/* The BSD checksum, of 16 bits. */
static bool add_to_sum(struct range *range, const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        range->sum = (range->sum >> 1 | range->sum << 15) & 0xffff;
        range->sum = (range->sum + data[i]) & 0xffff;
    }
    return true;
}

static void sum(struct vm *vm, void *opaque)
{
    struct range *range = opaque;

    range->look.cpu = vm_machine(vm)->cpu;
    if (!parse_range(range, range->look.call, false))
        return;
    go_through(range);
    if (range->read_all)
        fprintf(range->look.call->out, "%05u\n", range->sum);
}

static void command_sum(struct monitor_call *call)
{
    struct range range = {.look = {.call = call, .physical = true}, .take = add_to_sum};

    vm_look(call->vm, sum, &range);
}

static bool add_to_file(struct range *range, const uint8_t *data, size_t size)
{
    return fwrite(data, 1, size, range->file) == size;
}

static void save(struct vm *vm, void *opaque)
{
    struct range *range = opaque;
    struct monitor_call *call = range->look.call;
    const char *path = call->words[call->n_words - 1];
    struct error err;
    bool failed;

    range->look.cpu = vm_machine(vm)->cpu;
    if (!parse_range(range, call, true))
        return;
    range->file = vm_create_file(vm, path, &err);
    if (!range->file) {
        fprintf(call->out, "%s\n", err.message);
        return;
    }
    go_through(range);
    failed = ferror(range->file);
    failed |= fclose(range->file) != 0;
    if (failed)
        fprintf(call->out, "cannot write '%s': %s\n", path, strerror(errno));
}

static void command_memsave(struct monitor_call *call)
{
    struct range range = {.look = {.call = call}, .take = add_to_file};

    vm_look(call->vm, save, &range);
}

static void command_pmemsave(struct monitor_call *call)
{
    struct range range = {.look = {.call = call, .physical = true}, .take = add_to_file};

    vm_look(call->vm, save, &range);
}

static void translate(struct vm *vm, void *opaque)
{
    struct monitor_call *call = opaque;
    struct vcpu *cpu = vm_machine(vm)->cpu;
    struct expression_registers registers = monitor_registers(cpu);
    const char *at = call->rest;
    struct error err;
    gva address;
    gpa physical;

    if (!expression_evaluate(&at, &registers, &address, &err))
        fprintf(call->out, "%s\n", err.message);
    else if (*at)
        say_too_much(call, at);
    else if (!mmu_look(cpu->mmu, address, false, &physical))
        fprintf(call->out, "Unmapped\n");
    else
        fprintf(call->out, "gpa: %#" PRIx64 "\n", physical);
}

static void command_gva2gpa(struct monitor_call *call)
{
    vm_look(call->vm, translate, call);
}

static const struct monitor_command commands[] = {
    {"gva2gpa", NULL, "ADDRESS", "the physical address of a virtual one", command_gva2gpa, 1,
     MONITOR_ANY, NULL},
    {"memsave", NULL, "ADDRESS SIZE FILE", "save virtual memory in a file", command_memsave, 3,
     MONITOR_ANY, NULL},
    {"pmemsave", NULL, "ADDRESS SIZE FILE", "the same of physical memory", command_pmemsave, 3,
     MONITOR_ANY, NULL},
    {"print", "p", "[/FORMAT] EXPRESSION", "a value; $NAME is a register", command_print, 1,
     MONITOR_ANY, NULL},
    {"sum", NULL, "ADDRESS SIZE", "the BSD checksum of physical memory", command_sum, 2,
     MONITOR_ANY, NULL},
    {"x", NULL, "[/NFS] ADDRESS", "memory: N units, F x d u o c i s, S b h w g", command_x, 1,
     MONITOR_ANY, NULL},
    {"xp", NULL, "[/NFS] ADDRESS", "the same of physical memory", command_xp, 1, MONITOR_ANY, NULL},
    {NULL},
};
static const struct monitor_table table = {NULL, commands};
REGISTER(monitor_table, table);
