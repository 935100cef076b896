"""The processes that must always stop the car load no picture library: it costs start time and may crash natively."""

import json
import pathlib
import subprocess
import sys

from tests.vehicle.sample_parts import config_text

PICTURES = {"cv2", "numpy", "onnxruntime"}
FAILSAFE = """
from vehicle.guard.failsafe import PreparedNeutral
PreparedNeutral(load(path, VehicleConfig)).set_neutral("a test")
"""
GUARD = """
import vehicle.commands.vehicle
from vehicle.build import build_guard
build_guard(load(path, VehicleConfig), str(path))
"""
MOTORS = """
from shared import drivers
for driver in ("mock", "sysfs", "pca9685", "gpio"):
    drivers.find("raceday.motors", driver)
"""
PROGRAM = """
import json, pathlib, sys
from shared.config import load
from vehicle.config import VehicleConfig
path = pathlib.Path(sys.argv[1])
{body}
print(json.dumps(sorted(name for name in sys.modules if "." not in name)))
"""


def modules_after(body: str, folder: pathlib.Path) -> set[str]:
    """The names of the top-level modules that a fresh interpreter has loaded after `body`."""
    path = folder / "vehicle.toml"
    path.write_text(config_text(folder, 1883))
    program = [sys.executable, "-W", "ignore::ResourceWarning", "-c", PROGRAM.format(body=body), str(path)]
    done = subprocess.run(program, stdout=subprocess.PIPE, text=True, check=True, stdin=subprocess.DEVNULL)
    return set(json.loads(done.stdout.splitlines()[-1]))


def test_the_failsafe_process_sets_neutral_without_opencv_numpy_or_pydantic(tmp_path: pathlib.Path) -> None:
    assert modules_after(FAILSAFE, tmp_path) & (PICTURES | {"pydantic", "pydantic_core"}) == set()


def test_the_guard_is_built_without_a_picture_library(tmp_path: pathlib.Path) -> None:
    assert modules_after(GUARD, tmp_path) & PICTURES == set()


def test_no_motor_driver_loads_a_picture_library(tmp_path: pathlib.Path) -> None:
    assert modules_after(MOTORS, tmp_path) & PICTURES == set()
