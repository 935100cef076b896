"""A browser and a program for an app in this process: cookies are kept, forms carry their token."""

import json
import re
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode

from starlette.types import ASGIApp

from tests.shared.web.test_error_pages import Answer, TestClient

HOST = "board.test"


class FormBrowser:
    """Somebody's browser, without scripts."""

    def __init__(self, app: ASGIApp, address: str = "192.0.2.7") -> None:
        self._client, self._address = TestClient(app), address
        self.cookies: dict[str, str] = {}
        self.page = ""

    def get(self, path: str, **headers: str) -> Answer:
        """Open a page."""
        return self._request("GET", path, {"accept": "text/html"} | headers)

    def submit(self, path: str, csrf: str | None = None, *, accept: str = "text/html", **fields: str) -> Answer:
        """Send a form of the page that was opened last; `accept`: what its script asks for."""
        found = re.search(r'name="csrf" value="(\w+)"', self.page)
        token = csrf if csrf is not None else found[1] if found else ""
        body = urlencode(fields | {"csrf": token}).encode()
        headers = {
            "accept": accept,
            "origin": f"http://{HOST}",
            "content-type": "application/x-www-form-urlencoded",
        }
        return self._request("POST", path, headers, body)

    def call(self, method: str, path: str, document: object = None, **headers: str) -> Answer:
        """Call the API as a script of a page does."""
        found = re.search(r'name="csrf-token" content="(\w+)"', self.page)
        sent = {
            "origin": f"http://{HOST}",
            "content-type": "application/json",
            "x-csrf-token": found[1] if found else "",
        }
        body = b"" if document is None else json.dumps(document).encode()
        return self._request(method, path, sent | headers, body)

    def _request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Answer:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        named = {"host": HOST} | headers | ({"cookie": cookies} if cookies else {})
        answer = self._client.request(method, path, named, self._address, body)
        for line in answer.headers.getlist("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                if morsel["max-age"] == "0":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        if answer.headers.get("content-type", "").startswith("text/html"):
            self.page = answer.text
        return answer


def call(
    app: ASGIApp, method: str, path: str, document: object = None, key: str = "", address: str = "192.0.2.9"
) -> Answer:
    """Call the API as a program with a key does, or as nobody."""
    headers = {"content-type": "application/json"} | ({"authorization": f"Bearer {key}"} if key else {})
    body = b"" if document is None else json.dumps(document).encode()
    return TestClient(app).request(method, path, headers, address, body)


def fields(answer: Answer) -> Any:
    """The JSON of an answer."""
    return json.loads(answer.content)
