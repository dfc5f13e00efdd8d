/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A kernel started by firmware: an option ROM that is a boot device (BIOS Boot Specification 1.01,
 * "bootstrap entry vector"). It has fw_cfg's DMA put the pieces of a bzImage where the boot
 * protocol wants them and enters the kernel's real-mode code, which asks the firmware for the rest.
 */
#include <stdlib.h>
#include <string.h>

#include "hw/machines/initrd.h"
#include "hw/machines/loader.h"
#include "hw/machines/x86_firmware.h"
#include "hw/machines/x86_kernel.h"
#include "hw/misc/fw_cfg.h"
#include "util/bits.h"

/* Documentation/arch/x86/boot.rst. */
enum {
    SETUP_AT = 0x10000,
    COMMAND_LINE_AT = 0x20000,
    KERNEL_AT = 0x100000,
    FIRMWARE_HIGH = 256 * 1024, /* what firmware keeps at the end of RAM */
    SETUP_SECTS = 0x1f1,
    VID_MODE = 0x1fa,
    TYPE_OF_LOADER = 0x210,
    LOADFLAGS = 0x211,
    RAMDISK_IMAGE = 0x218,
    RAMDISK_SIZE = 0x21c,
    HEAP_END = 0x224,
    CMD_LINE_PTR = 0x228,
    MOST_SETUP = 64 * 512,
};

/* ---- the ROM --------------------------------------------------------------------------------- */

enum { ROM_BYTES = 512, ROM_LIST = 0x100, ROM_CHECKSUM = 0x1ff, PIECE = 16 };

/* The list at ROM_LIST holds fw_cfg's DMA requests as they are (control, length, address). */
static const uint8_t rom_start[] = {
    0x55,          0xaa, ROM_BYTES / 512, /* signature, size */
    0xcb,                                 /* initialisation: lret */
    [0x1a] = 0x20, 0,                     /* where the expansion header is */
    [0x20] = '$',  'P',  'n',
    'P',           1,    2, /* its revision and length in 16 bytes */
    [0x30] = 0x40, 0,       /* product name */
    [0x3a] = 0x50, 0,       /* bootstrap entry vector */
    [0x40] = 'L',  'i',  'n',
    'u',           'x',  ' ',
    'k',           'e',  'r',
    'n',           'e',  'l',
    [0x50] = 0xfa, 0xfc, /* cli; cld */
    0x31,          0xc0, 0x8e,
    0xd0,                      /* xor %ax, %ax; mov %ax, %ss */
    0xbc,          0x00, 0x7b, /* mov $0x7b00, %sp */
    0x8e,          0xc0,       /* mov %ax, %es */
    0x8c,          0xc8, 0x8e,
    0xd8,                      /* mov %cs, %ax; mov %ax, %ds */
    0xbe,          0x00, 0x01, /* mov $ROM_LIST, %si */
    0x66,          0x83, 0x3c,
    0x00,                /* next: cmpl $0, (%si) */
    0x74,          0x22, /* je start */
    0xbf,          0x00, 0x7b,
    0xb9,          0x08, 0x00, /* mov $0x7b00, %di; mov $8, %cx */
    0xf3,          0xa5,       /* rep movsw */
    0x66,          0xb8, 0x00,
    0x00,          0x7b, 0x00, /* mov $0x7b00 (big-endian), %eax */
    0xba,          0x18, 0x05,
    0x66,          0xef, /* mov $0x518, %dx; out %eax, %dx */
    0x26,          0x66, 0xa1,
    0x00,          0x7b, /* wait: mov %es:0x7b00, %eax */
    0x66,          0x25, 0xff,
    0xff,          0xff, 0xfe, /* and $~error, %eax */
    0x75,          0xf3, 0xeb,
    0xd8,                      /* jne wait; jmp next */
    0xb8,          0x00, 0x10, /* start: mov $SETUP_AT / 16, %ax */
    0x8e,          0xd8, 0x8e,
    0xc0, /* mov %ax, %ds; ... %es */
    0x8e,          0xe0, 0x8e,
    0xe8,          0x8e, 0xd0, /* ... %fs, %gs, %ss */
    0x66,          0xbc, 0x00,
    0xe0,          0x00, 0x00, /* mov $0xe000, %esp */
    0xea,          0x00, 0x00,
    0x20,          0x10, /* ljmp $(SETUP_AT + 0x200) / 16, $0 */
};

struct rom {
    uint8_t bytes[ROM_BYTES];
    unsigned n;
};

/* A piece becomes an item of fw_cfg and a request of the ROM's list. */
static bool add_piece(struct rom *rom, struct device *fw_cfg, unsigned size_key, unsigned data_key,
                      const void *data, size_t size, uint64_t address)
{
    enum { READ = 2, SELECT = 8 };
    uint8_t *request = rom->bytes + ROM_LIST + PIECE * rom->n++;

    store_be32(request, data_key << 16 | SELECT | READ);
    store_be32(request + 4, (uint32_t)size);
    store_be64(request + 8, address);
    return fw_cfg_add_u32(fw_cfg, size_key, (uint32_t)size) &&
           fw_cfg_add_item(fw_cfg, data_key, data, (uint32_t)size);
}

static bool offer_rom(struct rom *rom, struct device *fw_cfg)
{
    static const char order[] = "/rom@genroms/linuxboot.bin";
    uint8_t sum = 0;

    memcpy(rom->bytes, rom_start, sizeof(rom_start));
    for (unsigned i = 0; i < ROM_BYTES; i++)
        sum += rom->bytes[i];
    rom->bytes[ROM_CHECKSUM] = (uint8_t)-sum;
    return fw_cfg_add_file(fw_cfg, "genroms/linuxboot.bin", rom->bytes, ROM_BYTES) &&
           fw_cfg_add_file(fw_cfg, "bootorder", order, sizeof(order));
}

/* ---- the kernel ------------------------------------------------------------------------------ */

struct pieces {
    struct loader_file kernel, initrd;
    struct x86_kernel checked;
    uint64_t initrd_at;
};

/* The kernel is checked as without firmware, and then taken as it is in the file. */
static bool read_kernel(const struct machine *m, const struct x86_boot_info *info, struct pieces *p,
                        struct error *err)
{
    struct loader *scratch = loader_create();
    struct loader_file file;

    if (!scratch)
        return error_set(err, "out of memory");
    bool ok =
        loader_read_file(&file, "-kernel", m->boot.kernel, m->ram_bytes, err) &&
        x86_kernel_load(&file, m->memory, info->ram.low_bytes, false, scratch, &p->checked, err);
    loader_destroy(scratch);
    if (!ok || !loader_read_file(&p->kernel, "-kernel", m->boot.kernel, m->ram_bytes, err))
        return false;
    if (!p->checked.setup)
        return error_set(err,
                         "%s is a %s: with -bios only a bzImage can be started; leave -bios out",
                         p->kernel.what, p->checked.format);
    return !loader_is_gzip(p->kernel.data, p->kernel.size) ||
           loader_gunzip(&p->kernel, info->ram.low_bytes, err);
}

static bool read_initrd(const struct machine *m, const struct x86_boot_info *info, struct pieces *p,
                        struct error *err)
{
    enum { ELF_386 = 3, ELF_X86_64 = 62 };
    unsigned machine = strcmp(m->class->guest, "i386") ? ELF_X86_64 : ELF_386;
    uint64_t top = info->ram.low_bytes - MIN(info->ram.low_bytes, (uint64_t)FIRMWARE_HIGH);
    char need[32], have[32];

    if (!m->boot.initrd)
        return true;
    if (!loader_read_file(&p->initrd, "-initrd", m->boot.initrd, m->ram_bytes, err) ||
        !initrd_check(&p->initrd, machine, err))
        return false;
    top = MIN(top, p->checked.initrd_max + 1);
    p->initrd_at = (top - MIN(top, (uint64_t)p->initrd.size)) & ~UINT64_C(0xfff);
    return p->initrd_at >= p->checked.end ||
           error_set(err, "%s does not fit: kernel and initrd need %s of memory, -m gives %s",
                     p->initrd.what,
                     loader_size(p->checked.end + p->initrd.size + FIRMWARE_HIGH, need),
                     loader_size(info->ram.low_bytes, have));
}

static bool check_command_line(const struct pieces *p, const char *append, struct error *err)
{
    enum { ROOM = 0xffff };
    size_t max = MIN(p->checked.cmdline_max ? p->checked.cmdline_max : 255u, (uint32_t)ROOM);

    return strlen(append) <= max ||
           error_set(err, "-append has %zu characters; this kernel takes %zu", strlen(append), max);
}

/* The fields of the header that a boot loader fills in. */
static void fill_header(struct pieces *p)
{
    uint8_t *header = p->kernel.data;

    store_le16(header + VID_MODE, 0xffff);
    header[TYPE_OF_LOADER] = 0xff;
    header[LOADFLAGS] |= 0x80;
    store_le16(header + HEAP_END, 0xde00);
    store_le32(header + CMD_LINE_PTR, COMMAND_LINE_AT);
    store_le32(header + RAMDISK_IMAGE, (uint32_t)p->initrd_at);
    store_le32(header + RAMDISK_SIZE, (uint32_t)p->initrd.size);
}

static bool offer_pieces(struct pieces *p, const char *append, struct device *fw_cfg)
{
    const uint8_t *file = p->kernel.data;
    size_t setup = ((file[SETUP_SECTS] ? file[SETUP_SECTS] : 4u) + 1) * 512u;
    struct rom rom = {.n = 0};

    return add_piece(&rom, fw_cfg, FW_CFG_SETUP_SIZE, FW_CFG_SETUP_DATA, file,
                     MIN(setup, (size_t)MOST_SETUP), SETUP_AT) &&
           add_piece(&rom, fw_cfg, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA, file + setup,
                     p->kernel.size - setup, KERNEL_AT) &&
           add_piece(&rom, fw_cfg, FW_CFG_CMDLINE_SIZE, FW_CFG_CMDLINE_DATA, append,
                     strlen(append) + 1, COMMAND_LINE_AT) &&
           (!p->initrd.size || add_piece(&rom, fw_cfg, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA,
                                         p->initrd.data, p->initrd.size, p->initrd_at)) &&
           offer_rom(&rom, fw_cfg);
}

bool x86_option_rom_offer(struct machine *m, const struct x86_boot_info *info,
                          struct device *fw_cfg, struct error *err)
{
    const char *append = m->boot.append ? m->boot.append : "";
    struct pieces p = {.initrd_at = 0};
    bool ok = read_kernel(m, info, &p, err) && read_initrd(m, info, &p, err) &&
              check_command_line(&p, append, err);

    if (ok) {
        fill_header(&p);
        ok = offer_pieces(&p, append, fw_cfg) || error_set(err, "out of memory for fw_cfg");
    }
    loader_file_free(&p.kernel);
    loader_file_free(&p.initrd);
    free(p.checked.setup);
    return ok;
}
