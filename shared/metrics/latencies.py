"""Counts how long something took, in the buckets of a Prometheus histogram. Pure; whoever measures gives the time."""

import bisect
import threading
from dataclasses import dataclass

# A commit on a good disk takes 0.2 ms, on a worn SD card half a second.
BUCKETS_S = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class LatencyCounts:
    """What was counted so far. `buckets`: (upper limit in s, count up to it), the last one infinite, as text."""

    buckets: tuple[tuple[str, int], ...]
    sum_s: float


class Latencies:
    """Thread-safe: one thread observes, another reads."""

    def __init__(self, buckets_s: tuple[float, ...] = BUCKETS_S) -> None:
        self._limits_s = buckets_s
        self._counts = [0] * (len(buckets_s) + 1)
        self._sum_s = 0.0
        self._lock = threading.Lock()

    def observe(self, seconds: float) -> None:
        """Count one."""
        place = bisect.bisect_left(self._limits_s, seconds)
        with self._lock:
            self._counts[place] += 1
            self._sum_s += seconds

    def counts(self) -> LatencyCounts:
        """All so far; each bucket holds those of the lower ones too, as the format wants it."""
        with self._lock:
            counts, sum_s = tuple(self._counts), self._sum_s
        limits = [*(repr(limit) for limit in self._limits_s), "+Inf"]
        return LatencyCounts(tuple((limit, sum(counts[: n + 1])) for n, limit in enumerate(limits)), sum_s)
