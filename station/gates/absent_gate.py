"""Stands in for a gate whose device is missing: the station runs without it, and it joins when the device appears.

build.py uses it where a driver cannot be constructed, service/live_state.py where one does not start; in both cases
the driver raised HardwareMissing.
"""

import threading
import traceback
from collections.abc import Callable, Mapping

from shared.errors import HardwareMissing
from shared.text import text
from station.gates.driver import GateDriver, GateHealthReport, GateOutput

RETRY_S = 2.0
CLOSE_S = 3.0

Put = Callable[[GateOutput], None]
StartDriver = Callable[[Mapping[str, int], Put], GateDriver]


class AbsentGate:
    """A `GateDriver` for a missing device, which it tries to start every `RETRY_S` seconds.

    `begin(after, put)` returns the started driver, or raises HardwareMissing; `why` is the reason so far.
    """

    def __init__(self, name: str, begin: StartDriver, why: str) -> None:
        self._name, self._begin, self._why = name, begin, why
        self._driver: GateDriver | None = None
        self._absent = True
        self._lock = threading.Lock()  # a close and a late start must not cross
        self._closing = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, after: Mapping[str, int], put: Put) -> None:
        """As `GateDriver.start` describes; never raises for a missing device."""
        self._thread = threading.Thread(
            target=self._run, args=(dict(after), put), name=f"absent-{self._name}", daemon=True
        )
        self._thread.start()

    def health(self) -> GateHealthReport:
        driver = self._driver
        if driver is not None:
            return driver.health()
        return GateHealthReport(False, f"{self._why[:1].upper()}{self._why[1:]}", absent=self._absent)

    def close(self) -> None:
        self._closing.set()
        if self._thread is not None:
            self._thread.join(CLOSE_S)
        with self._lock:
            driver, self._driver = self._driver, None
        if driver is not None:
            driver.close()

    def _run(self, after: Mapping[str, int], put: Put) -> None:
        while not self._closing.wait(RETRY_S):
            try:
                driver = self._begin(after, put)
            except HardwareMissing as error:
                self._why, self._absent = str(error), True
            except Exception as error:  # a fault of the driver's own: logged with its place, and it may be temporary
                self._fail(
                    text(
                        "the gate {name} does not start ({kind}: {error}); it is tried again.",
                        name=self._name,
                        kind=type(error).__name__,
                        error=error,
                    )
                )
            else:
                self._begun(driver)
                return

    def _fail(self, why: str) -> None:
        if why != self._why:
            traceback.print_exc()
        self._why, self._absent = why, False

    def _begun(self, driver: GateDriver) -> None:
        with self._lock:
            closed = self._closing.is_set()
            if not closed:
                self._driver = driver
        if closed:  # this gate was closed in the meantime
            driver.close()


def make_and_start(make: Callable[[], GateDriver]) -> StartDriver:
    """The `begin` for a driver that cannot be constructed without its device: constructs and starts it, or neither."""

    def begin(after: Mapping[str, int], put: Put) -> GateDriver:
        driver = make()
        try:
            driver.start(after, put)
        except Exception:
            driver.close()
            raise
        return driver

    return begin


def start_again(driver: GateDriver) -> StartDriver:
    """The `begin` for a driver that was constructed but could not be started."""

    def begin(after: Mapping[str, int], put: Put) -> GateDriver:
        driver.start(after, put)
        return driver

    return begin
