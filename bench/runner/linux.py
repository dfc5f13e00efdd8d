# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel that boots to a shell, and the workloads typed into it."""
import time

from .console import Console, Trouble, printable

PROMPT = rb"# \x1b\[6n"
OFF_SECONDS = 60


class BootedKernel:
    """From the start of the process to its end. Times are wall nanoseconds and CPU seconds of the
    whole process."""

    def __init__(self, command, argv0=None, prompt=PROMPT, quiet="dmesg -n 1", off="poweroff -f", folder=None):
        self.prompt = prompt
        self.quiet = quiet
        self.off = off
        self.markers = 0
        self.console = Console(command, argv0, folder)

    def boot(self, seconds):
        _, _, arrived_ns = self.console.read_until(self.prompt, time.monotonic() + seconds)
        cpu = self.console.cpu_seconds()
        self.say(self.quiet + "; mkdir -p bench; cd bench", seconds)
        return arrived_ns - self.console.started_ns, cpu

    def marker(self):
        """What the shell shall compute, so that it is not found in what is echoed while typing, and
        the line that comes out."""
        self.markers += 1
        return "echo :$((%d+1)):" % self.markers, rb"(?:^|\n):%d:\r?\n" % (self.markers + 1)

    def say(self, command, seconds):
        """Types a command; what it answers."""
        if not command:
            return ""
        echo, marker = self.marker()
        return self.enter("%s; %s" % (command, echo), marker, seconds)[0]

    def enter(self, line, marker, seconds):
        """Types a line; what comes until the marker, and how long that takes."""
        begin_ns = time.monotonic_ns()
        deadline = time.monotonic() + seconds
        self.console.send(line + "\r")
        before, _, end_ns = self.console.read_until(marker, deadline)
        self.console.read_until(self.prompt, deadline)
        return printable(before), end_ns - begin_ns

    def work(self, workload, answer, seconds):
        """Typing takes a millisecond a character: the work is made a function first, whose call is
        timed."""
        self.say(workload.before, seconds)
        echo, marker = self.marker()
        self.say("w() { %s; %s; }" % (workload.command, echo), seconds)
        cpu = self.console.cpu_seconds()
        said, wall_ns = self.enter("w", marker, seconds)
        cpu_after = self.console.cpu_seconds()
        said += "\n" + self.say(workload.check, seconds)
        if answer not in (line.strip() for line in said.splitlines()):
            raise Wrong("%s gave not %r but %r" % (workload.name, answer, said[-300:]))
        return wall_ns, None if cpu is None or cpu_after is None else cpu_after - cpu

    def finish(self):
        try:
            self.console.send(self.off + "\r")
            if not self.console.wait(OFF_SECONDS):
                raise Trouble("did not switch off")
        finally:
            self.close()

    def close(self):
        self.console.close()


class Wrong(Exception):
    """A workload's result."""
