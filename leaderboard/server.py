"""Runs the application: one port, one line when it serves, streams ended before it stops."""

import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from fastapi import FastAPI

from leaderboard.live_stream import Feed
from leaderboard.web.event_stream import KeepConnectionSend
from shared.errors import RacedayError
from shared.process.descriptors import web_share
from shared.refusals import Refusals
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import CountingServer, server_config, url_of
from shared.web.tls.web_tls import WebTls

GRACEFUL_S = 2
POSTS_CONNECTIONS = 256  # beside the live pages: posts, pages, idle connections
RESERVED_DESCRIPTORS = 128  # the store, its readers, the log: the web never takes them
IDLE_EACH = 64  # a proxy in front keeps some open to us


class _Server(CountingServer):
    """uvicorn that calls `serving` when it serves, and ends the live streams when it is asked to stop."""

    def __init__(
        self,
        config: uvicorn.Config,
        limits: ConnectionLimits,
        feed: Feed,
        serving: Callable[[], None],
        tls: WebTls | None,
        refusals: Refusals,
    ) -> None:
        super().__init__(config, limits, tls=tls, refusals=refusals)
        self._feed = feed
        self._serving = serving
        self.failed: RacedayError | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if not self.started:
            return
        try:
            self._serving()
        except RacedayError as error:  # raised by `serve`, once all has ended
            self.failed, self.should_exit = error, True

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._feed.close()
        super().handle_exit(sig, frame)


def serve(app: FastAPI, feed: Feed, listening: socket.socket, serving: Callable[[str], None]) -> None:
    """Serve until SIGTERM or SIGINT; `serving(url)` is called once it serves. Raises what that raises."""
    # Live pages come and go by the thousand; a result that is posted finds a place beside them.
    connections = web_share(feed.max_browsers + POSTS_CONNECTIONS, RESERVED_DESCRIPTORS)
    feed.max_browsers = min(feed.max_browsers, connections - min(POSTS_CONNECTIONS, connections // 2))
    config = server_config(
        KeepConnectionSend(app),  # around the application: Starlette's own outermost part wraps `send` as well
        log_config=None,
        log_level="error",  # malformed requests of untrusted clients must not fill the log
        timeout_graceful_shutdown=GRACEFUL_S,
    )
    # Who may send for how long, the app's guard of bodies knows: no connection is closed before.
    limits = ConnectionLimits(connections, max_idle_each=IDLE_EACH, body_s=app.state.longest_body_s)
    server = _Server(config, limits, feed, lambda: serving(url_of(listening)), app.state.tls, app.state.refusals)
    app.state.open_connections = lambda: len(server.connections)
    server.run(sockets=[listening])
    if server.failed is not None:
        raise server.failed
