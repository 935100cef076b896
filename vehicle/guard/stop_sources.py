"""Every way to stop the car at the car itself: its local socket, a signal, a key of its terminal, a button.

None needs a network, a broker or another process of the car. Each trips the car with its own sentence.
"""

from dataclasses import dataclass
from typing import Protocol

from shared.text import text
from vehicle.guard.stop_socket import StopSocket

BY_SOCKET = text("Emergency stop at the car.")
BY_SIGNAL = text("Emergency stop by signal at the car.")


class StopSource(Protocol):
    """A key or a button. It is polled in every pass of the loop, at least `tick_hz` times a second."""

    def reason(self) -> str:
        """Why the car must stop now, as a sentence; '' if it need not. Never blocks."""

    def close(self) -> None:
        """Close it; idempotent."""


@dataclass(frozen=True, slots=True)
class StopRequest:
    """A request to stop: the sentence that explains the trip, and the socket address to answer ('' is none)."""

    reason: str
    address: str = ""


class StopSources:
    """All stop sources of the car; `requests` never blocks and is called in every pass of the guard's loop."""

    def __init__(self, local: StopSocket, *sources: StopSource) -> None:
        self._local, self._sources = local, list(sources)
        self._signalled = False

    def fileno(self) -> int:
        """The descriptor of the local socket, which wakes the loop."""
        return self._local.fileno()

    def add(self, source: StopSource) -> None:
        """Add a button that was absent at the start."""
        self._sources.append(source)

    def on_signal(self) -> None:
        """Request a stop from a signal handler."""
        self._signalled = True

    def requests(self) -> list[StopRequest]:
        """All stop requests since the last call. A button requests a stop for as long as it is pressed."""
        requests_now = [StopRequest(BY_SOCKET, address) for address in self._local.requests()]
        if self._signalled:
            self._signalled = False
            requests_now.append(StopRequest(BY_SIGNAL))
        return requests_now + [StopRequest(reason) for source in self._sources if (reason := source.reason())]

    def reply(self, request: StopRequest, sentence: str) -> None:
        """Send `sentence` to the sender of the request."""
        self._local.reply(request.address, sentence)

    def close(self) -> None:
        """Close all of them; idempotent."""
        for source in self._sources:
            source.close()
        self._local.close()
