"""What a policy is given of each world: the camera's pictures, or what other sensors deliver (`sensors=`)."""

import json
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from simulator.batch.sensing import Senses
from simulator.batch.vector import BatchWorlds
from simulator.objects.lidar import MIN_RANGE_M, OBSERVED_RANGE_M
from simulator.objects.sensors import ModelSensors, sensors_of

GREY = 1
_ANY_ACTION = [{"steering_angle": 0, "speed": 1}]

Frames = NDArray[np.uint8]
Observations = NDArray[Any] | dict[str, NDArray[Any]]
Members = NDArray[np.int64]


def read_sensors(names: str | Sequence[str] | None, channels: int) -> ModelSensors | None:
    """The sensors of these names, as in a metadata's `sensor`; None for one camera. Raises BadInput."""
    if names is None:
        return None
    listed = [names] if isinstance(names, str) else list(names) if isinstance(names, list | tuple) else [names]
    if not all(isinstance(name, str) for name in listed):
        raise BadInput("The sensors of an environment are names, as in the `sensor` of a model_metadata.json.")
    sensors = sensors_of(json.dumps({"sensor": listed, "action_space": _ANY_ACTION}).encode())
    if channels != GREY:
        raise BadInput("Sensors that are named see grey, as in the field: leave observation='rgb' or the sensors out.")
    return sensors


class Observer:
    """Observes N worlds: an array of pictures (N, height, width, channels), with a LiDAR a dict of it and its values.

    The channels are grey; RGB; or left and right of a stereo pair.
    """

    def __init__(self, size: tuple[int, int], channels: int, sensors: ModelSensors | None) -> None:
        self._size, self._channels, self._sensors = size, channels, sensors
        self._stereo = sensors is not None and len(sensors.eyes_m) > 1
        self._worlds: BatchWorlds | None = None
        self._senses: Senses | None = None

    def space(self) -> gymnasium.spaces.Box | gymnasium.spaces.Dict:
        """The space of one world's observation."""
        width, height = self._size
        camera = gymnasium.spaces.Box(0, 255, (height, width, 2 if self._stereo else self._channels), np.uint8)
        if self._sensors is None or not self._sensors.metadata.lidar:
            return camera
        metadata = self._sensors.metadata
        low, high = (MIN_RANGE_M, OBSERVED_RANGE_M) if metadata.lidar == "LIDAR" else (0.0, 1.0)
        lidar = gymnasium.spaces.Box(np.float32(low), np.float32(high), (metadata.lidar_values,), np.float32)
        return gymnasium.spaces.Dict({metadata.sensor: camera, metadata.lidar: lidar})

    def observe(self, worlds: BatchWorlds, into: Observations | None, rows: Members | None) -> Observations:
        """The newest observations: new arrays, or only `rows` written into the given ones."""
        width, height = self._size
        members = np.arange(len(worlds)) if rows is None else rows
        pictures = into if isinstance(into, np.ndarray) else None
        if isinstance(into, dict):
            assert self._sensors is not None
            pictures = into[self._sensors.metadata.sensor]
        if pictures is None:
            pictures = np.empty((len(worlds), height, width, 2 if self._stereo else self._channels), np.uint8)
        if self._sensors is None:
            self._draw(worlds, pictures, members)
            return pictures
        return self._sense(worlds, self._sensors, pictures, into, members)

    def _draw(self, worlds: BatchWorlds, pictures: Frames, members: Members) -> None:
        if self._channels == GREY:
            worlds.render(pictures[..., 0], members)
            return
        drawn = np.empty_like(pictures)
        worlds.render(drawn, members)
        pictures[members] = drawn[members][..., ::-1]

    def _sense(
        self,
        worlds: BatchWorlds,
        sensors: ModelSensors,
        pictures: Frames,
        into: Observations | None,
        members: Members,
    ) -> Observations:
        if self._senses is None or self._worlds is not worlds:
            self._senses, self._worlds = Senses(worlds, sensors), worlds
        self._senses.look(members)
        pictures[members] = np.moveaxis(self._senses.eyes[:, members], 0, -1)
        metadata, ranges = sensors.metadata, self._senses.ranges
        if ranges is None:
            return pictures
        values = into[metadata.lidar] if isinstance(into, dict) else None
        if values is None:
            values = np.empty((len(worlds), metadata.lidar_values), np.float32)
        for n in members.tolist():
            values[n] = sensors.lidar(ranges[n])
        return {metadata.sensor: pictures, metadata.lidar: values}


def row_of(observations: Any, row: int) -> Any:
    """The observation of one world."""
    if isinstance(observations, dict):
        return {name: values[row].copy() for name, values in observations.items()}
    return observations[row].copy()
