"""The web server of station, car and leaderboard: uvicorn over a socket of our own, its connections counted.

A machine's build code calls `listen`, makes `server_config` of its app, and runs a `CountingServer` (the leaderboard,
in its main thread) or a `BackgroundServer` (station and car). However many sockets an untrusted client opens, they take
neither the descriptors that the rest of the process needs nor the place of an official (connection_limits.py), and
their errors make a line in the log now and then, not a flood.
"""

import asyncio
import errno
import logging
import socket
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import uvicorn
from starlette.types import ASGIApp
from uvicorn.config import STARTUP_FAILURE

from shared.errors import ConfigError
from shared.refusals import Refusals
from shared.web.accepting.acceptor import BACKLOG, Acceptor
from shared.web.accepting.counted_protocol import CountedHttpProtocol
from shared.web.connection_limits import ConnectionLimits, ConnectionTable
from shared.web.log_rate_limit import LogRateLimit

if TYPE_CHECKING:
    from shared.web.tls.web_tls import WebTls

LINES_PER_S = 2
STOP_S = 3.0
MAX_HEAD_BYTES = 16_384
_LOG_RATE_LIMIT = LogRateLimit(LINES_PER_S)  # one for all servers of a process


def listening_socket(host: str, port: int) -> socket.socket:
    """A listening TCP socket; port 0 takes a free one, host "::" accepts IPv4 as well. Raises OSError, UnicodeError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol is named, or asyncio leaves Nagle on: a small answer would wait 40 ms for an acknowledgement.
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


def listen(host: str, port: int, table: str) -> socket.socket:
    """As `listening_socket`, before anything else starts. Raises ConfigError, which names the keys of `table`."""
    try:
        return listening_socket(host, port)
    except (OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"cannot listen on {host} port {port}: the port is in use: stop the program that listens there, "
                f"or set another `{table}.port`."
            ) from None
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            f"cannot listen on {host} port {port} ({why}): check `{table}.host` and `{table}.port`."
        ) from None


def url_of(listening: socket.socket) -> str:
    """The address for a browser on this machine; where it listens on all addresses, 127.0.0.1 is one of them."""
    host, port = listening.getsockname()[:2]
    host = "127.0.0.1" if host in ("0.0.0.0", "::") else host  # noqa: S104
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def protected(url: str) -> str:
    """The same address by https, which the same port speaks."""
    return f"https://{url.removeprefix('http://')}"


def server_config(app: ASGIApp, **options: Any) -> uvicorn.Config:
    """The uvicorn settings that all our servers have, and `options` of one of them."""
    common: dict[str, Any] = {
        "http": "h11",
        "ws": "none",
        "lifespan": "on",
        "log_level": "warning",
        "access_log": False,
        "server_header": False,
        "proxy_headers": False,
        "timeout_graceful_shutdown": 1,
        "h11_max_incomplete_event_size": MAX_HEAD_BYTES,
    }
    return uvicorn.Config(app, **(common | options))


class CountingServer(uvicorn.Server):
    """uvicorn with an `Acceptor`; run it with `run(sockets=[...])`.

    `is_official(address)`: who has reserved places. `urgent`: how requests begin that go first (accept_queue.py).
    `tls`: the port speaks https as well as http, whichever a client begins with.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        limits: ConnectionLimits,
        is_official: Callable[[str], bool] = lambda _address: False,
        urgent: tuple[bytes, ...] = (),
        tls: "WebTls | None" = None,
        refusals: Refusals | None = None,
    ) -> None:
        super().__init__(config)
        self._refusals = refusals
        self._tls = tls.context if tls is not None else None
        self.connections = ConnectionTable(limits)
        self._is_official, self._urgent = is_official, urgent
        for name in ("uvicorn.error", "asyncio"):
            logging.getLogger(name).addFilter(_is_news)
            logging.getLogger(name).addFilter(_LOG_RATE_LIMIT)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            sys.exit(STARTUP_FAILURE)
        assert sockets, "we serve over sockets that listen already"
        self._acceptor = Acceptor(
            self.connections, self._is_official, self._urgent, self._protocol, sockets, self._tls, self._refusals
        )
        self._acceptor.open()
        self.servers = [self._acceptor]  # type: ignore[list-item]  # it is closed and waited for as one of uvicorn's
        self.started = True

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """As uvicorn's; then whoever sent nothing yet (browsers open spare connections) or did not end is closed."""
        await super().shutdown(sockets)
        await self._acceptor.end()

    def _protocol(self) -> CountedHttpProtocol:
        return CountedHttpProtocol(config=self.config, server_state=self.server_state, app_state=self.lifespan.state)


def _is_news(record: logging.LogRecord) -> bool:
    """Whether a line says more than that the stop cut off what had not ended in time, which is no error."""
    cut_off = record.exc_info is not None and isinstance(record.exc_info[1], asyncio.CancelledError)
    return not cut_off and not str(record.msg).startswith("Cancel %s running task(s)")


class BackgroundServer:
    """A server on a thread of its own, over a socket that listens already: if it fails, nothing else ends.

    `close_streams` ends the open event streams at the stop: a server does not wait for browsers.
    """

    def __init__(
        self, name: str, server: CountingServer, listening: socket.socket, close_streams: Callable[[], None]
    ) -> None:
        self._server, self._listening, self._close_streams = server, listening, close_streams
        self._thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, name=name, daemon=True)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    @property
    def open_connections(self) -> int:
        return len(self._server.connections)

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Ask the server to end, wait at most `STOP_S`, and close the socket; idempotent."""
        self._close_streams()
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_S)
        self._listening.close()
