"""The one-slot mailbox between the camera's thread and those that look: always the newest frame, never a queue.

The policy is woken by the frame itself. Those beside it (lap watcher, black box) are woken once the policy is done
with it: at the frame's arrival they would only fight it for the interpreter. If it takes too long they look anyway.
"""

import threading

from vehicle.hardware.frame import Frame


class LatestFrame:
    """Any number of readers, each with its own place; what a reader is too slow for, it never sees."""

    def __init__(self) -> None:
        lock = threading.Lock()
        self._arrived = threading.Condition(lock)
        self._processed = threading.Condition(lock)
        self._frame: Frame | None = None
        self._number = self._processed_number = 0
        self._closed = False

    def put(self, frame: Frame) -> None:
        """Replace what lies there."""
        with self._arrived:
            self._frame = frame
            self._number += 1
            self._arrived.notify_all()

    def wait_for_newer(self, after: int, timeout_s: float) -> tuple[Frame, int] | None:
        """The newest frame and its number, once it is above `after`; None on timeout or when closed."""
        with self._arrived:
            if self._number <= after:
                self._arrived.wait_for(lambda: self._number > after or self._closed, timeout_s)
            return self._newer_than(after)

    def mark_processed(self, number: int) -> None:
        """The policy has made what it could of that frame: the others may look."""
        with self._processed:
            self._processed_number = number
            self._processed.notify_all()

    def wait_for_processed(self, after: int, timeout_s: float) -> tuple[Frame, int] | None:
        """The newest frame once the policy is done with one above `after`, or when the time is over."""
        with self._processed:
            self._processed.wait_for(lambda: self._processed_number > after or self._closed, timeout_s)
            return self._newer_than(after)

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Wake all who wait: no more frames come."""
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()
            self._processed.notify_all()

    def _newer_than(self, after: int) -> tuple[Frame, int] | None:
        if self._frame is None or self._number <= after:
            return None
        return self._frame, self._number
