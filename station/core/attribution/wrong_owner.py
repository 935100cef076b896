"""Counts runs again when a transponder turns out to have another owner than was thought.

Called by attribution.py when an official names the owner. Both runs are counted again: that of the previous owner with
the passes of its own transponders in the meantime, that of the right owner with all of its passes.
"""

from dataclasses import dataclass

from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.attribution.transponders import Transponders
from station.core.race.crossing_changes import recount_run
from station.core.race.race import Race
from station.core.runs.recount import TransponderPass
from station.core.runs.run import Run

LastRead = dict[tuple[str, str], f.Crossing]  # (gate, run or owner) -> the last reading


@dataclass(frozen=True, slots=True)
class OwnerChange:
    """The transponder with its new owner (`known`), and its `passes` so far.

    `again`: an official had named an owner before. `was_unknown`: it had no known owner before.
    """

    known: e.Transponder
    passes: list[TransponderPass]
    again: bool
    was_unknown: bool
    command: e.AssignTransponder


def recount_runs(race: Race, transponders: Transponders, change: OwnerChange, last_read: LastRead) -> list[f.Fact]:
    """Counts all runs again that the change of owner concerns; gives their facts."""
    ids = {each.crossing.transponder for each in change.passes}
    for owner in [owner for owner, last in last_read.items() if last.transponder in ids]:
        del last_read[owner]  # the previous owner's next reading is no twin of it
    own = [run for run in race.runs.values() if transponders.is_of(change.known, run)]  # the right owner's
    facts: list[f.Fact] = []
    for run in [each for each in race.runs.values() if each not in own]:
        gone = [each for each in _passes_counted_for(run, change.passes) if _mistaken(change, each, run, own)]
        for each in gone:
            each.run = ""
        if gone:
            facts += _recount(race, transponders, run, gone, last_read, change.command)
    for run in own:
        if any(run.run_id in each.on for each in change.passes):
            facts += _recount(race, transponders, run, [], last_read, change.command)
    return facts


def _passes_counted_for(run: Run, passes: list[TransponderPass]) -> list[TransponderPass]:
    numbers = {segment.start.crossing for segment in run.book.segments}
    return [each for each in passes if each.run == run.run_id or each.crossing.number in numbers]


def _mistaken(change: OwnerChange, each: TransponderPass, run: Run, own: list[Run]) -> bool:
    """Whether this run had a pass that was in fact another's.

    A change of owner in the config between two runs is no mistake: what was counted for a run at that time stays.
    """
    owners = [other for other in own if other.run_id in each.on]
    guessed = change.was_unknown and bool(owners)
    return change.again or guessed or any(other.on for other in owners or [run])


def _recount(
    race: Race,
    transponders: Transponders,
    run: Run,
    gone: list[TransponderPass],
    last_read: LastRead,
    command: e.AssignTransponder,
) -> list[f.Fact]:
    elsewhere = race.counted_elsewhere(run)
    passes = [each for each in transponders.passes_of(run) if each.crossing.number not in elsewhere]
    before = {segment.start.crossing for segment in run.book.segments}
    facts, recounted = recount_run(race, run, passes, {each.crossing.number: each.crossing for each in gone}, command)
    numbers = {counted.crossing for counted in recounted.counted_crossings}
    attributed: list[f.Fact] = []
    for each in passes:
        each.run = run.run_id
        if each.crossing.number in numbers - before:
            why = text(
                "{why}, given by {author}", why=transponders.of(each.crossing.transponder).why, author=command.author
            )
            attributed.append(f.Attributed(each.crossing.number, run.run_id, run.car, why, 100))
    if run.on:
        last_read.update({(gate, run.run_id): last for gate, last in recounted.read.items()})
    return [*attributed, *facts]
