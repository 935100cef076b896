"""The drivers that the config names, found by entry point and opened. Used by all of the car's processes."""

from collections.abc import Callable
from typing import cast

from shared import drivers
from shared.clock import Clock
from shared.errors import HardwareMissing
from vehicle.config import VehicleConfig
from vehicle.core.pulses import Calibration, require_fine_enough
from vehicle.hardware.batteries.battery import Battery
from vehicle.hardware.cameras.video_devices import video_grants
from vehicle.hardware.interfaces import Camera, Motors
from vehicle.hardware.lights.lights import LightsDriver
from vehicle.hardware.stock_software import in_the_way, running_writer
from vehicle.process.landlock import FileGrant
from vehicle.process.seccomp import AllowedSockets


def build_camera(config: VehicleConfig, clock: Clock) -> Camera:
    """The camera that the config names, opened. Raises ConfigError or HardwareMissing."""
    return cast(Camera, drivers.find("raceday.cameras", config.camera.driver)(config.camera.options, clock))


def build_battery(config: VehicleConfig, clock: Clock) -> Battery:
    """The battery gauge that the config names. Raises ConfigError or HardwareMissing."""
    return cast(Battery, drivers.find("raceday.batteries", config.battery.driver)(config.battery.options, clock))


def build_lights(config: VehicleConfig, clock: Clock) -> LightsDriver:
    """The lights that the config names, opened. Raises ConfigError or HardwareMissing."""
    return cast(LightsDriver, drivers.find("raceday.car_lights", config.lights.driver)(config.lights.options, clock))


def camera_sockets(config: VehicleConfig) -> AllowedSockets:
    """The sockets that the camera's driver must still be able to open; "none" for most."""
    return cast(AllowedSockets, getattr(drivers.find("raceday.cameras", config.camera.driver), "sockets", "none"))


def camera_grants(config: VehicleConfig) -> list[FileGrant]:
    """The files and devices that the camera's driver opens, and those that the config adds; all else is closed to it.

    A driver names them by its static method `grants(options)`; one that does not has the video devices of now. Raises
    HardwareMissing while the device is not there, and ConfigError.
    """
    driver = drivers.find("raceday.cameras", config.camera.driver)
    grants_of = getattr(driver, "grants", None)
    own = video_grants() if grants_of is None else cast(list[FileGrant], grants_of(config.camera.options))
    return own + [FileGrant(path, "run" if path.is_dir() else "device") for path in config.camera.opens]


def motors_factory(config: VehicleConfig, clock: Clock) -> Callable[[], Motors]:
    """The motor driver, found and loaded now, and opened by each call. Opening sends no pulse."""
    driver = drivers.find("raceday.motors", config.motors.driver)
    return lambda: cast(Motors, driver(config.motors.options, clock))


def require_motors_to_ourselves(config: VehicleConfig) -> None:
    """Raises HardwareMissing while the car's own software or a leash runs, which writes to the motors too."""
    if writer := running_writer(config.stock_software.service):
        raise HardwareMissing(in_the_way(writer))


def require_resolution(motors: Motors, calibration: Calibration | None) -> Motors:
    """Returns `motors` if they are fine enough for the calibration; else closes them and raises HardwareMissing."""
    if calibration is not None:
        try:
            require_fine_enough(calibration, motors.resolution)
        except HardwareMissing:
            motors.close()
            raise
    return motors
