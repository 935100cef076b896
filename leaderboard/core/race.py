"""Races as the leaderboard holds them, and what may name one. Called by all that asks for a race."""

import dataclasses
import re
import unicodedata
from dataclasses import dataclass
from typing import Literal

from leaderboard.core.states import RaceStage, RaceState
from shared.errors import Refused
from shared.rules.ranking import RaceRules

Kind = Literal["league", "community"]
ResultKind = Literal["physical", "virtual"]
Venue = Literal["physical", "virtual", "any"]
EntryPolicy = Literal["open", "registered"]
RaceType = Literal["time_trial", "object_avoidance", "head_to_bot", "head_to_head"]
Direction = Literal["counterclockwise", "clockwise"]
Visibility = Literal["public", "private"]

_RACE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}", re.ASCII)


@dataclass(frozen=True, slots=True)
class RaceRecord:
    """A competition on one track under one set of rules; its window is about when a run was finished (UTC ns).

    `made_by`: the station that created it, "" if a person did. `owner`: the account that organises it, "" if none.
    `edition` counts the changes of its settings; the store keeps all. `attempts_per_day` counts by days of `zone`;
    `in_work_per_racer`: submissions that are not settled yet. `one_table`: in a race of `any` venue, physical and
    virtual results are ranked together. `conditions_sha256`: of the virtual world that its virtual results need.
    `division`: of its season, "" for all.
    """

    race_id: str
    name: str
    kind: Kind
    venue: Venue
    track: str
    rules: RaceRules
    entry: EntryPolicy = "open"
    opens_utc_ns: int | None = None
    closes_utc_ns: int | None = None
    closed_utc_ns: int | None = None
    made_by: str = ""
    stage: RaceStage = "published"
    owner: str = ""
    season_id: str = ""
    event_id: str = ""
    series_id: str = ""
    race_type: RaceType = "time_trial"
    direction: Direction = "counterclockwise"
    visibility: Visibility = "public"
    live: bool = False
    one_table: bool = False
    zone: str = "UTC"
    description: str = ""
    picture_sha256: str = ""
    conditions_sha256: str = ""
    attempts_per_day: int | None = None
    in_work_per_racer: int | None = None
    division: str = ""
    deleted_utc_ns: int | None = None
    edition: int = 1

    def table_of(self, kind: ResultKind) -> Venue:
        """The table in which results of this kind are ranked: that of the kind, or the one table of all ("any")."""
        return "any" if self.venue == "any" and self.one_table else kind

    def tables(self) -> tuple[Venue, ...]:
        """The tables that the race has, the first of them shown first; in each the ranks run from 1."""
        if self.venue != "any" or self.one_table:
            return (self.venue,)
        return ("physical", "virtual")

    def table_named(self, table: str | None) -> Venue:
        """The table of this name; None: the first. Raises Refused if the race does not have it."""
        tables = self.tables()
        for each in tables:
            if table in (None, each):
                return each
        raise Refused(f"Race {self.race_id!r} has no table {str(table)[:40]!r}; it has {' and '.join(tables)}.")

    def ends_utc_ns(self) -> int | None:
        """The earlier of the planned close and the close by hand."""
        ends = [at for at in (self.closes_utc_ns, self.closed_utc_ns) if at is not None]
        return min(ends, default=None)

    def closed(self, now_utc_ns: int) -> "RaceRecord":
        """The race closed by hand now; if it was closed by hand before, it is unchanged."""
        return self if self.closed_utc_ns is not None else dataclasses.replace(self, closed_utc_ns=now_utc_ns)

    def opened(self, now_utc_ns: int) -> "RaceRecord":
        """The race open again: without a close by hand, and without a planned close that has passed."""
        passed = self.closes_utc_ns is not None and self.closes_utc_ns <= now_utc_ns
        return dataclasses.replace(self, closed_utc_ns=None, closes_utc_ns=None if passed else self.closes_utc_ns)

    def state(self, now_utc_ns: int) -> RaceState:
        """The state at this time: of a published race the window decides."""
        if self.stage != "published":
            return self.stage
        ends = self.ends_utc_ns()
        if ends is not None and now_utc_ns >= ends:
            return "closed"
        return "published" if self.opens_utc_ns is not None and now_utc_ns < self.opens_utc_ns else "open"


def is_race_id(race_id: str) -> bool:
    """Could a race have this id? No race is looked up."""
    return _RACE_ID.fullmatch(race_id) is not None


def check_race_id(race_id: str) -> str:
    """Return the id if a race can have it; it is also a part of its address. Raises Refused."""
    if not is_race_id(race_id):
        raise Refused(f"{race_id[:80]!r} cannot name a race: use 1 to 64 of a-z, 0-9, '-' and '_'.")
    return race_id


def slug(name: str) -> str:
    """'Sommer-Cup Zürich 2026' to 'sommer-cup-zurich-2026'; what is left of any name, at most 64 characters."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].strip("-")
