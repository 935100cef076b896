"""The parameters of an import, by name as text: one table for the command's options and the API's query.

Used by the API and the command, so that both take the same words and refuse them with the same sentences.
"""

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from leaderboard.core.race import Direction, RaceType, ResultKind, Venue
from leaderboard.exchange.league_rows import TIMING_METHODS, iso_utc_ns
from leaderboard.exchange.request import ImportFormat, ImportRequest, NewRaceOfImport, Penalties
from shared.errors import BadInput
from shared.rules.ranking import RaceRules, check_rules
from shared.units import parse_seconds

_UNLIMITED = 10_000  # the league's word for "as many resets as it takes"


@dataclass(frozen=True, slots=True)
class ImportParameter:
    """A parameter: its name in the API (with `-` for `_` in the command), what it says, what it may be ("" for any)."""

    name: str
    what: str
    choices: tuple[str, ...] = ()
    flag: bool = False


PARAMETERS: tuple[ImportParameter, ...] = (
    ImportParameter("timing_method", "what the board is ranked by", tuple(TIMING_METHODS)),
    ImportParameter("minimum_laps", "laps in a row that make a score, 1 to 10 (of a race to create; default 1)"),
    ImportParameter("total_laps", "laps of a run (of a race to create)"),
    ImportParameter("off_track_penalty", "seconds for each time off the track (of a race to create)"),
    ImportParameter("collision_penalty", "seconds for each collision (of a race to create)"),
    ImportParameter("max_resets", f"resets of a run: only {_UNLIMITED}, which is no limit, can be kept"),
    ImportParameter("create", "create the race first, by the rules given here", flag=True),
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
_OF_A_NEW_RACE = (
    "minimum_laps", "total_laps", "off_track_penalty", "collision_penalty", "name", "track", "race_type", "direction",
    "venue", "season", "opens_at", "closes_at",
)  # fmt: skip


def request_of(race_id: str, form: ImportFormat, values: Mapping[str, str]) -> ImportRequest:
    """The checked request. Raises BadInput for a value or a parameter that is not known, ConfigError for a rule."""
    _check(values)
    method = TIMING_METHODS[values["timing_method"]] if "timing_method" in values else None
    create = _new_race(race_id, values) if _is_set(values, "create") else None
    if create is None and (given := [name for name in _OF_A_NEW_RACE if name in values and name != "minimum_laps"]):
        raise BadInput(f"`{given[0]}` is of a race to create: add `create`, or leave it out.")
    if create is not None and form == "league" and method is None:
        raise BadInput("A board's race needs its `timing_method`: AVG_LAP_TIME, BEST_LAP_TIME or TOTAL_TIME.")
    chosen: dict[str, Any] = {name: values[name] for name in ("kind", "only_track", "racer", "model", "penalties") if name in values}
    finished = _time(values, "finished_at")
    return ImportRequest(
        race_id, form, dry_run=_is_set(values, "dry_run"), create=create, method=method, finished_utc_ns=finished, **chosen
    )


def _check(values: Mapping[str, str]) -> None:
    for name, value in values.items():
        if name not in _NAMES:
            raise BadInput(f"`{name[:40]}` is no parameter of an import.")
        choices = ("true", "false") if _NAMES[name].flag else _NAMES[name].choices
        if choices and value not in choices:
            raise BadInput(f"`{name}` is {value[:40]!r}; allowed are {', '.join(choices)}.")
    if int_or_none(values.get("max_resets", str(_UNLIMITED))) != _UNLIMITED:
        raise BadInput(f"`max_resets` is {values['max_resets'][:20]!r}: a limit of resets a run is no rule here.")


def int_or_none(text: str) -> int | None:
    """The whole number of a text as 3 or 3.0; None if it is none."""
    whole = text.removesuffix(".0")
    return int(whole) if whole.isascii() and whole.isdecimal() and len(whole) < 10 else None


def _is_set(values: Mapping[str, str], name: str) -> bool:
    return values.get(name) == "true"


def _new_race(race_id: str, values: Mapping[str, str]) -> NewRaceOfImport:
    rules = RaceRules(
        method=TIMING_METHODS[values.get("timing_method", "AVG_LAP_TIME")],
        consecutive_laps=_whole(values, "minimum_laps", 1) or 1,
        max_laps=_whole(values, "total_laps", None),
        off_track_penalty_s=_seconds(values, "off_track_penalty"),
        collision_penalty_s=_seconds(values, "collision_penalty"),
    )
    words = {name: values[name] for name in ("race_type", "direction", "venue") if name in values}
    new = NewRaceOfImport(
        values.get("name", race_id), values.get("track", "unknown"), check_rules(rules), season_id=values.get("season", ""),
        opens_utc_ns=_time(values, "opens_at"), closes_utc_ns=_time(values, "closes_at"),
    )  # fmt: skip
    changes: Mapping[str, Any] = words
    return dataclasses.replace(new, **changes)


def _whole(values: Mapping[str, str], name: str, default: int | None) -> int | None:
    if name not in values:
        return default
    number = int_or_none(values[name])
    if number is None:
        raise BadInput(f"`{name}` is {values[name][:20]!r}, not a number of laps.")
    return number


def _seconds(values: Mapping[str, str], name: str) -> float:
    return parse_seconds(values[name]) if name in values else 0.0


def _time(values: Mapping[str, str], name: str) -> int | None:
    if name not in values:
        return None
    at_utc_ns = iso_utc_ns(values[name])
    if at_utc_ns is None or not 0 < at_utc_ns < 2**63:
        raise BadInput(f"`{name}` is {values[name][:40]!r}, not a time: write it as 2026-03-05T14:00:00Z.")
    return at_utc_ns


