/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A panel in the device tree of a Versatile Express. The trees that come with kernels say that the
 * LCD controllers feed a DVI transmitter, which is asked over a two-wire bus what display there is.
 * There is none on ours: what is behind the connector is a panel of a known size.
 */
#ifndef CALQUE_HW_MACHINES_VEXPRESS_PANEL_H
#define CALQUE_HW_MACHINES_VEXPRESS_PANEL_H

/* Connects it to the controller nearest to the processor: the last in the tree. A tree without one
 * stays as it is. Returns an error of libfdt, or 0. */
int vexpress_add_panel(void *fdt);

#endif
