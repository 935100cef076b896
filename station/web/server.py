"""The station's web server in its own thread, so that a slow or failing page cannot disturb the timing."""

import socket
from collections.abc import Callable

from fastapi import FastAPI

from shared.addresses import Addresses
from shared.descriptors import web_share
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import BackgroundServer, CountingServer, server_config

# Together with the reserve below 1,024, however many descriptors there are: MQTT and serial lines are waited for with
# `select`, which cannot handle higher numbers.
MAX_CONNECTIONS = 700
OFFICIALS_CONNECTIONS = 128  # how many of these only officials may use
RESERVED_DESCRIPTORS = 256  # for journal, gates, broker and event manager: the web never uses them
NO_OPERATORS = Addresses(())
URGENT = (b"POST /api/v1/stop",)  # the stop of all cars


class WebServer(BackgroundServer):
    """Serves the station's app. Connections are reserved for `operators`, so that the public cannot use them all."""

    def __init__(
        self,
        app: FastAPI,
        listening: socket.socket,
        close_streams: Callable[[], None],
        operators: Addresses = NO_OPERATORS,
    ) -> None:
        """`listening`: the open socket; `close_streams`: ends the event streams, so that the server can stop.

        Raises OperatorError if this process may open too few descriptors.
        """
        limits = ConnectionLimits(web_share(MAX_CONNECTIONS, RESERVED_DESCRIPTORS), OFFICIALS_CONNECTIONS)
        server = CountingServer(server_config(app), limits, operators.names, URGENT)
        super().__init__("web", server, listening, close_streams)
