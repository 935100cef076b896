"""Boxes: the obstacles of object avoidance, which stand in a lane and do not move."""

from dataclasses import dataclass

from shared.errors import BadInput
from shared.text import text
from simulator.objects.lanes import Lanes
from simulator.objects.outlines import BOX_OUTLINE
from simulator.objects.placing import ObjectPlace, PlacedObject, check_count, place_drawn, place_given


@dataclass(frozen=True, slots=True)
class BoxSetup:
    """The boxes of a race: how many, and where; without places each run draws its own from its seed."""

    count: int = 1
    places: tuple[ObjectPlace, ...] | None = None

    def __post_init__(self) -> None:
        """Raises BadInput for what no race has."""
        check_count(self.count)
        if self.places is not None and len(self.places) != self.count:
            raise BadInput(
                text(
                    "There are {count} boxes but {places} places: give one place each, or none.",
                    count=self.count,
                    places=len(self.places),
                )
            )


def make_boxes(lanes: Lanes, setup: BoxSetup, seed: int) -> tuple[PlacedObject, ...]:
    """The boxes of world `seed`. Raises BadInput if they cannot be placed."""
    if setup.places is None:
        return place_drawn(lanes, setup.count, f"boxes-{seed}")
    return place_given(lanes, setup.places, BOX_OUTLINE)
