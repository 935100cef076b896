"""One boot of a car's clock against the gate's clock: the one place where the offset between the two is estimated.

A report is made before it is received, so the shortest delay bounds the offset. Laps of equal length on both clocks,
or a crossing that this report was surely about, give it closely, and also how long before the line the board leaves
the camera's picture. car_witness.py asks for the newest offset (one car: which crossing is a report about?),
likelihood.py for the middle one with its spread (several cars: whose crossing was it?).
"""

import itertools
import math
import statistics
from collections import deque
from collections.abc import Iterable, Sequence

from shared.units import NS_PER_MS
from station.core.inputs import CarReport, clock_of

SIGMA_NS = 40 * NS_PER_MS  # of a reported passing: two frames, and differences in speed
UNLEARNT_NS = 200 * NS_PER_MS  # the same while only the delay bounds the offset
DELAY_NS = 100 * NS_PER_MS  # the shortest delay from the car to the station, roughly
MIN_SIGMA_NS = 25 * NS_PER_MS
REMEMBERED = 7  # offsets
ENOUGH = 4  # offsets that show how far the car's reports scatter
SAFE = 1.5  # factor on the observed scatter, since it comes from a few offsets only
MAX_DELAYS = 32
STAMP_NS = 1_500_000_000  # how long before the line a slow car loses the board from its picture
DURATION_NS = 300_000_000  # two frames at 15 Hz at each end, and differences in speed
CLOSE_NS = 100_000_000  # an offset is better than another if it fits better by this much
MAX_UNMET = 3  # reports in a row without a crossing, after which the offset counts as wrong
LATEST_REPORTS, LATEST_CROSSINGS = 8, 9  # how many of each an offset is found from

RunCrossing = tuple[object, int]  # the run of a crossing (compared by identity), and its stamp on the gate's clock


class CarClock:
    """Converts stamps of one boot of the car to the gate's clock, and learns the offset between the two."""

    def __init__(self, one_clock: bool) -> None:
        """`one_clock`: the car stamps with the gate's clock."""
        self._one_clock = one_clock
        self._delays: deque[tuple[int, int]] = deque(maxlen=MAX_DELAYS)
        self._offsets: deque[int] = deque(maxlen=REMEMBERED)  # gate minus car
        self._mismatches = 0

    @property
    def learnt(self) -> bool:
        """Whether a crossing was surely this car's, so that the offset is known precisely."""
        return bool(self._offsets)

    @property
    def newest_ns(self) -> int | None:
        """Gate clock minus car clock in ns, by the last matched crossing (it follows drift); None: not known yet."""
        if self._one_clock:
            return 0
        return self._offsets[-1] if self._offsets else None

    def add_delay(self, stated_ns: int, received_ns: int) -> None:
        """Bounds the offset by a report of `stated_ns` (car's clock), received at `received_ns` (gate's clock)."""
        self._delays.append((stated_ns, received_ns))

    def learn(self, stated_ns: int, crossed_ns: int) -> None:
        """The report of `stated_ns` (car's clock) was about the crossing of `crossed_ns` (gate's clock)."""
        self._offsets.append(crossed_ns - stated_ns)
        self._mismatches = 0

    def mismatch(self) -> None:
        """Counts a report without a crossing; after `MAX_UNMET` in a row, what was learnt is forgotten."""
        self._mismatches += 1
        if self._mismatches >= MAX_UNMET:
            self._offsets.clear()

    def find(self, reports: Sequence[CarReport], crossings: Sequence[RunCrossing], clock: str) -> None:
        """Learns an unknown offset from laps of equal length; `crossings` are on the gate's clock `clock`."""
        if self.newest_ns is not None:
            return
        offset_ns = offset_by_laps(reports[-LATEST_REPORTS:], crossings[-LATEST_CROSSINGS:], clock)
        if offset_ns is not None:
            self._offsets.append(offset_ns)
            self._mismatches = 0

    def on_gate(self, stated_ns: int, uncertainty_ns: int) -> tuple[int, int]:
        """When the car crossed the line on the gate's clock, and the uncertainty of that (one sigma); both in ns."""
        if self._offsets:
            offset_ns = round(statistics.median(self._offsets))
            if len(self._offsets) < ENOUGH:
                return stated_ns + offset_ns, math.isqrt(SIGMA_NS * SIGMA_NS + uncertainty_ns * uncertainty_ns)
            return stated_ns + offset_ns, max(MIN_SIGMA_NS, round(SAFE * statistics.pstdev(self._offsets)))
        if self._one_clock or not self._delays:
            return stated_ns, UNLEARNT_NS + uncertainty_ns
        return stated_ns + on_gate_clock(self._delays) - DELAY_NS, UNLEARNT_NS + uncertainty_ns


def on_gate_clock(reports: Iterable[tuple[int, int]]) -> int:
    """Upper bound of gate clock minus car clock, ns: the smallest (received, gate's clock) - (stated, car's clock)."""
    return min(received_ns - stated_ns for stated_ns, received_ns in reports)


def offset_by_laps(reports: Sequence[CarReport], crossings: Sequence[RunCrossing], clock: str) -> int | None:
    """The offset (gate clock minus car clock, ns) that matches most reports with a crossing; None if none does.

    Of several, the one that matches most closely, and then the largest. `reports` are of one boot of the car; only
    offsets at which a reported lap lies on a lap of the gate of the same length are tried.
    """
    best: tuple[int, int, int] | None = None
    for report in reports:
        for (run, before_ns), (same, after_ns) in itertools.pairwise(crossings):
            if run is not same or not as_long(report, after_ns - before_ns):
                continue
            offset_ns = after_ns - report.at_ns
            matched, off_ns = _matches(reports, [at_ns for _, at_ns in crossings], offset_ns, clock)
            fit = (matched, -off_ns // CLOSE_NS, offset_ns)
            if matched and (best is None or fit > best):
                best = fit
    return None if best is None else best[2]


def as_long(report: CarReport, lap_ns: int) -> bool:
    """Whether the report states a lap of this duration, within a car's accuracy."""
    return report.lap_ns is not None and abs(report.lap_ns - lap_ns) <= DURATION_NS + report.uncertainty_ns


def _matches(reports: Sequence[CarReport], crossings_ns: Sequence[int], offset_ns: int, clock: str) -> tuple[int, int]:
    """How many reports match a crossing, and their total error; none if a report would arrive before its crossing."""
    matched, off_ns = 0, 0
    for report in reports:
        at_ns = report.at_ns + offset_ns
        if clock_of(report.taken.boot) == clock and at_ns > report.taken.at_ns + STAMP_NS:
            return 0, 0
        nearest_ns = min(abs(at_ns - crossed_ns) for crossed_ns in crossings_ns)
        if nearest_ns <= DURATION_NS:
            matched, off_ns = matched + 1, off_ns + nearest_ns
    return matched, off_ns
