"""The sectors of a LIVE race: each beside the best of the session and of its racer. Pure.

The three levels of the field: best of the session (purple), own best (green), slower (yellow); each has a letter too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from shared.rules.person_names import name_key

DEFAULT_SECTORS = 3
MAX_RACERS = 1000  # whose bests are held; the session's own best is always there
LiveLevel = Literal["best", "own", "slower", "pending"]
SectorTimes = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class SessionBests:
    """The best time of each sector so far, of all and of each racer (by `name_key`), in ms."""

    overall: SectorTimes = ()
    own: Mapping[str, SectorTimes] = field(default_factory=dict)

    def of(self, racer: str) -> SectorTimes:
        """The racer's best of each sector."""
        return self.own.get(name_key(racer), ())


def with_times(bests: SessionBests, racer: str, times: Sequence[int | None]) -> SessionBests:
    """The bests with these sector times of one lap in them; times of the same lap may be given again."""
    overall, own = _best(bests.overall, times), _best(bests.of(racer), times)
    if overall == bests.overall and own == bests.of(racer):
        return bests
    key = name_key(racer)
    if key not in bests.own and len(bests.own) >= MAX_RACERS:
        return SessionBests(overall, bests.own)
    return SessionBests(overall, {**bests.own, key: own})


def levels(bests: SessionBests, racer: str, times: Sequence[int | None]) -> tuple[LiveLevel, ...]:
    """The level of each sector, once its time is in the bests; "pending": the car has still to drive it."""
    overall, own = bests.overall, bests.of(racer)
    return tuple(_level(each, _at(overall, place), _at(own, place)) for place, each in enumerate(times))


def _level(time_ms: int | None, overall_ms: int | None, own_ms: int | None) -> LiveLevel:
    if time_ms is None:
        return "pending"
    if overall_ms is None or time_ms <= overall_ms:
        return "best"
    return "own" if own_ms is None or time_ms <= own_ms else "slower"


def _best(known: SectorTimes, times: Sequence[int | None]) -> SectorTimes:
    places = range(max(len(known), len(times)))
    return tuple(_smallest(_at(known, place), _at(times, place)) for place in places)


def _smallest(one: int | None, other: int | None) -> int | None:
    given = [each for each in (one, other) if each is not None]
    return min(given, default=None)


def _at(times: Sequence[int | None], place: int) -> int | None:
    return times[place] if place < len(times) else None
