"""Crossings that were not counted, each with its reason, newest first, for the officials' page.

Filled on the timing thread from facts, as they are made or restored; restore.py holds it beside the engine.
"""

from collections import deque
from collections.abc import Sequence

from station.core import facts as f
from station.core import inputs as e
from station.core.engine import NO_GATE, Engine
from station.core.timing.gate import NO_SENSOR, OUT_OF_ORDER
from station.views.race_views import UncountedCrossing

MAX_LISTED = 20
MAX_REMEMBERED = 512  # crossings that may still be reported as uncounted
_READ = (f.Crossing, f.Unattributed, f.EdgeIgnored, f.Attributed)
LOST_PASS_REASONS = (NO_GATE, NO_SENSOR, OUT_OF_ORDER)  # why an edge that may have been a pass made no crossing


class UncountedLog:
    """The newest uncounted crossings. `newest` is replaced as a whole when it changes, so any thread may read it."""

    def __init__(self) -> None:
        self._crossings: dict[int, f.Crossing] = {}
        self._listed: deque[UncountedCrossing] = deque(maxlen=MAX_LISTED)
        self.newest: tuple[UncountedCrossing, ...] = ()

    def record(self, engine: Engine, event: e.Input, facts: Sequence[f.Fact]) -> None:
        """Reads the facts of one input, which the engine has handled."""
        for fact in facts:
            if type(fact) not in _READ:
                continue
            match fact:
                case f.Crossing():
                    self._remember(fact)
                case f.Unattributed() if fact.crossing in self._crossings:
                    self._list(engine, self._crossings[fact.crossing], fact.why)
                case f.EdgeIgnored() if (
                    isinstance(event, e.Edge) and event.broken and fact.why.startswith(LOST_PASS_REASONS)
                ):
                    self._add(engine, event, fact.why)
                case f.Attributed():
                    self._counted(fact.crossing)

    def _remember(self, crossing: f.Crossing) -> None:
        self._crossings[crossing.number] = crossing
        if len(self._crossings) > MAX_REMEMBERED:
            del self._crossings[next(iter(self._crossings))]

    def _list(self, engine: Engine, crossing: f.Crossing, why: str) -> None:
        self._listed = deque((each for each in self._listed if each.crossing != crossing.number), MAX_LISTED)
        self._add(engine, crossing, why, crossing.number)

    def _add(self, engine: Engine, event: f.Crossing | e.Edge, why: str, number: int = 0) -> None:
        utc_ns = engine.time_of_day(event.boot, event.at_ns)
        line = UncountedCrossing(number, event.gate, event.sensor[:40], utc_ns, why, event.transponder)
        self._listed.appendleft(line)
        self.newest = tuple(self._listed)

    def _counted(self, number: int) -> None:
        """Removes a crossing that was assigned to a run after all."""
        left = [each for each in self._listed if each.crossing != number]
        if len(left) < len(self._listed):
            self._listed = deque(left, MAX_LISTED)
            self.newest = tuple(left)
