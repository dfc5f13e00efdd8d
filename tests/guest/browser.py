# SPDX-License-Identifier: GPL-2.0-or-later
"""Chromium without a display, by its DevTools protocol: messages in JSON over two pipes, a NUL
behind each (--remote-debugging-pipe)."""
import base64
import fcntl
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

SECONDS = 60
SHIFT = 8  # among an event's modifiers

# Of a US keyboard: where the key is (code), and the character without and with shift.
ROWS = [("Digit", "1234567890", "!@#$%^&*()"),
        ("Key", "abcdefghijklmnopqrstuvwxyz", "ABCDEFGHIJKLMNOPQRSTUVWXYZ")]
NAMED = {"Minus": "-_", "Equal": "=+", "BracketLeft": "[{", "BracketRight": "]}",
         "Backslash": "\\|", "Semicolon": ";:", "Quote": "'\"", "Backquote": "`~", "Comma": ",<",
         "Period": ".>", "Slash": "/?", "Space": "  "}
CONTROLS = {"Enter": 13, "Backspace": 8, "ControlLeft": 17, "AltLeft": 18, "ShiftLeft": 16}


def keys():
    found = {}
    for kind, plain, shifted in ROWS:
        for low, high in zip(plain, shifted):
            found[low] = (kind + low.upper(), False)
            found[high] = (kind + low.upper(), True)
    for code, (low, high) in NAMED.items():
        found[high] = (code, True)
        found[low] = (code, False)
    return found


KEYS = keys()


class Missing(Exception):
    """A program that the tests need is not installed."""


class Browser:
    """One page of the given size."""

    def __init__(self, width, height):
        program = shutil.which("chromium")
        if not program:
            raise Missing("chromium is not installed")
        self.folder = tempfile.mkdtemp()
        self.number = 0
        self.waiting = b""
        for_it, self.to = os.pipe()
        self.source, from_it = os.pipe()

        def arrange():
            """The pipes are its descriptors 3 and 4, whatever those are now."""
            high = [fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (for_it, from_it)]
            os.dup2(high[0], 3)
            os.dup2(high[1], 4)
        # Its own sandbox does not work for root; the pages are this machine's.
        self.process = subprocess.Popen(
            [program, "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage",
             "--no-first-run", "--no-default-browser-check", "--no-proxy-server", "--disable-sync",
             "--disable-background-networking", "--disable-component-update",
             f"--user-data-dir={self.folder}", "--remote-debugging-pipe", "about:blank"],
            env={**os.environ, "HOME": self.folder, "TMPDIR": self.folder}, preexec_fn=arrange,
            pass_fds=(3, 4), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL)
        os.close(for_it)
        os.close(from_it)
        self.session = None
        try:
            self.open(width, height)
        except BaseException:
            self.close()
            raise

    def open(self, width, height):
        target = self.ask("Target.createTarget", url="about:blank")
        self.session = self.ask("Target.attachToTarget", targetId=target["targetId"],
                                flatten=True)["sessionId"]
        self.ask("Page.enable")
        self.ask("Runtime.enable")
        self.resize(width, height)

    def resize(self, width, height):
        self.ask("Emulation.setDeviceMetricsOverride", width=width, height=height,
                 deviceScaleFactor=1, mobile=False)

    def close(self):
        try:
            self.session = None
            self.ask("Browser.close")
            self.process.wait(timeout=SECONDS)
        except (AssertionError, OSError, subprocess.TimeoutExpired):
            self.process.kill()
            self.process.wait()
        os.close(self.to)
        os.close(self.source)
        shutil.rmtree(self.folder, ignore_errors=True)

    def receive(self, end):
        while b"\0" not in self.waiting:
            ready = select.select([self.source], [], [], max(0, end - time.monotonic()))[0]
            more = os.read(self.source, 1 << 20) if ready else b""
            if not more:
                raise AssertionError("the browser is silent")
            self.waiting += more
        message, self.waiting = self.waiting.split(b"\0", 1)
        return json.loads(message)

    def send(self, method, **parameters):
        self.number += 1
        message = {"id": self.number, "method": method, "params": parameters}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.to, json.dumps(message).encode() + b"\0")

    def ask(self, method, **parameters):
        self.send(method, **parameters)
        end = time.monotonic() + SECONDS
        while True:
            answer = self.receive(end)
            if answer.get("id") == self.number:
                if "error" in answer:
                    raise AssertionError(f"{method}: {answer['error']}")
                return answer["result"]

    def go(self, url):
        self.ask("Page.navigate", url=url)

    def run(self, expression):
        """What the expression, or the promise that it is, comes to in the page."""
        answer = self.ask("Runtime.evaluate", expression=expression, returnByValue=True,
                          awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(f"{expression}: {answer['exceptionDetails']}")
        return answer["result"].get("value")

    def screenshot(self, path):
        data = self.ask("Page.captureScreenshot")["data"]
        with open(path, "wb") as file:
            file.write(base64.b64decode(data))

    def key(self, code, key, *, down, modifiers=0, wait=True):
        number = CONTROLS.get(code) or ord(key.upper())
        do = self.ask if wait else self.send
        do("Input.dispatchKeyEvent", type="rawKeyDown" if down else "keyUp", code=code, key=key,
           windowsVirtualKeyCode=number, modifiers=modifiers)

    def press(self, code, key, modifiers=0, *, wait=True):
        self.key(code, key, down=True, modifiers=modifiers, wait=wait)
        self.key(code, key, down=False, modifiers=modifiers, wait=wait)

    def type(self, text, *, at_once=False):
        """A newline is the return key. at_once: as fast as the browser takes it."""
        wait = not at_once
        for character in text:
            if character == "\n":
                self.press("Enter", "Enter", wait=wait)
                continue
            code, shift = KEYS[character]
            if shift:
                self.key("ShiftLeft", "Shift", down=True, modifiers=SHIFT, wait=wait)
            self.press(code, character, SHIFT if shift else 0, wait=wait)
            if shift:
                self.key("ShiftLeft", "Shift", down=False, wait=wait)
        self.run("0")
