"""The control connection to the mock world: put a car on the track, read the status, receive the ground truth."""

import select
from collections.abc import Generator

from shared.errors import BadInput, HardwareMissing, Refused
from simulator.realtime.protocol import (
    Hello,
    ReplayRequest,
    RequestKind,
    TrueEvent,
    WorldRefusal,
    WorldRequest,
    WorldStatus,
    call,
    pack,
)


class WorldControl:
    """One connection for requests; `events` opens its own. Raises HardwareMissing when the world is not there."""

    def __init__(self, world: str) -> None:
        self._world = world
        self._sock, self._unpacker, self.welcome = call(world, Hello("control"))

    def place(self, car: str) -> WorldStatus:
        """Put this car before the start line, replacing any other. Raises Refused."""
        return self._request("place", car=car)

    def remove(self) -> WorldStatus:
        """Take the car off the track."""
        return self._request("remove")

    def put_back(self) -> WorldStatus:
        """Put the car back on the road, one metre before its place. Raises Refused when there is none."""
        return self._request("put_back")

    def set_appearance(self, number: int) -> WorldStatus:
        """Change the appearance of floor and light, from the next placed car on."""
        return self._request("appearance", number=number)

    def status(self) -> WorldStatus:
        """The world's present status."""
        return self._request("status")

    def events(self, after: int = 0, timeout_s: float | None = None) -> Generator[TrueEvent, None, None]:
        """Yield true events from number `after` + 1 on, as they happen; ends when none came for `timeout_s`."""
        sock, unpacker, _ = call(self._world, Hello("control"))
        with sock:
            sock.sendall(pack(ReplayRequest(after)))
            while select.select([sock], [], [], timeout_s)[0]:
                data = sock.recv(65_536)
                if not data:
                    raise HardwareMissing(f"The mock world at {self._world} has ended.")
                yield from (message for message in unpacker.feed(data) if isinstance(message, TrueEvent))

    def close(self) -> None:
        self._sock.close()

    def _request(self, kind: RequestKind, car: str = "", number: int = 0) -> WorldStatus:
        try:
            self._sock.sendall(pack(WorldRequest(kind, car, number)))
            while data := self._sock.recv(65_536):
                for message in self._unpacker.feed(data):
                    if isinstance(message, WorldStatus):
                        return message
                    if isinstance(message, WorldRefusal):
                        raise Refused(message.sentence)
        except (OSError, BadInput) as error:
            raise HardwareMissing(f"The mock world at {self._world} does not answer ({error}).") from None
        raise HardwareMissing(f"The mock world at {self._world} has ended.")
