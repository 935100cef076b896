"""Starts of runs: at once by an official, or by the start lights; false starts; and a start that is taken back.

Called by orders.py for commands, by engine.py as time goes by, and by counting.py for a crossing during the lights.
Five lights are lit one a second; how long all of them stay lit is drawn at random, outside the core.
"""

from dataclasses import replace

from shared.errors import Refused
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.race.race import Race
from station.core.runs.laps import CountedCrossing
from station.core.runs.run import Run, StagedStart

SIGNAL_NS = 50_000_000  # an official's reaction time, and the command's way to the station
LIGHTS = 5
LIGHT_NS = 1_000_000_000  # from one light to the next
SHORTEST_DELAY_MS, LONGEST_DELAY_MS = 200, 3000
LATE_GO_NS = 2_000_000_000  # a start that could not be given for this long is cancelled: nobody expects it any more


def start(race: Race, run: Run, command: e.StartRun) -> list[f.Fact]:
    """Gives the start; by the race's rules, lap 1 and the time limit may begin with it. Raises Refused."""
    _check_not_paused(race)
    driven = race.models.check_at_start(run)
    again, run.released, run.staged, run.start_note = run.released, True, None, ""
    run.by_hand = command.by_hand or run.without_agent
    facts: list[f.Fact] = [f.RunReleased(run.run_id, command.author, run.by_hand), *driven]
    if run.rules.lap_1_from == "signal" and not again:
        run.signal = now = command.moment
        counted = CountedCrossing(0, now.at_ns, now.boot, race.scale.utc_ns(now.boot, now.at_ns), SIGNAL_NS, "official")
        run.book.add(counted)
        run.begin(counted)
        facts.append(f.RunStarted(run.run_id, 0, counted.at_ns, counted.boot, counted.utc_ns))
        facts.append(f.PhaseChanged(run.run_id, "running"))
    return facts if run.by_hand else [*facts, run.ordered("start")]


def stage(race: Race, run: Run, command: e.StageRun) -> list[f.Fact]:
    """Begins the start lights; returns the fact. Raises Refused."""
    _check_not_paused(race)
    if run.released:
        raise Refused(text("The start of {run} was given already.", run=run.run_id))
    if not SHORTEST_DELAY_MS <= command.delay_ms <= LONGEST_DELAY_MS:
        allowed = {"shortest": SHORTEST_DELAY_MS, "longest": LONGEST_DELAY_MS}
        raise Refused(text("`delay_ms` must be {shortest} to {longest}.", **allowed))
    race.models.check_entry(run)
    now = command.moment
    run.start_note = ""
    go_ns = now.at_ns + (LIGHTS - 1) * LIGHT_NS + command.delay_ms * 1_000_000
    run.staged = StagedStart(now, go_ns, command.by_hand or run.without_agent, command.author)
    return [f.RunStaged(run.run_id, now.boot, now.at_ns, go_ns, run.staged.by_hand, command.author)]


def lights_lit(staged_ns: int, go_ns: int, now_ns: int) -> int:
    """How many of the five lights are lit at `now_ns`, of a start that was staged at `staged_ns`."""
    if not staged_ns <= now_ns < go_ns:
        return 0
    return min(LIGHTS, 1 + (now_ns - staged_ns) // LIGHT_NS)


def due(race: Race, now: e.Moment) -> list[Run]:
    """The runs whose start lights are over at `now`, or were cut short by a restart of the station's clock."""
    staged = [run for run in race.on_track if run.staged is not None]
    return [
        run for run in staged if run.staged and (run.staged.moment.boot != now.boot or run.staged.go_ns <= now.at_ns)
    ]


def finish_lights(race: Race, run: Run, now: e.Moment) -> list[f.Fact]:
    """Gives the start that is due, as of its own moment; cancels it if it is too late for that. Returns the facts."""
    staged = run.staged
    if staged is None:
        return []
    if staged.moment.boot != now.boot or now.at_ns - staged.go_ns > LATE_GO_NS:
        return cancel(run, text("the station was not running at the moment of the start"))
    go = replace(
        staged.moment,
        at_ns=staged.go_ns,
        utc_ns=staged.moment.utc_ns + staged.go_ns - staged.moment.at_ns,
    )
    given = e.StartRun(author=staged.author, run_id=run.run_id, by_hand=staged.by_hand, moment=go)
    try:
        return start(race, run, given)
    except Refused as refusal:
        return cancel(run, str(refusal))


def cancel(run: Run, why: str) -> list[f.Fact]:
    """Ends the start lights without a start; returns the fact, none if they are not on."""
    if run.staged is None:
        return []
    run.staged = None
    run.start_note = text("No start was given: {why}.", why=why)
    return [f.StartCancelled(run.run_id, why)]


def early_ns(race: Race, run: Run, crossing: f.Crossing) -> int:
    """How long before the staged start the crossing was made, in ns; 0 or less: after it, or no start is staged."""
    if run.staged is None:
        return 0
    station = run.staged.moment.boot
    at_ns = race.scale.on_station(crossing.boot, crossing.at_ns, station)
    if at_ns is not None:
        return run.staged.go_ns - at_ns
    staged_utc_ns = race.scale.of_moment(run.staged.moment)
    return staged_utc_ns + run.staged.go_ns - run.staged.moment.at_ns - race.scale.utc_ns(crossing.boot, crossing.at_ns)


def false_start(run: Run, crossing: f.Crossing, early: int) -> list[f.Fact]:
    """The car crossed the line `early` ns before the start, which is cancelled; returns the facts."""
    run.false_starts += 1
    return [
        f.FalseStart(run.run_id, crossing.number, early),
        *cancel(run, text("false start, {seconds:.3f} s before the lights went out", seconds=early / 1e9)),
        *([] if run.without_agent else [run.ordered("stop")]),
    ]


def relaunch(_race: Race, run: Run, command: e.Relaunch) -> list[f.Fact]:
    """Takes the start back, or ends the start lights; returns the facts. Raises Refused if the car was at the line."""
    if run.staged is not None:
        return cancel(run, text("taken back by {author}", author=command.author))
    if not run.released:
        raise Refused(text("The start of {run} has not been given.", run=run.run_id))
    signal_only = run.signal is not None and len(run.book.segments) == 1
    if run.book.segments and not signal_only:
        raise Refused(text("The car of {run} has crossed the line: the run cannot be launched again.", run=run.run_id))
    phase, orders = run.phase, [] if run.by_hand else [run.ordered("stop")]
    run.book.withdraw_signal()
    run.relaunch(command.moment)
    changed = [f.PhaseChanged(run.run_id, run.phase)] if run.phase != phase else []
    return [f.RunRelaunched(run.run_id, command.author, command.reason), *changed, *orders]


def _check_not_paused(race: Race) -> None:
    if race.paused is not None:
        raise Refused(text("The race is paused by {author}: continue it first.", author=race.paused.author))
