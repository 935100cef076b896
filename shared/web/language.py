"""The reader's language in a web app: the middleware that chooses it, answers in it, templates and scripts that use it.

Each machine's app adds `LanguageChoice`, gives its Jinja environment to `translating`, and answers with `JSONAnswer`.
"""

import functools
import hashlib
import http.cookies
import json
import pathlib
import re
import threading
import urllib.parse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.text.catalogue import ENGLISH, catalogue, language_name, languages
from shared.text.reader import chosen, language, reading, shown
from shared.text.sentence import Sentence, ntext, recorded, text

if TYPE_CHECKING:
    from jinja2 import Environment

COOKIE = "lang"
YEAR_S = 365 * 24 * 3600
_SCRIPT = re.compile(r"text-(?P<language>[a-zA-Z_]{2,12})\.js", re.ASCII)
_FUNCTIONS = pathlib.Path(__file__).parent / "look" / "text.js"
# Names in our answers whose text is a sentence for a person.
SENTENCES = frozenset({"error", "sentence", "summary", "note"})


class LanguageChoice:
    """ASGI middleware: the language of each request, from `?lang=`, the cookie, the browser's wish, or `default`.

    What the address of a page asks for is remembered in the cookie. `default` is called for each request: officials may
    change it.
    """

    def __init__(self, app: ASGIApp, default: Callable[[], str] = lambda: ENGLISH) -> None:
        self._app, self._default = app, default

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            threading.Thread(target=_load_catalogues, name="texts", daemon=True).start()
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        asked = urllib.parse.parse_qs(scope["query_string"][:2000].decode("latin-1")).get("lang", [""])[0]
        headers = Headers(scope=scope)
        remembered = _cookie(headers.get("cookie", ""))
        page = "text/html" in headers.get("accept", "")
        reader = chosen(asked, remembered, headers.get("accept-language", ""), self._default())

        async def send_in_language(message: Message) -> None:
            if message["type"] == "http.response.start":
                answer = MutableHeaders(scope=message)
                answer.setdefault("content-language", reader)
                if asked and page and chosen(asked, "", "", "") == reader != remembered:
                    answer.append("set-cookie", f"{COOKIE}={reader}; Path=/; Max-Age={YEAR_S}; SameSite=Lax")
            await send(message)

        with reading(reader):
            await self._app(scope, receive, send_in_language)


def _load_catalogues() -> None:
    """Reads every language when the server starts, so that nobody's first page waits for it."""
    for reader in languages():
        if reader != ENGLISH:
            catalogue(reader)


def _cookie(header: str) -> str:
    try:
        cookie = http.cookies.SimpleCookie(header[:4000]).get(COOKIE)
    except http.cookies.CookieError:
        return ""  # somebody else's cookie, which the standard does not allow
    return cookie.value if cookie is not None else ""


class JSONAnswer(JSONResponse):
    """JSON in the reader's language: every `Sentence` in it, and text under `error`, `sentence` and `note`."""

    sentences: ClassVar[frozenset[str]] = SENTENCES  # names whose text is a sentence

    def render(self, content: Any) -> bytes:
        return super().render(in_reader_language(content, self.sentences))


def in_reader_language(content: Any, sentences: frozenset[str] = SENTENCES, name: str = "") -> Any:
    """The document with its sentences in the reader's language. `sentences`: the names whose text is one."""
    match content:
        case Sentence():
            return shown(content)
        case str() if name in sentences:
            return shown(recorded(content))
        case dict():
            return {key: in_reader_language(value, sentences, str(key)) for key, value in content.items()}
        case list() | tuple():
            return [in_reader_language(value, sentences, name) for value in content]
        case _:
            return content


def translating(env: "Environment") -> None:
    """Gives the templates `t` and `nt` for their own sentences, and shows every sentence in the reader's language.

    The filter `recorded` marks text that came from a machine or the journal (`{{ view.sentence|recorded }}`).
    """
    env.finalize = shown
    env.filters["recorded"] = recorded
    env.globals.update(t=text, nt=ntext, language=language, other_languages=other_languages, text_script=text_script)


def other_languages() -> dict[str, str]:
    """The languages that the reader could choose instead, by their names in themselves: {"de": "Deutsch"}."""
    return {tag: language_name(tag) for tag in languages() if tag != language()}


def text_script() -> str:
    """The address of the script with `t` and `nt` and the messages of all scripts, in the reader's language."""
    reader = language()
    return f"/static/text-{reader}.js?v={hashlib.sha256(script_of(reader)).hexdigest()[:12]}"


@functools.cache
def script_of(reader: str) -> bytes:
    """That script in one language: the messages of the catalogue that stand in scripts, then the functions."""
    messages: Mapping[str, list[str]] = {}
    if reader != ENGLISH:
        messages = {
            key: list(message.forms)
            for key, message in catalogue(reader).messages.items()
            if any(file.endswith(".js") for file in message.files) and all(message.forms)
        }
    table = json.dumps(messages, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return f"const TEXTS = {table};\n".encode() + _FUNCTIONS.read_bytes()


def script_answer(path: str) -> Response | None:
    """The answer to a request for such a script; None for another file."""
    match = _SCRIPT.fullmatch(path)
    if match is None or match["language"] not in languages():
        return None
    return Response(script_of(match["language"]), media_type="text/javascript")
