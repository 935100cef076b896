"""The link in memory, on virtual time: loss, delay, repeats, partitions and dead brokers, drawn from a seed.

It guarantees what `mqtt` does, and never more than mosquitto: QoS 0 is lost when either side is away, an unacknowledged
QoS 1 delivery comes again only with a new connection, a killed broker forgets everything. A lost QoS 1
packet breaks its connection, as a lost TCP segment does in the end. The same seed and calls give the same events.

The owner of the time calls `broker.run_until(at_ns)` before it publishes; deliveries are made inside that call.
"""

import itertools
import random
from collections.abc import Callable, Sequence

from shared.errors import BadInput
from shared.link.canary import LET_THROUGH
from shared.link.connection import client_id
from shared.link.inflow.rate_limits import RateLimits
from shared.link.interface import Delivery, LinkState, Subscription
from shared.link.mock_broker import MockBroker
from shared.link.mock_parts import Faults, MockConnection
from shared.link.packets import MessageEncoder, Packet, decode_packet
from shared.link.send_queue import SendQueue
from shared.protocol.messages import Body, Message
from shared.protocol.topics import Speaker
from shared.text import text
from shared.units import NS_PER_MS, NS_PER_S

__all__ = ["Faults", "MockBroker", "MockLink"]

FIRST_RETRY_NS = 100 * NS_PER_MS
MAX_RETRY_NS = 5 * NS_PER_S


class MockLink:
    """A `shared.link.interface.Link` on a `MockBroker`."""

    def __init__(
        self, broker: MockBroker, device: str, boot: str, speaker: Speaker, queue_limit: int = 1000, rate: float = 1.0
    ) -> None:
        self.device = device
        self.client_id = client_id(device, boot, speaker)
        self.speaker: Speaker = speaker
        self.subscriptions: Sequence[Subscription] = ()
        self._encoder = MessageEncoder(device, boot, speaker)
        self.will = self._encoder.will()
        self._broker = broker
        self._queue = SendQueue(queue_limit)
        self._random = random.Random(broker.random.random())
        self._mids = itertools.count(1)
        self._on_delivery: Callable[[Delivery], None] | None = None
        self._connection: MockConnection | None = None
        self._closed = False
        self._tries = 0
        self._limits = RateLimits(rate) if speaker == "station" else None
        self._refused = 0
        self._malformed = 0

    def start(self, subscriptions: Sequence[Subscription], on_delivery: Callable[[Delivery], None]) -> None:
        with self._broker.lock:
            self.subscriptions = tuple(subscriptions)
            self._on_delivery = on_delivery
            self._broker.after(0, self._try_to_connect)

    def publish(self, body: Body, device: str | None = None) -> bool:
        return self.publish_as(self._encoder.message(body), device)

    def publish_as(self, message: Message, device: str | None = None) -> bool:
        with self._broker.lock:
            packet = self._encoder.packet(message, device)
            queued = not self._closed and self._queue.put(packet, online=self._connection is not None)
            self._send_waiting()
            return queued

    def state(self) -> LinkState:
        with self._broker.lock:
            connected = self._connection is not None
            sentence = text("Connected to the broker.") if connected else text("Waiting for the broker.")
            queue = self._queue
            floods = self._limits.floods(self._broker.now_ns / NS_PER_S) if self._limits is not None else ()
            counts = queue.queued, queue.dropped, self._refused, self._malformed
            unsafe = LET_THROUGH if self.speaker == "station" and connected and self._broker.is_open else ""
            return LinkState(connected, sentence, *counts, floods, unsafe)

    def close(self) -> None:
        with self._broker.lock:
            connection, self._closed, self._connection = self._connection, True, None
            if connection is not None:
                self._broker.transmit(connection, "up", 1, lambda: self._broker.disconnect_with_will(connection))

    def vanish(self) -> None:
        """The process dies (`kill -9`): nothing is sent, the socket just closes."""
        with self._broker.lock:
            self._closed = True
            if self._connection is not None:
                self._broker.break_connection(self._connection)

    # Callbacks of the broker, on its time

    def on_packet(self, connection: MockConnection, packet: Packet, mid: int, retained: bool) -> None:
        def ack() -> None:
            with self._broker.lock:
                if packet.qos and self._connection is connection:
                    self._broker.transmit(connection, "up", 1, lambda: self._broker.acknowledged(self.client_id, mid))

        if not self._admits(packet):
            ack()
            return
        try:
            message = decode_packet(packet.topic, packet.payload, retained)
        except BadInput:
            self._malformed += 1
            ack()
            return
        if self._on_delivery is not None and not self._closed:
            self._on_delivery(Delivery(packet.topic, message, retained, ack))

    def on_answer(self, mid: int, refused: bool) -> None:
        if refused:
            self._refused += 1
        self._queue.on_answer(mid, refused=refused)
        self._send_waiting()

    def on_connection_lost(self, connection: MockConnection) -> None:
        if self._connection is connection:
            self._connection = None
            self._queue.on_connection_lost()
            self._retry()

    # Inside

    def _admits(self, packet: Packet) -> bool:
        now_s, size = self._broker.now_ns / NS_PER_S, len(packet.topic) + len(packet.payload)
        return self._limits is None or self._limits.admits(packet.topic.encode(), size, now_s)

    def _try_to_connect(self) -> None:
        if self._closed or self._connection is not None:
            return
        connection = self._broker.connect(self)
        if connection is None:
            self._retry()
            return
        self._tries, self._connection = 0, connection
        self._queue.on_connected()
        self._broker.start_session(connection)
        self._send_waiting()

    def _retry(self) -> None:
        if not self._closed:
            max_ns = min(MAX_RETRY_NS, FIRST_RETRY_NS * 2 ** min(self._tries, 10))
            self._tries += 1
            self._broker.after(self._random.randint(max_ns // 2, max_ns), self._try_to_connect)

    def _send_waiting(self) -> None:
        while (connection := self._connection) is not None and (packet := self._queue.pop()) is not None:
            self._send(connection, packet)

    def _send(self, connection: MockConnection, packet: Packet) -> None:
        mid = next(self._mids)
        if packet.qos:
            self._queue.on_sent(mid)
        self._broker.transmit(connection, "up", packet.qos, lambda: self._broker.receive(connection, packet, mid))
