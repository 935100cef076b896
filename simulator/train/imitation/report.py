"""The files beside a model that has learned by imitation: MODEL_CARD.md and the learning curve."""

import math
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

from simulator.train.course import Course
from simulator.train.imitation.dagger import labels_of_size, tracks_of
from simulator.train.recipe import NetworkRecipe


def write_card(course: Course) -> None:
    """Write MODEL_CARD.md."""
    order, recipe = course.order, course.order.recipe
    plan = recipe.imitation
    template = (files("simulator.train") / "card.md").read_text(encoding="utf-8")
    text = template.format(
        name=course.folder.resolve().name,
        actions=labels_of_size(order),
        throttle=recipe.cars.throttle_percent,
        network=_network(recipe.network),
        seed=recipe.seed,
        rounds=plan.rounds,
        frames=plan.frames(recipe.cars.count),
        steps=plan.rounds * plan.steps,
        batch=plan.batch_frames,
        tracks=", ".join(track.name for track in tracks_of(order)),
        ways="; each both ways round" if plan.both_ways else "",
        random=plan.random_roads,
        method=recipe.method,
        race="drives round boxes on" if recipe.boxes else "drives",
        objects="boxes on the road are seen late in tight bends" if recipe.boxes else "no other cars, no obstacles",
    )
    (course.folder / "MODEL_CARD.md").write_text(text, encoding="utf-8")


def _network(network: NetworkRecipe) -> str:
    layers = zip(network.kernels, network.strides, network.filters, strict=True)
    shown = ", ".join(f"{kernel}x{kernel}/{stride} {filters}" for kernel, stride, filters in layers)
    return f"{len(network.filters)} convolutions ({shown}), dense {network.dense}"


def write_curve(rows: Sequence[Mapping[str, float]], path: Path) -> None:
    """Draw the loss and the student's off-tracks and crashes over the rounds."""
    rounds = [row for row in rows if not math.isnan(row["loss"])]
    figure, left = plt.subplots(figsize=(6.4, 3.2), dpi=90)
    numbers = range(len(rounds))
    left.plot(numbers, [row["loss"] for row in rounds], color="#1f5fa8", marker="o", markersize=3)
    left.set_xlabel("round")
    left.set_ylabel("loss, dots", color="#1f5fa8")
    right = left.twinx()
    faults = [row["off_tracks_per_100m"] + row["crashes_per_100m"] for row in rounds]
    right.plot(numbers, faults, color="#a84a1f", marker="s", markersize=3, linestyle="--")
    right.set_ylabel("faults in 100 m, squares", color="#a84a1f")
    right.set_ylim(bottom=0)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
