"""What the console takes of the bodies of requests, and from whom; used by its app and its server."""

from collections.abc import Awaitable, Callable

import anyio.to_thread
from starlette.responses import Response
from starlette.types import Scope

from shared.errors import OperatorError
from shared.web.bodies.bounds import BodyBound, BodyBounds
from shared.web.bodies.guard import BodyRefusal
from shared.web.language import JSONAnswer
from vehicle.web.session_auth import SessionAuth
from vehicle.web.upload import MAX_BYTES

MODEL_WITHIN_S = 300.0  # by a slow wireless network
CONSOLE_BODIES = BodyBounds(
    (
        BodyBound("PUT", "/api/models", MAX_BYTES, within_s=MODEL_WITHIN_S, silence_s=30.0, at_once=1),
        BodyBound("POST", "/api/claim", sender="anybody"),
        BodyBound("POST", "/api/stop", sender="nobody"),
    )
)


def body_refusal(auth: SessionAuth) -> Callable[[Scope, BodyBound], Awaitable[BodyRefusal | None]]:
    """Why a body is not taken: it is not from the console's own page, or not from a phone that has claimed the car."""

    async def refusal(scope: Scope, bound: BodyBound) -> BodyRefusal | None:
        found = auth.page_refusal(scope)
        if found is None and bound.sender != "anybody":
            try:
                found = await anyio.to_thread.run_sync(auth.session_refusal, scope)
            except OperatorError as error:
                found = 422, str(error)
        return None if found is None else BodyRefusal(*found)

    return refusal


async def body_answer(_scope: Scope, refused: BodyRefusal) -> Response:
    """The refusal in the form of the console's other answers."""
    return JSONAnswer({"error": refused.sentence}, refused.status, {"cache-control": "no-store"})
