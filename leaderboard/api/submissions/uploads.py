"""/api/v1/models and /api/v1/uploads: models of an account, uploaded in chunks after the manner of tus 1.0.

POST  models {sha256, size_bytes, name}     201 with Location and Upload-Offset, or 200: it is there already
PATCH uploads/{id}, Upload-Offset: 0, bytes 200 with the new Upload-Offset; with the last byte the model
HEAD  uploads/{id}                          Upload-Offset, Upload-Length: where to go on after a break
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from leaderboard.api import schemas
from leaderboard.api.bodies import BY_EITHER, json_extra, shaped
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.http import json_response, read_body
from leaderboard.api.identity import CallerIdentification
from leaderboard.api.submissions.shapes import (
    NewModel,
    OwnModelsShape,
    UploadShape,
    own_models_shape,
    progress_shape,
    there_shape,
    upload_shape,
)
from leaderboard.stations.posting import error_body
from leaderboard.store.submissions.model_rows import UploadRecord
from leaderboard.submissions.eligibility import submitter_of
from leaderboard.submissions.services import SubmissionServices
from leaderboard.submissions.uploads import NewUpload, UploadConflict
from leaderboard.web.bodies import BodyTooLarge
from shared.errors import BadInput
from shared.text import text

Answers = dict[int | str, dict[str, Any]]

MAX_CHUNK_BYTES = 16 * 1024 * 1024
OFFSET, LENGTH = "upload-offset", "upload-length"
_MAX_JSON = 4096
_PIECE_BYTES = 512 * 1024
_NOTHING_FOR_S = 20.0
_WORDS = {
    401: "Nobody is signed in, or the key is wrong",
    403: "Only an account has models, or a key of its own that submits them",
    404: "You have no such model or upload",
    409: "Another size or hash than announced, or not the next byte: `offset` and Upload-Offset say where it goes on",
    413: f"A chunk has more than {MAX_CHUNK_BYTES} bytes",
    422: "Not acceptable: too large, too many, or no archive",
    503: "The disk has no room, or another chunk of the upload is just arriving",
}
_CHUNK = {"required": True, "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}
_AT = {
    "name": "Upload-Offset",
    "in": "header",
    "required": True,
    "description": "at which byte of the archive the chunk begins",
    "schema": {"type": "integer"},
}


def router(services: SubmissionServices, callers: CallerIdentification, utc_ns: Callable[[], int]) -> APIRouter:
    """The routes, over the models of one store."""
    routes, calls = DescribedRouter(prefix="/api/v1", tags=["models"]), UploadCalls(services, callers, utc_ns)
    answers = refusals(401, 403, 404, 409, 413, 422, 503, words=_WORDS)
    _add_models(routes, calls, answers)
    _add_uploads(routes, calls, answers)
    return routes


def _add_models(routes: DescribedRouter, calls: "UploadCalls", answers: Answers) -> None:
    routes.get(
        "/models",
        response_model=OwnModelsShape,
        responses={401: answers[401], 403: answers[403]},
        openapi_extra=json_extra(security=BY_EITHER),
        summary="One's own models and unfinished uploads, and how much room they take",
        response_description="The models, the newest first",
    )(calls.listed)
    routes.post(
        "/models",
        status_code=201,
        response_model=UploadShape,
        responses={
            200: {"model": UploadShape, "description": "The model is there already, or its upload goes on"},
            **{status: answers[status] for status in (401, 403, 409, 422, 503)},
        },
        openapi_extra=json_extra(NewModel, BY_EITHER),
        summary="Begin the upload of a model's archive, or go on with it; the same bytes are never sent twice",
        response_description="Begun: send the bytes to Location",
    )(calls.begin)
    routes.delete(
        "/models/{sha256}",
        status_code=204,
        responses={status: answers[status] for status in (401, 403, 404, 422)},
        openapi_extra=json_extra(security=BY_EITHER),
        response_class=Response,
        summary="Delete a model, unless a race may still drive it",
        response_description="It is gone",
    )(calls.delete)


def _add_uploads(routes: DescribedRouter, calls: "UploadCalls", answers: Answers) -> None:
    one = "/uploads/{upload_id}"
    routes.api_route(
        one,
        methods=["HEAD"],
        responses={status: answers[status] for status in (401, 403, 404)},
        openapi_extra=json_extra(security=BY_EITHER),
        summary="At which byte an upload goes on (the header Upload-Offset)",
        operation_id="head_upload",
    )(calls.offset)
    routes.get(
        one,
        response_model=UploadShape,
        responses={status: answers[status] for status in (401, 403, 404)},
        openapi_extra=json_extra(security=BY_EITHER),
        summary="How far an upload is",
    )(calls.offset)
    routes.patch(
        one,
        response_model=UploadShape,
        responses={status: answers[status] for status in (401, 403, 404, 409, 413, 422, 503)},
        openapi_extra=json_extra(security=BY_EITHER) | {"requestBody": _CHUNK, "parameters": [_AT]},
        summary="Send a chunk; what arrived of it is kept, even if the connection breaks",
        response_description="It is on the disk up to Upload-Offset; with the last byte the model is there",
    )(calls.chunk)
    routes.delete(
        one,
        status_code=204,
        responses={status: answers[status] for status in (401, 403, 404, 409)},
        openapi_extra=json_extra(security=BY_EITHER),
        response_class=Response,
        summary="Cancel an upload, and the submissions that wait for it",
        response_description="It is gone",
    )(calls.cancel)


class UploadCalls:
    """The handlers."""

    def __init__(self, services: SubmissionServices, callers: CallerIdentification, utc_ns: Callable[[], int]) -> None:
        self._services, self._callers, self._utc_ns = services, callers, utc_ns

    def listed(self, request: Request) -> Response:
        caller = self._callers.caller(request)
        return shaped(own_models_shape(self._services.models.own(caller), self._services.uploads.uploads(caller)))

    async def begin(self, request: Request) -> Response:
        caller = self._callers.caller(request)
        submitter_of(caller)
        wanted: NewModel = schemas.parse(await read_body(request, _MAX_JSON), NewModel)
        new = NewUpload(wanted.sha256, wanted.size_bytes, wanted.name)
        now_utc_ns = self._utc_ns()
        try:
            found = await run_in_threadpool(self._services.uploads.begin, caller, new, now_utc_ns)
        except UploadConflict as conflict:
            return _conflict(conflict)
        if not isinstance(found, UploadRecord):
            return shaped(there_shape(found))
        begun = found.created_utc_ns == now_utc_ns and not found.offset_bytes
        response = shaped(upload_shape(found), 201 if begun else 200)
        response.headers["location"] = f"/api/v1/uploads/{found.upload_id}"
        return _measured(response, found.offset_bytes, found.size_bytes)

    def delete(self, request: Request, sha256: str) -> Response:
        self._services.models.delete(self._callers.caller(request), sha256, self._utc_ns())
        return Response(status_code=204)

    def offset(self, request: Request, upload_id: str) -> Response:
        upload = self._services.uploads.upload(self._callers.caller(request), upload_id)
        return _measured(shaped(upload_shape(upload)), upload.offset_bytes, upload.size_bytes)

    def cancel(self, request: Request, upload_id: str) -> Response:
        self._services.uploads.cancel(self._callers.caller(request), upload_id, self._utc_ns())
        return Response(status_code=204)

    async def chunk(self, request: Request, upload_id: str) -> Response:
        caller = self._callers.caller(request)
        await run_in_threadpool(self._services.uploads.upload, caller, upload_id)  # refused before a byte is read
        offset_bytes = _offset_of(request)
        declared = request.headers.get("content-length", "0")
        if declared.isdecimal() and int(declared[:20]) > MAX_CHUNK_BYTES:
            raise _too_large()
        receiving = self._services.uploads.receive(caller, upload_id, offset_bytes)
        try:
            chunk = await run_in_threadpool(receiving.__enter__)
            try:
                async for piece in _pieces(request):
                    await run_in_threadpool(chunk.write, piece)
                progress = await run_in_threadpool(chunk.finish, self._utc_ns())
            finally:
                receiving.__exit__(None, None, None)
        except UploadConflict as conflict:
            return _conflict(conflict)
        return _measured(shaped(progress_shape(upload_id, progress)), progress.offset_bytes, progress.size_bytes)


def _offset_of(request: Request) -> int:
    shown = request.headers.get(OFFSET, "")
    if not (shown.isascii() and shown.isdecimal() and len(shown) < 16):
        raise BadInput(text("The header Upload-Offset says at which byte of the archive the chunk begins."))
    return int(shown)


def _too_large() -> BodyTooLarge:
    return BodyTooLarge(text("A chunk has at most {max} bytes.", max=MAX_CHUNK_BYTES))


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The body in pieces as it arrives. It ends where the connection does: what has arrived until then is kept."""
    waiting, size, parts = bytearray(), 0, request.stream()
    with contextlib.suppress(ClientDisconnect, TimeoutError):
        while True:
            async with asyncio.timeout(_NOTHING_FOR_S):
                part = await anext(parts, None)
            if part is None:
                break
            size += len(part)
            if size > MAX_CHUNK_BYTES:
                raise _too_large()
            waiting += part
            if len(waiting) >= _PIECE_BYTES:
                yield bytes(waiting)
                waiting.clear()
    if waiting:
        yield bytes(waiting)


def _conflict(conflict: UploadConflict) -> Response:
    problem = json.loads(error_body(conflict, 409)) | {"offset": conflict.offset_bytes}
    return json_response(json.dumps(problem).encode(), 409, {OFFSET: str(conflict.offset_bytes)})


def _measured(response: Response, offset_bytes: int, size_bytes: int) -> Response:
    response.headers[OFFSET], response.headers[LENGTH] = str(offset_bytes), str(size_bytes)
    return response
