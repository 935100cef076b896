"""The station as the timer of DREM, the AWS DeepRacer Event Manager: the WebSocket of DREM's own timer.

DREM's timekeeper page connects to a timer at the address that it was loaded from, so the pages of `site` are handed on
there too, as DREM's timer does: by a process of its own (drem_front.py), which passes WebSockets through to here. Each
crossing of the start line is sent once to every page that listens, as a time in ms; the difference of two is the lap as
the station publishes it. A page that was away misses it, as with DREM's timer: the record is the station's. A port in
use, or an address that does not exist yet, is tried again and stops nothing.

Source: the timer of github.com/aws-solutions-library-samples/guidance-for-aws-deepracer-event-management.
"""

import asyncio
import contextlib
import http
import json
import logging
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

from websockets.asyncio.server import Server, ServerConnection, broadcast, serve, unix_serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from shared.clock import Clock
from shared.text import text
from shared.web.server import listening_socket
from station.drem_options import DremOptions
from station.views.system_views import ManagerView

MAX_INTERVAL_NS = 600_000_000_000  # no lap is longer: after such a pause the wall clock sets the stamps again
MAX_LISTENERS = 32
MAX_PENDING = 64  # connections that do not listen yet; beyond this the oldest is closed
RETRY_S = 2.0


class LapStamps:
    """Turns crossings into wall-clock ms. Two consecutive stamps differ by the lap in ms, truncated as published."""

    def __init__(self) -> None:
        self._boot = ""
        self._last_ns = self._last_ms = 0

    def stamp(self, boot: str, at_ns: int, at_utc_ns: int) -> int:
        """The stamp in ms of a crossing at `at_ns` on the clock of `boot`; never below the last stamp.

        `at_utc_ns` sets the first stamp of a boot and the first after a long pause.
        """
        since_ns = at_ns - self._last_ns
        if boot == self._boot and 0 <= since_ns < MAX_INTERVAL_NS:
            self._last_ms += since_ns // 1_000_000
        else:
            self._last_ms = max(at_utc_ns // 1_000_000, self._last_ms + 1)
        self._boot, self._last_ns = boot, at_ns
        return self._last_ms


class DremTimer:
    """A server in a thread of its own; `crossing` may be called from any thread and never waits."""

    def __init__(self, options: DremOptions, clock: Clock) -> None:
        self._options, self._clock = options, clock
        self._site = options.site.rstrip("/")
        self._origins = frozenset((origin_of(self._site), *options.origins)) - {""}
        self._lap_stamps, self._laps = LapStamps(), 0
        self.listeners = 0  # how many pages listen now
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._server: Server | None = None
        self._closing = asyncio.Event()
        self._answered = threading.Event()
        self.port = 0  # where it listens; 0: nowhere (yet)
        self.sentence: str = text("The port for an event manager is not open yet.")
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), name="drem", daemon=True)

    @property
    def view(self) -> ManagerView:
        """Its state, as the pages show it."""
        return ManagerView(bool(self.port), self.listeners, self.sentence)

    @property
    def url(self) -> str:
        """The WebSocket address for an event manager on this machine, once it listens."""
        host = "127.0.0.1" if self._options.host in ("0.0.0.0", "::") else self._options.host  # noqa: S104  any address
        return f"ws://[{host}]:{self.port}" if ":" in host else f"ws://{host}:{self.port}"

    def start(self) -> None:
        """Starts the server; returns once it listens, or cannot yet: `sentence` says which."""
        self._thread.start()
        self._answered.wait(10.0)

    def crossing(self, boot: str, at_ns: int, sensor_utc_ns: int | None = None) -> None:
        """Sends one crossing of the start line, once it is stored. `sensor_utc_ns`: its time of day, if it is known."""
        with self._lock:
            self._laps += 1
            utc_ns = self._clock.utc_ns() if sensor_utc_ns is None else sensor_utc_ns
            lap = {
                "event": "lap",
                "timestamp": self._lap_stamps.stamp(boot, at_ns, utc_ns),
                "gpio": self._options.gpio,
                "lapNumber": self._laps,
                "sensorLapCount": self._laps,
            }
        self._call_on_loop(lambda: self._broadcast(json.dumps(lap)))

    def close(self) -> None:
        if self._thread.is_alive():
            self._call_on_loop(self._closing.set)
            self._thread.join(3.0)

    def _call_on_loop(self, what: Callable[[], object]) -> None:
        """Calls `what` on the loop's thread. A loop that ends at this moment refuses: then no listeners are left."""
        if self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(what)

    def _broadcast(self, message: str) -> None:
        if self._server is not None:
            broadcast(self._server.connections, message)

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        while not self._closing.is_set():
            try:
                await self._serve_once()
            except OSError as error:
                where = f"{self._options.host}:{self._options.port}"
                why = error.strerror or str(error)
                self.sentence = text(
                    "Cannot listen on {where} ({why}): set another `drem.port` or `drem.host`.", where=where, why=why
                )
                self._answered.set()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), RETRY_S)

    async def _serve_once(self) -> None:
        """Listen until the end. Raises OSError if that is not possible (yet)."""
        with listening_socket(self._options.host, self._options.port) as public:
            public.setblocking(False)
            if not self._site:
                async with await serve(self._serve_listener, sock=public, **self._ways()) as self._server:
                    await self._listen_on(public)
                return
            with tempfile.TemporaryDirectory(prefix="raceday-drem-") as folder:
                path = f"{folder}/timer"
                async with await unix_serve(self._serve_listener, path, **self._ways()) as self._server:
                    front = asyncio.create_task(keep_front(public, path, self._site))
                    try:
                        await self._listen_on(public)
                    finally:
                        front.cancel()
                        await asyncio.wait([front])

    async def _listen_on(self, public: socket.socket) -> None:
        self.port = public.getsockname()[1]
        self.sentence = text("An event manager is timed at {url}.", url=self.url)
        self._answered.set()
        await self._closing.wait()

    def _ways(self) -> dict[str, Any]:
        """How the WebSockets are served, wherever they come in."""
        return {
            "process_request": self._process_request,
            "create_connection": _PendingConnection,
            "compression": None,
            "max_size": 1024,
            "ping_interval": 10,
            "ping_timeout": 10,
            "close_timeout": 1,
            "logger": _quiet_logger(),
        }

    async def _serve_listener(self, line: ServerConnection) -> None:
        """Serves one page for as long as it stays; what it sends is ignored."""
        _PENDING.pop(line, None)
        self.listeners += 1
        try:
            if self._options.greet:
                await line.send(self._greeting())
            async for _ in line:
                pass
        except ConnectionClosed:
            return
        finally:
            self.listeners -= 1

    def _greeting(self) -> str:
        now_ms = self._clock.utc_ns() // 1_000_000
        return json.dumps({"event": "connected", "timestamp": now_ms, "serverInfo": {"gpioLibrary": "raceday"}})

    async def _process_request(self, line: ServerConnection, request: Request) -> Response | None:
        """None if the connection becomes a WebSocket; otherwise the answer."""
        if request.headers.get("Upgrade", "").lower() != "websocket":
            return line.respond(http.HTTPStatus.OK, "Raceday: a timer for an event manager, on this WebSocket.\n")
        if self.listeners >= MAX_LISTENERS:
            return line.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "Too many listeners.\n")
        if not self._may_listen(request.headers):
            why = "This page may not listen: name its origin in `drem.origins` of station.toml.\n"
            return line.respond(http.HTTPStatus.FORBIDDEN, why)
        return None

    def _may_listen(self, headers: Headers) -> bool:
        """A program, which shows no origin; a page that was loaded from here, of the site, or of the config."""
        origin = headers.get("Origin")
        if origin is None or "*" in self._origins:
            return True
        return origin in self._origins or urlsplit(origin).netloc == headers.get("Host")


async def keep_front(public: socket.socket, path: str, site: str) -> None:
    """Hand the public socket to a process that serves it, and start that anew if it ends, until this is cancelled."""
    words = (sys.executable, "-m", "station.drem_front", str(public.fileno()), path, site)
    while True:
        child = await asyncio.create_subprocess_exec(*words, pass_fds=(public.fileno(),), stdin=asyncio.subprocess.PIPE)
        try:
            await child.wait()
        finally:
            if child.returncode is None:
                child.terminate()
                await child.wait()
        await asyncio.sleep(RETRY_S)


def origin_of(site: str) -> str:
    """The origin of the pages of this address (RFC 6454), "" for none."""
    parts = urlsplit(site)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else ""


_PENDING: dict[ServerConnection, None] = {}  # connections that are not listeners yet, the oldest first


class _PendingConnection(ServerConnection):
    """A connection that gives way to newer ones until it listens, so that silent peers take no descriptors."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)
        _PENDING[self] = None
        if len(_PENDING) > MAX_PENDING:
            oldest = next(iter(_PENDING))
            del _PENDING[oldest]
            oldest.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        _PENDING.pop(self, None)
        super().connection_lost(exc)


def _quiet_logger() -> logging.Logger:
    """The library would log a traceback for each peer that connects and sends nothing."""
    logger = logging.getLogger("raceday.drem")
    logger.setLevel(logging.CRITICAL)
    return logger
