"""A car's devices as its drivers see them; nothing moves. Imported only where the extra `vehicle` is whole."""

import pathlib

from raceday.doctor.installed import InstalledRole
from raceday.doctor.machine_reader import MachineReader
from raceday.doctor.permissions import READ, WRITE, ServiceUser, blocked_by
from shared.clock import SystemClock
from shared.config import load
from shared.errors import OperatorError
from shared.findings import Finding
from vehicle.config import VehicleConfig
from vehicle.core.pulses import Calibration
from vehicle.drivers import build_battery
from vehicle.hardware.cameras.video_devices import find_camera
from vehicle.hardware.findings import battery_findings, camera_findings, lights_findings, stock_software_findings
from vehicle.hardware.motors.findings import motor_findings
from vehicle.process.confinement_findings import confinement_findings

GAUGE_OF_MOST = "kernel"  # the default driver, which says nothing where there is no gauge


def car_findings(reader: MachineReader, role: InstalledRole, user: ServiceUser | None) -> list[Finding]:
    """What the drivers that the config names report."""
    try:
        config = load(pathlib.Path(role.config), VehicleConfig)
    except OperatorError:
        return []  # the check of the config says it
    calibration, damaged = _calibration(config)
    return [
        *damaged,
        *stock_software_findings(config.stock_software.service),
        *motor_findings(
            config.motors.driver,
            dict(config.motors.options),
            calibration,
            may_write=None if user is None else lambda path: not blocked_by(reader, str(path), user, WRITE),
        ),
        *camera_findings(config.camera.driver, config.camera.options),
        *_camera_rights(reader, config, user),
        *_battery(config),
        *lights_findings(config.lights.driver, config.lights.options),
        *confinement_findings(),
    ]


def _calibration(config: VehicleConfig) -> tuple[Calibration | None, list[Finding]]:
    """The calibration, and what is wrong with its file."""
    try:
        return config.calibration.load(), []
    except OperatorError as error:
        return None, [Finding("calibration", False, str(error), "Run `raceday vehicle calibrate`.")]


def _camera_rights(reader: MachineReader, config: VehicleConfig, user: ServiceUser | None) -> list[Finding]:
    """The driver's own finding is of the user who runs the doctor; this one is of the service's."""
    if user is None or config.camera.driver != "v4l2":
        return []
    try:
        path = str(find_camera(str(config.camera.options.get("device", "auto"))))
    except OperatorError:
        return []  # the finding before says it
    if blocked := blocked_by(reader, path, user, READ | WRITE):
        cure = f"Run `sudo raceday install car`, or `sudo usermod -aG video {user.name}`."
        return [Finding(f"camera {path}", False, f"{user.name} may not open it ({blocked} keeps it out).", cure)]
    return []


def _battery(config: VehicleConfig) -> list[Finding]:
    """One reading of the gauge; a car without one is well."""
    try:
        battery = build_battery(config, SystemClock())
    except OperatorError as error:
        return [Finding("battery", False, str(error), "Mend its wires, or change [battery] in the car's file.")]
    try:
        found = battery_findings(battery)
    finally:
        battery.close()
    return [] if config.battery.driver == GAUGE_OF_MOST and found and found[0].is_good is None else found
