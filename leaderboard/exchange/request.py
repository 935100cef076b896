"""What an import is asked to do: into which race, from which format, and what the file itself does not say."""

from dataclasses import dataclass
from typing import Literal

from leaderboard.core.acceptance import check_name
from leaderboard.core.race import Direction, RaceRecord, RaceType, ResultKind, Venue, check_race_id
from shared.rules.ranking import RaceRules

ImportFormat = Literal["league", "drem", "metrics"]
Penalties = Literal["included", "added"]


@dataclass(frozen=True, slots=True)
class NewRaceOfImport:
    """The race that an import creates: a league's race, closed from the start, as its results are published."""

    name: str
    track: str
    rules: RaceRules
    venue: Venue = "virtual"
    race_type: RaceType = "time_trial"
    direction: Direction = "counterclockwise"
    season_id: str = ""
    opens_utc_ns: int | None = None
    closes_utc_ns: int | None = None


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One import. `create`: the race as it is made if it is not there yet; `must_be_new`: and it must not be.

    `given_rules`: the rules of `create` that were asked for, which a race that is there must have. `only_track`: of an
    event manager's file with several tracks. `racer`, `model`, `finished_utc_ns`: of the simulator's metrics, which
    name none. `penalties`: whether the times of the laps hold them already.
    """

    race_id: str
    format: ImportFormat
    dry_run: bool = False
    create: NewRaceOfImport | None = None
    must_be_new: bool = False
    given_rules: tuple[str, ...] = ()
    kind: ResultKind = "virtual"
    only_track: str = ""
    racer: str = ""
    model: str = ""
    finished_utc_ns: int | None = None
    penalties: Penalties = "included"


def race_of(request: ImportRequest, now_utc_ns: int) -> RaceRecord:
    """The race that the request creates. Raises Refused."""
    new = request.create
    assert new is not None
    check_race_id(request.race_id)
    check_name("name", new.name)
    check_name("track", new.track)
    return RaceRecord(
        request.race_id,
        new.name,
        "league",
        new.venue,
        new.track,
        new.rules,
        opens_utc_ns=new.opens_utc_ns,
        closes_utc_ns=new.closes_utc_ns,
        closed_utc_ns=None if new.closes_utc_ns is not None else now_utc_ns,
        season_id=new.season_id,
        race_type=new.race_type,
        direction=new.direction,
    )
