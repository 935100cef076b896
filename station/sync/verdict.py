"""Decides what a reply means for a result: accepted, rejected or deferred. Pure. The leaderboard may not have sent it.

Only a reply that is recognisably the leaderboard's own settles a result: 200 or 201 with the contract's body; a refusal
with the contract's header; or a refusal that is `{"error": sentence}` alone, with a status that the contract names and,
where gateways and frameworks answer like this too, a sentence that speaks of races. A login page, a firewall, or a
proxy's "404" while the vendor deploys means *not now*, and the result is sent again.
"""

import email.utils
import http
import json
import math

from shared.errors import BadInput
from shared.protocol.results import (
    CONTRACT_HEADER,
    AnswerLost,
    PostAccepted,
    PostDeferred,
    PostOutcome,
    PostRejected,
    Result,
    decode_accepted,
)
from shared.text import text
from shared.web.http_exchange import Reply
from station.sync.refusal_wording import speaks_of_post, speaks_of_race
from station.sync.schedule import MAX_UNRECOGNISED_WAIT_S, PostedWithOtherScore

MAX_REASON = 300
MAX_INT = 2**63 - 1
# 408, 425, 429: the request was right, but came at the wrong moment. 401: our clock or secret is wrong; once a person
# or NTP has corrected it, the same result is accepted, and until then it must not be given up.
_RETRY_STATUSES = frozenset({401, 408, 425, 429})
# Statuses by which a leaderboard without the header may reject for good; firewalls send 403, 405, 406, 423 and 511.
_SETTLING = frozenset({409, 422})
# Gateways send these too: for a page or a route that does not exist; for a request that is blocked or too large.
_OF_THE_RACE = frozenset({404, 410})
_OF_THE_POST = frozenset({400, 413})
_PAGES = frozenset({"text/html", "application/xhtml+xml"})
_REDIRECTS = frozenset(range(300, 400))
NO_REASON = text("no reason given.")


def verdict(result: Result, reply: Reply, utc_s: float, own: frozenset[str] = frozenset()) -> PostOutcome:
    """What a complete reply to `result` means. `utc_s`: now, in seconds since 1970.

    `own`: the words of the address that it was posted to.
    """
    if reply.status in (200, 201):
        return _posted(result, reply)
    sentence = contract_sentence(reply)
    after_s = retry_after_s(reply.headers.get("retry-after"), utc_s)
    # A third party may ask for an hour's wait; the leaderboard behind it is tried sooner.
    unrecognised_s = None if after_s is None else min(after_s, MAX_UNRECOGNISED_WAIT_S)
    if sentence is None:
        return PostDeferred(_unrecognised(reply), unrecognised_s)
    if not 400 <= reply.status < 500 or reply.status in _RETRY_STATUSES:
        return PostDeferred(
            text("The leaderboard answered {status}: {sentence}", status=reply.status, sentence=sentence), after_s
        )
    if (
        has_contract_header(reply)
        or reply.status in _SETTLING
        or speaks_of(result.race_id, reply.status, sentence, own)
    ):
        return PostRejected(sentence, reply.status)
    return PostDeferred(_unrecognised(reply, sentence), unrecognised_s)


def contract_sentence(reply: Reply) -> str | None:
    """The sentence of a refusal in the form of the contract; None if something else answered."""
    document = read_object(reply)
    error = document.get("error") if document is not None else None
    if document is None or not isinstance(error, str):
        return None
    written = printable(error)
    if has_contract_header(reply):
        return written or NO_REASON
    # Frameworks and gateways send {"error": "Not Found", "status": 404, ...}; the contract has the sentence alone.
    alone = document.keys() == {"error"} and " " in written.strip() and not _is_page(reply)
    return written if alone and not _is_phrase(written) else None


def has_contract_header(reply: Reply) -> bool:
    """Did a leaderboard identify itself? No proxy invents this header."""
    return CONTRACT_HEADER in reply.headers


def speaks_of(race_id: str, status: int, sentence: str, own: frozenset[str] = frozenset()) -> bool:
    """Could only a leaderboard say this, with a status that gateways use for sentences of their own?"""
    if status in _OF_THE_POST:
        return speaks_of_post(race_id, sentence, own)
    return status in _OF_THE_RACE and speaks_of_race(race_id, sentence, own)


def contract_version(reply: Reply) -> int:
    """The version of the contract that the peer says it reads; 1 if it says none that is known."""
    name, _, number = reply.headers.get(CONTRACT_HEADER, "").strip().partition("/")
    return int(number) if name == "results" and number in ("1", "2") else 1


def _is_page(reply: Reply) -> bool:
    return reply.headers.get("content-type", "").partition(";")[0].strip().lower() in _PAGES


def read_object(reply: Reply) -> dict[str, object] | None:
    """The body as a JSON object; None if it is compressed, not JSON, or not an object."""
    if reply.headers.get("content-encoding", "identity").strip().lower() not in ("", "identity"):
        return None
    try:
        document = json.loads(reply.body)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def printable(written: str) -> str:
    """Untrusted written, made safe for a log and a page, and cut to `MAX_REASON` characters."""
    return "".join(sign for sign in written if sign.isprintable())[:MAX_REASON]


def retry_after_s(header: str | None, utc_s: float) -> float | None:
    """`Retry-After` in seconds from `utc_s`, from either form of RFC 9110, 10.2.3; None if absent or unreadable."""
    written = (header or "").strip(" \t")
    if written.isascii() and written.isdigit():
        seconds = float(written)
        return seconds if math.isfinite(seconds) else None
    try:
        return max(0.0, email.utils.parsedate_to_datetime(written).timestamp() - utc_s)
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _posted(result: Result, reply: Reply) -> PostAccepted | AnswerLost:
    try:
        posted = decode_accepted(reply.body) if read_object(reply) is not None else None
    except BadInput:
        posted = None
    if posted is None or not _fits_database(posted):
        # A captive portal answers 200 to everything: only an answer in the form of the contract settles a result.
        return AnswerLost(
            text("The answer is not the leaderboard's answer of the contract (score_ms, rank, racers, best).")
        )
    without = not result.qualified or (result.revision >= 2 and result.score_ms == 0)
    ours = None if without else result.score_ms
    if posted.score_ms == ours:
        return posted
    return PostedWithOtherScore(posted.score_ms, posted.rank, posted.racers, posted.best, ours)


def _fits_database(posted: PostAccepted) -> bool:
    """Do the numbers fit a database column? JSON's integers are unbounded."""
    return all(number is None or 0 <= number <= MAX_INT for number in (posted.score_ms, posted.rank, posted.racers))


def _unrecognised(reply: Reply, written: str = "") -> str:
    """A sentence that tells the operator what to do; it quotes the peer's `written`, which may be the leaderboard's."""
    if reply.status >= 500 and reply.status != 511:
        return text("The leaderboard answered {status}: {sentence}", status=reply.status, sentence=NO_REASON)
    if reply.status in _REDIRECTS:
        where = printable(reply.headers.get("location", ""))[:100]
        if where:
            return text(
                "Something between here and the leaderboard answered {status}, a redirect to {where!r}: {what}",
                status=reply.status,
                where=where,
                what=_REMEDY,
            )
        return text(
            "Something between here and the leaderboard answered {status}, a redirect: {what}",
            status=reply.status,
            what=_REMEDY,
        )
    words = f" ({written[:100]!r})" if written else ""
    return text(
        "Something between here and the leaderboard answered {status}{answer}: {what}",
        status=reply.status,
        answer=words,
        what=_REMEDY,
    )


_REMEDY = text("log in to the venue's network, or check `leaderboard_url`.")


# The standard phrases that servers send by themselves.
_PHRASES = frozenset(status.phrase.casefold() for status in http.HTTPStatus)


def _is_phrase(written: str) -> bool:
    return written.strip(" .!").casefold() in _PHRASES
