"""Reports to systemd (sd_notify): ready, alive, stopping. Each report is one datagram.

Source: sd_notify(3), sd_watchdog_enabled(3). Without a NOTIFY_SOCKET reports are dropped. The children do not get the
socket: only the guard's own loop may report that the car is alive.
"""

import os
import socket
from collections.abc import MutableMapping

from shared.process.service_state import status_field
from vehicle.process.log import log

_NAMES = ("NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID")
_PER_TIMEOUT = 4  # reports within the watchdog's timeout


class SystemdNotifier:
    """Removes systemd's variables from `environment`. Never blocks or raises: without systemd the car drives on."""

    def __init__(self, environment: MutableMapping[str, str] = os.environ) -> None:
        address, usec, pid = (environment.pop(name, "") for name in _NAMES)
        self._socket = _connect(address) if address else None
        watched = usec.isascii() and usec.isdigit() and int(usec) > 0 and pid in ("", str(os.getpid()))
        self._period_s = int(usec) / 1e6 / _PER_TIMEOUT if watched else None
        self._due_s = float("-inf")
        self._status = ""

    def notify_ready(self, status: str) -> None:
        """Report that the service is up, with `status` as its status line; systemd's watchdog starts now."""
        if self._send(b"READY=1\n" + status_field(status)):
            self._status = status

    def notify_status(self, status: str) -> None:
        """Report a status line that has changed; one that systemd did not take is sent again at the next call."""
        if status != self._status and self._send(status_field(status)):
            self._status = status

    def notify_alive(self, now_s: float) -> None:
        """Report that the guard's loop runs; `now_s` is monotonic. It sends only when a report is due."""
        if self._period_s is not None and now_s >= self._due_s:
            self._due_s = now_s + self._period_s
            self._send(b"WATCHDOG=1")

    def notify_stopping(self) -> None:
        """Report that the service is ending in order."""
        self._send(b"STOPPING=1")

    def close(self) -> None:
        """Close the connection to systemd; idempotent."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _send(self, message: bytes) -> bool:
        """False if systemd did not take it."""
        if self._socket is None:
            return False
        try:
            self._socket.send(message)
        except BlockingIOError:
            return False  # systemd is slow to read; the next report follows soon
        except OSError as error:
            log(f"systemd cannot be notified ({error.strerror}).")
            self.close()
            return False
        return True


def _connect(address: str) -> socket.socket | None:
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC)
    connection.setblocking(False)
    try:
        connection.connect("\0" + address[1:] if address.startswith("@") else address)
    except OSError as error:
        log(f"the service's supervisor at {address} cannot be reached ({error.strerror}).")
        connection.close()
        return None
    return connection
