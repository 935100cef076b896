"""What the API's JSON looks like, in and out; OpenAPI is made from these. Times are UTC, as RFC 3339 text."""

import dataclasses
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from pydantic import ConfigDict, TypeAdapter, ValidationError

from leaderboard.board import Snapshot, StandingRow
from leaderboard.domain import EntryPolicy, Kind, Race, Venue
from leaderboard.store.queries import RaceHead
from shared.errors import BadInput, ConfigError
from shared.protocol.results import ToldBy
from shared.rules.ranking import RaceRules, lap_time_ns, rules_from, score_run
from shared.units import NS_PER_S, format_ms, published_ms

_STRICT = ConfigDict(extra="forbid", strict=True)
_LAST_YEAR = 2261  # the last whole year that 63 bits of nanoseconds since 1970 can tell: what the database holds
_LAST_YEAR_NS = 9_000 * 365 * 86_400 * NS_PER_S


@dataclass(frozen=True, slots=True)
class ErrorShape:
    """Every refusal: one sentence for a person."""

    error: str


@dataclass(frozen=True, slots=True)
class NewRace:
    """A race to create. Without `race_id` the name makes one. `rules` are those of `RaceRules`; absent ones default.

    Without the rule `min_lap_s` a lap takes as long as the track allows, where its length is known: `track_length_m`,
    or that of a published track of this name.
    """

    __pydantic_config__ = _STRICT

    name: str
    track: str
    kind: Kind = "community"
    venue: Venue = "physical"
    race_id: str | None = None
    rules: dict[str, Any] = field(default_factory=dict)
    entry: EntryPolicy = "open"
    opens_at: str | None = None
    closes_at: str | None = None
    track_length_m: float | None = None


@dataclass(frozen=True, slots=True)
class NewEntry:
    """A racer to register; `name` is what the standing shows (default: `racer`)."""

    __pydantic_config__ = _STRICT

    racer: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class RaceChange:
    """Close the race now or open it again (`closed`), or move its planned close (`closes_at`; "" for none)."""

    __pydantic_config__ = _STRICT

    closed: bool | None = None
    closes_at: str | None = None


@dataclass(frozen=True, slots=True)
class EntryShape:
    race_id: str
    racer: str
    name: str


@dataclass(frozen=True, slots=True)
class RaceShape:
    race_id: str
    name: str
    kind: Kind
    venue: Venue
    track: str
    rules: RaceRules
    entry: EntryPolicy
    state: Literal["upcoming", "open", "closed"]
    opens_at: str | None
    closes_at: str | None
    closed_at: str | None


@dataclass(frozen=True, slots=True)
class CountedRaceShape:
    race: RaceShape
    racers: int
    results: int


@dataclass(frozen=True, slots=True)
class LapShape:
    """A lap of the window that made the score; `lap_ms` holds its penalties."""

    number: int
    lap_ms: int
    lap: str
    penalty_ms: int
    off_tracks: int
    collisions: int
    resets: int


@dataclass(frozen=True, slots=True)
class RowShape:
    """A racer's place. `moved`: places won by the last change, null if new. `tied`: within the timing's uncertainty.

    `uncertainty_ns`: what the station states of the times behind the score, either way. `model_by`: the car itself
    named the model, or nobody did; "": not told. `model_changes`: so often it became another one within the run.
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
    model_by: ToldBy = ""
    model_changes: int = 0


@dataclass(frozen=True, slots=True)
class StandingShape:
    """A standing of one moment; `version` grows with every change."""

    race: RaceShape
    version: int
    racers: int
    results: int
    standings: tuple[RowShape, ...]


def parse(payload: bytes, kind: type[Any]) -> Any:
    """A strict body: unknown fields and wrong kinds are refused. Raises BadInput."""
    try:
        return TypeAdapter(kind).validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "body"
        raise BadInput(f"The request is not valid at {where[:60]!r}: {first['msg']}.") from None


def rules(values: dict[str, Any]) -> RaceRules:
    """Checked rules. Raises ConfigError for an unknown or impossible one, BadInput for a wrong kind."""
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


def utc_text(at_utc_ns: int) -> str:
    """'2026-03-05T14:03:07Z'."""
    return datetime.fromtimestamp(min(at_utc_ns, _LAST_YEAR_NS) // NS_PER_S, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def utc_ns(text: str) -> int:
    """RFC 3339 text with its zone to UTC nanoseconds. Raises BadInput."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = datetime.min
    if at.tzinfo is None or at.year < 1971:
        raise BadInput(f"{text[:40]!r} is not a time with its zone: write it as 2026-03-05T14:00:00+01:00.")
    if at.year > _LAST_YEAR:
        raise BadInput(
            f"{text[:40]!r} is beyond the year {_LAST_YEAR}, the last that is kept. A race that never closes has no "
            '`closes_at`: leave it out, or take it away by changing it to "".'
        )
    return int(at.timestamp()) * NS_PER_S


def race_shape(race: Race, now_utc_ns: int) -> RaceShape:
    texts = (None if at is None else utc_text(at) for at in (race.opens_utc_ns, race.closes_utc_ns, race.closed_utc_ns))
    state = race.state(now_utc_ns)
    return RaceShape(race.race_id, race.name, race.kind, race.venue, race.track, race.rules, race.entry, state, *texts)


def counted_race(head: RaceHead, now_utc_ns: int) -> CountedRaceShape:
    return CountedRaceShape(race_shape(head.race, now_utc_ns), head.racers, head.results)


def standing_shape(snapshot: Snapshot, now_utc_ns: int) -> StandingShape:
    table = tuple(row_shape(row, snapshot.race.rules) for row in snapshot.rows)
    race = race_shape(snapshot.race, now_utc_ns)
    return StandingShape(race, snapshot.version, snapshot.racers, snapshot.results, table)


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


def best_window(row: StandingRow, rules: RaceRules) -> tuple[LapShape, ...]:
    """The laps that made the score."""
    score = score_run(row.result.laps, rules)
    assert score is not None, "a line of a standing comes from a scored result"
    window = [lap for lap in row.result.laps if score.first_lap <= lap.number <= score.last_lap]
    return tuple(
        LapShape(
            number=lap.number,
            lap_ms=published_ms(lap_time_ns(lap, rules)),
            lap=format_ms(published_ms(lap_time_ns(lap, rules))),
            penalty_ms=published_ms(lap_time_ns(lap, rules)) - published_ms(lap.lap_ns),
            off_tracks=lap.off_tracks,
            collisions=lap.collisions,
            resets=lap.resets,
        )
        for lap in window
    )
