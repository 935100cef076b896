"""What cars sent and nobody has read yet: of each machine and kind of message only the newest.

Filled by the link's thread (receiver.py), emptied by the live thread (station.py). A heartbeat that waited behind a
stall is worth nothing once a newer one of its machine is there: a lease that answers it comes too late to count.
"""

import threading

from shared.link.interface import Delivery
from shared.protocol import messages as m

MAX_WAITING = 2_048  # machines times kinds; a name that a boot invents takes a place too


class CarMailbox:
    """Thread-safe; in the order in which the newest ones arrived."""

    def __init__(self) -> None:
        self._waiting: dict[tuple[type[m.Body], str, str], Delivery] = {}
        self._changed = threading.Condition()

    def put(self, delivery: Delivery) -> None:
        """Add a message; one that it replaces is acknowledged, for it will not be read."""
        envelope = delivery.message.envelope
        key = (type(delivery.message.body), envelope.device, envelope.boot)
        with self._changed:
            replaced = self._waiting.pop(key, None)
            if replaced is None and len(self._waiting) >= MAX_WAITING:
                replaced = self._waiting.pop(next(iter(self._waiting)))
            self._waiting[key] = delivery
            self._changed.notify()
        if replaced is not None:
            replaced.ack()

    def take(self, wait_s: float = 0.0) -> list[Delivery]:
        """All that waits; waits up to `wait_s` for the first message."""
        with self._changed:
            if not self._waiting and wait_s:
                self._changed.wait(wait_s)
            taken, self._waiting = list(self._waiting.values()), {}
        return taken
