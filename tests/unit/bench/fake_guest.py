#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Speaks the benchmark's protocol, and goes wrong in the way the name of each row says.
    fake_guest.py [start=HOW] [milliseconds=N] [sum=HEX]"""
import os
import signal
import sys
import time

ROWS = ("honest", "lies", "hangs", "exits", "crashes", "garbage", "endless", "reports", "instant", "tardy", "differs",
        "last")
options = dict(word.split("=") for word in sys.argv[1:])
sample_seconds = float(options.get("milliseconds", "15")) / 1000


def say(*lines):
    os.write(1, "".join(line + "\n" for line in lines).encode())


def endless():
    try:
        while True:
            os.write(1, b"x" * 4096)
    except OSError:
        sys.exit(1)


def run(row, samples):
    if row == "reports":
        return say("error undefined instruction at 1234")
    say("turns 10")
    if row == "garbage":
        os.write(1, bytes(range(256)) + b"\n")
    if row == "endless":
        endless()
    if row == "tardy":
        say("go")
        time.sleep(3600)
    for _ in range(samples):
        if row == "instant":
            say("go", "done")
            continue
        say("go")
        if row == "hangs":
            time.sleep(3600)
        if row == "exits":
            print("the fake guest gives up", file=sys.stderr)
            sys.exit(3)
        if row == "crashes":
            os.kill(os.getpid(), signal.SIGSEGV)
        time.sleep(sample_seconds)
        say("done")
    wanted = options.get("sum", "beef") if row == "differs" else "beef"
    say("sum %s %s" % ("dead" if row == "lies" else wanted, wanted), "end")


def main():
    start = options.get("start", "well")
    if start == "silent":
        time.sleep(3600)
    if start == "dead":
        print("no such machine", file=sys.stderr)
        sys.exit(1)
    # Firmware does not end its line.
    os.write(1, b"\x1b[2JBIOS\r\nBooting from ROM..")
    say("bench 2\r" if start == "newer" else "bench 1\r")
    for line in sys.stdin:
        words = line.split()
        if words[0] == "list":
            say(*["row %s control 2" % row for row in ROWS])
            say("row honest control 2" if start == "twice" else "end")
        elif words[0] == "run":
            run(words[1], int(words[3]))
        elif words[0] == "quit":
            return


main()
