"""Lines, and the states of attempts, against the results that they follow from."""

import dataclasses
from collections import defaultdict
from collections.abc import Iterator

import sqlalchemy as sa

from leaderboard.checks.check import StoredCheck
from leaderboard.core.race import RaceRecord
from leaderboard.core.rank import Attempt, BestAttempt, LineKey
from leaderboard.core.search import folded
from leaderboard.rescoring import derived
from leaderboard.store import attempt_rows, result_rows
from leaderboard.store.statements import LINE_COLUMNS
from leaderboard.store.tables import ENTRIES, LINES

_STORED = sa.select(*LINE_COLUMNS, LINES.c.folded).where(LINES.c.race_id == sa.bindparam("race_id"))
_NAMES = sa.select(ENTRIES.c.racer, ENTRIES.c.name).where(ENTRIES.c.race_id == sa.bindparam("race_id"))


def _find(db: sa.Connection, race: RaceRecord) -> Iterator[str]:
    names = {row.racer: row.name for row in db.execute(_NAMES, {"race_id": race.race_id})}
    stored: dict[LineKey, tuple[BestAttempt, str]] = {}
    for *values, name in db.execute(_STORED, {"race_id": race.race_id}):
        line = BestAttempt(*values)
        stored[line.key] = line, name
    for key, attempts in _attempts(db, race).items():
        settled, line_wanted = derived(db, race, key, attempts)
        yield from _wrong_states(attempts, settled)
        found = stored.pop(key, None)
        if line_wanted is None and found is None:
            continue
        if line_wanted is None or found is None:
            what = "has a line, and no result that counts" if line_wanted is None else "has no line"
            yield f"{key.kind}: {key.racer!r} {what}"
            continue
        line, name = found
        wrong = [f.name for f in dataclasses.fields(line) if getattr(line, f.name) != getattr(line_wanted, f.name)]
        if name != folded(names.get(key.racer, key.racer)):
            wrong.append("folded")
        if wrong:
            yield f"{key.kind}: the line of {key.racer!r} is wrong in {', '.join(wrong)}"
    for key in stored:
        yield f"{key.kind}: {key.racer!r} has a line, and no result"


def _wrong_states(attempts: list[Attempt], settled: list[Attempt]) -> Iterator[str]:
    before = {each.seq: each for each in attempts}
    for each in settled:
        if (before[each.seq].state, before[each.seq].reason) != (each.state, each.reason):
            yield f"the result {each.result_id!r} stands as {before[each.seq].state}, and is {each.state}"


def _attempts(db: sa.Connection, race: RaceRecord) -> dict[LineKey, list[Attempt]]:
    found: dict[LineKey, list[Attempt]] = defaultdict(list)
    for attempt in result_rows.attempts_of_race(db, race.race_id):
        found[LineKey(race.table_of(attempt.kind), attempt.racer)].append(attempt)
    return found


def _repair(db: sa.Connection, race: RaceRecord) -> None:
    """All lines are written again; whoever calls this has the lines counted after it."""
    db.execute(sa.delete(LINES).where(LINES.c.race_id == race.race_id))
    names = {row.racer: row.name for row in db.execute(_NAMES, {"race_id": race.race_id})}
    for key, attempts in _attempts(db, race).items():
        settled, line = derived(db, race, key, attempts)
        attempt_rows.set_states(db, attempts, settled)
        if line is not None:
            name = folded(names.get(key.racer, key.racer))
            db.execute(sa.insert(LINES), dataclasses.asdict(line) | {"race_id": race.race_id, "folded": name})


LINES_OF_RESULTS = StoredCheck("lines", _find, _repair)
