"""Runs of servers: the server on the first processor, its load on the last one."""

import contextlib
import os
import re
import shutil
import socket
import tempfile
import time

from .processes import Failed, Impossible, cpu_seconds, fields, output_of, stop
from .programs import command

FOLDERS_OF_SERVERS = ":/usr/sbin:/sbin"  # not in every user's PATH


@contextlib.contextmanager
def running(place, words, **options):
    server = place.start(words, place.first, **options)
    try:
        yield server
    finally:
        stop(server)


def told_line(server):
    """The line with which a server tells where it listens."""
    line = server.stdout.readline()
    if not line:
        raise Failed(server.stderr.read().strip()[-200:] or "the server ended")
    return line


def with_cpu(server, load, requests):
    """What the load gives, with the CPU time of the server for each request."""
    before = cpu_seconds(server.pid)
    result = load()
    result["cpu_us"] = (cpu_seconds(server.pid) - before) * 1e6 / max(requests(result), 1)
    return result


def seconds(place):
    return 0.1 if place.quick else 1.0


def echo(place, side, connections):
    with running(place, command(place, side, "echo", connections, 1)) as server:
        port = fields(told_line(server))["port"]
        load = [place.program("tools/load"), connections, int(seconds(place) * 1000), port]
        # The first tenth is not counted by the load, but by the server.
        return with_cpu(server, lambda: place.result(load),
                        lambda result: result["per_s"] * seconds(place))


# --- files over HTTP

UNITS = {"us": 1, "ms": 1e3, "s": 1e6}


def tool(name, package):
    path = shutil.which(name, path=os.environ.get("PATH", "") + FOLDERS_OF_SERVERS)
    if path is None:
        raise Impossible("%s is not installed (Debian: %s)" % (name, package))
    return path


def wrk(place, port, size):
    """A load of 64 connections that are kept, for a file of `size` bytes."""
    words = [tool("wrk", "wrk"), "-t1", "-c64", "-d1s", "--latency",
             "http://127.0.0.1:%d/%d.bin" % (port, size)]
    text = output_of(place.start(words, place.last))
    rate = re.search(r"^Requests/sec: +([\d.]+)", text, re.MULTILINE)
    count = re.search(r"^ +(\d+) requests in", text, re.MULTILINE)
    bad = re.search(r"Non-2xx.*|Socket errors:.*", text)
    if not rate or not count or bad:
        raise Failed("wrk: " + (bad.group(0) if bad else "no result"))
    result = {"per_s": float(rate.group(1)), "requests": float(count.group(1))}
    for part, name in (("50", "p50_us"), ("99", "p99_us")):
        found = re.search(r"^ +%s%% +([\d.]+)(us|ms|s)" % part, text, re.MULTILINE)
        if found:
            result[name] = float(found.group(1)) * UNITS[found.group(2)]
    return result


@contextlib.contextmanager
def site(size):
    """A folder with one file to serve."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        os.chmod(folder, 0o755)
        with open(os.path.join(folder, "%d.bin" % size), "wb") as file:
            file.write(os.urandom(size))
        yield folder


def http(place, server, port, size):
    return with_cpu(server, lambda: wrk(place, port, size), lambda result: result["requests"])


def http_example(place, size):
    program = os.path.join(place.build, "examples", "http_server")
    with site(size) as folder:
        with running(place, [program, "--root", folder, "--port", "0"]) as server:
            port = int(re.search(r":(\d+)/", told_line(server)).group(1))
            return http(place, server, port, size)


def http_go(place, size):
    with site(size) as folder:
        with running(place, command(place, "go", "files", 1, 1, folder)) as server:
            return http(place, server, fields(told_line(server))["port"], size)


NGINX = """\
daemon off;
master_process off;
worker_processes 1;
pid nginx.pid;
error_log stderr crit;
events { worker_connections 1024; use epoll; }
http {
  access_log off;
  sendfile on;
  tcp_nopush on;
  keepalive_requests 1000000000;
  default_type application/octet-stream;
  client_body_temp_path body;
  proxy_temp_path proxy;
  fastcgi_temp_path fastcgi;
  uwsgi_temp_path uwsgi;
  scgi_temp_path scgi;
  server { listen 127.0.0.1:%d; root %s; }
}
"""


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for(port):
    """nginx does not tell when it listens."""
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError as error:
            if time.monotonic() > until:
                raise Failed("nginx: " + str(error)) from error
            time.sleep(0.01)


def http_nginx(place, size):
    program = tool("nginx", "nginx-light")
    with site(size) as folder, tempfile.TemporaryDirectory(prefix="bench-") as prefix:
        port = free_port()
        configuration = os.path.join(prefix, "nginx.conf")
        with open(configuration, "w", encoding="ascii") as text:
            text.write(NGINX % (port, folder))
        words = [program, "-p", prefix, "-c", configuration, "-e", "stderr"]
        with running(place, words) as server:
            wait_for(port)
            return http(place, server, port, size)
