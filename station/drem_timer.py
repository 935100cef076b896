"""The station as the timer of DREM, the AWS DeepRacer Event Manager: the WebSocket of DREM's own timer, and a proxy.

DREM's timekeeper page connects to a timer at the address that it was loaded from, so this server also proxies the pages
of `site`, as DREM's timer does. Each crossing of the start line is sent once to every page that listens, as a time in
ms; the difference of two is the lap as the station publishes it. A page that was away misses it, as with DREM's timer:
the record is the station's. A port in use, or an address that does not exist yet, is tried again and stops nothing.

Source: the timer of github.com/aws-solutions-library-samples/guidance-for-aws-deepracer-event-management.
"""

import asyncio
import contextlib
import http
import json
import logging
import threading
from collections.abc import Callable

import requests
from websockets.asyncio.server import Server, ServerConnection, broadcast, serve
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from shared.clock import Clock
from shared.text import text
from station.drem_options import DremOptions
from station.views.system_views import ManagerView

MAX_INTERVAL_NS = 600_000_000_000  # no lap is longer: after such a pause the wall clock sets the stamps again
MAX_LISTENERS = 32
MAX_PENDING = 64  # connections that do not listen yet; beyond this the oldest is closed
RETRY_S = 2.0
MAX_PAGE_BYTES = 32 * 1024 * 1024
FORWARDED_HEADERS = ("Content-Type", "Cache-Control", "ETag", "Location")


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
                listening = await self._listen()
            except OSError as error:
                where = f"{self._options.host}:{self._options.port}"
                why = error.strerror or str(error)
                self.sentence = text(
                    "Cannot listen on {where} ({why}): set another `drem.port` or `drem.host`.", where=where, why=why
                )
                self._answered.set()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), RETRY_S)
                continue
            async with listening as self._server:
                self.port = next(iter(self._server.sockets)).getsockname()[1]
                self.sentence = text("An event manager is timed at {url}.", url=self.url)
                self._answered.set()
                await self._closing.wait()

    async def _listen(self) -> Server:
        return await serve(
            self._serve_listener,
            self._options.host,
            self._options.port,
            process_request=self._process_request,
            create_connection=_PendingConnection,
            compression=None,
            max_size=1024,
            ping_interval=10,
            ping_timeout=10,
            close_timeout=1,
            logger=_quiet_logger(),
        )

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
        """None if the connection becomes a WebSocket; otherwise the answer, which is a page of the site."""
        if request.headers.get("Upgrade", "").lower() == "websocket":
            full = self.listeners >= MAX_LISTENERS
            return line.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "Too many listeners.\n") if full else None
        if not self._site:
            return line.respond(http.HTTPStatus.OK, "Raceday: a timer for an event manager, on this WebSocket.\n")
        return await asyncio.to_thread(fetch, self._site, request.path)


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


def fetch(site: str, path: str) -> Response:
    """The site's answer to `GET path`, for a browser that uses this proxy; redirects are passed on, not followed."""
    if not path.startswith("/"):
        return _answer(400, "Bad Request", Headers(), b"The request must name a path.\n")
    try:
        with requests.get(site + path, timeout=(3, 6), allow_redirects=False, stream=True) as page:
            body = bytearray()
            for part in page.iter_content(1 << 16):
                body += part
                if len(body) > MAX_PAGE_BYTES:
                    return _answer(502, "Bad Gateway", Headers(), b"The page is too large.\n")
    except (requests.RequestException, OSError) as error:
        sentence = f"The event manager's site does not answer ({type(error).__name__}).\n"
        return _answer(502, "Bad Gateway", Headers(), sentence.encode())
    headers = Headers({name: page.headers[name] for name in FORWARDED_HEADERS if name in page.headers})
    if headers.get("Location", "").startswith(site):
        headers["Location"] = headers.pop("Location")[len(site) :] or "/"
    return _answer(page.status_code, page.reason or "", headers, bytes(body))


def _answer(status: int, reason: str, headers: Headers, body: bytes) -> Response:
    headers["Content-Length"] = str(len(body))
    headers["Connection"] = "close"
    return Response(status, reason, headers, body)


def _quiet_logger() -> logging.Logger:
    """The library would log a traceback for each peer that connects and sends nothing."""
    logger = logging.getLogger("raceday.drem")
    logger.setLevel(logging.CRITICAL)
    return logger
