"""The bridge's socket to the leash on the car: a datagram each 100 ms, and its answers. Called by bridge.py."""

import socket
from collections.abc import Iterator

from vehicle.bridge.core.leash_holder import LeashHolder
from vehicle.bridge.leash.raceday_leash import STATE_BYTES, read_state
from vehicle.process.log import log


class LeashLink:
    """Sends what the holder requests, and hands it what the car answers. Never blocks; losses are part of UDP."""

    def __init__(self, holder: LeashHolder, key: bytes, address: tuple[str, int]) -> None:
        self._holder = holder
        self._key = key
        self._address = address
        self._is_failing = False
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)

    @property
    def has_new_request(self) -> bool:
        """Whether a stop or a release has not been sent yet: it does not wait for the next turn."""
        return self._holder.has_new_request

    def send(self, light: bytes) -> None:
        """Send the next datagram. A name that cannot be found, or a network that is down, is said once."""
        try:
            self.socket.sendto(self._holder.next_hold(light).pack(self._key), self._address)
            self._is_failing = False
        except OSError as error:
            if not self._is_failing:
                log(f"the leash at {self._address[0]} cannot be reached: {error}", "bridge")
            self._is_failing = True

    def receive(self, now_ns: int) -> None:
        """Take all answers that wait."""
        for datagram in self._datagrams():
            state = read_state(datagram, self._key)
            if state is not None:
                self._holder.on_state(state, now_ns)

    def close(self) -> None:
        self.socket.close()

    def _datagrams(self) -> Iterator[bytes]:
        while True:
            try:
                yield self.socket.recv(2 * STATE_BYTES)
            except OSError:
                return
