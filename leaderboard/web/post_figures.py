"""Counts posts of results by the status of their answer, and how long each took; read by `/metrics`."""

from collections import Counter
from dataclasses import dataclass, field

from shared.metrics.latencies import Latencies


@dataclass(slots=True)
class PostFigures:
    """Of one process, since it started. `in_work`: those that are being applied now."""

    by_status: Counter[int] = field(default_factory=Counter)
    latencies: Latencies = field(default_factory=Latencies)
    in_work: int = 0

    def observe(self, status: int, seconds: float) -> None:
        """Count a post that was answered, from its first byte to its answer."""
        self.by_status[status] += 1
        self.latencies.observe(seconds)
