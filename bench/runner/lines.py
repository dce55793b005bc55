"""The lines of the results: what is measured, on which sides, how often.

A line names a field of what its runs give. A run is a function of a Place that makes one round on
one side and returns fields, or raises Failed."""

import dataclasses
import functools
import typing

from . import programs, servers

# In the order of the tables. The first is what all are compared with.
SIDES = {
    "wires": "libwire", "wires_static": "libwire.a", "limit": "limit", "fibers": "Boost.Fiber",
    "st": "State Threads", "go": "Go", "pth": "GNU Pth", "pthreads": "pthreads",
}
PEERS = "fibers st go pth pthreads".split()

# Slower sides do so many times less of the same, so that all need about the same time.
LESS = {"fibers": 10, "go": 10, "st": 20, "pth": 200, "pthreads": 100}


@dataclasses.dataclass
class Line:
    name: str  # for the command line
    title: str
    unit: str
    field: str
    runs: dict  # side: run
    rounds: int = 7
    limit: str = ""  # what the side `limit` is here
    more_is_better: bool = False
    digits: int = 1  # after the point, in the tables
    scale: float = 1  # from the field to the unit
    also: typing.Sequence = ()  # fields that the detailed table shows too
    note: str = ""
    group: str = "main"  # the table it belongs to
    batch: typing.Callable = None  # instead of runs: one round on all sides, {side: fields}
    sides: typing.Sequence = ()  # of a batch, first the one that has failed when the batch has


def measured(measure, size, count, kind="", sides=PEERS, limit=None, static=True, least=1,
             memory=0, less=None):
    """Runs of one measure on all its sides. `least`: operations that every side does at least.
    `memory`: bytes that a run needs. `less`: instead of LESS."""
    runs = {}
    wanted = ["wires"] + (["wires_static"] if static else []) + list(sides)
    for side in wanted:
        number = max(count // (less or LESS).get(side, 1), least)
        run = programs.idle if measure == "yield_idle" else programs.program
        runs[side] = functools.partial(run, side=side, measure=measure, size=size, count=number,
                                       kind=kind, memory=memory)
    if limit:
        runs["limit"] = functools.partial(programs.program, side="limits", measure=limit,
                                          size=size, count=count, kind=kind, memory=memory)
    return runs


def switches():
    yield Line("yield-2", "yield, 2 tasks", "ns", "ns",
               measured("yield", 2, 10_000_000, limit="jump"), limit="jump_fcontext", rounds=9)
    yield Line("yield-1000", "yield, 1000 tasks", "ns", "ns",
               measured("yield", 1000, 10_000_000, limit="jump"), limit="jump_fcontext")
    peers = ["fibers", "st", "go"]
    yield Line("yield-100000", "yield, 100000 tasks", "ns", "ns",
               measured("yield", 100_000, 3_000_000, sides=peers, limit="jump", least=500_000),
               limit="jump_fcontext", rounds=5)
    idle = ["fibers", "st", "go", "pth"]
    yield Line("yield-idle", "yield, 2 tasks; a watched descriptor and a sleep of 1 h idle", "ns",
               "ns", measured("yield_idle", 200, 10_000_000, sides=idle),
               also=["late_us", "late_us_p99", "late_us_max"], rounds=9,
               note="late: a descriptor that becomes ready is read so much later, while both "
                    "tasks go on yielding. Boost.Fiber watches no descriptors.")


def tasks():
    create = measured("create", 1, 3_000_000)
    create["limit"] = functools.partial(programs.program, side="limits", measure="jump", size=1,
                                        count=3_000_000, kind="create", memory=0)
    yield Line("create", "create, run and end a task, stacks used again", "ns", "ns", create,
               limit="make_fcontext and two jumps",
               note="libwire: of a pool.")
    yield Line("create-own", "the same on a stack that the program keeps", "ns", "ns",
               measured("create_own", 1, 3_000_000, sides=[], static=False))
    yield Line("create-new", "the same on a new stack each time", "ns", "ns",
               measured("create_new", 1, 300_000, sides=["fibers"], static=False),
               note="libwire's stack has two guard pages; Boost.Fiber's is malloc's, without "
                    "guards. Neither gives this one back to the system at once.")


def waiting():
    yield Line("channel", "message over a channel", "ns", "ns", measured("channel", 1, 3_000_000),
               note="Each waits until its message was taken. State Threads and pthreads: with "
                    "condition variables; GNU Pth: with a message port.")
    yield Line("lock", "lock: take and release", "ns", "ns", measured("lock", 1, 20_000_000))
    yield Line("lock-10", "lock that 10 tasks want: take, yield, release, yield", "ns", "ns",
               measured("lock", 10, 2_000_000, static=False))
    counted = ["go", "pthreads"]
    yield Line("semaphore", "semaphore: take and release", "ns", "ns",
               measured("semaphore", 1, 20_000_000, sides=counted, static=False),
               note="Go: a channel with room, its usual semaphore.")
    yield Line("semaphore-10", "semaphore of 2 that 10 tasks want, as above", "ns", "ns",
               measured("semaphore", 10, 2_000_000, sides=counted, static=False))


def sleepers():
    for size, sides, rounds in ((10_000, PEERS, 3), (100_000, ["fibers", "st", "go"], 3),
                                (1_000_000, ["go"], 3)):
        sides = [side for side in sides if side != "pth"]
        yield Line("sleepers-%d" % size, "%d sleepers, each 1 to 1000 ms" % size, "CPU s", "cpu_s",
                   measured("sleepers", size, 1, sides=sides, static=False, memory=size * 10_000),
                   rounds=rounds, digits=2, also=["bytes", "early_us", "late_us", "late_us_max"],
                   note="bytes: resident memory of each, page tables included. early: the most "
                        "that one woke too soon.")


def network():
    for size in (1, 64, 1000):
        runs = {side: functools.partial(servers.echo, side=side, connections=size)
                for side in ["wires", "st", "go", "pth", "pthreads"]}
        runs["limit"] = functools.partial(servers.echo, side="limits", connections=size)
        yield Line("echo-%d" % size, "echo server, %d connection%s" % (size, "s"[:size > 1]),
                   "1000 requests/s", "per_s", runs, more_is_better=True, scale=1e-3,
                   limit="epoll loop", rounds=5, also=["p50_us", "p99_us", "cpu_us"],
                   note="Messages of 64 bytes; cpu: of the server, for each request.")
    for size, text in ((1024, "1 KiB"), (65536, "64 KiB")):
        runs = {"wires": functools.partial(servers.http_example, size=size),
                "limit": functools.partial(servers.http_nginx, size=size),
                "go": functools.partial(servers.http_go, size=size)}
        yield Line("http-%d" % size, "HTTP file server, %s" % text, "1000 requests/s", "per_s",
                   runs, more_is_better=True, scale=1e-3, limit="nginx", rounds=5,
                   also=["p50_us", "p99_us", "cpu_us"],
                   note="wrk with 64 connections. libwire: examples/http_server; nginx: one "
                        "worker, no cache of open files; Go: net/http.")


def outside():
    for kind, text, count in (("read", "read() of 0 bytes", 500_000),
                              ("mutex", "pthread_mutex_lock() and unlock()", 20_000_000)):
        yield Line("override-" + kind, "%s outside wires, libwire-interpose.so preloaded" % text,
                   "ns", "ns", {}, limit="libc's own", rounds=9, digits=2,
                   batch=functools.partial(programs.override, kind=kind, count=count),
                   sides=["wires", "limit"])
    runs = {side: functools.partial(programs.startup, side=side)
            for side in ["wires", "wires_static"] + PEERS}
    runs["limit"] = functools.partial(programs.startup, side="limits")
    runs["preloaded"] = functools.partial(programs.startup, side="preloaded")
    yield Line("start", "start of a program with one task, to its end", "us", "us", runs,
               limit="empty program", digits=0,
               note="libwire-interpose.so preloaded into the empty program: the side `preloaded`.")
    sizes = {side: functools.partial(programs.size, side=side)
             for side in ["wires", "wires_static", "fibers", "st", "go", "pth"]}
    yield Line("size", "code and data that a program brings along for it", "KiB", "kib", sizes,
               rounds=1, digits=0,
               note="The shared library, or what the program with one task grows by: libwire.a, Go.")


GROWTH = {"tasks": "waiting tasks", "descriptors": "watched descriptors", "timers": "timers"}
GROWTH_SIZES = [10**power for power in range(7)]


def growth_sides(kind, size):
    if size > 100_000:
        return []  # the time that it takes to make them
    if kind == "descriptors":  # Go and State Threads: one task for each
        return ["go"] * (size <= 10_000) + ["st"] * (size <= 1000)
    return ["fibers", "go"] + ["st"] * (size <= 10_000)


def growth():
    # State Threads looks at every descriptor in each turn.
    less = {"descriptors": {"st": 1000, "go": 10}}
    for kind, text in GROWTH.items():
        for size in GROWTH_SIZES:
            yield Line("growth-%s-%d" % (kind, size), "yield beside %s: %d" % (text, size), "ns",
                       "ns", measured("growth", size, 5_000_000, kind, growth_sides(kind, size),
                                      static=False, memory=size * 6000, less=less.get(kind)),
                       rounds=1 if size > 100_000 else 3, group="growth")


IO_SIDES = ["64 wires"] + [side for side in programs.IO_SIDES if side != "64 wires"]


def input_output():
    """A line for each work of bench/io, which measures all sides of it in one go."""
    for name, title in programs.IO_WORKS.items():
        yield Line("io-" + name, title, "1000/s", "per_s", {}, more_is_better=True, scale=1e-3,
                   rounds=3, group="io", also=["cpu_us"],
                   batch=functools.partial(programs.io, work=title), sides=IO_SIDES)


def all_lines():
    return [line for part in (switches, tasks, waiting, sleepers, network, outside, growth,
                              input_output) for line in part()]
