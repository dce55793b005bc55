"""What the results were measured on, and what else the machine did meanwhile."""

import os
import platform
import re
import shutil
import subprocess
import time

# What the sides are, as Debian's packages.
PACKAGES = {
    "Boost.Fiber": "libboost-fiber-dev", "State Threads": "libst-dev", "GNU Pth": "libpth-dev",
    "Go": "golang-go", "nginx": "nginx-light", "wrk": "wrk", "liburing": "liburing-dev",
}


def first_line(command):
    if shutil.which(command[0]) is None:
        return None
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()[0] if done.stdout else None


def package_version(package):
    if shutil.which("dpkg-query") is None:
        return None
    done = subprocess.run(["dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", package],
                          capture_output=True, text=True, check=False)
    return done.stdout.split()[1] if done.stdout.startswith("installed ") else None


def field(path, pattern):
    """The first group of the pattern in a file, or None."""
    try:
        with open(path, encoding="utf-8", errors="replace") as text:
            found = re.search(pattern, text.read(), re.MULTILINE)
    except OSError:
        return None
    return found.group(1) if found else None


def compiler(build):
    path = field(os.path.join(build, "CMakeCache.txt"), r"^CMAKE_C_COMPILER:\w+=(.*)$")
    return first_line([path or "cc", "--version"])


def describe(build, place):
    memory = field("/proc/meminfo", r"^MemTotal: +(\d+) kB")
    return {
        "date": time.strftime("%Y-%m-%d"),
        "processor": field("/proc/cpuinfo", r"^(?:model name|Model)\s*: (.*)$") or
                     platform.machine(),
        "virtual": field("/proc/cpuinfo", r"^flags.*\b(hypervisor)\b") is not None,
        "processors": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory) / 2**20) if memory else None,
        "kernel": platform.release(),
        "system": field("/etc/os-release", r'^PRETTY_NAME="?([^"\n]*)'),
        "compiler": compiler(build),
        "realtime": place.realtime,
        "versions": {name: package_version(package) for name, package in PACKAGES.items()},
    }


class Busy:
    """How much of the processors went to programs that are not ours, from now on."""

    def __init__(self):
        self.begin = self.now()

    @staticmethod
    def now():
        with open("/proc/stat", encoding="ascii") as stat:
            user, nice, system, idle, wait, irq, softirq, steal = map(
                int, stat.readline().split()[1:9])
        ticks = os.sysconf("SC_CLK_TCK")
        own = os.times()
        return ((user + nice + system + irq + softirq + steal) / ticks,
                sum(own[:4]), (idle + wait) / ticks)

    def percent(self):
        """Of all processor time. Children count when they have ended."""
        used, own, idle = (after - before for after, before in zip(self.now(), self.begin))
        return round(100 * max(0, used - own) / max(used + idle, 1e-9))


def available_bytes():
    """Memory that may be used, or None where the system does not tell."""
    kilobytes = field("/proc/meminfo", r"^MemAvailable: +(\d+) kB")
    return int(kilobytes) * 1024 if kilobytes else None
