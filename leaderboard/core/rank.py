"""Attempts and lines, and the pure rules by which results count. Called by rescoring.py and the store.

A standing depends only on the set of accepted results, not on the order in which they arrived: attempts are
counted (attempts.py) and ties are broken by when a run was finished; the order of acceptance decides only between
runs of the very same nanosecond. A higher revision of a result replaces the lower one wherever it counts; the lower
one stays stored.
"""

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from leaderboard.core.race import ResultKind, Venue
from leaderboard.core.states import AttemptState


@dataclass(frozen=True, slots=True)
class Attempt:
    """A result at its newest revision. `score_ms` None: it has no score. `order`: when first accepted.

    `discarded`: officials took the run out, so it is an attempt no more. `verdict`: how it stands by itself, and why;
    `state`: how it stands among the racer's attempts (attempts.settle), with quotas and rulings. `disqualified_for`:
    why an official of the leaderboard disqualified it, None if nobody did.
    """

    seq: int
    order: int
    result_id: str
    revision: int
    racer: str
    score_ms: int | None
    finished_utc_ns: int
    discarded: bool = False
    kind: ResultKind = "physical"
    verdict: AttemptState = "ranked"
    verdict_reason: str = ""
    disqualified_for: str | None = None
    state: AttemptState = "ranked"
    reason: str = ""


RankKey = tuple[int, int, int]  # of a line: score, when it was set, the order of acceptance; the lower the better


class LineKey(NamedTuple):
    """What names a line within a race: the table that it is ranked in, and the racer."""

    kind: Venue
    racer: str


@dataclass(frozen=True, slots=True)
class BestAttempt:
    """A racer's best counting attempt, as it stands in a table of a race; `seq` is the result that it comes from.

    `kind`: the table, which is that of a kind of results, or "any" in a race that ranks both kinds together.
    """

    racer: str
    score_ms: int
    set_utc_ns: int
    order: int
    seq: int
    attempts: int
    kind: Venue = "physical"

    @property
    def key(self) -> LineKey:
        """What names the line within its race."""
        return LineKey(self.kind, self.racer)

    @property
    def rank_key(self) -> RankKey:
        """Sorts the lines of a table, the best first."""
        return self.score_ms, self.set_utc_ns, self.order


def line_of(attempts: Iterable[Attempt], table: Venue = "physical") -> BestAttempt | None:
    """The best attempt among all those of one racer in one table, as they stand; None if none of them is ranked."""
    known = [a for a in attempts if not a.discarded]
    scored = [a for a in known if a.state == "ranked" and a.score_ms is not None]
    if not scored:
        return None
    best = min(scored, key=lambda a: (a.score_ms or 0, a.finished_utc_ns, a.order))
    assert best.score_ms is not None
    return BestAttempt(best.racer, best.score_ms, best.finished_utc_ns, best.order, best.seq, len(known), table)


def newest(attempts: Iterable[Attempt]) -> list[Attempt]:
    """The highest revision of each result, with the order in which its first revision was accepted."""
    first: dict[str, int] = {}
    highest: dict[str, Attempt] = {}
    for attempt in attempts:
        first[attempt.result_id] = min(attempt.order, first.get(attempt.result_id, attempt.order))
        if attempt.result_id not in highest or highest[attempt.result_id].revision < attempt.revision:
            highest[attempt.result_id] = attempt
    return [dataclasses.replace(attempt, order=first[attempt.result_id]) for attempt in highest.values()]
