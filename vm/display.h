/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What shows the machine's screens: the front ends that -display and -vnc ask for, or that QEMU
 * would choose where nothing does, and the text consoles in them.
 *
 * Threading: the main thread; display_run and display_set_running without the device lock.
 */
#ifndef CALQUE_VM_DISPLAY_H
#define CALQUE_VM_DISPLAY_H

#include "host/event_loop.h"
#include "host/screen.h"
#include "vm/vm.h"

struct display;

/* Connects to the host's display. Before the streams, as it decides where consoles are. */
struct display *display_open(struct vm *vm, struct event_loop *loop, struct error *err);
/* Where text consoles go; NULL: nothing would show them. */
struct screens *display_consoles(struct display *display);
/* The machine stands. */
bool display_show(struct display *display, struct machine *machine, struct error *err);
void display_run(struct display *display);
void display_set_running(struct display *display, bool running);
/* Before the machine goes. */
void display_hide(struct display *display);
/* After the streams. NULL is none. */
void display_close(struct display *display);
void list_displays(FILE *out);

#endif
