# SPDX-License-Identifier: GPL-2.0-or-later
"""What each workload of tables.py must print, worked out here."""
import hashlib


def digest(data):
    return hashlib.sha256(data).hexdigest() + "  -"


def gzip_text():
    return b"".join(b"%d\n" % i for i in range(1, 320001))[:2097152]


def sorted_lines():
    x, n, lines = 1, 0, []
    while n < 2097152:
        x = (x * 1103 + 12345) % 1000003
        n += len(str(x)) + 1
        lines.append(b"%d\n" % x)
    return b"".join(sorted(lines))


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
    "gzip": lambda: digest(gzip_text()),
    "sha256sum": lambda: digest(bytes(16777216)),
    "awk_float": awk_sums,
    "sort": lambda: digest(sorted_lines()),
    "dd": lambda: digest(bytes(32768 * 1024)),
    "shell_loop": shell_sum,
}
