# SPDX-License-Identifier: GPL-2.0-or-later
"""A program with its console on two pipes: what it says is read with the time of its arrival."""
import ctypes
import os
import re
import select
import signal
import subprocess
import tempfile
import time

CHUNK_BYTES = 65536
TAIL_BYTES = 2000
LINE_BYTES = 4096      # a line may be this long,
CONSOLE_BYTES = 4 << 20  # and this much may be said before what is waited for
PR_SET_PDEATHSIG = 1
libc = ctypes.CDLL(None)


class Trouble(Exception):
    """What a machine did wrong, in a few words."""


def die_with_parent():
    """In the child: so that nothing is left running, or stopped, whatever happens to us."""
    libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def printable(data):
    text = re.sub(rb"\x1b\[[0-9;?]*[A-Za-z]", b"", data).replace(b"\r", b"").decode("ascii", "replace")
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


class Console:
    def __init__(self, command, argv0=None, folder=None):
        self.errors = tempfile.TemporaryFile()
        self.buffer = bytearray()
        self.tail = bytearray()
        self.usage = None
        self.status = None
        self.started_ns = time.monotonic_ns()
        try:
            self.process = subprocess.Popen(
                [argv0 or command[0]] + command[1:], executable=command[0], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=self.errors, bufsize=0, start_new_session=True,
                preexec_fn=die_with_parent, cwd=folder)
        except OSError as error:
            self.errors.close()
            raise Trouble("cannot be started: %s" % error) from error
        self.fd = self.process.stdout.fileno()
        self.arrived_ns = self.started_ns

    def send(self, text):
        try:
            self.process.stdin.write(text.encode("ascii"))
        except OSError as error:
            raise Trouble(self.wait_status("died")) from error

    def read_more(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self.fd], [], [], left)[0]:
            raise Trouble("said nothing more in time")
        data = os.read(self.fd, CHUNK_BYTES)
        self.arrived_ns = time.monotonic_ns()
        if not data:
            raise Trouble(self.wait_status("died"))
        self.buffer += data
        self.tail += data
        del self.tail[:-TAIL_BYTES]

    def read_line(self, deadline):
        """The next line, without its end, and when its end came."""
        while (end := self.buffer.find(b"\n")) < 0:
            if len(self.buffer) > LINE_BYTES:
                raise Trouble("printed a line without an end")
            self.read_more(deadline)
        line = self.buffer[:end].replace(b"\r", b"").decode("ascii", "replace")
        del self.buffer[:end + 1]
        return line, self.arrived_ns

    def read_until(self, pattern, deadline):
        """What comes before the pattern (bytes), the match, and when its end came."""
        while not (match := re.search(pattern, self.buffer)):
            if len(self.buffer) > CONSOLE_BYTES:
                raise Trouble("printed too much")
            self.read_more(deadline)
        before, groups = bytes(self.buffer[:match.start()]), match.groups()
        end = match.end()
        del match  # it holds the buffer, which cannot shrink then
        del self.buffer[:end]
        return before, groups, self.arrived_ns

    def stop(self):
        """All of it has stopped, or ended, when this returns."""
        os.kill(self.process.pid, signal.SIGSTOP)
        os.waitid(os.P_PID, self.process.pid, os.WSTOPPED | os.WEXITED | os.WNOWAIT)

    def resume(self):
        os.kill(self.process.pid, signal.SIGCONT)

    def cpu_seconds(self):
        """Of all its threads, so far (the CPU-time clock of another process, clock_getcpuclockid(3))."""
        try:
            return time.clock_gettime((~self.process.pid << 3) | 2)
        except OSError:
            return None

    def wait(self, seconds):
        """Whether it ended in time. Its resource usage is kept."""
        deadline = time.monotonic() + seconds
        while self.status is None:
            pid, status, usage = os.wait4(self.process.pid, os.WNOHANG)
            if pid:
                self.status, self.usage = os.waitstatus_to_exitcode(status), usage
                self.process.returncode = self.status
            elif time.monotonic() > deadline:
                return False
            else:
                time.sleep(0.005)
        return True

    def wait_status(self, what):
        if not self.wait(1):
            return "closed its console"
        if self.status < 0:
            return "%s of signal %d (%s)" % (what, -self.status, signal.Signals(-self.status).name)
        return "%s with status %d" % (what, self.status)

    def last_lines(self, count=6):
        self.errors.seek(0, os.SEEK_END)
        size = self.errors.tell()
        self.errors.seek(max(0, size - TAIL_BYTES))
        lines = []
        for data in (bytes(self.tail), self.errors.read()):
            lines += [line for line in printable(data).splitlines() if line.strip()][-count:]
        return lines

    def close(self):
        """Ends it at once, if it has not ended."""
        if self.status is None and not self.wait(0):
            os.kill(self.process.pid, signal.SIGKILL)
            self.wait(30)
        self.process.stdin.close()
        self.process.stdout.close()
        self.errors.close()
