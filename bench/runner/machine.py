# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine that runs a benchmark guest, and the protocol it is driven by (docs/testing.md)."""
import re
import time

from .arithmetic import best_ns
from .console import Console, Trouble

PROTOCOL = 1
START_SECONDS = 60
STARTS = 3         # after so many failures to start a machine is given up
QUIT_SECONDS = 2   # a guest that cannot power off is simply ended


class Machine:
    """name: calque, peer, native... It is stopped but while it starts or runs a row; it starts
    again by itself after a row that went wrong."""

    def __init__(self, name, command, argv0=None):
        self.name = name
        self.command = command
        self.argv0 = argv0
        self.console = None
        self.rows = None
        self.failed_starts = 0

    def start(self, seconds=START_SECONDS):
        """Raises Trouble if it does not come up."""
        if self.console:
            return
        if self.failed_starts >= STARTS:
            raise Trouble("does not start any more")
        try:
            self.console = Console(self.command, self.argv0)
            deadline = time.monotonic() + seconds
            self.greet(deadline)
            rows = self.list_rows(deadline)
            if self.rows is not None and rows != self.rows:
                raise Trouble("lists other rows than before")
            self.rows = rows
            self.console.stop()
        except Trouble as trouble:
            self.failed_starts += 1
            raise self.explained(trouble) from trouble
        self.failed_starts = 0

    def greet(self, deadline):
        # Firmware may have said something before, without ending its line.
        _, (version,), _ = self.console.read_until(rb"bench (\d{1,6})\r?\n", deadline)
        if int(version) != PROTOCOL:
            raise Trouble("does not speak version %d of the protocol" % PROTOCOL)

    def list_rows(self, deadline):
        self.console.send("list\n")
        rows = {}
        while (line := self.console.read_line(deadline)[0]) != "end":
            match = re.fullmatch(r"row ([A-Za-z0-9_.+-]{1,40}) ([a-z-]{1,24}) ([1-9]\d{0,8})", line)
            if not match:
                raise Trouble(unexpected(line))
            if match[1] in rows:
                raise Trouble("lists %s twice" % match[1])
            rows[match[1]] = (match[2], int(match[3]))
        return rows

    def run(self, row, milliseconds, samples, seconds):
        """The best sample's nanoseconds per operation, and the checksum and the wanted one."""
        self.start()
        self.console.resume()
        deadline = time.monotonic() + seconds
        try:
            result = self.converse(row, milliseconds, samples, deadline)
            self.console.stop()
        except Trouble as trouble:
            raise self.explained(trouble) from trouble
        return result

    def converse(self, row, milliseconds, samples, deadline):
        self.console.send("run %s %d %d\n" % (row, milliseconds, samples))
        turns = int(self.expect(r"turns ([1-9]\d{0,9})", deadline)[0][1])
        times = []
        for _ in range(samples):
            _, begin = self.expect("go", deadline)
            _, end = self.expect("done", deadline)
            # Both at once: this program was not woken in between, and the sample is void.
            if end > begin:
                times.append(end - begin)
        sums = self.expect(r"sum (?:0x)?([0-9a-fA-F]{1,16}) (?:0x)?([0-9a-fA-F]{1,16})", deadline)[0]
        self.expect("end", deadline)
        if not times:
            raise Trouble("took no time for its samples")
        return best_ns(times, turns, self.rows[row][1]), int(sums[1], 16), int(sums[2], 16)

    def expect(self, pattern, deadline):
        line, arrived_ns = self.console.read_line(deadline)
        match = re.fullmatch(pattern, line)
        if not match:
            raise Trouble(line[:200] if line.startswith("error ") else unexpected(line))
        return match, arrived_ns

    def explained(self, trouble):
        """Ends the machine; its last lines become part of what is said."""
        if not self.console:
            return trouble
        lines = self.console.last_lines()
        self.close()
        return Trouble("\n    | ".join(["%s" % trouble] + lines))

    def finish(self):
        """Asks it to power off, and sees that it is gone."""
        if not self.console:
            return
        try:
            self.console.resume()
            self.console.send("quit\n")
            self.console.wait(QUIT_SECONDS)
        except Trouble:
            pass
        self.close()

    def close(self):
        if self.console:
            self.console.close()
            self.console = None


def unexpected(line):
    return "said %r out of turn" % line[:100]
