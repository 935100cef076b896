"""Calls of a leaderboard with a key: by `raceday submit` for an account, by `raceday farm`, by its own commands.

A redirection is not followed: it would hand the key to whoever is named there. It comes back as the answer it is.
"""

import email.message
import http.client
import json
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from typing import IO, Any, BinaryIO

from shared.errors import BadInput, RetryLater
from shared.text import text

AGAIN = frozenset({408, 429, 500, 502, 503, 504})  # with these the same call may go through later
_TIMEOUT_S = 60.0


@dataclass(frozen=True, slots=True)
class ServerAnswer:
    """An answer: its status, its headers by names in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def document(self) -> dict[str, Any] | None:
        """Its JSON object: {} without a body, None for anything else."""
        try:
            document = json.loads(self.body) if self.body else {}
        except (ValueError, RecursionError):
            return None
        return document if isinstance(document, dict) else None

    @property
    def sentence(self) -> str:
        """What a refusal says, else its status."""
        return str((self.document or {}).get("error", f"HTTP {self.status}"))


class _Unfollowed(urllib.request.HTTPRedirectHandler):
    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> None:
        """Follow none."""


class KeyedCalls:
    """The leaderboard at an address, as the owner of a key sees it. `timeout_s`: without a byte of an answer."""

    def __init__(self, server: str, key: str, timeout_s: float = _TIMEOUT_S) -> None:
        """Raises BadInput for what is no address."""
        if not server.startswith(("http://", "https://")):
            raise BadInput(
                text(
                    "{server} is not the address of a leaderboard: write it as http://HOST:PORT.",
                    server=repr(server[:80]),
                )
            )
        self.server, self._key, self._timeout_s = server.rstrip("/"), key, timeout_s
        # By http a proxy of the environment would read the key; by https it passes on what it cannot read.
        direct = [] if server.startswith("https://") else [urllib.request.ProxyHandler({})]
        self._opener = urllib.request.build_opener(_Unfollowed, *direct)

    def send(
        self,
        method: str,
        path: str,
        body: bytes | BinaryIO | None,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
    ) -> ServerAnswer:
        """The answer, whatever it is, up to `max_bytes` of it. Raises RetryLater if there is none.

        A file as `body` is read as it is sent; its size is given in the header `content-length`.
        """
        sent = {"authorization": f"Bearer {self._key}", **(headers or {})}
        request = urllib.request.Request(f"{self.server}{path}", body, sent, method=method)  # noqa: S310  checked above
        try:
            status, got, read = self._asked(request, max_bytes)
            if method != "HEAD" and len(read) < min(max_bytes, int(got.get("content-length", "0"))):
                raise http.client.IncompleteRead(read)  # the server ended in the middle of it
            return ServerAnswer(status, {name.lower(): value for name, value in got.items()}, read)
        except (ValueError, OSError, http.client.HTTPException) as error:
            why = str(getattr(error, "reason", error))
            raise RetryLater(
                text("The leaderboard at {server} cannot be reached ({why}).", server=self.server, why=why)
            ) from None

    def _asked(self, request: urllib.request.Request, max_bytes: int) -> tuple[int, email.message.Message, bytes]:
        """Status, headers and what came of the body."""
        try:
            with self._opener.open(request, timeout=self._timeout_s) as answer:
                return answer.status, answer.headers, answer.read(max_bytes)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.headers, error.read(max_bytes)
