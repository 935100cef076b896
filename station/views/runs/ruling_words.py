"""What an official did, in words: for the history of a run, and for the list of one's own last acts. Pure."""

from collections.abc import Callable
from typing import Any

from shared.text import text
from station.core import inputs as e


def act_words(command: e.Command) -> str:
    """What this command does, as a short sentence without a full stop. Example: "Void lap 3"."""
    words = _WORDS.get(type(command))
    return words(command) if words is not None else type(command).__name__


def _drop(command: e.DropCrossing) -> str:
    if command.number == 0:
        return text("Begin lap 1 at the next crossing")
    return text("Join lap {number} and the next: its crossing was false", number=command.number)


def _replace(command: e.ReplaceCrossing) -> str:
    named = {
        "gate": text("by its own source again"),
        "car": text("by the car's report"),
        "hand": text("by the hand time"),
        "system_b": text("by system B"),
    }
    return text("Time crossing {number} {by}", number=command.number, by=named[command.witness])


def _take_back(command: e.TakeBack) -> str:
    kinds = {"off_track": text("off-track"), "collision": text("collision"), "reset": text("reset")}
    if command.number is None:
        return text("Take back the last {kind}", kind=kinds[command.kind])
    return text("Take back the {kind} of lap {number}", kind=kinds[command.kind], number=command.number)


def _penalty(command: e.AddPenalty) -> str:
    return text("Penalty {seconds} s in lap {number}", seconds=f"{command.seconds:+g}", number=command.number)


def _declared(command: e.Official | e.ReopenResults) -> str:
    official = isinstance(command, e.Official)
    if command.run_id:
        return text("Result official") if official else text("Open the result again")
    return text("Results of the race official") if official else text("Open the results of the race again")


_WORDS: dict[type[e.Command], Callable[[Any], str]] = {
    e.OpenRun: lambda c: text("Open the run of {racer}", racer=c.racer),
    e.ArmRun: lambda _: text("Arm"),
    e.StartRun: lambda c: text("Start by hand") if c.by_hand else text("Start"),
    e.ResumeRun: lambda _: text("Resume"),
    e.FinishRun: lambda _: text("Finish the run"),
    e.AbandonRun: lambda _: text("Abandon the run"),
    e.Relaunch: lambda _: text("Start again"),
    e.MarkDnf: lambda _: text("Did not finish"),
    e.SubmitRun: lambda _: text("Submit the result"),
    e.DiscardRun: lambda _: text("Discard the run"),
    e.OffTrack: lambda _: text("Off track"),
    e.Collision: lambda _: text("Collision"),
    e.CarReset: lambda _: text("Reset"),
    e.TakeBack: _take_back,
    e.EnterModel: lambda c: text("Enter the model {model}", model=c.model),
    e.VoidLap: lambda c: text("Void lap {number}", number=c.number),
    e.RestoreLap: lambda c: text("Restore lap {number}", number=c.number),
    e.AddPenalty: _penalty,
    e.AddCrossing: lambda _: text("Count a crossing that the gate missed or flagged"),
    e.HandCrossing: lambda _: text("Count a crossing at a hand time"),
    e.DropCrossing: _drop,
    e.ReplaceCrossing: _replace,
    e.AssignCrossing: lambda c: text("Assign crossing {number}", number=c.number),
    e.AssignTransponder: lambda c: text(
        "Transponder {id} belongs to {owner}", id=c.transponder, owner=c.car or c.racer
    ),
    e.DismissProposal: lambda _: text("Dismiss what was proposed"),
    e.RestoreProposal: lambda _: text("Ask again what was dismissed"),
    e.ReassignRun: lambda c: text("Give the run to {racer}", racer=c.racer),
    e.Disqualify: lambda _: text("Disqualify"),
    e.Reinstate: lambda _: text("Lift the disqualification"),
    e.Official: _declared,
    e.ReopenResults: _declared,
    e.HandTime: lambda _: text("Hand time"),
}
