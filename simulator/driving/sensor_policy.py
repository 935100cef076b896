"""A model that drives in the mock world with whatever sensors it was trained for: cameras, stereo pairs, LiDARs.

The car at the track has one grey camera and refuses such models (vehicle/models/running/policy.py); the world here has
all of the field's sensors.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from shared.text import text
from simulator.driving.policy import DrivingPolicy, find_model, load_policy, throttle_scale
from simulator.objects.lidar import NOTHING_AROUND, Walls, scan, with_noise
from simulator.objects.sensors import ModelSensors, sensors_of
from simulator.world.floor_masks import Image
from simulator.world.world import World
from vehicle.core.actions import Action
from vehicle.frames.preprocess import preprocessor
from vehicle.frames.profile_names import ProfileName
from vehicle.models.metadata import Metadata
from vehicle.models.model_files import METADATA, ONE_CAMERA
from vehicle.models.running.check import HEIGHT, WIDTH, CheckedModel, check_model
from vehicle.models.running.session import open_session

Ranges = NDArray[np.float64]


class SensorPolicy:
    """One loaded model; `act` answers what its sensors deliver with an action."""

    def __init__(
        self, model: CheckedModel, sensors: ModelSensors, throttle_scale: float, profile: ProfileName = "grey-area"
    ) -> None:
        """Raises BadInput if the model cannot be loaded."""
        self.sensors, self.throttle_scale, self.sha256 = sensors, throttle_scale, model.sha256
        self._model, self._shrink = model, preprocessor(profile)
        self._session = open_session(model.content)
        self._small = np.zeros((HEIGHT, WIDTH), np.uint8)

    def act(self, pictures: Sequence[Image] | NDArray[np.uint8], ranges: Ranges | None = None) -> Action:
        """The action for a grey picture of each eye, (240, 320) or its own (120, 160), and a LiDAR's 64 ranges (m).

        Raises BadInput if there is none, as the model's answer is not finite.
        """
        eyes = []
        for picture in pictures:
            self._shrink(picture, self._small)
            eyes.append(self._small.copy())
        return self.sensors.metadata.space.decode(self.answer(eyes, ranges), self.throttle_scale)

    def answer(self, pictures: Sequence[Image] | NDArray[np.uint8], ranges: Ranges | None = None) -> NDArray[Any]:
        """The model's raw output for pictures of its own size, (120, 160), and the ranges."""
        eyes = [picture.astype(np.float32) for picture in pictures]
        stacked = np.stack(eyes, axis=0 if self._model.layout == "NCHW" else -1)[None]
        feeds = {self._model.input_name: np.ascontiguousarray(stacked)}
        for each in self._model.inputs[1:]:
            assert ranges is not None, "this model has a LiDAR"
            feeds[each.name] = self.sensors.lidar(ranges)[None]
        (answer,) = self._session.run([self._model.output_name], feeds)
        return np.asarray(answer)


def load_sensor_policy(
    path: Path, throttle_percent: float | None = None, profile: ProfileName = "grey-area"
) -> SensorPolicy:
    """Load a folder with model.onnx and its metadata, or an .onnx file with metadata beside it. Raises BadInput."""
    model = check_model(path, any_sensors=True)
    metadata = model.path.parent / METADATA
    try:
        sensors = sensors_of(metadata.read_bytes())
    except BadInput as error:
        raise BadInput(text("{path}: {error}", path=metadata, error=error)) from None
    return SensorPolicy(model, sensors, throttle_scale(str(model.path), throttle_percent), profile)


def load_any_policy(
    model: str, throttle_percent: float | None = None, profile: ProfileName = "grey-area"
) -> DrivingPolicy | SensorPolicy:
    """Load what `load_policy` loads, with the sensors that its metadata asks for. Raises BadInput."""
    path = find_model(model)
    if for_one_camera(check_model(path, any_sensors=True).metadata):
        return load_policy(model, throttle_percent, profile)
    return load_sensor_policy(path, throttle_percent, profile)


def for_one_camera(metadata: Metadata) -> bool:
    """Whether the model sees by the car's own camera, and by nothing else."""
    return metadata.sensor in ONE_CAMERA and not metadata.lidar


def sense(
    world: World, sensors: ModelSensors, noise: np.random.Generator, outlines: Ranges = NOTHING_AROUND
) -> tuple[list[Image], Ranges | None]:
    """What a model's sensors deliver in a world now: a picture of each eye, and the LiDAR's ranges if it has one.

    `outlines` (n, 6): what stands around, as `lidar.scan` takes it.
    """
    pictures = [world.frame(beside_m) for beside_m in sensors.eyes_m]
    if not sensors.metadata.lidar:
        return pictures, None
    around, pose = world.surroundings, world.pose
    walls: Walls | None = (around.x0, around.y0, around.x1, around.y1) if around.wall_height_m > 0.0 else None
    return pictures, with_noise(scan(pose.x, pose.y, math.remainder(pose.yaw, math.tau), outlines, walls), noise)
