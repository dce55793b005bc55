"""The peers of scripts/soak: one that behaves and looks at what it gets, and many that do not.

A Peer knows a protocol: what to say, and what the answer is. Each behaviour below is a function of
a connection maker, a peer and a source of random numbers; it returns when it is done with its
connections. What a server does with a bad peer is its own business, so nobody looks; but nobody
waits for it longer than PATIENCE seconds."""

import socket
import struct
import time

PATIENCE = 60
TCP_REPAIR = 19


class Echo:
    """Bytes come back."""

    EXCHANGES = 3  # on one connection

    def request(self, random):
        return random.randbytes(random.randrange(1, 50000))

    def exchange(self, sock, random):
        data = self.request(random)
        sent = 0
        answer = b""
        sock.settimeout(0.05)
        deadline = time.monotonic() + PATIENCE
        while len(answer) < len(data):
            try:
                if sent < len(data):
                    sent += sock.send(data[sent:sent + 8192])
                part = sock.recv(65536)
                if not part:
                    break
                answer += part
            except TimeoutError:
                if time.monotonic() > deadline:
                    raise
        return answer == data


class Http:
    """Files of different sizes; `files` is name -> content."""

    EXCHANGES = 1  # the server may end what is idle

    def __init__(self, files):
        self.files = files

    def name(self, random):
        return random.choice(sorted(self.files))

    def request(self, random, name=None):
        return b"GET /%s HTTP/1.1\r\nHost: soak\r\n\r\n" % (name or self.name(random)).encode()

    def exchange(self, sock, random):
        name = self.name(random)
        sock.settimeout(PATIENCE)
        sock.sendall(self.request(random, name))
        answer = b""
        while b"\r\n\r\n" not in answer:
            part = sock.recv(65536)
            if not part:
                return False
            answer += part
        head, _, body = answer.partition(b"\r\n\r\n")
        content = self.files[name]
        while len(body) < len(content):
            part = sock.recv(65536)
            if not part:
                return False
            body += part
        return head.startswith(b"HTTP/1.1 200 ") and body == content


def reset(sock):
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    sock.close()


def vanish(sock):
    """Not a word to the other side, where that is allowed; else a reset."""
    try:
        sock.setsockopt(socket.IPPROTO_TCP, TCP_REPAIR, 1)
        sock.close()
    except OSError:
        reset(sock)


def leave(sock, random):
    random.choice((reset, vanish, socket.socket.close))(sock)


def drain(sock, seconds=PATIENCE):
    """Until the other side has closed."""
    sock.settimeout(seconds)
    while sock.recv(65536):
        pass


def some(data, random):
    return data[:random.randrange(1, len(data) + 1)]


def goes_in_the_middle(connect, peer, random):
    sock = connect()
    sock.sendall(some(peer.request(random), random))
    leave(sock, random)


def goes_before_the_answer(connect, peer, random):
    sock = connect()
    sock.sendall(peer.request(random))
    leave(sock, random)


def stalls(connect, peer, random):
    sock = connect()
    sock.sendall(some(peer.request(random), random)[:-1])
    drain(sock)
    sock.close()


def takes_nothing(connect, peer, random):
    """Asks and asks, and reads no answer, until the server has had enough."""
    sock = connect(4096)
    sock.settimeout(5)
    while True:
        sock.sendall(peer.request(random))


def reads_slowly(connect, peer, random):
    sock = connect(4096)
    sock.sendall(peer.request(random))
    sock.settimeout(1)
    for _ in range(random.randrange(1, 50)):
        if not sock.recv(100):
            break
        time.sleep(0.002)  # it is the slowness that is wanted
    leave(sock, random)


def half_closes(connect, peer, random):
    sock = connect()
    sock.sendall(peer.request(random))
    sock.shutdown(socket.SHUT_WR)
    drain(sock)
    sock.close()


def talks_garbage(connect, _, random):
    sock = connect()
    sock.sendall(random.randbytes(random.randrange(1, 20000)))
    drain(sock, 5)
    sock.close()


def floods(connect, peer, random):
    """Many connections at once, most of which never say a word."""
    socks = []
    try:
        for _ in range(100):
            socks.append(connect())
            if random.random() < 0.1:
                socks[-1].sendall(some(peer.request(random), random))
    finally:
        if socks:
            vanish(socks.pop())  # more of these would keep the server waiting for nobody
        for sock in socks:
            random.choice((reset, socket.socket.close))(sock)


BEHAVIOURS = (goes_in_the_middle, goes_before_the_answer, stalls, takes_nothing, reads_slowly,
              half_closes, talks_garbage, floods)
