"""The packets that wait to be sent to a broker: bounded, never blocking. Pure; used by both links, MQTT and mock.

A QoS 0 packet is worth something only now: its queue is short, and emptied when the connection is lost. QoS 1
packets wait in order until the broker has acknowledged them; when their queue is full the new packet is refused,
because a peer may depend on the oldest. A state has one place per topic: the newest replaces the older one, and the
newest is sent again after each connect, since the broker may have lost it or have replaced it by our will.
"""

from collections import deque
from collections.abc import Hashable

from shared.link.packets import Packet

QOS0_LIMIT = 64


class SendQueue:
    """`limit`: how many QoS 1 packets may wait; `window`: how many of them may be unacknowledged at a time."""

    def __init__(self, limit: int = 1000, window: int = 16) -> None:
        self._limit = limit
        self._window = window
        self._qos0: deque[Packet] = deque()
        self._waiting: dict[Hashable, Packet] = {}
        self._in_flight: dict[int, tuple[Hashable, Packet]] = {}
        self._states: dict[str, Packet] = {}
        self._taken: tuple[Hashable, Packet] | None = None
        self._number = 0
        self.dropped = 0

    @property
    def queued(self) -> int:
        return len(self._qos0) + len(self._waiting) + len(self._in_flight)

    def put(self, packet: Packet, *, online: bool) -> bool:
        """Queue a packet; False if it is dropped."""
        if packet.state:
            self._states[packet.topic] = packet
            self._put_last(packet.topic, packet)
            return True
        if packet.qos == 0:
            return self._put_qos0(packet, online)
        if self._qos1_count() >= self._limit:
            self.dropped += 1
            return False
        self._number += 1
        self._put_last(self._number, packet)
        return True

    def pop(self) -> Packet | None:
        """The next packet that may be written now. After a QoS 1 packet `on_sent` must be called before the next."""
        assert self._taken is None, "the packet before was not reported"
        if self._qos0:
            return self._qos0.popleft()
        if self._waiting and len(self._in_flight) < self._window:
            key = next(iter(self._waiting))
            self._taken = (key, self._waiting.pop(key))
            return self._taken[1]
        return None

    def on_sent(self, mid: int) -> None:
        """The QoS 1 packet that `pop` returned was written under this message id."""
        assert self._taken is not None, "nothing was taken"
        self._in_flight[mid], self._taken = self._taken, None

    def on_answer(self, mid: int, *, refused: bool = False) -> Packet | None:
        """The broker acknowledged or refused a packet: returns it if it was ours. A refused state is not sent again."""
        entry = self._in_flight.pop(mid, None)
        if entry is None:
            return None
        if refused and self._states.get(entry[1].topic) is entry[1]:
            del self._states[entry[1].topic]
        return entry[1]

    def on_connected(self) -> None:
        """A connection was accepted: the states are due again."""
        for topic, packet in self._states.items():
            self._waiting.setdefault(topic, packet)

    def on_connection_lost(self) -> None:
        """The connection is lost: unacknowledged packets go back to the front, QoS 0 packets are dropped."""
        self.dropped += len(self._qos0)
        self._qos0.clear()
        # A newer state that waits already replaces the one that was in flight.
        unacknowledged = {key: packet for key, packet in self._in_flight.values() if key not in self._waiting}
        self._waiting = unacknowledged | self._waiting
        self._in_flight.clear()

    def _put_qos0(self, packet: Packet, online: bool) -> bool:
        if not online:
            self.dropped += 1
            return False
        if len(self._qos0) >= QOS0_LIMIT:
            self._qos0.popleft()
            self.dropped += 1
        self._qos0.append(packet)
        return True

    def _put_last(self, key: Hashable, packet: Packet) -> None:
        # A state moves to the end, so that it never overtakes what was published before it.
        self._waiting.pop(key, None)
        self._waiting[key] = packet

    def _qos1_count(self) -> int:
        return len(self._waiting) + len(self._in_flight)
