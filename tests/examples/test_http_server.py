"""http_server: what ordinary clients get."""

import email.utils
import http.client
import os
import random
import shutil
import socket
import subprocess
import time
import unittest

import support
from http_support import Answers, HttpServerTest, head


class Ordinary(HttpServerTest):
    def test_a_file_and_its_fields(self):
        server = self.serve()
        os.utime(os.path.join(self.root, "hello.txt"), (1000000000, 1000000000))
        status, fields, body = self.ask(server, head())
        self.assertEqual((status, body), (200, self.hello))
        self.assertEqual(fields["content-length"], str(len(self.hello)))
        self.assertEqual(fields["content-type"], "text/plain; charset=utf-8")
        self.assertEqual(fields["last-modified"], "Sun, 09 Sep 2001 01:46:40 GMT")
        date = email.utils.parsedate_to_datetime(fields["date"]).timestamp()
        self.assertLess(abs(date - time.time()), support.PATIENCE)
        self.assertNotIn("connection", fields)
        self.assertEqual(server.num_threads(), 1)

    def test_targets_find_their_files(self):
        server = self.serve()
        for target, expected in {
                "/": b"<p>the front page", "/index.html": b"<p>the front page",
                "/folder/": b"<p>a folder", "//hello.txt": self.hello,
                "/folder//index.html": b"<p>a folder", "/./hello.txt": self.hello,
                "/hello.txt?query=1": self.hello, "/%68ello.txt": self.hello,
                "/a%20b+%C3%A4.txt": b"encoded name", "/empty": b"",
                "http://test/hello.txt": self.hello, "http://test": b"<p>the front page",
        }.items():
            status, _, body = self.ask(server, head(target))
            self.assertEqual((status, body), (200, expected), target)

    def test_keep_alive(self):
        server = self.serve()
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=support.PATIENCE)
        connection.connect()
        port = connection.sock.getsockname()[1]
        for _ in range(100):
            connection.request("GET", "/hello.txt")
            answer = connection.getresponse()
            self.assertEqual((answer.status, answer.read()), (200, self.hello))
            self.assertEqual(connection.sock.getsockname()[1], port)
        connection.close()

    def test_connection_close_is_obeyed(self):
        server = self.serve()
        _, fields, body = self.ask(server, head("/hello.txt", "Connection: close"))
        self.assertEqual((fields["connection"], body), ("close", self.hello))

    def test_http_1_0(self):
        server = self.serve()
        _, fields, _ = self.ask(server, head(version="1.0"))
        self.assertEqual(fields["connection"], "close")
        with server.connect() as sock:
            answers = Answers(sock)
            for _ in range(2):
                sock.sendall(head("/hello.txt", "Connection: keep-alive", version="1.0"))
                _, fields, body = answers.next()
                self.assertEqual((fields["connection"], body), ("keep-alive", self.hello))
        self.assertEqual(self.ask(server, b"GET /hello.txt HTTP/1.0\r\n\r\n")[0], 200)

    def test_head_is_get_without_body(self):
        server = self.serve()
        for target in ("/hello.txt", "/missing", "/folder", "/empty"):
            with server.connect() as sock:
                answers = Answers(sock)
                sock.sendall(head(target))
                get = answers.next()
                sock.sendall(head(target, method="HEAD") + head())
                of_head = answers.next("HEAD")
                self.assertEqual((get[0], {**get[1], "date": ""}),
                                 (of_head[0], {**of_head[1], "date": ""}))
                self.assertEqual(answers.next()[2], self.hello)

    def test_pipelining(self):
        server = self.serve()
        big = os.urandom(500000)
        self.write("root/big", big)
        bodies = {"/hello.txt": self.hello, "/big": big, "/empty": b"", "/folder/": b"<p>a folder"}
        numbers = random.Random(7)
        targets = [numbers.choice(list(bodies)) for _ in range(200)]
        with server.connect() as sock:
            answers = Answers(sock)
            sock.sendall(b"".join(head(target) for target in targets))
            for target in targets:
                status, _, body = answers.next()
                self.assertEqual(status, 200)
                self.assertTrue(body == bodies[target], target)

    def test_an_answer_does_not_wait_for_the_rest_of_the_next_request(self):
        server = self.serve()
        with server.connect() as sock:
            answers = Answers(sock)
            sock.sendall(head() + head("/folder/")[:20])
            self.assertEqual(answers.next()[2], self.hello)
            sock.sendall(head("/folder/")[20:])
            self.assertEqual(answers.next()[2], b"<p>a folder")

    def test_requests_in_single_bytes(self):
        server = self.serve()
        with server.connect() as sock:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            answers = Answers(sock)
            request = b"\r\n" + head("/folder/index.html", "If-Modified-Since: nonsense")
            for i in range(len(request)):
                sock.sendall(request[i:i + 1])
            self.assertEqual(answers.next()[2], b"<p>a folder")

    def test_sizes_around_the_buffer(self):
        server = self.serve()
        content = os.urandom(300000)
        with server.connect() as sock:
            answers = Answers(sock)
            for size in (1, 4095, 4096, 32000, 32500, 32600, 32767, 32768, 32769, 40000, 65536,
                         262144, 262145, 300000):
                self.write("root/sized", content[:size])
                sock.sendall(head("/sized"))
                status, _, body = answers.next()
                self.assertEqual((status, len(body)), (200, size))
                self.assertTrue(body == content[:size], size)

    def test_folders_without_slash_are_redirected(self):
        server = self.serve()
        for target, location in {"/folder": "/folder/", "//folder": "/folder/",
                                 "/%66older?x": "/%66older/"}.items():
            status, fields, _ = self.ask(server, head(target))
            self.assertEqual((status, fields["location"]), (301, location), target)

    def test_ranges(self):
        server = self.serve()
        size = len(self.hello)
        for text, expected in {
                "bytes=0-4": (206, self.hello[0:5], "bytes 0-4/13"),
                "bytes=5-": (206, self.hello[5:], "bytes 5-12/13"),
                "bytes=-3": (206, self.hello[-3:], "bytes 10-12/13"),
                "bytes=-99": (206, self.hello, "bytes 0-12/13"),
                "bytes=12-99999999999999999999999": (206, self.hello[12:], "bytes 12-12/13"),
                "bytes=13-": (416, None, "bytes */13"),
                "bytes=99999999999999999999999-": (416, None, "bytes */13"),
                "bytes=-0": (416, None, "bytes */13"),
                "bytes=4-2": (200, self.hello, None),
                "bytes=0-1,4-5": (200, self.hello, None),
                "bytes=": (200, self.hello, None), "bytes=-": (200, self.hello, None),
                "bytes=a-b": (200, self.hello, None), "lines=0-4": (200, self.hello, None),
                "bytes=1-2 ": (206, self.hello[1:3], "bytes 1-2/13"),
        }.items():
            status, fields, body = self.ask(server, head("/hello.txt", "Range: " + text))
            self.assertEqual((status, fields.get("content-range")), (expected[0], expected[2]),
                             text)
            if expected[1] is not None:
                self.assertEqual(body, expected[1], text)
        self.assertEqual(size, 13)
        status, _, body = self.ask(server, head("/hello.txt", "Range: bytes=0-1", 'If-Range: "x"'))
        self.assertEqual((status, body), (200, self.hello))
        big = os.urandom(2000000)
        self.write("root/big", big)
        status, _, body = self.ask(server, head("/big", "Range: bytes=100000-1899999"))
        self.assertEqual(status, 206)
        self.assertTrue(body == big[100000:1900000])

    def test_if_modified_since(self):
        server = self.serve()
        os.utime(os.path.join(self.root, "hello.txt"), (1000000000, 1000000000))
        for date, status in {"Sun, 09 Sep 2001 01:46:40 GMT": 304,
                             "Sun, 09 Sep 2001 01:46:39 GMT": 200,
                             "Mon, 01 Jan 2024 00:00:00 GMT": 304, "yesterday": 200}.items():
            with server.connect() as sock:
                answers = Answers(sock)
                sock.sendall(head("/hello.txt", "If-Modified-Since: " + date) + head())
                self.assertEqual(answers.next()[0], status, date)
                self.assertEqual(answers.next()[2], self.hello)

    def test_request_bodies_are_read_and_ignored(self):
        server = self.serve()
        with server.connect() as sock:
            answers = Answers(sock)
            sock.sendall(head("/hello.txt", "Content-Length: 5") + b"12345" + head("/folder/"))
            self.assertEqual(answers.next()[2], self.hello)
            self.assertEqual(answers.next()[2], b"<p>a folder")
            sock.sendall(head("/hello.txt", "Transfer-Encoding: chunked", method="POST")
                         + b"3\r\nabc\r\n0\r\nHost: trailer\r\n\r\n" + head())
            status, fields, _ = answers.next()
            self.assertEqual((status, fields["allow"]), (405, "GET, HEAD"))
            self.assertEqual(answers.next()[2], self.hello)

    @unittest.skipUnless(shutil.which("curl"), "needs curl")
    def test_curl(self):
        server = self.serve()
        url = "http://127.0.0.1:%d/" % server.port
        big = os.urandom(3000000)
        self.write("root/big", big)

        def curl(*arguments):
            return subprocess.run(["curl", "-sS", "--max-time", str(support.PATIENCE), *arguments],
                                  capture_output=True, check=True).stdout

        self.assertEqual(curl(url + "hello.txt", url + "folder/"), self.hello + b"<p>a folder")
        self.assertEqual(curl("-L", url + "folder"), b"<p>a folder")
        self.assertTrue(curl("--http2", url + "big") == big)
        part = self.write("part", big[:1000000])
        curl("-C", "-", "-o", part, url + "big")
        with open(part, "rb") as file:
            self.assertTrue(file.read() == big)
        status = ["-o", os.devnull, "-w", "%{http_code}"]
        self.assertEqual(curl(*status, "-X", "DELETE", url), b"405")
        self.assertEqual(curl(*status, "-T", part, url), b"413")
        self.assertEqual(curl(*status, "-d", "x=1", "-H", "Expect: 100-continue", url), b"405")
        self.assertEqual(curl(*status, "-z", part, url + "hello.txt"), b"304")


if __name__ == "__main__":
    support.main()
