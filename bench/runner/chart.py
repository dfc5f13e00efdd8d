# SPDX-License-Identifier: GPL-2.0-or-later
"""The ratios as a picture: a column a guest, a bar a row, on a logarithmic scale."""
import math
from xml.sax.saxutils import escape

from .report import guests_of, in_class_order, noise, split
from .results import aim_of
from .tables import class_of

ROW_HEIGHT, HEAD_HEIGHT, GAP = 11, 18, 6
LABEL_WIDTH, PLOT_WIDTH, VALUE_WIDTH = 122, 200, 40
COLUMN_WIDTH = LABEL_WIDTH + PLOT_WIDTH + VALUE_WIDTH + 24
TOP, BOTTOM = 84, 34
TICKS = (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 300, 1000)
FEWEST_DECADES = (0.5, 20)


class Scale:
    def __init__(self, ratios):
        low = min([FEWEST_DECADES[0]] + ratios)
        high = max([FEWEST_DECADES[1]] + ratios)
        self.low = max([t for t in TICKS if t <= low], default=TICKS[0])
        self.high = min([t for t in TICKS if t >= high], default=TICKS[-1])
        self.ticks = [t for t in TICKS if self.low <= t <= self.high]

    def __call__(self, ratio):
        ratio = min(max(ratio, self.low), self.high)
        return PLOT_WIDTH * math.log(ratio / self.low) / math.log(self.high / self.low)


def text(x, y, words, kind="", anchor="start"):
    return '<text x="%.1f" y="%.1f" text-anchor="%s"%s>%s</text>' % (
        x, y, anchor, ' class="%s"' % kind if kind else "", escape(words))


def line(x1, y1, x2, y2, kind):
    return '<line x1="%.1f" y1="%.1f" x2="%.1f" y2="%.1f" class="%s"/>' % (x1, y1, x2, y2, kind)


def by_class(rows):
    groups = {}
    for row in in_class_order(rows):
        groups.setdefault(row["class"], []).append(row)
    return groups


def column_height(rows):
    groups = by_class(rows)
    return sum(HEAD_HEIGHT + ROW_HEIGHT * len(found) + GAP for found in groups.values())


def bar(row, x, y, scale, colour):
    """From 1.0 to the ratio: to the right is faster than what it is compared with."""
    parts = [text(x - 5, y + 8.5, row["row"], "name", "end")]
    if row["ratio"] is None:
        words = ("-", "value") if row["ok"] else ("failed", "failed")
        parts.append(text(x + PLOT_WIDTH + 4, y + 8.5, *words))
        return parts
    begin, end = sorted((scale(1), scale(row["ratio"])))
    parts.append('<rect x="%.1f" y="%.1f" width="%.1f" height="%d" fill="%s"%s><title>%s</title></rect>' % (
        x + begin, y + 1, max(end - begin, 1), ROW_HEIGHT - 2, colour,
        ' fill-opacity="0.4"' if row["noisy"] else "",
        escape("%s %s: %.2f%s" % (row["guest"], row["row"], row["ratio"], noise(row)))))
    parts.append(text(x + PLOT_WIDTH + 4, y + 8.5, "%.3g" % row["ratio"] + ("~" if row["noisy"] else ""),
                      "slow" if row["ratio"] < 1 else "value"))
    return parts


def column(guest, rows, left, height, scale, with_aims):
    x = left + LABEL_WIDTH
    parts = [text(x, TOP - 26, guest, "guest")]
    for tick in scale.ticks:
        at = x + scale(tick)
        parts.append(line(at, TOP - 6, at, TOP + height, "one" if tick == 1 else "grid"))
        parts.append(text(at, TOP - 10, "%g" % tick, "tick", "middle"))
    y = TOP
    for name, found in by_class(rows).items():
        kind = class_of(name)
        parts.append(text(x - 5, y + 12, name, "class", "end"))
        y += HEAD_HEIGHT
        for row in found:
            parts += bar(row, x, y, scale, kind.colour)
            y += ROW_HEIGHT
        if with_aims and kind.aim != 1:
            at = x + scale(kind.aim)
            parts.append(line(at, y - ROW_HEIGHT * len(found) - 3, at, y + 2, "aim"))
            parts.append(text(at, y - ROW_HEIGHT * len(found) - 5, "%g" % kind.aim, "aimed", "middle"))
        y += GAP
    return parts


STYLE = """text { font: 8.5px sans-serif; fill: #333 }
.title { font: bold 15px sans-serif } .sub { font: 10px sans-serif; fill: #555 }
.guest { font: bold 13px sans-serif } .class { font: bold 9.5px sans-serif }
.tick { fill: #777 } .value { fill: #555 } .slow, .failed { fill: #c00; font-weight: bold }
.grid { stroke: #e4e4e4 } .one { stroke: #333; stroke-width: 1.2 }
.aim { stroke: #111; stroke-width: 1.4; stroke-dasharray: 3 2 }
.aimed { font-size: 7.5px; fill: #111; stroke: #fff; stroke-width: 2px; paint-order: stroke }"""


def draw(rows, title, subtitle, with_aims=True):
    """An SVG document."""
    rows, _ = split(rows)
    guests = guests_of(rows)
    columns = {g: [row for row in rows if row["guest"] == g] for g in guests}
    height = max([column_height(found) for found in columns.values()], default=0)
    ratios = [row["ratio"] for row in rows if row["ratio"]]
    scale = Scale(ratios + ([aim_of(row) for row in rows] if with_aims else []))
    width, total = max(COLUMN_WIDTH * len(guests) + 20, 480), TOP + height + BOTTOM
    parts = ['<svg xmlns="http://www.w3.org/2000/svg" width="%d" height="%d" viewBox="0 0 %d %d">' % (
        width, total, width, total), "<style>%s</style>" % STYLE,
        '<rect width="100%" height="100%" fill="#fff"/>',
        text(14, 22, title, "title"), text(14, 37, subtitle, "sub")]
    for i, guest in enumerate(guests):
        parts += column(guest, columns[guest], 10 + i * COLUMN_WIDTH, height, scale, with_aims)
    legend = ["to the right of 1: faster", "pale and ~: too noisy to trust"]
    if with_aims:
        legend.append("dashed: the aim of the class")
    parts.append(text(14, total - 12, "; ".join(legend), "sub"))
    parts.append("</svg>")
    return "\n".join(parts) + "\n"
