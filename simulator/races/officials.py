"""The officials after a run: they review the video (the ground truth), correct the gate's errors, and make rulings.

Not every error is corrected, and some rulings are wrong: the test is that the results follow every ruling.
"""

import random
from collections.abc import Iterator

from shared.units import NS_PER_MS, NS_PER_S
from simulator.races.physical.ground_truth import GroundTruth
from simulator.races.starter import RETRY_NS, OfficialsStation, RacerTurn
from station.core import inputs as e
from station.core.facts import Lap
from station.core.runs.book.counted_laps import IncidentKind as Kind
from station.views.race_views import RunView

SAME_NS = NS_PER_S
DILIGENCE = 0.8
INCIDENT_KINDS: tuple[Kind, ...] = ("off_track", "collision", "reset")


class Officials:
    """Reviews each run after its end, and sometimes an older one."""

    def __init__(self, station: OfficialsStation, truth: GroundTruth, rng: random.Random) -> None:
        self._station, self._truth, self._rng = station, truth, rng
        self._reviewed: list[RacerTurn] = []

    def review(self, turn: RacerTurn) -> Iterator[int]:
        """Make all rulings about a run. Yields the pauses in ns that people take."""
        self._reviewed.append(turn)
        yield self._pause(1.0, 4.0)
        yield from self._correct(turn)
        for command in self._rulings(turn):
            yield from self._rule(command)
        if self._rng.random() < 0.15:
            earlier = self._rng.choice([t for t in self._reviewed if t.race is turn.race])
            yield from self._rule(self._late_ruling(earlier))

    def _correct(self, turn: RacerTurn) -> Iterator[int]:
        """Drop false crossings and add missed ones until screen and video agree, or for a limited number of tries."""
        for _ in range(6):
            run = self._station.run()
            if run is None or run.run_id != turn.run_id:
                return
            command = self._next_correction(turn, run)
            if command is None or self._rng.random() > DILIGENCE:
                return
            yield from self._rule(command)

    def _next_correction(self, turn: RacerTurn, run: RunView) -> e.Command | None:
        truth = [p.stamp for p in self._truth.passes if p.run_id == turn.run_id and p.stamp is not None]
        for lap in run.laps:
            if not _near(truth, lap.boot, lap.ended_ns):
                return e.DropCrossing(author="judge", number=lap.number, run_id=turn.run_id, reason="no car there")
        return self._missing(turn, run.laps, run.flagged, truth)

    def _missing(
        self, turn: RacerTurn, laps: tuple[Lap, ...], flagged: tuple[int, ...], truth: list[tuple[str, int]]
    ) -> e.Command | None:
        ends = [(lap.boot, lap.ended_ns) for lap in laps]
        if not ends:
            return None
        boot, last_ns = ends[-1]
        first_ns = next(at - lap.lap_ns for (b, at), lap in zip(ends, laps, strict=True) if b == boot)
        for true_boot, at_ns in truth:
            inside = true_boot == boot and first_ns + SAME_NS < at_ns < last_ns - SAME_NS
            if inside and not _near(ends, true_boot, at_ns):
                flagged_ns = [stamp for stamp in flagged if abs(stamp - at_ns) < 50 * NS_PER_MS]
                guess_ns = flagged_ns[0] if flagged_ns else at_ns + round(self._rng.gauss(0.0, 30.0) * NS_PER_MS)
                return e.AddCrossing(author="judge", at_ns=guess_ns, run_id=turn.run_id, reason="seen on the video")
        return None

    def _rulings(self, turn: RacerTurn) -> Iterator[e.Command]:
        number = self._rng.randint(1, 4)
        chance = self._rng.random()
        if chance < 0.10:
            yield e.VoidLap(author="judge", number=number, run_id=turn.run_id, reason="cut the corner")
            if self._rng.random() < 0.5:
                yield e.RestoreLap(author="judge", number=number, run_id=turn.run_id, reason="protest upheld")
        elif chance < 0.22:
            seconds = self._rng.choice((0.5, 1.0, 2.5, 5.0))
            yield e.AddPenalty(author="judge", number=number, seconds=seconds, run_id=turn.run_id, reason="pushed")
            if self._rng.random() < 0.3:
                yield e.AddPenalty(author="judge", number=number, seconds=-seconds, run_id=turn.run_id)
        elif chance < 0.25:
            racer = self._rng.choice(turn.race.attempts).name
            yield e.ReassignRun(author="judge", racer=racer, run_id=turn.run_id, reason="cars were mixed up")
        elif chance < 0.28:
            yield e.HandTime(author="judge")
        elif chance < 0.33:
            yield e.TakeBack(
                author="judge",
                kind=self._rng.choice(INCIDENT_KINDS),
                run_id=turn.run_id,
                reason="seen again on the video",
            )
        elif chance < 0.36:
            yield e.DropCrossing(author="judge", number=0, run_id=turn.run_id, reason="a hand at the start")
        elif chance < 0.39:
            yield e.RestoreLap(author="judge", number=number, run_id=turn.run_id, reason="it is a lap")

    def _late_ruling(self, turn: RacerTurn) -> e.Command:
        number = self._rng.randint(1, 3)
        if self._rng.random() < 0.5:
            return e.VoidLap(author="jury", number=number, run_id=turn.run_id, reason="protest")
        return e.AddPenalty(author="jury", number=number, seconds=1.5, run_id=turn.run_id, reason="protest")

    def _rule(self, command: e.Command) -> Iterator[int]:
        """Repeat a command until the station answers."""
        for _ in range(30):
            yield self._pause(0.5, 3.0)
            answer = self._station.give(command)
            if answer is not None:
                return
            yield RETRY_NS

    def _pause(self, min_s: float, max_s: float) -> int:
        return round(self._rng.uniform(min_s, max_s) * NS_PER_S)


def _near(stamps: list[tuple[str, int]], boot: str, at_ns: int) -> bool:
    return any(b == boot and abs(stamp - at_ns) <= SAME_NS for b, stamp in stamps)
