#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks in the monitor: info block, eject, change, commit."""
import os
import subprocess
import sys
import tempfile

from disk_guest import run_tests

CALQUE = os.path.abspath(os.path.join(os.environ.get("CALQUE_BUILD", "build"),
                                      "calque-system-x86_64"))
SECONDS = 60


class Machine:
    """A PC that stands still, with images of 64 KiB: a, b, c; and one of a floppy disk: f."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory()
        for name in "abc":
            with open(os.path.join(self.folder.name, name), "wb") as file:
                file.write(name.encode() * 65536)
        with open(os.path.join(self.folder.name, "f"), "wb") as file:
            file.write(b"f" * 720 * 1024)
        return self

    def __exit__(self, *ignored):
        self.folder.cleanup()

    def says(self, options, *lines):
        command = [CALQUE, "-S", "-display", "none", "-serial", "null", "-monitor", "stdio"]
        done = subprocess.run(command + options.split(), cwd=self.folder.name, timeout=SECONDS,
                              input="".join(line + "\n" for line in (*lines, "quit")),
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=True,
                              encoding="utf-8")
        return done.stdout


def expect(text, *parts):
    at = 0
    for part in parts:
        found = text.find(part, at)
        assert found >= 0, f"no '{part}' in its place:\n{text}"
        at = found + len(part)


def info_block(machine):
    expect(machine.says("-hda a -drive file=b,if=virtio,readonly=on,format=raw -cdrom c", "info block"),
           "ide0-hd0: a (raw)", "Attached to:      hda", "Size:             65536 bytes",
           "ide1-cd0: c (raw, read-only)", "Removable device: not locked", "virtio0: b (raw, read-only)",
           "Attached to:      virtio-blk")
    expect(machine.says("-snapshot a", "info block"), "ide0-hd0: a (raw, snapshot)",
           "ide1-cd0: [not inserted]")


def eject_and_change(machine):
    expect(machine.says("-cdrom a", "eject ide1-cd0", "info block", "change ide1-cd0 b",
                        "info block", "change ide1-cd0 missing", "info block",
                        "change ide1-cd0 c raw", "info block"),
           "ide1-cd0: [not inserted]", "ide1-cd0: b (raw, read-only)", "cannot open 'missing'",
           "ide1-cd0: b (raw, read-only)", "ide1-cd0: c (raw, read-only)")
    said = machine.says("-hda a -fda b", "eject ide0-hd0", "change ide9-cd0 b", "eject floppy0",
                        "change floppy0 c qcow2", "change floppy0 c", "info block")
    expect(said, "'ide0-hd0' cannot be taken out", "no drive 'ide9-cd0'", "'qcow2' is not supported",
           "floppy0: c (raw")
    # No floppy disk is so small. Where system calls are filtered it cannot be written.
    assert ("note: 'c' cannot be written" in said) == ("c (raw, read-only)" in said), said


def drive_stays(machine):
    """Another medium is read and written as the drive's options say."""
    expect(machine.says("-fda b", "change floppy0 f", "info block"), "floppy0: f (raw)")
    expect(machine.says("-drive file=b,if=floppy,readonly=on", "change floppy0 f", "info block"),
           "floppy0: f (raw, read-only)")
    expect(machine.says("-snapshot -fda b", "change floppy0 f", "info block"),
           "floppy0: f (raw, snapshot)")


def commit(machine):
    expect(machine.says("-hda a", "commit all", "commit hda"), "nothing to save", "commit all saves")
    expect(machine.says("-snapshot -hda a", "commit all", "info status"), "saved the changes")


if __name__ == "__main__":
    with Machine() as a_machine:
        sys.exit(run_tests([("info_block", info_block), ("eject_and_change", eject_and_change),
                            ("drive_stays", drive_stays), ("commit", commit)], a_machine))
