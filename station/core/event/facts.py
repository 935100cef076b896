"""Facts about an event: what is on file of it now. Part of the vocabulary of facts.py; made by event_commands.py."""

from dataclasses import dataclass

from station.core.event.records import EventCar, EventInfo, RaceCard, Racer
from station.core.moment import Fact


@dataclass(frozen=True, slots=True)
class EventCreated(Fact):
    """An event began."""

    event: EventInfo
    author: str


@dataclass(frozen=True, slots=True)
class EventChanged(Fact):
    """The event that is on was changed."""

    event: EventInfo
    author: str


@dataclass(frozen=True, slots=True)
class RaceCreated(Fact):
    """A race was created, as a draft."""

    race: RaceCard
    author: str


@dataclass(frozen=True, slots=True)
class RaceChanged(Fact):
    """A race was changed, closed or opened again; `was`: its card before.

    With another `rules_version` all its runs were judged again: what came of them follows as facts of their own.
    """

    race: RaceCard
    was: RaceCard
    author: str
    reason: str


@dataclass(frozen=True, slots=True)
class RacerAdded(Fact):
    """A racer was entered."""

    racer: Racer
    author: str


@dataclass(frozen=True, slots=True)
class RacerChanged(Fact):
    """A racer's entry was changed; `was`: the entry before. Another alias is the same racer under a new name."""

    racer: Racer
    was: Racer
    author: str


@dataclass(frozen=True, slots=True)
class RacerRemoved(Fact):
    """A racer was taken off the list; `into`: whose runs his are now, "" if he had none."""

    racer: Racer
    author: str
    into: str = ""


@dataclass(frozen=True, slots=True)
class CarAdded(Fact):
    """A car was entered."""

    car: EventCar
    author: str


@dataclass(frozen=True, slots=True)
class CarChanged(Fact):
    """A car's entry was changed; `was`: the entry before."""

    car: EventCar
    was: EventCar
    author: str


@dataclass(frozen=True, slots=True)
class CarRemoved(Fact):
    """A car was taken off the list."""

    car: EventCar
    author: str
