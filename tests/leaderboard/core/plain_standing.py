"""Standings and arrows in the plainest way, from all lines: what the board's windows must equal."""

from collections.abc import Iterable, Mapping

from leaderboard.core.rank import BestAttempt
from leaderboard.core.window import ShownLine, places
from shared.rules.ranking import Placed


def standing(lines: Iterable[BestAttempt], uncertainties_ns: Mapping[int, int] | None = None) -> list[Placed]:
    known = uncertainties_ns or {}
    ordered = sorted(lines, key=lambda line: line.rank_key)
    return places([ShownLine(line, known.get(line.seq, 0)) for line in ordered])


def moves(now: Iterable[BestAttempt], before: Iterable[BestAttempt]) -> dict[str, int | None]:
    """Places gained (+) or lost (-) by each racer since `before`; None for one who was not ranked then."""
    ranks = {placed.racer: placed.rank for placed in standing(before)}
    return {p.racer: ranks[p.racer] - p.rank if p.racer in ranks else None for p in standing(now)}
