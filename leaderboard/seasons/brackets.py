"""Brackets: seeded from the standing of a race, run heat by heat. Called by api/seasons/ and pages/seasons/."""

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import NOBODY, Caller
from leaderboard.core.errors import Conflict, UnknownItem, UnknownRace
from leaderboard.core.race import RaceRecord, Venue, is_race_id
from leaderboard.core.seasons.bracket import (
    SIZES,
    BracketSettings,
    Elimination,
    HeatNow,
    HeatResult,
    check_bracket,
    check_rerun,
    check_result,
    heats_now,
)
from leaderboard.league.changes import edition_sentence
from leaderboard.store import audit, league_rows, race_rows, season_rows
from leaderboard.store.database import Store
from leaderboard.store.evaluations import heat_rows
from leaderboard.store.ranking import line_rows
from leaderboard.store.season_rows import BracketRecord
from shared.errors import Refused
from shared.protocol.farm_shows import HeatRun
from shared.text import text

_LONGEST_NAME = 100


@dataclass(frozen=True, slots=True)
class WantedBracket:
    """A bracket to seed from a race. `size` None: the smallest that holds all ranked racers, or the largest.

    `table`: of a race that ranks its kinds apart; None: its first. `driven`: farms drive its heats.
    """

    race_id: str
    name: str
    size: int | None = None
    elimination: Elimination = "single"
    byes: bool = True
    third: bool = True
    table: Venue | None = None
    driven: bool = False


@dataclass(frozen=True, slots=True)
class BracketNow:
    """A bracket with every heat as it stands, how often each was run, and how the boards name its racers."""

    bracket: BracketRecord
    heats: tuple[HeatNow, ...]
    runs: dict[int, int]
    names: dict[str, str]


class BracketService:
    """The brackets of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def brackets(self, caller: Caller, race_id: str = "", season_id: str = "") -> list[BracketNow]:
        """Those of a race, of a season, or all; only of races that the caller sees; the newest first."""
        with self._store.read() as db:
            found = season_rows.brackets(db, race_id=race_id, season_id=season_id)
            return [_now(db, each) for each in found if _seen(db, caller, each.race_id) is not None]

    def bracket(self, caller: Caller, bracket_id: str) -> BracketNow:
        """The bracket. Raises UnknownItem (also for one of a race that the caller does not see)."""
        with self._store.read() as db:
            return _now(db, _bracket(db, caller, bracket_id)[0])

    def may_run(self, caller: Caller, bracket_id: str) -> bool:
        """Whether the caller may enter results. Raises UnknownItem."""
        with self._store.read() as db:
            return access.may(caller, "bracket.run", _bracket(db, caller, bracket_id)[1])

    def check_may_run(self, caller: Caller, bracket_id: str) -> None:
        """Check that the caller may enter results. Raises UnknownItem, Unauthorized, NotAllowed."""
        with self._store.read() as db:
            access.require(caller, "bracket.run", _bracket(db, caller, bracket_id)[1])

    def race_to_seed(self, caller: Caller, race_id: str) -> tuple[RaceRecord, dict[Venue, int]]:
        """The race, and how many racers are ranked in each of its tables.

        Raises UnknownRace, Unauthorized, NotAllowed if the caller may not make a bracket of it.
        """
        with self._store.read() as db:
            race = _seen(db, caller, race_id)
            if race is None:
                raise UnknownRace.of(race_id)
            access.require(caller, "bracket.run", race)
            return race, {table: len(line_rows.lines(db, race_id, table)) for table in race.tables()}

    def create(self, caller: Caller, wanted: WantedBracket, now_utc_ns: int) -> BracketNow:
        """Seed a bracket from the best of a race. Raises UnknownRace, NotAllowed, Unauthorized, Refused."""
        name = wanted.name
        if not name or len(name) > _LONGEST_NAME or name != name.strip() or not name.isprintable():
            raise Refused(text("A bracket's name has 1 to {max} visible characters.", max=_LONGEST_NAME))
        with self._store.write() as db:
            race = _seen(db, caller, wanted.race_id)
            if race is None:
                raise UnknownRace.of(wanted.race_id)
            access.require(caller, "bracket.run", race)
            lines = line_rows.lines(db, race.race_id, race.table_named(wanted.table))
            size = _fitting(len(lines)) if wanted.size is None else wanted.size
            settings = BracketSettings(size, wanted.elimination, wanted.byes, wanted.third, wanted.driven)
            if wanted.driven and not can_drive(race):
                raise Refused(text("Farms drive heats only for a virtual race of the type head to head."))
            seeds = tuple(line.racer for line in lines[: max(size, 0)])
            check_bracket(settings, len(seeds))
            bracket = BracketRecord(secrets.token_hex(8), race.race_id, race.season_id, name, settings, seeds)
            season_rows.add_bracket(db, bracket, now_utc_ns)
            _record(db, caller, race, bracket, None, bracket, now_utc_ns)
            return _now(db, bracket)

    def enter(
        self,
        caller: Caller,
        bracket_id: str,
        number: int,
        result: HeatResult,
        now_utc_ns: int,
        edition: int | None = None,
    ) -> BracketNow:
        """Enter the result of a heat. `edition`: of the bracket that the caller has seen; None: any.

        Raises UnknownItem, NotAllowed, Unauthorized, Refused, Conflict (it has a result, or somebody was quicker).
        """
        with self._store.write() as db:
            bracket, race = _bracket(db, caller, bracket_id, for_change=True)
            access.require(caller, "bracket.run", race)
            _check_edition(bracket, edition)
            _enter(db, caller, race, bracket, number, result, {}, now_utc_ns)
            return _now(db, _bracket(db, caller, bracket_id)[0])

    def driven(self) -> list[BracketNow]:
        """The brackets of virtual races whose heats farms drive, the oldest first."""
        with self._store.read() as db:
            found = season_rows.driven_brackets(db)
            return [_now(db, each) for each in found if can_drive(race_rows.race(db, each.race_id))]

    def enter_driven(
        self,
        bracket_id: str,
        number: int,
        result: HeatResult,
        runs: Sequence[HeatRun],
        evidence: Mapping[str, object],
        now_utc_ns: int,
    ) -> None:
        """Enter what farms drove, with its runs; `evidence` is for the audit. Raises UnknownItem, Refused, Conflict."""
        with self._store.write() as db:
            bracket = bracket_in(db, bracket_id).bracket
            enter_in(db, race_rows.race(db, bracket.race_id), bracket, number, result, runs, evidence, now_utc_ns)

    def rerun(
        self, caller: Caller, bracket_id: str, number: int, why: str, now_utc_ns: int, edition: int | None = None
    ) -> BracketNow:
        """Take back a heat's result, so that it is run again. Raises as `enter` does."""
        if not why.strip() or len(why) > 500 or not why.isprintable():
            raise Refused(text("Say why the heat is run again, in one line of at most 500 characters."))
        with self._store.write() as db:
            bracket, race = _bracket(db, caller, bracket_id, for_change=True)
            access.require(caller, "bracket.run", race)
            _check_edition(bracket, edition)
            heat = check_rerun(_now(db, bracket).heats, number)
            season_rows.take_back(db, bracket_id, number)
            _record(db, caller, race, bracket, {"heat": number, "winner": heat.winner}, None, now_utc_ns, why)
            return _now(db, _bracket(db, caller, bracket_id)[0])


def can_drive(race: RaceRecord) -> bool:
    """Whether farms can drive heats of this race."""
    return race.venue == "virtual" and race.race_type == "head_to_head" and race.stage != "deleted"


def bracket_in(db: sa.Connection, bracket_id: str) -> BracketNow:
    """The bracket as it stands, to be changed. Raises UnknownItem."""
    bracket = season_rows.bracket(db, bracket_id, for_change=True)
    if bracket is None:
        raise UnknownItem.of("bracket", bracket_id)
    return _now(db, bracket)


def enter_in(
    db: sa.Connection,
    race: RaceRecord,
    bracket: BracketRecord,
    number: int,
    result: HeatResult,
    runs: Sequence[HeatRun],
    evidence: Mapping[str, object],
    now_utc_ns: int,
) -> None:
    """Enter what was driven in the simulator, with its runs; `evidence` is for the audit. Raises Refused, Conflict."""
    run = _enter(db, NOBODY, race, bracket, number, result, evidence, now_utc_ns)
    heat_rows.add(db, bracket.bracket_id, number, run, runs)


def _enter(
    db: sa.Connection,
    caller: Caller,
    race: RaceRecord,
    bracket: BracketRecord,
    number: int,
    result: HeatResult,
    evidence: Mapping[str, object],
    now_utc_ns: int,
) -> int:
    """Returns how often the heat was run with this."""
    check_result(_now(db, bracket).heats, number, result)
    run = season_rows.add_heat_result(db, bracket.bracket_id, number, result, now_utc_ns)
    after = {"heat": number, "winner": result.winner, **evidence}
    _record(db, caller, race, bracket, None, after, now_utc_ns)
    return run


def _fitting(racers: int) -> int:
    return next((size for size in SIZES if size >= racers), SIZES[-1])


def _seen(db: sa.Connection, caller: Caller, race_id: str) -> RaceRecord | None:
    try:
        race = race_rows.race(db, race_id)
    except UnknownRace:
        return None
    return race if access.sees(caller, race, league_rows.entry_state(db, race_id, caller.account_id)) else None


def _bracket(
    db: sa.Connection, caller: Caller, bracket_id: str, for_change: bool = False
) -> tuple[BracketRecord, RaceRecord]:
    bracket = season_rows.bracket(db, bracket_id, for_change) if is_race_id(bracket_id) else None
    race = None if bracket is None else _seen(db, caller, bracket.race_id)
    if bracket is None or race is None:
        raise UnknownItem.of("bracket", bracket_id)
    return bracket, race


def _now(db: sa.Connection, bracket: BracketRecord) -> BracketNow:
    results = season_rows.heat_results(db, bracket.bracket_id)
    heats = tuple(heats_now(bracket.settings, bracket.seeds, results))
    names = season_rows.shown_names(db, bracket.race_id, bracket.seeds)
    return BracketNow(bracket, heats, season_rows.runs_of_heats(db, bracket.bracket_id), names)


def _check_edition(bracket: BracketRecord, edition: int | None) -> None:
    if edition is not None and edition != bracket.edition:
        raise Conflict(edition_sentence(bracket.edition, edition))


def _record(
    db: sa.Connection,
    caller: Caller,
    race: RaceRecord,
    bracket: BracketRecord,
    before: object,
    after: object,
    now_utc_ns: int,
    why: str = "",
) -> None:
    audit.record(
        db,
        caller,
        now_utc_ns,
        "bracket.run",
        f"bracket:{bracket.bracket_id}",
        before,
        after,
        race_id=race.race_id,
        season_id=race.season_id,
        why=why,
    )
