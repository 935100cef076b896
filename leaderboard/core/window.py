"""Places and arrows of some consecutive lines of a table, from these and their neighbours alone. Pure.

A million lines have the same places whether all are read or eleven: what comes before is a number, the leader a score.
"""

import itertools
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from leaderboard.core.rank import BestAttempt, RankKey
from shared.protocol.results import Result
from shared.rules.ranking import Placed
from shared.units import NS_PER_MS


class ShownLine(NamedTuple):
    """A line with what its result states of the timing (its uncertainty, either way), and the name that is shown."""

    line: BestAttempt
    uncertainty_ns: int = 0
    name: str = ""
    result: Result | None = None


def places(
    lines: Sequence[ShownLine],
    first_rank: int = 1,
    leader_ms: int | None = None,
    ahead: ShownLine | None = None,
    behind: ShownLine | None = None,
) -> list[Placed]:
    """The places of consecutive lines; `ahead` and `behind`: the lines just before and after them, if there are any.

    Two neighbours are tied if they lie no further apart than their uncertainties in sum.
    """
    if not lines:
        return []
    first_ms = lines[0].line.score_ms if leader_ms is None else leader_ms
    around = [ahead, *lines, behind]
    touching = [_touch(one, other) for one, other in itertools.pairwise(around)]
    found = []
    for number, each in enumerate(lines):
        before = around[number]
        interval_ms = 0 if before is None else each.line.score_ms - before.line.score_ms
        gap_ms, tied = each.line.score_ms - first_ms, touching[number] or touching[number + 1]
        score_ms = each.line.score_ms
        found.append(
            Placed(first_rank + number, each.line.racer, score_ms, gap_ms, interval_ms, tied, each.uncertainty_ns)
        )
    return found


def _touch(one: ShownLine | None, other: ShownLine | None) -> bool:
    if one is None or other is None:
        return False
    apart_ns = (other.line.score_ms - one.line.score_ms) * NS_PER_MS
    return apart_ns <= one.uncertainty_ns + other.uncertainty_ns


class LastChange:
    """What the last change did to the places of a table, from the lines that it changed alone.

    `before`: these lines before it (None: there was none); `now`: those of them that there are now.
    """

    def __init__(self, before: Iterable[BestAttempt | None], now: Iterable[BestAttempt]) -> None:
        self._keys_before = sorted(line.rank_key for line in before if line is not None)
        self._keys_now = sorted(line.rank_key for line in now)

    def shift(self, key: RankKey) -> int:
        """Places gained by a line that stayed at `key`: how many fewer of the changed ones are before it."""
        return bisect_left(self._keys_before, key) - bisect_left(self._keys_now, key)

    def shifts(self, keys: Iterable[RankKey]) -> list[int]:
        """The same for many lines, by their keys in rising order."""
        before, now = self._keys_before, self._keys_now
        found, ahead_before, ahead_now = [], 0, 0
        for key in keys:
            while ahead_before < len(before) and before[ahead_before] < key:
                ahead_before += 1
            while ahead_now < len(now) and now[ahead_now] < key:
                ahead_now += 1
            found.append(ahead_before - ahead_now)
        return found

    def rank_before(self, key: RankKey, ahead_now: int) -> int:
        """The place that `key` had before the change, where `ahead_now` lines of the table come before it now."""
        return 1 + ahead_now + self.shift(key)
