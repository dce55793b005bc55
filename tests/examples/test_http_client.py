"""http_client: right results from good servers, clear failures from bad ones."""

import hashlib
import os
import re
import socket
import subprocess
import threading

import support


def sha256(data):
    return hashlib.sha256(data).hexdigest()


class FakeServer:
    """A server whose every connection runs handle(connection) in a thread.

    handle gets a Connection and returns when it has had enough; the socket is closed then.
    """

    class Connection:
        def __init__(self, sock, number):
            self.sock, self.number, self.file = sock, number, sock.makefile("rb")

        def request(self):
            """The target of the next request, None at the end of the connection."""
            line = self.file.readline()
            if not line:
                return None
            while self.file.readline().strip():
                pass
            return line.split()[1].decode()

        def send(self, data):
            self.sock.sendall(data)

        def answer(self, body, *fields, status="200 OK"):
            lines = ["HTTP/1.1 " + status, "Content-Length: %d" % len(body), *fields, "", ""]
            self.send("\r\n".join(lines).encode() + body)

    def __init__(self, handle):
        self.handle = handle
        self.num_connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port = self.listener.getsockname()[1]
        self.url = "http://127.0.0.1:%d" % self.port
        self.open = set()
        self.lock = threading.Lock()
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:
                return
            with self.lock:
                self.num_connections += 1
                self.open.add(sock)
                connection = self.Connection(sock, self.num_connections)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            self.handle(connection)
        except OSError:
            pass  # the client hung up
        finally:
            connection.file.close()
            with self.lock:
                self.open.discard(connection.sock)
                connection.sock.close()

    def close(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for sock in self.open:
                try:
                    sock.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass  # the client has gone already


def serve_all(connection):
    """A good server: the body tells the target."""
    while target := connection.request():
        connection.answer(b"body of " + target.encode())


class HttpClientTest(support.ExampleTest):
    def fake(self, handle):
        server = FakeServer(handle)
        self.addCleanup(server.close)
        return server

    def fetch(self, *arguments, **options):
        """Runs the client; returns (status, {url: hash}, [lines about failures], summary)."""
        result = support.run("http_client", *arguments, **options)
        hashes = {}
        for line in result.stdout.splitlines():
            digest, url = line.split("  ", 1)
            hashes[url] = digest
        *failures, summary = result.stderr.splitlines()
        self.assertRegex(summary, r"^fetched \d+ of \d+ URLs, \d+ bytes in [\d.]+ s, ")
        return result.returncode, hashes, failures, summary

    def assert_fails(self, server_url, reason, *arguments):
        status, hashes, failures, _ = self.fetch(*arguments, server_url)
        self.assertEqual((status, hashes), (1, {}))
        self.assertEqual(len(failures), 1, failures)
        self.assertTrue(failures[0].startswith(server_url + ": "), failures)
        self.assertIn(reason, failures[0])


class Good(HttpClientTest):
    def test_everything_from_the_http_server(self):
        expected = {}
        server = self.start("http_server", "--root", self.folder, "--connections", "50")
        base = "http://127.0.0.1:%d/" % server.port
        for i in range(400):
            content = os.urandom(i * i % 70001)
            self.write("d%d/f%d" % (i % 7, i), content)
            expected[base + "d%d/f%d" % (i % 7, i)] = sha256(content)
        output = os.path.join(self.folder, "output")
        status, hashes, failures, summary = self.fetch(
            "--wires", "60", "--list", "-", "--output", output, input="\n".join(expected))
        self.assertEqual((status, failures), (0, []))
        self.assertEqual(hashes, expected)
        self.assertTrue(summary.startswith("fetched 400 of 400 URLs, "))
        # The stored files are the same, and there are no others.
        stored = {}
        for folder, _, names in os.walk(output):
            for name in names:
                path = os.path.join(folder, name)
                with open(path, "rb") as file:
                    stored["http://" + os.path.relpath(path, output)] = sha256(file.read())
        self.assertEqual(stored, expected)

    def test_connections_are_kept(self):
        server = self.fake(serve_all)
        urls = [server.url + "/%d" % i for i in range(30)]
        status, hashes, _, _ = self.fetch("--wires", "1", *urls)
        self.assertEqual((status, len(hashes), server.num_connections), (0, 30, 1))
        for i, url in enumerate(urls):
            self.assertEqual(hashes[url], sha256(b"body of /%d" % i))

    def test_a_wire_changes_between_servers(self):
        servers = [self.fake(serve_all) for _ in range(2)]
        urls = [servers[i % 2].url + "/%d" % i for i in range(6)]
        status, hashes, _, _ = self.fetch("--wires", "1", *urls)
        self.assertEqual((status, len(hashes)), (0, 6))
        self.assertEqual([server.num_connections for server in servers], [3, 3])

    def test_as_many_at_once_as_there_are_wires(self):
        barrier = threading.Barrier(100)

        def handle(connection):
            connection.request()
            barrier.wait(support.PATIENCE)  # until all hundred are here
            connection.answer(b"x")

        server = self.fake(handle)
        urls = [server.url + "/%d" % i for i in range(100)]
        status, hashes, failures, _ = self.fetch("--wires", "100", *urls)
        self.assertEqual((status, len(hashes), failures), (0, 100, []))

    def test_answers_of_every_shape(self):
        answers = {
            "/chunked": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                         b"3\r\nabc\r\n4;x=y\r\ndefg\r\n0\r\nTrailer: x\r\n\r\n", b"abcdefg"),
            "/interim": (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\n"
                         b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", b"ok"),
            "/empty": (b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", b""),
            "/no-length": (b"HTTP/1.1 200 OK\r\n\r\nuntil the end", b"until the end"),
            "/1.0": (b"HTTP/1.0 200 OK\r\n\r\nold", b"old"),
        }

        def handle(connection):
            while target := connection.request():
                data = answers[target][0]
                for i in range(len(data)):  # in the smallest pieces
                    connection.send(data[i:i + 1])
                if target in ("/no-length", "/1.0"):
                    return

        server = self.fake(handle)
        urls = [server.url + target for target in answers]
        status, hashes, failures, _ = self.fetch("--wires", "2", *urls)
        self.assertEqual((status, failures), (0, []))
        self.assertEqual(hashes, {server.url + target: sha256(body)
                                  for target, (_, body) in answers.items()})

    def test_a_kept_connection_that_was_closed_is_made_anew(self):
        def handle(connection):  # promises keep-alive and hangs up after each answer
            connection.request()
            connection.answer(b"once")

        server = self.fake(handle)
        urls = [server.url + "/%d" % i for i in range(20)]
        status, hashes, failures, _ = self.fetch("--wires", "3", *urls)
        self.assertEqual((status, len(hashes), failures), (0, 20, []))

    def test_the_list_is_read_as_it_comes(self):
        seen = threading.Semaphore(0)

        def handle(connection):
            while target := connection.request():
                connection.answer(target.encode())
                seen.release()

        server = self.fake(handle)
        client = subprocess.Popen([support.program("http_client"), "--list", "-", "--wires", "5"],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        for i in range(12):
            client.stdin.write("%s/%d\n" % (server.url, i))
            client.stdin.flush()
            self.assertTrue(seen.acquire(timeout=support.PATIENCE))
        output, errors = client.communicate(timeout=support.PATIENCE)
        self.assertEqual((client.returncode, len(output.splitlines())), (0, 12))
        self.assertTrue(errors.startswith("fetched 12 of 12 URLs, "))

    def test_lists(self):
        server = self.fake(serve_all)
        text = "\n# a comment\r\n%s/a\r\n\n%s/b" % (server.url, server.url)
        path = self.write("list", text.encode())
        for arguments, options in ((["--list", path], {}), (["--list", "-"], {"input": text})):
            status, hashes, failures, _ = self.fetch(*arguments, server.url + "/c", **options)
            self.assertEqual((status, failures), (0, []))
            self.assertEqual(sorted(hashes), [server.url + "/" + name for name in "abc"])
        # Longer than any buffer.
        urls = [server.url + "/%04d/%s" % (i, "x" * 90) for i in range(1000)]
        status, hashes, failures, _ = self.fetch("--list", "-", input="\n".join(urls))
        self.assertEqual((status, len(hashes), failures), (0, 1000, []))

    def test_urls_are_taken_apart(self):
        targets = []

        def handle(connection):
            while target := connection.request():
                targets.append(target)
                connection.answer(b"")

        server = self.fake(handle)
        for text, target in {"": "/", "/": "/", "/a?b=c/d": "/a?b=c/d", "?q": "/?q",
                             "/a#part": "/a", "/a%20b": "/a%20b"}.items():
            status, _, failures, _ = self.fetch(server.url + text)
            self.assertEqual((status, failures), (0, []))
            self.assertEqual(targets.pop(), target)
        status, _, _, _ = self.fetch("HTTP://localhost:%d/" % server.port)
        self.assertEqual(status, 0)


class Bad(HttpClientTest):
    def test_nobody_listens(self):
        server = FakeServer(serve_all)
        server.close()
        self.assert_fails(server.url + "/", "Connection refused")

    def test_a_bad_server_does_not_harm_the_others(self):
        good, bad = self.fake(serve_all), self.fake(lambda connection: connection.request())
        urls = [(good if i % 2 else bad).url + "/%d" % i for i in range(40)]
        status, hashes, failures, summary = self.fetch("--wires", "4", *urls)
        self.assertEqual((status, len(hashes), len(failures)), (1, 20, 20))
        self.assertTrue(all(url.startswith(good.url) for url in hashes))
        self.assertTrue(summary.startswith("fetched 20 of 40 URLs, "))

    def test_a_server_that_never_answers(self):
        server = self.fake(lambda connection: connection.file.read())
        self.assert_fails(server.url + "/", "Connection timed out", "--timeout", "0.2")
        self.assert_fails(server.url + "/", "Connection timed out", "--max-time", "0.2")

    def test_a_server_that_drips(self):
        stop = threading.Event()
        self.addCleanup(stop.set)

        def handle(connection):
            connection.request()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not stop.wait(0.02):
                connection.send(b"x")

        server = self.fake(handle)
        self.assert_fails(server.url + "/", "in the middle of the answer: Connection timed out",
                          "--timeout", "10", "--max-time", "0.4")

    def test_answers_that_are_cut_off_or_wrong(self):
        answers = {
            "/short": (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345", "in the middle"),
            "/chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nab",
                       "in the middle"),
            "/head": (b"HTTP/1.1 200 OK\r\nContent-Le", "in the middle"),
            "/garbage": (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
            "/bad-chunk": (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
                           "not HTTP"),
            "/endless": (b"HTTP/1.1 200 OK\r\nX: " + 200000 * b"x", "not HTTP"),
            "/nothing": (b"", "closed the connection without an answer"),
            "/only-interim": (b"HTTP/1.1 100 Continue\r\n\r\n", "without an answer"),
        }
        server = self.fake(lambda connection: connection.send(answers[connection.request()][0]))
        output = os.path.join(self.folder, "output")
        for target, (_, reason) in answers.items():
            self.assert_fails(server.url + target, reason, "--output", output)
        self.assertEqual([names for _, _, names in os.walk(output) if names], [])

    def test_other_statuses_fail_and_keep_the_connection(self):
        def handle(connection):
            while target := connection.request():
                connection.answer(b"so what", status=target[1:] + " Reason")

        server = self.fake(handle)
        statuses = (404, 500, 301, 204, 200)
        status, hashes, failures, _ = self.fetch(
            "--wires", "1", *("%s/%d" % (server.url, status) for status in statuses))
        self.assertEqual((status, list(hashes)), (1, [server.url + "/200"]))
        self.assertEqual(failures, ["%s/%d: the server answers %d" % (server.url, status, status)
                                    for status in statuses[:-1]])

    def test_bytes_behind_an_answer_are_not_taken_for_the_next(self):
        def careless(connection):
            target = connection.request()
            body = target.encode()
            connection.send(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
                            + b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nlie")
            connection.file.read()

        server = self.fake(careless)
        urls = [server.url + "/%d" % i for i in range(5)]
        status, hashes, _, _ = self.fetch("--wires", "1", *urls)
        self.assertEqual(status, 0)
        self.assertEqual(hashes, {url: sha256(b"/%d" % i) for i, url in enumerate(urls)})

    def test_urls_that_are_refused(self):
        for url, reason in {
                "nonsense": "not a URL", "http://": "not a URL", "http://h:x/": "not a URL",
                "http://h:99999/": "not a URL", "/path": "not a URL", "http://a b/": "not a URL",
                "http://h/a b": "not a URL", "https://h/": "only http://",
                "ftp://h/": "only http://", "http://user:word@h/": "user name",
                "http://h/" + "x" * 5000: "too long",
                "http://" + "h" * 300 + "/": "too long"}.items():
            status, hashes, failures, _ = self.fetch("--list", "-", input=url + "\n")
            self.assertEqual((status, hashes, len(failures)), (1, {}, 1), url)
            self.assertIn(reason, failures[0])

    def test_an_unknown_host(self):
        # Names in .invalid do not exist (RFC 2606); without any resolver the reason is another.
        self.assert_fails("http://no-such-host.invalid/", "cannot connect: ")

    def test_no_url_leads_out_of_the_output_folder(self):
        server = self.fake(serve_all)
        output = os.path.join(self.folder, "output")
        os.mkdir(output)
        for path in ("/../x", "/a/../../x", "/..", "/a/..", "/./x", "/%s" % ("x" * 300)):
            self.assert_fails(server.url + path, "cannot create the file", "--output", output)
        # Nor does a link that is there already.
        os.symlink(self.folder, os.path.join(output, "127.0.0.1:%d" % server.port, "link"))
        self.assert_fails(server.url + "/link/x", "cannot create the file", "--output", output)
        status, _, failures, _ = self.fetch("--output", output, server.url + "/q?../../x",
                                            server.url + "/folder/", server.url)
        self.assertEqual((status, failures), (0, []))
        files = sorted(os.path.relpath(os.path.join(folder, name), self.folder)
                       for folder, _, names in os.walk(self.folder) for name in names
                       if not os.path.islink(os.path.join(folder, name)))
        base = "output/127.0.0.1:%d/" % server.port
        self.assertEqual(files, [base + "folder/index.html", base + "index.html",
                                 base + "q?.._.._x"])

    def test_output_that_cannot_be_written(self):
        server = self.fake(serve_all)
        path = self.write("file", b"")
        result = support.run("http_client", "--output", path, server.url)
        self.assertEqual(result.returncode, 1)
        self.assertIn("Not a directory", result.stderr)
        with open("/dev/full", "w") as full:
            result = subprocess.run([support.program("http_client"), server.url], stdout=full,
                                    stderr=subprocess.PIPE, text=True, timeout=support.PATIENCE)
        self.assertEqual(result.returncode, 1)
        self.assertRegex(result.stderr, "cannot write the output")

    def test_wrong_usage(self):
        for arguments in ([], ["--wires", "0", "http://h/"], ["--wires", "x", "http://h/"],
                          ["--timeout", "x", "http://h/"], ["--what"]):
            result = support.run("http_client", *arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
            self.assertIn("usage", result.stderr)
        result = support.run("http_client", "--list", "/nonexistent")
        self.assertEqual(result.returncode, 1)
        self.assertIn("No such file", result.stderr)
        result = support.run("http_client", "--list", self.folder)
        self.assertEqual(result.returncode, 1)
        self.assertTrue(re.search("Is a directory", result.stderr), result.stderr)


if __name__ == "__main__":
    support.main()
