#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmark's runner: its arithmetic, and guests that lie, hang, die or say what they should not."""
import io
import json
import os
import re
import sys
import tempfile
import time
import unittest
import xml.dom.minidom

HERE = os.path.dirname(os.path.realpath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "../../bench"))
from runner import arithmetic, chart, figures, main, measure, page, report  # noqa: E402
from runner.console import Console, Trouble  # noqa: E402
from runner.linux import BootedKernel  # noqa: E402
from runner.machine import Machine  # noqa: E402
from runner.results import BENCH_ROLES, COMPARE_ROLES, Result, summary  # noqa: E402
from runner.tables import CLASSES, WORKLOAD_CLASSES  # noqa: E402

FAKE_GUEST = [sys.executable, os.path.join(HERE, "bench/fake_guest.py")]
FAKE_KERNEL = [sys.executable, os.path.join(HERE, "bench/fake_kernel.py")]


def machine(name, *options):
    return Machine(name, FAKE_GUEST + list(options))


def a_run(rows=".", roles=BENCH_ROLES, **settings):
    return measure.Run(measure.Settings(rows=rows, **settings), roles, measure.Progress(io.StringIO()))


def rows_of(run):
    return {row["row"]: row for row in (result.as_json(run.roles) for result in run.results)}


def state(pid):
    with open("/proc/%d/stat" % pid, encoding="ascii") as stat:
        return stat.read().rsplit(") ", 1)[1][0]


def measured(ratio_times, kind="program", row="row"):
    result = Result("arm", row, kind)
    for machine_name, times in ratio_times.items():
        for ns in times:
            result.add(machine_name, ns)
    return result


class Arithmetic(unittest.TestCase):
    def test_best_sample(self):
        self.assertEqual(arithmetic.best_ns([300, 200, 900], 10, 4), 5)

    def test_ratio_is_median_of_rounds(self):
        row = measured({"calque": [1, 2, 4], "peer": [3, 4, 20], "native": [0.5, 1, 2]}).as_json(BENCH_ROLES)
        self.assertEqual((row["ratio"], row["native_ratio"], row["calque_ns"], row["peer_ns"]), (3, 0.5, 2, 4))
        self.assertEqual((row["spread"], row["noisy"], row["ok"]), (1, True, True))

    def test_only_rounds_of_both_count(self):
        row = measured({"calque": [1, 1, 1], "peer": [2, None, 4]}).as_json(BENCH_ROLES)
        self.assertEqual(row["ratio"], 3)

    def test_without_peer_the_spread_is_of_times(self):
        row = measured({"calque": [10, 11, 10.5]}).as_json(BENCH_ROLES)
        self.assertEqual((row["ratio"], row["peer_ns"], row["native_ns"]), (None, None, None))
        self.assertAlmostEqual(row["spread"], 1 / 10.5, 4)
        self.assertFalse(row["noisy"])

    def test_one_round_has_no_spread(self):
        row = measured({"calque": [10], "peer": [20]}).as_json(BENCH_ROLES)
        self.assertEqual((row["ratio"], row["spread"], row["noisy"]), (2, None, False))

    def test_compare_judges_b(self):
        row = measured({"b": [1, 1], "a": [2, 2]}).as_json(COMPARE_ROLES)
        self.assertEqual((row["a_ns"], row["b_ns"], row["ratio"]), (2, 1, 2))

    def test_geometric_means_and_aims(self):
        results = [measured({"calque": [1], "peer": [ratio]}, kind, "%s%d" % (kind, ratio))
                   for kind, ratio in (("fp", 4), ("fp", 25), ("program", 2), ("unheard-of", 3))]
        rows = [result.as_json(BENCH_ROLES) for result in results]
        self.assertEqual([(kind.name, round(mean, 6)) for kind, _, mean, _ in summary(rows)],
                         [("fp", 10), ("program", 2), ("unheard-of", 3)])
        self.assertEqual([row["row"] for row in rows if report.misses_aim(row)], ["fp4"])
        text = report.whole(rows, BENCH_ROLES)
        self.assertRegex(text, r"(?m)^program +1 +2\.00 +2\.00 +2\.5  missed$")
        self.assertIn("unheard-of", text.splitlines()[-1])

    def test_result_that_differs_from_what_is_wanted(self):
        result = measured({"calque": [1], "peer": [2]})
        result.add_sum("calque", 1, 1)
        result.add_sum("peer", 2, 2)
        row = result.as_json(BENCH_ROLES)
        self.assertEqual((row["ok"], row["ratio"]), (False, None))
        self.assertIn("peer: WRONG RESULT: 2, but 1 on calque", row["problem"])

    def test_quick_takes_some_of_each_class(self):
        rows = {"%s%d" % (kind, i): (kind, 1) for i in range(9) for kind in ("fp", "call")}
        chosen = measure.choose_rows(rows, measure.Settings(quick=True))
        self.assertEqual(chosen, {"fp0": "fp", "call0": "call", "fp4": "fp", "call4": "call"})


class Guests(unittest.TestCase):
    def test_every_way_to_go_wrong(self):
        """And the rows after it are measured: the machine starts again."""
        run = a_run("^(?!hangs|tardy)", rounds=1, samples=2)
        pair = [machine("calque", "sum=beef"), machine("peer", "milliseconds=60", "sum=cafe")]
        measure.measure_bare(run, "arm", pair)
        rows = rows_of(run)
        for row, words in {
                "lies": "calque: WRONG RESULT: dead instead of beef", "exits": "died with status 3",
                "crashes": "died of signal 11", "garbage": "out of turn", "endless": "a line without an end",
                "reports": "error undefined instruction at 1234", "instant": "took no time",
                "differs": "peer: WRONG RESULT: cafe, but beef on calque"}.items():
            with self.subTest(row):
                self.assertFalse(rows[row]["ok"])
                self.assertIn(words, rows[row]["problem"])
                self.assertIsNone(rows[row]["ratio"])
        for row in ("honest", "last"):
            self.assertTrue(rows[row]["ok"])
            self.assertGreater(rows[row]["ratio"], 1.2)
            self.assertGreater(rows[row]["peer_ns"], 60e6 / 20 / 2)
        self.assertFalse(run.ok())
        self.assertIn("the fake guest gives up", run.progress.stream.getvalue())
        self.assertEqual([m.console for m in pair], [None, None])
        report.whole(list(rows.values()), run.roles)

    def test_hanging(self):
        run = a_run("^(hangs|tardy|last)$", rounds=1, samples=1, row_seconds=1.2)
        measure.measure_bare(run, "arm", [machine("calque", "milliseconds=5")])
        rows = rows_of(run)
        for row in ("hangs", "tardy"):
            self.assertIn("said nothing more in time", rows[row]["problem"])
        self.assertTrue(rows["last"]["ok"])

    def test_a_failed_row_is_not_tried_again(self):
        run = a_run("^(exits|last)$", rounds=3, samples=1, row_seconds=5)
        measure.measure_bare(run, "arm", [machine("calque")])
        self.assertEqual([len(result.times["calque"]) for result in run.results], [1, 3])

    def test_others_are_stopped(self):
        one = machine("calque")
        one.start()
        pid = one.console.process.pid
        self.assertEqual(state(pid), "T")
        one.run("honest", 1, 1, 5)
        self.assertEqual(state(pid), "T")
        one.finish()
        self.assertFalse(os.path.exists("/proc/%d" % pid))

    def test_bad_starts(self):
        for how, words in {
                "dead": "died with status 1\n    | no such machine", "silent": "said nothing more in time",
                "newer": "does not speak version 1", "twice": "lists honest twice"}.items():
            with self.subTest(how):
                with self.assertRaises(Trouble) as caught:
                    machine("calque", "start=" + how).start(0.7 if how == "silent" else 10)
                self.assertIn(words, str(caught.exception))
        with self.assertRaises(Trouble):
            Machine("calque", ["/nonexistent/calque"]).start()

    def test_without_the_judged_machine_nothing_is_measured(self):
        run = a_run()
        measure.measure_bare(run, "arm", [machine("calque", "start=dead"), machine("peer")])
        self.assertEqual((run.results, len(run.problems), run.ok()), ([], 1, False))

    def test_without_the_peer_the_rest_is_measured(self):
        run = a_run("honest", rounds=1)
        measure.measure_bare(run, "arm", [machine("calque"), machine("peer", "start=dead")])
        self.assertFalse(run.ok())
        self.assertTrue(rows_of(run)["honest"]["ok"])

    def test_flood_is_bounded(self):
        flood = Console(["/usr/bin/yes"])
        with self.assertRaises(Trouble):
            flood.read_until(b"never", time.monotonic() + 20)
        flood.close()


class Kernels(unittest.TestCase):
    def boot(self, *options):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        return lambda: BootedKernel(FAKE_KERNEL + list(options), quiet=":", off="exit", folder=folder.name)

    def test_workloads(self):
        """This host's programs must find what the runner works out."""
        run = a_run(rounds=1)
        measure.measure_boots(run, "arm", [("calque", self.boot()), ("peer", self.boot())])
        rows = rows_of(run)
        self.assertEqual(list(rows), list(WORKLOAD_CLASSES))
        for row in rows.values():
            self.assertTrue(row["ok"], row)
            self.assertGreater(row["ratio"], 0)
            self.assertIsNotNone(row["calque_cpu_s"])
        self.assertTrue(run.ok())

    def test_wrong_result(self):
        run = a_run("^(awk_float|shell_loop)$", rounds=1)
        answers = dict(measure.ANSWERS, awk_float=lambda: "1.0")
        kept, measure.ANSWERS = measure.ANSWERS, answers
        try:
            measure.measure_boots(run, "arm", [("calque", self.boot())])
        finally:
            measure.ANSWERS = kept
        rows = rows_of(run)
        self.assertIn("WRONG RESULT: awk_float gave not '1.0'", rows["awk_float"]["problem"])
        self.assertTrue(rows["shell_loop"]["ok"])

    def test_panic(self):
        run = a_run("^(boot|gzip|sort)$", rounds=2)
        measure.measure_boots(run, "arm", [("calque", self.boot("panic"))])
        rows = rows_of(run)
        self.assertIn("died with status 1", rows["boot"]["problem"])
        self.assertIn("not reached", rows["sort"]["problem"])
        self.assertIn("Kernel panic", run.progress.stream.getvalue())


class Reports(unittest.TestCase):
    def figures(self):
        rows = []
        for i, kind in enumerate(CLASSES):
            result = measured({"calque": [10, 10], "peer": [10.0 * (i + 0.5), 11.0 * (i + 0.5)]}, kind, "row<%d>" % i)
            if i == 3:
                result.problem("calque", "WRONG RESULT: 1 instead of 2")
            rows.append(result.as_json(BENCH_ROLES))
        return rows

    def test_chart_is_xml(self):
        for rows in (self.figures(), []):
            xml.dom.minidom.parseString(chart.draw(rows, "a < b", "c & d"))

    def test_figures(self):
        counters = figures.parse('noise\n{"host_bytes_per_insn": 31.5, "units": 3}\n')
        found = figures.rows_from("arm", counters, re.compile("."))
        self.assertEqual([(row["row"], row["value"], row["ok"]) for row in found], [("host_code", 31.5, True)])
        for text in ("", "{", "units 3"):
            with self.assertRaises(Trouble):
                figures.parse(text)
        self.assertIn("31.5 bytes", report.whole(self.figures() + found, BENCH_ROLES))
        xml.dom.minidom.parseString(chart.draw(found, "", ""))

    def test_page(self):
        described = dict(date="today", cpu="one", cores=2, memory_gib=1.5, kernel="Linux", git="abc", calque="calque 1",
                         peer="QEMU 1", rounds=3, samples=3, milliseconds=20, seconds=9, quick=False, rows=".",
                         command="make bench")
        text = page.write_page(json.loads(json.dumps(self.figures())), described)
        self.assertEqual(text.count("`row<"), len(CLASSES) + len([r for r in self.figures() if report.misses_aim(r)]))
        self.assertIn("failed", text)

    def test_mistakes_are_one_sentence(self):
        kept, sys.stderr = sys.stderr, io.StringIO()
        try:
            for words in ("measure vax", "measure --rows (", "compare", "measure --peer /nowhere",
                          "page --build /nowhere"):
                self.assertEqual(main.main(words.split()), 2)
            said = sys.stderr.getvalue()
        finally:
            sys.stderr = kept
        self.assertEqual(len(said.splitlines()), 5, said)


if __name__ == "__main__":
    unittest.main()
