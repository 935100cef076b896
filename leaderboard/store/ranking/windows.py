"""Reads what a page shows of a table: some lines with their neighbours, by their order, however many there are."""

import base64
import binascii
import contextlib
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import sqlalchemy as sa
from sqlalchemy import bindparam as given

from leaderboard.core.rank import BestAttempt, LineKey, RankKey
from leaderboard.core.search import MAX_CHARACTERS, folded, is_free, is_sought_inside
from leaderboard.core.window import LastChange, ShownLine, places
from leaderboard.store.ranking import ranks
from leaderboard.store.ranking.decoded_results import DecodedResults
from leaderboard.store.statements import LINE_COLUMNS
from leaderboard.store.tables import ENTRIES, LINES, RESULTS
from shared.errors import BadInput
from shared.protocol.results import Result
from shared.rules.ranking import Placed

FOUND_AT_ONCE = 50  # lines that a search shows
# Lets all names of a large table be read, while it is open; raises RateLimited.
ManyNames = Callable[[], contextlib.AbstractContextManager[object]]
_LAST = "\U0010ffff"


class WindowRow(NamedTuple):
    """A line as it stands: its place, the name that is shown, and the places it gained by the last change.

    `result`: what it comes from, where that was asked for.
    """

    line: BestAttempt
    placed: Placed
    name: str
    moved: int | None
    result: Result | None


class Window(NamedTuple):
    """Lines of a table. `more`: there are further ones behind them (of a search: further names)."""

    rows: tuple[WindowRow, ...]
    more: bool


_OF_TABLE = (LINES.c.race_id == given("race_id")) & (LINES.c.kind == given("kind"))
_KEY = (LINES.c.score_ms, LINES.c.set_utc_ns, LINES.c.order)
_GIVEN = sa.tuple_(*(given(name, type_=sa.BigInteger) for name in ("score_ms", "set_utc_ns", "order")))
_SHOWN = (
    sa.select(*LINE_COLUMNS, sa.func.coalesce(ENTRIES.c.name, LINES.c.racer).label("name"))
    .select_from(LINES)
    .outerjoin(ENTRIES, (ENTRIES.c.race_id == LINES.c.race_id) & (ENTRIES.c.racer == LINES.c.racer))
    .where(_OF_TABLE)
)
_LIMIT = given("limit", type_=sa.Integer)
_TOP = _SHOWN.order_by(*_KEY).limit(_LIMIT)
_ALL = _SHOWN.order_by(*_KEY)
_AFTER = _SHOWN.where(sa.tuple_(*_KEY) > _GIVEN).order_by(*_KEY).limit(_LIMIT)
_BEFORE = _SHOWN.where(sa.tuple_(*_KEY) < _GIVEN).order_by(*(column.desc() for column in _KEY)).limit(_LIMIT)
_AT_ONCE = 500  # results that one query asks for
_UNCERTAINTIES = sa.select(RESULTS.c.seq, RESULTS.c.uncertainty_ns).where(
    RESULTS.c.seq.in_(given("seqs", expanding=True))
)
_LEADER = sa.select(LINES.c.score_ms).where(_OF_TABLE).order_by(*_KEY).limit(1)
_OF_RACERS = sa.select(*LINE_COLUMNS).where(_OF_TABLE & LINES.c.racer.in_(given("racers", expanding=True)))
_STARTING = _SHOWN.where((LINES.c.folded >= given("start")) & (LINES.c.folded < given("end")))
_STARTING = _STARTING.order_by(LINES.c.folded, LINES.c.racer).limit(_LIMIT)
# The index holds what is compared, so that only what is found is read from the table.
_NAMES_WITH = (
    sa.select(LINES.c.racer)
    .where(_OF_TABLE & LINES.c.folded.like(given("pattern"), escape="/"))
    .order_by(LINES.c.folded, LINES.c.racer)
    .limit(_LIMIT)
)
# In no order: for one by name SQLite would walk through all names instead of looking these up.
_OF_NAMES = _SHOWN.where(LINES.c.racer.in_(given("racers", expanding=True)))


class TableReader:
    """One table of a race in one transaction. `undo`: its lines before the last change, as races keep them.

    `decoded`: gives each line's result, most of which it holds already; without it lines are read alone.
    """

    def __init__(
        self,
        db: sa.Connection,
        race_id: str,
        kind: str,
        undo: Mapping[LineKey, BestAttempt | None] | None = None,
        decoded: DecodedResults | None = None,
    ) -> None:
        self._db, self._decoded = db, decoded
        self._race_id, self._kind = race_id, kind
        self._table = {"race_id": race_id, "kind": kind}
        before = {key: line for key, line in (undo or {}).items() if key.kind == kind}
        self._change = LastChange(before.values(), self.lines_of([key.racer for key in before]))
        self._before = {key.racer: line for key, line in before.items()}

    @property
    def ranked(self) -> int:
        """How many lines the table has."""
        return ranks.ranked(self._db, self._race_id, self._kind)

    def top(self, limit: int | None) -> Window:
        """The first lines; all of them without a limit."""
        if limit is None:
            return self._window(self._read(_ALL), None, 0, None)
        return self._window(self._read(_TOP, limit=limit + 1), None, 0, limit)

    def after(self, key: RankKey, limit: int) -> Window:
        """The lines behind this place of the order."""
        return self._window(
            self._read(_AFTER, key, limit=limit + 1), self._just_before(key, inclusive=True), None, limit
        )

    def around(self, line: BestAttempt, limit: int) -> Window:
        """The line with as many before it as behind it."""
        upwards = self._read(_BEFORE, line.rank_key, limit=limit // 2 + 1)
        ahead = upwards.pop() if len(upwards) > limit // 2 else None
        shown = upwards[::-1]
        downwards = self._read(_AFTER, line.rank_key, limit=limit - len(shown))
        own = self._read(_OF_NAMES, racers=[line.racer])
        return self._window([*shown, *own, *downwards], ahead, None, limit)

    def found(self, words: str, limit: int, many_names: ManyNames = contextlib.nullcontext) -> Window:
        """Lines whose name begins with these words or, where few do, holds them; by name.

        Of a large table only three characters and more are looked for inside names. Raises what `many_names` raises.
        """
        wanted, limit = folded(words[: 4 * MAX_CHARACTERS])[:MAX_CHARACTERS], min(limit, FOUND_AT_ONCE)
        if not wanted:
            return Window((), more=False)
        found = self._read(_STARTING, start=wanted, end=wanted + _LAST, limit=limit + 1)
        racers = self.ranked
        if len(found) <= limit and is_sought_inside(wanted, racers):
            with contextlib.nullcontext() if is_free(racers) else many_names():
                found += self._found_inside(wanted, {each.line.racer for each in found}, limit + 1 - len(found))
        return Window(tuple(self._alone(each) for each in found[:limit]), more=len(found) > limit)

    def _found_inside(self, wanted: str, known: set[str], limit: int) -> list[ShownLine]:
        pattern = "%" + "".join(f"/{letter}" if letter in "/%_" else letter for letter in wanted) + "%"
        parameters = self._table | {"pattern": pattern, "limit": limit + 2 * len(known)}
        racers = [racer for racer in self._db.execute(_NAMES_WITH, parameters).scalars() if racer not in known]
        lines = {each.line.racer: each for each in self._read(_OF_NAMES, racers=racers[:limit])} if racers else {}
        return [lines[racer] for racer in racers[:limit]]

    def lines_of(self, racers: Sequence[str]) -> list[BestAttempt]:
        """The lines of these racers, as far as they have one."""
        rows = self._db.execute(_OF_RACERS, self._table | {"racers": list(racers)}) if racers else ()
        return [BestAttempt(*row) for row in rows]

    def _read(self, query: sa.Select[Any], key: RankKey | None = None, **values: object) -> list[ShownLine]:
        keys = dict(zip(("score_ms", "set_utc_ns", "order"), key, strict=True)) if key is not None else {}
        rows = self._db.execute(query, self._table | keys | values).all()
        lines, names = [BestAttempt(*row[:-1]) for row in rows], [row[-1] for row in rows]
        if self._decoded is None:
            return list(map(ShownLine, lines, self._uncertainties_ns(lines), names))
        results = self._decoded.of(self._db, lines)
        return [
            ShownLine(line, result.evidence.uncertainty_ns, name, result)
            for line, name, result in zip(lines, names, results, strict=True)
        ]

    def _uncertainties_ns(self, lines: list[BestAttempt]) -> list[int]:
        """What the result of each line states of its timing."""
        found: dict[int, int] = {}
        for start in range(0, len(lines), _AT_ONCE):
            seqs = [line.seq for line in lines[start : start + _AT_ONCE]]
            found |= {row[0]: row[1] for row in self._db.execute(_UNCERTAINTIES, {"seqs": seqs})}
        return [found[line.seq] for line in lines]

    def _just_before(self, key: RankKey, *, inclusive: bool) -> ShownLine | None:
        """The line just before this place of the order; `inclusive`: it may be at it."""
        at = (key[0], key[1], key[2] + 1) if inclusive else key
        return next(iter(self._read(_BEFORE, at, limit=1)), None)

    def _alone(self, found: ShownLine) -> WindowRow:
        ahead = self._just_before(found.line.rank_key, inclusive=False)
        behind = self._read(_AFTER, found.line.rank_key, limit=1)
        return self._window([found, *behind], ahead, None, 1).rows[0]

    def _window(self, lines: list[ShownLine], ahead: ShownLine | None, before: int | None, limit: int | None) -> Window:
        """`before`: how many come before the first, None if that is to be counted. Beyond `limit`: a neighbour."""
        shown = lines if limit is None else lines[:limit]
        if not shown:
            return Window((), more=False)
        behind = lines[len(shown)] if len(lines) > len(shown) else None
        if before is None:
            before = self._ahead(shown[0].line.rank_key)
        leader_ms = None if before == 0 else self._db.execute(_LEADER, self._table).scalar_one()
        placed = places(shown, before + 1, leader_ms, ahead, behind)
        moved = self._moved(shown, placed) if self._before else [0] * len(shown)
        rows = tuple(
            WindowRow(each.line, place, each.name, by, each.result)
            for each, place, by in zip(shown, placed, moved, strict=True)
        )
        return Window(rows, more=behind is not None)

    def _moved(self, lines: Sequence[ShownLine], placed: Sequence[Placed]) -> list[int | None]:
        moved: list[int | None] = [*self._change.shifts(each.line.rank_key for each in lines)]
        for number, place in enumerate(placed):
            if place.racer in self._before:
                old = self._before[place.racer]
                moved[number] = None if old is None else self._rank_before(old.rank_key) - place.rank
        return moved

    def _rank_before(self, key: RankKey) -> int:
        return self._change.rank_before(key, self._ahead(key))

    def _ahead(self, key: RankKey) -> int:
        return ranks.ahead_of(self._db, self._race_id, self._kind, key)[0]


def cursor(line: BestAttempt) -> str:
    """The place behind this line as text for an address; it says nothing to a reader."""
    return base64.urlsafe_b64encode(json.dumps(line.rank_key, separators=(",", ":")).encode()).rstrip(b"=").decode()


def read_cursor(text: str) -> RankKey:
    """The place that a cursor names. Raises BadInput."""
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        found = json.loads(base64.b64decode(padded, b"-_", validate=True)) if len(text) <= 100 else None
    except (ValueError, binascii.Error, RecursionError):
        found = None
    if isinstance(found, list) and len(found) == 3 and all(type(n) is int and 0 <= n < 2**63 - 1 for n in found):
        return found[0], found[1], found[2]
    raise BadInput("`after` is not a cursor of this standing: take the one that the page before gave as `next`.")
