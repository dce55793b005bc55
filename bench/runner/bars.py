"""How fast libwire is to be, and whether it is: ratios within a round, then their median."""

import dataclasses
import statistics
import typing


@dataclasses.dataclass
class Bar:
    text: str
    at_most: float
    value: typing.Callable  # of the results: a number, or None when it was not measured
    unit: str = "times"
    at_least: bool = False  # the bar is a lower one

    def met(self, value):
        return value >= self.at_most if self.at_least else value <= self.at_most


def paired(results, over, under, combine):
    """The median over the rounds of combine(a, b), for two (line, side, field)."""
    columns = []
    for name, side, field in (over, under):
        series = name in results and results[name].series.get(side)
        if not series:
            return None
        columns.append([fields.get(field) if fields else None for fields in series.rounds])
    values = [combine(a, b) for a, b in zip(*columns) if a is not None and b is not None]
    return statistics.median(values) if values else None


def ratio(over, under, field="ns"):
    return lambda results: paired(results, (*over, field), (*under, field), lambda a, b: a / b)


def difference(over, under, parts=1):
    return lambda results: paired(results, (*over, "ns"), (*under, "ns"),
                                  lambda a, b: (a - b) / parts)


def plain(name, side, field):
    return lambda results: results[name].median(side, field) if name in results else None


def least(*values):
    """The smallest of several values, if all are there."""
    def smallest(results):
        found = [value(results) for value in values]
        return min(found) if None not in found else None
    return smallest


YIELD, MILLION = ("yield-2", "wires"), "sleepers-1000000"

BARS = [
    Bar("yield between 2, to a bare jump_fcontext", 1.3, ratio(YIELD, ("yield-2", "limit"))),
    Bar("the same with an idle descriptor and sleeper, to that without", 1.1,
        ratio(("yield-idle", "wires"), YIELD)),
    Bar("how late a ready descriptor is read meanwhile (99 of 100)", 200,
        plain("yield-idle", "wires", "late_us_p99"), "us"),
    Bar("create, run and end (pool), to a bare jump_fcontext", 3,
        ratio(("create", "wires"), ("yield-2", "limit"))),
    Bar("channel message, to a yield", 3.5, ratio(("channel", "wires"), YIELD)),
    Bar("lock, take and release", 2, plain("lock", "wires", "ns"), "ns"),
    Bar("echo, 64 connections, requests to an epoll loop's", 0.95,
        ratio(("echo-64", "wires"), ("echo-64", "limit"), "per_s"), at_least=True),
    Bar("wio_pread of 4 KiB in the page cache, CPU time to pread's", 1.3,
        ratio(("io-pread-cached", "1 wire"), ("io-pread-cached", "plain"), "cpu_us")),
    Bar("64 wires, fsync and uncached reads, to a pool of threads", 1,
        least(ratio(("io-fsync", "64 wires"), ("io-fsync", "pool"), "per_s"),
              ratio(("io-pread-uncached", "64 wires"), ("io-pread-uncached", "pool"), "per_s"),
              ratio(("io-pread-direct", "64 wires"), ("io-pread-direct", "pool"), "per_s")),
        at_least=True),
    Bar("1000000 sleepers, CPU seconds", 4.5, plain(MILLION, "wires", "cpu_s"), "s"),
    Bar("1000000 sleepers, the most that one wakes early", 0, plain(MILLION, "wires", "early_us"),
        "us"),
    Bar("1000000 sleepers, resident bytes of each", 4.4 * 1024, plain(MILLION, "wires", "bytes"),
        "bytes"),
    Bar("yield with 100000 wires, to one with 2", 4, ratio(("yield-100000", "wires"), YIELD)),
    Bar("override outside wires, beside the plain read()", 2,
        difference(("override-read", "wires"), ("override-read", "limit")), "ns"),
    Bar("override outside wires, beside a plain pthread_mutex_ call", 2,
        difference(("override-mutex", "wires"), ("override-mutex", "limit"), 2), "ns"),
]


def judged(results):
    """(bar, value) for each bar whose lines were run."""
    for bar in BARS:
        value = bar.value(results)
        if value is not None:
            yield bar, value


def behind(results):
    """(line, side) where a peer is faster than libwire by more than the quartiles overlap."""
    for result in results.values():
        line = result.line
        ours = result.series.get("wires")
        ours = ours and ours.quartiles(line.field)
        if not ours or line.group == "io":
            continue
        for side, series in result.series.items():
            theirs = series.quartiles(line.field)
            if side in ("wires", "wires_static", "limit", "preloaded") or not theirs:
                continue
            if theirs[0] > ours[2] if line.more_is_better else theirs[2] < ours[0]:
                yield line, side
