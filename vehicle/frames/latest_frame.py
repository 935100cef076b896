"""A one-slot mailbox between the camera's thread and its readers: always the newest frame, never a queue.

A frame wakes the policy at once. The other readers (lap watcher, frame feed) are woken when the policy has processed
it, since before that they would only compete for the interpreter; they time out if the policy takes too long.
"""

import threading

from vehicle.hardware.frame import Frame


class LatestFrame:
    """Any number of readers, each with the number of its last frame; a slow reader skips frames. Thread-safe."""

    def __init__(self) -> None:
        lock = threading.Lock()
        self._arrived = threading.Condition(lock)
        self._processed = threading.Condition(lock)
        self._frame: Frame | None = None
        self._number = self._processed_number = 0
        self._closed = False

    def put(self, frame: Frame) -> None:
        """Store `frame` in place of the previous one, and wake the policy."""
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
        """The policy has processed frame `number`: wake the other readers."""
        with self._processed:
            self._processed_number = number
            self._processed.notify_all()

    def wait_for_processed(self, after: int, timeout_s: float) -> tuple[Frame, int] | None:
        """The newest frame and its number, once the policy has processed one above `after`, or on timeout.

        None if there is no frame above `after`.
        """
        with self._processed:
            self._processed.wait_for(lambda: self._processed_number > after or self._closed, timeout_s)
            return self._newer_than(after)

    @property
    def closed(self) -> bool:
        """Whether `close` was called: no more frames come."""
        return self._closed

    def close(self) -> None:
        """Wake all readers: no more frames come."""
        with self._arrived:
            self._closed = True
            self._arrived.notify_all()
            self._processed.notify_all()

    def _newer_than(self, after: int) -> tuple[Frame, int] | None:
        if self._frame is None or self._number <= after:
            return None
        return self._frame, self._number
