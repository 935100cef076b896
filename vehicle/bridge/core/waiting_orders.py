"""Orders to arm and to start, which wait for a stock console, each until its time is over. Pure.

Used by stock_car.py, which obeys them. An order is done once: what comes again under its id is not obeyed again.
"""

from collections import deque
from dataclasses import dataclass

from shared.protocol.messages import DriveOrder

MAX_DONE_IDS = 64


@dataclass(frozen=True, slots=True)
class WaitingOrder:
    """An order that waits, at the latest until `until_ns`."""

    order: DriveOrder
    until_ns: int


class WaitingOrders:
    """At most one order to arm and one to start; a newer one takes the older one's place. Times as in stock_car.py."""

    def __init__(self) -> None:
        self._waiting: dict[str, WaitingOrder] = {}  # by action
        self._done_ids: deque[str] = deque(maxlen=MAX_DONE_IDS)

    @property
    def arm(self) -> DriveOrder | None:
        return self._of("arm")

    @property
    def start(self) -> DriveOrder | None:
        return self._of("start")

    def wait(self, order: DriveOrder, until_ns: int) -> None:
        """Let the order wait."""
        self._waiting[order.action] = WaitingOrder(order, until_ns)

    def is_done(self, order: DriveOrder) -> bool:
        """Whether it was done, or refused, before."""
        return order.order_id in self._done_ids

    def end(self, order: DriveOrder) -> None:
        """It is done, or refused: it waits no longer, and counts for nothing when it comes again."""
        self._done_ids.append(order.order_id)
        self._waiting.pop(order.action, None)

    def drop(self) -> None:
        """Nothing waits any longer: a stop goes before."""
        self._waiting.clear()

    def before(self, heartbeat: int) -> list[DriveOrder]:
        """Those that answer an earlier heartbeat."""
        return [each.order for each in self._waiting.values() if each.order.heartbeat < heartbeat]

    def expired(self, now_ns: int) -> list[DriveOrder]:
        """Those whose time is over; they wait no longer."""
        over = [each.order for each in self._waiting.values() if now_ns > each.until_ns]
        for order in over:
            del self._waiting[order.action]
        return over

    def _of(self, action: str) -> DriveOrder | None:
        waiting = self._waiting.get(action)
        return None if waiting is None else waiting.order
