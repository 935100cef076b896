"""Headers of the leaderboard's own responses: how long a browser may cache them, and which contract they follow."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.protocol.results import CONTRACT, CONTRACT_HEADER, RACES_PATH, RESULT_PATH

_IMMUTABLE = "public, max-age=31536000, immutable"


class ContractAndCacheHeaders:
    """ASGI middleware; it touches no body, so that streams flow. The security headers: shared/web/security.py."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                # What is at a static address with a hash never changes; everything else is valid only now.
                immutable = scope["path"].startswith("/static/") and scope["query_string"].startswith(b"v=")
                headers.setdefault("cache-control", _IMMUTABLE if immutable else "no-store")
                if scope["path"] == RESULT_PATH or scope["path"].startswith(f"{RACES_PATH}/"):
                    headers.setdefault(CONTRACT_HEADER, CONTRACT)
            await send(message)

        await self._app(scope, receive, send_with_headers if scope["type"] == "http" else send)
