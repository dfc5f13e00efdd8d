#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The window under Xvfb: titles, the window's keys, consoles, keys and mouse for the guest."""
import os
import re
import socket
import subprocess
import sys
import tempfile
import time
import threading
import unittest

import vnc
import xvfb
from picture import from_bgr
from vnc import ECHO

BUILD = os.environ.get("CALQUE_BUILD", "build")

try:
    DISPLAY = xvfb.Display()
except xvfb.Missing as missing:
    print(missing)
    sys.exit(77)


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

    def shows(self, window, picture, what):
        return window.wait_picture(lambda now: now == picture, what)

    def changes(self, window, picture, what):
        return window.wait_picture(lambda now: now != picture, what)


class Consoles(WindowTest):
    def test_titles(self):
        self.virt("-name", "guest=a guest,process=x").wait_title("calque (a guest)")
        self.virt().wait_title("calque")
        self.virt("-S").wait_title("calque [Stopped]")

    def test_consoles(self):
        window = self.virt("-name", "consoles")
        first = window.first_picture()
        window.key("ctrl+alt+2")
        monitor = self.changes(window, first, "Ctrl-Alt-2 shows the monitor")
        xvfb.keep(monitor, "monitor")
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
        first = window.first_picture()
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
        picture = window.first_picture()
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
        xvfb.keep(window.picture(), "full-screen")
        window.key("ctrl+alt+f")
        window.wait_size(640, 384)
        self.shows(window, picture, "it is drawn as before")

    def test_the_guest_hears_of_sizes(self):
        window = self.virt("-device", "virtio-gpu-device", "-monitor", "stdio")

        def size():
            found = re.search(r"virtio-gpu-device.*?width +([0-9a-f]+).*?height +([0-9a-f]+)",
                              window.monitor("info qtree"), re.DOTALL)
            return int(found.group(1), 16), int(found.group(2), 16)

        def wait_size(*wanted):
            xvfb.wait_for(lambda: size() == wanted, f"the guest hears of {wanted}, not {size()}")
        window.wait_size(640, 480)
        window.key("ctrl+alt+plus")  # only scales
        window.wait_size(690, 517)
        time.sleep(1)
        self.assertEqual(size(), (1280, 800))
        DISPLAY.xdotool("windowsize", window.id, 900, 700)
        wait_size(900, 700)
        window.wait_size(900, 700)
        window.key("ctrl+alt+u")
        window.wait_size(640, 480)
        time.sleep(1)
        self.assertEqual(size(), (900, 700))
        if not DISPLAY.manager:
            return
        window.key("ctrl+alt+f")
        wait_size(1280, 1024)
        window.key("ctrl+alt+f")
        wait_size(640, 480)
        window.wait_size(640, 480)

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


class Screen(WindowTest):
    """A PC whose text screen shows what is typed."""

    def echo(self, *options):
        disk = self.file("disk", ECHO)
        window = self.open("x86_64", "-M", "pc", "-m", "32M", "-fda", disk, "-boot", "a",
                           "-display", "sdl", "-monitor", "stdio", *options)
        xvfb.wait_for(lambda: b")" in window.read(), "the monitor's prompt")
        xvfb.wait_for(lambda: "Booting from Floppy" in window.monitor("info screen"),
                      "the guest runs")
        time.sleep(0.5)
        return window

    def wait_screen(self, window, text):
        xvfb.wait_for(lambda: text in window.monitor("info screen"), f"the screen shows '{text}'")

    def test_keys(self):
        window = self.echo("-name", "echo")
        window.type("hello, World 42%")
        self.wait_screen(window, "hello, World 42%")
        window.compare("text-mode")
        # The window's own keys are not the guest's.
        window.key("ctrl+alt+2", "ctrl+alt+1", "ctrl+alt+u")
        window.type("abc")
        self.wait_screen(window, "42%abc")

    def test_stopped(self):
        window = self.echo("-name", "echo")
        window.monitor("stop")
        window.wait_title("calque (echo) [Stopped]")
        window.monitor("cont")
        window.wait_title("calque (echo)")

    def test_losing_the_focus(self):
        window = self.echo()
        other = self.virt()
        window.focus()
        DISPLAY.xdotool("keydown", "shift")
        time.sleep(0.2)
        other.focus()
        DISPLAY.xdotool("keyup", "shift")
        time.sleep(0.2)
        window.focus()
        window.type("small")
        self.wait_screen(window, "small")

    def check_grab(self, window, press, says):
        window.wait_title("calque")
        press()
        window.wait_title(f"calque - Press {says} to exit grab")
        press()
        window.wait_title("calque")

    def test_grab(self):
        window = self.echo()
        self.check_grab(window, lambda: window.key("ctrl+alt+g"), "Ctrl-Alt-G")
        self.check_grab(window, lambda: window.hold("ctrl", "alt"), "Ctrl-Alt-G")
        x, y, width, height = window.place()
        DISPLAY.xdotool("mousemove", x + width // 2, y + height // 2, "click", 1)
        window.wait_title("calque - Press Ctrl-Alt-G to exit grab")
        window.hold("alt", "ctrl")
        window.wait_title("calque")
        # With another key between, it is the guest's.
        DISPLAY.xdotool("keydown", "ctrl", "keydown", "alt", "key", "Delete", "keyup", "alt",
                        "keyup", "ctrl")
        time.sleep(0.3)
        self.assertEqual(window.title(), "calque")

    def check_grab_keys(self, option, grab, says, others):
        """The window's keys begin with these, and those that begin with others do nothing to it."""
        window = self.echo(option)
        window.wait_size(720, 400)
        for other in others:
            window.hold(*other.split("+"))
            window.key(*(f"{other}+{key}" for key in ("g", "2", "minus", "f")))
        time.sleep(0.3)
        self.assertEqual(window.title(), "calque")
        self.assertEqual(window.place()[2:], (720, 400))
        self.check_grab(window, lambda: window.key(f"{grab}+g"), says)
        self.check_grab(window, lambda: window.hold(*grab.split("+")), says)
        sizes = [("2", 640, 384), ("1", 720, 400), ("plus", 770, 427), ("plus", 820, 455),
                 ("minus", 770, 427), ("u", 720, 400)]
        if DISPLAY.manager:
            sizes += [("f", 1280, 1024), ("f", 720, 400)]
        for key, width, height in sizes:
            window.key(f"{grab}+{key}")
            window.wait_size(width, height)

    def test_alt_grab(self):
        self.check_grab_keys("-alt-grab", "ctrl+alt+shift", "Ctrl-Alt-Shift-G",
                             ["ctrl+alt", "Control_R"])

    def test_ctrl_grab(self):
        self.check_grab_keys("-ctrl-grab", "Control_R", "Right-Ctrl-G", ["ctrl+alt"])

    def test_idle(self):
        window = self.echo()
        time.sleep(2)
        before = window.cpu_seconds()
        time.sleep(4)
        self.assertLess(window.cpu_seconds() - before, 4 * 0.03)

    def bounce(self, *options):
        """Sixty pictures a second."""
        program = os.path.join(self.folder.name, "bounce")
        source = os.path.join(os.path.dirname(os.path.realpath(__file__)), "x86", "bounce.S")
        subprocess.run(["gcc", "-m32", "-nostdlib", "-static", "-Wl,-N,-Ttext=0x100000",
                        "-Wl,--build-id=none,--no-warn-rwx-segments", "-o", program, source],
                       check=True)
        window = self.open("i386", "-M", "pc", "-m", "64M", "-kernel", program, "-display", "sdl",
                           "-monitor", "stdio", *options)
        window.wait_size(1024, 768)
        xvfb.wait_for(lambda: b")" in window.read(), "the monitor's prompt")
        return window

    def test_moving_picture(self):
        """Each of the pictures is shown."""
        window = self.bounce()
        places = set()
        before, start = window.cpu_seconds(), time.monotonic()
        while time.monotonic() < start + 3:
            picture = window.picture()
            row = picture.rows[384]
            places.add(row.find(b"\x00\x80\xff"))
        used = (window.cpu_seconds() - before) / (time.monotonic() - start)
        self.assertGreater(len(places), 5)
        self.assertLess(used, 0.15)
        window.monitor("stop")
        window.compare("moving-picture")

    @unittest.skipUnless("vnc" in xvfb.DISPLAYS, "calque was built without libvncserver")
    def test_with_vnc(self):
        """A VNC client looks, too, while the window has one size after the other."""
        path = os.path.join(self.folder.name, "vnc")
        window = self.bounce("-vnc", f"unix:{path}")
        connected = socket.socket(socket.AF_UNIX)
        self.addCleanup(connected.close)
        connected.connect(path)
        client = vnc.Client(connected)
        ends = threading.Event()

        def look():
            while not ends.is_set():
                client.update()
        thread = threading.Thread(target=look)
        thread.start()
        try:
            for key in 4 * ["ctrl+alt+minus", "ctrl+alt+2", "ctrl+alt+1", "ctrl+alt+minus",
                            "ctrl+alt+u"]:
                window.key(key)
                time.sleep(0.1)
        finally:
            ends.set()
            thread.join()
        window.monitor("stop")
        shown = window.compare("with-vnc")

        def same():
            client.update(incremental=False)
            return from_bgr(client.width, client.height, client.pixels) == shown
        xvfb.wait_for(same, "the client shows what screendump has")


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

    def test_library_is_not_there(self):
        """Who asks for no window does not need it."""
        with tempfile.TemporaryDirectory() as folder:
            library, bios = "libSDL2-2.0.so.0", os.path.join(folder, "bios")
            with open(os.path.join(folder, library), "wb"):
                pass
            with open(bios, "wb") as file:
                file.write(b"\xfe\xff\xff\xea" * 16)
            environment = {**os.environ, "LD_LIBRARY_PATH": folder, "DISPLAY": ":0"}
            command = [os.path.join(BUILD, "calque-system-arm"), "-M", "virt", "-bios", bios]
            result = subprocess.run([*command, "-display", "sdl"], env=environment,
                                    stderr=subprocess.PIPE, timeout=xvfb.SECONDS, check=False)
            self.assertEqual(result.returncode, 1)
            self.assertIn(library.encode(), result.stderr)
            self.assertIn(b"-nographic", result.stderr)
            self.assertEqual(result.stderr.count(b"\n"), 1, result.stderr)
            result = subprocess.run([*command, "-display", "none", "-monitor", "stdio"], input=b"q\n",
                                    env=environment, stdout=subprocess.DEVNULL,
                                    timeout=xvfb.SECONDS, check=False)
            self.assertEqual(result.returncode, 0)


def tearDownModule():
    DISPLAY.close()


if __name__ == "__main__":
    if "sdl" not in xvfb.DISPLAYS:
        print("calque was built without SDL2")
        DISPLAY.close()
        sys.exit(77)
    try:
        unittest.main()
    finally:
        DISPLAY.close()
