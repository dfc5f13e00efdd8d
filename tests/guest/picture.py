# SPDX-License-Identifier: GPL-2.0-or-later
"""Pictures of screens, and the text on them."""
import functools
import lzma
import re
import struct
import zlib

VGABIOS = "/usr/share/seabios/vgabios-stdvga.bin"
HEIGHT = 16  # of a character


class Picture:
    """Rows of RGB bytes."""

    def __init__(self, width, height, rows):
        self.width, self.height, self.rows = width, height, rows

    def __eq__(self, other):
        return (self.width, self.height) == (other.width, other.height) and self.rows == other.rows

    def crop(self, x, y, width, height):
        rows = [row[3 * x:3 * (x + width)] for row in self.rows[y:y + height]]
        return Picture(width, height, rows)

    def differing(self, other, tolerance=0):
        """How many pixels differ, by more than that in one of the colours."""
        count = 0
        for mine, theirs in zip(self.rows, other.rows):
            if mine != theirs:
                for i in range(0, len(mine), 3):
                    count += any(abs(a - b) > tolerance
                                 for a, b in zip(mine[i:i + 3], theirs[i:i + 3]))
        return count

    def save(self, path):
        """As PNG."""
        def chunk(kind, data):
            crc = struct.pack(">I", zlib.crc32(kind + data))
            return struct.pack(">I", len(data)) + kind + data + crc
        data = zlib.compress(b"".join(b"\0" + row for row in self.rows))
        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        with open(path, "wb") as file:
            file.write(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) +
                       chunk(b"IEND", b""))


def from_bgr(width, height, pixels):
    """Of four bytes a pixel: blue, green, red, nothing."""
    rows = []
    for y in range(height):
        row = pixels[4 * width * y:4 * width * (y + 1)]
        rgb = bytearray(3 * width)
        for i in range(3):
            rgb[i::3] = row[2 - i::4]
        rows.append(bytes(rgb))
    return Picture(width, height, rows)


def read_ppm(data):
    """Either of the format's two forms."""
    data = re.sub(rb"\A(P[36]\s+)#[^\n]*\n", rb"\1", data)
    kind, width, height = re.match(rb"(P[36])\s+(\d+)\s+(\d+)\s+255\s", data).groups()
    pixels = data[re.match(rb"P[36]\s+\d+\s+\d+\s+255\s", data).end():]
    width, height = int(width), int(height)
    if kind == b"P3":
        pixels = bytes(map(int, pixels.split()))
    if len(pixels) != width * height * 3:
        raise AssertionError(f"{len(pixels)} bytes for {width} x {height} pixels")
    return Picture(width, height,
                   [pixels[3 * width * y:3 * width * (y + 1)] for y in range(height)])


FIRST_GLYPHS = bytes(HEIGHT) + bytes.fromhex("00007e81a58181bd9981817e00000000")
# How compressed parts of a kernel's file begin, and what unpacks them.
PACKED = [(b"\x1f\x8b\x08", lambda: zlib.decompressobj(31)),
          (b"\xfd7zXZ\0", lzma.LZMADecompressor),
          (b"\x5d\0\0", lambda: lzma.LZMADecompressor(lzma.FORMAT_ALONE))]


def unpacked(data):
    """The data, and what is compressed in it."""
    yield data
    for magic, decompressor in PACKED:
        at = data.find(magic)
        while at >= 0:
            try:
                yield decompressor().decompress(data[at:])
            except (zlib.error, lzma.LZMAError, EOFError):
                pass
            at = data.find(magic, at + 1)


@functools.lru_cache
def font(path=VGABIOS):
    """Which characters have which pixels, a byte of 0 or 1 each, in rows of eight: the font that is
    found in a BIOS or a kernel."""
    with open(path, "rb") as file:
        found = next(part for part in unpacked(file.read()) if FIRST_GLYPHS in part)
    at = found.index(FIRST_GLYPHS)
    glyphs = {}
    for code in range(32, 127):
        bits = "".join(f"{byte:08b}" for byte in found[at + code * HEIGHT:at + (code + 1) * HEIGHT])
        glyphs.setdefault(bytes(map(int, bits)), chr(code))
    return glyphs


LIT = bytes([0]) + bytes([1] * 255)


def read_text(picture, width, glyphs):
    """The lines that a picture of characters says, which are so many pixels wide."""
    lit = []
    for row in picture.rows:
        red, green, blue = (int.from_bytes(row[i::3], "big") for i in range(3))
        lit.append((red | green | blue).to_bytes(picture.width, "big").translate(LIT))
    lines = []
    for top in range(0, picture.height // HEIGHT * HEIGHT, HEIGHT):
        line = ""
        for left in range(0, picture.width // width * width, width):
            line += glyphs.get(b"".join(row[left:left + 8] for row in lit[top:top + HEIGHT]), "?")
        lines.append(line.rstrip())
    return lines
