"""A beam that flickers: more edges in a second than any pass makes. It still counts, but the gate is not fit."""

from collections import deque

MAX_EDGES_PER_S = 40  # edges of one sensor in a second; a car with its two axles on a bouncing strip makes some ten
SECOND_NS = 1_000_000_000
SAID_NS = 5 * SECOND_NS  # for so long after the last burst


class FlickerDetector:
    """The edges of one gate's sensors, watched. Times are of one clock, in ns."""

    def __init__(self) -> None:
        self._recent: dict[str, deque[int]] = {}
        self._bursts: dict[str, int] = {}

    def edge(self, sensor: str, at_ns: int) -> None:
        """One level change."""
        recent = self._recent.setdefault(sensor, deque(maxlen=MAX_EDGES_PER_S))
        recent.append(at_ns)
        if len(recent) == MAX_EDGES_PER_S and at_ns - recent[0] < SECOND_NS:
            self._bursts[sensor] = at_ns

    def sentence(self, now_ns: int) -> str:
        """What to do; empty when no beam flickers."""
        names = ", ".join(sorted(name for name, at_ns in list(self._bursts.items()) if now_ns - at_ns < SAID_NS))
        if not names:
            return ""
        return (
            f"The beam of {names} flickers, over {MAX_EDGES_PER_S} edges in a second: align it, and look at its wire."
        )
