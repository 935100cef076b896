"""Turns a refusal into one sentence: JSON for programs, and a page for people whose browser went there.

Used by station, car and leaderboard: the outermost layer of their web apps.
"""

import html
import json
import logging

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import ClientDisconnect
from starlette.responses import HTMLResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.text import recorded, text
from shared.text.reader import language, shown
from shared.web.language import JSONAnswer
from shared.web.security import HEADERS

_LOG = logging.getLogger(__name__)
_TITLES = {
    401: text("Not signed in"),
    403: text("Not allowed"),
    404: text("Not found"),
    405: text("Not possible here"),
    421: text("Unknown host name"),
    429: text("Too many requests"),
    500: text("Something went wrong"),
    503: text("Not available now"),
}
_PROGRAMS = ("/api/", "/static/")
_FORMS = ("application/x-www-form-urlencoded", "multipart/form-data", "text/plain")
_PAGE = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · Raceday</title>
<link rel="icon" href="/static/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/static/tokens.css">
<link rel="stylesheet" href="/static/plain.css">
</head>
<body>
<main>
<h1>{title}</h1>
<p>{sentence}</p>
<p><a href="/">{home}</a></p>
</main>
</body>
</html>
"""


class ErrorPages:
    """ASGI middleware. `machine`: "This station"; `home`: the name of its page at /."""

    def __init__(self, app: ASGIApp, machine: str, home: str) -> None:
        self._app, self._machine, self._home = app, machine, home

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        response = _Response(send, self._home if wants_page(scope) else None)
        try:
            await self._app(scope, receive, response.send)
        except ClientDisconnect:
            return  # the client closed the connection in the middle of its request
        except Exception:
            if response.begun:
                raise
            _LOG.exception("%s %s failed", scope["method"], scope["path"])
            sentence = text("{machine} could not handle this request; its log says why.", machine=self._machine)
            await JSONAnswer({"error": sentence}, 500, HEADERS)(scope, receive, response.send)


class _Response:
    """Passes a response on as it comes; for a person, a refusal is collected until it is whole, and sent as a page."""

    def __init__(self, send: Send, home: str | None) -> None:
        self._send, self._home = send, home
        self._refusal: Message | None = None
        self._body = b""
        self.begun = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.begun = True
            if self._home is not None and message["status"] >= 400 and _is_json(message):
                self._refusal = message
                return
        if self._refusal is None:
            await self._send(message)
            return
        self._body += message.get("body", b"")
        if not message.get("more_body"):
            await self._send_page(self._refusal)

    async def _send_page(self, start: Message) -> None:
        page = plain_page(start["status"], _sentence(self._body), self._home or "")
        headers = MutableHeaders(scope=start)
        for name in ("content-type", "content-length"):
            headers[name] = page.headers[name]
        await self._send(start)
        await self._send({"type": "http.response.body", "body": page.body})


def wants_page(scope: Scope) -> bool:
    """Did a person's browser go to this address, or send a form there (which our scripts never do)?"""
    headers = Headers(scope=scope)
    if "text/html" not in headers.get("accept", ""):
        return False
    if scope["method"] == "POST":
        return headers.get("content-type", "").partition(";")[0].strip().lower() in _FORMS
    return scope["method"] == "GET" and not scope["path"].startswith(_PROGRAMS)


def plain_page(status: int, sentence: str, home: str) -> Response:
    """A refusal as a page; `home` is what the page at / is called."""
    title = shown(_TITLES.get(status, text("Refused")))
    words = html.escape(shown(recorded(sentence)))
    home_words = html.escape(shown(recorded(home)))
    return HTMLResponse(_PAGE.format(language=language(), title=title, sentence=words, home=home_words), status)


def _is_json(start: Message) -> bool:
    return Headers(raw=start["headers"]).get("content-type", "").startswith("application/json")


def _sentence(body: bytes) -> str:
    """The sentence in a refusal of ours (`error`) or of FastAPI (`detail`)."""
    try:
        document = json.loads(body)
    except ValueError:
        return ""
    sentence = document.get("error", document.get("detail", "")) if isinstance(document, dict) else ""
    return sentence if isinstance(sentence, str) else text("The request is not what this page sends.")
