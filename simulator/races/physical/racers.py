"""Racers as lap-time processes: a base lap, a spread around it, off-tracks, collisions and cars that stay lying.

Times are drawn, not driven: what a lap costs is what the timing chain must find again to the nanosecond. The
spread is that of 1/18-scale cars on hall tracks: 8 to 20 s, a few per cent lap to lap, one trouble in ten laps.
"""

import math
import random
from dataclasses import dataclass

from shared.units import NS_PER_MS, NS_PER_S


@dataclass(frozen=True, slots=True)
class SimRacer:
    """Who drives what, and how well. Chances are per lap; `spread` is the sigma of the lognormal factor."""

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
    """Something an official calls out, `into_ns` after the lap began; a reset is a marshal's hand."""

    kind: str
    into_ns: int


@dataclass(frozen=True, slots=True)
class DrivenLap:
    """A lap as it truly was. `duration_ns` None: the car never came round again (it crashed at the last trouble)."""

    duration_ns: int | None
    troubles: tuple[RacerTrouble, ...]
    speed_mps: float


def draw_racer(rng: random.Random, number: int, cars: int) -> SimRacer:
    """A racer of the field; two racers may share one car, as they do at an event."""
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
    """The next lap. A reset costs a marshal's walk, an off-track a few seconds or nothing, a collision a swerve."""
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
