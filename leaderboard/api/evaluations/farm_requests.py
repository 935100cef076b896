"""The one way in for what farms send: who calls is asked before the body is read, and the store in a thread."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fastapi import Request, Response
from starlette.concurrency import run_in_threadpool

from leaderboard.api.http import json_response, read_body
from leaderboard.api.identity import CallerIdentification
from leaderboard.core.access import Caller
from leaderboard.evaluations.claims import check_farm
from shared.protocol.farm import MAX_FARM_BYTES, T, decode


@dataclass(frozen=True, slots=True)
class FarmRequests:
    """What the handlers of a farm's calls read their requests with. All raise Unauthorized and NotAllowed first."""

    callers: CallerIdentification
    utc_ns: Callable[[], int]

    def caller(self, request: Request) -> Caller:
        caller = self.callers.caller(request)
        check_farm(caller)
        return caller

    async def file(self, request: Request, max_bytes: int) -> tuple[Caller, bytes]:
        caller = self.caller(request)
        return caller, await read_body(request, max_bytes)

    async def message(self, request: Request, kind: type[T], if_empty: bytes = b"") -> tuple[Caller, bytes, T]:
        """Who sent it, its bytes, and what they say. Raises BadInput when that is no message of this kind."""
        caller, body = await self.file(request, MAX_FARM_BYTES)
        return caller, body, decode(body or if_empty, kind)

    async def answer(self, request: Request, kind: type[Any], take: Callable[..., bytes], *of: object) -> Response:
        """What `take(caller, *of, message, now)` says to a message of this kind; `of`: what the path names."""
        caller, _body, message = await self.message(request, kind)
        return json_response(await run_in_threadpool(take, caller, *of, message, self.utc_ns()))
