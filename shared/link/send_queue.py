"""What waits to be sent: bounded lanes that never block. Pure, and the same for the wire and its mock.

QoS 0 is worth something only now: a short lane, emptied when the connection is lost. QoS 1 waits in order
until the broker has answered; when the lane is full the newcomer is refused, because the oldest may be
the one that somebody counts on. A state has one place per topic: the newest replaces the older, and the
last one said is said again after each connect, since the broker may have forgotten it or have put our
will in its place.
"""

from collections import deque
from collections.abc import Hashable

from shared.link.packets import Packet

FAST_LIMIT = 64


class SendQueue:
    """Lanes of packets; `window` is how many QoS 1 packets may be unanswered at a time."""

    def __init__(self, limit: int = 1000, window: int = 16) -> None:
        self._limit = limit
        self._window = window
        self._fast: deque[Packet] = deque()
        self._kept: dict[Hashable, Packet] = {}
        self._flying: dict[int, tuple[Hashable, Packet]] = {}
        self._states: dict[str, Packet] = {}
        self._hand: tuple[Hashable, Packet] | None = None
        self._number = 0
        self.dropped = 0

    @property
    def queued(self) -> int:
        return len(self._fast) + len(self._kept) + len(self._flying)

    def offer(self, packet: Packet, *, online: bool) -> bool:
        """Take a packet in; False if it is dropped."""
        if packet.state:
            self._states[packet.topic] = packet
            self._keep(packet.topic, packet)
            return True
        if packet.qos == 0:
            return self._offer_fast(packet, online)
        if self._counted() >= self._limit:
            self.dropped += 1
            return False
        self._number += 1
        self._keep(self._number, packet)
        return True

    def take(self) -> Packet | None:
        """The next packet that may be written now. A QoS 1 packet must be reported by `sent` before the next."""
        assert self._hand is None, "the packet before was not reported"
        if self._fast:
            return self._fast.popleft()
        if self._kept and len(self._flying) < self._window:
            key = next(iter(self._kept))
            self._hand = (key, self._kept.pop(key))
            return self._hand[1]
        return None

    def sent(self, mid: int) -> None:
        """The QoS 1 packet that `take` gave was written under this message id."""
        assert self._hand is not None, "nothing was taken"
        self._flying[mid], self._hand = self._hand, None

    def answered(self, mid: int, *, refused: bool = False) -> Packet | None:
        """The broker answered; the packet if it was ours. A refused state is not said again."""
        entry = self._flying.pop(mid, None)
        if entry is None:
            return None
        if refused and self._states.get(entry[1].topic) is entry[1]:
            del self._states[entry[1].topic]
        return entry[1]

    def connected(self) -> None:
        """A connection stands: the states are due again."""
        for topic, packet in self._states.items():
            self._kept.setdefault(topic, packet)

    def lost(self) -> None:
        """The connection is gone: the unanswered go back to the front, the fast lane is stale."""
        self.dropped += len(self._fast)
        self._fast.clear()
        # A newer state that waits already takes the place of the one that was under way.
        again = {key: packet for key, packet in self._flying.values() if key not in self._kept}
        self._kept = again | self._kept
        self._flying.clear()

    def _offer_fast(self, packet: Packet, online: bool) -> bool:
        if not online:
            self.dropped += 1
            return False
        if len(self._fast) >= FAST_LIMIT:
            self._fast.popleft()
            self.dropped += 1
        self._fast.append(packet)
        return True

    def _keep(self, key: Hashable, packet: Packet) -> None:
        # A state moves to the end, so that it never overtakes what was said before it.
        self._kept.pop(key, None)
        self._kept[key] = packet

    def _counted(self) -> int:
        return len(self._kept) + len(self._flying)
