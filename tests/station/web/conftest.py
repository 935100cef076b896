"""The station's pages over its real server on loopback, fed by a fake station that shows what a test sets."""

import pathlib
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from shared.web.server import listen
from station.access.station_access import StationAccess
from station.web.app import create_app
from station.web.server import WebServer
from station.web.streaming.event_stream import EventStream
from tests.station.web.sample_views import FakeStation
from tests.station.web.signed_in import SignedIn, cheap_access, session_of


@dataclass(frozen=True)
class Served:
    """A running page: its address, and the station behind it."""

    url: str
    port: int
    station: FakeStation
    live: EventStream
    access: StationAccess


def serve(
    station: FakeStation, port: int = 0, *, signed_in: bool = True, person: str = "operator", **options: Any
) -> Iterator[Served]:
    """The pages; with `signed_in`, every request without a token comes from the admin of this name."""
    with tempfile.TemporaryDirectory() as folder:
        access = cheap_access(pathlib.Path(folder))
        app = create_app(station, access, **options)
        if signed_in:
            app.add_middleware(SignedIn, session=session_of(access, person))
        listening = listen("127.0.0.1", port, "web")
        port = listening.getsockname()[1]
        web = WebServer(app, listening, app.state.live.close, app.state.is_official)
        web.start()
        try:
            yield Served(f"http://127.0.0.1:{port}", port, station, app.state.live, access)
        finally:
            web.close()
            listening.close()
            access.close()
            assert not web.running


@pytest.fixture
def served() -> Iterator[Served]:
    yield from serve(FakeStation())


@pytest.fixture(scope="module")
def served_once() -> Iterator[Served]:
    """For a file whose tests change nothing but what the station shows and answers."""
    yield from serve(FakeStation())


@pytest.fixture
def served_elsewhere() -> Iterator[Served]:
    """Pages for visitors: nobody is signed in here, so that nobody may command."""
    yield from serve(FakeStation(), signed_in=False, allowed_hosts=("timing.example",))
