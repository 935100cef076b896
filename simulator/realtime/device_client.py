"""A device's connection to the world process."""

import contextlib
import select

from shared.errors import BadInput, HardwareMissing
from simulator.realtime.protocol import Hello, WorldMessage, call, pack
from vehicle.hardware.frame import Frame

_READ_BYTES = 262_144


class DeviceConnection:
    """One connection to the world. Every error on it is raised as HardwareMissing."""

    def __init__(self, world: str, hello: Hello) -> None:
        self._sock, self._unpacker, self.welcome = call(world, hello)
        self._world = world

    def receive(self, wait_s: float) -> list[WorldMessage | Frame] | None:
        """The messages that arrived (an empty list if only a part of one did); None when nothing came in time."""
        try:
            if not select.select([self._sock], [], [], wait_s)[0]:
                return None
            data = self._sock.recv(_READ_BYTES)
            if data:
                return self._unpacker.feed(data)
        except (OSError, ValueError, BadInput) as error:
            raise HardwareMissing(f"The mock world at {self._world} is gone ({error}).") from None
        raise HardwareMissing(f"The mock world at {self._world} has ended.")

    def send(self, message: WorldMessage) -> None:
        try:
            self._sock.sendall(pack(message))
        except OSError as error:
            raise HardwareMissing(f"The mock world at {self._world} is gone ({error}).") from None

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._sock.close()
