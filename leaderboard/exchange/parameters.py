"""The parameters of an import, by name as text: one table for the command's options and the API's query.

Used by the API and the command, so that both take the same words and refuse them with the same sentences.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, get_args

from leaderboard.core.race import Direction, RaceType, ResultKind, Venue
from leaderboard.exchange.league.rows import TIMING_METHODS, iso_utc_ns
from leaderboard.exchange.request import ImportFormat, ImportRequest, NewRaceOfImport, Penalties
from shared.errors import BadInput, ConfigError
from shared.rules.ranking import RaceRules, check_rules
from shared.text import text
from shared.units import parse_seconds

_UNLIMITED = 10_000  # the league's word for "as many resets as it takes"


@dataclass(frozen=True, slots=True)
class ImportParameter:
    """A parameter: its name in the API (with `-` for `_` in the command), what it says, what it may be ("" for any)."""

    name: str
    what: str
    choices: tuple[str, ...] = ()
    flag: bool = False

    @property
    def allowed(self) -> tuple[str, ...]:
        """The values that it may have in the API, () for any."""
        return ("true", "false") if self.flag else self.choices


PARAMETERS: tuple[ImportParameter, ...] = (
    ImportParameter(
        "timing_method",
        "what the race is ranked by; with it, a race that is not there yet is created",
        tuple(TIMING_METHODS),
    ),
    ImportParameter("minimum_laps", "laps in a row that make a score, 1 to 10 (default 1)"),
    ImportParameter("total_laps", "laps of a run"),
    ImportParameter("off_track_penalty", "seconds for each time off the track"),
    ImportParameter("collision_penalty", "seconds for each collision"),
    ImportParameter("max_resets", f"resets of a run: only {_UNLIMITED}, which is no limit, can be kept"),
    ImportParameter("create", "the race must not be there yet", flag=True),
    ImportParameter("name", "of a race to create (default: its id)"),
    ImportParameter("track", "of a race to create (default: unknown)"),
    ImportParameter("race_type", "of a race to create (default time_trial)", get_args(RaceType)),
    ImportParameter("direction", "of a race to create (default counterclockwise)", get_args(Direction)),
    ImportParameter("venue", "of a race to create (default virtual)", get_args(Venue)),
    ImportParameter("season", "the season of a race to create"),
    ImportParameter("opens_at", "of a race to create: a time as 2026-03-05T14:00:00Z"),
    ImportParameter("closes_at", "of a race to create (default: closed now)"),
    ImportParameter("kind", "in a race of any venue, which results these are (default virtual)", get_args(ResultKind)),
    ImportParameter("only_track", "of an event manager's file with several tracks: the id of one"),
    ImportParameter("racer", "whose the simulator's metrics are"),
    ImportParameter("model", "which model the simulator's metrics are of"),
    ImportParameter("finished_at", "when the simulator's run ended (default: as the file says, or now)"),
    ImportParameter(
        "penalties", "whether the laps' times hold their penalties (default) or not yet", get_args(Penalties)
    ),
    ImportParameter("dry_run", "check everything and store nothing", flag=True),
)
_NAMES = {each.name: each for each in PARAMETERS}
_RULES = {
    "timing_method": "method",
    "minimum_laps": "consecutive_laps",
    "total_laps": "max_laps",
    "off_track_penalty": "off_track_penalty_s",
    "collision_penalty": "collision_penalty_s",
}
_OF_A_NEW_RACE = (*_RULES, "name", "track", "race_type", "direction", "venue", "season", "opens_at", "closes_at")
_OF_THE_FILE = ("kind", "only_track", "racer", "model", "penalties")


def request_of(race_id: str, form: ImportFormat, values: Mapping[str, str]) -> ImportRequest:
    """The checked request. Raises BadInput for a value, a rule or a parameter that cannot be."""
    _check(values)
    must_be_new = values.get("create") == "true"
    new = _new_race(race_id, values) if must_be_new or "timing_method" in values else None
    if new is None and (given := [name for name in _OF_A_NEW_RACE if name in values]):
        raise BadInput(
            text("`{given}` is of a race to create: add `timing_method` too, or leave it out.", given=given[0])
        )
    if must_be_new and "timing_method" not in values:
        raise BadInput(text("A race to create needs its `timing_method`: AVG_LAP_TIME, BEST_LAP_TIME or TOTAL_TIME."))
    chosen: dict[str, Any] = {name: values[name] for name in _OF_THE_FILE if name in values}
    return ImportRequest(
        race_id,
        form,
        dry_run=values.get("dry_run") == "true",
        create=new,
        must_be_new=must_be_new,
        given_rules=tuple(rule for name, rule in _RULES.items() if name in values),
        finished_utc_ns=_time(values, "finished_at"),
        **chosen,
    )


def _check(values: Mapping[str, str]) -> None:
    for name, value in values.items():
        if name not in _NAMES:
            raise BadInput(text("`{name}` is no parameter of an import.", name=name[:40]))
        allowed = _NAMES[name].allowed
        if allowed and value not in allowed:
            raise BadInput(
                text(
                    "`{name}` is {value}; allowed are {choices}.",
                    name=name,
                    value=repr(value[:40]),
                    choices=", ".join(allowed),
                )
            )
    if int_or_none(values.get("max_resets", str(_UNLIMITED))) != _UNLIMITED:
        raise BadInput(
            text(
                "`max_resets` is {value}: a limit of resets a run is no rule here.",
                value=repr(values["max_resets"][:20]),
            )
        )


def int_or_none(text: str) -> int | None:
    """The whole number of a text as 3 or 3.0; None if it is none."""
    whole = text.removesuffix(".0")
    return int(whole) if whole.isascii() and whole.isdecimal() and len(whole) < 10 else None


def _new_race(race_id: str, values: Mapping[str, str]) -> NewRaceOfImport:
    rules = RaceRules(
        method=TIMING_METHODS[values.get("timing_method", "AVG_LAP_TIME")],
        consecutive_laps=_whole(values, "minimum_laps", 1) or 1,
        max_laps=_whole(values, "total_laps", None),
        off_track_penalty_s=_seconds(values, "off_track_penalty"),
        collision_penalty_s=_seconds(values, "collision_penalty"),
    )
    words: dict[str, Any] = {name: values[name] for name in ("race_type", "direction", "venue") if name in values}
    return NewRaceOfImport(
        values.get("name", race_id),
        values.get("track", "unknown"),
        _checked(rules),
        season_id=values.get("season", ""),
        opens_utc_ns=_time(values, "opens_at"),
        closes_utc_ns=_time(values, "closes_at"),
        **words,
    )


def _checked(rules: RaceRules) -> RaceRules:
    try:
        return check_rules(rules)
    except ConfigError as error:
        raise BadInput(text("The race to create: {error}", error=error)) from None


def _whole(values: Mapping[str, str], name: str, default: int | None) -> int | None:
    if name not in values:
        return default
    number = int_or_none(values[name])
    if number is None:
        raise BadInput(text("`{name}` is {value}, not a number of laps.", name=name, value=repr(values[name][:20])))
    return number


def _seconds(values: Mapping[str, str], name: str) -> float:
    return parse_seconds(values[name]) if name in values else 0.0


def _time(values: Mapping[str, str], name: str) -> int | None:
    if name not in values:
        return None
    at_utc_ns = iso_utc_ns(values[name])
    if at_utc_ns is None or not 0 < at_utc_ns < 2**63:
        raise BadInput(
            text(
                "`{name}` is {value}, not a time: write it as 2026-03-05T14:00:00Z.",
                name=name,
                value=repr(values[name][:40]),
            )
        )
    return at_utc_ns
