#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The gdb stub: gdb-multiarch debugs a small program on each guest, and a client of our own says what
no gdb would say. Guests whose compiler is missing are skipped."""
import os
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.realpath(__file__))
BUILD = os.environ.get("CALQUE_BUILD", "build")
SECONDS = 60
GDB = shutil.which("gdb-multiarch")

MIPS = "mips-linux-gnu-gcc -mno-abicalls -fno-pic -G0 "
KSEG0 = {"32": "0x80100000", "64": "0xffffffff80100000"}
M32 = "-mabi=32 -march=mips32r2 -mfp32 "
M64 = "-mabi=64 -march=mips64r2 -msym32 "
ARM = "arm-linux-gnueabihf-gcc -marm -march=armv7-a -mfpu=vfpv3-d16 "


class Guest:
    """How its program is built and started; its names for things. In GUESTS' names a + begins another
    program for the same guest."""

    def __init__(self, compiler, base, machine, start, bits, register, returns):
        self.compiler, self.base, self.machine, self.start = compiler, base, machine, start
        self.bits, self.register, self.returns = bits, register, bytes.fromhex(returns)
        self.program = None


GUESTS = {
    "arm": Guest(ARM, "0x40010000", "virt", 0x40010000, 32, "$r7", "1eff2fe1"),
    "i386": Guest("gcc -m32 ", "0x100000", "pc", 0xfff0, 32, "$esi", "c3"),
    "x86_64": Guest("gcc -m64 -mno-red-zone -mgeneral-regs-only ", "0x100000", "pc", 0xfff0, 64,
                    "$r13", "c3"),
    "mips": Guest(MIPS + "-EB " + M32, KSEG0["32"], "malta", 0xbfc00000, 32, "$s3",
                  "03e0000800000000"),
    "mipsel": Guest(MIPS + "-EL " + M32, KSEG0["32"], "malta", 0xbfc00000, 32, "$s3",
                    "0800e00300000000"),
    "mipsel+mips16": Guest(MIPS + "-EL -mips16 -msoft-float " + M32.replace("-mfp32 ", ""),
                           KSEG0["32"], "malta", 0xbfc00000, 32, "$s3", "a0e8"),
    "mips64": Guest(MIPS + "-EB " + M64, KSEG0["64"], "malta", 0xffffffffbfc00000, 64, "$s3",
                    "03e0000800000000"),
    "mips64el": Guest(MIPS + "-EL " + M64, KSEG0["64"], "malta", 0xffffffffbfc00000, 64, "$s3",
                      "0800e00300000000"),
}
FLAGS = ("-O1 -g -ffreestanding -nostdlib -static -fno-pie -no-pie -fno-stack-protector "
         "-fno-omit-frame-pointer -fno-asynchronous-unwind-tables "
         "-Wl,--build-id=none,--no-warn-rwx-segments")
SOME = ("arm", "x86_64", "mipsel", "mips64")
folder = None


def setUpModule():
    global folder
    folder = tempfile.TemporaryDirectory(prefix="calque-gdb-")
    for name, guest in GUESTS.items():
        words = guest.compiler.split()
        if not shutil.which(words[0]):
            continue
        path = os.path.join(folder.name, name + ".elf")
        built = subprocess.run(
            [*words, *FLAGS.split(), "-T", f"{HERE}/gdb/link.ld",
             f"-Wl,--defsym=__base={guest.base}", f"{HERE}/gdb/start.S", f"{HERE}/gdb/program.c",
             "-o", path], stderr=subprocess.PIPE, check=False)
        if built.returncode == 0:
            guest.program = path
        elif name != "i386":  # not every gcc has -m32
            raise RuntimeError(built.stderr.decode())


def tearDownModule():
    folder.cleanup()


class Machine:
    """calque with a program, and where its stub listens."""
    count = 0

    def __init__(self, name, *options, program=True, held=True):
        guest = GUESTS[name]
        Machine.count += 1
        self.path = os.path.join(folder.name, f"socket{Machine.count}")
        command = [os.path.join(BUILD, f"calque-system-{name.split('+')[0]}"), "-M", guest.machine, "-m", "64M",
                   "-display", "none", "-gdb", f"unix:{self.path},server=on,wait=off", *options]
        command += ["-kernel", guest.program] if program else []
        command += ["-S"] if held else []
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.STDOUT)
        deadline = time.time() + SECONDS
        while not self.listens():
            if self.process.poll() is not None or time.time() > deadline:
                raise RuntimeError(self.process.communicate()[0])
            time.sleep(0.01)

    def listens(self):
        """By what the kernel says, so that nobody has connected before the test does."""
        with open("/proc/net/unix", encoding="latin1") as table:
            return any(line.endswith(f" {self.path}\n") and line.split()[3] == "00010000"
                       for line in table)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()


class Client:
    """The other end of the protocol, by hand."""

    def __init__(self, machine):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.connect(machine.path)
        self.socket.settimeout(SECONDS)
        self.bytes = b""
        self.no_ack = False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def raw(self, data):
        self.socket.sendall(data)

    def send(self, data):
        data = data if isinstance(data, bytes) else data.encode()
        self.raw(b"$%s#%02x" % (data, sum(data) & 255))

    def byte(self):
        if not self.bytes:
            try:
                self.bytes = self.socket.recv(65536)
            except ConnectionResetError:
                return b""
        first, self.bytes = self.bytes[:1], self.bytes[1:]
        return first

    def receive(self):
        """The next packet; None: the other side has hung up."""
        data = b""
        while True:
            byte = self.byte()
            if not byte:
                return None
            if byte == b"$":
                break
        while (byte := self.byte()) != b"#":
            data += byte
        wanted = b"%02x" % (sum(data) & 255)
        assert self.byte() + self.byte() == wanted, data
        if not self.no_ack:
            try:
                self.raw(b"+")
            except BrokenPipeError:  # the last word has been said
                pass
        return data.decode("latin1")

    def ask(self, data):
        self.send(data)
        return self.receive()


def symbols(guest):
    """Of the program, by nm: binutils of one architecture reads the others' ELF symbols too."""
    nm = guest.compiler.split()[0].replace("gcc", "nm")
    lines = subprocess.run([nm, guest.program], stdout=subprocess.PIPE, check=True).stdout
    return {line.split()[2]: int(line.split()[0], 16) for line in lines.decode().splitlines()
            if len(line.split()) == 3}


def run_gdb(machine, guest, commands):
    """Lines "key = expression" are asked for and returned as numbers."""
    script = ["set confirm off", "set pagination off", "set width 0", f"file {guest.program}",
              f"target remote {machine.path}"]
    for command in commands:
        match = re.fullmatch(r"(\w+) = (.*)", command)
        script.append(f'printf "\\n{match[1]}=%llx\\n", (unsigned long long)({match[2]})'
                      if match else command)
    arguments = [word for command in script for word in ("-ex", command)]
    done = subprocess.run([GDB, "-nx", "-batch", *arguments], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS,
                          check=False)
    text = done.stdout.decode("latin1")
    values = {key: int(value, 16) for key, value in
              re.findall(r"^(\w+)=([0-9a-f]+)$", text, re.MULTILINE)}
    return values, text


def on(*names):
    """Runs a test on each of these guests, or all."""
    def decorate(test):
        def run(self):
            for name in names or GUESTS:
                if GUESTS[name].program:
                    with self.subTest(guest=name):
                        test(self, name, GUESTS[name])
        run.__name__ = test.__name__
        return run
    return decorate


@unittest.skipUnless(GDB, "there is no gdb-multiarch")
class WithGdb(unittest.TestCase):
    """gdb-multiarch, on every guest."""
    maxDiff = None

    def check(self, got, wanted):
        values, text = got
        self.assertEqual({key: values.get(key) for key in wanted}, wanted, text)
        return values, text

    def session(self, name, guest, *options):
        mask = 2 ** guest.bits - 1
        with Machine(name, *options) as machine:
            _, text = self.check(run_gdb(machine, guest, [
                "first = $pc", "break inner", "continue", "x = x", "counter = counter", "finish",
                "returned = $", "stored = watched", "delete",
                "watch watched", "continue", "old = copied", "now = watched", "continue",
                "third = watched", "delete",
                f"set var {guest.register} = 0x12345678", f"register = {guest.register}",
                "set var counter = 500", "tbreak outer", "continue", "y = x", "next", "stepi",
                "tbreak spin", "continue", "thbreak inner", "continue", "z = x",
                f"kept = {guest.register}", "called = inner(7)", "called_stored = watched",
                "delete", "rwatch watched", "continue", "copied_before = copied", "delete",
                "awatch copied", "continue", "awatched = copied", "continue", "delete",
                "info threads", "monitor info status", "info registers",
            ]), {
                "first": guest.start & mask, "x": 1, "counter": 1, "returned": 2, "stored": 3,
                "old": 3, "now": 6, "third": 9, "register": 0x12345678, "y": 501, "z": 502,
                "kept": 0x12345678, "called": 8, "called_stored": 21,
            })
            self.assertIn("VM status: paused", text)
            self.assertIn("CPU#0", text)
            for what in ("Hardware watchpoint", "Hardware read watchpoint",
                         "Hardware access (read/write) watchpoint", "Old value = 3", "New value = 6",
                         "New value = 9", "Value = "):
                self.assertIn(what, text)

    @on()
    def test_session(self, name, guest):
        self.session(name, guest)

    @on("arm", "x86_64", "mips64")
    def test_session_interpreted(self, name, guest):
        self.session(name, guest, "--interp")

    @on("arm", "x86_64", "mipsel", "mips64el")
    def test_detach_and_reconnect(self, name, guest):
        with Machine(name, held=False) as machine:
            first, _ = run_gdb(machine, guest, ["break spin", "continue", "n = counter", "detach"])
            time.sleep(0.2)
            again, text = run_gdb(machine, guest, ["n = counter", "m = counter"])
            self.assertGreater(again["n"], first["n"], text)
            self.assertEqual(again["n"], again["m"], text)
            third, text = run_gdb(machine, guest, ["n = counter", "watch watched", "continue"])
            self.assertGreater(third["n"], again["n"], text)
            self.assertIn("New value", text)

    @on()
    def test_control_c(self, name, guest):
        with Machine(name) as machine:
            gdb = subprocess.Popen([GDB, "-nx", "-q"], stdin=subprocess.PIPE,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
            gdb.stdin.write(f"file {guest.program}\ntarget remote {machine.path}\n"
                            "break spin\ncontinue\ndelete\nset var table[3] = 0\necho ready\\n\n"
                            "continue\n".encode())
            gdb.stdin.flush()
            while b"ready" not in (line := gdb.stdout.readline()):
                self.assertTrue(line)
            time.sleep(0.5)
            gdb.send_signal(signal.SIGINT)
            text = gdb.communicate(b"info symbol $pc\nkill\n", timeout=SECONDS)[0].decode()
            self.assertIn("SIGINT", text)
            self.assertRegex(text, r"spin(\s\+ \d+)? in section")
            self.assertEqual(machine.process.wait(SECONDS), 0)

    @on("arm")
    def test_steps_in_it_block(self, name, guest):
        with Machine(name) as machine:
            commands = ["break *((long)&it_block & ~1)", "continue", "delete"]
            commands += [c for i in range(9)
                         for c in (f"p{i} = $pc - ((long)&it_block & ~1)", "stepi")]
            self.check(run_gdb(machine, guest, commands + ["r0 = $r0", "r1 = $r1", "r2 = $r2"]), {
                "p0": 0, "p1": 2, "p2": 4, "p3": 6, "p4": 8, "p5": 10, "p6": 12, "p7": 14,
                "r0": 5, "r1": 2, "r2": 3})

    @on("i386", "x86_64")
    def test_steps_of_repeated_stores(self, name, guest):
        count, at = ("$ecx", "$edi") if name == "i386" else ("$rcx", "$rdi")
        with Machine(name) as machine:
            self.check(run_gdb(machine, guest, [
                "break *&repeat_store", "continue", "delete", f"n0 = {count}", "stepi",
                f"n1 = {count}", "stepi 3", f"n4 = {count}", "same = $pc - (long)&repeat_store",
                "watch bytes[7]", "continue", f"n8 = {count}", f"at = {at} - (long)&bytes",
                "delete", "stepi 8", f"n16 = {count}", "end = $pc - (long)&repeat_done",
            ]), {"n0": 16, "n1": 15, "n4": 12, "same": 0, "n8": 8, "at": 8, "n16": 0, "end": 0})

    @on("mips", "mipsel", "mips64", "mips64el")
    def test_steps_over_slots(self, name, guest):
        with Machine(name) as machine:
            self.check(run_gdb(machine, guest, [
                "break *&slots_branch", "continue", "delete", "stepi", "slot = $r9",
                "pc = $pc - (long)&slots_branch", "stepi", "next = $pc - (long)&slots_branch",
            ]), {"slot": 7, "pc": 12, "next": 16})

    @on("mipsel+mips16")
    def test_monitor_in_mips16(self, name, guest):
        with Machine(name) as machine:
            _, text = run_gdb(machine, guest, ["break *&inner", "continue", "monitor x/2i $pc",
                                               "monitor info registers"])
            self.assertRegex(text, r"0x80100[0-9a-f]{2}[02468ace]:.* save .*\$s1")
            self.assertIn("MIPS32/MIPS16e kernel", text)


class ByHand(unittest.TestCase):
    """What gdb does not say, and whether others go on meanwhile."""

    def stop(self, client, guest, at):
        self.assertEqual(client.ask(f"Z0,{at:x},4"), "OK")
        self.assertRegex(client.ask("c"), "^T05")
        self.assertEqual(client.ask(f"z0,{at:x},4"), "OK")

    def word(self, name, client, address):
        order = "big" if name in ("mips", "mips64") else "little"
        return int.from_bytes(bytes.fromhex(client.ask(f"m{address:x},4")), order)

    @on(*SOME)
    def test_held_at_first_instruction(self, name, guest):
        symbol = symbols(guest)
        with Machine(name) as machine:
            time.sleep(0.2)
            with Client(machine) as client:
                self.assertRegex(client.ask("?"), "^T05thread:1;$")
                self.assertEqual(self.word(name, client, symbol["counter"]), 0)

    @on(*SOME)
    def test_patched_code_runs(self, name, guest):
        symbol = symbols(guest)
        with Machine(name) as machine, Client(machine) as client:
            for _ in range(3):
                self.stop(client, guest, symbol["spin"])
            self.assertEqual(self.word(name, client, symbol["watched"]), 9)
            code = guest.returns
            data = code.replace(b"}", b"}]").replace(b"#", b"}\x03").replace(b"$", b"}\x04")
            self.assertEqual(client.ask(b"X%x,%x:" % (symbol["inner"], len(code)) + data), "OK")
            self.stop(client, guest, symbol["spin"])
            self.assertEqual(self.word(name, client, symbol["counter"]), 4)
            self.assertEqual(self.word(name, client, symbol["watched"]), 9)

    @on(*SOME)
    def test_stop_replies(self, name, guest):
        mask = 2 ** guest.bits - 1
        symbol = symbols(guest)
        with Machine(name) as machine, Client(machine) as client:
            self.assertIn("swbreak+", client.ask("qSupported:swbreak+;hwbreak+"))
            at = symbol["inner"]
            for kind, word in ((0, "swbreak"), (1, "hwbreak")):
                self.assertEqual(client.ask(f"Z{kind},{at:x},4"), "OK")
                self.assertEqual(client.ask("vCont;c"), f"T05thread:1;{word}:;")
                self.assertEqual(client.ask(f"z{kind},{at:x},4"), "OK")
            at = symbol["watched"]
            for kind, word in ((2, "watch"), (3, "rwatch"), (4, "awatch")):
                self.assertEqual(client.ask(f"Z{kind},{at:x},4"), "OK")
                for _ in range(2):  # goes on past it without help
                    self.assertEqual(client.ask("c"), f"T05thread:1;{word}:{at & mask:x};")
                self.assertEqual(client.ask(f"z{kind},{at:x},4"), "OK")
            self.assertEqual(client.ask("vCont;s:1;c"), "T05thread:1;")
            self.assertEqual(client.ask("s"), "T05thread:1;")

    @on(*SOME)
    def test_watch_of_other_bytes_is_silent(self, name, guest):
        symbol = symbols(guest)
        with Machine(name) as machine, Client(machine) as client:
            self.stop(client, guest, symbol["spin"])
            self.assertEqual(client.ask(f"Z4,{symbol['bytes'] + 15:x},1"), "OK")
            self.assertEqual(client.ask(f"Z2,{symbol['table'] + 4:x},8"), "OK")
            self.assertEqual(client.ask(f"Z1,{symbol['spin']:x},4"), "OK")
            for _ in range(3):
                reply = client.ask("c")
                if "awatch" in reply:  # REP stores to bytes[15]
                    self.assertEqual(name, "x86_64")
                self.assertNotIn(";watch", reply)

    @on(*SOME)
    def test_interrupt(self, name, guest):
        symbol = symbols(guest)
        with Machine(name) as machine, Client(machine) as client:
            self.stop(client, guest, symbol["spin"])
            self.assertEqual(client.ask(f"M{symbol['table'] + 12:x},4:00000000"), "OK")
            client.send("c")
            time.sleep(0.1)
            client.raw(b"\x03")
            self.assertEqual(client.receive(), "T02thread:1;")

    @on(*SOME)
    def test_memory(self, name, guest):
        symbol = symbols(guest)
        with Machine(name) as machine, Client(machine) as client:
            self.stop(client, guest, symbol["spin"])
            at = symbol["bytes"]
            self.assertEqual(client.ask(f"M{at:x},3:0a0b0c"), "OK")
            self.assertEqual(client.ask(f"m{at:x},3"), "0a0b0c")
            self.assertEqual(client.ask(b"X%x,0:" % at), "OK")
            self.assertEqual(client.ask(b"X%x,2:}\x03\x00" % at), "OK")
            self.assertEqual(client.ask(f"m{at:x},3"), "23000c")
            nothing = 0x7ffff000 if guest.bits == 32 else 0x7ffffffff000
            self.assertEqual(client.ask(f"m{nothing:x},4"), "E0e")
            self.assertEqual(client.ask(f"M{nothing:x},1:00"), "E0e")
            for wrong in ("m", "m1", "m1,", "m1,1,", "mg,1", f"M{at:x},2:00", f"M{at:x},2:0000g",
                          "m11111111111111111,1", f"M{at:x},ffffffffffffffff:00", "X0", "G00x",
                          "P", "P1", "P999=0", "p", "pffff", "Z0", "Z9,0,0", "Z0,0", "Z2,0,0",
                          "Hq1", "Hg9", "T2", "T", "vCont;x", "vCont;", "Cx", "qRcmd,0",
                          "qXfer:features:read:target.xml:ffffff,1", "qXfer:features:read:x:0,1"):
                self.assertRegex(client.ask(wrong), "^E[0-9a-f]{2}$", wrong)
            for unknown in ("vMustReplyEmpty", "qUnknown", "QUnknown", "", "\xff", "vCont", "b"):
                self.assertEqual(client.ask(unknown.encode("latin1")), "", unknown)

    @on()
    def test_rom_by_physical_address(self, name, guest):
        """A store of the guest's would go to the flash's commands, or nowhere."""
        rom = {"arm": 0, "i386": 0xfffffff0, "x86_64": 0xfffffff0}.get(name, 0x1fc00000)
        with Machine(name) as machine, Client(machine) as client:
            self.assertEqual(client.ask("Qqemu.PhyMemMode:1"), "OK")
            self.assertEqual(client.ask(f"M{rom:x},4:90408e41"), "OK")
            self.assertEqual(client.ask(f"m{rom:x},4"), "90408e41")
            self.assertEqual(client.ask("M7fffff000000,1:00"), "E0e")

    @on()
    def test_registers(self, name, guest):
        symbol = symbols(guest)
        with Machine(name) as machine, Client(machine) as client:
            registers = client.ask("g")
            self.assertEqual(client.ask("G" + registers), "OK")
            self.assertEqual(client.ask("g"), registers)
            value = "a5" * (guest.bits // 8)
            self.assertEqual(client.ask(f"P3={value}"), "OK")
            self.assertEqual(client.ask("p3"), value)
            self.assertEqual(client.ask("P3=" + value[:-1]), "E16")
            xml, part = "", "m"
            while part[0] == "m":
                part = client.ask(f"qXfer:features:read:target.xml:{len(xml):x},100")
                xml += part[1:]
            self.assertIn("</target>", xml)

    @on("arm")
    def test_too_many_points(self, name, guest):
        with Machine(name) as machine, Client(machine) as client:
            replies = [client.ask(f"Z{kind},{address:x},4")
                       for kind in (0, 2) for address in range(0, 4 * 300, 4)]
            self.assertEqual(set(replies), {"OK", "E1c"})
            self.assertEqual(client.ask("Z2,0,fffffff"), "E1c")

    @on("arm")
    def test_one_at_a_time_and_hang_ups(self, name, guest):
        symbol = symbols(guest)
        with Machine(name, held=False) as machine:
            with Client(machine) as client:
                self.assertRegex(client.ask("?"), "^T05")
                with Client(machine) as other:
                    self.assertIsNone(other.receive())
                self.assertEqual(client.ask(f"Z0,{symbol['inner']:x},4"), "OK")
                client.send("c")  # and leaves, with a breakpoint set
            for _ in range(20):
                with Client(machine) as client:
                    client.raw(b"$m0,")
            with Client(machine) as client:
                before = self.word(name, client, symbol["counter"])
                self.assertEqual(client.ask("D"), "OK")
            time.sleep(0.1)
            with Client(machine) as client:
                self.assertGreater(self.word(name, client, symbol["counter"]), before)

    @on("arm")
    def test_acknowledgements(self, name, guest):
        with Machine(name) as machine, Client(machine) as client:
            client.raw(b"-")  # nothing was said yet
            client.raw(b"$?#00")
            self.assertEqual(client.byte(), b"-")
            client.raw(b"$?#3f")
            self.assertEqual(client.byte(), b"+")
            self.assertEqual(client.receive(), "T05thread:1;")
            client.raw(b"-")
            self.assertEqual(client.receive(), "T05thread:1;")
            client.raw(b"$m0$?#3f")  # the first one was cut off
            self.assertEqual(client.receive(), "T05thread:1;")
            client.raw(b"$?#$?#3f")
            self.assertEqual(client.receive(), "T05thread:1;")
            self.assertEqual(client.ask("QStartNoAckMode"), "OK")
            client.no_ack = True
            client.send("?")
            first = client.byte()
            self.assertEqual(first, b"$")
            client.bytes = first + client.bytes
            self.assertEqual(client.receive(), "T05thread:1;")
            client.raw(b"garbage\0\xff\x04#00+++---")
            self.assertEqual(client.ask("qC"), "QC1")
            client.send(b"m0," + b"1" * 40000)
            self.assertEqual(client.receive(), "E16")

    @on("arm")
    def test_floods_keep_nobody_waiting(self, name, guest):
        with Machine(name, "-serial", "null", "-monitor", "stdio") as machine, \
                Client(machine) as client:
            client.socket.setblocking(False)
            for flood in (b"$g#67", b"$?#3f", b"\x03", b"\xff" * 999, b"$", b"$?#3e", b"-"):
                deadline = time.time() + 0.3
                while time.time() < deadline:  # without ever reading
                    try:
                        client.socket.send(flood * 100)
                    except BlockingIOError:
                        time.sleep(0.01)
                machine.process.stdin.write(b"info status\n")
                machine.process.stdin.flush()
                asked = time.time()
                while b"VM status" not in machine.process.stdout.readline():
                    pass
                self.assertLess(time.time() - asked, 10)
        with Machine(name) as machine, Client(machine) as client:
            self.assertEqual(client.ask("QStartNoAckMode"), "OK")
            client.no_ack = True
            client.raw(b"$?#3f+" * 2000)
            for _ in range(2000):
                self.assertEqual(client.receive(), "T05thread:1;")

    @on("arm")
    def test_monitor(self, name, guest):
        with Machine(name, "-serial", "null", "-monitor", "stdio", held=False) as machine, \
                Client(machine) as client:
            client.send("qRcmd," + b"info mtree".hex())
            text = ""
            while (part := client.receive()) != "OK":
                self.assertEqual(part[0], "O")
                text += bytes.fromhex(part[1:]).decode()
            self.assertIn("pl011", text)
            client.send("c")
            machine.process.stdin.write(b"stop\n")
            machine.process.stdin.flush()
            self.assertEqual(client.receive(), "T02thread:1;")
            client.send("c")
            machine.process.stdin.write(b"quit\n")
            machine.process.stdin.flush()
            self.assertEqual(client.receive(), "W00")
            self.assertIsNone(client.receive())
            self.assertEqual(machine.process.wait(SECONDS), 0)

    @on("arm", "mipsel")
    def test_kill_and_restart(self, name, guest):
        symbol = symbols(guest)
        with Machine(name) as machine, Client(machine) as client:
            self.stop(client, guest, symbol["spin"])
            self.assertEqual(self.word(name, client, symbol["counter"]), 1)
            client.send("R00")
            self.assertEqual(client.ask("?"), "T05thread:1;")
            self.stop(client, guest, symbol["spin"])
            self.assertEqual(client.ask("vKill;1"), "OK")
            self.assertEqual(machine.process.wait(SECONDS), 0)


class CommandLine(unittest.TestCase):
    def says(self, *options):
        done = subprocess.run([os.path.join(BUILD, "calque-system-arm"), "-M", "virt", "-display",
                               "none", "-kernel", GUESTS["arm"].program, *options],
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, timeout=SECONDS, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertEqual(done.stdout.count(b"\n"), 1, done.stdout)
        return done.stdout.decode()

    def test_mistakes(self):
        if not GUESTS["arm"].program:
            self.skipTest("there is no ARM compiler")
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            self.assertIn(f"port {port} is taken", self.says("-gdb", f"tcp::{port}"))
        for wrong in ("tcp:", "tcp::", "tcp::x", "tcp::0", "tcp::70000", "tcp::1234x", "unix:", "udp::1",
                      "", "tcp:no such host:1", "unix:" + "x" * 200, "tcp::1234,bogus",
                      "tcp::1234,wait=on", "unix:/no/such/folder/x", "unix:/etc/passwd"):
            self.assertIn("-gdb", self.says("-gdb", wrong))

    def test_where_it_listens(self):
        if not GUESTS["arm"].program:
            self.skipTest("there is no ARM compiler")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        with subprocess.Popen(
                [os.path.join(BUILD, "calque-system-arm"), "-M", "virt", "-display", "none", "-S",
                 "-gdb", f"tcp::{port}", "-kernel", GUESTS["arm"].program],
                stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            deadline = time.time() + SECONDS
            while time.time() < deadline:
                try:
                    with socket.create_connection(("127.0.0.1", port), SECONDS) as client:
                        client.sendall(b"$?#3f")
                        self.assertEqual(client.recv(1), b"+")
                    break
                except ConnectionRefusedError:
                    time.sleep(0.05)
            with open("/proc/net/tcp", encoding="ascii") as table:
                lines = [line.split()[1] for line in table if f":{port:04X} " in line]
            self.assertTrue(lines and all(line.startswith("0100007F") for line in lines), lines)
            process.kill()

    def test_stale_sockets(self):
        if not GUESTS["arm"].program:
            self.skipTest("there is no ARM compiler")
        with Machine("arm") as machine:
            path = machine.path
            self.assertIn("another program listens", self.says("-gdb", f"unix:{path}"))
        self.assertTrue(os.path.exists(path))  # it was killed
        with subprocess.Popen([os.path.join(BUILD, "calque-system-arm"), "-M", "virt", "-display",
                               "none", "-S", "-gdb", f"unix:{path}", "-kernel",
                               GUESTS["arm"].program], stdin=subprocess.DEVNULL) as process:
            for _ in range(500):
                try:
                    with socket.socket(socket.AF_UNIX) as client:
                        client.connect(path)
                    break
                except ConnectionRefusedError:
                    time.sleep(0.02)
            else:
                self.fail("it does not listen")
            process.terminate()
            self.assertEqual(process.wait(SECONDS), 0)
        self.assertFalse(os.path.exists(path))


if __name__ == "__main__":
    unittest.main()
