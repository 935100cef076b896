"""Accepts the connections of a web server: counts each by its address, closes the overdue, orders the requests.

`CountingServer` (server.py) puts an `Acceptor` where uvicorn expects an asyncio server. It decides by
connection_limits.py who stays and by accept_queue.py who is read next, and then hands the socket to uvicorn's protocol.
"""

import asyncio
import contextlib
import functools
import logging
import socket
import ssl
import time
from collections import Counter
from collections.abc import Callable, Sequence

from shared.addresses import counted_prefix
from shared.refusals import Refusals
from shared.web.accepting.accept_queue import AcceptQueue
from shared.web.accepting.counted_protocol import CountedHttpProtocol
from shared.web.connection_limits import ConnectionTable, WebConnection

BACKLOG = 4096  # the kernel's own maximum; a burst waits there, where no official's connection is lost
ACCEPT_BATCH = 512  # connections accepted before those that are in are read
STARTED_PER_TURN = 8  # requests started before other work on the loop has its turn
STARTED_PER_RUSH_TURN = 1  # while more come than one batch: an official in a hurry may be among them
SWEEP_S = 0.5
REPORT_S = 10.0
PAUSE_S = 0.2
UNACKNOWLEDGED_MS = 20_000  # a phone that left the network
PEEK_BYTES = 64
TLS_HANDSHAKE = 0x16  # the first byte of TLS (RFC 8446, 5.1), and of no HTTP request
HANDSHAKE_S = 5.0
GOODBYE_S = 1.0  # for the other side's half of the end of TLS
_LOG = logging.getLogger("raceday.web")


class Acceptor:
    """Accepts over `sockets`, which listen already, until it is closed; runs on the loop that creates it.

    A client that sends nothing costs a descriptor and no more. Requests are started a few at a time, in the order of
    accept_queue.py: so no burst, whatever it asks for, delays an official's stop.

    `is_official(address)`: who has reserved places. `urgent`: how requests begin that go first. `protocol()` makes
    uvicorn's protocol for one connection. With `tls` one port speaks both: how a connection begins says which.
    """

    def __init__(
        self,
        connections: ConnectionTable,
        is_official: Callable[[str], bool],
        urgent: tuple[bytes, ...],
        protocol: Callable[[], CountedHttpProtocol],
        sockets: Sequence[socket.socket],
        tls: ssl.SSLContext | None = None,
        refusals: Refusals | None = None,
    ) -> None:
        self._connections, self._urgent, self._protocol = connections, urgent, protocol
        # What it is counted by, and whether it is an official's: looked up again for each of thousands.
        self._known = functools.lru_cache(1024)(lambda host: (counted_prefix(host), is_official(host)))
        self._sockets, self._tls = sockets, tls
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._queue = AcceptQueue()
        self._queued: dict[WebConnection, socket.socket] = {}
        self._draining = False
        self._rush = False
        self._evicted: Counter[str] = Counter()
        self._refusals = Refusals() if refusals is None else refusals
        self._reported_s = -REPORT_S
        self._open = False

    def open(self) -> None:
        """Begin to accept."""
        self._open = True
        for listening in self._sockets:
            listening.setblocking(False)
            listening.listen(BACKLOG)
        self._watch_sockets()
        self._loop.call_later(SWEEP_S, self._sweep)

    def close(self) -> None:
        """Accept no more connections; open ones go on."""
        self._open = False
        for listening in self._sockets:
            self._loop.remove_reader(listening.fileno())

    async def wait_closed(self) -> None:
        """Part of the interface of an asyncio server; there is nothing to wait for."""

    async def end(self) -> None:
        """Close every connection that is still open; call after `close`, as the last of this loop."""
        self._close_all()  # nobody waits to be begun from here on
        if self._tasks:
            await asyncio.wait(self._tasks)
            self._close_all()
        await asyncio.sleep(0)  # a transport closes its socket in the turn after

    def _close_all(self) -> None:
        for connection in self._connections:
            connection.close()

    def _watch_sockets(self) -> None:
        if self._open:
            for listening in self._sockets:
                self._loop.add_reader(listening.fileno(), self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        self._rush = False
        for _ in range(ACCEPT_BATCH):
            try:
                accepted, peer = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                # Something else of this process took the descriptors; the web waits, and the log says so.
                self._evicted["(no descriptor is free)"] += 1
                self._loop.remove_reader(listening.fileno())
                self._loop.call_later(PAUSE_S, self._watch_sockets)
                return
            self._admit(accepted, peer[0])
        self._rush = True

    def _admit(self, accepted: socket.socket, host: str) -> None:
        connection = WebConnection(*self._known(host), time.monotonic())
        for evicted in self._connections.add(connection):
            self._evicted[evicted.address] += 1
            if evicted is connection:
                accepted.close()
                return
            evicted.close()
        accepted.setblocking(False)
        with contextlib.suppress(OSError):  # it may be closed already
            accepted.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        connection.close = functools.partial(self._dismiss, accepted, connection)
        self._peek(accepted, connection)

    def _dismiss(self, accepted: socket.socket, connection: WebConnection) -> None:
        """Close a connection that uvicorn does not have yet."""
        self._connections.remove(connection)
        if self._queued.pop(connection, None) is not None:
            self._queue.discard(connection)
        if accepted.fileno() >= 0:
            self._loop.remove_reader(accepted.fileno())
            accepted.close()

    def _on_readable(self, accepted: socket.socket, connection: WebConnection) -> None:
        self._loop.remove_reader(accepted.fileno())
        self._peek(accepted, connection)

    def _peek(self, accepted: socket.socket, connection: WebConnection) -> None:
        """Queue a connection by how its request begins, or wait until it begins."""
        try:
            first = accepted.recv(PEEK_BYTES, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            self._loop.add_reader(accepted.fileno(), self._on_readable, accepted, connection)
            return
        except OSError:
            first = b""
        if not first:
            self._dismiss(accepted, connection)
        else:
            connection.enter_stage("queued", time.monotonic())  # from here on it waits for us
            connection.begins_tls = self._tls is not None and first[0] == TLS_HANDSHAKE
            self._queued[connection] = accepted
            self._queue.add(connection, urgent=first.startswith(self._urgent))
            self._drain_soon()

    def _drain_soon(self) -> None:
        if not self._draining:
            self._draining = True
            self._loop.call_soon(self._drain)

    def _drain(self) -> None:
        self._draining = False
        for connection in self._queue.pop(STARTED_PER_RUSH_TURN if self._rush else STARTED_PER_TURN):
            self._start_soon(self._queued.pop(connection), connection)
        if self._queue:
            self._drain_soon()

    def _start_soon(self, accepted: socket.socket, connection: WebConnection) -> None:
        # Still "queued" until uvicorn has read it: it is the last that should be closed for a newcomer.
        connection.close = lambda: None  # for one turn of the loop it is on its way
        task = self._loop.create_task(self._start(accepted, connection))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _start(self, accepted: socket.socket, connection: WebConnection) -> None:
        protocol = self._protocol()
        protocol.connection, protocol.on_closed = connection, self._connections.remove
        try:
            if connection.begins_tls:
                await self._shake_hands(accepted, connection, protocol)
            else:
                await self._loop.connect_accepted_socket(lambda: protocol, accepted)
        except OSError:  # it was closed in the meantime, or speaks no TLS that we speak
            self._dismiss(accepted, connection)

    async def _shake_hands(
        self, accepted: socket.socket, connection: WebConnection, protocol: CountedHttpProtocol
    ) -> None:
        """Wait for the client's half of the handshake: as idle as one that has sent no request, and as soon closed."""
        shaking = self._loop.create_task(
            self._loop.connect_accepted_socket(
                lambda: protocol,
                accepted,
                ssl=self._tls,
                ssl_handshake_timeout=HANDSHAKE_S,
                ssl_shutdown_timeout=GOODBYE_S,
            )
        )
        connection.close = shaking.cancel
        connection.enter_stage("waiting", time.monotonic())
        await asyncio.wait([shaking])
        if shaking.cancelled():
            self._dismiss(accepted, connection)
        else:
            shaking.result()

    def _sweep(self) -> None:
        if not self._open:
            return
        now_s = time.monotonic()
        for connection in self._connections.overdue(now_s):
            self._evicted[connection.address] += 1
            connection.close()
            self._connections.remove(connection)
        if self._evicted and now_s - self._reported_s >= REPORT_S:
            self._report(now_s)
        self._loop.call_later(SWEEP_S, self._sweep)

    def _report(self, now_s: float) -> None:
        """Log many closed connections: one browser that keeps an idle connection too long is no news."""
        self._reported_s = now_s
        count = self._evicted.total()
        if count >= self._connections.limits.max_idle_each:
            for address, closed in self._evicted.items():  # the line below is their line in the log
                self._refusals.record("connection", address, "connections without a request", now_s, closed)
            largest = ", ".join(f"{address}: {n}" for address, n in self._evicted.most_common(3))
            _LOG.warning("web: closed %d connections without a request (most: %s).", count, largest)
        self._evicted.clear()
