/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images for guest memory: read and checked once, when the machine first boots, and written again
 * at every reset, so that a restart finds what the first start found. Files come from anywhere:
 * every length in them is checked, and every failure is one sentence that names option and file.
 */
#ifndef CALQUE_HW_MACHINES_LOADER_H
#define CALQUE_HW_MACHINES_LOADER_H

#include "softmmu/memory.h"

struct machine;

/* A file's contents, malloc'd. `what` is how messages start: "-kernel 'zImage'". */
struct loader_file {
    char what[256];
    uint8_t *data;
    size_t size;
};

/* Fails for what is missing, empty, a directory or longer than max_bytes. */
bool loader_read_file(struct loader_file *file, const char *option, const char *path,
                      uint64_t max_bytes, struct error *err);
void loader_file_free(struct loader_file *file);

/* Replaces the file's contents, which are gzip members, by what they unpack to. */
bool loader_gunzip(struct loader_file *file, uint64_t max_bytes, struct error *err);
/* Until it is no gzip file any more: a few times at most (gzip in a uImage in gzip). */
bool loader_gunzip_all(struct loader_file *file, uint64_t max_bytes, struct error *err);
bool loader_is_gzip(const uint8_t *data, size_t size);
/* Unpacks without keeping: each piece goes to `consume` if it is given. *used: length of the
 * member in the input. */
bool loader_gunzip_member(const char *what, const uint8_t *data, size_t size, size_t *used,
                          bool (*consume)(void *opaque, const uint8_t *piece, size_t size,
                                          struct error *err),
                          void *opaque, struct error *err);

/* Legacy U-Boot image (include/image.h there): header and payload are checked, and the header is
 * taken off. */
struct uimage_header {
    uint32_t load, entry;
    uint8_t os, architecture, type, compression;
    char name[33];
};
enum uimage_values {
    UIMAGE_OS_LINUX = 5,
    UIMAGE_ARCH_ARM = 2,
    UIMAGE_TYPE_KERNEL = 2,
    UIMAGE_TYPE_RAMDISK = 3,
    UIMAGE_TYPE_KERNEL_NOLOAD = 14,
    UIMAGE_GZIP = 1,
};
bool loader_is_uimage(const uint8_t *data, size_t size);
bool loader_uimage(struct loader_file *file, struct uimage_header *out, struct error *err);
const char *loader_uimage_architecture(unsigned code);

/* "x86-64", "AArch64" for an ELF e_machine; NULL if unknown. */
const char *loader_elf_machine(unsigned machine);

/* "a zip archive": what a file that is no kernel for this guest is recognisably; NULL: unknown. */
const char *loader_foreign_kind(const struct loader_file *file);
bool loader_is_text(const struct loader_file *file);

/* What is to be in memory at every start. */
struct loader;
struct loader *loader_create(void);
void loader_destroy(struct loader *l);
/* Where the processor starts once the images are there, and its first registers. */
struct loader_start {
    gpa entry;
    bool sets_registers;
    uint32_t registers[4];
};
struct loader_start *loader_start(struct loader *l);
/* Copies. The rest up to memory_size is zeros. */
bool loader_add(struct loader *l, gpa address, const void *data, size_t size, uint64_t memory_size,
                struct error *err);
/* Takes the file's contents over. */
bool loader_add_file(struct loader *l, gpa address, struct loader_file *file, struct error *err);
/* What info roms calls all that was added since this was called last. Copies. */
void loader_name(struct loader *l, const char *name);
struct loader_entry {
    gpa address;
    uint64_t size; /* in memory */
    const char *name;
};
/* The n-th image; false: no more. */
bool loader_entry(const struct loader *l, unsigned n, struct loader_entry *out);
/* Is all of the range RAM or ROM? */
bool loader_fits(const struct memory *memory, gpa address, uint64_t size);
void loader_write(const struct loader *l, struct memory *memory);
/* The end of what is loaded at or above base. */
gpa loader_end(const struct loader *l, gpa base);

/* "5.4 MiB" and the like, for messages. */
const char *loader_size(uint64_t bytes, char text[32]);

#endif
