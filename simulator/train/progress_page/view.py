"""What the page of a training shows: how far it is, how it drives, its checkpoints, and how it ended."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from simulator.train.progress_page.curves import Row
from simulator.train.scores import Scores


@dataclass(frozen=True, slots=True)
class TrainingEnd:
    """How a training ended: all was driven, time was up, somebody stopped it, or it failed, with the sentence why."""

    kind: Literal["done", "time", "stopped", "failed"]
    sentence: str = ""


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What a training is, from its beginning on."""

    name: str
    method: str
    tracks: tuple[str, ...]
    frames: int  # of all cars, to the end
    checkpoint_every: int  # frames
    laps: int  # that a checkpoint drives, all cars together


@dataclass(frozen=True, slots=True)
class TrainingView:
    """The page's content. `end` is None while it goes on; `files`: those of the folder that the page names."""

    plan: TrainingPlan
    rows: Sequence[Row]
    scores: Scores
    end: TrainingEnd | None
    written_utc_ns: int
    files: tuple[str, ...] = ()

    @property
    def frames(self) -> int:
        """Driven so far."""
        return max(int(self.rows[-1]["steps"]) if self.rows else 0, *self.scores, 0)
