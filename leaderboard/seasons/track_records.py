"""The records of all tracks, from the first of each public race: one look into the index of lines a table.

They are not stored: a race's first line is its best score, and a record is the best of those that compare.
"""

import sqlalchemy as sa

from leaderboard.core.seasons.records import TrackRecord, record_key, records
from leaderboard.store import race_rows
from leaderboard.store.database import Store
from leaderboard.store.tables import ENTRIES, LINES, RACES, RESULTS


class TrackRecords:
    """The records of one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def records(self, season_id: str = "", track: str = "") -> list[TrackRecord]:
        """All records, or those of the races of a season, or of a track; by track, direction, race type, circuit."""
        with self._store.read() as db:
            return records(_candidates(db, season_id, track))


def _candidates(db: sa.Connection, season_id: str, track: str) -> list[TrackRecord]:
    query = sa.select(RACES.c.race_id).where(RACES.c.visibility == "public", RACES.c.stage.not_in(("draft", "deleted")))
    if season_id:
        query = query.where(RACES.c.season_id == season_id)
    if track:
        query = query.where(RACES.c.track == track)
    found = []
    for race_id in db.execute(query).scalars().all():
        race = race_rows.race(db, race_id)
        if not race.track:
            continue
        for row in _firsts(db, race_id):
            rules = race.rules
            of_race = (race.track, race.direction, race.race_type, row.result_kind)
            key = record_key(*of_race, rules.method, rules.consecutive_laps)
            found.append(TrackRecord(key, row.racer, row.name or row.racer, row.score_ms, row.set_utc_ns, race_id))
    return found


def _firsts(db: sa.Connection, race_id: str) -> list[sa.Row[tuple[object, ...]]]:
    """The first line of each kind of result in a race, with the racer's name."""
    found = []
    for kind in ("physical", "virtual"):
        query = (
            sa.select(LINES, RESULTS.c.kind.label("result_kind"), ENTRIES.c.name)
            .join(RESULTS, RESULTS.c.seq == LINES.c.seq)
            .outerjoin(ENTRIES, (ENTRIES.c.race_id == LINES.c.race_id) & (ENTRIES.c.racer == LINES.c.racer))
            .where(LINES.c.race_id == race_id, LINES.c.kind.in_((kind, "any")), RESULTS.c.kind == kind)
            .order_by(LINES.c.score_ms, LINES.c.set_utc_ns, LINES.c.order)
            .limit(1)
        )
        found += list(db.execute(query))
    return found
