"""The mock world's `[lens]`: what it takes, what it refuses, and that its pictures are those of the lens."""

import pathlib
from statistics import median

import numpy as np
import pytest

from shared.config import load
from shared.errors import ConfigError
from simulator.realtime.stage import Stage, StageSettings
from simulator.realtime.world_process import WorldConfig
from simulator.world.optics.lens_table import WorldLensTable
from simulator.world.tracks import load_track
from simulator.world.world import World
from vehicle.lapwatch.lens_options import LensOptions
from vehicle.lapwatch.marker_finder import MarkerFinder
from vehicle.lapwatch.markers import LapwatchOptions

TRACK = load_track("reinvent_base")


@pytest.mark.parametrize(("degrees", "k"), [
    (60.0, (0.0, 0.0, 0.0, 0.0)), (120.0, (0.0, 0.0, 0.0, 0.0)), (160.0, (0.0, 0.0, 0.0, 0.0)),
    (160.0, (0.02, 0.0, 0.0, 0.0)), (150.0, (-0.04, 0.01, -0.004, 0.0005)), (180.0, (0.0, 0.0, 0.0, 0.0)),
])  # fmt: skip
def test_a_lens_whose_picture_grows_to_its_corners_is_taken(degrees: float, k: tuple[float, ...]) -> None:
    lens = WorldLensTable(degrees, *k).lens
    assert lens.k == k
    assert np.isfinite(lens.focal_px(320))


@pytest.mark.parametrize(("degrees", "k"), [
    (160.0, (-0.3, 0.0, 0.0, 0.0)),  # turns back 60 degrees from the axis
    (90.0, (-2.0, 0.0, 0.0, 0.0)),  # its edge would lie behind the middle
    (180.0, (0.0, 0.0, 0.0, -0.01)),
    (178.0, (-0.06, 0.0, 0.0, 0.0)),
    (180.0, (-0.3, 0.0, 0.0, 0.0)),  # its edge falls where a ray of 25 degrees does
    (120.0, (-0.6, 0.0, 0.0, 0.0)),
])  # fmt: skip
def test_a_lens_that_turns_back_before_the_corner_is_refused(degrees: float, k: tuple[float, ...]) -> None:
    with pytest.raises(ConfigError, match="take fewer degrees, or other coefficients"):
        WorldLensTable(degrees, *k)


@pytest.mark.parametrize(("lines", "words"), [
    ("[lens]\ndegrees = 500", "degrees"),
    ("[lens]\ndegrees = 'wide'", "degrees"),
    ("[lens]\nk1 = 0.1", "degrees"),
    ("[lens]\ndegrees = 120\nk5 = 1", "k5"),
    ("[lens]\ndegrees = 120\nk1 = nan", "k1"),
    ("[lens]\ndegrees = 160\nk1 = -0.3", "corners of the picture"),
    ("lens = 160", "lens"),
])  # fmt: skip
def test_a_bad_table_is_one_sentence(tmp_path: pathlib.Path, lines: str, words: str) -> None:
    file = tmp_path / "world.toml"
    file.write_text(f'run_dir = "run"\n{lines}\n')
    with pytest.raises(ConfigError, match=words) as refused:
        load(file, WorldConfig)
    assert "\n" not in str(refused.value)


def test_the_table_in_the_shipped_file_is_one_that_is_taken(tmp_path: pathlib.Path) -> None:
    shipped = (pathlib.Path(__file__).parents[4] / "config" / "world.toml").read_text()
    head, _, commented = shipped.partition("# [lens]")
    file = tmp_path / "world.toml"
    file.write_text(head + "[lens]" + commented.replace("\n# ", "\n"))
    config = load(file, WorldConfig)
    assert config.lens is not None
    assert (config.lens.degrees, config.lens.k1) == (160.0, 0.02)


def test_the_cars_own_reader_of_boards_finds_the_gate_through_the_lens_of_the_world() -> None:
    """Two accounts of one lens: the world looks its inverse up in a table, the lap watcher solves the polynomial."""
    lens = WorldLensTable(160.0, 0.02).lens
    measured = LensOptions(
        model="fisheye",
        width_px=320,
        height_px=240,
        focal_px=lens.focal_px(320),
        centre_x_px=159.5,
        centre_y_px=119.5,
        k1=0.02,
    )
    world = World(TRACK, 3, wide_lens=lens)
    camera = world.parts.lens.camera
    by_its_lens = MarkerFinder(LapwatchOptions(lens=measured, pitch_rad=camera.pitch_rad))
    by_another = MarkerFinder(LapwatchOptions(pitch_rad=camera.pitch_rad))
    misses_m: list[float] = []
    others_m: list[float] = []
    for before_m in (0.5, 0.65, 0.8, 0.95):
        world.put_at(-before_m)
        world.step(world.now_ns + 1_000_000_000 // 5)
        picture, true_m = world.frame(), before_m - camera.forward_m
        misses_m += [abs(pose.to_line_m(pose.yaw_rad) - true_m) for pose in by_its_lens.find(picture)]
        others_m += [abs(pose.to_line_m(pose.yaw_rad) - true_m) for pose in by_another.find(picture)]
    assert len(misses_m) >= 8
    assert median(misses_m) < 0.06  # a board is ten pixels high: a pixel's part is centimetres
    assert median(others_m) > 0.4  # through the flat lens the line would be at another place


def test_the_lens_of_the_file_is_on_every_car_of_the_world() -> None:
    lens = WorldLensTable(120.0).lens
    views = {}
    for given in (None, lens):
        stage = Stage(TRACK, StageSettings(wide_lens=given))
        stage.place("car-1")
        shots = [tick.shot for tick in (stage.tick() for _ in range(60)) if tick.shot is not None]
        views[given] = shots[0].pixels
    assert views[lens].shape == views[None].shape
    assert float(np.abs(views[lens].astype(int) - views[None]).mean()) > 5.0
