/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The boot protocol of Linux on ARM (Documentation/arch/arm/booting.rst): r0 = 0, r1 = machine
 * type, r2 = device tree or ATAG list, MMU off, interrupts masked. Other programs start the same
 * way at their entry point.
 */
#include "hw/machines/arm_boot.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#ifndef WITHOUT_LIBFDT
#include <libfdt.h>
#endif

#include "exec/vcpu.h"
#include "frontend/guest.h"
#include "hw/machines/initrd.h"
#include "hw/machines/kernel_image.h"
#include "hw/machines/loader.h"
#include "hw/misc/fw_cfg.h"
#include "util/bits.h"

enum {
    PAGE = 4096,
    DTB_ROOM = 64 * 1024, /* what additions to a tree may take */
    ATAGS_OFFSET = 0x100,
    COMMAND_LINE_MAX = 4096,
    ELF_MACHINE_ARM = 40,
    KEY_THUMB = 1, /* run.key of the ARM guest: bit 0 is T */
};

struct boot_plan {
    struct machine *m;
    const struct arm_boot_info *info;
    struct loader *images;
    struct kernel_image kernel;
    struct loader_file initrd;
    gpa initrd_start;
    uint64_t initrd_bytes;
    gpa dtb_start;
    void *dtb;
};

uint32_t *arm_boot_register(struct vcpu *cpu, const char *name)
{
    for (unsigned i = 0; i < cpu->guest->n_fields; i++) {
        const struct state_field *field = &cpu->guest->fields[i];
        if (field->name && !strcmp(field->name, name))
            return (uint32_t *)((uint8_t *)cpu + field->offset);
    }
    return NULL;
}

static void set_register(struct vcpu *cpu, const char *name, uint32_t value)
{
    uint32_t *at = arm_boot_register(cpu, name);

    if (!at)
        BUG("the guest has no register '%s'", name);
    *at = value;
}

static gpa ram_end(const struct machine *m)
{
    return m->class->ram_base + m->ram_bytes;
}

/* ---- the device tree ------------------------------------------------------------------------- */

#ifndef WITHOUT_LIBFDT

static bool fdt_failed(const char *what, int result, struct error *err)
{
    return error_set(err, "%s: cannot change the device tree: %s", what, fdt_strerror(result));
}

/* -dtb: whole, sound, and with room to grow. */
static void *read_dtb(const struct machine *m, struct error *err)
{
    struct loader_file file;
    void *fdt = NULL;

    if (!loader_read_file(&file, "-dtb", m->boot.dtb, m->ram_bytes, err))
        return NULL;
    if (file.size < sizeof(struct fdt_header) || fdt_magic(file.data) != FDT_MAGIC) {
        bool cut = file.size < sizeof(struct fdt_header) && file.size >= 4 &&
                   fdt_magic(file.data) == FDT_MAGIC;
        error_set(err, "%s is %s", file.what,
                  cut ? "truncated: it ends within the header of the device tree"
                      : "not a device tree blob");
    } else if (fdt_totalsize(file.data) > file.size) {
        error_set(err, "%s is truncated: its header states %u bytes, the file has %zu", file.what,
                  fdt_totalsize(file.data), file.size);
    } else if (fdt_check_full(file.data, file.size) != 0) {
        error_set(err, "%s is damaged: %s", file.what,
                  fdt_strerror(fdt_check_full(file.data, file.size)));
    } else if (!(fdt = malloc(fdt_totalsize(file.data)))) {
        error_set(err, "%s: out of memory", file.what);
    } else {
        memcpy(fdt, file.data, fdt_totalsize(file.data));
    }
    loader_file_free(&file);
    return fdt;
}

/* A tree for another architecture is told by its processors. */
static bool check_dtb_cpus(const struct machine *m, const void *fdt, struct error *err)
{
    static const struct {
        const char *prefix, *name;
    } foreign[] = {{"riscv", "RISC-V"},     {"mips,", "MIPS"},   {"img,mips", "MIPS"},
                   {"PowerPC,", "PowerPC"}, {"snps,arc", "ARC"}, {"loongson,", "LoongArch"}};
    int cpus = fdt_path_offset(fdt, "/cpus"), cpu;

    if (!m->boot.dtb || cpus < 0)
        return true;
    fdt_for_each_subnode(cpu, fdt, cpus)
    {
        const char *compatible = fdt_getprop(fdt, cpu, "compatible", NULL);
        for (size_t i = 0; compatible && i < ARRAY_SIZE(foreign); i++) {
            if (!strncmp(compatible, foreign[i].prefix, strlen(foreign[i].prefix)))
                return error_set(err, "-dtb '%s' describes a %s machine, not an ARM one",
                                 m->boot.dtb, foreign[i].name);
        }
    }
    return true;
}

static int append_cells(uint8_t *out, int cells, uint64_t value)
{
    if (cells == 2)
        store_be64(out, value);
    else
        store_be32(out, (uint32_t)value);
    return cells * 4;
}

static bool is_memory_node(const void *fdt, int node)
{
    const char *name = fdt_get_name(fdt, node, NULL);
    const char *type = fdt_getprop(fdt, node, "device_type", NULL);

    return (name && (!strcmp(name, "memory") || !strncmp(name, "memory@", 7))) ||
           (type && !strcmp(type, "memory"));
}

/* The tree's own idea of memory gives way to what -m says. */
static int set_memory_node(const struct machine *m, void *fdt)
{
    int address_cells = fdt_address_cells(fdt, 0), size_cells = fdt_size_cells(fdt, 0);
    char name[32];
    uint8_t reg[16];
    int node = fdt_first_subnode(fdt, 0), result;

    while (node >= 0) {
        int next = fdt_next_subnode(fdt, node);
        if (is_memory_node(fdt, node)) {
            result = fdt_del_node(fdt, node);
            if (result < 0)
                return result;
            next = fdt_first_subnode(fdt, 0);
        }
        node = next;
    }
    if (address_cells < 1 || address_cells > 2 || size_cells < 1 || size_cells > 2)
        return -FDT_ERR_BADNCELLS;
    snprintf(name, sizeof(name), "memory@%" PRIx64, m->class->ram_base);
    node = fdt_add_subnode(fdt, 0, name);
    if (node < 0)
        return node;
    int length = append_cells(reg, address_cells, m->class->ram_base);
    length += append_cells(reg + length, size_cells, m->ram_bytes);
    result = fdt_setprop(fdt, node, "reg", reg, length);
    return result ? result : fdt_setprop_string(fdt, node, "device_type", "memory");
}

static bool wants_randomness(const struct machine *m)
{
    char value[8];

    if (machine_prop_string(m, "dtb-randomness", value, sizeof(value)) ||
        machine_prop_string(m, "dtb-kaslr-seed", value, sizeof(value)))
        return strcmp(value, "off") != 0;
    return true;
}

static int set_chosen_node(const struct boot_plan *plan, void *fdt)
{
    const struct machine *m = plan->m;
    int node = fdt_path_offset(fdt, "/chosen"), result = 0;
    uint8_t seed[32];

    if (node == -FDT_ERR_NOTFOUND)
        node = fdt_add_subnode(fdt, 0, "chosen");
    if (node < 0)
        return node;
    if (m->boot.append && *m->boot.append)
        result = fdt_setprop_string(fdt, node, "bootargs", m->boot.append);
    if (!result && wants_randomness(m) &&
        getrandom(seed, sizeof(seed), GRND_NONBLOCK) == sizeof(seed))
        result = fdt_setprop(fdt, node, "rng-seed", seed, sizeof(seed));
    if (!plan->initrd_bytes) {
        fdt_delprop(fdt, node, "linux,initrd-start");
        fdt_delprop(fdt, node, "linux,initrd-end");
        return result;
    }
    gpa end = plan->initrd_start + plan->initrd_bytes;
    bool wide = end >> 32 != 0;
    if (!result)
        result =
            wide ? fdt_setprop_u64(fdt, node, "linux,initrd-start", plan->initrd_start)
                 : fdt_setprop_u32(fdt, node, "linux,initrd-start", (uint32_t)plan->initrd_start);
    if (!result)
        result = wide ? fdt_setprop_u64(fdt, node, "linux,initrd-end", end)
                      : fdt_setprop_u32(fdt, node, "linux,initrd-end", (uint32_t)end);
    return result;
}

/* plan->dtb, opened with room for what place_dtb adds. */
static bool make_dtb(struct boot_plan *plan, struct error *err)
{
    struct machine *m = plan->m;
    void *fdt = NULL;

    if (m->boot.dtb)
        fdt = read_dtb(m, err);
    else if (plan->info->make_dtb)
        fdt = plan->info->make_dtb(m, err);
    else
        return true;
    if (!fdt)
        return false;
    size_t room = fdt_totalsize(fdt) + DTB_ROOM;
    plan->dtb = malloc(room);
    int result = plan->dtb ? fdt_open_into(fdt, plan->dtb, (int)room) : -FDT_ERR_NOSPACE;
    free(fdt);
    if (result)
        return fdt_failed(m->boot.dtb ? "-dtb" : m->class->name, result, err);
    return check_dtb_cpus(m, plan->dtb, err);
}

static bool patch_dtb(struct boot_plan *plan, struct error *err)
{
    const char *what = plan->m->boot.dtb ? "-dtb" : plan->m->class->name;
    int result = set_memory_node(plan->m, plan->dtb);

    if (!result)
        result = set_chosen_node(plan, plan->dtb);
    if (result)
        return fdt_failed(what, result, err);
    if (plan->info->modify_dtb && !plan->info->modify_dtb(plan->m, plan->dtb, err))
        return false;
    result = fdt_pack(plan->dtb);
    return result ? fdt_failed(what, result, err) : true;
}

static uint32_t dtb_bytes(const void *fdt)
{
    return fdt_totalsize(fdt);
}

#else

static bool make_dtb(struct boot_plan *plan, struct error *err)
{
    if (plan->m->boot.dtb)
        return error_set(err, "-dtb: this calque was built without libfdt");
    return true;
}

static bool patch_dtb(struct boot_plan *plan, struct error *err)
{
    return true;
}

static uint32_t dtb_bytes(const void *fdt)
{
    return 0;
}

#endif

static bool dump_dtb(const struct boot_plan *plan, const char *path, struct error *err)
{
    if (!plan->dtb)
        return error_set(err, "dumpdtb: machine '%s' has no device tree", plan->m->class->name);
    FILE *out = fopen(path, "wb");
    bool ok = out && fwrite(plan->dtb, dtb_bytes(plan->dtb), 1, out) == 1;
    if (out && fclose(out) != 0)
        ok = false;
    return ok ? true : error_set_errno(err, errno, "dumpdtb: '%s' cannot be written", path);
}

/* ---- where things go ------------------------------------------------------------------------- */

/* A place of `size` bytes at or above `preferred`, else as high in RAM as it goes. 0: none above
 * `lowest`. */
static gpa find_place(const struct machine *m, gpa preferred, gpa lowest, gpa highest,
                      uint64_t size)
{
    gpa start = align_up(MAX(preferred, lowest), PAGE);

    if (start + size <= highest)
        return start;
    if (size > highest - m->class->ram_base)
        return 0;
    start = align_down(highest - size, PAGE);
    return start >= lowest ? start : 0;
}

/* The initrd, then the device tree behind it: above what the kernel unpacks to, and low enough to
 * be in the kernel's direct map. */
static bool place_initrd(struct boot_plan *plan, struct error *err)
{
    const struct machine *m = plan->m;
    uint64_t dtb_room = plan->dtb ? align_up(dtb_bytes(plan->dtb), PAGE) : 0;
    gpa preferred = m->class->ram_base + MIN(m->ram_bytes / 2, 128 * MIB);
    char size[32], have[32];

    if (!plan->initrd_bytes) {
        plan->initrd_start = preferred;
        return true;
    }
    plan->initrd_start =
        find_place(m, preferred, plan->kernel.end, ram_end(m) - dtb_room, plan->initrd_bytes);
    if (!plan->initrd_start)
        return error_set(err,
                         "%s does not fit: its %s do not go beside the kernel into the %s of "
                         "memory that -m gives",
                         plan->initrd.what, loader_size(plan->initrd_bytes, size),
                         loader_size(m->ram_bytes, have));
    return loader_add_file(plan->images, plan->initrd_start, &plan->initrd, err);
}

static bool place_dtb(struct boot_plan *plan, gpa fixed, struct error *err)
{
    const struct machine *m = plan->m;

    if (!plan->dtb)
        return true;
    gpa preferred = plan->initrd_start + plan->initrd_bytes;
    /* The first opening left room for additions, so this can only have shrunk since. */
    uint64_t size = dtb_bytes(plan->dtb);
    plan->dtb_start = fixed ? fixed : find_place(m, preferred, plan->kernel.end, ram_end(m), size);
    if (!patch_dtb(plan, err))
        return false;
    size = dtb_bytes(plan->dtb);
    if (!plan->dtb_start || !loader_fits(m->memory, plan->dtb_start, size))
        return error_set(err,
                         "%s%s%s: the device tree of %" PRIu64
                         " bytes does not fit beside kernel and initrd into -m's memory",
                         m->boot.dtb ? "-dtb '" : "machine ",
                         m->boot.dtb ? m->boot.dtb : m->class->name, m->boot.dtb ? "'" : "", size);
    if (!loader_add(plan->images, plan->dtb_start, plan->dtb, size, size, err))
        return false;
    loader_name(plan->images, "device tree");
    return true;
}

/* ---- ATAGs, for kernels without a device tree ------------------------------------------------ */

enum atag {
    ATAG_NONE = 0,
    ATAG_CORE = 0x54410001,
    ATAG_MEM = 0x54410002,
    ATAG_INITRD2 = 0x54420005,
    ATAG_CMDLINE = 0x54410009,
};

static uint8_t *put_tag(uint8_t *out, uint32_t words, enum atag tag)
{
    store_le32(out, words);
    store_le32(out + 4, tag);
    return out + 8;
}

static uint8_t *put_word(uint8_t *out, uint64_t value)
{
    store_le32(out, (uint32_t)value);
    return out + 4;
}

static bool place_atags(struct boot_plan *plan, struct error *err)
{
    const struct machine *m = plan->m;
    const char *append = m->boot.append ? m->boot.append : "";
    uint8_t list[COMMAND_LINE_MAX + 128] = {0}, *out = list;
    uint32_t length = (uint32_t)strlen(append) + 1;

    out = put_tag(out, 5, ATAG_CORE);
    out = put_word(put_word(put_word(out, 1), PAGE), 0);
    out = put_tag(out, 4, ATAG_MEM);
    out = put_word(put_word(out, m->ram_bytes), m->class->ram_base);
    if (plan->initrd_bytes) {
        out = put_tag(out, 4, ATAG_INITRD2);
        out = put_word(put_word(out, plan->initrd_start), plan->initrd_bytes);
    }
    if (length > 1) {
        out = put_tag(out, 2 + (length + 3) / 4, ATAG_CMDLINE);
        memcpy(out, append, length);
        out += align_up(length, 4);
    }
    out = put_tag(out, 0, ATAG_NONE);
    plan->dtb_start = m->class->ram_base + ATAGS_OFFSET;
    return loader_add(plan->images, plan->dtb_start, list, (size_t)(out - list),
                      (uint64_t)(out - list), err);
}

/* ---- kernel and firmware --------------------------------------------------------------------- */

static bool read_initrd(struct boot_plan *plan, struct error *err)
{
    const struct machine *m = plan->m;

    if (!m->boot.initrd)
        return true;
    if (!loader_read_file(&plan->initrd, "-initrd", m->boot.initrd, m->ram_bytes, err) ||
        !initrd_check(&plan->initrd, ELF_MACHINE_ARM, err))
        return false;
    plan->initrd_bytes = plan->initrd.size;
    return true;
}

static bool plan_kernel(struct boot_plan *plan, struct error *err)
{
    struct machine *m = plan->m;
    struct kernel_target target = {m->memory, m->class->ram_base, m->ram_bytes};
    struct loader_file file;

    if (!loader_read_file(&file, "-kernel", m->boot.kernel, m->ram_bytes, err) ||
        !kernel_image_load(&file, &target, plan->images, &plan->kernel, err) ||
        !read_initrd(plan, err) || !make_dtb(plan, err) || !place_initrd(plan, err))
        return false;
    return plan->dtb ? place_dtb(plan, 0, err) : place_atags(plan, err);
}

/* The firmware takes kernel, initrd and command line from fw_cfg. */
static bool offer_item(struct boot_plan *plan, const char *option, const char *path,
                       unsigned size_key, unsigned data_key, struct error *err)
{
    struct device *fw_cfg = machine_find_device(plan->m, plan->info->fw_cfg);
    struct loader_file file;

    if (!loader_read_file(&file, option, path, MIN(plan->m->ram_bytes, GIB), err))
        return false;
    bool ok = fw_cfg && fw_cfg_add_u32(fw_cfg, size_key, (uint32_t)file.size) &&
              fw_cfg_add_item(fw_cfg, data_key, file.data, (uint32_t)file.size);
    if (!ok)
        error_set(err, "%s cannot be handed to the firmware", file.what);
    loader_file_free(&file);
    return ok;
}

static bool offer_kernel(struct boot_plan *plan, struct error *err)
{
    const struct boot_options *boot = &plan->m->boot;
    struct device *fw_cfg =
        plan->info->fw_cfg ? machine_find_device(plan->m, plan->info->fw_cfg) : NULL;

    if (!boot->kernel && boot->initrd)
        return error_set(err, "-initrd '%s' needs a -kernel", boot->initrd);
    if (!boot->kernel)
        return true;
    if (!fw_cfg)
        return error_set(err, "-kernel and -bios exclude each other on machine '%s'",
                         plan->m->class->name);
    if (!offer_item(plan, "-kernel", boot->kernel, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA, err))
        return false;
    if (boot->initrd &&
        !offer_item(plan, "-initrd", boot->initrd, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA, err))
        return false;
    if (boot->append) {
        uint32_t length = (uint32_t)strlen(boot->append) + 1;
        fw_cfg_add_u32(fw_cfg, FW_CFG_CMDLINE_SIZE, length);
        fw_cfg_add_item(fw_cfg, FW_CFG_CMDLINE_DATA, boot->append, length);
    }
    return true;
}

static bool plan_firmware(struct boot_plan *plan, struct error *err)
{
    struct machine *m = plan->m;
    struct device *flash = plan->info->flash ? machine_find_device(m, plan->info->flash) : NULL;
    struct loader_file file;
    uint64_t size;

    if (!flash)
        return error_set(err, "-bios: machine '%s' has no flash for firmware", m->class->name);
    device_region_memory(flash, 0, &size);
    if (!loader_read_file(&file, "-bios", m->boot.bios, size, err))
        return false;
    bool ok = loader_add(plan->images, flash->mappings[0].base, file.data, file.size, size, err);
    loader_name(plan->images, file.what);
    loader_file_free(&file);
    plan->kernel.entry = plan->info->firmware_entry;
    plan->kernel.end = m->class->ram_base;
    if (!ok || !offer_kernel(plan, err) || !make_dtb(plan, err))
        return false;
    if (!plan->info->firmware_dtb) {
        free(plan->dtb);
        plan->dtb = NULL;
    }
    return place_dtb(plan, plan->info->firmware_dtb, err);
}

/* Neither: the processor starts in whatever is at address 0, as on a board with blank flash. */
static bool plan_nothing(struct boot_plan *plan, struct error *err)
{
    const struct boot_options *boot = &plan->m->boot;
    char path[2];
    bool dump = boot->dumpdtb || machine_prop_string(plan->m, "dumpdtb", path, sizeof(path));

    if (boot->initrd)
        return error_set(err, "-initrd '%s' needs a -kernel", boot->initrd);
    if (boot->append && !dump)
        return error_set(err, "-append needs a -kernel");
    plan->kernel.entry = plan->info->firmware_entry;
    plan->kernel.end = plan->m->class->ram_base;
    if (!make_dtb(plan, err))
        return false;
    return place_dtb(
        plan, plan->info->firmware_dtb ? plan->info->firmware_dtb : plan->m->class->ram_base, err);
}

/* ---- boot ------------------------------------------------------------------------------------ */

static bool make_plan(struct machine *m, struct boot_plan *plan, struct error *err)
{
    bool ok;

    if (m->boot.append && strlen(m->boot.append) >= COMMAND_LINE_MAX)
        return error_set(err, "-append is longer than %d bytes", COMMAND_LINE_MAX - 1);
    if (m->boot.bios)
        ok = plan_firmware(plan, err);
    else if (m->boot.kernel)
        ok = plan_kernel(plan, err);
    else
        ok = plan_nothing(plan, err);
    if (ok && m->boot.dumpdtb)
        ok = dump_dtb(plan, m->boot.dumpdtb, err);
    return ok;
}

/* First boot: reads everything and works out the addresses. */
static struct loader *prepare(struct machine *m, const struct arm_boot_info *info,
                              struct error *err)
{
    struct boot_plan plan = {.m = m, .info = info, .images = loader_create()};
    bool ok = plan.images ? make_plan(m, &plan, err) : error_set(err, "out of memory");

    if (ok) {
        bool kernel = m->boot.kernel && !m->boot.bios;
        *loader_start(plan.images) = (struct loader_start){
            .entry = plan.kernel.entry,
            .sets_registers = kernel,
            .registers = {0, plan.dtb ? UINT32_MAX : info->machine_type, (uint32_t)plan.dtb_start},
        };
    }
    loader_file_free(&plan.initrd);
    free(plan.dtb);
    if (ok)
        return plan.images;
    loader_destroy(plan.images);
    return NULL;
}

bool arm_boot(struct machine *m, const struct arm_boot_info *info, struct error *err)
{
    if (!m->loader) {
        m->loader = prepare(m, info, err);
        m->loader_destroy = loader_destroy;
    }
    if (!m->loader)
        return false;
    const struct loader_start *start = loader_start(m->loader);
    loader_write(m->loader, m->memory);
    m->cpu->run.pc = start->entry & ~UINT64_C(1);
    if (start->entry & 1)
        m->cpu->run.key |= KEY_THUMB;
    if (start->sets_registers) {
        set_register(m->cpu, "r0", start->registers[0]);
        set_register(m->cpu, "r1", start->registers[1]);
        set_register(m->cpu, "r2", start->registers[2]);
    }
    return true;
}
