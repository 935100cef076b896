"""The bodies that create and change a race, and what they mean for its record. Used by races.py and series.py."""

import dataclasses
import secrets
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import ConfigDict

from leaderboard.api import schemas
from leaderboard.core.league.local_time import instant_utc_ns
from leaderboard.core.race import Direction, EntryPolicy, Kind, RaceRecord, RaceType, Venue, Visibility, slug
from shared.errors import Refused
from shared.rules.track_lengths import shortest_lap_s

_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class NewRace:
    """A race to create. Without `race_id` the name makes one. `rules` are those of `RaceRules`; absent ones default.

    Without the rule `min_lap_s` it follows from the length of the track, where that is known: `track_length_m`, or the
    length of a published track of this name. Times are RFC 3339; with `zone` (an IANA name) local ones too.
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
    stage: Literal["draft", "published"] = "published"
    season_id: str = ""
    event_id: str = ""
    race_type: RaceType = "time_trial"
    direction: Direction = "counterclockwise"
    visibility: Visibility = "public"
    live: bool = False
    one_table: bool = False
    zone: str | None = None
    description: str = ""
    conditions_sha256: str = ""
    division: str = ""
    attempts_per_day: int | None = None
    in_work_per_racer: int | None = None


@dataclass(frozen=True, slots=True)
class RaceChange:
    """What is to change; what is absent stays. `edition`: the one that you saw; another one is answered 409.

    `closed`: close the race now, or open it again. `opens_at`, `closes_at`: "" for none. `rules`: all rules of the
    race, absent ones by default. `attempts_per_day`: 0 for no limit; `in_work_per_racer`: 0 for that of the
    leaderboard's settings. What the race is judged by (rules, track, direction, race type, venue) stays once there is
    a result. `why` is kept with the change.
    """

    __pydantic_config__ = _STRICT

    closed: bool | None = None
    closes_at: str | None = None
    rules: dict[str, Any] | None = None
    opens_at: str | None = None
    name: str | None = None
    track: str | None = None
    venue: Venue | None = None
    entry: EntryPolicy | None = None
    season_id: str | None = None
    event_id: str | None = None
    race_type: RaceType | None = None
    direction: Direction | None = None
    visibility: Visibility | None = None
    live: bool | None = None
    one_table: bool | None = None
    zone: str | None = None
    description: str | None = None
    conditions_sha256: str | None = None
    division: str | None = None
    attempts_per_day: int | None = None
    in_work_per_racer: int | None = None
    edition: int | None = None
    why: str = ""


_SAME = (
    "name",
    "track",
    "venue",
    "entry",
    "season_id",
    "event_id",
    "race_type",
    "direction",
    "visibility",
    "live",
    "one_table",
    "zone",
    "description",
    "conditions_sha256",
    "division",
)


def record_of(new: NewRace) -> RaceRecord:
    """The race that is to be created. Raises Refused, BadInput."""
    if (length_m := new.track_length_m) is not None and not 1.0 <= length_m <= 1000.0:
        raise Refused(f"`track_length_m` is {length_m:g}; allowed is 1 to 1000.")
    min_lap_s = shortest_lap_s(new.track, length_m)
    rules = schemas.rules(new.rules if min_lap_s is None else {"min_lap_s": min_lap_s} | new.rules)
    same = {name: getattr(new, name) for name in _SAME if name != "zone"}
    return RaceRecord(
        race_id=_race_id(new),
        kind=new.kind,
        rules=rules,
        opens_utc_ns=time_of(new.opens_at, new.zone),
        closes_utc_ns=time_of(new.closes_at, new.zone),
        stage=new.stage,
        zone=new.zone or "UTC",
        attempts_per_day=new.attempts_per_day,
        in_work_per_racer=new.in_work_per_racer,
        **same,
    )


def _race_id(new: NewRace) -> str:
    if new.race_id is not None:
        return new.race_id
    if new.visibility == "public":
        return slug(new.name)
    # The address of a private race cannot be guessed, and none tells that its name is taken.
    return f"{slug(new.name)[:48].strip('-') or 'race'}-{secrets.token_hex(5)}"


def settings_of(change: RaceChange, race: RaceRecord) -> dict[str, Any]:
    """The settings that the body gives the race. Raises Refused, BadInput."""
    zone = change.zone or (race.zone if race.zone != "UTC" else None)
    settings = {name: getattr(change, name) for name in _SAME if getattr(change, name) is not None}
    if change.rules is not None:
        settings["rules"] = schemas.rules(change.rules)
    for name, written in (("opens_utc_ns", change.opens_at), ("closes_utc_ns", change.closes_at)):
        if written is not None:
            settings[name] = time_of(written or None, zone)
    for name in ("attempts_per_day", "in_work_per_racer"):
        if (limit := getattr(change, name)) is not None:
            settings[name] = limit or None
    return settings


def time_of(written: str | None, zone: str | None) -> int | None:
    """The time in ns; in a named zone it may be local. Raises Refused, BadInput."""
    if written is None:
        return None
    return schemas.utc_ns(written) if zone is None else instant_utc_ns(written, zone)


def says_nothing(change: RaceChange) -> bool:
    """Whether nothing is to change."""
    return dataclasses.replace(change, edition=None, why="") == RaceChange()
