"""The stored frozen graphs, and the observations that TensorFlow answered (as in tools/parity/write_frozen.py)."""

import pathlib
from typing import Any

import numpy as np

from vehicle.models.metadata import Metadata
from vehicle.models.tensorflow.converter import convert
from vehicle.models.tensorflow.graphdef import Graph
from vehicle.models.tensorflow.policy_head import PolicyHead

DATA = pathlib.Path(__file__).parents[1] / "data"
ROWS = 4
SHAPES: dict[str, tuple[int, ...]] = {"STEREO_CAMERAS": (120, 160, 2), "LIDAR": (64,), "SECTOR_LIDAR": (8,)}


def pictures(sensor: str, seed: int) -> Any:
    """Observations of a sensor, (4, ...) float32: dark, bright, a ramp (cameras only) and noise."""
    shape = SHAPES.get(sensor, (120, 160, 1))
    noise = np.random.RandomState(seed).uniform(0, 1, (ROWS, *shape))
    noise[0], noise[1] = 0, 1
    if len(shape) == 3:
        noise[2] = np.linspace(0, 1, 160)[None, :, None]
        noise = np.floor(noise * 255)
    return noise.astype(np.float32)


def converted(graph: Graph, metadata: Metadata) -> tuple[bytes, PolicyHead]:
    """The converted policy's whole file, and its head. Raises BadInput."""
    pieces, head = convert(graph, metadata)
    return b"".join(pieces), head
