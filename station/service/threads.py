"""The station's threads: one times and writes, one speaks. If one dies of a bug, the process ends and starts anew."""

import threading
import traceback
from collections.abc import Callable

from shared.errors import StorageError
from station.service.station import Station

WAIT_S = 0.02


class StationThreads:
    """Runs a station until stopped; `failed` says which thread died and of what."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.failed = ""
        self.over = threading.Event()
        self._threads = (
            threading.Thread(target=self._loop, args=(station.pump,), name="timing"),
            threading.Thread(target=self._loop, args=(station.pump_live,), name="live"),
        )

    def start(self) -> None:
        """Raises OperatorError if the station cannot begin."""
        self.station.start()
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends both threads and closes the station; idempotent."""
        self.over.set()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=3.0)
        self.station.close()

    def _loop(self, pump: Callable[[float], bool]) -> None:
        try:
            while not self.over.is_set():
                pump(WAIT_S)
        except StorageError as error:  # more came than could be held while the disk refused
            self.failed = str(error)
            self.over.set()
        except Exception:  # a bug: say where, end, and let the supervisor start us anew from the journal
            self.failed = traceback.format_exc()
            self.over.set()
