"""Reads and writes what a season holds beside its races: members, teams, divisions, brackets. Each function is part of
the transaction whose connection it is given.
"""

import dataclasses
import functools
import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core.race import RaceRecord
from leaderboard.core.seasons import divisions
from leaderboard.core.seasons.bracket import BracketSettings, HeatResult
from leaderboard.core.seasons.divisions import DivisionMove
from leaderboard.core.seasons.rules import SeasonRules, season_rules_of
from leaderboard.store.tables import BRACKETS, DIVISIONS, ENTRIES, HEATS, MEMBERS, SEASONS, TEAMS
from shared.rules.person_names import name_key


@dataclass(frozen=True, slots=True)
class SeasonMember:
    """What a season knows of a racer beside the results; "" for none."""

    racer: str
    region: str = ""
    category: str = ""
    team_id: str = ""


@dataclass(frozen=True, slots=True)
class TeamRecord:
    """A team of a season."""

    team_id: str
    season_id: str
    name: str


@dataclass(frozen=True, slots=True)
class BracketRecord:
    """A bracket with its seeds, the best first; `edition` counts the changes of its heats."""

    bracket_id: str
    race_id: str
    season_id: str
    name: str
    settings: BracketSettings
    seeds: tuple[str, ...]
    edition: int = 1


@functools.lru_cache(maxsize=65_536)
def racer_key(racer: str) -> str:
    """What all spellings of a racer have in common."""
    return name_key(racer)


def _hash(racer: str) -> str:
    return hashlib.sha256(racer_key(racer).encode()).hexdigest()


def rules_of(db: sa.Connection, season_id: str) -> SeasonRules:
    """The rules of the season's standing; those of a new season where nobody set any, or where there is no season."""
    settings = db.execute(sa.select(SEASONS.c.settings).where(SEASONS.c.season_id == season_id)).scalar()
    return season_rules_of(json.loads(settings or "{}"))


def members(db: sa.Connection, season_id: str) -> list[SeasonMember]:
    """All members of the season, by name."""
    query = sa.select(MEMBERS).where(MEMBERS.c.season_id == season_id).order_by(MEMBERS.c.racer)
    return [SeasonMember(row.racer, row.region, row.category, row.team_id) for row in db.execute(query)]


def member(db: sa.Connection, season_id: str, racer: str) -> SeasonMember | None:
    """The member of this name, in any spelling."""
    row = db.execute(sa.select(MEMBERS).where(_of_member(season_id, racer))).first()
    return None if row is None else SeasonMember(row.racer, row.region, row.category, row.team_id)


def _of_member(season_id: str, racer: str) -> sa.ColumnElement[bool]:
    return sa.and_(MEMBERS.c.season_id == season_id, MEMBERS.c.key_sha256 == _hash(racer))


def set_member(db: sa.Connection, season_id: str, new: SeasonMember) -> None:
    """Store the member; one of another spelling is replaced."""
    db.execute(sa.delete(MEMBERS).where(_of_member(season_id, new.racer)))
    keys = {"season_id": season_id, "key_sha256": _hash(new.racer)}
    db.execute(sa.insert(MEMBERS), dataclasses.asdict(new) | keys)


def teams(db: sa.Connection, season_id: str) -> list[TeamRecord]:
    """All teams of the season, by name."""
    query = sa.select(TEAMS).where(TEAMS.c.season_id == season_id).order_by(TEAMS.c.name, TEAMS.c.team_id)
    return [TeamRecord(row.team_id, row.season_id, row.name) for row in db.execute(query)]


def team_named(db: sa.Connection, season_id: str, name: str) -> TeamRecord | None:
    """The team of this name, in any spelling."""
    of_name = sa.and_(TEAMS.c.season_id == season_id, TEAMS.c.key_sha256 == _hash(name))
    row = db.execute(sa.select(TEAMS).where(of_name)).first()
    return None if row is None else TeamRecord(row.team_id, row.season_id, row.name)


def add_team(db: sa.Connection, team: TeamRecord, now_utc_ns: int) -> None:
    db.execute(
        sa.insert(TEAMS), dataclasses.asdict(team) | {"key_sha256": _hash(team.name), "created_utc_ns": now_utc_ns}
    )


def drop_team(db: sa.Connection, team_id: str) -> None:
    """Remove a team; its members are in none then."""
    db.execute(sa.update(MEMBERS).where(MEMBERS.c.team_id == team_id).values(team_id=""))
    db.execute(sa.delete(TEAMS).where(TEAMS.c.team_id == team_id))


def rename_team(db: sa.Connection, team: TeamRecord) -> None:
    """Store the team's name."""
    named = {"name": team.name, "key_sha256": _hash(team.name)}
    db.execute(sa.update(TEAMS).where(TEAMS.c.team_id == team.team_id).values(**named))


def drop_member(db: sa.Connection, season_id: str, racer: str) -> None:
    """Forget the member of this name, in any spelling."""
    db.execute(sa.delete(MEMBERS).where(_of_member(season_id, racer)))


def division_moves(db: sa.Connection, season_id: str) -> list[DivisionMove]:
    """All moves between the divisions of the season, in the order in which they were made."""
    query = sa.select(DIVISIONS).where(DIVISIONS.c.season_id == season_id).order_by(DIVISIONS.c.seq)
    return [DivisionMove(row.racer, row.before, row.after, row.race_id) for row in db.execute(query)]


def division_of(db: sa.Connection, season_id: str, racer: str) -> str:
    """The division to which the racer was moved last; "" for one who never was."""
    query = sa.select(DIVISIONS.c.after).where(DIVISIONS.c.season_id == season_id)
    query = query.where(DIVISIONS.c.key_sha256 == _hash(racer)).order_by(DIVISIONS.c.seq.desc()).limit(1)
    return db.execute(query).scalar() or ""


def check_may_enter(db: sa.Connection, race: RaceRecord, racer: str) -> None:
    """Check that the racer's division may enter the race. Raises Refused."""
    if race.division and race.season_id:
        rule = rules_of(db, race.season_id).divisions
        division = division_of(db, race.season_id, racer) or divisions.lowest(rule)
        divisions.check_division(rule, race.division, racer, division)


def add_moves(db: sa.Connection, season_id: str, moves: Iterable[DivisionMove], now_utc_ns: int) -> None:
    """Keep these moves, in their order."""
    values = [
        dataclasses.asdict(move) | {"season_id": season_id, "key_sha256": _hash(move.racer), "at_utc_ns": now_utc_ns}
        for move in moves
    ]
    if values:
        db.execute(sa.insert(DIVISIONS), values)


def drop_moves_after(db: sa.Connection, season_id: str, race_id: str) -> None:
    """Take back what followed from a race whose results are not final any more."""
    db.execute(sa.delete(DIVISIONS).where(DIVISIONS.c.season_id == season_id, DIVISIONS.c.race_id == race_id))


def add_bracket(db: sa.Connection, bracket: BracketRecord, now_utc_ns: int) -> None:
    values = dataclasses.asdict(bracket) | {"created_utc_ns": now_utc_ns}
    values |= {"settings": json.dumps(dataclasses.asdict(bracket.settings)), "seeds": json.dumps(bracket.seeds)}
    db.execute(sa.insert(BRACKETS), values)


def bracket(db: sa.Connection, bracket_id: str, for_change: bool = False) -> BracketRecord | None:
    """The bracket; `for_change` lets others who change it wait (PostgreSQL)."""
    query = sa.select(BRACKETS).where(BRACKETS.c.bracket_id == bracket_id)
    row = db.execute(query.with_for_update() if for_change else query).first()
    return None if row is None else _bracket(row)


def brackets(db: sa.Connection, *, race_id: str = "", season_id: str = "") -> list[BracketRecord]:
    """The brackets of a race, of a season, or all; the newest first."""
    query = sa.select(BRACKETS).order_by(BRACKETS.c.created_utc_ns.desc(), BRACKETS.c.bracket_id)
    if race_id:
        query = query.where(BRACKETS.c.race_id == race_id)
    if season_id:
        query = query.where(BRACKETS.c.season_id == season_id)
    return [_bracket(row) for row in db.execute(query)]


def driven_brackets(db: sa.Connection) -> list[BracketRecord]:
    """Those whose heats farms drive; the oldest first."""
    query = sa.select(BRACKETS).where(BRACKETS.c.settings.like('%"driven": true%'))
    return [_bracket(row) for row in db.execute(query.order_by(BRACKETS.c.created_utc_ns, BRACKETS.c.bracket_id))]


def _bracket(row: sa.Row[tuple[object, ...]]) -> BracketRecord:
    settings = BracketSettings(**json.loads(row.settings))
    return BracketRecord(
        row.bracket_id, row.race_id, row.season_id, row.name, settings, tuple(json.loads(row.seeds)), row.edition
    )


def shown_names(db: sa.Connection, race_id: str, racers: Sequence[str]) -> dict[str, str]:
    """The name under which each of these racers is entered in a race; whoever has no entry is not among them."""
    entered = (ENTRIES.c.race_id == race_id) & ENTRIES.c.racer.in_(racers)
    return {row.racer: row.name for row in db.execute(sa.select(ENTRIES.c.racer, ENTRIES.c.name).where(entered))}


def heat_results(db: sa.Connection, bracket_id: str) -> dict[int, HeatResult]:
    """The result that counts of each heat that was run."""
    query = sa.select(HEATS).where(HEATS.c.bracket_id == bracket_id, ~HEATS.c.taken_back).order_by(HEATS.c.run)
    return {row.number: HeatResult(row.winner, row.first_score_ms, row.second_score_ms) for row in db.execute(query)}


def runs_of_heats(db: sa.Connection, bracket_id: str) -> dict[int, int]:
    """How often each heat was run."""
    query = sa.select(HEATS.c.number, sa.func.max(HEATS.c.run)).where(HEATS.c.bracket_id == bracket_id)
    return {number: int(run) for number, run in db.execute(query.group_by(HEATS.c.number))}


def add_heat_result(db: sa.Connection, bracket_id: str, number: int, result: HeatResult, now_utc_ns: int) -> int:
    """Keep the result; returns how often the heat was run with it."""
    run = runs_of_heats(db, bracket_id).get(number, 0) + 1
    keys = {"bracket_id": bracket_id, "number": number, "run": run, "at_utc_ns": now_utc_ns, "taken_back": False}
    db.execute(sa.insert(HEATS), dataclasses.asdict(result) | keys)
    _count_change(db, bracket_id)
    return run


def take_back(db: sa.Connection, bracket_id: str, number: int) -> None:
    """Let the heat's results not count any more; they stay."""
    of_heat = sa.and_(HEATS.c.bracket_id == bracket_id, HEATS.c.number == number)
    db.execute(sa.update(HEATS).where(of_heat).values(taken_back=True))
    _count_change(db, bracket_id)


def _count_change(db: sa.Connection, bracket_id: str) -> None:
    of_bracket = BRACKETS.c.bracket_id == bracket_id
    db.execute(sa.update(BRACKETS).where(of_bracket).values(edition=BRACKETS.c.edition + 1))
