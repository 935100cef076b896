"""The leaderboard over HTTPS: one signed POST a result, and its answer as Posted, Rejected or Later.

The contract is that of any vendor's endpoint: Standard Webhooks headers, `webhook-id` the idempotency key.
An answer that did not arrive whole is `AnswerLost`: the result may have been applied, and the same id is sent
again. A redirect is refused: where results go is the operator's word, not a stranger's.
"""

import base64
import binascii
import email.utils
import hashlib
import hmac
import json
import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import requests
from urllib3.exceptions import ConnectTimeoutError, NewConnectionError

from shared.config import from_table, setting
from shared.errors import BadInput, ConfigError
from shared.results import RESULT_PATH, Answer, Later, Posted, Rejected, Result, decode_posted, encode_result
from station.sync.outbox import AnswerLost

MAX_ANSWER_BYTES = 65_536
MAX_REASON = 300
# 408, 425, 429: the request was in order, the moment was not. 401: our clock or secret is wrong; once a person or
# NTP has set it right the same result is taken, and until then it must not be given up.
_RETRY_STATUSES = frozenset({401, 408, 425, 429})
_SECRET_PREFIX = "whsec_"  # noqa: S105  # the prefix of Standard Webhooks, no secret


@dataclass(frozen=True, slots=True)
class Options:
    """`[sync.options]` of the driver `webhooks`."""

    connect_timeout_s: float = setting(3.0, least=0.1, most=60)
    read_timeout_s: float = setting(10.0, least=0.1, most=120, what="for each part of the answer and for all of it")
    ca_file: str = setting("", what="a PEM file, if the leaderboard's certificate is signed by a house CA")


class WebhookLeaderboard:
    """Driver `webhooks` of `raceday.leaderboards`. `utc_s` stamps each attempt (seconds since 1970)."""

    def __init__(self, url: str, secret: str, options: dict[str, Any], utc_s: Callable[[], float] = time.time) -> None:
        self._options = from_table(options, Options, source="[sync.options]")
        self._url = checked_url(url).rstrip("/") + RESULT_PATH
        self._key = key_of(secret)
        self._utc_s = utc_s
        self._session = requests.Session()
        # No proxy, no netrc, nothing from the environment decides where a signed result goes.
        self._session.trust_env = False
        self._session.verify = self._options.ca_file or True

    def post(self, result: Result) -> Answer:
        """Send once; never raises for what a network or a peer can do."""
        body = encode_result(result)
        headers = {
            "content-type": "application/json",
            "accept-encoding": "identity",
            **signed(self._key, result.webhook_id, self._utc_s(), body),
        }
        timeout = (self._options.connect_timeout_s, self._options.read_timeout_s)
        try:
            with self._session.post(
                self._url, data=body, headers=headers, timeout=timeout, allow_redirects=False, stream=True
            ) as response:
                return self._answer(response)
        except (requests.exceptions.ConnectTimeout, requests.exceptions.SSLError) as error:
            return Later(f"The leaderboard cannot be reached: {_sentence(error)}")
        except requests.exceptions.RequestException as error:
            if _never_connected(error):
                return Later("The leaderboard cannot be reached: no connection.")
            return AnswerLost("The connection broke before the leaderboard's answer was complete.")

    def close(self) -> None:
        self._session.close()

    def _answer(self, response: requests.Response) -> Answer:
        text = self._read(response)
        status = response.status_code
        if text is None:
            return AnswerLost("The leaderboard's answer was too long or too slow to be read.")
        if status in (200, 201):
            return _posted(text)
        if status >= 500 or status in _RETRY_STATUSES:
            return Later(
                f"The leaderboard answered {status}: {_reason(text)}",
                retry_after_s(response.headers.get("retry-after"), self._utc_s()),
            )
        if 300 <= status < 400:
            return Rejected(f"The leaderboard redirects ({status}); set its own address in [sync].", status)
        return Rejected(_reason(text), status)

    def _read(self, response: requests.Response) -> bytes | None:
        """The body, or None beyond the size or the time that we allow."""
        ends_at = time.monotonic() + self._options.read_timeout_s
        parts: list[bytes] = []
        size = 0
        for part in response.iter_content(8192):
            parts.append(part)
            size += len(part)
            if size > MAX_ANSWER_BYTES or time.monotonic() > ends_at:
                return None
        return b"".join(parts)


def checked_url(url: str) -> str:
    """The leaderboard's address. Raises ConfigError."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username or parts.query or parts.fragment:
        raise ConfigError(
            f"[sync] `leaderboard_url` is {url!r}; write it as https://leaderboard.example (no user, no ?)."
        )
    return url


def key_of(secret: str) -> bytes:
    """The signing key in a Standard Webhooks secret `whsec_<base64 of 24 to 64 bytes>`. Raises ConfigError."""
    try:
        key = base64.b64decode(secret.strip().removeprefix(_SECRET_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not 24 <= len(key) <= 64:
        raise ConfigError("[sync] `secret_file` must hold `whsec_` and the base64 of 24 to 64 random bytes.")
    return key


def signed(key: bytes, webhook_id: str, utc_s: float, body: bytes) -> dict[str, str]:
    """The three headers of Standard Webhooks 1.0.0: HMAC-SHA256 over `id.timestamp.body`."""
    timestamp = str(int(utc_s))
    mac = hmac.new(key, f"{webhook_id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": timestamp,
        "webhook-signature": "v1," + base64.b64encode(mac).decode(),
    }


def retry_after_s(header: str | None, utc_s: float) -> float | None:
    """`Retry-After` as seconds from now, written either way of RFC 9110; None if absent or unreadable."""
    if not header:
        return None
    if header.strip().isdecimal():
        seconds = float(header)
        return seconds if math.isfinite(seconds) else None
    try:
        return max(0.0, email.utils.parsedate_to_datetime(header).timestamp() - utc_s)
    except (ValueError, OverflowError):
        return None


def _posted(text: bytes) -> Posted | AnswerLost:
    try:
        return decode_posted(text)
    except BadInput as error:
        # A captive portal says 200 to everything: only the contract's own answer settles a result.
        return AnswerLost(str(error))


def _reason(text: bytes) -> str:
    """The sentence in `{"error": ...}`, cut short; anything else is a stranger's page."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return "no reason given."
    reason = document.get("error") if isinstance(document, dict) else None
    printable = "".join(sign for sign in str(reason) if sign.isprintable()) if isinstance(reason, str) else ""
    return printable[:MAX_REASON] or "no reason given."


def _never_connected(error: requests.exceptions.RequestException) -> bool:
    """Refused, no route, unknown name: not one byte of the result left this machine."""
    cause = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(cause, NewConnectionError | ConnectTimeoutError)


def _sentence(error: Exception) -> str:
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted here; set `ca_file` in [sync.options] or mend the clock."
    return "no connection in time."
