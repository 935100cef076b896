"""The station's web server in its own thread: the page may be slow or fall over, the timing does not notice."""

import errno
import socket
import threading
from collections.abc import Callable

import uvicorn
from fastapi import FastAPI

from shared.errors import OperatorError

STOP_S = 2.0


def listen(host: str, port: int) -> socket.socket:
    """The listening socket, before anything else starts. Raises OperatorError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named, or asyncio leaves Nagle on: a small answer would then wait 40 ms for an acknowledgement.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(128)
    except OSError as error:
        listening.close()
        if error.errno == errno.EADDRINUSE:
            sentence = f"port {port} on {host} is in use: stop what listens there, or set another `web.port`."
            raise OperatorError(sentence) from None
        raise OperatorError(f"cannot listen on {host}:{port} ({error.strerror}): check `web.host`.") from None
    return listening


def url(listening: socket.socket) -> str:
    """Where a browser on this machine finds it."""
    host, port = listening.getsockname()[:2]
    host = "127.0.0.1" if host == "0.0.0.0" else host  # noqa: S104  any address: this one is among them
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class WebServer:
    """uvicorn over a socket that listens already."""

    def __init__(self, app: FastAPI, listening: socket.socket, hang_up: Callable[[], None]) -> None:
        config = uvicorn.Config(app, log_level="warning", access_log=False, lifespan="on", timeout_graceful_shutdown=1)
        self._server = uvicorn.Server(config)
        self._hang_up = hang_up  # ends the open streams: a server does not wait for browsers
        self._thread = threading.Thread(target=self._server.run, args=([listening],), name="web", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._hang_up()
        self._server.should_exit = True
        if self._thread.is_alive():
            self._thread.join(STOP_S)
