"""Runs the application: one port, one line when it serves, streams ended before it stops."""

import pathlib
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from leaderboard.live import Feed
from shared.errors import ConfigError, RacedayError, StorageError

_GOODBYE_S = 2


class _Server(uvicorn.Server):
    """uvicorn that tells when it serves, and ends the live streams when it is asked to stop."""

    def __init__(self, config: uvicorn.Config, feed: Feed, serving: Callable[[], None]) -> None:
        super().__init__(config)
        self._feed = feed
        self._serving = serving
        self.failed: RacedayError | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        try:
            self._serving()
        except RacedayError as error:  # told by `serve`, once all has ended
            self.failed, self.should_exit = error, True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._feed.close()
        super().handle_exit(sig, frame)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises ConfigError if the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # The protocol by name: asyncio switches Nagle off only where it reads TCP (an answer took 44 ms without).
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, UnicodeError) as error:
        listening.close()
        raise ConfigError(
            f"cannot listen on {host} port {port} ({error}): choose another in [server], or stop who has it."
        ) from None
    return listening


def serve(app: FastAPI, feed: Feed, listening: socket.socket, serving: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `serving(url)` is called once it serves. Raises what that raises."""
    host, port = listening.getsockname()[:2]
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    config = uvicorn.Config(
        app,
        log_config=None,
        log_level="error",  # a stranger who sends nonsense must not fill the log
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        timeout_graceful_shutdown=_GOODBYE_S,
        h11_max_incomplete_event_size=32_768,
    )
    server = _Server(config, feed, lambda: serving(url))
    server.run(sockets=[listening])
    if server.failed is not None:
        raise server.failed


def write_ready_file(path: pathlib.Path, url: str) -> None:
    """Whoever waits for this file sees it whole or not at all. Raises StorageError."""
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(url + "\n", encoding="ascii")
        part.replace(path)
    except OSError as error:
        raise StorageError(f"{path}: the ready file cannot be written ({error.strerror}).") from None
