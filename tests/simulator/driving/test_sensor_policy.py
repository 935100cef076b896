"""Models with other sensors than the car's drive in the mock world: two eyes, and a LiDAR that notices boxes."""

import pathlib
import shutil

import numpy as np
import pytest

from shared.errors import BadInput
from simulator.driving.sensor_policy import load_sensor_policy, sense
from simulator.objects.faces import box_surfaces
from simulator.objects.lidar import beam_angles
from simulator.objects.outlines import BOX_OUTLINE
from simulator.world.camera_sensor import CameraSensor
from simulator.world.tracks import load_track
from simulator.world.world import World, draw_parts
from tests.vehicle.models.tensorflow.frozen_graphs import DATA
from vehicle.core.actions import Action
from vehicle.frames.preprocess import preprocessor
from vehicle.models.metadata import load_metadata
from vehicle.models.running.session import open_session
from vehicle.models.tensorflow.converter import convert
from vehicle.models.tensorflow.graphdef import read_graph

TRACK = load_track("reinvent_base")


def converted(folder: pathlib.Path, case: str) -> pathlib.Path:
    """A model of the real training code, as the importer makes it."""
    metadata = load_metadata(DATA / f"{case}.json", any_sensors=True)
    pieces, _ = convert(read_graph((DATA / f"{case}.pb").read_bytes()), metadata)
    (folder / "model.onnx").write_bytes(b"".join(pieces))
    shutil.copy(DATA / f"{case}.json", folder / "model_metadata.json")
    return folder


def sharp_world() -> World:
    """A world whose camera has neither noise nor blur, with a box half a metre behind the car's left."""
    parts = draw_parts(TRACK, 1, board=False)
    world = World(TRACK, 1, parts=type(parts)(parts.car, parts.appearance, CameraSensor(blur_px=0.0, noise=0.0), ()))
    world.put_at(2.0)
    return world


@pytest.mark.parametrize("case", ["rl_coach/stereo-sector-lidar", "rl_coach/lidar", "rl_coach/shallow"])
def test_a_model_gets_what_it_was_trained_with(tmp_path: pathlib.Path, case: str) -> None:
    policy = load_sensor_policy(converted(tmp_path, case), 50.0)
    world, metadata = sharp_world(), policy.sensors.metadata
    ahead = TRACK.pose_at(3.3)
    bare, _ = sense(world, policy.sensors, np.random.default_rng(1))
    world.standing = box_surfaces(*ahead)
    behind = TRACK.pose_at(1.45)
    outlines = np.array([[*behind, *BOX_OUTLINE.size]])
    pictures, ranges = sense(world, policy.sensors, np.random.default_rng(1), outlines)
    assert len(pictures) == (2 if metadata.sensor == "STEREO_CAMERAS" else 1)
    assert (ranges is not None) is bool(metadata.lidar)
    if len(pictures) == 2:
        # The box's right edge is where a picture begins to be the one without the box, whatever stands behind.
        left, right = (np.nonzero(eye[60] != plain[60])[0].max() for eye, plain in zip(pictures, bare, strict=True))
        moved = int(left) - int(right)
        assert moved == pytest.approx(253 * 0.06 / (1.3 - 0.20 - 0.145), abs=3)  # focal length, base, distance
    feeds = {}
    for each in policy._model.inputs:
        if each.sensor == metadata.lidar:
            assert ranges is not None
            feeds[each.name] = policy.sensors.lidar(ranges)[None]
        else:
            small = np.zeros((120, 160), np.uint8)
            channels = []
            for eye in pictures:
                preprocessor("grey-area")(eye, small)
                channels.append(small.astype(np.float32))
            feeds[each.name] = np.stack(channels, 0 if policy._model.layout == "NCHW" else -1)[None]
    (wanted,) = open_session(policy._model.content).run(None, feeds)
    assert policy.act(pictures, ranges) == metadata.space.decode(wanted, 0.5)
    assert isinstance(policy.act(pictures, ranges), Action)
    if ranges is not None:
        nearest = int(ranges.argmin())
        assert np.degrees(beam_angles()[nearest]) == pytest.approx(180.0, abs=12.0)
        assert ranges[nearest] == pytest.approx(2.0 - 1.45 - 0.20 + 0.029, abs=0.06)


def test_walls_are_noticed_where_there_are_some(tmp_path: pathlib.Path) -> None:
    policy = load_sensor_policy(converted(tmp_path, "rl_coach/lidar"), 50.0)
    seen = []
    for seed in range(12):
        world = World(TRACK, seed, board=False)
        ranges = sense(world, policy.sensors, np.random.default_rng(seed))[1]
        assert ranges is not None
        seen.append((world.surroundings.wall_height_m > 0.0, bool(ranges.min() < 12.0)))
    assert {walled for walled, _ in seen} == {True, False}
    assert all(walled is noticed for walled, noticed in seen)


def test_metadata_that_no_lidar_fits_is_refused_with_its_file(tmp_path: pathlib.Path) -> None:
    folder = converted(tmp_path, "rl_coach/stereo-sector-lidar")
    written = (folder / "model_metadata.json").read_text().rstrip().removesuffix("}")
    (folder / "model_metadata.json").write_text(written + ', "lidar_config": {"num_sectors": 8, "clipping_dist": 99}}')
    with pytest.raises(BadInput, match=r"model_metadata.json: The clipping_dist of the lidar_config is 99 m"):
        load_sensor_policy(folder, 50.0)
