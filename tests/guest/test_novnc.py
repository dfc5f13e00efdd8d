#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A browser as the guest's screen and keyboard: Debian's noVNC in Chromium, a kernel behind it."""
import base64
import functools
import http.server
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest

import xvfb
from browser import Browser, Missing
from test_screens import Machine
from test_vnc import free_port, has_vnc

BUILD = os.environ.get("CALQUE_BUILD", "build")
PICTURES = os.path.join(BUILD, "pictures")
NOVNC = "/usr/share/novnc"
SECONDS = 60
CONTROL, ALT = 2, 1  # among an event's modifiers

# The picture as the page has it: of four bytes a pixel, those of the colours.
PIXELS = """(() => {
    const canvas = document.querySelector('canvas');
    const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data;
    let text = '';
    for (let i = 0; i < data.length; i += 4096)
        text += String.fromCharCode(...data.subarray(i, i + 4096));
    return [canvas.width, canvas.height, btoa(text)];
})()"""


# A boot sector: mode 0x13, 320 x 200 in 256 colours, each pixel's that of its place plus its 32nd.
PAINTER = bytes.fromhex("b81300cd10b800a08ec031ff89f8c1e80501f82688054775f3ebfe")


class Painter(Machine):
    """A PC that paints."""

    def __init__(self, options):
        self.folder = tempfile.TemporaryDirectory()
        disk = os.path.join(self.folder.name, "disk")
        with open(disk, "wb") as file:
            file.write(PAINTER.ljust(510, b"\0") + b"\x55\xaa")
        self.process = subprocess.Popen(
            [os.path.join(BUILD, "calque-system-x86_64"), "-m", "32M", "-fda", disk, "-boot", "a",
             "-vga", "std", "-monitor", "stdio", *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.read()


def dump(machine):
    path = os.path.join(machine.folder.name, "dump.ppm")
    said = machine.say(f"screendump {path}")
    if said:
        raise AssertionError(said)
    with open(path, "rb") as file:
        return xvfb.read_ppm(file.read())


class Files(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


class Pages:
    """noVNC's files at a port of this machine."""

    def __init__(self):
        self.server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Files, directory=NOVNC))
        self.port = self.server.server_port
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


class NoVnc(unittest.TestCase):
    def setUp(self):
        pages = Pages()
        self.addCleanup(pages.close)
        self.pages = pages.port

    def vnc(self, more=""):
        port = free_port()
        self.websocket = port - 1
        return ["-vnc", f":{port - 5900},websocket={port - 1}{more}"]

    def start(self, *options, **others):
        """A PC that boots a kernel."""
        machine = Machine("pc", options=[*self.vnc(), *options], **others)
        self.addCleanup(machine.end)
        return machine

    def paint(self, more=""):
        painter = Painter(self.vnc(more))
        self.addCleanup(painter.end)
        painter.wait_for("320 x 200")
        time.sleep(1)
        return painter

    def browse(self, page, width=1000, height=800):
        browser = Browser(width, height)
        self.addCleanup(browser.close)
        browser.go(f"http://127.0.0.1:{self.pages}/{page}host=127.0.0.1&port={self.websocket}")
        xvfb.wait_for(lambda: browser.run("!!document.querySelector('canvas')"), "there is a canvas",
                      SECONDS)
        return browser

    def picture(self, browser):
        width, height, pixels = browser.run(PIXELS)
        pixels = base64.b64decode(pixels)
        rows = []
        for y in range(height):
            row = pixels[4 * width * y:4 * width * (y + 1)]
            rgb = bytearray(3 * width)
            for i in range(3):
                rgb[i::3] = row[i::4]
            rows.append(bytes(rgb))
        return xvfb.Picture(width, height, rows)

    def compare(self, machine, browser, name):
        """The page has the pixels of screendump. The guest stands still meanwhile."""
        machine.say("stop")
        wanted = dump(machine)
        os.makedirs(PICTURES, exist_ok=True)
        try:
            xvfb.wait_for(lambda: self.picture(browser) == wanted, "the page shows screendump's",
                          SECONDS)
        finally:
            browser.screenshot(os.path.join(PICTURES, name + ".png"))
            machine.say("cont")
        return wanted

    def focus(self, browser):
        browser.run("document.querySelector('canvas').focus()")

    def chord(self, browser, code, key):
        """With Control and Alt."""
        browser.key("ControlLeft", "Control", down=True, modifiers=CONTROL)
        browser.key("AltLeft", "Alt", down=True, modifiers=CONTROL | ALT)
        browser.press(code, key, CONTROL | ALT)
        browser.key("AltLeft", "Alt", down=False, modifiers=CONTROL)
        browser.key("ControlLeft", "Control", down=False)

    def wait_size(self, browser, wanted):
        size = "[document.querySelector('canvas').width, document.querySelector('canvas').height]"
        xvfb.wait_for(lambda: browser.run(size) == wanted,
                      f"the canvas is {wanted}, not {browser.run(size)}", SECONDS)

    def test_shell(self):
        """Keys go by their place, whatever layout VNC's clients are thought to have."""
        machine = self.start("-vga", "std", "-k", "de")
        browser = self.browse("vnc_lite.html?")
        machine.wait_for("~ #")
        self.focus(browser)
        browser.type("clear; echo \"$((6*7))\" | sed 's/^/[A] /' && echo {zy,Z}'~_^%@!?-=+;:'; pwd\n")
        text = machine.wait_for(r"(?m)^\[A\] 42$")
        self.assertRegex(text, r"(?m)^\{zy,Z\}~_\^%@!\?-=\+;:$")
        self.assertRegex(text, r"(?m)^/root$")
        shown = self.compare(machine, browser, "novnc-shell")
        self.assertEqual((shown.width, shown.height), (720, 400))
        # More than a keyboard has room for, in the same moment.
        words = "".join(chr(97 + i % 26) + str(i % 10) for i in range(100))
        browser.type(f"clear; echo {words}\n", at_once=True)
        text = machine.wait_for("(?s)9\n.*~ #")
        self.assertIn(words, text.replace("\n", ""))
        # Another screen, the parallel port, has another size; keys go there.
        self.chord(browser, "Digit2", "2")
        self.wait_size(browser, [640, 384])
        browser.type("not for the guest\n")
        self.chord(browser, "Digit1", "1")
        self.wait_size(browser, [720, 400])
        browser.type("clear; echo back\n")
        machine.wait_for("(?m)^back$")
        self.compare(machine, browser, "novnc-back")

    def test_colours(self):
        painter = self.paint()
        shown = self.compare(painter, self.browse("vnc_lite.html?"), "novnc-colours")
        colours = {row[i:i + 3] for row in shown.rows for i in range(0, len(row), 3)}
        self.assertGreater(len(colours), 200)

    def test_jpeg(self):
        """About the same picture, where that is allowed."""
        painter = self.paint(",lossy=on")
        wanted = dump(painter)
        browser = self.browse("vnc_lite.html?")
        self.wait_size(browser, [wanted.width, wanted.height])

        def off():
            shown = self.picture(browser)
            return sum(abs(a - b) for mine, theirs in zip(shown.rows, wanted.rows)
                       for a, b in zip(mine, theirs)) / (3 * wanted.width * wanted.height)
        xvfb.wait_for(lambda: 0 < off() < 20, "the page shows about screendump's", SECONDS)

    def test_size_of_the_page(self):
        """The guest's picture becomes as large as the page, and smaller with it."""
        machine = self.start("-vga", "virtio", modules=["virtio_pci", "virtio-gpu"])
        machine.wait_for_picture("init reached")
        browser = self.browse("vnc.html?autoconnect=true&resize=remote&", 1024, 768)
        self.wait_size(browser, [1024, 768])
        browser.resize(800, 600)
        self.wait_size(browser, [800, 600])
        self.focus(browser)
        browser.type("clear; echo ready\n")
        machine.wait_for_picture("(?m)^ready$")
        self.compare(machine, browser, "novnc-remote-size")


if __name__ == "__main__":
    if os.environ.get("CALQUE_TEST_LEVEL") != "all":
        print("it is for CALQUE_TEST_LEVEL=all")
        sys.exit(77)
    if not has_vnc():
        print("calque was built without libvncserver")
        sys.exit(77)
    if not os.path.isdir(NOVNC):
        print("novnc is not installed")
        sys.exit(77)
    try:
        Browser(100, 100).close()
    except Missing as missing:
        print(missing)
        sys.exit(77)
    unittest.main()
