#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian kernels on virtio consoles: /dev/hvc0 and a named port on sockets, much data both ways."""
import hashlib
import os
import random
import shutil
import socket
import subprocess
import sys
import tempfile
import time

from disk_guest import Skipped, run_tests
from test_monitor_lines import Stream

GUESTS = {
    "x86_64": ("virtio-serial-pci", "virtio_pci"),
    "virt": ("virtio-serial-device", "virtio_mmio"),
    "mipsel": ("virtio-serial-pci", "virtio_pci"),
}
MUCH = 300000


def make_initrd(guest, transport, folder):
    """The guest's own, with the modules in /modules in the order in which they load."""
    if subprocess.run(["tools/fetch-guest", guest], stdout=subprocess.DEVNULL,
                      stderr=subprocess.DEVNULL, check=False).returncode:
        raise Skipped(f"the files of {guest} cannot be fetched")
    files = subprocess.check_output(["tools/fetch-guest", "--files", guest], encoding="utf-8")
    initrd = dict(line.split("=", 1) for line in files.split())["initrd"]
    names = subprocess.check_output(["tools/guest-modules", guest, "virtio_console", transport],
                                    encoding="utf-8").split()
    modules = os.path.join(folder, "root", "modules")
    os.makedirs(modules)
    for i, name in enumerate(names):
        shutil.copy(name, os.path.join(modules, f"{i:02}_{os.path.basename(name)}"))
    subprocess.check_call(f"(cat {initrd}; cd {folder}/root; "
                          f"find . | cpio --quiet -o -H newc | gzip -1) > {folder}/initrd", shell=True)
    return os.path.join(folder, "initrd")


def connect(path):
    peer = socket.socket(socket.AF_UNIX)
    peer.connect(path)
    stream = Stream(peer.fileno(), peer.sendall)
    stream.socket = peer  # kept open with it
    return stream


def run(stream, command):
    """In the guest's shell, whose echo of the command is not taken for its answer."""
    stream.send(command.encode() + b"; echo done$((1+1))\n")
    return stream.expect(b"done2", 60)


def talk(folder, shell):
    shell.expect(b"~ # ", 240)
    assert "org.calque.test" in run(shell, "for m in /modules/*; do insmod $m; done; sleep 1; "
                                    "cat /sys/class/virtio-ports/*/name")
    console, port = (connect(os.path.join(folder, name)) for name in ("console", "port"))
    run(shell, "echo to the console > /dev/hvc0; echo to the port > /dev/vport0p1")
    console.expect(b"to the console")
    port.expect(b"to the port")
    data = random.Random(1).randbytes(MUCH)
    shell.send(f"head -c {MUCH} /dev/vport0p1 | sha256sum; echo done$((1+1))\n".encode())
    time.sleep(0.5)
    port.send(data)
    assert hashlib.sha256(data).hexdigest() in shell.expect(b"done2", 120)
    shell.send(f"yes calque | head -c {MUCH} > /dev/vport0p1; echo done$((1+1))\n".encode())
    came = port.text
    while len(came) < MUCH:
        got = port.socket.recv(65536)
        assert got, "the port was closed"
        came += got
    assert came.lstrip(b"\n\r") in b"calque\n" * (MUCH // 7 + 2)
    shell.expect(b"done2", 60)
    shell.send(b"setsid sh < /dev/hvc0 > /dev/hvc0 2>&1 &\n")
    assert "42" in run(console, "echo $((6*7))")


def boot(guest):
    device, transport = GUESTS[guest]
    with tempfile.TemporaryDirectory() as folder:
        initrd = make_initrd(guest, transport, folder)
        process = subprocess.Popen(
            ["tools/run-guest", guest, "-initrd", initrd, "-monitor", "none", "-device", device,
             "-chardev", f"socket,id=c,path={folder}/console,server=on,wait=off",
             "-device", "virtconsole,chardev=c",
             "-chardev", f"socket,id=p,path={folder}/port,server=on,wait=off",
             "-device", "virtserialport,chardev=p,name=org.calque.test"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0)
        try:
            talk(folder, Stream(process.stdout.fileno(), process.stdin.write))
        finally:
            process.kill()
            process.communicate()


if __name__ == "__main__":
    wanted = GUESTS if os.environ.get("CALQUE_TEST_LEVEL") == "all" else ["x86_64"]
    sys.exit(run_tests([(name, (lambda name=name: boot(name)) if name in wanted else None)
                        for name in GUESTS]))
