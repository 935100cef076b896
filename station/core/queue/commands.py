"""The commands that change the order of the racers; orders.py carries them out."""

from dataclasses import dataclass

from station.core.moment import Command


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueRacer(Command):
    """Queues a racer at `place` (from 1; None: last), or `all_checked_in` racers that wait for nothing else yet.

    `car` "": the racer's own.
    """

    racer: str = ""
    car: str = ""
    place: int | None = None
    all_checked_in: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveInQueue(Command):
    """Moves a racer to this place in the queue, from 1; a higher place than there are means the last."""

    racer: str
    place: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallNext(Command):
    """Calls the first racer who has not been called, or this `racer`, who then moves to the front."""

    racer: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkNoShow(Command):
    """The called racer ("": whoever is) did not come: moves to the end of the queue or, with `out`, leaves it."""

    racer: str = ""
    out: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class LeaveQueue(Command):
    """A racer leaves the queue."""

    racer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Rerun(Command):
    """Queues the racer of a finished run first, for another run that replaces it once that one is submitted."""

    run_id: str
