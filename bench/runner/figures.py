# SPDX-License-Identifier: GPL-2.0-or-later
"""Figures that are no times of rows: what calque counted while a kernel booted (-d stats_json)."""
import collections
import json
import os
import subprocess
import tempfile

from .console import Trouble
from .linux import BootedKernel

FIGURE = "figure"  # its class in the JSON
COUNTING = "stats_json"

# name: of the row; counter: what calque calls it.
Figure = collections.namedtuple("Figure", "name counter unit what")
FIGURES = (
    Figure("translation", "translate_ns_per_insn", "ns", "time in translation per guest instruction translated"),
    Figure("host_code", "host_bytes_per_insn", "bytes", "host code per guest instruction translated"),
    Figure("code_memory", "memory_per_guest_kib", "bytes", "host code and records per KiB of guest code translated"),
    Figure("unit_length", "insns_per_unit", "instructions", "guest instructions per unit"),
)


def choose(pattern):
    return [figure for figure in FIGURES if pattern.search(figure.name)]


def can_count(path):
    """Whether this calque prints statistics at all."""
    try:
        said = subprocess.run([path, "-d", "help"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              timeout=30, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return False
    return COUNTING in said.split()


def as_row(guest, figure, value):
    """Shaped like every row of the JSON, with nothing to compare."""
    row = {"guest": guest, "row": figure.name, "class": FIGURE}
    row.update(dict.fromkeys(("calque_ns", "peer_ns", "native_ns", "ratio", "native_ratio", "spread")))
    row.update(ok=True, noisy=False, value=value, unit=figure.unit)
    return row


def parse(text):
    """The counters in a log: the last line that is an object."""
    for line in reversed(text.splitlines()):
        if line.startswith("{"):
            try:
                return json.loads(line)
            except ValueError as error:
                raise Trouble("printed statistics that cannot be read: %s" % error) from error
    raise Trouble("printed no statistics")


def count_boot(command, argv0, seconds):
    """Boots to the shell and off; what was counted."""
    with tempfile.TemporaryDirectory() as folder:
        log = os.path.join(folder, "log")
        kernel = BootedKernel(command + ["-d", COUNTING, "-D", log], argv0)
        try:
            kernel.boot(seconds)
            kernel.finish()
        finally:
            kernel.close()
        try:
            with open(log, encoding="ascii", errors="replace") as lines:
                return parse(lines.read())
        except OSError as error:
            raise Trouble("left no log: %s" % error) from error


def rows_from(guest, counters, pattern):
    return [as_row(guest, figure, counters[figure.counter]) for figure in choose(pattern) if figure.counter in counters]
