"""Bots: cars without a model that drive along the lanes at one speed and change lanes from time to time.

As deepracer-simapp has them (`agent_ctrl/bot_cars_agent_ctrl.py`): a lane change takes LANE_CHANGE_M of road, the wait
before the next is drawn between `lower` and `upper` seconds. Where a bot is follows from its seed and from its own
clock alone, which stands still while the bots pause; so a batch works out any moment without the moments before.
"""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from shared.text import text
from simulator.objects.lanes import INNER, Lanes, pose_between
from simulator.objects.outlines import BOT_OUTLINE
from simulator.objects.placing import ObjectPlace, PlacedObject, check_count, place_drawn, place_given
from simulator.world.geometry import Pose

MIN_SPEED_MPS, MAX_SPEED_MPS = 0.2, 6.0
MIN_WAIT_S, MAX_WAIT_S = 0.1, 600.0
LANE_CHANGE_M = 1.0
CHANGES = (
    128  # lane changes that are drawn; then the same waits come again. Even, so that each bot is in its first lane
)
DEFAULT_WAITS_S = (3.0, 5.0)

Times = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class BotSetup:
    """The bots of a race: how many, how fast, where they begin (None: drawn), and their waits between lane changes."""

    count: int = 1
    speed_mps: float = MIN_SPEED_MPS
    places: tuple[ObjectPlace, ...] | None = None
    lane_change_s: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        """Raises BadInput for what no race has."""
        check_count(self.count)
        if self.places is not None and len(self.places) != self.count:
            raise BadInput(
                text(
                    "There are {count} bots but {places} places: give one place each, or none.",
                    count=self.count,
                    places=len(self.places),
                )
            )
        if not MIN_SPEED_MPS <= self.speed_mps <= MAX_SPEED_MPS:
            raise BadInput(
                text(
                    "The bots' speed is {speed} m/s: it must be {low} to {high}.",
                    speed=str(self.speed_mps)[:20],
                    low=f"{MIN_SPEED_MPS:g}",
                    high=f"{MAX_SPEED_MPS:g}",
                )
            )
        lower, upper = self.lane_change_s or DEFAULT_WAITS_S
        if not MIN_WAIT_S <= lower <= upper <= MAX_WAIT_S:
            raise BadInput(
                text(
                    "The bots change lanes every {lower} to {upper} s: both must be {low} to {high}, the lower first.",
                    lower=str(lower)[:20],
                    upper=str(upper)[:20],
                    low=f"{MIN_WAIT_S:g}",
                    high=f"{MAX_WAIT_S:g}",
                )
            )


@dataclass(frozen=True, eq=False)
class Bots:
    """The bots of one world as tables: `starts_m` (n,), `first_inner` (n,) 0 or 1, `changes_s` (n, CHANGES) when each
    change begins by the bots' clock (infinite: never), `periods_s` (n,) after which the changes come again."""

    lanes: Lanes
    speed_mps: float
    starts_m: Times
    first_inner: Times
    changes_s: Times
    periods_s: Times

    def __len__(self) -> int:
        return len(self.starts_m)

    def poses(self, clock_s: float) -> list[Pose]:
        """Where the bots are when their clock shows `clock_s`."""
        return [Pose(*self._pose(n, clock_s)) for n in range(len(self))]

    def _pose(self, n: int, clock_s: float) -> tuple[float, float, float]:
        start_m, first_inner, period_s = (float(each[n]) for each in (self.starts_m, self.first_inner, self.periods_s))
        place = bot_place(start_m, self.speed_mps, first_inner, self.changes_s[n], period_s, clock_s)
        return pose_between(self.lanes.points, self.lanes.step_m, *place)

    def progress_m(self, n: int, clock_s: float) -> float:
        """How far bot `n` is beyond the start line, metres along the centre line; it grows lap by lap."""
        return float(self.starts_m[n]) + self.speed_mps * clock_s


def make_bots(lanes: Lanes, setup: BotSetup, seed: int) -> Bots:
    """The bots of world `seed`. Raises BadInput if they cannot be placed."""
    placed: Sequence[PlacedObject]
    if setup.places is None:
        placed = place_drawn(lanes, setup.count, f"bots-{seed}")
    else:
        placed = place_given(lanes, setup.places, BOT_OUTLINE)
    changes = np.full((setup.count, CHANGES), math.inf)
    periods = np.full(setup.count, math.inf)
    if setup.lane_change_s is not None:
        for n in range(setup.count):
            changes[n], periods[n] = _changes(setup, random.Random(f"lane-changes-{seed}-{n}"))
    starts = np.array([one.s_m for one in placed])
    first = np.array([1.0 if one.lane == INNER else 0.0 for one in placed])
    return Bots(lanes, setup.speed_mps, starts, first, changes, periods)


def _changes(setup: BotSetup, rng: random.Random) -> tuple[Times, float]:
    """When each lane change begins, and the period; seconds of the bots' clock."""
    assert setup.lane_change_s is not None
    takes_s = LANE_CHANGE_M / setup.speed_mps
    begins, at_s = np.empty(CHANGES), 0.0
    for n in range(CHANGES):
        at_s += rng.uniform(*setup.lane_change_s)
        begins[n] = at_s
        at_s += takes_s
    return begins, at_s


def bot_place(
    start_m: float,
    speed_mps: float,
    first_inner: float,
    changes_s: Times,
    period_s: float,
    clock_s: float,
) -> tuple[float, float, float]:
    """Where a bot is at `clock_s`, for `pose_between`: metres along, share of the inner lane, its change a metre.

    Arguments as in Bots. Numba compiles it as it stands.
    """
    within_s = clock_s - math.floor(clock_s / period_s) * period_s if period_s < math.inf else clock_s
    begun = np.searchsorted(changes_s, within_s, side="right")
    done, per_m = 0.0, 0.0  # how much of the last change that began is done
    if begun > 0:
        u = (within_s - changes_s[begun - 1]) * speed_mps / LANE_CHANGE_M
        if u < 1.0:
            done, per_m = u * u * (3.0 - 2.0 * u), 6.0 * u * (1.0 - u) / LANE_CHANGE_M
        else:
            done = 1.0
    was_inner = 1.0 - first_inner if begun > 1 and begun % 2 == 0 else first_inner
    sign = 1.0 - 2.0 * was_inner
    return start_m + speed_mps * clock_s, was_inner + sign * done, sign * per_m
