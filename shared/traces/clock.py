"""The race's clock of a run: it runs on while the car waits for its penalties. Pure."""

import bisect
import itertools

from shared.traces.laps import FAULTS
from shared.traces.trace import DriveTrace


class RaceClock:
    """The time of the frames, and the penalties until then that are not in the frames."""

    def __init__(self, trace: DriveTrace) -> None:
        besides = [event for event in trace.events if event.kind in FAULTS and not trace.penalties_served]
        self._at_ns = [event.at_ns for event in besides]
        self._sums_ns = [0, *itertools.accumulate(event.value_ns for event in besides)]

    def ns(self, at_ns: int) -> int:
        """The clock at `at_ns` of the frames; a penalty is served after the instant of its fault."""
        return at_ns + self._sums_ns[bisect.bisect_left(self._at_ns, at_ns)]
