"""What an official's command does, in a few words, for the audit; those about runs: runs/ruling_words.py. Pure."""

import dataclasses
from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any

from shared.text import text
from station.core import inputs as e
from station.views.runs.ruling_words import act_words

_WORDS: dict[type[e.Command], Callable[[Any], str]] = {
    e.CreateEvent: lambda c: text("Create the event {name}", name=c.name),
    e.ChangeEvent: lambda _: text("Change the event"),
    e.CreateRace: lambda c: text("Create the race {name}", name=c.name),
    e.ChangeRace: lambda c: text("Change the race {race}", race=c.race_id),
    e.SwitchRace: lambda c: text("Switch to the race {race}", race=c.race_id),
    e.CloseRace: lambda c: text("Close the race {race}", race=c.race_id),
    e.ReopenRace: lambda c: text("Open the race {race} again", race=c.race_id),
    e.AddRacer: lambda c: text("Enter {racer}", racer=c.racer),
    e.ChangeRacer: lambda c: text("Change the entry of {racer}", racer=c.racer),
    e.RemoveRacer: lambda c: text("Remove {racer}", racer=c.racer),
    e.MergeRacers: lambda c: text("{racer} turns out to be {into}", racer=c.racer, into=c.into),
    e.CheckIn: lambda c: (
        text("Check in {racer}", racer=c.racer) if c.present else text("Undo the check-in of {racer}", racer=c.racer)
    ),
    e.ImportRacers: lambda c: text("Import {count} racers", count=len(c.racers)),
    e.AddCar: lambda c: text("Enter the car {car}", car=c.car),
    e.ChangeCar: lambda c: text("Change the car {car}", car=c.car),
    e.RemoveCar: lambda c: text("Remove the car {car}", car=c.car),
    e.QueueRacer: lambda c: (
        text("Queue all who are checked in") if c.all_checked_in else text("Queue {racer}", racer=c.racer)
    ),
    e.MoveInQueue: lambda c: text("Move {racer} to place {place} of the queue", racer=c.racer, place=c.place),
    e.CallNext: lambda c: text("Call {racer}", racer=c.racer) if c.racer else text("Call the next racer"),
    e.MarkNoShow: lambda c: text("{racer} did not come", racer=c.racer) if c.racer else text("No-show"),
    e.LeaveQueue: lambda c: text("{racer} leaves the queue", racer=c.racer),
    e.Rerun: lambda _: text("Re-run"),
    e.PauseRace: lambda _: text("Pause the race"),
    e.ContinueRace: lambda _: text("Continue the race"),
    e.StageRun: lambda _: text("Start by the lights"),
    e.OrderCar: lambda c: text("Order {action} to {car}", action=c.action, car=c.car),
    e.StopAll: lambda _: text("Stop all cars"),
    e.ReleaseStop: lambda _: text("Release the stop"),
    e.SetMode: lambda c: text("Test mode") if c.mode == "test" else text("Race mode"),
    e.TryGate: lambda c: text("Test the gate {gate} again", gate=c.gate),
    e.SetClock: lambda _: text("Set the clock"),
    e.UndoLast: lambda _: text("Undo the last act"),
}
_COMMON = frozenset(field.name for field in dataclasses.fields(e.Command)) | {"code", "override_reason"}
NOTHING: Mapping[str, str] = MappingProxyType({})


def command_words(command: e.Command) -> str:
    """What this command does, as a short sentence without a full stop. Example: "Check in Ada"."""
    words = _WORDS.get(type(command))
    return words(command) if words is not None else act_words(command)


def entered_fields(command: e.Command) -> dict[str, str]:
    """The fields that the command enters or changes on file, as text, by name; empty for a command about a run."""
    if type(command) not in ENTERS:
        return {}
    subject = ENTERS[type(command)][1]
    return {
        field.name: _as_text(value)
        for field in dataclasses.fields(command)
        if field.name not in _COMMON
        and field.name != subject
        and (value := getattr(command, field.name)) not in (None, "", ())
    }


# Commands that enter something on file or change it: what it is, and the field that names it ("": there is only one).
ENTERS: dict[type[e.Command], tuple[str, str]] = {
    e.CreateEvent: ("event", ""),
    e.ChangeEvent: ("event", ""),
    e.CreateRace: ("race", "race_id"),
    e.ChangeRace: ("race", "race_id"),
    e.AddRacer: ("racer", "racer"),
    e.ChangeRacer: ("racer", "racer"),
    e.CheckIn: ("racer", "racer"),
    e.AddCar: ("car", "car"),
    e.ChangeCar: ("car", "car"),
    e.SetMode: ("mode", ""),
}


def _as_text(value: object) -> str:
    if isinstance(value, bool):
        return text("yes") if value else text("no")
    if isinstance(value, tuple):
        return ", ".join(map(_as_text, value))
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return ", ".join(
            f"{field.name} {_as_text(each)}"
            for field in dataclasses.fields(value)
            if (each := getattr(value, field.name)) not in (None, "", (), field.default)
        )
    return str(value.value) if isinstance(value, Enum) else str(value)
