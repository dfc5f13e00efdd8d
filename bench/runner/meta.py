# SPDX-License-Identifier: GPL-2.0-or-later
"""On what, and of what, figures were taken."""
import datetime
import os
import platform
import re
import subprocess


def first_line(command):
    try:
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                              timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    return done.stdout.splitlines()[0].strip() if done.stdout else None


def cpu_model():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as cpuinfo:
        match = re.search(r"^model name\s*: (.*)$", cpuinfo.read(), re.MULTILINE)
    return match[1] if match else platform.machine()


def memory_gib():
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30), 1)


def describe_machine(top):
    return {
        "date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "cpu": cpu_model(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": memory_gib(),
        "kernel": "%s %s" % (platform.system(), platform.release()),
        "git": first_line(["git", "-C", top, "describe", "--always", "--dirty", "--tags"]),
    }
