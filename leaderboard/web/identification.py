"""The middleware that says who sent each request: `request.state.asking`, from its cookies or its bearer token.

It looks the caller up off the event loop, and only for requests that show something. A browser's request that changes
something must come from a page of ours (Origin), and one to the API must show the token of the session's pages in
`x-csrf-token`; forms carry it as a field (forms.py).
"""

import functools
import re
from collections.abc import Callable
from typing import Protocol

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from leaderboard.core.access import NOBODY, Caller
from leaderboard.core.errors import InvalidKey, NotAllowed
from leaderboard.web.cookies import FORM, SESSION, token_in
from leaderboard.web.identity import Asking
from shared.access.tokens import is_form_token
from shared.errors import RacedayError
from shared.text import text
from shared.web.refused_requests import name_refusal
from shared.web.security import cross_site_reason

CSRF_HEADER = "x-csrf-token"
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_BEARER = re.compile(r"[Bb]earer +(?P<token>[!-~]{16,200}) *")


class Lookup(Protocol):
    """Finds callers in the store; may wait."""

    def by_session(self, token: str, now_utc_ns: int, *, touch: bool = True) -> Caller | None: ...
    def by_bearer(self, token: str, now_utc_ns: int) -> Caller | None: ...


class CallerMiddleware:
    """ASGI middleware; added by app.py, within the error pages."""

    def __init__(self, app: ASGIApp, lookup: Lookup, utc_ns: Callable[[], int]) -> None:
        self._app, self._lookup, self._utc_ns = app, lookup, utc_ns

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not scope["path"].startswith("/static/"):
            scope.setdefault("state", {})["asking"] = await self._asking(scope)
        await self._app(scope, receive, send)

    async def _asking(self, scope: Scope) -> Asking:
        headers, scheme = Headers(scope=scope), scope["scheme"]
        authorization = headers.get("authorization")
        try:
            if authorization is not None:
                token = _shown_token(authorization)
                return Asking(
                    await run_in_threadpool(self._bearer, token), again=functools.partial(self._bearer, token)
                )
            form = token_in(headers, FORM, scheme)
            session = token_in(headers, SESSION, scheme)
            if not session:
                return Asking(form=form)
            caller = await run_in_threadpool(self._lookup.by_session, session, self._utc_ns())
            if caller is None:
                return Asking(form=form)
            again = functools.partial(self._of_session, session)
            return Asking(caller, session, form, _forged(scope, headers, session), again)
        except RacedayError as error:
            name_refusal(scope, error)
            return Asking(refusal=error)

    def _of_session(self, token: str) -> Caller:
        # An open page alone is no use of the session: one that nobody uses ends.
        return self._lookup.by_session(token, self._utc_ns(), touch=False) or NOBODY

    def _bearer(self, token: str) -> Caller:
        caller = self._lookup.by_bearer(token, self._utc_ns()) if token else None
        if caller is None:
            raise InvalidKey(
                text("The header `Authorization: Bearer` holds no key that is valid here: it may have been revoked.")
            )
        return caller


def _shown_token(authorization: str) -> str:
    """The token in the header, "" if it holds none."""
    shown = _BEARER.fullmatch(authorization)
    return "" if shown is None else shown["token"]


def _forged(scope: Scope, headers: Headers, session: str) -> NotAllowed | None:
    """Why a browser's request may be another site's work; None if it is not."""
    if scope["method"] in _SAFE:
        return None
    if why := cross_site_reason(headers, scope["scheme"], text("the leaderboard's")):
        return NotAllowed(why)
    if scope["path"].startswith("/api/") and not is_form_token(headers.get(CSRF_HEADER, ""), session):
        return NotAllowed(
            text("A browser's call needs the header {header} with its session's token.", header=f"`{CSRF_HEADER}`")
        )
    return None
