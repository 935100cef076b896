"""Imports and exports: POST /api/v1/import takes a file as it is; an export is a file of one moment.

The body of an import may be long: it goes to a temporary file as it arrives, and one is taken at a time.
"""

import asyncio
import dataclasses
import io
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Annotated, Any, BinaryIO, TextIO, cast, get_args

from fastapi import APIRouter, Query, Request, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.responses import StreamingResponse

from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import json_response
from leaderboard.api.identity import CallerIdentification, check
from leaderboard.board import LeaderboardService
from leaderboard.core import access
from leaderboard.core.access import Caller
from leaderboard.core.errors import UnknownRace
from leaderboard.core.race import RaceRecord, Venue
from leaderboard.exchange.csv_table import MAX_BYTES, examined
from leaderboard.exchange.exporting import FILE_NAMES, MEDIA_TYPES, ExportFormat, write_race, write_races
from leaderboard.exchange.importing import import_file
from leaderboard.exchange.parameters import PARAMETERS, request_of
from leaderboard.exchange.report import ImportReport, refusal_sentence
from leaderboard.exchange.request import ImportFormat, ImportRequest
from leaderboard.league.sight import RaceSight
from leaderboard.stations.posting import error_body
from leaderboard.web.bodies import BodyTooLarge, BodyTooSlow
from shared.errors import BadInput, Refused, RetryLater

IMPORT_PATH = "/api/v1/import"
_IN_MEMORY = 1 << 20
_PART_WITHIN_S = 20.0
_CHUNK = 1 << 16
_REPORT = TypeAdapter(ImportReport)
_WORDS = {
    401: "Credentials are missing or wrong",
    404: "No such race",
    408: "The file did not arrive in time",
    409: "There is a race of this id already",
    413: f"More than {MAX_BYTES} bytes",
    422: "Not acceptable; `report` says why, by line; nothing is stored",
    503: "Another file is being imported: wait Retry-After seconds",
}
_REFUSALS = refusals(401, 403, 404, 408, 409, 413, 422, 503, words=_WORDS)
_KINDS: dict[str, Any] = {kind: {} for kind in sorted(set(MEDIA_TYPES.values()))}
_EXTRA: dict[str, Any] = {
    "security": [{"admin": []}],
    "parameters": [
        {
            "name": each.name,
            "in": "query",
            "required": False,
            "description": each.what,
            "schema": {"type": "string"} | ({"enum": list(each.allowed)} if each.allowed else {}),
        }
        for each in PARAMETERS
    ],
    "requestBody": {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string"}}}},
}


def router(
    board: LeaderboardService,
    sight: RaceSight,
    callers: CallerIdentification,
    title: str,
    utc_ns: Callable[[], int],
) -> APIRouter:
    """The routes, over one board."""
    routes = DescribedRouter(tags=["files"])
    calls = ExchangeCalls(board, sight, callers, title, utc_ns)
    routes.post(
        IMPORT_PATH,
        status_code=201,
        response_model=ImportReport,
        responses={200: {"model": ImportReport, "description": "Checked only, or imported before"}, **_REFUSALS},
        openapi_extra=_EXTRA,
        summary="Import a file of results into a race",
        response_description="Imported: every row is stored",
    )(calls.take)
    routes.get(
        "/api/v1/races/{race_id}/export",
        responses={200: {"content": _KINDS}, 401: _REFUSALS[401], 404: _REFUSALS[404], 422: _REFUSALS[422]},
        response_class=Response,
        summary="A race's standing, or its window, as a file",
        response_description="The file, of one moment",
    )(calls.export)
    routes.get(
        "/api/v1/calendar",
        responses={200: {"content": {MEDIA_TYPES["ics"]: {}}}, 401: _REFUSALS[401]},
        response_class=Response,
        summary="The windows of all public races, as a calendar",
        response_description="An iCalendar file",
    )(calls.calendar)
    return routes


class ExchangeCalls:
    """The handlers, over one board."""

    def __init__(
        self,
        board: LeaderboardService,
        sight: RaceSight,
        callers: CallerIdentification,
        title: str,
        utc_ns: Callable[[], int],
    ) -> None:
        self._board, self._sight, self._callers, self._title, self._utc_ns = board, sight, callers, title, utc_ns
        self._one_at_a_time = asyncio.Lock()

    async def take(
        self,
        request: Request,
        race: Annotated[str, Query(description="the id of the race")],
        format: Annotated[str, Query(description="league, drem or metrics")],  # noqa: A002  the word in the address
        file: Annotated[str, Query(description="what the file is called", max_length=1000)] = "upload",
    ) -> Response:
        """Every row is stored, or none; the same file goes into a race once."""
        caller = self._callers.caller(request)
        if format not in get_args(ImportFormat):
            check(caller, "results.import")
            raise BadInput(f"`format` is {format[:20]!r}; allowed are {', '.join(get_args(ImportFormat))}.")
        values = {name: value for name, value in request.query_params.items() if name not in ("race", "format", "file")}
        await run_in_threadpool(self._check_may, caller, race, values.get("season", ""))
        wanted = request_of(race, cast(ImportFormat, format), values)
        if self._one_at_a_time.locked():
            raise RetryLater("The leaderboard is importing another file.", after_s=5.0)
        async with self._one_at_a_time:
            with tempfile.SpooledTemporaryFile(_IN_MEMORY) as body:
                await _received(request, body)
                report = await run_in_threadpool(self._imported, wanted, _file_name(file), body, caller)
        if report.outcome == "imported":
            self._board.changed(report.race_id)
        return _answer(report)

    def _check_may(self, caller: Caller, race_id: str, season_id: str) -> None:
        """Organisers import into their races; into one that is not there yet, those of its season."""
        try:
            race = self._sight.race(caller, race_id)
        except UnknownRace:
            check(caller, "results.import", None, season_id)
        else:
            check(caller, "results.import", race)

    def _imported(self, wanted: ImportRequest, name: str, body: IO[bytes], caller: Caller) -> ImportReport:
        file = examined(name, cast(BinaryIO, body))
        return import_file(self._board.store, wanted, file, caller, self._utc_ns())

    def export(
        self,
        request: Request,
        race_id: str,
        format: Annotated[ExportFormat, Query(description="league, csv, json or ics")] = "csv",  # noqa: A002
        table: Annotated[Venue | None, Query(description="of a race with two tables: which")] = None,
    ) -> Response:
        """The file may be large: it is written to a temporary file first, so that no slow reader holds the store."""
        self._sight.race(self._callers.caller(request), race_id)
        return self._sent(
            lambda out: write_race(self._board.store, race_id, format, out, self._utc_ns(), table), race_id, format
        )

    def calendar(self, request: Request) -> Response:
        caller = self._callers.caller(request)

        def shown(race: RaceRecord) -> bool:
            return race.visibility == "public" and access.sees(caller, race, None)

        return self._sent(
            lambda out: write_races(self._board.store, self._title, shown, out, self._utc_ns()), "races", "ics"
        )

    def _sent(self, write: Callable[[TextIO], None], name: str, form: ExportFormat) -> Response:
        file = tempfile.TemporaryFile("w+b")  # noqa: SIM115  closed once it is sent
        try:
            text = io.TextIOWrapper(file, encoding="utf-8", newline="")
            write(text)
            text.flush()
            text.detach()
        except BaseException:
            file.close()
            raise
        headers = {
            "content-disposition": f'attachment; filename="{name}.{FILE_NAMES[form]}"',
            "content-length": str(os.fstat(file.fileno()).st_size),
        }
        return StreamingResponse(_parts(file), media_type=MEDIA_TYPES[form], headers=headers)


def _parts(file: IO[bytes]) -> Iterator[bytes]:
    with file:
        file.seek(0)
        while part := file.read(_CHUNK):
            yield part


async def _received(request: Request, body: IO[bytes]) -> None:
    """Write the body to `body` as it arrives. Raises BodyTooLarge, BodyTooSlow."""
    declared = request.headers.get("content-length", "0")
    size = int(declared) if declared.isdecimal() and len(declared) < 15 else 0
    parts = request.stream()
    if size > MAX_BYTES:
        raise BodyTooLarge(f"The file is larger than {MAX_BYTES} bytes.")
    size = 0
    try:
        while True:
            async with asyncio.timeout(_PART_WITHIN_S):
                part = await anext(parts, None)
            if part is None:
                return
            size += len(part)
            if size > MAX_BYTES:
                raise BodyTooLarge(f"The file is larger than {MAX_BYTES} bytes.")
            await run_in_threadpool(body.write, part) if size > _IN_MEMORY else body.write(part)
    except ClientDisconnect:
        raise BodyTooSlow("The connection was closed in the middle of the file.") from None
    except TimeoutError:
        raise BodyTooSlow(f"Nothing of the file arrived for {_PART_WITHIN_S:.0f} s.") from None


def _file_name(given: str) -> str:
    """What the report and the evidence call the file: its name without folders and signs that nobody sees."""
    name = given.replace("\\", "/").rpartition("/")[2]
    return "".join(sign for sign in name if sign.isprintable()).strip()[:100] or "upload"


def _answer(report: ImportReport) -> Response:
    if report.outcome != "refused":
        return json_response(_REPORT.dump_json(report), 201 if report.outcome == "imported" else 200)
    problem = json.loads(error_body(Refused(refusal_sentence(report)), 422))
    return json_response(json.dumps(problem | {"report": dataclasses.asdict(report)}).encode(), 422)
