"""The texts of the gates' page: each gate, its sensors, its driver's notes. Pure, except for the time zone."""

from dataclasses import dataclass

from shared.text import recorded, text
from shared.units import NS_PER_S
from station.core.timing.readiness import untried
from station.views.gate_views import GateView, SensorView
from station.views.views import View
from station.web.presenters.health import SIGNS
from station.web.presenters.time_zones import time_of_day

NOTHING = "–"
NOISY = 10  # edges a minute that made no crossing
FAINT = 0.3  # of the beam's full level
NOTE_WORDS = {
    "missed_numbers": text("Numbers missing"),
    "clock_jump": text("Clock set"),
    "restart": text("Restart"),
    "wrap": text("Clock wrapped"),
    "dropped_bytes": text("Bytes dropped"),
    "layout": text("Layout"),
}
LAYOUT_WORDS = {
    "": text("In line"),
    "unsaid": text("Not set"),
    "single": text("One sensor"),
    "in_line": text("In line"),
    "side_by_side": text("Side by side"),
}
LAYOUT_NOT_SET = text(
    "The arrangement of its sensors is not set, so a car counts in either direction: set "
    'layout = "in_line" or "side_by_side" under [[gate]].'
)


@dataclass(frozen=True, slots=True)
class SensorLine:
    """One sensor. `level_percent`: the strength of its beam, None if the driver does not know it."""

    name: str
    level: str
    sign: str
    state: str
    edges: int
    noise: str
    last: str
    level_percent: int | None


@dataclass(frozen=True, slots=True)
class NoteLine:
    """One note from the device, and its time of day."""

    at: str
    kind: str
    sentence: str


@dataclass(frozen=True, slots=True)
class GateCard:
    """One gate; `level`, `sign` and `state` as in the health strip. `walk`: each sensor, and whether it saw a pass."""

    key: str
    name: str
    what: str
    level: str
    sign: str
    state: str
    sentence: str
    figures: tuple[tuple[str, str], ...]
    sensors: tuple[SensorLine, ...]
    notes: tuple[NoteLine, ...]
    gate: str
    advice: tuple[str, ...] = ()
    passes: str = ""
    walk: tuple[tuple[str, bool], ...] = ()


def gate_cards(view: View) -> list[GateCard]:
    """All gates, in the order of the config."""
    return [_card(gate) for gate in view.gates]


def _card(gate: GateView) -> GateCard:
    level, state = _readiness(gate)
    line = (
        text("Start and finish · system {system}", system=gate.system) if gate.kind == "start_finish" else text("Split")
    )
    return GateCard(
        key=f"card-{gate.name}",
        name=gate.name,
        what=line,
        level=level,
        sign=SIGNS[level],
        state=state,
        sentence=recorded(gate.sentence),
        figures=_figures(gate),
        sensors=tuple(_sensor(gate, each) for each in gate.each),
        notes=tuple(
            NoteLine(time_of_day(n.utc_ns), NOTE_WORDS.get(n.kind, n.kind), recorded(n.sentence)) for n in gate.notes
        ),
        gate=gate.name,
        advice=_advice(gate),
        passes=recorded(gate.passes),
        walk=tuple((each.name, gate.alive and each.edges > 0 and each.name not in gate.untried) for each in gate.each),
    )


def _readiness(gate: GateView) -> tuple[str, str]:
    """Level and state, as in the health strip."""
    if not gate.alive or gate.stuck or gate.doubt:
        return "bad", text("absent") if gate.absent else text("not ready")
    return ("warn", text("not tested")) if gate.untried else ("ok", text("ready"))


def _advice(gate: GateView) -> tuple[str, ...]:
    """What to do about the gate before a race, as sentences."""
    unsaid = LAYOUT_NOT_SET if gate.layout == "unsaid" and not gate.doubt else ""
    return tuple(filter(None, (recorded(gate.doubt), untried(gate.untried), unsaid)))


def _figures(gate: GateView) -> tuple[tuple[str, str], ...]:
    unsure = f"± {short_time(gate.uncertainty_ns)}" if gate.uncertainty_ns is not None else NOTHING
    drift = f"{gate.drift_ppb / 1000:+.1f} ppm" if gate.drift_ppb is not None else NOTHING
    offset = f"{gate.offset_ns / NS_PER_S:+.6f} s" if gate.offset_ns is not None else NOTHING
    return (
        (text("Layout"), LAYOUT_WORDS[gate.layout]),
        (text("Uncertainty"), unsure),
        (text("Clock offset"), offset),
        (text("Clock drift"), drift),
        (text("Edges"), str(gate.edges)),
        (text("Lost"), str(gate.lost)),
        (text("Bytes dropped"), str(gate.dropped)),
    )


def _sensor(gate: GateView, sensor: SensorView) -> SensorLine:
    level, state = _judged(gate, sensor)
    percent = None if sensor.level is None else round(100 * min(1.0, max(0.0, sensor.level)))
    last = NOTHING if sensor.last_utc_ns is None else time_of_day(sensor.last_utc_ns)
    return SensorLine(sensor.name, level, SIGNS[level], state, sensor.edges, f"{sensor.noise}/min", last, percent)


def _judged(gate: GateView, sensor: SensorView) -> tuple[str, str]:
    if not gate.alive:
        return "bad", text("absent") if gate.absent else text("not ready")
    if sensor.name in gate.stuck:
        return "bad", text("blocked")
    if sensor.noise >= NOISY:
        return "warn", text("noisy")
    if sensor.level is not None and sensor.level < FAINT:
        return "warn", text("weak")
    return ("ok", text("ready")) if sensor.edges else ("warn", text("no edge yet"))


def short_time(ns: int) -> str:
    """A time in ns with a fitting unit: 1_500 is '1.5 µs', 2_000_000 is '2 ms'."""
    for size, unit in ((NS_PER_S, "s"), (1_000_000, "ms"), (1_000, "µs")):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns} ns"
