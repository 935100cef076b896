"""Checkpoints of a training: kept, driven on seeds that no ranking uses, and the best one shipped.

Which is better, and why, is in scores.py.
"""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import nn

from shared.errors import BadInput
from simulator.env.vector import RaceVectorEnv
from simulator.train.network import as_on_the_car, write_onnx
from simulator.train.recipe import Recipe
from simulator.train.scores import CheckpointScore, Scores, best_checkpoint, why_best_checkpoint
from vehicle.models.model_files import METADATA

VALIDATION_SEED = 1_000_000_007  # above a recipe's; a race's seeds are 48 bits that nobody knows beforehand
FRAME_RATE_HZ = 15
SLOWEST_MPS = 0.4
IMITATED, REINFORCED = SUFFIXES = (".pt", ".zip")  # of what trainings go on from, in their order


@dataclass(frozen=True, eq=False)
class KeptPolicy:
    """A model in training after `steps` frames: its network, what it does, and how to save what it goes on from."""

    steps: int
    network: nn.Sequential
    act: Callable[[NDArray[np.uint8]], NDArray[Any]]  # pictures (N, height, width, 1) to actions
    save: Callable[[Path], None]
    suffix: str  # of the file that `save` writes


class Checkpoints:
    """Keeps, drives and exports the checkpoints of one training in `folder`."""

    def __init__(
        self, recipe: Recipe, metadata: Mapping[str, Any], environment: Mapping[str, Any], folder: Path
    ) -> None:
        self._recipe, self._metadata, self._folder = recipe, metadata, folder
        self._plan = recipe.checkpoints
        self._envs = RaceVectorEnv(
            num_envs=self._plan.cars,
            randomise=min(1, recipe.cars.randomise),
            laps=self._plan.laps,
            max_episode_steps=100_000,
            **environment,
        )
        self._scores: dict[int, CheckpointScore] = self._read_scores()
        self._kept_at = max(self._scores, default=0)
        (folder / "checkpoints").mkdir(exist_ok=True)

    def close(self) -> None:
        """Close the environment that checkpoints are driven in."""
        self._envs.close()

    @property
    def scores(self) -> Scores:
        """The score of each checkpoint."""
        return self._scores

    def due(self, steps: int) -> bool:
        """True when the next checkpoint is to be kept."""
        return steps - self._kept_at >= self._plan.every_steps

    def keep(self, checkpoint: KeptPolicy, say: Callable[[str], None]) -> None:
        """Keep a checkpoint, drive it and write its score; once for the same number of steps."""
        steps = checkpoint.steps
        if steps in self._scores:
            return
        self._kept_at = steps
        self._write_metadata(self._folder / "checkpoints")  # so that each of them is a model that others can drive
        checkpoint.save(self._path(steps, checkpoint.suffix))
        network, discrete = as_on_the_car(checkpoint.network, self._recipe.network), self._discrete
        outputs = len(self._metadata["action_space"])  # of continuous actions: steering and speed
        write_onnx(network, self._path(steps, ".onnx"), outputs, f"raceday-{self._recipe.method}", discrete)
        self._scores[steps] = score = self._drive(checkpoint)
        self._write_scores()
        say(
            f"checkpoint {steps}: {score.laps} of {self._plan.cars * self._plan.laps} laps,"
            f" {score.progress:.0f} per cent, {score.speed_mps:.2f} m/s"
        )

    def ship(self, say: Callable[[str], None]) -> None:
        """Write the best checkpoint as the folder's model, with what it needs beside it."""
        steps = best_checkpoint(self._scores)
        score = self._scores[steps]
        (self._folder / "model.onnx").write_bytes(self._path(steps, ".onnx").read_bytes())
        self._write_metadata(self._folder)
        card = {
            "name": self._folder.resolve().name,
            "throttle_percent": self._recipe.cars.throttle_percent,
            "checkpoint": steps,
            "validation": asdict(score),
            "recipe": self._recipe.as_dict(),
        }
        (self._folder / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        why = why_best_checkpoint(self._scores)
        say(f"{self._folder / 'model.onnx'}: checkpoint {steps} of {len(self._scores)}, {score.laps} laps ({why})")

    @property
    def _discrete(self) -> bool:
        return bool(self._metadata.get("action_space_type", "discrete") == "discrete")

    def _write_metadata(self, folder: Path) -> None:
        metadata = json.dumps(dict(self._metadata), indent=2) + "\n"
        (folder / METADATA).write_text(metadata, encoding="utf-8")

    def _path(self, steps: int, suffix: str) -> Path:
        return self._folder / "checkpoints" / f"{steps:09d}{suffix}"

    def _drive(self, checkpoint: KeptPolicy) -> CheckpointScore:
        """Drive every car until its laps are done or its run is over."""
        count, laps = self._plan.cars, self._plan.laps
        frames, info = self._envs.reset(seed=VALIDATION_SEED)
        driving = np.ones(count, bool)
        progress, completed, speeds = np.zeros(count), np.zeros(count, int), []
        longest_m = max(spec.track.length_m for spec in self._envs.worlds.specs)
        for _ in range(round(laps * longest_m / SLOWEST_MPS * FRAME_RATE_HZ)):
            frames, _, terminated, truncated, info = self._envs.step(checkpoint.act(np.asarray(frames)))
            progress[driving] = info["progress"][driving]
            completed[driving] = info["laps"][driving]
            speeds.append(float(info["speed_mps"][driving].mean()))
            driving &= ~(terminated | truncated)
            if not driving.any():
                break
        share = np.clip(progress / laps, 0.0, 100.0)
        return CheckpointScore(int(completed.sum()), round(float(share.mean()), 3), round(float(np.mean(speeds)), 4))

    def _scores_path(self) -> Path:
        return self._folder / "checkpoints.csv"

    def _read_scores(self) -> dict[int, CheckpointScore]:
        """The scores of an earlier part of the same training."""
        if not self._scores_path().is_file():
            return {}
        with self._scores_path().open(encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        return {
            int(row["steps"]): CheckpointScore(int(row["laps"]), float(row["progress"]), float(row["speed_mps"]))
            for row in rows
        }

    def _write_scores(self) -> None:
        with self._scores_path().open("w", encoding="utf-8", newline="") as file:
            table = csv.writer(file)
            table.writerow(["steps", *(each.name for each in fields(CheckpointScore))])
            table.writerows([steps, *astuple(score)] for steps, score in sorted(self._scores.items()))


def kept_checkpoints(folder: Path) -> list[Path]:
    """What the training in a folder can be gone on from."""
    return [path for path in folder.glob("checkpoints/*") if path.suffix in SUFFIXES and path.stem.isdigit()]


def newest_checkpoint(folder: Path) -> Path:
    """What the training in a folder was saved as last. Raises BadInput if it holds none."""
    kept = kept_checkpoints(folder)
    if not kept:
        raise BadInput(f"{folder} holds no checkpoints of a training: give a folder that `raceday model train` wrote.")
    return max(kept, key=lambda path: (int(path.stem), SUFFIXES.index(path.suffix)))
