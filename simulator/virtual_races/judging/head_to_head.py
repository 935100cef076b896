"""Head-to-head: two models on one track, one starting behind the other; the verdict after their laps. Pure.

The car behind has the same lead to make up in every race (worlds.py), and laps are counted from each car's own
crossings of the line. Who drove all laps first wins; if neither did, who got farther.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from shared.rules.head_to_head import Reason

SAME_M = 1e-6


@dataclass(frozen=True, slots=True)
class RivalRun:
    """One car's run: when it crossed the start line forwards (ns of the race's clock, the first begins lap 1), how far
    it got along the track from the line in metres, laps included, and when it got there."""

    crossings_ns: tuple[int, ...]
    reached_m: float
    reached_ns: int

    def laps(self) -> int:
        """Laps driven."""
        return max(0, len(self.crossings_ns) - 1)


@dataclass(frozen=True, slots=True)
class HeadToHeadVerdict:
    """The car that is ahead (its index, None if they are level), why, and by how much: seconds or metres."""

    winner: int | None
    reason: Reason
    by_s: float | None = None
    by_m: float | None = None


def ahead_after(runs: Sequence[RivalRun], laps: int) -> HeadToHeadVerdict:
    """Who is ahead after `laps` laps, of two runs on one clock."""
    assert len(runs) == 2
    assert laps >= 1
    ends = [run.crossings_ns[laps] if run.laps() >= laps else None for run in runs]
    if ends[0] is not None or ends[1] is not None:
        return _by_finish(ends[0], ends[1])
    first, second = runs
    if first.laps() != second.laps():
        return HeadToHeadVerdict(int(second.laps() > first.laps()), Reason.FARTHER, by_m=_apart_m(first, second))
    if _apart_m(first, second) > SAME_M:
        winner = int(second.reached_m > first.reached_m)
        return HeadToHeadVerdict(winner, Reason.FARTHER, by_m=_apart_m(first, second))
    if first.reached_ns == second.reached_ns:
        return HeadToHeadVerdict(None, Reason.LEVEL)
    winner = int(second.reached_ns < first.reached_ns)
    return HeadToHeadVerdict(winner, Reason.EARLIER, by_s=abs(first.reached_ns - second.reached_ns) / 1e9)


def winner_of(verdicts: Sequence[HeadToHeadVerdict]) -> int | None:
    """Who is ahead in more of the runs; None if both are in as many."""
    ahead = [sum(verdict.winner == car for verdict in verdicts) for car in (0, 1)]
    return None if ahead[0] == ahead[1] else int(ahead[1] > ahead[0])


def _by_finish(first_ns: int | None, second_ns: int | None) -> HeadToHeadVerdict:
    if first_ns is None or second_ns is None:
        return HeadToHeadVerdict(int(first_ns is None), Reason.FIRST_TO_FINISH)
    if first_ns == second_ns:
        return HeadToHeadVerdict(None, Reason.LEVEL)
    return HeadToHeadVerdict(int(second_ns < first_ns), Reason.FIRST_TO_FINISH, by_s=abs(first_ns - second_ns) / 1e9)


def _apart_m(first: RivalRun, second: RivalRun) -> float:
    return abs(first.reached_m - second.reached_m)
