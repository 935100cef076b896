"""Carries out the commands about cars: entered, changed, taken off the list. Called by event_commands.py."""

from dataclasses import replace

from shared.errors import Refused
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.event import checks
from station.core.event.ownership import check_owners, hand_over, owners_of
from station.core.event.parts import EventParts
from station.core.event.records import EventCar

MAX_CARS = 500
Cars = dict[str, EventCar]


def add_car(parts: EventParts, command: e.AddCar) -> list[f.Fact]:
    """Enters a car."""
    car = _checked(EventCar(command.car, command.kind, command.transponders, command.colour))
    if car.name in parts.book.cars:
        raise Refused(text("{car} is on the list already: change that entry instead.", car=car.name))
    if len(parts.book.cars) >= MAX_CARS:
        raise Refused(text("The list has room for {max} cars.", max=MAX_CARS))
    return _stored(parts, {**parts.book.cars, car.name: car}, f.CarAdded(car, command.author), command)


def change_car(parts: EventParts, command: e.ChangeCar) -> list[f.Fact]:
    """Changes a car's entry. Its kind cannot change while it is on the track."""
    was = _on_file(parts, command.car)
    wanted = {
        name: getattr(command, name)
        for name in ("kind", "transponders", "colour")
        if getattr(command, name) is not None
    }
    car = _checked(replace(was, **wanted))
    if car == was:
        raise Refused(text("Nothing is different in the entry of {car}.", car=was.name))
    if car.kind != was.kind:
        _check_off_track(parts, was.name)
    return _stored(parts, {**parts.book.cars, car.name: car}, f.CarChanged(car, was, command.author), command)


def remove_car(parts: EventParts, command: e.RemoveCar) -> list[f.Fact]:
    """Takes a car off the list."""
    car = _on_file(parts, command.car)
    _check_off_track(parts, car.name)
    cars = {name: each for name, each in parts.book.cars.items() if name != car.name}
    return _stored(parts, cars, f.CarRemoved(car, command.author), command)


def _checked(car: EventCar) -> EventCar:
    name = checks.checked_car(car.name)
    if not name:
        raise Refused(text("Enter the car's name."))
    transponders, colour = checks.checked_transponders(car.transponders), checks.checked_colour(car.colour)
    return EventCar(name, car.kind, transponders, colour)


def _stored(parts: EventParts, cars: Cars, fact: f.Fact, command: e.Command) -> list[f.Fact]:
    book = parts.book
    check_owners(book.racers.values(), cars.values())
    owners = owners_of(book.racers.values(), book.cars.values())
    book.cars = cars
    return [fact, *hand_over(parts, owners, command)]


def _on_file(parts: EventParts, name: str) -> EventCar:
    car = parts.book.cars.get(name.strip())
    if car is None:
        raise Refused(text("There is no car {car} on the list: add it first.", car=repr(name[:64])))
    return car


def _check_off_track(parts: EventParts, car: str) -> None:
    for race in parts.races.values():
        for run in race.on_track:
            if run.car == car:
                raise Refused(
                    text("{car} is on the track in {run}: change this when the run is over.", car=car, run=run.run_id)
                )
