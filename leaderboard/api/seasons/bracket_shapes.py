"""What the JSON of brackets looks like, in and out."""

from dataclasses import dataclass
from typing import Literal

from pydantic import ConfigDict

from leaderboard.core.seasons.bracket import Elimination, HeatNow, HeatState, Part
from leaderboard.seasons.brackets import BracketNow

_STRICT = ConfigDict(extra="forbid", strict=True)


@dataclass(frozen=True, slots=True)
class NewBracket:
    """A bracket to seed from a race (from its `table`, if it has two). Without `size` the smallest that holds all.

    `driven`: farms drive its heats; only for a virtual race of the type head_to_head.
    """

    __pydantic_config__ = _STRICT

    race_id: str
    name: str
    size: int | None = None
    elimination: Elimination = "single"
    byes: bool = True
    third: bool = True
    table: Literal["physical", "virtual", "any"] | None = None
    driven: bool = False


@dataclass(frozen=True, slots=True)
class HeatOutcome:
    """The result of a heat: who won, and the scores, null for one who did not finish or where none were taken.

    `edition`: of the bracket that you saw; another one is answered 409.
    """

    __pydantic_config__ = _STRICT

    winner: str
    first_score_ms: int | None = None
    second_score_ms: int | None = None
    edition: int | None = None


@dataclass(frozen=True, slots=True)
class HeatRerun:
    """Why a heat is run again."""

    __pydantic_config__ = _STRICT

    why: str
    edition: int | None = None


@dataclass(frozen=True, slots=True)
class HeatShape:
    """A heat. A racer is "" while nobody is known, null where nobody comes (a bye). `runs`: how often it was run."""

    number: int
    part: Part
    round: int
    state: HeatState
    first: str | None
    second: str | None
    first_score_ms: int | None
    second_score_ms: int | None
    winner: str
    runs: int


@dataclass(frozen=True, slots=True)
class BracketShape:
    bracket_id: str
    name: str
    race_id: str
    season_id: str
    size: int
    elimination: Elimination
    byes: bool
    third: bool
    edition: int
    seeds: tuple[str, ...]
    heats: tuple[HeatShape, ...]
    driven: bool = False


def bracket_shape(now: BracketNow) -> BracketShape:
    bracket, settings = now.bracket, now.bracket.settings
    return BracketShape(
        bracket_id=bracket.bracket_id,
        name=bracket.name,
        race_id=bracket.race_id,
        season_id=bracket.season_id,
        size=settings.size,
        elimination=settings.elimination,
        byes=settings.byes,
        third=settings.third,
        edition=bracket.edition,
        seeds=bracket.seeds,
        heats=tuple(_heat(heat, now.runs.get(heat.plan.number, 0)) for heat in now.heats),
        driven=settings.driven,
    )


def _heat(heat: HeatNow, runs: int) -> HeatShape:
    scores = (None, None) if heat.result is None else (heat.result.first_score_ms, heat.result.second_score_ms)
    return HeatShape(
        heat.plan.number,
        heat.plan.part,
        heat.plan.round,
        heat.state,
        heat.first,
        heat.second,
        *scores,
        heat.winner or "",
        runs,
    )
