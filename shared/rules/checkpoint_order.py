"""Which of several checkpoints is the best by how they drove: most laps, then furthest, then the best score.

Said alike by `raceday model choose` and by the leaderboard of a submission that holds several. Pure. A training has
scores of its own (simulator/train/scores.py), in the same order.
"""

from collections.abc import Sequence
from typing import Protocol

from shared.text import Sentence, text

PPM = 1_000_000


class CheckpointDrive(Protocol):
    """How a checkpoint drove, all runs together; `refused` is the sentence if it could not be driven at all.

    `laps`: completed; `progress_ppm`: millionths of laps, unfinished ones included; `score_ms`: the median of the runs
    that have a score.
    """

    @property
    def laps(self) -> int: ...
    @property
    def progress_ppm(self) -> int: ...
    @property
    def score_ms(self) -> int | None: ...
    @property
    def refused(self) -> str: ...


def checkpoint_worth(drive: CheckpointDrive) -> tuple[bool, int, int, bool, int]:
    """The best sorts first; of equal ones the earlier stays first."""
    unscored = drive.score_ms is None
    return bool(drive.refused), -drive.laps, -drive.progress_ppm, unscored, drive.score_ms or 0


def why_best(ordered: Sequence[CheckpointDrive]) -> Sentence:
    """Why the first of these, which are in order, is the best."""
    best, *others = ordered
    if not others or others[0].refused:
        return text("it is the only one that can be driven") if others else text("it is the only one")
    second = others[0]
    if best.laps != second.laps:
        return text("most completed laps: {laps}, the next one has {other}", laps=best.laps, other=second.laps)
    if best.progress_ppm != second.progress_ppm:
        return text(
            "as many laps as the next one, and further: {progress} laps in all, against {other}",
            progress=f"{best.progress_ppm / PPM:.2f}",
            other=f"{second.progress_ppm / PPM:.2f}",
        )
    if best.score_ms != second.score_ms:
        return text(
            "as many laps as the next one, with the better score: {score} s against {other} s",
            score=_seconds(best.score_ms),
            other=_seconds(second.score_ms),
        )
    return text("equal to the next one, and earlier")


def _seconds(score_ms: int | None) -> str:
    return "-" if score_ms is None else f"{score_ms / 1000:.3f}"
