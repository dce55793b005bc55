"""The table between two marks of README.md."""

import os
import re

from . import report

BEGIN, END = "<!-- bench-table -->\n", "<!-- end of bench-table -->\n"


def section(machine, results):
    parts = [report.main_table(results), report.io_table(results), report.growth_table(results),
             report.bars_table(results)]
    rows = [report.machine_text(machine) + ".", "", report.conditions_text(machine)]
    for table in parts:
        rows += [""] + table if table else []
    return "\n".join(rows) + "\n"


def update(top, machine, results):
    path = os.path.join(top, "README.md")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    made = BEGIN + "\n" + section(machine, results) + "\n" + END
    text, count = re.subn(re.escape(BEGIN) + ".*?" + re.escape(END), lambda _: made, text,
                          flags=re.DOTALL)
    if count != 1:
        raise SystemExit("README.md: the marks of the table are not there once each")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
