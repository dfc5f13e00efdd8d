#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Linux's console in the window under Xvfb: the penguin, what it says, what is typed, all as screendump has
it; and the window's keys with a guest behind it. CALQUE_TEST_LEVEL=all has the kernels with penguins."""
import functools
import os
import re
import sys
import tempfile
import time
import unittest
from typing import NamedTuple

import picture
import screen_guest
import xvfb

LEVEL = os.environ.get("CALQUE_TEST_LEVEL", "normal")
SECONDS = 240


class Console(NamedTuple):
    guest: str
    options: str
    append: str = ""
    modules: tuple = ()
    logo: bool = False  # a kernel with the penguin
    tolerance: int = 0  # what the depth of its colours takes
    size: tuple = ()
    width: int = 8  # of a character


VIRTIO_KEYS = "-device virtio-keyboard-device"

CONSOLES = {
    # Debian's kernels have no penguin.
    "debian_pc": Console("pc", "-vga std", size=(720, 400), width=9),
    "debian_pc_cirrus": Console("pc", "-vga cirrus", modules=("cirrus",), size=(1024, 768)),
    "debian_virt_ramfb": Console("virt", f"-device ramfb {VIRTIO_KEYS}",
                                 modules=("virtio_mmio", "virtio_input"), size=(1024, 768)),
    "debian_virt_gpu": Console("virt", f"-vga virtio {VIRTIO_KEYS}",
                               modules=("virtio_mmio", "virtio-gpu", "virtio_input")),
    "debian_vexpress": Console("vexpress-a9", "", modules=("ambakmi",), size=(640, 480)),
    "debian_malta": Console("mipsel", "", size=(640, 480)),
    "debian_malta_std": Console("mipsel", "-vga std", modules=("bochs",)),

    "pc_std": Console("logo-pc", "-vga std", logo=True),
    "pc_vesa_32": Console("logo-pc", "-vga std", "nomodeset vga=0x318", logo=True,
                          size=(1024, 768)),
    "pc_vesa_16": Console("logo-pc", "-vga std", "nomodeset vga=0x314", logo=True, tolerance=8,
                          size=(800, 600)),
    "pc_vesa_8": Console("logo-pc", "-vga std", "nomodeset vga=0x301", logo=True, tolerance=4,
                         size=(640, 480)),
    "pc_cirrus": Console("logo-pc", "-vga cirrus", logo=True, tolerance=8),
    "pc_virtio": Console("logo-pc", "-vga virtio", logo=True),
    "virt_ramfb": Console("logo-virt", f"-device ramfb {VIRTIO_KEYS}", logo=True,
                          size=(1024, 768)),
    "virt_gpu": Console("logo-virt", f"-vga virtio {VIRTIO_KEYS}", logo=True),
    "vexpress_fbdev": Console("logo-vexpress", "", logo=True, tolerance=8, size=(640, 480)),
    "vexpress_drm": Console("logo-vexpress", "", "initcall_blacklist=amba_clcdfb_init",
                            logo=True, tolerance=8),
    "malta_cirrus": Console("logo-malta", "", logo=True, tolerance=4, size=(640, 480)),
}


@functools.lru_cache
def penguin(guest):
    with open(screen_guest.file_of(guest, "logo_linux_clut224.ppm"), "rb") as file:
        return picture.read_ppm(file.read())


class LinuxTest(unittest.TestCase):
    def open(self, console, *options):
        if console.logo and LEVEL != "all":
            self.skipTest("only with CALQUE_TEST_LEVEL=all")
        words, self.port = screen_guest.command_of(console.guest, console.append)
        if not words:
            self.skipTest(f"no files for {console.guest}")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        if console.modules and not screen_guest.add_modules(console.guest, words, console.modules,
                                                            folder.name):
            self.skipTest(f"no modules for {console.guest}")
        self.serial = os.path.join(folder.name, "serial")
        self.console = console
        # On a screen of text it is the adapter's; Linux's own has other characters.
        self.font = picture.font(picture.VGABIOS if console.width == 9
                                 else words[words.index("-kernel") + 1])
        window = xvfb.Window(DISPLAY, [*words, *console.options.split(), "-display", "sdl",
                                       "-monitor", "stdio",
                                       *(options or ["-serial", f"file:{self.serial}"])])
        self.addCleanup(window.close)
        self.window = window
        self.wait_text("(?m)^~ #( |$)")
        return window

    def text(self):
        """What can be read in the window, without the penguin and the cursor, which blinks."""
        shown = picture.read_text(self.window.exact_picture(), self.console.width, self.font)
        return re.sub(r" *\?*\Z", "", "\n".join(line for line in shown if line))

    def wait_text(self, what):
        text = ""

        def says():
            nonlocal text
            text = self.text()
            return re.search(what, text)
        try:
            return xvfb.wait_for(says, f"no '{what}'", SECONDS)
        except AssertionError as error:
            xvfb.keep(self.window.exact_picture(), "linux-failed-" + self.id().split(".")[-1])
            raise AssertionError(f"{error} in:\n{text}") from None


class Consoles(LinuxTest):
    def check_penguin(self):
        if not self.console.logo:
            return
        logo = penguin(self.console.guest)
        seen = self.window.exact_picture().crop(0, 0, logo.width, logo.height)
        self.assertEqual(seen.differing(logo, self.console.tolerance), 0, "pixels of the penguin")

    def check(self, name, console):
        window = self.open(console)
        if console.size:
            window.wait_size(*console.size)
        self.check_penguin()
        window.type(f'echo "Typed: $((40 + 2))" | tee /dev/{self.port}\n')
        self.wait_text("(?m)^Typed: 42$")

        def written():
            with open(self.serial, "rb") as file:
                return b"Typed: 42" in file.read()
        xvfb.wait_for(written, "the guest writes to its serial port")
        window.monitor("stop")
        window.compare(f"linux-{name}")
        self.check_penguin()


class Keys(LinuxTest):
    """What the window's keys do, and what they leave to the guest."""

    PC = Console("pc", "-vga std", "quiet", modules=("psmouse",), width=9)

    def says(self, command):
        """A shell's answer, on a screen of its own: it has no brackets."""
        self.window.type(f"clear; echo \"[$({command})]\"\n")
        return self.wait_text(r"\A\[([^]]*)\]\n").group(1)

    def push(self):
        """Moves the mouse over the window, and clicks."""
        x, y, width, height = self.window.place()
        DISPLAY.xdotool("mousemove", x + width // 2, y + height // 2)
        for _ in range(5):
            DISPLAY.xdotool("mousemove_relative", 7, 5)
        time.sleep(0.3)

    def test_grab(self):
        """The mouse, which knows no places, is the guest's between two Ctrl-Alt."""
        window = self.open(self.PC)
        window.type("cat /dev/input/mice > /mice &\n")

        def bytes_seen():
            return int(self.says("wc -c < /mice"))
        self.push()
        self.assertEqual(bytes_seen(), 0)
        window.hold("ctrl", "alt")
        window.wait_title("calque - Press Ctrl-Alt-G to exit grab")
        self.push()
        seen = bytes_seen()
        self.assertGreater(seen, 0)
        self.assertEqual(seen % 3, 0)
        DISPLAY.xdotool("click", 3)
        self.assertEqual(bytes_seen(), seen + 6)
        self.assertEqual(self.says("tail -c 6 /mice | hexdump -e '6/1 \"%02x\"'"), "0a0000080000")
        window.hold("ctrl", "alt")
        window.wait_title("calque")
        self.push()
        self.assertEqual(bytes_seen(), seen + 6)

    def test_sizes(self):
        """Larger, smaller, full screen, and the guest's own pixels again."""
        window = self.open(self.PC)
        window.wait_size(720, 400)
        window.key("ctrl+alt+plus")
        window.wait_size(770, 427)
        window.key("ctrl+alt+minus")
        window.key("ctrl+alt+minus")
        window.wait_size(670, 372)
        window.key("ctrl+alt+u")
        window.wait_size(720, 400)
        if DISPLAY.manager:
            window.key("ctrl+alt+f")
            window.wait_size(1600, 1200)
            window.type("echo seen\n")
            window.key("ctrl+alt+f")
            window.wait_size(720, 400)
            self.wait_text("(?m)^seen$")
        window.monitor("stop")
        window.compare("linux-sizes")

    def test_screens(self):
        """The shell on the serial port is in the window, too; what is typed there is for it alone."""
        window = self.open(self.PC, "-serial", "vc")
        window.type(f"setsid sh < /dev/{self.port} > /dev/{self.port} 2>&1 &\n")
        window.key("ctrl+alt+2")
        window.type("echo from serial > /dev/tty0\n")
        window.key("ctrl+alt+shift+1")
        self.wait_text("from serial$")
        self.assertNotIn("echo from", self.text())

    def test_the_guests(self):
        """Keys with Ctrl and Alt that are not the window's; those of text consoles on a screen that is none."""
        window = self.open(self.PC, "-no-reboot")
        window.type("clear; echo first\n")
        self.wait_text(r"\Afirst\n")
        window.key("ctrl+Up")
        self.wait_text("~ # clear; echo first$")
        window.type("; echo again\n")
        self.wait_text(r"\Afirst\nagain\n")
        window.type("echo second > /dev/tty2; echo 1 > /proc/sys/kernel/ctrl-alt-del\n")
        window.key("alt+F2")
        self.wait_text(r"\Asecond\Z")
        window.key("alt+F1")
        self.wait_text(r"\Afirst\nagain\n")
        window.key("ctrl+alt+Delete")
        self.assertEqual(window.process.wait(timeout=SECONDS), 0)


def add_tests():
    for name, console in CONSOLES.items():
        def test(self, name=name, console=console):
            self.check(name, console)
        setattr(Consoles, f"test_{name}", test)


def tearDownModule():
    DISPLAY.close()


if __name__ == "__main__":
    if not os.path.exists(picture.VGABIOS) or "sdl" not in xvfb.DISPLAYS:
        print("calque was built without SDL2, or there is no VGA BIOS")
        sys.exit(77)
    try:
        DISPLAY = xvfb.Display(1600, 1200)  # a window of 1280 x 800 fits with its frame
    except xvfb.Missing as missing:
        print(missing)
        sys.exit(77)
    add_tests()
    try:
        unittest.main()
    finally:
        DISPLAY.close()
