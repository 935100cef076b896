"""The LiDARs of all worlds of a batch: the arithmetic of `simulator/objects/lidar.py`, compiled."""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simulator.batch.compiled import call, compiled
from simulator.batch.specs import WorldSpec
from simulator.batch.vector import BatchWorlds
from simulator.objects.lidar import (
    BEAMS,
    FORWARD_M,
    MAX_RANGE_M,
    MIN_RANGE_M,
    beam_angles,
    ray_to_outline,
    ray_to_walls,
    with_noise,
)
from simulator.world.surroundings import surroundings_of

NO_WALLS = (math.nan, math.nan, math.nan, math.nan)
NOISE = 0x11DA  # tells its noise from what else is drawn from a world's seed

Ranges = NDArray[np.float64]

_to_outline = compiled(ray_to_outline)
_to_walls = compiled(ray_to_walls)


@compiled
def scan_worlds(poses: Any, walls: Any, outlines: Any, angles_rad: Any, out: Any) -> Any:
    """The ranges without noise of K cars at `poses` (K, 3) into `out` (K, 64).

    `walls` (K, 4) and `outlines` (K, Q, 6) as `lidar.scan` has them, not a number where there is none.
    """
    for k in range(len(poses)):
        x, y, yaw = poses[k, 0], poses[k, 1], poses[k, 2]
        ox, oy = x + FORWARD_M * math.cos(yaw), y + FORWARD_M * math.sin(yaw)
        for n in range(BEAMS):
            angle = angles_rad[n] + yaw
            dx, dy = math.cos(angle), math.sin(angle)
            nearest = MAX_RANGE_M
            if not math.isnan(walls[k, 0]):
                nearest = min(nearest, _to_walls(ox, oy, dx, dy, (walls[k, 0], walls[k, 1], walls[k, 2], walls[k, 3])))
            for q in range(outlines.shape[1]):
                one = outlines[k, q]
                if not math.isnan(one[0]):
                    size = (one[0], one[1], one[2], one[3], one[4], one[5])
                    nearest = min(nearest, _to_outline(ox, oy, dx, dy, size))
            out[k, n] = max(nearest, MIN_RANGE_M)


class Lidars:
    """The LiDAR of each car of a batch."""

    def __init__(self, worlds: BatchWorlds) -> None:
        self._worlds, self._angles_rad = worlds, beam_angles()
        self._walls: dict[int, tuple[WorldSpec, tuple[float, ...]]] = {}

    def scan(self, out: Ranges, members: NDArray[np.int64]) -> None:
        """Write what the LiDARs of these worlds measure now into their rows of `out` (N, 64), metres.

        A beam that meets nothing is at MAX_RANGE_M. The noise of a scan is drawn from the world's seed and time.
        """
        worlds, ranges = self._worlds, np.empty((len(members), BEAMS))
        walls = np.array([self._walls_of(n) for n in members.tolist()]).reshape(-1, 4)
        call(scan_worlds, worlds.pose[members], walls, worlds.outlines(members), self._angles_rad, ranges)
        for row, n, at_ns in zip(ranges, members.tolist(), worlds.now_ns[members].tolist(), strict=True):
            out[n] = with_noise(row, np.random.default_rng([worlds.specs[n].seed % (1 << 64), at_ns, NOISE]))

    def _walls_of(self, n: int) -> tuple[float, ...]:
        """The rectangle of the walls around a world's field, not numbers if there are none."""
        spec = self._worlds.specs[n]
        if n not in self._walls or self._walls[n][0] is not spec:
            around = surroundings_of(spec.track, spec.parts.appearance.surroundings)
            rectangle = (around.x0, around.y0, around.x1, around.y1)
            self._walls[n] = spec, rectangle if around.wall_height_m > 0.0 else NO_WALLS
        return self._walls[n][1]
