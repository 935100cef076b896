"""The state in which the disk refuses records: inputs are held, up to a limit, until it accepts them again.

Used by station.py, through storage_monitor.py. Held inputs are not acknowledged; commands are declined, since the
person who gave one can repeat it. Inputs beyond the limit are dropped: gates and cars still have them, and are asked
for them when the station restarts.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace

from shared.errors import StorageError
from station.core import inputs as e
from station.service.inbox import QueuedInput, declined_unstored

RETRY_NS = 500_000_000
MAX_HELD = 100_000


class StorageFault:
    """The fault, if any. `sentence`: what is wrong, "" if nothing is; `on_change` gets it whenever it changes."""

    def __init__(self, on_change: Callable[[str], None], max_held: int = MAX_HELD) -> None:
        self.sentence = ""
        self.on = False
        self.shed = 0
        self._on_change, self._max_held = on_change, max_held
        self._held: list[QueuedInput] = []
        self._next_try_ns = 0

    @property
    def held(self) -> int:
        """How many inputs are held."""
        return len(self._held)

    def begin(self, sentence: str, items: Sequence[QueuedInput], now_ns: int) -> None:
        """The disk refused `items` with the error `sentence`: holds them, and sets when to try again."""
        self.set_sentence(sentence)
        self._next_try_ns = now_ns + RETRY_NS
        self.hold(items)

    def hold(self, items: Sequence[QueuedInput]) -> None:
        """Declines commands, drops ticks, and holds the rest while there is room."""
        for item in items:
            if item.ticket is not None:
                item.ticket.settle(declined_unstored(item.input, self.sentence))
            if item.ticket is not None and not isinstance(item.input, e.StopAll):
                continue  # the person who gave it can repeat it; a stop was sent already, and is held for the record
            if len(self._held) >= self._max_held:
                self.shed += 1
            elif not isinstance(item.input, e.Tick):
                self._held.append(replace(item, ticket=None))

    def due(self, now_ns: int) -> bool:
        """Is it time to try the disk again?"""
        if self._next_try_ns - RETRY_NS <= now_ns < self._next_try_ns:
            return False
        self._next_try_ns = now_ns + RETRY_NS
        return True

    def set_sentence(self, sentence: str) -> None:
        """Sets what is wrong now, and reports it if it changed."""
        if sentence != self.sentence:
            self.sentence, self.on = sentence, bool(sentence)
            self._on_change(sentence)

    def release(self) -> list[QueuedInput]:
        """Ends the fault, since the disk accepts records again; returns the held inputs, in order."""
        held, self._held = self._held, []
        self.sentence, self.on = "", False
        self._on_change("")
        return held

    def raise_if_shed(self) -> None:
        """Called once the held inputs are stored. Raises StorageError if some arrived that could not be held."""
        if self.shed:
            raise StorageError(
                f"{self.shed} more inputs arrived than can be held while the disk refuses records: restart the "
                "station; it asks the gates for them."
            )
