#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The monitor and the Ctrl-a keys from outside: on stdio, shared with the console, and on sockets;
each line that people know from QEMU; peers that flood, break off, or send nonsense."""
import fcntl
import os
import random
import select
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

BUILD = os.path.abspath(os.environ.get("CALQUE_BUILD", "build"))
SECONDS = 30

# A program for the Malta board, started at 0x80100000: sends back what it receives, B for a break.
ECHO = [
    0x3C08B800,  # lui   $t0, 0xb800: I/O ports
    0x240B0021,  # li    $t3, '!'
    0xA10B03F8,  # sb    $t3, 0x3f8($t0)
    0x910903FD,  # lbu   $t1, 0x3fd($t0): line status
    0x312A0010,  # andi  $t2, $t1, 0x10: break
    0x15400007,  # bnez  $t2, 1f
    0x00000000,  # nop
    0x312A0001,  # andi  $t2, $t1, 1: data
    0x1140FFFA,  # beqz  $t2, line status
    0x00000000,  # nop
    0x910B03F8,  # lbu   $t3, 0x3f8($t0)
    0x1000FFF6,  # b     send
    0x00000000,  # nop
    0x910B03F8,  # 1: lbu $t3, 0x3f8($t0)
    0x1000FFF3,  # b     send
    0x240B0042,  # li    $t3, 'B'
]

# Says !, waits for a character, sends it back and resets the board at once.
LAST_WORD = [
    0x3C08B800,  # lui   $t0, 0xb800
    0x3C0CBF00,  # lui   $t4, 0xbf00: the board's registers
    0x240B0021,  # li    $t3, '!'
    0xA10B03F8,  # sb    $t3, 0x3f8($t0)
    0x910903FD,  # 1: lbu $t1, 0x3fd($t0)
    0x312A0001,  # andi  $t2, $t1, 1
    0x1140FFFD,  # beqz  $t2, 1b
    0x00000000,  # nop
    0x910B03F8,  # lbu   $t3, 0x3f8($t0)
    0xA10B03F8,  # sb    $t3, 0x3f8($t0)
    0x24090042,  # li    $t1, 0x42
    0xAD890500,  # sw    $t1, 0x500($t4): SOFTRES
    0x1000FFFF,  # b     .
    0x00000000,  # nop
]

# Says 0123456789 and a newline for ever.
COUNT = [
    0x3C08B800,  # lui   $t0, 0xb800
    0x240B0030,  # 1: li $t3, '0'
    0xA10B03F8,  # 2: sb $t3, 0x3f8($t0)
    0x256B0001,  # addiu $t3, $t3, 1
    0x2D69003A,  # sltiu $t1, $t3, ':'
    0x1520FFFC,  # bnez  $t1, 2b
    0x00000000,  # nop
    0x240C000A,  # li    $t4, '\n'
    0xA10C03F8,  # sb    $t4, 0x3f8($t0)
    0x1000FFF7,  # b     1b
    0x00000000,  # nop
]


class Stream:
    """One end of a conversation: what has come and was not looked at yet is in `text`."""

    def __init__(self, read_fd, write, close=None):
        self.read_fd, self.write, self.close_it = read_fd, write, close
        self.text = b""

    def send(self, text):
        self.write(text)

    def more(self, seconds):
        if not select.select([self.read_fd], [], [], max(seconds, 0))[0]:
            return False
        got = os.read(self.read_fd, 65536)
        if not got:
            raise AssertionError(f"the other side has ended it, behind {self.text[-400:]!r}")
        self.text += got
        return True

    def expect(self, what, seconds=SECONDS):
        """Everything up to and with `what`."""
        end = time.monotonic() + seconds
        while what not in self.text:
            if not self.more(end - time.monotonic()) and time.monotonic() > end - 0.001:
                raise AssertionError(f"{what!r} did not come, but {self.text[-400:]!r}")
            if what not in self.text and time.monotonic() > end:
                raise AssertionError(f"{what!r} did not come, but {self.text[-400:]!r}")
        at = self.text.index(what) + len(what)
        seen, self.text = self.text[:at], self.text[at:]
        return seen.decode(errors="replace").replace("\r", "")

    def quiet(self, seconds=0.3):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.more(end - time.monotonic())
        return self.text

    def close(self):
        if self.close_it:
            self.close_it()


class Monitor(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.image = os.path.join(cls.folder.name, "echo")
        with open(cls.image, "wb") as file:
            file.write(struct.pack(f"<{len(ECHO)}I", *ECHO))

    @classmethod
    def tearDownClass(cls):
        cls.folder.cleanup()

    def setUp(self):
        signal.alarm(240)
        self.processes, self.streams = [], []

    def tearDown(self):
        for stream in self.streams:
            stream.close()
        for process in self.processes:
            process.kill()
            process.communicate()
        signal.alarm(0)
        left = set(os.listdir(self.folder.name)) - {"echo"}
        for name in left:
            os.unlink(os.path.join(self.folder.name, name))

    def start(self, *options, program="calque-system-mipsel"):
        process = subprocess.Popen(
            [os.path.join(BUILD, program), "-M", "malta", "-m", "32M", "-kernel", self.image,
             *options], cwd=self.folder.name, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, bufsize=0)
        self.processes.append(process)
        return process

    def stdio(self, process):
        return Stream(process.stdout.fileno(), process.stdin.write)

    def connect(self, name):
        """To a Unix socket of the machine's, or (a number) a port."""
        family = socket.AF_INET if isinstance(name, int) else socket.AF_UNIX
        address = ("127.0.0.1", name) if isinstance(name, int) else os.path.join(
            self.folder.name, name)
        end = time.monotonic() + SECONDS
        while True:
            peer = socket.socket(family)
            try:
                peer.connect(address)
                break
            except OSError:
                peer.close()
                if time.monotonic() > end:
                    raise
                time.sleep(0.02)
        stream = Stream(peer.fileno(), peer.sendall, peer.close)
        stream.socket = peer
        self.streams.append(stream)
        return stream

    def ends(self, process, status=0):
        self.assertEqual(process.wait(timeout=SECONDS), status)

    def line(self, stream, text):
        stream.send(text.encode() + b"\n")
        stream.expect(text.encode())
        return stream.expect(b"(calque) ")[:-len("(calque) ")]

    # ---- every line ----

    def check_lines(self, monitor):
        """All the lines of the monitor, but quit."""
        says = self.line(monitor, "help")
        for command in ("quit", "info", "stop", "cont", "system_reset", "x ", "savevm"):
            self.assertIn("\n" + command, says)
        says = self.line(monitor, "help info")
        for command in ("registers", "mem", "tlb", "mtree", "qtree", "irq", "pic", "chardev", "jit",
                        "traps", "tlb-stats", "roms", "status", "version", "name", "uuid", "kvm",
                        "cpus", "snapshots"):
            self.assertIn("info " + command, says)
        self.assertIn("kvm support:", self.line(monitor, "info kvm"))
        self.assertIn("no snapshot", self.line(monitor, "info snapshots"))
        says = self.line(monitor, "info snapshot")
        self.assertIn("info snapshots is meant", says)
        self.assertIn("no snapshot", says)
        self.assertIn("no balloon", self.line(monitor, "balloon 256"))
        for command in ("savevm n", "loadvm n", "delvm n"):
            self.assertEqual(self.line(monitor, command).count("\n"), 2, command)
        self.assertEqual(self.line(monitor, "stop"), "\n")
        self.assertIn("VM status: paused", self.line(monitor, "info status"))
        self.assertEqual(self.line(monitor, "cont"), "\n")
        self.assertIn("VM status: running", self.line(monitor, "info status"))
        for keys in ("ctrl-alt-f1", "shift-a", "shift_r", "altgr-q", "esc", "tab", "backspace",
                     "ctrl_r", "delete", "menu"):
            self.assertEqual(self.line(monitor, "sendkey " + keys), "\n", keys)
        self.assertEqual(self.line(monitor, "screendump f"), "\n")
        self.assertGreater(os.path.getsize(os.path.join(self.folder.name, "f")), 10)
        os.unlink(os.path.join(self.folder.name, "f"))
        self.check_looking(monitor)
        self.check_media(monitor)
        self.check_saving(monitor)
        self.check_mistakes(monitor)

    def check_looking(self, monitor):
        has = {"registers": "PC", "mtree": "ram", "qtree": "serial0", "pic": "i8259",
               "chardev": "filename=", "jit": "host_bytes_per_insn", "traps": "total",
               "tlb-stats": "tlb_misses", "roms": "echo", "version": "calque", "cpus": "CPU #0",
               "uuid": "00000000-0000", "irq": "IRQ statistics", "tlb": "nothing is mapped", "mem": "nothing is mapped",
               "history": "info kvm"}
        for what, word in has.items():
            self.assertIn(word.lower(), self.line(monitor, "info " + what).lower(), what)
        self.assertIn("lui", self.line(monitor, "x/2i 0x80100000"))
        self.assertIn("0x3c08b800", self.line(monitor, "xp /1xw 0x100000"))
        self.assertIn("0xb8", self.line(monitor, "x/4xb 0x80100000"))
        self.assertIn("'!'", self.line(monitor, "x/1c 0x80100004"))
        self.assertIn("0x5", self.line(monitor, "print ($pc-$pc+1)*2+3"))
        self.assertIn("-1", self.line(monitor, "p/d 0-1"))
        self.assertRegex(self.line(monitor, "sum 0x100000 64"), r"\n\d{5}\n")
        self.assertIn("0x100000", self.line(monitor, "gva2gpa 0x80100000"))

    def check_saving(self, monitor):
        with open(self.image, "rb") as file:
            image = file.read()
        for command in ("memsave 0x80100000", "pmemsave 0x100000"):
            path = os.path.join(self.folder.name, command[0])
            for _ in range(2):
                self.assertEqual(self.line(monitor, f'{command} {len(image)} "{path}"'), "\n")
            with open(path, "rb") as file:
                self.assertEqual(file.read(), image)
            os.unlink(path)
        self.assertIn("Cannot access", self.line(monitor, "pmemsave 0xffff00000000 64 hole"))
        os.unlink(os.path.join(self.folder.name, "hole"))
        self.assertIn("/nonexistent", self.line(monitor, "memsave 0x80100000 4 /nonexistent/f"))
        self.assertIn("already", self.line(monitor, "memsave 0x80100000 4 echo"))
        self.assertIn("it is:", self.line(monitor, "memsave 0x80100000 4"))
        hidden = os.path.join(self.folder.name, ".vm")
        self.assertIn("hidden", self.line(monitor, f"screendump {hidden}/f"))

    def check_media(self, monitor):
        cd = os.path.join(self.folder.name, "cd")
        with open(cd, "wb") as file:
            file.truncate(64 * 2048)
        self.assertIn("ide1-cd0: [not inserted]", self.line(monitor, "info block"))
        self.assertEqual(self.line(monitor, "change ide1-cd0 " + cd), "\n")
        self.assertIn(cd + " (raw, read-only)", self.line(monitor, "info block"))
        self.assertIn("/nonexistent", self.line(monitor, "change ide1-cd0 /nonexistent"))
        self.assertEqual(self.line(monitor, "eject ide1-cd0"), "\n")
        self.assertIn("[not inserted]", self.line(monitor, "info block"))
        self.assertIn("no drive 'ide-cd0'", self.line(monitor, "eject ide-cd0"))
        os.unlink(cd)

    def check_mistakes(self, monitor):
        self.assertIn("did you mean 'quit'", self.line(monitor, "qiut"))
        self.assertIn("did you mean 'registers'", self.line(monitor, "info regsters"))
        self.assertIn("nothing more", self.line(monitor, "stop now"))
        self.assertIn("it is: log", self.line(monitor, "log"))
        self.assertIn("Cannot access", self.line(monitor, "xp/1xw 0xffffffff0000"))
        self.assertIn("no register", self.line(monitor, "p $zz"))
        self.assertIn("division", self.line(monitor, "p 1/0"))
        self.assertIn("quote", self.line(monitor, 'log "int'))
        self.assertIn("count", self.line(monitor, "x/99999999x 0"))
        self.assertEqual(self.line(monitor, "   "), "\n")
        for line in ("gva2gpa 0x80100000 4", "x 0x80100000 4", "p 1 2"):
            self.assertIn("is too much", self.line(monitor, line), line)
        for line in ("info registers x", "help stop now", "eject ide1-cd0 x", "sum 0 4 4",
                     "memsave 0x80100000 4 a b", "screendump a b 0 c", "help info mem x"):
            self.assertIn("it is: ", self.line(monitor, line), line)
        self.assertIn("head", self.line(monitor, "screendump a vga 1"))

    def check_reset_and_end(self, monitor, process, console, command=b"quit\n"):
        console.quiet()
        console.text = b""
        self.assertEqual(self.line(monitor, "system_reset").replace("!", ""), "\n")
        if console is not monitor:
            console.expect(b"!")
        monitor.send(command)
        self.ends(process)

    def test_stdio(self):
        process = self.start("-display", "none", "-monitor", "stdio", "-serial",
                             "unix:serial,server=on,wait=off")
        monitor, console = self.stdio(process), self.connect("serial")
        self.assertIn("monitor - type 'help'", monitor.expect(b"(calque) "))
        console.send(b"hello")
        console.expect(b"hello")
        self.check_lines(monitor)
        # A guest that has not said it wants to hear of the key is switched off at once.
        self.check_reset_and_end(monitor, process, console, b"system_powerdown\n")

    def test_socket(self):
        process = self.start("-display", "none", "-monitor", "unix:monitor,server=on,wait=off",
                             "-serial", "unix:serial,server=on,wait=off")
        monitor, console = self.connect("monitor"), self.connect("serial")
        self.assertIn("monitor - type 'help'", monitor.expect(b"(calque) "))
        console.send(b"hello")
        console.expect(b"hello")
        self.check_lines(monitor)
        self.check_reset_and_end(monitor, process, console)
        self.assertEqual(os.listdir(self.folder.name), ["echo"])

    def check_mux(self, process, stream):
        self.assertEqual(stream.expect(b"!"), "!")  # and no greeting of a monitor behind it
        stream.send(b"abc")
        stream.expect(b"abc")
        stream.send(b"\x01c")
        stream.expect(b"(calque) ")
        self.check_lines(stream)
        stream.send(b"\x01c")
        stream.quiet(0.1)
        stream.text = b""
        stream.send(b"def")
        stream.expect(b"def")
        stream.send(b"\x01c")
        self.check_reset_and_end(stream, process, stream)

    def test_mux(self):
        process = self.start("-nographic")
        self.check_mux(process, self.stdio(process))

    def test_mux_of_a_socket(self):
        process = self.start("-display", "none", "-chardev",
                             "socket,id=c,path=both,server=on,wait=on,mux=on", "-serial",
                             "chardev:c", "-mon", "chardev=c,mode=readline")
        self.check_mux(process, self.connect("both"))

    def test_keys(self):
        for options in (("-nographic",), ("-display", "none", "-serial", "mon:stdio")):
            process = self.start(*options)
            stream = self.stdio(process)
            stream.expect(b"!")
            for key in (b"h", b"?"):
                stream.send(b"\x01" + key)
                says = stream.expect(b"send a Ctrl-a")
                for listed in ("Ctrl-a x", "Ctrl-a c", "Ctrl-a s", "Ctrl-a t", "Ctrl-a b"):
                    self.assertIn(listed, says)
                stream.expect(b"\n")
            stream.send(b"\x01\x01")
            stream.expect(b"\x01")
            stream.send(b"\x01b")
            stream.expect(b"B")
            stream.send(b"\x01t\n")
            stream.expect(b"\n")
            stream.send(b"stamped\n")
            stream.expect(b"[00:")
            stream.expect(b"stamped\n")
            stream.send(b"\x01t\n\n")
            stream.quiet()
            stream.text = b""
            stream.send(b"plain\n")
            self.assertNotIn("[00:", stream.expect(b"plain\n"))
            stream.send(b"\x01s")
            self.assertIn(b"-snapshot", process.stderr.readline() + process.stderr.readline())
            stream.send(b"\x01zq")  # a key that means nothing goes with its Ctrl-a
            self.assertNotIn("z", stream.expect(b"q"))
            stream.send(b"\x01c")
            stream.expect(b"(calque) ")
            stream.send(b"\x01x")
            self.ends(process)
            self.assertIn(b"Terminated", process.stderr.read())

    def test_defaults(self):
        """The terminal is the monitor's where the console is elsewhere."""
        process = self.start("-nographic", "-serial", "unix:s,server=on,wait=off")
        stream = self.stdio(process)
        stream.expect(b"(calque) ")
        self.connect("s")
        self.assertIn("unix:", self.line(stream, "info chardev"))
        stream.send(b"quit\n")
        self.ends(process)
        process = self.start("-nographic", "-monitor", "unix:m,server=on,wait=off")
        self.stdio(process).expect(b"!")
        monitor = self.connect("m")
        monitor.expect(b"(calque) ")
        monitor.send(b"quit\n")
        self.ends(process)

    def test_stdout_that_nobody_reads(self):
        """The guest waits, as nothing is to be lost; but calque can be ended."""
        process = self.start("-nographic")
        stream = self.stdio(process)
        stream.expect(b"!")
        stop = time.monotonic() + 3
        feeder = self.start("-display", "none", "-monitor", "stdio", "-serial", "null")
        os.set_blocking(feeder.stdin.fileno(), False)
        while time.monotonic() < stop:
            try:
                os.write(feeder.stdin.fileno(), b"info qtree\n" * 50)
            except BlockingIOError:
                time.sleep(0.05)
        for one in (process, feeder):
            one.terminate()
            self.ends(one)

    def program(self, words):
        path = os.path.join(self.folder.name, "program")
        with open(path, "wb") as file:
            file.write(struct.pack(f"<{len(words)}I", *words))
        return path

    def test_monitor_while_nobody_reads_the_console(self):
        """The guest waits for a reader, its monitor does not; and nothing is lost."""
        process = self.start("-display", "none", "-serial", "stdio", "-monitor",
                             "unix:m,server=on,wait=off", "-kernel", self.program(COUNT))
        monitor = self.connect("m")
        monitor.expect(b"(calque) ")
        time.sleep(0.5)
        self.assertIn("running", self.line(monitor, "info status"))
        self.assertIn("PC", self.line(monitor, "info registers"))
        read = b""
        while len(read) < 1000000:
            read += os.read(process.stdout.fileno(), 65536)
        lines = read.split(b"\n")[:-1]
        self.assertEqual(set(lines), {b"0123456789"})
        self.line(monitor, "stop")
        self.line(monitor, "cont")
        time.sleep(0.5)
        monitor.send(b"quit\n")
        self.ends(process)

    def test_end_while_nobody_reads(self):
        """What is still to be written when the guest ends calque has a second, and is then lost."""
        process = self.start("-display", "none", "-serial", "stdio", "-no-reboot", "-kernel",
                             self.program(LAST_WORD))
        fcntl.fcntl(process.stdout.fileno(), fcntl.F_SETPIPE_SZ, 4096)
        # One character fills a pipe of one page: it counts pieces, not bytes.
        self.assertTrue(select.select([process.stdout], [], [], SECONDS)[0])
        process.stdin.write(b"a")
        self.ends(process)

    def test_other_key(self):
        process = self.start("-nographic", "-echr", "0x14")
        stream = self.stdio(process)
        stream.expect(b"!")
        stream.send(b"\x01x")
        stream.expect(b"\x01x")
        stream.send(b"\x14x")
        self.ends(process)

    def test_prompt_of_qemu(self):
        os.symlink(os.path.join(BUILD, "calque"), os.path.join(self.folder.name,
                                                               "qemu-system-mipsel"))
        process = self.start("-display", "none", "-monitor", "stdio", "-serial", "null",
                             program=os.path.join(self.folder.name, "qemu-system-mipsel"))
        stream = self.stdio(process)
        stream.expect(b"(qemu) ")
        stream.send(b"q\n")
        self.ends(process)

    # ---- editing ----

    def test_editing(self):
        process = self.start("-display", "none", "-serial", "null", "-S", "-monitor",
                             "unix:m,server=on,wait=off")
        stream = self.connect("m")
        stream.expect(b"(calque) ")
        stream.send(b"info stat\t")
        stream.expect(b"info status ")
        stream.send(b"\r")
        stream.expect(b"VM status: paused")
        stream.send(b"\x1b[A\r")
        stream.expect(b"VM status: paused")
        stream.send(b"xx\x15infx\x1b[D\x1b[3~o kvm\r")
        stream.expect(b"kvm support")
        stream.send(b"system_\t\t")
        stream.expect(b"system_powerdown")
        stream.expect(b"system_reset")
        stream.send(b"\x03info na\t\r")
        stream.expect(b"info name")
        stream.send(b"y" * 3000 + b"\r")
        stream.expect(b"longer than")
        stream.send(b"quit\r")
        self.ends(process)

    # ---- several, and bad ones ----

    def test_two_monitors_and_serial_ports(self):
        process = self.start("-display", "none", "-S",
                             "-serial", "unix:a,server=on,wait=off",
                             "-serial", "unix:b,server=on,wait=off",
                             "-monitor", "unix:m,server=on,wait=off",
                             "-monitor", "telnet:127.0.0.1:0,server=on,wait=off")
        process_says = process.stderr.readline().decode()
        port = int(process_says.strip().rsplit(":", 1)[1])
        first, second = self.connect("m"), self.connect(port)
        first.expect(b"(calque) ")
        second.expect(b"(calque) ")
        says = self.line(first, "info chardev")
        for name in ("serial0", "serial1", "compat_monitor0", "compat_monitor1", "telnet:127.0.0.1",
                     "disconnected:unix:"):
            self.assertIn(name, says)
        second.send(b"\xff\xfd\x00\xff\xfb\x00info status\r\0")
        second.expect(b"VM status: paused")
        second.send(b"quit\r\n")
        self.ends(process)

    def test_wait(self):
        process = self.start("-display", "none", "-serial", "unix:s,server=on", "-monitor",
                             "unix:m,server=on,wait=off")
        self.assertIn(b"starts when somebody connects", process.stderr.readline())
        monitor = self.connect("m")
        monitor.expect(b"(calque) ")
        self.assertIn("paused", self.line(monitor, "info status"))
        console = self.connect("s")
        console.expect(b"!")
        self.assertIn("running", self.line(monitor, "info status"))
        process.terminate()
        self.ends(process)

    def test_half_lines(self):
        process = self.start("-display", "none", "-serial", "null", "-monitor",
                             "unix:m,server=on,wait=off")
        for _ in range(20):
            stream = self.connect("m")
            stream.expect(b"(calque) ")
            stream.send(b"qui\x1b[")
            stream.close()
        stream = self.connect("m")
        stream.expect(b"(calque) ")
        stream.send(b"t\n")
        stream.expect(b"there is no command 't'")
        # The last line is acted upon even if the peer sends no more.
        stream.send(b"info status\n")
        stream.socket.shutdown(socket.SHUT_WR)
        stream.expect(b"VM status: running")
        stream = self.connect("m")
        stream.send(b"quit\n")
        stream.socket.shutdown(socket.SHUT_WR)
        self.ends(process)

    def test_nonsense_and_floods(self):
        process = self.start("-display", "none", "-serial", "telnet:127.0.0.1:0,server=on,wait=off",
                             "-monitor", "unix:m,server=on,wait=off",
                             "-monitor", "unix:n,server=on,wait=off")
        port = int(process.stderr.readline().decode().strip().rsplit(":", 1)[1])
        good = self.connect("n")
        good.expect(b"(calque) ")
        seed = random.randrange(1 << 32)
        print("seed", seed)
        generator = random.Random(seed)
        for name in ("m", port, "m", port):
            bad = self.connect(name)
            for _ in range(40):
                # No line of it means quit.
                junk = generator.randbytes(4096).replace(b"q", b"").replace(b"c", b"")
                try:
                    bad.socket.setblocking(False)
                    bad.socket.send(junk)
                except BlockingIOError:
                    time.sleep(0.01)
            start = time.monotonic()
            self.assertIn("VM status", self.line(good, "info status"))
            self.assertLess(time.monotonic() - start, 10)
            bad.close()
        # Long answers that nobody reads.
        bad = self.connect("m")
        bad.socket.setblocking(False)
        for _ in range(2000):
            try:
                bad.socket.send(b"info qtree\n" * 20)
            except (BlockingIOError, BrokenPipeError):
                break
        start = time.monotonic()
        self.assertIn("VM status", self.line(good, "info status"))
        self.assertLess(time.monotonic() - start, 20)
        bad.close()
        good.send(b"quit\n")
        self.ends(process)


if __name__ == "__main__":
    unittest.main()
