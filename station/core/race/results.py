"""Judges a run when it is over, and again after each ruling: its score, its result, the race's standings.

Called by whatever ends a run (counting.py, time_limit.py, orders.py), submits it (submission.py), changes its laps
(crossing_changes.py, orders.py) or corrects a clock (set_up.py). A result that differs from the last one that was due
is due again, with a higher revision.
"""

from collections.abc import Iterable, Sequence
from dataclasses import replace

from shared.rules.ranking import Placed, RunLap, Score
from shared.text import text
from shared.units import seconds_to_ns
from station.core import facts as f
from station.core import inputs as e
from station.core.race.race import Race
from station.core.race.standings import by_version, result, uncertainty_of
from station.core.runs.phases import Trigger
from station.core.runs.run import Run
from station.core.timing.utc_scale import ClockCorrection


def finish(race: Race, run: Run, trigger: Trigger, reason: str, counts: bool, utc_ns: int, boot: str) -> list[f.Fact]:
    """Ends the run at `utc_ns` by the clock of `boot`; returns the facts. `counts` False: it is abandoned, unscored."""
    run.finish(trigger, reason, counts, utc_ns)
    run.finished_boot = boot
    run.staged = run.paused = None
    race.on_track.remove(run)
    race.last = run
    laps = run.book.laps()
    waits = counts and race.info.submit_after_s != 0
    run.submitted = counts and not waits
    return [
        f.RunFinished(run.run_id, reason, len(laps), counts, utc_ns),
        f.PhaseChanged(run.run_id, "finished"),
        *([] if run.without_agent else [run.ordered("stop")]),
        *_judged(race, run, laps),
        *(_await_submission(race, run) if waits else []),
        *(discard_replaced(race, run, "station") if run.submitted else []),
    ]


def _await_submission(race: Race, run: Run) -> list[f.Fact]:
    race.waiting.append(run)
    after_s = race.info.submit_after_s
    return [f.SubmissionPending(run.run_id, None if after_s < 0 else run.finished_utc_ns + seconds_to_ns(after_s))]


def discard(race: Race, run: Run, author: str, reason: str) -> list[f.Fact]:
    """The finished run does not count any more; returns the facts, with the withdrawal of what was posted."""
    run.counts = False
    race.forget_waiting(run)
    return [f.RunDiscarded(run.run_id, author, reason), *judge(race, run)]


def discard_replaced(race: Race, run: Run, author: str) -> list[f.Fact]:
    """Discards the run that this one replaces, now that it is submitted; returns the facts."""
    replaced = race.runs.get(run.replaces)
    if replaced is None or replaced.on or not replaced.counts:
        return []
    return discard(race, replaced, author, text("replaced by {run}", run=run.run_id))


def finish_if_full(race: Race, run: Run, utc_ns: int, boot: str) -> list[f.Fact]:
    """Ends the run at `utc_ns` by the clock of `boot` if all its laps are done; returns the facts."""
    if not run.full() or run.phase != "running":
        return []
    return finish(race, run, "laps done", text("all laps done"), True, utc_ns, boot)


def judge(race: Race, run: Run) -> list[f.Fact]:
    """Judges a finished run as it stands now: the facts of its score, its result and the standings."""
    return _judged(race, run, run.book.laps())


def judge_all(race: Race, runs: Iterable[Run], before: Sequence[Placed]) -> list[f.Fact]:
    """Judges several runs after one change that concerns them all; the standings follow once, if they changed.

    `before`: the lines of the standings before the change.
    """
    facts = [fact for run in runs if run.phase == "finished" for fact in _scored(race, run, run.book.laps())[0]]
    lines = race.standings.lines()
    return facts if lines == tuple(before) else [*facts, f.StandingChanged(race.info.race_id, lines)]


def _judged(race: Race, run: Run, laps: Sequence[f.Lap]) -> list[f.Fact]:
    facts, moved = _scored(race, run, laps)
    return [*facts, f.StandingChanged(race.info.race_id, race.standings.lines())] if moved else facts


def _scored(race: Race, run: Run, laps: Sequence[f.Lap]) -> tuple[list[f.Fact], bool]:
    """The facts of the run's score and result, and whether the standings changed."""
    ranked = run.book.ranked()
    score = run.book.score() if run.counts and not run.disqualified else None
    run.score = score
    _record_fastest(race, run, laps)
    facts: list[f.Fact] = []
    if run.counts:
        first, last = (score.first_lap, score.last_lap) if score else (0, 0)
        facts.append(f.Qualified(run.run_id, run.racer, score.score_ms if score else None, first, last))
    counted = score if run.submitted else None
    # A run that was driven is an attempt, also without a score; the leaderboard shows it to its racer.
    attempt = run.counts and run.submitted and run.begun and race.info.officiating >= e.ATTEMPTS
    if counted is not None or run.posted is not None or attempt:
        facts += _due(race, run, laps, ranked, counted)
    uncertainty_ns = uncertainty_of(run.race, laps, counted) if race.info.ties_by_uncertainty else 0
    return facts, race.standings.score(run.run_id, run.racer, counted, uncertainty_ns)


def _due(race: Race, run: Run, laps: Sequence[f.Lap], ranked: Sequence[RunLap], score: Score | None) -> list[f.Fact]:
    """The run's result as a fact, if it differs from the last one that was due."""
    last, identity = run.posted, race.identity
    result_id = last.result_id if last else identity.result_id(race.info.race_id, run.run_id)
    due = result(run, laps, ranked, score, result_id, last.revision if last else 1)
    if race.info.officiating >= e.ATTEMPTS:
        due = by_version(due, run, known=last is not None and last.v == 1)
    due = replace(due, evidence=replace(due.evidence, clock_trusted=all(map(race.scale.trusts, run.boots))))
    if due == last:
        return []
    if last is not None:
        due = replace(due, revision=identity.revision_after(last.revision, run.posted_in))
    run.posted, run.posted_in = due, identity.start
    return [f.ResultDue(due)]


def _record_fastest(race: Race, run: Run, laps: Sequence[f.Lap]) -> None:
    """Records the run's fastest lap, as a measure of how fast cars are in this race."""
    fastest_ns = min((lap.lap_ns for lap in laps if lap.valid), default=None) if run.counts else None
    race.fastest.pop(run.run_id, None)
    if fastest_ns is not None:
        race.fastest[run.run_id] = fastest_ns


def judge_again(race: Race, run: Run, command: e.Command) -> list[f.Fact]:
    """After a ruling: ends a run that is full now, or judges a finished one again; returns the facts."""
    return judge(race, run) if run.phase == "finished" else finish_if_full(race, run, *when(race, command))


def when(race: Race, command: e.Command) -> tuple[int, str]:
    """The command's time of day on the scale of the laps, and the boot of its clock.

    A correction of the scale moves the command and the laps alike.
    """
    return race.scale.of_moment(command.moment), command.moment.boot


def corrected(race: Race, correction: ClockCorrection) -> list[f.Fact]:
    """Corrects the times of day of all runs concerned; gives the facts, including results that are due again."""

    def wrong(boot: str) -> bool:
        return race.scale.of(boot) in correction.boots

    for run in race.on_track:
        run.forget_clocks(wrong)
    facts: list[f.Fact] = []
    for run in [each for each in race.runs.values() if any(map(wrong, each.boots))]:
        run.correct(wrong, correction.by_ns)
        if correction.by_ns and run.book.done:
            facts.append(f.LapsRecomputed(run.run_id, run.book.laps(), "station", text("the clock was put right")))
        if run.phase == "finished":
            facts += judge(race, run)
    return facts
