#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Programs on the Malta board of every MIPS guest: the monitor's services, power-off, reset."""
import os
import signal
import struct
import subprocess
import tempfile
import unittest

BUILD = os.environ.get("CALQUE_BUILD", "build")
GUESTS = {"mips": ">", "mipsel": "<", "mips64": ">", "mips64el": "<"}
SECONDS = 60
TEXT = 0x40  # where a program's text is

# Started at 0x80100000 as a raw program.
PRINT = [
    0x3C058010,  # lui   $a1, 0x8010
    0x34A50000 | TEXT,  # ori $a1, $a1, TEXT
    0x3C08BFC0,  # lui   $t0, 0xbfc0
    0x8D190534,  # lw    $t9, 0x534($t0): print
    0x0320F809,  # jalr  $t9
    0x00000000,  # nop
]
POWER_OFF = [
    0x3C08B800,  # lui   $t0, 0xb800: I/O ports
    0x24090020,  # li    $t1, 0x20: suspend enable; type 0 is soft-off
    0xA1001004,  # sb    $0, 0x1004($t0)
    0xA1091005,  # sb    $t1, 0x1005($t0)
]
RESET = [
    0x3C08BF00,  # lui   $t0, 0xbf00: the FPGA
    0x24090042,  # li    $t1, 0x42
    0xAD090500,  # sw    $t1, 0x500($t0)
]
WAIT = [0x1000FFFF, 0]  # b .


def program(order, *parts):
    words = [word for part in parts for word in part] + WAIT
    return struct.pack(f"{order}{len(words)}I", *words).ljust(TEXT, b"\0") + b"on the board\r\n\0"


class Start(unittest.TestCase):
    def start(self, guest, image, *options):
        binary = os.path.join(BUILD, f"calque-system-{guest}")
        return subprocess.Popen(
            [binary, "-M", "malta", "-m", "64M", "-nographic", "-kernel", image, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def ends(self, guest, order, part, *options):
        with tempfile.NamedTemporaryFile() as file:
            file.write(program(order, PRINT, part))
            file.flush()
            process = self.start(guest, file.name, *options)
            try:
                output = process.communicate(timeout=SECONDS)[0]
            finally:
                process.kill()
                process.wait()
        self.assertEqual(output, b"on the board\r\n", guest)
        self.assertEqual(process.returncode, 0, guest)

    def test_power_off(self):
        for guest, order in GUESTS.items():
            self.ends(guest, order, POWER_OFF)
            self.ends(guest, order, POWER_OFF, "--interp")

    def test_reset(self):
        for guest, order in GUESTS.items():
            self.ends(guest, order, RESET, "-no-reboot")

    def test_starts_again(self):
        for guest, order in GUESTS.items():
            with tempfile.NamedTemporaryFile() as file:
                file.write(program(order, PRINT, RESET))
                file.flush()
                process = self.start(guest, file.name)
                signal.alarm(SECONDS)
                try:
                    for _ in range(3):
                        self.assertEqual(process.stdout.readline(), b"on the board\r\n", guest)
                finally:
                    signal.alarm(0)
                    process.kill()
                    process.communicate()


if __name__ == "__main__":
    unittest.main()
