"""The car's web server, on a thread of the comms process: its failure ends nothing else."""

import socket

from fastapi import FastAPI

from shared.process.descriptors import web_share
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import BackgroundServer, CountingServer, server_config
from shared.web.tls.web_tls import WebTls
from vehicle.web.body_table import CONSOLE_BODIES

MAX_CONNECTIONS = 128  # a few phones
RESERVED_DESCRIPTORS = 128  # for the guard's channel, the broker and the recording
MAX_IDLE_PER_CLIENT = 16
URGENT = (b"POST /api/stop",)


class ConsoleServer(BackgroundServer):
    """Serves the app of the phone page."""

    def __init__(self, app: FastAPI, listening: socket.socket, tls: WebTls | None = None) -> None:
        """`tls`: what makes the port speak https too.

        Raises OperatorError if this process may open too few descriptors.
        """
        self.app = app
        limits = ConnectionLimits(
            web_share(MAX_CONNECTIONS, RESERVED_DESCRIPTORS),
            max_idle_each=MAX_IDLE_PER_CLIENT,
            body_s=CONSOLE_BODIES.longest_s,
        )
        server = CountingServer(server_config(app), limits, urgent=URGENT, tls=tls, refusals=app.state.refusals)
        super().__init__("console", server, listening, close_streams=lambda: None)
