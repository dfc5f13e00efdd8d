# SPDX-License-Identifier: GPL-2.0-or-later
"""Disks that guests boot from, for the tests: made by tools/disk-guest, looked into by e2fsprogs."""
import os
import shutil
import subprocess
import tempfile
import traceback

PATH = os.environ["PATH"] + ":/usr/sbin:/sbin"
TOOLS = ["mke2fs", "e2fsck", "debugfs", "cpio"]


class Skipped(Exception):
    pass


def output_of(*command, allowed=(0,), **more):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env={**os.environ, "PATH": PATH}, check=False, **more)
    if done.returncode not in allowed:
        raise AssertionError(f"{' '.join(command)}: status {done.returncode}\n"
                             f"{done.stdout.decode(errors='replace')}")
    return done.stdout


class Disk:
    """A guest's root file system and the initramfs that boots from it."""

    def __init__(self, guest, folder):
        self.guest, self.folder = guest, folder

    def copy(self):
        to = os.path.join(self.folder, "work.img")
        shutil.copyfile(os.path.join(self.folder, "root.img"), to)
        return to

    def environment(self, root):
        return {**os.environ, "CALQUE_APPEND": f"root=/dev/{root}"}

    def options(self, options):
        return ["-initrd", os.path.join(self.folder, "initrd.gz"), *options.split()]

    def command(self, options):
        """What becomes calque itself, so that a signal reaches it."""
        return ["tools/run-guest", self.guest, *self.options(options)]

    def boot_test(self, script, root, options):
        seconds = "900" if "--interp" in options else "240"
        done = subprocess.run(["tools/boot-test", "-t", seconds, "--script", script, self.guest,
                               *self.options(options)], env=self.environment(root), check=False,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        print(done.stdout.decode(errors="replace"), end="", flush=True)
        if done.returncode == 77:
            raise Skipped(done.stdout.decode())
        assert done.returncode == 0, f"status {done.returncode}"


class Disks:
    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="calque-disks-")
        self.made = {}
        return self

    def __exit__(self, *ignored):
        shutil.rmtree(self.folder)

    def make(self, guest):
        if guest not in self.made:
            missing = [tool for tool in TOOLS if not shutil.which(tool, path=PATH)]
            if missing:
                raise Skipped(f"{missing[0]} is not installed")
            if subprocess.run(["tools/fetch-guest", guest], stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL, check=False).returncode:
                raise Skipped(f"the files of {guest} cannot be fetched")
            folder = os.path.join(self.folder, guest)
            output_of("tools/disk-guest", guest, folder)
            self.made[guest] = Disk(guest, folder)
        return self.made[guest]

    def replay(self, image):
        output_of("e2fsck", "-E", "journal_only", "-p", image, allowed=(0, 1))

    def check_clean(self, image):
        output_of("e2fsck", "-f", "-n", image)

    def read(self, image, path):
        return self.read_folder(image, os.path.dirname(path))[os.path.basename(path)]

    def read_folder(self, image, path):
        to = os.path.join(self.folder, "dump")
        shutil.rmtree(to, ignore_errors=True)
        os.mkdir(to)
        output_of("debugfs", "-R", f"rdump {path} {to}", image)
        files = {}
        folder = os.path.join(to, os.path.basename(path))
        for name in os.listdir(folder):
            with open(os.path.join(folder, name), "rb") as file:
                files[name] = file.read()
        return files


def run_tests(tests, *arguments):
    """(name, function); None for a function is a skip. Prints what tools/run-tests counts."""
    failed = 0
    for name, function in tests:
        print(f"[ RUN      ] {name}", flush=True)
        try:
            if not function:
                raise Skipped("only with CALQUE_TEST_LEVEL=all")
            function(*arguments)
            print(f"[       OK ] {name}", flush=True)
        except Skipped as why:
            print(f"{why}\n[  SKIPPED ] {name}", flush=True)
        except Exception:  # each test is told apart from the next
            traceback.print_exc()
            print(f"[  FAILED  ] {name}", flush=True)
            failed += 1
    return 1 if failed else 0
