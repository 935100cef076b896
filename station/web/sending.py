"""The API for officials' requests to the sync service: send now what waits, send again what was rejected."""

from collections.abc import Callable
from dataclasses import replace

import anyio.to_thread
from fastapi import APIRouter, Request
from pydantic import TypeAdapter, ValidationError

from shared.errors import BadInput, RacedayError
from shared.text import text
from shared.web.language import JSONAnswer
from station.access.roles import Role
from station.sync.operator.send_requests import SendRequest
from station.web.access import identity_of, request_refusal, role_refusal
from station.web.api import CommandTooLarge, error_answer, read_body

_REQUEST = TypeAdapter(SendRequest)
MAX_TEXT = 200


def sending_routes(send: Callable[[SendRequest], None]) -> APIRouter:
    """The route for these requests. `send` passes one on to the sync service; it may block or raise RacedayError."""
    router = APIRouter(prefix="/api/v1")

    @router.post("/sync")
    async def sync(request: Request) -> JSONAnswer:
        """Asks sync to send now: `{"rejected": true, "webhook_id": "ID.REVISION", "author": "..."}`, all optional.

        `"test": true`: to ask the leaderboard about the races, and to prove this station's secret to it.
        """
        identity = identity_of(request)
        refused = role_refusal(identity, Role.OPERATOR) or request_refusal(request.headers, request.url.scheme)
        if refused:
            return error_answer(*refused)
        try:
            parsed = replace(_request(await read_body(request)), author=identity.author)
            await anyio.to_thread.run_sync(send, parsed)
        except CommandTooLarge as error:
            return error_answer(413, str(error))
        except (BadInput, TimeoutError) as error:
            return error_answer(400, str(error) or text("The command did not arrive in time."))
        except RacedayError as error:
            return error_answer(503, str(error))
        return JSONAnswer({"accepted": True})

    return router


def _request(body: bytes) -> SendRequest:
    try:
        parsed = _REQUEST.validate_json(body, strict=True)
    except ValidationError:
        raise BadInput(
            text('The request must be {"rejected": true or false, "webhook_id": "...", "author": "..."}.')
        ) from None
    if max(len(parsed.webhook_id), len(parsed.author)) > MAX_TEXT:
        raise BadInput(text("`webhook_id` and `author` have at most {max_text} characters each.", max_text=MAX_TEXT))
    return parsed
