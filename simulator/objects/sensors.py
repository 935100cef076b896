"""The sensors that a model asks for, read from its metadata, and the inputs that they give its network.

The car at the track has one grey camera; in the mock world a model gets whatever it was trained with.
Defaults as in deepracer-simapp (`boto/s3/files/model_metadata.py`, `environments/constants.py`).
"""

import json
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from shared.text import text
from simulator.objects.lidar import (
    BEAMS,
    MAX_RANGE_M,
    MIN_RANGE_M,
    SECTOR_RANGE_M,
    SECTORS,
    discretized_input,
    lidar_input,
    sector_input,
)
from vehicle.models.metadata import Metadata, parse_metadata

STEREO_HALF_M = 0.03
DISCRETIZED_RANGE_M = 2.0
DISCRETIZED_VALUES = 8

Input = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class ModelSensors:
    """What a model senses: its metadata, and how its LiDAR is cut into sectors."""

    metadata: Metadata
    sectors: int = SECTORS
    values: int = DISCRETIZED_VALUES
    clipping_m: float = SECTOR_RANGE_M

    @property
    def eyes_m(self) -> tuple[float, ...]:
        """How far (m) to the left of the car's middle each of its cameras looks out: one, or left and right."""
        return (STEREO_HALF_M, -STEREO_HALF_M) if self.metadata.sensor == "STEREO_CAMERAS" else (0.0,)

    def lidar(self, ranges: NDArray[np.float64]) -> Input:
        """The LiDAR's input to the network, from the 64 ranges in metres; its shape is that of the metadata."""
        kind = self.metadata.lidar
        if kind == "LIDAR":
            return lidar_input(ranges.reshape(self.metadata.lidar_values, -1).min(axis=1))
        if kind == "SECTOR_LIDAR":
            return sector_input(ranges, self.sectors)
        assert kind == "DISCRETIZED_SECTOR_LIDAR", "the model has no LiDAR"
        return discretized_input(ranges, self.sectors, self.values, self.clipping_m)


def sensors_of(written: bytes) -> ModelSensors:
    """The sensors of a model by the bytes of its `model_metadata.json`. Raises BadInput."""
    metadata = parse_metadata(written, any_sensors=True)
    config = json.loads(written).get("lidar_config") or {}
    if metadata.lidar == "LIDAR":
        _divides(metadata.lidar_values, "num_values")
        return ModelSensors(metadata)
    if not metadata.lidar:
        return ModelSensors(metadata)
    sectors = int(config.get("num_sectors", SECTORS))
    _divides(sectors, "num_sectors")
    clipping_m = config.get("clipping_dist", DISCRETIZED_RANGE_M)
    number = isinstance(clipping_m, int | float) and not isinstance(clipping_m, bool)
    if not number or not MIN_RANGE_M <= clipping_m <= MAX_RANGE_M:
        raise BadInput(
            text(
                "The clipping_dist of the lidar_config is {value} m; allowed is {low} to {high}.",
                value=str(clipping_m)[:20],
                low=f"{MIN_RANGE_M:g}",
                high=f"{MAX_RANGE_M:g}",
            )
        )
    return ModelSensors(metadata, sectors, metadata.lidar_values // sectors, float(clipping_m))


def _divides(parts: int, key: str) -> None:
    if BEAMS % parts:
        raise BadInput(
            text(
                "The {key} of the lidar_config is {value}; the LiDAR's {beams} beams must be divisible by it.",
                key=key,
                value=parts,
                beams=BEAMS,
            )
        )
