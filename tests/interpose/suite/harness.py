"""Running a program in each of the ways that scripts/preload-suite compares.

A case is a function that runs programs through a Mode and returns facts: a dictionary of what must
not depend on libwire-interpose.so. Facts are never times, process numbers or ports."""

import hashlib
import os
import shutil
import signal
import socket
import subprocess
import tempfile
import time

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
WIRE_RUN = os.path.join(TOP, "scripts", "wire-run")


class Missing(Exception):
    """Something that a case needs is not installed. The text says what, and in which package."""


def tool(name, package):
    path = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if path is None:
        raise Missing("%s (Debian: %s)" % (name, package))
    return path


def system_library(name, package):
    """The path of a shared library as the compiler finds it."""
    for folder in ("/usr/lib/%s-linux-gnu" % os.uname().machine, "/usr/lib64", "/usr/lib"):
        path = os.path.join(folder, name)
        if os.path.exists(path):
            return path
    raise Missing("%s (Debian: %s)" % (name, package))


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class Mode:
    """One way to run programs. `preload` lists libraries besides ours."""

    def __init__(self, name, library=None, main_in_wire=False, preload=()):
        self.name, self.library, self.main_in_wire = name, library, main_in_wire
        self.preload = list(preload)
        self.folder = None  # an empty one for each run of a case
        self.started = []

    def command(self, command, first=()):
        """`first`: libraries that must be in front of ours."""
        environment = dict(os.environ, LC_ALL="C", TZ="UTC", HOME=self.folder)
        for name in ("LD_PRELOAD", "WIRE_MAIN_IN_WIRE", "WIRE_TRACE", "WIRE_TRACE_CALLS", "CI"):
            environment.pop(name, None)
        libraries = list(first) + ([self.library] if self.library else []) + self.preload
        if libraries:
            environment["LD_PRELOAD"] = ":".join(libraries)
        if self.library and not first:
            environment["WIRE_INTERPOSE"] = self.library
            environment["LD_PRELOAD"] = ":".join(self.preload)
            options = ["--main-in-wire"] if self.main_in_wire else []
            command = [WIRE_RUN] + options + ["--"] + list(command)
        elif self.library and self.main_in_wire:
            environment["WIRE_MAIN_IN_WIRE"] = "1"
        return command, environment

    def run(self, command, first=(), timeout=240, **options):
        """Status (or "timeout") and output, with what goes to stderr."""
        command, environment = self.command(command, first)
        environment.update(options.pop("environment", {}))
        text = options.pop("input", None)
        process = subprocess.Popen(
            command, env=environment, cwd=options.pop("cwd", self.folder),
            stdin=subprocess.DEVNULL if text is None else subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=options.pop("stderr", subprocess.STDOUT),
            start_new_session=True, **options)
        try:
            output, _ = process.communicate(text, timeout=timeout)
            return process.returncode, output
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            output, _ = process.communicate()
            return "timeout", output

    def serve(self, command, port):
        """Starts a server and waits until it takes connections."""
        command, environment = self.command(command)
        with open(os.path.join(self.folder, "log"), "ab") as log:
            server = subprocess.Popen(command, env=environment, cwd=self.folder, stdout=log,
                                      stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        self.started.append(server)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and server.poll() is None:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=5).close()
                return server
            except OSError:
                time.sleep(0.02)
        raise RuntimeError("no server: " + self.log())

    def log(self):
        with open(os.path.join(self.folder, "log"), "rb") as log:
            return log.read().decode(errors="replace")[-2000:]

    @staticmethod
    def stop(server, number=signal.SIGTERM, timeout=30):
        """The status of a server that ends in an orderly way, or "timeout"."""
        server.send_signal(number)
        try:
            return server.wait(timeout)
        except subprocess.TimeoutExpired:
            return "timeout"

    def facts(self, case):
        """Runs a case in a new folder, of which nothing is left, and no process either."""
        self.folder, self.started = tempfile.mkdtemp(prefix="preload-suite-"), []
        os.chmod(self.folder, 0o755)
        try:
            return case(self)
        except (RuntimeError, OSError) as error:
            return {"ran": "%s: %s" % (type(error).__name__, error)}
        finally:
            for server in self.started:
                try:
                    os.killpg(server.pid, signal.SIGKILL)
                except ProcessLookupError:
                    pass
                server.wait()
            shutil.rmtree(self.folder, ignore_errors=True)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def noise(size):
    """The same bytes every time."""
    block = hashlib.sha256(b"noise").digest()
    data = bytearray()
    while len(data) < size:
        block = hashlib.sha256(block).digest()
        data += block * 64
    return bytes(data[:size])
