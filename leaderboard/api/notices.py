"""The routes of notices: who gets them, of which races. Organisers of a race see its receivers, admins all."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import ConfigDict, TypeAdapter
from starlette.concurrency import run_in_threadpool

from leaderboard.api import schemas
from leaderboard.api.bodies import json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import json_response, read_body
from leaderboard.core.access import Caller
from leaderboard.core.errors import UnknownRace, UnknownSubscription
from leaderboard.league.sight import RaceSight
from leaderboard.notices.subscriptions import NewSubscription, NoticeSubscriptions, SubscriptionStatus
from leaderboard.scored_laps import utc_text
from leaderboard.web.identity import CallerIdentification, check, somebody
from shared.text import text

_MAX_BYTES = 4096
_OF_RACE = Query(max_length=64, description="of this race; absent: all")
_STRICT = ConfigDict(extra="forbid", strict=True)
_WORDS = {
    404: "No such race, or no such receiver",
}
_REFUSALS = refusals(401, 403, 404, 422, words=_WORDS)
_BODY_REFUSALS = _REFUSALS | refusals(408, 413)


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


def router(calls: "NoticeCalls") -> APIRouter:
    """The routes under /api/v1/notices."""
    routes = DescribedRouter(prefix="/api/v1/notices", tags=["notices"])
    routes.get(
        "",
        response_model=list[ReceiverShape],
        responses=_REFUSALS,
        summary="Receivers of notices, with what became of the newest notices",
        response_description="The receivers",
    )(calls.listed)
    routes.post(
        "",
        status_code=201,
        response_model=ReceiverShape,
        responses=_BODY_REFUSALS,
        openapi_extra=json_extra(NewReceiver),
        summary="Add a receiver of notices",
        response_description="Added; the secret is shown this once",
    )(calls.added)
    routes.patch(
        "/{receiver_id}",
        response_model=ReceiverShape,
        responses=_BODY_REFUSALS,
        openapi_extra=json_extra(ReceiverChange),
        summary="Pause a receiver, or let its notices go on",
        response_description="The receiver as it is now",
    )(calls.changed)
    routes.delete(
        "/{receiver_id}", status_code=204, responses=_REFUSALS, summary="Remove a receiver", response_description="Gone"
    )(calls.removed)
    routes.post(
        "/{receiver_id}/test",
        status_code=202,
        responses=_REFUSALS,
        summary="Send a notice of the kind `test`",
        response_description="It is sent behind those that wait",
    )(calls.tested)
    return routes


class NoticeCalls:
    """The handlers. `wake` is told when something is to be sent."""

    def __init__(
        self,
        sight: RaceSight,
        subscriptions: NoticeSubscriptions,
        callers: CallerIdentification,
        wake: Callable[[], None],
        utc_ns: Callable[[], int],
    ) -> None:
        self._sight, self._subscriptions, self._callers = sight, subscriptions, callers
        self._wake, self._utc_ns = wake, utc_ns

    def listed(
        self,
        request: Request,
        race_id: Annotated[str, Query(max_length=64, description="of this race; absent: all")] = "",
    ) -> Response:
        self._check(self._callers.caller(request), race_id, "")
        shown = [_shape(each) for each in self._subscriptions.list(race_id or None)]
        return json_response(_RECEIVERS.dump_json(shown))

    async def added(self, request: Request) -> Response:
        caller = somebody(self._callers.caller(request))
        wanted: NewReceiver = schemas.parse(await read_body(request, _MAX_BYTES), NewReceiver)
        await run_in_threadpool(self._check, caller, wanted.race_id, wanted.season_id)
        new = NewSubscription(wanted.url, wanted.kinds, wanted.race_id, wanted.season_id)
        row = await run_in_threadpool(self._subscriptions.add, new, caller, self._utc_ns())
        shape = dataclasses.replace(_shape(SubscriptionStatus(row, ())), secret=row.secret)
        return json_response(_RECEIVER.dump_json(shape), 201)

    async def changed(self, request: Request, receiver_id: str) -> Response:
        caller = somebody(self._callers.caller(request))
        wanted: ReceiverChange = schemas.parse(await read_body(request, _MAX_BYTES), ReceiverChange)
        await run_in_threadpool(self._check_known, caller, receiver_id)
        row = await run_in_threadpool(self._subscriptions.pause, receiver_id, wanted.paused, caller, self._utc_ns())
        self._wake()
        return json_response(_RECEIVER.dump_json(_shape(SubscriptionStatus(row, ()))))

    def removed(self, request: Request, receiver_id: str) -> Response:
        caller = somebody(self._callers.caller(request))
        self._check_known(caller, receiver_id)
        self._subscriptions.remove(receiver_id, caller, self._utc_ns())
        return Response(status_code=204)

    def tested(self, request: Request, receiver_id: str) -> Response:
        self._check_known(somebody(self._callers.caller(request)), receiver_id)
        self._subscriptions.test(receiver_id, self._utc_ns())
        self._wake()
        return Response(status_code=202)

    def _check(self, caller: Caller, race_id: str, season_id: str) -> None:
        """Check that the caller may have receivers of this race, this season, or of all races."""
        if race_id:
            check(caller, "race.edit", self._sight.race(caller, race_id))
        else:
            check(caller, "season.edit" if season_id else "accounts.manage", season_id=season_id)

    def _check_known(self, caller: Caller, receiver_id: str) -> None:
        row = self._subscriptions.get(receiver_id)
        try:
            self._check(caller, row.race_id, row.season_id)
        except UnknownRace:
            raise UnknownSubscription(text("There is no such receiver of notices.")) from None


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
