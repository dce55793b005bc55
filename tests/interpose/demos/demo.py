"""What the demonstrations share: one program of examples/interpose/, run once without
libwire-interpose.so over a few connections, and once with it over many.

The programs print "M of N THINGS in S s, at most K at once, OS threads: T". Without the library one
connection is under way at a time, with it all of them. Results are checked by the programs; how
long it takes is shown and not judged.

Environment: WIRE_EXAMPLES, the folder with the built programs; WIRE_INTERPOSE, the library."""

import os
import re
import resource
import shutil
import socket
import subprocess
import sys

SKIPPED = 77


def needs(what, package):
    """Ends the test: it cannot run here. With CI=true that is a failure."""
    print("skipped: %s not found; Debian: %s" % (what, package))
    sys.exit(1 if os.environ.get("CI") == "true" else SKIPPED)


def program(name, package):
    path = os.path.join(os.environ["WIRE_EXAMPLES"], "interpose", name)
    if not os.path.exists(path):
        needs(name, package)
    return path


def tool(name, package, path=None):
    return shutil.which(name, path=path) or needs(name, package)


def all_descriptors():
    """As many as may be open; the hard limit."""
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def run(command, count, preload):
    environment = dict(os.environ)
    if preload:
        environment["LD_PRELOAD"] = environment["WIRE_INTERPOSE"]
    done = subprocess.run(command + [str(count)], env=environment, stdout=subprocess.PIPE,
                          timeout=200)
    text = done.stdout.decode()
    print(("with libwire-interpose.so:    " if preload else "without libwire-interpose.so: ")
          + text, end="", flush=True)
    assert done.returncode == 0, "status %d" % done.returncode
    succeeded, wires, at_once, threads = map(
        int, re.fullmatch(r"(\d+) of (\d+) .* at most (\d+) at once, OS threads: (\d+)\n",
                          text).groups())
    assert succeeded == wires == count
    return at_once, threads


def compare(command, few, many):
    """Returns the number of OS threads with the library. Those beside the one that all wires run in
    are workers: as many as WIRE_IO_THREADS, and one for each name that is being looked up."""
    at_once, threads = run(command, few, False)
    assert (at_once, threads) == (1, 1), "without the library one thing at a time was expected"
    at_once, threads = run(command, many, True)
    assert at_once == many, "all wires should have been waiting at the same time"
    return threads
