"""What a model's sensors deliver in each world of a batch: a picture of each eye, and the LiDAR's ranges."""

import numpy as np
from numpy.typing import NDArray

from simulator.batch.lidar_scan import Lidars, Ranges
from simulator.batch.vector import BatchWorlds
from simulator.objects.lidar import BEAMS
from simulator.objects.sensors import ModelSensors


class Senses:
    """The sensors of all cars of a batch, in the size of its pictures: `eyes` (E, N, height, width), `ranges` (N, 64).

    Rows of worlds that were not looked at stay as they are.
    """

    def __init__(self, worlds: BatchWorlds, sensors: ModelSensors) -> None:
        assert worlds.channels == 1, "models see grey"
        self._worlds, self._sensors = worlds, sensors
        self.eyes: NDArray[np.uint8] = np.zeros((len(sensors.eyes_m), len(worlds), *worlds.size[::-1]), np.uint8)
        self.ranges: Ranges | None = np.zeros((len(worlds), BEAMS)) if sensors.metadata.lidar else None
        self._lidars = Lidars(worlds)

    def look(self, members: NDArray[np.int64]) -> None:
        """Take what the sensors of these worlds deliver now."""
        for pictures, beside_m in zip(self.eyes, self._sensors.eyes_m, strict=True):
            self._worlds.render(pictures, members, beside_m)
        if self.ranges is not None:
            self._lidars.scan(self.ranges, members)

    def of(self, world: int) -> tuple[NDArray[np.uint8], Ranges | None]:
        """The pictures (E, height, width) and the ranges (64,) of one world."""
        return self.eyes[:, world], None if self.ranges is None else self.ranges[world]
