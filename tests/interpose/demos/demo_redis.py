"""200 wires of one thread, each with a connection of hiredis to a redis-server, on which it waits
200 ms in a BLPOP. See demo.py."""

import os
import socket
import subprocess
import tempfile
import time

import demo


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(b"PING\r\n")
            return connection.recv(16) == b"+PONG\r\n"
    except OSError:
        return False


def start(redis_server, folder):
    """The server and its port, once it answers. Another process may take the port first."""
    for _ in range(5):
        port = demo.free_port()
        server = subprocess.Popen(
            [redis_server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir",
             folder], stdout=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while server.poll() is None and time.monotonic() < deadline:
            if answers(port):
                return server, port
            time.sleep(0.02)
        server.kill()
        server.wait()
    raise RuntimeError("redis-server did not start")


program = demo.program("redis_wires", "libhiredis-dev")
redis_server = demo.tool("redis-server", "redis-server")
demo.all_descriptors()
with tempfile.TemporaryDirectory() as folder:
    server, port = start(redis_server, folder)
    try:
        demo.compare([program, "127.0.0.1", str(port)], 5, 200)
        with socket.create_connection(("127.0.0.1", port)) as connection:
            connection.sendall(b"GET finished\r\n")
            assert connection.recv(64) == b"$3\r\n205\r\n", "every wire counts itself once"
    finally:
        server.terminate()
        server.wait()
assert not os.path.exists(folder)
