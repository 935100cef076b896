"""Every camera driver that runs without its device gives frames behind both walls, and its program can be ended."""

import json
import os
import pathlib
import select
import stat
import subprocess
import sys
from typing import Any

import cv2
import numpy as np
import pytest

from shared.clock import ManualClock
from shared.config import load
from shared.errors import HardwareMissing
from tests.vehicle.hardware.test_rpicam import BOOT_TIME_STAMP, IMX219, PROGRAM
from tests.vehicle.process.test_hostile_policy import ABI
from tests.vehicle.process.test_seccomp import needs_filter
from tests.vehicle.sample_parts import config_text, write_model
from vehicle.config import VehicleConfig
from vehicle.core.messages import CameraAbsent
from vehicle.hardware.cameras.libcamera_files import libcamera_grants
from vehicle.models.model_files import METADATA
from vehicle.models.model_grants import model_grants
from vehicle.pilot import confinement
from vehicle.pilot.confinement import open_camera
from vehicle.process.channel import Channel, socket_pair
from vehicle.process.landlock import FileGrant

needs_walls = [needs_filter, pytest.mark.skipif(ABI < 1, reason="this kernel has no Landlock")]
PILOT = """
import json, os, pathlib, sys
from shared.clock import SystemClock
from shared.config import load
from vehicle.config import VehicleConfig
from vehicle.hardware.cameras import libcamera_files, rpicam
from vehicle.pilot.confinement import filter_calls, open_camera
from vehicle.pilot.pilot import load_model
from vehicle.process.channel import Channel, socket_pair
from vehicle.process.sandbox import PILOT, confine

folder = pathlib.Path(sys.argv[1])
rpicam.libcamera_grants = lambda number: libcamera_files.libcamera_grants(number, folder / "dev")
confine(os.getppid(), PILOT)
config = load(folder / "vehicle.toml", VehicleConfig)
ours, theirs = socket_pair()
camera = open_camera(config, SystemClock(), Channel(ours))
filter_calls(config, camera)
try:
    (folder / "console.json").read_text()
    held = False
except PermissionError:
    held = True
load_model(config)
frame = None
while frame is None:
    frame = camera.read(20.0)
programs = getattr(camera, "processes", ())
camera.close()
print(json.dumps([list(frame.pixels.shape), held, len(programs)]))
"""


def written(folder: pathlib.Path, driver: str) -> str:
    """A folder with what the driver plays, its config, and a secret; returns the driver's part of the config."""
    (folder / "console.json").write_text("secret")
    (folder / "plays").mkdir()
    picture = np.full((48, 64, 3), 90, np.uint8)
    if driver == "files":
        cv2.imwrite(str(folder / "plays" / "1.png"), picture)
        return f'driver = "files"\noptions = {{ folder = "{folder}/plays" }}'
    if driver == "video":
        path = folder / "plays" / "drive.avi"
        writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), 10.0, (64, 48))
        for _ in range(4):
            writer.write(picture)
        writer.release()
        return f'driver = "video"\noptions = {{ file = "{path}" }}'
    if driver == "rpicam":
        (folder / "dev").mkdir()
        (folder / "dev" / "media0").touch()
        for name in ("rpicam-hello", "rpicam-vid"):
            program = folder / "plays" / name
            words = {"python": sys.executable, "frames": 5, "listing": IMX219, "fault": "", "stamp_ns": BOOT_TIME_STAMP}
            program.write_text(PROGRAM.format(**words))
            program.chmod(program.stat().st_mode | stat.S_IXUSR)
        # This interpreter, which stands in for a program of the system's own.
        return f'driver = "rpicam"\nopens = ["{folder}/plays", "{sys.prefix}", "{sys.base_prefix}"]'
    return 'driver = "mock"'


@pytest.mark.slow
@pytest.mark.parametrize(
    ("driver", "shape", "programs"),
    [("mock", [240, 320], 0), ("files", [48, 64], 0), ("video", [48, 64], 0), ("rpicam", [240, 320], 1)],
)
@pytest.mark.parametrize("walls", [pytest.param(True, marks=needs_walls)])
def test_each_driver_works_behind_the_walls(
    tmp_path: pathlib.Path, driver: str, shape: list[int], programs: int, walls: bool
) -> None:
    write_model(tmp_path / "model")
    (tmp_path / "vehicle.toml").write_text(config_text(tmp_path, 1883, written(tmp_path, driver)))
    told = subprocess.run(
        [sys.executable, "-c", PILOT, str(tmp_path)],
        env=os.environ | {"PATH": f"{tmp_path}/plays{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == [shape, walls, programs]


class Restrictions:
    """Stands in for the kernel's: notes what was granted, and restricts nobody."""

    def __init__(self) -> None:
        self.granted: list[list[FileGrant]] = []

    def __call__(self, _config: VehicleConfig, grants: list[FileGrant]) -> None:
        self.granted.append(grants)


def config_of(folder: pathlib.Path, camera: str) -> VehicleConfig:
    (folder / "vehicle.toml").write_text(config_text(folder, 1883, camera))
    return load(folder / "vehicle.toml", VehicleConfig)


def test_nothing_is_restricted_while_the_camera_is_away(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its device is not there yet, so no rule could name it."""
    tries = iter([HardwareMissing("there is no camera."), HardwareMissing("there is no camera."), []])

    def grants(_config: VehicleConfig) -> list[FileGrant]:
        found: Any = next(tries)
        if isinstance(found, Exception):
            raise found
        return list(found)

    monkeypatch.setattr(confinement, "camera_grants", grants)
    monkeypatch.setattr(confinement, "CAMERA_RETRY_S", 0.0)
    ours, theirs = socket_pair()
    guard, restrictions = Channel(theirs), Restrictions()
    camera = open_camera(config_of(tmp_path, 'driver = "mock"'), ManualClock(), Channel(ours), restrictions)
    assert camera is not None
    assert restrictions.granted == [[]]
    assert guard.receive() == [CameraAbsent("there is no camera.")] * 2
    guard.close()
    ours.close()


def test_a_camera_that_was_plugged_in_anew_is_for_a_new_process(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    device = tmp_path / "video0"
    device.touch()
    (tmp_path / "absent").touch()

    def try_again(_sources: object, *_: object) -> None:
        other = tmp_path / "other"
        other.touch()
        other.replace(device)  # under the same name

    monkeypatch.setattr(confinement, "camera_grants", lambda _config: [FileGrant(device, "device")])
    monkeypatch.setattr(select, "select", try_again)
    ours, theirs = socket_pair()
    restrictions = Restrictions()
    config = config_of(tmp_path, f'driver = "mock"\noptions = {{ absent = "{tmp_path}/absent" }}')
    assert open_camera(config, ManualClock(), Channel(ours), restrictions) is None
    assert len(restrictions.granted) == 1
    ours.close()
    theirs.close()


def test_of_models_one_is_granted(tmp_path: pathlib.Path) -> None:
    for name in ("mine", "theirs"):
        write_model(tmp_path / name)
    (tmp_path / "selected").symlink_to("mine")
    folder = {grant.path for grant in model_grants(tmp_path / "selected")}
    assert {tmp_path / "selected" / "model.onnx", tmp_path / "selected" / METADATA} <= folder
    granted = {grant.path for grant in model_grants(tmp_path / "mine" / "model.onnx")}
    assert {tmp_path / "mine" / "model.onnx", tmp_path / "mine" / METADATA} <= granted
    # The folder itself is never granted: what else lies in it is nobody's model.
    assert not {tmp_path / "mine", tmp_path / "selected", tmp_path} & (folder | granted)


def test_libcamera_waits_for_its_devices_and_gets_no_other(tmp_path: pathlib.Path) -> None:
    with pytest.raises(HardwareMissing, match="media"):
        libcamera_grants(0, tmp_path)
    for name in ("media0", "video0", "v4l-subdev0", "i2c-1", "gpiochip0"):
        (tmp_path / name).touch()
    devices = {grant.path.name for grant in libcamera_grants(0, tmp_path) if grant.use == "device"}
    assert devices == {"media0", "video0", "v4l-subdev0", "dma_heap", "udmabuf"}
