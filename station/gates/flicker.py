"""Detects a flickering beam: more edges in a second than any pass makes. Its edges still count, but health reports it.

Used by the drivers that see levels (gpio/gate.py, pico/session.py).
"""

from collections import deque

from shared.text import text

MAX_EDGES_PER_S = 40  # of one sensor; a car with two axles makes about ten on a strip that bounces
SECOND_NS = 1_000_000_000
WARNING_NS = 5 * SECOND_NS  # how long the warning stays after the last burst


class FlickerDetector:
    """Watches the edges of one gate's sensors. All times are in ns of one clock."""

    def __init__(self) -> None:
        self._recent: dict[str, deque[int]] = {}
        self._bursts: dict[str, int] = {}

    def edge(self, sensor: str, at_ns: int) -> None:
        """Adds one level change of `sensor`."""
        recent = self._recent.setdefault(sensor, deque(maxlen=MAX_EDGES_PER_S))
        recent.append(at_ns)
        if len(recent) == MAX_EDGES_PER_S and at_ns - recent[0] < SECOND_NS:
            self._bursts[sensor] = at_ns

    def sentence(self, now_ns: int) -> str:
        """Which beam flickers and what to do, as one sentence; "" if none does."""
        names = ", ".join(sorted(name for name, at_ns in list(self._bursts.items()) if now_ns - at_ns < WARNING_NS))
        if not names:
            return ""
        return text(
            "The beam of {names} flickers (over {limit} edges in a second): align it, and check its wiring.",
            names=names,
            limit=MAX_EDGES_PER_S,
        )
