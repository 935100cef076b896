"""A model in a race: what it answers to a picture, and what the car of the race makes of it.

The cars of the field's simulator steer the angle and turn their wheels at the speed that the model asks for. The
physical car knows no speeds: steering is a share of the largest angle of the action space, and speed goes through its
throttle curve and the throttle that is set on it.
"""

import math
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from shared.conditions import CarProfile
from simulator.driving.policy import recommended_percent
from simulator.driving.sensor_policy import for_one_camera, load_sensor_policy
from simulator.world.car import MAX_STEERING_RAD, TOP_SPEED_MPS
from vehicle.core.actions import ActionSpace, throttle_share
from vehicle.models.running.check import check_model
from vehicle.models.running.policy import Policy

MIN_SPEED_MPS = 0.1  # the field's simulator drives no slower
Picture = NDArray[np.uint8]
Chosen = tuple[int, float, float]


class Entrant(Protocol):
    """What `evaluate_runs` asks of a model."""

    def choose(self, picture: Picture) -> Chosen:
        """Row of the action space (-1: continuous), degrees (+ is left) and m/s, for (120, 160) grey pixels.

        Raises BadInput if the model does not answer with finite numbers.
        """

    def command(self, chosen: Chosen) -> tuple[float, float]:
        """Steering and throttle of the car, each in [-1, 1]."""


class CarCommands:
    """Turns what a model chose into commands of a car; `throttle_scale` None is a car of the simulator."""

    def __init__(self, space: ActionSpace, throttle_scale: float | None) -> None:
        self._space, self._throttle_scale = space, throttle_scale

    def command(self, chosen: Chosen) -> tuple[float, float]:
        """Steering and throttle, each in [-1, 1]."""
        _, angle_deg, speed_mps = chosen
        if self._throttle_scale is None:
            throttle = min(TOP_SPEED_MPS, max(MIN_SPEED_MPS, speed_mps)) / TOP_SPEED_MPS
            return _limited(math.radians(angle_deg) / MAX_STEERING_RAD), throttle
        steering = angle_deg / self._space.top_angle_deg if self._space.top_angle_deg > 0 else 0.0
        top_mps = self._space.top_speed_mps
        share = throttle_share(min(speed_mps, top_mps), top_mps)
        # In a LIVE race a wish may be beyond the top speed; the curve falls there.
        return _limited(steering), _limited(self._throttle_scale * share * max(1.0, speed_mps / top_mps))


class RacingModel:
    """A model that was loaded from a folder; the throttle of a physical car is that of its card, else 50 per cent."""

    def __init__(self, folder: Path, profile: CarProfile) -> None:
        """Raises BadInput."""
        checked = check_model(folder)
        self.sha256 = checked.sha256
        self._policy = Policy(checked)
        self._space = checked.metadata.space
        scale = recommended_percent(str(folder)) / 100.0 if profile == "physical" else None
        self._commands = CarCommands(self._space, scale)

    def choose(self, picture: Picture) -> Chosen:
        """As Entrant."""
        np.copyto(self._policy.small, picture)
        return self._space.choose(self._policy.answer())

    def command(self, chosen: Chosen) -> tuple[float, float]:
        """As Entrant."""
        return self._commands.command(chosen)


class SensingModel:
    """A model with other sensors than one camera: two eyes, or a LiDAR. It drives in the simulator alone."""

    def __init__(self, folder: Path, profile: CarProfile) -> None:
        """Raises BadInput."""
        self._policy = load_sensor_policy(folder)
        self.sensors, self.sha256 = self._policy.sensors, self._policy.sha256
        self._space = self.sensors.metadata.space
        self._commands = CarCommands(self._space, self._policy.throttle_scale if profile == "physical" else None)

    def choose_by(self, pictures: Picture, ranges: NDArray[np.float64] | None) -> Chosen:
        """As `Entrant.choose`, for a picture of each eye (E, 120, 160), and the 64 ranges of a LiDAR (m)."""
        return self._space.choose(self._policy.answer(pictures, ranges))

    def command(self, chosen: Chosen) -> tuple[float, float]:
        """As Entrant."""
        return self._commands.command(chosen)


AnyEntrant = Entrant | SensingModel


def load_entrant(folder: Path, profile: CarProfile) -> RacingModel | SensingModel:
    """The model in a folder, with the sensors that it asks for. Raises BadInput."""
    metadata = check_model(folder, any_sensors=True).metadata
    return RacingModel(folder, profile) if for_one_camera(metadata) else SensingModel(folder, profile)


def _limited(share: float) -> float:
    return min(1.0, max(-1.0, share))
