"""The keeper: a process beside the guard that sets the motors to neutral when the guard dies or hangs.

Hardware keeps its last pulse when its writer is killed, and the service's stop hook takes a second to start a Python.
The keeper has everything loaded, waits on one socket, and opens the motors only when the guard no longer speaks.
It outlives the guard on purpose: it ignores the signals that end the others.
"""

import signal
import socket

from shared import drivers
from shared.config import load
from vehicle.build import build_clock, build_motors
from vehicle.childmain import child_arguments, run_child
from vehicle.config import VehicleConfig
from vehicle.lifeline import GOODBYE, READY
from vehicle.log import say
from vehicle.wheels import Wheels


def watch(guard: socket.socket, config: VehicleConfig) -> None:
    """Until the guard says goodbye or is dead. A guard that hangs is neutralised once, each time that it hangs."""
    limit_s = config.safety.hang_ms / 1000
    speaking = False  # a guard may take its time until its first beat: nothing has moved yet
    while True:
        guard.settimeout(limit_s if speaking else None)
        try:
            words = guard.recv(4096)
        except TimeoutError:
            _neutral(config, f"the guard has been silent for {config.safety.hang_ms} ms")
            speaking = False
            continue
        except ConnectionResetError:
            words = b""
        if not words:
            _neutral(config, "the guard is dead")
            return
        if GOODBYE in words:
            return
        speaking = True


def _neutral(config: VehicleConfig, why: str) -> None:
    motors = build_motors(config, build_clock(config))
    wheels = Wheels(motors, config.calibration.load())
    try:
        wheels.neutral()
    finally:
        wheels.close()
    say(f"keeper: {why}; the motors are neutral.")


def main(arguments: list[str]) -> int:
    """The process; returns the exit code."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    asked = child_arguments(arguments)
    config = load(asked.config, VehicleConfig)
    drivers.find("raceday.motors", config.motors.driver)  # loaded now, opened only when it must be
    with socket.socket(fileno=asked.guard_fd) as guard:
        guard.sendall(READY)
        watch(guard, config)
    return 0


if __name__ == "__main__":
    run_child(main)
