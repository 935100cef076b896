"""Who is evaluated next: fewest running, then least work in the last hour, then first come; a LIVE race before all.

Pure. The caller knows only the head of each racer's queue and asks for more of a racer when it is taken: with 100,000
queued, a claim costs one look-up a racer who waits, and as many as it takes.
"""

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

HOUR_NS = 3600 * 10**9


@dataclass(frozen=True, slots=True)
class QueuedRun:
    """A run that waits. `racer`: whom it is charged to, "" for a repetition, which is nobody's; `queued_ns`: since."""

    evaluation_id: str
    racer: str
    queued_ns: int
    live: bool = False

    @property
    def arrival(self) -> tuple[int, str]:
        """First come, first served; two of one moment by their ids."""
        return self.queued_ns, self.evaluation_id


@dataclass(frozen=True, slots=True)
class RacerLoad:
    """What the farm does for a racer: runs that are driven now, and milliseconds of work in the last hour."""

    running: int = 0
    work_ms: int = 0


NO_LOAD = RacerLoad()
Following = Callable[[QueuedRun], QueuedRun | None]


def next_runs(
    heads: Iterable[QueuedRun], loads: Mapping[str, RacerLoad], following: Following, wanted: int
) -> Iterator[QueuedRun]:
    """The next runs, at most `wanted`. `heads`: the first of each racer (of each kind, LIVE or not).

    `following(run)`: the one that waits behind it, of the same racer and kind; None if it is the last. A run that is
    taken counts as running for those that are chosen after it.
    """
    taken: dict[str, int] = {}

    def key(run: QueuedRun) -> tuple[bool, bool, int, int, tuple[int, str]]:
        load = loads.get(run.racer, NO_LOAD)
        running = load.running + taken.get(run.racer, 0)
        # A repetition finds a node that drives wrongly: meanwhile everybody's results are in doubt.
        return not run.live, bool(run.racer), running, load.work_ms, run.arrival

    heap = [(key(run), run.evaluation_id, run) for run in heads]
    heapq.heapify(heap)
    while heap and wanted > 0:
        known, _, run = heap[0]
        if (now := key(run)) != known:  # the racer was given another meanwhile, of the other kind
            heapq.heapreplace(heap, (now, run.evaluation_id, run))
            continue
        yield run
        wanted -= 1
        taken[run.racer] = taken.get(run.racer, 0) + 1
        behind = following(run)
        if behind is None:
            heapq.heappop(heap)
        else:
            heapq.heapreplace(heap, (key(behind), behind.evaluation_id, behind))


def expected_wait_ms(ahead: int, cost_ms: int, cores: int) -> int | None:
    """How long until a run begins that has so many before it; None without a core that works."""
    return None if cores <= 0 else ahead * cost_ms // cores
