"""Checkpoints of a training: kept, driven on seeds that no ranking uses, and the best one shipped.

Better is: more laps, then more progress, then the higher reward by the metre (`CheckpointScore`).
"""

import csv
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, astuple, dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import torch
from stable_baselines3 import PPO
from torch import nn

from simulator.env.vector import RaceVectorEnv
from simulator.train.network import write_onnx
from simulator.train.reinforcement.recipe import Recipe

VALIDATION_SEED = 1_000_000_007  # rankings draw theirs below 2**30
FRAME_RATE_HZ = 15
SLOWEST_MPS = 0.4


@dataclass(frozen=True, slots=True, order=True)
class CheckpointScore:
    """How a checkpoint drove, in the order of what counts."""

    laps: int  # completed by all cars together without leaving the road
    progress: float  # mean per cent of what was to be driven
    speed_mps: float  # mean


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
        self._kept_at = 0
        self._scores: dict[int, CheckpointScore] = self._read_scores()
        (folder / "checkpoints").mkdir(exist_ok=True)

    def close(self) -> None:
        """Close the environment that checkpoints are driven in."""
        self._envs.close()

    def rows(self) -> list[dict[str, float]]:
        """The score of each checkpoint, in their order."""
        return [{"steps": steps, **asdict(score)} for steps, score in sorted(self._scores.items())]

    def due(self, steps: int) -> bool:
        """True when the next checkpoint is to be kept."""
        return steps - self._kept_at >= self._plan.every_steps

    def keep(self, learner: PPO, say: Callable[[str], None]) -> None:
        """Keep the learner as it is now, drive it and write its score; once for the same number of steps."""
        steps = learner.num_timesteps
        if steps in self._scores:
            return
        self._kept_at = steps
        learner.save(self._folder / "checkpoints" / f"{steps:09d}.zip")
        write_onnx(_as_on_the_car(learner, self._recipe), self._path(steps), len(self._actions), "raceday-ppo")
        self._scores[steps] = score = self._drive(learner)
        self._write_scores()
        say(
            f"checkpoint {steps}: {score.laps} of {self._plan.cars * self._plan.laps} laps,"
            f" {score.progress:.0f} per cent, {score.speed_mps:.2f} m/s"
        )

    def ship(self, say: Callable[[str], None]) -> None:
        """Write the best checkpoint as the folder's model, with what it needs beside it."""
        steps, score = max(self._scores.items(), key=lambda each: (each[1], each[0]))
        (self._folder / "model.onnx").write_bytes(self._path(steps).read_bytes())
        metadata = json.dumps(dict(self._metadata), indent=2) + "\n"
        (self._folder / "model_metadata.json").write_text(metadata, encoding="utf-8")
        card = {
            "name": self._folder.resolve().name,
            "throttle_percent": self._recipe.cars.throttle_percent,
            "checkpoint": steps,
            "validation": asdict(score),
            "recipe": self._recipe.as_dict(),
        }
        (self._folder / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")
        say(f"{self._folder / 'model.onnx'}: checkpoint {steps} of {len(self._scores)}, {score.laps} laps")

    @property
    def _actions(self) -> list[Any]:
        return list(self._metadata["action_space"])

    def _path(self, steps: int) -> Path:
        return self._folder / "checkpoints" / f"{steps:09d}.onnx"

    def _drive(self, learner: PPO) -> CheckpointScore:
        """Drive every car until its laps are done or it left the road."""
        count, laps = self._plan.cars, self._plan.laps
        frames, info = self._envs.reset(seed=VALIDATION_SEED)
        driving = np.ones(count, bool)
        progress, completed, speeds = np.zeros(count), np.zeros(count, int), []
        longest_m = max(spec.track.length_m for spec in self._envs.worlds.specs)
        for _ in range(round(laps * longest_m / SLOWEST_MPS * FRAME_RATE_HZ)):
            actions, _ = learner.predict(np.asarray(frames), deterministic=True)
            frames, _, terminated, truncated, info = self._envs.step(actions)
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


def _as_on_the_car(learner: PPO, recipe: Recipe) -> nn.Sequential:
    """The policy's network behind a pool that makes the car's 160x120 as small as it has learned on."""
    pool = [nn.AvgPool2d(recipe.network.shrink)] if recipe.network.shrink > 1 else []
    policy = learner.policy
    with torch.no_grad():
        return nn.Sequential(*pool, *policy.features_extractor.layers, policy.action_net)
