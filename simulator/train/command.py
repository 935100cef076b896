"""`raceday model train`: from arguments to a training by a recipe, or one sentence about what is wrong."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from rich.console import Console

from shared.errors import BadInput, StorageError
from simulator.driving.policy import find_model
from simulator.train.checkpoints import IMITATED, REINFORCED, kept_checkpoints, newest_checkpoint
from simulator.train.course import Course, TrainingOrder
from simulator.train.imitation.dagger import Imitation, labels_of_size, load_imitated
from simulator.train.network import build, exported_weights
from simulator.train.recipe import Recipe, load_recipe
from vehicle.models.metadata import load_metadata

EXPORTED = ".onnx"
IMITATION_SHARE = 0.5  # of the minutes, at most, where reinforcement follows


@dataclass(frozen=True, slots=True)
class TrainArguments:
    """What was typed; None is what was not."""

    recipe: str
    out: Path
    tracks: Sequence[str] = ()
    direction: str | None = None
    actions: Path | None = None
    reward: str | None = None
    minutes: float | None = None
    seed: int | None = None
    rounds: int | None = None
    steps: int | None = None
    frames: int | None = None
    resume: bool = False
    begin_with: Path | None = None  # the folder of another training, or a model that one shipped


def run(arguments: TrainArguments) -> None:
    """Train a model into a folder. Raises OperatorError."""
    recipe = _recipe(arguments)
    if arguments.resume and arguments.begin_with is not None:
        raise BadInput(
            "Going on with a training and beginning with another model exclude each other: give one of both."
        )
    order = TrainingOrder(
        recipe=recipe,
        tracks=tuple(arguments.tracks or ["reinvent_base"]),
        direction=arguments.direction,
        metadata=_metadata(arguments.actions, recipe),
        reward=arguments.reward,
        minutes=arguments.minutes,
    )
    resume = _resumed(arguments)
    begin_with = None if arguments.begin_with is None else _beginning(arguments.begin_with)
    console = Console(file=sys.stderr, highlight=False)
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        with Course(order, arguments.out, partial(console.print, soft_wrap=True), resumed=arguments.resume) as course:
            _train(course, resume, begin_with)
            course.finish()
    except OSError as error:
        raise StorageError(
            f"The model cannot be written to {arguments.out}: {error.strerror}; give another folder."
        ) from error


def _train(course: Course, resume: Path | None, begin_with: Path | None) -> None:
    recipe = course.order.recipe
    torch.set_num_threads(1)  # the same sums in the same order, whatever the machine
    if not recipe.imitates:
        _reinforce(course, 0, resume, begin_with, None)
        return
    if resume is not None and resume.suffix == REINFORCED:
        _reinforce(course, _steps_imitated(course.folder), resume, None, None)
        return
    imitation = Imitation(course, resume)
    if begin_with is not None:
        imitation.begin_with(_weights(begin_with, course.order))
    imitation.train(IMITATION_SHARE if recipe.reinforces else 1.0)
    from simulator.train.imitation.report import write_card, write_curve  # noqa: PLC0415 (loads matplotlib)

    write_curve(course.table.rows, course.folder / "rounds.png")
    write_card(course)
    if recipe.reinforces:
        imitation.forget()
        _reinforce(course, imitation.steps, None, None, dict(imitation.network.state_dict()))


def _reinforce(
    course: Course, before: int, resume: Path | None, begin_with: Path | None, weights: dict[str, Any] | None
) -> None:
    from simulator.train.ppo import Reinforcement  # noqa: PLC0415 (imitation needs no Stable-Baselines3)

    training = Reinforcement(course, before, resume)
    if begin_with is not None and begin_with.suffix == REINFORCED:
        training.begin_with(begin_with)
    elif begin_with is not None:
        weights = _weights(begin_with, course.order)
    if weights is not None:
        training.begin_with_weights(weights)
    training.train()


def _beginning(model: Path) -> Path:
    """What another training was saved as last, else the model that is there. Raises BadInput if it is neither."""
    return newest_checkpoint(model) if kept_checkpoints(model) else find_model(str(model))


def _weights(begin_with: Path, order: TrainingOrder) -> dict[str, Any]:
    """The weights of the policy in a checkpoint of either kind, or in a model. Raises BadInput."""
    weights = _read_weights(begin_with, order.recipe)
    wanted = build(order.recipe.network, labels_of_size(order)).state_dict()
    if {name: each.shape for name, each in weights.items()} != {name: each.shape for name, each in wanted.items()}:
        raise BadInput(
            f"{begin_with} has another network than the recipe, or other actions: change them, or train anew."
        )
    return weights


def _read_weights(begin_with: Path, recipe: Recipe) -> dict[str, Any]:
    if begin_with.suffix == EXPORTED:
        return exported_weights(begin_with, recipe.network)
    if begin_with.suffix == IMITATED:
        return dict(load_imitated(begin_with, recipe)["learner"]["slow"])
    from simulator.train.ppo import reinforced_weights  # noqa: PLC0415 (imitation needs no Stable-Baselines3)

    return reinforced_weights(begin_with, recipe)


def _steps_imitated(folder: Path) -> int:
    """How many frames were driven before reinforcement began."""
    return max((int(path.stem) for path in folder.glob(f"checkpoints/*{IMITATED}")), default=0)


def _recipe(arguments: TrainArguments) -> Recipe:
    """The recipe, with what was typed in place of what stands in it. Raises OperatorError."""
    recipe = load_recipe(arguments.recipe)
    if arguments.seed is not None:
        recipe = replace(recipe, seed=arguments.seed)
    sizes = {"rounds": arguments.rounds, "steps": arguments.steps, "frames_a_car": arguments.frames}
    given: dict[str, Any] = {name: value for name, value in sizes.items() if value is not None}
    if given and not recipe.imitates:
        raise BadInput("--rounds, --steps and --frames are those of imitation, of which this recipe has none.")
    if arguments.reward is not None and not recipe.reinforces:
        raise BadInput("A reward needs a recipe with reinforcement, as ppo or dagger+ppo: imitation knows none.")
    return replace(recipe, imitation=replace(recipe.imitation, **given)) if given else recipe


def _metadata(path: Path | None, recipe: Recipe) -> dict[str, Any]:
    """The content of the racer's metadata, else of the recipe's actions. Raises BadInput."""
    if path is None:
        return recipe.actions.metadata()
    load_metadata(path)
    return dict(json.loads(path.read_bytes()))


def _resumed(arguments: TrainArguments) -> Path | None:
    """The checkpoint to go on from; None for a training that begins in an empty folder."""
    if arguments.resume:
        return newest_checkpoint(arguments.out)
    if any(arguments.out.glob("checkpoints/*.*")):
        raise BadInput(f"{arguments.out} holds a training already: give --resume to go on with it, or another folder.")
    return None
