"""uvicorn on a thread of the comms process, over a socket that listens already."""

import socket
import threading

import uvicorn
from fastapi import FastAPI

from shared.descriptors import web_share
from shared.errors import ConfigError
from shared.web.connection_limits import ConnectionLimits
from shared.web.server import CountingServer, listening_socket

_CLOSE_TIMEOUT_S = 3.0
MAX_CONNECTIONS = 128  # a few phones
RESERVED_DESCRIPTORS = 128  # the guard's line, the broker, the recording: the web never takes them
MAX_IDLE_PER_CLIENT = 16
UPLOAD_TIMEOUT_S = 300.0  # a model, by a slow wireless


def listen(host: str, port: int) -> socket.socket:
    """Bound and listening. Raises ConfigError."""
    try:
        return listening_socket(host, port)
    except (OSError, UnicodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise ConfigError(
            f"`console`: cannot listen at {host} port {port} ({why}): choose another address or port."
        ) from None


class ConsoleServer:
    """Serves until it is closed. A death of it ends nothing else."""

    def __init__(self, app: FastAPI, listening: socket.socket) -> None:
        self.app = app
        self._listening = listening
        config = uvicorn.Config(
            app,
            log_level="warning",
            access_log=False,
            lifespan="on",
            server_header=False,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            http="h11",
            ws="none",
        )
        room = ConnectionLimits(
            web_share(MAX_CONNECTIONS, RESERVED_DESCRIPTORS), idle_each=MAX_IDLE_PER_CLIENT, body_s=UPLOAD_TIMEOUT_S
        )
        self._server = CountingServer(config, room, urgent=(b"POST /api/stop",))
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listening]}, name="console", daemon=True
        )

    @property
    def port(self) -> int:
        return int(self._listening.getsockname()[1])

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        """Idempotent."""
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(_CLOSE_TIMEOUT_S)
        self._listening.close()
