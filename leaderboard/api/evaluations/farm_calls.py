"""/api/v1/farm: claims of runs, what is said of them, models to drive, and nodes. With a key of the scope `farm`."""

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import TypeAdapter
from starlette.concurrency import run_in_threadpool
from starlette.responses import FileResponse

from leaderboard.api.bodies import BY_EITHER, BY_KEY, json_extra
from leaderboard.api.described import DescribedRouter, refusals
from leaderboard.api.evaluations.farm_requests import FarmRequests
from leaderboard.api.evaluations.shapes import FarmShape, RestoredNodes, farm_shape
from leaderboard.api.http import json_response
from leaderboard.api.identity import CallerIdentification
from leaderboard.evaluations.arrivals import WorkArrivals
from leaderboard.evaluations.service import Evaluations
from leaderboard.web.bodies import body_pieces
from shared.protocol.farm import (
    FARM_PATH,
    ClaimAnswer,
    ClaimExtension,
    ClaimReply,
    ClaimRequest,
    PreparationReport,
    RunFailure,
    RunReport,
    encode,
)

_NOTHING_FOR_S = 20.0
_WORDS = {
    401: "No key, or one that is not valid (any more)",
    403: "The key has not the scope `farm`",
    404: "No run was claimed by this farm under this id, or it drives no such model now",
    409: "The node is set aside, its engine is another, or something else was said of this run before",
    503: "Busy or without its disk: the same again after Retry-After seconds",
    410: "The claim is over: nothing changes by it",
}
_FARM, _RESTORED = TypeAdapter(FarmShape), TypeAdapter(RestoredNodes)


def router(
    evaluations: Evaluations, arrivals: WorkArrivals, callers: CallerIdentification, utc_ns: Callable[[], int]
) -> APIRouter:
    """The routes, over the evaluations of one store."""
    routes = DescribedRouter(prefix=FARM_PATH, tags=["farm"])
    calls = FarmCalls(evaluations, arrivals, callers, utc_ns)
    _add_claims(routes, calls)
    _add_archives(routes, calls)
    _add_nodes(routes, calls)
    return routes


def _add_claims(routes: DescribedRouter, calls: "FarmCalls") -> None:
    routes.post(
        "/claims",
        response_model=ClaimAnswer,
        responses=refusals(401, 403, 408, 409, 413, 422, 503, words=_WORDS),
        openapi_extra=json_extra(ClaimRequest, BY_KEY),
        summary="Claim runs for a node: what it is to drive next, each until its deadline",
        response_description="The runs, or that the node drives its canary first",
    )(calls.claim)
    messages: tuple[tuple[str, type[Any], str, Callable[..., Any]], ...] = (
        ("extend", ClaimExtension, "Keep a run that is still being driven", calls.extend),
        ("result", RunReport, "Report a run that was driven; the same again has the same answer", calls.report),
        ("prepared", PreparationReport, "Report an archive that was read, with its checkpoints", calls.prepared),
        ("fail", RunFailure, "Report a run that came to nothing, by the model's fault or the farm's", calls.fail),
    )
    for path, kind, summary, handler in messages:
        routes.post(
            f"/claims/{{claim_id}}/{path}",
            response_model=ClaimReply,
            responses=refusals(401, 403, 404, 408, 409, 410, 413, 422, 503, words=_WORDS),
            openapi_extra=json_extra(kind, BY_KEY),
            summary=summary,
            response_description="How the submission stands now",
            operation_id=f"{path}_run",
        )(handler)


def _add_archives(routes: DescribedRouter, calls: "FarmCalls") -> None:
    routes.get(
        "/blobs/{archive_sha256}",
        responses={
            200: {"content": {"application/octet-stream": {}}, "description": "The archive, or what is kept of it"},
            **refusals(401, 403, 404, 422, 503, words=_WORDS),
        },
        openapi_extra=json_extra(security=BY_KEY),
        summary="The archive of a model that this farm is to drive now",
    )(calls.archive)
    routes.put(
        "/blobs/{archive_sha256}/kept/{kept_sha256}",
        status_code=204,
        responses=refusals(401, 403, 404, 408, 409, 422, 503, words=_WORDS),
        openapi_extra={
            **json_extra(security=BY_KEY),
            "requestBody": {"required": True, "content": {"application/octet-stream": {}}},
        },
        summary="Keep only this part of an archive that this farm is to drive now: its models and their metadata",
    )(calls.keep)


def _add_nodes(routes: DescribedRouter, calls: "FarmCalls") -> None:
    routes.get(
        "/nodes",
        response_model=FarmShape,
        responses=refusals(401, 403, words=_WORDS),
        openapi_extra=json_extra(security=BY_EITHER),
        summary="The nodes of farms, and how the queue stands; to a farm's key its own nodes",
        response_description="As it stands now",
    )(calls.nodes)
    routes.post(
        "/nodes/{node}/restore",
        response_model=RestoredNodes,
        responses=refusals(401, 403, 404, 503, words=_WORDS | {404: "No node of this name is set aside"}),
        openapi_extra=json_extra(security=BY_EITHER),
        summary="Let a node drive again that was set aside, once it has driven its canary anew; for organisers",
        response_description="How many nodes of this name were set aside and are not any more",
        operation_id="restore_node",
    )(calls.restore)


class FarmCalls:
    """The handlers. Each asks who calls before it reads the body."""

    def __init__(
        self,
        evaluations: Evaluations,
        arrivals: WorkArrivals,
        callers: CallerIdentification,
        utc_ns: Callable[[], int],
    ) -> None:
        self._evaluations, self._arrivals, self._callers, self._utc_ns = evaluations, arrivals, callers, utc_ns
        self._farms = FarmRequests(callers, utc_ns)

    async def claim(self, request: Request) -> Response:
        caller, _body, asked = await self._farms.message(request, ClaimRequest)
        loop = asyncio.get_running_loop()
        until_s = loop.time() + asked.wait_s
        with self._arrivals.listening() as arrived:
            while True:
                arrived.clear()
                answer = await run_in_threadpool(self._evaluations.claim, caller, asked, self._utc_ns())
                left_s = until_s - loop.time()
                if answer.work or answer.preparations or answer.canary or left_s <= 0.0 or self._arrivals.closed:
                    return json_response(encode(answer))
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(arrived.wait(), left_s)
                if await request.is_disconnected():  # what it would be given nobody would drive
                    return json_response(encode(ClaimAnswer()))

    async def extend(self, request: Request, claim_id: str) -> Response:
        caller, _body, extension = await self._farms.message(request, ClaimExtension, if_empty=b"{}")
        return json_response(
            await run_in_threadpool(self._evaluations.extend, caller, claim_id, extension, self._utc_ns())
        )

    async def report(self, request: Request, claim_id: str) -> Response:
        return await self._reported(request, claim_id, RunReport, self._evaluations.report)

    async def prepared(self, request: Request, claim_id: str) -> Response:
        return await self._reported(request, claim_id, PreparationReport, self._evaluations.prepared)

    async def fail(self, request: Request, claim_id: str) -> Response:
        return await self._reported(request, claim_id, RunFailure, self._evaluations.fail)

    async def _reported(self, request: Request, claim_id: str, kind: type[Any], take: Callable[..., bytes]) -> Response:
        caller, body, message = await self._farms.message(request, kind)
        return json_response(await run_in_threadpool(take, caller, claim_id, body, message, self._utc_ns()))

    def archive(self, request: Request, archive_sha256: str) -> Response:
        path = self._evaluations.archive(self._callers.caller(request), archive_sha256)
        # The file's own hash: it is another than the archive's once only a part of it is kept.
        headers = {"cache-control": "no-store", "etag": f'"{path.name}"'}
        return FileResponse(path, media_type="application/octet-stream", headers=headers)

    async def keep(self, request: Request, archive_sha256: str, kept_sha256: str) -> Response:
        caller = self._farms.caller(request)
        kept = await run_in_threadpool(self._evaluations.receive_kept, caller, archive_sha256, kept_sha256)
        part = await run_in_threadpool(kept.__enter__)
        try:
            async for piece in body_pieces(request, _NOTHING_FOR_S):
                await run_in_threadpool(part.write, piece)
            await run_in_threadpool(part.finish)
        finally:
            await run_in_threadpool(kept.__exit__, None, None, None)
        return Response(status_code=204)

    def restore(self, request: Request, node: str) -> Response:
        restored = self._evaluations.restore(self._callers.caller(request), node, self._utc_ns())
        return json_response(_RESTORED.dump_json(RestoredNodes(restored)))

    def nodes(self, request: Request) -> Response:
        state = self._evaluations.state(self._callers.caller(request), self._utc_ns())
        return json_response(_FARM.dump_json(farm_shape(state)))
