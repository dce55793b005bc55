"""1000 wires of one thread, each in a blocking curl_easy_perform, against a server that answers
after 200 ms. See demo.py."""

import asyncio
import sys
import threading

import demo

DELAY = 0.2


class Server:
    """Answers GET /N with "answer N", after the delay. Counts how many wait for it at once."""

    def __init__(self):
        self.ready = threading.Event()
        self.port = self.waiting = self.most_waiting = 0
        threading.Thread(target=lambda: asyncio.run(self.run()), daemon=True).start()
        self.ready.wait()

    async def run(self):
        server = await asyncio.start_server(self.serve, "127.0.0.1", 0, backlog=4096)
        self.port = server.sockets[0].getsockname()[1]
        self.ready.set()
        await server.serve_forever()

    async def serve(self, reader, writer):
        try:
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                self.waiting += 1
                self.most_waiting = max(self.most_waiting, self.waiting)
                await asyncio.sleep(DELAY)
                self.waiting -= 1
                body = b"answer " + head.split()[1][1:] + b"\n"
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        writer.close()


program = demo.program("curl_wires", "libcurl4-openssl-dev")
limit = demo.all_descriptors()
count = min(int(sys.argv[1]) if len(sys.argv) > 1 else 1000, limit // 4)
server = Server()
threads = demo.compare([program, "http://127.0.0.1:%d/" % server.port], 5, count)
assert threads < count / 2, "wires should not have threads of their own"
assert server.most_waiting > 1
