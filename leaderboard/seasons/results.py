"""The results of a season's races, read from their lines and kept in memory until a race changes.

Nothing of a standing is stored: it is a pure function of the lines (docs/decisions says why). What is kept here is a
copy of each race's lines, by the version of the race, so that only a race that changed is read again.
"""

import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core.access import Caller
from leaderboard.core.league.records import SeasonRecord
from leaderboard.core.race import RaceRecord, Venue
from leaderboard.core.seasons.divisions import lowest
from leaderboard.core.seasons.rules import SeasonRules
from leaderboard.core.seasons.standing import RaceOutcome
from leaderboard.league.seasons import seen_season
from leaderboard.store import race_rows, season_rows
from leaderboard.store.database import Store
from leaderboard.store.season_rows import SeasonMember, TeamRecord, racer_key
from leaderboard.store.tables import ENTRIES, LINES, RACES, RESULTS
from shared.protocol.results import decode_result
from shared.rules.ranking import successful_laps

_MAX_RACES_KEPT = 500


@dataclass(frozen=True, slots=True)
class RaceLines:
    """The lines of one table of a race: (racer by key, score in ms) in rank, and who drove the fastest lap."""

    kind: Venue
    lines: tuple[tuple[str, int], ...]
    fastest: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SeasonRace:
    """A race of a season at one of its versions. `names`: how each racer (by key) is shown; `spelled`: as stored."""

    race: RaceRecord
    version: int
    tables: tuple[RaceLines, ...]
    names: dict[str, str]
    spelled: dict[str, str]


@dataclass(frozen=True, slots=True)
class SeasonResults:
    """A season with all that its standings are made of, of one moment. `stamp` changes whenever any of it does."""

    season: SeasonRecord
    rules: SeasonRules
    races: tuple[SeasonRace, ...]
    members: tuple[SeasonMember, ...]
    teams: tuple[TeamRecord, ...]
    divisions: dict[str, str]
    now_utc_ns: int

    @property
    def stamp(self) -> object:
        """What a standing of this season was made of."""
        races = tuple((each.race.race_id, each.version, self.over(each.race)) for each in self.races)
        return self.season.season_id, self.season.edition, races, self.members, tuple(self.divisions.items())

    def over(self, race: RaceRecord) -> bool:
        """Whether the race is closed at this moment."""
        return race.state(self.now_utc_ns) in ("closed", "provisional", "final")

    def name(self, key: str) -> str:
        """How a racer is shown: by the name in the latest race."""
        return next((each.names[key] for each in reversed(self.races) if key in each.names), key)

    def spelled(self, key: str) -> str:
        """A racer as first spelled in the season."""
        return next((each.spelled[key] for each in self.races if key in each.spelled), key)

    def key(self, racer: str) -> str:
        """What all spellings of a racer have in common."""
        return racer_key(racer)

    def division(self, key: str) -> str:
        """The division of a racer; "" in a season without divisions."""
        return self.divisions.get(key) or lowest(self.rules.divisions)

    def team_name(self, team_id: str) -> str:
        """The name of a team; "" for none."""
        return next((team.name for team in self.teams if team.team_id == team_id), "")

    def outcomes(self) -> list[RaceOutcome]:
        """What each race gives, in the order of the season; a qualifying race gives only the pole of another."""
        poles = {each.qualifies_for: each.race_id for each in self.rules.qualifying}
        qualifying = set(poles.values())
        firsts = {each.race.race_id: _first(each) for each in self.races}
        return [
            RaceOutcome(
                race_id=each.race.race_id,
                name=each.race.name,
                over=self.over(each.race),
                lines=table.lines,
                kind="" if table.kind == "any" else table.kind,
                division=each.race.division,
                pole=firsts.get(poles.get(each.race.race_id, ""), ""),
                fastest=table.fastest,
            )
            for each in self.races
            if each.race.race_id not in qualifying
            for table in each.tables
        ]


def _first(race: SeasonRace) -> str:
    return next((table.lines[0][0] for table in race.tables if table.lines), "")


class SeasonReader:
    """Reads seasons of one store. Safe to call from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: OrderedDict[str, SeasonRace] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, caller: Caller, season_id: str, now_utc_ns: int, rules: SeasonRules | None = None) -> SeasonResults:
        """The season with its public races, by its own rules or by others. Raises UnknownItem, StorageError."""
        with self._store.read() as db:
            season = seen_season(db, caller, season_id)
            rules = season_rows.rules_of(db, season_id) if rules is None else rules
            races = tuple(self._race(db, race_id, version, rules) for race_id, version in _races_of(db, season_id))
            return SeasonResults(
                season,
                rules,
                races,
                tuple(season_rows.members(db, season_id)),
                tuple(season_rows.teams(db, season_id)),
                {racer_key(move.racer): move.after for move in season_rows.division_moves(db, season_id)},
                now_utc_ns,
            )

    def _race(self, db: sa.Connection, race_id: str, version: int, rules: SeasonRules) -> SeasonRace:
        with self._lock:
            kept = self._kept.get(race_id)
        if kept is None or kept.version != version:
            kept = _read(db, race_id, version)
        if rules.points.fastest_lap and not any(table.fastest for table in kept.tables):
            kept = _with_fastest(db, kept)
        with self._lock:
            self._kept[race_id] = kept
            self._kept.move_to_end(race_id)
            if len(self._kept) > _MAX_RACES_KEPT:
                self._kept.popitem(last=False)
        return kept


def _races_of(db: sa.Connection, season_id: str) -> list[tuple[str, int]]:
    """The public races in the order of the season: by when they open, else by when they were created."""
    query = sa.select(RACES.c.race_id, RACES.c.version).where(
        RACES.c.season_id == season_id, RACES.c.visibility == "public", RACES.c.stage.not_in(("draft", "deleted"))
    )
    when = sa.func.coalesce(RACES.c.opens_utc_ns, RACES.c.created_utc_ns)
    return [(row.race_id, row.version) for row in db.execute(query.order_by(when, RACES.c.race_id))]


def _read(db: sa.Connection, race_id: str, version: int) -> SeasonRace:
    race = race_rows.race(db, race_id)
    of_race = sa.select(ENTRIES.c.racer, ENTRIES.c.name).where(ENTRIES.c.race_id == race_id)
    entered = {row.racer: row.name for row in db.execute(of_race)}
    names: dict[str, str] = {}
    spelled: dict[str, str] = {}
    tables = []
    for kind in race.tables():
        query = sa.select(LINES.c.racer, LINES.c.score_ms).where(LINES.c.race_id == race_id, LINES.c.kind == kind)
        rows = db.execute(query.order_by(LINES.c.score_ms, LINES.c.set_utc_ns, LINES.c.order)).all()
        lines = []
        for racer, score_ms in rows:
            key = racer_key(racer)
            lines.append((key, score_ms))
            names[key], spelled[key] = entered.get(racer, racer), racer
        tables.append(RaceLines(kind, tuple(lines)))
    return SeasonRace(race, version, tuple(tables), names, spelled)


def _with_fastest(db: sa.Connection, race: SeasonRace) -> SeasonRace:
    """The race with the fastest successful lap of each table, from all ranked runs."""
    laps_ns = _fastest_laps_ns(db, race.race)
    tables = []
    for table in race.tables:
        kinds = ("physical", "virtual") if table.kind == "any" else (table.kind,)
        driven = {key: ns for (kind, key), ns in laps_ns.items() if kind in kinds}
        best_ms = min((ns // 1_000_000 for ns in driven.values()), default=None)
        fastest = tuple(sorted(key for key, ns in driven.items() if ns // 1_000_000 == best_ms))
        tables.append(RaceLines(table.kind, table.lines, fastest))
    return SeasonRace(race.race, race.version, tuple(tables), race.names, race.spelled)


def _fastest_laps_ns(db: sa.Connection, race: RaceRecord) -> dict[tuple[str, str], int]:
    """Of each kind and racer the fastest successful lap in a run that is ranked."""
    query = sa.select(RESULTS).where(RESULTS.c.race_id == race.race_id).order_by(RESULTS.c.revision)
    newest = {row.result_id: row for row in db.execute(query)}
    found: dict[tuple[str, str], int] = {}
    for row in newest.values():
        if row.score_ms is None or row.state != "ranked" or row.discarded:
            continue
        laps = successful_laps(decode_result(bytes(row.payload)).laps, race.rules)
        key = (row.kind, racer_key(row.racer))
        found[key] = min([found.get(key, 2**63), *(lap_ns for lap_ns, _ in laps)])
    return found


def chosen(members: Sequence[SeasonMember], region: str, category: str) -> set[str] | None:
    """The racers (by key) of a region and a category; None: all, since neither is asked for."""
    if not region and not category:
        return None
    return {
        racer_key(each.racer) for each in members if region in ("", each.region) and category in ("", each.category)
    }
