# SPDX-License-Identifier: GPL-2.0-or-later
"""What each workload of tables.py must print, worked out here."""
import hashlib

from .tables import TEXT_LINES


def digest(data):
    return hashlib.sha256(data).hexdigest() + "  -"


def text_lines():
    return [b"%d quick %d brown %d fox %d\n" % (i * 7919 % 65537, i * i % 99991, i * 31337 % 65521, i)
            for i in range(1, TEXT_LINES + 1)]


def awk_sums():
    s = t = 0.0
    for i in range(1, 200001):
        s += 1 / i
        t = t * 0.5 + i
    return "%.6f %.3f" % (s, t)


def shell_sum():
    s = 0
    for i in range(40000):
        s = (s * 3 + i) % 65521
    return "sum %d" % s


ANSWERS = {
    "fork_exec": lambda: "loops 200",
    "pipe_pingpong": lambda: "turns 2000",
    "gzip": lambda: digest(b"".join(text_lines())),
    "sha256sum": lambda: digest(bytes(16777216)),
    "awk_float": awk_sums,
    "sort": lambda: digest(b"".join(sorted(text_lines()))),
    "dd": lambda: "bytes 33554432",
    "shell_loop": shell_sum,
}
