"""The world process from outside: one sentence and exit code 2 for an error, and a clean end on request."""

import itertools
import pathlib
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest

from shared.config import load
from simulator.realtime.control_client import WorldControl
from simulator.realtime.drivers import WorldCamera, WorldClock, WorldMotors
from simulator.realtime.world_process import WorldConfig
from vehicle.core.actions import Action
from vehicle.core.pulses import STOCK_CALIBRATION, to_pulses

ROOT = pathlib.Path(__file__).resolve().parents[3]

pytestmark = pytest.mark.slow


def run_world(config: pathlib.Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "raceday", "world", "--config", str(config)]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "`run_dir` is missing"),
        ('run_dir = "{d}"\ntrak = "x"', "unknown key `trak` (did you mean `track`?)"),
        ('run_dir = "{d}"\ntrack = "Nowhere"', "There is no track called 'Nowhere'"),
        ('run_dir = "{d}"\nspeed = 0.0', "`speed` is 0.0; allowed is 0.05 to 50.0"),
        ('run_dir = "{d}"\nframe_rate_hz = 7', "it must divide 240"),
        ('run_dir = "{d}"\nsplits = [1.5]', "between 0 and 1"),
        ('run_dir = "/proc/nothing"', "choose another `run_dir`"),
    ],
)
def test_a_bad_config_is_one_sentence_and_exit_2(tmp_path: pathlib.Path, text: str, sentence: str) -> None:
    config = tmp_path / "world.toml"
    config.write_text(text.replace("{d}", str(tmp_path)))
    ran = run_world(config)
    assert ran.returncode == 2
    assert sentence in ran.stderr
    assert len(ran.stderr.strip().splitlines()) == 1


def test_the_shipped_config_is_valid() -> None:
    assert load(ROOT / "config" / "world.toml", WorldConfig) == WorldConfig(run_dir=str(ROOT / "run" / "world"))


def test_two_worlds_do_not_share_a_folder_and_a_dead_one_leaves_it_free(start_world: Callable[..., Any]) -> None:
    world = start_world()
    second = run_world(world.folder / "world.toml")
    assert second.returncode == 2
    assert "Another world already runs" in second.stderr
    world.kill()
    world.start()
    assert WorldClock({"world": str(world.folder)}).now_ns() > 0
    assert world.stop() == 0
    assert not (world.folder / "world.sock").exists()
    assert not (world.folder / "world.clock").exists()


def test_a_patient_world_waits_for_the_answers_of_a_slow_machine(start_world: Callable[..., Any]) -> None:
    """The driver answers each frame only after another read of the camera timed out: much too late at speed 20."""
    world = start_world("speed = 20.0\npatience_ms = 2000")
    options = {"world": str(world.folder), "car": "car-1"}
    clock = WorldClock({"world": str(world.folder)})
    camera, motors = WorldCamera(options, clock), WorldMotors(options, clock)
    control = WorldControl(str(world.folder))
    control.place("car-1")
    assert camera.read(5.0) is not None
    while camera.read(0.3) is not None:
        pass  # frames of the pits, and the first of the track: nobody answers it, so the world stands
    stamps: list[int] = []
    while len(stamps) < 8:
        motors.apply(to_pulses(Action(0.0, 0.0), STOCK_CALIBRATION))
        frame = camera.read(5.0)
        assert frame is not None
        stamps.append(frame.at_ns)
        assert camera.read(0.05) is None, "the world must wait for the answer"
    assert max(b - a for a, b in itertools.pairwise(stamps)) < 70_000_000
    assert control.status().waited_ms > 100
    for device in (camera, motors, control):
        device.close()
