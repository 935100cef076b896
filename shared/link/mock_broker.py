"""The broker of the mock wire and the network around it: virtual time, sessions, wills, faults by seed."""

import itertools
import random
import threading
from collections import Counter
from collections.abc import Callable
from functools import partial

from shared.link.acl import may_read, may_write
from shared.link.mock_parts import Client, Faults, MockConnection, MockSession
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
        self._apart: dict[str, int] = {}
        self._frozen: int | None = None
        self._up = True
        self._refused: set[tuple[str, str]] = set()

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
        """No packet passes to or from this machine; both ends notice by their keep-alives only."""
        with self.lock:
            token = next(self._tokens)
            self._apart[device] = token
            self.injected["partition"] += 1
            for wire in self._wires_of(device):
                self.after(KEEPALIVE_NS, partial(self._link_notices_parting, wire, token))
                self.after(KEEPALIVE_NS * 3 // 2, partial(self._broker_notices, device, wire, token))

    def heal(self, device: str) -> None:
        """The network is whole again; what TCP still holds arrives late, in a burst."""
        with self.lock:
            if self._apart.pop(device, None) is not None:
                for wire in self._wires_of(device):
                    self._release(wire)

    def freeze(self) -> None:
        """SIGSTOP: sockets stay open, nothing answers."""
        with self.lock:
            self._frozen = token = next(self._tokens)
            self.injected["freeze"] += 1
            for wire in self._wires():
                self.after(KEEPALIVE_NS, partial(self._link_notices_freeze, wire, token))

    def thaw(self) -> None:
        """SIGCONT: everything that waited comes in a burst, stale as it is."""
        with self.lock:
            self._frozen = None
            for wire in self._wires():
                if wire.link.device not in self._apart:
                    self._release(wire)
                if not wire.open:
                    self._drop(wire)

    def kill(self) -> None:
        """`kill -9`: sessions, queues and retained states are forgotten; every link sees its socket close."""
        with self.lock:
            wires = list(self._wires())
            self._up, self._frozen = False, None
            self._sessions.clear()
            self.retained.clear()
            self.injected["kill"] += 1
            for wire in wires:
                self._close(wire)

    def restart(self) -> None:
        """A new, empty broker answers on the old address."""
        with self.lock:
            self._up = True

    def refuse(self, device: str, topic_filter: str) -> None:
        """An access rule: what this machine publishes there is refused (MQTT 5: 'Not authorized')."""
        self._refused.add((device, topic_filter))

    def inject(self, topic: str, payload: bytes, qos: int = 0, *, state: bool = False) -> None:
        """Somebody else publishes arbitrary bytes."""
        with self.lock:
            self._route(Packet(topic, payload, qos, state))

    def unacknowledged(self, device: str) -> int:
        """How many QoS 1 deliveries the broker still holds for this machine."""
        return sum(len(session.unacked) for session in self._sessions.values() if session.device == device)

    # What links do

    def connect(self, link: Client) -> MockConnection | None:
        """A new connection, or None while the broker cannot be reached."""
        if not self._up or self._frozen is not None or link.device in self._apart:
            return None
        session = self._sessions.setdefault(link.client_id, MockSession(link.device))
        if session.wire is not None:
            self.cut(session.wire)
        wire = session.wire = MockConnection(link, up_ns=self.now_ns, down_ns=self.now_ns)
        session.filters = [subscription.filter for subscription in link.subscriptions]
        return wire

    def greet(self, wire: MockConnection) -> None:
        """After the subscriptions: the retained states, then all that was not acknowledged."""
        session = self._sessions[wire.link.client_id]
        waiting = list(session.unacked.items())
        for packet in list(self.retained.values()):
            if any(matches(f, packet.topic) for f in session.filters):
                self._deliver(session, packet, retained=True)
        for mid, (packet, retained) in waiting:
            self._hand_over(wire, packet, mid, retained)

    def receive(self, wire: MockConnection, packet: Packet, mid: int) -> None:
        """A PUBLISH arrived at the broker: route it, then answer."""
        refused = not self._allowed(wire.link, packet.topic)
        if not refused:
            self._route(packet)
        if packet.qos:
            self.carry(wire, "down", 1, lambda: wire.link.answered(mid, refused))

    def acknowledged(self, client_id: str, mid: int) -> None:
        if session := self._sessions.get(client_id):
            session.unacked.pop(mid, None)

    def cut(self, wire: MockConnection) -> None:
        """The connection breaks where both ends see it: the will is sent."""
        self._close(wire)
        self._drop(wire)

    def leave(self, wire: MockConnection) -> None:
        """A client said goodbye 'with will' (MQTT 5, reason 4); its session stays."""
        self._drop(wire)
        wire.open = False

    def carry(self, wire: MockConnection, leg: str, qos: int, action: Callable[[], None]) -> None:
        """Take one packet over the wire, with what the faults do to it."""
        if not wire.open or leg in wire.broken_legs:
            return
        faults, rng = self.faults, self.random
        if faults.loss and rng.random() < faults.loss:
            self.injected["loss"] += 1
            if qos:
                # What follows on this leg waits behind the hole in vain; the other leg still works until the end.
                wire.broken_legs.add(leg)
                self.after(BREAK_NS, lambda: self.cut(wire))
            return
        delay_ns = rng.randint(*faults.delay_ns) if faults.delay_ns[1] else 0
        if faults.late and rng.random() < faults.late:
            self.injected["late"] += 1
            delay_ns += rng.randint(0, faults.late_ns)
        copies = 1
        if qos and faults.repeat and rng.random() < faults.repeat:
            self.injected["repeat"] += 1
            copies = 2
        at_ns = max(self.now_ns + delay_ns, wire.up_ns if leg == "up" else wire.down_ns)
        if leg == "up":
            wire.up_ns = at_ns
        else:
            wire.down_ns = at_ns
        for _ in range(copies):
            self.after(at_ns - self.now_ns, lambda: self._arrive(wire, action))

    # Inside

    def _arrive(self, wire: MockConnection, action: Callable[[], None]) -> None:
        if not wire.open:
            return
        if self._frozen is not None or wire.link.device in self._apart:
            wire.held.append(action)
        else:
            action()

    def _release(self, wire: MockConnection) -> None:
        held, wire.held = wire.held, []
        for action in held:
            if wire.open:
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
        if session.wire is not None:
            self._hand_over(session.wire, packet, mid, retained)

    def _hand_over(self, wire: MockConnection, packet: Packet, mid: int, retained: bool) -> None:
        if may_read(wire.link.speaker, wire.link.device, packet.topic):
            self.carry(wire, "down", packet.qos, lambda: wire.link.arrived(wire, packet, mid, retained))

    def _close(self, wire: MockConnection) -> None:
        if wire.open:
            wire.open = False
            wire.held.clear()
            wire.link.lost(wire)

    def _drop(self, wire: MockConnection) -> None:
        session = self._sessions.get(wire.link.client_id)
        if session is not None and session.wire is wire:
            session.wire = None
            self._route(wire.link.will)

    def _link_notices(self, wire: MockConnection, still: bool) -> None:
        if still:
            self._close(wire)

    def _link_notices_parting(self, wire: MockConnection, token: int) -> None:
        self._link_notices(wire, self._apart.get(wire.link.device) == token)

    def _link_notices_freeze(self, wire: MockConnection, token: int) -> None:
        self._link_notices(wire, self._frozen == token)

    def _broker_notices(self, device: str, wire: MockConnection, token: int) -> None:
        if self._apart.get(device) == token or not wire.open:
            self._close(wire)
            self._drop(wire)

    def _wires_of(self, device: str) -> list[MockConnection]:
        """Of all boots, and all machines, that use the name."""
        return [wire for wire in self._wires() if wire.link.device == device]

    def _wires(self) -> list[MockConnection]:
        return [session.wire for session in self._sessions.values() if session.wire is not None]

    def _allowed(self, link: Client, topic: str) -> bool:
        if any(link.device == device and matches(f, topic) for device, f in self._refused):
            return False
        return may_write(link.speaker, link.device, topic)
