"""The questions that officials are asked about a run's crossings, in one place with their sentences. Pure.

Called by the witnesses (car_witness.py), by the attribution among several cars (multi_car.py), by the backup timing
(engine.py) and by the run's own laps (lap_doubts.py). Each function gives one `Proposal`; its caller adds it to the
run's list. Example: `missed_by_car("run-1", at_ns)` asks whether the gate missed a crossing that the car saw.
"""

from collections.abc import Sequence

from shared.text import text
from shared.units import NS_PER_S
from station.core.facts import Proposal
from station.core.runs.run import Run

USUAL = text("the usual lap")  # the witness of a run's own laps
HAND = text("a hand time")  # the witness of an official's tap


def missed_by_car(run_id: str, at_ns: int) -> Proposal:
    """The car reports a passing where the gate has no crossing; `at_ns` is on the gate's clock, here and below."""
    sentence = text("The car saw the gate where the gate saw no car: was a crossing missed?")
    return Proposal(run_id, "missed_crossing", at_ns, "car", sentence)


def false_by_car(run_id: str, at_ns: int) -> Proposal:
    """The gate has a crossing within what the car reports as one lap."""
    sentence = text("The gate saw a crossing within what the car reports as one lap: was it false?")
    return Proposal(run_id, "false_crossing", at_ns, "car", sentence)


def missed_by_system_a(run_id: str, at_ns: int) -> Proposal:
    """Only the backup timing saw a car, and its clock is not known well enough for its stamp to count."""
    sentence = text("System B saw a car where A saw none: was a crossing missed?")
    return Proposal(run_id, "missed_crossing", at_ns, text("system B"), sentence)


def missed_among_cars(run_id: str, car: str, at_ns: int, witness: str) -> Proposal:
    """With several cars on the track: by this `witness`, the car passed where the gate has no crossing."""
    sentence = text(
        "According to {witness}, {car} passed the gate where it saw no car: was a crossing missed?",
        witness=witness,
        car=car,
    )
    return Proposal(run_id, "missed_crossing", at_ns, car, sentence)


def doubtful_among_cars(runs: Sequence[Run], crossing: int, at_ns: int, car: str, why: str, percent: int) -> Proposal:
    """Which of these runs (the likeliest first) made the crossing? `why` and `percent`: the evidence for `car`."""
    names = ", ".join(f"{run.run_id} ({run.car})" for run in runs)
    sentence = text(
        "Whose crossing was it: {names}, or nobody's? The evidence for {car}: {why}.", names=names, car=car, why=why
    )
    others = tuple(run.run_id for run in runs[1:])
    return Proposal(runs[0].run_id, "doubtful_crossing", at_ns, "cars", sentence, crossing, percent, others)


def false_among_cars(runs: Sequence[Run], crossing: int, at_ns: int, why: str) -> Proposal:
    """None of the cars on the track seems to have made the crossing; `runs`: the likeliest all the same, in order."""
    sentence = text("The gate saw a crossing where {why}, by the cars' reports and laps: was it false?", why=why)
    others = tuple(run.run_id for run in runs[1:])
    return Proposal(runs[0].run_id, "false_crossing", at_ns, "cars", sentence, crossing, 0, others)


def contradicted(run: Run, other: Run, crossing: int, at_ns: int, why: str) -> Proposal:
    """The crossing counts for `run`, but according to a late report it was the `other` run's."""
    sentence = text(
        "Whose crossing was it? It was given to {run_id} ({car}), but {why}.", run_id=run.run_id, car=run.car, why=why
    )
    return Proposal(run.run_id, "doubtful_crossing", at_ns, "cars", sentence, crossing, 0, (other.run_id,))


def short_lap(run_id: str, number: int, at_ns: int, why: str) -> Proposal:
    """Lap `number` is too short to be believed: the crossing that ended it may have been false."""
    sentence = text(
        "Lap {number} is {why}. Was its crossing false (a car that turned back, a hand)? Until an "
        "official decides, it does not count, nor does the lap after it.",
        number=number,
        why=why,
    )
    return Proposal(run_id, "false_crossing", at_ns, USUAL, sentence)


def long_lap(run_id: str, number: int, at_ns: int, laps: int, off_ns: int | None = None) -> Proposal:
    """Lap `number` is as long as this number of `laps`: the gate may have missed a crossing at about `at_ns`.

    `off_ns`: how far that may be off; None in races of an older edition, which did not state it.
    """
    if off_ns is None:
        sentence = text(
            "Lap {number} is as long as {laps} usual ones: was a crossing missed?", number=number, laps=laps
        )
        return Proposal(run_id, "missed_crossing", at_ns, USUAL, sentence)
    sentence = text(
        "Lap {number} is as long as {laps} usual ones: was a crossing missed? Its time is known to ±{seconds} s.",
        number=number,
        laps=laps,
        seconds=_tenths(off_ns),
    )
    return Proposal(run_id, "missed_crossing", at_ns, USUAL, sentence, uncertainty_ns=off_ns)


def missed_by_hand(run_id: str, number: int, at_ns: int, off_ns: int) -> Proposal:
    """An official timed a pass by hand, within lap `number`, where the gate has no crossing."""
    sentence = text(
        "A pass was timed by hand in lap {number}, where the gate saw no car: was a crossing missed? "
        "Its time is known to ±{seconds} s.",
        number=number,
        seconds=_tenths(off_ns),
    )
    return Proposal(run_id, "missed_crossing", at_ns, HAND, sentence, uncertainty_ns=off_ns)


def very_long_lap(run_id: str, number: int, at_ns: int, laps: int) -> Proposal:
    """Lap `number` is so long that its own length gives no times; `at_ns`: its middle."""
    sentence = text(
        "Lap {number} took as long as about {laps} usual ones: did the car stand still, or did the gate miss it?",
        number=number,
        laps=laps,
    )
    return Proposal(run_id, "long_lap", at_ns, USUAL, sentence)


def _tenths(ns: int) -> str:
    """The uncertainty in seconds, rounded up to a tenth."""
    return f"{-(-ns * 10 // NS_PER_S) / 10:.1f}"
