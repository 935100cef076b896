"""When a notice is sent again, and when a receiver is given up. Pure; called by sender.py."""

from dataclasses import dataclass
from typing import Literal

from shared.protocol.results import PostDeferred
from shared.text import text
from shared.units import NS_PER_S
from shared.web.http_exchange import Reply

_WAITS_S = (5, 30, 120, 600, 1800, 3600, 3 * 3600)
_LONGEST_WAIT_S = 12 * 3600
_DAY_NS = 86_400 * NS_PER_S

DeliveryState = Literal["pending", "delivered"]


@dataclass(frozen=True, slots=True)
class DeliveryOutcome:
    """What follows from an answer. `stop`: why nothing more is sent to this receiver, "" if it goes on."""

    state: DeliveryState
    not_before_utc_ns: int
    answer: str
    stop: str = ""


def outcome(
    reply: Reply | PostDeferred, attempts: int, failing_since_utc_ns: int | None, now_utc_ns: int, give_up_days: int
) -> DeliveryOutcome:
    """What follows from this answer to attempt number `attempts` (from 1).

    `failing_since_utc_ns`: of the first answer in a row that did not take a notice, None if the last one did.
    """
    if isinstance(reply, Reply) and 200 <= reply.status < 300:
        return DeliveryOutcome("delivered", now_utc_ns, str(reply.status))
    answer = reply.reason if isinstance(reply, PostDeferred) else text("It answered {status}.", status=reply.status)
    if isinstance(reply, Reply) and reply.status == 410:
        return DeliveryOutcome("pending", now_utc_ns, answer, text("The receiver says that it is gone (410)."))
    since = now_utc_ns if failing_since_utc_ns is None else failing_since_utc_ns
    if now_utc_ns - since >= give_up_days * _DAY_NS:
        stop = text("The receiver took nothing for {days} days: {answer}", days=give_up_days, answer=answer)
        return DeliveryOutcome("pending", now_utc_ns, answer, stop)
    asked_s = _retry_after_s(reply) if isinstance(reply, Reply) else 0
    wait_s = max(_WAITS_S[min(attempts, len(_WAITS_S)) - 1], min(asked_s, _LONGEST_WAIT_S))
    return DeliveryOutcome("pending", now_utc_ns + wait_s * NS_PER_S, answer)


def _retry_after_s(reply: Reply) -> int:
    written = reply.headers.get("retry-after", "").strip()
    return int(written) if written.isascii() and written.isdecimal() and len(written) < 10 else 0
