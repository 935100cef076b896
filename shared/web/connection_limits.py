"""Which connections a web server keeps when more come than it has room for. Pure: the time is an argument.

A stranger opens thousands of sockets and says nothing, or half of something, a byte a second. Nobody is refused for
that: whoever comes gets in, and for him goes who has waited longest without asking anything, of the address that
holds the most. So an official's request, which is there as soon as the connection is, finds a place always, even
from the stranger's own address. Officials' addresses have places that nobody else can take.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Literal

# waiting: has not asked anything (whole) yet; sending: the body is still to come; queued: has spoken and we have not
# listened yet; resting: was answered, and may ask more; served: we work or send.
Stage = Literal["waiting", "sending", "queued", "resting", "served"]
EVICTION_ORDER: tuple[Stage, ...] = ("waiting", "sending", "queued", "resting")
LOOPBACK = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """How many connections there may be, and how long each may keep us waiting."""

    connections: int
    officials: int = 0  # so many of them only for officials' addresses
    idle_each: int = 32  # of one address, those that are not served; officials' addresses may have twice as many
    head_s: float = 5.0  # from the connection to the end of the request's head
    keep_s: float = 10.0  # from an answer to the end of the next request's head
    body_s: float = 15.0  # for the body; a large upload takes longer
    stuck_s: float = 10.0  # what we send is not read


@dataclass(slots=True, eq=False)
class WebConnection:
    """One connection. `address` is what it is counted by; `since_s`: when its stage began."""

    address: str
    official: bool
    since_s: float
    end: Callable[[], None] = lambda: None
    stage: Stage = "waiting"
    stuck_since_s: float | None = None
    party: "AddressGroup | None" = None  # where it is counted

    def turn(self, stage: Stage, now_s: float) -> None:
        """A new stage begins, if it is one."""
        if stage != self.stage:
            if self.party is not None:
                del self.party.at(self.stage)[self]
                self.party.at(stage)[self] = None
            self.stage, self.since_s = stage, now_s


@dataclass(slots=True)
class AddressGroup:
    """All connections of one address, by stage, the oldest first. A stranger beside an official is none of his."""

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
        """Those at this stage."""
        held: dict[WebConnection, None] = getattr(self, stage)
        return held

    @property
    def idle(self) -> int:
        """How many ask nothing (yet)."""
        return len(self.waiting) + len(self.sending) + len(self.resting)

    @property
    def longest_idle(self) -> WebConnection | None:
        """Who goes first."""
        return next(itertools.chain(self.waiting, self.sending, self.resting), None)


@dataclass(slots=True)
class ConnectionTable:
    """All connections of one server, by whom they are counted with: an address, officials' or not."""

    room: ConnectionLimits
    parties: dict[tuple[str, bool], AddressGroup] = field(default_factory=dict)
    officials: int = 0
    others: int = 0

    def __len__(self) -> int:
        return self.officials + self.others

    def enter(self, guest: WebConnection) -> list[WebConnection]:
        """The newcomer is in; who has to go for it (maybe itself, if nobody is less worth a place)."""
        party = self.parties.get((guest.address, guest.official)) or AddressGroup()
        gone = self._over_own_share(guest, party) or self._over_all(guest, party)
        self.parties[(guest.address, guest.official)] = guest.party = party
        party.at(guest.stage)[guest] = None
        self._count(guest, 1)
        if gone is None:
            return []
        self.leave(gone)
        return [gone]

    def leave(self, guest: WebConnection) -> None:
        """It has gone; harmless to say twice."""
        party = guest.party
        if party is not None:
            del party.at(guest.stage)[guest]
            guest.party = None
            self._count(guest, -1)
            if not party:
                del self.parties[(guest.address, guest.official)]

    def overdue(self, now_s: float) -> list[WebConnection]:
        """Who keeps us waiting for too long."""
        return [guest for party in self.parties.values() for guest in party if self._late(guest, now_s)]

    def _count(self, guest: WebConnection, by: int) -> None:
        if guest.official:
            self.officials += by
        else:
            self.others += by

    def _late(self, guest: WebConnection, now_s: float) -> bool:
        room = self.room
        if guest.stuck_since_s is not None and now_s - guest.stuck_since_s > room.stuck_s:
            return True
        most_s = {"waiting": room.head_s, "sending": room.body_s, "resting": room.keep_s}.get(guest.stage)
        return most_s is not None and now_s - guest.since_s > most_s

    def _over_own_share(self, newcomer: WebConnection, party: AddressGroup) -> WebConnection | None:
        """The oldest of its own address that is not served, if there are too many of those."""
        most = self.room.idle_each * (2 if newcomer.official else 1)
        return party.longest_idle if newcomer.address not in LOOPBACK and party.idle >= most else None

    def _over_all(self, newcomer: WebConnection, party: AddressGroup) -> WebConnection | None:
        room = self.room
        if newcomer.official:
            if len(self) < room.connections:
                return None
            return (
                self._least(newcomer, party, officials=False)
                or self._least(newcomer, party, officials=True)
                or newcomer
            )
        if self.others < room.connections - room.officials and len(self) < room.connections:
            return None
        return self._least(newcomer, party, officials=False) or newcomer

    def _least(self, newcomer: WebConnection, own: AddressGroup, *, officials: bool) -> WebConnection | None:
        """Who goes first: of the address that holds most, the one that has waited longest; then one that is served."""
        parties = [party for (_, theirs), party in self.parties.items() if theirs == officials]
        for stage in EVICTION_ORDER:
            found = [party for party in parties if party.at(stage)]
            if found:
                return next(iter(max(found, key=len).at(stage)))
        largest = max(parties, key=len, default=None)
        # Among equals nobody who is served goes for another: they would throw each other out in turn.
        if largest is None or not (len(largest) > 2 * (len(own) + 1) or (newcomer.official and not officials)):
            return None
        return next(iter(largest))
