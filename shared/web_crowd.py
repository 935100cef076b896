"""Which connections a web server keeps when more come than it has room for. Pure: the time is an argument.

A stranger opens thousands of sockets and says nothing, or half of something, a byte a second. Nobody is refused for
that: whoever comes gets in, and for him goes who has waited longest without asking anything, of the address that
holds the most. So an official's request, which is there as soon as the connection is, finds a place always, even
from the stranger's own address. Officials' addresses have places that nobody else can take.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

# waiting: has not asked anything (whole) yet; sending: the body is still to come; served: we work or send.
Stage = Literal["waiting", "sending", "served"]
OUR_OWN = ("127.0.0.1", "::1")


@dataclass(frozen=True, slots=True)
class Room:
    """How many connections there may be, and how long each may keep us waiting."""

    connections: int
    officials: int = 0  # so many of them only for officials' addresses
    idle_each: int = 32  # of one address, those that are not served; officials' addresses may have twice as many
    head_s: float = 5.0  # from the connection to the end of the request's head
    keep_s: float = 10.0  # from an answer to the end of the next request's head
    body_s: float = 15.0  # for the body; a large upload takes longer
    stuck_s: float = 10.0  # what we send is not read


@dataclass(slots=True, eq=False)
class Guest:
    """One connection. `address` is what it is counted by; `since_s`: when its stage began."""

    address: str
    official: bool
    since_s: float
    end: Callable[[], None] = lambda: None
    stage: Stage = "waiting"
    asked: bool = False  # something was answered before
    stuck_since_s: float | None = None

    @property
    def party(self) -> tuple[str, bool]:
        """Who it is counted with: a stranger beside an official, in one /64, is none of his."""
        return self.address, self.official

    def turn(self, stage: Stage, now_s: float) -> None:
        """A new stage begins, if it is one."""
        if stage != self.stage:
            self.stage, self.since_s = stage, now_s
            self.asked = self.asked or stage == "served"


@dataclass(slots=True)
class Crowd:
    """All connections of one server, by whom they are counted with."""

    room: Room
    parties: dict[tuple[str, bool], dict[Guest, None]] = field(default_factory=dict)
    officials: int = 0
    others: int = 0

    def __len__(self) -> int:
        return self.officials + self.others

    def enter(self, guest: Guest) -> list[Guest]:
        """The newcomer is in; who has to go for it (maybe itself, if nobody is less worth a place)."""
        gone = self._over_own_share(guest)
        if gone is None:
            gone = self._over_all(guest)
        self.parties.setdefault(guest.party, {})[guest] = None
        self._count(guest, 1)
        if gone is None:
            return []
        self.leave(gone)
        return [gone]

    def leave(self, guest: Guest) -> None:
        """It has gone; harmless to say twice."""
        there = self.parties.get(guest.party, {})
        if guest in there:
            del there[guest]
            self._count(guest, -1)
            if not there:
                del self.parties[guest.party]

    def overdue(self, now_s: float) -> list[Guest]:
        """Who keeps us waiting for too long."""
        return [guest for there in self.parties.values() for guest in there if self._late(guest, now_s)]

    def _count(self, guest: Guest, by: int) -> None:
        if guest.official:
            self.officials += by
        else:
            self.others += by

    def _late(self, guest: Guest, now_s: float) -> bool:
        room = self.room
        if guest.stuck_since_s is not None and now_s - guest.stuck_since_s > room.stuck_s:
            return True
        if guest.stage == "served":
            return False
        most_s = room.body_s if guest.stage == "sending" else room.keep_s if guest.asked else room.head_s
        return now_s - guest.since_s > most_s

    def _over_own_share(self, newcomer: Guest) -> Guest | None:
        """The oldest of its own address that is not served, if there are too many of those."""
        there = self.parties.get(newcomer.party, {})
        most = self.room.idle_each * (2 if newcomer.official else 1)
        if newcomer.address in OUR_OWN or len(there) < most:
            return None
        idle = [guest for guest in there if guest.stage != "served"]
        return _longest(idle) if len(idle) >= most else None

    def _over_all(self, newcomer: Guest) -> Guest | None:
        room = self.room
        if newcomer.official:
            if len(self) < room.connections:
                return None
            return self._least(newcomer, officials=False) or self._least(newcomer, officials=True) or newcomer
        if self.others < room.connections - room.officials and len(self) < room.connections:
            return None
        return self._least(newcomer, officials=False) or newcomer

    def _least(self, newcomer: Guest, *, officials: bool) -> Guest | None:
        """Who goes first: of the address that holds most, the one that has waited longest; then one that is served."""
        parties = [there for (_, theirs), there in self.parties.items() if theirs == officials]
        for stage in ("waiting", "sending"):
            found = [(len(there), idle) for there in parties if (idle := [g for g in there if g.stage == stage])]
            if found:
                return _longest(max(found, key=lambda pair: pair[0])[1])
        largest = max(parties, key=len, default={})
        # Among equals nobody who is served goes for another: they would throw each other out in turn.
        fair = len(largest) > 2 * (len(self.parties.get(newcomer.party, {})) + 1)
        if not (fair or (newcomer.official and not officials)):
            return None
        return _longest(list(largest))


def _longest(guests: list[Guest]) -> Guest | None:
    return min(guests, key=lambda guest: guest.since_s, default=None)
