# SPDX-License-Identifier: GPL-2.0-or-later
"""One row's measurements on all machines, and what becomes of them."""
from . import arithmetic
from .tables import CLASSES, ROW_AIM, class_of


class Roles:
    """Which machine is judged, what it is compared with, and the key each has in the JSON."""

    def __init__(self, subject, baseline, others=()):
        self.subject = subject
        self.baseline = baseline
        self.others = tuple(others)
        self.columns = sorted((subject, baseline))  # calque, peer; a, b

    def names(self):
        return (self.subject, self.baseline) + self.others


BENCH_ROLES = Roles("calque", "peer", ("native",))
COMPARE_ROLES = Roles("b", "a")


class Result:
    def __init__(self, guest, row, kind):
        self.guest = guest
        self.row = row
        self.kind = kind
        self.times = {}   # machine -> nanoseconds an operation of each round, None where it failed
        self.cpu = {}     # machine -> CPU seconds of each round, for booted kernels
        self.sums = {}    # machine -> checksum
        self.problems = []

    def add(self, machine, ns, cpu=None):
        self.times.setdefault(machine, []).append(ns)
        if cpu is not None:
            self.cpu.setdefault(machine, []).append(cpu)

    def add_sum(self, machine, checksum, wanted):
        """It must be what is wanted, and what the other machines found."""
        others = [(found, other) for other, found in self.sums.items() if found != checksum]
        if checksum != wanted:
            self.problem(machine, "WRONG RESULT: %x instead of %x" % (checksum, wanted))
        elif others:
            self.problem(machine, "WRONG RESULT: %x, but %x on %s" % ((checksum,) + others[0]))
        self.sums[machine] = checksum

    def problem(self, machine, text):
        text = "%s: %s" % (machine, text)
        if text not in self.problems:
            self.problems.append(text)

    def ok(self):
        return not self.problems

    def ratios(self, over, under):
        return arithmetic.ratios(self.times.get(over, []), self.times.get(under, []))

    def as_json(self, roles):
        faster = self.ratios(roles.baseline, roles.subject)
        spread = arithmetic.spread(faster or self.times.get(roles.subject, []))
        found = {"guest": self.guest, "row": self.row, "class": self.kind}
        for machine in roles.columns + list(roles.others):
            found[machine + "_ns"] = rounded(arithmetic.median(self.times.get(machine, [])))
        found["ratio"] = rounded(arithmetic.median(faster)) if self.ok() else None
        for machine in roles.others:
            share = self.ratios(machine, roles.subject)
            found[machine + "_ratio"] = rounded(arithmetic.median(share)) if self.ok() else None
        found["spread"] = rounded(spread)
        found["ok"] = self.ok()
        found["noisy"] = spread is not None and spread > arithmetic.NOISY
        if self.cpu:
            for machine in roles.columns:
                found[machine + "_cpu_s"] = rounded(arithmetic.median(self.cpu.get(machine, [])))
        if self.problems:
            found["problem"] = "; ".join(text.split("\n")[0] for text in self.problems)
        return found


def rounded(value):
    return None if value is None else float("%.5g" % value)


def aim_of(row):
    """What a row's own ratio must reach."""
    kind = class_of(row["class"])
    return kind.aim if kind.each else ROW_AIM


def summary(rows):
    """For each class, in the tables' order: its rows, geometric mean of the ratios, and aim."""
    kinds = {}
    for row in rows:
        kinds.setdefault(row["class"], []).append(row)
    found = []
    for name in sorted(kinds, key=class_order):
        mean = arithmetic.geometric_mean(row["ratio"] for row in kinds[name])
        native = arithmetic.geometric_mean(row.get("native_ratio") for row in kinds[name])
        found.append((class_of(name), kinds[name], mean, native))
    return found


def class_order(name):
    names = list(CLASSES)
    return names.index(name) if name in names else len(names)
