"""The link to a real broker: MQTT 5 by paho (3.1.1 for brokers without MQTT 5), which reconnects by itself.

One thread owns the connection and makes every call into paho; owners only put packets into a bounded queue
and wake it. A paho client lives for one connection: packets that the broker has not acknowledged are
sent again by us, so nothing waits in paho without limit. A broker that is frozen keeps its sockets open; the link calls
itself connected only while something arrives (a quiet connection carries pings).
"""

import collections
import contextlib
import selectors
import socket
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from shared.errors import BadInput
from shared.link.backoff import Backoff
from shared.link.canary import CanaryTrial
from shared.link.connection import BrokerConnection, client_id
from shared.link.inflow.filtered_client import FilteredClient
from shared.link.inflow.publish_filter import PublishFilter
from shared.link.inflow.rate_limits import MAX_PACKET_BYTES, RateLimits
from shared.link.interface import Delivery, LinkState, Subscription
from shared.link.liveness import CONNECT_S, Liveness
from shared.link.options import MqttOptions
from shared.link.packets import MessageEncoder, decode_packet
from shared.link.send_queue import SendQueue
from shared.protocol.messages import Body, Message
from shared.protocol.topics import Speaker
from shared.text import joined, text

__all__ = ["MqttLink", "MqttOptions"]

CLOSE_S = 1.0
NAME_TAKEN_WAIT_S = 15.0  # after another client took our name: how long we leave it alone


class MqttLink:
    """A `shared.link.interface.Link` to a real broker."""

    def __init__(self, options: MqttOptions, device: str, boot: str, speaker: Speaker, rate: float = 1.0) -> None:
        """`rate`: seconds of the machines' clock per real second, by which a station limits what each may send."""
        self._encoder = MessageEncoder(device, boot, speaker)
        self._connection = BrokerConnection(options, client_id(device, boot, speaker), self._encoder.will())
        self._lock = threading.Lock()
        self._queue = SendQueue(options.queue_limit)
        self._acks: collections.deque[tuple[Client, int]] = collections.deque()
        self._wake_out, self._wake_in = socket.socketpair()
        self._wake_out.setblocking(False)
        self._wake_in.setblocking(False)
        self._subscriptions: Sequence[Subscription] = ()
        self._on_delivery: Callable[[Delivery], None] | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._backoff = Backoff()
        self._liveness = Liveness(options.keepalive_s)
        self._limits = RateLimits(rate) if speaker == "station" else None  # a car hears nobody but its station
        self._canary = CanaryTrial(options, speaker)
        self._refused = 0
        self._malformed = 0
        self._name_taken = False

    def start(self, subscriptions: Sequence[Subscription], on_delivery: Callable[[Delivery], None]) -> None:
        assert self._thread is None, "a link is started once"
        self._subscriptions = tuple(subscriptions)
        self._on_delivery = on_delivery
        self._liveness.sentence = text("Connecting to the broker at {address}.", address=self._connection.address)
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{self._encoder.device}", daemon=True)
        self._thread.start()

    def publish(self, body: Body, device: str | None = None) -> bool:
        return self.publish_as(self._encoder.message(body), device)

    def publish_as(self, message: Message, device: str | None = None) -> bool:
        packet = self._encoder.packet(message, device)
        with self._lock:
            queued = not self._closing.is_set() and self._queue.put(
                packet, online=self._liveness.connected(time.monotonic())
            )
        self._wake()
        return queued

    def state(self) -> LinkState:
        with self._lock:
            queue, now_s = self._queue, time.monotonic()
            sentence = self._liveness.status_sentence(now_s, self._encoder.device)
            connected = self._liveness.connected(now_s)
            floods = self._limits.floods(now_s) if self._limits is not None else ()
            counts = queue.queued, queue.dropped, self._refused, self._malformed
            return LinkState(connected, sentence, *counts, floods, self._canary.unsafe(now_s) if connected else "")

    def close(self) -> None:
        self._closing.set()
        self._wake()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(CLOSE_S + CONNECT_S)
        if self._thread is None or not self._thread.is_alive():
            self._wake_in.close()
        self._wake_out.close()

    # The thread

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._one_connection()
                with self._lock:
                    if self._liveness.on_disconnected(time.monotonic()):
                        self._backoff.reset()
                    self._queue.on_connection_lost()
                self._closing.wait(NAME_TAKEN_WAIT_S if self._name_taken else self._backoff.next_s())
        finally:
            # Also after a bug in an owner's on_delivery: the pages must not show a dead link as alive.
            self._liveness = Liveness(0.0, text("The link is closed."))
            self._wake_in.close()

    def _one_connection(self) -> None:
        self._liveness.on_connecting(time.monotonic())
        self._name_taken = False
        client = self._connection.new_client(PublishFilter(self._admits))
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        try:
            self._connection.connect(client)
            self._liveness.received_at_s = time.monotonic()
            self._serve(client)
        except OSError as error:
            self._liveness.sentence = text(
                "Cannot reach the broker at {address} ({why}).", address=self._connection.address, why=str(error)
            )
            return
        finally:
            close_socket(client)
        if not self._liveness.answered and not self._closing.is_set():
            self._connection.on_no_answer()

    def _serve(self, client: FilteredClient) -> None:
        """Send and receive until the connection is lost or the link is closed."""
        sock = client.socket()
        deadline_s: float | None = None
        with selectors.DefaultSelector() as selector:
            selector.register(self._wake_in, selectors.EVENT_READ)
            if sock is not None:
                selector.register(sock, selectors.EVENT_READ)
            while sock is not None and client.socket() is sock:
                wants = selectors.EVENT_READ | (selectors.EVENT_WRITE if client.want_write() else 0)
                selector.modify(sock, wants)
                ready = {key.fileobj: events for key, events in selector.select(0.1)}
                if self._wake_in in ready:
                    drain(self._wake_in)
                self._read_and_write(client, sock, ready.get(sock, 0))
                self._send(client)
                if self._liveness.up:
                    self._canary.ask_if_due(client, time.monotonic())
                if self._closing.is_set():
                    deadline_s = deadline_s or time.monotonic() + CLOSE_S
                    if self._all_sent() or time.monotonic() > deadline_s:
                        self._connection.disconnect_with_will(client)
                        return
                elif self._liveness.timed_out(time.monotonic()):
                    return

    def _read_and_write(self, client: FilteredClient, sock: Any, ready: int) -> None:
        if ready & selectors.EVENT_READ:
            client.loop_read()
            while client.socket() is sock and client.has_unread:
                client.loop_read()
            # What was dropped is acknowledged too: else the broker soon sends nothing more that wants an answer.
            self._acks.extend((client, mid) for mid in client.dropped_ids)
            if client.socket() is sock:
                self._liveness.received_at_s = time.monotonic()
        if client.want_write():
            client.loop_write()
        client.loop_misc()

    def _send(self, client: Client) -> None:
        while self._acks:
            delivered_to, mid = self._acks.popleft()
            # An id of an older connection means nothing on this one; the broker sends that delivery again.
            if delivered_to is client:
                client.ack(mid, 1)
        # Never more in paho than the socket takes: what waits, waits in our queue, which is bounded.
        while self._liveness.up and not client.want_write():
            with self._lock:
                packet = self._queue.pop()
            if packet is None:
                return
            mid = self._connection.publish(client, packet)
            if packet.qos:
                with self._lock:
                    self._queue.on_sent(mid)

    def _all_sent(self) -> bool:
        with self._lock:
            return not self._liveness.up or (self._queue.queued == 0 and not self._acks)

    def _wake(self) -> None:
        # A full pipe means that the thread is woken already; a closed one that it has ended.
        with contextlib.suppress(BlockingIOError, OSError):
            self._wake_out.send(b"\0")

    # Callbacks of paho, on the thread

    def _on_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._liveness.answered = reason != "Unsupported protocol version"
            self._liveness.sentence = text(
                "The broker at {address} refused {name}: {reason}.",
                address=self._connection.address,
                name=repr(self._encoder.device),
                reason=str(reason),
            )
            return
        self._canary.on_connected()
        self._connection.subscribe(client, self._subscriptions)
        with self._lock:
            connected = text("Connected to the broker at {address}.", address=self._connection.address)
            notices = [each for each in (self._connection.notice, self._canary.notice) if each]
            self._liveness.on_connected(time.monotonic(), joined([connected, *notices]) if notices else connected)
            self._queue.on_connected()

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        failed = sum(reason.is_failure for reason in reasons)
        if failed:
            self._refused += failed
            self._liveness.sentence = text(
                "The broker does not let {name} subscribe to all that it needs; check the ACL.",
                name=repr(self._encoder.device),
            )

    def _on_publish(
        self, _client: Client, _data: Any, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        tells, now_s = self._connection.tells_refusals, time.monotonic()
        if self._canary.on_answer(mid, denied=reason.is_failure, tells=tells, now_s=now_s):
            return
        with self._lock:
            packet = self._queue.on_answer(mid, refused=reason.is_failure)
        if packet is not None and reason.is_failure:
            self._refused += 1
            self._liveness.sentence = text(
                "The broker refused what we published on {topic}: {reason}.", topic=packet.topic, reason=str(reason)
            )

    def _admits(self, topic: bytes, size: int) -> bool:
        """Is this packet read at all? On the thread, before paho sees it."""
        if self._limits is None:
            return size <= MAX_PACKET_BYTES
        return self._limits.admits(topic, size, time.monotonic())

    def _on_message(self, client: Client, _data: Any, arrived: MQTTMessage) -> None:
        mid, qos = arrived.mid, arrived.qos

        def ack() -> None:
            if qos:
                self._acks.append((client, mid))
                self._wake()

        try:
            if self._canary.is_echo(arrived.topic, bytes(arrived.payload)):
                ack()
                return
            message = decode_packet(arrived.topic, bytes(arrived.payload), arrived.retain)
        except (BadInput, UnicodeDecodeError):
            self._malformed += 1
            ack()
            return
        assert self._on_delivery is not None
        self._on_delivery(Delivery(arrived.topic, message, arrived.retain, ack))

    def _on_disconnect(
        self, _client: Client, _data: Any, _flags: DisconnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        with self._lock:
            self._liveness.up = False
            self._name_taken = reason == "Session taken over"
            if self._name_taken:
                self._liveness.sentence = text(
                    "Another machine took our name at the broker ({name}): give each machine its own; trying again in "
                    "{seconds} s.",
                    name=self._connection.client_id,
                    seconds=f"{NAME_TAKEN_WAIT_S:.0f}",
                )
            elif self._liveness.answered:
                self._liveness.sentence = text(
                    "Lost the broker at {address} ({reason}); trying again.",
                    address=self._connection.address,
                    reason=str(reason),
                )


def close_socket(client: Client) -> None:
    """Close the socket without a DISCONNECT: the broker sends our will."""
    sock = client.socket()
    if sock is not None:
        sock.close()


def drain(wake: socket.socket) -> None:
    """Read and discard the bytes that woke the thread."""
    with contextlib.suppress(BlockingIOError):
        while wake.recv(4096):
            pass
