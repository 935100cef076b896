"""What the JSON of seasons looks like, in and out. Points are numbers with up to two decimals, cut off."""

from dataclasses import dataclass

from pydantic import ConfigDict

from leaderboard.core.seasons.chances import Chance
from leaderboard.core.seasons.points import Points, points_text
from leaderboard.core.seasons.prizes import Award
from leaderboard.core.seasons.records import TrackRecord
from leaderboard.core.seasons.rules import SeasonRules
from leaderboard.core.seasons.standing import RacePoints, SeasonLine
from leaderboard.core.seasons.teams import TeamLine
from leaderboard.scored_laps import utc_text
from leaderboard.seasons.results import SeasonResults
from leaderboard.seasons.standings import SeasonTable
from shared.rules.ranking import Method
from shared.units import format_ms

_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class SeasonRulesShape:
    """The rules of a season's standing, and the edition of the season that they belong to."""

    __pydantic_config__ = _STRICT

    edition: int
    rules: SeasonRules


@dataclass(frozen=True, slots=True)
class PointsShape:
    """A racer's part in one race; `counted` false: dropped."""

    place: int
    points: float
    counted: bool


@dataclass(frozen=True, slots=True)
class SeasonRaceShape:
    """A race of the standing; `kind`: of its results, "" for both in one table."""

    race_id: str
    name: str
    kind: str
    division: str
    over: bool


@dataclass(frozen=True, slots=True)
class SeasonRowShape:
    """A racer's place in the season. `races`: in the order of the standing's races, null where there is no result."""

    rank: int
    tied: bool
    racer: str
    name: str
    points: float
    division: str
    started: int
    races: tuple[PointsShape | None, ...]


@dataclass(frozen=True, slots=True)
class SeasonStandingShape:
    """A page of a standing. `next`: the cursor of the next page, "" on the last one. `to_come`: races not over yet."""

    season_id: str
    name: str
    kind: str
    region: str
    category: str
    division: str
    racers: int
    to_come: int
    races: tuple[SeasonRaceShape, ...]
    standings: tuple[SeasonRowShape, ...]
    next: str


@dataclass(frozen=True, slots=True)
class ChanceShape:
    """What is still possible for a racer; `docs/decisions` says which of these answers are exact and which bounds."""

    racer: str
    min_points: float
    max_points: float
    can_win: bool
    has_won: bool
    can_qualify: bool
    has_qualified: bool


@dataclass(frozen=True, slots=True)
class TeamMemberShape:
    racer: str
    name: str
    points: float
    counted: bool


@dataclass(frozen=True, slots=True)
class TeamShape:
    rank: int
    tied: bool
    team_id: str
    name: str
    points: float
    members: tuple[TeamMemberShape, ...]


@dataclass(frozen=True, slots=True)
class NewTeam:
    """What a team is called."""

    __pydantic_config__ = _STRICT

    name: str


@dataclass(frozen=True, slots=True)
class NamedTeam:
    """A team by its name."""

    team_id: str
    name: str


@dataclass(frozen=True, slots=True)
class SeasonMemberShape:
    """A racer of the season: region, category and team ("" for none)."""

    __pydantic_config__ = _STRICT

    racer: str
    region: str = ""
    category: str = ""
    team_id: str = ""


@dataclass(frozen=True, slots=True)
class DivisionPlace:
    """A racer who is put into a division by hand, and why."""

    __pydantic_config__ = _STRICT

    racer: str
    division: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class DivisionMoveShape:
    racer: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class AwardShape:
    """A prize. `race_id` "": of the season. `passed_over`: who was ahead and has one of this kind already."""

    kind: str
    race_id: str
    slot: int
    racer: str
    name: str
    passed_over: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class RecordShape:
    track: str
    direction: str
    race_type: str
    circuit: str
    method: Method
    laps: int
    racer: str
    name: str
    score_ms: int
    score: str
    set_at: str
    race_id: str


def shown_points(points: Points) -> float:
    """Points as a JSON number."""
    return float(points_text(points))


def standing_shape(table: SeasonTable, start: int, limit: int, cursor: str) -> SeasonStandingShape:
    """The lines from `start` on."""
    results, choice = table.results, table.choice
    return SeasonStandingShape(
        season_id=results.season.season_id,
        name=results.season.name,
        kind=choice.kind,
        region=choice.region,
        category=choice.category,
        division=choice.division,
        racers=len(table.lines),
        to_come=table.to_come,
        races=tuple(
            SeasonRaceShape(race.race_id, race.name, race.kind, race.division, race.over) for race in table.races
        ),
        standings=tuple(_row(results, line) for line in table.lines[start : start + limit]),
        next=cursor,
    )


def _row(results: SeasonResults, line: SeasonLine) -> SeasonRowShape:
    return SeasonRowShape(
        rank=line.rank,
        tied=line.tied,
        racer=results.spelled(line.racer),
        name=results.name(line.racer),
        points=shown_points(line.points),
        division=results.division(line.racer),
        started=line.started,
        races=tuple(_cell(each) for each in line.races),
    )


def _cell(cell: RacePoints | None) -> PointsShape | None:
    return None if cell is None else PointsShape(cell.place, shown_points(cell.points), cell.counted)


def chance_shape(results: SeasonResults, chance: Chance) -> ChanceShape:
    return ChanceShape(
        results.spelled(chance.racer),
        shown_points(chance.min_points),
        shown_points(chance.max_points),
        chance.can_win,
        chance.has_won,
        chance.can_qualify,
        chance.has_qualified,
    )


def team_shape(results: SeasonResults, line: TeamLine) -> TeamShape:
    members = tuple(
        TeamMemberShape(results.spelled(each.racer), results.name(each.racer), shown_points(each.points), each.counted)
        for each in line.members
    )
    return TeamShape(
        line.rank, line.tied, line.team_id, results.team_name(line.team_id), shown_points(line.points), members
    )


def award_shape(results: SeasonResults, award: Award) -> AwardShape:
    racer, name = results.spelled(award.racer), results.name(award.racer)
    passed = tuple(results.spelled(each) for each in award.passed_over)
    return AwardShape(award.kind, award.race_id, award.slot, racer, name, passed)


def record_shape(record: TrackRecord) -> RecordShape:
    key = record.key
    return RecordShape(
        key.track,
        key.direction,
        key.race_type,
        key.circuit,
        key.method,
        key.laps,
        record.racer,
        record.name,
        record.score_ms,
        format_ms(record.score_ms),
        utc_text(record.set_utc_ns),
        record.race_id,
    )
