"""From a policy's action to the car's command, by the racer's `model_metadata.json`.

A simulated car does what the field's simulator does: it steers the angle and turns its wheels at the speed that the
action names. The physical car knows no speeds: steering is a share of the largest angle of the action space, and speed
goes through the car's throttle curve and the throttle that is set on it (docs/decisions/0090).
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
from numpy.typing import NDArray

from shared.errors import BadInput
from simulator.world.car import MAX_STEERING_RAD, TOP_SPEED_MPS
from vehicle.core.actions import ActionSpace, throttle_share
from vehicle.models.metadata import load_metadata, parse_metadata

CONTINUOUS = "continuous"
MIN_SPEED_MPS = 0.1  # the field's simulator drives no slower

Floats = NDArray[np.float64]


def read_actions(actions: str | Path | Mapping[str, Any]) -> ActionSpace:
    """The action space of a `model_metadata.json`, of its content, or "continuous". Raises BadInput."""
    if isinstance(actions, Mapping):
        try:
            written = json.dumps(dict(actions)).encode()
        except (TypeError, ValueError) as error:
            raise BadInput(
                f"The actions are no content of a model_metadata.json ({error}): give what the file holds."
            ) from None
        return parse_metadata(written, any_sensors=True).space
    if actions == CONTINUOUS:
        return ActionSpace("continuous")
    if not isinstance(actions, str | Path):
        raise BadInput(
            "The actions must be the path of a model_metadata.json, its content as a dict, or 'continuous',"
            f" not {type(actions).__name__}."
        )
    return load_metadata(Path(actions), any_sensors=True).space


class ActionDecoder:
    """Turns actions of N cars into commands; `throttle_scale` (0 to 1) makes it the physical car, None a simulated."""

    def __init__(self, space: ActionSpace, throttle_scale: float | None) -> None:
        self._space, self._throttle_scale = space, throttle_scale
        self._angles_deg = np.array([choice.steering_deg for choice in space.choices])
        self._speeds_mps = np.array([choice.speed_mps for choice in space.choices])

    def gymnasium_space(self) -> gymnasium.spaces.Discrete | gymnasium.spaces.Box:
        """Discrete: the number of the row; continuous: (2,) in [-1, 1], stretched to the ranges as the car does."""
        if self._space.kind == "discrete":
            return gymnasium.spaces.Discrete(len(self._space.choices))
        return gymnasium.spaces.Box(-1.0, 1.0, (2,), np.float32)

    def decode(self, actions: Any) -> tuple[Floats, Floats]:
        """Steering angle (degrees, + is left) and speed (m/s) of each action, both (N,). Raises BadInput."""
        table = np.asarray(actions)
        if self._space.kind == "discrete":
            count = len(self._space.choices)
            if table.dtype.kind not in "iu" or table.min(initial=0) < 0 or table.max(initial=0) >= count:
                raise BadInput(f"An action must be a whole number from 0 to {count - 1}.")
            return self._angles_deg[table], self._speeds_mps[table]
        if table.dtype.kind not in "fiu" or table.shape[1:] != (2,) or not np.isfinite(table).all():
            raise BadInput("An action must be two finite numbers from -1 to 1, steering and speed.")
        share = (np.minimum(1.0, np.maximum(-1.0, table.astype(np.float64))) + 1.0) / 2.0
        angle, speed = self._space.angle_deg, self._space.speed_mps
        return angle.low + share[:, 0] * (angle.high - angle.low), speed.low + share[:, 1] * (speed.high - speed.low)

    def commands(self, angles_deg: Floats, speeds_mps: Floats) -> Floats:
        """Steering and throttle in [-1, 1] for the car, (N, 2)."""
        if self._throttle_scale is None:
            steering = angles_deg / math.degrees(MAX_STEERING_RAD)
            throttle = np.clip(speeds_mps, MIN_SPEED_MPS, TOP_SPEED_MPS) / TOP_SPEED_MPS
        else:
            steering = angles_deg / self._space.top_angle_deg if self._space.top_angle_deg > 0 else 0.0 * angles_deg
            top = self._space.top_speed_mps
            throttle = self._throttle_scale * np.array([throttle_share(speed, top) for speed in speeds_mps.tolist()])
        commands = np.empty((len(angles_deg), 2))
        commands[:, 0], commands[:, 1] = np.minimum(1.0, np.maximum(-1.0, steering)), throttle
        return commands
