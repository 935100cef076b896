"""What may be ordered of the queue of a LIVE race as JSON; OpenAPI is made from these."""

from dataclasses import dataclass

from pydantic import ConfigDict

_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class NewTurns:
    """Who is put at the end of the queue: `racers`, and with `entries` all who are entered and have no turn yet.

    `heat`: two racers who drive against each other, the first of them in front. `bracket`: its heats whose racers are
    known. All absent: the caller's own entry, while entries to the queue are open.
    """

    __pydantic_config__ = _STRICT

    racers: tuple[str, ...] = ()
    entries: bool = False
    heat: tuple[str, str] | None = None
    bracket: str = ""


@dataclass(frozen=True, slots=True)
class TurnOrder:
    """What to do with one turn. `version`: that of the queue that you saw; `reason` is shown and kept."""

    __pydantic_config__ = _STRICT

    version: int
    item: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TurnMove:
    """A turn to a `place` among those who wait; 1 is the next."""

    __pydantic_config__ = _STRICT

    version: int
    item: str
    place: int


@dataclass(frozen=True, slots=True)
class TurnPair:
    """Two turns that wait, to drive as one heat; without them all who wait alone, each with the next."""

    __pydantic_config__ = _STRICT

    version: int
    item: str = ""
    rival: str = ""


@dataclass(frozen=True, slots=True)
class TurnLaunch:
    """Which turn begins its countdown; without `item` the next that can drive."""

    __pydantic_config__ = _STRICT

    version: int
    item: str = ""


@dataclass(frozen=True, slots=True)
class QueueVersion:
    """The version of the queue that you saw."""

    __pydantic_config__ = _STRICT

    version: int


@dataclass(frozen=True, slots=True)
class QueueSettings:
    """Whether racers may put themselves into the queue, and how long the next run takes; absent ones stay."""

    __pydantic_config__ = _STRICT

    version: int
    entries_open: bool | None = None
    run_time_s: int | None = None


@dataclass(frozen=True, slots=True)
class SpeedMultiplier:
    """The multiplier of the speed (never of the steering) on the track, 0.5 to 1.5.

    `racer`: whose car in a heat; without it both, and for a racer the own one.
    """

    __pydantic_config__ = _STRICT

    multiplier: float
    racer: str = ""


@dataclass(frozen=True, slots=True)
class WinnerChoice:
    """Who has won; without `racer` who leads the standing; "" takes the declaration back."""

    __pydantic_config__ = _STRICT

    version: int
    racer: str | None = None
