# SPDX-License-Identifier: GPL-2.0-or-later
"""An X server without a screen for tests of the window: its keys and mouse, and what it shows."""
import os
import shutil
import struct
import subprocess
import tempfile
import time

from picture import Picture, read_ppm

SECONDS = 30
BUILD = os.environ.get("CALQUE_BUILD", "build")
PICTURES = os.path.join(BUILD, "pictures")
DISPLAYS = subprocess.run([os.path.join(BUILD, "calque"), "-display", "help"],
                          stdout=subprocess.PIPE, check=True).stdout.decode()


class Missing(Exception):
    """A program that the tests need is not installed."""


class Display:
    """Xvfb, and a window manager if one is there."""

    def __init__(self, width=1280, height=1024):
        for program in ("Xvfb", "xdotool"):
            if not shutil.which(program):
                raise Missing(f"{program} is not installed")
        self.folder = tempfile.mkdtemp()
        read, write = os.pipe()
        self.server = subprocess.Popen(
            ["Xvfb", "-displayfd", str(write), "-screen", "0", f"{width}x{height}x24",
             "-fbdir", self.folder, "-noreset", "-nolisten", "tcp"],
            pass_fds=[write], stderr=subprocess.DEVNULL)
        os.close(write)
        with os.fdopen(read) as file:
            self.name = ":" + file.readline().strip()
        self.environment = dict(os.environ, DISPLAY=self.name)
        self.environment.pop("WAYLAND_DISPLAY", None)
        self.manager = None
        if shutil.which("jwm"):
            config = os.path.join(self.folder, "jwmrc")
            with open(config, "w", encoding="utf-8") as file:
                file.write('<?xml version="1.0"?><JWM><Desktops width="1" height="1"/>'
                           '<Key mask="A" key="F4">close</Key></JWM>')
            self.manager = subprocess.Popen(["jwm", "-f", config], env=self.environment,
                                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def close(self):
        for process in (self.manager, self.server):
            if process:
                process.kill()
                process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def xdotool(self, *arguments, check=True):
        result = subprocess.run(["xdotool", *map(str, arguments)], env=self.environment,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=SECONDS,
                                check=False)
        if check and result.returncode:
            raise RuntimeError(f"xdotool {arguments}: {result.stderr.decode()}")
        return result.stdout.decode().strip()

    def picture(self):
        """All of the screen; the file is in the format of xwd."""
        with open(os.path.join(self.folder, "Xvfb_screen0"), "rb") as file:
            data = file.read()
        header = struct.unpack(">25I", data[:100])
        size, width, height, little, stride, colours = (header[i] for i in (0, 4, 5, 7, 12, 19))
        start = size + 12 * colours
        rows = []
        for y in range(height):
            row = data[start + y * stride:start + y * stride + 4 * width]
            rgb = bytearray(3 * width)
            first = 2 if not little else 1
            step = -1 if not little else 1
            for i in range(3):
                rgb[i::3] = row[first + step * i::4]
            rows.append(bytes(rgb))
        return Picture(width, height, rows)


def wait_for(condition, what, seconds=SECONDS):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = condition()
        if value:
            return value
        time.sleep(0.05)
    raise AssertionError(f"after {seconds} s: {what}")


def keep(picture, name):
    os.makedirs(PICTURES, exist_ok=True)
    picture.save(os.path.join(PICTURES, name + ".png"))


class Window:
    """A calque in a window of the display."""

    def __init__(self, display, command):
        self.display = display
        self.process = subprocess.Popen(command, env=display.environment, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.output = b""
        os.set_blocking(self.process.stdout.fileno(), False)
        try:
            self.id = wait_for(self.find, "there is a window")
            self.focus()
        except BaseException:
            self.close()
            raise

    def find(self):
        if self.process.poll() is not None:
            raise AssertionError(f"it ended: {self.process.stdout.read()}")
        found = self.display.xdotool("search", "--onlyvisible", "--pid", self.process.pid,
                                     check=False)
        return found.split("\n")[-1] if found else None

    def focus(self):
        self.display.xdotool("windowfocus", "--sync", self.id)

    def close(self):
        self.process.kill()
        self.process.communicate()

    def title(self):
        return self.display.xdotool("getwindowname", self.id)

    def wait_title(self, wanted):
        wait_for(lambda: self.title() == wanted, f"the title is '{wanted}', not '{self.title()}'")

    def place(self):
        """x, y, width, height."""
        text = self.display.xdotool("getwindowgeometry", "--shell", self.id)
        values = dict(line.split("=") for line in text.split("\n"))
        return tuple(int(values[key]) for key in ("X", "Y", "WIDTH", "HEIGHT"))

    def wait_size(self, width, height):
        wait_for(lambda: self.place()[2:] == (width, height),
                 f"the size is {width}x{height}, not {self.place()[2:]}")

    def picture(self):
        return self.display.picture().crop(*self.place())

    def exact_picture(self):
        """xdotool errs by the frame of the window; its mouse does not. The pointer is drawn, too:
        it goes into a corner."""
        self.display.xdotool("mousemove", "--window", self.id, 0, 0)
        text = self.display.xdotool("getmouselocation", "--shell")
        values = dict(line.split("=") for line in text.split("\n"))
        self.display.xdotool("mousemove", 10000, 10000)
        time.sleep(0.1)
        return self.display.picture().crop(int(values["X"]), int(values["Y"]), *self.place()[2:])

    def wait_picture(self, condition, what):
        """Until it is so, and stays for a moment."""
        wait_for(lambda: condition(self.picture()), what)
        time.sleep(0.2)
        return self.picture()

    def compare(self, name):
        """With -monitor stdio: the window has the pixels of screendump, and is kept. A cursor blinks: it
        may take several looks."""
        dump = os.path.join(self.display.folder, "dump.ppm")

        def same():
            self.monitor(f"screendump {dump}")
            picture = self.exact_picture()
            with open(dump, "rb") as file:
                return picture if picture == read_ppm(file.read()) else None
        picture = wait_for(same, "the window shows what screendump has")
        keep(picture, name)
        return picture

    def first_picture(self):
        """As soon as it is one."""
        return self.wait_picture(lambda now: any(map(any, now.rows)), "something is drawn")

    def key(self, *keys):
        for key in keys:
            self.display.xdotool("key", key)

    def hold(self, *keys):
        """Pressed one after the other and let go."""
        for key in keys:
            self.display.xdotool("keydown", key)
        for key in reversed(keys):
            self.display.xdotool("keyup", key)

    def type(self, text):
        """A newline is the return key."""
        for i, line in enumerate(text.split("\n")):
            if i:
                self.key("Return")
            if line:
                self.display.xdotool("type", "--delay", "30", line)

    def monitor(self, line, wanted=None):
        """Of -monitor stdio: what it says up to the next prompt."""
        self.read()
        self.output = b""
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()
        wait_for(lambda: self.read().rstrip().endswith(b")"), f"{line}: a prompt")
        if wanted:
            wait_for(lambda: wanted.encode() in self.read(), f"{line}: {wanted}")
        return self.output.decode(errors="replace")

    def read(self):
        self.output += self.process.stdout.read() or b""
        return self.output

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
