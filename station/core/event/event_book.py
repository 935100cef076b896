"""What is on file: the event, its races, racers and cars. State only: event_commands.py changes it by commands.

Part of the timing state (`TimingState.event`). A race that the station's config opens is on file as well, as the first
race of an event of its own, so that a station without an event works as one with it.
"""

from collections.abc import Iterable
from dataclasses import replace

from shared.errors import Refused
from shared.rules.person_names import name_key
from shared.text import text
from station.core.attribution.transponder_ids import plain_id
from station.core.event.records import CarKind, EventCar, EventInfo, RaceCard, Racer, RaceState
from station.core.inputs import NEVER, OpenRace

DEFAULT_EVENT = "event"


class EventBook:
    """The event that is on (None before the first) and all records; racers by the key that their spellings share."""

    def __init__(self) -> None:
        self.event: EventInfo | None = None
        self.events: dict[str, EventInfo] = {}
        self.races: dict[str, RaceCard] = {}
        self.racers: dict[str, Racer] = {}
        self.cars: dict[str, EventCar] = {}
        self._configured: OpenRace | None = None  # the race that the station's config opened last

    def car_kind(self, name: str) -> CarKind:
        """What kind of car this is; one that nobody entered has our agent."""
        car = self.cars.get(name)
        return "agent" if car is None else car.kind

    def racer(self, name: str) -> Racer | None:
        """The racer of this name, in any spelling; None: nobody on file."""
        return self.racers.get(name_key(name))

    def spelled(self, name: str) -> str:
        """The name as it is on file, or as it is given if it is not on file."""
        known = self.racers.get(name_key(name)) if self.racers else None
        return name if known is None else known.alias

    def by_code(self, code: str) -> Racer | None:
        """The racer whose own page has this code; None: nobody's has."""
        return next((each for each in self.racers.values() if code and each.code == code), None)

    def card(self, race_id: str) -> RaceCard:
        """The card of a race. Raises Refused if there is none."""
        card = self.races.get(race_id)
        if card is None:
            raise Refused(text("There is no race {race} here: create it first.", race=repr(race_id[:64])))
        return card

    def check_runs(self, race_id: str) -> None:
        """Raises Refused if no run of this race may be opened, because it is closed or its results are official."""
        card = self.races.get(race_id)
        if card is not None and card.state == "closed":
            raise Refused(text("The race {race} is closed: open it again, or switch to another race.", race=card.name))
        if card is not None and card.state == "official":
            raise Refused(
                text(
                    "The results of {race} are official: reopen them first, or switch to another race.", race=card.name
                )
            )

    def set_state(self, race_id: str, state: RaceState) -> RaceCard:
        """Puts a race in another state; returns its card."""
        self.races[race_id] = card = replace(self.races[race_id], state=state)
        return card

    def began(self, event: EventInfo) -> None:
        """This event is on from now on."""
        self.event = self.events[event.event_id] = event

    def ensure_event(self, name: str, track: str) -> EventInfo:
        """The event that is on; if there is none, one begins that is named after its first race."""
        if self.event is None:
            self.began(EventInfo(DEFAULT_EVENT, name, track))
        assert self.event is not None
        return self.event

    def opened(self, race: OpenRace) -> None:
        """The timing state has opened this race: its card says what was opened."""
        event, card = self.ensure_event(race.name, race.track), self.races.get(race.race_id)
        if card is None:
            card = RaceCard(race.race_id, race.name, event.event_id, race.rules, direction=event.direction)
        self.races[race.race_id] = replace(
            card,
            name=race.name,
            rules=race.rules,
            rules_version=card.rules_version + (card.rules != race.rules),
            track=race.track,
            kind=race.kind,
            cars_on_track=race.cars_on_track,
            submit_after_s=race.submit_after_s,
            official_by_two=race.official_by_two,
            state="open" if card.state == "draft" else card.state,
        )

    def configured(self, race: OpenRace) -> None:
        """The station's config has opened this race."""
        self._configured = race

    def opened_before(self, race: OpenRace) -> bool:
        """Whether the config opened this race last time, in every detail: then officials' changes since then hold."""
        known = self._configured
        return known is not None and replace(known, moment=NEVER) == replace(race, moment=NEVER)

    def transponder_assigned(self, transponder: str, car: str, racer: str) -> None:
        """An official named the owner of a transponder by itself: the entries follow."""
        plain = plain_id(transponder)
        for key, entry in self.racers.items():
            if rest := _without(entry.transponders, plain):
                self.racers[key] = replace(entry, transponders=rest[0])
        for name, known in self.cars.items():
            if rest := _without(known.transponders, plain):
                self.cars[name] = replace(known, transponders=rest[0])
        owner, its_car = self.racers.get(name_key(racer)) if racer else None, self.cars.get(car)
        if owner is not None:
            self.racers[name_key(racer)] = replace(owner, transponders=(*owner.transponders, transponder))
        elif its_car is not None:
            self.cars[car] = replace(its_car, transponders=(*its_car.transponders, transponder))


def _without(ids: Iterable[str], plain: str) -> tuple[tuple[str, ...]] | None:
    """The ids without this one, in a tuple of its own; None if it is not among them."""
    every = tuple(ids)
    rest = tuple(each for each in every if plain_id(each) != plain)
    return None if len(rest) == len(every) else (rest,)
