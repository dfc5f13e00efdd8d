/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ACPI tables and AML, byte by byte; see aml.h. Section numbers are those of ACPI 6.4. */
#include "hw/machines/aml.h"

#include <stdlib.h>
#include <string.h>

#include "util/bits.h"
#include "util/log.h"

/* ---- bytes ----------------------------------------------------------------------------------- */

void aml_bytes(struct aml *a, const void *bytes, size_t n)
{
    if (a->size + n > a->room) {
        size_t room = MAX(a->room * 2, a->size + n + 4096);
        uint8_t *grown = a->failed ? NULL : realloc(a->data, room);
        if (!grown) {
            a->failed = true;
            return;
        }
        a->data = grown;
        a->room = room;
    }
    memcpy(a->data + a->size, bytes, n);
    a->size += n;
}

void aml_u8(struct aml *a, uint8_t value)
{
    aml_bytes(a, &value, 1);
}

void aml_u16(struct aml *a, uint16_t value)
{
    uint8_t bytes[2];

    store_le16(bytes, value);
    aml_bytes(a, bytes, sizeof(bytes));
}

void aml_u32(struct aml *a, uint32_t value)
{
    uint8_t bytes[4];

    store_le32(bytes, value);
    aml_bytes(a, bytes, sizeof(bytes));
}

void aml_u64(struct aml *a, uint64_t value)
{
    uint8_t bytes[8];

    store_le64(bytes, value);
    aml_bytes(a, bytes, sizeof(bytes));
}

void aml_zeros(struct aml *a, size_t n)
{
    while (n--)
        aml_u8(a, 0);
}

/* ---- tables: 5.2.6 --------------------------------------------------------------------------- */

enum { HEADER_LENGTH = 4, HEADER_CHECKSUM = 9 };

void aml_table_begin(struct aml *a, const char signature[4], uint8_t revision)
{
    while (a->size % 16)
        aml_u8(a, 0);
    a->table = a->size;
    aml_bytes(a, signature, 4);
    aml_u32(a, 0);
    aml_u8(a, revision);
    aml_u8(a, 0);
    aml_bytes(a, "CALQUE", 6);
    aml_bytes(a, "CALQUEPC", 8);
    aml_u32(a, 1);
    aml_bytes(a, "CALQ", 4);
    aml_u32(a, 1);
}

void aml_checksum(struct aml *a, size_t start, size_t n, size_t at)
{
    uint8_t sum = 0;

    if (a->failed)
        return;
    a->data[at] = 0;
    for (size_t i = 0; i < n; i++)
        sum = (uint8_t)(sum + a->data[start + i]);
    a->data[at] = (uint8_t)-sum;
}

void aml_table_end(struct aml *a)
{
    size_t length = a->size - a->table;

    if (a->failed)
        return;
    store_le32(a->data + a->table + HEADER_LENGTH, (uint32_t)length);
    aml_checksum(a, a->table, length, a->table + HEADER_CHECKSUM);
}

/* ---- names and data: 20.2.2, 20.2.3 ---------------------------------------------------------- */

void aml_path(struct aml *a, const char *path)
{
    unsigned n = 1;

    if (*path == '\\')
        aml_u8(a, (uint8_t)*path++);
    for (const char *p = path; *p; p++)
        n += *p == '.';
    if (!*path)
        aml_u8(a, 0);
    else if (n == 2)
        aml_u8(a, 0x2e); /* DualNamePrefix */
    else if (n > 2)
        aml_bytes(a, (const uint8_t[]){0x2f, (uint8_t)n}, 2);
    while (*path) {
        size_t length = strcspn(path, ".");
        aml_bytes(a, path, length);
        aml_bytes(a, "____", 4 - length);
        path += length + (path[length] == '.');
    }
}

void aml_integer(struct aml *a, uint64_t value)
{
    if (value < 2) {
        aml_u8(a, (uint8_t)value); /* ZeroOp, OneOp */
    } else if (value <= UINT8_MAX) {
        aml_u8(a, 0x0a);
        aml_u8(a, (uint8_t)value);
    } else if (value <= UINT16_MAX) {
        aml_u8(a, 0x0b);
        aml_u16(a, (uint16_t)value);
    } else if (value <= UINT32_MAX) {
        aml_u8(a, 0x0c);
        aml_u32(a, (uint32_t)value);
    } else {
        aml_u8(a, 0x0e);
        aml_u64(a, value);
    }
}

void aml_string(struct aml *a, const char *text)
{
    aml_u8(a, 0x0d);
    aml_bytes(a, text, strlen(text) + 1);
}

static unsigned hex_digit(char c)
{
    return (unsigned)(c <= '9' ? c - '0' : c - 'A' + 10);
}

/* 19.3.4: three letters of five bits, four hexadecimal digits, bytes swapped. */
void aml_eisa_id(struct aml *a, const char *id)
{
    uint32_t value = (uint32_t)(id[0] - 0x40) << 26 | (uint32_t)(id[1] - 0x40) << 21 |
                     (uint32_t)(id[2] - 0x40) << 16;

    for (unsigned i = 0; i < 4; i++)
        value |= hex_digit(id[3 + i]) << (12 - 4 * i);
    aml_u8(a, 0x0c);
    aml_u32(a, __builtin_bswap32(value));
}

/* ---- packages of terms: 20.2.4, 20.2.5 ------------------------------------------------------- */

static void open_package(struct aml *a)
{
    if (a->depth == AML_DEPTH)
        BUG("ACPI tables are nested too deeply");
    a->open[a->depth++] = a->size;
}

/* PkgLength counts itself. */
void aml_end(struct aml *a)
{
    size_t at = a->open[--a->depth], body = a->size - at;
    uint8_t length[4];
    unsigned n = body + 1 < 0x40 ? 1 : body + 2 < 0x1000 ? 2 : body + 3 < 0x100000 ? 3 : 4;
    size_t total = body + n;

    if (n == 1) {
        length[0] = (uint8_t)total;
    } else {
        length[0] = (uint8_t)((n - 1) << 6 | (total & 15));
        for (unsigned i = 1; i < n; i++)
            length[i] = (uint8_t)(total >> (4 + 8 * (i - 1)));
    }
    aml_zeros(a, n);
    if (a->failed)
        return;
    memmove(a->data + at + n, a->data + at, body);
    memcpy(a->data + at, length, n);
}

void aml_scope_begin(struct aml *a, const char *path)
{
    aml_u8(a, 0x10);
    open_package(a);
    aml_path(a, path);
}

void aml_device_begin(struct aml *a, const char *name)
{
    aml_bytes(a, "\x5b\x82", 2);
    open_package(a);
    aml_path(a, name);
}

void aml_method_begin(struct aml *a, const char *name, unsigned n_args)
{
    aml_u8(a, 0x14);
    open_package(a);
    aml_path(a, name);
    aml_u8(a, (uint8_t)n_args);
}

void aml_package_begin(struct aml *a, unsigned n_elements)
{
    aml_u8(a, 0x12);
    open_package(a);
    aml_u8(a, (uint8_t)n_elements);
}

void aml_name(struct aml *a, const char *name)
{
    aml_u8(a, 0x08);
    aml_path(a, name);
}

void aml_name_integer(struct aml *a, const char *name, uint64_t value)
{
    aml_name(a, name);
    aml_integer(a, value);
}

void aml_name_eisa(struct aml *a, const char *name, const char *id)
{
    aml_name(a, name);
    aml_eisa_id(a, id);
}

/* 20.2.5.2: accesses of 32 bits, no lock, other bits written as 0. */
void aml_memory_register(struct aml *a, const char *region, uint32_t base, const char *name)
{
    aml_bytes(a, "\x5b\x80", 2);
    aml_path(a, region);
    aml_u8(a, 0);
    aml_integer(a, base);
    aml_integer(a, 4);
    aml_bytes(a, "\x5b\x81", 2);
    open_package(a);
    aml_path(a, region);
    aml_u8(a, 0x43);
    aml_path(a, name);
    aml_u8(a, 32);
    aml_end(a);
}

void aml_if_bits_begin(struct aml *a, const char *name, uint64_t bits)
{
    aml_u8(a, 0xa0);
    open_package(a);
    aml_u8(a, 0x7b);
    aml_path(a, name);
    aml_integer(a, bits);
    aml_u8(a, 0);
}

void aml_notify(struct aml *a, const char *path, unsigned value)
{
    aml_u8(a, 0x86);
    aml_path(a, path);
    aml_integer(a, value);
}

/* ---- resources: 6.4 -------------------------------------------------------------------------- */

/* The buffer's size is an integer of its own in front of the bytes: always a word here. */
void aml_resources_begin(struct aml *a, const char *name)
{
    aml_name(a, name);
    aml_u8(a, 0x11);
    open_package(a);
    aml_u8(a, 0x0b);
    aml_u16(a, 0);
}

void aml_resources_end(struct aml *a)
{
    size_t start = a->open[a->depth - 1] + 3;

    aml_u16(a, 0x0079); /* end tag, checksum 0: not checked */
    if (!a->failed)
        store_le16(a->data + start - 2, (uint16_t)(a->size - start));
    aml_end(a);
}

void aml_io(struct aml *a, uint16_t base, uint16_t length)
{
    aml_bytes(a, "\x47\x01", 2); /* 16 bits decoded */
    aml_u16(a, base);
    aml_u16(a, base);
    aml_u8(a, 1);
    aml_u8(a, (uint8_t)length);
}

void aml_irq(struct aml *a, unsigned line)
{
    aml_u8(a, 0x22);
    aml_u16(a, (uint16_t)(1u << line));
}

void aml_dma(struct aml *a, unsigned channel)
{
    aml_u8(a, 0x2a);
    aml_u8(a, (uint8_t)(1u << channel));
    aml_u8(a, 0); /* compatibility, not a bus master, 8 bits */
}

void aml_memory32(struct aml *a, uint32_t base, uint32_t length, bool writable)
{
    aml_bytes(a, "\x86\x09\x00", 3);
    aml_u8(a, writable);
    aml_u32(a, base);
    aml_u32(a, length);
}

enum { WINDOW_MEMORY, WINDOW_IO, WINDOW_BUS, FIXED_RANGE = 0x0c /* _MIF, _MAF */ };

void aml_bus_range(struct aml *a, unsigned first, unsigned last)
{
    aml_bytes(a, "\x88\x0d\x00", 3);
    aml_u8(a, WINDOW_BUS);
    aml_u8(a, FIXED_RANGE);
    aml_u8(a, 0);
    aml_u16(a, 0);
    aml_u16(a, (uint16_t)first);
    aml_u16(a, (uint16_t)last);
    aml_u16(a, 0);
    aml_u16(a, (uint16_t)(last - first + 1));
}

void aml_window_io(struct aml *a, uint16_t first, uint16_t last)
{
    aml_bytes(a, "\x88\x0d\x00", 3);
    aml_u8(a, WINDOW_IO);
    aml_u8(a, FIXED_RANGE);
    aml_u8(a, 3); /* entire range */
    aml_u16(a, 0);
    aml_u16(a, first);
    aml_u16(a, last);
    aml_u16(a, 0);
    aml_u16(a, (uint16_t)(last - first + 1));
}

void aml_window_memory32(struct aml *a, uint32_t first, uint32_t last, bool cacheable)
{
    aml_bytes(a, "\x87\x17\x00", 3);
    aml_u8(a, WINDOW_MEMORY);
    aml_u8(a, FIXED_RANGE);
    aml_u8(a, cacheable ? 3 : 1);
    aml_u32(a, 0);
    aml_u32(a, first);
    aml_u32(a, last);
    aml_u32(a, 0);
    aml_u32(a, last - first + 1);
}

void aml_window_memory64(struct aml *a, uint64_t first, uint64_t last)
{
    aml_bytes(a, "\x8a\x2b\x00", 3);
    aml_u8(a, WINDOW_MEMORY);
    aml_u8(a, FIXED_RANGE);
    aml_u8(a, 3);
    aml_u64(a, 0);
    aml_u64(a, first);
    aml_u64(a, last);
    aml_u64(a, 0);
    aml_u64(a, last - first + 1);
}

void aml_interrupt(struct aml *a, unsigned gsi, bool level, bool active_low)
{
    aml_bytes(a, "\x89\x06\x00", 3);
    aml_u8(a, (uint8_t)(1 | !level << 1 | active_low << 2)); /* consumer */
    aml_u8(a, 1);
    aml_u32(a, gsi);
}

uint8_t *aml_finish(struct aml *a, size_t *size)
{
    if (a->failed) {
        free(a->data);
        a->data = NULL;
    }
    *size = a->size;
    return a->data;
}
