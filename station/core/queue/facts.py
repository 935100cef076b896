"""What became of the queue of a race."""

from dataclasses import dataclass
from typing import Literal

from station.core.moment import Fact

WhyLeft = Literal["left", "no_show", "run_opened"]


@dataclass(frozen=True, slots=True)
class RacerQueued(Fact):
    """A racer waits at this place (from 1). `replaces`: the run that the racer's next one replaces, "" if none."""

    race_id: str
    racer: str
    place: int
    author: str
    replaces: str = ""


@dataclass(frozen=True, slots=True)
class RacerMoved(Fact):
    """A racer waits at another place (from 1)."""

    race_id: str
    racer: str
    place: int
    author: str


@dataclass(frozen=True, slots=True)
class RacerCalled(Fact):
    """A racer is called to the track."""

    race_id: str
    racer: str
    author: str


@dataclass(frozen=True, slots=True)
class RacerNoShow(Fact):
    """A racer who was called did not come, for the `count`th time, and waits at this place now; 0: in none."""

    race_id: str
    racer: str
    count: int
    place: int
    author: str


@dataclass(frozen=True, slots=True)
class RacerUnqueued(Fact):
    """A racer waits no longer."""

    race_id: str
    racer: str
    why: WhyLeft
    author: str
