# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/benchmarks.md from what a run left in build/."""
from . import report
from .results import BENCH_ROLES, aim_of
from .tables import ROW_AIM

INTRODUCTION = """# Benchmarks

What calque takes for each kind of instruction, against QEMU with `-accel tcg,thread=single` and, for
x86, natively. This page and its chart are made by a command from a run's figures; do not edit them.

A ratio is QEMU's time over calque's: above 1, calque is faster. It is the median of %(rounds)s rounds in
which the two ran in alternation, of each round's best sample; the spread is the largest less the
smallest ratio, over the median. A row whose spread is above 0.15 is marked `~`: too noisy to trust.
"of native" is the native program's time over calque's.
"""

REPRODUCE = """## To reproduce

    %(command)s
    make bench-page

`make help` and `docs/testing.md` say what can be chosen. The rows are in `bench/`, the aims in
`bench/runner/tables.py`.
"""


def row_of(cells):
    return "| " + " | ".join(cells) + " |"


def head_of(cells, texts):
    """texts: how many of the columns hold words; the others are numbers."""
    return [row_of(cells), "|" + "---|" * texts + "---:|" * (len(cells) - texts)]


def machine_lines(meta):
    lines = ["## Machine and versions", "", "| | |", "|---|---|"]
    for title, value in (
            ("date", meta["date"]), ("processor", meta["cpu"]),
            ("cores, memory", "%d, %s GiB" % (meta["cores"], meta["memory_gib"])),
            ("kernel", meta["kernel"]), ("calque", " at ".join(filter(None, (meta.get("calque"), meta["git"])))),
            ("QEMU", meta.get("peer") or "none"),
            ("rounds, samples, aim of a sample",
             "%d, %d, %d ms" % (meta["rounds"], meta["samples"], meta["milliseconds"])),
            ("the run took", "%d s" % meta["seconds"])):
        lines.append(row_of([title, str(value)]))
    if meta["quick"] or meta["rows"] != ".":
        lines += ["", "These are figures of a part of the rows only."]
    return lines


def means_by_guest(rows, which):
    """which: of a summary, 2 the ratios' geometric mean, 3 that of the shares of native speed."""
    return {guest: {found[0].name: found[which] for found in report.summary([r for r in rows if r["guest"] == guest])}
            for guest in report.guests_of(rows)}


def class_lines(rows):
    guests = report.guests_of(rows)
    means, natives = means_by_guest(rows, 2), means_by_guest(rows, 3)
    with_native = [guest for guest in guests if any(natives[guest].values())]
    lines = ["## By class", "", "Geometric means of the ratios, what is aimed at, and of native speed. No row shall be"
             " below %g." % ROW_AIM, ""]
    lines += head_of(["class", "aim"] + guests + ["all"] + [guest + " of native" for guest in with_native], 1)
    for kind, _, mean, _ in report.summary(rows):
        cells = [kind.name, "%g" % kind.aim] + [report.number(means[guest].get(kind.name)) for guest in guests]
        cells += [report.number(mean)] + [report.number(natives[guest].get(kind.name)) for guest in with_native]
        lines.append(row_of(cells))
    return lines


def figure_lines(found):
    lines = ["## Figures", "", "What calque counted while a kernel booted to the shell.", ""]
    lines += head_of(["guest", "figure", "unit", "value"], 3)
    return lines + [row_of([row["guest"], report.meaning(row), row["unit"], "%.4g" % row["value"]]) for row in found]


def short_lines(rows):
    short = [row for row in rows if report.misses_aim(row)]
    lines = ["## Rows below their aim", ""]
    if not short:
        return lines + ["None."]
    lines += head_of(["guest", "row", "class", "ratio", "aim"], 3)
    for row in sorted(short, key=lambda row: row["ratio"] / aim_of(row)):
        lines.append(row_of([row["guest"], "`%s`" % row["row"], row["class"],
                             "%.2f%s" % (row["ratio"], "~" if row["noisy"] else ""), "%g" % aim_of(row)]))
    return lines


def guest_lines(guest, rows):
    natives = report.has_natives(rows, BENCH_ROLES)
    lines = ["### " + guest, ""]
    lines += head_of(["row", "class", "calque", "QEMU"] + (["native"] if natives else []) + ["ratio"]
                     + (["of native"] if natives else []) + ["spread"], 2)
    for row in report.in_class_order(rows):
        ratio = report.number(row["ratio"]) + ("~" if row["noisy"] else "") if row["ok"] else "failed"
        cells = ["`%s`" % row["row"], row["class"], report.duration(row["calque_ns"]), report.duration(row["peer_ns"])]
        cells += [report.duration(row["native_ns"])] if natives else []
        cells += [ratio] + ([report.number(row["native_ratio"])] if natives else []) + [report.number(row["spread"])]
        lines.append(row_of(cells))
    return lines


def write_page(rows, meta):
    rows, found = report.split(rows)
    parts = [INTRODUCTION % meta, "\n".join(machine_lines(meta)), "\n".join(class_lines(rows)),
             "![Ratios of every row](benchmarks.svg)", "\n".join(short_lines(rows))]
    if found:
        parts.append("\n".join(figure_lines(found)))
    parts.append("## Every row")
    for guest in report.guests_of(rows):
        parts.append("\n".join(guest_lines(guest, [row for row in rows if row["guest"] == guest])))
    parts.append(REPRODUCE % meta)
    return "\n\n".join(part.strip("\n") for part in parts) + "\n"
