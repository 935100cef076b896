"""One car of a LIVE run as its audience sees it: laps, sectors, its place, and how far it has come."""

import math
from collections.abc import Sequence
from itertools import pairwise

from shared.units import NS_PER_MS
from simulator.batch.vector import CROSSING, BatchWorlds, Events
from simulator.virtual_races.judging.run_book import RunBook
from simulator.virtual_races.live.live_picture import LiveCar
from simulator.virtual_races.live.sector_times import SectorTimes


class DrivenCar:
    """Car `run` of a batch. `reached_m`: metres along the track from the line at the start, laps included, to where
    it is now; the run has `laps` of them, and nobody gets farther."""

    def __init__(self, worlds: BatchWorlds, run: int, book: RunBook, laps: int, length_m: float) -> None:
        self._worlds, self._run, self._book = worlds, run, book
        self._length_m, self._finish_m = length_m, laps * length_m
        self._sectors, self._crossings = SectorTimes(), 0
        self._s_m = self._way_m = 0.0
        self._look_at_line()
        self._look_at_place()

    @property
    def reached_m(self) -> float:
        """As the class says."""
        return self._finish_m if self._book.end == "laps" else self._way_m

    def look(self, events: Events, along_m: float) -> None:
        """After each frame that it drove: what the batch reports, and where it was before anybody moved it."""
        for event in events[events["world"] == self._run]:
            if event["kind"] == CROSSING and event["gate"] > 0 and event["direction"] == 1:
                self._sectors.pass_gate(int(event["gate"]), int(event["at_ns"]))
        self._look_at_line()
        if self._book.end is None:
            self._look_at_place()
        else:  # a rival's car is off the track by now: it stays where it was
            self._way_m += math.remainder(along_m - self._s_m, self._length_m)
            self._s_m = along_m

    def shown(self) -> LiveCar:
        """It as it is now."""
        book, now_ns = self._book, int(self._worlds.now_ns[self._run])
        began_ns, over = book.lap_began_ns, book.end is not None
        laps_ms = _laps_ms(book.crossings_ns)
        return LiveCar(
            lap=max(1, len(laps_ms) + (not over)),
            lap_ms=None if began_ns is None or over else (now_ns - began_ns) // NS_PER_MS,
            last_lap_ms=laps_ms[-1] if laps_ms else None,
            best_lap_ms=min(laps_ms, default=None),
            sectors=self._sectors.told_ms(now_ns),
            track_share=round(self._s_m / self._length_m % 1.0, 4),
            speed_mps=round(max(0.0, float(self._worlds.speed_mps[self._run])), 2),
            resets=book.resets,
            through=book.end == "laps",
        )

    def _look_at_place(self) -> None:
        """What was made good says which lap it is in, its place how far into it: the start is only nearly so far before
        the line in each lane."""
        self._s_m = float(self._worlds.s_m[self._run])
        made_good_m = float(self._worlds.progress_m[self._run]) - self._book.before_line_m
        self._way_m = made_good_m + math.remainder(self._s_m - made_good_m, self._length_m)

    def _look_at_line(self) -> None:
        for at_ns in self._book.crossings_ns[self._crossings :]:
            self._sectors.pass_line(at_ns)
        self._crossings = len(self._book.crossings_ns)


def _laps_ms(crossings_ns: Sequence[int]) -> list[int]:
    return [(to_ns - from_ns) // NS_PER_MS for from_ns, to_ns in pairwise(crossings_ns)]
