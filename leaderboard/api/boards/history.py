"""GET /api/v1/races/{race_id}/history: how a racer's place changed."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import TypeAdapter

from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import json_response
from leaderboard.core.history import MAX_STEPS
from leaderboard.core.race import Venue
from leaderboard.profiles.history import PlaceHistories, RacerHistory
from leaderboard.scored_laps import utc_text
from shared.units import format_ms

_WORDS = {
    404: "No such race, or no such racer in it",
    422: "No racer is named, or no such table",
}
_ANSWERS = refusals(404, 422, words=_WORDS)


@dataclass(frozen=True, slots=True)
class PlaceStepShape:
    """A place that the racer had from `at` on. `rank` null: none any more. `own`: by a result of the racer's own."""

    at: str
    rank: int | None
    racers: int
    score_ms: int | None
    score: str | None
    own: bool


@dataclass(frozen=True, slots=True)
class PlaceHistoryShape:
    """The history of a place, the earliest first. `is_known` false: the race holds too many results for one."""

    race_id: str
    kind: Venue
    racer: str
    name: str
    is_known: bool
    steps: list[PlaceStepShape]


_HISTORY = TypeAdapter(PlaceHistoryShape)


def router(histories: PlaceHistories) -> APIRouter:
    """The route; a race in an address is one that exists for the caller: sight.py has asked."""
    routes = DescribedRouter(tags=["public"])

    @routes.get(
        "/api/v1/races/{race_id}/history",
        response_model=PlaceHistoryShape,
        responses=_ANSWERS,
        summary=f"How a racer's place changed: the last {MAX_STEPS} changes",
        response_description="The history",
    )
    def history(
        race_id: str,
        racer: Annotated[str, Query(max_length=200, description="the racer, by any spelling")],
        kind: Annotated[Venue | None, Query(description="which table of the race; absent: its first")] = None,
    ) -> Response:
        return json_response(_HISTORY.dump_json(_shape(histories.of(race_id, racer, kind))))

    return routes


def _shape(history: RacerHistory) -> PlaceHistoryShape:
    steps = [
        PlaceStepShape(
            utc_text(step.at_utc_ns),
            step.rank,
            step.racers,
            step.score_ms,
            None if step.score_ms is None else format_ms(step.score_ms),
            step.own,
        )
        for step in history.steps
    ]
    return PlaceHistoryShape(history.race.race_id, history.table, history.racer, history.name, history.is_known, steps)
