"""Puts the car's guard together from its config. Called by `raceday vehicle`; drivers come from drivers.py."""

import sys

from shared.clock import Clock, build_clock
from shared.errors import HardwareMissing
from vehicle.config import ButtonOptions, VehicleConfig
from vehicle.core.controller import DriveController
from vehicle.core.pulses import Calibration, describe_positions
from vehicle.drivers import motors_factory, require_motors_to_ourselves, require_resolution
from vehicle.guard.actuators import Actuators
from vehicle.guard.calibration import CalibrationControl
from vehicle.guard.child import Child
from vehicle.guard.children import ChildProcesses
from vehicle.guard.failsafe_link import FailsafeLink
from vehicle.guard.guard import Guard
from vehicle.guard.stop_key import open_stop_key
from vehicle.guard.stop_socket import StopSocket
from vehicle.guard.stop_sources import StopSource, StopSources
from vehicle.guard.systemd import SystemdNotifier
from vehicle.hardware.absent_device import DeviceOpener
from vehicle.hardware.interfaces import Motors
from vehicle.hardware.stock_software import StockSoftwareStop
from vehicle.process.channel import socket_pair
from vehicle.process.log import log

PILOT_NICE = -10


def _fine_enough(motors: Motors, calibration: Calibration | None) -> Motors:
    """The motors, with their positions in the log. Raises HardwareMissing if they are too coarse."""
    require_resolution(motors, calibration)
    if calibration is not None:
        log(describe_positions(calibration, motors.resolution))
    return motors


def _open_motors(config: VehicleConfig, clock: Clock, calibration: Calibration | None) -> tuple[Motors | None, str]:
    """The motors, or why they are absent. Raises HardwareMissing if they are too coarse: waiting does not help."""
    try:
        require_motors_to_ourselves(config)
        motors = motors_factory(config, clock)()
    except HardwareMissing as error:
        return None, str(error)
    return _fine_enough(motors, calibration), ""


def _reopen_motors(config: VehicleConfig, clock: Clock, calibration: Calibration | None) -> Motors:
    """Open motors that were absent, and set them to neutral. Raises HardwareMissing, also if they are too coarse."""
    require_motors_to_ourselves(config)
    motors = _fine_enough(motors_factory(config, clock)(), calibration)
    try:
        Actuators(motors, calibration).set_neutral()
    except BaseException:
        motors.close()
        raise
    return motors


def _open_button(config: ButtonOptions) -> StopSource:
    """The emergency button of a car that has one. Raises HardwareMissing."""
    assert config.pin is not None
    try:
        from vehicle.hardware.stop_button import StopButton  # noqa: PLC0415 (only a car with a button needs the library)
    except ImportError as error:
        raise HardwareMissing(
            f"the emergency button needs the Python package {error.name!r}: install it, or remove `button.pin`."
        ) from None
    return StopButton(config.pin, config.library)


def _try_button(config: ButtonOptions) -> tuple[StopSource | None, str]:
    """The button, or why it is absent; (None, "") for a car without one."""
    if config.pin is None:
        return None, ""
    try:
        return _open_button(config), ""
    except HardwareMissing as error:
        return None, str(error)


def build_stop_sources(config: VehicleConfig, button: StopSource | None) -> StopSources:
    """Everything at the car that can stop it. Raises OperatorError if another guard holds the local socket."""
    sources: list[StopSource] = [button] if button is not None else []
    stop_socket = StopSocket(config.local.socket)
    sources.append(StockSoftwareStop(config.stock_software.service))
    if (key := open_stop_key()) is not None:
        log("any key in this terminal is an emergency stop.")
        sources.append(key)
    return StopSources(stop_socket, *sources)


def build_guard(config: VehicleConfig, config_path: str) -> Guard:
    """The guard with its motors and its children, which are not started yet."""
    clock = build_clock(config.clock)
    calibration = config.calibration.load()
    motors, motors_absent = _open_motors(config, clock, calibration)
    button, button_absent = _try_button(config.button)
    if calibration is None:
        log("this car has no calibration: it cannot be armed until `raceday vehicle calibrate` has made one.")
    laps = socket_pair()  # pilot's end and comms' end: the guard holds both, so that a report outlives either process
    frames = socket_pair()  # likewise, for recorder and console
    children = [
        Child(
            name,
            # -P: nothing is imported from the folder of the car's data.
            (sys.executable, "-P", "-m", f"vehicle.{name}.{name}", "--config", config_path),
            lap_fd=lap_end.fileno(),
            frame_fd=frame_end.fileno(),
            nice=nice,
        )
        # The pilot has priority over other work: even a killed one needs processor time before its channel closes.
        for name, lap_end, frame_end, nice in zip(("pilot", "comms"), laps, frames, (PILOT_NICE, 0), strict=True)
    ]
    controller = DriveController(
        clock.boot_id,
        config.limits,
        config.safety,
        config.model.throttle_percent,
        calibrated=calibration is not None,
    )
    actuators, failsafe = Actuators(motors, calibration), FailsafeLink(config_path)
    stops = build_stop_sources(config, button)
    return Guard(
        controller=controller,
        clock=clock,
        actuators=actuators,
        children=ChildProcesses(*children),
        failsafe=failsafe,
        stops=stops,
        motors_opener=DeviceOpener(
            "motors", lambda: _reopen_motors(config, clock, actuators.calibration), actuators.attach, motors_absent
        ),
        button_opener=DeviceOpener("button", lambda: _open_button(config.button), stops.add, button_absent),
        systemd=SystemdNotifier(),
        calibration=CalibrationControl(controller, actuators, failsafe, config.calibration.load),
        safety=config.safety,
        child_ends=(*laps, *frames),
    )
