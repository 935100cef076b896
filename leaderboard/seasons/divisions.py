"""Moves racers between the divisions of a season: after a final race by its rule, or by a person.

`race_moved` is called within the transaction that makes a race final, or takes that back: whoever reads the one reads
the other.
"""

import dataclasses

import sqlalchemy as sa

from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.race import RaceRecord
from leaderboard.core.seasons.divisions import DivisionMove, after_moves, lowest, moves_after
from leaderboard.store import audit, league_rows, season_rows
from leaderboard.store.database import Store
from leaderboard.store.ranking import line_rows
from leaderboard.store.season_rows import racer_key
from shared.errors import Refused
from shared.rules.person_names import person_name
from shared.text import text

_MAX_WHY = 500


def race_moved(db: sa.Connection, caller: Caller, race: RaceRecord, now_utc_ns: int) -> None:
    """Let the divisions follow a race that has just become final, or is final no more."""
    if not race.season_id or not race.division:
        return
    made = [move for move in season_rows.division_moves(db, race.season_id) if move.race_id == race.race_id]
    if race.stage != "final":
        if made:
            season_rows.drop_moves_after(db, race.season_id, race.race_id)
            _record(db, caller, race, made, [], now_utc_ns)
        return
    if made:
        return
    rule = season_rows.rules_of(db, race.season_id).divisions
    spelled = _in_rank(db, race)
    by_key = moves_after(rule, race.race_id, race.division, list(spelled), _now(db, race.season_id))
    moves = [dataclasses.replace(move, racer=spelled[move.racer]) for move in by_key]
    season_rows.add_moves(db, race.season_id, moves, now_utc_ns)
    if moves:
        _record(db, caller, race, [], moves, now_utc_ns)


def _in_rank(db: sa.Connection, race: RaceRecord) -> dict[str, str]:
    """The racers in rank, by key, as spelled; of a race with two tables those of the first, then the others."""
    spelled: dict[str, str] = {}
    for kind in race.tables():
        for line in line_rows.lines(db, race.race_id, kind):
            spelled.setdefault(racer_key(line.racer), line.racer)
    return spelled


def _now(db: sa.Connection, season_id: str) -> dict[str, str]:
    return {racer_key(racer): after for racer, after in after_moves(season_rows.division_moves(db, season_id)).items()}


def _record(
    db: sa.Connection,
    caller: Caller,
    race: RaceRecord,
    before: list[DivisionMove],
    after: list[DivisionMove],
    now_utc_ns: int,
) -> None:
    old, new = ({"moves": [f"{move.racer}: {move.after}" for move in moves]} for moves in (before, after))
    subject = f"season:{race.season_id}"
    audit.record(
        db,
        caller,
        now_utc_ns,
        "race.finalise",
        subject,
        old,
        new,
        race_id=race.race_id,
        season_id=race.season_id,
        why=f"the division moves of race {race.race_id}",
    )


class DivisionService:
    """What people do with the divisions of the seasons of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def place(
        self, caller: Caller, season_id: str, racer: str, division: str, now_utc_ns: int, why: str = ""
    ) -> DivisionMove:
        """Put a racer into a division. Raises UnknownItem, Unauthorized, NotAllowed, Refused."""
        racer = person_name(racer)
        if len(why) > _MAX_WHY or not why.isprintable():
            raise Refused(text("A reason is one line of at most {max} characters.", max=_MAX_WHY))
        with self._store.write() as db:
            league_rows.season(db, season_id, for_change=True)
            access.require(caller, "season.edit", season_id=season_id)
            rule = season_rows.rules_of(db, season_id).divisions
            if division not in rule.names:
                known = ", ".join(rule.names) or text("none")
                raise Refused(
                    text(
                        "This season has no division {division}: it has {known}.",
                        division=repr(division[:80]),
                        known=known,
                    )
                )
            before = season_rows.division_of(db, season_id, racer) or lowest(rule)
            move = DivisionMove(racer, before, division)
            if before != division:
                season_rows.add_moves(db, season_id, [move], now_utc_ns)
                subject = f"season:{season_id}/{racer}"
                old, new = {"division": before}, {"division": division}
                audit.record(db, caller, now_utc_ns, "season.edit", subject, old, new, season_id=season_id, why=why)
        return move
