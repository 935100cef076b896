"""Calls of a leaderboard's API for one account, by a key. Called by sender.py and submit.py."""

import email.message
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import BadInput, OperatorError, RetryLater
from shared.text import text

_TIMEOUT_S = 60.0
_MAX_ANSWER_BYTES = 1 << 20
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class ApiAnswer:
    """An answer: its status, its headers by names in lower case, and its JSON ({} without any)."""

    status: int
    headers: Mapping[str, str]
    document: dict[str, Any]

    def number(self, header: str) -> int | None:
        """The number in this header; None if there is none."""
        found = self.headers.get(header, "")
        return int(found) if found.isascii() and found.isdecimal() else None


class LeaderboardApi:
    """The leaderboard at an address, as the owner of a key sees it."""

    def __init__(self, server: str, key: str) -> None:
        """Raises BadInput for an address or a key that cannot be one."""
        if not server.startswith(("http://", "https://")):
            raise BadInput(
                text(
                    "{server} is not the address of a leaderboard: write it as http://HOST:PORT.",
                    server=repr(server[:80]),
                )
            )
        if not key.startswith("rk_") or not key.isascii() or not key.isprintable() or " " in key:
            raise BadInput(
                text(
                    "Give a key of yours with the scope submissions:write, by --key or in RACEDAY_KEY: "
                    "it is made on {server}/account/keys.",
                    server=server.rstrip("/"),
                )
            )
        self.server, self._key = server.rstrip("/"), key

    def call(
        self,
        method: str,
        path: str,
        document: object = None,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> ApiAnswer:
        """The answer of a call, also a 409 that says where an upload goes on.

        Raises RetryLater if the same call may go through later, OperatorError with the leaderboard's sentence if not.
        """
        kind = "application/octet-stream" if document is None else "application/json"
        sent = {"authorization": f"Bearer {self._key}", "content-type": kind, **(headers or {})}
        data = body if document is None else json.dumps(document).encode()
        request = urllib.request.Request(  # noqa: S310  http, checked above
            f"{self.server}/api/v1{path}", data if method != "GET" else None, sent, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                return _answer(answer.status, answer.headers, answer.read(_MAX_ANSWER_BYTES))
        except urllib.error.HTTPError as error:
            refused = _answer(error.code, error.headers, error.read(_MAX_ANSWER_BYTES))
            return self._refused(refused)
        except (OSError, http.client.HTTPException) as error:
            why = getattr(error, "reason", error)
            raise RetryLater(
                text("The leaderboard at {server} cannot be reached ({why}).", server=self.server, why=str(why))
            ) from None

    def _refused(self, answer: ApiAnswer) -> ApiAnswer:
        if answer.status == 409 and answer.number("upload-offset") is not None:
            return answer
        sentence = str(answer.document.get("error", f"HTTP {answer.status}"))
        if answer.status in _AGAIN:
            raise RetryLater(sentence, after_s=answer.number("retry-after"))
        raise OperatorError(sentence)


def _answer(status: int, headers: email.message.Message, body: bytes) -> ApiAnswer:
    try:
        document = json.loads(body) if body else {}
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise OperatorError(text("What answers there is no leaderboard."))
    return ApiAnswer(status, {name.lower(): value for name, value in headers.items()}, document)
