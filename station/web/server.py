"""The station's web server in its own thread, so that a slow or failing page cannot disturb the timing."""

import socket
from collections.abc import Callable

from fastapi import FastAPI

from shared.addresses import Addresses
from shared.descriptors import web_share
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import BackgroundServer, CountingServer, server_config

# Below 1,024 together with the reserve, however many descriptors there are: MQTT and serial lines are waited for by
# `select`, which knows no higher number.
MAX_CONNECTIONS = 700
OFFICIALS_CONNECTIONS = 128  # of these
RESERVED_DESCRIPTORS = 256  # the journal, gates, broker and event manager's lines: the web never takes them
NO_OPERATORS = Addresses(())
URGENT = (b"POST /api/v1/stop",)  # all cars


class WebServer(BackgroundServer):
    """Serves the station's app. `operators` have places that the public cannot take."""

    def __init__(
        self,
        app: FastAPI,
        listening: socket.socket,
        close_streams: Callable[[], None],
        operators: Addresses = NO_OPERATORS,
    ) -> None:
        """Raises OperatorError if this process may open too few descriptors."""
        limits = ConnectionLimits(web_share(MAX_CONNECTIONS, RESERVED_DESCRIPTORS), OFFICIALS_CONNECTIONS)
        server = CountingServer(server_config(app), limits, operators.names, URGENT)
        super().__init__("web", server, listening, close_streams)
