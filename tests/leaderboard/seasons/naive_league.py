"""A whole season once more, as its rules say it and without the product's code: divisions, points, teams, prizes.

Written for the test alone: it holds every run in a list and looks through all of them for each question.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tests.leaderboard.core.seasons import naive_season

LISTED = (25, 18, 15, 12, 10, 8, 6, 4, 2, 1)


@dataclass
class Month:
    """The runs of one month: (racer, score, when it was finished), of the open race and of the pro race."""

    runs: dict[str, list[tuple[str, int, int]]] = field(default_factory=lambda: {"open": [], "pro": []})

    def table(self, division: str) -> list[str]:
        """Each racer's best run; the earlier of equal ones is ahead."""
        best: dict[str, tuple[int, int]] = {}
        for racer, score, at in self.runs[division]:
            best[racer] = min(best.get(racer, (score, at)), (score, at))
        return sorted(best, key=lambda racer: best[racer])

    def scores(self, division: str, among: set[str] | None = None) -> dict[str, int]:
        best: dict[str, int] = {}
        for racer, score, _ in self.runs[division]:
            if among is None or racer in among:
                best[racer] = min(best.get(racer, score), score)
        return best


def promoted(month: Month) -> list[str]:
    """The top tenth of the open month, rounded up."""
    table = month.table("open")
    tenth = len(table) // 10 + (1 if len(table) % 10 else 0)
    return table[:tenth]


def standing(
    months: Sequence[Month], divisions: Sequence[str] = ("open", "pro"), among: set[str] | None = None, drop: int = 0
) -> dict[str, tuple[int, Fraction]]:
    races = [month.scores(division, among) for month in months for division in divisions]
    return naive_season.season(races, LISTED, drop=drop, participation=1)


def team_points(teams: dict[str, list[str]], points: dict[str, Fraction]) -> dict[str, Fraction]:
    return {
        team: sum(sorted((points.get(racer, Fraction(0)) for racer in racers), reverse=True)[:3], Fraction(0))
        for team, racers in teams.items()
    }


def cars(months: Sequence[Month], season: Sequence[str]) -> list[str]:
    """Two cars for each open month and one for the season, nobody two: in the order in which they are given."""
    winners: list[str] = []
    for month in months:
        free = [racer for racer in month.table("open") if racer not in winners]
        winners += free[:2]
    return winners + [racer for racer in season if racer not in winners][:1]
