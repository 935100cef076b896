"""DAgger imitation learning (Ross et al. 2011): in each round the student drives and the expert labels its frames."""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from simulator.train.loops import random_track
from simulator.train.network import BATCH, ImitationLearner, write_onnx
from simulator.train.rollout import FRAME_SHAPE, Frames, Rollout, RolloutRunner, Shares
from simulator.train.spaces import CHOICES, metadata
from simulator.world.geometry import Track


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """The amounts of training; the defaults are those of the shipped model."""

    seed: int = 2018
    rounds: int = 8
    steps: int = 420  # gradient steps in each round, of 256 frames each
    worlds: int = 48
    frames: int = 200  # frames of each world in each round
    random_tracks: int = 60
    first_rate: float = 1.5e-3
    last_rate: float = 2e-5


@dataclass(frozen=True, slots=True)
class TrainingRound:
    """The figures of one round; `off_per_100m` is the student's, random disturbances included."""

    number: int
    frames: int
    loss: float
    off_per_100m: float
    seconds: float


def train(plan: TrainingPlan, tracks: Sequence[Track], folder: Path) -> list[TrainingRound]:
    """Train on `tracks`, in both directions, and on random ones; write the last round's model to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model_metadata.json").write_text(json.dumps(metadata(), indent=2) + "\n", encoding="utf-8")
    roads = [*tracks, *(track.reversed() for track in tracks)]
    roads += [random_track(plan.seed * 1000 + n) for n in range(plan.random_tracks)]
    runner, learner, memory = RolloutRunner(roads, plan.seed), ImitationLearner(plan.seed), _Memory(plan)
    rounds: list[TrainingRound] = []
    with _bar() as progress:
        task = progress.add_task("training", total=plan.rounds * plan.steps, note="first drives")
        for number in range(plan.rounds):
            began = time.monotonic()
            drives = _drive(runner, learner, plan, number)
            memory.add(drives)
            loss = 0.0
            for step in range(plan.steps):
                loss += learner.step(memory.frames, memory.shares, _rate(plan, number * plan.steps + step)) / plan.steps
                progress.advance(task)
            write_onnx(learner.slow, folder / "model.onnx")
            off = 100.0 * drives.off_tracks / max(drives.metres, 1.0)
            rounds.append(TrainingRound(number, len(memory.frames), loss, off, time.monotonic() - began))
            progress.update(task, note=f"round {number}: loss {loss:.3f}, {off:.1f} off-tracks in 100 m")
            (folder / "rounds.json").write_text(json.dumps([asdict(r) for r in rounds], indent=1), encoding="utf-8")
    return rounds


class _Memory:
    """All frames so far (n, 120, 160) and labels (n, N), in arrays allocated once for the whole plan."""

    def __init__(self, plan: TrainingPlan) -> None:
        rows = plan.worlds * plan.frames * (plan.rounds + 1)
        self._frames = np.empty((rows, *FRAME_SHAPE), np.uint8)
        self._shares = np.empty((rows, len(CHOICES)), np.float32)
        self._count = 0

    @property
    def frames(self) -> Frames:
        """The frames (n, 120, 160)."""
        return self._frames[: self._count]

    @property
    def shares(self) -> Shares:
        """The expert's labels (n, N)."""
        return self._shares[: self._count]

    def add(self, drives: Rollout) -> None:
        """Append the frames and labels of these drives."""
        rows = slice(self._count, self._count + len(drives.frames))
        self._frames[rows], self._shares[rows] = drives.frames, drives.shares
        self._count = rows.stop


def _drive(runner: RolloutRunner, learner: ImitationLearner, plan: TrainingPlan, number: int) -> Rollout:
    if number == 0:
        return runner.drives(None, 1.0, plan.worlds, 2 * plan.frames)
    return runner.drives(learner.student, 0.5**number, plan.worlds, plan.frames)


def _rate(plan: TrainingPlan, step: int) -> float:
    """The learning rate: a short linear rise, then a cosine decay."""
    total = plan.rounds * plan.steps
    rise = min(1.0, (step + 1) / 200)
    share = 0.5 * (1.0 + math.cos(math.pi * step / total))
    return rise * (plan.last_rate + (plan.first_rate - plan.last_rate) * share)


def _bar() -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        TextColumn(f"{{task.fields[note]}} (steps of {BATCH} frames)"),
    )
