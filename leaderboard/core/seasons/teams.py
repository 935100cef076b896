"""The standing of teams from the season's points of their members. Pure; called by the seasons' services."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from leaderboard.core.seasons.points import Points
from leaderboard.core.seasons.rules import TeamRule


@dataclass(frozen=True, slots=True)
class TeamMember:
    """A member with the season's points; `counted`: among the best that make the team's points."""

    racer: str
    points: Points
    counted: bool


@dataclass(frozen=True, slots=True)
class TeamLine:
    """A team in the standing, its members best first. `tied`: shares the rank."""

    rank: int
    team_id: str
    points: Points
    members: tuple[TeamMember, ...]
    tied: bool = False


def team_standing(rule: TeamRule, teams: Mapping[str, Sequence[str]], points: Mapping[str, Points]) -> list[TeamLine]:
    """All teams, best first. `teams`: the racers of each team; `points`: the season's points of each racer.

    Equal points: the team whose best member has more, then the second best, and so on, is ahead; then it is a tie.
    """
    made = []
    for team_id, racers in teams.items():
        of_members = sorted(((points.get(racer, 0), racer) for racer in racers), key=lambda each: (-each[0], each[1]))
        members = tuple(TeamMember(racer, won, index < rule.best) for index, (won, racer) in enumerate(of_members))
        made.append((_order(rule, members), team_id, members))
    made.sort(key=lambda each: each[:2])
    many = Counter(key for key, _, _ in made)
    ranks: dict[object, int] = {}
    for rank, (key, _, _) in enumerate(made, 1):
        ranks.setdefault(key, rank)
    return [TeamLine(ranks[key], team_id, -key[0], members, many[key] > 1) for key, team_id, members in made]


def _order(rule: TeamRule, members: Sequence[TeamMember]) -> tuple[Points, tuple[Points, ...]]:
    best = tuple(member.points for member in members if member.counted)
    total: Points = sum(best)
    if rule.method == "mean":
        mean = Fraction(total) / rule.best
        total = int(mean) if mean.denominator == 1 else mean
    # A member without points is as good as none.
    return -total, tuple(-each for each in best if each)
