# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs rows on several machines in alternation."""
import os
import re
import sys
import time

from .answers import ANSWERS
from .console import Trouble
from .linux import BootedKernel, Wrong
from .results import Result
from .tables import BOOT_ROW, QUICK_ROWS_PER_CLASS, QUICK_WORKLOADS, WORKLOAD_CLASSES, WORKLOADS

BARE_COST, BOOT_COST = 1, 60  # for the estimate only: a row, and a boot with workloads, of one round
TYPICAL_ROWS = 100


def take_precedence():
    """A late look at the clock makes a sample wrong: where this user may, this program runs as soon
    as it can, and what it starts as usual."""
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(1))
    except OSError:
        pass


class Settings:
    def __init__(self, rounds=2, milliseconds=10, samples=3, rows=".", quick=False, row_seconds=60,
                 boot_seconds=900, work_seconds=600):
        self.rounds = rounds
        self.milliseconds = milliseconds
        self.samples = samples
        self.rows = re.compile(rows)
        self.quick = quick
        self.row_seconds = row_seconds
        self.boot_seconds = boot_seconds
        self.work_seconds = work_seconds


class Progress:
    """Says on a terminal where the run is, and about how long it will take."""

    def __init__(self, stream=sys.stderr):
        self.stream = stream
        self.shown = stream.isatty()
        self.started = time.monotonic()
        self.done = 0
        self.costs = {}  # part of the run -> its cost

    def plan(self, part, cost):
        self.costs[part] = cost

    def step(self, cost, text):
        """Before a step: what it is. Its cost is counted as done with the next one."""
        if self.shown:
            left = ""
            if self.done > 10:
                seconds = (time.monotonic() - self.started) / self.done * (sum(self.costs.values()) - self.done)
                left = ", about %d s left" % max(1, seconds)
            self.stream.write("\r\x1b[K" + text[:90] + left)
            self.stream.flush()
        self.done += cost

    def say(self, text):
        self.stream.write(("\r\x1b[K" if self.shown else "") + text + "\n")
        self.stream.flush()


class Run:
    """What a whole run gathers."""

    def __init__(self, settings, roles, progress):
        self.settings = settings
        self.roles = roles
        self.progress = progress
        self.results = []
        self.figures = []   # rows that are no times (figures.py)
        self.problems = []  # that no row can be blamed for
        self.notes = []

    def note(self, text):
        self.notes.append(text)
        self.progress.say("bench: " + text)

    def problem(self, text):
        self.problems.append(text)
        self.progress.say("bench: " + text)

    def row_problem(self, result, machine, text):
        result.problem(machine, text)
        self.progress.say("bench: %s %s: %s: %s" % (result.guest, result.row, machine, text))

    def ok(self):
        return not self.problems and all(result.ok() for result in self.results)


# ---- bare machines -------------------------------------------------------------------------------

def choose_rows(rows, settings):
    """rows: name -> (class, operations). A quick run takes some from all over each class."""
    kinds = {}
    for name, (kind, _) in rows.items():
        if settings.rows.search(name):
            kinds.setdefault(kind, []).append(name)
    if settings.quick:
        kinds = {kind: spaced(names, QUICK_ROWS_PER_CLASS) for kind, names in kinds.items()}
    chosen = {name: kind for kind, names in kinds.items() for name in names}
    return {name: chosen[name] for name in rows if name in chosen}


def spaced(names, count):
    return names if len(names) <= count else [names[i * len(names) // count] for i in range(count)]


def start_machines(run, guest, machines):
    """Those that come up; none if the one that is judged does not."""
    started = []
    for machine in machines:
        try:
            machine.start()
            started.append(machine)
        except Trouble as trouble:
            run.problem("%s: %s: %s" % (guest, machine.name, trouble))
            if machine.name == run.roles.subject:
                break
    return started if started and started[0].name == run.roles.subject else []


def measure_bare(run, guest, machines):
    """machines: the judged one first."""
    try:
        started = start_machines(run, guest, machines)
        rows = {}
        for machine in started:
            for name, row in machine.rows.items():
                if machine is not started[0] and name not in started[0].rows:
                    run.note("%s: %s runs %s, %s does not" % (guest, machine.name, name, started[0].name))
                rows.setdefault(name, row)
        chosen = choose_rows(rows, run.settings)
        results = [Result(guest, name, kind) for name, kind in chosen.items()]
        run.results += results
        run.progress.plan(guest, BARE_COST * len(results) * run.settings.rounds)
        for number in range(run.settings.rounds):
            for k, result in enumerate(results):
                run.progress.step(BARE_COST, "%s: round %d of %d, row %d of %d: %s" % (
                    guest, number + 1, run.settings.rounds, k + 1, len(results), result.row))
                if result.ok():
                    measure_row(run, result, started)
    finally:
        for machine in machines:
            machine.finish()


def measure_row(run, result, machines):
    for machine in machines:
        if result.row not in machine.rows:
            result.add(machine.name, None)
            continue
        try:
            ns, checksum, wanted = machine.run(result.row, run.settings.milliseconds,
                                               run.settings.samples, run.settings.row_seconds)
        except Trouble as trouble:
            result.add(machine.name, None)
            run.row_problem(result, machine.name, "%s" % trouble)
            continue
        result.add(machine.name, ns)
        known = len(result.problems)
        result.add_sum(machine.name, checksum, wanted)
        for text in result.problems[known:]:
            run.progress.say("bench: %s %s: %s" % (result.guest, result.row, text))


# ---- booted kernels ------------------------------------------------------------------------------

def choose_workloads(settings):
    return {name: kind for name, kind in WORKLOAD_CLASSES.items()
            if settings.rows.search(name) and (not settings.quick or name in QUICK_WORKLOADS)}


def measure_boots(run, guest, kernels):
    """kernels: [(name, function that starts a BootedKernel)], the judged one first."""
    results = {name: Result(guest, name, kind) for name, kind in choose_workloads(run.settings).items()}
    run.results += results.values()
    answers = {name: ANSWERS[name]() for name in results if name in ANSWERS}
    rounds = boot_rounds(run.settings)
    for number in range(rounds):
        for name, start in kernels:
            left = {row: result for row, result in results.items() if result.ok()}
            if left:
                measure_boot(run, guest, name, start, left, answers, "round %d of %d, " % (number + 1, rounds))


def measure_boot(run, guest, machine, start, results, answers, where):
    """Boots once and runs what is wanted; the rows that are not reached fail."""
    settings = run.settings
    waiting = dict(results)
    kernel = None
    cost = BOOT_COST / (2 * (len(WORKLOADS) + 1))

    def measured(row, ns, cpu):
        if row in waiting:
            waiting.pop(row).add(machine, ns, cpu)

    def failed(row, text):
        if row in waiting:
            result = waiting.pop(row)
            result.add(machine, None)
            run.row_problem(result, machine, text)

    try:
        run.progress.step(cost, "%s: %sboot on %s" % (guest, where, machine))
        kernel = start()
        measured(BOOT_ROW, *kernel.boot(settings.boot_seconds))
        for workload in WORKLOADS:
            if workload.name not in waiting:
                continue
            run.progress.step(cost, "%s: %s%s on %s" % (guest, where, workload.name, machine))
            try:
                measured(workload.name, *kernel.work(workload, answers[workload.name], settings.work_seconds))
            except Wrong as wrong:
                failed(workload.name, "WRONG RESULT: %s" % wrong)
    except Trouble as trouble:
        lines = kernel.console.last_lines() if kernel else []
        at = next(iter(waiting), None)
        text = "\n    | ".join(["%s" % trouble] + lines)
        if at:
            failed(at, text)
        for row in list(waiting):
            failed(row, "not reached")
    else:
        try:
            kernel.finish()
        except Trouble as trouble:
            run.problem("%s: %s: %s" % (guest, machine, trouble))
    finally:
        if kernel:
            kernel.close()


def cost_of(guest, settings):
    """Of its bare rows, before they are known, and of its booted kernel."""
    rows = TYPICAL_ROWS // 3 if settings.quick else TYPICAL_ROWS
    boots = bool(guest.boot and choose_workloads(settings)) * boot_rounds(settings)
    return BARE_COST * rows * settings.rounds, BOOT_COST * boots


def boot_rounds(settings):
    return 1 if settings.quick else settings.rounds
