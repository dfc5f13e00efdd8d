# SPDX-License-Identifier: GPL-2.0-or-later
"""Guests of tools/guests.list with their console on the screen."""
import gzip
import os
import subprocess

BUILD = os.environ.get("CALQUE_BUILD", "build")
TOOLS = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools")


def run_tool(name, *arguments):
    """What it says, None if it fails."""
    done = subprocess.run([os.path.join(TOOLS, name), *arguments],
                          env={**os.environ, "CALQUE_BUILD": os.path.abspath(BUILD)},
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False)
    return None if done.returncode else done.stdout.decode()


def command_of(guest, append=""):
    """What tools/run-guest would run, with the console on the screen, and its serial port's name in
    the guest; None: no files, no network."""
    if run_tool("fetch-guest", guest) is None:
        return None, None
    words = run_tool("run-guest", "--print", guest).split()
    words.remove("-nographic")
    at = words.index("-append") + 1
    serial = words[at].split("=")[1]
    words[at] = f"console=tty0 {append}"
    return words, serial


def file_of(guest, name):
    """A file that is kept beside the guest's kernel."""
    files = dict(line.split("=", 1) for line in run_tool("fetch-guest", "--files", guest).split())
    return os.path.join(os.path.dirname(files["kernel"]), name)


INIT = """#!/bin/busybox sh
export PATH=/bin:/sbin HOME=/root TERM=linux
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
for module in /modules/*; do insmod $module; done
sleep 1
echo 'calque: init reached' > /dev/console
cd /root
setsid cttyhack sh < /dev/console > /dev/console 2>&1
poweroff -f
"""


def archive(files):
    """A cpio archive ("newc") of (name, mode, bytes)."""
    out = b""
    for number, (name, mode, data) in enumerate([*files, ("TRAILER!!!", 0, b"")]):
        fields = [number, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0]
        out += b"070701" + b"".join(b"%08x" % field for field in fields) + name.encode() + b"\0"
        out += bytes(-len(out) % 4) + data
        out += bytes(-len(out) % 4)
    return out


def add_modules(guest, words, modules, folder):
    """Its files, and an init that loads modules first; the later archive wins. False: no modules."""
    names = run_tool("guest-modules", guest, *modules)
    if names is None:
        return False
    files = [("modules", 0o40755, b"")]
    for number, name in enumerate(names.split()):
        with open(name, "rb") as file:
            files.append((f"modules/{number:03}", 0o100644, file.read()))
    files.append(("init", 0o100755, INIT.encode()))
    at = words.index("-initrd") + 1
    path = os.path.join(folder, "initrd")
    with open(words[at], "rb") as old, open(path, "wb") as new:
        new.write(old.read() + gzip.compress(archive(files), 1))
    words[at] = path
    return True
