"""Driver `template`: posts a result in the form that somebody else's endpoint takes, described in the config.

    [sync]
    driver = "template"
    leaderboard_url = "https://board.example/api/times?event=7"
    secret_file = "secrets/board.token"                          # optional: {secret} in a header

    [sync.options]
    headers = { authorization = "Bearer {secret}", "idempotency-key" = "{webhook_id}" }
    body = { name = "{racer}", time = "{score_s}", laps = { each = "laps", item = "{lap_s}" } }

It is sent at least once: an endpoint that knows no idempotency key may see a result twice, if an answer is lost. With
`repeat_after_lost_answer = false` such a result waits for an official instead.
"""

import json
import re
import string
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal
from urllib.parse import SplitResult, quote, urlencode, urlsplit, urlunsplit

from shared.config import from_table, setting
from shared.errors import ConfigError
from shared.protocol.results import (
    RESULT_VERSION,
    AnswerLost,
    Evidence,
    PostAccepted,
    PostDeferred,
    PostOutcome,
    PostRejected,
    Result,
)
from shared.rules.ranking import RunLap
from shared.text import text
from shared.web.http_exchange import HttpExchange, Reply, Timeouts
from station.sync.adapters.template_values import filled, score_ms_of
from station.sync.verdict import printable, retry_after_s
from station.sync.webhook import HttpTransport, checked_address

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", re.ASCII)
_CARRIED = string.ascii_letters + string.digits + string.punctuation + " "
_PAGES = ("text/html", "application/xhtml+xml")


@dataclass(frozen=True, slots=True)
class TemplateOptions:
    """`[sync.options]` of the driver `template`."""

    body: dict[str, Any] = field(default_factory=dict)
    headers: dict[str, Any] = field(default_factory=dict)
    method: str = setting("POST", choices=("POST", "PUT", "PATCH"))
    form: bool = setting(False, what="true: send the body as a form (urlencoded), not as JSON")
    accepted: tuple[int, ...] = setting((200, 201, 202, 204), what="statuses that mean: it is stored")
    rejected: tuple[int, ...] = setting((400, 404, 409, 410, 413, 422), what="that mean: never; others: later")
    answer_field: str = setting("", what="a field that an accepting JSON answer must hold")
    unqualified: bool = setting(False, what="true: send runs without a score too; `{qualified}` tells them apart")
    repeat_after_lost_answer: bool = setting(True, what="false: an official decides whether it is sent again")
    connect_timeout_s: float = setting(3.0, min=0.1, max=60)
    read_timeout_s: float = setting(10.0, min=0.1, max=120, what="for the whole answer")
    ca_file: str = setting("", what="a PEM file, if the certificate is signed by a private CA", file=True)
    allow_plain_http: bool = setting(False, what="true: post by http:// to another machine")


class TemplateLeaderboard:
    """Driver `template` of `raceday.leaderboards`."""

    needs_secret: Literal[False] = False

    def __init__(
        self,
        url: str,
        secret: str,
        options: dict[str, Any],
        utc_s: Callable[[], float] = time.time,
        exchange: HttpTransport | None = None,
    ) -> None:
        """`secret`: "" if the config names none. Raises ConfigError, also for a template that cannot be filled."""
        self._chosen = from_table(options, TemplateOptions, source="[sync.options]")
        if not self._chosen.body:
            raise ConfigError('[sync.options] `body` is empty: say what is sent, as { name = "{racer}", ... }.')
        address = _address(url, self._chosen.allow_plain_http)
        self._target = urlunsplit(("", "", address.path or "/", address.query, ""))
        self._secret, self._utc_s = secret, utc_s
        self._filled_head(_SAMPLE)
        filled(self._chosen.body, _SAMPLE)
        timeouts = Timeouts(self._chosen.connect_timeout_s, self._chosen.read_timeout_s)
        bare = address._replace(path="", query="")
        self._exchange = exchange or HttpExchange(bare, timeouts, self._chosen.ca_file)

    def post(self, result: Result) -> PostOutcome:
        """Sends the result once; never raises for what a network or a peer can do."""
        reply = self._exchange.request(self._chosen.method, self._target, self._filled_head(result), self._body(result))
        if isinstance(reply, PostDeferred):
            return self._deferred(reply)
        if reply.status in self._chosen.accepted and (why := self._not_theirs(reply)):
            return PostDeferred(why)
        if reply.status in self._chosen.accepted:
            return PostAccepted(score_ms_of(result), None, 0)
        words = printable(reply.body[:600].decode("utf-8", "replace")).strip()
        if reply.status in self._chosen.rejected and not _is_page(reply):
            return PostRejected(words or text("no reason given."), reply.status)
        after_s = retry_after_s(reply.headers.get("retry-after"), self._utc_s())
        return PostDeferred(text("The endpoint answered {status}.", status=reply.status), after_s)

    @property
    def contract(self) -> int:
        """The version of the contract whose results the endpoint is sent: 2 has runs without a score."""
        return RESULT_VERSION if self._chosen.unqualified else 1

    def ask_contract(self, _race_id: str) -> int:
        """The same, which a setting says and nobody needs to be asked for."""
        return self.contract

    def close(self) -> None:
        """Does nothing, since nothing is open between two posts."""

    def _body(self, result: Result) -> bytes:
        body = filled(self._chosen.body, result)
        if not self._chosen.form:
            return json.dumps(body, ensure_ascii=False).encode()
        flat = {name: value if isinstance(value, str) else json.dumps(value) for name, value in body.items()}
        return urlencode(flat).encode()

    def _filled_head(self, result: Result) -> dict[str, str]:
        kind = "application/x-www-form-urlencoded" if self._chosen.form else "application/json"
        head = {"content-type": kind, "accept-encoding": "identity", "user-agent": "raceday-sync"}
        for name, template in self._chosen.headers.items():
            if not _TOKEN.fullmatch(name):
                raise ConfigError(f"[sync.options] {name!r} cannot name a header.")
            # A name of a person may hold any letter; a header carries ASCII.
            head[name.lower()] = quote(str(filled(template, result, {"secret": self._secret})), safe=_CARRIED)
        return head

    def _deferred(self, reply: PostDeferred) -> PostOutcome:
        if isinstance(reply, AnswerLost) and not self._chosen.repeat_after_lost_answer:
            return PostRejected(
                text("The answer was lost: look there whether it arrived, and send it again if it did not."), 0
            )
        return reply

    def _not_theirs(self, reply: Reply) -> str:
        """Why an accepting answer is not believed; "" if it is."""
        if _is_page(reply):
            return text("Something between here and the endpoint answered with a page: log in to the venue's network.")
        if not self._chosen.answer_field:
            return ""
        try:
            document = json.loads(reply.body)
        except (ValueError, RecursionError):
            document = None
        held = isinstance(document, dict) and self._chosen.answer_field in document
        return "" if held else text("The answer lacks the field {field}.", field=repr(self._chosen.answer_field))


def _is_page(reply: Reply) -> bool:
    return reply.headers.get("content-type", "").partition(";")[0].strip().lower() in _PAGES


def _address(url: str, allow_plain_http: bool) -> SplitResult:
    bare = url.partition("?")[0]
    checked_address(bare, allow_plain_http=allow_plain_http)
    return urlsplit(url)


_SAMPLE = Result(
    "s.1", 1, "race", "Ada", "run", "car", "model", "", (RunLap(1, 9_000_000_000, 9_000_000_000),), 9000, 0,
    Evidence("station", "", 1, 1, 0),
)  # fmt: skip
