"""The stop button at the station: an opening of its contact stops all cars at once, on whatever thread reports it.

Made by build.py, used by station.py. It needs neither the web server nor the disk: the orders leave before the record.
"""

import threading
from collections.abc import Callable

from shared.errors import HardwareMissing
from shared.text import text
from station.hardware.driver import StopButtonDriver
from station.views.trackside.devices import StopButtonView

AUTHOR = text("stop button")
RETRY_NS = 2_000_000_000


class StopButtonMonitor:
    """Watches the button that `make` constructs. A button that is absent or cannot be read counts as pressed.

    `watch` is called many times a second: it finds an opening that no thread reported, and retries an absent button.
    """

    def __init__(self, make: Callable[[], StopButtonDriver]) -> None:
        self._make = make
        self._button: StopButtonDriver | None = None
        self._absent = ""
        self._tried_ns = 0
        self._open = False
        self._stop_all: Callable[[str, str], object] = lambda _author, _reason: None
        self._lock = threading.Lock()
        self.reason = ""  # why all cars must stop now, "" while the contact is closed

    @property
    def view(self) -> StopButtonView:
        return StopButtonView(self.reason, absent=self._button is None)

    def start(self, stop_all: Callable[[str, str], object], now_ns: int) -> None:
        """Watches the button from now on; `stop_all(author, reason)` is called once for each opening."""
        self._stop_all = stop_all
        self._connect(now_ns)
        self.watch(now_ns)

    def watch(self, now_ns: int) -> None:
        """Stops all cars if the contact opened, or is open while no stop was given for it."""
        if self._button is None and not 0 <= now_ns - self._tried_ns < RETRY_NS:
            self._connect(now_ns)
        self.reason = self._absent if self._button is None else self._button.reason()
        if self.reason:
            self._stop_once(self.reason)
        else:
            self._open = False

    def close(self) -> None:
        """Releases the button; the station is stopping, so its closed contact stops nothing."""
        self._stop_all = lambda _author, _reason: None
        if self._button is not None:
            self._button.close()

    def _connect(self, now_ns: int) -> None:
        self._tried_ns = now_ns
        try:
            self._button = self._make()
        except HardwareMissing as error:
            self._absent = text(
                "The stop button cannot be read, so all cars stay stopped: {error} Without a button, remove "
                "[stop_button] from the station's settings.",
                error=error,
            )
            return
        self._button.start(self._opened)

    def _opened(self) -> None:
        """On the driver's thread."""
        self._stop_once(text("The stop button was pressed, or its wire is broken."))

    def _stop_once(self, reason: str) -> None:
        with self._lock:
            if self._open:
                return
            self._open = True
        self._stop_all(AUTHOR, reason)
