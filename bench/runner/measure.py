"""Running the lines: all sides of a round one after the other, then the next round."""

import statistics
import sys

from .processes import Failed, Impossible


class Series:
    """What the rounds of one side of a line gave."""

    def __init__(self):
        self.rounds = []  # fields of each round, None for one that failed
        self.failure = None  # why there is no more
        self.failed = False  # and whether that is an error

    def add(self, outcome):
        if isinstance(outcome, Failed):
            self.failure = str(outcome)
            self.failed = not isinstance(outcome, Impossible)
            self.rounds.append(None)
        else:
            self.rounds.append(outcome)

    def values(self, field):
        return [fields[field] for fields in self.rounds if fields and field in fields]

    def quartiles(self, field):
        """The lower one, the median, the upper one; None when there are no values."""
        values = self.values(field)
        if not values:
            return None
        if len(values) == 1:
            return [values[0]] * 3
        return statistics.quantiles(values, n=4, method="inclusive")


class Result:
    """A line and the series of its sides."""

    def __init__(self, line):
        self.line, self.series = line, {}

    def add(self, side, outcome):
        self.series.setdefault(side, Series()).add(outcome)

    def median(self, side, field=None):
        series = self.series.get(side)
        quartiles = series and series.quartiles(field or self.line.field)
        return quartiles[1] if quartiles else None


def attempt(run, place):
    try:
        return run(place)
    except Failed as failure:
        return failure


def one_round(result, place, number, sides):
    line = result.line
    if line.batch:
        outcome = attempt(line.batch, place)
        if isinstance(outcome, Failed):
            result.add(line.sides[0], outcome)
        else:
            for side, fields in outcome.items():
                result.add(side, fields)
        return
    chosen = [side for side in line.runs if not sides or side in sides]
    for i in range(len(chosen)):
        # They take turns in going first.
        side = chosen[(i + number) % len(chosen)]
        if side in result.series and result.series[side].failure:
            continue  # it would fail again, and may take long to do so
        result.add(side, attempt(line.runs[side], place))


def run(lines, place, options):
    """{name of the line: Result}"""
    sides = options.sides.split(",") if options.sides else None
    results = {}
    for line in lines:
        result = results[line.name] = Result(line)
        for number in range(options.rounds or line.rounds):
            one_round(result, place, number, sides)
        print(summary(result), flush=True)
    return results


def summary(result):
    line, parts = result.line, []
    for side, series in result.series.items():
        median = result.median(side)
        text = "failed" if median is None else "%.*f" % (line.digits, median * line.scale)
        parts.append("%s %s" % (side, text))
    return "%s (%s): %s" % (line.name, line.unit, ", ".join(parts))


def failed(results):
    """Whether libwire gave no result somewhere. Peers that are not installed are no failure."""
    bad = [(name, side, series.failure) for name, result in results.items()
           for side, series in result.series.items()
           if series.failed and side in ("wires", "wires_static", "64 wires", "1 wire")]
    for name, side, failure in bad:
        print("bench/run: %s, %s: %s" % (name, side, failure), file=sys.stderr)
    return bool(bad)
