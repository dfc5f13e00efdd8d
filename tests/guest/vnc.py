# SPDX-License-Identifier: GPL-2.0-or-later
"""A client of the VNC server, for tests of it."""
import base64
import os
import struct

SECONDS = 30
XK = {"ctrl": 0xFFE3, "alt": 0xFFE9, "ret": 0xFF0D, "up": 0xFF52}
# A boot sector that shows what is typed: int 0x16 reads a key, int 0x10 writes it.
ECHO = bytes.fromhex("b400cd16b40ebb0700cd10ebf3").ljust(510, b"\0") + b"\x55\xaa"


class Client:
    """A viewer that knows raw pixels, and sizes that change: the server's, and ones it asks for."""

    def __init__(self, connected, websocket=False):
        self.socket = connected
        self.socket.settimeout(SECONDS)
        self.websocket = websocket
        self.waiting = b""
        if websocket:
            self.handshake()
        self.version = self.read(12)
        self.write(b"RFB 003.008\n")
        self.read(self.read(1)[0])  # what authentications there are
        self.write(b"\x01")  # none
        assert self.read(4) == b"\0\0\0\0"
        self.write(b"\x01")  # shared
        self.width, self.height = struct.unpack(">HH", self.read(4))
        self.read(16)
        self.name = self.read(struct.unpack(">I", self.read(4))[0]).decode()
        # 32 bits, little-endian, 0x00rrggbb; raw pixels and DesktopSize.
        self.write(struct.pack(">B3xBBBBHHHBBB3x", 0, 32, 24, 0, 1, 255, 255, 255, 16, 8, 0))
        self.write(struct.pack(">BxHii", 2, 2, 0, -223))
        self.pixels = bytearray(4 * self.width * self.height)
        self.answers = []
        self.extended_keys = False

    def handshake(self):
        key = base64.b64encode(os.urandom(16)).decode()
        self.socket.sendall(
            (f"GET /websockify HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\n"
             f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nOrigin: http://localhost\r\n"
             "Sec-WebSocket-Protocol: binary\r\nSec-WebSocket-Version: 13\r\n\r\n").encode())
        answer = b""
        while not answer.endswith(b"\r\n\r\n"):
            answer += self.socket.recv(1)
        assert b" 101 " in answer, answer

    def receive(self, size):
        data = b""
        while len(data) < size:
            part = self.socket.recv(size - len(data))
            if not part:
                raise EOFError
            data += part
        return data

    def read(self, size):
        while self.websocket and len(self.waiting) < size:
            kind, length = self.receive(2)
            assert kind == 0x82, kind
            if length == 126:
                length = struct.unpack(">H", self.receive(2))[0]
            elif length == 127:
                length = struct.unpack(">Q", self.receive(8))[0]
            self.waiting += self.receive(length)
        if self.websocket:
            data, self.waiting = self.waiting[:size], self.waiting[size:]
            return data
        return self.receive(size)

    def write(self, data):
        if self.websocket:
            mask = os.urandom(4)
            data = struct.pack("BB", 0x82, 0x80 | len(data)) + mask + bytes(
                byte ^ mask[i % 4] for i, byte in enumerate(data))
        self.socket.sendall(data)

    def update(self, incremental=True):
        self.write(struct.pack(">BBHHHH", 3, incremental, 0, 0, self.width, self.height))
        self.take_update()

    def take_update(self):
        kind, rectangles = struct.unpack(">BxH", self.read(4))
        assert kind == 0, kind
        for _ in range(rectangles):
            x, y, width, height, encoding = struct.unpack(">HHHHi", self.read(12))
            if encoding == -258:
                self.extended_keys = True
                continue
            if encoding == -308:
                self.receive_screens(x, y)
            if encoding in (-223, -308):
                self.width, self.height = width, height
                self.pixels = bytearray(4 * width * height)
                continue
            assert encoding == 0, encoding
            for row in range(y, y + height):
                start = 4 * (row * self.width + x)
                self.pixels[start:start + 4 * width] = self.read(4 * width)

    def key(self, keysym, *, down):
        self.write(struct.pack(">BBxxI", 4, down, keysym))

    def press(self, *keysyms):
        for keysym in keysyms:
            self.key(keysym, down=True)
        for keysym in reversed(keysyms):
            self.key(keysym, down=False)

    def type(self, text):
        for character in text:
            self.press(XK["ret"] if character == "\n" else ord(character))

    def ask_extended_keys(self):
        """QEMU's extended key events; the server answers at once."""
        self.write(struct.pack(">BxHiii", 2, 3, 0, -223, -258))
        self.take_update()
        assert self.extended_keys

    def extended_key(self, code, *, down, keysym=0):
        self.write(struct.pack(">BBHII", 255, 0, down, keysym, code))

    def pointer(self, x, y, buttons=0):
        self.write(struct.pack(">BBHH", 5, buttons, x, y))

    def ask_size(self, width, height):
        """Returns the server's answer: 4, it was passed on; 3, it cannot be."""
        self.answers.clear()
        self.write(struct.pack(">BxHiii", 2, 3, 0, -223, -308))  # ExtendedDesktopSize
        self.write(struct.pack(">BxHHBxIHHHHI", 251, width, height, 1, 0, 0, 0, width, height, 0))
        while not self.answers:
            self.update()
        return self.answers[0]

    def receive_screens(self, reason, answer):
        self.read(16 * struct.unpack(">Bxxx", self.read(4))[0])
        if reason == 1:
            self.answers.append(answer)
