/* SPDX-License-Identifier: GPL-2.0-or-later */
/* SMBIOS structures; see smbios.h. The firmware adds its own (type 0) and places the tables. */
#include "hw/machines/smbios.h"

#include <stdlib.h>
#include <string.h>

#include "hw/machines/aml.h"
#include "hw/misc/fw_cfg.h"
#include "util/bits.h"

enum { HANDLE_SYSTEM = 0x100, HANDLE_CHASSIS = 0x300, HANDLE_PROCESSOR = 0x400 };
enum { HANDLE_ARRAY = 0x1000, HANDLE_MEMORY = 0x1100, HANDLE_RANGE = 0x1300, HANDLE_BOOT = 0x2000 };
enum { HANDLE_END = 0x7f00, NO_HANDLE = 0xfffe };

struct smbios {
    struct aml bytes;
    size_t start; /* of the structure being written */
    unsigned n, largest;
};

static void begin(struct smbios *s, uint8_t type, uint16_t handle)
{
    s->start = s->bytes.size;
    aml_u8(&s->bytes, type);
    aml_u8(&s->bytes, 0); /* its length, at `strings` */
    aml_u16(&s->bytes, handle);
}

/* Ends the formatted part; strings are numbered from 1, `text` has them one after the other. */
static void strings(struct smbios *s, const char *text, size_t size)
{
    if (!s->bytes.failed)
        s->bytes.data[s->start + 1] = (uint8_t)(s->bytes.size - s->start);
    aml_bytes(&s->bytes, text, size);
    aml_zeros(&s->bytes, size ? 1 : 2);
    s->largest = MAX(s->largest, (unsigned)(s->bytes.size - s->start));
    s->n++;
}

/* SMBIOS 3.6, 7.2.1: the first three fields are little-endian. */
static void add_uuid(struct aml *bytes, const uint8_t uuid[16])
{
    static const uint8_t order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
    char mixed[16];

    for (unsigned i = 0; i < sizeof(mixed); i++)
        mixed[i] = (char)uuid[order[i]];
    aml_bytes(bytes, mixed, sizeof(mixed));
}

static void add_system(struct smbios *s, const struct machine *m)
{
    static const char chassis[] = "calque";
    char text[128];
    int size =
        snprintf(text, sizeof(text), "calque%c%s%c%s", 0, m->class->description, 0, m->class->name);

    begin(s, 1, HANDLE_SYSTEM);
    aml_bytes(&s->bytes, "\1\2\3\0", 4); /* manufacturer, product, version, no serial number */
    add_uuid(&s->bytes, m->boot.uuid);
    aml_bytes(&s->bytes, "\6\0\0", 3); /* woken by the power switch; no SKU, no family */
    strings(s, text, (size_t)size + 1);
    begin(s, 3, HANDLE_CHASSIS);
    aml_bytes(&s->bytes, "\1\1\0\0\0\3\3\3\2", 9); /* type "other", states "safe", no lock */
    aml_zeros(&s->bytes, 9);
    strings(s, chassis, sizeof(chassis));
}

static void add_processor(struct smbios *s, const struct machine *m)
{
    static const char text[] = "CPU 0\0calque";
    struct aml *b = &s->bytes;

    begin(s, 4, HANDLE_PROCESSOR);
    aml_bytes(b, "\1\3\1\2", 4); /* socket, central processor, family "other", manufacturer */
    aml_u64(b, 0);               /* as CPUID has it: not said */
    aml_bytes(b, "\2\0", 2);     /* version, voltage */
    aml_u16(b, 0);
    aml_u16(b, 2000);
    aml_u16(b, 2000);
    aml_bytes(b, "\x41\1", 2);                   /* there and enabled; upgrade "other" */
    aml_bytes(b, "\xff\xff\xff\xff\xff\xff", 6); /* no cache structures */
    aml_bytes(b, "\0\0\0\1\1\1", 6);
    aml_u16(b, 2);
    aml_u16(b, 1);
    strings(s, text, sizeof(text));
}

static void add_memory(struct smbios *s, const struct machine *m)
{
    enum { KIB_ELSEWHERE = 0x80000000, MIB_ELSEWHERE = 0x7fff };
    static const char text[] = "DIMM 0\0calque";
    uint64_t kib = m->ram_bytes / KIB, mib = m->ram_bytes / MIB;
    struct aml *b = &s->bytes;

    begin(s, 16, HANDLE_ARRAY);
    aml_bytes(b, "\1\3\3", 3); /* location "other", system memory, no ECC */
    aml_u32(b, kib < KIB_ELSEWHERE ? (uint32_t)kib : KIB_ELSEWHERE);
    aml_u16(b, NO_HANDLE);
    aml_u16(b, 1);
    aml_u64(b, kib < KIB_ELSEWHERE ? 0 : m->ram_bytes);
    strings(s, "", 0);
    begin(s, 17, HANDLE_MEMORY);
    aml_u16(b, HANDLE_ARRAY);
    aml_u16(b, NO_HANDLE);
    aml_bytes(b, "\xff\xff\xff\xff", 4); /* widths unknown */
    aml_u16(b, mib < MIB_ELSEWHERE ? (uint16_t)mib : MIB_ELSEWHERE);
    aml_bytes(b, "\x09\0\1\0\7", 5); /* DIMM, locator, RAM */
    aml_u16(b, 2);
    aml_u16(b, 0);
    aml_bytes(b, "\2\0\0\0\0", 5);
    aml_u32(b, mib < MIB_ELSEWHERE ? 0 : (uint32_t)mib);
    aml_zeros(b, 8);
    strings(s, text, sizeof(text));
    begin(s, 19, HANDLE_RANGE);
    aml_u32(b, 0);
    aml_u32(b, (uint32_t)MIN(kib - 1, (uint64_t)UINT32_MAX - 1));
    aml_u16(b, HANDLE_ARRAY);
    aml_u8(b, 1);
    aml_zeros(b, 16);
    strings(s, "", 0);
}

static uint8_t sum_to_zero(const uint8_t *bytes, size_t n)
{
    uint8_t sum = 0;

    while (n--)
        sum += *bytes++;
    return (uint8_t)-sum;
}

/* 5.2.1: the entry point; the firmware fills in where it puts the table. */
static void make_anchor(const struct smbios *s, uint8_t anchor[31])
{
    memcpy(anchor, "_SM_\0\x1f\2\x08", 8);
    store_le16(anchor + 8, (uint16_t)s->largest);
    memcpy(anchor + 16, "_DMI_", 5);
    store_le16(anchor + 22, (uint16_t)s->bytes.size);
    store_le16(anchor + 28, (uint16_t)s->n);
    anchor[30] = 0x28;
    anchor[21] = sum_to_zero(anchor + 16, 15);
    anchor[4] = sum_to_zero(anchor, 31);
}

bool smbios_offer(const struct machine *m, struct device *fw_cfg, struct error *err)
{
    struct smbios s = {0};
    uint8_t anchor[31] = {0};

    add_system(&s, m);
    add_processor(&s, m);
    add_memory(&s, m);
    begin(&s, 32, HANDLE_BOOT);
    aml_zeros(&s.bytes, 7);
    strings(&s, "", 0);
    begin(&s, 127, HANDLE_END);
    strings(&s, "", 0);
    make_anchor(&s, anchor);
    bool ok =
        !s.bytes.failed &&
        fw_cfg_add_file(fw_cfg, "etc/smbios/smbios-tables", s.bytes.data, (uint32_t)s.bytes.size) &&
        fw_cfg_add_file(fw_cfg, "etc/smbios/smbios-anchor", anchor, sizeof(anchor));
    free(s.bytes.data);
    return ok || error_set(err, "out of memory for the SMBIOS tables");
}
