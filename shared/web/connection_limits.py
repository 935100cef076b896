"""Which connections a web server keeps open when more come than it may have. Pure: the time is an argument.

An untrusted client can open thousands of sockets and send nothing, or half a request, a byte a second. No new
connection is refused for that: it gets in, and the one that is closed for it has waited longest without a request, of
the address that holds the most. So a request that arrives together with its connection always finds a place, even from
an address that others abuse. Addresses of officials have places that no other address can take.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

# waiting: no (whole) request yet; sending: the body is still to come; queued: a request has begun and we have not read
# it yet; resting: was answered, and may ask more; served: we work or send.
Stage = Literal["waiting", "sending", "queued", "resting", "served"]
EVICTION_ORDER: tuple[Stage, ...] = ("waiting", "sending", "queued", "resting")
LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections there may be, and how long each may keep us waiting."""

    max_connections: int
    for_officials: int = 0  # of these, places that only officials' addresses get
    max_idle_each: int = 32  # of one address, those that are not served; officials' addresses may have twice as many
    head_s: float = 5.0  # from the connection to the end of the request's head
    keep_alive_s: float = 10.0  # from an answer to the end of the next request's head
    body_s: float = 15.0  # for the body; a large upload takes longer
    unread_s: float = 10.0  # what we send is not read


@dataclass(slots=True, eq=False)
class WebConnection:
    """One connection. `address` is what it is counted by; `since_s`: when its stage began; `close` ends it."""

    address: str
    official: bool
    since_s: float
    close: Callable[[], object] = lambda: None
    stage: Stage = "waiting"
    unread_since_s: float | None = None
    group: "AddressGroup | None" = None  # where it is counted; None: it is not open any more
    begins_tls: bool = False

    def enter_stage(self, stage: Stage, now_s: float) -> None:
        """Begin a stage; nothing happens if it is at this stage already."""
        if stage != self.stage:
            if self.group is not None:
                del self.group.at(self.stage)[self]
                self.group.at(stage)[self] = None
            self.stage, self.since_s = stage, now_s


@dataclass(slots=True)
class AddressGroup:
    """All connections of one address, by stage, the oldest first. Officials and others of an address are two groups."""

    waiting: dict[WebConnection, None] = field(default_factory=dict)
    sending: dict[WebConnection, None] = field(default_factory=dict)
    queued: dict[WebConnection, None] = field(default_factory=dict)
    resting: dict[WebConnection, None] = field(default_factory=dict)
    served: dict[WebConnection, None] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.idle + len(self.queued) + len(self.served)

    def __iter__(self) -> Iterator[WebConnection]:
        return itertools.chain(self.waiting, self.sending, self.queued, self.resting, self.served)

    def at(self, stage: Stage) -> dict[WebConnection, None]:
        """The connections at this stage."""
        connections: dict[WebConnection, None] = getattr(self, stage)
        return connections

    @property
    def idle(self) -> int:
        """How many have no whole request for us (yet)."""
        return len(self.waiting) + len(self.sending) + len(self.resting)

    @property
    def longest_idle(self) -> WebConnection | None:
        """The connection of this address that is closed first; None if it has no idle one."""
        return next(itertools.chain(self.waiting, self.sending, self.resting), None)


@dataclass(slots=True)
class ConnectionTable:
    """All open connections of one server, by address and whether they are officials'."""

    limits: ConnectionLimits
    groups: dict[tuple[str, bool], AddressGroup] = field(default_factory=dict)
    officials: int = 0
    others: int = 0

    def __len__(self) -> int:
        return self.officials + self.others

    def __iter__(self) -> Iterator[WebConnection]:
        """All, as they are now: each may be removed meanwhile."""
        return iter([each for group in self.groups.values() for each in group])

    def add(self, connection: WebConnection) -> list[WebConnection]:
        """Count a new connection; return those to be closed for it (itself, if no other is worth less)."""
        group = self.groups.get((connection.address, connection.official)) or AddressGroup()
        evicted = self._over_own_share(connection, group) or self._over_all(connection, group)
        self.groups[(connection.address, connection.official)] = connection.group = group
        group.at(connection.stage)[connection] = None
        self._count(connection, 1)
        if evicted is None:
            return []
        self.remove(evicted)
        return [evicted]

    def remove(self, connection: WebConnection) -> None:
        """The connection is closed; idempotent."""
        group = connection.group
        if group is not None:
            del group.at(connection.stage)[connection]
            connection.group = None
            self._count(connection, -1)
            if not group:
                del self.groups[(connection.address, connection.official)]

    def overdue(self, now_s: float) -> list[WebConnection]:
        """The connections whose deadline has passed."""
        return [each for each in self if self._late(each, now_s)]

    def _count(self, connection: WebConnection, by: int) -> None:
        if connection.official:
            self.officials += by
        else:
            self.others += by

    def _late(self, connection: WebConnection, now_s: float) -> bool:
        limits = self.limits
        if connection.unread_since_s is not None and now_s - connection.unread_since_s > limits.unread_s:
            return True
        stage_limits_s = {"waiting": limits.head_s, "sending": limits.body_s, "resting": limits.keep_alive_s}
        max_s = stage_limits_s.get(connection.stage)
        return max_s is not None and now_s - connection.since_s > max_s

    def _over_own_share(self, newcomer: WebConnection, group: AddressGroup) -> WebConnection | None:
        """The oldest of its own address that is not served, if there are too many of those."""
        max_idle = self.limits.max_idle_each * (2 if newcomer.official else 1)
        return group.longest_idle if newcomer.address not in LOOPBACK and group.idle >= max_idle else None

    def _over_all(self, newcomer: WebConnection, group: AddressGroup) -> WebConnection | None:
        limits = self.limits
        if newcomer.official:
            if len(self) < limits.max_connections:
                return None
            return (
                self._first_to_close(newcomer, group, officials=False)
                or self._first_to_close(newcomer, group, officials=True)
                or newcomer
            )
        if self.others < limits.max_connections - limits.for_officials and len(self) < limits.max_connections:
            return None
        return self._first_to_close(newcomer, group, officials=False) or newcomer

    def _first_to_close(self, newcomer: WebConnection, own: AddressGroup, *, officials: bool) -> WebConnection | None:
        """Of the address that holds most, the one that has waited longest; if all are served, one that is served."""
        groups = [group for (_, of_officials), group in self.groups.items() if of_officials == officials]
        for stage in EVICTION_ORDER:
            candidates = [group for group in groups if group.at(stage)]
            if candidates:
                return next(iter(max(candidates, key=len).at(stage)))
        largest = max(groups, key=len, default=None)
        # Among equals no served connection is closed for another: they would evict each other in turn.
        if largest is None or not (len(largest) > 2 * (len(own) + 1) or (newcomer.official and not officials)):
            return None
        return next(iter(largest))
