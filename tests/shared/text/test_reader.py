"""The reader's language: how it is chosen, and how a request is answered in it."""

import asyncio
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from shared.text import text
from shared.text.reader import chosen, language, reading, shown
from shared.web.language import JSONAnswer, LanguageChoice, script_answer

CHOSEN = [
    ("", "", "", "en"),
    ("de", "en", "en", "de"),
    ("", "de", "en", "de"),
    ("", "", "de-AT,de;q=0.9,en;q=0.8", "de"),
    ("", "", "fr, en;q=0.5, de;q=0.7", "de"),
    ("", "", "fr;q=1, de;q=0", "en"),
    ("xx", "yy", "zz", "en"),
    ("DE", "", "", "de"),
    ("../de", "", "", "en"),
]


@pytest.mark.parametrize(("asked", "remembered", "accepted", "reader"), CHOSEN)
def test_the_language_asked_for_comes_first_then_the_cookie_then_the_browser(
    asked: str, remembered: str, accepted: str, reader: str
) -> None:
    assert chosen(asked, remembered, accepted) == reader


def test_the_stations_language_is_the_last_resort() -> None:
    assert chosen("", "", "fr", "de") == "de"
    assert chosen("", "", "fr", "xx") == "en"


@given(st.text(), st.text(), st.text())
def test_no_header_makes_it_fail(asked: str, remembered: str, accepted: str) -> None:
    assert chosen(asked, remembered, accepted) in ("en", "de")


def test_names_are_not_translated_and_sentences_are() -> None:
    with reading("de"):
        assert language() == "de"
        assert shown("Waiting") == "Waiting"
        assert shown(7) == 7
    assert language() == "en"


async def _endpoint(_: Request) -> Response:
    return JSONAnswer({"error": "x", "number": text("{n:g}", n=1.5), "in": [language()]})


def _get(query: str, **headers: str) -> tuple[Any, dict[str, str]]:
    """The answer of a small app to one request: its document and its headers."""
    app = Starlette(routes=[Route("/", _endpoint)])
    app.add_middleware(LanguageChoice)
    raw = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    scope = {"type": "http", "method": "GET", "path": "/", "query_string": query.encode(), "headers": raw}
    sent: list[Any] = []

    async def receive() -> dict[str, str]:
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message)

    asyncio.run(app(scope, receive, send))
    return json.loads(sent[1]["body"]), {name.decode(): value.decode() for name, value in sent[0]["headers"]}


def test_an_answer_is_in_the_language_of_its_request_and_the_address_is_remembered() -> None:
    document, headers = _get("lang=de", accept="text/html")
    assert document == {"error": "x", "number": "1,5", "in": ["de"]}
    assert headers["content-language"] == "de"
    assert headers["set-cookie"].startswith("lang=de; ")
    document, headers = _get("", cookie="other=1; lang=de")
    assert (document["in"], "set-cookie" in headers) == (["de"], False)
    assert "set-cookie" not in _get("lang=de", accept="text/event-stream")[1]
    assert "set-cookie" not in _get("lang=de", accept="text/event-stream")[1]
    assert _get("", accept_language="de")[0]["in"] == ["de"]
    assert _get("lang=%00", cookie="=;;lang")[0]["in"] == ["en"]


def test_the_script_of_a_language_holds_only_the_messages_of_scripts() -> None:
    answer = script_answer("text-de.js")
    assert answer is not None
    table = json.loads(bytes(answer.body).decode().partition(";\n")[0].removeprefix("const TEXTS = "))
    assert all(isinstance(forms, list) for forms in table.values())
    for path in ("text-xx.js", "text-../x.js", "text-de.json", "text.js"):
        assert script_answer(path) is None
