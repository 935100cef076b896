"""The queue of a LIVE race over HTTP: read by whoever sees the race, changed by those who run it."""

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from leaderboard.api import schemas
from leaderboard.api.bodies import BY_KEY, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import json_response, read_body
from leaderboard.api.identity import CallerIdentification, check
from leaderboard.api.live import shapes
from leaderboard.api.live.orders import (
    NewTurns,
    QueueSettings,
    QueueVersion,
    SpeedMultiplier,
    TurnLaunch,
    TurnMove,
    TurnOrder,
    TurnPair,
    WinnerChoice,
)
from leaderboard.api.live.shapes import QueueShape
from leaderboard.core.access import Caller
from leaderboard.core.live.queue import LiveQueue
from leaderboard.core.live.turn import PLAIN_MOVES, PlainMove
from leaderboard.evaluations.brackets.live_heats import LiveBrackets
from leaderboard.live_races.service import LiveRaces
from shared.errors import Refused

MAX_QUEUE_BYTES = 65_536
_MAX_REASON = 200
_QUEUE = TypeAdapter(QueueShape)
_WORDS = {
    401: "Nobody is signed in, and there is no key",
    403: "The caller does not run this race",
    404: "No such race",
    409: "Somebody else has changed the queue; the sentence has its version",
    413: f"More than {MAX_QUEUE_BYTES} bytes",
    422: "Not possible now; the sentence says why",
    503: "Busy or without its disk: again after Retry-After seconds",
}
_REFUSALS = refusals(401, 403, 404, 408, 409, 413, 422, 503, words=_WORDS)
_MOVE_WORDS: dict[PlainMove, str] = {
    "call": "Call a racer who waits",
    "uncall": "Take a call back",
    "cancel": "Stop the countdown; the racer is the next again",
    "finish": "End the run on the track now",
    "fail": "End the run on the track as failed",
    "skip": "Skip a racer who waits",
    "return": "Put a racer who was skipped, failed or is done at the end of the queue again",
}


def router(
    live: LiveRaces, brackets: LiveBrackets, callers: CallerIdentification, utc_ns: Callable[[], int]
) -> APIRouter:
    """The routes under /api/v1/races/{race_id}/queue, and the winner."""
    routes = DescribedRouter(prefix="/api/v1/races/{race_id}", tags=["live"])
    calls = QueueCalls(live, brackets, callers, utc_ns)
    routes.get(
        "/queue",
        response_model=QueueShape,
        responses={key: _REFUSALS[key] for key in (401, 403, 404, 503)},
        summary="The queue of a LIVE race, and what is on the track",
        response_description="The queue as it is now",
    )(calls.read)

    def post(path: str, kind: type[Any], summary: str, handler: Callable[..., Any], name: str) -> None:
        routes.post(
            path,
            name=name,
            response_model=QueueShape,
            responses=_REFUSALS,
            openapi_extra=json_extra(kind, BY_KEY),
            summary=summary,
            response_description="The queue as it is now",
        )(handler)

    post("/queue", NewTurns, "Put racers into the queue, or oneself", calls.add, "queue_add")
    post("/queue/pair", TurnPair, "Let two who wait drive against each other, as one heat", calls.pair, "queue_pair")
    post("/queue/part", TurnOrder, "Make two turns of a heat that waits", calls.part, "queue_part")
    post("/queue/move", TurnMove, "Move a racer who waits to another place", calls.move, "queue_move")
    post("/queue/launch", TurnLaunch, "Begin the countdown of the next, or of this racer", calls.launch, "queue_launch")
    post("/queue/relaunch", TurnOrder, "Begin the countdown of a racer again", calls.relaunch, "queue_relaunch")
    post("/queue/remove", TurnOrder, "Take a turn out of the queue", calls.remove, "queue_remove")
    for move in PLAIN_MOVES:
        post(f"/queue/{move}", TurnOrder, _MOVE_WORDS[move], calls.mover(move), f"queue_{move}")
    post("/queue/clear", QueueVersion, "Empty the queue", calls.clear, "queue_clear")
    post("/queue/settings", QueueSettings, "Open or close entries, and set the run time", calls.set_up, "queue_set_up")
    post("/queue/speed", SpeedMultiplier, "Scale the speed of the car on the track", calls.speed, "queue_speed")
    post("/winner", WinnerChoice, "Declare the winner, or take that back", calls.declare, "winner")
    return routes


class QueueCalls:
    """The handlers, over one leaderboard. Each asks who calls before it reads the body."""

    def __init__(
        self, live: LiveRaces, brackets: LiveBrackets, callers: CallerIdentification, utc_ns: Callable[[], int]
    ) -> None:
        self._live, self._brackets, self._callers, self._utc_ns = live, brackets, callers, utc_ns

    def read(self, request: Request, race_id: str) -> Response:
        self._live.race_for(self._callers.caller(request), race_id)
        now_utc_ns = self._utc_ns()
        state = self._live.state(race_id, now_utc_ns)
        return json_response(_QUEUE.dump_json(shapes.state_shape(state, now_utc_ns)))

    async def add(self, request: Request, race_id: str) -> Response:
        caller = await run_in_threadpool(self._callers.caller, request)
        race = await run_in_threadpool(self._live.race_for, caller, race_id)
        if not caller.signed_in:
            check(caller, "live.run", race)
        new: NewTurns = schemas.parse(await read_body(request, MAX_QUEUE_BYTES), NewTurns)
        if new.heat is not None:
            if new.racers or new.entries or new.bracket:
                raise Refused("A heat is added by itself: send its two racers alone.")
            return await self._answer(self._live.heats.add, caller, race_id, *new.heat, self._utc_ns())
        if new.bracket:
            if new.racers or new.entries:
                raise Refused("The heats of a bracket are added by themselves.")
            return await self._answer(self._brackets.add_ready, caller, race_id, new.bracket, self._utc_ns())
        return await self._answer(self._live.add, caller, race_id, new.racers, self._utc_ns(), entries=new.entries)

    async def pair(self, request: Request, race_id: str) -> Response:
        caller, order = await self._order(request, race_id, TurnPair)
        if bool(order.item) != bool(order.rival):
            raise Refused("Name both turns of the heat, `item` and `rival`, or neither.")
        return await self._answer(
            self._live.heats.pair, caller, race_id, order.version, self._utc_ns(), order.item, order.rival
        )

    async def part(self, request: Request, race_id: str) -> Response:
        caller, order = await self._order(request, race_id, TurnOrder)
        return await self._answer(self._live.heats.part, caller, race_id, order.version, self._utc_ns(), order.item)

    async def move(self, request: Request, race_id: str) -> Response:
        caller, order = await self._order(request, race_id, TurnMove)
        return await self._answer(
            self._live.move, caller, race_id, order.version, self._utc_ns(), order.item, order.place
        )

    async def launch(self, request: Request, race_id: str) -> Response:
        caller, order = await self._order(request, race_id, TurnLaunch)
        return await self._answer(self._live.launch, caller, race_id, order.version, self._utc_ns(), order.item)

    async def relaunch(self, request: Request, race_id: str) -> Response:
        caller, order = await self._order(request, race_id, TurnOrder)
        return await self._answer(self._live.relaunch, caller, race_id, order.version, self._utc_ns(), order.item)

    async def remove(self, request: Request, race_id: str) -> Response:
        caller, order = await self._order(request, race_id, TurnOrder)
        return await self._answer(self._live.remove, caller, race_id, order.version, self._utc_ns(), order.item)

    def mover(self, move: PlainMove) -> Callable[..., Any]:
        """The handler of one plain move."""

        async def act(request: Request, race_id: str) -> Response:
            caller, order = await self._order(request, race_id, TurnOrder)
            if len(order.reason) > _MAX_REASON:
                raise Refused(f"The reason has {len(order.reason)} characters; at most {_MAX_REASON} are kept.")
            if not order.reason.isprintable():
                raise Refused("The reason holds characters that cannot be shown: write it on one line.")
            return await self._answer(
                self._live.act, caller, race_id, order.version, self._utc_ns(), order.item, move, order.reason
            )

        return act

    async def clear(self, request: Request, race_id: str) -> Response:
        caller, order = await self._order(request, race_id, QueueVersion)
        return await self._answer(self._live.clear, caller, race_id, order.version, self._utc_ns())

    async def set_up(self, request: Request, race_id: str) -> Response:
        caller, wanted = await self._order(request, race_id, QueueSettings)
        return await self._answer(
            self._live.set_up,
            caller,
            race_id,
            wanted.version,
            self._utc_ns(),
            entries_open=wanted.entries_open,
            run_time_s=wanted.run_time_s,
        )

    async def speed(self, request: Request, race_id: str) -> Response:
        caller = await run_in_threadpool(self._callers.caller, request)
        race = await run_in_threadpool(self._live.race_for, caller, race_id)
        if not caller.signed_in:
            check(caller, "live.run", race)
        wanted: SpeedMultiplier = schemas.parse(await read_body(request, MAX_QUEUE_BYTES), SpeedMultiplier)
        if not 0 <= wanted.multiplier <= 100:
            raise Refused("The multiplier is 0.5 to 1.5.")
        percent = round(wanted.multiplier * 100)
        return await self._answer(self._live.set_speed, caller, race_id, self._utc_ns(), percent, wanted.racer)

    async def declare(self, request: Request, race_id: str) -> Response:
        caller, wanted = await self._order(request, race_id, WinnerChoice)
        return await self._answer(self._live.declare, caller, race_id, wanted.version, self._utc_ns(), wanted.racer)

    async def _order(self, request: Request, race_id: str, kind: type[Any]) -> tuple[Caller, Any]:
        caller = await run_in_threadpool(self._callers.caller, request)
        race = await run_in_threadpool(self._live.race_for, caller, race_id)
        check(caller, "live.run", race)
        return caller, schemas.parse(await read_body(request, MAX_QUEUE_BYTES), kind)

    async def _answer(self, change: Callable[..., LiveQueue], *arguments: Any, **named: Any) -> Response:
        queue = await run_in_threadpool(change, *arguments, **named)
        return json_response(_QUEUE.dump_json(shapes.queue_shape(queue)))
