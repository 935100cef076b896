"""The parts of the mock broker: the chances of faults, a connection, a session."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from shared.link.interface import Subscription
from shared.link.packets import Packet
from shared.protocol.topics import Speaker


@dataclass(frozen=True, slots=True)
class Faults:
    """Chances per packet and leg. `delay_ns` is uniform between its ends; `late` adds up to `late_ns` more."""

    loss: float = 0.0
    repeat: float = 0.0
    late: float = 0.0
    late_ns: int = 0
    delay_ns: tuple[int, int] = (0, 0)


class BrokerClient(Protocol):
    """What the broker knows of a link."""

    device: str
    client_id: str
    speaker: Speaker
    subscriptions: Sequence[Subscription]
    will: Packet

    def on_packet(self, connection: "MockConnection", packet: Packet, mid: int, retained: bool) -> None: ...
    def on_answer(self, mid: int, refused: bool) -> None: ...
    def on_connection_lost(self, connection: "MockConnection") -> None: ...


@dataclass(slots=True, eq=False)
class MockConnection:
    """One TCP connection: packets keep their order on it, and wait on it while it is stuck."""

    link: BrokerClient
    open: bool = True
    up_ns: int = 0
    down_ns: int = 0
    waiting: list[Callable[[], None]] = field(default_factory=list)
    broken_legs: set[str] = field(default_factory=set)


@dataclass(slots=True)
class MockSession:
    """What the broker remembers of one client name, until it is killed; `device`: whose it is."""

    device: str
    filters: list[str] = field(default_factory=list)
    unacked: dict[int, tuple[Packet, bool]] = field(default_factory=dict)
    connection: MockConnection | None = None
