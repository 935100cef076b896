"""How a checkpoint drove, which one of a training is the best, and why, in a sentence. Pure.

Better is: more laps, then more progress, then the faster; of equal ones the later, which has learned for longer.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.text import Sentence, text
from shared.text.shown_numbers import ShownNumber


@dataclass(frozen=True, slots=True, order=True)
class CheckpointScore:
    """How a checkpoint drove, in the order of what counts."""

    laps: int  # completed by all cars together without leaving the road or hitting anything
    progress: float  # mean per cent of what was to be driven
    speed_mps: float  # mean


Scores = Mapping[int, CheckpointScore]  # by the frames that were driven until then


def best_checkpoint(scores: Scores) -> int:
    """The frames after which the best checkpoint was kept; there is at least one."""
    return _ordered(scores)[0]


def why_best_checkpoint(scores: Scores) -> Sentence:
    """Why it is the best one."""
    order = _ordered(scores)
    if len(order) == 1:
        return text("it is the only one")
    best, second = scores[order[0]], scores[order[1]]
    if best.laps != second.laps:
        return text("most completed laps: {laps}, the next one has {other}", laps=best.laps, other=second.laps)
    if best.progress != second.progress:
        return text(
            "as many laps as the next one, and further: {progress} against {other}",
            progress=ShownNumber(best.progress, 1, "%"),
            other=ShownNumber(second.progress, 1, "%"),
        )
    if best.speed_mps != second.speed_mps:
        return text(
            "as many laps as the next one, and faster: {speed} against {other}",
            speed=ShownNumber(best.speed_mps, 3, "m/s"),
            other=ShownNumber(second.speed_mps, 3, "m/s"),
        )
    return text("equal to the next one, and later")


def _ordered(scores: Scores) -> list[int]:
    """The best first."""
    return sorted(scores, key=lambda steps: (scores[steps], steps), reverse=True)
