"""A browser at the mock console without sockets: cookies, the token of the login page, one call after another."""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from shared.units import NS_PER_S
from vehicle.bridge.mock_console.mock_console import ConsoleRequest, ConsoleResponse, MockConsole


@dataclass
class ConsoleClient:
    """`at_s`: the time of each request."""

    console: MockConsole
    at_s: float = 1000.0
    through_front_door: bool = True
    cookies: dict[str, str] = field(default_factory=dict)
    token: str = ""

    def ask(self, method: str, path: str, body: bytes = b"", **headers: str) -> ConsoleResponse:
        named = {"x-csrftoken": self.token} | {name.replace("_", "-"): value for name, value in headers.items()}
        request = ConsoleRequest(method, path, named, dict(self.cookies), body)
        response = self.console.handle(request, round(self.at_s * NS_PER_S), through_front_door=self.through_front_door)
        for name, value in response.cookies.items():
            self.cookies[name] = value.split(";")[0]
        return response

    def call(self, method: str, path: str, **fields: Any) -> dict[str, Any]:
        """A call that must be answered as JSON."""
        response = self.ask(method, path, json.dumps(fields).encode() if fields else b"")
        assert response.status == 200, response
        answer: dict[str, Any] = json.loads(response.body)
        return answer

    def open_page(self) -> None:
        found = re.search(rb'csrf-token" content="([^"]+)"', self.ask("GET", "/").body)
        assert found is not None
        self.token = found.group(1).decode()

    def log_in(self, password: str = "deepracer") -> ConsoleResponse:
        self.open_page()
        return self.ask("POST", "/login", urlencode({"password": password}).encode())
