"""Reinforcement learning: proximal policy optimisation on one batch of worlds (Stable-Baselines3).

Everything that decides how the training goes is in the recipe; the same recipe on the same machine trains the same
model. It begins from nothing, or with a network that has learned by imitation.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import torch
from numpy.typing import NDArray
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.torch_layers import BaseFeaturesExtractor
from torch import nn

from shared.errors import BadInput
from simulator.env.sb3 import VecRace
from simulator.env.vector import RaceVectorEnv
from simulator.train.checkpoints import REINFORCED, KeptPolicy
from simulator.train.course import Course, TrainingOrder
from simulator.train.network import convolutions
from simulator.train.recipe import NetworkRecipe, Recipe


class Convolutions(BaseFeaturesExtractor):  # type: ignore[misc]  # no types
    """The recipe's network up to its dense layer; in 0..1, as Stable-Baselines3 hands pictures on."""

    def __init__(self, space: gymnasium.spaces.Box, network: NetworkRecipe) -> None:
        super().__init__(space, network.dense)
        self.layers = convolutions(network)

    def forward(self, frames: torch.Tensor) -> torch.Tensor:
        """(B, 1, H, W) to (B, dense)."""
        return torch.as_tensor(self.layers(frames))


class Reinforcement:
    """One training by reinforcement. `before`: how many frames were driven before it began."""

    def __init__(self, course: Course, before: int, resume: Path | None) -> None:
        """Raises BadInput if the checkpoint is none of this recipe."""
        self._course, self._before, self._resumed = course, before, resume is not None
        self._recipe = course.order.recipe
        self._cars = VecRace(_environment(course.order))
        self._learner = _loaded(self._recipe, resume, self._cars) if resume else _learner(self._recipe, self._cars)

    def begin_with(self, checkpoint: Path) -> None:
        """Begin as a training by reinforcement that was saved. Raises BadInput if its network has another shape."""
        self._learner.set_parameters(_loaded(self._recipe, checkpoint, self._cars).get_parameters())

    def begin_with_weights(self, weights: dict[str, Any]) -> None:
        """Begin with the weights of such a network as `network` is."""
        self.network.load_state_dict(weights)

    @property
    def network(self) -> nn.Sequential:
        """The policy as one network; its weights are those that learn."""
        return _network(self._learner)

    def train(self) -> None:
        """Train until the recipe's steps are done, or time is up."""
        left = self._recipe.learning.steps - (self._learner.num_timesteps if self._resumed else 0)
        try:
            if left > 0 and not self._course.is_time_up():
                watch = _Watch(self, self._course, 0 if self._resumed else self._recipe.learning.value_updates)
                self._learner.learn(left, callback=watch, reset_num_timesteps=not self._resumed)
            if self._learner.num_timesteps or not self._before:
                self._course.keep(self.checkpoint())
        finally:
            self._cars.close()

    @property
    def steps(self) -> int:
        """Frames driven so far."""
        return self._before + int(self._learner.num_timesteps)

    def checkpoint(self) -> KeptPolicy:
        """The learner as it is now."""
        return KeptPolicy(self.steps, self.network, self._act, self._learner.save, REINFORCED)

    def learn_values_alone(self, alone: bool) -> None:
        """Whether the policy stays as it is while the learner finds out what places are worth."""
        learner = self._learner.policy
        policy = [*learner.features_extractor.parameters(), *learner.action_net.parameters()]
        policy += [learner.log_std] if hasattr(learner, "log_std") else []
        for weights in policy:
            weights.requires_grad_(not alone)

    def _act(self, frames: NDArray[np.uint8]) -> NDArray[Any]:
        actions, _ = self._learner.predict(frames, deterministic=True)
        return np.asarray(actions)


def reinforced_weights(checkpoint: Path, recipe: Recipe) -> dict[str, Any]:
    """The weights of the policy's network in a checkpoint. Raises BadInput."""
    return dict(_network(_loaded(recipe, checkpoint, None)).state_dict())


def _network(learner: PPO) -> nn.Sequential:
    return nn.Sequential(*learner.policy.features_extractor.layers, learner.policy.action_net)


def _environment(order: TrainingOrder) -> RaceVectorEnv:
    cars = order.recipe.cars
    return RaceVectorEnv(
        num_envs=cars.count,
        autoreset_mode="SameStep",
        randomise=cars.randomise,
        start=cars.start,
        laps=cars.laps,
        max_episode_steps=cars.max_episode_steps,
        reward=order.reward,
        **order.environment(),
    )


def _learner(recipe: Recipe, cars: VecRace) -> PPO:
    learning = recipe.learning
    return PPO(
        "CnnPolicy",
        cars,
        policy_kwargs={
            "features_extractor_class": Convolutions,
            "features_extractor_kwargs": {"network": recipe.network},
            "net_arch": [],
            "log_std_init": math.log(learning.spread),
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


def _loaded(recipe: Recipe, checkpoint: Path, cars: VecRace | None) -> PPO:
    """The learner of a checkpoint; its network must be the recipe's. Raises BadInput."""
    try:
        learner = PPO.load(checkpoint, env=cars, device="cpu")
    except (ValueError, KeyError, RuntimeError, OSError, AttributeError, ModuleNotFoundError) as error:
        reason = str(error).splitlines()[0][:200]
        raise BadInput(f"The checkpoint {checkpoint} cannot be gone on from ({reason}): train anew.") from error
    if learner.policy_kwargs["features_extractor_kwargs"]["network"] != recipe.network:
        raise BadInput(f"The checkpoint {checkpoint} has another network than the recipe: train anew.")
    return learner


@dataclass(frozen=True, slots=True)
class _Rate:
    """A learning rate that falls in a line; Stable-Baselines3 calls it with what is left of the training, 1 to 0."""

    first: float
    last: float

    def __call__(self, left: float) -> float:
        return self.last + (self.first - self.last) * left


class _Watch(BaseCallback):  # type: ignore[misc]  # no types
    """After each update: a row of the table, checkpoints when they are due, and the end when time is up."""

    def __init__(self, training: Reinforcement, course: Course, value_updates: int) -> None:
        super().__init__()
        self._training, self._course, self._value_updates = training, course, value_updates

    def _on_rollout_start(self) -> None:
        self._training.learn_values_alone(self._value_updates > 0)
        self._value_updates -= 1

    def _on_step(self) -> bool:
        self._course.table.add(self.locals["infos"])
        return not self._course.is_time_up()

    def _on_rollout_end(self) -> None:
        self._course.row(self._training.steps)
        if self._course.checkpoints.due(self._training.steps):
            self._course.keep(self._training.checkpoint())
