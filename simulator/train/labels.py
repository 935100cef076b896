"""An expert's command as what a network is to answer, for any action space: the label of a frame.

A command is a steering in [-1, 1] (+ is left) as a share of the action space's largest angle, and a share of fast.
Slow is the lowest speed of the space and fast its highest.
"""

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from vehicle.core.actions import ActionSpace

Label = NDArray[np.float32]


class Labels(Protocol):
    """The labels of one action space."""

    size: int
    mirrored: tuple[Label, NDArray[np.int64]] | None  # factors and columns of a mirror image's label; None: no image

    def label(self, steering: float, fast: float) -> Label:
        """The label of a command, shape (size,)."""


class DiscreteLabels:
    """Probabilities of the actions. An angle between two of them is shared between both, so that order is learned."""

    def __init__(self, space: ActionSpace) -> None:
        self.size = len(space.choices)
        self._top_deg = space.top_angle_deg
        self._slow, self._fast = (_rows_of(space, each) for each in (bottom_speed_mps(space), space.top_speed_mps))
        places = {(each.steering_deg, each.speed_mps): row for row, each in enumerate(space.choices)}
        columns = [places.get((0.0 - each.steering_deg, each.speed_mps)) for each in space.choices]
        self.mirrored = None if None in columns else (np.ones(self.size, np.float32), np.array(columns, np.int64))

    def label(self, steering: float, fast: float) -> Label:
        """As Labels."""
        shares = np.zeros(self.size, np.float32)
        for (rows, angles_deg), weight in ((self._slow, 1.0 - fast), (self._fast, fast)):
            place = float(np.interp(steering * self._top_deg, angles_deg, np.arange(len(rows))))
            below = min(int(place), max(0, len(rows) - 2))
            shares[rows[below]] += weight * (1.0 - (place - below))
            if place > below:
                shares[rows[below + 1]] += weight * (place - below)
        return shares


class ContinuousLabels:
    """Steering and speed, each in [-1, 1] of its range."""

    size = 2

    def __init__(self, space: ActionSpace) -> None:
        self._angle_deg, self._top_deg = space.angle_deg, space.top_angle_deg
        even = space.angle_deg.low == -space.angle_deg.high
        self.mirrored = (np.array([-1.0, 1.0], np.float32), np.arange(2)) if even else None

    def label(self, steering: float, fast: float) -> Label:
        """As Labels."""
        low, high = self._angle_deg.low, self._angle_deg.high
        share = 2.0 * (steering * self._top_deg - low) / (high - low) - 1.0
        return np.array([min(1.0, max(-1.0, share)), 2.0 * fast - 1.0], np.float32)


def labels_of(space: ActionSpace) -> Labels:
    """The labels of an action space."""
    return DiscreteLabels(space) if space.kind == "discrete" else ContinuousLabels(space)


def bottom_speed_mps(space: ActionSpace) -> float:
    """The lowest speed of an action space."""
    return min((choice.speed_mps for choice in space.choices), default=space.speed_mps.low)


def _rows_of(space: ActionSpace, speed_mps: float) -> tuple[list[int], list[float]]:
    """The rows of the actions at this speed and their angles, from right to left."""
    chosen = [(each.steering_deg, row) for row, each in enumerate(space.choices) if each.speed_mps == speed_mps]
    return [row for _, row in sorted(chosen)], [angle for angle, _ in sorted(chosen)]
