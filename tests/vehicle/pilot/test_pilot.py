"""The pilot by itself: frames to setpoints, repeats and nonsense to none, and a camera that dies."""

import gc
import os
import pathlib
import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from shared.clock import SystemClock
from shared.config import load
from shared.errors import BadInput
from tests.vehicle.sample_parts import config_text, scene, write_model
from vehicle.config import VehicleConfig
from vehicle.core.messages import FrameCounts, ModeNotice, PilotFault, Setpoint
from vehicle.frames.latest_frame import LatestFrame
from vehicle.hardware.cameras.mock import MockCamera
from vehicle.hardware.frame import Frame
from vehicle.models.running.check import check_model
from vehicle.models.running.policy import Policy
from vehicle.pilot.pilot import Pilot, load_model, run_camera, run_pilot
from vehicle.process.channel import Channel, socket_pair


@pytest.fixture
def channels() -> Iterator[tuple[Channel, Channel]]:
    """The pilot's end and the guard's."""
    ends = tuple(Channel(end) for end in socket_pair())
    yield ends[0], ends[1]
    for end in ends:
        end.close()


@pytest.fixture
def pilot(tmp_path: pathlib.Path, channels: tuple[Channel, Channel]) -> Pilot:
    return Pilot(Policy(check_model(write_model(tmp_path))), channels[0], SystemClock())


def test_a_frame_becomes_a_setpoint_with_its_stamp(pilot: Pilot, channels: tuple[Channel, Channel]) -> None:
    pilot.process_frame(Frame(scene(9), 5_000, 3))
    (setpoint,) = channels[1].receive()
    assert isinstance(setpoint, Setpoint)
    assert (setpoint.frame_seq, setpoint.frame_at_ns, setpoint.steering, setpoint.throttle) == (3, 5_000, 0.0, 1.0)


def test_a_setpoint_says_where_the_time_went(pilot: Pilot, channels: tuple[Channel, Channel]) -> None:
    captured_ns = SystemClock().now_ns() - 7_000_000
    pilot.process_frame(Frame(scene(9), captured_ns, 3))
    (setpoint,) = channels[1].receive()
    assert isinstance(setpoint, Setpoint)
    assert setpoint.capture_us >= 7_000
    assert setpoint.policy_us > 0
    pilot.process_frame(Frame(scene(10), captured_ns + 3_600_000_000_000, 4))  # a stamp that is yet to come
    (setpoint,) = channels[1].receive()
    assert isinstance(setpoint, Setpoint)
    assert setpoint.capture_us == 0


def test_arming_lets_the_collector_rest(pilot: Pilot, channels: tuple[Channel, Channel]) -> None:
    gc.unfreeze()
    mailbox = LatestFrame()
    thread = threading.Thread(target=run_pilot, args=(pilot, mailbox, channels[0]))
    thread.start()
    channels[1].send(ModeNotice("ready"))
    mailbox.put(Frame(scene(1), 1, 1))
    mailbox.put(Frame(scene(2), 2, 2))
    channels[1].close()
    thread.join(10.0)
    assert gc.get_freeze_count() > 0
    gc.unfreeze()


def test_a_new_car_without_a_model_looks_and_sends_no_setpoint(channels: tuple[Channel, Channel]) -> None:
    pilot = Pilot(None, channels[0], SystemClock())
    pilot.process_frame(Frame(scene(9), 5_000, 3))
    assert channels[1].receive() == []


@pytest.mark.parametrize(
    ("console", "chosen"), [("false", "models/selected"), ("true", "models/other"), ("true", "elsewhere/selected")]
)
def test_only_a_phone_page_may_bring_the_first_model(tmp_path: pathlib.Path, console: str, chosen: str) -> None:
    text = config_text(tmp_path, 1883, extra=f'[console]\nenabled = {console}\nmodels = "{tmp_path}/models"\n')
    (tmp_path / "car.toml").write_text(text.replace(f'{tmp_path}/model"', f'{tmp_path}/{chosen}"'))
    with pytest.raises(BadInput, match="there is no such model"):
        load_model(load(tmp_path / "car.toml", VehicleConfig))


def test_the_first_model_is_waited_for(tmp_path: pathlib.Path) -> None:
    text = config_text(tmp_path, 1883, extra=f'[console]\nenabled = true\nmodels = "{tmp_path}/models"\n')
    (tmp_path / "car.toml").write_text(text.replace(f'{tmp_path}/model"', f'{tmp_path}/models/selected"'))
    config = load(tmp_path / "car.toml", VehicleConfig)
    assert load_model(config) is None
    write_model(tmp_path / "models" / "first")
    (tmp_path / "models" / "selected").symlink_to("first")
    choice = load_model(config)
    assert choice is not None
    assert (choice.policy.model.name, choice.precision) == ("first", "fp32")


def test_repeats_make_no_setpoint_and_gaps_are_counted(pilot: Pilot, channels: tuple[Channel, Channel]) -> None:
    pilot.process_frame(Frame(scene(1), 1, 1))
    pilot.process_frame(Frame(scene(2), 2, 1))  # the same number
    pilot.process_frame(Frame(scene(2), 3, 2))  # the same picture
    pilot.process_frame(Frame(scene(4), 4, 6))
    setpoints = [message for message in channels[1].receive() if isinstance(message, Setpoint)]
    assert [setpoint.frame_seq for setpoint in setpoints] == [1, 6]
    pilot.report_counts()
    assert channels[1].receive() == [FrameCounts(2, 3, 2)]


def test_an_answer_that_is_not_finite_is_a_fault_and_no_setpoint(
    pilot: Pilot, channels: tuple[Channel, Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pilot._policy, "answer", lambda: np.full(3, np.nan))
    pilot.process_frame(Frame(scene(1), 1, 1))
    (fault,) = channels[1].receive()
    assert isinstance(fault, PilotFault)
    assert "not finite" in fault.sentence


def test_a_camera_that_dies_is_a_fault_and_the_end(channels: tuple[Channel, Channel]) -> None:
    mailbox = LatestFrame()
    run_camera(MockCamera({"rate_hz": 200.0, "die_after": 3}, SystemClock()), mailbox, channels[0])
    assert mailbox.closed
    assert [type(message) for message in channels[1].receive()] == [PilotFault]


def test_driving_ends_when_the_guard_is_gone(pilot: Pilot, channels: tuple[Channel, Channel]) -> None:
    mailbox = LatestFrame()
    mailbox.put(Frame(scene(1), 1, 1))
    thread = threading.Thread(target=run_pilot, args=(pilot, mailbox, channels[0]))
    channels[1].send(ModeNotice("ready"))
    thread.start()
    channels[1].close()
    thread.join(5.0)
    assert not thread.is_alive()


@pytest.mark.parametrize("shape", [(240, 320), (120, 160), (480, 640)])
def test_any_size_of_picture_will_do(pilot: Pilot, channels: tuple[Channel, Channel], shape: tuple[int, int]) -> None:
    pilot.process_frame(Frame(scene(1, shape), 1, 1))
    assert len(channels[1].receive()) == 1


def test_a_runtime_error_is_no_setpoint(
    pilot: Pilot, channels: tuple[Channel, Channel], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail() -> Any:
        raise BadInput("The runtime gave up.")

    monkeypatch.setattr(pilot._policy, "answer", fail)
    pilot.process_frame(Frame(scene(1), 1, 1))
    assert channels[1].receive() == [PilotFault("The runtime gave up.")]


def test_the_runtime_reports_to_nobody() -> None:
    # Set by the package itself, before the runtime's first import: it opens an uploader otherwise.
    assert os.environ["ORT_DISABLE_TELEMETRY"] == "1"
