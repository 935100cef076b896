"""What the JSON of seasons, events and series looks like, in and out."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import ConfigDict

from leaderboard.api.league.race_bodies import NewRace, record_of, time_of
from leaderboard.core.league.records import Circuit, EventRecord, SeasonRecord, SeasonStage, SeriesRecord
from leaderboard.core.league.series import CalendarRule, Period
from leaderboard.core.race import slug
from leaderboard.scored_laps import utc_text

_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class NewSeason:
    """A season to create; without `season_id` the name makes one. `zone`: an IANA name; its local times may be written.

    `second_official`: final results are unlocked only once two officials want it.
    """

    __pydantic_config__ = _STRICT

    name: str
    season_id: str | None = None
    stage: SeasonStage = "published"
    zone: str = "UTC"
    starts_at: str | None = None
    ends_at: str | None = None
    description: str = ""
    second_official: bool = False


@dataclass(frozen=True, slots=True)
class SeasonChange:
    """What is to change; what is absent stays. `starts_at`, `ends_at`: "" for none. `edition`: the one that you saw."""

    __pydantic_config__ = _STRICT

    name: str | None = None
    stage: SeasonStage | None = None
    zone: str | None = None
    starts_at: str | None = None
    ends_at: str | None = None
    description: str | None = None
    second_official: bool | None = None
    edition: int | None = None
    why: str = ""


@dataclass(frozen=True, slots=True)
class SeasonShape:
    """A season; `edition` counts its changes."""

    season_id: str
    name: str
    stage: SeasonStage
    zone: str
    starts_at: str | None
    ends_at: str | None
    description: str
    picture: str | None
    second_official: bool
    edition: int


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An event to create: of the summit circuit (about a day at a place) or the virtual one (about a month)."""

    __pydantic_config__ = _STRICT

    name: str
    event_id: str | None = None
    circuit: Circuit = "summit"
    season_id: str = ""
    place: str = ""
    zone: str = "UTC"
    starts_at: str | None = None
    ends_at: str | None = None
    description: str = ""


@dataclass(frozen=True, slots=True)
class EventChange:
    """What is to change; what is absent stays. `starts_at`, `ends_at`: "" for none. `edition`: the one that you saw."""

    __pydantic_config__ = _STRICT

    name: str | None = None
    circuit: Circuit | None = None
    season_id: str | None = None
    place: str | None = None
    zone: str | None = None
    starts_at: str | None = None
    ends_at: str | None = None
    description: str | None = None
    edition: int | None = None


@dataclass(frozen=True, slots=True)
class EventShape:
    """An event; `edition` counts its changes."""

    event_id: str
    name: str
    circuit: Circuit
    season_id: str
    place: str
    zone: str
    starts_at: str | None
    ends_at: str | None
    description: str
    edition: int


@dataclass(frozen=True, slots=True)
class NewSeries:
    """Races after one template that open by themselves, the next in the second in which the one before closes.

    `first`: the local time in `zone` at which the first opens. `every`: month, week or days (then `days` of them).
    `total`: how many races, absent without an end. `name_pattern`: {n}, {year}, {month}, {day} stand for the race's
    number and opening. `race`: all settings of the races but their id and window; its name means nothing.
    """

    __pydantic_config__ = _STRICT

    name: str
    every: Period
    first: str
    zone: str
    race: NewRace
    series_id: str | None = None
    name_pattern: str | None = None
    days: int = 1
    total: int | None = None


@dataclass(frozen=True, slots=True)
class SeriesChange:
    """Stop a series or let it go on, or name its races to come otherwise. `edition`: the one that you saw."""

    __pydantic_config__ = _STRICT

    stopped: bool | None = None
    name_pattern: str | None = None
    edition: int | None = None


@dataclass(frozen=True, slots=True)
class SeriesShape:
    """A series; `next_opens_at`: of the race that is made next, null once all are made."""

    series_id: str
    name: str
    name_pattern: str
    every: Period
    days: int
    first: str
    zone: str
    total: int | None
    next_number: int
    next_opens_at: str | None
    stopped: bool
    state: Literal["running", "stopped", "complete"]
    season_id: str
    edition: int


def season_of(new: NewSeason) -> SeasonRecord:
    """The season that is to be created. Raises Refused."""
    return SeasonRecord(
        season_id=slug(new.name) if new.season_id is None else new.season_id,
        name=new.name,
        stage=new.stage,
        zone=new.zone,
        starts_utc_ns=time_of(new.starts_at, new.zone),
        ends_utc_ns=time_of(new.ends_at, new.zone),
        description=new.description,
        second_official=new.second_official,
    )


def event_of(new: NewEvent) -> EventRecord:
    """The event that is to be created. Raises Refused."""
    return EventRecord(
        event_id=slug(new.name) if new.event_id is None else new.event_id,
        name=new.name,
        circuit=new.circuit,
        season_id=new.season_id,
        place=new.place,
        zone=new.zone,
        starts_utc_ns=time_of(new.starts_at, new.zone),
        ends_utc_ns=time_of(new.ends_at, new.zone),
        description=new.description,
    )


def season_values(change: SeasonChange, season: SeasonRecord) -> dict[str, Any]:
    """The values that the body gives the season. Raises Refused."""
    return _values(change, season, ("name", "stage", "zone", "description", "second_official"))


def event_values(change: EventChange, event: EventRecord) -> dict[str, Any]:
    """The values that the body gives the event. Raises Refused."""
    return _values(change, event, ("name", "circuit", "season_id", "place", "zone", "description"))


def _values(
    change: SeasonChange | EventChange, item: SeasonRecord | EventRecord, names: Sequence[str]
) -> dict[str, Any]:
    values = {name: getattr(change, name) for name in names if getattr(change, name) is not None}
    zone = change.zone or item.zone
    for name, written in (("starts_utc_ns", change.starts_at), ("ends_utc_ns", change.ends_at)):
        if written is not None:
            values[name] = time_of(written or None, zone)
    return values


def season_shape(season: SeasonRecord) -> SeasonShape:
    picture = f"/seasons/{season.season_id}/pictures/{season.picture_sha256}" if season.picture_sha256 else None
    return SeasonShape(
        season.season_id,
        season.name,
        season.stage,
        season.zone,
        _text(season.starts_utc_ns),
        _text(season.ends_utc_ns),
        season.description,
        picture,
        season.second_official,
        season.edition,
    )


def event_shape(event: EventRecord) -> EventShape:
    values = dataclasses.asdict(event)
    starts, ends = values.pop("starts_utc_ns"), values.pop("ends_utc_ns")
    return EventShape(**values, starts_at=_text(starts), ends_at=_text(ends))


def series_parts(new: NewSeries) -> tuple[str, tuple[str, str], Any, CalendarRule]:
    """Id, names, template and calendar of the series that is to be created. Raises Refused, BadInput."""
    series_id = slug(new.name)[:56].strip("-") if new.series_id is None else new.series_id
    names = (new.name, new.name_pattern or f"{new.name} {{n}}")
    template = record_of(dataclasses.replace(new.race, race_id="template", opens_at=None, closes_at=None))
    return series_id, names, template, CalendarRule(new.every, new.first, new.zone, new.days)


def series_shape(series: SeriesRecord) -> SeriesShape:
    place, rule = series.place, series.place.rule
    return SeriesShape(
        series.series_id,
        series.name,
        series.name_pattern,
        rule.every,
        rule.days,
        rule.first,
        rule.zone,
        place.total,
        place.next_number,
        None if place.complete else utc_text(place.next_opens_utc_ns),
        series.stopped,
        "complete" if place.complete else "stopped" if series.stopped else "running",
        series.template.season_id,
        series.edition,
    )


def _text(at_utc_ns: int | None) -> str | None:
    return None if at_utc_ns is None else utc_text(at_utc_ns)
