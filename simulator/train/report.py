"""The files beside a trained model: MODEL_CARD.md, card.json, and the learning curve."""

import json
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot as plt

from simulator.train.dagger import TrainingPlan, TrainingRound
from simulator.train.spaces import CHOICES
from simulator.world.geometry import Track

THROTTLE_PERCENT = 48.0


def write_card(plan: TrainingPlan, rounds: Sequence[TrainingRound], tracks: Sequence[Track], folder: Path) -> None:
    """Write MODEL_CARD.md and card.json."""
    names = list(dict.fromkeys(track.name for track in tracks))
    template = (files("simulator.train") / "card.md").read_text(encoding="utf-8")
    text = template.format(
        name=folder.resolve().name,
        actions=len(CHOICES),
        throttle=THROTTLE_PERCENT,
        seed=plan.seed,
        rounds=len(rounds),
        frames=rounds[-1].frames,
        steps=len(rounds) * plan.steps,
        tracks=", ".join(names),
        random=plan.random_tracks,
        track_option=" --track FILE.npy ..." if len(names) > 4 else "",
    )
    (folder / "MODEL_CARD.md").write_text(text, encoding="utf-8")
    card = {
        "name": folder.resolve().name,
        "throttle_percent": THROTTLE_PERCENT,
        "trained": {"seed": plan.seed, "rounds": len(rounds), "frames": rounds[-1].frames, "tracks": names},
    }
    (folder / "card.json").write_text(json.dumps(card, indent=2) + "\n", encoding="utf-8")


def write_curve(rounds: Sequence[TrainingRound], path: Path) -> None:
    """Draw the loss and the student's off-tracks over the rounds."""
    figure, left = plt.subplots(figsize=(6.4, 3.2), dpi=90)
    numbers = [r.number for r in rounds]
    left.plot(numbers, [r.loss for r in rounds], color="#1f5fa8", marker="o", markersize=3)
    left.set_xlabel("round")
    left.set_ylabel("loss (cross-entropy), dots", color="#1f5fa8")
    right = left.twinx()
    right.plot(numbers, [r.off_per_100m for r in rounds], color="#a84a1f", marker="s", markersize=3, linestyle="--")
    right.set_ylabel("off-tracks in 100 m, squares", color="#a84a1f")
    right.set_ylim(bottom=0)
    figure.tight_layout()
    figure.savefig(path)
    plt.close(figure)
