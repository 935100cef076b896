"""Submits or discards the result of a run that is over: by an official, or by the station after a while.

Called by orders.py and, as time goes by, by engine.py. Until it is submitted a result is scored and shown, but counts
in no standing and is not posted, so that an official can look at it first.
"""

from shared.errors import Refused
from shared.text import text
from shared.units import seconds_to_ns
from station.core import facts as f
from station.core import inputs as e
from station.core.race.race import Race
from station.core.race.results import discard, discard_replaced, judge
from station.core.runs.run import Run

STATION = "station"  # the author of a submission by the race's setting


def submit(race: Race, run: Run, author: str) -> list[f.Fact]:
    """Submits the run's result, also of a run that was discarded or abandoned; returns the facts. Raises Refused."""
    if run.submitted and run.counts:
        raise Refused(text("Run {run} has been submitted already.", run=run.run_id))
    allowed = run.rules.attempts_per_racer
    if not run.counts and run.begun and allowed is not None and race.registry.attempts(run.racer) >= allowed:
        values = {"racer": run.racer, "allowed": allowed, "race": race.info.race_id}
        raise Refused(text("{racer} has used all {allowed} attempts of the race {race}.", **values))
    run.submitted = run.counts = True
    race.forget_waiting(run)
    return [f.RunSubmitted(run.run_id, author), *judge(race, run), *discard_replaced(race, run, author)]


def submit_run(race: Race, run: Run, command: e.SubmitRun) -> list[f.Fact]:
    """Submits the run's result by an official's command; returns the facts. Raises Refused."""
    return submit(race, run, command.author)


def discard_run(race: Race, run: Run, command: e.DiscardRun) -> list[f.Fact]:
    """The run does not count; returns the facts. Raises Refused if it does not count already."""
    if not run.counts:
        raise Refused(text("Run {run} does not count already.", run=run.run_id))
    return discard(race, run, command.author, command.reason)


def tick(race: Race, now: e.Moment) -> list[f.Fact]:
    """Submits the results that have waited for as long as the race says by `now`; returns the facts."""
    if race.info.submit_after_s < 0 or not race.waiting:
        return []
    now_utc_ns, wait_ns = race.scale.of_moment(now), seconds_to_ns(race.info.submit_after_s)
    over = [run for run in race.waiting if now_utc_ns >= run.finished_utc_ns + wait_ns]
    return [fact for run in over for fact in submit(race, run, STATION)]
