"""What is on file of the checklists: what officials ticked, and what the station saw of what they list. Frozen.

Stored in one file beside the journal (register.py), never in it: who looked at the tape is no part of a result. Times
are UTC in ns; nothing here is of a day, so that a new day begins by itself where it is read.
"""

from dataclasses import dataclass, field

NO_END_NS = 2**63 - 1  # in the year 2262: the last moment that 64 bits hold


@dataclass(frozen=True, slots=True)
class HandTick:
    """What an official said last of one line: that it is done (`on`), or that it is not. `device`: "" if unknown."""

    key: str
    person: str
    at_utc_ns: int
    on: bool = True
    device: str = ""


@dataclass(frozen=True, slots=True)
class SensorSighting:
    """When this sensor last saw something, to a minute."""

    gate: str
    sensor: str
    last_utc_ns: int


@dataclass(frozen=True, slots=True)
class CarSighting:
    """`heard_utc_ns`: when the car was last heard, to a minute. `held_utc_ns`: when the station had last heard it for
    ten minutes without a gap; None: never.

    `since_ns`: when the present stretch began, on the clock of `boot`; None: it is not heard now.
    """

    name: str
    heard_utc_ns: int
    boot: str
    since_ns: int | None
    held_utc_ns: int | None = None


@dataclass(frozen=True, slots=True)
class StopSighting:
    """The newest stop of all cars: which cars confirmed it (`stopped`), and which did not."""

    author: str
    at_utc_ns: int
    stopped: tuple[str, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DiscardedRun:
    """A run with laps that was discarded: how many of them are valid, and how many of those the car confirmed.

    `by_hand`: a person started the car, which confirms nothing.
    """

    run_id: str
    car: str
    laps: int
    confirmed: int
    by_hand: bool
    ended_utc_ns: int
    racer: str = ""

    @property
    def is_whole(self) -> bool:
        return self.confirmed > 0 or self.by_hand


@dataclass(frozen=True, slots=True)
class SignInSighting:
    """When this official last signed in, and on which paired device; "": on none."""

    person: str
    at_utc_ns: int
    device: str


@dataclass(frozen=True, slots=True)
class StationSightings:
    """What the station saw. `button_utc_ns`: when the contact of its stop button was last found open; None: never.

    `last_lap_utc_ns`: when the newest lap of any run ended; None: there was none.
    """

    sensors: tuple[SensorSighting, ...] = ()
    cars: tuple[CarSighting, ...] = ()
    button_utc_ns: int | None = None
    stop: StopSighting | None = None
    run: DiscardedRun | None = None
    signed_in: tuple[SignInSighting, ...] = ()
    last_lap_utc_ns: int | None = None

    def seen(self, gate: str, sensor: str) -> int | None:
        """When this sensor last saw something; None: never."""
        return next((each.last_utc_ns for each in self.sensors if (each.gate, each.sensor) == (gate, sensor)), None)

    def car(self, name: str) -> CarSighting | None:
        return next((each for each in self.cars if each.name == name), None)


@dataclass(frozen=True, slots=True)
class ChecklistFacts:
    """What is read now and then from beside the view. `officials`: the names of all who have a role; `paired`: those
    of all devices that are paired.

    `backup`: the newest one that was made here, "" for none, which `backups_fault` may explain.
    `certificates_end_utc_ns`: when the first of the certificates ends, at most NO_END_NS; None: the station uses none,
    or they cannot be read, which `certificates_fault` then says.
    """

    officials: tuple[str, ...] = ()
    sign_ins: tuple[SignInSighting, ...] = ()
    makes_backups: bool = False
    backups_fault: str = ""
    backup: str = ""
    backup_utc_ns: int | None = None
    certificates_end_utc_ns: int | None = None
    certificates_fault: str = ""
    paired: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ChecklistsView:
    """All of it, for the page. `watch_fault`: why the station no longer watches for its lines, "" while it does."""

    ticks: tuple[HandTick, ...] = ()
    sightings: StationSightings = field(default_factory=StationSightings)
    facts: ChecklistFacts = field(default_factory=ChecklistFacts)
    watch_fault: str = ""

    def tick(self, key: str) -> HandTick | None:
        """What was last said of this line; None: nothing."""
        return next((each for each in self.ticks if each.key == key), None)
