"""Applies officials' rulings to a run: each ruling is a record of its own, with author and reason.

Called by orders.py (and crossing_changes.py for crossings that change runs). Each function checks first and raises
Refused with a sentence; after that it cannot fail.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from shared.errors import Refused
from shared.text import text
from shared.units import NS_PER_S, seconds_to_ns
from station.core import facts as f
from station.core import inputs as e
from station.core.facts import Fact, LapAdjusted, LapsRecomputed, RunReassigned
from station.core.runs.laps import CountedCrossing
from station.core.runs.run import Run
from station.core.timing.utc_scale import UtcScale

MAX_PENALTY_S = 600.0
RENUMBERED_NS = NS_PER_S  # a ruling this soon after a renumbering was meant for the old numbers
MAX_LAP_NS = 3600 * NS_PER_S
MAX_DISMISSED = 64  # proposals of one run that can be asked again


def rule(run: Run, command: e.Command, scale: UtcScale) -> list[Fact]:
    """Applies a ruling to the run; returns its facts. A racer that it names must be spelled as in the race.

    Raises Refused, before anything has changed.
    """
    if isinstance(command, e.AddCrossing):
        return _add_crossing(run, command, scale)
    return _RULINGS[type(command)](run, command)


def _checked(run: Run, number: int) -> int:
    if not 1 <= number <= run.book.done:
        laps = text("it has laps 1 to {done}", done=run.book.done) if run.book.done else text("it has no finished lap")
        raise Refused(text("Run {run_id} has no lap {number}: {what}.", run_id=run.run_id, number=number, what=laps))
    return number


def _void(run: Run, command: e.VoidLap) -> list[Fact]:
    number = _checked(run, command.number)
    run.book.void(number, command.reason or text("voided by {author}", author=command.author))
    return [LapAdjusted(run.book.lap(number), command.author, command.reason)]


def _restore(run: Run, command: e.RestoreLap) -> list[Fact]:
    number = _checked(run, command.number)
    if run.book.doubts.doubtful(number) and not run.book.segments[number - 1].void:
        run.book.approve(number)
        return [LapAdjusted(run.book.lap(number), command.author, command.reason)]
    if not run.book.segments[number - 1].void:
        lap = run.book.lap(number)
        raise Refused(
            text("Lap {number} was not voided by an official: {reason}.", number=number, reason=lap.reason)
            if lap.reason
            else text("Lap {number} was not voided by an official.", number=number)
        )
    run.book.void(number, "")
    return [LapAdjusted(run.book.lap(number), command.author, command.reason)]


def _penalise(run: Run, command: e.AddPenalty) -> list[Fact]:
    number = _checked(run, command.number)
    if not math.isfinite(command.seconds) or not 0 < abs(command.seconds) <= MAX_PENALTY_S:
        raise Refused(
            text(
                "A penalty must be up to {seconds:.0f} seconds either way, and not zero.",
                seconds=MAX_PENALTY_S,
            )
        )
    why = f"{command.seconds:+g} s {command.reason or 'by ' + command.author}"
    run.book.penalise(number, seconds_to_ns(command.seconds), why)
    return [LapAdjusted(run.book.lap(number), command.author, command.reason)]


def _add_crossing(run: Run, command: e.AddCrossing, scale: UtcScale) -> list[Fact]:
    if not run.book.segments:
        raise Refused(
            text("Run {run_id} has no crossing yet: its first one can only come from the gate.", run_id=run.run_id)
        )
    boot, last_ns = run.book.segments[-1].start.boot, run.book.segments[-1].start.at_ns
    now = command.moment
    if command.at_ns > (now.at_ns if e.clock_of(now.boot) == e.clock_of(boot) else last_ns + MAX_LAP_NS):
        raise Refused(
            text("{at_ns} ns of the gate's clock has not come yet: a crossing lies in the past.", at_ns=command.at_ns)
        )
    flagged = [m for m in run.book.flagged if (m.boot, m.at_ns) == (boot, command.at_ns)]
    utc_ns = scale.utc_ns(boot, command.at_ns)
    added = CountedCrossing(0, command.at_ns, boot, utc_ns, min(max(0, command.uncertainty_ns), NS_PER_S), "official")
    if flagged and run.race.officiating and _began_at(run, flagged[0]):
        if command.with_incidents:
            run.book.unmerge(0)
        return _began(run, command)
    place = run.book.insert(flagged[0] if flagged else added)
    if place is None:
        raise Refused(
            text(
                "Run {run_id} has no lap at {at_ns} ns of its gate's clock that could be divided.",
                run_id=run.run_id,
                at_ns=command.at_ns,
            )
        )
    if command.with_incidents:
        run.book.unmerge(place)
    return [LapsRecomputed(run.run_id, run.book.laps(), command.author, command.reason)]


def _began_at(run: Run, flagged: CountedCrossing) -> bool:
    """Makes a flagged crossing from before the first one the first one; returns whether it was such a crossing."""
    first = run.book.segments[0].start
    if flagged.boot != first.boot or flagged.at_ns >= first.at_ns or run.signal is not None:
        return False
    run.book.begin_at(flagged)
    run.start_at(flagged)
    return True


def _began(run: Run, command: e.Command) -> list[Fact]:
    """The facts after lap 1 was given another beginning; the time limit and the numbers of all laps follow from it."""
    first = run.book.segments[0].start
    return [
        f.RunStarted(run.run_id, first.crossing, first.at_ns, first.boot, first.utc_ns),
        LapsRecomputed(run.run_id, run.book.laps(), command.author, command.reason),
    ]


def _drop_start(run: Run, command: e.DropCrossing) -> list[Fact]:
    """Makes the run begin at its next crossing, which may still be to come."""
    if run.signal is not None:
        raise Refused(text("Run {run_id} began with the start signal, not at a crossing.", run_id=run.run_id))
    if not run.book.segments:
        raise Refused(text("Run {run_id} has no crossing yet.", run_id=run.run_id))
    if len(run.book.segments) == 1 and not run.on:
        raise Refused(text("It is the only crossing of run {run_id}, which is over.", run_id=run.run_id))
    run.book.drop_start()
    run.begin_again(command.moment)
    if run.book.segments:
        return _began(run, command)
    return [LapsRecomputed(run.run_id, (), command.author, command.reason), f.PhaseChanged(run.run_id, run.phase)]


def _drop_crossing(run: Run, command: e.DropCrossing) -> list[Fact]:
    if command.number == 0 and run.race.officiating:
        return _drop_start(run, command)
    begun, now = run.begun_again, command.moment
    if begun is not None and begun.boot == now.boot and now.at_ns - begun.at_ns < RENUMBERED_NS:
        raise Refused(
            text(
                "Lap 1 of run {run_id} was given another beginning a moment ago, so its laps have new numbers: "
                "check the number again.",
                run_id=run.run_id,
            )
        )
    run.book.drop(_checked(run, command.number), undoes=command.undoes > 0)
    return [LapsRecomputed(run.run_id, run.book.laps(), command.author, command.reason)]


def assign(
    run: Run, command: e.AssignCrossing, crossing: f.Crossing, counted: CountedCrossing, holder: Run | None
) -> list[Fact]:
    """Gives a doubtful crossing to this run, as its first one, a new first one, or one within; returns the facts.

    `holder` is the run that has had it so far. Raises Refused if it has no place in the run.
    """
    if holder is not None and len(holder.book.segments) == 1:
        raise Refused(
            text(
                "It is the only crossing of {run_id}: abandon that run, or give it another one first.",
                run_id=holder.run_id,
            )
        )
    why = text("given by {author}", author=command.author)
    if command.reason:
        why = text("given by {author}: {reason}", author=command.author, reason=command.reason)
    facts: list[Fact] = [f.Attributed(crossing.number, run.run_id, run.car, why, 100)]
    started = f.RunStarted(run.run_id, counted.crossing, counted.at_ns, counted.boot, counted.utc_ns)
    if not run.book.segments:
        if not (run.on and run.released):
            raise Refused(text("Run {run_id} has not been started: it cannot have a crossing yet.", run_id=run.run_id))
        run.book.add(counted)
        run.begin(counted)
        return [*facts, started, f.PhaseChanged(run.run_id, "running")]
    place = run.book.place(counted)
    if place is None:
        raise Refused(
            text(
                "Run {run_id} has another crossing at that time, or crossings of another clock: crossing {number} "
                "cannot be one of its own.",
                run_id=run.run_id,
                number=crossing.number,
            )
        )
    if place == 0:
        run.start_at(counted)
        facts.append(started)
    return [*facts, LapsRecomputed(run.run_id, run.book.laps(), command.author, command.reason)]


def confirm_assignment(run: Run, command: e.AssignCrossing) -> list[Fact]:
    """Confirms, for an official, that the crossing is this run's; returns the fact."""
    run.book.approve(run.book.place_of(command.number))
    return [f.Attributed(command.number, run.run_id, run.car, text("given by {author}", author=command.author), 100)]


def remove_assigned(run: Run, command: e.AssignCrossing) -> list[Fact]:
    """Removes a crossing that an official has just given to another run; returns the facts."""
    facts: list[Fact] = []
    if run.book.remove(command.number) == 0:
        first = run.book.segments[0].start
        run.start_at(first)
        facts.append(f.RunStarted(run.run_id, first.crossing, first.at_ns, first.boot, first.utc_ns))
    return [*facts, LapsRecomputed(run.run_id, run.book.laps(), command.author, command.reason)]


def remove_others(run: Run, gone: Sequence[f.Crossing], command: e.AssignTransponder) -> list[Fact]:
    """Removes crossings that were another run's by their transponder; returns the facts.

    A run that is left without any begins at its next crossing or, if it is over, never began.
    """
    first = run.book.segments[0].start
    for crossing in gone:
        run.book.remove(crossing.number)
    recomputed = LapsRecomputed(run.run_id, run.book.laps(), command.author, command.reason)
    if run.book.segments and run.book.segments[0].start is first:
        return [recomputed]
    phase = run.phase
    if run.on:
        run.begin_again(command.moment)
    elif run.book.segments:
        run.start_at(run.book.segments[0].start)
    else:
        run.never_began()
    if run.book.segments:
        return _began(run, command)
    run.proposals.clear()
    return [recomputed, f.PhaseChanged(run.run_id, run.phase)] if run.phase != phase else [recomputed]


def dismiss(run: Run, command: e.DismissProposal) -> list[Fact]:
    """Withdraws what was proposed for that time; returns the facts. Raises Refused if nothing was."""
    dismissed = [proposal for proposal in run.proposals if proposal.at_ns == command.at_ns]
    if not dismissed:
        raise Refused(
            text(
                "Nothing is proposed for run {run_id} at {at_ns} ns of its gate's clock.",
                run_id=run.run_id,
                at_ns=command.at_ns,
            )
        )
    run.proposals = [proposal for proposal in run.proposals if proposal.at_ns != command.at_ns]
    run.dismissed = [*run.dismissed, *dismissed][-MAX_DISMISSED:]
    for number in sorted(run.book.doubts.held):
        if run.book.segments[number].start.at_ns == command.at_ns:
            run.book.approve(number)
    return [
        f.ProposalDismissed(run.run_id, each.kind, each.at_ns, command.author, command.reason) for each in dismissed
    ]


def restore_proposal(run: Run, command: e.RestoreProposal) -> list[Fact]:
    """Asks again what was dismissed for that time; returns the fact. Raises Refused if nothing was.

    A short lap that was accepted by the dismissal is held again.
    """
    again = [proposal for proposal in run.dismissed if proposal.at_ns == command.at_ns]
    if not again:
        raise Refused(text("Nothing was dismissed for {run} at that time.", run=run.run_id))
    run.dismissed = [proposal for proposal in run.dismissed if proposal.at_ns != command.at_ns]
    run.proposals += again
    if any(proposal.kind == "false_crossing" for proposal in again):
        run.book.doubt_again(command.at_ns)
    return [f.ProposalRestored(run.run_id, command.at_ns, command.author, command.reason)]


def _reassign(run: Run, command: e.ReassignRun) -> list[Fact]:
    racer, was = command.racer, run.racer
    if racer == was:
        raise Refused(text("Run {run_id} is already {racer}'s.", run_id=run.run_id, racer=racer))
    run.racer = racer
    return [RunReassigned(run.run_id, racer, was, command.author, command.reason)]


_RULINGS: dict[type[e.Command], Callable[[Run, Any], list[Fact]]] = {
    e.DismissProposal: dismiss,
    e.VoidLap: _void,
    e.RestoreLap: _restore,
    e.AddPenalty: _penalise,
    e.DropCrossing: _drop_crossing,
    e.ReassignRun: _reassign,
}
