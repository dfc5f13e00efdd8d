#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""gdb-multiarch in Debian's kernels: break by symbol, step, finish, watch, registers, memory, Ctrl-C,
detach, reconnect. Symbols come from the guest's own /proc/kallsyms. Kernels that are not there are
skipped; all but one of them are for CALQUE_TEST_LEVEL=all."""
import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../..")
GDB = shutil.which("gdb-multiarch")
SECONDS = 180
ALL = os.environ.get("CALQUE_TEST_LEVEL") == "all"
# Not every kernel tells where its variables are.
WANTED = ("vfs_read", "vfs_open", "jiffies", "linux_banner")
# Guest: is it run always; gdb's name for its architecture.
GUESTS = {
    "virt": (True, "arm"),
    "x86_64": (ALL, "i386:x86-64"),
    "i386": (ALL, "i386"),
    "mipsel": (ALL, "mips:isa32r2"),
    "mips64el": (ALL, "mips:isa64r2"),
}


def command_of(guest):
    """How the guest is started, or None."""
    done = subprocess.run([f"{ROOT}/tools/run-guest", "--print", guest], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False,
                          env={**os.environ, "CALQUE_APPEND": "nokaslr quiet"})
    if done.returncode:
        return None
    return done.stdout.decode()


class Console:
    """The guest's terminal, through pipes."""

    def __init__(self, guest, folder):
        self.socket = os.path.join(folder, "socket")
        self.process = subprocess.Popen(
            ["bash", "-c", f"exec {command_of(guest).strip()} -gdb unix:{self.socket}"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.text = b""
        os.set_blocking(self.process.stdout.fileno(), False)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def wait(self, pattern, seconds=SECONDS):
        """Text up to the pattern, and takes it away."""
        deadline = time.time() + seconds
        while not (match := re.search(pattern, self.text, re.DOTALL)):
            if time.time() > deadline or self.process.poll() is not None:
                raise RuntimeError(f"no {pattern} in {self.text[-500:]}")
            time.sleep(0.02)
            self.text += self.process.stdout.read() or b""
        self.text = self.text[match.end():]
        return match

    def type(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def symbols(self):
        names = "\\|".join(WANTED)
        self.type(f"grep ' \\({names}\\)$' /proc/kallsyms; echo e''nd")
        text = self.wait(rb"(.*)\nend")[1].decode("latin1")
        return {name: int(address, 16) for address, name in
                re.findall(r"([0-9a-f]{8,16}) \w (\w+)\s", text)}


class Debugger:
    """gdb, which is asked one thing after the other."""

    def __init__(self, architecture, socket):
        self.process = subprocess.Popen([GDB, "-nx", "-q"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.log = ""
        self.ask("set confirm off", "set pagination off", "set width 0")
        if architecture.startswith("mips"):  # gdb takes order and ABI from a file otherwise
            self.ask("set endian little", "set mips abi " + ("n64" if "64" in architecture else "o32"),
                     "set heuristic-fence-post 1000")
        self.ask(f"target remote {socket}")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def send(self, *commands):
        for command in commands:
            self.process.stdin.write(f"{command}\n".encode())
        self.process.stdin.flush()

    def answer(self):
        self.send("echo do''ne\\n".replace("''", ""))
        text = ""
        while not text.endswith("done\n"):
            line = self.process.stdout.readline().decode("latin1")
            if not line:
                raise RuntimeError(self.log + text)
            text += line
        self.log += text
        return text

    def ask(self, *commands):
        self.send(*commands)
        return self.answer()

    def number(self, expression):
        text = self.ask(f'printf "=%llx\\n", (unsigned long long)({expression})')
        match = re.search(r"=([0-9a-f]+)\n", text)
        if not match:
            raise RuntimeError(self.log)
        return int(match[1], 16)


@unittest.skipUnless(GDB, "there is no gdb-multiarch")
class Linux(unittest.TestCase):
    def in_kernel(self, guest, architecture):
        with tempfile.TemporaryDirectory(prefix="calque-gdb-") as folder, \
                Console(guest, folder) as console:
            signal.alarm(3 * SECONDS)
            console.wait(rb"init reached.*# ")
            console.type("stty -echo; dmesg -n 1")
            console.wait(rb"# ")
            symbol = console.symbols()
            self.assertTrue({"vfs_read", "vfs_open"} <= set(symbol), symbol)
            if architecture == "mips:isa32r2":  # gdb has addresses there with their sign
                symbol = {name: address | 0xffffffff00000000 for name, address in symbol.items()}
            console.wait(rb"# ")
            with Debugger(architecture, console.socket) as gdb:
                self.session(gdb, console, symbol, 2 ** (64 if "64" in architecture else 32) - 1)
            console.type("echo still $((40 + 2))")
            console.wait(rb"still 42")
            with Debugger(architecture, console.socket) as gdb:  # again
                self.assertIn(architecture.split(":")[0], gdb.ask("show architecture"))
                gdb.ask(f"tbreak *{symbol['vfs_read']}")
                gdb.send("continue")
                console.type("cat /proc/version")
                self.assertIn("breakpoint", gdb.answer())
                gdb.ask("detach")
            console.wait(rb"Linux version")
            signal.alarm(0)

    def session(self, gdb, console, symbol, mask):
        if "linux_banner" in symbol:
            self.assertIn("Linux version", gdb.ask(f"x/s {symbol['linux_banner']}"))
        # break by symbol
        gdb.ask(f"break *{symbol['vfs_read']}")
        gdb.send("continue")
        console.type("cat /proc/uptime")
        self.assertIn("Breakpoint 1", gdb.answer())
        self.assertEqual(gdb.number("$pc"), symbol["vfs_read"] & mask)
        # step: every one of them goes somewhere, and no interrupt gets between
        seen = [gdb.number("$pc")]
        for _ in range(20):
            gdb.ask("stepi")
            seen.append(gdb.number("$pc"))
        self.assertTrue(all(a != b for a, b in zip(seen, seen[1:])), seen)
        self.watch(gdb, symbol)
        # finish: what is returned to is where the stack says
        gdb.ask("delete", f"break *{symbol['vfs_open']}")
        gdb.send("continue")
        console.type("cat /proc/uptime")
        self.assertIn("Breakpoint", gdb.answer())
        text = gdb.ask("delete", "finish")
        if "not meaningful" in text:  # without a file gdb cannot find the frame on MIPS
            returns = gdb.number("$ra")
            gdb.ask("tbreak *$ra", "continue")
            self.assertEqual(gdb.number("$pc"), returns)
        else:
            self.assertIn("Run till exit", text, gdb.log)
        # registers and memory
        scratch = "$sp - 256"
        for write, read in (("set var *(unsigned *)(%s) = 0x12345678", "*(unsigned *)(%s)"),):
            kept = gdb.number(read % scratch)
            gdb.ask(write % scratch)
            self.assertEqual(gdb.number(read % scratch), 0x12345678)
            gdb.ask(f"set var *(unsigned *)({scratch}) = {kept}")
        self.assertIn("VM status: paused", gdb.ask("monitor info status"))
        self.assertIn("CPU#0", gdb.ask("info threads"))
        # Ctrl-C
        gdb.send("continue")
        time.sleep(1)
        gdb.process.send_signal(signal.SIGINT)
        self.assertIn("SIGINT", gdb.answer())
        gdb.ask("detach")


    def watch(self, gdb, symbol):
        if "jiffies" in symbol:  # which the timer's interrupt changes
            value = f"*(unsigned *){symbol['jiffies']}"
            before = gdb.number(value)
            gdb.ask("delete", f"watch {value}")
            for _ in range(3):
                self.assertIn("New value", gdb.ask("continue"))
            self.assertTrue(before < gdb.number(value) < before + 1000, gdb.log)
        else:  # what is below the stack pointer is about to be written
            place = f"(unsigned *){gdb.number('$sp - 4')}"
            gdb.ask("delete", f"awatch *{place}")
            for _ in range(3):
                self.assertRegex(gdb.ask("continue"), "Value =|New value =")


def add(guest, wanted, architecture):
    def test(self):
        if not wanted:
            self.skipTest("it is for CALQUE_TEST_LEVEL=all")
        if not command_of(guest):
            self.skipTest(f"{guest} has not been fetched")
        self.in_kernel(guest, architecture)
    setattr(Linux, f"test_{guest}", test)


for guest_name, row in GUESTS.items():
    add(guest_name, *row)

if __name__ == "__main__":
    unittest.main()
