"""Who has which transponder by the entries of racers and cars: each id has one owner, however it is written.

Called by racers.py and cars.py before they change entries (`check_owners`) and afterwards (`hand_over`), so that a
transponder that is entered counts in the same way as one that an official assigns on the track.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from shared.errors import Refused
from shared.rules.person_names import name_key
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.attribution.transponder_ids import plain_id, reading
from station.core.event.parts import EventParts
from station.core.event.records import EventCar, Racer


@dataclass(frozen=True, slots=True)
class EnteredTransponder:
    """A transponder with its owner by the entries, either a `car` or a `racer`."""

    id: str
    car: str = ""
    racer: str = ""

    @property
    def owner(self) -> tuple[str, str]:
        """What two entries of one owner have in common."""
        return self.car, name_key(self.racer)


Owners = Mapping[str, EnteredTransponder]  # by plain id


def owners_of(racers: Iterable[Racer], cars: Iterable[EventCar]) -> Owners:
    """The owner of each transponder by these entries."""
    entered = [EnteredTransponder(each, racer=racer.alias) for racer in racers for each in racer.transponders]
    entered += [EnteredTransponder(each, car=car.name) for car in cars for each in car.transponders]
    return {plain_id(each.id): each for each in entered}


class OwnerIndex:
    """Finds a second owner of a transponder, whichever way its id is written.

    Two ids are one transponder if they are equal without marks and leading zeros, or the same number, one of them
    surely in hexadecimal.
    """

    def __init__(self) -> None:
        self._known: dict[str, EnteredTransponder] = {}
        self._decimal: dict[int, EnteredTransponder] = {}
        self._hexadecimal: dict[int, EnteredTransponder] = {}

    def add(self, each: EnteredTransponder) -> None:
        """Adds a transponder. Raises Refused if it has an owner already."""
        as_read = reading(each.id)
        sure = as_read.hexadecimal if as_read.sure else None
        found = (
            self._known.get(as_read.plain),
            None if sure is None else self._decimal.get(sure),
            None if as_read.decimal is None else self._hexadecimal.get(as_read.decimal),
        )
        for other in found:
            if other is not None:
                names = {"one": other.racer or other.car, "other": each.racer or each.car}
                raise Refused(
                    text("The transponder {id} would be {one}'s and {other}'s: it has one owner.", id=each.id, **names)
                )
        self._known[as_read.plain] = each
        if as_read.decimal is not None:
            self._decimal[as_read.decimal] = each
        if sure is not None:
            self._hexadecimal[sure] = each

    def add_all(self, racers: Iterable[Racer], cars: Iterable[EventCar]) -> None:
        """Adds the transponders of these entries. Raises Refused for the first that has two owners."""
        for racer in racers:
            for each in racer.transponders:
                self.add(EnteredTransponder(each, racer=racer.alias))
        for car in cars:
            for each in car.transponders:
                self.add(EnteredTransponder(each, car=car.name))


def check_owners(racers: Iterable[Racer], cars: Iterable[EventCar]) -> None:
    """Raises Refused if by these entries one transponder has two owners, or is entered twice."""
    OwnerIndex().add_all(racers, cars)


def hand_over(parts: EventParts, before: Owners, command: e.Command) -> list[f.Fact]:
    """Gives each transponder to its owner by the entries as they are now, where that differs from `before`.

    Returns the facts, including those of runs that are counted again.
    """
    after = owners_of(parts.book.racers.values(), parts.book.cars.values())
    facts: list[f.Fact] = []
    for plain in [plain for plain in before if plain not in after]:
        facts += parts.assign(_assignment(EnteredTransponder(before[plain].id), command))
    for plain, each in after.items():
        if plain not in before or before[plain].owner != each.owner:
            facts += parts.assign(_assignment(each, command))
    return facts


def _assignment(each: EnteredTransponder, command: e.Command) -> e.AssignTransponder:
    return e.AssignTransponder(
        author=command.author,
        reason=command.reason,
        moment=command.moment,
        transponder=each.id,
        car=each.car,
        racer=each.racer,
    )
