"""The reward of each step: metres made good, a racer's `reward_function.py`, or any function of the same parameters."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from simulator.batch.vector import BatchWorlds
from simulator.env.options import EnvironmentOptions
from simulator.env.reward.function import Parameters, RewardFunction
from simulator.env.reward.objects import CameraPlace, object_parameters
from simulator.env.reward.parameters import FrontPlaces, RewardTrack, StepFacts
from simulator.world.geometry import Track

NS_PER_S = 1_000_000_000
WHEELS = 4
LOST_REWARD = -1.0  # for leaving the road or a crash: as much as a metre driven
NEAR_END_M = 0.6  # the front is never farther ahead of the base than this, measured along the centre line

Members = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class CarStates:
    """What happened in one step; arrays (N,), `angles_deg` and `speeds_mps` of the actions; `rows` were driven."""

    rows: Members
    steps: NDArray[np.int64]
    laps: NDArray[np.int64]
    angles_deg: NDArray[np.float64]
    speeds_mps: NDArray[np.float64]
    off_track: NDArray[np.bool_]
    crashed: NDArray[np.bool_]


@dataclass(frozen=True, eq=False)
class Rewarded:
    """The rewards of one step, what they are made of, and where a lap was completed; arrays (N,)."""

    reward: NDArray[np.float64]
    lap_complete: NDArray[np.bool_]
    parts: Mapping[str, NDArray[Any]]


class Rewards(Protocol):
    """Gives N cars their rewards; `parts` names what they are made of."""

    parts: tuple[str, ...]

    def begin(self, rows: Members, worlds: BatchWorlds) -> None:
        """Episodes begin in these rows."""

    def step(self, worlds: BatchWorlds, states: CarStates) -> Rewarded:
        """The rewards after a step."""


def make_rewards(options: EnvironmentOptions, count: int) -> Rewards:
    """The rewards that the options ask for, for `count` cars."""
    if options.reward is None:
        return MetresMadeGood(count)
    if isinstance(options.reward, RewardFunction):
        return ParameterRewards([options.reward, *(options.reward.for_another_car() for _ in range(count - 1))])
    return ParameterRewards([options.reward] * count)


class MetresMadeGood:
    """Metres driven along the centre line since the step before; a car that leaves the road or crashes loses one."""

    parts: tuple[str, ...] = ("reward_metres", "reward_lost")

    def __init__(self, count: int) -> None:
        self._before = np.zeros(count)
        self._laps = LapProgress()

    def begin(self, rows: Members, worlds: BatchWorlds) -> None:
        """Metres count from here."""
        self._before[rows] = worlds.progress_m[rows]

    def step(self, worlds: BatchWorlds, states: CarStates) -> Rewarded:
        """The rewards; its parts are the metres and the loss."""
        metres = np.zeros(len(self._before))
        metres[states.rows] = (worlds.progress_m - self._before)[states.rows]
        self._before[states.rows] = worlds.progress_m[states.rows]
        loss = np.where(states.off_track | states.crashed, LOST_REWARD, 0.0)
        complete = np.zeros(len(metres), bool)
        for fronts in self._laps.measure(worlds, self._laps.near_end(worlds, states), states.laps):
            complete[fronts.rows] = fronts.progress >= 100.0
        return Rewarded(metres + loss, complete, dict(zip(self.parts, (metres, loss), strict=True)))


class ParameterRewards:
    """Functions of the field's parameters, one for each car."""

    parts: tuple[str, ...] = ()

    def __init__(self, functions: Sequence[Callable[[Parameters], float]]) -> None:
        self._functions = functions
        self._laps = LapProgress()

    def begin(self, rows: Members, worlds: BatchWorlds) -> None:
        """Nothing to do: what a racer's file remembers of the episode before is its own affair, as in the field."""

    def step(self, worlds: BatchWorlds, states: CarStates) -> Rewarded:
        """The rewards. Raises BadInput if a function fails or answers no finite number."""
        reward, complete = np.zeros(len(worlds)), np.zeros(len(worlds), bool)
        on_road, now_ns = worlds.wheels_on_road, worlds.now_ns
        for fronts in self._laps.measure(worlds, states.rows, states.laps):
            complete[fronts.rows] = fronts.progress >= 100.0
            for place, row in enumerate(fronts.rows.tolist()):
                facts = StepFacts(
                    steps=int(states.steps[row]),
                    sim_time_s=int(now_ns[row]) / NS_PER_S,
                    speed_mps=float(states.speeds_mps[row]),
                    steering_deg=float(states.angles_deg[row]),
                    all_wheels_on_track=bool(on_road[row] == WHEELS),
                    is_offtrack=bool(states.off_track[row]),
                    is_crashed=bool(states.crashed[row]),
                )
                objects = _objects(worlds, row, fronts, place)
                given = fronts.road.parameters(fronts.places, place, float(fronts.progress[place]), facts, objects)
                reward[row] = _number(self._functions[row](given))
        return Rewarded(reward, complete, {})


def _objects(worlds: BatchWorlds, row: int, fronts: "Fronts", place: int) -> Parameters | None:
    """What there is to say about the boxes and bots of a world, None if there are none."""
    spec = worlds.specs[row]
    if not spec.boxes and spec.bots is None:
        return None
    rows = worlds.objects[row]
    x, y, yaw = worlds.pose[row].tolist()
    car = CameraPlace(x, y, yaw, float(fronts.places.projection_m[place]), spec.parts.lens.camera)
    return object_parameters(fronts.road, rows[rows["kind"] > 0], car)


def _number(reward: object) -> float:
    if isinstance(reward, int | float | np.number) and math.isfinite(reward):
        return float(reward)
    raise BadInput(f"The reward function answered {reward!r}: it must answer a finite number.")


@dataclass(frozen=True, eq=False)
class Fronts:
    """The fronts of the cars in `rows`, all on one track; `progress` in per cent of the lap, (K,)."""

    road: RewardTrack
    rows: Members
    places: FrontPlaces
    progress: NDArray[np.float64]


class LapProgress:
    """Progress by the car's front, as the field counts it: an episode's lap ends where it began."""

    def __init__(self) -> None:
        self._roads: dict[int, tuple[Track, RewardTrack]] = {}  # by identity; the track is kept, so that it stays one

    def measure(self, worlds: BatchWorlds, rows: Members, laps: NDArray[np.int64]) -> Iterator[Fronts]:
        """The fronts of these cars, track by track; `laps` (N,) completed so far."""
        of_track: dict[int, list[int]] = {}
        for row in rows.tolist():
            of_track.setdefault(id(worlds.specs[row].track), []).append(row)
        pose = worlds.pose
        for some in of_track.values():
            chosen = np.array(some)
            road = self._road(worlds.specs[some[0]].track)
            x, y, yaw = pose[chosen].T
            places = road.fronts(x, y, yaw, worlds.segment[chosen])
            ahead_m = np.remainder(places.projection_m - worlds.s_m[chosen] + road.length_m / 2, road.length_m)
            metres = worlds.progress_m[chosen] + ahead_m - road.length_m / 2
            progress = 100.0 * metres / road.length_m - 100.0 * laps[chosen]
            yield Fronts(road, chosen, places, np.minimum(progress, 100.0))

    def near_end(self, worlds: BatchWorlds, states: CarStates) -> Members:
        """The rows whose lap may just have ended."""
        lengths = np.array([worlds.specs[row].track.length_m for row in states.rows.tolist()])
        left_m = lengths * (states.laps[states.rows] + 1) - worlds.progress_m[states.rows]
        return states.rows[left_m < NEAR_END_M]

    def _road(self, track: Track) -> RewardTrack:
        if id(track) not in self._roads:
            self._roads[id(track)] = (track, RewardTrack(track))
        return self._roads[id(track)][1]
