"""The bridge's socket to the leash on the car: a datagram each 100 ms, and its answers. Called by bridge.py."""

import contextlib
import socket
import threading
from collections.abc import Iterator

from vehicle.bridge.core.leash_holder import LeashHolder
from vehicle.bridge.leash.raceday_leash import STATE_BYTES, read_state
from vehicle.process.log import log

RETRY_S, REFRESH_S = 2.0, 30.0


class LeashLink:
    """Sends what the holder requests, and hands it what the car answers. Never blocks; losses are part of UDP."""

    def __init__(self, holder: LeashHolder, key: bytes, host: str, port: int) -> None:
        self._holder = holder
        self._key = key
        self._host, self._port = host, port
        self._address: tuple[str, int] | None = None
        self._closed = threading.Event()
        self._finder = threading.Thread(target=self._find, name="leash address", daemon=True)
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.setblocking(False)

    def start(self) -> None:
        """Begin to look for the car's address."""
        self._finder.start()

    @property
    def has_new_request(self) -> bool:
        """Whether a stop or a release has not been sent yet: it does not wait for the next turn."""
        return self._holder.has_new_request

    def send(self, light: bytes) -> None:
        """Send the next datagram, once the address is known. A network that is down loses it, as any may."""
        if self._address is not None:
            with contextlib.suppress(OSError):
                self.socket.sendto(self._holder.next_hold(light).pack(self._key), self._address)

    def receive(self, now_ns: int) -> None:
        """Take all answers that wait."""
        for datagram in self._datagrams():
            state = read_state(datagram, self._key)
            if state is not None:
                self._holder.on_state(state, now_ns)

    def close(self) -> None:
        self._closed.set()
        self.socket.close()

    def _find(self) -> None:
        """Look the car's address up, again and again: a car may get another one. A look-up may take seconds."""
        is_failing = False
        while not self._closed.is_set():
            try:
                found = socket.getaddrinfo(self._host, self._port, socket.AF_INET, socket.SOCK_DGRAM)
                self._address, is_failing = (str(found[0][4][0]), self._port), False
            except OSError as error:
                if not is_failing:
                    log(f"the leash's address {self._host} cannot be found: {error}", "bridge")
                is_failing = True
            self._closed.wait(RETRY_S if is_failing else REFRESH_S)

    def _datagrams(self) -> Iterator[bytes]:
        while True:
            try:
                yield self.socket.recv(2 * STATE_BYTES)
            except OSError:
                return
