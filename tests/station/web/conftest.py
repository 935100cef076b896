"""The station's pages over its real server on loopback, fed by a fake station that shows what a test sets."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from shared.addresses import Addresses
from shared.web.server import listen
from station.web.app import LOOPBACK, create_app
from station.web.event_stream import EventStream
from station.web.server import WebServer
from tests.station.web.sample_views import FakeStation


@dataclass(frozen=True)
class Served:
    """A running page: its address, and the station behind it."""

    url: str
    port: int
    station: FakeStation
    live: EventStream


def serve(station: FakeStation, port: int = 0, **options: Any) -> Iterator[Served]:
    app = create_app(station, **options)
    listening = listen("127.0.0.1", port, "web")
    port = listening.getsockname()[1]
    operators = Addresses.parsed(options.get("operators", LOOPBACK), "operators")
    web = WebServer(app, listening, app.state.live.close, operators)
    web.start()
    try:
        yield Served(f"http://127.0.0.1:{port}", port, station, app.state.live)
    finally:
        web.close()
        listening.close()
        assert not web.running


@pytest.fixture
def served() -> Iterator[Served]:
    yield from serve(FakeStation())


@pytest.fixture
def served_elsewhere() -> Iterator[Served]:
    """Pages whose officials are at another machine, so that nobody may command from here."""
    yield from serve(FakeStation(), operators=("192.0.2.7",), allowed_hosts=("timing.example",))
