"""What the API's JSON looks like, in and out; OpenAPI is made from these. Times are UTC, as RFC 3339 text."""

import dataclasses
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import ConfigDict, TypeAdapter, ValidationError

from leaderboard.core.league.local_time import LAST_YEAR
from leaderboard.core.race import Direction, EntryPolicy, Kind, RaceRecord, RaceType, Venue, Visibility
from leaderboard.core.states import RaceState
from leaderboard.scored_laps import LapShape, best_window, utc_text
from leaderboard.snapshots import Snapshot, StandingRow
from leaderboard.store.race_rows import RaceHead
from shared.errors import BadInput, ConfigError
from shared.protocol.results import ModelSource
from shared.protocol.strict_json import read_json
from shared.rules.ranking import RaceRules, rules_from
from shared.units import NS_PER_S, format_ms

_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class ErrorShape:
    """The body of every refusal, as RFC 9457; `error` and `detail` are one sentence for a person."""

    error: str
    type: str
    title: str
    status: int
    detail: str


@dataclass(frozen=True, slots=True)
class RaceShape:
    race_id: str
    name: str
    kind: Kind
    venue: Venue
    track: str
    rules: RaceRules
    entry: EntryPolicy
    state: RaceState
    opens_at: str | None
    closes_at: str | None
    closed_at: str | None
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
    picture: str | None = None
    conditions_sha256: str = ""
    attempts_per_day: int | None = None
    in_work_per_racer: int | None = None
    deleted_at: str | None = None
    edition: int = 1


@dataclass(frozen=True, slots=True)
class CountedRaceShape:
    race: RaceShape
    racers: int
    results: int


@dataclass(frozen=True, slots=True)
class RowShape:
    """A racer's place. `moved`: places won by the last change, null if new. `tied`: within the timing's uncertainty.

    `uncertainty_ns`: what the station states of the times behind the score, either way. `model_by`: the car itself
    reported the model, or none was reported; "": unknown. `model_changes`: how often it changed within the run.
    """

    rank: int
    racer: str
    name: str
    score_ms: int
    score: str
    gap_ms: int
    interval_ms: int
    tied: bool
    moved: int | None
    attempts: int
    laps: tuple[LapShape, ...]
    car: str
    model: str
    kind: Venue
    set_at: str
    result_id: str
    revision: int
    uncertainty_ns: int = 0
    model_by: ModelSource = ""
    model_changes: int = 0


@dataclass(frozen=True, slots=True)
class StandingShape:
    """The standing at one moment; `version` grows with every change.

    `kind`: the table that is shown, one of `kinds`; `racers`: how many are ranked in it. `next`: the cursor of the page
    behind this one, null if it is the last.
    """

    race: RaceShape
    kind: Venue
    kinds: tuple[Venue, ...]
    version: int
    racers: int
    results: int
    standings: tuple[RowShape, ...]
    next: str | None = None


STANDING = TypeAdapter(StandingShape)


def parse(payload: bytes, kind: type[Any]) -> Any:
    """The JSON body as a checked `kind`; unknown fields and wrong types are refused. Raises BadInput."""
    try:
        read_json(payload)
        return TypeAdapter(kind).validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadInput(f"The request is not valid at {where[:60]!r}: {first['msg']}.") from None
    except ValueError as error:
        raise BadInput(f"The request is not JSON that every reader reads alike: {error}") from None


def rules(values: dict[str, Any]) -> RaceRules:
    """Checked rules from their JSON values. Raises BadInput for one that is unknown, impossible or of a wrong type."""
    known = {f.name for f in dataclasses.fields(RaceRules)}
    if set(values) <= known:
        try:
            TypeAdapter(RaceRules).validate_json(json.dumps(values), strict=True)
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            raise BadInput(f"The rule `{first['loc'][0]}` is not valid: {first['msg']}.") from None
    try:
        return rules_from(values)
    except ConfigError as error:
        raise BadInput(str(error)) from None


def utc_ns(text: str) -> int:
    """RFC 3339 text with its zone to UTC nanoseconds. Raises BadInput."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min
    if at.tzinfo is None or at.year < 1971:
        raise BadInput(f"{text[:40]!r} is not a time with its zone: write it as 2026-03-05T14:00:00+01:00.")
    if at.year > LAST_YEAR:
        raise BadInput(
            f"{text[:40]!r} is beyond the year {LAST_YEAR}, the last to be stored. A race that never closes has no "
            '`closes_at`: leave it out, or remove it by changing it to "".'
        )
    return int(at.timestamp()) * NS_PER_S


def race_shape(race: RaceRecord, now_utc_ns: int) -> RaceShape:
    same = {field.name for field in dataclasses.fields(RaceShape)} & {f.name for f in dataclasses.fields(RaceRecord)}
    return RaceShape(
        **{name: getattr(race, name) for name in same},
        state=race.state(now_utc_ns),
        opens_at=_time_text(race.opens_utc_ns),
        closes_at=_time_text(race.closes_utc_ns),
        closed_at=_time_text(race.closed_utc_ns),
        deleted_at=_time_text(race.deleted_utc_ns),
        picture=picture_path(race),
    )


def picture_path(race: RaceRecord) -> str | None:
    """Where the race's picture is; None without one."""
    return f"/races/{race.race_id}/pictures/{race.picture_sha256}" if race.picture_sha256 else None


def _time_text(at_utc_ns: int | None) -> str | None:
    return None if at_utc_ns is None else utc_text(at_utc_ns)


def counted_race(head: RaceHead, now_utc_ns: int) -> CountedRaceShape:
    return CountedRaceShape(race_shape(head.race, now_utc_ns), head.racers, head.results)


def standing_shape(snapshot: Snapshot, now_utc_ns: int) -> StandingShape:
    table = tuple(row_shape(row, snapshot.race.rules) for row in snapshot.rows)
    race = race_shape(snapshot.race, now_utc_ns)
    kinds = snapshot.race.tables()
    return StandingShape(
        race, snapshot.table, kinds, snapshot.version, snapshot.racers, snapshot.results, table, snapshot.following
    )


def row_shape(row: StandingRow, rules: RaceRules) -> RowShape:
    placed, result = row.placed, row.result
    return RowShape(
        rank=placed.rank,
        racer=placed.racer,
        name=row.name,
        score_ms=placed.score_ms,
        score=format_ms(placed.score_ms),
        gap_ms=placed.gap_ms,
        interval_ms=placed.interval_ms,
        tied=placed.tied,
        moved=row.moved,
        attempts=row.attempts,
        laps=best_window(row, rules),
        car=result.car,
        model=result.model,
        kind=result.kind,
        set_at=utc_text(result.finished_utc_ns),
        result_id=result.result_id,
        revision=result.revision,
        uncertainty_ns=placed.uncertainty_ns,
        model_by=result.evidence.model_by,
        model_changes=result.evidence.model_changes,
    )
