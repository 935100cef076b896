"""The station's web server in its own thread, so that a slow or failing page cannot disturb the timing."""

import socket
from collections.abc import Callable

from fastapi import FastAPI

from shared.process.descriptors import web_share
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import BackgroundServer, CountingServer, server_config
from shared.web.tls.web_tls import WebTls
from station.web.body_table import STATION_BODIES

# Together with the reserve below 1,024, however many descriptors there are: MQTT and serial lines are waited for with
# `select`, which cannot handle higher numbers.
MAX_CONNECTIONS = 700
OFFICIALS_CONNECTIONS = 128  # how many of these only officials may use
RESERVED_DESCRIPTORS = 256  # for journal, gates, broker and event manager: the web never uses them
URGENT = (b"POST /api/v1/stop",)  # the stop of all cars


class WebServer(BackgroundServer):
    """Serves the station's app. Connections are reserved for officials, so that the public cannot use them all."""

    def __init__(
        self,
        app: FastAPI,
        listening: socket.socket,
        close_streams: Callable[[], None],
        is_official: Callable[[str], bool] = lambda _address: False,
        tls: WebTls | None = None,
    ) -> None:
        """`listening`: the open socket; `close_streams`: ends the event streams, so that the server can stop.

        `is_official`: whether a connection from this address gets one of the reserved places. `tls`: what makes the
        port speak https too.

        Raises OperatorError if this process may open too few descriptors.
        """
        connections = web_share(MAX_CONNECTIONS, RESERVED_DESCRIPTORS)
        limits = ConnectionLimits(connections, OFFICIALS_CONNECTIONS, body_s=STATION_BODIES.longest_s)
        server = CountingServer(server_config(app), limits, is_official, URGENT, tls, app.state.refusals)
        super().__init__("web", server, listening, close_streams)
