/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writing ACPI tables and their machine language (ACPI 6.4, 5.2 and 20). A table grows in one
 * buffer; packages are opened and closed, and their lengths put in when they close.
 *
 * Running out of memory is remembered and told once by aml_finish.
 */
#ifndef CALQUE_HW_MACHINES_AML_H
#define CALQUE_HW_MACHINES_AML_H

#include "util/compiler.h"

enum { AML_DEPTH = 16 };

struct aml {
    uint8_t *data;
    size_t size, room;
    size_t open[AML_DEPTH]; /* where the package's length goes */
    unsigned depth;
    size_t table; /* start of the table being written */
    bool failed;
};

void aml_bytes(struct aml *a, const void *bytes, size_t n);
void aml_u8(struct aml *a, uint8_t value);
void aml_u16(struct aml *a, uint16_t value);
void aml_u32(struct aml *a, uint32_t value);
void aml_u64(struct aml *a, uint64_t value);
void aml_zeros(struct aml *a, size_t n);

/* A table: header, then its body, then length and checksum. */
void aml_table_begin(struct aml *a, const char signature[4], uint8_t revision);
void aml_table_end(struct aml *a);
/* The byte at `at` becomes what makes [start, start + n) sum up to 0. */
void aml_checksum(struct aml *a, size_t start, size_t n, size_t at);

/* Objects. Paths: "\\_SB.PCI0", "_CRS", "ISA" (names are padded with _). */
void aml_path(struct aml *a, const char *path);
void aml_integer(struct aml *a, uint64_t value);
void aml_string(struct aml *a, const char *text);
void aml_eisa_id(struct aml *a, const char *id); /* "PNP0A03" as an integer */
void aml_scope_begin(struct aml *a, const char *path);
void aml_device_begin(struct aml *a, const char *name);
void aml_method_begin(struct aml *a, const char *name, unsigned n_args);
void aml_package_begin(struct aml *a, unsigned n_elements);
void aml_end(struct aml *a);                    /* of what was begun last */
void aml_name(struct aml *a, const char *name); /* Name(name, <object follows>) */
void aml_name_integer(struct aml *a, const char *name, uint64_t value);
void aml_name_eisa(struct aml *a, const char *name, const char *id);

/* Field(region) with one 32-bit register of memory at `base`. */
void aml_memory_register(struct aml *a, const char *region, uint32_t base, const char *name);
void aml_if_bits_begin(struct aml *a, const char *name, uint64_t bits); /* If (name & bits) */
void aml_notify(struct aml *a, const char *path, unsigned value);

/* Resource templates: begin, descriptors, end (Name(_CRS, ResourceTemplate(){...})). */
void aml_resources_begin(struct aml *a, const char *name);
void aml_resources_end(struct aml *a);
void aml_io(struct aml *a, uint16_t base, uint16_t length);
void aml_irq(struct aml *a, unsigned line); /* edge, active high, exclusive */
void aml_dma(struct aml *a, unsigned channel);
void aml_memory32(struct aml *a, uint32_t base, uint32_t length, bool writable);
void aml_bus_range(struct aml *a, unsigned first, unsigned last);
void aml_window_io(struct aml *a, uint16_t first, uint16_t last);
void aml_window_memory32(struct aml *a, uint32_t first, uint32_t last, bool cacheable);
void aml_window_memory64(struct aml *a, uint64_t first, uint64_t last);
void aml_interrupt(struct aml *a, unsigned gsi, bool level, bool active_low);

/* Hands the buffer over; NULL if memory ran out. */
uint8_t *aml_finish(struct aml *a, size_t *size);

#endif
