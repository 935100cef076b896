"""The LiDAR: rays at known distances, noise, and what a network gets of them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.objects.lidar import (
    BEAMS,
    FORWARD_M,
    MAX_RANGE_M,
    beam_angles,
    discretized_input,
    lidar_input,
    ray_to_outline,
    ray_to_walls,
    scan,
    sector_input,
    with_noise,
)

NOTHING = np.empty((0, 6))


def standing(x: float, y: float, yaw: float = 0.0) -> list[float]:
    """A box as a row of outlines."""
    return [x, y, yaw, 0.20, -0.20, 0.15]


@pytest.mark.parametrize(
    ("direction", "box", "wanted"),
    [
        (0.0, (2.0, 0.0, 0.0), 1.8),
        (0.0, (2.0, 0.0, math.pi / 2), 1.85),
        (0.0, (2.0, 0.149, 0.0), 1.8),
        (0.0, (2.0, 0.151, 0.0), math.inf),
        (0.0, (-2.0, 0.0, 0.0), math.inf),
        (math.pi, (-2.0, 0.0, 0.0), 1.8),
        (math.pi / 2, (0.0, 1.0, 0.0), 0.85),
        (math.pi / 4, (1.0, 1.0, math.pi / 4), math.sqrt(2) - 0.2),
        (0.0, (0.1, 0.1, 0.0), 0.0),
    ],
)
def test_a_ray_ends_at_the_outline(direction: float, box: tuple[float, float, float], wanted: float) -> None:
    ray = (0.0, 0.0, math.cos(direction), math.sin(direction))
    assert ray_to_outline(*ray, standing(*box)) == pytest.approx(wanted, abs=1e-9)


@given(st.floats(-3.0, 3.0), st.floats(-3.0, 3.0), st.floats(-4.0, 4.0), st.floats(-4.0, 4.0))
def test_where_a_ray_ends_is_on_the_edge(x: float, y: float, yaw: float, direction: float) -> None:
    dx, dy = math.cos(direction), math.sin(direction)
    far_m = ray_to_outline(0.0, 0.0, dx, dy, standing(x, y, yaw))
    if 0.0 < far_m < math.inf:
        c, s = math.cos(yaw), math.sin(yaw)
        along = (far_m * dx - x) * c + (far_m * dy - y) * s
        across = (far_m * dy - y) * c - (far_m * dx - x) * s
        assert max(abs(along) / 0.20, abs(across) / 0.15) == pytest.approx(1.0, abs=1e-6)


def test_walls_are_met_from_within_only() -> None:
    walls = (-2.0, -1.0, 4.0, 3.0)
    assert ray_to_walls(0.0, 0.0, 1.0, 0.0, walls) == 4.0
    assert ray_to_walls(0.0, 0.0, -1.0, 0.0, walls) == 2.0
    assert ray_to_walls(0.0, 0.0, 0.0, -1.0, walls) == 1.0
    assert ray_to_walls(0.0, 0.0, math.sqrt(0.5), math.sqrt(0.5), walls) == pytest.approx(3.0 * math.sqrt(2))
    assert ray_to_walls(9.0, 0.0, -1.0, 0.0, walls) == math.inf


def test_it_looks_backwards_and_is_blind_ahead() -> None:
    angles = beam_angles()
    assert len(angles) == BEAMS
    assert math.degrees(angles[0]) == pytest.approx(30.0)
    assert math.degrees(angles[-1]) == pytest.approx(330.0)
    behind = scan(0.0, 0.0, 0.0, np.array([standing(-1.0, 0.0)]), None)
    assert behind[31] == pytest.approx(0.8 + FORWARD_M, abs=0.01)
    assert scan(0.0, 0.0, 0.0, np.array([standing(1.0, 0.0)]), None).min() == MAX_RANGE_M


def test_a_scan_turns_with_the_car_and_keeps_the_nearest() -> None:
    walls = (-3.0, -3.0, 3.0, 3.0)
    alone = scan(0.0, 0.0, 0.0, NOTHING, walls)
    assert alone.max() <= 3.0 * math.sqrt(2) + FORWARD_M
    left = scan(0.0, 0.0, math.pi / 2, np.array([standing(-1.0, 0.0), standing(-2.0, 0.0)]), walls)
    nearest = int(left.argmin())
    assert math.degrees(beam_angles()[nearest]) == pytest.approx(90.0, abs=12.0)  # to the car's left
    assert left[nearest] == pytest.approx(0.8, abs=0.03)


def test_noise_is_a_centimetre_and_spares_what_is_not_there() -> None:
    ranges = np.full(BEAMS, 5.0)
    ranges[:8] = MAX_RANGE_M
    noisy = np.stack([with_noise(ranges, np.random.default_rng(n)) for n in range(40)])
    assert noisy[:, 8:].std() == pytest.approx(0.01, rel=0.1)
    assert noisy[:, 8:].mean() == pytest.approx(5.0, abs=0.002)
    assert (noisy[:, :8] == MAX_RANGE_M).all()


def test_inputs_of_a_network() -> None:
    ranges = np.full(BEAMS, 12.0)
    ranges[0], ranges[13], ranges[63] = 0.15, 0.49, 0.51
    assert lidar_input(ranges).min() == np.float32(0.15)
    assert lidar_input(ranges).max() == 1.0
    assert sector_input(ranges).tolist() == [1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0]
    stepped = discretized_input(ranges, 8, 4, 2.0).reshape(8, 4)  # steps of half a metre
    assert stepped[0].tolist() == [1.0, 0.0, 0.0, 0.0]
    assert stepped[1].tolist() == [1.0, 0.0, 0.0, 0.0]
    assert stepped[7].tolist() == [0.0, 1.0, 0.0, 0.0]
    assert stepped[2:7].sum() == 0.0
