"""The demo model's actions, and the label for a command between two of them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

ANGLES_DEG = (-30.0, -22.5, -15.0, -7.5, 0.0, 7.5, 15.0, 22.5, 30.0)
FAST_MPS, SLOW_MPS = 2.1, 0.8  # through the car's throttle curve: full throttle, and 0.66 of it
FAST_UP_TO_DEG = 15.0

CHOICES: tuple[tuple[float, float], ...] = tuple(
    [(angle, SLOW_MPS) for angle in ANGLES_DEG]
    + [(angle, FAST_MPS) for angle in ANGLES_DEG if abs(angle) <= FAST_UP_TO_DEG]
)
_FAST_FROM = len(ANGLES_DEG)
_FAST_FIRST = next(i for i, angle in enumerate(ANGLES_DEG) if abs(angle) <= FAST_UP_TO_DEG)
_FAST_COUNT = len(CHOICES) - _FAST_FROM


def metadata() -> dict[str, Any]:
    """The DeepRacer `model_metadata.json` of the demo model."""
    return {
        "action_space": [
            {"steering_angle": angle, "speed": speed, "index": index} for index, (angle, speed) in enumerate(CHOICES)
        ],
        "sensor": ["FRONT_FACING_CAMERA"],
        "neural_network": "DEEP_CONVOLUTIONAL_NETWORK_SHALLOW",
        "training_algorithm": "clipped_ppo",
        "action_space_type": "discrete",
        "version": "5",
    }


def target(steering: float, fast: float) -> NDArray[np.float32]:
    """A command (steering in [-1, 1], + is left; share of fast in [0, 1]) as probabilities of the actions.

    An angle between two of the table is shared between both, so that the network learns the order of the angles.
    """
    shares = np.zeros(len(CHOICES), np.float32)
    slow = _shared(steering * ANGLES_DEG[-1], ANGLES_DEG)
    shares[:_FAST_FROM] = slow * (1.0 - fast)
    if fast > 0.0:
        angles = ANGLES_DEG[_FAST_FIRST : _FAST_FIRST + _FAST_COUNT]
        shares[_FAST_FROM:] = _shared(steering * ANGLES_DEG[-1], angles) * fast
    return shares


def _shared(angle_deg: float, angles: tuple[float, ...]) -> NDArray[np.float32]:
    shares = np.zeros(len(angles), np.float32)
    place = float(np.interp(angle_deg, angles, np.arange(len(angles))))
    below = min(int(place), len(angles) - 2)
    shares[below], shares[below + 1] = 1.0 - (place - below), place - below
    return shares


def mirror() -> NDArray[np.int64]:
    """For each action the index of its mirror image (left for right), shape (N,)."""
    places = {choice: index for index, choice in enumerate(CHOICES)}
    return np.array([places[(-angle if angle else 0.0, speed)] for angle, speed in CHOICES])
