"""Who is heard next of those that have spoken and wait at a web server's door. Pure: no socket, no clock.

Officials come first, and of what they send the urgent. Whoever is not known as one may be the one who has to stop a
car: what he calls urgent has a place in every turn, and no more than a place, since anybody can send it. Among the
addresses of a kind it goes round, so that thousands from one wait behind each other and before nobody else.
"""

from dataclasses import dataclass, field

from shared.web.connection_limits import WebConnection


@dataclass(slots=True)
class FairQueue:
    """One of each address in turn; of an address the newest first, for which the older ones were given up."""

    _by_address: dict[str, dict[WebConnection, None]] = field(default_factory=dict)  # in the order of their turns

    def __bool__(self) -> bool:
        return bool(self._by_address)

    def add(self, guest: WebConnection) -> None:
        self._by_address.setdefault(guest.address, {})[guest] = None

    def discard(self, guest: WebConnection) -> None:
        """It has gone, if it was here."""
        own = self._by_address.get(guest.address, {})
        own.pop(guest, None)
        if not own:
            self._by_address.pop(guest.address, None)

    def take(self, most: int) -> list[WebConnection]:
        """So many at most, whose turn it is."""
        taken: list[WebConnection] = []
        while self._by_address and len(taken) < most:
            address = next(iter(self._by_address))
            own = self._by_address.pop(address)
            taken.append(own.popitem()[0])
            if own:
                self._by_address[address] = own  # behind the others
        return taken


@dataclass(slots=True)
class AcceptQueue:
    """All who wait at one door."""

    _officials_urgent: FairQueue = field(default_factory=FairQueue)
    _officials: FairQueue = field(default_factory=FairQueue)
    _urgent: FairQueue = field(default_factory=FairQueue)
    _others: FairQueue = field(default_factory=FairQueue)

    def __bool__(self) -> bool:
        return bool(self._officials_urgent or self._officials or self._urgent or self._others)

    def add(self, guest: WebConnection, *, urgent: bool) -> None:
        self._of(guest, urgent=urgent).add(guest)

    def discard(self, guest: WebConnection) -> None:
        """It has gone; harmless if it was not here."""
        for urgent in (True, False):
            self._of(guest, urgent=urgent).discard(guest)

    def take(self, most: int) -> list[WebConnection]:
        """Whom to hear in this turn, in this order: so many, and one more of a kind that would have no place."""
        heard = self._officials_urgent.take(most)
        heard += self._officials.take(most - len(heard))
        heard += self._urgent.take(max(1, (most - len(heard)) // 2))
        return heard + self._others.take(max(1, most - len(heard)))

    def _of(self, guest: WebConnection, *, urgent: bool) -> FairQueue:
        if guest.official:
            return self._officials_urgent if urgent else self._officials
        return self._urgent if urgent else self._others
