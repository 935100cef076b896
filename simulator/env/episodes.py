"""N episodes side by side on one batch of worlds: what the single and the vector environment are both made of.

An episode ends for good when the car leaves the road, stands still or drives backwards for a second, as in the field's
training; it is cut off after its laps (and, by the environments, after their steps). What happens in an episode depends
on its generator and its actions alone.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.batch.track_objects import BOX
from simulator.batch.vector import CRASHED, CROSSING, LEFT_TRACK, BatchWorlds, Events
from simulator.env.draws import draw_world
from simulator.env.observations import Observations
from simulator.env.options import EnvironmentOptions
from simulator.env.rewards import CarStates, Rewards, make_rewards
from simulator.objects.reset_rules import STEPS_TO_RESET, STILL_M

NS_PER_S = 1_000_000_000
BOT_WAITS_S = 5.0  # the field's penalty for a crash
PLACES_TRIED = 32
CLEAR_M = 1.2  # of a start anywhere from boxes and bots, along the track
START_LATERAL_SHARE, START_TURN_RAD = 0.3, 0.15  # spread of a start anywhere: of half the road's width, of direction

Members = NDArray[np.int64]
Generators = Sequence[np.random.Generator]


@dataclass(frozen=True, eq=False)
class EpisodeStep:
    """One step of all episodes; arrays of shape (N,). `info` holds arrays too; what is not of a row is meaningless."""

    reward: NDArray[np.float64]
    terminated: NDArray[np.bool_]
    truncated: NDArray[np.bool_]
    info: Mapping[str, NDArray[Any]]


@dataclass(eq=False)
class _Counters:
    """Counts of each episode, (N,)."""

    count: int
    steps: NDArray[np.int64] = field(init=False)
    laps: NDArray[np.int64] = field(init=False)
    standing: NDArray[np.int64] = field(init=False)
    backwards: NDArray[np.int64] = field(init=False)
    crossed_ns: NDArray[np.int64] = field(init=False)  # the last time over the start line, -1 if never
    progress_m: NDArray[np.float64] = field(init=False)
    at: NDArray[np.float64] = field(init=False)  # (N, 2), m

    def __post_init__(self) -> None:
        for name in ("steps", "laps", "standing", "backwards", "crossed_ns"):
            setattr(self, name, np.zeros(self.count, np.int64))
        self.progress_m, self.at = np.zeros(self.count), np.zeros((self.count, 2))

    def clear(self, rows: Members, at: NDArray[np.float64]) -> None:
        for counts in (self.steps, self.laps, self.standing, self.backwards, self.progress_m):
            counts[rows] = 0
        self.crossed_ns[rows] = -1
        self.at[rows] = at[rows]


class Episodes:
    """N cars, each in an episode of its own. `reset` some before the first `step`."""

    def __init__(self, options: EnvironmentOptions, count: int, threads: int = 1) -> None:
        self.options, self.count = options, count
        self._threads = threads
        self._worlds: BatchWorlds | None = None
        self._counters = _Counters(count)
        self._lengths_m = np.ones(count)
        self._observer = options.observer()
        self._rewards: Rewards = make_rewards(options, count)

    def __len__(self) -> int:
        return self.count

    @property
    def worlds(self) -> BatchWorlds:
        """The cars' worlds. There are none before the first reset."""
        assert self._worlds is not None, "reset comes first"
        return self._worlds

    def close(self) -> None:
        """End the threads."""
        if self._worlds is not None:
            self._worlds.close()

    def reset(self, rows: Members, generators: Generators) -> dict[str, NDArray[Any]]:
        """Begin episodes in these rows, each drawn from its generator; return the info of all rows."""
        specs = [draw_world(self.options, generators[row]) for row in rows.tolist()]
        if self._worlds is None:
            assert len(rows) == self.count, "the first reset is of all"
            self._worlds = BatchWorlds(specs, self.options.size, self.options.channels, self._threads)
        else:
            self._worlds.reset(rows, specs)
        self._lengths_m[rows] = [spec.track.length_m for spec in specs]
        if self.options.start == "anywhere":
            self._scatter(rows, generators)
        self._counters.clear(rows, self._worlds.pose[:, :2])
        self._rewards.begin(rows, self._worlds)
        return self._info()

    def observe(self, into: Observations | None = None, rows: Members | None = None) -> Any:
        """The newest Observations of all: new arrays, or only `rows` written into the given ones."""
        return self._observer.observe(self.worlds, into, rows)

    def step(self, actions: Any, rows: Members | None = None) -> EpisodeStep:
        """One frame interval of the named rows (all if None), each with its action; the others stand still in time."""
        worlds, counters = self.worlds, self._counters
        members = np.arange(self.count) if rows is None else rows
        angles_deg, speeds_mps = self.options.decoder.decode(actions)
        happened = worlds.step(self.options.decoder.commands(angles_deg, speeds_mps), rows)
        driven = np.zeros(self.count, bool)
        driven[members] = True
        counters.steps[members] += 1
        off_track = worlds.off_track & driven
        if len(happened):
            off_track[happened["world"][happened["kind"] == LEFT_TRACK]] = True
        lap_s = self._lap_times(happened)
        crashed = self._crashes(happened)
        stuck, backwards = self._stuck(members)
        states = CarStates(members, counters.steps, counters.laps, angles_deg, speeds_mps, off_track, crashed)
        rewarded = self._rewards.step(worlds, states)
        counters.laps[members] += rewarded.lap_complete[members]
        info = self._info() | {"off_track": off_track, "immobilized": stuck & driven, "reversed": backwards & driven}
        info |= {"crashed": crashed, "lap_complete": rewarded.lap_complete, "lap_s": lap_s, **rewarded.parts}
        over = off_track | crashed | info["immobilized"] | info["reversed"]
        return EpisodeStep(rewarded.reward, over, (counters.laps >= self.options.laps) & driven, info)

    def _scatter(self, rows: Members, generators: Generators) -> None:
        """Put cars anywhere on the road, roughly along it."""
        places = []
        for row in rows.tolist():
            track, rng = self.worlds.specs[row].track, generators[row]
            s_m = self._free_place(row, rng)
            half = track.half_width_at(int(np.searchsorted(track.s_m, s_m, side="right")) - 1)
            aside = float(np.clip(rng.normal(0.0, START_LATERAL_SHARE), -0.7, 0.7)) * half
            places.append((s_m, aside, float(rng.normal(0.0, START_TURN_RAD))))
        at_m, aside_m, turn_rad = np.array(places).reshape(-1, 3).T
        self.worlds.put_at(at_m, aside_m, turn_rad, rows)

    def _free_place(self, row: int, rng: np.random.Generator) -> float:
        """Metres along the track, away from boxes and bots, or as far away as a few draws bring it."""
        spec, objects = self.worlds.specs[row], self.worlds.objects[row]
        length_m, taken_m = spec.track.length_m, objects["s_m"][objects["kind"] > 0]
        best_m, widest_m = 0.0, -1.0
        for _ in range(PLACES_TRIED):
            s_m = float(rng.uniform(0.0, length_m))
            apart_m = np.abs(np.remainder(taken_m - s_m + length_m / 2, length_m) - length_m / 2)
            clear_m = float(apart_m.min(initial=CLEAR_M))
            if clear_m > widest_m:
                best_m, widest_m = s_m, clear_m
            if clear_m >= CLEAR_M:
                break
        return best_m

    def _lap_times(self, happened: Events) -> NDArray[np.float64]:
        """Seconds of the lap that each car completed in this step by crossing the start line, 0 if it did not."""
        lap_s = np.zeros(self.count)
        if not len(happened):  # as in most steps
            return lap_s
        line = happened[(happened["kind"] == CROSSING) & (happened["gate"] == 0) & (happened["direction"] == 1)]
        for world, at_ns in zip(line["world"].tolist(), line["at_ns"].tolist(), strict=True):
            before = int(self._counters.crossed_ns[world])
            if before >= 0:
                lap_s[world] = (at_ns - before) / NS_PER_S
            self._counters.crossed_ns[world] = at_ns
        return lap_s

    def _crashes(self, happened: Events) -> NDArray[np.bool_]:
        """Which cars ran into something. A bot that ran into a car from behind waits instead, as in the field."""
        crashed = np.zeros(self.count, bool)
        if not len(happened):
            return crashed
        for row, number, direction in happened[happened["kind"] == CRASHED][["world", "gate", "direction"]].tolist():
            if direction == 1 or self.worlds.objects["kind"][row, number] == BOX:
                crashed[row] = True
            else:
                self.worlds.pause_bots(row, BOT_WAITS_S)
        return crashed

    def _stuck(self, members: Members) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Which cars have stood, and which have driven backwards, for a second."""
        counters, at = self._counters, self.worlds.pose[:, :2]
        way_m = at - counters.at
        moved = np.hypot(way_m[:, 0], way_m[:, 1]) > STILL_M
        fell = self.worlds.progress_m < counters.progress_m
        counters.standing[members] = np.where(moved, 0, counters.standing + 1)[members]
        counters.backwards[members] = np.where(fell, counters.backwards + 1, 0)[members]
        counters.at[members] = at[members]
        counters.progress_m[members] = self.worlds.progress_m[members]
        return counters.standing >= STEPS_TO_RESET, counters.backwards >= STEPS_TO_RESET

    def _info(self) -> dict[str, NDArray[Any]]:
        """How each car stands, and nothing that happened."""
        worlds, counters = self.worlds, self._counters
        return {
            "progress": 100.0 * worlds.progress_m / self._lengths_m,
            "laps": counters.laps.copy(),
            "lap_complete": np.zeros(self.count, bool),
            "lap_s": np.zeros(self.count),
            "speed_mps": worlds.speed_mps.copy(),
            "s_m": worlds.s_m.copy(),
            "lateral_m": worlds.lateral_m.copy(),
            "steps": counters.steps.copy(),
            "off_track": np.zeros(self.count, bool),
            "crashed": np.zeros(self.count, bool),
            "immobilized": np.zeros(self.count, bool),
            "reversed": np.zeros(self.count, bool),
            **{name: np.zeros(self.count) for name in self._rewards.parts},
        }
