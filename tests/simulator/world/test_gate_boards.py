"""The gate's boards: a lap watcher that reads ArUco in the car's frames sees the line coming, and nothing elsewhere."""

import cv2
import numpy as np
import pytest

from simulator.world.gate_boards import GATE_BOARDS, GateBoard, board_image
from simulator.world.tracks import load_track, shipped_tracks
from simulator.world.world import World

SPACING_M = 0.2  # 3 m/s at 15 frames a second
DETECTOR = cv2.aruco.ArucoDetector(cv2.aruco.getPredefinedDictionary(cv2.aruco.DICT_4X4_50))


def detected(world: World, s_m: float, lateral_m: float = 0.0) -> bool:
    world.put_at(s_m, lateral_m)
    _, ids, _ = DETECTOR.detectMarkers(world.frame())
    return ids is not None and bool({0, 1} & set(ids.ravel().tolist()))


def longest_row(hits: list[bool]) -> int:
    best = row = 0
    for hit in hits:
        row = row + 1 if hit else 0
        best = max(best, row)
    return best


@pytest.mark.parametrize("board", GATE_BOARDS)
def test_the_picture_of_a_board_can_be_read(board: GateBoard) -> None:
    _, ids, _ = DETECTOR.detectMarkers(
        cv2.copyMakeBorder(board_image(board), 20, 20, 20, 20, cv2.BORDER_CONSTANT, value=90)
    )
    assert ids is not None
    assert ids.ravel().tolist() == [board.marker_id]


@pytest.mark.parametrize("name", shipped_tracks())
@pytest.mark.parametrize("lateral_m", [-0.3, 0.0, 0.3])
def test_seen_on_three_frames_in_a_row_before_the_line_even_at_three_metres_a_second(
    name: str, lateral_m: float
) -> None:
    world = World(load_track(name), seed=1)
    for phase_m in (0.0, 0.1):
        hits = [detected(world, -0.14 - phase_m - n * SPACING_M, lateral_m) for n in range(18)]
        assert longest_row(hits) >= 3


@pytest.mark.parametrize("name", shipped_tracks())
def test_rarely_seen_far_from_the_line(name: str) -> None:
    world = World(load_track(name), seed=2)
    elsewhere = np.arange(1.5, world.track.length_m - 6.0, 0.25)
    assert sum(detected(world, float(s)) for s in elsewhere) <= 0.08 * len(elsewhere)


def test_without_boards_nothing_is_seen() -> None:
    world = World(load_track("reinvent_base"), seed=1, board=False)
    assert not any(detected(world, -0.5 - n * SPACING_M) for n in range(12))
