"""The race's clock of a run that drove alone: it runs on while the car waits for its penalties. Pure."""

import bisect
import itertools

from shared.traces.laps import FAULTS
from shared.traces.trace import DriveTrace


class RaceClock:
    """The time as driven and the penalties until then."""

    def __init__(self, trace: DriveTrace) -> None:
        served = [event for event in trace.events if event.kind in FAULTS]
        self._at_ns = [event.at_ns for event in served]
        self._sums_ns = [0, *itertools.accumulate(event.value_ns for event in served)]

    def ns(self, at_ns: int) -> int:
        """The clock at `at_ns` as driven; a penalty is served after the instant of its fault."""
        return at_ns + self._sums_ns[bisect.bisect_left(self._at_ns, at_ns)]
