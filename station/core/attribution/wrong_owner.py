"""A transponder has another owner: the passes that a run had by the mistake, and what it lost by them.

Called by attribution.py when an official names the owner. Both runs are counted again: that of the owner so far with
what was read of its own transponders in the meantime, that of the right one with all of its passes.
"""

from dataclasses import dataclass

from station.core import facts as f
from station.core import inputs as e
from station.core.attribution.transponders import Transponders
from station.core.race.crossing_changes import recount_run
from station.core.race.race import Race
from station.core.runs.recount import TransponderPass
from station.core.runs.run import Run

LastRead = dict[tuple[str, str], f.Crossing]  # by gate, and run or owner


@dataclass(frozen=True, slots=True)
class OwnerChange:
    """A transponder is `known` to be somebody's, with its `passes`; `again`: an official had named its owner before.

    `stranger`: nothing was known of it.
    """

    known: e.Transponder
    passes: list[TransponderPass]
    again: bool
    stranger: bool
    command: e.AssignTransponder


def recount_runs(race: Race, transponders: Transponders, change: OwnerChange, last_read: LastRead) -> list[f.Fact]:
    """Counts all runs again that the change of owner concerns; their facts."""
    ids = {each.crossing.transponder for each in change.passes}
    for owner in [owner for owner, last in last_read.items() if last.transponder in ids]:
        del last_read[owner]  # it has no twin in what the owner so far reads next
    own = [run for run in race.runs.values() if transponders.is_of(change.known, run)]
    facts: list[f.Fact] = []
    for run in [each for each in race.runs.values() if each not in own]:
        gone = [each for each in _had(change.passes, run) if _mistaken(change, each, run, own)]
        for each in gone:
            each.run = ""
        if gone:
            facts += _recount(race, transponders, run, gone, last_read, change.command)
    for run in own:
        if any(run.run_id in each.on for each in change.passes):
            facts += _recount(race, transponders, run, [], last_read, change.command)
    return facts


def _had(passes: list[TransponderPass], run: Run) -> list[TransponderPass]:
    numbers = {segment.start.crossing for segment in run.book.segments}
    return [each for each in passes if each.run == run.run_id or each.crossing.number in numbers]


def _mistaken(change: OwnerChange, each: TransponderPass, run: Run, own: list[Run]) -> bool:
    """Had this run a pass that was another's?

    An owner of the config that changes between two runs is no mistake: what was counted for a run that was on then
    stays there.
    """
    owners = [other for other in own if other.run_id in each.on]
    guessed = change.stranger and bool(owners)
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
    facts, found = recount_run(race, run, passes, {each.crossing.number: each.crossing for each in gone}, command)
    numbers = {counted.crossing for counted in found.counted_crossings}
    attributed: list[f.Fact] = []
    for each in passes:
        each.run = run.run_id
        if each.crossing.number in numbers - before:
            why = f"{transponders.of(each.crossing.transponder).why}, given by {command.author}"
            attributed.append(f.Attributed(each.crossing.number, run.run_id, run.car, why, 100))
    if run.on:
        last_read.update({(gate, run.run_id): last for gate, last in found.read.items()})
    return [*attributed, *facts]
