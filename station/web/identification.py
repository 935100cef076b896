"""The middleware that says who sent each request: `request.state.identity`, from its cookies or its bearer token.

It asks memory only, so that the stop of all cars waits for no disk. Added by app.py, below the guard of hosts.
"""

import time

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.web.refused_requests import name_refusal
from station.access.identity import VISITOR
from station.access.station_access import StationAccess
from station.access.tokens import shown_tokens
from station.web.official_addresses import OfficialAddresses


class Identification:
    """ASGI middleware; also sets `request.state.shown`, the tokens themselves, for signing in and out."""

    def __init__(self, app: ASGIApp, access: StationAccess, addresses: OfficialAddresses) -> None:
        self._app, self._access, self._addresses = app, access, addresses

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            headers = Headers(scope=scope)
            cookie, authorization = "; ".join(headers.getlist("cookie")), headers.get("authorization", "")
            shown = shown_tokens(cookie, authorization, scope["scheme"])
            identity = self._access.identify(shown)
            scope.setdefault("state", {}).update(identity=identity, shown=shown)
            if identity == VISITOR and headers.get("authorization"):
                name_refusal(scope, "key")
            if identity.may_stop and scope.get("client"):
                self._addresses.note(scope["client"][0], time.monotonic())
        await self._app(scope, receive, send)
