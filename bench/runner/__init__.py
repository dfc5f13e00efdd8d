# SPDX-License-Identifier: GPL-2.0-or-later
"""Runs the benchmark guests on calque, on the peer and natively, and reports the ratios."""
