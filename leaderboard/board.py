"""The leaderboard without HTTP: takes in races, entries and results, and returns standings. Called by api/ and pages/.

`apply` is what a post does: one transaction holds the receipt (webhook-id, hash of the body, answer), the
result and its effect, so a repeat, a crash or two posts at once leave exactly one effect and one reply.
Nothing here reads a clock: the time is an argument.
"""

import dataclasses
import hashlib
import threading
from collections.abc import Callable
from dataclasses import dataclass

import sqlalchemy as sa

from leaderboard.core import acceptance, access
from leaderboard.core.access import NOBODY
from leaderboard.core.errors import Conflict, UnknownRace, UnknownRacer
from leaderboard.core.league import editing
from leaderboard.core.race import RaceRecord, Venue, check_race_id
from leaderboard.core.rank import Attempt, LineKey
from leaderboard.core.states import HIDDEN
from leaderboard.posting import Post, PostReply, checked, error_body, repeated, settle
from leaderboard.rescoring import rescore_race
from leaderboard.sender import ANY_SENDER, Sender
from leaderboard.store import audit, league_rows, queries
from leaderboard.store.database import Store
from leaderboard.store.group_commit import GroupCommit
from leaderboard.store.ranking.decoded_results import DecodedResults
from leaderboard.store.ranking.ranks import ranked
from leaderboard.store.ranking.windows import FOUND_AT_ONCE, TableReader, Window, WindowRow, cursor, read_cursor
from shared.errors import BadInput, Refused
from shared.protocol.races import differences
from shared.protocol.results import Result
from shared.rules.ranking import Placed, RaceRules
from shared.text import text


@dataclass(frozen=True, slots=True)
class StandingRow:
    """One line of a board as pages and the API show it. `moved`: places gained by the last result, None if new.

    `seq`: the revision that it comes from, in the order of acceptance.
    """

    placed: Placed
    moved: int | None
    attempts: int
    name: str
    result: Result
    seq: int


@dataclass(frozen=True, slots=True)
class Part:
    """Which part of a table is read: behind a cursor, around a racer, or whose name holds some words; "": the top."""

    after: str = ""
    around: str = ""
    search: str = ""


WHOLE = Part()
AROUND = 11  # lines, the racer's in the middle
MAX_ROWS = 10_000  # on one page of the API


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A race and some lines of one of its tables at one moment; `version` rises with every change.

    `table`: which one (RaceRecord.tables); `racers` are those ranked in it. `following`: the cursor behind the last
    line, None if there is no line behind it.
    """

    race: RaceRecord
    table: Venue
    version: int
    racers: int
    results: int
    rows: tuple[StandingRow, ...]
    following: str | None = None


@dataclass(frozen=True, slots=True)
class RacerRuns:
    """A racer in a race: the line (None: no run qualified), and all runs as posted, the newest first.

    `race` is the table of that line: the first in which the racer has one.
    """

    race: Snapshot
    racer: str
    name: str
    row: StandingRow | None
    runs: tuple[tuple[Attempt, Result], ...]


class LeaderboardService:
    """All races of one leaderboard over one store. Safe to call from any thread."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._posts = GroupCommit(store)
        self._results = DecodedResults()
        self._watchers: list[Callable[[str], None]] = []
        self._watchers_lock = threading.Lock()

    @property
    def store(self) -> Store:
        """Where everything is stored: for the services beside this one."""
        return self._store

    def close(self) -> None:
        """Close the store; idempotent."""
        self._store.close()

    def watch(self, watcher: Callable[[str], None]) -> None:
        """Call `watcher(race_id)` after each commit that a page would show; on the committing thread."""
        with self._watchers_lock:
            self._watchers.append(watcher)

    def create_race(self, race: RaceRecord, now_utc_ns: int) -> bool:
        """Add a race; False if exactly this one exists already. Raises Conflict if another has its id, Refused."""
        check_race_id(race.race_id)
        for field in ("name", "track"):
            acceptance.check_name(field, getattr(race, field))
        _check_times(race)
        editing.check_rules(race.rules)
        with self._store.write() as db:
            if (existing := _race_if_any(db, race.race_id)) is not None:
                if dataclasses.replace(existing, closed_utc_ns=None, made_by=race.made_by) != race:
                    raise Conflict(_conflict(existing, race))
                return False
            _add_race(db, race, now_utc_ns)
        self._notify(race.race_id)
        return True

    def offer_race(self, race: RaceRecord, now_utc_ns: int) -> bool:
        """Take a race from the station `race.made_by`: create it, or give one of that station's its rules of now.

        True if it was created. An existing race that ranks alike is left as it is, whoever made it. Raises Conflict,
        whose sentence names what differs, if another made it and the race is public; Refused.
        """
        check_race_id(race.race_id)
        for field in ("name", "track"):
            acceptance.check_name(field, getattr(race, field), empty=field == "track")
        editing.check_rules(race.rules)
        with self._store.write() as db:
            existing = _race_if_any(db, race.race_id)
            if existing is None:
                _add_race(db, race, now_utc_ns)
            elif not self._follows(db, existing, race, now_utc_ns):
                return False
        self._notify(race.race_id)
        return existing is None

    def _follows(self, db: sa.Connection, existing: RaceRecord, race: RaceRecord, now_utc_ns: int) -> bool:
        """Whether the race changed to what its station offers. Raises Conflict if it may not."""
        found = differences(existing.rules, race.rules)
        other_venue = existing.venue not in (race.venue, "any")
        if (other_venue or found) and not known_to_station(existing, race.made_by):
            raise Conflict(_taken(race.race_id))
        if other_venue:
            raise Conflict(f"The race {race.race_id!r} is {existing.venue} here, the station holds a {race.venue} one.")
        if found and existing.made_by != race.made_by:
            raise Conflict(
                f"The race {race.race_id!r} has other rules here ({'; '.join(found)}), and this station did not make "
                "it: its organiser changes them (PATCH, `rules`)."
            )
        changed = dataclasses.replace(existing, name=race.name, track=race.track, rules=race.rules)
        if existing.made_by != race.made_by or changed == existing:
            return False
        _change_rules(db, existing, changed, now_utc_ns)
        return True

    def change_rules(self, race_id: str, rules: RaceRules, now_utc_ns: int) -> RaceRecord:
        """Give a race other rules; every result in it is scored again. Raises UnknownRace, Refused."""
        editing.check_rules(rules)
        with self._store.write() as db:
            race = queries.race(db, race_id, for_change=True)
            changed = dataclasses.replace(race, rules=rules)
            if changed == race:
                return race
            _change_rules(db, race, changed, now_utc_ns)
        self._notify(race_id)
        return changed

    def close_race(self, race_id: str, closed: bool, now_utc_ns: int) -> RaceRecord:
        """Close a race now, or open it again; opened after its planned close, it has no planned close any more.

        Raises UnknownRace.
        """
        return self._change(race_id, lambda race: race.closed(now_utc_ns) if closed else race.opened(now_utc_ns))

    def move_close(self, race_id: str, closes_utc_ns: int | None) -> RaceRecord:
        """Move the planned close, or (None) remove it; a race that was closed by hand stays closed.

        Accepted results stay accepted; a run that was refused is accepted when it is posted again. Raises
        UnknownRace, Refused.
        """
        return self._change(race_id, lambda race: dataclasses.replace(race, closes_utc_ns=closes_utc_ns))

    def _change(self, race_id: str, change: Callable[[RaceRecord], RaceRecord]) -> RaceRecord:
        with self._store.write() as db:
            race = queries.race(db, race_id, for_change=True)
            changed = change(race)
            if changed == race:
                return race
            _check_times(changed)
            queries.change_race(db, changed)
            queries.bump(db, race_id)
        self._notify(race_id)
        return changed

    def enter(self, race_id: str, racer: str, name: str, now_utc_ns: int) -> bool:
        """Register a racer; False if that was done already. Raises Conflict if it was under another name, Refused.

        Another spelling of the name means the same racer.
        """
        given, name = acceptance.racer_name(racer), acceptance.racer_name(name)
        with self._store.write() as db:
            queries.race(db, race_id, for_change=True)
            racer = queries.spelling(db, race_id, given)
            name = racer if name == given else name
            entered_as = queries.entry_name(db, race_id, racer)
            if entered_as == name:
                return False
            if entered_as is not None:
                raise Conflict(f"Racer {racer!r} is entered as {entered_as!r} already; a name cannot be changed.")
            queries.add_entry(db, race_id, racer, name, now_utc_ns)
            queries.bump(db, race_id)
        self._notify(race_id)
        return True

    def entry(self, race_id: str, racer: str) -> tuple[str, str] | None:
        """An entered racer, by any spelling: the racer and the name as stored."""
        with self._store.read() as db:
            return queries.entry(db, race_id, racer)

    def apply(self, webhook_id: str, payload: bytes, now_utc_ns: int, sender: Sender = ANY_SENDER) -> PostReply:
        """Apply a posted result: status 201 applied, 200 applied before, 404, 409 or 422 refused.

        `webhook_id` is the idempotency key, `payload` the raw body. Raises RetryLater, StorageError.
        """
        digest = hashlib.sha256(payload).hexdigest()
        try:
            # Before the transaction: what nobody may post keeps nobody waiting.
            result = checked(webhook_id, payload)
            sender.check(result.evidence.station)
            post = Post(webhook_id, payload, digest, result, now_utc_ns)
            reply = self._settled(post)
        except (Refused, BadInput) as refusal:
            # The same id may have been applied before, with another body or by another process.
            receipt = self._receipt(webhook_id)
            status = 404 if isinstance(refusal, UnknownRace) else 422
            return PostReply(status, error_body(refusal, status)) if receipt is None else repeated(receipt, digest)
        if reply.status == 201:
            self._notify(result.race_id)
        return reply

    def _settled(self, post: Post) -> PostReply:
        def work(db: sa.Connection) -> PostReply:
            return settle(db, post)

        try:
            return self._posts.run(work, order=post.result.race_id)
        except sa.exc.IntegrityError:
            # Another process took the same id between our query and our insert (PostgreSQL): now it can be seen.
            return self._posts.run(work, order=post.result.race_id)

    def _receipt(self, webhook_id: str) -> queries.Receipt | None:
        with self._store.read() as db:
            return queries.receipt(db, webhook_id)

    def race(self, race_id: str) -> RaceRecord:
        """The race of this id. Raises UnknownRace."""
        with self._store.read() as db:
            return queries.race(db, race_id)

    def races(self) -> list[queries.RaceHead]:
        """All races, newest first."""
        with self._store.read() as db:
            return queries.heads(db)

    def standings(self, race_id: str, table: str | None = None) -> list[Placed]:
        """The places of all racers in a table (None: the race's first), best first. Raises UnknownRace, Refused."""
        with self._store.read() as db:
            shown = queries.race(db, race_id).table_named(table)
            return [row.placed for row in TableReader(db, race_id, shown).top(None).rows]

    def snapshot(
        self, race_id: str, limit: int | None = None, table: str | None = None, part: Part = WHOLE
    ) -> Snapshot:
        """The race and lines of a table (None: its first) of one moment: the first `limit` (None: all), or a `part`.

        Raises UnknownRace, UnknownRacer, Refused for a table that the race does not have, BadInput for a bad cursor.
        """
        with self._store.read() as db:
            shown = queries.shown(db, race_id)
            return self._snapshot(db, shown, shown.race.table_named(table), limit, part)

    def _snapshot(
        self, db: sa.Connection, shown: queries.ShownRace, table: Venue, limit: int | None, part: Part
    ) -> Snapshot:
        reader = TableReader(db, shown.race.race_id, table, shown.undo, self._results)
        window = _window(db, shown.race, table, reader, limit, part)
        rows = tuple(map(_standing_row, window.rows))
        following = cursor(window.rows[-1].line) if window.more and not part.search else None
        return Snapshot(shown.race, table, shown.version, reader.ranked, shown.results, rows, following)

    def racer_runs(self, race_id: str, racer: str) -> RacerRuns:
        """A racer's runs in a race, by any spelling. Raises UnknownRace, UnknownRacer."""
        with self._store.read() as db:
            shown = queries.shown(db, race_id)
            known = queries.known_spelling(db, race_id, racer)
            runs = [] if known is None else queries.runs_of(db, race_id, known)
            name = None if known is None else queries.entry_name(db, race_id, known)
            hidden = known is not None and queries.entry_state(db, race_id, known) in HIDDEN
            if known is None or hidden or (name is None and not runs):
                raise _unknown_racer(racer)
            tables = shown.race.tables()
            table = next((t for t in tables if queries.line(db, race_id, LineKey(t, known)) is not None), None)
            if table is None:
                nothing = Snapshot(
                    shown.race, tables[0], shown.version, ranked(db, race_id, tables[0]), shown.results, ()
                )
                return RacerRuns(nothing, known, name or known, None, tuple(runs))
            snapshot = self._snapshot(db, shown, table, 1, Part(around=known))
        return RacerRuns(snapshot, known, name or known, snapshot.rows[0], tuple(runs))

    def changed(self, race_id: str) -> None:
        """Tell all watchers that a page of this race would show something else; after a commit."""
        self._notify(race_id)

    def _notify(self, race_id: str) -> None:
        for watcher in list(self._watchers):
            watcher(race_id)


def _standing_row(row: WindowRow) -> StandingRow:
    assert row.result is not None, "results were asked for"
    return StandingRow(row.placed, row.moved, row.line.attempts, row.name, row.result, row.line.seq)


def _conflict(existing: RaceRecord, race: RaceRecord) -> str:
    same = dataclasses.replace(race, closed_utc_ns=None, closes_utc_ns=existing.closes_utc_ns, made_by=existing.made_by)
    if dataclasses.replace(existing, closed_utc_ns=None) == same:
        return f"The race {race.race_id!r} exists and closes at another time: move its close (PATCH, `closes_at`)."
    return _taken(race.race_id)


def _taken(race_id: str) -> str:
    return f"Another race has the id {race_id!r} already; choose another `race_id`."


def known_to_station(race: RaceRecord, station: str) -> bool:
    """Whether a station may be told what a race is like: everybody may, or it made the race."""
    return access.public(race) or (bool(station) and race.made_by == station)


def _add_race(db: sa.Connection, race: RaceRecord, now_utc_ns: int) -> None:
    """Store a new race, made by its station or by the machine itself, with its first edition and its row of audit."""
    queries.add_race(db, race, now_utc_ns)
    actor = audit.actor_of_station(race.made_by) if race.made_by else audit.actor_of(NOBODY)
    league_rows.add_edition(db, race, now_utc_ns, actor)
    what = "race.create_league" if race.kind == "league" else "race.create_community"
    _record(db, what, None, race, now_utc_ns)


def _record(db: sa.Connection, what: str, before: RaceRecord | None, after: RaceRecord, now_utc_ns: int) -> None:
    subject, places = f"race:{after.race_id}", {"race_id": after.race_id, "season_id": after.season_id}
    audit.record(db, NOBODY, now_utc_ns, what, subject, before, after, station=after.made_by, **places)


def _check_times(race: RaceRecord) -> None:
    if race.opens_utc_ns is not None and race.closes_utc_ns is not None and race.opens_utc_ns >= race.closes_utc_ns:
        raise Refused("The race would close before it opens.")


def _race_if_any(db: sa.Connection, race_id: str) -> RaceRecord | None:
    try:
        return queries.race(db, race_id, for_change=True)
    except UnknownRace:
        return None


def _change_rules(db: sa.Connection, before: RaceRecord, changed: RaceRecord, now_utc_ns: int) -> None:
    """Give a race its station's rules, as another edition: a person who edits an older one is told."""
    if not league_rows.has_edition(db, before):  # made before editions were kept
        league_rows.add_edition(db, before, league_rows.created_utc_ns(db, before.race_id), "system")
    changed = dataclasses.replace(changed, edition=before.edition + 1)
    queries.change_race(db, changed)
    actor = audit.actor_of_station(changed.made_by) if changed.made_by else audit.actor_of(NOBODY)
    league_rows.add_edition(db, changed, now_utc_ns, actor)
    _record(db, "race.edit", before, changed, now_utc_ns)
    undo = rescore_race(db, changed) if changed.rules != before.rules else None
    queries.bump(db, changed.race_id, undo)


def _window(
    db: sa.Connection, race: RaceRecord, table: Venue, reader: TableReader, limit: int | None, part: Part
) -> Window:
    if part.after:
        return reader.after(read_cursor(part.after), limit or MAX_ROWS)
    if part.around:
        known = queries.known_spelling(db, race.race_id, part.around)
        line = None if known is None else queries.line(db, race.race_id, LineKey(table, known))
        if line is None:
            raise _unknown_racer(part.around)
        return reader.around(line, limit or AROUND)
    if part.search:
        return reader.found(part.search, limit or FOUND_AT_ONCE)
    return reader.top(limit)


def _unknown_racer(racer: str) -> UnknownRacer:
    return UnknownRacer(text("There is no racer {racer} in this race.", racer=repr(racer[:80])))
