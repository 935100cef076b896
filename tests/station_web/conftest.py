"""The station's page over a real uvicorn on loopback, fed by a station that shows what a test tells it to."""

import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import uvicorn

from station.web.app import create_app
from tests.station_web.views import FakeStation


@dataclass(frozen=True)
class Served:
    """Where the page is, and the station behind it."""

    url: str
    port: int
    station: FakeStation


def serve(station: FakeStation, port: int = 0, **options: tuple[str, ...]) -> Iterator[Served]:
    app = create_app(station, **options)
    listener = socket.create_server(("127.0.0.1", port))
    port = listener.getsockname()[1]
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=1))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    try:
        yield Served(f"http://127.0.0.1:{port}", port, station)
    finally:
        app.state.live.close()
        server.should_exit = True
        thread.join(10)
        listener.close()
        assert not thread.is_alive()


@pytest.fixture
def served() -> Iterator[Served]:
    yield from serve(FakeStation())


@pytest.fixture
def served_elsewhere() -> Iterator[Served]:
    """Officials sit at another machine: from here nobody may command."""
    yield from serve(FakeStation(), operators=("192.0.2.7",), allowed_hosts=("timing.example",))
