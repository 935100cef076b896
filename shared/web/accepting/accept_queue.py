"""Which of the requests that wait at a web server is read next. Pure: no socket, no clock.

Officials come first, and among their requests the urgent ones. A client that is not known as an official may still be
the one who has to stop a car: requests that call themselves urgent get a place in every turn, and no more than one
place, since anybody can send them. Within each kind the addresses take turns, so that thousands of requests from one
address wait behind each other and delay no other address.
"""

from dataclasses import dataclass, field

from shared.web.connection_limits import WebConnection


@dataclass(slots=True)
class FairQueue:
    """One connection of each address in turn; of an address the newest first, as older ones were given up."""

    _by_address: dict[str, dict[WebConnection, None]] = field(default_factory=dict)  # in the order of their turns

    def __bool__(self) -> bool:
        return bool(self._by_address)

    def add(self, connection: WebConnection) -> None:
        self._by_address.setdefault(connection.address, {})[connection] = None

    def discard(self, connection: WebConnection) -> None:
        """Remove a connection; nothing happens if it is not in the queue."""
        own = self._by_address.get(connection.address, {})
        own.pop(connection, None)
        if not own:
            self._by_address.pop(connection.address, None)

    def pop(self, max_count: int) -> list[WebConnection]:
        """Remove and return at most `max_count` connections, in the order of their turns."""
        popped: list[WebConnection] = []
        while self._by_address and len(popped) < max_count:
            address = next(iter(self._by_address))
            own = self._by_address.pop(address)
            popped.append(own.popitem()[0])
            if own:
                self._by_address[address] = own  # behind the others
        return popped


@dataclass(slots=True)
class AcceptQueue:
    """All connections of a server whose request has begun and is not read yet."""

    _officials_urgent: FairQueue = field(default_factory=FairQueue)
    _officials: FairQueue = field(default_factory=FairQueue)
    _urgent: FairQueue = field(default_factory=FairQueue)
    _others: FairQueue = field(default_factory=FairQueue)

    def __bool__(self) -> bool:
        return bool(self._officials_urgent or self._officials or self._urgent or self._others)

    def add(self, connection: WebConnection, *, urgent: bool) -> None:
        self._queue_of(connection, urgent=urgent).add(connection)

    def discard(self, connection: WebConnection) -> None:
        """Remove a connection; nothing happens if it is not in the queue."""
        for urgent in (True, False):
            self._queue_of(connection, urgent=urgent).discard(connection)

    def pop(self, max_count: int) -> list[WebConnection]:
        """The connections to read in this turn, in order: `max_count`, and one more of a kind without a place."""
        popped = self._officials_urgent.pop(max_count)
        popped += self._officials.pop(max_count - len(popped))
        popped += self._urgent.pop(max(1, (max_count - len(popped)) // 2))
        return popped + self._others.pop(max(1, max_count - len(popped)))

    def _queue_of(self, connection: WebConnection, *, urgent: bool) -> FairQueue:
        if connection.official:
            return self._officials_urgent if urgent else self._officials
        return self._urgent if urgent else self._others
