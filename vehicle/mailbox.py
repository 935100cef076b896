"""The one-slot mailbox between the camera's thread and those that look: always the newest frame, never a queue."""

import threading

from vehicle.hardware.devices import Frame


class Mailbox:
    """Any number of readers, each with its own place; what a reader is too slow for, it never sees."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._frame: Frame | None = None
        self._number = 0
        self._closed = False

    def put(self, frame: Frame) -> None:
        """Replace what lies there."""
        with self._changed:
            self._frame = frame
            self._number += 1
            self._changed.notify_all()

    def newest(self, after: int, timeout_s: float) -> tuple[Frame, int] | None:
        """The newest frame and its number, once it is above `after`; None on timeout or when closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._number > after or self._closed, timeout_s)
            if self._frame is None or self._number <= after:
                return None
            return self._frame, self._number

    @property
    def closed(self) -> bool:
        return self._closed

    def close(self) -> None:
        """Wake all who wait: no more frames come."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
