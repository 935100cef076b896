"""The emergency key: any key in the terminal that the car was started in. Without a terminal there is none.

The terminal passes on each key at once (cbreak), and is restored when the car ends. A car in the background does not
read, since the terminal then belongs to another process.
"""

import os
import signal
import sys
import termios
import tty
from typing import Any, TextIO

from shared.text import text

BY_KEY = text("Emergency stop by a key at the car.")
_MAX_BYTES = 1024


class StopKey:
    """Reads keys from a duplicate of the terminal's descriptor."""

    def __init__(self, descriptor: int) -> None:
        # The kernel would stop the whole car for touching a terminal from the background.
        for number in (signal.SIGTTIN, signal.SIGTTOU):
            signal.signal(number, signal.SIG_IGN)
        self._terminal = os.dup(descriptor)
        try:
            self._saved_settings: list[Any] = termios.tcgetattr(self._terminal)
            tty.setcbreak(self._terminal)
            settings = termios.tcgetattr(self._terminal)
            settings[6][termios.VMIN] = settings[6][termios.VTIME] = 0  # a read gives what is there and never waits
            termios.tcsetattr(self._terminal, termios.TCSANOW, settings)
        except BaseException:
            os.close(self._terminal)
            raise
        self._open = True

    def reason(self) -> str:
        """BY_KEY if a key was pressed since the last call, else ''."""
        try:
            return BY_KEY if self._open and os.read(self._terminal, _MAX_BYTES) else ""
        except OSError:
            return ""  # hung up, or in the background by now: no key can be pressed here

    def close(self) -> None:
        """Restore the terminal; idempotent."""
        if not self._open:
            return
        self._open = False
        try:
            termios.tcsetattr(self._terminal, termios.TCSANOW, self._saved_settings)
        except (OSError, termios.error):
            return  # the terminal is gone: there is nothing to restore
        finally:
            os.close(self._terminal)


def open_stop_key(stream: TextIO | None = None) -> StopKey | None:
    """The stop key of the terminal `stream` (default: standard input) in whose foreground we run; None without one."""
    stream = sys.stdin if stream is None else stream
    try:
        if stream is None or not stream.isatty() or os.tcgetpgrp(stream.fileno()) != os.getpgrp():
            return None
        return StopKey(stream.fileno())
    except (OSError, ValueError, termios.error):
        return None
