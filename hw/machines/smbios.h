/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a PC says of itself: the SMBIOS 2.8 structures (DSP0134) that firmware completes. */
#ifndef CALQUE_HW_MACHINES_SMBIOS_H
#define CALQUE_HW_MACHINES_SMBIOS_H

#include "hw/machine.h"

/* fw_cfg's "etc/smbios/smbios-tables" and "etc/smbios/smbios-anchor". */
bool smbios_offer(const struct machine *m, struct device *fw_cfg, struct error *err);

#endif
