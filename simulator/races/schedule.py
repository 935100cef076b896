"""The plan of one meeting: its races in order, their racers, and the order of attempts."""

import random
from dataclasses import dataclass
from typing import Literal

from shared.rules.ranking import METHODS, RaceRules, check_rules
from shared.units import NS_PER_S
from simulator.races.physical.racers import SimRacer, draw_racer


@dataclass(frozen=True, slots=True)
class PlannedRace:
    """A race, its field, and the order of attempts (a racer appears once for each attempt)."""

    race_id: str
    name: str
    rules: RaceRules
    kind: Literal["league", "community"]
    attempts: tuple[SimRacer, ...]


@dataclass(frozen=True, slots=True)
class Meeting:
    """Some hours at one venue: one station, one leaderboard, the races in order."""

    name: str
    seed: str
    length_ns: int
    races: tuple[PlannedRace, ...]


RACES_PER_HOUR = 1.5
TURN_S = 150.0  # approximate length of a turn, with the change of cars


def draw_rules(rng: random.Random) -> RaceRules:
    """Draw rules as leagues use them: 1 to 5 consecutive laps, every method, with and without limits and penalties."""
    consecutive = rng.choice((1, 2, 3, 3, 3, 4, 5))
    max_laps = rng.choice((None, None, consecutive, consecutive + 2, 10))
    time_limit_s = rng.choice((None, 60.0, 90.0, 120.0, 180.0)) if max_laps is not None else rng.choice((90.0, 180.0))
    return check_rules(
        RaceRules(
            method=rng.choice(METHODS),
            consecutive_laps=consecutive,
            max_laps=max_laps,
            time_limit_s=time_limit_s,
            off_track_penalty_s=rng.choice((0.0, 1.0, 2.0, 3.0)),
            collision_penalty_s=rng.choice((0.0, 2.0)),
            max_resets_per_lap=rng.choice((None, 0, 1, 3)),
            attempts_per_racer=rng.choice((None, 1, 2, 3)),
            min_lap_s=rng.choice((2.0, 3.0, 5.0)),
            at_time_limit=rng.choice(("stop", "stop", "finish_lap")),
        )
    )


def draw_meeting(seed: str, length_ns: int) -> Meeting:
    """Draw a meeting that fills `length_ns`; the same seed draws the same one."""
    rng = random.Random(f"{seed}/plan")
    hours = length_ns / (3600 * NS_PER_S)
    count = max(1, round(hours * RACES_PER_HOUR))
    slots = max(2, round(hours * 3600 / TURN_S / count))
    races = tuple(_draw_race(rng, f"race-{n + 1}", slots) for n in range(count))
    return Meeting(f"meeting-{seed.replace('/', '-')}", seed, length_ns, races)


def _draw_race(rng: random.Random, race_id: str, slots: int) -> PlannedRace:
    rules = draw_rules(rng)
    attempts = rules.attempts_per_racer or rng.randint(1, 4)
    field = [draw_racer(rng, n + 1, cars=3) for n in range(max(2, -(-slots // attempts)))]
    order: list[SimRacer] = []
    for _ in range(attempts):
        rng.shuffle(field)
        order += field
    kind: Literal["league", "community"] = rng.choice(("league", "community"))
    return PlannedRace(race_id, f"Race {race_id[5:]}", rules, kind, tuple(order[:slots]))
