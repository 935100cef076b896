"""What follows from the results of a season: standings, chances, teams, prizes; and the records of all tracks."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request, Response

from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.seasons import shapes
from leaderboard.api.seasons.calls import SeasonApi, as_json, cursor_of, racer_of
from leaderboard.api.seasons.shapes import AwardShape, ChanceShape, RecordShape, SeasonStandingShape, TeamShape
from leaderboard.seasons.results import SeasonResults
from leaderboard.seasons.standings import SeasonTable, StandingChoice
from leaderboard.web.season_choice import choice
from shared.errors import BadInput

_LIMIT = Query(ge=1, le=1000, description="how many rows of a page")
_CURSOR = Query(max_length=2000, description="`next` of the page before")


def router(api: SeasonApi) -> APIRouter:
    """The routes that are read."""
    routes = DescribedRouter(prefix="/api/v1", tags=["seasons"])
    found: dict[str, Any] = {"responses": refusals(404, 422)}
    calls = StandingCalls(api)
    routes.get(
        "/seasons/{season_id}/standings",
        response_model=SeasonStandingShape,
        summary="The standing of a season: of all, or of a kind, region, category and division",
        response_description="A page of the standing, best first",
        **found,
    )(calls.standing)
    routes.get(
        "/seasons/{season_id}/chances",
        response_model=list[ChanceShape],
        summary="Who can still win the season or qualify",
        response_description="What is still possible for each racer, in the order of the standing",
        **found,
    )(calls.chances)
    routes.get(
        "/seasons/{season_id}/teams",
        response_model=list[TeamShape],
        summary="The standing of the season's teams",
        response_description="The teams, best first",
        **found,
    )(calls.teams)
    routes.get(
        "/seasons/{season_id}/prizes",
        response_model=list[AwardShape],
        summary="The prizes of a season so far",
        response_description="Who gets which",
        **found,
    )(calls.prizes)
    routes.get(
        "/records",
        response_model=list[RecordShape],
        summary="The records of tracks, by direction, race type, circuit and what is measured",
        response_description="The records",
        responses=refusals(422),
    )(calls.records)
    return routes


class StandingCalls:
    """The handlers."""

    def __init__(self, api: SeasonApi) -> None:
        self._api, self._standings = api, api.seasons.standings

    def standing(
        self,
        request: Request,
        season_id: str,
        chosen: Annotated[StandingChoice, Depends(choice)],
        limit: Annotated[int, _LIMIT] = 100,
        cursor: Annotated[str, _CURSOR] = "",
    ) -> Response:
        table = self._standings.table(self._results(request, season_id), chosen)
        start = _start(table, cursor)
        last = start + limit
        following = cursor_of(table.lines[last - 1].racer) if last < len(table.lines) else ""
        return as_json(SeasonStandingShape, shapes.standing_shape(table, start, limit, following))

    def chances(self, request: Request, season_id: str, chosen: Annotated[StandingChoice, Depends(choice)]) -> Response:
        season = self._results(request, season_id)
        every = self._standings.chances(season, chosen).values()
        return as_json(list[ChanceShape], [shapes.chance_shape(season, each) for each in every])

    def teams(self, request: Request, season_id: str) -> Response:
        season = self._results(request, season_id)
        return as_json(list[TeamShape], [shapes.team_shape(season, line) for line in self._standings.teams(season)])

    def prizes(self, request: Request, season_id: str) -> Response:
        season = self._results(request, season_id)
        return as_json(list[AwardShape], [shapes.award_shape(season, each) for each in self._standings.awards(season)])

    def records(
        self, season_id: Annotated[str, Query(max_length=64)] = "", track: Annotated[str, Query(max_length=200)] = ""
    ) -> Response:
        every = self._api.seasons.records.records(season_id, track)
        return as_json(list[RecordShape], [shapes.record_shape(each) for each in every])

    def _results(self, request: Request, season_id: str) -> SeasonResults:
        return self._standings.results(self._api.caller(request), season_id, self._api.utc_ns())


def _start(table: SeasonTable, cursor: str) -> int:
    """Where the page of this cursor begins in the standing of now. Raises BadInput."""
    if not cursor:
        return 0
    after = racer_of(cursor)
    index = next((index for index, line in enumerate(table.lines) if line.racer == after), None)
    if index is None:
        raise BadInput("The racer at this cursor is no longer in the standing: begin again without a cursor.")
    return index + 1
