"""The course of one training, whatever its method: its order, its table, page and checkpoints, and when time is up."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from shared.errors import OperatorError
from shared.text import text
from shared.text.catalogue import ENGLISH
from simulator.train.checkpoints import Checkpoints, KeptPolicy
from simulator.train.progress import ProgressTable
from simulator.train.progress_page.view import TrainingEnd, TrainingPlan, TrainingView
from simulator.train.progress_page.write import page_name, write_pages
from simulator.train.recipe import Recipe
from vehicle.core.actions import ActionSpace


@dataclass(frozen=True, eq=False)
class TrainingOrder:
    """What to train: the recipe, the roads, the actions, the reward, and when to stop at the latest."""

    recipe: Recipe
    tracks: tuple[str, ...]
    direction: str | None
    metadata: Mapping[str, Any]
    reward: str | None
    minutes: float | None

    @property
    def space(self) -> ActionSpace:
        """The action space of the metadata."""
        return ActionSpace.parse_metadata(dict(self.metadata))

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
            "boxes": self.recipe.boxes,
        }


# Files of the folder that the page names once they are there.
FIGURES = ("progress.csv", "checkpoints.csv", "rounds.png", "card.json")


class Course:
    """Writes down how a training into `folder` goes. `steps` are frames driven by all cars since its beginning."""

    def __init__(self, order: TrainingOrder, folder: Path, say: Callable[[str], None], *, resumed: bool) -> None:
        self.order, self.folder, self.say = order, folder, say
        self._minutes, self._began_s, self._was_time_up = order.minutes, time.monotonic(), False
        self.table = ProgressTable(folder / "progress.csv", append=resumed)
        self.checkpoints = Checkpoints(order.recipe, order.metadata, order.environment(), folder)

    def __enter__(self) -> Self:
        """Begin: the page says so."""
        self.write_page()
        self.say(f"Watch it in a browser: {(self.folder / page_name(ENGLISH)).resolve().as_uri()}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.table.close()
        self.checkpoints.close()
        if error is None:
            return
        try:
            self.write_page(_end_by(error))
        except OSError as unwritten:  # what ended the training matters more
            self.say(f"The page of the training cannot be written: {unwritten.strerror}.")

    def is_time_up(self, share: float = 1.0) -> bool:
        """True if this share of the time given is over."""
        up = self._minutes is not None and time.monotonic() - self._began_s >= share * self._minutes * 60.0
        self._was_time_up |= up
        return up

    def row(self, steps: int, loss: float | None = None) -> None:
        """Write what happened since the row before, and the page."""
        self.say(self.table.row(steps, loss))
        self.write_page()

    def keep(self, checkpoint: KeptPolicy) -> None:
        """Keep a checkpoint, drive it, and write the page."""
        self.checkpoints.keep(checkpoint, self.say)
        self.write_page()

    def finish(self) -> None:
        """Nothing more will come: ship the best checkpoint."""
        self.checkpoints.ship(self.say)
        self.write_page(TrainingEnd("time" if self._was_time_up else "done"))

    def write_page(self, end: TrainingEnd | None = None) -> None:
        """Write the page as things stand."""
        view = TrainingView(
            self._plan(),
            self.table.rows,
            self.checkpoints.scores,
            end,
            time.time_ns(),
            tuple(name for name in FIGURES if (self.folder / name).is_file()),
        )
        write_pages(self.folder, view)

    def _plan(self) -> TrainingPlan:
        recipe = self.order.recipe
        kept = recipe.checkpoints
        return TrainingPlan(
            name=self.folder.resolve().name,
            method=recipe.method,
            tracks=tuple(Path(name).name for name in self.order.tracks),
            frames=recipe.frames,
            checkpoint_every=kept.every_steps,
            laps=kept.cars * kept.laps,
        )


def _end_by(error: BaseException) -> TrainingEnd:
    """What the page says of a training that an exception ended."""
    if isinstance(error, KeyboardInterrupt):
        return TrainingEnd("stopped")
    if isinstance(error, OperatorError):
        return TrainingEnd("failed", str(error))
    return TrainingEnd("failed", text("A fault of the program: {fault}. The terminal shows more.", fault=repr(error)))
