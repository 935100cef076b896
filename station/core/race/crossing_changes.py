"""Moves crossings from one run to another, after an official decided who made one or who owns a transponder.

Called by orders.py for a single crossing, by attribution.py and wrong_owner.py for all crossings of a transponder. What
was counted for one run is removed from it and counted for another; both are judged again.
"""

from collections.abc import Mapping, Sequence

from shared.errors import Refused
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.race.counting import as_counted, lap_doubts, rebase
from station.core.race.race import Race
from station.core.race.results import finish, judge_again
from station.core.rulings.lap_rulings import assign, confirm_assignment, remove_assigned, remove_others
from station.core.runs.recount import RecountedRun, TransponderPass, recounted, restarted_at
from station.core.runs.run import Run


def count_late(race: Race, run: Run, crossings: Sequence[f.Crossing], command: e.AssignTransponder) -> list[f.Fact]:
    """Counts crossings that were not known to be this run's when they came; gives the facts."""
    facts = [fact for crossing in crossings for fact in _place(race, run, crossing, command)]
    if not facts:
        return []
    recomputed = f.LapsRecomputed(run.run_id, run.book.laps(), command.author, command.reason)
    return [
        *(fact for fact in facts if not isinstance(fact, f.LapsRecomputed)),
        recomputed,
        *judge_again(race, run, command),
    ]


def remove_from_others(
    race: Race, run: Run, crossings: Sequence[f.Crossing], command: e.AssignTransponder
) -> list[f.Fact]:
    """Removes these crossings, which are `run`'s, from the other runs that have them; gives those runs' facts."""
    facts: list[f.Fact] = []
    for other in [each for each in race.runs.values() if each is not run]:
        gone = [crossing for crossing in crossings if other.book.holds(crossing.number)]
        if gone:
            for crossing in gone:
                race.add_doubtful(crossing)
            facts += _without(race, other, gone, command)
    return facts


def recount_run(
    race: Race,
    run: Run,
    passes: Sequence[TransponderPass],
    gone: Mapping[int, f.Crossing],
    command: e.AssignTransponder,
) -> tuple[list[f.Fact], RecountedRun]:
    """Counts the run again from the passes of its own transponders; gives the facts, and the run as recounted.

    `gone`: crossings that belong to other owners, by number.
    """
    facts: list[f.Fact] = []
    if run.signal is not None and passes and run.book.segments:
        facts = rebase(race, run, run.signal, as_counted(race, passes[0].crossing, passes[0].source))
    recount = recounted(run, passes, gone, lambda each: as_counted(race, each.crossing, each.source))
    before, was, phase = [segment.start for segment in run.book.segments], run.book.doubts.held, run.phase
    run.book.replace_crossings(recount.counted_crossings, recount.flagged, gone)
    if recount.counted_crossings == before:
        return facts, recount
    for counted in before:
        if counted.crossing in gone:
            race.add_doubtful(gone[counted.crossing])
    for counted in recount.counted_crossings:
        if counted not in before:
            race.settle(counted.crossing)
    facts += restarted_at(run, before, command)
    facts.append(f.LapsRecomputed(run.run_id, run.book.laps(), command.author, command.reason))
    if run.phase != phase:
        facts.append(f.PhaseChanged(run.run_id, run.phase))
    facts += lap_doubts(race, run, was) if recount.counted_crossings else []
    if recount.last_lap and run.phase == "running":
        last = recount.counted_crossings[-1]
        over = finish(race, run, "time up", text("time is up, the last lap is done"), True, last.utc_ns, last.boot)
        return [*facts, *over], recount
    return [*facts, *judge_again(race, run, command)], recount


def _without(race: Race, run: Run, gone: Sequence[f.Crossing], command: e.AssignTransponder) -> list[f.Fact]:
    """Removes crossings that were not the run's, and judges the rest; if none is left, the run has not begun."""
    facts, was = remove_others(run, gone, command), run.book.doubts.held
    return [*facts, *(lap_doubts(race, run, was) if run.book.segments else []), *judge_again(race, run, command)]


def _place(race: Race, run: Run, crossing: f.Crossing, command: e.AssignTransponder) -> list[f.Fact]:
    """Places a crossing in the run by its own stamp; gives the facts, none if it cannot count there.

    It cannot if it is too close to another one or after the time limit, or if the run is full or was abandoned.
    """
    ends_ns, counted = run.cutoff_ns(crossing.boot), as_counted(race, crossing, "gate")
    over = run.full() or not run.counts or (ends_ns is not None and crossing.at_ns > ends_ns)
    if over or run.book.near(crossing.boot, crossing.at_ns):
        return []
    if not run.book.segments:  # it ended before it began
        run.book.add(counted)
        run.begun = True
        run.start_at(counted)
        race.settle(crossing.number)
        why = text(
            "its transponder {transponder}, given by {author}", transponder=crossing.transponder, author=command.author
        )
        started = f.RunStarted(run.run_id, counted.crossing, counted.at_ns, counted.boot, counted.utc_ns)
        return [f.Attributed(crossing.number, run.run_id, run.car, why, 100), started]
    given = e.AssignCrossing(
        author=command.author,
        reason=command.reason,
        number=crossing.number,
        run_id=run.run_id,
        moment=command.moment,
    )
    try:
        return _assigned_to(race, run, given, crossing)
    except Refused:  # it has no place in the run, and stays doubtful
        return []


def assign_crossing(race: Race, run: Run, command: e.AssignCrossing) -> list[f.Fact]:
    """Gives a doubtful crossing to `run`, as an official decides; returns the facts. Raises Refused."""
    crossing = race.doubtful.get(command.number)
    if crossing is None:
        raise Refused(
            text(
                "The crossing {number} is not in doubt, so it cannot be given to {run_id}.",
                number=command.number,
                run_id=run.run_id,
            )
        )
    return [*_assigned_to(race, run, command, crossing), *judge_again(race, run, command)]


def _assigned_to(race: Race, run: Run, command: e.AssignCrossing, crossing: f.Crossing) -> list[f.Fact]:
    """Gives the crossing to this run; the run that had it so far loses it."""
    holder = race.holder(crossing.number)
    was = run.book.doubts.held
    if holder is run:
        facts = confirm_assignment(run, command)
    else:
        facts = assign(run, command, crossing, as_counted(race, crossing, "gate"), holder)
    if holder is not None and holder is not run:
        facts = [*remove_assigned(holder, command), *judge_again(race, holder, command), *facts]
        facts += lap_doubts(race, holder, holder.book.doubts.held)
    race.settle(command.number)
    return [*facts, *lap_doubts(race, run, was)]
