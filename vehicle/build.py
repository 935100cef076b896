"""Puts the car together from its config: the only place that asks for drivers."""

import sys
from typing import cast

from shared import drivers
from shared.clock import Clock
from vehicle.children import Child
from vehicle.config import VehicleConfig
from vehicle.core.helm import Helm
from vehicle.core.pulses import require_fine_enough
from vehicle.guard import Guard
from vehicle.hardware.devices import Camera, Motors
from vehicle.ipc import pair
from vehicle.lifeline import Lifeline
from vehicle.localstop import LocalStop
from vehicle.log import say
from vehicle.wheels import Wheels


def build_clock(config: VehicleConfig) -> Clock:
    """The machine's clock."""
    kind = drivers.find("raceday.clocks", config.clock.driver)
    return cast(Clock, kind(config.clock.options) if config.clock.options else kind())


def build_camera(config: VehicleConfig, clock: Clock) -> Camera:
    """The camera driver. Raises ConfigError or HardwareMissing."""
    return cast(Camera, drivers.find("raceday.cameras", config.camera.driver)(config.camera.options, clock))


def build_motors(config: VehicleConfig, clock: Clock) -> Motors:
    """The motor driver, if it is fine enough for the calibration. No pulse is sent yet."""
    motors = cast(Motors, drivers.find("raceday.motors", config.motors.driver)(config.motors.options, clock))
    calibration = config.calibration.load()
    if calibration is not None:
        require_fine_enough(calibration, motors.resolution_ns)
    return motors


def build_guard(config: VehicleConfig, config_path: str) -> Guard:
    """The guard with its motors and its children, which are not started yet."""
    clock = build_clock(config)
    motors = build_motors(config, clock)
    calibration = config.calibration.load()
    if calibration is None:
        say("this car has no calibration: it cannot be armed until `raceday vehicle calibrate` has made one.")
    laps = pair()  # pilot's end and comms' end: held by us, so that a report outlives either of them
    frames = pair()  # likewise, for the black box and the console
    children = [
        Child(
            name,
            (sys.executable, "-m", f"vehicle.{name}", "--config", config_path),
            lap_fd=lap_end.fileno(),
            frame_fd=frame_end.fileno(),
        )
        for name, lap_end, frame_end in zip(("pilot", "comms"), laps, frames, strict=True)
    ]
    return Guard(
        helm=Helm(
            clock.boot_id,
            config.limits,
            config.safety,
            config.model.throttle_percent,
            calibrated=calibration is not None,
        ),
        clock=clock,
        wheels=Wheels(motors, calibration),
        pilot=children[0],
        comms=children[1],
        keeper=Lifeline(config_path),
        local=LocalStop(config.local.socket),
        safety=config.safety,
        child_ends=(*laps, *frames),
    )
