"""The fail-safe process: it runs beside the guard and sets the motors to neutral when the guard dies or hangs.

Hardware repeats its last pulse when its writer is killed, and the service's stop hook takes a second to start Python.
This process has everything loaded, waits on one socket, and opens the motors only when the guard falls silent. It
outlives the guard on purpose: it ignores the signals that end the others.
"""

import contextlib
import signal
import socket
from collections.abc import Callable

from shared.clock import build_clock
from shared.config import load
from shared.errors import HardwareMissing
from vehicle.config import VehicleConfig
from vehicle.drivers import motors_factory
from vehicle.guard.actuators import Actuators
from vehicle.guard.failsafe_link import GOODBYE, READY, RECALIBRATED
from vehicle.hardware.interfaces import Motors
from vehicle.process.child_main import child_arguments, run_child
from vehicle.process.log import log
from vehicle.process.realtime import (
    FAILSAFE_PRIORITY,
    freeze_garbage_collector,
    lock_in_memory,
    request_realtime_for_all_threads,
)


class PreparedNeutral:
    """Sets neutral with a driver and a calibration loaded in advance: finding a driver reads hundreds of files."""

    def __init__(self, config: VehicleConfig) -> None:
        self._config = config
        self._open_motors = _motors_factory(config)
        self._calibration = config.calibration.load()

    def reload_calibration(self) -> None:
        """Load the calibration again after it has changed."""
        self._calibration = self._config.calibration.load()

    def set_neutral(self, why: str) -> None:
        """Open the motors, set them to neutral and log `why`. Raises what the driver raises at the last attempt."""
        actuators = Actuators(self._open_motors(), self._calibration)
        try:
            actuators.set_neutral()
        finally:
            actuators.close()
        log(f"fail-safe: {why}; the motors are neutral.")


def _motors_factory(config: VehicleConfig) -> Callable[[], Motors]:
    """Loads the motor driver and returns what opens it; a missing library is looked for again when it is needed."""
    clock = build_clock(config.clock)

    def find_now() -> Motors:
        return motors_factory(config, clock)()

    try:
        return motors_factory(config, clock)
    except HardwareMissing as error:
        log(f"fail-safe: {error}")
        return find_now


def watch_guard(guard: socket.socket, prepared: PreparedNeutral, hang_ms: int) -> None:
    """Read heartbeats until the guard sends its goodbye or dies.

    Neutral is set once when it dies, and once each time that it is silent for `hang_ms` of real time.
    """
    is_watching = False  # the first heartbeat may come late: nothing has moved yet
    logged_error = ""
    while True:
        guard.settimeout(hang_ms / 1000 if is_watching else None)
        try:
            received = guard.recv(4096)
        except TimeoutError:
            try:
                prepared.set_neutral(f"the guard has been silent for {hang_ms} ms")
            except HardwareMissing as error:
                # Absent motors end nothing: they are tried again for as long as the guard is silent.
                if str(error) != logged_error:
                    logged_error = str(error)
                    log(f"fail-safe: {logged_error}")
            else:
                is_watching, logged_error = False, ""
            continue
        except ConnectionResetError:
            received = b""
        if not received:
            prepared.set_neutral("the guard is dead")
            return
        if GOODBYE in received:
            return
        if RECALIBRATED in received:
            prepared.reload_calibration()
        is_watching = True


def main(arguments: list[str]) -> int:
    """Run the process; returns its exit code."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    parsed = child_arguments(arguments)
    config = load(parsed.config, VehicleConfig)
    prepared = PreparedNeutral(config)
    freeze_garbage_collector()
    if config.safety.realtime:
        request_realtime_for_all_threads("fail-safe process", FAILSAFE_PRIORITY)
        lock_in_memory("fail-safe process")
    with socket.socket(fileno=parsed.guard_fd) as guard:
        with contextlib.suppress(BrokenPipeError):  # the guard ended before we were ready; its goodbye is still to read
            guard.sendall(READY)
        watch_guard(guard, prepared, config.safety.hang_ms)
    return 0


if __name__ == "__main__":
    run_child(main)
