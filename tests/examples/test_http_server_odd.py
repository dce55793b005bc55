"""http_server: what odd, unlucky and hostile clients get."""

import ctypes
import errno
import hashlib
import os
import socket

import support
from http_support import Answers, HttpServerTest, SECRET, head

OPENAT2 = 437  # the same number on every architecture


class Odd(HttpServerTest):
    def test_requests_that_cannot_be_understood_end_the_connection(self):
        server = self.serve()
        body = 65535 * b"x" + b"\r\n"
        for request, status in [
                (b"nonsense\r\n\r\n", 400),
                (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
                (b"GET\r\n\r\n", 400),
                (b"GET /hello.txt HTTX/1.1\r\n\r\n", 400),
                (b"GET /hello.txt HTTP/x.1\r\n\r\n", 400),
                (b"GET hello.txt HTTP/1.1\r\nHost: x\r\n\r\n", 400),
                (b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400),
                (b"GET /hello.txt HTTP/1.1\r\n\r\n", 400),
                (b"GET /hello.txt HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
                (b"GET /hello.txt HTTP/1.1\r\nHost: x\r\nbad field\r\n\r\n", 400),
                (b"GET /hello.txt HTTP/1.1\r\nHost: x\r\nA: \x00\r\n\r\n", 400),
                (head("/", "Content-Length: x"), 400),
                (head("/", "Content-Length: -1"), 400),
                (head("/", "Content-Length: 1", "Content-Length: 2"), 400),
                (head("/", "Content-Length: 5", "Transfer-Encoding: chunked"), 400),
                (head("/", "Transfer-Encoding: gzip"), 400),
                (head("/", "Transfer-Encoding: chunked") + b"zz\r\n", 400),
                (head("test:80", method="CONNECT"), 405),
                (head("/", "Content-Length: 99999999"), 413),
                (head("/", "Transfer-Encoding: chunked") + 2 * (b"ffff\r\n" + body), 413),
                (head("/" + 5000 * "x"), 414), (head("/" + 15000 * "x"), 414),
                (head("/", "X: " + 17000 * "x"), 431),
                (head("/", *("X%d: y" % i for i in range(5000))), 431),
                (head(method="BREW"), 501), (head(method="get"), 501),
                (head(version="2.0"), 505), (head(version="0.9"), 505),
        ]:
            got, fields, body_got = self.ask(server, request)
            self.assertEqual((got, fields.get("connection")), (status, "close"), request[:100])
            self.assertTrue(body_got.startswith(b"%d " % status), body_got)
        self.assertEqual(self.ask(server, head())[2], self.hello)

    def test_requests_that_are_merely_wrong_do_not(self):
        server = self.serve()
        with server.connect() as sock:
            answers = Answers(sock)
            for request, status in [
                    (b"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400),
                    (head("/%zz"), 400), (head("/%4"), 400), (head("/hello.txt%00"), 400),
                    (head("/missing"), 404), (head("/hello.txt/"), 404),
                    (head("/hello.txt/x"), 404), (head("/" + 300 * "x"), 404),
                    (head("/" + 2000 * "x/"), 404), (head(method="POST"), 405),
                    (head(method="PUT"), 405), (head(method="OPTIONS"), 405),
                    (head("*", method="OPTIONS"), 405), (head(method="TRACE"), 405),
                    (head("/folder"), 301), (head(), 200)]:
                sock.sendall(request)
                got, fields, _ = answers.next()
                self.assertEqual((got, fields.get("connection")), (status, None), request[:100])

    def test_an_error_reaches_a_peer_that_is_still_sending(self):
        server = self.serve()
        with server.connect() as sock:
            # More than what fits into the buffers of both sides of the parser.
            sock.sendall(head("/", "X: " + 200000 * "x"))
            answers = Answers(sock)
            self.assertEqual(answers.next()[0], 431)
            self.assertTrue(answers.at_end())

    def check_that_nothing_outside_is_served(self, server):
        self.write("root/inside/real.txt", b"real")
        os.symlink("../inside/real.txt", os.path.join(self.root, "folder/good"))
        os.symlink("../secret.txt", os.path.join(self.root, "link"))
        os.symlink(os.path.join(self.folder, "secret.txt"), os.path.join(self.root, "absolute"))
        os.symlink("..", os.path.join(self.root, "up"))
        os.symlink("/", os.path.join(self.root, "slash"))
        os.symlink("loop", os.path.join(self.root, "loop"))
        path = self.folder + "/secret.txt"
        for target in ("/../secret.txt", "/folder/../../secret.txt", "/%2e%2e/secret.txt",
                       "/..%2fsecret.txt", "/%2e%2e%2fsecret.txt", "/folder/..%2f..%2fsecret.txt",
                       "//../secret.txt", "/./../secret.txt", "/x/../../secret.txt", path,
                       "/" + path, "/%2f" + path, "/link", "/absolute", "/up/secret.txt",
                       "/slash" + path, "/loop", "http://test/../secret.txt", "/..", "/../",
                       "/folder/../..", "/..\\secret.txt", "/../root/hello.txt",
                       "/proc/self/root" + path):
            status, _, body = self.ask(server, head(target))
            self.assertIn(status, (400, 404), target)
            self.assertNotIn(SECRET, body, target)

    def test_nothing_outside_the_folder_is_served(self):
        server = self.serve()
        self.check_that_nothing_outside_is_served(server)
        if ctypes.CDLL(None, use_errno=True).syscall(OPENAT2, -1, None, None, 0) == -1 and \
                ctypes.get_errno() in (errno.ENOSYS, errno.EPERM):
            return
        # Inside, links and ".." are fine.
        self.assertEqual(self.ask(server, head("/folder/good"))[2], b"real")
        self.assertEqual(self.ask(server, head("/folder/../hello.txt"))[2], self.hello)

    def test_nor_on_kernels_that_cannot_help(self):
        server = self.serve(missing_call=OPENAT2)
        with server.connect() as sock:
            sock.sendall(head())
            Answers(sock).next()
            before = server.num_descriptors() - 1
        self.check_that_nothing_outside_is_served(server)
        # There is no telling where links and ".." lead, so they lead nowhere.
        for target in ("/folder/good", "/folder/../hello.txt"):
            self.assertEqual(self.ask(server, head(target))[0], 404)
        for target in ("/inside/real.txt", "//inside//./real.txt"):
            self.assertEqual(self.ask(server, head(target))[2], b"real")
        self.assertEqual(self.ask(server, head("/"))[2], b"<p>the front page")
        self.assertEqual(self.ask(server, head("/folder"))[0], 301)
        for target in ("/hello.txt/x", "/" + 300 * "x" + "/x", "/missing/x"):
            self.assertEqual(self.ask(server, head(target))[0], 404)
        support.eventually(lambda: server.num_descriptors() == before, "descriptors closed")

    def test_what_is_no_regular_file_is_not_found(self):
        os.mkfifo(os.path.join(self.root, "fifo"))
        sock = socket.socket(socket.AF_UNIX)
        self.addCleanup(sock.close)
        here = os.getcwd()
        os.chdir(self.root)  # the path of a socket has to be short
        self.addCleanup(os.chdir, here)
        sock.bind("socket")
        server = self.serve()
        for target in ("/fifo", "/socket"):
            self.assertEqual(self.ask(server, head(target))[0], 404, target)

    def test_a_file_that_cannot_be_read_is_forbidden(self):
        if os.geteuid() == 0:
            self.skipTest("root may read everything")
        os.chmod(self.write("root/private", b"x"), 0)
        self.assertEqual(self.ask(self.serve(), head("/private"))[0], 403)

    def test_truncated_requests_and_peers_that_vanish(self):
        self.write("root/big", os.urandom(8000000))
        server = self.serve("--connections", "20")
        with server.connect() as sock:
            answers = Answers(sock)
            sock.sendall(head())
            answers.next()
            before = server.num_descriptors()
            request = head("/big")
            for i in range(60):
                other = server.connect(receive_buffer=4096)
                other.sendall(request[:i] if i < len(request) else request)
                if i % 3 == 0:
                    support.reset(other)
                elif i % 3 == 1:
                    other.close()
                else:  # in the middle of the answer
                    other.sendall(request[i:])
                    self.assertNotEqual(other.recv(100), b"")
                    support.reset(other)
            sock.sendall(head())
            self.assertEqual(answers.next()[2], self.hello)
            support.eventually(lambda: server.num_descriptors() == before, "descriptors closed")

    def test_a_file_that_shrinks_is_not_passed_off_as_whole(self):
        path = self.write("root/shrinking", os.urandom(20000000))
        server = self.serve()
        with server.connect(receive_buffer=4096) as sock:
            sock.sendall(head("/shrinking"))
            self.assertNotEqual(sock.recv(100), b"")
            os.truncate(path, 1000)
            with self.assertRaises(EOFError):
                answers = Answers(sock)
                answers.buffer = b"HTTP/1.1 200 OK\r\nContent-Length: 19999999\r\n\r\n"
                answers.next()
        self.assertEqual(self.ask(server, head())[2], self.hello)

    def test_slow_readers_stop_only_themselves(self):
        big = os.urandom(20000000)
        self.write("root/big", big)
        server = self.serve("--send-timeout", "0")  # the last is read after all the others
        slow = []
        for _ in range(5):
            sock = server.connect(receive_buffer=4096)
            self.addCleanup(sock.close)
            sock.sendall(head("/big", "Connection: close"))
            self.assertNotEqual(sock.recv(1, socket.MSG_PEEK), b"")
            slow.append(sock)
        with server.connect() as sock:
            answers = Answers(sock)
            for _ in range(200):
                sock.sendall(head())
                self.assertEqual(answers.next()[2], self.hello)
        self.assertTrue(support.eventually(server.asleep, "the server waits for its slow peers"))
        digest = hashlib.sha256(big).digest()
        for sock in slow:
            body = support.read_until_end(sock).split(b"\r\n\r\n", 1)[1]
            self.assertEqual(hashlib.sha256(body).digest(), digest)


if __name__ == "__main__":
    support.main()
