/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The numbers that a board's ACPI tables say about an "acpi-ged" device. */
#ifndef CALQUE_HW_ACPI_GED_H
#define CALQUE_HW_ACPI_GED_H

enum { GED_POWER_BUTTON = 2, GED_SLEEP_S5 = 5, GED_RESET_VALUE = 0x42 };

#endif
