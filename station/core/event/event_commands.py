"""Passes each command about the event to the function that carries it out. Called by command_handlers.py."""

from collections.abc import Callable
from typing import Any

from station.core import facts as f
from station.core import inputs as e
from station.core.event import cars, racers, races
from station.core.event.parts import EventParts

HANDLERS: dict[type[e.Command], Callable[[EventParts, Any], list[f.Fact]]] = {
    e.CreateEvent: races.create_event,
    e.ChangeEvent: races.change_event,
    e.CreateRace: races.create_race,
    e.ChangeRace: races.change_race,
    e.CloseRace: races.close_race,
    e.ReopenRace: races.reopen_race,
    e.AddRacer: racers.add_racer,
    e.ChangeRacer: racers.change_racer,
    e.RemoveRacer: racers.remove_racer,
    e.MergeRacers: racers.merge_racers,
    e.CheckIn: racers.check_in,
    e.ImportRacers: racers.import_racers,
    e.AddCar: cars.add_car,
    e.ChangeCar: cars.change_car,
    e.RemoveCar: cars.remove_car,
}


def is_of_event(command: e.Command) -> bool:
    """Whether the command is about the event, its races, racers or cars."""
    return type(command) in HANDLERS or isinstance(command, e.SwitchRace)


def moves_transponders(command: e.Command) -> bool:
    """Whether the command may change whose a crossing was, so that those that wait must be decided before it."""
    if isinstance(command, e.RemoveRacer | e.MergeRacers | e.RemoveCar):
        return True
    if isinstance(command, e.ImportRacers):
        return any(each.transponders for each in command.racers)
    return isinstance(command, e.AddRacer | e.ChangeRacer | e.AddCar | e.ChangeCar) and command.transponders not in (
        (),
        None,
    )


def obey_event(parts: EventParts, command: e.Command) -> list[f.Fact]:
    """Carries out a command about the event; returns its facts. Raises Refused before anything has changed."""
    return HANDLERS[type(command)](parts, command)
