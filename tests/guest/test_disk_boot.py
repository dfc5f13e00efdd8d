#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Roots on disks: an ext4 file system that tools/disk-guest makes boots, is worked on and left clean,
over virtio-blk on each transport and over IDE. CALQUE_TEST_LEVEL=all boots every one."""
import os
import sys

from disk_guest import Disks, run_tests

# name, guest, root device, options ("IMAGE" is the disk's), at every level
BOOTS = [
    ("virt_virtio", "virt", "vda", "-drive file=IMAGE,if=virtio,format=raw", True),
    ("malta_virtio", "mipsel", "vda", "-drive file=IMAGE,if=virtio", True),
    ("malta_ide", "mipsel", "sda", "-hda IMAGE", True),
    ("pc_virtio", "x86_64", "vda", "-drive file=IMAGE,if=virtio", True),
    ("pc_ide", "x86_64", "sda", "IMAGE", True),
    ("q35_ahci", "q35", "sda", "-hda IMAGE", False),
    ("q35_modern", "q35", "vda",
     "-drive file=IMAGE,if=none,id=d -device virtio-blk-pci,drive=d,disable-legacy=on", False),
    ("pc_legacy", "x86_64", "vda",
     "-drive file=IMAGE,if=none,id=d -device virtio-blk-pci,drive=d,disable-modern=on", False),
    ("pc_second_channel", "x86_64", "sda",
     "-drive file=IMAGE,if=none,id=d -device ide-hd,drive=d,bus=ide.1,unit=1", False),
    ("pc_two_queues", "x86_64", "vda",
     "-drive file=IMAGE,if=none,id=d -device virtio-blk,drive=d,num-queues=2", False),
    ("pc_write_through", "x86_64", "vda", "-drive file=IMAGE,if=virtio,cache=writethrough", False),
    ("i386_virtio", "i386", "vda", "-drive file=IMAGE,if=virtio", False),
    ("i386_ide", "i386", "sda", "-hda IMAGE", False),
    ("mips64el_virtio", "mips64el", "vda", "-drive file=IMAGE,if=virtio", False),
    ("mips64el_ide", "mips64el", "sda", "-hda IMAGE", False),
    ("vexpress_virtio", "vexpress-a9", "vda", "-hda IMAGE", False),
    ("microvm_virtio", "microvm", "vda", "-hda IMAGE", False),
    ("virt_interpreter", "virt", "vda", "-hda IMAGE --interp", False),
]


def boots(disks, guest, root, options):
    disk = disks.make(guest)
    image = disk.copy()
    disk.boot_test("disk", root, options.replace("IMAGE", image))
    disks.check_clean(image)
    assert disks.read(image, "/data/numbers").startswith(b"1\n2\n3\n")


def snapshot(disks, save):
    """The image changes when it is told to, and only then."""
    disk = disks.make("virt")
    image = disk.copy()
    with open(image, "rb") as file:
        before = file.read()
    disk.boot_test("disk-snapshot-saved" if save else "disk", "vda", f"-snapshot -hda {image}")
    with open(image, "rb") as file:
        changed = file.read() != before
    assert changed == save, "the image has changed" if changed else "the image has not changed"
    if save:
        disks.replay(image)
        disks.check_clean(image)
        assert disks.read_folder(image, "/data") == {"saved": b"saved\n"}


def main():
    every = os.environ.get("CALQUE_TEST_LEVEL") == "all"
    tests = [(name, None if not (always or every) else
              lambda disks, g=guest, r=root, o=options: boots(disks, g, r, o))
             for name, guest, root, options, always in BOOTS]
    tests.append(("snapshot", lambda disks: snapshot(disks, False)))
    tests.append(("snapshot_saved", lambda disks: snapshot(disks, True)))
    with Disks() as disks:
        return run_tests(tests, disks)


if __name__ == "__main__":
    sys.exit(main())
