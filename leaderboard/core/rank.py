"""Attempts and standings, and the pure rules by which results count. Called by board.py and the store.

A standing depends only on the set of accepted results, not on the order in which they arrived: attempts are
counted and ties are broken by when a run was finished; the order of acceptance decides only between runs of
the very same nanosecond. A higher revision of a result replaces the lower one wherever it counts; the lower
one stays stored.
"""

import dataclasses
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from leaderboard.core.race import ResultKind, Venue
from shared.rules.ranking import Placed, RaceRules, Scored, rank

_INT_LIMIT = 2**63


@dataclass(frozen=True, slots=True)
class Attempt:
    """A result at its newest revision. `score_ms` None: withdrawn by a correction. `order`: when first accepted.

    `discarded`: officials took the run out, so it is an attempt no more.
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
    def set_key(self) -> int:
        """Sorts equal scores: the one finished earlier first, then the one accepted earlier."""
        return self.set_utc_ns * _INT_LIMIT + self.order


def counted(attempts: Iterable[Attempt], rules: RaceRules) -> list[Attempt]:
    """The attempts of one racer that count: the first `attempts_per_racer`, ordered by when the run was finished."""
    in_order = sorted((a for a in attempts if not a.discarded), key=lambda a: (a.finished_utc_ns, a.order))
    return in_order if rules.attempts_per_racer is None else in_order[: rules.attempts_per_racer]


def line_of(attempts: Iterable[Attempt], rules: RaceRules, table: Venue = "physical") -> BestAttempt | None:
    """The best attempt among all those of one racer in one table; None if none of them counts and has a score."""
    known = [a for a in attempts if not a.discarded]
    scored = [a for a in counted(known, rules) if a.score_ms is not None]
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


def standing(lines: Iterable[BestAttempt], uncertainty_ns: Mapping[int, int] = MappingProxyType({})) -> list[Placed]:
    """All racers ranked, the best first. `uncertainty_ns`: what the result of each line (its `seq`) states."""
    return rank(Scored(line.racer, line.score_ms, line.set_key, uncertainty_ns.get(line.seq, 0)) for line in lines)


def moves(now: Sequence[Placed], before: Sequence[Placed]) -> dict[str, int | None]:
    """Places gained (+) or lost (-) by each racer since `before`; None for one who was not ranked then."""
    ranks = {placed.racer: placed.rank for placed in before}
    return {p.racer: ranks[p.racer] - p.rank if p.racer in ranks else None for p in now}
