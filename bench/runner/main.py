# SPDX-License-Identifier: GPL-2.0-or-later
"""The command line: what to measure, on what, and where the figures go."""
import argparse
import gc
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

from . import chart, figures, meta, page, report
from .console import Trouble
from .linux import BootedKernel
from .machine import Machine
from .measure import (
    Progress, Run, Settings, choose_workloads, cost_of, measure_bare, measure_boots, take_precedence)
from .results import BENCH_ROLES, COMPARE_ROLES
from .tables import BARE_OPTIONS, GUESTS, PEER_BOOT_OPTIONS, PEER_OPTIONS

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))


class Misuse(Exception):
    """One sentence for the user."""


class Program:
    """A calque or a QEMU: which file runs an architecture, under which name."""

    def __init__(self, name, path, prefix, options="", boot_options=""):
        self.name = name        # calque, peer, a, b
        self.path = path        # of a program, or a folder of them
        self.prefix = prefix    # calque-system- or qemu-system-
        self.options = options
        self.boot_options = boot_options

    def find(self, architecture):
        """The file, or None."""
        if self.path is None:
            return shutil.which(self.prefix + architecture)
        if os.path.isdir(self.path):
            path = os.path.join(self.path, self.prefix + architecture)
            return path if os.access(path, os.X_OK) else None
        other = re.search(r"-system-(\w+)$", os.path.basename(self.path))
        return self.path if not other or other[1] == architecture else None

    def argv0(self, architecture):
        """A calque by any other name would not know its guest."""
        return self.prefix + architecture if self.prefix == "calque-system-" else None

    def version(self, architecture):
        path = self.find(architecture)
        return path and meta.first_line([path, "-version" if self.prefix == "calque-system-" else "--version"])


def existing(path, what):
    if not os.path.exists(path) and not (os.sep not in path and shutil.which(path)):
        raise Misuse("%s names %s, which is not there" % (what, path))
    return path if os.path.exists(path) else shutil.which(path)


def find_programs(arguments):
    """The judged one first. An empty PEER means none."""
    if arguments.command == "compare":
        if not (arguments.a and arguments.b):
            raise Misuse("compare needs A and B: each a calque, or the folder where one was built")
        return [Program(name, existing(path, name.upper()), "calque-system-")
                for name, path in (("b", arguments.b), ("a", arguments.a))]
    programs = [Program("calque", arguments.build, "calque-system-")]
    if arguments.peer is None or arguments.peer:
        path = existing(arguments.peer, "PEER") if arguments.peer else None
        programs.append(Program("peer", path, "qemu-system-", PEER_OPTIONS, PEER_BOOT_OPTIONS))
    return programs


def programs_for(run, guest, programs):
    """Those of the programs that run the guest."""
    found = [program for program in programs if program.find(guest.program)]
    for program in programs:
        if program not in found:
            text = "%s: there is no %s for it" % (guest.name, program.name)
            if program is programs[0] or run.roles is COMPARE_ROLES:
                run.problem(text)
            else:
                run.note(text + ": install %s%s or set PEER" % (program.prefix, guest.program))
    return found if found and found[0] is programs[0] else []


def bare_machines(guest, programs, arguments):
    image = os.path.join(arguments.build, "bench", guest.name + ".elf")
    if not os.path.exists(image):
        raise Misuse("%s is missing: make build-bench" % image)
    machines = []
    for program in programs:
        options = " ".join((program.options, guest.options, BARE_OPTIONS)).split() + ["-kernel", image]
        machines.append(Machine(program.name, [program.find(guest.program)] + options, program.argv0(guest.program)))
    native = os.path.join(arguments.build, "bench", guest.name + ".native")
    if arguments.command != "compare" and os.access(native, os.X_OK):
        machines.append(Machine("native", [native]))
    return machines


def fetch_guest(run, guest):
    """Whether the kernel is there, or could be fetched."""
    done = subprocess.run([os.path.join(TOP, "tools/fetch-guest"), guest.boot], stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, check=False)
    if done.returncode:
        run.note("%s: its kernel cannot be fetched, so that it is not booted: %s" % (
            guest.name, (done.stdout.strip().splitlines() or [""])[-1]))
    return not done.returncode


def boot_command(guest, program):
    said = subprocess.run([os.path.join(TOP, "tools/run-guest"), "--print", guest.boot],
                          env=dict(os.environ, CALQUE=program.find(guest.program)), stdout=subprocess.PIPE, text=True,
                          check=True).stdout
    return shlex.split(said) + program.boot_options.split(), program.argv0(guest.program)


def bootable(guest, program):
    return program.name, lambda: BootedKernel(*boot_command(guest, program))


def add_figures(run, guest, program):
    """Of calque alone, where it can count."""
    if run.roles is COMPARE_ROLES or not figures.choose(run.settings.rows):
        return
    if not figures.can_count(program.find(guest.program)):
        return
    run.progress.step(0, "%s: boot, counting" % guest.name)
    try:
        counters = figures.count_boot(*boot_command(guest, program), run.settings.boot_seconds)
    except Trouble as trouble:
        run.problem("%s: %s, counting: %s" % (guest.name, program.name, trouble))
        return
    run.figures += figures.rows_from(guest.name, counters, run.settings.rows)


def measure_guest(run, guest, programs, arguments):
    found = programs_for(run, guest, programs)
    if not found:
        return
    if not arguments.boots_only:
        measure_bare(run, guest.name, bare_machines(guest, found, arguments))
    if guest.boot and (choose_workloads(run.settings) or figures.choose(run.settings.rows)) and fetch_guest(run, guest):
        measure_boots(run, guest.name, [bootable(guest, program) for program in found])
        add_figures(run, guest, found[0])


def write(path, text):
    with open(path + ".new", "w", encoding="utf-8") as out:
        out.write(text)
    os.replace(path + ".new", path)


def write_json(path, value):
    """An array one row a line, so that it can be read and compared."""
    if isinstance(value, list):
        text = "[\n" + ",\n".join(json.dumps(row) for row in value) + "\n]\n"
    else:
        text = json.dumps(value, indent=1) + "\n"
    write(path, text)


def take_figures(arguments):
    guests = arguments.guests or list(GUESTS)
    for name in guests:
        if name not in GUESTS:
            raise Misuse("there is no guest %s: %s" % (name, ", ".join(GUESTS)))
    try:
        settings = Settings(arguments.rounds or 2, arguments.milliseconds,
                            arguments.samples, arguments.rows, arguments.command == "quick", arguments.timeout)
    except re.error as error:
        raise Misuse("ROWS is no pattern: %s" % error) from error
    programs = find_programs(arguments)
    run = Run(settings, COMPARE_ROLES if arguments.command == "compare" else BENCH_ROLES, Progress())
    started = time.monotonic()
    described = meta.describe_machine(TOP)
    for name in guests:
        bare, boots = cost_of(GUESTS[name], settings)
        run.progress.plan(name, bare)
        run.progress.plan(name + " boots", boots)
    take_precedence()
    gc.disable()
    for name in guests:
        measure_guest(run, GUESTS[name], programs, arguments)
    gc.enable()
    described.update({p.name: p.version(GUESTS[guests[0]].program) for p in programs})
    described.update(guests=guests, rounds=settings.rounds, samples=settings.samples,
                     milliseconds=settings.milliseconds, rows=arguments.rows, quick=settings.quick,
                     command=command_line(arguments), seconds=round(time.monotonic() - started))
    return run, described


def command_line(arguments):
    words = ["make", {"measure": "bench", "quick": "bench-quick", "compare": "bench-compare"}[arguments.command]]
    if arguments.guests and arguments.guests != list(GUESTS):
        words.append("GUESTS=" + shlex.quote(" ".join(arguments.guests)))
    if arguments.rows != ".":
        words.append("ROWS=" + shlex.quote(arguments.rows))
    return " ".join(words)


def leave_figures(run, described, arguments):
    rows = [result.as_json(run.roles) for result in run.results] + run.figures
    if not rows and not run.problems:
        raise Misuse("no row matches %s" % arguments.rows)
    stem = os.path.join(arguments.build, "bench-compare" if run.roles is COMPARE_ROLES else "bench")
    title = "How many times as fast as %s %s is" % (
        ("QEMU", "calque") if run.roles is BENCH_ROLES else (run.roles.baseline, run.roles.subject))
    versions = ["%s: %s" % (name, described[name]) for name in run.roles.names() if described.get(name)]
    text = "\n".join(versions) + "\n\n" + report.whole(rows, run.roles)
    text += "".join("NOT MEASURED: %s\n" % problem for problem in run.problems)
    text += "took %d s; figures: %s.json, %s.txt, %s.svg\n" % (described["seconds"], stem, stem, stem)
    write_json(stem + ".json", rows)
    write_json(stem + "-meta.json", described)
    write(stem + ".txt", text)
    write(stem + ".svg", chart.draw(rows, title, "; ".join([described["cpu"], described["date"]] + versions),
                                    run.roles is BENCH_ROLES))
    run.progress.say("")
    sys.stdout.write(text)


def make_page(arguments):
    try:
        with open(os.path.join(arguments.build, "bench.json"), encoding="utf-8") as rows, \
                open(os.path.join(arguments.build, "bench-meta.json"), encoding="utf-8") as described:
            rows, described = json.load(rows), json.load(described)
        shutil.copyfile(os.path.join(arguments.build, "bench.svg"), os.path.join(TOP, "docs/benchmarks.svg"))
    except FileNotFoundError as error:
        raise Misuse("%s is missing: run make bench first" % error.filename) from error
    write(os.path.join(TOP, "docs/benchmarks.md"), page.write_page(rows, described))
    print("docs/benchmarks.md and docs/benchmarks.svg are of %s" % described["date"])


def positive(words):
    if not words.isdecimal() or not 1 <= int(words) <= 1000000:
        raise argparse.ArgumentTypeError("%r is not a positive number" % words)
    return int(words)


def parse(words):
    def environment(name, default=None):
        return os.environ.get(name) or default

    parser = argparse.ArgumentParser(
        prog="bench/run", description="Measures calque against QEMU, or one calque against another.")
    parser.add_argument("command", choices=("measure", "quick", "compare", "page"))
    parser.add_argument("guests", nargs="*", metavar="GUEST", help=", ".join(GUESTS) + "; all when none is named")
    parser.add_argument("--build", default=environment("CALQUE_BUILD", os.path.join(TOP, "build")),
                        help="where calque and the guests were built (CALQUE_BUILD)")
    parser.add_argument("--peer", default=os.environ.get("PEER"),
                        help="the QEMU to compare with, or a folder of them; empty: none (PEER; default: from PATH)")
    parser.add_argument("--rows", default=environment("ROWS", "."), help="a pattern that rows' names contain (ROWS)")
    parser.add_argument("--rounds", type=positive, default=environment("ROUNDS"), help="2 (ROUNDS)")
    parser.add_argument("--milliseconds", type=positive, default=environment("MILLISECONDS", "10"),
                        help="how long a sample shall take (MILLISECONDS)")
    parser.add_argument("--samples", type=positive, default="3", help="of each row in a round")
    parser.add_argument("--timeout", type=positive, default=environment("BENCH_TIMEOUT", "60"),
                        help="seconds for a row before the machine counts as hung (BENCH_TIMEOUT)")
    parser.add_argument("--boots-only", action="store_true", help="no bare-metal rows")
    parser.add_argument("-a", default=environment("A"), help="compare: the calque to compare with, or its folder (A)")
    parser.add_argument("-b", default=environment("B"), help="compare: the calque that is judged, or its folder (B)")
    return parser.parse_intermixed_args(words)


def end_at_once(number, frame):
    raise SystemExit(128 + number)


def main(words=None):
    signal.signal(signal.SIGTERM, end_at_once)
    arguments = parse(words)
    try:
        if arguments.command == "page":
            make_page(arguments)
            return 0
        run, described = take_figures(arguments)
        leave_figures(run, described, arguments)
        return 0 if run.ok() else 1
    except Misuse as misuse:
        print("bench: %s" % misuse, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nbench: interrupted", file=sys.stderr)
        return 130
