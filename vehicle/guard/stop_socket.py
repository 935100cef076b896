"""The local emergency stop: a datagram on a Unix socket, which needs no network and no broker."""

import os
import pathlib
import socket

from shared.errors import OperatorError, Refused

_TIMEOUT_S = 2.0
STOP = b"stop"


class StopSocket:
    """The guard's end, bound to `path`. Raises OperatorError if another guard holds the socket."""

    def __init__(self, path: pathlib.Path) -> None:
        self._path = path
        _remove_stale(path)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            self._socket.bind(str(path))
        except OSError as error:
            self._socket.close()
            raise OperatorError(f"the socket {path} of the local stop cannot be made ({error.strerror}).") from None

    def fileno(self) -> int:
        return self._socket.fileno()

    def requests(self) -> list[str]:
        """The stop requests since the last call, as addresses to answer; '' for a sender without one."""
        addresses: list[str] = []
        while True:
            try:
                text, address = self._socket.recvfrom(64)
            except OSError:
                return addresses  # no more
            if text == STOP:
                addresses.append(address if isinstance(address, str) else os.fsdecode(address or b""))

    def reply(self, address: str, sentence: str) -> None:
        """Send `sentence` to `address`; a sender that is gone is ignored."""
        if not address:
            return
        try:
            self._socket.sendto(sentence.encode(), os.fsencode(address))
        except OSError:
            return  # the sender is gone; its request was obeyed all the same

    def close(self) -> None:
        """Close and remove the socket; idempotent."""
        self._socket.close()
        self._path.unlink(missing_ok=True)


def ask_to_stop(path: pathlib.Path) -> str:
    """Stop the car whose guard listens at `path`; returns its answer, a sentence. Raises Refused when none answers."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ours:
        ours.bind("")  # an abstract address of our own, so that the guard can answer
        ours.settimeout(_TIMEOUT_S)
        try:
            ours.connect(str(path))
            ours.send(STOP)
            return ours.recv(512).decode(errors="replace")
        except (OSError, TimeoutError):
            raise Refused(
                f"no guard answers at {path}: the car's agent is not running. "
                "`raceday vehicle neutral` sets the motors to neutral."
            ) from None


def _remove_stale(path: pathlib.Path) -> None:
    """Remove the socket of a killed guard. Raises OperatorError if a guard listens at it."""
    if not path.exists():
        return
    if not path.is_socket():
        raise OperatorError(f"{path} is in the way of the local stop's socket: move it, or change `local.socket`.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise OperatorError(f"{path}: the local stop's socket cannot be tried ({error.strerror}).") from None
    raise OperatorError(f"another guard already listens at {path}: stop it first, or choose another `local.socket`.")
