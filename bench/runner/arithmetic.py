# SPDX-License-Identifier: GPL-2.0-or-later
"""From samples to ratios."""
import math
import statistics

NOISY = 0.15


def median(values):
    values = [v for v in values if v is not None]
    return statistics.median(values) if values else None


def geometric_mean(values):
    values = [v for v in values if v is not None and v > 0]
    return math.exp(sum(map(math.log, values)) / len(values)) if values else None


def ratios(over, under):
    """Round by round, where both were measured."""
    return [a / b for a, b in zip(over, under) if a is not None and b]


def spread(values):
    """(max - min) / median: None unless there are two to compare."""
    values = [v for v in values if v is not None]
    if len(values) < 2:
        return None
    middle = statistics.median(values)
    return (max(values) - min(values)) / middle if middle else None


def best_ns(samples_ns, turns, operations):
    return min(samples_ns) / (turns * operations)
