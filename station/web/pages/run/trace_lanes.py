"""The lanes of a run's trace as a template draws them: each mark with its place in percent of the width. Pure.

The whole run is drawn by the server, so that it is there without JavaScript; run.js moves the marks when it zooms.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from shared.text import recorded, text
from shared.units import format_ms
from station.views.runs.run_trace import RunTrace, TracedCrossing

MAX_TICKS = 6  # at first, on the narrowest screen
MIN_WIDTH = 0.15  # percent: a pulse of a beam stays visible however short it is
_STEPS_MS = (100, 200, 500, 1_000, 2_000, 5_000, 10_000, 20_000, 30_000, 60_000, 120_000, 300_000, 600_000, 1_800_000)


@dataclass(frozen=True, slots=True)
class LaneMark:
    """One mark: where it begins and how wide it is in percent, what it is, and the sentence that explains it."""

    left: float
    width: float
    at_ms: float
    to_ms: float
    kind: str
    title: str
    lap: int | None = None


@dataclass(frozen=True, slots=True)
class TraceLane:
    """One lane: `kind` is "beam" (bars) or "points"."""

    name: str
    kind: str
    marks: tuple[LaneMark, ...]


@dataclass(frozen=True, slots=True)
class AxisTick:
    """A time on the axis."""

    left: float
    at_ms: float
    words: str


@dataclass(frozen=True, slots=True)
class TraceModel:
    """The trace: its lanes, the axis, and the time that it spans."""

    from_ms: float
    to_ms: float
    lanes: tuple[TraceLane, ...]
    ticks: tuple[AxisTick, ...]
    cut: bool


def trace_model(trace: RunTrace) -> TraceModel:
    """The lanes of a trace: beams, crossings, system B, the car, hand times; those that are empty are left out."""
    span = max(1.0, trace.to_ms - trace.from_ms)

    def place(at_ms: float) -> float:
        return round(100 * (at_ms - trace.from_ms) / span, 3)

    def point(at_ms: float, kind: str, title: str, lap: int | None = None) -> LaneMark:
        return LaneMark(place(at_ms), 0, at_ms, at_ms, kind, title, lap)

    lanes = []
    for beam in trace.beams:
        bars = []
        for pulse in beam.pulses:
            end_ms = pulse.end_ms if pulse.end_ms is not None else pulse.begin_ms
            width = max(MIN_WIDTH, round(place(end_ms) - place(pulse.begin_ms), 3))
            title = text("Beam broken at {at} for {ms} ms", at=_at(pulse.begin_ms), ms=round(end_ms - pulse.begin_ms))
            bars.append(LaneMark(place(pulse.begin_ms), width, pulse.begin_ms, end_ms, "beam", title))
        name = text("{gate}, {sensor}", gate=beam.gate, sensor=beam.sensor)
        lanes.append(TraceLane(name, "beam", tuple(bars)))
    crossings = [point(each.at_ms, each.state, _crossing_words(each), each.lap) for each in _of(trace, "A")]
    lanes.append(TraceLane(text("Crossings"), "points", tuple(crossings)))
    of_b = [point(each.at_ms, each.state, _crossing_words(each), each.lap) for each in _of(trace, "B")]
    reports = [
        point(each.at_ms, "report", text("{car} reports a pass at about {at}", car=each.car, at=_at(each.at_ms)))
        for each in trace.reports
    ]
    hand = [
        point(each.at_ms, "hand", text("Hand time of {author} at {at}", author=each.author, at=_at(each.at_ms)))
        for each in trace.hand_times
    ]
    more = ((text("System B"), of_b), (text("Car"), reports), (text("Hand"), hand))
    lanes += [TraceLane(name, "points", tuple(marks)) for name, marks in more if marks]
    ticks = tuple(AxisTick(place(at_ms), at_ms, tick_words(at_ms)) for at_ms in _ticks(trace.from_ms, trace.to_ms))
    return TraceModel(trace.from_ms, trace.to_ms, tuple(lanes), ticks, trace.cut)


def tick_words(at_ms: float) -> str:
    """A time on the axis: '0', '12', '1:05'; with tenths below a second."""
    sign, whole = ("-" if at_ms < 0 else ""), abs(round(at_ms))
    minutes, rest = divmod(whole, 60_000)
    seconds, tenths = divmod(rest, 1_000)
    fraction = f".{tenths // 100}" if tenths else ""
    return f"{sign}{minutes}:{seconds:02d}{fraction}" if minutes else f"{sign}{seconds}{fraction}"


def _ticks(from_ms: float, to_ms: float) -> Iterable[float]:
    step = next((each for each in _STEPS_MS if (to_ms - from_ms) / each <= MAX_TICKS), None)
    if step is None:
        step = int((to_ms - from_ms) / MAX_TICKS / 3_600_000 + 1) * 3_600_000
    first = int(-(-(from_ms + (to_ms - from_ms) / 50) // step))
    return [number * step for number in range(first, int((to_ms - (to_ms - from_ms) / 50) // step) + 1)]


def _of(trace: RunTrace, system: str) -> list[TracedCrossing]:
    return [each for each in trace.crossings if each.system == system]


def _crossing_words(each: TracedCrossing) -> str:
    at = _at(each.at_ms)
    if each.lap is not None:
        return text("Lap {number} ended at {at}", number=each.lap, at=at) if each.lap else text("Start at {at}", at=at)
    why = recorded(each.why)
    if each.state == "dropped":
        return text("Crossing at {at}, dropped by an official", at=at)
    return text("Crossing at {at}, not counted: {why}", at=at, why=why or text("it is no run's"))


def _at(at_ms: float) -> str:
    return format_ms(round(at_ms))
