"""Racers as lap-time processes: a base lap, a spread around it, off-tracks, collisions and cars that stay stranded.

Times are drawn at random, not driven: the timing chain must reproduce each drawn lap to the nanosecond. The spread is
that of 1/18-scale cars on indoor tracks: 8 to 20 s, a few per cent from lap to lap, one incident in ten laps.
"""

import math
import random
from dataclasses import dataclass

from shared.units import NS_PER_MS, NS_PER_S


@dataclass(frozen=True, slots=True)
class SimRacer:
    """A racer, the car and the skill. Chances are per lap; `spread` is the sigma of the lognormal factor."""

    name: str
    car: str
    model: str
    model_sha256: str
    base_lap_s: float
    spread: float
    off_track: float
    collision: float
    crash: float
    line_speed_mps: float


@dataclass(frozen=True, slots=True)
class RacerTrouble:
    """An incident that an official reports, `into_ns` after the lap began; a reset is done by a marshal."""

    kind: str
    into_ns: int


@dataclass(frozen=True, slots=True)
class DrivenLap:
    """A true lap. `duration_ns` is None if the car never completed it (it crashed at the last incident)."""

    duration_ns: int | None
    troubles: tuple[RacerTrouble, ...]
    speed_mps: float


def draw_racer(rng: random.Random, number: int, cars: int) -> SimRacer:
    """Draw a racer of the field; two racers may share one car, as they do at an event."""
    spread = rng.choice((0.008, 0.02, 0.035, 0.06))
    return SimRacer(
        name=f"racer-{number:02d}",
        car=f"car-{1 + (number - 1) % cars}",
        model=f"model-{number:02d}",
        model_sha256=f"{rng.getrandbits(256):064x}",
        base_lap_s=rng.uniform(8.0, 20.0),
        spread=spread,
        off_track=rng.uniform(0.02, 0.16),
        collision=rng.uniform(0.0, 0.03),
        crash=rng.uniform(0.001, 0.015),
        line_speed_mps=rng.uniform(0.9, 3.4),
    )


def drive_lap(racer: SimRacer, rng: random.Random) -> DrivenLap:
    """Draw the next lap: a reset costs a marshal's walk, an off-track some seconds or none, a collision a swerve."""
    clean_s = racer.base_lap_s * math.exp(rng.gauss(0.0, racer.spread))
    troubles, lost_s = [], 0.0
    for kind, chance in (("off_track", racer.off_track), ("collision", racer.collision)):
        if rng.random() < chance:
            troubles.append(RacerTrouble(kind, round(rng.uniform(0.05, 0.9) * clean_s * NS_PER_S)))
            lost_s += rng.choice((0.0, rng.uniform(0.5, 3.0)))
    if troubles and rng.random() < 0.4:
        troubles.append(RacerTrouble("reset", troubles[-1].into_ns + 400 * NS_PER_MS))
        lost_s += rng.uniform(2.0, 7.0)
    crashed = rng.random() < racer.crash
    duration_ns = None if crashed else round((clean_s + lost_s) * NS_PER_S) + rng.randrange(1000)
    return DrivenLap(duration_ns, tuple(troubles), racer.line_speed_mps * rng.uniform(0.85, 1.15))
