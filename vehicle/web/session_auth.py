"""Who asks the console: the phone of a session, from the console's own page. Used by its routes and its body guard."""

from collections.abc import Callable

from fastapi import HTTPException, Request
from starlette.datastructures import Headers
from starlette.requests import HTTPConnection
from starlette.types import Scope

from shared.text import text
from shared.web.cookies import cookie_name
from vehicle.web.access import command_refusal
from vehicle.web.claim_codes import ClaimCodes

COOKIE = "raceday_console"
_SAFE = ("GET", "HEAD")


def session_token(request: HTTPConnection) -> str:
    """The token that the request shows, "" without one."""
    return request.cookies.get(cookie_name(COOKIE, request.url.scheme), "")


class SessionAuth:
    """Finds the session of a request, and refuses requests without one or from another site."""

    def __init__(self, claims: ClaimCodes, now_s: Callable[[], float]) -> None:
        self.claims, self.now_s = claims, now_s

    def page_refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and sentence unless the request comes from the console's own page."""
        sentence = command_refusal(Headers(scope=scope), scope["scheme"])
        return (403, sentence) if sentence else None

    def session_refusal(self, scope: Scope) -> tuple[int, str] | None:
        """Status and sentence unless the request shows an open session. Raises ConfigError if they cannot be read."""
        if self.name(HTTPConnection(scope)) is None:
            return 401, text("The session has ended: enter the car's claim code.")
        return None

    def name(self, request: HTTPConnection) -> str | None:
        """The name of the open session of this request, None without one."""
        return self.claims.session(session_token(request), self.now_s())

    def require_own_page(self, request: Request) -> None:
        """Raises HTTPException 403 unless the request comes from the console's own page."""
        if refused := self.page_refusal(request.scope):
            raise HTTPException(*refused)

    def session(self, request: Request) -> str:
        """The session's name. Raises HTTPException 401 without one, and 403 for a command of another page."""
        if request.method not in _SAFE:
            self.require_own_page(request)
        name = self.name(request)
        if name is None:
            refused = self.session_refusal(request.scope)
            assert refused is not None
            raise HTTPException(*refused)
        return name
