"""Frames that come in time and show nothing: old buffers in turn, covered lenses, suns, noise; and scenes that do."""

import pathlib
from collections.abc import Callable, Iterator
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.clock import ManualClock
from simulator.world.tracks import load_track, shipped_tracks
from simulator.world.world import World, draw_parts
from tests.vehicle.sample_parts import write_model
from vehicle.core.messages import Setpoint, UnusableFrame
from vehicle.frames.frame_check import BLANK, COVERED, DAZZLED, HISTORY, NOISE, REPEATED, FrameCheck
from vehicle.frames.preprocess import preprocessor
from vehicle.hardware.cameras.mock import MockCamera
from vehicle.hardware.frame import Frame
from vehicle.models.running.check import check_model
from vehicle.models.running.policy import Policy
from vehicle.pilot.pilot import Pilot

RECORDED = pathlib.Path(__file__).parents[2] / "assets" / "frames" / "reinvent_base_start.png"
Picture = Any


def small_of(picture: Picture) -> Picture:
    small = np.zeros((120, 160), np.uint8)
    preprocessor("grey-area")(np.ascontiguousarray(picture.astype(np.uint8)), small)
    return small


def recorded() -> Picture:
    picture = cv2.imread(str(RECORDED))
    assert picture is not None
    return picture


def noise(rng: np.random.Generator, low: int, high: int, shape: tuple[int, int] = (240, 320)) -> Picture:
    return rng.integers(low, high, shape)


def shade(rng: np.random.Generator, mean: float, spread: float) -> Picture:
    """A soft gradient with the sensor's noise: a finger, a cap that lets light in, a lamp's halo."""
    across = np.linspace(-spread, spread, 320)
    down = np.linspace(-spread / 2, spread / 2, 240)
    return np.clip(mean + across[None, :] + down[:, None] + rng.normal(0, 2, (240, 320)), 0, 255)


def sun(rng: np.random.Generator) -> Picture:
    """Glare that burns out all but a soft rim."""
    y, x = np.mgrid[0:240, 0:320]
    return np.clip(520 - np.hypot(x - 160, y - 90) + rng.normal(0, 2, (240, 320)), 0, 255)


EMPTY: dict[str, tuple[Callable[[np.random.Generator], Picture], str]] = {
    "covered": (lambda rng: noise(rng, 0, 4), COVERED),
    "covered, half the size": (lambda rng: noise(rng, 0, 4, (120, 160)), COVERED),
    "covered, hot pixels": (lambda rng: np.where(rng.random((240, 320)) < 0.0002, 255, noise(rng, 0, 4)), COVERED),
    "covered, amplified": (lambda rng: np.clip(rng.normal(6, 3, (240, 320)), 0, 255), COVERED),
    "finger": (lambda rng: shade(rng, 30, 25), COVERED),
    "sun": (lambda rng: 255 - noise(rng, 0, 4), DAZZLED),
    "sun with a rim": (sun, DAZZLED),
    "one even grey": (lambda rng: np.full((240, 320), rng.integers(90, 160)), BLANK),
    "wall": (lambda rng: shade(rng, 120, 20), BLANK),
    "noise": (lambda rng: noise(rng, 0, 256), NOISE),
    "noise, dark": (lambda rng: np.clip(rng.normal(10, 20, (120, 160)), 0, 255), NOISE),
    "noise, half the size": (lambda rng: noise(rng, 0, 256, (120, 160)), NOISE),
    "noise in blocks": (lambda rng: np.kron(rng.integers(0, 256, (30, 40)), np.ones((8, 8))), NOISE),
    "salt and pepper": (lambda rng: 255 * (rng.random((240, 320)) < 0.5), NOISE),
}


@pytest.mark.parametrize("name", EMPTY)
def test_a_picture_that_shows_nothing_has_a_sentence(name: str) -> None:
    make, sentence = EMPTY[name]
    rng, check = np.random.default_rng(1), FrameCheck()
    assert {check.problem(small_of(make(rng))) for _ in range(20)} <= {sentence, REPEATED}


def scenes() -> Iterator[Picture]:
    """The recorded frame, as brighter, darker, duller, softer and noisier cameras and places show it."""
    real = small_of(recorded()).astype(np.float32)
    rng = np.random.default_rng(2)
    yield real
    for gain in (0.15, 0.3, 0.6, 1.4, 1.8):
        yield np.clip(real * gain, 0, 255)
    for contrast in (0.15, 0.3, 0.6):
        yield 110 + (real - 110) * contrast
    for blur in (1.0, 2.0, 4.0):
        yield cv2.GaussianBlur(real, (0, 0), blur)
    for sigma in (3, 8, 20):
        yield np.clip(real + rng.normal(0, sigma, real.shape), 0, 255)


def test_the_recorded_scene_passes_in_any_light() -> None:
    check = FrameCheck()
    assert [check.problem(small_of(picture)) for picture in scenes()] == [""] * 15


@pytest.mark.parametrize("track", shipped_tracks())
def test_rendered_scenes_pass_wherever_the_car_looks(track: str) -> None:
    road, rng = load_track(track), np.random.default_rng(3)
    for seed in range(3):
        world = World(road, seed, frame_rate_hz=15, parts=draw_parts(road, seed))
        check = FrameCheck()
        for _ in range(15):
            world.put_at(rng.uniform(0, road.length_m), rng.uniform(-0.6, 0.6), rng.uniform(-1.2, 1.2))
            assert check.problem(small_of(world.frame())) == ""


def test_the_mock_camera_shows_something(clock: ManualClock) -> None:
    camera, check = MockCamera({}, clock), FrameCheck()
    for _ in range(3 * HISTORY):
        clock.advance(clock.now_ns() + 67_000_000)
        frame = camera.read(0.0)
        assert frame is not None
        assert check.problem(small_of(frame.pixels)) == ""


def lively(number: int) -> Picture:
    """The recorded scene as a sensor gives it: never twice the same."""
    rng = np.random.default_rng(number)
    real = cv2.cvtColor(recorded(), cv2.COLOR_BGR2GRAY).astype(np.float32)
    return np.clip(real + rng.normal(0, 2, real.shape), 0, 255).astype(np.uint8)


class FakeGuard:
    """The guard's end of the channel, near enough for a pilot."""

    def __init__(self) -> None:
        self.messages: list[object] = []

    def send(self, message: object) -> bool:
        self.messages.append(message)
        return True

    @property
    def setpoints(self) -> int:
        return sum(isinstance(message, Setpoint) for message in self.messages)

    @property
    def sentences(self) -> set[str]:
        return {message.sentence for message in self.messages if isinstance(message, UnusableFrame)}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def policy(tmp_path: pathlib.Path) -> Policy:
    return Policy(check_model(write_model(tmp_path)))


def process_all(policy: Policy, pictures: list[Picture], clock: ManualClock) -> FakeGuard:
    guard = FakeGuard()
    pilot = Pilot(policy, guard, clock)  # type: ignore[arg-type]
    for number, picture in enumerate(pictures, 1):
        clock.advance(clock.now_ns() + 67_000_000)
        pilot.process_frame(Frame(picture, clock.now_ns(), number))
    return guard


@pytest.mark.parametrize("order", ["AB", "AABB", "ABC", "ABCD", "AAAB", "ABCDEFGH", "ABACAD", "ABCB"])
def test_old_buffers_in_turn_make_a_setpoint_each_and_no_more(order: str, policy: Policy, clock: ManualClock) -> None:
    buffers = {letter: lively(ord(letter)) for letter in set(order)}
    guard = process_all(policy, [buffers[letter] for letter in order * (32 // len(order))], clock)
    assert guard.setpoints == len(buffers)
    assert guard.sentences == {REPEATED}


def test_all_of_the_kernels_buffers_in_turn_are_seen_through(policy: Policy, clock: ManualClock) -> None:
    buffers = [lively(number) for number in range(32)]
    assert process_all(policy, buffers * 3, clock).setpoints == 32


def test_a_camera_that_doubles_each_frame_still_drives(policy: Policy, clock: ManualClock) -> None:
    pictures = [lively(number) for number in range(20) for _ in range(2)]
    assert process_all(policy, pictures, clock).setpoints == 20


def test_a_lens_that_is_covered_on_the_way_ends_the_setpoints(policy: Policy, clock: ManualClock) -> None:
    rng = np.random.default_rng(4)
    dark = [noise(rng, 0, 4).astype(np.uint8) for _ in range(20)]
    guard = process_all(policy, [*(lively(number) for number in range(10)), *dark], clock)
    assert guard.setpoints == 10
    assert guard.sentences == {COVERED}


def test_a_lens_covered_not_quite_tight_ends_the_setpoints(policy: Policy, clock: ManualClock) -> None:
    rng, away = np.random.default_rng(5), np.arange(240)[:, None]
    leaking = [np.clip(8 + 200 * np.exp(-away / 8) + rng.normal(0, 2, (240, 320)), 0, 255) for _ in range(20)]
    pictures = [*(lively(number) for number in range(10)), *(picture.astype(np.uint8) for picture in leaking)]
    guard = process_all(policy, pictures, clock)
    assert guard.setpoints == 10
    assert guard.sentences == {COVERED}


def test_noise_with_coarse_grains_ends_the_setpoints_after_some_frames(policy: Policy, clock: ManualClock) -> None:
    rng = np.random.default_rng(6)
    coarse = [128 + cv2.resize(rng.normal(0, 10, (30, 40)), (320, 240)) for _ in range(30)]
    pictures = [*(lively(number) for number in range(10)), *(picture.astype(np.uint8) for picture in coarse)]
    guard = process_all(policy, pictures, clock)
    assert 10 < guard.setpoints <= 18
    assert guard.sentences == {NOISE}


@given(st.integers(0, 2**32 - 1), st.integers(2, 256), st.integers(0, 254))
def test_noise_of_any_strength_never_makes_a_scene(seed: int, width: int, low: int) -> None:
    rng = np.random.default_rng(seed)
    picture = rng.integers(low, min(256, low + width), (120, 160)).astype(np.uint8)
    assert FrameCheck().problem(picture) != ""
