"""1000 wires of one thread, each in a blocking curl_easy_perform, against a server that answers
after 200 ms: with the library all wait at the same time, without it one after the other.

usage: curl.py CURL_WIRES LIBRARY"""

import asyncio
import os
import re
import resource
import subprocess
import sys
import threading

program, library = sys.argv[1:]
DELAY = 0.2
BODY = b"hello\n"


async def serve(reader, writer):
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            await asyncio.sleep(DELAY)
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY))
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        pass
    writer.close()


def run_server(ready):
    async def main():
        server = await asyncio.start_server(serve, "127.0.0.1", 0, backlog=4096)
        ready.port = server.sockets[0].getsockname()[1]
        ready.set()
        await server.serve_forever()

    asyncio.run(main())


def run(count, preload):
    environment = dict(os.environ)
    if preload:
        environment["LD_PRELOAD"] = library
    url = "http://127.0.0.1:%d/" % ready.port
    done = subprocess.run([program, url, str(count)], env=environment, stdout=subprocess.PIPE,
                          timeout=200, check=True)
    text = done.stdout.decode()
    print(("with the library:    " if preload else "without the library: ") + text, end="")
    return int(re.search(r"at most (\d+) at once", text).group(1))


hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
ready = threading.Event()
threading.Thread(target=run_server, args=(ready,), daemon=True).start()
ready.wait()
count = 1000 if hard >= 4096 else hard // 4
assert run(5, False) == 1
assert run(count, True) == count
