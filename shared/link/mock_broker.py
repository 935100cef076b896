"""The broker of the mock link and the network around it: virtual time, sessions, wills, faults by seed."""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

from shared.link.acl import may_read, may_write
from shared.link.mock_parts import BrokerClient, Faults, MockConnection, MockSession
from shared.link.packets import Packet, matches
from shared.units import NS_PER_S
from shared.virtual_time import VirtualTime

KEEPALIVE_NS = 2 * NS_PER_S
BREAK_NS = NS_PER_S // 2
QUEUE_PER_SESSION = 1000


class MockBroker:
    """The broker and the network around it. `injected` counts the faults by kind."""

    def __init__(self, seed: int = 0, faults: Faults | None = None) -> None:
        self.lock = threading.RLock()
        self._time = VirtualTime()
        self._tokens = itertools.count()
        self.faults = faults or Faults()
        self.injected: Counter[str] = Counter()
        self.random = random.Random(seed)
        self.retained: dict[str, Packet] = {}
        self._mids = itertools.count(1)
        self._sessions: dict[str, MockSession] = {}
        self._partitioned: dict[str, int] = {}
        self._frozen: int | None = None
        self._up = True
        self._refused: set[tuple[str, str]] = set()
        self.is_open = False  # it enforces no access rules

    @property
    def now_ns(self) -> int:
        """The broker's virtual time in ns."""
        return self._time.now_ns

    @property
    def next_at_ns(self) -> int | None:
        """The time of the next event; None if none is planned."""
        return self._time.next_at_ns

    def run_until(self, at_ns: int) -> None:
        """Run every event up to and including `at_ns`; deliveries are made inside this call."""
        with self.lock:
            self._time.run_until(at_ns)

    def after(self, delay_ns: int, action: Callable[[], None]) -> None:
        """Plan `action` for `delay_ns` from now on the broker's time."""
        self._time.after(delay_ns, action)

    # Faults by hand

    def partition(self, device: str) -> None:
        """Cut this machine off: no packet passes; both ends notice it by their keep-alives only."""
        with self.lock:
            token = next(self._tokens)
            self._partitioned[device] = token
            self.injected["partition"] += 1
            for connection in self._connections_of(device):
                self.after(KEEPALIVE_NS, partial(self._link_notices_parting, connection, token))
                self.after(KEEPALIVE_NS * 3 // 2, partial(self._broker_notices, device, connection, token))

    def heal(self, device: str) -> None:
        """End the partition; what TCP still holds arrives late, in a burst."""
        with self.lock:
            if self._partitioned.pop(device, None) is not None:
                for connection in self._connections_of(device):
                    self._release(connection)

    def freeze(self) -> None:
        """SIGSTOP: sockets stay open, nothing answers."""
        with self.lock:
            self._frozen = token = next(self._tokens)
            self.injected["freeze"] += 1
            for connection in self._connections():
                self.after(KEEPALIVE_NS, partial(self._link_notices_freeze, connection, token))

    def thaw(self) -> None:
        """SIGCONT: everything that waited arrives in a burst, however stale."""
        with self.lock:
            self._frozen = None
            for connection in self._connections():
                if connection.link.device not in self._partitioned:
                    self._release(connection)
                if not connection.open:
                    self._drop(connection)

    def kill(self) -> None:
        """`kill -9`: sessions, queues and retained states are forgotten; every link sees its socket close."""
        with self.lock:
            connections = list(self._connections())
            self._up, self._frozen = False, None
            self._sessions.clear()
            self.retained.clear()
            self.injected["kill"] += 1
            for connection in connections:
                self._close(connection)

    def restart(self) -> None:
        """A new, empty broker answers on the old address."""
        with self.lock:
            self._up = True

    def refuse(self, device: str, topic_filter: str) -> None:
        """An access rule: what this machine publishes there is refused (MQTT 5: 'Not authorized')."""
        self._refused.add((device, topic_filter))

    def inject(self, topic: str, payload: bytes, qos: int = 0, *, state: bool = False) -> None:
        """Publish arbitrary bytes, as a client that is not one of ours."""
        with self.lock:
            self._route(Packet(topic, payload, qos, state))

    def unacknowledged(self, device: str) -> int:
        """How many QoS 1 deliveries the broker still holds for this machine."""
        return sum(len(session.unacked) for session in self._sessions.values() if session.device == device)

    # What links do

    def connect(self, link: BrokerClient) -> MockConnection | None:
        """A new connection, or None while the broker cannot be reached."""
        if not self._up or self._frozen is not None or link.device in self._partitioned:
            return None
        session = self._sessions.setdefault(link.client_id, MockSession(link.device))
        if session.connection is not None:
            self.break_connection(session.connection)
        connection = session.connection = MockConnection(link, up_ns=self.now_ns, down_ns=self.now_ns)
        session.filters = [subscription.filter for subscription in link.subscriptions]
        return connection

    def start_session(self, connection: MockConnection) -> None:
        """Send, after the subscriptions, the retained states, then all that was not acknowledged."""
        session = self._sessions[connection.link.client_id]
        waiting = list(session.unacked.items())
        for packet in list(self.retained.values()):
            if any(matches(f, packet.topic) for f in session.filters):
                self._deliver(session, packet, retained=True)
        for mid, (packet, retained) in waiting:
            self._hand_over(connection, packet, mid, retained)

    def receive(self, connection: MockConnection, packet: Packet, mid: int) -> None:
        """A PUBLISH arrived at the broker: route it, then answer."""
        refused = not self._allowed(connection.link, packet.topic)
        if not refused:
            self._route(packet)
        if packet.qos:
            self.transmit(connection, "down", 1, lambda: connection.link.on_answer(mid, refused))

    def acknowledged(self, client_id: str, mid: int) -> None:
        if session := self._sessions.get(client_id):
            session.unacked.pop(mid, None)

    def break_connection(self, connection: MockConnection) -> None:
        """The connection breaks where both ends see it: the will is sent."""
        self._close(connection)
        self._drop(connection)

    def disconnect_with_will(self, connection: MockConnection) -> None:
        """A client disconnected 'with will' (MQTT 5, reason 4); its session stays."""
        self._drop(connection)
        connection.open = False

    def transmit(self, connection: MockConnection, leg: str, qos: int, action: Callable[[], None]) -> None:
        """Send one packet over the connection, subject to the faults."""
        if not connection.open or leg in connection.broken_legs:
            return
        faults, rng = self.faults, self.random
        if faults.loss and rng.random() < faults.loss:
            self.injected["loss"] += 1
            if qos:
                # What follows on this leg waits for the lost packet in vain; the other leg works until the end.
                connection.broken_legs.add(leg)
                self.after(BREAK_NS, lambda: self.break_connection(connection))
            return
        delay_ns = rng.randint(*faults.delay_ns) if faults.delay_ns[1] else 0
        if faults.late and rng.random() < faults.late:
            self.injected["late"] += 1
            delay_ns += rng.randint(0, faults.late_ns)
        copies = 1
        if qos and faults.repeat and rng.random() < faults.repeat:
            self.injected["repeat"] += 1
            copies = 2
        at_ns = max(self.now_ns + delay_ns, connection.up_ns if leg == "up" else connection.down_ns)
        if leg == "up":
            connection.up_ns = at_ns
        else:
            connection.down_ns = at_ns
        for _ in range(copies):
            self.after(at_ns - self.now_ns, lambda: self._arrive(connection, action))

    # Inside

    def _arrive(self, connection: MockConnection, action: Callable[[], None]) -> None:
        if not connection.open:
            return
        if self._frozen is not None or connection.link.device in self._partitioned:
            connection.waiting.append(action)
        else:
            action()

    def _release(self, connection: MockConnection) -> None:
        waiting, connection.waiting = connection.waiting, []
        for action in waiting:
            if connection.open:
                action()

    def _route(self, packet: Packet) -> None:
        if packet.state:
            self.retained[packet.topic] = packet
        for session in self._sessions.values():
            if any(matches(f, packet.topic) for f in session.filters):
                self._deliver(session, packet, retained=False)

    def _deliver(self, session: MockSession, packet: Packet, retained: bool) -> None:
        mid = next(self._mids)
        if packet.qos:
            if len(session.unacked) >= QUEUE_PER_SESSION:
                self.injected["overflow"] += 1
                return
            session.unacked[mid] = (packet, retained)
        if session.connection is not None:
            self._hand_over(session.connection, packet, mid, retained)

    def _hand_over(self, connection: MockConnection, packet: Packet, mid: int, retained: bool) -> None:
        if self.is_open or may_read(connection.link.speaker, connection.link.device, packet.topic):
            self.transmit(
                connection, "down", packet.qos, lambda: connection.link.on_packet(connection, packet, mid, retained)
            )

    def _close(self, connection: MockConnection) -> None:
        if connection.open:
            connection.open = False
            connection.waiting.clear()
            connection.link.on_connection_lost(connection)

    def _drop(self, connection: MockConnection) -> None:
        session = self._sessions.get(connection.link.client_id)
        if session is not None and session.connection is connection:
            session.connection = None
            self._route(connection.link.will)

    def _link_notices(self, connection: MockConnection, still: bool) -> None:
        if still:
            self._close(connection)

    def _link_notices_parting(self, connection: MockConnection, token: int) -> None:
        self._link_notices(connection, self._partitioned.get(connection.link.device) == token)

    def _link_notices_freeze(self, connection: MockConnection, token: int) -> None:
        self._link_notices(connection, self._frozen == token)

    def _broker_notices(self, device: str, connection: MockConnection, token: int) -> None:
        if self._partitioned.get(device) == token or not connection.open:
            self._close(connection)
            self._drop(connection)

    def _connections_of(self, device: str) -> list[MockConnection]:
        """The connections of all boots and all machines that use the name."""
        return [connection for connection in self._connections() if connection.link.device == device]

    def _connections(self) -> list[MockConnection]:
        return [session.connection for session in self._sessions.values() if session.connection is not None]

    def _allowed(self, link: BrokerClient, topic: str) -> bool:
        if any(link.device == device and matches(f, topic) for device, f in self._refused):
            return False
        return self.is_open or may_write(link.speaker, link.device, topic)
