"""The commands that set up an event: itself, its races, its racers and its cars. Carried out by event_commands.py.

Part of the vocabulary of commands.py. A field that is None in a command that changes something stays as it is.
"""

from dataclasses import dataclass

from shared.rules.ranking import RaceRules
from station.core.event.records import CarKind, Direction, RaceKind, Racer
from station.core.moment import Command, later


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateEvent(Command):
    """Begins an event: races from now on are its own. Racers and cars stay on file, and nobody is checked in."""

    name: str
    event_id: str = ""
    track: str = ""
    direction: Direction = "counterclockwise"
    track_length_m: float | None = None
    time_zone: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeEvent(Command):
    """Changes the event that is on. `track_length_m` 0: it is not known."""

    name: str | None = None
    track: str | None = None
    direction: Direction | None = None
    track_length_m: float | None = None
    time_zone: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateRace(Command):
    """Creates a race as a draft; SwitchRace opens it. `race_id` "": made from its name.

    `rules` None: the standard ones, with a `min_lap_s` from the length of the track. `track` "" and `direction` None:
    those of the event. `submit_after_s` and `official_by_two`: as in RaceCard.
    """

    name: str
    race_id: str = ""
    rules: RaceRules | None = None
    track: str = ""
    direction: Direction | None = None
    kind: RaceKind = "physical"
    cars_on_track: int = 1
    submit_after_s: float = 0.0
    official_by_two: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRace(Command):
    """Changes a race. Other `rules` are its next version, and all its runs are judged again by them.

    Laps keep their crossings: a limit of time or laps ends no past run, but laps beyond `max_laps` score no more.
    """

    race_id: str
    name: str | None = None
    rules: RaceRules | None = None
    track: str | None = None
    direction: Direction | None = None
    cars_on_track: int | None = None
    submit_after_s: float | None = None
    official_by_two: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class SwitchRace(Command):
    """Makes this the race that runs belong to from now on. A race that was open before continues with its runs."""

    race_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseRace(Command):
    """Closes a race: no run of it can be opened until ReopenRace."""

    race_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReopenRace(Command):
    """Opens a closed race for runs again."""

    race_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AddRacer(Command):
    """Enters a racer; the fields are those of Racer. The service draws the `code`."""

    racer: str
    flag: str = ""
    team: str = ""
    colour: str = ""
    model: str = ""
    car: str = ""
    transponders: tuple[str, ...] = ()
    checked_in: bool = False
    code: str = later("")
    pronounce_as: str = later("")


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeRacer(Command):
    """Changes the entry of `racer`. `alias`: his new name, which carries all his runs along."""

    racer: str
    alias: str | None = None
    flag: str | None = None
    team: str | None = None
    colour: str | None = None
    model: str | None = None
    car: str | None = None
    transponders: tuple[str, ...] | None = None
    pronounce_as: str | None = later(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveRacer(Command):
    """Takes a racer without runs off the list."""

    racer: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MergeRacers(Command):
    """`racer` turns out to be `into`: all his runs and transponders become those of `into`."""

    racer: str
    into: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckIn(Command):
    """The racer has come (or, with `present` False, has not come after all)."""

    racer: str
    present: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportRacers(Command):
    """Enters many racers at once: new ones are added; of known ones the fields that are not empty are changed.

    All or none. The service draws the codes of new racers.
    """

    racers: tuple[Racer, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AddCar(Command):
    """Enters a car; the fields are those of EventCar."""

    car: str
    kind: CarKind = "agent"
    transponders: tuple[str, ...] = ()
    colour: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeCar(Command):
    """Changes the entry of a car."""

    car: str
    kind: CarKind | None = None
    transponders: tuple[str, ...] | None = None
    colour: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RemoveCar(Command):
    """Takes a car off the list; its transponders have no owner then."""

    car: str
