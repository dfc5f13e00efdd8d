#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernels with their console on the screen: screendump shows the text, sendkey types."""
import os
import re
import select
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import vnc
import xvfb
from picture import VGABIOS, font, read_ppm, read_text
from screen_guest import add_modules, command_of

SECONDS = 120
PROMPT = b"(calque) "


class Machine:
    def __init__(self, guest, append="", options=(), modules=()):
        words, _ = command_of(guest, append)
        if not words:
            raise unittest.SkipTest(f"no files for {guest}")
        self.folder = tempfile.TemporaryDirectory()
        if modules and not add_modules(guest, words, modules, self.folder.name):
            raise unittest.SkipTest(f"no modules for {guest}")
        self.font = font(words[words.index("-kernel") + 1])
        words += ["-display", "none", "-serial", "null", "-monitor", "stdio", *options]
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        self.read()

    def read(self):
        output = b""
        end = time.monotonic() + SECONDS
        while not output.endswith(PROMPT):
            ready = select.select([self.process.stdout], [], [], max(0, end - time.monotonic()))[0]
            more = os.read(self.process.stdout.fileno(), 65536) if ready else b""
            if not more:
                raise AssertionError(f"the monitor is silent after {output[-500:]}")
            output += more
        return output[:-len(PROMPT)].replace(b"\r", b"").decode(errors="replace")

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        return self.read().split("\n", 1)[-1]

    def picture(self, options=""):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "screen")
            said = self.say(f"screendump {path} {options}")
            if said:
                raise AssertionError(said)
            with open(path, "rb") as file:
                return file.read()

    def wait_for(self, what, seconds=SECONDS):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            text = self.say("info screen")
            if re.search(what, text):
                return text
            time.sleep(0.5)
        raise AssertionError(f"no '{what}' on the screen:\n{text}")

    def wait_for_picture(self, what, seconds=SECONDS):
        """The same for a screen of pixels: what can be read on it."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            text = "\n".join(read_text(read_ppm(self.picture("-f ppm")), 8, self.font))
            if re.search(what, text):
                return text
            time.sleep(1)
        raise AssertionError(f"no '{what}' on the screen:\n{text}")

    def type(self, text):
        names = {" ": "spc", "/": "slash", "\n": "ret", "-": "minus", ".": "dot"}
        for letter in text:
            said = self.say(f"sendkey {names.get(letter, letter)} 20")
            if said:
                raise AssertionError(said)

    def end(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()
        self.folder.cleanup()


class Screens(unittest.TestCase):
    def start(self, *arguments, **others):
        machine = Machine(*arguments, **others)
        self.addCleanup(machine.end)
        return machine

    def test_text_mode(self):
        machine = self.start("pc")
        machine.wait_for("~ #")
        machine.type("echo one-ten\n")
        machine.wait_for("(?m)^one-ten$")
        machine.type("clear\n")
        time.sleep(1)
        machine.type("cat /proc/cpuinfo")
        machine.wait_for("cat /proc/cpuinfo")
        machine.say("stop")
        text = machine.say("info screen").split("\n")
        seen = read_text(read_ppm(machine.picture()), 9, font())
        for line, pixels in zip(text, seen):
            # the cursor may cover a place that is blank
            self.assertEqual(line.rstrip(), pixels.rstrip("?"))
        self.assertIn("~ # cat /proc/cpuinfo", "\n".join(text))
        self.assertIn("Mouse #", machine.say("info mice"))

    def test_vesa_mode(self):
        machine = self.start("pc", "vga=0x317")
        self.assertIn("graphics, 1024 x 768", machine.wait_for("1024"))
        machine.wait_for_picture("init reached")  # the kernel's font is the BIOS's
        self.assertEqual(machine.picture("-f png")[:8], b"\x89PNG\r\n\x1a\n")

    def test_vesa_palette(self):
        machine = self.start("pc", "vga=0x301")
        self.assertIn("graphics, 640 x 480", machine.wait_for("640"))
        machine.wait_for_picture("init reached")

    def test_vexpress_a9(self):
        self.start("vexpress-a9").wait_for_picture("init reached")

    def test_vexpress_a15(self):
        self.start("vexpress-a15").wait_for_picture("init reached")

    def test_virt_with_ramfb(self):
        machine = self.start("virt", options=["-device", "ramfb"])
        machine.wait_for_picture("init reached")

    def test_malta(self):
        self.start("mipsel").wait_for_picture("init reached")

    def test_malta_std(self):
        machine = self.start("mipsel", options=["-vga", "std"], modules=["bochs"])
        machine.wait_for_picture("init reached")

    def virtio(self, guest, transport, options):
        machine = self.start(guest, options=options,
                             modules=[transport, "virtio-gpu", "virtio_input", "evdev"])
        machine.wait_for_picture("init reached")
        machine.type("echo one-ten\n")
        machine.wait_for_picture("(?m)^one-ten$")
        self.assertRegex(machine.say("info mice"), r"\* Mouse #\d+: QEMU Virtio Tablet \(absolute\)")

    @unittest.skipUnless("vnc" in xvfb.DISPLAYS, "calque was built without libvncserver")
    def test_a_size_for_virtio(self):
        """What a VNC client asks for becomes the mode that the driver likes best."""
        with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as connected:
            path = os.path.join(folder, "vnc")
            machine = self.start("virt",
                                 modules=["virtio_mmio", "virtio-gpu", "virtio_input", "evdev"],
                                 options=["-vga", "virtio", "-device", "virtio-keyboard-device",
                                          "-vnc", f"unix:{path}"])
            machine.wait_for_picture("init reached")
            connected.connect(path)
            self.assertEqual(vnc.Client(connected).ask_size(1128, 744), 4)
            machine.type("head -1 /sys/class/drm/")
            machine.say("sendkey shift-8 20")
            machine.type("/modes\n")
            machine.wait_for_picture("(?m)^1128.744$")

    def test_virtio_on_virt(self):
        self.virtio("virt", "virtio_mmio",
                    ["-vga", "virtio", "-device", "virtio-keyboard-device",
                     "-device", "virtio-tablet-device"])

    def test_virtio_on_pc(self):
        self.virtio("pc", "virtio_pci",
                    ["-vga", "virtio", "-device", "virtio-keyboard-pci",
                     "-device", "virtio-tablet-pci"])


if __name__ == "__main__":
    if not os.path.exists(VGABIOS):
        sys.exit(77)
    unittest.main()
