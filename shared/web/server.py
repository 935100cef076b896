"""uvicorn behind a door of our own: every connection is counted by address and bears deadlines (connection_limits.py).

Station, leaderboard and car console serve by it. A stranger's sockets take neither the descriptors that the rest of
the process needs nor the place of an official, and what goes wrong with them is a line now and then, not a log.
"""

import asyncio
import contextlib
import functools
import logging
import socket
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence

import uvicorn
from uvicorn.config import STARTUP_FAILURE
from uvicorn.protocols.http.h11_impl import H11Protocol

from shared.addresses import counted_prefix
from shared.web.accept_queue import AcceptQueue
from shared.web.connection_limits import ConnectionLimits, ConnectionTable, Stage, WebConnection

BACKLOG = 4096  # the kernel's own most; a burst waits there, where an official's knock is not lost
ACCEPT_BATCH = 512  # then those that are in are heard
STARTED_PER_TURN = (
    8  # so many requests are begun before the others on the loop have their turn (and see accept_queue.py)
)
STARTED_PER_RUSH_TURN = 1  # while more come than were heard at once: an official in a hurry may be among them
SWEEP_S = 0.5
REPORT_S = 10.0
PAUSE_S = 0.2
UNACKNOWLEDGED_MS = 20_000  # a phone that left the hall
LINES_PER_S = 2
_LOG = logging.getLogger("raceday.web")


def listening_socket(host: str, port: int) -> socket.socket:
    """Bound and listening; host "::" hears IPv4 as well. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, or asyncio leaves Nagle on: a small answer would then wait 40 ms for an acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind((host, port))
        listening.listen(BACKLOG)
    except BaseException:
        listening.close()
        raise
    return listening


def url_of(listening: socket.socket) -> str:
    """Where a browser on this machine finds it: "any address" is no address to open, but 127.0.0.1 is one of them."""
    host, port = listening.getsockname()[:2]
    host = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class CountedHttpProtocol(H11Protocol):
    """uvicorn's HTTP/1.1, which tells its guest's stage."""

    guest: WebConnection
    gone: Callable[[WebConnection], None]

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.guest.end = transport.abort
        if self.guest.party is None:  # put out while it was on its way here
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self.gone(self.guest)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._tell()

    def on_response_complete(self) -> None:
        self.guest.turn("resting", time.monotonic())
        super().on_response_complete()
        self._tell()

    def pause_writing(self) -> None:
        super().pause_writing()
        self.guest.stuck_since_s = time.monotonic()

    def resume_writing(self) -> None:
        super().resume_writing()
        self.guest.stuck_since_s = None

    def _tell(self) -> None:
        self.guest.turn(self._stage(), time.monotonic())

    def _stage(self) -> Stage:
        cycle = self.cycle
        if cycle is None or cycle.response_complete:
            return "waiting" if cycle is None else "resting"
        return "sending" if cycle.more_body else "served"


class CountingServer(uvicorn.Server):
    """uvicorn that accepts by itself.

    `is_official(address)`: who has places of his own. `urgent`: how requests begin that go first (accept_queue.py).
    """

    def __init__(
        self,
        config: uvicorn.Config,
        room: ConnectionLimits,
        is_official: Callable[[str], bool] = lambda _address: False,
        urgent: tuple[bytes, ...] = (),
    ) -> None:
        super().__init__(config)
        self.crowd = ConnectionTable(room)
        self._is_official, self._urgent = is_official, urgent
        for name in ("uvicorn.error", "asyncio"):
            logging.getLogger(name).addFilter(_LOG_RATE_LIMIT)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        assert sockets, "we serve over sockets that listen already"
        door = _Acceptor(self.crowd, self._is_official, self._urgent, self._protocol, sockets)
        door.open()
        self.servers = [door]  # type: ignore[list-item]  # it closes and is waited for as one of theirs
        self.started = True

    def _protocol(self) -> CountedHttpProtocol:
        return CountedHttpProtocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


_PEEK_BYTES = 64


class _Acceptor:
    """Accepts, counts, and puts out who waits too long; stands where uvicorn expects an asyncio server.

    Who says nothing costs a descriptor and no more. Those who said something are heard a few at a time, in the order of
    accept_queue.py: so no burst, of whatever it asks, keeps the loop from an official's stop.
    """

    def __init__(
        self,
        crowd: ConnectionTable,
        is_official: Callable[[str], bool],
        urgent: tuple[bytes, ...],
        protocol: Callable[[], CountedHttpProtocol],
        sockets: Sequence[socket.socket],
    ) -> None:
        self._crowd, self._urgent, self._protocol = crowd, urgent, protocol
        # By what it is counted, and whether it is an official's: asked anew for each of thousands.
        self._known = functools.lru_cache(1024)(lambda host: (counted_prefix(host), is_official(host)))
        self._sockets = sockets
        self._loop = asyncio.get_running_loop()
        self._tasks: set[asyncio.Task[None]] = set()
        self._queue = AcceptQueue()
        self._queued: dict[WebConnection, socket.socket] = {}  # those in it
        self._draining = False
        self._rush = False
        self._put_out: Counter[str] = Counter()
        self._reported_s = -REPORT_S
        self._open = False

    def open(self) -> None:
        self._open = True
        for listening in self._sockets:
            listening.setblocking(False)
            listening.listen(BACKLOG)
        self._hear()
        self._loop.call_later(SWEEP_S, self._sweep)

    def close(self) -> None:
        self._open = False
        for listening in self._sockets:
            self._loop.remove_reader(listening.fileno())

    async def wait_closed(self) -> None:
        """As of an asyncio server: nothing is held."""

    def _hear(self) -> None:
        if self._open:
            for listening in self._sockets:
                self._loop.add_reader(listening.fileno(), self._accept, listening)

    def _accept(self, listening: socket.socket) -> None:
        self._rush = False
        for _ in range(ACCEPT_BATCH):
            try:
                arrived, peer = listening.accept()
            except (BlockingIOError, InterruptedError, ConnectionAbortedError):
                return
            except OSError:
                # Something else of this process took the descriptors; the web waits, and says so below.
                self._put_out["(no descriptor is free)"] += 1
                self._loop.remove_reader(listening.fileno())
                self._loop.call_later(PAUSE_S, self._hear)
                return
            self._take(arrived, peer[0])
        self._rush = True

    def _take(self, arrived: socket.socket, host: str) -> None:
        guest = WebConnection(*self._known(host), time.monotonic())
        for gone in self._crowd.enter(guest):
            self._put_out[gone.address] += 1
            if gone is guest:
                arrived.close()
                return
            gone.end()
        arrived.setblocking(False)
        with contextlib.suppress(OSError):  # it may be gone already
            arrived.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS)
        guest.end = functools.partial(self._dismiss, arrived, guest)
        self._hear_first(arrived, guest)

    def _dismiss(self, arrived: socket.socket, guest: WebConnection) -> None:
        """It goes before it is uvicorn's."""
        self._crowd.leave(guest)
        if self._queued.pop(guest, None) is not None:
            self._queue.discard(guest)
        if arrived.fileno() >= 0:
            self._loop.remove_reader(arrived.fileno())
            arrived.close()

    def _spoke(self, arrived: socket.socket, guest: WebConnection) -> None:
        self._loop.remove_reader(arrived.fileno())
        self._hear_first(arrived, guest)

    def _hear_first(self, arrived: socket.socket, guest: WebConnection) -> None:
        """How it begins, or that it has not begun yet."""
        try:
            first = arrived.recv(_PEEK_BYTES, socket.MSG_PEEK)
        except (BlockingIOError, InterruptedError):
            self._loop.add_reader(arrived.fileno(), self._spoke, arrived, guest)
            return
        except OSError:
            first = b""
        if not first:
            self._dismiss(arrived, guest)
        else:
            guest.turn("queued", time.monotonic())  # now it is we who keep it waiting
            self._queued[guest] = arrived
            self._queue.add(guest, urgent=first.startswith(self._urgent))
            self._drain_soon()

    def _drain_soon(self) -> None:
        if not self._draining:
            self._draining = True
            self._loop.call_soon(self._drain)

    def _drain(self) -> None:
        self._draining = False
        for guest in self._queue.take(STARTED_PER_RUSH_TURN if self._rush else STARTED_PER_TURN):
            self._welcome_soon(self._queued.pop(guest), guest)
        if self._queue:
            self._drain_soon()

    def _welcome_soon(self, arrived: socket.socket, guest: WebConnection) -> None:
        # Still queued until uvicorn has read it: it is the last that should go for a newcomer.
        guest.end = lambda: None  # for one turn of the loop it is on its way
        task = self._loop.create_task(self._welcome(arrived, guest))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _welcome(self, arrived: socket.socket, guest: WebConnection) -> None:
        protocol = self._protocol()
        protocol.guest, protocol.gone = guest, self._crowd.leave
        try:
            await self._loop.connect_accepted_socket(lambda: protocol, arrived)
        except OSError:  # it went in the meantime
            self._dismiss(arrived, guest)

    def _sweep(self) -> None:
        if not self._open:
            return
        now_s = time.monotonic()
        for guest in self._crowd.overdue(now_s):
            self._put_out[guest.address] += 1
            guest.end()
            self._crowd.leave(guest)
        if self._put_out and now_s - self._reported_s >= REPORT_S:
            self._report(now_s)
        self._loop.call_later(SWEEP_S, self._sweep)

    def _report(self, now_s: float) -> None:
        """A browser that closes an idle connection late is no news; hundreds of them are."""
        self._reported_s = now_s
        count = self._put_out.total()
        if count >= self._crowd.room.idle_each:
            most = ", ".join(f"{address}: {n}" for address, n in self._put_out.most_common(3))
            _LOG.warning("web: %d connections that asked nothing were closed (most: %s).", count, most)
        self._put_out.clear()


class LogRateLimit(logging.Filter):
    """A stranger who sends nonsense must not fill the log: so many lines a second, then a count."""

    def __init__(self, lines_per_s: int, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._most, self._now_s = lines_per_s, now_s
        self._second = 0
        self._said = self._kept_back = 0

    def filter(self, record: logging.LogRecord) -> bool:
        second = int(self._now_s())
        if second != self._second:
            self._second, self._said = second, 0
        self._said += 1
        if self._said > self._most:
            self._kept_back += 1
            return False
        if self._kept_back:
            record.msg = f"{record.msg} ({self._kept_back} more lines were kept back)"
            self._kept_back = 0
        return True


_LOG_RATE_LIMIT = LogRateLimit(LINES_PER_S)  # one for all servers of a process
