"""The sensors of a model by its metadata: every kind gets an input of the shape that its network has."""

import json
from typing import Any

import numpy as np
import pytest

from shared.errors import BadInput
from simulator.objects.sensors import sensors_of

ACTIONS = [{"steering_angle": -20.0, "speed": 1.0}, {"steering_angle": 20.0, "speed": 1.0}]
CAMERA = "FRONT_FACING_CAMERA"


def written(sensor: list[str], config: dict[str, Any] | None = None) -> bytes:
    """The metadata of a model with these sensors."""
    return json.dumps({"action_space": ACTIONS, "sensor": sensor, "lidar_config": config}).encode()


@pytest.mark.parametrize(
    ("sensor", "config", "near"),
    [
        ([CAMERA, "LIDAR"], None, [1.0] * 62 + [0.3] + [1.0]),
        ([CAMERA, "LIDAR"], {"num_values": 32}, [1.0] * 31 + [0.3]),
        ([CAMERA, "SECTOR_LIDAR"], None, [0.0] * 7 + [1.0]),
        (["STEREO_CAMERAS", "SECTOR_LIDAR"], {"num_sectors": 4}, [0.0, 0.0, 0.0, 1.0]),
        ([CAMERA, "DISCRETIZED_SECTOR_LIDAR"], None, [0.0] * 56 + [0.0, 1.0] + [0.0] * 6),
        (
            [CAMERA, "DISCRETIZED_SECTOR_LIDAR"],
            {"num_sectors": 2, "num_values_per_sector": 4, "clipping_dist": 0.4},
            [0.0] * 4 + [0.0, 0.0, 1.0, 0.0],
        ),
    ],
)
def test_a_lidar_gives_what_the_network_takes(
    sensor: list[str], config: dict[str, Any] | None, near: list[float]
) -> None:
    sensors = sensors_of(written(sensor, config))
    ranges = np.full(64, 5.0)
    ranges[62] = 0.3
    given = sensors.lidar(ranges)
    assert given.shape == sensors.metadata.shape_of(sensors.metadata.lidar)
    assert given.dtype == np.float32
    assert given.tolist() == pytest.approx(near)


def test_a_stereo_pair_has_two_eyes_six_centimetres_apart() -> None:
    assert sensors_of(written(["STEREO_CAMERAS"])).eyes_m == (0.03, -0.03)
    assert sensors_of(written([CAMERA])).eyes_m == (0.0,)


@pytest.mark.parametrize(
    ("sensor", "config", "sentence"),
    [
        (
            [CAMERA, "LIDAR"],
            {"num_values": 30},
            "The num_values of the lidar_config is 30; the LiDAR's 64 beams must be divisible by it.",
        ),
        (
            [CAMERA, "SECTOR_LIDAR"],
            {"num_sectors": 5},
            "The num_sectors of the lidar_config is 5; the LiDAR's 64 beams must be divisible by it.",
        ),
        (
            [CAMERA, "DISCRETIZED_SECTOR_LIDAR"],
            {"clipping_dist": 20},
            "The clipping_dist of the lidar_config is 20 m; allowed is 0.15 to 12.",
        ),
        (
            [CAMERA, "DISCRETIZED_SECTOR_LIDAR"],
            {"clipping_dist": "far"},
            "The clipping_dist of the lidar_config is far m; allowed is 0.15 to 12.",
        ),
    ],
)
def test_a_lidar_that_cannot_be_is_refused(sensor: list[str], config: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadInput) as refused:
        sensors_of(written(sensor, config))
    assert str(refused.value) == sentence
