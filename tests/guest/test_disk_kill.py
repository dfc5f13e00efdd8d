#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""kill -9 while the guest writes: after the journal's replay the file system is consistent, and what
the guest had synced is there. CALQUE_TEST_LEVEL=all does it 50 times."""
import os
import random
import subprocess
import sys
import threading

from disk_guest import Disks, run_tests

SECONDS_TO_SYNC = 300
WAYS = [
    ("virt", "vda", "-drive file=IMAGE,if=virtio,format=raw"),
    ("mipsel", "sda", "-hda IMAGE"),
    ("x86_64", "vda", "-drive file=IMAGE,if=virtio"),
    ("mipsel", "vda", "-drive file=IMAGE,if=virtio"),
    ("x86_64", "sda", "-hda IMAGE"),
    ("q35", "sda", "-hda IMAGE"),
]
KEPT = 100  # files that the guest leaves

# By turns a sync of everything and one of the file alone.
LOOP = (f"dmesg -n 1; i=0; while :; do i=$((i+1)); f=/data/$i; rm -f /data/$((i-{KEPT})); "
        "if [ $((i%2)) = 0 ]; then seq $i $((i+1500)) > $f; sync; "
        "else seq $i $((i+1500)) | dd of=$f conv=fsync 2> /dev/null; fi; echo synced $i.; done\n")


def contents(number):
    return "".join(f"{i}\n" for i in range(number, number + 1501)).encode()


class Console:
    """Reads what the guest says and remembers the last file it had synced."""

    def __init__(self, process):
        self.process, self.last, self.started = process, 0, threading.Event()
        self.prompted, self.tail = threading.Event(), b""
        self.thread = threading.Thread(target=self.read, daemon=True)
        self.thread.start()

    def read(self):
        line = b""
        while data := self.process.stdout.read1(4096):
            line += data
            if b"# \x1b[6n" in line:
                self.prompted.set()
            *lines, line = line.split(b"\n")
            for text in lines:
                self.tail = (self.tail + text + b"\n")[-2000:]
                word = text.strip()
                if word.startswith(b"synced ") and word.endswith(b".") and word[7:-1].isdigit():
                    self.last = int(word[7:-1])
                    self.started.set()


def killed(disks, way, seconds):
    guest, root, options = way
    disk = disks.make(guest)
    image = disk.copy()
    process = subprocess.Popen(disk.command(options.replace("IMAGE", image)),
                               env=disk.environment(root), stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    console = Console(process)
    try:
        assert console.prompted.wait(SECONDS_TO_SYNC), f"no prompt: {console.tail.decode()}"
        process.stdin.write(LOOP.encode())
        process.stdin.flush()
        assert console.started.wait(SECONDS_TO_SYNC), f"no sync: {console.tail.decode()}"
        try:
            process.wait(seconds)
            raise AssertionError(f"it ended by itself: {console.tail.decode()}")
        except subprocess.TimeoutExpired:
            pass
    finally:
        process.kill()
        process.wait()
        process.stdin.close()
        console.thread.join()
    disks.replay(image)
    disks.check_clean(image)
    first = max(1, console.last - KEPT + 2)
    files = disks.read_folder(image, "/data")
    for number in range(first, console.last + 1):
        assert files.get(str(number)) == contents(number), \
            f"{guest} {options}: file {number} of {console.last} is not as it was synced"
    return console.last


def main():
    every = os.environ.get("CALQUE_TEST_LEVEL") == "all"
    rounds = int(os.environ.get("CALQUE_KILLS", 50 if every else 3))
    seed = int(os.environ.get("CALQUE_SEED", random.randrange(1 << 30)))
    print(f"seed {seed}")
    dice = random.Random(seed)

    def rounds_of(disks):
        synced = 0
        for i in range(rounds):
            synced += killed(disks, WAYS[i % len(WAYS)], dice.uniform(0.05, 2.5))
            print(f"{i + 1} kills, {synced} files synced, all there", flush=True)

    with Disks() as disks:
        return run_tests([("kill_9", rounds_of)], disks)


if __name__ == "__main__":
    sys.exit(main())
