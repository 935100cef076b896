"""The calls of a farm to its leaderboard. Called by node.py."""

import hashlib
import http.client
import json
import threading
import urllib.error
import urllib.request
from pathlib import Path

from shared.errors import BadInput, OperatorError, Refused, RetryLater
from shared.protocol.farm import FARM_PATH, ClaimAnswer, ClaimRequest, decode, encode
from shared.text import text

_TIMEOUT_S = 60.0
_MAX_MODEL_BYTES = 1 << 30
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_OVER = frozenset({404, 410})


class FarmServer:
    """The leaderboard at an address, as a farm's key sees it; models are kept in `cache` by their hash."""

    def __init__(self, server: str, key: str, cache: Path) -> None:
        """Raises BadInput for what is no address."""
        if not server.startswith(("http://", "https://")):
            raise BadInput(
                text(
                    "{server} is not the address of a leaderboard: write it as http://HOST:PORT.",
                    server=repr(server[:80]),
                )
            )
        self._server, self._key, self._cache = server.rstrip("/"), key, cache

    def claim(self, asked: ClaimRequest) -> ClaimAnswer:
        """What to drive next. Raises OperatorError with the leaderboard's sentence, RetryLater."""
        return decode(self.call("POST", "/claims", encode(asked)), ClaimAnswer)

    def model(self, sha256: str) -> Path:
        """The file of a model. Raises Refused if it is not this farm's to drive any more, RetryLater."""
        path = self._cache / sha256
        if not path.exists():
            content = self.call("GET", f"/blobs/{sha256}")
            if hashlib.sha256(content).hexdigest() != sha256:
                raise RetryLater(text("The model {sha256} arrived damaged.", sha256=sha256[:12]))
            part = path.with_suffix(f".{threading.get_ident()}.part")  # two runs of one model may fetch it at once
            part.write_bytes(content)
            part.replace(path)
        return path

    def call(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The body of an answer. Raises RetryLater, Refused for a claim that is over, else OperatorError."""
        kind = "application/octet-stream" if method == "PUT" else "application/json"
        sent = {"authorization": f"Bearer {self._key}", "content-type": kind}
        request = urllib.request.Request(  # noqa: S310  http, checked above
            f"{self._server}{FARM_PATH}{path}", body, sent, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                return bytes(answer.read(_MAX_MODEL_BYTES))
        except urllib.error.HTTPError as error:
            sentence = _sentence(error.read(1 << 16), error.code)
            if error.code in _AGAIN:
                raise RetryLater(sentence) from None
            if error.code in _OVER:
                raise Refused(sentence) from None
            raise OperatorError(sentence) from None
        except (OSError, http.client.HTTPException) as error:
            why = str(getattr(error, "reason", error))
            raise RetryLater(
                text("The leaderboard at {server} cannot be reached ({why}).", server=self._server, why=why)
            ) from None


def _sentence(body: bytes, status: int) -> str:
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    return str(document.get("error", f"HTTP {status}")) if isinstance(document, dict) else f"HTTP {status}"
