/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Things that register themselves: a translation unit puts a const pointer into a named linker
 * section, and whoever wants the list walks that section. Link .o files, not archives, or the
 * linker drops them. Link order decides section order, so users sort by name where order shows.
 *
 *   REGISTER(device_class, pl011_class);
 *   REGISTRY_FOREACH(device_class, struct device_class, c) { ... }
 */
#ifndef CALQUE_UTIL_REGISTRY_H
#define CALQUE_UTIL_REGISTRY_H

#include "util/compiler.h"

#define REGISTER(registry, object)                                                                 \
    static const void *const registry##_entry_##object                                             \
        __attribute__((used, section("reg_" #registry))) = &(object)

/* Declares the section bounds; weak, so that an empty registry links. */
#define REGISTRY_DECLARE(registry)                                                                 \
    extern const void *const __start_reg_##registry[] __attribute__((weak));                       \
    extern const void *const __stop_reg_##registry[] __attribute__((weak))

#define REGISTRY_FOREACH(registry, type, var)                                                      \
    for (const void *const *var##_it = __start_reg_##registry; var##_it < __stop_reg_##registry;   \
         var##_it++)                                                                               \
        for (const type *var = (const type *)*var##_it, *var##_once = var; var##_once;             \
             var##_once = NULL)

#endif
