"""One stranger with thousands of sockets: silent ones, half requests, a byte a second, unread streams, stops.

The kind "stream" is a page that reads what it is sent: a stream that nobody reads is ended after a while.
"""

import contextlib
import itertools
import resource
import selectors
import socket
import threading
from collections.abc import Iterator
from typing import Any

KINDS = ("silent", "half a header", "half a body", "a byte a second", "unread stream", "half a stop", "a stop")
LOOPBACKS = (
    "127.0.0.2",
    "127.0.0.1",
)  # a stranger's address, and our own: behind one access point all share an address


def room_for(sockets: int) -> int:
    """Raise the limit of open files for `sockets` sockets; return how many of them the machine allows."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < sockets + 500:
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, sockets + 500), hard))
    return min(sockets, resource.getrlimit(resource.RLIMIT_NOFILE)[0] - 500)


class Stranger:
    """Opens sockets to a port and keeps them open; some of them send a byte a second."""

    def __init__(
        self, port: int, stream: str = "/live", body_to: str = "/api/v1/commands", stop: str = "/api/v1/stop"
    ) -> None:
        self._port = port
        self._first = {
            "silent": b"",
            "half a header": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Much: ",
            "half a body": f"POST {body_to} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            "Content-Length: 4000\r\n\r\n{".encode(),
            "a byte a second": b"G",
            "half a stop": f"POST {stop} HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Much: ".encode(),
            "a stop": f"POST {stop} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n".encode(),
            "unread stream": f"GET {stream} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode(),
            "stream": f"GET {stream} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode(),
        }
        self._sockets: list[socket.socket] = []
        self._trickling: list[socket.socket] = []
        self._read = selectors.DefaultSelector()
        self._over = threading.Event()
        self._threads = [threading.Thread(target=each, daemon=True) for each in (self._trickle, self._read_streams)]

    def open(self, count: int, kinds: tuple[str, ...] = KINDS, addresses: tuple[str, ...] = LOOPBACKS) -> int:
        """Try to open `count` sockets, of `kinds` and from `addresses` in turn; return how many connected."""
        opened = 0
        for kind, address in itertools.islice(itertools.cycle(itertools.product(kinds, addresses)), count):
            made = socket.socket()
            self._sockets.append(made)
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            made.settimeout(5)
            with contextlib.suppress(OSError):  # the server closed it: the test asks the server, not us
                made.bind((address, 0))
                made.connect(("127.0.0.1", self._port))
                opened += 1
                made.sendall(self._first[kind])
                if kind == "a byte a second":
                    self._trickling.append(made)
                if kind == "stream":
                    self._read.register(made, selectors.EVENT_READ)
        return opened

    def _trickle(self) -> None:
        for sign in itertools.cycle(b"ET / HTTP/1.1\r\nX: " + b"a" * 200):
            if self._over.wait(1.0):
                return
            for each in list(self._trickling):
                with contextlib.suppress(OSError):
                    each.send(bytes([sign]))

    def _read_streams(self) -> None:
        while not self._over.is_set():
            for key, _ in self._read.select(0.1):
                stream: Any = key.fileobj
                with contextlib.suppress(OSError):
                    if stream.recv(65_536):
                        continue
                self._read.unregister(stream)  # the server ended it

    def close(self) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(10)
        self._read.close()
        for each in self._sockets:
            each.close()

    def start(self) -> None:
        for thread in self._threads:
            thread.start()


@contextlib.contextmanager
def stranger(
    port: int, stream: str = "/live", body_to: str = "/api/v1/commands", stop: str = "/api/v1/stop"
) -> Iterator[Stranger]:
    """Yield a stranger whose sockets stay open until the block ends."""
    made = Stranger(port, stream, body_to, stop)
    made.start()
    try:
        yield made
    finally:
        made.close()
