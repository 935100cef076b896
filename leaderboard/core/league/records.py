"""Seasons, events and series as the leaderboard holds them. Called by the services of league/ and seasons/."""

from dataclasses import dataclass
from typing import Literal

from leaderboard.core.league.series import SeriesPlace
from leaderboard.core.race import RaceRecord

Circuit = Literal["summit", "virtual"]
SeasonStage = Literal["draft", "published", "archived"]


@dataclass(frozen=True, slots=True)
class SeasonRecord:
    """Races and events whose results make one standing.

    `second_official`: final results are unlocked only once two officials want it. `settings`: how its standing is made,
    as JSON; what it holds is the business of seasons/. `edition` counts the changes.
    """

    season_id: str
    name: str
    stage: SeasonStage = "published"
    zone: str = "UTC"
    starts_utc_ns: int | None = None
    ends_utc_ns: int | None = None
    description: str = ""
    picture_sha256: str = ""
    second_official: bool = False
    settings: str = "{}"
    edition: int = 1


@dataclass(frozen=True, slots=True)
class EventRecord:
    """A place and a time where races are held: about a day of the summit circuit, about a month of the virtual one."""

    event_id: str
    name: str
    circuit: Circuit = "summit"
    season_id: str = ""
    place: str = ""
    zone: str = "UTC"
    starts_utc_ns: int | None = None
    ends_utc_ns: int | None = None
    description: str = ""
    edition: int = 1


@dataclass(frozen=True, slots=True)
class SeriesRecord:
    """Races after one template that open by a calendar. `name_pattern`: of its races; see `race_name`.

    The template's id, window and edition mean nothing. A stopped series makes no more races.
    """

    series_id: str
    name: str
    name_pattern: str
    template: RaceRecord
    place: SeriesPlace
    stopped: bool = False
    edition: int = 1
