"""The station's web server in its own thread: the page may be slow or fall over, the timing does not notice."""

import errno
import socket
import threading
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from shared.addresses import Addresses
from shared.descriptors import web_share
from shared.errors import OperatorError
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import CountingServer, listening_socket

STOP_S = 2.0
# Below 1,024 together with the reserve, however many descriptors there are: MQTT and serial lines are waited for by
# `select`, which knows no higher number.
MAX_CONNECTIONS = 700
OFFICIALS_CONNECTIONS = 128  # of these
RESERVED_DESCRIPTORS = 256  # the journal, gates, broker and event manager's lines: the web never takes them
NO_OPERATORS = Addresses(())
URGENT = (b"POST /api/v1/stop",)  # all cars


def listen(host: str, port: int) -> socket.socket:
    """The listening socket, before anything else starts. Raises OperatorError."""
    try:
        return listening_socket(host, port)
    except (OSError, UnicodeError) as error:
        if isinstance(error, OSError) and error.errno == errno.EADDRINUSE:
            sentence = f"port {port} on {host} is in use: stop what listens there, or set another `web.port`."
            raise OperatorError(sentence) from None
        why = error.strerror if isinstance(error, OSError) else error
        raise OperatorError(f"cannot listen on {host}:{port} ({why}): check `web.host`.") from None


class WebServer:
    """uvicorn over a socket that listens already. `operators` have places that the public cannot take."""

    def __init__(
        self,
        app: FastAPI,
        listening: socket.socket,
        close_streams: Callable[[], None],
        operators: Addresses = NO_OPERATORS,
    ) -> None:
        """Raises OperatorError if this process may open too few descriptors."""
        config = uvicorn.Config(
            app,
            http="h11",
            ws="none",
            log_level="warning",
            access_log=False,
            lifespan="on",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
        )
        limits = ConnectionLimits(web_share(MAX_CONNECTIONS, RESERVED_DESCRIPTORS), OFFICIALS_CONNECTIONS)
        self._server = CountingServer(config, limits, operators.name, URGENT)
        self._close_streams = close_streams  # ends the open streams: a server does not wait for browsers
        self._thread = threading.Thread(target=self._server.run, args=([listening],), name="web", daemon=True)

    @property
    def running(self) -> bool:
        return self._thread.is_alive()

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._close_streams()
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_S)
