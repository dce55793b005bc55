"""results.json, with every round, and results.md, to be read."""

import json
import os

from . import bars, programs
from .lines import PEERS, SIDES

# Fields that the detailed tables show, with what they are multiplied by: header, digits.
FIELDS = {
    "late_us": ("late, median, us", 0), "late_us_p99": ("late, 99 %, us", 0),
    "late_us_max": ("late, most, us", 0), "bytes": ("bytes each", 0),
    "early_us": ("early, most, us", 0), "p50_us": ("median, us", 0), "p99_us": ("99 %, us", 0),
    "cpu_us": ("CPU, us each", 2),
}


def machine_text(machine):
    versions = ", ".join("%s %s" % (name, version)
                         for name, version in machine["versions"].items() if version)
    missing = [name for name, version in machine["versions"].items() if not version]
    text = "%s%s, %d processor%s, %s GiB; %s, Linux %s; %s; %s" % (
        machine["processor"], " (virtual)" if machine["virtual"] else "", machine["processors"],
        "s"[:machine["processors"] > 1], machine["memory_gib"], machine["system"],
        machine["kernel"], machine["compiler"], versions)
    if missing:
        text += "; not installed: " + ", ".join(missing)
    return text


def conditions_text(machine):
    text = "%s, %d s, medians of the rounds of one run" % (machine["date"], machine["seconds"])
    if machine["realtime"]:
        text += ", with real-time priority"
    return text + "; the machine was busy with other things for %d %% of its time." % (
        machine["busy_percent"])


def number(value, digits):
    return "-" if value is None else "%.*f" % (digits, value)


def title(line, side):
    if side == "limit":
        return line.limit
    if side == "preloaded":
        return "libwire-interpose.so"
    return SIDES.get(side) or programs.IO_SIDES.get(side, side)


# --- one table over all lines

def cell(result, side):
    line = result.line
    median = result.median(side)
    if median is None:
        return ""
    text = number(median * line.scale, line.digits)
    return "%s (%s)" % (text, line.limit) if side == "limit" else text


def main_table(results):
    columns = ["wires", "limit"] + PEERS
    rows = ["| work | unit | " + " | ".join(SIDES[side] for side in columns) + " |",
            "|---|---|" + "---|" * len(columns)]
    for result in results.values():
        line = result.line
        if line.group == "main":
            rows.append("| %s | %s | %s |" % (
                line.title, line.unit, " | ".join(cell(result, side) for side in columns)))
    return rows


def io_table(results):
    lines = [result for result in results.values() if result.line.group == "io"]
    if not lines:
        return []
    sides = list(programs.IO_SIDES)
    rows = ["| 1000 per second | " + " | ".join(programs.IO_SIDES[side] for side in sides) + " |",
            "|---|" + "---|" * len(sides)]
    for result in lines:
        rows.append("| %s | %s |" % (result.line.title,
                                     " | ".join(cell(result, side) for side in sides)))
    return rows


def growth_table(results):
    lines = [result for result in results.values() if result.line.group == "growth"]
    if not lines:
        return []
    sides = [side for side in SIDES if any(side in result.series for result in lines)]
    rows = ["| work | " + " | ".join(SIDES[side] + ", ns" for side in sides) + " |",
            "|---|" + "---|" * len(sides)]
    for result in lines:
        rows.append("| %s | %s |" % (result.line.title,
                                     " | ".join(cell(result, side) for side in sides)))
    return rows


def bars_table(results):
    rows = ["| what | is | bar | met |", "|---|---|---|---|"]
    for bar, value in bars.judged(results):
        digits = 0 if abs(value) >= 100 else 2
        rows.append("| %s | %s %s | %s %s | %s |" % (
            bar.text, number(value, digits), bar.unit, "at least" if bar.at_least else "at most",
            "%.7g" % bar.at_most, "yes" if bar.met(value) else "no"))
    return rows if len(rows) > 2 else []


# --- one table for each line

def detail(result):
    line = result.line
    also = [field for field in line.also
            if any(series.values(field) for series in result.series.values())]
    heads = ["side", line.unit, "quartiles", "rounds"] + [FIELDS[field][0] for field in also]
    rows = ["", "### %s" % line.name, "", "%s. %s" % (line.title, line.note), "",
            "| %s |" % " | ".join(heads), "|" + "---|" * len(heads)]
    for side, series in result.series.items():
        quartiles = series.quartiles(line.field)
        if quartiles is None:
            rows.append("| %s | not measured: %s |%s" % (title(line, side), series.failure,
                                                         " |" * (len(heads) - 2)))
            continue
        low, median, high = (number(value * line.scale, line.digits + 1) for value in quartiles)
        cells = [title(line, side), median, "%s to %s" % (low, high),
                 str(len(series.values(line.field)))]
        cells += [number(result.median(side, field), FIELDS[field][1]) for field in also]
        rows.append("| %s |" % " | ".join(cells))
    return rows


def markdown(machine, results):
    rows = ["# Results of bench/run", "", machine_text(machine) + ".", "",
            conditions_text(machine)]
    ahead = ["%s in %s" % (title(line, side), line.name) for line, side in bars.behind(results)]
    parts = (("Bars", bars_table(results)), ("All lines", main_table(results)),
             ("Input and output", io_table(results)), ("Growth", growth_table(results)))
    for heading, table in parts:
        if len(table) > 2:
            rows += ["", "## " + heading, ""] + table
    rows += ["", "Ahead of libwire: %s." % (", ".join(ahead) or "nobody"), "", "## Each line"]
    for result in results.values():
        rows += detail(result)
    return "\n".join(rows) + "\n"


def write(folder, machine, results):
    data = {"machine": machine, "lines": {
        name: {"title": result.line.title, "unit": result.line.unit, "field": result.line.field,
               "more_is_better": result.line.more_is_better,
               "sides": {side: {"name": title(result.line, side), "rounds": series.rounds,
                                "quartiles": series.quartiles(result.line.field),
                                "failure": series.failure}
                         for side, series in result.series.items()}}
        for name, result in results.items()}}
    with open(os.path.join(folder, "results.json"), "w", encoding="utf-8") as file:
        json.dump(data, file, indent=1)
        file.write("\n")
    with open(os.path.join(folder, "results.md"), "w", encoding="utf-8") as file:
        file.write(markdown(machine, results))
