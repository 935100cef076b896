"""A station with runs to look at, over its real engine and journal: its thread works until the test ends."""

import pathlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from shared.rules.ranking import RaceRules
from station.core import inputs as e
from station.views.command_answers import Accepted
from tests.station.service.station_rig import Rig, S
from tests.station.web.extreme_views import NAMES

RULES = RaceRules(method="average", consecutive_laps=3, off_track_penalty_s=2.0)


class ArchiveRig(Rig):
    """Runs of several racers: run-1 with rulings, run-2 with a missed crossing, run-3 with a very long lap."""

    def __init__(self, path: pathlib.Path) -> None:
        super().__init__(path, RULES)
        self.drive("Ada Lovelace", [9.871, 9.654, 9.702, 9.588, 9.91], off_track=1)
        self.drive(NAMES[0], [3.007, 2.996, 3.0, 6.156, 3.01], hand=3)
        self.drive(NAMES[3], [10.2, 9.9, 1.3, 8.7, 9.95, 662.5, 9.8])
        ruled = {"author": "Ruth", "device": "tablet 2", "run_id": "run-1"}
        self.give(e.VoidLap(number=1, reason="cut the corner at turn 3", **ruled))  # type: ignore[arg-type]
        self.give(e.RestoreLap(number=1, reason="the video", **ruled))  # type: ignore[arg-type]

    @classmethod
    def long(cls, path: pathlib.Path) -> "ArchiveRig":
        """The same with run-4 of two hundred laps, disqualified for a reason without a space."""
        rig = cls(path)
        rig.drive("Al", [10 + number / 100 for number in range(200)])
        rig.give(e.Disqualify(author="Ruth", run_id="run-4", reason="two_batteries_" * 10))
        return rig

    def drive(self, racer: str, laps_s: list[float], off_track: int = -1, hand: int = -1) -> None:
        """A whole run; `off_track`, `hand`: the lap (from 0) with an incident, or with a hand time in its middle."""
        self.open(racer)
        self.go()
        self.cross(1.0)
        for number, lap_s in enumerate(laps_s):
            if number == off_track:
                self.give(e.OffTrack(author="Ruth", device="tablet 2"))
            if number == hand:
                self.wait(round(lap_s / 2 * S))
                self.give(e.HandTime(author="Sam"))
            self.cross(lap_s / 2 - 0.2 if number == hand else lap_s - 0.2)
        assert isinstance(self.give(e.FinishRun(author="Ruth", reason="done")), Accepted)


@contextmanager
def working(rig: Rig) -> Iterator[Rig]:
    """The station's thread, until the end."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            rig.station.pump(0.01)
            rig.station.pump_live()

    thread = threading.Thread(target=work, name="archived-runs")
    thread.start()
    try:
        yield rig
    finally:
        over.set()
        thread.join()
