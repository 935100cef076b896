"""Every way to stop the car at the car itself: its local socket, a signal, a key of its terminal, a button.

None needs a network, a broker or another process of the car. Each trips the car with its own sentence.
"""

from dataclasses import dataclass
from typing import Protocol

from vehicle.guard.stop_socket import StopSocket

BY_SOCKET = "Emergency stop at the car."
BY_SIGNAL = "Emergency stop by signal at the car."


class StopSource(Protocol):
    """A key or a button. It is asked in every turn, so at least `tick_hz` times a second."""

    def reason(self) -> str:
        """Why the car must stop now, as a sentence; '' if it need not. Never blocks."""

    def close(self) -> None:
        """Let it go; idempotent."""


@dataclass(frozen=True, slots=True)
class StopRequest:
    """Someone wants the car to stop: the sentence that explains the trip, and whom to answer ('' is none)."""

    reason: str
    address: str = ""


class StopSources:
    """`asked` never blocks; it is called in every turn of the guard's loop."""

    def __init__(self, local: StopSocket, *sources: StopSource) -> None:
        self._local, self._sources = local, list(sources)
        self._signalled = False

    def fileno(self) -> int:
        """The local socket's, which wakes the loop."""
        return self._local.fileno()

    def add(self, source: StopSource) -> None:
        """A button that was absent is there now."""
        self._sources.append(source)

    def on_signal(self) -> None:
        """From a signal's handler."""
        self._signalled = True

    def requests(self) -> list[StopRequest]:
        """Who wants a stop now. A button asks for as long as it is pressed."""
        requests_now = [StopRequest(BY_SOCKET, address) for address in self._local.requests()]
        if self._signalled:
            self._signalled = False
            requests_now.append(StopRequest(BY_SIGNAL))
        return requests_now + [StopRequest(reason) for source in self._sources if (reason := source.reason())]

    def reply(self, request: StopRequest, sentence: str) -> None:
        """Tell who asked."""
        self._local.reply(request.address, sentence)

    def close(self) -> None:
        """Idempotent."""
        for source in self._sources:
            source.close()
        self._local.close()
