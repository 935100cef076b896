"""The forms of seasons, events and series: their fields, and the values that were typed. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from leaderboard.core.acceptance import check_name
from leaderboard.core.league.editing import check_description
from leaderboard.core.league.local_time import check_zone, field_text, instant_utc_ns, zone_names
from leaderboard.core.league.records import EventRecord, SeasonRecord
from leaderboard.core.league.series import CalendarRule
from leaderboard.pages.league.words import CHOICES
from shared.errors import Refused
from shared.text import text

FieldKind = Literal["text", "area", "time", "choice", "tick"]


@dataclass(frozen=True, slots=True)
class ItemField:
    """A field of a form. `choices`: pairs of value and words."""

    name: str
    label: str
    kind: FieldKind = "text"
    hint: str = ""
    required: bool = False
    choices: Sequence[tuple[str, str]] = ()


@dataclass(slots=True)
class ItemFields:
    """A filled-in form: what it means, and what is wrong, by field."""

    values: Mapping[str, str]
    read: dict[str, Any] = field(default_factory=dict)
    errors: dict[str, str] = field(default_factory=dict)


def _zones() -> list[tuple[str, str]]:
    return [(zone, zone) for zone in sorted(zone_names())]


_MARKDOWN = text("In Markdown, if you like: links, lists, emphasis.")


def _when_and_what() -> list[ItemField]:
    return [
        ItemField("zone", text("Time zone"), "choice", choices=_zones()),
        ItemField("starts", text("Begins"), "time"),
        ItemField("ends", text("Ends"), "time"),
        ItemField(
            "description", text("Description"), "area", text("In Markdown, if you like: links, lists, emphasis.")
        ),
    ]


def season_fields() -> list[ItemField]:
    """The form of a season."""
    return [
        ItemField("name", text("Name"), required=True),
        ItemField("stage", text("State"), "choice", choices=CHOICES["stage"]),
        *_when_and_what(),
        ItemField("second_official", text("Final results are unlocked only once two officials want it"), "tick"),
    ]


def event_fields(seasons: Sequence[tuple[str, str]]) -> list[ItemField]:
    """The form of an event; `seasons`: those that it may belong to."""
    return [
        ItemField("name", text("Name"), required=True),
        ItemField("circuit", text("Circuit"), "choice", choices=CHOICES["circuit"]),
        ItemField("season_id", text("Season"), "choice", choices=[("", text("None")), *seasons]),
        ItemField("place", text("Place"), hint=text("Hall, town; left empty on the virtual circuit.")),
        *_when_and_what(),
    ]


def series_fields() -> list[ItemField]:
    """The form of a series that repeats a race."""
    return [
        ItemField("name", text("Name of the series"), required=True),
        ItemField(
            "name_pattern",
            text("Names of its races"),
            hint=text("{signs} stand for the race's number and opening.", signs="{n}, {year}, {month}, {day}"),
            required=True,
        ),
        ItemField("every", text("A new race"), "choice", choices=CHOICES["every"]),
        ItemField("days", text("How many days"), hint=text("Only for “every so many days”: 1 to 366."), required=True),
        ItemField("zone", text("Time zone"), "choice", choices=_zones()),
        ItemField("first", text("The first opens"), "time", required=True),
        ItemField("total", text("How many races"), hint=text("Left empty, until you stop it.")),
    ]


def values_of_season(season: SeasonRecord) -> dict[str, str]:
    """The form as it is filled in for this season."""
    return {
        "name": season.name,
        "stage": season.stage,
        "second_official": "yes" if season.second_official else "",
        **_shared_values(season),
    }


def values_of_event(event: EventRecord) -> dict[str, str]:
    """The form as it is filled in for this event."""
    return {
        "name": event.name,
        "circuit": event.circuit,
        "season_id": event.season_id,
        "place": event.place,
        **_shared_values(event),
    }


def _shared_values(item: SeasonRecord | EventRecord) -> dict[str, str]:
    return {
        "zone": item.zone,
        "starts": field_text(item.starts_utc_ns, item.zone),
        "ends": field_text(item.ends_utc_ns, item.zone),
        "description": item.description,
    }


def read_season(values: Mapping[str, str]) -> ItemFields:
    """What somebody typed of a season."""
    filled = _read_shared(values, season_fields())
    _take(filled, "stage", lambda written: _chosen("stage", written))
    filled.read["second_official"] = values.get("second_official") == "yes"
    return filled


def read_event(values: Mapping[str, str]) -> ItemFields:
    """What somebody typed of an event."""
    filled = _read_shared(values, event_fields(()))
    _take(filled, "circuit", lambda written: _chosen("circuit", written))
    _take(filled, "place", lambda written: check_name("place", written, empty=True))
    filled.read["season_id"] = filled.values["season_id"]
    return filled


def read_series(values: Mapping[str, str]) -> ItemFields:
    """What somebody typed of a series: names, `rule` and `total`."""
    filled = ItemFields({field.name: values.get(field.name, "").strip() for field in series_fields()})
    for name in ("name", "name_pattern"):
        _take(filled, name, lambda written: check_name("name", written))
    _take(filled, "every", lambda written: _chosen("every", written))
    _take(filled, "zone", check_zone)
    _take(filled, "days", _count)
    _take(filled, "total", lambda written: _count(written) if written else None)
    if "zone" in filled.read:
        _take(filled, "first", lambda written: instant_utc_ns(written, filled.read["zone"]))
    if not filled.errors:
        read = filled.read
        read["rule"] = CalendarRule(read["every"], filled.values["first"], read["zone"], read["days"])
    return filled


def _read_shared(values: Mapping[str, str], fields: Sequence[ItemField]) -> ItemFields:
    filled = ItemFields({field.name: values.get(field.name, "").strip() for field in fields})
    _take(filled, "name", lambda written: check_name("name", written))
    _take(filled, "description", check_description)
    _take(filled, "zone", check_zone)
    if "zone" in filled.read:
        for name, setting in (("starts", "starts_utc_ns"), ("ends", "ends_utc_ns")):
            _take(filled, name, lambda written: _time_or_none(written, filled.read["zone"]), setting)
    return filled


def _time_or_none(written: str, zone: str) -> int | None:
    return instant_utc_ns(written, zone) if written else None


def _take(filled: ItemFields, name: str, read: Any, setting: str = "") -> None:
    try:
        filled.read[setting or name] = read(filled.values[name])
    except Refused as refusal:
        filled.errors[name] = str(refusal)


def _chosen(name: str, written: str) -> str:
    if written not in dict(CHOICES[name]):
        raise Refused(text("Choose one of the list."))
    return written


def _count(written: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) <= 6):
        raise Refused(text("Write a whole number."))
    return int(written)
