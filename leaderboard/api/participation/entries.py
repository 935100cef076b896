"""/api/v1/races/{race_id}/entries: who takes part in a race."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool

from leaderboard.api import schemas
from leaderboard.api.bodies import BY_KEY, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import json_response, read_body
from leaderboard.api.identity import CallerIdentification
from leaderboard.api.participation.shapes import (
    EntryShape,
    NewEntry,
    ParticipantShape,
    ParticipantsShape,
    after_cursor,
    cursor,
    entry_shape,
)
from leaderboard.core.access import Caller
from leaderboard.core.errors import Unauthorized
from leaderboard.league.entries import EntryService
from leaderboard.store.entries import EntryRecord
from shared.errors import BadInput
from shared.text import text

MAX_BYTES = 16_384
_WORDS = {
    401: "Nobody is signed in, or the key is wrong",
    403: "The caller may not do this here",
    404: "No such race, or none that the caller may know of; no such racer",
    409: "Somebody else has this name here; the sentence says who decides",
}
REFUSALS = refusals(401, 403, 404, 409, 422, words=_WORDS)
_ENTRY = TypeAdapter(EntryShape)
_PAGE = TypeAdapter(ParticipantsShape)


def router(entries: EntryService, callers: CallerIdentification, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over the entries of one store."""
    routes = DescribedRouter(prefix="/api/v1/races/{race_id}/entries", tags=["participants"])
    calls = EntryCalls(entries, callers, utc_ns)
    routes.get(
        "",
        response_model=ParticipantsShape,
        responses={404: REFUSALS[404], 422: REFUSALS[422]},
        summary="Who takes part: all entries for organiser and officials, who entered for everyone else",
        response_description="A page of participants, by name",
    )(calls.participants)
    routes.post(
        "",
        status_code=201,
        response_model=EntryShape,
        responses={200: {"model": EntryShape, "description": "It was so before"}, **REFUSALS},
        openapi_extra=json_extra(NewEntry, BY_KEY, required=False),
        summary="Enter the race oneself, let an account in, or register a racer without one",
        response_description="Done",
    )(calls.add)
    routes.post(
        "/{racer:path}/restore",
        response_model=EntryShape,
        responses=REFUSALS,
        summary="Undo the removal of a racer: the results are shown again",
        response_description="The entry as it is now",
    )(calls.restore)
    routes.delete(
        "/{racer:path}",
        response_model=EntryShape,
        responses=REFUSALS,
        summary="Withdraw one's own entry, or remove a racer: no access, and results that are kept but not shown",
        response_description="The entry as it is now",
    )(calls.leave)
    return routes


class EntryCalls:
    """The handlers."""

    def __init__(self, entries: EntryService, callers: CallerIdentification, utc_ns: Callable[[], int]) -> None:
        self._entries, self._callers, self._utc_ns = entries, callers, utc_ns

    def participants(
        self,
        request: Request,
        race_id: str,
        after: Annotated[str, Query(max_length=2000, description="`next` of the page before")] = "",
        limit: Annotated[int, Query(ge=1, le=500)] = 200,
    ) -> Response:
        page = self._entries.participants(self._callers.caller(request), race_id, after_cursor(after), limit)
        rows = tuple(
            ParticipantShape(entry_shape(each.entry), each.results, each.to_decide) for each in page.participants
        )
        return json_response(_PAGE.dump_json(ParticipantsShape(rows, page.counts, cursor(page.after))))

    async def add(self, request: Request, race_id: str) -> Response:
        caller = somebody(self._callers, request)
        wanted: NewEntry = schemas.parse(await read_body(request, MAX_BYTES) or b"{}", NewEntry)
        entry, new = await run_in_threadpool(_add, self._entries, caller, race_id, wanted, self._utc_ns())
        return respond(entry, 201 if new else 200)

    def restore(self, request: Request, race_id: str, racer: str) -> Response:
        return respond(self._entries.restore(somebody(self._callers, request), race_id, racer, self._utc_ns()))

    def leave(self, request: Request, race_id: str, racer: str) -> Response:
        caller = somebody(self._callers, request)
        own = self._entries.own(caller, race_id)
        if own is not None and racer in (own.racer, caller.alias):
            return respond(self._entries.withdraw(caller, race_id, self._utc_ns()))
        return respond(self._entries.remove(caller, race_id, racer, self._utc_ns()))


def _add(
    entries: EntryService, caller: Caller, race_id: str, wanted: NewEntry, now_utc_ns: int
) -> tuple[EntryRecord, bool]:
    if (wanted.alias is not None and wanted.racer is not None) or (wanted.name is not None and wanted.racer is None):
        raise BadInput(
            "Give `alias` (an account), or `racer` with or without `name` (a racer without one), or nothing."
        )
    if wanted.confirm and wanted.alias is None:
        raise BadInput("`confirm` says that the account of an `alias` is the racer of that name: give the `alias`.")
    if wanted.racer is not None:
        name = wanted.racer if wanted.name is None else wanted.name
        return entries.register(caller, race_id, wanted.racer, name, now_utc_ns)
    if wanted.alias is None:
        before = entries.own(caller, race_id)
        entry = entries.enter(caller, race_id, now_utc_ns)
        return entry, before is None or before.state != entry.state
    if wanted.confirm:
        return entries.confirm(caller, race_id, wanted.alias, now_utc_ns), False
    return entries.invite(caller, race_id, wanted.alias, now_utc_ns)


def somebody(callers: CallerIdentification, request: Request) -> Caller:
    """The caller. Raises Unauthorized for nobody, before anything is read."""
    caller = callers.caller(request)
    if not caller.signed_in and not caller.key_id and not caller.has("admin"):
        raise Unauthorized(text("This needs an account: sign in, or make one."))
    return caller


def respond(entry: EntryRecord, status: int = 200) -> Response:
    """An entry as the answer."""
    return json_response(_ENTRY.dump_json(entry_shape(entry)), status)
