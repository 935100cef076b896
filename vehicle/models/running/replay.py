"""The recorded frames through the model again, its answers beside the recorded wishes."""

import math
from dataclasses import dataclass
from typing import Any, cast

import cv2
import numpy as np

from shared.errors import BadInput
from vehicle.core.messages import ControlTrace
from vehicle.frames.preprocess import HEIGHT, WIDTH
from vehicle.hardware.interfaces import Pixels
from vehicle.models.running.policy import Policy
from vehicle.recordings.frame_feed import Picture
from vehicle.recordings.reader import Run

_SAME = 1e-6


@dataclass(frozen=True, slots=True)
class Comparison:
    """How the model's answers of today differ from what it wished then; shares of full lock and full throttle.

    `exact` are the frames of which the policy's own picture was kept; the others were compared by their JPEG.
    """

    compared: int
    same: int
    steering_mean: float
    steering_most: float
    throttle_most: float
    unmatched: int
    exact: int

    @property
    def agreement(self) -> float:
        return self.same / self.compared if self.compared else 0.0


def compare(run: Run, policy: Policy) -> Comparison:
    """Every recorded frame that a wish was made of. Raises BadInput if none can be compared."""
    wishes: dict[int, ControlTrace] = {trace.frame_seq: trace for trace in reversed(run.traces)}
    differences = []
    exact = 0
    for picture in run.pictures:
        wish = wishes.get(picture.seq)
        if wish is None or wish.frame_at_ns != picture.at_ns:
            continue
        if picture.seen:
            np.copyto(policy.small, seen_of(picture))
            exact += 1
        else:
            policy.see(pixels_of(picture))
        action = policy.model.metadata.space.decode(policy.answer(), 1.0)
        differences.append(
            (abs(action.steering - wish.setpoint_steering), abs(action.throttle - wish.setpoint_throttle))
        )
    if not differences:
        raise BadInput("The recording holds no frame that a wish was made of: there is nothing to compare.")
    steering, throttle = zip(*differences, strict=True)
    return Comparison(
        compared=len(differences),
        same=sum(s <= _SAME and t <= _SAME for s, t in differences),
        steering_mean=math.fsum(steering) / len(steering),
        steering_most=max(steering),
        throttle_most=max(throttle),
        unmatched=len(run.pictures) - len(differences),
        exact=exact,
    )


def seen_of(picture: Picture) -> Pixels:
    """What the policy saw of the frame, (120, 160). Raises BadInput."""
    small = cv2.imdecode(np.frombuffer(picture.seen, np.uint8), cv2.IMREAD_UNCHANGED)
    if small is None or small.shape != (HEIGHT, WIDTH) or small.dtype != np.uint8:
        raise BadInput(f"What the policy saw of frame {picture.seq} is no picture of {WIDTH} x {HEIGHT} grey pixels.")
    return cast(Pixels, small)


def pixels_of(picture: Picture) -> Any:
    """The recorded frame as it was coded: grey (H, W), or colour (H, W, 3). Raises BadInput."""
    pixels = cv2.imdecode(np.frombuffer(picture.jpeg, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is None:
        raise BadInput(f"The recorded frame {picture.seq} is no picture.")
    return pixels
