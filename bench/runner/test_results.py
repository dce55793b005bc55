"""How results are put together, from rounds that are made up."""

import os
import sys
import tempfile
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

from runner import bars, measure, readme, report  # noqa: E402
from runner.lines import Line, all_lines  # noqa: E402
from runner.processes import Failed, Impossible  # noqa: E402

MACHINE = {"date": "2000-01-01", "processor": "a processor", "virtual": False, "processors": 1,
           "memory_gib": 1, "kernel": "1", "system": "a system", "compiler": "cc", "seconds": 1,
           "realtime": False, "busy_percent": 0, "versions": {"Go": "1.0", "wrk": None}}


def result_of(name, sides, field="ns", **options):
    """A line whose sides had these values, a round each."""
    result = measure.Result(Line(name, "the line " + name, "ns", field, {}, **options))
    for side, values in sides.items():
        for value in values:
            result.add(side, value if isinstance(value, Failed) else {field: value})
    return result


def results_of(*results):
    return {result.line.name: result for result in results}


class Results(unittest.TestCase):
    def test_medians_and_quartiles_leave_failed_rounds_out(self):
        result = result_of("x", {"wires": [4, 1, Failed("no"), 3, 2, 5]})
        self.assertEqual(result.series["wires"].quartiles("ns"), [2, 3, 4])
        self.assertEqual(result.median("wires"), 3)
        self.assertIsNone(result.median("go"))
        self.assertIsNone(result.median("wires", "other"))

    def test_ratios_are_taken_within_a_round(self):
        results = results_of(result_of("yield-2", {"wires": [10, 20, 90], "limit": [5, 20, 30]}))
        value = bars.ratio(("yield-2", "wires"), ("yield-2", "limit"))(results)
        self.assertEqual(value, 2)
        self.assertIsNone(bars.ratio(("yield-2", "wires"), ("lock", "wires"))(results))

    def test_a_bar_is_met_or_not(self):
        results = results_of(result_of("yield-2", {"wires": [10], "limit": [5]}),
                             result_of("lock", {"wires": [1.5]}))
        judged = {bar.text: bar.met(value) for bar, value in bars.judged(results)}
        self.assertEqual(judged, {"yield between 2, to a bare jump_fcontext": False,
                                  "lock, take and release": True})

    def test_a_peer_is_ahead_only_beyond_the_quartiles(self):
        ahead = result_of("a", {"wires": [10, 11, 12], "go": [7, 8, 9], "limit": [1, 1, 1]})
        close = result_of("b", {"wires": [10, 11, 12], "go": [9, 10.4, 11]})
        more = result_of("c", {"wires": [10, 11, 12], "go": [13, 14, 15], "st": [7, 8, 9]},
                         more_is_better=True)
        found = [(line.name, side) for line, side in bars.behind(results_of(ahead, close, more))]
        self.assertEqual(found, [("a", "go"), ("c", "go")])

    def test_only_what_libwire_could_have_done_is_a_failure(self):
        absent = results_of(result_of("a", {"wires": [Impossible("no memory")],
                                            "go": [Failed("crashed")]}))
        self.assertFalse(measure.failed(absent))
        self.assertTrue(measure.failed(results_of(result_of("a", {"wires": [Failed("crashed")]}))))

    def test_the_text_names_values_and_what_is_missing(self):
        results = results_of(result_of("a", {"wires": [1.23], "limit": [1], "go": [Failed("bad")]},
                                       limit="the limit"))
        text = report.markdown(MACHINE, results)
        self.assertIn("| the line a | ns | 1.2 | 1.0 (the limit) |", text)
        self.assertIn("| Go | not measured: bad |", text)
        self.assertIn("not installed: wrk", text)

    def test_the_readme_changes_between_its_marks_only(self):
        results = results_of(result_of("a", {"wires": [1.23]}))
        with tempfile.TemporaryDirectory() as top:
            path = os.path.join(top, "README.md")
            with open(path, "w", encoding="utf-8") as file:
                file.write("before\n" + readme.BEGIN + "old\n" + readme.END + "after\n")
            for _ in range(2):
                readme.update(top, MACHINE, results)
            with open(path, encoding="utf-8") as file:
                text = file.read()
        self.assertTrue(text.startswith("before\n" + readme.BEGIN))
        self.assertTrue(text.endswith(readme.END + "after\n"))
        self.assertEqual(text.count("the line a"), 1)
        self.assertNotIn("old", text)

    def test_every_bar_is_about_lines_that_exist(self):
        results = {}
        for line in all_lines():
            result = results[line.name] = measure.Result(line)
            for side in line.sides or line.runs:
                result.add(side, {field: 1.0 for field in (line.field, *line.also)})
        self.assertEqual(len(list(bars.judged(results))), len(bars.BARS))


if __name__ == "__main__":
    unittest.main()
