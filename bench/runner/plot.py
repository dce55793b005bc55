"""growth.svg: the cost of a yield against what is idle beside it, drawn by gnuplot."""

import os
import shutil
import subprocess
import sys

from .lines import GROWTH, GROWTH_SIZES, SIDES

SETTINGS = """\
set terminal svg size 960,400 font 'sans-serif,12' background 'white'
set output '{output}'
set multiplot layout 1,3
set logscale xy
set format x '10^{{%T}}'
set xtics 1,100,1000000
set xrange [0.7:1500000]
set yrange [1:100000]
set ylabel 'ns for a yield'
set key below maxcols 2
set grid ytics
"""


def number_of(results, kind, size, side):
    result = results.get("growth-%s-%d" % (kind, size))
    median = result.median(side) if result else None
    return None if median is None else "%g" % median


def growth(folder, results):
    """The path of the plot, or None when there is nothing to draw, or nothing to draw it with."""
    sides = [side for side in SIDES
             if any(name.startswith("growth-") and side in result.series
                    for name, result in results.items())]
    if not sides:
        return None
    if shutil.which("gnuplot") is None:
        print("bench/run: no plot: gnuplot is not installed (Debian: gnuplot-nox)",
              file=sys.stderr)
        return None
    output = os.path.join(folder, "growth.svg")
    script = SETTINGS.format(output=output)
    for kind, text in GROWTH.items():
        data, curves = "", []
        for color, side in enumerate(sides, 1):
            rows = ["%d %s\n" % (size, value) for size in GROWTH_SIZES
                    if (value := number_of(results, kind, size, side)) is not None]
            if rows:
                data += "".join(rows) + "e\n"
                curves.append("'-' with linespoints linetype %d title '%s'" % (color, SIDES[side]))
        if curves:
            script += "set xlabel '%s, idle'\nplot %s\n%s" % (text, ", ".join(curves), data)
    subprocess.run(["gnuplot"], input=script, text=True, check=True)
    return output
