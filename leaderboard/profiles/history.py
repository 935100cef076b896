"""Reads the history of a racer's place from the stored results. Called by api/ and pages/."""

import dataclasses
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core.errors import UnknownRacer
from leaderboard.core.history import AcceptedRevision, PlaceStep, place_history
from leaderboard.core.race import RaceRecord, Venue
from leaderboard.core.states import HIDDEN
from leaderboard.store import race_rows, racer_rows
from leaderboard.store.database import Store
from leaderboard.store.tables import ENTRIES, RESULTS
from shared.text import text

MAX_REVISIONS = 20_000  # of a race with more, no history is told: each reading would cost them all


@dataclass(frozen=True, slots=True)
class RacerHistory:
    """The steps of a racer's place in a table. `is_known` False: the race holds more results than are read for it."""

    race: RaceRecord
    table: Venue
    racer: str
    name: str
    is_known: bool
    steps: tuple[PlaceStep, ...]


class PlaceHistories:
    """Answers for one store. Safe to call from any thread."""

    def __init__(self, store: Store, max_revisions: int = MAX_REVISIONS) -> None:
        self._store, self._max = store, max_revisions

    def of(self, race_id: str, racer: str, table: str | None = None) -> RacerHistory:
        """The history of this racer, by any spelling. Raises UnknownRace, UnknownRacer, Refused for a bad table."""
        with self._store.read() as db:
            race = race_rows.race(db, race_id)
            shown = race.table_named(table)
            known = racer_rows.known_spelling(db, race_id, racer)
            if known is None or racer_rows.entry_state(db, race_id, known) in HIDDEN:
                raise UnknownRacer(text("There is no racer {racer} in this race.", racer=repr(racer[:80])))
            name = racer_rows.entry_name(db, race_id, known) or known
            revisions = _revisions(db, race_id, shown, self._max + 1)
        is_known = len(revisions) <= self._max
        steps = place_history(revisions, known) if is_known else []
        return RacerHistory(race, shown, known, name, is_known, tuple(steps))


def _revisions(db: sa.Connection, race_id: str, table: Venue, limit: int) -> list[AcceptedRevision]:
    hidden = sa.select(ENTRIES.c.racer).where(ENTRIES.c.race_id == race_id, ENTRIES.c.state.in_(HIDDEN))
    query = sa.select(
        RESULTS.c.seq,
        RESULTS.c.result_id,
        RESULTS.c.revision,
        RESULTS.c.racer,
        RESULTS.c.score_ms,
        RESULTS.c.finished_utc_ns,
        RESULTS.c.accepted_utc_ns,
        RESULTS.c.state,
    ).where(RESULTS.c.race_id == race_id)
    if table != "any":
        query = query.where(RESULTS.c.kind == table)
    concealed = set(db.execute(hidden).scalars())
    found = [AcceptedRevision(*row) for row in db.execute(query.order_by(RESULTS.c.seq).limit(limit))]
    # A revision of a racer who is not shown still takes the result from whoever had it before.
    return [dataclasses.replace(each, score_ms=None) if each.racer in concealed else each for each in found]
