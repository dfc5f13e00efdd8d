# SPDX-License-Identifier: GPL-2.0-or-later
"""The table and what it comes to, as text."""
from . import arithmetic
from .figures import FIGURE, FIGURES
from .results import aim_of, class_order, summary
from .tables import CLASSES, ROW_AIM


def duration(ns):
    if ns is None:
        return "-"
    for limit, unit in ((1e3, "ns"), (1e6, "us"), (1e9, "ms")):
        if ns < limit:
            return "%.2f %s" % (ns / (limit / 1e3), unit)
    return "%.2f s" % (ns / 1e9)


def number(value, form="%.2f"):
    return "-" if value is None else form % value


def guests_of(rows):
    return list(dict.fromkeys(row["guest"] for row in rows))


def in_class_order(rows):
    return sorted(rows, key=lambda row: class_order(row["class"]))


def remark(row):
    words = []
    if not row["ok"]:
        words.append("FAILED")
    if row["noisy"]:
        words.append("noisy")
    if misses_aim(row):
        words.append("below %g" % aim_of(row))
    return ", ".join(words)


def misses_aim(row):
    """The aims are to the peer; another calque is not measured by them."""
    return row.get("peer_ns") is not None and row["ratio"] is not None and row["ratio"] < aim_of(row)


def has_natives(rows, roles):
    return [m for m in roles.others if any(row[m + "_ns"] is not None for row in rows)]


def table(rows, roles):
    lines = []
    for guest in guests_of(rows):
        mine = in_class_order([row for row in rows if row["guest"] == guest])
        others = has_natives(mine, roles)
        names = list(roles.columns) + others
        head = "%-26s %-18s" % (guest, "class") + "".join("%12s" % name for name in names)
        head += "%9s" % "ratio" + "".join("%11s" % ("of " + m) for m in others) + "%8s" % "spread"
        lines += [head, "-" * len(head)]
        for row in mine:
            line = "%-26s %-18s" % (row["row"], row["class"])
            line += "".join("%12s" % duration(row[name + "_ns"]) for name in names)
            line += "%9s" % number(row["ratio"])
            line += "".join("%11s" % number(row[m + "_ratio"]) for m in others)
            line += "%8s" % number(row["spread"]) + "  " + remark(row)
            lines.append(line.rstrip())
        lines.append("")
    return "\n".join(lines)


def class_table(rows, roles):
    """Geometric means by class over all guests, beside the aims; for QEMU only where it took part."""
    guests = guests_of(rows)
    by_guest = {g: {kind.name: mean for kind, _, mean, _ in summary([r for r in rows if r["guest"] == g])}
                for g in guests}
    against_peer = roles.baseline == "peer"
    head = "%-20s %5s" % ("geometric mean", "rows") + "".join("%9s" % g for g in guests)
    head += "%9s" % "all" + ("%7s" % "aim" if against_peer else "")
    lines = [head, "-" * len(head)]
    for kind, mine, mean, _ in summary(rows):
        line = "%-20s %5d" % (kind.name, len(mine))
        line += "".join("%9s" % number(by_guest[g].get(kind.name)) for g in guests) + "%9s" % number(mean)
        if against_peer:
            line += "%7g" % kind.aim + ("  missed" if mean is not None and mean < kind.aim else "")
        lines.append(line)
    all_mean = arithmetic.geometric_mean(row["ratio"] for row in rows)
    lines.append("%-20s %5d" % ("all", len(rows)) + "".join(
        "%9s" % number(arithmetic.geometric_mean(r["ratio"] for r in rows if r["guest"] == g)) for g in guests)
        + "%9s" % number(all_mean))
    return "\n".join(lines)


def native_lines(rows, roles):
    lines = []
    for machine in roles.others:
        for guest in guests_of(rows):
            mine = [row for row in rows if row["guest"] == guest and row[machine + "_ratio"] is not None]
            if mine:
                parts = ["%s %.2f" % (kind.name, value) for kind, value in
                         ((k, arithmetic.geometric_mean(r[machine + "_ratio"] for r in found))
                          for k, found, _, _ in summary(mine))]
                lines.append("%s, share of %s speed: %.2f (%s)" % (
                    guest, machine, arithmetic.geometric_mean(r[machine + "_ratio"] for r in mine), ", ".join(parts)))
    return lines


def noise(row):
    return ", noisy" if row["noisy"] else ""


def listed(title, rows, describe):
    if not rows:
        return []
    return ["%s (%d):" % (title, len(rows))] + ["    %s %s%s" % (r["guest"], r["row"], describe(r)) for r in rows]


def conclusions(rows, roles):
    """The rows that somebody must look at."""
    lines = native_lines(rows, roles)
    if roles.baseline == "peer":
        compared = [row for row in rows if row["ratio"] is not None]
        lines += listed("slower than the peer", [r for r in compared if r["ratio"] < ROW_AIM],
                        lambda r: " %.2f%s" % (r["ratio"], noise(r)))
        lines += listed("below the aim of their class",
                        [r for r in compared if misses_aim(r) and r["ratio"] >= ROW_AIM],
                        lambda r: " %.2f of %g%s" % (r["ratio"], aim_of(r), noise(r)))
    lines += listed("too noisy to trust", [r for r in rows if r["noisy"]], lambda r: " spread %.2f" % r["spread"])
    lines += listed("FAILED", [r for r in rows if not r["ok"]], lambda r: ": " + r.get("problem", ""))
    unknown = sorted({r["class"] for r in rows} - set(CLASSES))
    if unknown:
        lines.append("classes without a line in bench/runner/tables.py: " + ", ".join(unknown))
    return lines


def split(rows):
    """Those that are times, and the figures."""
    return [row for row in rows if row["class"] != FIGURE], [row for row in rows if row["class"] == FIGURE]


def meaning(row):
    return next((figure.what for figure in FIGURES if figure.name == row["row"]), "")


def whole(rows, roles):
    rows, found = split(rows)
    lines = [table(rows, roles), class_table(rows, roles), ""] if rows else []
    if found:
        lines += ["%-8s %-14s %10.4g %-13s %s" % (row["guest"], row["row"], row["value"], row["unit"], meaning(row))
                  for row in found] + [""]
    return "\n".join(lines + conclusions(rows, roles)) + "\n"
