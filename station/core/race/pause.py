"""The pause of a race: no start is given and time limits stand still, while laps go on being timed.

Called by orders.py. What was counted before and during a pause stays as it is; an official is asked whether the lap in
which it began counts.
"""

from shared.errors import Refused
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.race.race import Race, RacePause
from station.core.race.starts import cancel
from station.core.runs.run import PausedSpan, Run


def pause(race: Race, command: e.PauseRace) -> list[f.Fact]:
    """Pauses the race; returns the facts. Raises Refused if it is paused already."""
    if race.paused is not None:
        raise Refused(text("The race is paused already, by {author}.", author=race.paused.author))
    now = command.moment
    race.paused = RacePause(now, command.author, command.reason)
    facts: list[f.Fact] = []
    for run in race.on_track:
        facts += cancel(run, text("the race was paused"))
        ends_ns = run.cutoff_ns(now.boot)
        if ends_ns is None or ends_ns > now.at_ns:
            run.paused = now
        _mark_lap(run, now)
    paused = tuple(run.run_id for run in race.on_track if run.paused is not None)
    paused_at_utc_ns = race.scale.of_moment(now)
    return [f.RacePaused(race.info.race_id, paused, command.author, command.reason, paused_at_utc_ns), *facts]


def proceed(race: Race, command: e.ContinueRace) -> list[f.Fact]:
    """Ends the pause; returns the fact. Raises Refused if the race is not paused."""
    if race.paused is None:
        raise Refused(text("The race is not paused."))
    now, began = command.moment, race.paused.moment
    if began.boot == now.boot:
        paused_ns = max(0, now.at_ns - began.at_ns)
    else:  # the station's clock started again meanwhile: only the time of day is left
        paused_ns = max(0, race.scale.of_moment(now) - race.scale.of_moment(began))
    for run in race.on_track:
        if run.paused is not None:
            run.paused = None
            run.pauses.append(PausedSpan(now.boot, now.at_ns - paused_ns, now.at_ns))
    race.paused = None
    return [f.RaceContinued(race.info.race_id, paused_ns, command.author)]


def paused_lap(run: Run, number: int) -> list[f.Fact]:
    """Asks about lap `number`, which has just ended, if the race was paused within it; returns the question."""
    begun, ended = run.book.segments[number - 1], run.book.segments[number]
    if not begun.paused or begun.start.boot != ended.start.boot:
        return []
    # Between the two crossings, so that it is the proposal of no crossing.
    at_ns = min(max(begun.paused, begun.start.at_ns + 1), ended.start.at_ns - 1)
    sentence = text("The race was paused in lap {number}: does the lap count?", number=number)
    run.proposals.append(f.Proposal(run.run_id, "paused_lap", at_ns, "pause", sentence))
    return [run.proposals[-1]]


def ruled(run: Run, number: int) -> None:
    """An official voided lap `number`: the question about its pause is answered."""
    begun, ended = run.book.segments[number - 1].start, run.book.segments[number].start
    run.proposals = [
        each for each in run.proposals if each.kind != "paused_lap" or not begun.at_ns < each.at_ns < ended.at_ns
    ]


def _mark_lap(run: Run, now: e.Moment) -> None:
    if run.phase != "running" or not run.book.segments:
        return
    current = run.book.segments[-1]
    same_clock = e.clock_of(current.start.boot) == e.clock_of(now.boot)
    current.paused = current.paused or (now.at_ns if same_clock else current.start.at_ns + 1)
