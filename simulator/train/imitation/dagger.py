"""DAgger imitation learning (Ross et al. 2011): in each round the student drives and the expert labels its frames.

All frames so far lie in files of the training's folder, so that it can be stopped at any step and gone on with; they
are removed once the last round is over.
"""

import math
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from shared.errors import BadInput
from simulator.env.options import read_options
from simulator.train.checkpoints import IMITATED, KeptPolicy
from simulator.train.course import Course, TrainingOrder
from simulator.train.imitation.loops import random_track
from simulator.train.imitation.rollout import Rollout, RolloutRunner
from simulator.train.labels import Label, labels_of
from simulator.train.network import Frames, ImitationLearner
from simulator.train.recipe import ImitationRecipe, Recipe
from simulator.world.geometry import Track
from simulator.world.tracks import load_track, shipped_tracks

TIME_EVERY_STEPS = 10


@dataclass(slots=True)
class _Place:
    """How far it is: frames driven before this round and until now, and what of the round was learned."""

    round: int = 0
    step: int = 0
    before: int = 0
    frames: int = 0
    loss: float = 0.0  # sum over the steps of the round

    def steps_driven(self, plan: ImitationRecipe) -> int:
        """The place on the way from frame to frame: those of a round count as its steps are done."""
        return self.before + (self.frames - self.before) * self.step // plan.steps


class Imitation:
    """One training by imitation, from its beginning or from a checkpoint of its own."""

    def __init__(self, course: Course, resume: Path | None) -> None:
        """Raises BadInput if the checkpoint is none of this recipe."""
        order, space = course.order, course.order.space
        self._course, self._recipe, self._plan = course, order.recipe, order.recipe.imitation
        self._discrete = space.kind == "discrete"
        self._runner = RolloutRunner(roads_of(order), self._recipe, space)
        self._learner = ImitationLearner(self._recipe, labels_of(space), self._discrete)
        self._place = _Place()
        if resume is not None:
            self._restore(load_imitated(resume, self._recipe))
        self._drives = course.folder / "drives"

    @property
    def network(self) -> nn.Sequential:
        """The averaged network."""
        return self._learner.slow

    @property
    def steps(self) -> int:
        """Frames driven so far."""
        return self._place.steps_driven(self._plan)

    def begin_with(self, weights: dict[str, Any]) -> None:
        """Begin with a trained network of the same shape."""
        self._learner.begin_with(weights)

    def train(self, share: float) -> None:
        """Train until the rounds are over, or this share of the time is up."""
        place, rounds = self._place, self._plan.rounds
        if place.round >= rounds:
            return
        memory = _Memory(self._drives, self._recipe, labels_of_size(self._course.order), place.frames)
        while place.round < rounds:
            if place.step == 0:
                self._drive(memory)
            if not self._learn(memory, share):
                self._course.keep(self._checkpoint())
                return
        self.forget()

    def forget(self) -> None:
        """Remove the drives: nothing more is to be learned from them."""
        shutil.rmtree(self._drives, ignore_errors=True)

    def _drive(self, memory: "_Memory") -> None:
        """The drives of a round, in the first one by the expert alone."""
        place, plan = self._place, self._plan
        first = place.round == 0
        drives = self._runner.drives(
            None if first else self._learner.student, 0.5**place.round, plan.frames_a_car * (2 if first else 1)
        )
        memory.add(drives)
        self._course.table.add_drives(drives.tally)
        place.before, place.frames, place.loss = place.frames, len(memory.frames), 0.0

    def _learn(self, memory: "_Memory", share: float) -> bool:
        """The gradient steps of a round; False if time was up before."""
        place, plan = self._place, self._plan
        while place.step < plan.steps:
            rate = _rate(plan, place.round * plan.steps + place.step)
            place.loss += self._learner.step(memory.frames, memory.labels, rate)
            place.step += 1
            if place.step % TIME_EVERY_STEPS == 0 and place.step < plan.steps and self._course.is_time_up(share):
                return False
        self._course.row(place.frames, place.loss / plan.steps)
        place.round, place.step, place.before = place.round + 1, 0, place.frames
        if self._course.checkpoints.due(self.steps) or place.round == plan.rounds:
            self._course.keep(self._checkpoint())
        return True

    def _checkpoint(self) -> KeptPolicy:
        return KeptPolicy(self.steps, self._learner.slow, self._act, self._save, IMITATED)

    def _act(self, frames: NDArray[np.uint8]) -> NDArray[Any]:
        answers = self._learner.student(np.ascontiguousarray(frames[..., 0]))
        return answers.argmax(axis=1) if self._discrete else np.clip(answers, -1.0, 1.0)

    def _save(self, path: Path) -> None:
        place = {name: getattr(self._place, name) for name in _Place.__slots__}
        part = path.with_suffix(".part")
        torch.save(
            {
                "recipe": {"network": self._recipe.as_dict()["network"], "outputs": labels_of_size(self._course.order)},
                "learner": self._learner.state(),
                "runner": self._runner.state(),
                "place": place,
            },
            part,
        )
        part.replace(path)

    def _restore(self, state: dict[str, Any]) -> None:
        self._learner.restore(state["learner"])
        self._runner.restore(state["runner"])
        self._place = _Place(**state["place"])


def labels_of_size(order: TrainingOrder) -> int:
    """How many values the network answers."""
    return labels_of(order.space).size


def tracks_of(order: TrainingOrder) -> list[Track]:
    """The tracks to learn on: the order's, in their direction, and what the recipe adds."""
    tracks = list(read_options(track=list(order.tracks), direction=order.direction).tracks)  # type: ignore[arg-type]
    if order.recipe.imitation.shipped_roads:
        tracks += [load_track(name) for name in shipped_tracks() if name not in {track.name for track in tracks}]
    return tracks


def roads_of(order: TrainingOrder) -> list[Track]:
    """The roads to drive on: the tracks, perhaps the other way round as well, and those that are drawn."""
    plan, tracks = order.recipe.imitation, tracks_of(order)
    roads = [*tracks, *(track.reversed() for track in tracks if plan.both_ways)]
    return roads + [random_track(order.recipe.seed * 1000 + n) for n in range(plan.random_roads)]


def load_imitated(checkpoint: Path, recipe: Recipe) -> dict[str, Any]:
    """What an imitation was saved as. Raises BadInput if it cannot be gone on from, or is of another network."""
    try:
        state: dict[str, Any] = torch.load(checkpoint, weights_only=False)
        network = state["recipe"]["network"]
    except (OSError, KeyError, RuntimeError, ValueError, EOFError, TypeError) as error:
        reason = str(error).splitlines()[0][:200]
        raise BadInput(f"The checkpoint {checkpoint} cannot be gone on from ({reason}): train anew.") from error
    if network != recipe.as_dict()["network"]:
        raise BadInput(f"The checkpoint {checkpoint} has another network than the recipe: train anew.")
    return state


class _Memory:
    """All frames so far (n, height, width) and labels (n, N), in files as large as the whole plan needs."""

    def __init__(self, folder: Path, recipe: Recipe, outputs: int, count: int) -> None:
        self._folder, self._count = folder, count
        rows, shape = recipe.imitation.frames(recipe.cars.count), recipe.network.size[::-1]
        files = {"frames": (np.uint8, (rows, *shape)), "labels": (np.float32, (rows, outputs))}
        if count == 0:
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir(parents=True)
        mode: Any = "r+" if count else "w+"
        try:
            self._frames, self._labels = (
                np.memmap(folder / f"{name}.raw", kind, mode, shape=size) for name, (kind, size) in files.items()
            )
        except (OSError, ValueError) as error:
            if not count:
                raise
            raise BadInput(f"{folder} does not hold the drives of this training any more: train anew.") from error

    @property
    def frames(self) -> Frames:
        """The frames (n, height, width)."""
        return self._frames[: self._count]

    @property
    def labels(self) -> Label:
        """The expert's labels (n, N)."""
        return self._labels[: self._count]

    def add(self, drives: Rollout) -> None:
        """Append the frames and labels of these drives."""
        rows = slice(self._count, self._count + len(drives.frames))
        self._frames[rows], self._labels[rows] = drives.frames, drives.labels
        self._count = rows.stop


def _rate(plan: ImitationRecipe, step: int) -> float:
    """The learning rate: a short linear rise, then a cosine decay."""
    total = plan.rounds * plan.steps
    rise = min(1.0, (step + 1) / 200)
    share = 0.5 * (1.0 + math.cos(math.pi * step / total))
    return rise * (plan.last_rate + (plan.first_rate - plan.last_rate) * share)
