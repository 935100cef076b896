"""Reads the battery on a thread of its own: a gauge on I2C may block for a second. Started by `comms/side_services.py`.

The charge is the middle one of the last readings (`core/battery_level.py`). A gauge that fails is said once, and tried
again; after some failures the charge is unknown rather than old.
"""

import threading
from collections.abc import Callable

from shared.errors import OperatorError
from shared.protocol.messages import LOW_BATTERY_PERCENT
from vehicle.core.battery_level import BatteryCharge
from vehicle.hardware.batteries.battery import Battery
from vehicle.process.log import log

PERIOD_S = 5.0


class BatteryMonitor:
    """`open_battery` builds the driver; it raises OperatorError while there is none."""

    def __init__(self, open_battery: Callable[[], Battery], period_s: float = PERIOD_S) -> None:
        self._open, self._period_s = open_battery, period_s
        self._battery: Battery | None = None
        self._charge = BatteryCharge()
        self._logged = ""
        self._was_low = False
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="battery", daemon=True)

    def percent(self) -> int | None:
        """The charge, 0 to 100; None if it is unknown. Never blocks."""
        return self._charge.percent

    @property
    def is_low(self) -> bool:
        """Whether it should be charged before the car drives on."""
        return self._charge.is_low

    def start(self) -> None:
        """Take the first reading at once, then one each period."""
        self._thread.start()

    def close(self) -> None:
        """End the thread. A reading that hangs is left behind."""
        self._closing.set()
        if self._thread.ident is not None:
            self._thread.join(2.0)

    def read_once(self) -> None:
        """Take one reading."""
        try:
            if self._battery is None:
                self._battery = self._open()
            self._charge.add(self._battery.percent())
            self._logged = ""
        except OperatorError as error:
            self._charge.add(None)
            self._say(f"battery: {error}")
        if self.is_low and not self._was_low:
            log(f"battery: {self.percent()} % are left, less than {LOW_BATTERY_PERCENT}: charge it, or change it.")
        self._was_low = self.is_low

    def _run(self) -> None:
        while not self._closing.is_set():
            self.read_once()
            self._closing.wait(self._period_s)
        if self._battery is not None:
            self._battery.close()

    def _say(self, sentence: str) -> None:
        if sentence != self._logged:
            self._logged = sentence
            log(sentence)
