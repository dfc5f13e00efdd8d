#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A shell on a console that echoes, as a booted kernel offers it; with an argument, a panic."""
import os
import subprocess
import sys

print("[    0.000000] Booting Linux # not a prompt\r", flush=True)
if len(sys.argv) > 1:
    sys.exit("[    0.100000] Kernel panic - not syncing\r")
# The one that is told to exit is the shell: its end closes our output.
shell = subprocess.Popen(["sh", "-i"], stdin=subprocess.PIPE, stderr=subprocess.STDOUT, bufsize=0,
                         env={"PATH": os.environ["PATH"], "PS1": "~ # \x1b[6n", "LC_ALL": "C"})
while shell.poll() is None and (typed := os.read(0, 4096)):
    os.write(1, typed.replace(b"\r", b"\r\n"))
    shell.stdin.write(typed.replace(b"\r", b"\n"))
    if typed == b"exit\r":
        break
sys.exit(shell.wait())
