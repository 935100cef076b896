"""The standing of a season's teams as the words and figures of their pages."""

from dataclasses import dataclass

from leaderboard.core.seasons.points import points_text
from leaderboard.core.seasons.teams import TeamLine
from leaderboard.seasons.results import SeasonResults


@dataclass(frozen=True, slots=True)
class TeamMemberView:
    name: str
    points: str
    counted: bool


@dataclass(frozen=True, slots=True)
class TeamView:
    """A team in the standing, with its members."""

    rank: int
    tied: bool
    team_id: str
    name: str
    points: str
    members: tuple[TeamMemberView, ...]


def team_view(results: SeasonResults, line: TeamLine) -> TeamView:
    """The team's line in words and figures."""
    members = tuple(
        TeamMemberView(results.name(each.racer), points_text(each.points), each.counted) for each in line.members
    )
    name, points = results.team_name(line.team_id), points_text(line.points)
    return TeamView(line.rank, line.tied, line.team_id, name, points, members)
