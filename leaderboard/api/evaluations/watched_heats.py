"""/api/v1/brackets/{id}/heats/{number}/runs: what the runs of a driven heat came to, and the files of their traces."""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter

from leaderboard.api.bodies import BY_EITHER, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.evaluations.trace_calls import trace_file
from leaderboard.api.http import json_response
from leaderboard.api.identity import CallerIdentification
from leaderboard.core.evaluations.heat_sentences import heat_sentence, run_sentence
from leaderboard.evaluations.brackets.heat_replays import FIRST, SECOND, HeatReplays, WatchedHeat
from leaderboard.web.identity import somebody
from shared.protocol.farm_shows import HeatReason

_WORDS = {
    401: "Nobody is signed in, or the key is wrong",
    403: "The files of a run are its racer's own, and its officials'",
    404: "No such bracket or run for the caller, or no farm has driven the heat",
}
_FILES = {
    "trace": "The trace of one car in a run of a heat: where it was at each frame",
    "simtrace": "One car's run in a heat as the simulator's simtrace.csv, which racers' tools read",
    "metrics": "One car's run in a heat as the simulator's evaluation metrics",
}


class HeatSideName(StrEnum):
    """One of the two of a heat, as the bracket has them."""

    FIRST = "first"
    SECOND = "second"


@dataclass(frozen=True, slots=True)
class HeatRunShape:
    """One run. `run` counts from 1; `in_front`: who started in front; `winner`: who is ahead, null for neither.

    `reason`: why; `by_ms` or `by_mm`: by how much, where it can be told. The traces are named by their SHA-256.
    """

    run: int
    in_front: str
    winner: str | None
    reason: HeatReason
    sentence: str
    by_ms: int | None
    by_mm: int | None
    first_trace_sha256: str
    second_trace_sha256: str


@dataclass(frozen=True, slots=True)
class DrivenHeatShape:
    """A heat that a farm drove: its racers, who is through and why, and what each run came to."""

    bracket_id: str
    number: int
    race_id: str
    first: str
    second: str
    winner: str
    sentence: str
    runs: tuple[HeatRunShape, ...]


_SHAPE = TypeAdapter(DrivenHeatShape)


def router(heats: HeatReplays, callers: CallerIdentification) -> APIRouter:
    """The routes, over the driven heats of one store."""
    routes = DescribedRouter(prefix="/api/v1/brackets/{bracket_id}/heats/{number}/runs", tags=["brackets"])
    calls = WatchedHeatCalls(heats, callers)
    routes.get(
        "",
        response_model=DrivenHeatShape,
        responses=refusals(404, 422, words=_WORDS),
        summary="What a heat came to that a farm drove, run by run",
        response_description="The heat with its runs",
        operation_id="heat_runs",
    )(calls.runs)
    for name, summary in _FILES.items():
        routes.get(
            f"/{{run}}/{{side}}/{name}",
            responses={
                200: {"content": {trace_file(name).kind: {}}, "description": "The file"},
                **refusals(401, 403, 404, 422, words=_WORDS),
            },
            openapi_extra=json_extra(security=BY_EITHER),
            summary=summary,
            operation_id=f"heat_run_{name}",
        )(calls.file(name))
    return routes


class WatchedHeatCalls:
    """The handlers."""

    def __init__(self, heats: HeatReplays, callers: CallerIdentification) -> None:
        self._heats, self._callers = heats, callers

    def runs(self, request: Request, bracket_id: str, number: int) -> Response:
        heat = self._heats.heat(self._callers.caller(request), bracket_id, number)
        return json_response(_SHAPE.dump_json(_shape(heat)))

    def file(self, name: str) -> Callable[..., Response]:
        """The handler of one kind of file."""
        made = trace_file(name)

        def answer(request: Request, bracket_id: str, number: int, run: int, side: HeatSideName) -> Response:
            caller = somebody(self._callers.caller(request))
            which = FIRST if side is HeatSideName.FIRST else SECOND
            stored = self._heats.file(caller, bracket_id, number, run, which)
            return made.response(stored, f"{bracket_id}-heat-{number}-run-{run}-{side.value}")

        return answer


def _shape(heat: WatchedHeat) -> DrivenHeatShape:
    first, second = heat.racers
    runs = tuple(
        HeatRunShape(
            place,
            heat.racers[run.in_front],
            None if run.winner is None else heat.racers[run.winner],
            run.reason,
            str(run_sentence(run, heat.names)),
            run.by_ms,
            run.by_mm,
            *run.traces,
        )
        for place, run in enumerate(heat.runs, 1)
    )
    winner = heat.racers[heat.winner]
    sentence = str(heat_sentence(heat.runs, heat.winner, heat.names))
    number = heat.heat.plan.number
    return DrivenHeatShape(heat.bracket.bracket_id, number, heat.race.race_id, first, second, winner, sentence, runs)
