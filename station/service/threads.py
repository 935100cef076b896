"""The station's threads: one times and writes, one serves cars and pages, one the start lights. Started by the command.

If a bug ends one of them, the process ends, and its supervisor restarts it from the journal."""

import threading
import traceback
from collections.abc import Callable

from shared.errors import StorageError
from station.service.station import Station

WAIT_S = 0.02


class StationThreads:
    """Runs a station until stopped; `failed` says which error ended a thread, "" if none."""

    def __init__(self, station: Station) -> None:
        self.station = station
        self.failed = ""
        self.over = threading.Event()
        self._threads = [
            threading.Thread(target=self._loop, args=(station.pump,), name="timing"),
            threading.Thread(target=self._loop, args=(station.pump_live,), name="live"),
        ]
        if station.lights is not None:
            self._threads.append(threading.Thread(target=self._loop, args=(self._light,), name="lights"))

    def start(self) -> None:
        """Raises OperatorError if the station cannot start."""
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

    def _light(self, _wait_s: float) -> bool:
        """Shows the lights that are due, and sleeps until the next change."""
        if self.station.lights is not None:
            self.over.wait(self.station.lights.pump())
        return False

    def _loop(self, pump: Callable[[float], bool]) -> None:
        try:
            while not self.over.is_set():
                pump(WAIT_S)
        except StorageError as error:  # more inputs arrived than could be held while the disk refused records
            self.failed = str(error)
            self.over.set()
        except Exception:  # a bug: record the traceback and end; the supervisor restarts the station from its journal
            self.failed = traceback.format_exc()
            self.over.set()
