"""Works out from a gate's passes how its sensors stand: one after the other, or side by side. It moves no stamp.

Cars of a race drive in one direction. If sometimes one and sometimes the other of two sensors fires first, they stand
side by side; if the last one always fires first, they are named the wrong way round. gate.py adds the passes one by
one.
"""

import functools
import statistics
from collections import Counter, deque
from dataclasses import dataclass
from typing import Literal

from shared.text import Sentence, joined, ntext, text
from station.core.inputs import GateSpec

MAX_PASSES = 12  # passes that are remembered
ENOUGH = 3  # passes of two sensors needed before a layout is concluded
TURNED = 2  # passes needed in which the other sensor fired first
CLOSE_NS = 60_000_000  # largest lag on one line, even of a car at an angle; in line, a slow car takes longer

ObservedLayout = Literal["", "in_line", "reversed", "side_by_side", "both_ways"]


@dataclass(frozen=True, slots=True)
class SensorPass:
    """The sensor that fired first and, if another one fired in the same pass, which one and how much later."""

    first: str
    second: str = ""
    lag_ns: int = 0


class SensorArrangement:
    """The newest passes of one gate with several sensors."""

    def __init__(self, spec: GateSpec) -> None:
        self._spec = spec
        self._passes: deque[SensorPass] = deque(maxlen=MAX_PASSES)
        self._doubt: str | None = ""  # None: not worked out since the last pass

    @property
    def passes(self) -> tuple[SensorPass, ...]:
        """The passes, the oldest first."""
        return tuple(self._passes)

    def first(self, sensor: str) -> None:
        """A pass began at this sensor."""
        self._passes.append(SensorPass(sensor))
        self._doubt = None

    def second(self, sensor: str, lag_ns: int) -> None:
        """Another sensor fired in the newest pass, `lag_ns` later."""
        if self._passes and not self._passes[-1].second and sensor != self._passes[-1].first:
            self._passes[-1] = SensorPass(self._passes[-1].first, sensor, lag_ns)
            self._doubt = None

    def forget(self) -> None:
        """Forgets all passes, so that the layout is worked out anew."""
        self._passes.clear()
        self._doubt = None

    @property
    def doubt(self) -> str:
        """Why laps may be lost with the configured layout; "" if no pass contradicts it."""
        if self._doubt is None:
            self._doubt = self._against()
        return self._doubt

    def _against(self) -> str:
        if not self._spec.directed:
            return ""
        match observed_layout(self._spec.sensors, self.passes):
            case "side_by_side":
                return text(
                    "The sensors of the gate {name} take turns at being first: they stand side by side, and "
                    'passes are lost as "backwards". Set layout = "side_by_side".',
                    name=self._spec.name,
                )
            case "reversed":
                names = ", ".join(f'"{name}"' for name in reversed(self._spec.sensors))
                return text(
                    "Every pass of the gate {name} goes backwards, and is lost: the sensors are named the "
                    "wrong way round. Set sensors = [{names}], or swap their pins.",
                    name=self._spec.name,
                    names=names,
                )
        return ""


def observed_layout(sensors: tuple[str, ...], passes: tuple[SensorPass, ...]) -> ObservedLayout:
    """How the sensors stand, according to these passes; "" while there are too few, or they are not clear."""
    pairs = [each for each in passes if each.second]
    if len(pairs) < ENOUGH:
        alone = Counter(each.first for each in passes if not each.second)
        apart = sum(1 for count in alone.values() if count >= TURNED) > 1
        return "side_by_side" if apart else ""
    backwards = sum(1 for each in pairs if sensors.index(each.first) > sensors.index(each.second))
    turned = min(backwards, len(pairs) - backwards)
    if turned >= TURNED:
        close = statistics.median(each.lag_ns for each in pairs) <= CLOSE_NS
        return "side_by_side" if close else "both_ways"
    if backwards in (0, len(pairs)):
        return "reversed" if backwards else "in_line"
    return ""


@functools.lru_cache(64)  # asked for each refresh of the pages, and the passes change with an edge at most
def describe_passes(spec: GateSpec, passes: tuple[SensorPass, ...]) -> str:
    """What the passes show and what to set, as a sentence for whoever tests the gate; "" for a single sensor."""
    if len(spec.sensors) < 2:
        return ""
    if not passes:
        return text("No pass yet: roll a car over the line in the race's direction: left, right and middle.")
    return joined((_counted(passes), _advice(spec, observed_layout(spec.sensors, passes))))


def _counted(passes: tuple[SensorPass, ...]) -> Sentence:
    firsts = Counter(each.first for each in passes)
    who = joined((_first(name, count) for name, count in sorted(firsts.items())), ", ")
    lags_ms = sorted(round(each.lag_ns / 1e6) for each in passes if each.second)
    if not lags_ms:
        return ntext("{n} pass: {words}.", "{n} passes: {words}.", n=len(passes), words=who)
    return ntext(
        "{n} pass: {words}, {range} ms apart.",
        "{n} passes: {words}, {range} ms apart.",
        n=len(passes),
        words=who,
        range=_range(lags_ms[0], lags_ms[-1]),
    )


def _advice(spec: GateSpec, observed: ObservedLayout) -> str:
    match observed:
        case "side_by_side":
            as_set = spec.layout == "side_by_side"
            if as_set:
                return text("They stand side by side, as is set.")
            return text('They stand side by side: set layout = "side_by_side".')
        case "in_line" if spec.directed:
            return text("They fire one after the other, as is set.")
        case "in_line":
            return text('They fire one after the other: layout = "in_line" would show which way a car goes.')
        case "reversed" if spec.directed:
            return text("The last one is always first: name the sensors the other way round, or swap their pins.")
        case "reversed":
            return text("They fire one after the other, the last one first.")
        case "both_ways":
            return text("Cars came from both directions: let them pass in the race's direction only.")
    return text("A few more passes are needed.")


def _first(name: str, count: int) -> Sentence:
    if count == 2:
        return text("{name} first twice", name=name)
    return ntext("{name} first once", "{name} first {n} times", n=count, name=name)


def _range(low: int, high: int) -> str:
    return f"{low}" if low == high else text("{low} to {high}", low=low, high=high)
