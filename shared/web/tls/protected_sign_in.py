"""Keeps codes and passphrases off plain http where a machine has a certificate; ASGI middleware.

Only signing in is refused there. Whatever is public, and above all the stop, goes on over http: the stop of an official
must not hang on what a browser says of a certificate that it does not know.
"""

from collections.abc import Collection
from urllib.parse import quote

from starlette.datastructures import Headers
from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from shared.addresses import is_loopback
from shared.text import text
from shared.web.language import JSONAnswer
from shared.web.tls.trust_page import PATH

_READ = ("GET", "HEAD")


class ProtectedSignIn:
    """Over http a page of `paths` leads to /trust, and what is sent to one is refused; not from this machine itself."""

    def __init__(self, app: ASGIApp, paths: Collection[str]) -> None:
        self._app, self._paths = app, frozenset(paths)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] not in self._paths or not _is_open_to_listeners(scope):
            await self._app(scope, receive, send)
        elif scope["method"] in _READ:
            there = f"{PATH}?next={quote(scope['path'], safe='/')}"
            await RedirectResponse(there, 303, {"cache-control": "no-store"})(scope, receive, send)
        else:
            sentence = text(
                "Here nobody signs in without protection: open https://{host}/ instead; /trust says how.",
                host=Headers(scope=scope).get("host", "")[:80],
            )
            await JSONAnswer({"error": sentence}, 403)(scope, receive, send)


def _is_open_to_listeners(scope: Scope) -> bool:
    """Does the request come over a network, in the clear?"""
    client = scope.get("client")
    return scope["scheme"] == "http" and not (client and is_loopback(client[0]))
