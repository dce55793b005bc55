"""echo_server: many peers, odd peers, limits and the orderly stop."""

import errno
import os
import random
import selectors
import signal
import socket
import threading

import support


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
            sock.bind(("::1", 0))
        return True
    except OSError:
        return False


class EchoServer(support.ExampleTest):
    def echo(self, sock, data=b"ping"):
        sock.sendall(data)
        received = b""
        while len(received) < len(data):
            part = sock.recv(65536)
            self.assertNotEqual(part, b"")
            received += part
        self.assertEqual(received, data)

    def test_sends_back_what_it_gets(self):
        server = self.start("echo_server")
        with server.connect() as sock:
            for length in (1, 10, 1000, 100000):
                self.echo(sock, os.urandom(length))
        self.assertEqual(server.num_threads(), 1)

    def test_hundreds_of_peers_at_once(self):
        server = self.start("echo_server")
        numbers = random.Random(1)
        selector = selectors.DefaultSelector()
        peers = []
        for _ in range(300):
            sock = server.connect()
            sock.setblocking(False)
            peer = {"data": numbers.randbytes(numbers.randrange(1, 60000)), "sent": 0,
                    "received": b""}
            selector.register(sock, selectors.EVENT_READ | selectors.EVENT_WRITE, peer)
            peers.append(sock)
        while selector.get_map():
            ready = selector.select(support.PATIENCE)
            self.assertTrue(ready, "the server stopped answering")
            for key, events in ready:
                sock, peer = key.fileobj, key.data
                if events & selectors.EVENT_WRITE:
                    piece = peer["data"][peer["sent"]:peer["sent"] + numbers.randrange(1, 9000)]
                    peer["sent"] += sock.send(piece)
                    if peer["sent"] == len(peer["data"]):
                        selector.modify(sock, selectors.EVENT_READ, peer)
                if events & selectors.EVENT_READ:
                    part = sock.recv(65536)
                    self.assertNotEqual(part, b"")
                    peer["received"] += part
                    if len(peer["received"]) == len(peer["data"]):
                        self.assertEqual(peer["received"], peer["data"])
                        selector.unregister(sock)
        for sock in peers:
            sock.close()

    def test_a_peer_that_does_not_read_stops_only_itself(self):
        server = self.start("echo_server")
        data = os.urandom(16 * 1024 * 1024)
        with server.connect(receive_buffer=4096) as slow:
            sender = threading.Thread(target=slow.sendall, args=(data,))
            sender.start()
            # Fewer bytes than all of it fit into the buffers on the way, so its wire has to wait.
            with server.connect() as other:
                for _ in range(100):
                    self.echo(other)
            received = bytearray()
            while len(received) < len(data):
                received += slow.recv(65536)
            sender.join()
            self.assertEqual(bytes(received), data)

    def test_a_peer_that_ends_its_side_gets_everything_first(self):
        server = self.start("echo_server")
        data = os.urandom(300000)
        with server.connect() as sock:
            sender = threading.Thread(
                target=lambda: (sock.sendall(data), sock.shutdown(socket.SHUT_WR)))
            sender.start()
            self.assertEqual(support.read_until_end(sock), data)
            sender.join()

    def test_peers_that_vanish_do_no_harm(self):
        server = self.start("echo_server", "--connections", "50")
        with server.connect() as sock:
            self.echo(sock)
            before = server.num_descriptors()
            for i in range(200):
                other = server.connect()
                if i % 2:
                    other.sendall(os.urandom(1000))
                support.reset(other)
            self.echo(sock)
            support.eventually(lambda: server.num_descriptors() == before, "descriptors closed")

    def test_ipv6(self):
        if not has_ipv6():
            self.skipTest("no IPv6 here")
        server = self.start("echo_server", "--address", "::1")
        with server.connect("::1") as sock:
            self.echo(sock)
        both = self.start("echo_server", "--address", "::")
        for address in ("::1", "127.0.0.1"):
            with both.connect(address) as sock:
                self.echo(sock)

    def test_more_peers_than_wires_wait_their_turn(self):
        server = self.start("echo_server", "--connections", "3")
        peers = [server.connect() for _ in range(3)]
        for sock in peers:
            self.echo(sock)
        waiting = server.connect()
        waiting.sendall(b"later")
        for sock in peers[1:]:
            self.echo(sock)
        waiting.settimeout(0)
        with self.assertRaises(BlockingIOError):
            waiting.recv(10)
        waiting.settimeout(support.PATIENCE)
        peers[0].close()
        self.assertEqual(waiting.recv(10), b"later")
        for sock in peers[1:] + [waiting]:
            sock.close()

    def test_runs_out_of_descriptors_without_spinning(self):
        server = self.start("echo_server", max_descriptors=16)
        peers = [server.connect() for _ in range(40)]
        self.echo(peers[0])
        support.eventually(lambda: server.num_descriptors() == 16, "all descriptors in use")
        support.eventually(server.asleep, "the server sleeps while it cannot accept")
        self.echo(peers[0])
        for sock in peers[:39]:
            sock.close()
        self.echo(peers[39])
        peers[39].close()

    def test_a_silent_peer_is_dropped(self):
        server = self.start("echo_server", "--timeout", "0.2")
        with server.connect() as sock:
            self.echo(sock)
            self.assertEqual(sock.recv(10), b"")

    def test_stops_on_either_signal_and_closes_its_peers(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            server = self.start("echo_server")
            with server.connect() as sock:
                self.echo(sock)
                server.signal(number)
                self.assertEqual(sock.recv(10), b"")
            self.assertEqual(server.wait(), (0, ""))
            with self.assertRaises(ConnectionRefusedError):
                server.connect()

    def test_a_peer_that_reads_nothing_does_not_prevent_the_stop(self):
        server = self.start("echo_server")
        with server.connect(receive_buffer=4096) as sock:
            sock.setblocking(False)
            try:
                while True:
                    sock.send(b"x" * 65536)
            except BlockingIOError:
                pass
            # The second signal does not wait for anybody.
            server.signal(signal.SIGTERM)
            support.eventually(lambda: self.refuses(server), "the server stops listening")
            server.signal(signal.SIGTERM)
            self.assertEqual(server.wait(), (0, ""))

    def refuses(self, server):
        try:
            server.connect().close()
            return False
        except OSError as error:
            return error.errno == errno.ECONNREFUSED

    def test_errors_at_the_start_are_reported(self):
        server = self.start("echo_server")
        result = support.run("echo_server", "--port", str(server.port))
        self.assertEqual(result.returncode, 1)
        self.assertIn("Address already in use", result.stderr)
        for arguments in (["--port", "x"], ["--port", "65536"], ["--connections", "0"],
                          ["--timeout", "-1"], ["--nonsense"], ["extra"]):
            result = support.run("echo_server", *arguments)
            self.assertEqual((result.returncode, result.stdout), (2, ""), arguments)
            self.assertIn("usage", result.stderr)


if __name__ == "__main__":
    support.main()
