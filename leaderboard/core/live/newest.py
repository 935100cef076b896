"""Which live message is the newest, and whether its sender may send one now. Pure; time is an argument.

Messages come late, twice and out of order. Each carries its sender's boot and a number that rises within it: a lower
number, or a boot that another one has followed, is old and is dropped. Only the last message is held.
"""

from dataclasses import dataclass, replace

from shared.errors import RetryLater
from shared.protocol.live import LiveMessage
from shared.units import NS_PER_S

PER_SECOND = 5
_OLD_BOOTS = 8


class TooOften(RetryLater):
    """The sender does this more often than is taken; it may again after `after_s`."""


@dataclass(frozen=True, slots=True)
class LiveSender:
    """What is known of one who sends live messages of a race: the last one, when it came, and the latest times.

    `old_boots`: boots that another has followed. `arrivals`: when the last few came, for the limit.
    """

    message: LiveMessage | None = None
    received_utc_ns: int = 0
    old_boots: tuple[str, ...] = ()
    arrivals: tuple[int, ...] = ()


def wait_ns(sender: LiveSender, now_utc_ns: int) -> int:
    """How long the sender must wait before the next message; 0: it may send now."""
    recent = [at for at in sender.arrivals if 0 <= now_utc_ns - at < NS_PER_S]
    return 0 if len(recent) < PER_SECOND else recent[-PER_SECOND] + NS_PER_S - now_utc_ns


def counted(sender: LiveSender, now_utc_ns: int) -> LiveSender:
    """The sender with one more arrival."""
    return replace(sender, arrivals=(*sender.arrivals, now_utc_ns)[-PER_SECOND:])


def received(sender: LiveSender, message: LiveMessage, now_utc_ns: int) -> LiveSender | None:
    """The sender with this message as the last; None if a newer one came before."""
    last = sender.message
    if message.boot in sender.old_boots:
        return None
    if last is not None and message.boot == last.boot and message.seq <= last.seq:
        return None
    old = sender.old_boots
    if last is not None and message.boot != last.boot:
        old = (*old, last.boot)[-_OLD_BOOTS:]
    return replace(sender, message=message, received_utc_ns=now_utc_ns, old_boots=old)
