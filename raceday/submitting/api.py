"""Calls of a leaderboard's API for one account, by a key. Called by sender.py and submit.py."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from shared.errors import BadInput, OperatorError, RetryLater
from shared.text import text
from shared.web.keyed_calls import AGAIN, KeyedCalls

_MAX_ANSWER_BYTES = 1 << 20


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
        self._calls = KeyedCalls(server, key)
        self.server = self._calls.server
        if not key.startswith("rk_") or not key.isascii() or not key.isprintable() or " " in key:
            raise BadInput(
                text(
                    "Give a key of yours with the scope submissions:write, by --key or in RACEDAY_KEY: "
                    "it is made on {server}/account/keys.",
                    server=self.server,
                )
            )

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
        data = body if document is None else json.dumps(document).encode()
        sent = {"content-type": kind, **(headers or {})}
        received = self._calls.send(
            method, f"/api/v1{path}", data if method != "GET" else None, _MAX_ANSWER_BYTES, sent
        )
        answer = ApiAnswer(received.status, received.headers, received.document or {})
        if received.status in AGAIN:  # also a proxy's, without a word of the leaderboard's
            raise RetryLater(received.sentence, after_s=answer.number("retry-after"))
        if received.document is None:
            raise OperatorError(text("What answers there is no leaderboard."))
        if received.status < 300 or (received.status == 409 and answer.number("upload-offset") is not None):
            return answer
        raise OperatorError(received.sentence)
