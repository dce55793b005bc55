"""Starting the programs that are measured, each on a processor of its own."""

import json
import os
import subprocess
import time


class Failed(Exception):
    """A run that gave no result. The text says why."""


class Impossible(Failed):
    """The machine does not have what a run needs."""


class Place:
    """Where programs are and where they run: what is measured on the last processor, a server on
    the first one while its load is on the last. `quick`: there is to be little of everything."""

    def __init__(self, build, realtime=False, quick=False):
        self.build = build
        self.bench = os.path.join(build, "bench")
        self.realtime = realtime
        self.quick = quick
        processors = sorted(os.sched_getaffinity(0))
        self.everywhere = processors
        self.first, self.last = processors[:1], processors[-1:]

    def program(self, name):
        return os.path.join(self.bench, name)

    def start(self, command, processors=None, **options):
        place = processors or self.last
        if self.realtime and command[0] == self.program("go/bench"):
            place = self.everywhere  # its polling thread would never run beside the others

        def settle():
            os.sched_setaffinity(0, place)
            if self.realtime:
                os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(50))

        try:
            return subprocess.Popen([str(word) for word in command], preexec_fn=settle,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                    errors="replace", **options)
        except (OSError, subprocess.SubprocessError) as error:
            raise Failed(str(error)) from error

    def text(self, command, timeout=120, **options):
        """What a command prints on standard output."""
        return output_of(self.start(command, **options), timeout)

    def result(self, command, **options):
        """The fields that a program prints as its last line."""
        return fields(self.text(command, **options))


def output_of(process, timeout=120):
    try:
        output, errors = process.communicate(timeout=timeout)
    except subprocess.TimeoutExpired as error:
        process.kill()
        process.communicate()
        raise Failed("no end after %d s" % timeout) from error
    if process.returncode != 0:
        text = errors.strip().splitlines()
        raise Failed(text[-1] if text else "ended with status %d" % process.returncode)
    return output


def fields(text):
    try:
        return json.loads(text.strip().splitlines()[-1])
    except (IndexError, ValueError) as error:
        raise Failed("no result: %r" % text[-80:]) from error


def stop(process):
    """Ends a server."""
    process.terminate()
    try:
        process.communicate(timeout=20)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()


def cpu_seconds(pid):
    """What a process has used so far, with threads that have ended: by its CPU clock, which
    clock_getcpuclockid(3) would name."""
    try:
        return time.clock_gettime((~pid << 3) | 2)
    except OSError as error:
        raise Failed("the server is gone: %s" % error) from error
