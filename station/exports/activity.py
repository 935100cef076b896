"""What the station has done since it started, counted for `/metrics`: crossings, laps, runs, refused commands, commits.

`raceday station` hands `observe` to the service if metrics are enabled; the service calls it after each commit, on the
timing's thread, where it costs a few additions.
"""

from collections import Counter
from collections.abc import Sequence

from shared.metrics.latencies import Latencies
from station.core import facts as f

_COUNTED: tuple[tuple[type[f.Fact], str], ...] = (
    (f.LapCompleted, "laps"),
    (f.RunOpened, "runs_opened"),
    (f.RunFinished, "runs_finished"),
    (f.RunDidNotFinish, "runs_not_finished"),
    (f.CommandRefused, "commands_refused"),
    (f.CarReportStored, "car_reports"),
)


class Activity:
    """Counted on one thread, read from any: a reader may see a batch half counted, and never a count that shrinks."""

    def __init__(self) -> None:
        self.crossings: Counter[str] = Counter()  # by gate
        self.counts: Counter[str] = Counter({name: 0 for _kind, name in _COUNTED})
        self.commits = Latencies()

    def observe(self, facts: Sequence[f.Fact], commit_s: float) -> None:
        """Count what was just committed; `commit_s`: how long the disk took for it."""
        self.commits.observe(commit_s)
        for fact in facts:
            if isinstance(fact, f.Crossing):
                self.crossings[fact.gate] += 1
                continue
            for kind, name in _COUNTED:
                if isinstance(fact, kind):
                    self.counts[name] += 1
