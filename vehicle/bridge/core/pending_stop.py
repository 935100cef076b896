"""A stop that the console has not confirmed yet: what it is to become, and when to send it again. Pure.

Used by core/stock_car.py. A call to a hung console takes ten seconds, so the next stop does not wait for it: it goes
out beside it, each second, on a connection of its own.
"""

from shared.text import text
from shared.units import NS_PER_S
from vehicle.core.modes import ModeEvent

REPEAT_NS = NS_PER_S
LATE_START_NS = 30 * NS_PER_S  # how long a start that was not confirmed may still be on its way
SAID_AFTER_NS = NS_PER_S // 2  # a stop that takes no longer than usual needs no sentence
_WEIGHT: dict[ModeEvent, int] = {"stop": 0, "withdraw": 1, "trip": 2, "estop": 3}


class PendingStop:
    """`event`: what the modes' table is told; `is_applied`: it was told, and only the console still has to follow.

    `is_confirmed`: the console has followed, and the stop is repeated against a start that it may still obey.
    """

    def __init__(self, event: ModeEvent, reason: str, since_ns: int | None = None) -> None:
        """`since_ns`: when it was ordered; None: when it is first sent."""
        self.event = event
        self.reason = reason
        self.is_applied = False
        self.is_confirmed = False
        self._since_ns = since_ns
        self._sent_ns: int | None = None

    def escalate(self, event: ModeEvent, reason: str) -> None:
        """A graver reason to stop replaces a lesser one; either goes out at once."""
        if _WEIGHT[event] > _WEIGHT[self.event]:
            self.event, self.reason, self.is_applied = event, reason, False
        self.send_again()

    def is_due(self, now_ns: int) -> bool:
        """Whether it is to be sent now; it then counts as sent."""
        if self._sent_ns is not None and now_ns - self._sent_ns < REPEAT_NS:
            return False
        self._since_ns = now_ns if self._since_ns is None else self._since_ns
        self._sent_ns = now_ns
        return True

    def send_again(self) -> None:
        """What was sent so far proves nothing: the next one is due at once."""
        self._sent_ns = None

    def sentence(self, now_ns: int) -> str:
        """What is so while the console is silent, or may still obey a start; "" in the first moment."""
        if self.is_confirmed:
            return text(
                "The car's console did not confirm a start and may still obey it: the stop is repeated for "
                "{seconds} s.",
                seconds=LATE_START_NS // NS_PER_S,
            )
        waited_ns = 0 if self._since_ns is None else now_ns - self._since_ns
        if waited_ns < SAID_AFTER_NS:
            return ""
        return text(
            "The car's console has not confirmed the stop for {seconds} s; it is sent again and again.",
            seconds=waited_ns // NS_PER_S,
        )
