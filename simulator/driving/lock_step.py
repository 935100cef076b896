"""Many drives of one model at once: what `evaluate.drive` does for one seed, in lock-step for several.

The worlds draw pictures in the policy's own size; what a drive is does not depend on which others are driven with it.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from simulator.batch.sensing import Senses
from simulator.batch.vector import CROSSING, LEFT_TRACK, BatchWorlds, WorldSpec
from simulator.driving.drives import Drive, LapCounter, latency_ns_of, most_frames
from simulator.driving.policy import DrivingPolicy
from simulator.driving.sensor_policy import SensorPolicy
from simulator.world.camera_sensor import POLICY_SIZE
from simulator.world.geometry import Track
from simulator.world.world import draw_parts
from simulator.world.world_events import FORWARD
from vehicle.core.actions import Action


class _OneCamera:
    """Shows the policy the picture of each car."""

    def __init__(self, batch: BatchWorlds, policy: DrivingPolicy) -> None:
        self._batch, self._policy = batch, policy
        self._frames = np.empty((len(batch), POLICY_SIZE[1], POLICY_SIZE[0]), np.uint8)

    def look(self, driving: NDArray[np.int64]) -> None:
        self._batch.render(self._frames, driving)

    def act(self, car: int) -> Action:
        return self._policy.act(self._frames[car])


class _OwnSensors:
    """Shows the policy what its own sensors deliver in each car: two cameras, a LiDAR."""

    def __init__(self, batch: BatchWorlds, policy: SensorPolicy) -> None:
        self._policy, self._senses = policy, Senses(batch, policy.sensors)

    def look(self, driving: NDArray[np.int64]) -> None:
        self._senses.look(driving)

    def act(self, car: int) -> Action:
        return self._policy.act(*self._senses.of(car))


def drive_many(policy: DrivingPolicy | SensorPolicy, track: Track, seeds: Sequence[int], laps: int) -> list[Drive]:
    """Drive `laps` laps from the start with each seed; a drive ends early after too many off-tracks or too long."""
    batch = BatchWorlds(
        [WorldSpec(track, draw_parts(track, seed), seed, latency_ns_of(seed)) for seed in seeds], POLICY_SIZE
    )
    scores = [LapCounter(laps) for _ in seeds]
    points: list[list[tuple[float, float]]] = [[] for _ in seeds]
    drivers = _OneCamera(batch, policy) if isinstance(policy, DrivingPolicy) else _OwnSensors(batch, policy)
    commands = np.zeros((len(batch), 2))
    driving = np.arange(len(batch))
    for _ in range(most_frames(track, laps)):
        drivers.look(driving)
        for n in driving.tolist():
            action = drivers.act(n)
            commands[n] = action.steering, action.throttle
        events = batch.step(commands, driving)
        poses = batch.pose
        for n in driving.tolist():
            points[n].append((float(poses[n, 0]), float(poses[n, 1])))
        if not len(events):  # then nobody is done, and nobody has left the road
            continue
        _count(events.tolist(), scores)
        driving = np.array([n for n in driving.tolist() if not scores[n].done], np.int64)
        if not len(driving):
            break
        batch.put_back(driving[batch.off_track[driving]])
    batch.close()
    return [score.drive(line) for score, line in zip(scores, points, strict=True)]


def _count(events: list[tuple[int, int, int, int, int]], scores: list[LapCounter]) -> None:
    for world, kind, gate, direction, at_ns in events:
        if kind == LEFT_TRACK:
            scores[world].left_track()
        elif kind == CROSSING and gate == 0 and direction == FORWARD:
            scores[world].crossed(at_ns)
