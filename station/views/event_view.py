"""The event, its races, racers and cars as the pages show them. Made from the engine's state after a commit."""

from collections import Counter
from dataclasses import dataclass

from shared.rules.ranking import RaceRules
from station.core.engine import Engine
from station.core.event.records import Direction, EventCar, EventInfo, RaceCard, RaceKind, Racer, RaceState


@dataclass(frozen=True, slots=True)
class RaceLine:
    """A race on the list. `state` is `running` while a run is on. `active`: runs belong to it now.

    `runs`: how many it has that a ruling can reach; `ranked`: how many racers have a place.
    """

    race_id: str
    name: str
    event_id: str
    rules: RaceRules
    rules_version: int
    track: str
    direction: Direction
    kind: RaceKind
    cars_on_track: int
    state: RaceState
    active: bool
    runs: int
    ranked: int
    leader: str = ""
    leader_ms: int | None = None
    submit_after_s: float = 0.0
    official_by_two: bool = False


@dataclass(frozen=True, slots=True)
class RacerLine:
    """A racer on the list; `runs`: how many he has in all races. The rest is as in `Racer`."""

    alias: str
    flag: str
    team: str
    colour: str
    model: str
    car: str
    transponders: tuple[str, ...]
    checked_in: bool
    code: str
    runs: int
    pronounce_as: str = ""


@dataclass(frozen=True, slots=True)
class EventView:
    """What is on file. `races`: those of the event that is on, in the order in which they were created.

    `earlier`: races of the events before it. `unlisted`: racers who have runs but are not on the list.
    """

    event: EventInfo | None = None
    races: tuple[RaceLine, ...] = ()
    earlier: tuple[RaceLine, ...] = ()
    racers: tuple[RacerLine, ...] = ()
    cars: tuple[EventCar, ...] = ()
    unlisted: tuple[str, ...] = ()

    @property
    def active(self) -> RaceLine | None:
        """The race that runs belong to now; None before the first."""
        return next((race for race in (*self.races, *self.earlier) if race.active), None)

    def race(self, race_id: str) -> RaceLine | None:
        """The race of this id; None: there is none."""
        return next((race for race in (*self.races, *self.earlier) if race.race_id == race_id), None)


def event_view(engine: Engine) -> EventView:
    """What is on file now."""
    book = engine.event
    runs = Counter(run.racer for race in engine.races.values() for run in race.runs.values())
    lines = tuple(_race_line(engine, card) for card in book.races.values())
    now = book.event.event_id if book.event is not None else ""
    listed = {racer.alias for racer in book.racers.values()}
    return EventView(
        event=book.event,
        races=tuple(line for line in lines if line.event_id == now),
        earlier=tuple(line for line in lines if line.event_id != now),
        racers=tuple(_racer_line(racer, runs[racer.alias]) for racer in book.racers.values()),
        cars=tuple(book.cars.values()),
        unlisted=tuple(racer for racer in runs if racer not in listed),
    )


def _race_line(engine: Engine, card: RaceCard) -> RaceLine:
    race = engine.races.get(card.race_id)
    lines = race.standings.lines() if race is not None else ()
    return RaceLine(
        race_id=card.race_id,
        name=card.name,
        event_id=card.event_id,
        rules=card.rules,
        rules_version=card.rules_version,
        track=card.track,
        direction=card.direction,
        kind=card.kind,
        cars_on_track=card.cars_on_track,
        state="running" if race is not None and race.on else card.state,
        active=race is not None and race is engine.race,
        runs=len(race.runs) if race is not None else 0,
        ranked=len(lines),
        leader=lines[0].racer if lines else "",
        leader_ms=lines[0].score_ms if lines else None,
        submit_after_s=card.submit_after_s,
        official_by_two=card.official_by_two,
    )


def _racer_line(racer: Racer, runs: int) -> RacerLine:
    return RacerLine(
        alias=racer.alias,
        flag=racer.flag,
        team=racer.team,
        colour=racer.colour,
        model=racer.model,
        car=racer.car,
        transponders=racer.transponders,
        checked_in=racer.checked_in,
        code=racer.code,
        runs=runs,
        pronounce_as=racer.pronounce_as,
    )
