"""uvicorn on a thread of the comms process, over a socket that listens already."""

import socket
import threading

import uvicorn
from fastapi import FastAPI

from shared.errors import ConfigError

_BACKLOG = 32
_PATIENCE_S = 3.0


def listen(host: str, port: int) -> socket.socket:
    """Bound and listening. Raises ConfigError."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family, backlog=_BACKLOG)
    except OSError as error:
        raise ConfigError(
            f"`console`: cannot listen at {host} port {port} ({error.strerror}): choose another address or port."
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
            limit_concurrency=40,
            timeout_graceful_shutdown=1,
            ws="none",
        )
        self._server = uvicorn.Server(config)
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
            self._thread.join(_PATIENCE_S)
        self._listening.close()
