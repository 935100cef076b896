"""The course of one training, whatever its method: its order, its table, page and checkpoints, and when time is up."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from simulator.train.checkpoints import Checkpoints, KeptPolicy
from simulator.train.page import write_page
from simulator.train.progress import ProgressTable
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


class Course:
    """Writes down how a training into `folder` goes. `steps` are frames driven by all cars since its beginning."""

    def __init__(self, order: TrainingOrder, folder: Path, say: Callable[[str], None], *, resumed: bool) -> None:
        self.order, self.folder, self.say = order, folder, say
        self._minutes, self._began_s = order.minutes, time.monotonic()
        self.table = ProgressTable(folder / "progress.csv", append=resumed)
        self.checkpoints = Checkpoints(order.recipe, order.metadata, order.environment(), folder)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.table.close()
        self.checkpoints.close()

    def is_time_up(self, share: float = 1.0) -> bool:
        """True if this share of the time given is over."""
        return self._minutes is not None and time.monotonic() - self._began_s >= share * self._minutes * 60.0

    def row(self, steps: int, loss: float | None = None) -> None:
        """Write what happened since the row before, and the page."""
        self.say(self.table.row(steps, loss))
        self.write_page(over=False)

    def keep(self, checkpoint: KeptPolicy) -> None:
        """Keep a checkpoint, drive it, and write the page."""
        self.checkpoints.keep(checkpoint, self.say)
        self.write_page(over=False)

    def finish(self) -> None:
        """Nothing more will come: ship the best checkpoint."""
        self.write_page(over=True)
        self.checkpoints.ship(self.say)

    def write_page(self, *, over: bool) -> None:
        """Write the page as things stand."""
        path, name = self.folder / "progress.html", self.folder.resolve().name
        write_page(path, name, self.table.rows, self.checkpoints.rows(), self.order.recipe.frames, over)
