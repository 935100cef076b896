"""A refusal is a sentence: a page for a browser, JSON for a program, on all three machines."""

import asyncio
import json
import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi import FastAPI
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message

from shared.web.error_pages import ErrorPages, plain_page
from station.web.app import create_app as station_app
from tests.station.web.sample_views import FakeStation
from tests.station.web.signed_in import bearer_for, cheap_access
from tests.vehicle.web.test_access import Site


@dataclass
class Answer:
    """The response of an app."""

    status_code: int
    headers: Headers
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode()

    def json(self) -> Any:
        return json.loads(self.content)


class TestClient:
    """Calls an ASGI app directly, without a server."""

    __test__ = False

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    def get(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        return self.request("GET", path, headers)

    def post(self, path: str, headers: dict[str, str] | None = None) -> Answer:
        """Post without a body, as the form of the stop button does."""
        return self.request("POST", path, headers)

    def request(
        self,
        method: str,
        path: str,
        headers: dict[str, str] | None = None,
        client: str = "127.0.0.1",
        content: bytes = b"",
    ) -> Answer:
        path, _, query = path.partition("?")
        sent: list[Message] = []

        async def send(message: Message) -> None:
            sent.append(message)

        bodies = iter([content])

        async def receive() -> Message:
            for body in bodies:
                return {"type": "http.request", "body": body, "more_body": False}
            await asyncio.Event().wait()  # the client stays until it has its answer
            raise AssertionError

        named = {"host": "127.0.0.1", "content-length": str(len(content)), **(headers or {})}
        scope = {
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "root_path": "",
            "client": (client, 1),
            "server": ("127.0.0.1", 80),
            "headers": [(k.encode(), v.encode()) for k, v in named.items()],
        }

        async def run() -> None:
            await self._app(scope, receive, send)

        asyncio.run(run())
        start = next(message for message in sent if message["type"] == "http.response.start")
        body = b"".join(message.get("body", b"") for message in sent if message["type"] == "http.response.body")
        assert int(Headers(raw=start["headers"]).get("content-length", len(body))) == len(body)
        return Answer(start["status"], Headers(raw=start["headers"]), body)


BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
PROGRAM = {"accept": "*/*"}


def app() -> FastAPI:
    made = FastAPI()
    made.add_middleware(ErrorPages, machine="This machine", home="Home & hearth")

    def refuses(status: int) -> Callable[[], Response]:
        return lambda: JSONResponse({"error": f"<b>{status}</b> & more"}, status, {"retry-after": "7"})

    for status in (400, 403, 409, 421, 429, 503):
        made.get(f"/say/{status}")(refuses(status))
        made.get(f"/api/say/{status}")(refuses(status))
        made.post(f"/api/say/{status}")(refuses(status))

    @made.get("/bug")
    def bug() -> None:
        raise RuntimeError("a secret of the inside")

    @made.get("/detail")
    def detail() -> None:
        raise HTTPException(403, "Not for you.")

    @made.get("/fine")
    def fine() -> dict[str, str]:
        return {"error": "none"}

    @made.get("/text")
    def text() -> Response:
        return PlainTextResponse("no", 404)

    @made.get("/stream")
    def stream() -> Response:
        return StreamingResponse(iter([b"a", b"b"]), media_type="text/event-stream")

    return made


@pytest.fixture
def client() -> TestClient:
    return TestClient(app())


@pytest.mark.parametrize("status", [400, 403, 409, 421, 429, 503])
def test_a_refusal_is_a_page_for_people_and_json_for_programs(client: TestClient, status: int) -> None:
    page = client.get(f"/say/{status}", headers=BROWSER)
    assert page.status_code == status
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["retry-after"] == "7"
    assert f"<p>&lt;b&gt;{status}&lt;/b&gt; &amp; more</p>" in page.text
    assert '<a href="/">Home &amp; hearth</a>' in page.text
    for path, headers in ((f"/say/{status}", PROGRAM), (f"/api/say/{status}", BROWSER)):
        answer = client.get(path, headers=headers)
        assert (answer.status_code, answer.json()) == (status, {"error": f"<b>{status}</b> & more"})


FORMS = ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "Text/Plain"]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("status", [400, 403, 409, 421, 429, 503])
def test_a_form_that_is_refused_shows_a_page(client: TestClient, status: int, form: str) -> None:
    """The browser shows the answer to a form, so it is a page even below /api."""
    page = client.post(f"/api/say/{status}", headers={**BROWSER, "content-type": form})
    assert (page.status_code, page.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert f"<p>&lt;b&gt;{status}&lt;/b&gt; &amp; more</p>" in page.text


@pytest.mark.parametrize(
    "headers",
    [{**PROGRAM, "content-type": FORMS[0]}, {**BROWSER, "content-type": "application/json"}, BROWSER, PROGRAM, {}],
)
def test_what_a_script_posts_is_refused_in_json(client: TestClient, headers: dict[str, str]) -> None:
    answer = client.post("/api/say/403", headers=headers)
    assert (answer.status_code, answer.json()) == (403, {"error": "<b>403</b> & more"})


@pytest.mark.parametrize("path", ["/api/v1/stop", "/api/v1/stop/release"])
@pytest.mark.parametrize(
    ("address", "more", "sentence"),
    [
        ("192.0.2.7", {"authorization": ""}, "Only the station&#x27;s officials may do this: sign in first."),
        ("127.0.0.1", {"origin": "http://evil.example"}, "comes from a page other"),
        ("127.0.0.1", {"sec-fetch-site": "cross-site"}, "comes from another site"),
        ("127.0.0.1", {"host": "evil.example"}, "does not answer to the name"),
    ],
)
def test_a_stop_by_form_that_is_refused_says_so_to_a_person(
    tmp_path: pathlib.Path, path: str, address: str, more: dict[str, str], sentence: str
) -> None:
    """The page without scripts uses forms: whoever may not send commands reads why."""
    bearer = bearer_for(tmp_path)
    app = station_app(FakeStation(), cheap_access(tmp_path))
    form = {**BROWSER, **bearer, "content-type": FORMS[0], **more}
    page = TestClient(app).request("POST", path, form, address)
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.status_code in (401, 403, 421)
    assert sentence in page.text
    answer = TestClient(app).request("POST", path, {**form, **PROGRAM}, address)
    assert (answer.status_code, set(answer.json())) == (page.status_code, {"error"})


def test_a_bug_tells_nothing_of_itself(client: TestClient, caplog: pytest.LogCaptureFixture) -> None:
    page, answer = client.get("/bug", headers=BROWSER), client.get("/bug", headers=PROGRAM)
    assert (page.status_code, answer.status_code) == (500, 500)
    assert "its log says why" in page.text
    assert answer.json() == {"error": "This machine could not handle this request; its log says why."}
    assert "a secret of the inside" not in page.text + answer.text
    assert "a secret of the inside" in caplog.text
    assert page.headers["content-security-policy"].startswith("default-src 'none'")


def test_who_hangs_up_in_the_middle_of_a_question_leaves_no_trace(caplog: pytest.LogCaptureFixture) -> None:
    """A phone that disconnects during an upload: no answer, and no traceback in the log."""
    sent: list[Message] = []

    async def app(_scope: Any, receive: Any, _send: Any) -> None:
        await Request({"type": "http", "method": "PUT", "headers": []}, receive).body()

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "http", "method": "PUT", "path": "/api/models", "headers": []}
    asyncio.run(ErrorPages(app, "This car", "the car")(scope, receive, send))
    assert sent == []
    assert caplog.text == ""


def test_what_is_no_refusal_of_ours_passes_as_it_is(client: TestClient) -> None:
    assert client.get("/fine", headers=BROWSER).json() == {"error": "none"}
    assert client.get("/text", headers=BROWSER).text == "no"
    assert client.get("/stream", headers=BROWSER).content == b"ab"
    assert "Not for you." in client.get("/detail", headers=BROWSER).text
    assert "<h1>Not found</h1>" in client.get("/nowhere", headers=BROWSER).text


@pytest.mark.parametrize("accept", ["", "application/json", "text/event-stream", "text/plain"])
def test_only_who_takes_html_gets_it(client: TestClient, accept: str) -> None:
    assert json.loads(client.get("/say/403", headers={"accept": accept}).content) == {"error": "<b>403</b> & more"}


def test_the_page_of_any_status_is_whole() -> None:
    for status in range(400, 600):
        page = plain_page(status, "A sentence.", "Home")
        assert (page.status_code, bytes(page.body).count(b"A sentence.")) == (status, 1)


def test_the_station_answers_people_with_pages(tmp_path: pathlib.Path) -> None:
    station = TestClient(station_app(FakeStation(), cheap_access(tmp_path)))
    page = station.get("/nowhere", headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "There is nothing here; the live page is at /." in page.text
    assert station.get("/nowhere", headers=PROGRAM).json()["error"].startswith("There is nothing here")
    stranger = station.get("/", headers={**BROWSER, "host": "evil.example"})
    assert stranger.status_code == 421
    assert "does not answer to the name" in stranger.text
    assert "<h1>Unknown host name</h1>" in stranger.text
    for asset in ("tokens.css", "plain.css", "inter-latin.woff2"):
        assert station.get(f"/static/{asset}").status_code == 200


def test_the_car_answers_people_with_pages(tmp_path: pathlib.Path) -> None:
    site = Site(tmp_path)
    car = TestClient(site.server.app)
    page = car.get("/nowhere", headers=BROWSER)
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "the console is at /" in page.text
    assert car.get("/api/nowhere", headers=BROWSER).json()["error"].startswith("There is nothing here")
    site.server.close()
