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


def check_owners(racers: Iterable[Racer], cars: Iterable[EventCar]) -> None:
    """Raises Refused if by these entries one transponder has two owners, or is entered twice.

    Two ids are one transponder if they are equal without marks and leading zeros, or the same number, one of them
    surely in hexadecimal.
    """
    known: dict[str, EnteredTransponder] = {}
    decimal: dict[int, EnteredTransponder] = {}
    hexadecimal: dict[int, EnteredTransponder] = {}
    entered = [EnteredTransponder(each, racer=racer.alias) for racer in racers for each in racer.transponders]
    entered += [EnteredTransponder(each, car=car.name) for car in cars for each in car.transponders]
    for each in entered:
        as_read = reading(each.id)
        other = known.get(as_read.plain)
        if other is None and as_read.sure and as_read.hexadecimal is not None:
            other = decimal.get(as_read.hexadecimal)
        if other is None and as_read.decimal is not None:
            other = hexadecimal.get(as_read.decimal)
        if other is not None:
            raise Refused(
                text(
                    "The transponder {id} would be {one}'s and {other}'s: it has one owner.",
                    id=each.id,
                    one=other.racer or other.car,
                    other=each.racer or each.car,
                )
            )
        known[as_read.plain] = each
        if as_read.decimal is not None:
            decimal[as_read.decimal] = each
        if as_read.sure and as_read.hexadecimal is not None:
            hexadecimal[as_read.hexadecimal] = each


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
