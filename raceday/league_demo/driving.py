"""Runs of simulated racers: whole lap lists as a gate would time them, and the results that a station makes of them.

Everything follows from the random numbers that are passed in: the same seed drives the same season.
"""

import hashlib
import random
from dataclasses import dataclass
from typing import Literal

from shared.protocol.results import Evidence, Result
from shared.rules.ranking import RaceRules, RunLap, score_run
from shared.units import NS_PER_MS, NS_PER_S

STATION = "hall-1"
LAPS = 6
_OFF_TRACK, _VOID = 0.10, 0.05  # how likely they are in a lap
_TIMING_NS = 40_000


@dataclass(frozen=True, slots=True)
class DrivenRun:
    """A run: its laps, and how long it took from the start to its last line."""

    laps: tuple[RunLap, ...]
    run_ns: int


def drive(chance: random.Random, pace_ms: int, laps: int = LAPS) -> DrivenRun:
    """A run at about this pace: the first lap is slow, now and then a wheel or the whole car leaves the track."""
    made, at_ns = [], 0
    for number in range(1, laps + 1):
        lap_ms = round(chance.gauss(pace_ms, pace_ms * 0.018)) + (450 if number == 1 else 0)
        off_tracks = 1 if chance.random() < _OFF_TRACK else 0
        resets = 1 if (void := chance.random() < _VOID) else 0
        lap_ns = (lap_ms + 350 * off_tracks + 2_400 * resets) * NS_PER_MS
        at_ns += lap_ns
        made.append(RunLap(number, lap_ns, at_ns, off_tracks=off_tracks, resets=resets, valid=not void))
    return DrivenRun(tuple(made), at_ns)


def result_of(
    run: DrivenRun,
    race_id: str,
    racer: str,
    number: int,
    rules: RaceRules,
    finished_utc_ns: int,
    kind: Literal["physical", "virtual"],
) -> Result:
    """The result that the station posts of a racer's run `number`; one that did not qualify is posted as such."""
    score = score_run(run.laps, rules)
    model = f"{racer}-v{number}"
    run_id = f"{race_id}-{racer}-{number}"
    return Result(
        result_id=f"{STATION}.{run_id}",
        revision=1,
        race_id=race_id,
        racer=racer,
        run_id=run_id,
        car="simulator" if kind == "virtual" else f"car-{1 + number % 3}",
        model=model,
        model_sha256=hashlib.sha256(model.encode()).hexdigest(),
        laps=run.laps,
        score_ms=0 if score is None else score.score_ms,
        finished_utc_ns=finished_utc_ns - finished_utc_ns % NS_PER_S,
        evidence=Evidence(STATION, hashlib.sha256(run_id.encode()).hexdigest(), 1, 4 + 2 * len(run.laps), _TIMING_NS),
        kind=kind,
        v=1 if score is not None else 2,
        qualified=score is not None,
    )
