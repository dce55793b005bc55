"""http_server: time limits, connection limits and the orderly stop."""

import os
import signal
import socket

import support
from http_support import Answers, HttpServerTest, head


class Limits(HttpServerTest):
    def test_an_unfinished_request_gets_408(self):
        server = self.serve("--request-timeout", "0.3")
        for request in (b"G", head()[:-2], head("/", "Content-Length: 9") + b"123"):
            status, fields, _ = self.ask(server, request)
            self.assertEqual((status, fields["connection"]), (408, "close"))

    def test_a_request_in_drops_does_not_get_more_time(self):
        server = self.serve("--request-timeout", "0.3")
        with server.connect() as sock:
            answers = Answers(sock)
            sock.sendall(b"GET / HTTP/1.1\r\nX: ")
            sock.settimeout(0.05)  # a drop each time nothing comes back
            while True:
                try:
                    answers.more()
                    break
                except TimeoutError:
                    sock.sendall(b"x")
            sock.settimeout(support.PATIENCE)
            self.assertEqual(answers.next()[0], 408)

    def test_a_silent_connection_is_closed(self):
        server = self.serve("--idle-timeout", "0.2")
        with server.connect() as sock:
            self.assertEqual(sock.recv(1), b"")
        with server.connect() as sock:
            answers = Answers(sock)
            sock.sendall(head())
            self.assertEqual(answers.next()[2], self.hello)
            self.assertTrue(answers.at_end())

    def test_a_peer_that_takes_nothing_is_dropped(self):
        self.write("root/big", os.urandom(20000000))
        server = self.serve("--send-timeout", "0.2")
        with server.connect() as sock:
            answers = Answers(sock)
            sock.sendall(head())
            answers.next()
            before = server.num_descriptors()
            with server.connect(receive_buffer=4096) as slow:
                slow.sendall(head("/big"))
                support.eventually(lambda: server.num_descriptors() > before, "it is served")
                support.eventually(lambda: server.num_descriptors() == before, "it is dropped")
            sock.sendall(head())
            self.assertEqual(answers.next()[2], self.hello)

    def test_a_new_peer_takes_the_place_of_the_longest_idle(self):
        server = self.serve("--connections", "2")
        with server.connect() as first, server.connect() as second:
            for sock in (first, second):
                sock.sendall(head())
                self.assertEqual(Answers(sock).next()[2], self.hello)
            self.assertEqual(self.ask(server, head("/folder/", "Connection: close"))[2],
                             b"<p>a folder")
            self.assertEqual(first.recv(1), b"")
            second.sendall(head())
            self.assertEqual(Answers(second).next()[2], self.hello)

    def test_a_new_peer_waits_while_all_are_busy(self):
        big = os.urandom(10000000)
        self.write("root/big", big)
        server = self.serve("--connections", "1")
        with server.connect(receive_buffer=4096) as busy:
            busy.sendall(head("/big", "Connection: close"))
            self.assertNotEqual(busy.recv(1, socket.MSG_PEEK), b"")
            with server.connect() as waiting:
                waiting.sendall(head())
                waiting.settimeout(0)
                with self.assertRaises(BlockingIOError):
                    waiting.recv(1)
                waiting.settimeout(support.PATIENCE)
                self.assertTrue(support.read_until_end(busy).endswith(big))
                self.assertEqual(Answers(waiting).next()[2], self.hello)

    def test_hundreds_of_connections(self):
        server = self.serve("--connections", "400")
        socks = [server.connect() for _ in range(400)]
        for _ in range(3):
            for sock in socks:
                sock.sendall(head())
            for sock in socks:
                self.assertEqual(Answers(sock).next()[2], self.hello)
        self.assertEqual(server.num_threads(), 1)
        for sock in socks:
            sock.close()

    def test_runs_out_of_descriptors_without_spinning(self):
        server = self.serve(max_descriptors=16)
        socks = [server.connect() for _ in range(40)]
        socks[0].sendall(head())
        support.eventually(lambda: server.num_descriptors() == 16, "all descriptors in use")
        support.eventually(server.asleep, "the server sleeps while it cannot accept")
        # There is none left for the file either, unless the request was faster than the others.
        self.assertIn(Answers(socks[0]).next()[0], (200, 503))
        for sock in socks:
            sock.close()
        self.assertEqual(self.ask(server, head())[2], self.hello)


class Stop(HttpServerTest):
    def test_idle_connections_end_at_once(self):
        server = self.serve()
        with server.connect() as silent, server.connect() as idle:
            idle.sendall(head())
            Answers(idle).next()
            server.signal()
            self.assertEqual((idle.recv(1), silent.recv(1)), (b"", b""))
        self.assertEqual(server.wait(), (0, ""))

    def test_an_answer_under_way_is_completed(self):
        big = os.urandom(20000000)
        self.write("root/big", big)
        server = self.serve("--grace", "60")
        with server.connect() as idle, server.connect(receive_buffer=4096) as sock:
            sock.sendall(head("/big"))
            self.assertNotEqual(sock.recv(1, socket.MSG_PEEK), b"")
            server.signal()
            self.assertEqual(idle.recv(1), b"")  # so the stop has begun
            self.assertTrue(support.read_until_end(sock).endswith(big))
        self.assertEqual(server.wait(), (0, ""))

    def test_the_grace_has_an_end(self):
        self.write("root/big", os.urandom(20000000))
        for grace in ("0", "0.3"):
            server = self.serve("--grace", grace)
            with server.connect(receive_buffer=4096) as sock:
                sock.sendall(head("/big"))
                self.assertNotEqual(sock.recv(1, socket.MSG_PEEK), b"")
                self.assertEqual(server.stop(), (0, ""))

    def test_a_second_signal_cuts_the_grace_short(self):
        self.write("root/big", os.urandom(20000000))
        server = self.serve("--grace", "3600")
        with server.connect() as idle, server.connect(receive_buffer=4096) as sock:
            sock.sendall(head("/big"))
            self.assertNotEqual(sock.recv(1, socket.MSG_PEEK), b"")
            server.signal(signal.SIGTERM)
            self.assertEqual(idle.recv(1), b"")
            server.signal(signal.SIGINT)
            self.assertEqual(server.wait(), (0, ""))

    def test_errors_at_the_start_are_reported(self):
        for arguments, status, text in (
                (["--root", "/nonexistent"], 1, "No such file"),
                (["--root", __file__], 1, "Not a directory"),
                (["--address", "256.1.1.1"], 1, "256.1.1.1"),
                (["--port", "99999"], 2, "usage"), (["--grace", "x"], 2, "usage"),
                (["surplus"], 2, "usage"), (["--what"], 2, "usage")):
            result = support.run("http_server", *arguments)
            self.assertEqual((result.returncode, result.stdout), (status, ""), arguments)
            self.assertIn(text, result.stderr, arguments)


if __name__ == "__main__":
    support.main()
