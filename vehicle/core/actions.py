"""Turns a model's answer into an action of the car, as the DeepRacer car does.

Source: aws-deepracer/aws-deepracer-navigation-pkg. A discrete model's action is the position of its highest
probability; a continuous one answers steering and speed in [-1, 1], stretched to its range. Steering is a share of
the largest angle, speed goes through a parabola by (0, 0), (vmax/2, 0.8), (vmax, 1) and the throttle scale.
"""

import math
import sys
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, cast

from shared.errors import BadInput
from shared.text import text

if TYPE_CHECKING:  # the guard and the fail-safe process load this file and must not load numpy
    from numpy.typing import NDArray

ActionSpaceKind = Literal["discrete", "continuous"]

MAX_ACTIONS = 1024
_MAX_ANGLE_DEG = 90.0
_MAX_SPEED_MPS = 20.0


@dataclass(frozen=True, slots=True)
class Action:
    """Steering (+ is left) and throttle, each in [-1, 1]; `Action()` is neutral."""

    steering: float = 0.0
    throttle: float = 0.0


NEUTRAL = Action()


@dataclass(frozen=True, slots=True)
class DiscreteAction:
    """One row of a discrete action space."""

    steering_deg: float
    speed_mps: float


@dataclass(frozen=True, slots=True)
class ActionRange:
    """One axis of a continuous action space."""

    low: float
    high: float

    def interpolate(self, share: float) -> float:
        """The value at `share` in [-1, 1] of the range."""
        return self.low + (share + 1.0) / 2.0 * (self.high - self.low)


@dataclass(frozen=True, slots=True)
class ActionSpace:
    """What a model's outputs mean. Discrete spaces have `choices`, continuous ones `angle_deg` and `speed_mps`.

    `top_angle_deg` is full steering: the largest angle of the choices, or the `high` of a continuous range, as on the
    DeepRacer car. `top_speed_mps` is full throttle, found in the same way.
    """

    kind: ActionSpaceKind
    choices: tuple[DiscreteAction, ...] = ()
    angle_deg: ActionRange = ActionRange(-30.0, 30.0)
    speed_mps: ActionRange = ActionRange(0.5, 4.0)
    top_angle_deg: float = field(init=False, repr=False, compare=False)
    top_speed_mps: float = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        # Computed once, because every frame uses them.
        angles = [abs(choice.steering_deg) for choice in self.choices] or [self.angle_deg.high]
        speeds = [choice.speed_mps for choice in self.choices] or [self.speed_mps.high]
        object.__setattr__(self, "top_angle_deg", max(angles))
        object.__setattr__(self, "top_speed_mps", max(speeds))

    @staticmethod
    def parse_metadata(document: object) -> "ActionSpace":
        """The action space of a parsed `model_metadata.json`. Raises BadInput with one sentence."""
        if not isinstance(document, dict):
            raise BadInput(text("The model metadata is not a JSON object."))
        kind = document.get("action_space_type", "discrete")
        if kind not in ("discrete", "continuous"):
            raise BadInput(
                text("The action_space_type is {value!r}; it must be discrete or continuous.", value=str(kind)[:40])
            )
        space = document.get("action_space")
        return _parse_discrete(space) if kind == "discrete" else _parse_continuous(space)

    @property
    def size(self) -> int:
        """How many values the model must answer."""
        return len(self.choices) if self.kind == "discrete" else 2

    def decode(self, output: "NDArray[Any]", throttle_scale: float) -> Action:
        """The model's answer (of any shape, `size` values) as an action; `throttle_scale`, 0 to 1, scales the throttle.

        Raises BadInput if the answer is not finite or has the wrong size: then there is no setpoint at all.
        """
        angle_deg, speed_mps = self._angle_and_speed(self._finite_values(output))
        # The servo node refuses values beyond [-1, 1] and would stay as it is; the model asked for full lock.
        steering = _clamp(angle_deg / self.top_angle_deg) if self.top_angle_deg > 0 else 0.0
        return Action(steering, throttle_scale * throttle_share(speed_mps, self.top_speed_mps))

    def choose(self, output: "NDArray[Any]") -> tuple[int, float, float]:
        """What the answer asks for, as the simulator takes it: row of the space (-1: continuous), degrees and m/s.

        Raises BadInput as `decode` does.
        """
        values = self._finite_values(output)
        row = values.index(max(values)) if self.kind == "discrete" else -1
        return row, *self._angle_and_speed(values)

    def _finite_values(self, output: "NDArray[Any]") -> list[float]:
        # A list is faster: numpy's code, not in the cache by now, would take a fifth of a small model's time.
        values: list[float] = output.ravel().tolist()
        if len(values) != self.size:
            raise BadInput(
                text(
                    "The model answered {count} values; its action space has {size}.", count=len(values), size=self.size
                )
            )
        if not all(map(math.isfinite, values)):
            raise BadInput(text("The model answered with values that are not finite."))
        return values

    def _angle_and_speed(self, values: list[float]) -> tuple[float, float]:
        if self.kind == "discrete":
            choice = self.choices[values.index(max(values))]
            return choice.steering_deg, choice.speed_mps
        steering, speed = map(_clamp, values)
        return self.angle_deg.interpolate(steering), self.speed_mps.interpolate(speed)


def throttle_share(speed_mps: float, top_speed_mps: float) -> float:
    """The parabola of the navigation node: 0.8 of the throttle at half of the top speed, all of it at the top."""
    share = speed_mps / top_speed_mps
    return _clamp(-1.2 * share * share + 2.2 * share)


def _clamp(value: float) -> float:
    return min(1.0, max(-1.0, value))


def _parse_discrete(space: object) -> ActionSpace:
    if not isinstance(space, list) or not 1 <= len(space) <= MAX_ACTIONS:
        raise BadInput(text("The action_space must be a list of 1 to {max_actions} actions.", max_actions=MAX_ACTIONS))
    choices = tuple(_parse_action(row, place) for place, row in enumerate(space))
    if max(choice.speed_mps for choice in choices) <= 0:
        raise BadInput(text("No action of the action_space has a speed above 0."))
    return ActionSpace("discrete", choices)


def _parse_action(row: object, place: int) -> DiscreteAction:
    # The row's own `index` is not read: the car goes by the position in the list.
    if not isinstance(row, dict):
        raise BadInput(
            text("Action {place} of the action_space is not an object with steering_angle and speed.", place=place)
        )
    angle = _parse_number(
        row.get("steering_angle"),
        text("The {name} of action {place}", name="steering_angle", place=place),
        _MAX_ANGLE_DEG,
    )
    speed = _parse_number(
        row.get("speed"), text("The {name} of action {place}", name="speed", place=place), _MAX_SPEED_MPS, low_limit=0.0
    )
    return DiscreteAction(angle, speed)


def _parse_continuous(space: object) -> ActionSpace:
    if not isinstance(space, dict):
        raise BadInput(text("A continuous action_space must be an object with steering_angle and speed."))
    angle = _parse_range(space.get("steering_angle"), "steering_angle", _MAX_ANGLE_DEG, -_MAX_ANGLE_DEG)
    speed = _parse_range(space.get("speed"), "speed", _MAX_SPEED_MPS, 0.0)
    return ActionSpace("continuous", angle_deg=angle, speed_mps=speed)


def _parse_range(axis: object, name: str, high_limit: float, low_limit: float) -> ActionRange:
    if not isinstance(axis, dict):
        raise BadInput(text("The {name} of a continuous action_space must be an object with low and high.", name=name))
    table = cast("dict[str, object]", axis)
    low = _parse_number(table.get("low"), text("The low of {name}", name=name), high_limit, low_limit=low_limit)
    high = _parse_number(table.get("high"), text("The high of {name}", name=name), high_limit, low_limit=low_limit)
    if not low < high or high <= 0:
        raise BadInput(
            text(
                "The {name} goes from {low:g} to {high:g}; high must be above low and above 0.",
                name=name,
                low=low,
                high=high,
            )
        )
    return ActionRange(low, high)


def _parse_number(value: object, what: str, high_limit: float, low_limit: float | None = None) -> float:
    low = -high_limit if low_limit is None else low_limit
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not low <= number <= high_limit:
        raise BadInput(
            text(
                "{what} is {value!r}; it must be a number from {low:g} to {high_limit:g}.",
                what=what,
                value=str(value)[:40],
                low=low,
                high_limit=high_limit,
            )
        )
    # A car's processor may take a denormal for zero (vehicle/models/running/session.py), and nobody means one.
    return float(number) if abs(number) >= sys.float_info.min else 0.0
