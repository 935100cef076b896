"""A car's devices as its drivers see them; nothing moves. Imported only where the extra `vehicle` is whole."""

import pathlib

from raceday.doctor.installed import InstalledRole
from raceday.doctor.machine_reader import MachineReader
from raceday.doctor.permissions import WRITE, ServiceUser, blocked_by
from shared.config import load
from shared.errors import OperatorError
from shared.findings import Finding
from vehicle.config import VehicleConfig
from vehicle.hardware.motors.findings import motor_findings


def car_findings(reader: MachineReader, role: InstalledRole, user: ServiceUser | None) -> list[Finding]:
    """What the drivers that the config names report."""
    try:
        config = load(pathlib.Path(role.config), VehicleConfig)
    except OperatorError:
        return []  # the check of the config says it
    return motor_findings(
        config.motors.driver,
        dict(config.motors.options),
        may_write=None if user is None else lambda path: not blocked_by(reader, str(path), user, WRITE),
    )
