"""Rollouts of the student in harsh mock worlds, all of them in lock-step, with each frame labelled by the expert."""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.batch.vector import CRASHED, CROSSING, FRAME_RATE_HZ, LEFT_TRACK, BatchWorlds
from simulator.train.imitation.training_car import Road, TrainingCar
from simulator.train.labels import Label, labels_of
from simulator.train.progress import DriveTally
from simulator.train.recipe import Recipe
from simulator.world.geometry import Pose, Track
from vehicle.core.actions import Action, ActionSpace

Frames = NDArray[np.uint8]
Student = Callable[[Frames], Label]  # (B, height, width) frames to (B, N) answers


@dataclass(frozen=True, eq=False)
class Rollout:
    """The output of one round of drives: frames (n, height, width), the expert's labels (n, N), and what happened."""

    frames: Frames
    labels: Label
    tally: DriveTally


class RolloutRunner:
    """Draws worlds from a list of tracks and lets the student drive them in lock-step."""

    def __init__(self, tracks: Sequence[Track], recipe: Recipe, space: ActionSpace) -> None:
        self._tracks, self._recipe, self._space = list(tracks), recipe, space
        self._roads: dict[str, Road] = {}
        self._rng = random.Random(f"school-{recipe.seed}")
        self._labels = labels_of(space)

    def state(self) -> Any:
        """What `restore` needs to draw on as if nothing had been."""
        return self._rng.getstate()

    def restore(self, state: Any) -> None:
        """Go on from `state`."""
        self._rng.setstate(state)

    def drives(self, student: Student | None, expert_share: float, frames: int) -> Rollout:
        """Drive all cars for `frames` frames; the expert drives a share of them, the student the rest."""
        cars = [self._draw_car() for _ in range(self._recipe.cars.count)]
        size, labels = self._recipe.network.size, self._labels
        batch = BatchWorlds([car.spec for car in cars], size=size)
        places = _Placing(batch, cars)
        pictures = np.empty((frames, len(cars), *size[::-1]), np.uint8)
        wanted = np.empty((frames, len(cars), labels.size), np.float32)
        commands = np.empty((len(cars), 2))
        for frame in range(frames):
            batch.render(pictures[frame])
            where = zip(cars, batch.pose.tolist(), batch.segment.tolist(), batch.speed_mps.tolist(), strict=True)
            for n, (car, pose, segment, speed_mps) in enumerate(where):
                wanted[frame, n] = labels.label(*car.advice(Pose(*pose), segment, speed_mps))
            answers = wanted[frame] if student is None else student(pictures[frame])
            for n, car in enumerate(cars):
                answer = wanted[frame, n] if self._rng.random() < expert_share else answers[n]
                action: Action = car.disturbed(car.action(answer))
                commands[n] = action.steering, action.throttle
            places.judge(batch.step(commands))
        batch.close()
        return Rollout(pictures.reshape(-1, *size[::-1]), wanted.reshape(-1, labels.size), places.tally)

    def _draw_car(self) -> TrainingCar:
        track = self._rng.choice(self._tracks)
        if track.name not in self._roads:
            self._roads[track.name] = Road(track, self._recipe)
        return TrainingCar(self._roads[track.name], self._recipe, self._space, random.Random(self._rng.random()))


class _Placing:
    """Puts cars at random places: at first, when they left the road or hit something, and now and then."""

    def __init__(self, batch: BatchWorlds, cars: Sequence[TrainingCar]) -> None:
        self._batch, self._cars, self.tally = batch, cars, DriveTally()
        self._placed_at, self._frame = np.zeros(len(cars), int), 0
        self._put(range(len(cars)))

    def judge(self, events: NDArray[Any]) -> None:
        """One frame was driven."""
        tally, kinds = self.tally, events["kind"]
        self._frame += 1
        off, hit = (set(events["world"][kinds == kind].tolist()) for kind in (LEFT_TRACK, CRASHED))
        tally.off_tracks += len(off)
        tally.crashes += len(hit)
        tally.laps += int(((kinds == CROSSING) & (events["gate"] == 0) & (events["direction"] == 1)).sum())
        tally.frames += len(self._cars)
        tally.metres += float(self._batch.speed_mps.sum()) / FRAME_RATE_HZ
        moved = [n for n, car in enumerate(self._cars) if n in off or n in hit or car.is_moved()]
        for n in moved:
            tally.rewards.append(float(self._batch.progress_m[n]) - (n in off or n in hit))
            tally.lengths.append(self._frame - int(self._placed_at[n]))
        self._put(moved)

    def _put(self, places: Sequence[int]) -> None:
        if places:
            s_m, lateral_m, turn_rad = zip(*(self._cars[n].scatter() for n in places), strict=True)
            self._batch.put_at(s_m, lateral_m, turn_rad, list(places))
            self._placed_at[list(places)] = self._frame
