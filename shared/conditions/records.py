"""The conditions of a virtual race: all that decides how a model is driven, the same for everybody.

The leaderboard keeps them and names their SHA-256 in the race; the farm drives by them; every result names the hash.
All numbers are whole, in units small enough, so that the canonical text is the same whoever writes it: 1.0, 1 and 1e0
would be three texts of one number.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

from pydantic import ConfigDict

from shared.rules.ranking import AtLimit, Lap1, Method, RaceRules
from shared.units import NS_PER_S, seconds_to_ns

# Another word for each engine that would drive the same model by the same seed to another trace.
ENGINE = "raceday-4"
CONDITIONS_VERSION = 1
PPM = 1_000_000

DrivenType = Literal["time_trial", "object_avoidance", "head_to_bot", "head_to_head"]
DrivenDirection = Literal["counterclockwise", "clockwise"]
CarProfile = Literal["console-2022", "league-2023", "droa-2026", "physical"]
Aggregate = Literal["best", "median", "worst"]

_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class BoxPlace:
    """Where a box stands: in the inner lane (1) or the outer (-1), and how far around the track from the start line."""

    __pydantic_config__ = _STRICT

    lane: int
    share_ppm: int


@dataclass(frozen=True, slots=True)
class BoxSet:
    """The boxes on the track. `places` empty: each seed places them, with 2 m between."""

    __pydantic_config__ = _STRICT

    count: int = 0
    places: tuple[BoxPlace, ...] = ()


@dataclass(frozen=True, slots=True)
class BotSet:
    """The bot cars on the track, one speed for all; between two lane changes lie `lane_ms_from` to `lane_ms_to`."""

    __pydantic_config__ = _STRICT

    count: int = 0
    speed_mm_s: int = 1000
    lane_ms_from: int = 3000
    lane_ms_to: int = 5000


@dataclass(frozen=True, slots=True)
class DrivenRules:
    """The rules of a race that a run is driven and scored by: all but the number of attempts, in whole nanoseconds."""

    __pydantic_config__ = _STRICT

    method: Method = "average"
    consecutive_laps: int = 3
    max_laps: int | None = None
    time_limit_ns: int | None = None
    off_track_penalty_ns: int = 0
    collision_penalty_ns: int = 0
    max_resets_per_lap: int | None = None
    min_lap_ns: int = 2 * NS_PER_S
    lap_1_from: Lap1 = "line"
    at_time_limit: AtLimit = "stop"

    @classmethod
    def of(cls, rules: RaceRules) -> "DrivenRules":
        """Those of a race."""
        return cls(
            method=rules.method,
            consecutive_laps=rules.consecutive_laps,
            max_laps=rules.max_laps,
            time_limit_ns=None if rules.time_limit_s is None else seconds_to_ns(rules.time_limit_s),
            off_track_penalty_ns=seconds_to_ns(rules.off_track_penalty_s),
            collision_penalty_ns=seconds_to_ns(rules.collision_penalty_s),
            max_resets_per_lap=rules.max_resets_per_lap,
            min_lap_ns=seconds_to_ns(rules.min_lap_s),
            lap_1_from=rules.lap_1_from,
            at_time_limit=rules.at_time_limit,
        )

    def race_rules(self) -> RaceRules:
        """As the ranking takes them."""
        return RaceRules(
            method=self.method,
            consecutive_laps=self.consecutive_laps,
            max_laps=self.max_laps,
            time_limit_s=None if self.time_limit_ns is None else self.time_limit_ns / NS_PER_S,
            off_track_penalty_s=self.off_track_penalty_ns / NS_PER_S,
            collision_penalty_s=self.collision_penalty_ns / NS_PER_S,
            max_resets_per_lap=self.max_resets_per_lap,
            min_lap_s=self.min_lap_ns / NS_PER_S,
            lap_1_from=self.lap_1_from,
            at_time_limit=self.at_time_limit,
        )


@dataclass(frozen=True, slots=True)
class Conditions:
    """All that decides how a model is driven.

    A submission is driven `runs` times, each by a seed of its own that is the same for all racers; its result is the
    run that `aggregate` chooses. A run ends after `laps` laps, `resets` resets or `run_limit_ms`. `look`: of the hall,
    "" for that of the track. `latency_ms`: from frame to action. `final_top_n`: so many are driven again on the final
    seeds once the race is closed, 0 for none.
    """

    __pydantic_config__ = _STRICT

    engine: str = ENGINE
    track: str = "reinvent_base"
    direction: DrivenDirection = "counterclockwise"
    race_type: DrivenType = "time_trial"
    rules: DrivenRules = DrivenRules()
    objects: BoxSet = BoxSet()
    bots: BotSet = BotSet()
    profile: CarProfile = "droa-2026"
    look: str = ""
    latency_ms: int = 0
    runs: int = 3
    aggregate: Aggregate = "median"
    laps: int = 3
    resets: int = 15
    run_limit_ms: int = 300_000
    final_top_n: int = 0
    v: int = CONDITIONS_VERSION

    def canonical(self) -> str:
        """The one text of these conditions: keys sorted, no spaces, ASCII, whole numbers."""
        return json.dumps(asdict(self), sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)

    @property
    def sha256(self) -> str:
        """Of the canonical text, in hex: the name of these conditions."""
        return hashlib.sha256(self.canonical().encode("ascii")).hexdigest()
