"""Building libwire, its examples and all benchmarks."""

import os
import subprocess
import sys


def build(top, folder):
    configure = ["cmake", "--preset", "default", "-B", folder, "-DLIBWIRE_TESTS=OFF",
                 "-DLIBWIRE_MAN=OFF", "-DLIBWIRE_BENCH_PEERS=ON"]
    for command in (configure, ["cmake", "--build", folder, "-j%d" % (os.cpu_count() or 1)]):
        done = subprocess.run(command, cwd=top, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, errors="replace", check=False)
        if done.returncode != 0:
            sys.stderr.write(done.stdout)
            sys.exit("bench/run: %s failed" % " ".join(command))
