"""Sector times: a lap divided at the split gates that its car passed. Pure.

A run remembers its passes of split gates (counting.py); the times follow from them and from the laps as they stand, so
that a ruling on a lap also changes its sectors. Nothing here decides a result.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

from station.core.moment import clock_of
from station.core.runs.laps import CountedCrossing


@dataclass(frozen=True, slots=True)
class SplitCrossing:
    """A pass of a split gate that belongs to a run, at `at_ns` of the clock of `boot`."""

    gate: str
    at_ns: int
    boot: str


def sector_times(
    start: CountedCrossing, end: CountedCrossing | None, splits: Sequence[SplitCrossing], gates: Sequence[str]
) -> tuple[int | None, ...]:
    """The time in ns of each sector of the lap from `start` to `end` (None: it is still on); None: not known.

    `gates`: the split gates in the order in which a car meets them; with n of them a lap has n + 1 sectors. A gate that
    was passed twice in the lap, not at all, out of turn or by another clock leaves the sectors on both sides unknown.

    Example: from 0 s to 10 s with a split at 4 s, the sectors take 4 s and 6 s.
    """
    passes = [start.at_ns, *(_pass(start, end, splits, gate) for gate in gates), _end_ns(start, end)]
    return tuple(
        after - before if before is not None and after is not None and after > before else None
        for before, after in pairwise(_in_turn(passes))
    )


def _pass(
    start: CountedCrossing, end: CountedCrossing | None, splits: Sequence[SplitCrossing], gate: str
) -> int | None:
    """When the gate was passed within the lap; None unless that was exactly once."""
    found = [
        split.at_ns
        for split in splits
        if split.gate == gate
        and clock_of(split.boot) == clock_of(start.boot)
        and start.at_ns < split.at_ns
        and (end is None or split.at_ns < end.at_ns)
    ]
    return found[0] if len(found) == 1 else None


def _end_ns(start: CountedCrossing, end: CountedCrossing | None) -> int | None:
    return end.at_ns if end is not None and clock_of(end.boot) == clock_of(start.boot) else None


def _in_turn(passes: Sequence[int | None]) -> list[int | None]:
    """The passes, without those that came before a gate that a car meets earlier."""
    newest, kept = passes[0], list[int | None]()
    for each in passes:
        early = each is not None and newest is not None and each < newest
        kept.append(None if early else each)
        newest = newest if each is None or early else each
    return kept
