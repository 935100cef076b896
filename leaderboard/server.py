"""Runs the application: one port, one line when it serves, streams ended before it stops."""

import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from leaderboard.live_stream import Feed
from shared.descriptors import web_share
from shared.errors import ConfigError, RacedayError
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import CountingServer, listening_socket, url_of

_GOODBYE_S = 2
POSTS_CONNECTIONS = 256  # beside the live pages: posts, pages, whoever asks nothing
RESERVED_DESCRIPTORS = 128  # the store, its readers, the log: the web never takes them
IDLE_EACH = 64  # a proxy in front keeps some open to us


class _Server(CountingServer):
    """uvicorn that tells when it serves, and ends the live streams when it is asked to stop."""

    def __init__(self, config: uvicorn.Config, room: ConnectionLimits, feed: Feed, serving: Callable[[], None]) -> None:
        super().__init__(config, room)
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
    try:
        return listening_socket(host, port)
    except (OSError, UnicodeError) as error:
        raise ConfigError(
            f"cannot listen on {host} port {port} ({error}): choose another in [server], or stop who has it."
        ) from None


def serve(app: FastAPI, feed: Feed, listening: socket.socket, serving: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `serving(url)` is called once it serves. Raises what that raises."""
    # Live pages come and go by the thousand; a result that is posted finds a place beside them.
    connections = web_share(feed.browsers_at_most + POSTS_CONNECTIONS, RESERVED_DESCRIPTORS)
    feed.browsers_at_most = min(feed.browsers_at_most, connections - min(POSTS_CONNECTIONS, connections // 2))
    config = uvicorn.Config(
        app,
        http="h11",
        ws="none",
        log_config=None,
        log_level="error",  # a stranger who sends nonsense must not fill the log
        access_log=False,
        server_header=False,
        proxy_headers=False,
        lifespan="on",
        timeout_graceful_shutdown=_GOODBYE_S,
        h11_max_incomplete_event_size=32_768,
    )
    room = ConnectionLimits(connections, idle_each=IDLE_EACH)
    server = _Server(config, room, feed, lambda: serving(url_of(listening)))
    server.run(sockets=[listening])
    if server.failed is not None:
        raise server.failed
