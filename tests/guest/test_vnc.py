#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The VNC server: pictures, keys, WebSocket, and clients that mean no good."""
import os
import re
import socket
import struct
import subprocess
import sys
import tempfile
import time
import unittest

from vnc import ECHO, SECONDS, XK, Client

BUILD = os.environ.get("CALQUE_BUILD", "build")


def has_vnc():
    result = subprocess.run([os.path.join(BUILD, "calque"), "-display", "help"],
                            stdout=subprocess.PIPE, check=True)
    return b"vnc" in result.stdout


def free_port():
    """Where nobody listens, nor below it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return free.getsockname()[1]


class Vnc(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, "vnc")
        self.kernel = os.path.join(folder.name, "kernel")
        with open(self.kernel, "wb") as file:
            file.write(b"\xfe\xff\xff\xea" * 16)

    def start(self, *options):
        return self.run_calque("arm", "-M", "virt", "-bios", self.kernel, "-name", "a guest",
                               *options)

    def run_calque(self, guest, *options):
        process = subprocess.Popen(
            [os.path.join(BUILD, f"calque-system-{guest}"), *options],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

        def stop():
            process.kill()
            process.communicate()
        self.addCleanup(stop)
        return process

    def start_unix(self, *options):
        process = self.start("-display", f"vnc=unix:{self.path}", *options)
        return self.wait_socket(process)

    def wait_socket(self, process):
        end = time.monotonic() + SECONDS
        while not os.path.exists(self.path):
            self.assertIsNone(process.poll())
            self.assertLess(time.monotonic(), end)
            time.sleep(0.05)
        return process

    def connect(self):
        connected = socket.socket(socket.AF_UNIX)
        connected.settimeout(SECONDS)
        connected.connect(self.path)
        self.addCleanup(connected.close)
        return connected

    def wait_quit(self, process):
        self.assertEqual(process.wait(timeout=SECONDS), 0)

    def quit_by_keys(self, process, client):
        client.press(XK["ctrl"], XK["alt"], ord("2"))
        client.type("quit\n")
        self.wait_quit(process)

    def test_pictures_and_keys(self):
        process = self.start_unix()
        client = Client(self.connect())
        self.assertEqual(client.name, "calque (a guest)")
        client.update(incremental=False)
        self.assertEqual((client.width, client.height), (640, 384))
        first = bytes(client.pixels)
        self.assertIn(b"\xaa\xaa\xaa\0", first)
        client.press(XK["ctrl"], XK["alt"], ord("2"))
        client.update()
        self.assertNotEqual(bytes(client.pixels), first)
        client.type("stop\ninfo status\n")
        client.update()
        client.update(incremental=False)
        client.pointer(10, 10, 1)
        client.pointer(10000, 65535, 0)
        self.quit_by_keys(process, client)
        self.assertFalse(os.path.exists(self.path))

    def test_sizes(self):
        """A size that a client asks for is the guest's to take, if its adapter is one that can."""
        process = self.start_unix("-device", "virtio-gpu-device", "-monitor", "stdio")

        def read_monitor():
            text = b""
            while not text.endswith(b"(calque) "):
                text += os.read(process.stdout.fileno(), 65536)
            return text

        def size():
            process.stdin.write(b"info qtree\n")
            process.stdin.flush()
            found = re.search(rb"virtio-gpu-device.*?width +([0-9a-f]+).*?height +([0-9a-f]+)",
                              read_monitor(), re.DOTALL)
            return int(found.group(1), 16), int(found.group(2), 16)
        read_monitor()
        client = Client(self.connect())
        self.assertEqual(size(), (1280, 800))
        self.assertEqual(client.ask_size(1600, 1000), 4)
        self.assertEqual(size(), (1600, 1000))
        client.ask_size(60000, 60000)
        self.assertEqual(size(), (1600, 1000))
        client.press(XK["ctrl"], XK["alt"], ord("2"))
        client.update()
        self.assertEqual(client.ask_size(800, 600), 3)
        self.assertEqual(size(), (1600, 1000))

    def test_websocket(self):
        port = free_port()
        process = self.start("-vnc", f":{port - 5900},websocket={port - 1}")
        end = time.monotonic() + SECONDS
        while True:
            try:
                connected = socket.create_connection(("127.0.0.1", port - 1), timeout=SECONDS)
                break
            except ConnectionRefusedError:
                self.assertIsNone(process.poll(), process.stdout and process.poll())
                self.assertLess(time.monotonic(), end)
                time.sleep(0.05)
        self.addCleanup(connected.close)
        client = Client(connected, websocket=True)
        client.update(incremental=False)
        self.assertIn(b"\xaa\xaa\xaa\0", bytes(client.pixels))
        self.quit_by_keys(process, client)

    def test_bad_clients(self):
        """Whatever they send, others are served and the monitor answers."""
        process = self.start_unix("-monitor", "stdio")
        bad = [b"", b"GET / HTTP/1.1\r\n", b"RFB 999.999\n", b"\0" * 100000, os.urandom(5000),
               b"RFB 003.008\n\x01\x01" + b"\x02\0\xff\xff" + os.urandom(300000),
               b"RFB 003.008\n\x01\x01" + b"\x06\0\0\0\xff\xff\xff\xff" + b"x" * 100000,
               b"RFB 003.008\n\x01\x01" + os.urandom(20000),
               b"GET /websockify HTTP/1.1\r\nUpgrade: websocket\r\n" + b"x" * 100000]
        for data in bad:
            connected = self.connect()
            connected.settimeout(1)
            try:
                connected.sendall(data)
            except OSError:
                pass
        # One that never takes what it asked for.
        greedy = Client(self.connect())
        for _ in range(2000):
            greedy.write(struct.pack(">BBHHHH", 3, 0, 0, 0, 640, 384))
        half = Client(self.connect())
        half.socket.sendall(b"\x04")  # the rest of a key never comes
        good = Client(self.connect())
        good.update(incremental=False)
        process.stdin.write(b"info status\nquit\n")
        process.stdin.flush()
        self.wait_quit(process)
        self.assertIn(b"VM status: running", process.stdout.read())

    def test_quitting(self):
        """However many clients do not take what they asked for, or leave messages half sent."""
        process = self.start_unix("-monitor", "stdio")
        clients = [Client(self.connect()) for _ in range(12)]
        for number, client in enumerate(clients):
            for _ in range(20):
                client.write(struct.pack(">BBHHHH", 3, 0, 0, 0, 640, 384))
            if number % 2:
                client.socket.sendall(b"\x04")
        time.sleep(1)
        start = time.monotonic()
        process.stdin.write(b"quit\n")
        process.stdin.flush()
        self.wait_quit(process)
        self.assertLess(time.monotonic() - start, 3)

    def start_echo(self, *options):
        """A PC that shows what is typed."""
        disk = os.path.join(os.path.dirname(self.path), "disk")
        with open(disk, "wb") as file:
            file.write(ECHO)
        process = self.run_calque("x86_64", "-m", "32M", "-fda", disk, "-boot", "a", "-monitor",
                                  "stdio", "-vnc", f"unix:{self.path}", *options)
        os.set_blocking(process.stdout.fileno(), False)
        self.wait_socket(process)
        self.wait_screen(process, "Booting from Floppy")
        return process

    def wait_screen(self, process, wanted):
        """The monitor says what is on the screen, in lines as long as that."""
        said = b""
        end = time.monotonic() + SECONDS
        while wanted not in said.decode().replace("\r", "").replace("\n", ""):
            self.assertLess(time.monotonic(), end, said)
            process.stdin.write(b"info screen\n")
            process.stdin.flush()
            time.sleep(0.1)
            said = process.stdout.read() or said

    def test_extended_keys(self):
        """A key by its place, with no character, or with one of another layout."""
        process = self.start_echo("-k", "de")
        client = Client(self.connect())
        client.ask_extended_keys()
        for code, keysym in ((0x15, 0), (0x2C, ord("y")), (0x35, ord("-")), (0xB5, 0), (0x7B, 0)):
            client.extended_key(code, down=True, keysym=keysym)
            client.extended_key(code, down=False, keysym=keysym)
        client.type("z")  # the other way still goes by the layout: Y's place
        self.wait_screen(process, "yz//y")
        client.write(b"\xff\x01" + bytes(10))  # not a key: no more is heard of this client
        self.assertRaises((EOFError, ConnectionError), client.read, 1 << 20)
        other = Client(self.connect())
        other.update(incremental=False)

    def test_typing_at_once(self):
        """More keys than a keyboard has room for, in the same moment."""
        process = self.start_echo()
        client = Client(self.connect())
        text = "".join(chr(ord("a") + i % 26) for i in range(200))
        client.write(b"".join(struct.pack(">BBxxI", 4, down, ord(letter))
                              for letter in text for down in (1, 0)))
        self.wait_screen(process, text)

    def test_mistakes(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            port = taken.getsockname()[1]
            for address in ("here", ":x", "unix:", ":0,passwort=x", ":0,websocket=maybe", ":99999",
                            ":0,lossy=x", ":0,key-delay-ms=x", ":0,key-delay-ms=5000",
                            f":{port - 5900}", "no.such.host.invalid:0", "unix:/no/such/folder/x"):
                process = self.start("-vnc", address)
                output = process.communicate(timeout=SECONDS)[0]
                self.assertEqual(process.returncode, 1, address)
                self.assertEqual(output.count(b"\n"), 1, output)
                self.assertIn(b"-vnc", output)


if __name__ == "__main__":
    if not has_vnc():
        print("calque was built without libvncserver")
        sys.exit(77)
    unittest.main()
