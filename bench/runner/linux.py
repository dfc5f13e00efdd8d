# SPDX-License-Identifier: GPL-2.0-or-later
"""A kernel that boots to a shell, and the workloads typed into it."""
import time

from .console import Console, Trouble, printable

PROMPT = rb"# \x1b\[6n"
OFF_SECONDS = 60


class LinuxSession:
    """From the start of the process to its end. Times are wall nanoseconds and CPU seconds of the
    whole process."""

    def __init__(self, command, argv0=None, prompt=PROMPT, off="poweroff -f", folder=None):
        self.prompt = prompt
        self.off = off
        self.markers = 0
        self.console = Console(command, argv0, folder)

    def boot(self, seconds):
        _, _, arrived_ns = self.console.read_until(self.prompt, time.monotonic() + seconds)
        cpu = self.console.cpu_seconds()
        self.say("dmesg -n 1; mkdir -p bench; cd bench", seconds)
        return arrived_ns - self.console.started_ns, cpu

    def say(self, command, seconds):
        """Types a command; what it answers, and the nanoseconds until a marker behind it. The
        marker is computed by the shell, so that what is echoed while typing is not taken for it."""
        if not command:
            return "", 0
        self.markers += 1
        line = "%s; echo :$((%d+1)):\r" % (command, self.markers)
        begin_ns = time.monotonic_ns()
        deadline = time.monotonic() + seconds
        self.console.send(line)
        before, _, end_ns = self.console.read_until(rb"(?:^|\n):%d:\r?\n" % (self.markers + 1), deadline)
        self.console.read_until(self.prompt, deadline)
        return printable(before), end_ns - begin_ns

    def work(self, workload, answer, seconds):
        """Typing takes time: the work is made a function first, and the call of it is timed."""
        self.say(workload.before, seconds)
        self.say("work() { %s; }" % workload.command, seconds)
        cpu = self.console.cpu_seconds()
        said, wall_ns = self.say("work", seconds)
        cpu_after = self.console.cpu_seconds()
        checked, _ = self.say(workload.check, seconds)
        if answer not in (line.strip() for line in (said + "\n" + checked).splitlines()):
            raise Wrong("%s gave not %r but %r" % (workload.name, answer, (said + checked)[-300:]))
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
