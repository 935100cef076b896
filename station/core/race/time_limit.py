"""The time limit of runs, measured on the station's clock and judged by the stamps of crossings.

`tick` is called by engine.py as time goes by, `is_late` and `time_up` by counting.py for each crossing.
"""

from collections.abc import Mapping

from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.race.race import Race
from station.core.race.results import finish
from station.core.runs.run import LATE_EDGE_NS, Run


def tick(race: Race, now: e.Moment, undecided: f.Crossing | None = None) -> list[f.Fact]:
    """The facts of time limits that are over by `now`.

    A run is not ended while a crossing within its limit is still `undecided`: it may be the run's.
    """
    return [fact for run in tuple(race.on_track) for fact in _limit(race, run, now, undecided)]


def _limit(race: Race, run: Run, now: e.Moment, undecided: f.Crossing | None) -> list[f.Fact]:
    if run.phase != "running" or run.rules.time_limit_s is None or run.paused is not None:
        return []
    facts = _clocked(race, run, now)
    ends_ns = run.cutoff_ns(now.boot)
    if ends_ns is None or now.at_ns < ends_ns + LATE_EDGE_NS or _may_count(run, undecided):
        return facts
    if run.rules.at_time_limit == "stop":
        return facts + time_up(race, run, race.scale.of_moment(now), now.boot)
    if not run.last_lap:
        run.last_lap = True
        facts.append(f.TimeUp(run.run_id, race.scale.of_moment(now)))
    return facts


def _clocked(race: Race, run: Run, now: e.Moment) -> list[f.Fact]:
    """The run's start on the station's clock as a fact, when it first becomes known, or more precisely."""
    clock = e.clock_of(now.boot)
    if clock in run.clocks and clock not in run.restarts:
        return []
    first, sure = run.book.segments[0].start, run.race.officiating >= e.REBOOTS
    known = race.scale.on_station(first.boot, first.at_ns, clock) if sure else None
    if clock in run.clocks and known is None:
        return []
    by_day_ns = now.at_ns - max(0, race.scale.of_moment(now) - run.started_utc_ns)
    latest_ns = None
    if known is not None:
        run.restarts.pop(clock, None)
        run.clocks[clock] = min(now.at_ns, known)
    elif clock in run.restarts:
        latest_ns = run.latest_ns(clock)
        trusted = race.scale.trusts(first.boot) and race.scale.trusts(now.boot)
        run.clocks[clock] = min(by_day_ns, latest_ns) if trusted else latest_ns
    else:
        run.clocks[clock] = by_day_ns
    return [f.RunClock(run.run_id, now.boot, run.clocks[clock], latest_ns)]


def _may_count(run: Run, undecided: f.Crossing | None) -> bool:
    ends_ns = run.cutoff_ns(undecided.boot) if undecided is not None else None
    return undecided is not None and ends_ns is not None and undecided.at_ns <= ends_ns


def is_late(run: Run, crossing: f.Crossing) -> bool:
    """Whether the crossing came after the limit by its stamp.

    If the limit is not known on the crossing's clock: whether it was over on the station's.
    """
    ends_ns = run.cutoff_ns(crossing.boot)
    if ends_ns is None:
        return run.last_lap and run.race.officiating >= e.REBOOTS
    return crossing.at_ns > ends_ns


def time_up(race: Race, run: Run, utc_ns: int, boot: str) -> list[f.Fact]:
    """Ends the run, at its limit if that was measured, else at `utc_ns` by the clock of `boot`; returns the facts."""
    if run.unsure(boot):
        return finish(race, run, "time up", text("time is up"), True, utc_ns, boot)
    limit_ns = round((run.rules.time_limit_s or 0) * 1_000_000_000) + run.paused_ns()
    ended_utc_ns, boot = run.started_utc_ns + limit_ns, run.book.segments[0].start.boot
    return finish(race, run, "time up", text("time is up"), True, ended_utc_ns, boot)


def rebooted(race: Race, moment: e.Moment, last: Mapping[str, int]) -> None:
    """Tells the runs that are on that the station booted; `last`: the newest stamp (ns) of each clock before that."""
    for run in race.on_track:
        if run.phase == "running" and run.race.officiating >= e.REBOOTS:
            run.restarted(moment, last)
