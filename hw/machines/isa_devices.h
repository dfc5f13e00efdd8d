/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rows of machine tables: what the PC/AT left on the ISA bus of every board with a PIIX. */
#ifndef CALQUE_HW_MACHINES_ISA_DEVICES_H
#define CALQUE_HW_MACHINES_ISA_DEVICES_H

#define GSI_TO_PIC(n)                                                                              \
    {                                                                                              \
        "gsi", n, (n) < 8 ? "pic0" : "pic1", (n) % 8                                               \
    }
/* All ISA interrupts but the cascade to the 8259 pair. */
#define GSI_TO_PICS                                                                                \
    GSI_TO_PIC(0), GSI_TO_PIC(1), GSI_TO_PIC(3), GSI_TO_PIC(4), GSI_TO_PIC(5), GSI_TO_PIC(6),      \
        GSI_TO_PIC(7), GSI_TO_PIC(8), GSI_TO_PIC(9), GSI_TO_PIC(10), GSI_TO_PIC(11),               \
        GSI_TO_PIC(12), GSI_TO_PIC(13), GSI_TO_PIC(14), GSI_TO_PIC(15)

/* The four drives of two IDE channels. */
#define IDE_DRIVES                                                                                 \
    {"ide-drive", "hda", 0, NULL, 0, "hda", "bus=ide.0,unit=0"},                                   \
        {"ide-drive", "hdb", 0, NULL, 0, "hdb", "bus=ide.0,unit=1"},                               \
        {"ide-drive", "hdc", 0, NULL, 0, "hdc", "bus=ide.1,unit=0"},                               \
    {                                                                                              \
        "ide-drive", "hdd", 0, NULL, 0, "hdd", "bus=ide.1,unit=1"                                  \
    }

#define ISA_CLOCK_AND_KEYBOARD                                                                     \
    {"mc146818", "rtc", 0x70, "gsi", 8, NULL, NULL},                                               \
    {                                                                                              \
        "i8042", "i8042", 0, "gsi", 1, NULL, "base0=0x60,base1=0x64"                               \
    }
#define ISA_SUPER_IO                                                                               \
    {"fdc", "fdc", 0x3f0, "gsi", 6, "fda", "base1=0x3f7"},                                         \
        {"ns16550", "serial0", 0x3f8, "gsi", 4, "serial0", NULL},                                  \
        {"ns16550", "serial1", 0x2f8, "gsi", 3, "serial1", NULL},                                  \
    {                                                                                              \
        "parallel", "parallel0", 0x378, "gsi", 7, "parallel0", NULL                                \
    }

#endif
