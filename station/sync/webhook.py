"""The leaderboard over HTTPS: one signed POST per result, and its answer as PostAccepted, PostRejected or PostDeferred.

The contract is the same for every vendor's endpoint: Standard Webhooks headers, with `webhook-id` as the idempotency
key. An answer that did not arrive completely is `AnswerLost`: the result may have been applied, and is sent again under
the same id. A redirect is not followed: the operator alone decides where results go. verdict.py decides what an answer
means.

Source: the Standard Webhooks specification 1.0.0 (standardwebhooks.com, 2023); docs/vendor.md for the contract.
"""

import ipaddress
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import SplitResult, quote, urlsplit

from shared.config import from_table, setting
from shared.errors import ConfigError
from shared.protocol.races import RaceOffer, encode_offer
from shared.protocol.results import RACES_PATH, RESULT_PATH, PostDeferred, PostOutcome, Result, encode_result
from shared.text import text
from shared.web.http_exchange import HttpExchange, Reply, Timeouts
from shared.webhooks import parse_secret, signed_headers
from station.sync.leaderboard_check import Target, target_after_offer, target_from_reply
from station.sync.operator.reconciliation import ShownScore, shown_scores
from station.sync.refusal_wording import own_words
from station.sync.verdict import contract_version, has_contract_header, read_object, verdict

_URL_SIGNS = re.compile(r"[!-~]+")


@dataclass(frozen=True, slots=True)
class WebhookOptions:
    """`[sync.options]` of the driver `webhooks`."""

    connect_timeout_s: float = setting(3.0, min=0.1, max=60)
    read_timeout_s: float = setting(10.0, min=0.1, max=120, what="for the whole answer")
    ca_file: str = setting("", what="a PEM file, if the leaderboard's certificate is signed by a private CA", file=True)
    allow_plain_http: bool = setting(
        False, what="true: post by http:// to another machine, which others on the way can read"
    )


class HttpTransport(Protocol):
    """Sends a request and returns the reply, as `HttpExchange` does."""

    def request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply | PostDeferred:
        """The reply, or why there is none; never raises for what a network or a peer can do."""


class WebhookLeaderboard:
    """Driver `webhooks` of `raceday.leaderboards`. `utc_s` stamps each attempt (seconds since 1970)."""

    def __init__(
        self,
        url: str,
        secret: str,
        options: dict[str, Any],
        utc_s: Callable[[], float] = time.time,
        exchange: HttpTransport | None = None,
    ) -> None:
        """`options`: the table `[sync.options]`; `exchange`: replaces the HTTP transport. Raises ConfigError."""
        chosen = from_table(options, WebhookOptions, source="[sync.options]")
        address = checked_address(url, allow_plain_http=chosen.allow_plain_http)
        self._key = key_of(secret)
        self._utc_s = utc_s
        timeouts = Timeouts(chosen.connect_timeout_s, chosen.read_timeout_s)
        self._own = own_words(address.netloc, address.path)
        self._exchange = exchange or HttpExchange(address, timeouts, chosen.ca_file)
        self._contract: int | None = None
        self._large = exchange or HttpExchange(address, timeouts, chosen.ca_file, MAX_STANDING_BYTES)

    def post(self, result: Result) -> PostOutcome:
        """Sends the result once and returns the outcome; never raises for what a network or a peer can do."""
        body = encode_result(result)
        headers = {**_HEADERS, "content-type": "application/json"}
        headers |= signed_headers(self._key, result.webhook_id, self._utc_s(), body)
        reply = self._request("POST", RESULT_PATH, headers, body)
        return reply if isinstance(reply, PostDeferred) else verdict(result, reply, self._utc_s(), self._own)

    def target(self, offer: RaceOffer) -> Target:
        """Whether the leaderboard knows the race; like `post`, it never raises for what a network or a peer can do."""
        reply = self._request("GET", _path(offer.race_id), _HEADERS)
        return target_from_reply(offer, reply, self._own)

    def offer(self, offer: RaceOffer, known: Target) -> Target:
        """Offers the race, signed as a result is; what is known of it then. Before, `known` was."""
        body = encode_offer(offer)
        headers = {**_HEADERS, "content-type": "application/json"}
        headers |= signed_headers(self._key, offer.webhook_id, self._utc_s(), body)
        return target_after_offer(offer, known, self._request("PUT", _path(offer.race_id), headers, body))

    @property
    def contract(self) -> int | None:
        """The version of the contract that the leaderboard reads; None: it has not answered yet."""
        return self._contract

    def ask_contract(self, race_id: str) -> int | PostDeferred:
        """The version that it reads, asked for if it is not known yet by a request that changes nothing."""
        if self._contract is None:
            reply = self._request("GET", _path(race_id), _HEADERS)
            if isinstance(reply, PostDeferred):
                return reply
        return self._contract or 1

    def _request(self, method: str, path: str, headers: dict[str, str], body: bytes = b"") -> Reply | PostDeferred:
        reply = self._exchange.request(method, path, headers, body)
        if isinstance(reply, Reply) and has_contract_header(reply):
            self._contract = contract_version(reply)
        return reply

    def standing(self, race_id: str) -> list[ShownScore] | str:
        """The standing that the leaderboard shows of a race, in parts if it gives parts; or why there is none."""
        path, after, rows = f"{RACES_PATH}/{quote(race_id, safe='')}/standings", "", []
        for _ in range(MAX_STANDING_PARTS):
            reply = self._large.request("GET", f"{path}?after={quote(after, safe='')}" if after else path, _HEADERS)
            if isinstance(reply, PostDeferred):
                return reply.reason
            document = read_object(reply) if reply.status == 200 else None
            part = None if document is None else shown_scores(document.get("standings"))
            if document is None or part is None:
                status = reply.status
                return text(
                    "The leaderboard shows no standing of {race_id} ({status}).", race_id=race_id, status=status
                )
            rows += part
            following = document.get("next")
            if not isinstance(following, str) or not following or following == after:
                return rows
            after = following
        return text("The standing of {race_id} has no end.", race_id=race_id)

    def close(self) -> None:
        """Does nothing, since nothing is open between two posts."""


MAX_STANDING_BYTES = 16 * 2**20
MAX_STANDING_PARTS = 1000
_HEADERS = {"accept": "application/json", "accept-encoding": "identity", "user-agent": "raceday-sync"}


def _path(race_id: str) -> str:
    return f"{RACES_PATH}/{quote(race_id, safe='')}"


def checked_address(url: str, *, allow_plain_http: bool = False) -> SplitResult:
    """The parts of the leaderboard's address. Raises ConfigError if it is not a usable URL, or not an encrypted one."""
    try:
        parts = urlsplit(url)
        fine = bool(_URL_SIGNS.fullmatch(url)) and parts.scheme in ("http", "https") and bool(parts.hostname)
        fine = fine and not (parts.username or parts.query or parts.fragment) and parts.port != 0
    except ValueError:  # brackets without an IPv6 address, or a port that is not a number
        fine = False
    if not fine:
        raise ConfigError(
            f"[sync] `leaderboard_url` is {url!r}; write it as https://leaderboard.example (no user, no ?)."
        )
    if parts.scheme == "http" and not allow_plain_http and not _is_loopback(parts.hostname or ""):
        raise ConfigError(
            f"[sync] `leaderboard_url` is {url!r}: by http:// anybody in between can read and forge the answers. "
            "Use https://, or set `allow_plain_http = true` in [sync.options]."
        )
    return parts


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def key_of(secret: str) -> bytes:
    """The signing key in the secret that `[sync]` names. Raises ConfigError."""
    try:
        return parse_secret(secret)
    except ConfigError:
        raise ConfigError("[sync] `secret_file` must hold `whsec_` and the base64 of 24 to 64 random bytes.") from None
