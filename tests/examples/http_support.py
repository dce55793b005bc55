"""What the tests of http_server share: requests, exact reading of answers, a folder to serve."""

import os

import support

SECRET = b"nobody may read this"


def head(target="/hello.txt", *fields, method="GET", version="1.1"):
    """A request without a body, as bytes."""
    lines = ["%s %s HTTP/%s" % (method, target, version), "Host: test", *fields, "", ""]
    return "\r\n".join(lines).encode("latin-1")


class Answers:
    """Reads answers from a socket, byte-exactly, one after the other."""

    def __init__(self, sock):
        self.sock = sock
        self.buffer = b""

    def more(self):
        part = self.sock.recv(65536)
        if not part:
            raise EOFError("connection closed, left over: %r" % self.buffer[:200])
        self.buffer += part

    def next(self, method="GET"):
        """Returns (status, fields in lower case, body)."""
        while b"\r\n\r\n" not in self.buffer:
            self.more()
        text, self.buffer = self.buffer.split(b"\r\n\r\n", 1)
        lines = text.decode("latin-1").split("\r\n")
        version, status, _ = lines[0].split(" ", 2)
        assert version == "HTTP/1.1", lines[0]
        fields = {}
        for line in lines[1:]:
            name, value = line.split(": ", 1)
            assert name.lower() not in fields, name
            fields[name.lower()] = value
        length = 0
        if method != "HEAD" and status != "304":
            length = int(fields["content-length"])
        while len(self.buffer) < length:
            self.more()
        body, self.buffer = self.buffer[:length], self.buffer[length:]
        return int(status), fields, body

    def at_end(self):
        return self.buffer == b"" and self.sock.recv(1) == b""


class HttpServerTest(support.ExampleTest):
    def setUp(self):
        super().setUp()
        self.hello = b"hello, world\n"
        self.write("root/hello.txt", self.hello)
        self.write("root/index.html", b"<p>the front page")
        self.write("root/folder/index.html", b"<p>a folder")
        self.write("root/a b+\xc3\xa4.txt".encode("latin-1").decode("utf-8"), b"encoded name")
        self.write("root/empty", b"")
        self.write("secret.txt", SECRET)
        self.root = os.path.join(self.folder, "root")

    def serve(self, *arguments, **options):
        return self.start("http_server", "--root", self.root, *arguments, **options)

    def ask(self, server, data, method="GET"):
        """One request on a connection of its own; returns the answer and whether the end came."""
        with server.connect() as sock:
            answers = Answers(sock)
            sock.sendall(data)
            status, fields, body = answers.next(method)
            if fields.get("connection") == "close":
                self.assertTrue(answers.at_end())
            return status, fields, body
