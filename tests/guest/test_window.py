#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The window under Xvfb: titles, the window's keys, consoles, keys and mouse for the guest."""
import os
import subprocess
import sys
import tempfile
import time
import unittest

import xvfb

BUILD = os.environ.get("CALQUE_BUILD", "build")
PICTURES = os.path.join(BUILD, "pictures")

# A boot sector that shows what is typed: int 0x16 reads a key, int 0x10 writes it.
ECHO = bytes.fromhex("b400cd16b40ebb0700cd10ebf3").ljust(510, b"\0") + b"\x55\xaa"

try:
    DISPLAY = xvfb.Display()
except xvfb.Missing as missing:
    print(missing)
    sys.exit(77)


def has_window():
    result = subprocess.run([os.path.join(BUILD, "calque"), "-display", "help"],
                            stdout=subprocess.PIPE, check=True)
    return b"sdl" in result.stdout


class WindowTest(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)

    def file(self, name, data):
        path = os.path.join(self.folder.name, name)
        with open(path, "wb") as file:
            file.write(data)
        return path

    def open(self, program, *options):
        command = [os.path.join(BUILD, f"calque-system-{program}"), *options]
        window = xvfb.Window(DISPLAY, command)
        self.addCleanup(window.close)
        return window

    def virt(self, *options):
        """A machine without a display adapter; its processor waits."""
        kernel = self.file("kernel", b"\xfe\xff\xff\xea" * 16)
        return self.open("arm", "-M", "virt", "-bios", kernel, "-display", "sdl", *options)

    def keep(self, picture, name):
        os.makedirs(PICTURES, exist_ok=True)
        picture.save(os.path.join(PICTURES, name + ".png"))

    def shows(self, window, picture, what):
        return window.wait_picture(lambda now: now == picture, what)

    def changes(self, window, picture, what):
        return window.wait_picture(lambda now: now != picture, what)


class Consoles(WindowTest):
    def test_titles(self):
        self.virt("-name", "a guest").wait_title("calque (a guest)")
        self.virt().wait_title("calque")
        self.virt("-S").wait_title("calque [Stopped]")

    def test_consoles(self):
        window = self.virt("-name", "consoles")
        first = window.picture()
        window.key("ctrl+alt+2")
        monitor = self.changes(window, first, "Ctrl-Alt-2 shows the monitor")
        self.keep(monitor, "monitor")
        window.key("ctrl+alt+3")
        serial = self.changes(window, monitor, "Ctrl-Alt-3 shows the serial console")
        window.key("ctrl+alt+1")
        self.shows(window, first, "Ctrl-Alt-1 shows the first screen")
        window.key("ctrl+alt+shift+2")
        self.shows(window, monitor, "Ctrl-Alt-Shift-2 shows the monitor")
        window.key("ctrl+alt+shift+1")
        self.shows(window, first, "Ctrl-Alt-Shift-1 shows the first screen")
        window.key("ctrl+alt+3")
        self.shows(window, serial, "Ctrl-Alt-3 shows the serial console")
        window.key("ctrl+alt+9")
        window.key("ctrl+alt+2")
        window.type("stop\n")
        window.wait_title("calque (consoles) [Stopped]")
        window.type("cont\n")
        window.wait_title("calque (consoles)")
        window.type("quit\n")
        self.assertEqual(window.process.wait(timeout=xvfb.SECONDS), 0)

    def test_scrolling_back(self):
        window = self.virt()
        first = window.picture()
        window.key("ctrl+alt+2")
        self.changes(window, first, "the monitor")
        for _ in range(8):
            window.type("help\n")
        time.sleep(0.5)
        bottom = window.picture()
        for back, forth in (("Up", "Down"), ("Prior", "Next")):
            window.key(f"ctrl+{back}")
            higher = self.changes(window, bottom, f"Ctrl-{back} scrolls")
            window.key(f"ctrl+{back}")
            self.changes(window, higher, f"Ctrl-{back} scrolls further")
            window.key(f"ctrl+{forth}")
            self.shows(window, higher, f"Ctrl-{forth} scrolls")
            window.key(f"ctrl+{forth}")
            self.shows(window, bottom, f"Ctrl-{forth} scrolls to the end")
        window.key("ctrl+Prior")
        self.changes(window, bottom, "it scrolls")
        window.type("x")
        window.key("BackSpace")
        self.shows(window, bottom, "typing goes to the end")

    def test_sizes(self):
        window = self.virt()
        window.wait_size(640, 384)
        picture = window.picture()
        window.key("ctrl+alt+plus")
        window.wait_size(690, 414)
        window.key("ctrl+alt+plus")
        window.wait_size(740, 444)
        window.key("ctrl+alt+minus")
        window.wait_size(690, 414)
        window.key("ctrl+alt+u")
        window.wait_size(640, 384)
        self.shows(window, picture, "it is drawn unscaled")
        if not DISPLAY.manager:
            return
        window.key("ctrl+alt+f")
        window.wait_size(1280, 1024)
        self.keep(window.picture(), "full-screen")
        window.key("ctrl+alt+f")
        window.wait_size(640, 384)
        self.shows(window, picture, "it is drawn as before")

    def test_full_screen(self):
        if not DISPLAY.manager:
            self.skipTest("there is no window manager")
        self.virt("-full-screen").wait_size(1280, 1024)

    def test_closing(self):
        if not DISPLAY.manager:
            self.skipTest("there is no window manager")
        kept = self.virt("-no-quit")
        kept.key("alt+F4")
        other = self.virt("-display", "sdl,window-close=off")
        other.key("alt+F4")
        window = self.virt()
        window.key("alt+F4")
        self.assertEqual(window.process.wait(timeout=xvfb.SECONDS), 0)
        self.assertIsNone(kept.process.poll())
        self.assertIsNone(other.process.poll())

    def test_idle(self):
        window = self.virt("-S")
        time.sleep(2)
        before = window.cpu_seconds()
        time.sleep(4)
        self.assertLess(window.cpu_seconds() - before, 4 * 0.03)


class NoDisplay(unittest.TestCase):
    def run_without(self, *options):
        environment = {key: value for key, value in os.environ.items()
                       if key not in ("DISPLAY", "WAYLAND_DISPLAY", "SDL_VIDEODRIVER")}
        return subprocess.run(
            [os.path.join(BUILD, "calque-system-arm"), "-M", "virt", *options], env=environment,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
            timeout=xvfb.SECONDS, check=False)

    def test_says_what_to_do(self):
        result = self.run_without("-bios", "/dev/null", "-display", "sdl")
        self.assertEqual(result.returncode, 1)
        self.assertIn(b"-nographic", result.stderr)
        self.assertEqual(result.stderr.count(b"\n"), 1, result.stderr)


def tearDownModule():
    DISPLAY.close()


if __name__ == "__main__":
    if not has_window():
        print("calque was built without SDL2")
        DISPLAY.close()
        sys.exit(77)
    try:
        unittest.main()
    finally:
        DISPLAY.close()
