"""What a check of stored, derived rows is."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core.race import RaceRecord


@dataclass(frozen=True, slots=True)
class StoredCheck:
    """`find(db, race)` gives a sentence for each row that disagrees, `repair(db, race)` derives all of them again."""

    name: str
    find: Callable[[sa.Connection, RaceRecord], Iterator[str]]
    repair: Callable[[sa.Connection, RaceRecord], None]
