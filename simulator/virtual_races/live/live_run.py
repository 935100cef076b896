"""A run of a LIVE race: driven to the time that it is told, so that whoever calls it makes it real time."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from shared.conditions import Conditions
from shared.units import NS_PER_MS
from simulator.batch.vector import CROSSING, FRAME_RATE_HZ, BatchWorlds
from simulator.virtual_races.entrant import AnyEntrant
from simulator.virtual_races.judging.run_book import RunBook
from simulator.virtual_races.live.live_picture import LivePicture
from simulator.virtual_races.live.sector_times import SECTORS, SectorTimes
from simulator.virtual_races.lock_step import PICTURE_SIZE, LockStepRuns, VirtualRun
from simulator.virtual_races.worlds import require_drivable, world_of
from simulator.world.world import START_BEFORE_LINE_M

MAX_LAPS, MAX_RESETS = 50, 1000  # a run ends by its time, not by these
_SPLITS = tuple((sector + 1) / SECTORS for sector in range(SECTORS - 1))
_FRAME_NS = 1_000_000_000 // FRAME_RATE_HZ


def live_conditions(conditions: Conditions, run_ms: int) -> Conditions:
    """Those of a LIVE run: it ends by its run time, or by the laps that the race's rules allow."""
    laps = min(conditions.rules.max_laps or MAX_LAPS, MAX_LAPS)
    return replace(conditions, laps=laps, resets=MAX_RESETS, run_limit_ms=run_ms)


class LiveRun:
    """One model in its world; penalties are served. It knows no clock: `advance` says how late it is."""

    def __init__(self, conditions: Conditions, seed: int, model: AnyEntrant, run_ms: int) -> None:
        """Raises BadInput for conditions that this world cannot make."""
        track = require_drivable(conditions)
        wanted = live_conditions(conditions, run_ms)
        self._worlds = BatchWorlds([replace(world_of(wanted, track, seed), splits=_SPLITS)], PICTURE_SIZE)
        self._book = RunBook(wanted, track.length_m, START_BEFORE_LINE_M, served=True)
        self._runs = LockStepRuns(wanted, (seed,), (model,), self._worlds, [self._book])
        self._sectors, self._length_m = SectorTimes(), track.length_m
        self._crossings = 0
        self._look_at_line()

    def advance(self, run_ns: int, speed_percent: int) -> LivePicture:
        """Drive up to this time of the run. Raises BadInput if the model does not answer."""
        self._runs.speed_percent[0] = speed_percent
        while self._book.end is None and int(self._worlds.now_ns[0]) + _FRAME_NS <= run_ns:
            for event in self._runs.frame((0,)):
                if event["kind"] == CROSSING and event["gate"] > 0 and event["direction"] == 1:
                    self._sectors.pass_gate(int(event["gate"]), int(event["at_ns"]))
            self._look_at_line()
        return self._picture()

    def finish(self) -> VirtualRun:
        """End the run, if it is not over; what was driven."""
        self._runs.stop(0)
        self._worlds.close()
        return self._runs.driven()[0]

    def _look_at_line(self) -> None:
        for at_ns in self._book.crossings_ns[self._crossings :]:
            self._sectors.pass_line(at_ns)
        self._crossings = len(self._book.crossings_ns)

    def _picture(self) -> LivePicture:
        book, now_ns = self._book, int(self._worlds.now_ns[0])
        began_ns, over = book.lap_began_ns, book.end is not None
        laps_ms = _laps_ms(book.crossings_ns)
        return LivePicture(
            run_ms=now_ns // NS_PER_MS,
            lap=max(1, len(laps_ms) + (not over)),
            lap_ms=None if began_ns is None or over else (now_ns - began_ns) // NS_PER_MS,
            last_lap_ms=laps_ms[-1] if laps_ms else None,
            best_lap_ms=min(laps_ms, default=None),
            sectors=self._sectors.told_ms(now_ns),
            track_share=round(float(self._worlds.s_m[0]) / self._length_m % 1.0, 4),
            speed_mps=round(max(0.0, float(self._worlds.speed_mps[0])), 2),
            resets=book.resets,
            over=over,
        )


def _laps_ms(crossings_ns: Sequence[int]) -> list[int]:
    return [(to_ns - from_ns) // NS_PER_MS for from_ns, to_ns in pairwise(crossings_ns)]
