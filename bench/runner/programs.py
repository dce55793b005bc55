"""Runs that are programs of their own: one round on one side each, fields as the result."""

import os
import re
import socket
import subprocess

from . import machine
from .processes import Failed, Impossible, fields, output_of

GIB = 2**30

# The works of bench/io, by the names that the command line has for them.
IO_WORKS = {
    "pread-cached": "pread cached", "pread-uncached": "pread uncached",
    "pread-direct": "pread O_DIRECT", "fsync": "pwrite+fsync", "open": "open+fstat+close",
    "create-file": "create+close+unlink",
}


def command(place, side, measure, *arguments):
    if side == "go":
        return [require(place, "go/bench"), measure, *arguments]
    return [require(place, "%s/%s" % (side, measure)), *arguments]


def require(place, name):
    path = place.program(name)
    if not os.path.exists(path):
        ours = name.startswith(("wires", "limits", "tools"))
        raise (Failed if ours else Impossible)("not built: is its library installed?")
    return path


def require_memory(needed):
    there = machine.available_bytes()
    if there is not None and needed > there * 0.9:
        raise Impossible("needs %.1f GiB of memory" % (needed / GIB))


def amount(place, size, count):
    """The arguments of a program: fewer when it is to be quick."""
    return (min(size, 1000), max(count // 1000, 10)) if place.quick else (size, count)


def program(place, side, measure, size, count, kind, memory):
    require_memory(memory)
    size, count = amount(place, size, count)
    return place.result(command(place, side, measure, size, count, kind))


def idle(place, side, measure, size, count, kind, memory):
    """The same with tools/ticker, on another processor, at the other end of standard input."""
    require_memory(memory)
    size, count = amount(place, size, count)
    ours, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with ours, its:
        ticker = place.start([place.program("tools/ticker"), size], place.first, stdin=its)
        measured = place.start(command(place, side, measure, size, count, kind), stdin=ours)
    try:
        return fields(output_of(measured))
    finally:
        ticker.kill()
        ticker.communicate()


def override(place, kind, count):
    environment = dict(os.environ, LD_PRELOAD=interpose(place))
    count = amount(place, 1, count)[1]
    both = place.result([place.program("tools/override"), 1, count, kind], env=environment)
    return {"wires": both, "limit": {"ns": both["plain"]}}


def interpose(place):
    return os.path.join(place.build, "interpose", "libwire-interpose.so")


def startup(place, side):
    """The time to start the program that starts one task."""
    environment = dict(os.environ)
    if side == "preloaded":
        environment["LD_PRELOAD"] = interpose(place)
    what = ([place.program("limits/nothing")] if side in ("limits", "preloaded")
            else command(place, side, "start"))
    return place.result([place.program("tools/startup"), 5 if place.quick else 100, *what], env=environment)


def code_and_data(path):
    done = subprocess.run(["size", path], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Failed("size: " + done.stderr.strip())
    return sum(int(number) for number in done.stdout.splitlines()[1].split()[:2])


def size(place, side):
    """The shared library of a side; without one, what its smallest program has more than none."""
    start = command(place, side, "start")[0]
    names = {"wires": "libwire", "fibers": "libboost_fiber", "st": "libst", "pth": "libpth"}
    if side not in names:
        bytes_used = code_and_data(start) - code_and_data(place.program("limits/nothing"))
        return {"kib": bytes_used / 1024}
    listed = subprocess.run(["ldd", start], capture_output=True, text=True, check=False).stdout
    found = re.search(r"%s\.so\S* => (\S+)" % names[side], listed)
    if not found:
        raise Failed("the program does not load %s.so" % names[side])
    return {"kib": code_and_data(found.group(1)) / 1024}


# The sides of bench/io by the keys of the results.
IO_SIDES = {
    "plain": "plain calls, one after the other", "1 wire": "1 wire", "64 wires": "64 wires",
    "threads": "as many threads as workers", "pool": "a pool of as many threads, 64 at once",
    "1 in io_uring": "io_uring, 1 at once", "64 in io_uring": "io_uring, 64 at once",
    "64, its threads limited": "io_uring, 64 at once, as many threads",
}


def io(place, work):
    """One round of all sides. `plain` and the others may use all processors, as they would."""
    text = output_of(place.start([place.program("io"), "-r", 1, "-t", 1 if place.quick else 60, "-d", place.build,
                                  "-o", work], place.everywhere))
    result = {}
    for side in IO_SIDES:
        row = re.search(r"^%s +%s +(.*)$" % (re.escape(work), re.escape(side)), text, re.MULTILINE)
        numbers = row.group(1).split() if row else []
        if len(numbers) > 3 and numbers[0].isdigit():
            result[side] = {"per_s": float(numbers[0]), "cpu_us": float(numbers[3])}
        else:
            result[side] = Failed(row.group(1) if row else "no such line")
    return result
