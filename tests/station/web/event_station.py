"""A real station behind the real web server, and a thread that keeps it going: for tests of the event's pages."""

import pathlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from shared.rules.ranking import RaceRules
from shared.web.server import listen
from station.core import inputs as e
from station.service.backups.station_backups import StationBackups
from station.store.event_files.tracks import TrackLibrary
from station.views.command_answers import Accepted
from station.views.event_view import EventView
from station.web.app import create_app
from station.web.server import WebServer
from tests.station.service.station_rig import Rig
from tests.station.web.signed_in import SignedIn, cheap_access, session_of

RULES = RaceRules(consecutive_laps=1, max_laps=2, min_lap_s=2.0)


@dataclass(frozen=True)
class EventStation:
    """The address of the pages, and the station behind them."""

    url: str
    rig: Rig

    def give(self, command: e.Command) -> Accepted:
        """Gives a command, which must be accepted."""
        answer = self.rig.station.submit(command)
        assert isinstance(answer, Accepted), answer
        return answer

    @property
    def event(self) -> EventView:
        return self.rig.station.snapshot().event


def drive(rig: Rig, racer: str, laps_s: tuple[float, float], *, off_track: bool = False) -> None:
    """A run of two laps, started by hand; its car may leave the track in the first."""
    rig.open(racer)
    rig.go()
    rig.cross(1)
    if off_track:
        rig.give(e.OffTrack(author="Ruth"))
    for lap_s in laps_s:
        rig.cross(lap_s)


@contextmanager
def event_station(path: pathlib.Path, *, empty: bool = False) -> Iterator[EventStation]:
    """The station with the race of its config, in which Ada and Bob have driven; `empty`: nobody has."""
    rig = Rig(path / "station.db", RULES)
    numbers = iter(range(1_000_000))
    rig.station.setup = replace(rig.station.setup, random_hex=lambda count: f"{next(numbers):0{2 * count}x}")
    if not empty:
        drive(rig, "Ada", (8, 9))
        drive(rig, "Bob", (7, 10), off_track=True)
    ended = threading.Event()

    def pump() -> None:
        while not ended.wait(0.005):
            rig.settle()

    thread = threading.Thread(target=pump, name="station")
    access, backups = cheap_access(path), StationBackups(path)
    app = create_app(rig.station, access, tracks=TrackLibrary(path), backups=backups)
    app.add_middleware(SignedIn, session=session_of(access))
    listening = listen("127.0.0.1", 0, "web")
    web = WebServer(app, listening, app.state.live.close, app.state.is_official)
    thread.start()
    web.start()
    try:
        yield EventStation(f"http://127.0.0.1:{listening.getsockname()[1]}", rig)
    finally:
        web.close()
        backups.close()
        listening.close()
        ended.set()
        thread.join()
        access.close()
        rig.station.close()
