#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's kernels with their console on the screen: screendump shows the text, sendkey types."""
import gzip
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

BUILD = os.environ.get("CALQUE_BUILD", "build")
TOOLS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools")
VGABIOS = "/usr/share/seabios/vgabios-stdvga.bin"
SECONDS = 120
PROMPT = b"(calque) "
DISPLAYS = subprocess.run([os.path.join(BUILD, "calque"), "-display", "help"],
                          stdout=subprocess.PIPE, check=True).stdout.decode()


def command_of(guest):
    """What tools/run-guest would run, with the console on the screen; None: no files, no network."""
    done = subprocess.run([os.path.join(TOOLS, "run-guest"), "--print", guest],
                          env={**os.environ, "CALQUE_BUILD": os.path.abspath(BUILD)},
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    if done.returncode:
        return None
    words = done.stdout.decode().split()
    words.remove("-nographic")
    at = words.index("-append")
    words[at + 1] = "console=tty0"
    return words + ["-display", "none", "-serial", "null", "-monitor", "stdio"]


INIT = """#!/bin/busybox sh
export PATH=/bin:/sbin HOME=/root TERM=linux
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*; do insmod $module; done
sleep 1
echo 'calque: init reached' > /dev/console
cd /root
setsid cttyhack sh < /dev/console > /dev/console 2>&1
poweroff -f
"""


def archive(files):
    """A cpio archive ("newc") of (name, mode, bytes)."""
    out = b""
    for number, (name, mode, data) in enumerate([*files, ("TRAILER!!!", 0, b"")]):
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        out += b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return out


def initrd_with_modules(guest, initrd, modules, path):
    """The guest's files, and an init that loads modules first; the later archive wins."""
    done = subprocess.run([os.path.join(TOOLS, "guest-modules"), guest, *modules],
                          stdout=subprocess.PIPE, check=False)
    if done.returncode:
        raise unittest.SkipTest(f"no modules for {guest}")
    files = [("modules", 0o40755, b"")]
    for number, name in enumerate(done.stdout.decode().split()):
        with open(name, "rb") as file:
            files.append((f"modules/{number:03}", 0o100644, file.read()))
    files.append(("init", 0o100755, INIT.encode()))
    with open(initrd, "rb") as old, open(path, "wb") as new:
        new.write(old.read() + gzip.compress(archive(files), 1))


class Machine:
    def __init__(self, guest, append="", options=(), modules=()):
        words = command_of(guest)
        if not words:
            raise unittest.SkipTest(f"no files for {guest}")
        self.folder = tempfile.TemporaryDirectory()
        if modules:
            at = words.index("-initrd") + 1
            path = os.path.join(self.folder.name, "initrd")
            initrd_with_modules(guest, words[at], modules, path)
            words[at] = path
        if append:
            words[words.index("-append") + 1] += " " + append
        self.process = subprocess.Popen([*words, *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
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
            text = "\n".join(read_text(self.picture("-f ppm"), 8))
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


def read_ppm(data):
    kind, size, most, pixels = data.split(b"\n", 3)
    width, height = map(int, size.split())
    assert kind == b"P6" and most == b"255" and len(pixels) == width * height * 3, data[:20]
    return width, height, pixels


def font():
    with open(VGABIOS, "rb") as file:
        rom = file.read()
    at = rom.index(bytes(16) + bytes.fromhex("00007e81a58181bd9981817e00000000"))
    glyphs = {}
    for code in range(32, 127):
        glyphs.setdefault(rom[at + code * 16:at + code * 16 + 16], chr(code))
    return glyphs


def read_text(picture, width_of_character):
    """What the picture says, for a screen of characters 16 pixels high in the VGA's font."""
    width, height, pixels = read_ppm(picture)
    glyphs = font()
    lines = []
    for top in range(0, height // 16 * 16, 16):
        line = ""
        for left in range(0, width // width_of_character * width_of_character, width_of_character):
            glyph = bytearray()
            for y in range(16):
                at = ((top + y) * width + left) * 3
                bits = 0
                for x in range(8):
                    bits = bits << 1 | any(pixels[at + 3 * x:at + 3 * x + 3])
                glyph.append(bits)
            line += glyphs.get(bytes(glyph), "?")
        lines.append(line.rstrip())
    return lines


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
        seen = read_text(machine.picture(), 9)
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

    @unittest.skipUnless("vnc" in DISPLAYS, "calque was built without libvncserver")
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
