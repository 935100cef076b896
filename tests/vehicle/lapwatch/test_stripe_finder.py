"""The stripe test: on floors drawn by hand, and on the mock world's frames with a stripe painted across the line."""

import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.config import from_table
from simulator.driving.drive_chain import DriveChain
from simulator.driving.policy import load_policy
from simulator.world.camera import CameraParameters, render
from simulator.world.camera_sensor import expose
from simulator.world.floor_masks import PIXELS_PER_M
from simulator.world.floor_texture import FloorTexture, draw_texture
from simulator.world.geometry import Pose
from simulator.world.tracks import load_track
from simulator.world.world import World
from simulator.world.world_events import FrameDue, TrueCrossing
from vehicle.hardware.frame import Frame, Pixels
from vehicle.lapwatch.markers import LapwatchOptions, StripeOptions
from vehicle.lapwatch.stripe_finder import Optics, StripeFinder
from vehicle.lapwatch.watcher import STRIPE_BOARD_ID, LapWatcher

S = 1_000_000_000
CAMERA = CameraParameters(forward_m=0.0)
OPTICS = Optics(CAMERA.fov_rad, CAMERA.pitch_rad)
ROAD, WHITE = 80, 230


def floor(
    stripe_m: float = 0.08, turn_deg: float = 0.0, road: int = ROAD, stripe: int = WHITE, half_m: float = 2.5
) -> FloorTexture:
    """Six metres of road square; the stripe's middle goes through (3, 3), turned to the left."""
    image = np.full((600, 600), road, np.uint8)
    image += np.random.default_rng(5).integers(0, 9, image.shape, np.uint8)
    if not stripe_m:
        return FloorTexture(image, 0.0, 0.0)
    turn = math.radians(turn_deg)
    along, across = np.array([math.cos(turn), math.sin(turn)]), np.array([-math.sin(turn), math.cos(turn)])
    corners = [
        (3 + a * stripe_m / 2 * along + b * half_m * across) * PIXELS_PER_M
        for a, b in ((1, 1), (1, -1), (-1, -1), (-1, 1))
    ]
    cv2.fillConvexPoly(image, np.round(np.array(corners) * 16).astype(int), stripe, cv2.LINE_AA, 4)
    return FloorTexture(image, 0.0, 0.0)


def frame_before(texture: FloorTexture, before_m: float, left_m: float = 0.0, heading_deg: float = 0.0) -> Pixels:
    """The frame of a lens so far before the stripe's middle."""
    pose = Pose(3.0 - before_m, 3.0 + left_m, math.radians(heading_deg))
    return render(texture, CAMERA, pose, 190, ())


@pytest.mark.parametrize("turn_deg", [-20, 0, 20])
@pytest.mark.parametrize("before_m", [0.25, 0.4, 0.6, 0.8])
@pytest.mark.parametrize(("road", "stripe"), [(ROAD, WHITE), (40, 100), (170, 60)])
def test_a_stripe_is_found_where_it_lies(before_m: float, turn_deg: float, road: int, stripe: int) -> None:
    finder = StripeFinder(StripeOptions(is_light=stripe > road), OPTICS)
    distance_m = finder.find(frame_before(floor(turn_deg=turn_deg, road=road, stripe=stripe), before_m))
    assert distance_m is not None
    assert distance_m == pytest.approx(before_m * math.cos(math.radians(turn_deg)), abs=0.03)


def plain() -> FloorTexture:
    return floor(stripe_m=0.0)


def dashes() -> FloorTexture:
    """A centre line that runs along."""
    texture = plain()
    for begin in range(0, 600, 40):
        texture.image[298:302, begin : begin + 20] = WHITE
    return texture


def borders() -> FloorTexture:
    texture = plain()
    texture.image[250:255] = texture.image[345:350] = WHITE
    return texture


def carpet() -> FloorTexture:
    """The road ends at something brighter."""
    texture = plain()
    texture.image[:, 300:] = 200
    return texture


@pytest.mark.parametrize(
    "texture",
    [plain(), dashes(), borders(), carpet(), floor(turn_deg=50), floor(stripe_m=0.6), floor(half_m=0.03)],
    ids=["plain", "dashes", "borders", "carpet", "slanted", "too broad", "a scrap"],
)
def test_what_is_no_stripe(texture: FloorTexture) -> None:
    finder = StripeFinder(StripeOptions(), OPTICS)
    for before_m in np.arange(0.2, 1.2, 0.05):
        for heading_deg in (-8.0, 0.0, 8.0):
            assert finder.find(frame_before(texture, float(before_m), 0.0, heading_deg)) is None


@settings(deadline=None)
@given(st.integers(8, 60), st.integers(8, 80), st.binary(min_size=1, max_size=64))
def test_any_picture_is_a_distance_or_none(height: int, width: int, noise: bytes) -> None:
    pixels = np.resize(np.frombuffer(noise, np.uint8), (height, width)).astype(np.uint8)
    distance_m = StripeFinder(StripeOptions(), OPTICS).find(pixels)
    assert distance_m is None or 0 < distance_m < 3


def test_it_comes_from_the_config() -> None:
    options = from_table({"stripe": {"enabled": True, "width_m": 0.05}}, LapwatchOptions, "t")
    assert options.stripe == StripeOptions(enabled=True, width_m=0.05)


class StripeCamera:
    """Renders the world's floor with a stripe of 8 cm across the line, and without boards.

    The policy gets the world's own frames: it has never learnt what a stripe is.
    """

    def __init__(self, world: World) -> None:
        self._world, self._noise = world, np.random.default_rng(3)
        texture = draw_texture(world.track, world.parts.appearance).grey()
        ends = [np.round(texture.to_pixels(np.array([end]))[0] * 16).astype(int) for end in world.track.line_at(0.0)]
        thick = round(0.08 * PIXELS_PER_M)
        cv2.line(texture.image, ends[0].tolist(), ends[1].tolist(), 235, thick, cv2.LINE_AA, 4)
        self._floor = texture

    def frame(self) -> Pixels:
        lens = self._world.parts.lens
        return expose(render(self._floor, lens.camera, self._world._frame_pose, 180, ()), lens, self._noise)


# The boards are looked for on every track (test_mock_world.py); the stripe is the same on each: one small, one large.
@pytest.mark.slow
@pytest.mark.parametrize("name", ["reInvent2019_wide", "2022_summit_speedway"])
def test_every_lap_is_seen_by_the_stripe(name: str) -> None:
    world = World(load_track(name), seed=11)
    policy, wires, stripe_camera = load_policy("demo"), DriveChain(world, 30_000_000), StripeCamera(world)
    watcher = LapWatcher(LapwatchOptions(stripe=StripeOptions(enabled=True)), "world")
    truth: list[int] = []
    reports: list[int] = []
    at_ns = 0
    while len(truth) < 3 or world.now_ns < truth[2] + 2 * S:
        at_ns += S // 60
        assert at_ns < 90 * S, "the car came to no third lap"
        for event in wires.run(at_ns):
            if isinstance(event, TrueCrossing):
                truth.append(event.at_ns)
            elif isinstance(event, FrameDue):
                wires.set_command(event.at_ns, policy.act(world.frame()))
                lap = watcher.process_frame(Frame(stripe_camera.frame(), event.at_ns, event.at_ns))
                if lap is not None:
                    assert lap.board_id == STRIPE_BOARD_ID
                    reports.append(lap.at_ns)
    ends = [at for at in reports if at > truth[0] + 2 * S]  # the first crossing, from standing, may be left out
    assert len(ends) == len(truth) - 1
    assert max(abs(one - other) for one, other in zip(ends, truth[1:], strict=True)) < 60_000_000
