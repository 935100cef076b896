"""The wire in earnest: MQTT 5 by paho (3.1.1 for brokers that know no 5), mended by itself.

One thread owns the connection and makes every call into paho; owners only put packets into bounded lanes
and wake it. A paho client lives for one connection: what the broker has not answered is ours to send again,
so nothing waits in paho without limit. A broker that is frozen keeps its sockets open; the link calls
itself connected only while it hears from the other side (a ping is asked for when it is quiet).
"""

import collections
import contextlib
import selectors
import socket
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from shared.errors import BadInput
from shared.link.backoff import Backoff
from shared.link.connection import BrokerConnection, client_id
from shared.link.interface import Delivery, LinkState, Subscription
from shared.link.liveness import CONNECT_S, Liveness
from shared.link.options import MqttOptions
from shared.link.packets import MessageEncoder, decode_packet
from shared.link.send_queue import SendQueue
from shared.protocol.messages import Body, Message
from shared.protocol.topics import Speaker

__all__ = ["MqttLink", "MqttOptions"]

GOODBYE_S = 1.0
TAKEN_S = 15.0  # whoever was knocked off by its own name lets the other one be for so long


class MqttLink:
    """A `shared.link.interface.Link` to a real broker."""

    def __init__(self, options: MqttOptions, device: str, boot: str, speaker: Speaker) -> None:
        self._voice = MessageEncoder(device, boot, speaker)
        self._dial = BrokerConnection(options, client_id(device, boot, speaker), self._voice.goodbye())
        self._lock = threading.Lock()
        self._outgoing = SendQueue(options.queue_limit)
        self._acks: collections.deque[tuple[Client, int]] = collections.deque()
        self._wake_out, self._wake_in = socket.socketpair()
        self._wake_out.setblocking(False)
        self._wake_in.setblocking(False)
        self._subscriptions: Sequence[Subscription] = ()
        self._on_delivery: Callable[[Delivery], None] | None = None
        self._thread: threading.Thread | None = None
        self._closing = threading.Event()
        self._backoff = Backoff()
        self._life = Liveness(options.keepalive_s)
        self._refused = 0
        self._malformed = 0
        self._taken = False

    def start(self, subscriptions: Sequence[Subscription], on_delivery: Callable[[Delivery], None]) -> None:
        assert self._thread is None, "a link is started once"
        self._subscriptions = tuple(subscriptions)
        self._on_delivery = on_delivery
        self._life.sentence = f"Connecting to the broker at {self._dial.address}."
        self._thread = threading.Thread(target=self._run, name=f"mqtt-{self._voice.device}", daemon=True)
        self._thread.start()

    def publish(self, body: Body, device: str | None = None) -> bool:
        return self.publish_as(self._voice.message(body), device)

    def publish_as(self, message: Message, device: str | None = None) -> bool:
        packet = self._voice.packet(message, device)
        with self._lock:
            taken = not self._closing.is_set() and self._outgoing.offer(
                packet, online=self._life.connected(time.monotonic())
            )
        self._wake()
        return taken

    def state(self) -> LinkState:
        with self._lock:
            queue, now_s = self._outgoing, time.monotonic()
            sentence = self._life.told(now_s, self._voice.device)
            connected = self._life.connected(now_s)
            return LinkState(connected, sentence, queue.queued, queue.dropped, self._refused, self._malformed)

    def close(self) -> None:
        self._closing.set()
        self._wake()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join(GOODBYE_S + CONNECT_S)
        if self._thread is None or not self._thread.is_alive():
            self._wake_in.close()
        self._wake_out.close()

    # The thread

    def _run(self) -> None:
        try:
            while not self._closing.is_set():
                self._one_connection()
                with self._lock:
                    if self._life.ended(time.monotonic()):
                        self._backoff.reset()
                    self._outgoing.lost()
                self._closing.wait(TAKEN_S if self._taken else self._backoff.next_s())
        finally:
            # Also after a bug in an owner's on_delivery: the screens must not show a dead link as alive.
            self._life = Liveness(0.0, "The link is closed.")
            self._wake_in.close()

    def _one_connection(self) -> None:
        self._life.dialled(time.monotonic())
        self._taken = False
        client = self._dial.client()
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_publish = self._on_publish
        client.on_message = self._on_message
        client.on_disconnect = self._on_disconnect
        try:
            self._dial.connect(client)
            self._life.heard_at_s = time.monotonic()
            self._serve(client)
        except OSError as error:
            self._life.sentence = f"Cannot reach the broker at {self._dial.address} ({error})."
            return
        finally:
            hang_up(client)
        if not self._life.answered and not self._closing.is_set():
            self._dial.no_answer()

    def _serve(self, client: Client) -> None:
        """Until the connection is lost or we are closed."""
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
                self._move(client, sock, ready.get(sock, 0))
                self._send(client)
                if self._closing.is_set():
                    deadline_s = deadline_s or time.monotonic() + GOODBYE_S
                    if self._said_all() or time.monotonic() > deadline_s:
                        self._dial.leave(client)
                        return
                elif self._life.given_up(time.monotonic()):
                    return

    def _move(self, client: Client, sock: Any, ready: int) -> None:
        if ready & selectors.EVENT_READ:
            client.loop_read()
            # TLS may hold decrypted bytes that no selector can see.
            while isinstance(sock, ssl.SSLSocket) and sock.fileno() >= 0 and sock.pending():
                client.loop_read()
            if client.socket() is sock:
                self._life.heard_at_s = time.monotonic()
        if client.want_write():
            client.loop_write()
        client.loop_misc()

    def _send(self, client: Client) -> None:
        while self._acks:
            its, mid = self._acks.popleft()
            # An id of an older connection means nothing on this one; the broker sends that delivery again.
            if its is client:
                client.ack(mid, 1)
        # Never more in paho than the socket takes: what waits, waits in our lanes, where it is bounded.
        while self._life.up and not client.want_write():
            with self._lock:
                packet = self._outgoing.take()
            if packet is None:
                return
            mid = self._dial.publish(client, packet)
            if packet.qos:
                with self._lock:
                    self._outgoing.sent(mid)

    def _said_all(self) -> bool:
        with self._lock:
            return not self._life.up or (self._outgoing.queued == 0 and not self._acks)

    def _wake(self) -> None:
        # A full pipe means that the thread has been told already; a closed one that it is gone.
        with contextlib.suppress(BlockingIOError, OSError):
            self._wake_out.send(b"\0")

    # What paho calls, on the thread

    def _on_connect(
        self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        if reason.is_failure:
            self._life.answered = reason != "Unsupported protocol version"
            self._life.sentence = f"The broker at {self._dial.address} refused {self._voice.device!r}: {reason}."
            return
        self._dial.subscribe(client, self._subscriptions)
        with self._lock:
            self._life.greeted(time.monotonic(), f"Connected to the broker at {self._dial.address}.")
            self._outgoing.connected()

    def _on_subscribe(
        self, _client: Client, _data: Any, _mid: int, reasons: list[ReasonCode], _properties: Properties | None
    ) -> None:
        failed = sum(reason.is_failure for reason in reasons)
        if failed:
            self._refused += failed
            self._life.sentence = f"The broker lets {self._voice.device!r} not hear all that it must; check the ACL."

    def _on_publish(
        self, _client: Client, _data: Any, mid: int, reason: ReasonCode, _properties: Properties | None
    ) -> None:
        with self._lock:
            packet = self._outgoing.answered(mid, refused=reason.is_failure)
        if packet is not None and reason.is_failure:
            self._refused += 1
            self._life.sentence = f"The broker refused what we said on {packet.topic}: {reason}."

    def _on_message(self, client: Client, _data: Any, arrived: MQTTMessage) -> None:
        mid, qos = arrived.mid, arrived.qos

        def ack() -> None:
            if qos:
                self._acks.append((client, mid))
                self._wake()

        try:
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
            self._life.up = False
            self._taken = reason == "Session taken over"
            if self._taken:
                self._life.sentence = (
                    f"Another machine took our name at the broker ({self._dial.client_id}): give each machine its own; "
                    f"trying again in {TAKEN_S:.0f} s."
                )
            elif self._life.answered:
                self._life.sentence = f"Lost the broker at {self._dial.address} ({reason}); trying again."


def hang_up(client: Client) -> None:
    """Close the socket without a goodbye: the broker sends our will."""
    sock = client.socket()
    if sock is not None:
        sock.close()


def drain(wake: socket.socket) -> None:
    with contextlib.suppress(BlockingIOError):
        while wake.recv(4096):
            pass
