"""What a check of this car's hardware sees, for `raceday doctor`: camera, battery, lights, the maker's own software.

Nothing here moves, lights up or takes a device from a car that runs: nodes are asked what they are, the battery is
read, and files are looked at. Motors have their own findings beside their drivers.
"""

import os
import pathlib
from collections.abc import Mapping
from typing import Any

from shared.errors import HardwareMissing, OperatorError
from shared.findings import Finding
from shared.protocol.messages import LOW_BATTERY_PERCENT
from vehicle.hardware.batteries.battery import Battery
from vehicle.hardware.cameras import video_devices
from vehicle.hardware.cameras.sensor_modes import DMA_HEAPS
from vehicle.hardware.motors.attributes import AttributeFiles
from vehicle.hardware.motors.pwm_chip import find_chip
from vehicle.hardware.stock_software import CGROUPS, LEASH_SERVICE, in_the_way, is_running


def camera_findings(
    driver: str,
    options: Mapping[str, Any],
    dev: pathlib.Path = video_devices.DEV,
    sys: pathlib.Path = video_devices.SYS,
) -> list[Finding]:
    """The camera that the config names; [] for a driver without a device."""
    if driver == "v4l2":
        return [_video_finding(str(options.get("device", video_devices.AUTO)), dev, sys)]
    if driver in ("rpicam", "picamera"):
        return _pi_camera_findings(dev)
    return []


def battery_findings(battery: Battery | None) -> list[Finding]:
    """What the gauge says now; [] for a car whose config names none. `battery` is the driver, built."""
    if battery is None:
        return []
    try:
        percent = battery.percent()
    except OperatorError as error:
        return [
            Finding("battery", False, str(error), 'See the sentence; a car without a gauge says `driver = "none"`.')
        ]
    if percent is None:
        return [Finding("battery", None, "The gauge says nothing.", "Is the vehicle battery connected?")]
    low = percent < LOW_BATTERY_PERCENT
    return [Finding("battery", not low, f"{percent} % are left.", "Charge it, or change it." if low else "")]


def lights_findings(driver: str, options: Mapping[str, Any], files: AttributeFiles | None = None) -> list[Finding]:
    """The chip of the lights; [] for a car without lights of its own."""
    if driver != "pwm":
        return []
    try:
        chip = find_chip(str(options.get("chip", "")), files or AttributeFiles())
    except HardwareMissing as error:
        return [Finding("lights", False, str(error), 'A car without lights says `driver = "none"` in [lights].')]
    return [Finding("lights", True, f"Their chip is {chip}.")]


def stock_software_findings(service: str, cgroups: pathlib.Path = CGROUPS) -> list[Finding]:
    """Whether the car's own software is out of the way, and no leash runs; [] for a car without either."""
    found = []
    if is_running(LEASH_SERVICE, cgroups):
        cure = f"sudo systemctl disable --now {LEASH_SERVICE}"
        found.append(Finding(LEASH_SERVICE, False, in_the_way(LEASH_SERVICE), cure))
    if is_running(service, cgroups):
        found.append(Finding(service, False, in_the_way(service), "sudo raceday vehicle take-over --config FILE"))
    elif service:
        found.append(Finding(service, True, f"{service} does not run."))
    return found


def _video_finding(device: str, dev: pathlib.Path, sys: pathlib.Path) -> Finding:
    what = f"camera {device}"
    try:
        path = video_devices.find_camera(device, dev, sys)
    except HardwareMissing as error:
        return Finding(what, False, str(error), video_devices.firmware_hint(sys) or "Plug it in, or name another.")
    found = video_devices.read_device(path)
    if found.trouble:
        return Finding(what, False, f"{found}.", "Add the service's user to the group video.")
    if not found.formats:
        return Finding(what, False, f"{found}.", 'Use `device = "auto"`, which finds the one that does.')
    rate = "" if video_devices.MJPEG in found.formats else "It gives no MJPEG: at 640 x 480 it may be slow."
    return Finding(what, True, f"{found}.", rate)


def _pi_camera_findings(dev: pathlib.Path) -> list[Finding]:
    found = []
    heaps = sorted((dev / DMA_HEAPS.name).glob("*"))
    if not heaps:
        found.append(Finding("camera", False, f"There is no {DMA_HEAPS}: libcamera finds no camera.", "Is this a Pi?"))
    elif not any(os.access(heap, os.R_OK | os.W_OK) for heap in heaps):
        seen = f"{DMA_HEAPS} may not be opened by this user: libcamera finds no camera."
        found.append(Finding("camera", False, seen, "sudo raceday install car"))
    if not sorted(dev.glob("media*")):
        seen = "There is no /dev/media*: the kernel has found no camera on the ribbon."
        cure = "Check the ribbon; on Ubuntu name the sensor in config.txt (`dtoverlay=imx219`) and restart."
        found.append(Finding("camera", False, seen, cure))
    return found or [Finding("camera", True, f"The kernel has a camera, and {DMA_HEAPS} may be opened.")]
