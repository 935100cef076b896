"""The routes of notices: who gets them, of which races. Organisers of a race see its receivers, admins all."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import ConfigDict, TypeAdapter
from starlette.concurrency import run_in_threadpool

from leaderboard.api import schemas
from leaderboard.api.http import json_response, read_body
from leaderboard.api.refusals import refusal
from leaderboard.board import LeaderboardService
from leaderboard.core.access import Caller
from leaderboard.notices.outbox import SubscriptionRow
from leaderboard.notices.subscriptions import NewSubscription, NoticeSubscriptions, SubscriptionStatus
from leaderboard.scored_laps import utc_text
from leaderboard.web.identity import CallerIdentification, check, somebody

_MAX_BYTES = 4096
_STRICT = ConfigDict(extra="forbid", strict=True)
_REFUSALS: dict[int | str, dict[str, Any]] = {
    401: refusal("Nobody is signed in, or the key is not valid"),
    403: refusal("This needs another role"),
    404: refusal("No such race, or no such receiver"),
    422: refusal("Not acceptable; the sentence says why"),
}
_BODY_REFUSALS = _REFUSALS | {
    408: refusal("The body did not arrive in time"),
    413: refusal("The body is too large"),
}


@dataclass(frozen=True, slots=True)
class NewReceiver:
    """A receiver of notices: of one race, of one season's public races, or (with neither) of all public races."""

    __pydantic_config__ = _STRICT

    url: str
    kinds: tuple[str, ...]
    race_id: str = ""
    season_id: str = ""


@dataclass(frozen=True, slots=True)
class ReceiverChange:
    """Hold notices back (`paused`), or let them go."""

    __pydantic_config__ = _STRICT

    paused: bool


@dataclass(frozen=True, slots=True)
class SentNoticeShape:
    kind: str
    race_id: str
    at: str
    state: str
    attempts: int
    answer: str


@dataclass(frozen=True, slots=True)
class ReceiverShape:
    """A receiver. `secret`: only in the answer that makes it. `stopped`: why nothing is sent any more, or ""."""

    receiver_id: str
    url: str
    kinds: tuple[str, ...]
    race_id: str
    season_id: str
    paused: bool
    stopped: str
    notices: tuple[SentNoticeShape, ...] = ()
    secret: str | None = None


_RECEIVER = TypeAdapter(ReceiverShape)
_RECEIVERS = TypeAdapter(list[ReceiverShape])


def router(
    board: LeaderboardService,
    subscriptions: NoticeSubscriptions,
    callers: CallerIdentification,
    wake: Callable[[], None],
    utc_ns: Callable[[], int],
) -> APIRouter:
    """The routes under /api/v1/notices. `wake` is told when something is to be sent."""
    routes = APIRouter(prefix="/api/v1/notices", tags=["notices"])

    def check_of(caller: Caller, race_id: str, season_id: str) -> None:
        if race_id:
            check(caller, "race.edit", board.race(race_id))
        else:
            check(caller, "season.edit" if season_id else "accounts.manage", season_id=season_id)

    def known(caller: Caller, receiver_id: str) -> SubscriptionRow:
        row = subscriptions.get(receiver_id)
        check_of(caller, row.race_id, row.season_id)
        return row

    @routes.get(
        "",
        response_model=list[ReceiverShape],
        responses=_REFUSALS,
        summary="Receivers of notices, with what became of the newest notices",
        response_description="The receivers",
    )
    def listed(
        request: Request, race_id: Annotated[str, Query(max_length=64, description="of this race; absent: all")] = ""
    ) -> Response:
        check_of(callers.caller(request), race_id, "")
        shown = [_shape(each) for each in subscriptions.list(race_id or None)]
        return json_response(_RECEIVERS.dump_json(shown))

    @routes.post(
        "",
        status_code=201,
        response_model=ReceiverShape,
        responses=_BODY_REFUSALS,
        openapi_extra=_extra(NewReceiver),
        summary="Add a receiver of notices",
        response_description="Added; the secret is shown this once",
    )
    async def added(request: Request) -> Response:
        caller = somebody(callers.caller(request))
        wanted: NewReceiver = schemas.parse(await read_body(request, _MAX_BYTES), NewReceiver)
        await run_in_threadpool(check_of, caller, wanted.race_id, wanted.season_id)
        new = NewSubscription(wanted.url, wanted.kinds, wanted.race_id, wanted.season_id)
        row = await run_in_threadpool(subscriptions.add, new, caller, utc_ns())
        shape = dataclasses.replace(_shape(SubscriptionStatus(row, ())), secret=row.secret)
        return json_response(_RECEIVER.dump_json(shape), 201)

    @routes.patch(
        "/{receiver_id}",
        response_model=ReceiverShape,
        responses=_BODY_REFUSALS,
        openapi_extra=_extra(ReceiverChange),
        summary="Pause a receiver, or let its notices go on",
        response_description="The receiver as it is now",
    )
    async def changed(request: Request, receiver_id: str) -> Response:
        caller = somebody(callers.caller(request))
        wanted: ReceiverChange = schemas.parse(await read_body(request, _MAX_BYTES), ReceiverChange)
        await run_in_threadpool(known, caller, receiver_id)
        row = await run_in_threadpool(subscriptions.pause, receiver_id, wanted.paused, caller, utc_ns())
        wake()
        return json_response(_RECEIVER.dump_json(_shape(SubscriptionStatus(row, ()))))

    @routes.delete(
        "/{receiver_id}", status_code=204, responses=_REFUSALS, summary="Remove a receiver", response_description="Gone"
    )
    def removed(request: Request, receiver_id: str) -> Response:
        caller = somebody(callers.caller(request))
        known(caller, receiver_id)
        subscriptions.remove(receiver_id, caller, utc_ns())
        return Response(status_code=204)

    @routes.post(
        "/{receiver_id}/test",
        status_code=202,
        responses=_REFUSALS,
        summary="Send a notice of the kind `test`",
        response_description="It is sent behind those that wait",
    )
    def tested(request: Request, receiver_id: str) -> Response:
        known(somebody(callers.caller(request)), receiver_id)
        subscriptions.test(receiver_id, utc_ns())
        wake()
        return Response(status_code=202)

    return routes


def _shape(status: SubscriptionStatus) -> ReceiverShape:
    row = status.row
    notices = tuple(
        SentNoticeShape(each.kind, each.race_id, utc_text(each.at_utc_ns), each.state, each.attempts, each.answer)
        for each in status.deliveries
    )
    return ReceiverShape(
        row.subscription_id,
        row.url,
        tuple(row.kinds.split()),
        row.race_id,
        row.season_id,
        row.paused,
        row.stopped,
        notices,
    )


def _extra(kind: type[Any]) -> dict[str, Any]:
    schema = TypeAdapter(kind).json_schema()
    return {"requestBody": {"required": True, "content": {"application/json": {"schema": schema}}}}
