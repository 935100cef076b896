"""The form of a race's settings: its fields as text, what is wrong in each, and the settings that they mean. Pure.

Once results are in, the fields of what the race is judged by are not read: the form shows them as they are.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast

from leaderboard.core.league.editing import MAY_CHANGE, check_description
from leaderboard.core.league.local_time import check_zone, field_text, instant_utc_ns
from leaderboard.core.race import RaceRecord
from leaderboard.pages.league.words import CHOICES
from shared.errors import BadInput, ConfigError, Refused
from shared.rules.ranking import RaceRules, check_rules
from shared.text import text
from shared.units import parse_seconds

_CHOSEN = ("venue", "race_type", "direction", "visibility", "entry")
_WORDS = ("name", "track", "description", "season_id", "event_id", "conditions_sha256")
_TICKED = ("live", "one_table")
_LIMITS = ("attempts_per_day", "in_work_per_racer")
RULE_CHOICES = ("method", "lap_1_from", "at_time_limit")
RULE_COUNTS = ("consecutive_laps", "max_laps", "max_resets_per_lap", "attempts_per_racer")
RULE_SECONDS = ("time_limit_s", "off_track_penalty_s", "collision_penalty_s", "min_lap_s")
_MAY_BE_EMPTY = ("max_laps", "max_resets_per_lap", "attempts_per_racer", "time_limit_s")


@dataclass(frozen=True, slots=True)
class RaceFields:
    """A filled-in form: the fields as text, the settings that they mean, and what is wrong, by field."""

    values: Mapping[str, str]
    settings: Mapping[str, Any]
    errors: Mapping[str, str]

    def race(self, before: RaceRecord) -> RaceRecord:
        """The race with these settings; not checked beyond each field."""
        return dataclasses.replace(before, **self.settings)


def fields_of(race: RaceRecord) -> dict[str, str]:
    """The form as it is filled in for this race."""
    values = {name: getattr(race, name) for name in (*_CHOSEN, *_WORDS, "zone", "kind")}
    values |= {name: "yes" if getattr(race, name) else "" for name in _TICKED}
    values |= {name: _number_text(getattr(race, name)) for name in _LIMITS}
    for name in (*RULE_CHOICES, *RULE_COUNTS, *RULE_SECONDS):
        values[name] = _number_text(getattr(race.rules, name))
    values["opens"] = field_text(race.opens_utc_ns, race.zone)
    values["closes"] = field_text(race.closes_utc_ns, race.zone)
    return values


def _number_text(value: object) -> str:
    return "" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def read_fields(values: Mapping[str, str], race: RaceRecord, results: int) -> RaceFields:
    """The form as somebody filled it in for `race`, which holds so many results."""
    reading = _Reading(values, race)
    for name in _WORDS:
        reading.take(name, lambda written: written)
    reading.take("description", check_description)
    for name in _CHOSEN:
        reading.take(name, _chosen(name))
    for name in _TICKED:
        reading.settings[name] = values.get(name) == "yes"
    reading.take("zone", check_zone)
    zone = reading.settings.get("zone", race.zone)
    for name, field in (("opens", "opens_utc_ns"), ("closes", "closes_utc_ns")):
        reading.take(name, lambda written: instant_utc_ns(written, zone) if written else None, field)
    for name in _LIMITS:
        reading.take(name, _count_or_none)
    reading.take_rules()
    if results:
        for name in [name for name in reading.settings if MAY_CHANGE[name] == "until_first_result"]:
            del reading.settings[name]
    shown = fields_of(race) | {name: values.get(name, "") for name in fields_of(race) if name != "kind"}
    return RaceFields(shown, reading.settings, reading.errors)


class _Reading:
    def __init__(self, values: Mapping[str, str], race: RaceRecord) -> None:
        self._values, self._race = values, race
        self.settings: dict[str, Any] = {}
        self.errors: dict[str, str] = {}

    def take(self, name: str, read: Callable[[str], Any], setting: str = "") -> None:
        """Read a field; without one (a form that does not have it) the race keeps what it has."""
        if name not in self._values:
            return
        try:
            self.settings[setting or name] = read(self._values[name].strip())
        except (Refused, BadInput) as refusal:
            self.errors[name] = str(refusal)

    def take_rules(self) -> None:
        rules: dict[str, Any] = {}
        for name in RULE_CHOICES:
            self._rule(rules, name, _chosen(name))
        for name in RULE_COUNTS:
            self._rule(rules, name, _count_or_none if name in _MAY_BE_EMPTY else _count)
        for name in RULE_SECONDS:
            self._rule(rules, name, _seconds_or_none if name in _MAY_BE_EMPTY else parse_seconds)
        try:
            self.settings["rules"] = check_rules(dataclasses.replace(self._race.rules, **rules))
        except ConfigError as error:
            named = next((name for name in rules if f"`{name}`" in str(error)), RULE_COUNTS[0])
            self.errors.setdefault(named, str(error))

    def _rule(self, rules: dict[str, Any], name: str, read: Callable[[str], Any]) -> None:
        if name not in self._values:
            return
        try:
            rules[name] = read(self._values[name].strip())
        except (Refused, BadInput) as refusal:
            self.errors[name] = str(refusal)


def _chosen(name: str) -> Callable[[str], str]:
    def read(written: str) -> str:
        if written not in dict(CHOICES[name]):
            raise Refused(text("Choose one of the list."))
        return written

    return read


def _count(written: str) -> int:
    if not (written.isascii() and written.isdigit() and len(written) <= 6):
        raise Refused(text("Write a whole number."))
    return int(written)


def _count_or_none(written: str) -> int | None:
    return _count(written) if written else None


def _seconds_or_none(written: str) -> float | None:
    return parse_seconds(written) if written else None


def rules_of(fields: RaceFields, race: RaceRecord) -> RaceRules:
    """The rules as they are typed, or those of the race where they cannot be read."""
    return cast(RaceRules, fields.settings.get("rules", race.rules))
