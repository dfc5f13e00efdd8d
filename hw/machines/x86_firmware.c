/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Firmware in its ROM, and what it is told; see x86_firmware.h. */
#include "hw/machines/x86_firmware.h"

#include <string.h>
#include <unistd.h>

#include "host/block.h"
#include "hw/machines/loader.h"
#include "hw/machines/smbios.h"
#include "hw/misc/fw_cfg.h"
#include "hw/timer/mc146818.h"
#include "util/bits.h"

#define FOUR_GIB (UINT64_C(1) << 32)

/* ---- the ROM --------------------------------------------------------------------------------- */

static const char *const firmware_folders[] = {
    "/usr/share/seabios",
    "/usr/share/qemu",
    "/usr/share/calque",
};

/* -bios NAME: a file, or a name in one of the folders. */
static bool find_firmware(const char *name, char path[256])
{
    snprintf(path, 256, "%s", name);
    if (!access(path, R_OK) || strchr(name, '/'))
        return true;
    for (unsigned i = 0; i < ARRAY_SIZE(firmware_folders); i++) {
        snprintf(path, 256, "%s/%s", firmware_folders[i], name);
        if (!access(path, R_OK))
            return true;
    }
    return false;
}

static bool read_firmware(const struct machine *m, const struct x86_boot_info *info,
                          struct loader_file *file, struct error *err)
{
    enum { MOST = 16 * MIB };
    char path[256];

    if (!find_firmware(m->boot.bios ? m->boot.bios : info->firmware, path))
        return m->boot.bios
                   ? error_set(err, "-bios '%s' is neither a file nor firmware of this system",
                               m->boot.bios)
                   : error_set(err,
                               "there is no firmware to start: install the package seabios, or "
                               "give -bios FILE or -kernel FILE");
    if (!loader_read_file(file, "-bios", path, MOST, err))
        return false;
    /* The processor's first instruction stands 16 bytes before the end. */
    if (file->size % 4096) {
        error_set(err, "%s is no PC firmware, or truncated: its size is not a multiple of 4 KiB",
                  file->what);
        loader_file_free(file);
        return false;
    }
    return true;
}

static bool map_firmware(struct machine *m, const struct x86_boot_info *info, struct error *err)
{
    struct loader_file file;

    if (!read_firmware(m, info, &file, err))
        return false;
    uint64_t low = MIN(file.size, (size_t)X86_ROM_BYTES);
    bool ok = x86_map_rom(m, file.data, file.size, err) &&
              (info->shadowed
                   ? loader_add(m->loader, MIB - low, file.data + file.size - low, low, low, err)
                   : memory_add_alias(m->memory, "bios below 1 MiB", MIB - low, FOUR_GIB - low, low,
                                      err));
    loader_file_free(&file);
    return ok;
}

/* ---- fw_cfg ---------------------------------------------------------------------------------- */

static bool offer_memory(const struct machine *m, const struct x86_boot_info *info,
                         struct device *fw_cfg)
{
    enum { E820_RAM = 1, ENTRY = 20 };
    const uint64_t ranges[2][2] = {{0, info->ram.low_bytes}, {FOUR_GIB, info->ram.high_bytes}};
    uint8_t table[2 * ENTRY], ram_size[8];
    uint32_t used = 0;

    for (unsigned i = 0; i < 2; i++) {
        if (!ranges[i][1])
            continue;
        store_le64(table + used, ranges[i][0]);
        store_le64(table + used + 8, ranges[i][1]);
        store_le32(table + used + 16, E820_RAM);
        used += ENTRY;
    }
    store_le64(ram_size, m->ram_bytes);
    return fw_cfg_add_item(fw_cfg, FW_CFG_RAM_SIZE, ram_size, 8) &&
           fw_cfg_add_file(fw_cfg, "etc/e820", table, used);
}

static bool offer_common(const struct machine *m, const struct x86_boot_info *info,
                         struct device *fw_cfg)
{
    /* Bit 7: the state S0, S1, ... is there; S5 alone is. */
    static const uint8_t system_states[6] = {0x80, 0, 0, 1, 0, 0x80};
    static const uint8_t serial_console[2] = {0xf8, 0x03}; /* the port of the firmware's console */
    const uint8_t menu[2] = {m->boot.menu}, no_graphic[2] = {m->boot.no_graphic};

    return offer_memory(m, info, fw_cfg) && fw_cfg_add_item(fw_cfg, FW_CFG_NB_CPUS, "\1", 2) &&
           fw_cfg_add_item(fw_cfg, FW_CFG_MAX_CPUS, "\1", 2) &&
           fw_cfg_add_item(fw_cfg, FW_CFG_NOGRAPHIC, no_graphic, 2) &&
           fw_cfg_add_item(fw_cfg, FW_CFG_BOOT_MENU, menu, 2) &&
           fw_cfg_add_u32(fw_cfg, FW_CFG_IRQ0_OVERRIDE, 1) &&
           fw_cfg_add_file(fw_cfg, "etc/system-states", system_states, sizeof(system_states)) &&
           (!m->boot.no_graphic ||
            fw_cfg_add_file(fw_cfg, "etc/sercon-port", serial_console, sizeof(serial_console)));
}

bool x86_firmware_init(struct machine *m, const struct x86_boot_info *info, struct error *err)
{
    const struct boot_options *boot = &m->boot;
    struct device *fw_cfg = info->fw_cfg ? machine_find_device(m, info->fw_cfg) : NULL;

    if (boot->initrd && !boot->kernel)
        return error_set(err, "-initrd '%s' needs a -kernel", boot->initrd);
    if (boot->append && !boot->kernel)
        return error_set(err, "-append needs a -kernel");
    if (!map_firmware(m, info, err))
        return false;
    if (!fw_cfg)
        return true;
    if (!offer_common(m, info, fw_cfg))
        return error_set(err, "out of memory for fw_cfg");
    return smbios_offer(m, fw_cfg, err) &&
           (!boot->kernel || x86_option_rom_offer(m, info, fw_cfg, err)) &&
           (!info->offer || info->offer(m, fw_cfg, err));
}

/* ---- the CMOS memory ------------------------------------------------------------------------- */

enum cmos {
    CMOS_FLOPPIES = 0x10,
    CMOS_EQUIPMENT = 0x14,
    CMOS_BASE_KIB = 0x15,
    CMOS_EXTENDED_KIB = 0x17,
    CMOS_EXTENDED_KIB_TOO = 0x30,
    CMOS_ABOVE_16M = 0x34, /* in 64 KiB */
    CMOS_BOOT_THIRD = 0x38,
    CMOS_TRANSLATION = 0x39,
    CMOS_BOOT_FIRST = 0x3d,
    CMOS_ABOVE_4G = 0x5b, /* in 64 KiB, 24 bits */
};

static void set_number(struct device *rtc, unsigned at, uint64_t value, unsigned bytes)
{
    for (unsigned i = 0; i < bytes; i++)
        mc146818_set(rtc, at + i, (uint8_t)(value >> (8 * i)));
}

static void set_memory(struct device *rtc, const struct x86_ram *ram)
{
    uint64_t low = ram->low_bytes, extended = low > MIB ? (low - MIB) / KIB : 0;

    set_number(rtc, CMOS_BASE_KIB, 640, 2);
    set_number(rtc, CMOS_EXTENDED_KIB, MIN(extended, (uint64_t)UINT16_MAX), 2);
    set_number(rtc, CMOS_EXTENDED_KIB_TOO, MIN(extended, (uint64_t)UINT16_MAX), 2);
    set_number(rtc, CMOS_ABOVE_16M, low > 16 * MIB ? (low - 16 * MIB) / (64 * KIB) : 0, 2);
    set_number(rtc, CMOS_ABOVE_4G, ram->high_bytes / (64 * KIB), 3);
}

/* The drive that takes such a disk: 1 to 5 are 360K, 1.2M, 720K, 1.44M, 2.88M. */
static unsigned floppy_type(struct machine *m)
{
    static const struct {
        uint16_t sectors;
        uint8_t type;
    } types[] = {{720, 1}, {2400, 2}, {1440, 3}, {2880, 4}, {5760, 5}};
    struct device *fdc = machine_find_device(m, "fdc");

    if (!fdc || !fdc->backend)
        return 0;
    for (unsigned i = 0; i < ARRAY_SIZE(types); i++) {
        if (block_sectors(fdc->backend) == types[i].sectors)
            return types[i].type;
    }
    return 4;
}

static void set_drives(struct machine *m, struct device *rtc)
{
    enum { FPU = 2, MOUSE = 4, FLOPPY = 1, LBA = 1, CHS_SECTORS = 1024 * 16 * 63 };
    unsigned type = floppy_type(m), translation = 0;

    for (unsigned i = 0; i < 4; i++) {
        const char name[] = {'h', 'd', (char)('a' + i), 0};
        struct device *drive = machine_find_device(m, name);
        if (drive && drive->backend && block_sectors(drive->backend) > CHS_SECTORS)
            translation |= LBA << 2 * i;
    }
    set_number(rtc, CMOS_FLOPPIES, type << 4, 1);
    set_number(rtc, CMOS_EQUIPMENT, FPU | MOUSE | (type ? FLOPPY : 0), 1);
    set_number(rtc, CMOS_TRANSLATION, translation, 1);
}

/* Letters to the firmware's numbers, three of them: first and second in one byte. */
static void set_boot_order(const struct machine *m, struct device *rtc, bool started)
{
    const char *order = m->boot.once[0] && !started ? m->boot.once : m->boot.order;
    unsigned numbers = 0, n = 0;
    enum { NO_FLOPPY_CHECK = 1 };

    for (order = *order ? order : "cad"; *order && n < 3; order++, n++) {
        unsigned number = *order == 'c' ? 2 : *order == 'd' ? 3 : *order == 'n' ? 4 : 1;
        numbers |= number << 4 * n;
    }
    mc146818_set(rtc, CMOS_BOOT_FIRST, numbers & 0xff);
    mc146818_set(rtc, CMOS_BOOT_THIRD, (uint8_t)(numbers >> 8 << 4 | NO_FLOPPY_CHECK));
}

void x86_firmware_boot(struct machine *m, const struct x86_boot_info *info)
{
    struct device *rtc = machine_find_device(m, "rtc");

    if (!rtc)
        return;
    if (!info->started) {
        set_memory(rtc, &info->ram);
        set_drives(m, rtc);
    }
    set_boot_order(m, rtc, info->started);
}
