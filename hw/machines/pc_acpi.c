/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ACPI tables of the PC boards; see pc_acpi.h. Section numbers are those of ACPI 6.4. */
#include "hw/machines/pc_acpi.h"

#include <stdlib.h>
#include <string.h>

#include "hw/misc/fw_cfg.h"
#include "util/bits.h"

/* While the blob is built its pointers are offsets within it; what they are relative to and which
 * checksums they change is kept. */
enum { MAX_POINTERS = 32, MAX_SUMS = 16, RSDP_BYTES = 36 };

struct blob {
    struct aml a;
    const struct pc_acpi *board;
    struct {
        uint32_t at;
        uint8_t bytes;
    } pointers[MAX_POINTERS];
    unsigned n_pointers;
    struct {
        uint32_t start, length, at;
    } sums[MAX_SUMS];
    unsigned n_sums;
};

static void pointer(struct blob *b, uint64_t offset, unsigned bytes)
{
    if (b->n_pointers == MAX_POINTERS) {
        b->a.failed = true;
        return;
    }
    b->pointers[b->n_pointers].at = (uint32_t)b->a.size;
    b->pointers[b->n_pointers++].bytes = (uint8_t)bytes;
    if (bytes == 8)
        aml_u64(&b->a, offset);
    else
        aml_u32(&b->a, (uint32_t)offset);
}

/* Where the table starts. */
static uint32_t table_end(struct blob *b)
{
    enum { CHECKSUM = 9 };
    uint32_t start = (uint32_t)b->a.table;

    aml_table_end(&b->a);
    if (b->n_sums == MAX_SUMS) {
        b->a.failed = true;
        return start;
    }
    b->sums[b->n_sums].start = start;
    b->sums[b->n_sums].length = (uint32_t)b->a.size - start;
    b->sums[b->n_sums++].at = start + CHECKSUM;
    return start;
}

/* ---- DSDT ------------------------------------------------------------------------------------ */

enum { HPET_BASE = 0xfed00000, IO_APIC_BASE = 0xfec00000, LOCAL_APIC_BASE = 0xfee00000 };
enum { PCI_MEMORY_END = 0xfebfffff };

static void isa_device(struct aml *a, const char *name, const char *id, unsigned uid)
{
    aml_device_begin(a, name);
    aml_name_eisa(a, "_HID", id);
    aml_name_integer(a, "_UID", uid);
    aml_name_integer(a, "_STA", 15);
    aml_resources_begin(a, "_CRS");
}

static void isa_device_end(struct aml *a)
{
    aml_resources_end(a);
    aml_end(a);
}

static void dsdt_isa(struct blob *b)
{
    struct aml *a = &b->a;

    aml_device_begin(a, "ISA");
    aml_name_integer(a, "_ADR", b->board->q35 ? 0x1f0000 : 0x10000);
    isa_device(a, "RTC", "PNP0B00", 0);
    aml_io(a, 0x70, 8);
    aml_irq(a, 8);
    isa_device_end(a);
    isa_device(a, "KBD", "PNP0303", 0);
    aml_io(a, 0x60, 1);
    aml_io(a, 0x64, 1);
    aml_irq(a, 1);
    isa_device_end(a);
    isa_device(a, "MOU", "PNP0F13", 0);
    aml_irq(a, 12);
    isa_device_end(a);
    if (b->board->floppy) {
        isa_device(a, "FDC0", "PNP0700", 0);
        aml_io(a, 0x3f2, 4);
        aml_io(a, 0x3f7, 1);
        aml_irq(a, 6);
        aml_dma(a, 2);
        isa_device_end(a);
    }
    isa_device(a, "LPT1", "PNP0400", 1);
    aml_io(a, 0x378, 8);
    aml_irq(a, 7);
    isa_device_end(a);
    isa_device(a, "COM1", "PNP0501", 1);
    aml_io(a, 0x3f8, 8);
    aml_irq(a, 4);
    isa_device_end(a);
    isa_device(a, "COM2", "PNP0501", 2);
    aml_io(a, 0x2f8, 8);
    aml_irq(a, 3);
    isa_device_end(a);
    aml_end(a);
}

/* Which line a slot's pin has (the boards' PIRQ wiring): INTA of slot s goes to PIRQ (s - 1) mod 4
 * on the PIIX3; its PIRQs are routed to 10, 10, 11, 11. On the ICH9 pins A-D of slot s < 25 go to
 * PIRQ E-H, rotated by the slot, those of the chipset's own slots to A-D; PIRQ A-H are IO-APIC pins
 * 16-23. */
static unsigned route(const struct pc_acpi *board, unsigned slot, unsigned pin)
{
    static const uint8_t piix[] = {10, 10, 11, 11};

    if (!board->q35)
        return piix[(slot + pin + 3) % 4];
    return slot >= 25 ? 16 + pin : 20 + (slot + pin) % 4;
}

static void dsdt_routes(struct blob *b)
{
    enum { SLOTS = 32, PINS = 4 };
    struct aml *a = &b->a;

    aml_name(a, "_PRT");
    aml_package_begin(a, SLOTS * PINS);
    for (unsigned slot = 0; slot < SLOTS; slot++) {
        for (unsigned pin = 0; pin < PINS; pin++) {
            aml_package_begin(a, 4);
            aml_integer(a, slot << 16 | 0xffff);
            aml_integer(a, pin);
            aml_integer(a, 0);
            aml_integer(a, route(b->board, slot, pin));
            aml_end(a);
        }
    }
    aml_end(a);
}

static void dsdt_host_bridge(struct blob *b)
{
    const struct pc_acpi *board = b->board;
    struct aml *a = &b->a;
    uint64_t high = (UINT64_C(1) << 32) + board->high_bytes;
    uint64_t window64 = align_up(high, UINT64_C(1) << 30);

    aml_device_begin(a, "PCI0");
    aml_name_eisa(a, "_HID", board->q35 ? "PNP0A08" : "PNP0A03");
    if (board->q35)
        aml_name_eisa(a, "_CID", "PNP0A03");
    aml_name_integer(a, "_BBN", 0);
    aml_name_integer(a, "_UID", 0);
    aml_resources_begin(a, "_CRS");
    aml_bus_range(a, 0, 255);
    aml_io(a, 0xcf8, 8);
    aml_window_io(a, 0, 0xcf7);
    aml_window_io(a, 0xd00, 0xffff);
    aml_window_memory32(a, 0xa0000, 0xbffff, true);
    aml_window_memory32(a, (uint32_t)MAX(board->low_bytes, board->q35 ? 0xc0000000u : 0u),
                        PCI_MEMORY_END, false);
    aml_window_memory64(a, window64, window64 + (UINT64_C(32) << 30) - 1);
    aml_resources_end(a);
    dsdt_routes(b);
    dsdt_isa(b);
    aml_end(a);
}

static void dsdt_system(struct blob *b)
{
    const struct pc_acpi *board = b->board;
    struct aml *a = &b->a;

    if (board->hpet) {
        isa_device(a, "HPET", "PNP0103", 0);
        aml_memory32(a, HPET_BASE, 0x400, false);
        isa_device_end(a);
    }
    isa_device(a, "MBRD", "PNP0C02", 1);
    aml_io(a, board->pm_base, 0x40);
    aml_io(a, board->gpe_base, board->gpe_bytes);
    aml_io(a, 0xb2, 2);
    if (board->mcfg_base)
        aml_memory32(a, (uint32_t)board->mcfg_base, (board->mcfg_buses + 1u) << 20, false);
    isa_device_end(a);
    aml_device_begin(a, "CPU0");
    aml_name(a, "_HID");
    aml_string(a, "ACPI0007");
    aml_name_integer(a, "_UID", 0);
    aml_end(a);
}

static uint32_t make_dsdt(struct blob *b)
{
    const struct pc_acpi_reduced *reduced = b->board->reduced;
    struct aml *a = &b->a;

    aml_table_begin(a, "DSDT", 2);
    /* The interrupt model is the operating system's business: routes are the same in both. */
    aml_method_begin(a, "_PIC", 1);
    aml_end(a);
    aml_name(a, "_S5");
    aml_package_begin(a, 4);
    aml_integer(a, reduced ? reduced->sleep_type : 0); /* SLP_TYP of PM1a */
    aml_zeros(a, 3);
    aml_end(a);
    aml_scope_begin(a, "\\_SB");
    if (reduced) {
        reduced->devices(a, reduced->opaque);
    } else {
        dsdt_host_bridge(b);
        dsdt_system(b);
    }
    aml_end(a);
    return table_end(b);
}

/* ---- fixed tables ---------------------------------------------------------------------------- */

enum space { SPACE_MEMORY, SPACE_IO };

static void generic_address(struct aml *a, enum space space, unsigned bits, uint64_t address)
{
    aml_u8(a, space);
    aml_u8(a, address ? (uint8_t)bits : 0);
    aml_u8(a, 0);
    aml_u8(a, 0);
    aml_u64(a, address);
}

static uint32_t make_facs(struct blob *b)
{
    struct aml *a = &b->a;

    aml_zeros(a, (64 - a->size % 64) % 64);
    uint32_t start = (uint32_t)a->size;
    aml_bytes(a, "FACS", 4);
    aml_u32(a, 64);
    aml_zeros(a, 56);
    return start;
}

/* 5.2.9. IA-PC boot flags: legacy devices, 8042, VGA is there. */
static uint32_t make_fadt(struct blob *b, uint32_t facs, uint32_t dsdt)
{
    enum { SCI = 9, SMI_COMMAND = 0xb2, RESET_REGISTER = 0xcf9 };
    enum { WBINVD = 1, PROC_C1 = 4, SLP_BUTTON = 32, RTC_S4 = 128, RESET = 1024, NO_C2 = 0xfff };
    const struct pc_acpi *board = b->board;
    struct aml *a = &b->a;

    aml_table_begin(a, "FACP", 3);
    pointer(b, facs, 4);
    pointer(b, dsdt, 4);
    aml_u8(a, 0);
    aml_u8(a, 0); /* unspecified profile */
    aml_u16(a, SCI);
    aml_u32(a, SMI_COMMAND);
    aml_u8(a, board->acpi_enable);
    aml_u8(a, board->acpi_disable);
    aml_u16(a, 0);
    aml_u32(a, board->pm_base);
    aml_u32(a, 0);
    aml_u32(a, board->pm_base + 4u);
    aml_u32(a, 0);
    aml_u32(a, 0);
    aml_u32(a, board->pm_base + 8u);
    aml_u32(a, board->gpe_base);
    aml_u32(a, 0);
    aml_bytes(a, (const uint8_t[]){4, 2, 0, 4, board->gpe_bytes, 0, 0, 0}, 8);
    aml_u16(a, NO_C2);
    aml_u16(a, NO_C2);
    aml_u32(a, 0); /* flush size, stride */
    aml_u16(a, 0);
    aml_bytes(a, (const uint8_t[]){0, 0, 0x32}, 3); /* day alarm, month alarm, century */
    aml_u16(a, 3);
    aml_u8(a, 0);
    aml_u32(a, WBINVD | PROC_C1 | SLP_BUTTON | RTC_S4 | RESET);
    generic_address(a, SPACE_IO, 8, RESET_REGISTER);
    aml_u8(a, 6);
    aml_zeros(a, 3);
    aml_u64(a, 0); /* X_FIRMWARE_CTRL: the 32-bit one holds */
    pointer(b, dsdt, 8);
    generic_address(a, SPACE_IO, 32, board->pm_base);
    generic_address(a, SPACE_IO, 0, 0);
    generic_address(a, SPACE_IO, 16, board->pm_base + 4u);
    generic_address(a, SPACE_IO, 0, 0);
    generic_address(a, SPACE_IO, 0, 0);
    generic_address(a, SPACE_IO, 32, board->pm_base + 8u);
    generic_address(a, SPACE_IO, (unsigned)(board->gpe_bytes * 8), board->gpe_base);
    generic_address(a, SPACE_IO, 0, 0);
    return table_end(b);
}

static uint32_t make_reduced_fadt(struct blob *b, uint32_t dsdt)
{
    enum { WBINVD = 1, PROC_C1 = 4, NO_SLEEP_BUTTON = 32, RESET = 1 << 10, REDUCED = 1 << 20 };
    const struct pc_acpi_reduced *board = b->board->reduced;
    struct aml *a = &b->a;

    aml_table_begin(a, "FACP", 5);
    aml_u32(a, 0); /* no FACS */
    pointer(b, dsdt, 4);
    aml_zeros(a, 32);
    aml_u32(a, board->pm_timer); /* this kind of board need not have it, but Linux looks for it */
    aml_zeros(a, 11);
    aml_u8(a, 4);
    aml_zeros(a, 17);
    aml_u16(a, board->boot_flags);
    aml_u8(a, 0);
    aml_u32(a, WBINVD | PROC_C1 | NO_SLEEP_BUTTON | RESET | REDUCED);
    generic_address(a, SPACE_MEMORY, 8, board->sleep_registers + 2);
    aml_u8(a, board->reset_value);
    aml_zeros(a, 3);
    aml_u64(a, 0);
    pointer(b, dsdt, 8);
    aml_zeros(a, 5 * 12); /* no other power management registers */
    generic_address(a, SPACE_IO, 32, board->pm_timer);
    aml_zeros(a, 2 * 12);
    generic_address(a, SPACE_MEMORY, 8, board->sleep_registers);
    generic_address(a, SPACE_MEMORY, 8, board->sleep_registers + 1);
    return table_end(b);
}

static void override(struct aml *a, unsigned irq, unsigned gsi, unsigned flags)
{
    aml_bytes(a, (const uint8_t[]){2, 10, 0, (uint8_t)irq}, 4);
    aml_u32(a, gsi);
    aml_u16(a, (uint16_t)flags);
}

/* 5.2.12. */
static uint32_t make_madt(struct blob *b)
{
    enum { LEVEL_HIGH = 0x0d };
    static const uint8_t level_irqs[] = {5, 9, 10, 11};
    const struct pc_acpi_reduced *reduced = b->board->reduced;
    struct aml *a = &b->a;

    aml_table_begin(a, "APIC", 3);
    aml_u32(a, LOCAL_APIC_BASE);
    aml_u32(a, !reduced || reduced->has_pic); /* PC-AT compatible */
    aml_bytes(a, "\x00\x08\x00\x00\x01\x00\x00\x00", 8);
    aml_bytes(a, "\x01\x0c\x00\x00", 4);
    aml_u32(a, IO_APIC_BASE);
    aml_u32(a, 0);
    override(a, 0, 2, 0);
    for (unsigned i = 0; i < sizeof(level_irqs) && !reduced; i++)
        override(a, level_irqs[i], level_irqs[i], LEVEL_HIGH);
    aml_bytes(a, "\x04\x06\xff\x00\x00\x01", 6); /* LINT1 is NMI */
    return table_end(b);
}

/* IA-PC HPET specification 1.0a, 3.2.4. */
static uint32_t make_hpet(struct blob *b)
{
    struct aml *a = &b->a;

    aml_table_begin(a, "HPET", 1);
    aml_u32(a, 0x8086a201);
    generic_address(a, SPACE_MEMORY, 0, HPET_BASE);
    aml_u8(a, 0);
    aml_u16(a, 0);
    aml_u8(a, 0);
    return table_end(b);
}

/* PCI Firmware Specification 3.2, 4.1.2. */
static uint32_t make_mcfg(struct blob *b)
{
    struct aml *a = &b->a;

    aml_table_begin(a, "MCFG", 1);
    aml_zeros(a, 8);
    aml_u64(a, b->board->mcfg_base);
    aml_u16(a, 0);
    aml_u8(a, 0);
    aml_u8(a, b->board->mcfg_buses);
    aml_u32(a, 0);
    return table_end(b);
}

enum { MAX_TABLES = 8 };

static uint32_t make_directory(struct blob *b, bool wide, const uint32_t *tables, unsigned n)
{
    aml_table_begin(&b->a, wide ? "XSDT" : "RSDT", 1);
    for (unsigned i = 0; i < n; i++)
        pointer(b, tables[i], wide ? 8 : 4);
    return table_end(b);
}

/* The RSDP (5.2.5.3) comes first. */
static bool make_blob(struct blob *b, const struct pc_acpi *board, struct error *err)
{
    struct aml *a = &b->a;
    uint32_t tables[MAX_TABLES];
    unsigned n = 0;

    *b = (struct blob){.board = board};
    aml_zeros(a, RSDP_BYTES);
    uint32_t facs = board->reduced ? 0 : make_facs(b);
    uint32_t dsdt = make_dsdt(b);
    tables[n++] = board->reduced ? make_reduced_fadt(b, dsdt) : make_fadt(b, facs, dsdt);
    tables[n++] = make_madt(b);
    if (board->hpet)
        tables[n++] = make_hpet(b);
    if (board->mcfg_base)
        tables[n++] = make_mcfg(b);
    uint32_t rsdt = make_directory(b, false, tables, n);
    uint32_t xsdt = make_directory(b, true, tables, n);
    if (a->failed)
        return error_set(err, "out of memory for the ACPI tables");
    memcpy(a->data, "RSD PTR ", 8);
    memcpy(a->data + 9, "CALQUE", 6);
    a->data[15] = 2;
    store_le32(a->data + 16, rsdt);
    store_le32(a->data + 20, RSDP_BYTES);
    store_le64(a->data + 24, xsdt);
    return true;
}

uint8_t *pc_acpi_make(const struct pc_acpi *board, gpa base, size_t *size, struct error *err)
{
    struct blob b;

    if (!make_blob(&b, board, err)) {
        free(b.a.data);
        return NULL;
    }
    for (unsigned i = 0; i < b.n_pointers; i++) {
        uint8_t *at = b.a.data + b.pointers[i].at;
        if (b.pointers[i].bytes == 8)
            store_le64(at, load_le64(at) + base);
        else
            store_le32(at, load_le32(at) + (uint32_t)base);
    }
    store_le32(b.a.data + 16, load_le32(b.a.data + 16) + (uint32_t)base);
    store_le64(b.a.data + 24, load_le64(b.a.data + 24) + base);
    for (unsigned i = 0; i < b.n_sums; i++)
        aml_checksum(&b.a, b.sums[i].start, b.sums[i].length, b.sums[i].at);
    aml_checksum(&b.a, 0, 20, 8);
    aml_checksum(&b.a, 0, RSDP_BYTES, 32);
    return aml_finish(&b.a, size);
}

/* ---- for firmware ---------------------------------------------------------------------------- */

/* The linker-loader script that SeaBIOS and OVMF run (QEMU's docs/specs/acpi: "etc/table-loader").
 */
enum { STEP_BYTES = 128, FILE_NAME = 56, ALLOCATE = 1, ADD_POINTER = 2, ADD_CHECKSUM = 3 };
enum { ZONE_HIGH = 1, ZONE_FSEG = 2 };
static const char tables_file[] = "etc/acpi/tables", rsdp_file[] = "etc/acpi/rsdp";

static uint8_t *script_step(struct aml *script, uint32_t command, const char *file)
{
    size_t at = script->size;

    aml_zeros(script, STEP_BYTES);
    if (script->failed)
        return NULL;
    store_le32(script->data + at, command);
    memcpy(script->data + at + 4, file, strlen(file));
    return script->data + at + 4 + FILE_NAME;
}

static void script_allocate(struct aml *script, const char *file, uint32_t align, uint8_t zone)
{
    uint8_t *rest = script_step(script, ALLOCATE, file);

    if (rest) {
        store_le32(rest, align);
        rest[4] = zone;
    }
}

static void script_pointer(struct aml *script, const char *file, uint32_t at, uint8_t bytes)
{
    uint8_t *rest = script_step(script, ADD_POINTER, file);

    if (rest) {
        memcpy(rest, tables_file, sizeof(tables_file));
        store_le32(rest + FILE_NAME, at);
        rest[FILE_NAME + 4] = bytes;
    }
}

static void script_checksum(struct aml *script, const char *file, uint32_t at, uint32_t start,
                            uint32_t length)
{
    uint8_t *rest = script_step(script, ADD_CHECKSUM, file);

    if (rest) {
        store_le32(rest, at);
        store_le32(rest + 4, start);
        store_le32(rest + 8, length);
    }
}

bool pc_acpi_offer(const struct pc_acpi *board, struct device *fw_cfg, struct error *err)
{
    struct aml script = {0};
    struct blob b;

    if (!make_blob(&b, board, err)) {
        free(b.a.data);
        return false;
    }
    script_allocate(&script, rsdp_file, 16, ZONE_FSEG);
    script_allocate(&script, tables_file, 64, ZONE_HIGH);
    for (unsigned i = 0; i < b.n_pointers; i++)
        script_pointer(&script, tables_file, b.pointers[i].at, b.pointers[i].bytes);
    for (unsigned i = 0; i < b.n_sums; i++)
        script_checksum(&script, tables_file, b.sums[i].at, b.sums[i].start, b.sums[i].length);
    script_pointer(&script, rsdp_file, 16, 4);
    script_pointer(&script, rsdp_file, 24, 8);
    script_checksum(&script, rsdp_file, 8, 0, 20);
    script_checksum(&script, rsdp_file, 32, 0, RSDP_BYTES);
    /* Checksum bytes start as 0. */
    for (unsigned i = 0; i < b.n_sums; i++)
        b.a.data[b.sums[i].at] = 0;
    bool ok = !script.failed &&
              fw_cfg_add_file(fw_cfg, tables_file, b.a.data, (uint32_t)b.a.size) &&
              fw_cfg_add_file(fw_cfg, rsdp_file, b.a.data, RSDP_BYTES) &&
              fw_cfg_add_file(fw_cfg, "etc/table-loader", script.data, (uint32_t)script.size);
    free(script.data);
    free(b.a.data);
    return ok || error_set(err, "out of memory for the ACPI tables");
}
