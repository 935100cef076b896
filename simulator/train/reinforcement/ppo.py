"""Reinforcement learning from nothing: proximal policy optimisation on one batch of worlds (Stable-Baselines3).

Everything that decides how the training goes is in the recipe; the same recipe on the same machine trains the same
model. Checkpoints are kept, each is driven, and the best one is exported (`checkpoints.py`).
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn

from shared.errors import BadInput
from simulator.env.sb3 import VecRace
from simulator.env.vector import RaceVectorEnv
from simulator.train.reinforcement.checkpoints import Checkpoints
from simulator.train.reinforcement.page import write_page
from simulator.train.reinforcement.progress import ProgressTable
from simulator.train.reinforcement.recipe import NetworkRecipe, Recipe


@dataclass(frozen=True, eq=False)
class TrainingOrder:
    """What to train: the recipe, the roads, the actions, the reward, and when to stop at the latest."""

    recipe: Recipe
    tracks: tuple[str, ...]
    direction: str | None
    metadata: Mapping[str, Any]
    reward: str | None
    minutes: float | None

    def environment(self) -> dict[str, Any]:
        """The options that training and checkpoints share."""
        cars = self.recipe.cars
        return {
            "track": list(self.tracks),
            "direction": self.direction,
            "size": self.recipe.network.size,
            "actions": dict(self.metadata),
            "profile": cars.profile,
            "throttle_percent": cars.throttle_percent,
        }


class Convolutions(BaseFeaturesExtractor):  # type: ignore[misc]  # no types
    """The recipe's network up to its dense layer; in 0..1, as Stable-Baselines3 hands pictures on."""

    def __init__(self, space: gymnasium.spaces.Box, network: NetworkRecipe) -> None:
        super().__init__(space, network.dense)
        layers: list[nn.Module] = []
        channels = 1
        for out, kernel, stride in zip(network.filters, network.kernels, network.strides, strict=True):
            layers += [nn.Conv2d(channels, out, kernel, stride), nn.ReLU()]
            channels = out
        height, width = network.shape_after()
        self.layers = nn.Sequential(
            *layers, nn.Flatten(), nn.Linear(channels * height * width, network.dense), nn.ReLU()
        )

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """(B, 1, H, W) to (B, dense)."""
        return torch.as_tensor(self.layers(frames))


def train(
    order: TrainingOrder, folder: Path, resume: Path | None, begin_with: Path | None, say: Callable[[str], None]
) -> None:
    """Train into `folder`. `resume`: a checkpoint of this training to go on from; `begin_with`: one of another training
    whose network this one begins with. Raises BadInput.
    """
    recipe = order.recipe
    torch.set_num_threads(1)  # the same sums in the same order, whatever the machine
    envs = RaceVectorEnv(
        num_envs=recipe.cars.count,
        autoreset_mode="SameStep",
        randomise=recipe.cars.randomise,
        start=recipe.cars.start,
        laps=recipe.cars.laps,
        max_episode_steps=recipe.cars.max_episode_steps,
        reward=order.reward,
        **order.environment(),
    )
    cars = VecRace(envs)
    learner = _learner(recipe, cars) if resume is None else _loaded(recipe, cars, resume)
    if begin_with is not None:
        learner.set_parameters(_loaded(recipe, cars, begin_with).get_parameters())
    checkpoints = Checkpoints(order.recipe, order.metadata, order.environment(), folder)
    try:
        with ProgressTable(folder / "progress.csv", append=resume is not None) as table:
            page = _Page(folder, recipe.learning.steps, table, checkpoints)
            watch = _Watch(checkpoints, page, table, order.minutes, say)
            left = recipe.learning.steps - (learner.num_timesteps if resume is not None else 0)
            if left > 0:
                learner.learn(left, callback=watch, reset_num_timesteps=resume is None)
            checkpoints.keep(learner, say)
            page.write(over=True)
    finally:
        cars.close()
        checkpoints.close()
    checkpoints.ship(say)


def _learner(recipe: Recipe, cars: VecRace) -> PPO:
    learning = recipe.learning
    return PPO(
        "CnnPolicy",
        cars,
        policy_kwargs={
            "features_extractor_class": Convolutions,
            "features_extractor_kwargs": {"network": recipe.network},
            "net_arch": [],
        },
        n_steps=learning.steps_a_car,
        batch_size=learning.batch_frames,
        n_epochs=learning.epochs,
        learning_rate=_Rate(learning.first_rate, learning.last_rate),
        gamma=learning.discount,
        gae_lambda=learning.gae_lambda,
        ent_coef=learning.entropy,
        clip_range=learning.clip,
        seed=recipe.seed,
        device="cpu",
    )


def _loaded(recipe: Recipe, cars: VecRace, checkpoint: Path) -> PPO:
    """The learner of a checkpoint; its network must be the recipe's."""
    try:
        learner = PPO.load(checkpoint, env=cars, device="cpu")
    except (ValueError, KeyError, RuntimeError, OSError) as error:
        reason = str(error).splitlines()[0][:200]
        raise BadInput(f"The checkpoint {checkpoint} cannot be gone on from ({reason}): train anew.") from error
    network = learner.policy_kwargs["features_extractor_kwargs"]["network"]
    if network != recipe.network:
        raise BadInput(f"The checkpoint {checkpoint} has another network than the recipe: train anew.")
    return learner


@dataclass(frozen=True, slots=True)
class _Rate:
    """A learning rate that falls in a line; Stable-Baselines3 calls it with what is left of the training, 1 to 0."""

    first: float
    last: float

    def __call__(self, left: float) -> float:
        return self.last + (self.first - self.last) * left


@dataclass(frozen=True, slots=True)
class _Page:
    """The page beside the model, from what the tables hold."""

    folder: Path
    wanted_steps: int
    table: ProgressTable
    checkpoints: Checkpoints

    def write(self, *, over: bool) -> None:
        """Write it as things stand."""
        path, name = self.folder / "progress.html", self.folder.resolve().name
        write_page(path, name, self.table.rows, self.checkpoints.rows(), self.wanted_steps, over)


class _Watch(BaseCallback):  # type: ignore[misc]  # no types
    """After each update: a row of the table, checkpoints when they are due, and the end when time is up."""

    def __init__(
        self,
        checkpoints: Checkpoints,
        page: _Page,
        table: ProgressTable,
        minutes: float | None,
        say: Callable[[str], None],
    ) -> None:
        super().__init__()
        self._checkpoints, self._page, self._table, self._say = checkpoints, page, table, say
        self._until_s = np.inf if minutes is None else time.monotonic() + minutes * 60.0

    def _on_step(self) -> bool:
        self._table.add(self.locals["infos"])
        return time.monotonic() < self._until_s

    def _on_rollout_end(self) -> None:
        self._say(self._table.row(self.num_timesteps))
        if self._checkpoints.due(self.num_timesteps):
            self._checkpoints.keep(self.model, self._say)
        self._page.write(over=False)
