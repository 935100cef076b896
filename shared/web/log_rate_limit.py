"""A filter for a logger that clients can trigger: at most a few lines a second, then a count of the rest."""

import logging
import time
from collections.abc import Callable


class LogRateLimit(logging.Filter):
    """Passes `lines_per_s` records of each second; the next record that passes says how many were left out."""

    def __init__(self, lines_per_s: int, now_s: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._lines_per_s, self._now_s = lines_per_s, now_s
        self._second = 0
        self._lines = self._left_out = 0

    def filter(self, record: logging.LogRecord) -> bool:
        second = int(self._now_s())
        if second != self._second:
            self._second, self._lines = second, 0
        self._lines += 1
        if self._lines > self._lines_per_s:
            self._left_out += 1
            return False
        if self._left_out:
            record.msg = f"{record.msg} ({self._left_out} more lines were left out)"
            self._left_out = 0
        return True
