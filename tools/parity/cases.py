"""The cases of the parity script: networks, sensors, heads, metadata and observations. Plain style, for Python 3.7 too.

Networks as in aws-deepracer-community/deepracer-simapp: markov/sensors/utils.py, whose options for dropout,
normalisation and other activations markov/agents/utils.py no longer uses (they are tested too, as `OLDER`), and the
middlewares of markov/architecture/custom_architectures.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    Network = tuple[list[list[int]], list[int], str, bool, float]

FRONT, LEFT, STEREO = "FRONT_FACING_CAMERA", "LEFT_CAMERA", "STEREO_CAMERAS"
LIDARS = {"LIDAR": 64, "SECTOR_LIDAR": 8, "DISCRETIZED_SECTOR_LIDAR": 64}
SHALLOW = "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW"
MIDDLE = "DEEP_CONVOLUTIONAL_NETWORK"
DEEP = "DEEP_CONVOLUTIONAL_NETWORK_DEEP"
ROWS = 4

# [filters, kernel, stride] of each convolution, dense units, activation, normalised?, share dropped while training
CAMERA = {
    SHALLOW: ([[32, 8, 4], [64, 4, 2], [64, 3, 1]], [], "relu", False, 0.0),
    MIDDLE: ([[32, 5, 2], [32, 3, 1], [64, 3, 2], [64, 3, 1]], [64], "relu", False, 0.0),
    DEEP: ([[32, 8, 4], [32, 4, 2], [64, 4, 2], [64, 3, 1]], [512, 512], "relu", False, 0.0),
}
OLDER = {
    MIDDLE: (*CAMERA[MIDDLE][:2], "tanh", False, 0.3),
    DEEP: (*CAMERA[DEEP][:2], "relu", True, 0.5),
}
MIDDLEWARE = {SHALLOW: [512], MIDDLE: [512], DEEP: [256, 128]}
STEREO_DEEP: Network = (
    [[32, 3, 1], [64, 3, 2], [64, 3, 1], [128, 3, 2], [128, 3, 1]],
    [],
    "relu",
    False,
    0.0,
)
LIDAR_NETWORK: Network = ([], [256, 256], "relu", False, 0.0)

# name: sensors, network, head, kind of actions
CASES = {
    "shallow": (["observation"], SHALLOW, "clipped_ppo", "discrete"),
    "shallow-continuous": ([FRONT], SHALLOW, "clipped_ppo", "continuous"),
    "middle": ([FRONT], MIDDLE, "clipped_ppo", "discrete"),
    "middle-dropout": ([FRONT], MIDDLE, "clipped_ppo", "discrete"),
    "deep": ([FRONT], DEEP, "clipped_ppo", "discrete"),
    "deep-batchnorm": ([FRONT], DEEP, "clipped_ppo", "discrete"),
    "stereo": ([STEREO], SHALLOW, "clipped_ppo", "discrete"),
    "stereo-deep": ([STEREO], DEEP, "clipped_ppo", "discrete"),
    "lidar": ([FRONT, "LIDAR"], SHALLOW, "clipped_ppo", "discrete"),
    "stereo-sector-lidar": ([STEREO, "SECTOR_LIDAR"], SHALLOW, "clipped_ppo", "discrete"),
    "sac": ([LEFT], SHALLOW, "sac", "continuous"),
    "sac-lidar": ([FRONT, "LIDAR"], MIDDLE, "sac", "continuous"),
}


def is_older(name):
    """True for a case of the network options of earlier versions."""
    return name.endswith(("-dropout", "-batchnorm"))


def every():
    """Every combination of sensors, network and head of the console, by name: too many to store, but not to test."""
    sensors = [["observation"]] + [[camera] for camera in (FRONT, LEFT, STEREO)]
    sensors += [[camera, lidar] for camera in (FRONT, LEFT, STEREO) for lidar in LIDARS]
    heads = [("clipped_ppo", "discrete"), ("clipped_ppo", "continuous"), ("sac", "continuous")]
    return {
        "-".join(["+".join(chosen), network[26:].strip("_").lower() or "middle", *head]): (chosen, network, *head)
        for chosen in sensors
        for network in (SHALLOW, MIDDLE, DEEP)
        for head in heads
    }


def metadata(sensors, network, algorithm, kind, actions):
    """The metadata that the console writes with such a model; the first version of the format had no sensor."""
    rows = [{"steering_angle": -30.0 + 60.0 * n / max(1, actions - 1), "speed": 1.0 + n % 3} for n in range(actions)]
    ranges = {"steering_angle": {"low": -30.0, "high": 20.0}, "speed": {"low": 0.5, "high": 3.0}}
    document = {
        "action_space": rows if kind == "discrete" else ranges,
        "action_space_type": kind,
        "neural_network": network,
        "training_algorithm": algorithm,
        "version": "4",
    }
    return document if sensors == ["observation"] else dict(document, sensor=sensors)


def shape_of(sensor):
    """The shape of one observation, as TensorFlow has it: height, width, channels."""
    return [LIDARS[sensor]] if sensor in LIDARS else [120, 160, 2 if sensor == STEREO else 1]


def pictures(sensor, seed):
    """Observations, (ROWS, ...) float32: dark, bright, a ramp and noise; LiDAR distances of 0 to 1."""
    shape = shape_of(sensor)
    noise = np.random.RandomState(seed).uniform(0, 1, [ROWS, *shape])
    noise[0], noise[1] = 0, 1
    if len(shape) == 3:
        noise[2] = np.linspace(0, 1, 160)[None, :, None]
        noise = np.floor(noise * 255)
    return noise.astype(np.float32)
