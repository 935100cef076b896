"""`raceday model train --recipe ppo|FILE.toml`: from arguments to a training, or one sentence about what is wrong."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

from shared.errors import BadInput, StorageError
from simulator.train.reinforcement.ppo import TrainingOrder, train
from simulator.train.reinforcement.recipe import Recipe, load_recipe
from vehicle.models.metadata import load_metadata


@dataclass(frozen=True, slots=True)
class ReinforceArguments:
    """What was typed; None is what was not."""

    recipe: str
    out: Path
    tracks: Sequence[str]
    direction: str | None = None
    actions: Path | None = None
    reward: str | None = None
    minutes: float | None = None
    seed: int | None = None
    resume: bool = False
    begin_with: Path | None = None  # a folder that was trained before


def run(arguments: ReinforceArguments) -> None:
    """Train a model into a folder. Raises OperatorError."""
    recipe = load_recipe(arguments.recipe)
    if arguments.seed is not None:
        recipe = replace(recipe, seed=arguments.seed)
    if arguments.resume and arguments.begin_with is not None:
        raise BadInput(
            "Going on with a training and beginning with another model exclude each other: give one of both."
        )
    order = TrainingOrder(
        recipe=recipe,
        tracks=tuple(arguments.tracks),
        direction=arguments.direction,
        metadata=_metadata(arguments.actions, recipe),
        reward=arguments.reward,
        minutes=arguments.minutes,
    )
    resume, begin_with = _resumed(arguments), None
    if arguments.begin_with is not None:
        begin_with = _newest_checkpoint(arguments.begin_with)
    console = Console(file=sys.stderr, highlight=False)
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        train(order, arguments.out, resume, begin_with, partial(console.print, soft_wrap=True))
    except OSError as error:
        raise StorageError(
            f"The model cannot be written to {arguments.out}: {error.strerror}; give another folder."
        ) from error


def _metadata(path: Path | None, recipe: Recipe) -> dict[str, Any]:
    """The content of the racer's metadata, else of the recipe's actions. Raises BadInput."""
    if path is None:
        return recipe.actions.metadata()
    if load_metadata(path).space.kind != "discrete":
        raise BadInput(f"{path}: this training needs discrete actions: give a model_metadata.json with a list of them.")
    return dict(json.loads(path.read_bytes()))


def _resumed(arguments: ReinforceArguments) -> Path | None:
    """The checkpoint to go on from; None for a training that begins in an empty folder."""
    if arguments.resume:
        return _newest_checkpoint(arguments.out)
    if list(arguments.out.glob("checkpoints/*.zip")):
        raise BadInput(f"{arguments.out} holds a training already: give --resume to go on with it, or another folder.")
    return None


def _newest_checkpoint(folder: Path) -> Path:
    kept = sorted(folder.glob("checkpoints/*.zip"))
    if not kept:
        raise BadInput(f"{folder} holds no checkpoints of a training: give a folder that `raceday model train` wrote.")
    return kept[-1]
