"""/api/v1/races/{race_id}/conditions and seeds: how the submissions of a virtual race are driven."""

from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from leaderboard.api.bodies import BY_EITHER, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.evaluations.shapes import ConditionsShape, SeedsShape, conditions_shape, seeds_shape
from leaderboard.api.http import json_response, read_body
from leaderboard.api.identity import CallerIdentification
from leaderboard.evaluations.race_conditions import RaceConditions
from shared.conditions import MAX_CONDITIONS_BYTES, Conditions

_WORDS = {
    404: "No such race, or none that the caller may know of; or it was never open",
    409: "The race is not closed: its seeds are not told yet",
    422: "The race is not virtual, has results, or nothing can be driven by such conditions; the sentence says so",
}
_CONDITIONS, _SEEDS = TypeAdapter(ConditionsShape), TypeAdapter(SeedsShape)


def router(conditions: RaceConditions, callers: CallerIdentification, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over the races of one store."""
    routes = DescribedRouter(prefix="/api/v1/races/{race_id}", tags=["farm"])
    calls = RaceConditionCalls(conditions, callers, utc_ns)
    routes.get(
        "/conditions",
        response_model=ConditionsShape,
        responses=refusals(404, 422, words=_WORDS),
        summary="What decides how a race's submissions are driven, the same for all",
        response_description="The conditions, with the commitment to the race's seeds",
    )(calls.shown)
    routes.put(
        "/conditions",
        response_model=ConditionsShape,
        responses=refusals(401, 403, 404, 408, 413, 422, words=_WORDS),
        openapi_extra=json_extra(Conditions, BY_EITHER),
        summary="Set the conditions of a race that has no results; what is the race's own stays so",
        response_description="The conditions as they are now",
    )(calls.set)
    routes.get(
        "/seeds",
        response_model=SeedsShape,
        responses=refusals(404, 409, 422, words=_WORDS),
        summary="The seeds of a race that is closed, which its commitment was made of",
        response_description="All seeds",
    )(calls.seeds)
    return routes


class RaceConditionCalls:
    """The handlers."""

    def __init__(self, conditions: RaceConditions, callers: CallerIdentification, utc_ns: Callable[[], int]) -> None:
        self._conditions, self._callers, self._utc_ns = conditions, callers, utc_ns

    def shown(self, request: Request, race_id: str) -> Response:
        shown = self._conditions.shown(self._callers.caller(request), race_id, self._utc_ns())
        return json_response(_CONDITIONS.dump_json(conditions_shape(shown)))

    async def set(self, request: Request, race_id: str) -> Response:
        caller = self._callers.caller(request)
        await run_in_threadpool(self._conditions.check_may_set, caller, race_id)
        payload = await read_body(request, MAX_CONDITIONS_BYTES)
        shown = await run_in_threadpool(self._conditions.set, caller, race_id, payload, self._utc_ns())
        return json_response(_CONDITIONS.dump_json(conditions_shape(shown)))

    def seeds(self, request: Request, race_id: str) -> Response:
        seeds = self._conditions.seeds(self._callers.caller(request), race_id, self._utc_ns())
        return json_response(_SEEDS.dump_json(seeds_shape(seeds)))
