"""When each racer of the queue will probably start: by the order, the usual length of a run, and what is on the track.

Pure functions of times of day in UTC ns. Used by orders.py for the plan, and for the pages at each look.
"""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from shared.rules.ranking import RaceRules
from shared.units import NS_PER_S, seconds_to_ns

CHANGE_OVER_NS = 60 * NS_PER_S  # from the end of one run to the start of the next: fetch, place, arm
UNKNOWN_RUN_S = 120.0  # of a race without a time limit, before its first runs are over
FEWEST_RUNS = 3  # from which on the median of past runs says more than the limit


@dataclass(frozen=True, slots=True)
class QueueOutlook:
    """What the starts follow from, all in ns. `free_utc_ns`: when each place on the track is free, was or will be.

    Example: with one car at a time, a run that probably ends at 12:00:00 and runs of 3 minutes, the next two racers
    start at 12:01:00 and 12:05:00.
    """

    run_ns: int
    free_utc_ns: tuple[int, ...]
    change_over_ns: int = CHANGE_OVER_NS

    def starts(self, now_utc_ns: int, called_utc_ns: Sequence[int | None]) -> tuple[int, ...]:
        """The predicted start of each racer in order; `called_utc_ns`: when each was called, None: not yet."""
        free = list(self.free_utc_ns) or [now_utc_ns]
        heapq.heapify(free)
        found = []
        for called in called_utc_ns:
            ready = max(heapq.heappop(free), called or 0)
            start = max(now_utc_ns, ready + self.change_over_ns)
            found.append(start)
            heapq.heappush(free, start + self.run_ns)
        return tuple(found)


def usual_run_ns(rules: RaceRules, lasted_ns: Sequence[int]) -> int:
    """How long a run of this race probably lasts, in ns, from the lengths of those that are over.

    The median of at least three; else the time limit; else two minutes.
    """
    limit_ns = None if rules.time_limit_s is None else seconds_to_ns(rules.time_limit_s)
    if len(lasted_ns) >= FEWEST_RUNS:
        return int(median(lasted_ns))
    return limit_ns if limit_ns is not None else seconds_to_ns(UNKNOWN_RUN_S)


def late_minutes(start_utc_ns: int, planned_utc_ns: int) -> int:
    """By how many whole minutes a start is later than it was planned; 0 if it is earlier, or was never planned."""
    return 0 if not planned_utc_ns else max(0, (start_utc_ns - planned_utc_ns) // (60 * NS_PER_S))
