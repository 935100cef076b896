"""The mock world's picture beside a frame of the real simulator, and the measures that compare them."""

import json
import struct
import zlib
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest

from raceday.__main__ import main
from shared.errors import BadInput, OperatorError
from simulator.fidelity.frame_compare import compare, parse_pose, read_frame
from simulator.fidelity.frame_measures import measure_frame
from simulator.fidelity.frame_pose import fit_pose
from simulator.fidelity.own_frame import OwnView
from simulator.world.camera import CameraParameters, render
from simulator.world.floor_masks import FloorGeometry
from simulator.world.floor_texture import draw_texture
from simulator.world.geometry import Pose
from simulator.world.looks import ARCTIC_PRO, REINVENT_BASE, look_of
from simulator.world.surroundings import surroundings_of
from simulator.world.tracks import load_track
from tests.simulator.world.sample_tracks import box

FRAME = Path(__file__).parents[2] / "assets" / "frames" / "reinvent_base_start.png"
START = Pose(3.060, 0.713, 0.002)  # on the first row of the track, 3 cm left of its centre line
CAMERA = CameraParameters(640, 480)


def test_the_real_frame_of_reinvent_base_is_met() -> None:
    """The bars: horizon within 2 px, road within 6 px of 361, dashes within 5 %, grey difference at most 9."""
    track = load_track("reinvent_base")
    result = compare(read_frame(FRAME), OwnView(track, CAMERA).colour(START), track, START)
    frame, ours = result.frame, result.ours
    assert frame.horizon_row == pytest.approx(117.0, abs=1.0)
    assert ours.horizon_row == pytest.approx(frame.horizon_row, abs=2.0)
    assert frame.road_width_px == pytest.approx(361, abs=2.0)
    assert ours.road_width_px == pytest.approx(361, abs=3.0)
    assert ours.dash_period_m == pytest.approx(frame.dash_period_m, rel=0.02)
    assert ours.dash_m == pytest.approx(frame.dash_m, rel=0.05)
    assert frame.dash_period_m == pytest.approx(0.1, rel=0.03)
    assert result.grey_difference <= 6.5


def test_what_was_wrong_before_is_seen_by_the_measures() -> None:
    """Thin lines centred on the edge, long dashes and a camera that looks too far down are told from the real frame."""
    track = load_track("reinvent_base")
    old = replace(REINVENT_BASE, geometry=FloorGeometry(0.05, 0.5, 0.20, 0.20, 0.035))
    camera = replace(CAMERA, pitch_rad=0.2618)
    picture = render(draw_texture(track, old), camera, START, (178, 178, 178))
    result = compare(read_frame(FRAME), picture, track, START)
    assert result.ours.horizon_row == pytest.approx(104.3, abs=1.0)
    assert result.ours.road_width_px == pytest.approx(422, abs=4.0)
    assert result.ours.dash_m == pytest.approx(0.2, rel=0.05)
    assert result.grey_difference > 12.0


@pytest.mark.parametrize("along_m", [0.0, 0.037, 1.2])
@pytest.mark.parametrize("width_px", [320, 640])
def test_measures_of_drawn_frames_are_those_they_were_drawn_from(along_m: float, width_px: int) -> None:
    track, camera = box(width_m=1.0), CameraParameters(width_px, width_px * 3 // 4)
    pose = Pose(1.5 + along_m, 0.05, 0.02)
    floor = replace(ARCTIC_PRO, geometry=replace(ARCTIC_PRO.geometry, start_line_m=0.0), grain=1.0)
    around = surroundings_of(track, floor.surroundings)
    measured = measure_frame(
        render(draw_texture(track, floor), camera, pose, around.sky, surroundings=around), camera, track, pose
    )
    assert measured.horizon_row == pytest.approx(camera.horizon_row - 0.5, abs=1.2)
    assert measured.road_width_px is not None
    across_m = measured.road_width_px * camera.up_m / (camera.height_px / 6) / np.cos(camera.pitch_rad)
    assert across_m == pytest.approx(1.0 - 2 * 0.0762, rel=0.02)
    assert measured.dash_period_m == pytest.approx(0.1016, rel=0.02)
    assert measured.dash_m == pytest.approx(0.0508, rel=0.06)


def test_in_a_bend_no_horizon_is_claimed_and_without_paint_nothing_is() -> None:
    track = load_track("reInvent2019_track")
    pose = track.pose_at(4.0, 0.05)
    assert measure_frame(OwnView(track, CAMERA).colour(pose), CAMERA, track, pose).horizon_row is None
    empty = measure_frame(np.full((480, 640, 3), 90, np.uint8), CAMERA, track, pose)
    assert (empty.horizon_row, empty.road_width_px, empty.dash_period_m, empty.dash_m) == (None, None, None, None)


def test_the_pose_of_the_real_frame_is_found_from_a_rough_one() -> None:
    """The car stands on the first row of the track, 3 cm left of its centre line."""
    track = load_track("reinvent_base")
    found = fit_pose(read_frame(FRAME), track, Pose(3.12, 0.66, -0.03))
    start = track.pose_at(0.0, 0.03)
    assert (found.x, found.y) == pytest.approx((start.x, start.y), abs=0.01)
    assert found.yaw == pytest.approx(start.yaw, abs=0.006)


def test_another_track_is_drawn_in_its_own_look() -> None:
    track = load_track("reInvent2019_wide")
    ours = OwnView(track, CameraParameters()).colour(track.pose_at(0.5))
    assert ours.shape == (240, 320, 3)
    assert np.abs(ours[235, 60].astype(int) - look_of(track.name).road).max() < 25


def test_the_command_prints_figures_and_writes_the_pair(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pair = tmp_path / "pair.png"
    words = ["world", "compare", str(FRAME), "--track", "reinvent_base", "--pose", "3.060,0.713,0.002"]
    assert main([*words, "--json", "--out", str(pair)]) == 0
    assert json.loads(capsys.readouterr().out)["grey_difference"] <= 6.5
    assert read_pair(pair).shape == (480, 1280, 3)
    assert main(words) == 0
    assert "horizon, row" in capsys.readouterr().out


def read_pair(path: Path) -> np.ndarray:
    return np.asarray(cv2.imread(str(path)))


def huge_png() -> bytes:
    """A PNG whose header claims a million by a million pixels."""
    header = b"IHDR" + struct.pack(">IIBBBBB", 1_000_000, 1_000_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))


def png(height: int, width: int) -> bytes:
    return bytes(cv2.imencode(".png", np.zeros((height, width, 3), np.uint8))[1])


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (None, "cannot be read: No such file"),
        (b"", "is not a picture"),
        (b"a letter", "is not a picture"),
        (FRAME.read_bytes()[:100], "is not a picture"),
        (huge_png(), "is not a picture"),
        (png(480, 480), "480 x 480: a camera frame is 4:3"),
        (png(60, 80), "80 x 60: a camera frame is 4:3"),
        (bytes(20_000_001), "larger than 20 MB"),
    ],
    ids=["absent", "empty", "text", "cut off", "huge", "square", "tiny", "large file"],
)
def test_a_bad_frame_gets_a_sentence(tmp_path: Path, data: bytes | None, sentence: str) -> None:
    path = tmp_path / "frame.png"
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(BadInput, match=sentence):
        read_frame(path)


@pytest.mark.parametrize(
    ("pose", "sentence"),
    [
        ("1,2", "is not X,Y,YAW"),
        ("1,2,3,4", "is not X,Y,YAW"),
        ("one,2,3", "is not X,Y,YAW"),
        ("nan,2,3", "not finite"),
        ("1,inf,3", "not finite"),
        ("-40,2,0", "from the road's middle of reinvent_base"),
    ],
)
def test_a_bad_pose_gets_a_sentence(pose: str, sentence: str) -> None:
    with pytest.raises(OperatorError, match=sentence):
        parse_pose(pose, load_track("reinvent_base"))


def test_the_command_says_in_one_sentence_what_is_wrong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def said(track: str, pose: str, out: Path) -> str:
        words = ["world", "compare", str(FRAME), "--track", track, "--pose", pose, "--out", str(out)]
        assert main(words) == 2
        return capsys.readouterr().err

    assert "There is no track called 'nowhere'" in said("nowhere", "0,0,0", tmp_path / "a.png")
    assert "The pose '-40,2,0' is" in said("reinvent_base", "-40,2,0", tmp_path / "a.png")
    assert "cannot be written" in said("reinvent_base", "3.06,0.713,0", tmp_path / "no" / "a.png")
