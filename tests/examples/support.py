"""What the tests of the examples share: starting programs, waiting for events, raw sockets.

The programs are looked for in the folder that the environment variable WIRE_EXAMPLES names, by
default the one of the default build. Nothing here sleeps and hopes: every wait is for a line of
output, a socket, the end of a process, or a condition that is asked for again until a deadline.
"""

import ctypes
import errno
import os
import resource
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
EXAMPLES = os.environ.get(
    "WIRE_EXAMPLES", os.path.join(HERE, "..", "..", "build", "default", "examples"))

if not os.path.isdir(EXAMPLES):
    raise SystemExit("no folder %s: build first, or set WIRE_EXAMPLES" % EXAMPLES)

# Generous: only a program that hangs ever waits so long.
PATIENCE = 60


def program(name):
    return os.path.join(EXAMPLES, name)


def run(name, *arguments, **options):
    """Runs a program to its end; returns subprocess.CompletedProcess with text output."""
    return subprocess.run([program(name), *arguments], capture_output=True, text=True,
                          timeout=PATIENCE, **options)


def eventually(condition, what):
    """Returns the first true result of condition()."""
    deadline = time.monotonic() + PATIENCE
    while True:
        result = condition()
        if result:
            return result
        if time.monotonic() > deadline:
            raise AssertionError("never happened: " + what)
        time.sleep(0.005)  # only the pace of asking


class Server:
    """A server example; `port` is where it listens."""

    def __init__(self, name, *arguments, max_descriptors=None, missing_call=None):
        def limit():
            if max_descriptors:
                resource.setrlimit(resource.RLIMIT_NOFILE, (max_descriptors, max_descriptors))
            if missing_call:
                forbid_system_call(missing_call)

        self.process = subprocess.Popen(
            [program(name), "--port", "0", *arguments], stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, preexec_fn=limit)
        self.line = self.process.stdout.readline()
        digits = [c if c.isdigit() else " " for c in self.line]
        words = "".join(digits).split()
        if not self.line.startswith("listening on ") or not words:
            self.process.kill()
            raise AssertionError("no port line: %r %r" % (self.line, self.process.communicate()[1]))
        self.port = int(words[-1])

    def connect(self, address="127.0.0.1", receive_buffer=None):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM)
        sock.settimeout(PATIENCE)
        if receive_buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        try:
            sock.connect((address, self.port))
        except OSError:
            sock.close()
            raise
        return sock

    def num_descriptors(self):
        return len(os.listdir("/proc/%d/fd" % self.process.pid))

    def num_threads(self):
        return len(os.listdir("/proc/%d/task" % self.process.pid))

    def asleep(self):
        """True when the process was found sleeping many times in a row: it does not spin."""
        for _ in range(50):
            with open("/proc/%d/stat" % self.process.pid) as stat:
                if stat.read().rpartition(")")[2].split()[0] != "S":
                    return False
        return True

    def signal(self, number=signal.SIGTERM):
        self.process.send_signal(number)

    def wait(self):
        """Waits for the end; returns (status, stderr)."""
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors

    def stop(self):
        self.signal()
        return self.wait()


class ExampleTest(unittest.TestCase):
    """A test case with a folder of its own and servers that end with it."""

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="wire-examples-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def start(self, name, *arguments, **options):
        """Starts a server. A test that leaves it running also checks that it stops cleanly."""
        server = Server(name, *arguments, **options)
        self.addCleanup(self.finish, server)
        return server

    def finish(self, server):
        if server.process.returncode is None:
            server.signal(signal.SIGINT)
            server.signal(signal.SIGTERM)
            try:
                status, errors = server.wait()
            except subprocess.TimeoutExpired:
                server.process.kill()
                server.process.communicate()
                raise
            self.assertEqual((status, errors), (0, ""))

    def write(self, path, content):
        full = os.path.join(self.folder, path)
        os.makedirs(os.path.dirname(full), exist_ok=True)
        with open(full, "wb") as file:
            file.write(content)
        return full


def read_until_end(sock):
    parts = []
    while True:
        part = sock.recv(65536)
        if not part:
            return b"".join(parts)
        parts.append(part)


def forbid_system_call(number):
    """From now on this process behaves like one on a kernel without the system call."""
    # load the number; if it is not the one, skip the next: return ENOSYS; allow
    program = b"".join(struct.pack("HBBI", *step) for step in (
        (0x20, 0, 0, 0), (0x15, 0, 1, number), (0x06, 0, 0, 0x00050000 | errno.ENOSYS),
        (0x06, 0, 0, 0x7fff0000)))
    buffer = ctypes.create_string_buffer(program)
    argument = struct.pack("HxxxxxxP", len(program) // 8, ctypes.addressof(buffer))
    libc = ctypes.CDLL(None, use_errno=True)
    set_no_new_privs, set_seccomp, filter_mode = 38, 22, 2
    if libc.prctl(set_no_new_privs, 1, 0, 0, 0) or libc.prctl(set_seccomp, filter_mode, argument):
        raise OSError(ctypes.get_errno(), "prctl")


def reset(sock):
    """Closes so that the other side gets a reset instead of an end of file."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def main():
    unittest.main(verbosity=2)
