"""The times that other witnesses give for a crossing, and the ruling that takes one of them. Pure.

Called by command_handlers.py for ReplaceCrossing, and by the run page, which shows the choice. A sensor's time is never
replaced by a number that somebody typed: only by what a witness gave, with that witness's uncertainty.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from shared.errors import Refused
from shared.text import text
from station.core import facts as f
from station.core.lap_facts import Source
from station.core.rulings.commands import CrossingWitness, ReplaceCrossing
from station.core.runs.hand_marks import HAND_NS, SAME_PASS_NS, marks_between
from station.core.runs.laps import CountedCrossing
from station.core.runs.run import Run
from station.core.timing.utc_scale import UtcScale

_SOURCES: dict[CrossingWitness, Source] = {"car": "car", "hand": "hand", "system_b": "system_b"}


@dataclass(frozen=True, slots=True)
class WitnessTime:
    """What a witness gives for a crossing, in ns of the gate's clock, and how far that may be off."""

    witness: CrossingWitness
    at_ns: int
    uncertainty_ns: int


def by_hand(run: Run, number: int, scale: UtcScale) -> WitnessTime | None:
    """The hand time nearest to crossing `number`, of the same pass; None if there is none."""
    own = _own(run, number)
    stamps = marks_between(run.hand_times, scale, own.boot, own.at_ns - SAME_PASS_NS, own.at_ns + SAME_PASS_NS)
    nearest = min(stamps, key=lambda at_ns: abs(at_ns - own.at_ns), default=None)
    return None if nearest is None else WitnessTime("hand", nearest, HAND_NS)


def by_gate(run: Run, number: int) -> WitnessTime | None:
    """The crossing's own time, if another witness times it now."""
    replaced = run.book.segments[number].replaced
    return None if replaced is None else WitnessTime("gate", replaced.at_ns, replaced.uncertainty_ns)


def check_number(run: Run, number: int) -> None:
    """Raises Refused if the run has no such crossing."""
    if not 0 <= number < len(run.book.segments):
        raise Refused(text("{run} has no crossing {number}: look at its laps again.", run=run.run_id, number=number))
    if number == 0 and run.signal is not None:
        raise Refused(text("{run} began with the start signal, not at a crossing.", run=run.run_id))


def replace_crossing(run: Run, command: ReplaceCrossing, times: Sequence[WitnessTime]) -> list[f.Fact]:
    """Times a crossing by the witness that the command names; `times`: what the witnesses give. Raises Refused."""
    given = next((each for each in times if each.witness == command.witness), None)
    if given is None:
        raise Refused(_NOTHING_FROM[command.witness])
    if not run.book.fits(command.number, given.at_ns):
        raise Refused(text("That time lies beyond the crossing before or after it: it cannot be this pass."))
    own = _own(run, command.number)
    source = _SOURCES.get(command.witness)
    by = None
    if source is not None:
        moved_utc_ns = own.utc_ns + given.at_ns - own.at_ns
        by = replace(own, source=source, at_ns=given.at_ns, utc_ns=moved_utc_ns, uncertainty_ns=given.uncertainty_ns)
    was = run.book.retime(command.number, by)
    now = run.book.segments[command.number].start
    if command.number == 0:
        run.start_at(now)
    how = (command.witness, now.at_ns - was.at_ns, now.uncertainty_ns, command.author, command.reason)
    facts: list[f.Fact] = [f.CrossingReplaced(run.run_id, command.number, *how)]
    if command.number == 0:
        facts.append(f.RunStarted(run.run_id, now.crossing, now.at_ns, now.boot, now.utc_ns))
    return [*facts, f.LapsRecomputed(run.run_id, run.book.laps(), command.author, command.reason)]


def _own(run: Run, number: int) -> CountedCrossing:
    segment = run.book.segments[number]
    return segment.replaced or segment.start


_NOTHING_FROM: dict[CrossingWitness, str] = {
    "gate": text("This crossing is timed by its own source already."),
    "car": text("The car reported nothing about this crossing."),
    "hand": text("Nobody took a hand time of this pass."),
    "system_b": text("System B has no crossing of this pass, or too few to compare its clock."),
}
