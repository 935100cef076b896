"""Hand times that count as crossings: all of them where the gate is dead, one where an official says so. Pure.

Called by orders.py (a hand time is given; one is counted as a crossing) and by counting.py (a sensor sees a pass that
a hand has timed). A hand time is accurate to a tenth of a second, and never replaces a sensor's by itself.
"""

from shared.errors import Refused
from shared.text import text
from station.core import facts as f
from station.core import inputs as e
from station.core.rulings.commands import HandCrossing
from station.core.runs.hand_marks import HAND_NS, SAME_PASS_NS, on_gate
from station.core.runs.laps import CountedCrossing
from station.core.runs.run import Run
from station.core.timing.utc_scale import UtcScale


def crossing_by_hand(run: Run, command: e.HandTime, scale: UtcScale) -> f.Crossing | None:
    """In a run that is timed by hand: the crossing that this hand time makes; None if it makes none.

    It makes none if a sensor saw the same pass, or if it comes sooner than a lap can end.
    """
    if not run.hand_timed or not run.on or not run.released:
        return None
    last = run.book.segments[-1].start if run.book.segments else None
    boot = last.boot if last is not None else command.moment.boot
    at_ns = on_gate(scale, command.moment, boot)
    if at_ns is None:
        boot, at_ns = command.moment.boot, command.moment.at_ns
    crossing = f.Crossing(0, "", "", at_ns, boot, HAND_NS)
    if last is not None and last.boot == boot and at_ns - last.at_ns < SAME_PASS_NS:
        return None
    probe = CountedCrossing(0, at_ns, boot, 0, HAND_NS, "hand")
    return None if run.book.too_soon(probe) else crossing


def yield_to_sensor(run: Run, counted: CountedCrossing, scale: UtcScale) -> list[f.Fact] | None:
    """A sensor saw a pass that a hand has timed: the sensor's time counts instead; None if no hand timed this pass.

    Hand times that were counted before are first put on the sensor's clock.
    """
    _move_to(run, counted.boot, scale)
    for number, segment in enumerate(run.book.segments):
        start = segment.start
        same = start.source == "hand" and start.boot == counted.boot
        if same and abs(start.at_ns - counted.at_ns) < SAME_PASS_NS:
            run.book.take_sensor(number, counted)
            if number == 0:
                run.start_at(counted)
            sentence = text("the gate saw this pass: its time counts instead of the hand's")
            return [f.LapsRecomputed(run.run_id, run.book.laps(), "station", sentence)]
    return None


def _move_to(run: Run, boot: str, scale: UtcScale) -> None:
    """Puts the hand times that were counted on the station's clock on the clock of `boot`, if it can be."""
    for number, segment in enumerate(run.book.segments):
        start = segment.start
        if start.source != "hand" or start.boot == boot:
            continue
        at_ns = on_gate(scale, e.Moment(start.boot, start.at_ns, start.utc_ns), boot)
        if at_ns is not None:
            run.book.move(number, boot, at_ns)


def count_mark(run: Run, command: HandCrossing, scale: UtcScale) -> list[f.Fact]:
    """Counts a crossing at a hand time of the run, as an official decides; returns the facts. Raises Refused."""
    if not run.book.segments:
        raise Refused(text("{run} has no crossing yet: its first one can only come from the gate.", run=run.run_id))
    boot = run.book.segments[-1].start.boot
    if command.at_ns not in [on_gate(scale, mark.moment, boot) for mark in run.hand_times]:
        raise Refused(text("{run} has no hand time at that moment: its marks are listed with the run.", run=run.run_id))
    near = [
        s.start for s in run.book.segments if s.start.boot == boot and abs(s.start.at_ns - command.at_ns) < SAME_PASS_NS
    ]
    if near:
        raise Refused(text("The gate has a crossing of this pass already: a hand time adds none beside it."))
    utc_ns = scale.utc_ns(boot, command.at_ns)
    if run.book.insert(CountedCrossing(0, command.at_ns, boot, utc_ns, HAND_NS, "hand")) is None:
        raise Refused(text("{run} has no lap at that hand time that could be divided.", run=run.run_id))
    return [f.LapsRecomputed(run.run_id, run.book.laps(), command.author, command.reason)]
