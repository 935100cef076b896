"""What is on file about an event: the event itself, its races, racers and cars. Frozen: a change is a new record.

Held by event_book.py; carried by the commands and facts of this folder, and shown by views/event_view.py.
"""

from dataclasses import dataclass, field
from typing import Literal

from shared.rules.ranking import RaceRules
from station.core.moment import later

Direction = Literal["counterclockwise", "clockwise"]
RaceKind = Literal["physical", "virtual"]
CarKind = Literal["agent", "stock", "none"]
# `running` is never stored: a view says it while a run of the race is on.
RaceState = Literal["draft", "open", "running", "official", "closed"]

DIRECTIONS: tuple[Direction, ...] = ("counterclockwise", "clockwise")
CAR_KINDS: tuple[CarKind, ...] = ("agent", "stock", "none")


@dataclass(frozen=True, slots=True)
class EventInfo:
    """The event: a day or a season part that holds races.

    `track` and `track_length_m` (along its centre line, None: not measured) are what its races begin with. `time_zone`:
    an IANA name such as "Europe/Berlin", for the times that its pages show; "": as the reader's machine shows them.
    """

    event_id: str
    name: str
    track: str = ""
    direction: Direction = "counterclockwise"
    track_length_m: float | None = None
    time_zone: str = ""


@dataclass(frozen=True, slots=True)
class RaceCard:
    """A race of an event. `rules_version` grows by one with each change of its rules.

    `state`: `draft` until it is first opened, then `open`; `official` and `closed` lock it. The race that runs belong
    to now is the open race of the timing state, not a state of its card. `submit_after_s`: how long after its end a
    run's result is submitted by the station, in s; 0: at once; negative: only by an official. `official_by_two`: to
    declare results official, and to open them again, takes two people.
    """

    race_id: str
    name: str
    event_id: str
    rules: RaceRules = field(default_factory=RaceRules)
    rules_version: int = 1
    track: str = ""
    direction: Direction = "counterclockwise"
    kind: RaceKind = "physical"
    cars_on_track: int = 1
    state: RaceState = "draft"
    submit_after_s: float = later(0.0)
    official_by_two: bool = later(False)


@dataclass(frozen=True, slots=True)
class Racer:
    """A racer as he is entered. `alias` is the name that is shown; all its spellings are one racer.

    `flag`: the country or region by ISO 3166-1 alpha-2, such as "DE". `colour`: "#rrggbb". `model`: the name of the
    model that his car should report. `car`: the car that he drives. `transponders`: ids that he carries along. `code`:
    the short random code of his own page. `pronounce_as`: how his name is said, such as "Shaffy" for "xX_Shafi". "" is
    unknown in all of these.
    """

    alias: str
    flag: str = ""
    team: str = ""
    colour: str = ""
    model: str = ""
    car: str = ""
    transponders: tuple[str, ...] = ()
    checked_in: bool = False
    code: str = later("")
    pronounce_as: str = later("")


@dataclass(frozen=True, slots=True)
class EventCar:
    """A car at the event. `kind`: `agent` runs our software; `stock` has its maker's, `none` has none.

    Only a car with the agent gets orders and leases and reports its state: any other is started by hand.
    """

    name: str
    kind: CarKind = "agent"
    transponders: tuple[str, ...] = ()
    colour: str = ""
