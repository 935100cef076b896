"""How far the line is by the boards of one frame: the turn by pairs, the weights, and whether they are honest."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.vehicle.lapwatch.drawn_boards import OPTIONS, view
from vehicle.lapwatch.gate_distance import Estimate, line_distances_m, weighted_mean
from vehicle.lapwatch.marker_finder import MarkerFinder, MarkerPose
from vehicle.lapwatch.markers import STOCK_BOARDS, BoardKind

NEAR, FAR = STOCK_BOARDS


@pytest.mark.parametrize(
    ("estimates", "value", "sigma"),
    [
        ([(0.4, 0.02)], 0.4, 0.02),
        ([(0.4, 0.02), (0.6, 0.02)], 0.5, 0.02 / math.sqrt(2)),
        ([(0.4, 0.01), (1.4, 0.1)], 0.4 + 1 / 101, 0.01 * math.sqrt(100 / 101)),  # a hundred times the weight
    ],
)
def test_estimates_count_by_their_inverse_variance(
    estimates: list[tuple[float, float]], value: float, sigma: float
) -> None:
    mean = weighted_mean([Estimate(*one) for one in estimates])
    assert (mean.value, mean.sigma) == (pytest.approx(value), pytest.approx(sigma))


def pose(
    kind: BoardKind, along_m: float, left_m: float, turn_rad: float, facing_rad: float = 0.0, sigma_m: float = 0.005
) -> MarkerPose:
    """A board so far along the road and to the left, as a car sees it from whose heading the road turns left."""
    c, s = math.cos(turn_rad), math.sin(turn_rad)
    return MarkerPose(kind, along_m * c - left_m * s, along_m * s + left_m * c, turn_rad + facing_rad, sigma_m)


@given(
    st.floats(-0.4, 0.4),
    st.floats(-0.25, 0.25),
    st.floats(0.1, 1.0),
    st.tuples(st.floats(-0.12, 0.12), st.floats(-0.12, 0.12)),
)
def test_a_pair_tells_the_turn_although_its_boards_are_set_up_askew(
    turn_rad: float, aside_m: float, line_m: float, askew_rad: tuple[float, float]
) -> None:
    poses = [
        pose(NEAR, line_m + NEAR.after_line_m, side * 0.7 - aside_m, turn_rad, facing_rad)
        for side, facing_rad in zip((1, -1), askew_rad, strict=True)
    ]
    # One board 0.7 m beside us that is 0.12 rad askew would be 8 cm off.
    assert line_distances_m(poses)[NEAR].value == pytest.approx(line_m, abs=0.01)


@pytest.mark.parametrize("askew_rad", [-0.12, 0.0, 0.12])
def test_a_board_without_its_pair_is_said_to_tell_less(askew_rad: float) -> None:
    poses = [pose(NEAR, 0.8, side * 0.7, 0.0, askew_rad) for side in (1, -1)]
    alone, pair = line_distances_m(poses[:1])[NEAR], line_distances_m(poses)[NEAR]
    assert alone.sigma > 4 * pair.sigma
    assert abs(alone.value - 0.5) < 2 * alone.sigma


def test_two_boards_side_by_side_are_no_pair() -> None:
    """Their turn would be that of the car: here one of them is 1 cm off."""
    poses = [pose(NEAR, 1.0, 0.6, 0.0), pose(NEAR, 1.01, 0.85, 0.0)]
    assert line_distances_m(poses)[NEAR].value == pytest.approx(0.705, abs=0.002)


def test_kinds_come_in_the_order_of_their_distance_to_the_line() -> None:
    poses = [pose(FAR, 1.5, 0.7, 0.0), pose(NEAR, 0.8, 0.7, 0.0), pose(FAR, 1.5, -0.7, 0.0)]
    assert list(line_distances_m(poses)) == [NEAR, FAR]
    assert line_distances_m([]) == {}


@pytest.mark.parametrize("kind", STOCK_BOARDS)
def test_a_board_is_as_far_off_as_its_pixels_say(kind: BoardKind) -> None:
    """Drawn in pictures: what is said to be its uncertainty is what is seen, near and far."""
    finder = MarkerFinder(OPTIONS)
    said: list[float] = []
    missed: list[float] = []
    for along_m in np.linspace(1.0, 9.0 * kind.size_m, 12):
        for left_m in (-0.2, 0.13):
            (found,) = finder.find(view([(kind, float(along_m), left_m)]))
            said.append(found.sigma_m)
            missed.append(found.ahead_m - along_m)
    ratios = np.abs(missed) / np.array(said)
    assert np.quantile(ratios, 0.9) < 3.0
    assert np.quantile(ratios, 0.9) > 0.5
